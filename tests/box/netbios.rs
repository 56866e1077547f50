//! Being found by Windows XP: Samba and nbtscan ask the real server on the real port, in a network of their own.

use crate::home::{BOX, EVERYBODY, Home};
use crate::support::{Server, skipped};

#[test]
fn samba_and_nbtscan_find_the_server_by_its_netbios_name() {
    let Some(home) = Home::build() else {
        return skipped("NetBIOS: this user may not make network namespaces (util-linux, iproute2)");
    };
    let mut server = Server::prepare();
    server.go(home.way_in());
    server.configure("[network]\nname = \"Garage\"\n");
    server.start();
    let ask = |line: &str| {
        let output = home.on_pc(line);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), format!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    };
    if ask("command -v nmblookup").0 == Some(0) {
        for (line, wanted) in [
            (format!("nmblookup -U {BOX} garage"), format!("{BOX} garage<00>")),
            (format!("nmblookup -B {EVERYBODY} 'garage#20'"), format!("{BOX} garage<20>")),
            (format!("nmblookup -A {BOX}"), "GARAGE          <20>".to_owned()),
        ] {
            let (code, text) = ask(&line);
            assert!(code == Some(0) && text.contains(&wanted), "{line}: {text}");
        }
        let (code, text) = ask(&format!("nmblookup -U {BOX} somebody"));
        assert!(code != Some(0) && text.contains("name_query failed"), "{text}");
    } else {
        skipped("NetBIOS with Samba: nmblookup is not installed; run scripts/install-test-peers");
    }
    if ask("command -v nbtscan").0 == Some(0) {
        let (code, text) = ask(&format!("nbtscan {BOX}"));
        assert!(code == Some(0) && text.contains("GARAGE"), "{text}");
    } else {
        skipped("NetBIOS with nbtscan: it is not installed; run scripts/install-test-peers");
    }
}

#[test]
fn a_server_that_may_not_use_the_port_goes_on() {
    let Some(home) = Home::build() else {
        return skipped("a taken NetBIOS port: this user may not make network namespaces");
    };
    let mut first = Server::prepare();
    first.go(home.way_in());
    first.start();
    let mut second = Server::prepare();
    second.go(home.way_in());
    second.start();
    assert!(
        second.log().contains("old Windows versions do not find this machine by name"),
        "{}",
        second.log()
    );
    assert_eq!(second.stop().code(), Some(0));
}
