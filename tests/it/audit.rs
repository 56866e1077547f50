//! Each act of the command line leaves a line in the audit log.

use crate::import::{game, writer};
use crate::support::Server;
use jet_reader::Version;
use serde_json::Value;
use std::fs;

const PASSWORD: &str = "Roadster-57!\n";

fn audit(server: &Server) -> Vec<String> {
    let entries = server.must(&["operator", "audit", "--json"], "");
    let entries: Vec<Value> = serde_json::from_str(&entries).unwrap();
    entries.iter().rev().map(|entry| entry["what"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_act_of_the_command_line_leaves_a_line_in_the_audit_log() {
    let mut server = Server::prepare();
    let file = |name: &str| server.path().join(name).to_str().unwrap().to_owned();
    let (fix, database, backup) = (file("fix.dll"), file("game.mdb"), file("b.mcos"));
    fs::write(&fix, "abc").unwrap();
    fs::write(&database, writer::database(Version::Jet3, 0, &game::tables())).unwrap();
    let start = mcos::clock::moment(mcos::clock::Now::read().unix + 86_400);
    let event = ["event", "add", "Friday", "--lobby", "10001", "--start", &start];
    let acts: [(&[&str], &str, &str); 15] = [
        (&["account", "add", "doc", "--password-stdin"], PASSWORD, "account add \"doc\""),
        (&["account", "passwd", "doc", "--password-stdin"], PASSWORD, "account passwd \"doc\""),
        (&["account", "disable", "doc"], "", "account disable \"doc\""),
        (&["account", "enable", "doc"], "", "account enable \"doc\""),
        (&["account", "rename", "doc", "brown"], "", "account rename \"doc\" \"brown\""),
        (&["persona", "add", "brown", "Doc"], "", "persona add \"brown\" \"Doc\""),
        (&["persona", "give", "Doc", "5", "--reason", "x"], "", "persona give \"Doc\" 5 --reason \"x\""),
        (&["persona", "rename", "Doc", "Emmett"], "", "persona rename \"Doc\" \"Emmett\""),
        (&["operator", "passwd", "--password-stdin"], PASSWORD, "operator passwd"),
        (&["operator", "mail", "Friday", "Race night"], "", "mail to all \"Friday\""),
        (&event, "", "plan race night \"Friday\""),
        (&["patch", "add", &fix, "Data/fix.dll"], "", "patch add Data/fix.dll ba7816bf"),
        (&["patch", "remove", "Data/fix.dll"], "", "patch remove \"Data/fix.dll\""),
        (&["catalog", "import", &database], "", "catalog import"),
        (&["persona", "remove", "Emmett", "--yes"], "", "persona remove \"Emmett\""),
    ];
    for (arguments, input, _) in acts {
        server.must(arguments, input);
    }
    // What only shows something, or is refused, leaves none.
    server.must(&["account", "list"], "");
    server.must(&["backup", &backup], "");
    assert!(!server.cli(&["account", "disable", "nobody"], "").status.success());
    assert!(!server.cli(&["patch", "remove", "Data/fix.dll"], "").status.success());
    let noted = audit(&server);
    assert_eq!(noted.len(), acts.len(), "{noted:#?}");
    for (line, (arguments, _, wanted)) in noted.iter().zip(acts) {
        assert!(line.starts_with(wanted), "{arguments:?}: {line}");
    }

    server.must(&["account", "remove", "brown", "--yes"], "");
    server.must(&["restore", &backup, "--yes"], "");
    assert_eq!(audit(&server).last().unwrap(), "a backup is restored");
    assert_eq!(audit(&server).len(), acts.len() + 1, "the log is that of the backup");

    // Beside a running server as well.
    server.start();
    server.must(&["patch", "add", &fix, "fix.dll"], "");
    server.must(&["catalog", "import", &database], "");
    let noted = audit(&server);
    let newest = &noted[noted.len() - 2..];
    assert!(newest[0].starts_with("patch add fix.dll") && newest[1] == "catalog import", "{newest:?}");
}
