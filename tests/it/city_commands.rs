//! Race nights, ads and auctions by the command line, with and without a running server.

use crate::support::Server;
use mco_proto::ids::BrandedPartId;
use mcos::catalog::Catalog;
use mcos::clock::{Now, moment};
use mcos::services::deals::CityRules;
use mcos::store::{AdCategory, Goods, NewAd, NewAuction, NewPart, PartPurchase, Store};
use serde_json::Value;

fn json(server: &Server, arguments: &[&str]) -> Value {
    serde_json::from_str(&server.must(arguments, "")).unwrap()
}

/// An ad, an auction and a loose part of Marty's, whose numbers are returned.
fn deals(server: &Server) -> (u32, u32, u32) {
    let store = Store::open(&server.data()).unwrap();
    let (catalog, now) = (Catalog::builtin(), Now::read());
    let rules = CityRules(&catalog);
    let marty = store.personas().list().unwrap()[0].id;
    let mut parts = (0..2).map(|_| {
        let part = NewPart { branded_part: BrandedPartId(300_001), parent: None, attachment_point: 0 };
        let purchase = PartPurchase { price: 1, parts: vec![part] };
        store.garage().buy_part(marty, &purchase, &|_| usize::MAX, now).unwrap().value
    });
    let (sold, prize) = (parts.next().unwrap(), parts.next().unwrap());
    let ad = NewAd { category: AdCategory::Wanted, text: "rude words".to_owned(), days: 3, offer: None };
    let ad = store.deals(&rules).place_ad(marty, ad, now).unwrap().value;
    let new = NewAuction { goods: Goods::Part(sold), start: 1, buy_now: None, hours: 5 };
    let auction = store.deals(&rules).open_auction(marty, new, now).unwrap().value;
    (ad, auction, prize.0)
}

#[test]
fn race_nights_ads_and_auctions_are_listed_planned_and_removed_by_commands() {
    let mut server = Server::prepare();
    server.account("marty");
    server.must(&["persona", "add", "marty", "Marty"], "");
    let (ad, auction, part) = deals(&server);
    let start = moment(Now::read().unix + 86_400);
    for running in [false, true] {
        if running {
            server.start();
        }
        let add =
            ["event", "add", "Friday night", "--lobby", "10001", "--start", &start, "--fee", "5", "--weekly"];
        let said = server.must(&add, "");
        let night = said.trim().trim_start_matches("race night ").trim_end_matches(" is planned").to_owned();
        let nights = json(&server, &["event", "list", "--json"]);
        assert_eq!(nights[0]["plan"]["name"], "Friday night", "{nights}");
        let shown = json(&server, &["event", "show", &night, "--json"]);
        assert_eq!((&shown["plan"]["fee"], &shown["plan"]["weekly"]), (&Value::from(5), &Value::from(true)));
        assert!(server.must(&["event", "show", &night], "").contains("fee 5, weekly"));
        assert!(server.must(&["event", "list"], "").contains("planned"));
        assert!(server.must(&["persona", "show", "Marty"], "").contains(&format!("part {part}")));
        let part = part.to_string();
        let prize = ["event", "prize", &night, "--from", "Marty", "--part", &part];
        assert!(server.must(&prize, "").contains("is held for the winner"));
        assert!(server.must(&["event", "show", &night], "").contains(&format!("to win: part {part}")));
        server.must(&["event", "cancel", &night, "--reason", "rain"], "");
        assert!(server.must(&["event", "show", &night], "").contains("it does not count: rain"));
        let market = json(&server, &["market", "list", "--json"]);
        assert_eq!(market.as_array().unwrap().len(), usize::from(!running), "{market}");
        if running {
            let auctions = json(&server, &["auction", "list", "--json"]);
            assert_eq!((&auctions[0]["auction"], &auctions[0]["seller"]), (&auction.into(), &"Marty".into()));
            assert!(server.must(&["auction", "list"], "").contains("Marty"));
            server.must(&["auction", "remove", &auction.to_string(), "--reason", "rude"], "");
            assert_eq!(json(&server, &["auction", "list", "--json"]), Value::Array(Vec::new()));
        } else {
            assert_eq!((&market[0]["text"], &market[0]["persona"]), (&"rude words".into(), &"Marty".into()));
            assert!(server.must(&["market", "list"], "").contains("rude words"));
            server.must(&["market", "remove", &ad.to_string(), "--reason", "rude"], "");
        }
        for (wrong, said) in [
            (vec!["market", "remove", "999", "--reason", "x"], "this deal is over"),
            (vec!["auction", "remove", "999", "--reason", ""], "why it is removed"),
            (vec!["event", "show", "999"], "there is no race night 999"),
            (vec!["event", "cancel", "999", "--reason", "x"], "no such race night"),
            (vec!["event", "prize", "1", "--from", "Nobody", "--car", "1"], "no persona"),
            (vec!["event", "add", "x", "--lobby", "999", "--start", &start], "10001 (Harbor Loop)"),
        ] {
            let refused = server.cli(&wrong, "");
            let error = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(refused.status.code() == Some(1) && error.contains(said), "{wrong:?}: {error}");
        }
        for wrong in [
            vec!["event", "prize", "1", "--from", "Marty"],
            vec!["event", "prize", "1", "--from", "Marty", "--car", "1", "--part", "1"],
            vec!["event", "add", "x", "--lobby", "10001", "--start", "soon"],
            vec!["event", "add", "x", "--lobby", "10001", "--start", &start, "--best-time"],
        ] {
            assert_eq!(server.cli(&wrong, "").status.code(), Some(2), "{wrong:?}");
        }
    }
    let audit = server.must(&["operator", "audit"], "");
    for act in ["plan race night", "cancel race night", "to race night", "remove ad", "remove auction"] {
        assert!(audit.contains(act), "{act}: {audit}");
    }
    assert!(server.must(&["ledger", "check"], "").contains("the ledger is right"));
}
