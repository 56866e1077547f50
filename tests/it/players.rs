//! The operator's commands about accounts and personas, with and without a running server.

use crate::support::{PASSWORD, Server};
use mcos::client::Error;
use smol::block_on;

#[test]
fn accounts_and_personas_are_shown_renamed_paid_and_removed_on_the_command_line() {
    let mut server = Server::prepare();
    server.account("doc");
    server.account("marty");
    server.persona("doc", "Dr Brown");
    for running in [false, true] {
        if running {
            server.start();
        }
        let name = if running { "Emmett" } else { "Dr Brown" };
        let shown = server.must(&["persona", "show", name], "");
        assert!(shown.contains("doc") && shown.contains("Starter cash"), "{shown}");
        let before: serde_json::Value =
            serde_json::from_str(&server.must(&["persona", "list", "--json"], "")).unwrap();
        let money = before[0]["bank_balance"].as_u64().unwrap();
        server.must(&["persona", "give", name, "250", "--reason", "won the show"], "");
        server.must(&["persona", "give", name, "-50", "--reason", "lost a bet"], "");
        let after: serde_json::Value =
            serde_json::from_str(&server.must(&["persona", "show", name, "--json"], "")).unwrap();
        assert_eq!(after["persona"]["bank_balance"].as_u64(), Some(money + 200));
        for refusal in [
            vec!["persona", "give", name, "-99999999", "--reason", "x"],
            vec!["persona", "give", name, "0", "--reason", "x"],
            vec!["persona", "give", "Nobody", "1", "--reason", "x"],
            vec!["persona", "rename", name, "a name that is too long"],
            vec!["account", "rename", "doc", "marty"],
            vec!["account", "remove", "nobody", "--yes"],
        ] {
            assert_eq!(server.cli(&refusal, "").status.code(), Some(1), "{refusal:?}");
        }
        server.must(&["persona", "rename", name, if running { "Doc" } else { "Emmett" }], "");
        server.must(&["operator", "mail", "Friday", "Race night at eight"], "");
        let audit = server.must(&["operator", "audit"], "");
        assert!(
            audit.contains("won the show") && audit.lines().nth(1).unwrap().contains("mail to all"),
            "{audit}"
        );
        assert!(!audit.contains("99999999") && !audit.contains(PASSWORD), "{audit}");
    }
    assert!(server.must(&["ledger", "check"], "").contains("is right"));
    assert!(server.must(&["account", "show", "doc"], "").contains("Doc"));
    block_on(async {
        let driver = server.driver("doc", "Doc").await;
        let mut lobby = driver.lobby().await.unwrap();
        let unanswered = server.cli(&["account", "remove", "doc"], "");
        assert_eq!(unanswered.status.code(), Some(1));
        assert!(server.must(&["account", "remove", "doc"], "yes\n").contains("was removed"));
        while lobby.directory().await.is_ok() {}
        let refused = server.web().auth("doc", PASSWORD).await;
        assert!(matches!(refused, Err(Error::WrongPassword { .. })), "{refused:?}");
    });
    let accounts: serde_json::Value =
        serde_json::from_str(&server.must(&["account", "list", "--json"], "")).unwrap();
    assert_eq!((accounts.as_array().unwrap().len(), accounts[0]["name"].as_str()), (1, Some("marty")));
}
