//! A server on a box: nobody sees its console, so it serves whatever its card says, and writes on a file what is wrong.

use crate::home::{ALONE, BOX, Home};
use crate::support::{Server, skipped};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};

const SKIP: &str =
    "a box in a network of its own: this user may not make network namespaces (util-linux, iproute2)";

/// Without line ends, as one reads it.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_right_of_a_broken_configuration_counts_and_the_rest_is_named_wherever_a_person_looks() {
    let Some(home) = Home::build() else { return skipped(SKIP) };
    let mut server = Server::prepare();
    server.put_on_box();
    server.go(home.way_in());
    server.configure("[shard]\r\nname = \"Our Town\"\r\nlobbby = 7003\r\n");
    server.start();
    let said = "mcos.toml, line 3, shard.lobbby: unknown key";
    assert!(server.log().contains(said), "{}", server.log());
    let status = server.await_status(|text| text.contains("READY"));
    assert!(flat(&status).contains(&format!("1. {said}")), "{status}");
    assert!(status.contains(&format!("http://{BOX}/ ")) && status.contains("\"Our Town\""), "{status}");
    assert!(flat(&status).contains("only the operator can make accounts"), "{status}");
    let front = home.page("/");
    assert!(front.contains("For the operator of this server:") && front.contains(said), "{front}");
    // Commands on the box work although the file does not.
    server.account("doc");
    // The router gives the box another address.
    home.on_box(&format!("ip addr del {BOX}/24 dev cable && ip addr add 192.168.77.6/24 brd + dev cable"));
    server.await_status(|text| text.contains("http://192.168.77.6/ ") && !text.contains(BOX));

    server.stop();
    home.on_box(&format!("ip addr add {BOX}/24 brd + dev cable"));
    fs::remove_file(server.config()).unwrap();
    server.start();
    let status = server.await_status(|text| text.contains(BOX));
    assert!(flat(&status).contains("WHAT IS WRONG Nothing."), "{status}");
    assert!(!home.page("/").contains("For the operator of this server"));
}

#[test]
fn a_box_without_a_router_is_reached_by_the_address_that_it_gave_itself_and_later_by_another_one() {
    const OWN: &str = "169.254.77.5";
    let Some(home) = Home::build() else { return skipped(SKIP) };
    home.on_box(&format!("ip addr del {BOX}/24 dev cable && ip addr add {OWN}/16 brd + dev cable"));
    home.on_pc(&format!("ip addr add {ALONE}/16 brd + dev cable"));
    let mut server = Server::prepare();
    server.put_on_box();
    server.go(home.way_in());
    server.configure("[shard]\nname = \"Our Town\"\n");
    server.start();
    let authority = server.data().join("tls/authority.pem");
    let proves_itself = |address: &str| {
        let ask = format!(
            "openssl s_client -connect {address}:443 -CAfile {} -verify_return_error -verify_ip {address} </dev/null",
            authority.display()
        );
        home.on_pc(&ask).status.success()
    };
    let has_openssl = home.on_pc("command -v openssl").status.success();
    server.await_status(|text| text.contains(&format!("http://{OWN}/ ")));
    assert!(home.page_at(OWN, "/").contains("Our Town"));
    assert!(!has_openssl || proves_itself(OWN));

    // A router comes: for a while the box has both.
    home.on_box(&format!("ip addr add {BOX}/24 brd + dev cable"));
    let status = server.await_status(|text| text.contains(BOX));
    assert!(status.find(BOX) < status.find(OWN), "the router's comes first: {status}");
    assert!(status.contains(&format!("https://{BOX}/operator")), "{status}");
    assert!(home.page("/").contains("Our Town") && home.page_at(OWN, "/").contains("Our Town"));
    assert!(!has_openssl || proves_itself(BOX) && proves_itself(OWN));

    home.on_box(&format!("ip addr del {OWN}/16 dev cable"));
    server.await_status(|text| text.contains(BOX) && !text.contains(OWN));
    assert!(home.page("/").contains("Our Town"));
    if !has_openssl {
        skipped("the certificate of a box with another address: openssl is not installed");
    }
}

#[test]
fn an_address_that_the_box_does_not_have_leaves_the_default_ports_and_is_named() {
    let Some(home) = Home::build() else { return skipped(SKIP) };
    let mut server = Server::prepare();
    server.put_on_box();
    server.go(home.way_in());
    server.configure("[shard]\nname = \"Our Town\"\n[network]\nbind = [\"203.0.113.7\"]\n");
    server.start();
    let status = flat(&server.await_status(|text| text.contains("READY")));
    assert!(status.contains("1. mcos.toml, network.bind: ") && status.contains("203.0.113.7"), "{status}");
    assert!(status.contains("\"Our Town\""), "only [network] is ignored: {status}");
    assert!(home.page("/").contains("Our Town"));
}

#[test]
fn a_file_of_any_notepad_is_understood() {
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let mut server = Server::prepare();
    server.put_on_box();
    let text =
        fs::read_to_string(server.config()).unwrap().replace('\n', "\r\n").replace("Test City", "Our Town");
    for file in
        [[b"\xEF\xBB\xBF".as_slice(), text.as_bytes()].concat(), utf16(&text, false), utf16(&text, true)]
    {
        fs::write(server.config(), file).unwrap();
        server.start();
        let status = server.await_status(|text| text.contains("READY"));
        assert!(status.contains("\"Our Town\"") && !status.contains("mcos.toml"), "{status}");
        server.stop();
        fs::remove_file(server.path().join("status.txt")).unwrap();
    }
}

#[test]
fn a_box_that_cannot_start_writes_down_why() {
    let mut server = Server::prepare();
    server.put_on_box();
    fs::write(server.data(), "in the way").unwrap();
    assert_eq!(server.cli(&["serve"], "").status.code(), Some(1));
    let status = server.await_status(|text| text.contains("NOT RUNNING"));
    assert!(flat(&status).contains("WHAT IS WRONG cannot use "), "{status}");
}

#[test]
fn what_root_does_while_no_server_runs_is_left_to_the_servers_own_user() {
    const SERVICE: u32 = 61_184;
    let mut server = Server::prepare();
    server.put_on_box();
    server.account("doc");
    if chown(server.data(), Some(SERVICE), Some(SERVICE)).is_err() {
        return skipped("a command of root's in the folder of another user: this user is not root");
    }
    server.persona("doc", "Dr Brown");
    let mut folders = vec![server.data()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let found = entry.metadata().unwrap();
            assert_eq!((found.uid(), found.gid()), (SERVICE, SERVICE), "{}", entry.path().display());
            if found.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    assert!(server.data().join("backup.mcos").exists());
}

#[test]
fn a_file_on_the_card_has_the_operators_password_forgotten_once() {
    let mut server = Server::prepare();
    server.put_on_box();
    server.must(&["operator", "passwd", "--password-stdin"], "hidden garage 57\n");
    let request = server.data().join("reset-operator-password");
    fs::write(&request, "").unwrap();
    server.start();
    assert!(!request.exists());
    assert!(server.log().contains("THE OPERATOR'S PASSWORD IS FORGOTTEN"), "{}", server.log());
    server.await_status(|text| flat(text).contains("The old password was removed at this start"));
    server.must(&["operator", "passwd", "--password-stdin"], "another garage 58\n");
    server.await_status(|text| text.contains("READY") && !text.contains("password"));
    server.stop();
    server.start();
    let status = server.await_status(|text| text.contains("READY"));
    assert!(!status.contains("password"), "the new one is kept: {status}");
}
