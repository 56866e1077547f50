//! The self-test of the player kit, run by Wine against a server: what it says is what arrives.

use crate::kit_wine::Pc;
use crate::pages::{ask, get};
use crate::support::{Server, wait_until};
use std::fs;
use std::io::{Cursor, Read as _};

const KIT: &str = "kit of A & B!";

/// The kit of a server as a browser gets it, unpacked.
fn unpack(pc: &Pc, server: &Server) {
    let host = format!("127.0.0.1:{}", server.port("http"));
    let (_, zip) = ask(server, &format!("GET /kit.zip HTTP/1.0\r\nHost: {host}\r\n\r\n"));
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    fs::create_dir_all(pc.path(KIT)).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    for name in names {
        let mut content = Vec::new();
        zip.by_name(&name).unwrap().read_to_end(&mut content).unwrap();
        fs::write(pc.path(KIT).join(name), content).unwrap();
    }
}

/// Runs the test, and gives what it says; it must pass or not.
fn tested(pc: &Pc, passes: bool) -> String {
    let code = pc.run(KIT, "test.bat", "/q", &[]);
    assert_eq!(code == 0, passes, "{}", pc.said());
    pc.said()
}

#[test]
fn the_kit_says_what_a_pc_reaches_and_diagnose_shows_the_same() {
    let Some(pc) = Pc::new() else { return };
    let mut server = Server::started();
    pc.install_game();
    unpack(&pc, &server);
    let nothing = get(&server, "/diagnose").1;
    assert!(nothing.contains("No test of the player kit has come from your address"), "{nothing}");

    // The game looks for Auth on 443, and this server has it elsewhere.
    let said = tested(&pc, false);
    let yes = |what: &str, service: &str| format!("yes  {what} (port {})", server.port(service));
    for step in [
        yes("The pages of the server", "http"),
        yes("Login", "login"),
        yes("The drivers", "persona"),
        yes("The lobby", "lobby"),
        yes("Garage and races", "mcots"),
        "NO   Where the game signs in (port 443)".to_owned(),
        "NO   Windows trusts the server's certificate (port 443)".to_owned(),
        "Allow the game that port in the firewall".to_owned(),
    ] {
        assert!(said.contains(&step), "{step}: {said}");
    }
    assert_eq!(said.matches("yes  ").count(), 6, "and a room: {said}");

    // As if a router forwarded 443. The certificate is not installed yet.
    let script = pc.path(KIT).join("kit.js");
    let text = fs::read_to_string(&script).unwrap();
    let https = server.port("https");
    let forwarded = text.replace(
        "AUTH_PORT = 443, TEST_PORTS = [443,",
        &format!("AUTH_PORT = {https}, TEST_PORTS = [{https},"),
    );
    assert_ne!(forwarded, text);
    fs::write(&script, forwarded).unwrap();
    let said = tested(&pc, false);
    assert!(said.contains("yes  Where the game signs in"), "{said}");
    assert!(said.contains("NO   Windows trusts") && said.contains("Use TLS 1.0"), "{said}");

    assert_eq!(pc.run(KIT, "setup.bat", "/q", &[]), 0, "{}", pc.said());
    assert!(
        !pc.said().contains("Does this PC reach"),
        "where nobody reads it, nothing is tested: {}",
        pc.said()
    );
    let said = tested(&pc, true);
    assert!(said.contains("This PC reaches everything that the game needs."), "{said}");
    let page = get(&server, "/diagnose").1;
    assert!(page.contains("This PC reaches everything that the game needs."), "{page}");
    assert!(!page.contains("<td><b>no</b></td>"), "{page}");
    // At the end of a setup that somebody looks at, it comes by itself.
    assert_eq!(pc.run(KIT, "setup.bat", "", &[]), 0, "{}", pc.said());
    assert!(pc.said().contains("This PC reaches everything that the game needs."), "{}", pc.said());

    assert!(server.stop().success());
    let said = tested(&pc, false);
    assert!(said.contains("nothing answers at http://127.0.0.1:"), "{said}");
    assert_eq!(pc.run(KIT, "undo.bat", "/q", &[]), 0, "{}", pc.said());
    started_again_with_the_rights_of_an_administrator(&pc);
}

/// Wine asks nobody: it starts the script again at once.
fn started_again_with_the_rights_of_an_administrator(pc: &Pc) {
    let folder = pc.path(KIT);
    fs::write(folder.join("setup.bat"), "@echo %~1>C:\\again.txt\r\n").unwrap();
    fs::write(folder.join("asks.bat"), "@cscript //nologo kit.js elevate-setup\r\n").unwrap();
    assert_eq!(pc.run(KIT, "asks.bat", "", &[]), 0, "{}", pc.said());
    let written = wait_until(
        || fs::read_to_string(pc.path("again.txt")).unwrap_or_default(),
        |text| text.contains("/again"),
    );
    assert_eq!(written.trim(), "/again");
}
