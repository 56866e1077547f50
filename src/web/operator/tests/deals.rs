//! Prizes, ads and auctions as the Operator handles them.

use super::*;
use crate::services::deals;
use crate::store::{AdCategory, Goods, Host, NewAd, NewAuction, NewPart, NightPlan, PartPurchase};
use mco_proto::ids::{BrandedPartId, PersonaId};

fn part(scene: &Scene, of: PersonaId) -> Goods {
    let part = NewPart { branded_part: BrandedPartId(300_001), parent: None, attachment_point: 0 };
    let purchase = PartPurchase { price: 1, parts: vec![part] };
    let bought = scene.game.store.garage().buy_part(of, &purchase, &|_| usize::MAX, Now::read()).unwrap();
    Goods::Part(bought.value)
}

#[test]
fn a_thing_of_a_driver_becomes_a_prize_and_what_offends_is_removed() {
    let scene = Scene::new();
    let doc = scene.game.player("giver", "Giver", HOME).persona;
    let (store, now) = (&scene.game.store, Now::read());
    let mut operator = scene.operator();
    let start = u32::try_from(now.unix).unwrap() + 86_400;
    let plan = NightPlan {
        name: "<Friday>".to_owned(),
        lobby: 10_001,
        start,
        end: start + 3600,
        most: 4,
        ..NightPlan::default()
    };
    let _ = store.nights().plan(Host::Operator, &plan, now).unwrap();
    let thing = part(&scene, doc);
    assert!(!operator.look("/operator/events").contains("Give a prize"));
    assert!(!operator.look("/operator/events?q=nobody").contains("Give a prize"));
    let page = operator.look("/operator/events?q=giver");
    assert!(page.contains("Give a prize") && page.contains(&format!("p{}", thing.number())), "{page}");
    let mut give = |fields: &str| {
        let reply = operator.fill_in("/operator/events", "/operator/events", fields);
        let page = reply.location.filter(|page| reply.status == 303 && page.starts_with("/operator/events"));
        operator.look(&page.expect("back to the page"))
    };
    let right = format!("do=prize&night=1&driver=Giver&goods=p{}", thing.number());
    for (fields, said) in [
        ("do=prize&night=1&driver=Giver&goods=x", "Choose a car or a part"),
        ("do=prize&night=1&driver=Giver&goods=p999999", "owns no such"),
        ("do=prize&night=1&driver=Nobody&goods=p1", "There is no persona"),
        (&right.replace("night=1", "night=7"), "no such race night"),
        (&right, "The prize is held for the winner"),
        (&right, "owns no such"),
    ] {
        let page = give(fields);
        assert!(page.contains(said), "{fields}: {page}");
    }
    let text = "rude words".to_owned();
    let ad = NewAd { category: AdCategory::Wanted, text, days: 3, offer: None };
    let ad = deals::with(&scene.game, |deals| deals.place_ad(doc, ad, now)).unwrap().value;
    let goods = part(&scene, doc);
    let new = NewAuction { goods, start: 1, buy_now: None, hours: 5 };
    let auction = deals::with(&scene.game, |deals| deals.open_auction(doc, new, now)).unwrap().value;
    let page = operator.look("/operator/deals");
    assert!(page.contains("rude words") && page.contains(&format!("/auctions/{auction}")), "{page}");
    let mut remove = |fields: &str| {
        let reply = operator.fill_in("/operator/deals", "/operator/deals", fields);
        assert_eq!((reply.status, reply.location.as_deref()), (303, Some("/operator/deals")));
        operator.look("/operator/deals")
    };
    for (fields, said) in [
        ("do=ad&number=&why=rude", "Enter the number"),
        ("do=ad&number=-1&why=rude", "Enter the number"),
        ("do=ad&number=99&why=rude", "This deal is over"),
        (&format!("do=ad&number={ad}&why="), "why it is removed"),
        (&format!("do=auction&number={ad}&why=rude"), "This deal is over"),
        (&format!("do=ad&number={ad}&why=rude"), "The ad is removed"),
        (&format!("do=auction&number={auction}&why=rude"), "The auction is removed"),
        (&format!("do=auction&number={auction}&why=rude"), "This deal is over"),
        (&format!("do=dance&number={auction}"), "There is no such form"),
    ] {
        let page = remove(fields);
        assert!(page.contains(said), "{fields}: {page}");
    }
    let audit = operator.look("/operator/audit");
    for act in ["to race night 1", &format!("remove ad {ad}"), &format!("remove auction {auction}")] {
        assert!(audit.contains(act), "{act}: {audit}");
    }
    let mails = scene.game.store.mails();
    assert_eq!(mails.list(doc, now).unwrap().len(), 4, "the first one, one for the prize, and one for each");
}
