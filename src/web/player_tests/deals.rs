//! Auctions, the market and trades on the pages.

use super::*;
use crate::services::deals;
use crate::store::{AdCategory, Goods, NewAd, NewAuction};
use mco_proto::ids::PartId;

impl City {
    /// A further car of a player.
    pub(super) fn car_of(&self, owner: PersonaId) -> VehicleId {
        let part = NewPart { branded_part: MUFFLER, parent: None, attachment_point: 1 };
        let purchase = CarPurchase {
            model: BrandedPartId(104),
            skin: SkinId(47),
            flags: 0,
            car_class: 2,
            price: 0,
            parts: vec![part],
            first_car: false,
        };
        self.game.store.garage().buy_car(owner, purchase, Now::read()).unwrap().value
    }

    /// A loose part of a player.
    pub(super) fn part_of(&self, owner: PersonaId) -> PartId {
        let garage = self.game.store.garage();
        let car = self.car_of(owner);
        let part = garage.parts_of(car).unwrap()[0].id;
        let _ = garage.remove(owner, part, &|_| 100).unwrap();
        part
    }

    /// Bob sells a car in an auction, in which Ann bids, and a part by an ad. Ann wants something.
    pub(super) fn deal(&self) -> (u32, u32) {
        let now = Now::read();
        let (car, part) = (self.car_of(self.bob.1), self.part_of(self.bob.1));
        deals::with(&self.game, |deals| {
            let sale = NewAuction { goods: Goods::Car(car), start: 100, buy_now: Some(4000), hours: 2 };
            let auction = deals.open_auction(self.bob.1, sale, now).unwrap().value;
            let _ = deals.bid(self.ann.1, auction, 150, now).unwrap();
            let ad = |category, text: &str, offer| NewAd { category, text: text.to_owned(), days: 2, offer };
            let sale = ad(AdCategory::ForSale, "<i>good</i>", Some((Goods::Part(part), 70)));
            let sale = deals.place_ad(self.bob.1, sale, now).unwrap().value;
            let _ = deals.place_ad(self.ann.1, ad(AdCategory::Wanted, "a Hemi", None), now).unwrap();
            (auction, sale)
        })
    }

    pub(super) fn is_right(&self) {
        assert_eq!(self.game.store.ledger().check().unwrap().differences, []);
    }
}

#[test]
fn everybody_sees_auctions_and_ads_and_who_is_signed_in_takes_part() {
    let city = City::new();
    let (auction, ad) = city.deal();
    let mut nobody = city.browser();
    let page = nobody.look("/auctions");
    assert!(page.contains("$150") && page.contains("Bob") && page.contains("Sign in"), "{page}");
    assert!(!page.contains("<form method=\"post\""), "{page}");
    let page = nobody.look(&format!("/auctions/{auction}"));
    assert!(
        page.contains("muffler") && page.contains("$4,000") && page.contains("$150 by &#60;b&#62;"),
        "{page}"
    );
    assert!(nobody.look("/auctions?kind=part").contains("There is no auction"));
    let page = nobody.look("/market");
    assert!(
        page.contains("&#60;i&#62;good&#60;/i&#62;")
            && page.contains("a Hemi")
            && page.contains("muffler: $70"),
        "{page}"
    );
    assert!(!nobody.look("/market?category=w").contains("muffler"));
    for path in ["/trades", "/trades/1"] {
        assert_eq!(header(&nobody.get(path), "location"), Some("/me/sign-in"));
    }
    assert_eq!([nobody.get("/auctions/99").status, nobody.get("/market/99").status], [404, 404]);
    assert!(nobody.ask("/market/x", None).is_none() && nobody.ask("/auctions/1/2", None).is_none());
    let mut ann = city.signed_in("ann");
    let (before, owner) = (city.balance(city.ann.1), city.ann.1);
    assert!(ann.look(&format!("/auctions/{auction}")).contains("Buy now for $4,000"));
    let fields = format!("persona={owner}&ad={ad}");
    ann.fill_in("/market", "/market/buy", &fields);
    assert!(ann.look("/market").contains("It is yours for $70"));
    assert_eq!(city.balance(owner), before - 70);
    ann.fill_in("/market", "/market/buy", &fields);
    assert!(ann.look("/market").contains("This deal is over"), "twice");
    assert_eq!(city.balance(owner), before - 70);
    let bid = |ann: &mut Browser<'_>, dollars: &str| {
        let back = ann.fill_in(
            "/auctions",
            "/auctions/bid",
            &format!("persona={owner}&auction={auction}&dollars={dollars}"),
        );
        ann.look(header(&back, "location").unwrap())
    };
    for (dollars, said) in [
        ("151", "bid at least 158 dollars"),
        ("-1", "Enter whole dollars"),
        ("99999999999", "Enter whole dollars"),
        ("200", "highest bid: $200 are held"),
    ] {
        let page = bid(&mut ann, dollars);
        assert!(page.contains(said), "{dollars}: {page}");
    }
    assert!(bid(&mut ann, "4000").contains("It is yours for $4,000"));
    assert_eq!(city.balance(owner), before + 150 - 70 - 4000);
    assert!(ann.look(&format!("/me/mail?persona={owner}")).contains("You won an auction"));
    assert_eq!(ann.get(&format!("/auctions/{auction}")).status, 404);
    let garage = ann.look(&format!("/me/garage?persona={owner}"));
    assert_eq!(garage.matches("(in use)").count(), 1, "{garage}");
    assert_eq!(city.game.store.garage().vehicles(owner).unwrap().len(), 2);
    let money = ann.look("/me/money");
    assert!(money.contains(&format!("Bid, held until the end of auction {auction}")), "{money}");
    city.is_right();
}

#[test]
fn an_auction_is_opened_taken_back_and_an_ad_placed_on_the_pages() {
    let city = City::new();
    let (car, part, owner) = (city.car_of(city.bob.1), city.part_of(city.bob.1), city.bob.1);
    let mut bob = city.signed_in("bob");
    let page = bob.look("/auctions");
    assert!(
        page.contains(&format!("value=\"c{car}\"")) && page.contains(&format!("value=\"p{part}\"")),
        "{page}"
    );
    let mut send = |path: &str, fields: &str| {
        let list = format!("/{}", path.split('/').nth(1).unwrap());
        bob.fill_in(&list, path, &format!("persona={owner}&{fields}"));
        bob.look(&list)
    };
    let refused = send("/auctions/open", &format!("goods=c{car}&start=1+500&hours=6"));
    assert!(
        refused.contains("value=\"1 500\"") && refused.contains("<option value=\"6\" selected>"),
        "{refused}"
    );
    for (fields, said) in [
        ("goods=&start=5&hours=1".to_owned(), "Choose what you want to sell"),
        (format!("goods=c{car}&start=&hours=1"), "Enter whole dollars"),
        (format!("goods=c{car}&start=5&hours=72"), "1 to 71 hours"),
        (format!("goods=c{car}&start=5&buy_now=4&hours=1"), "less than the start price"),
        (format!("goods=c{part}&start=5&hours=1"), "no such car"),
        (format!("goods=c{car}&start=$1,500&buy_now=2000&hours=24"), "Auction 1 is open"),
    ] {
        let page = send("/auctions/open", &fields);
        assert!(page.contains(said), "{fields}: {page}");
    }
    assert!(send("/auctions/bid", "auction=1&dollars=1600").contains("your own account"));
    let garage = city.signed_in("bob").look("/me/garage");
    assert!(garage.contains(&format!("(car {car})</td>")), "{garage}");
    assert!(garage.contains(&format!("<a href=\"/auctions/1?persona={owner}\">auction 1</a>")), "{garage}");
    assert!(send("/auctions/cancel", "auction=1").contains("You have it back"));
    for (fields, said) in [
        ("category=x&text=hello&days=1", "Choose a category"),
        ("category=w&text=+&days=1", "needs a text"),
        ("category=w&text=hello&days=8", "The days are too many"),
        ("category=w&text=hello&days=2", "Ad 2 is placed"),
    ] {
        let page = send("/market/place", fields);
        assert!(page.contains(said), "{fields}: {page}");
    }
    let page = send("/market/place", &format!("category=s&text=a+part&days=1&goods=p{part}&price=50"));
    assert!(page.contains("Ad 3 is placed") && page.contains("muffler: $50"), "{page}");
    assert_eq!(city.balance(owner), 7_655_555 - 10 - 6);
    assert!(send("/market/withdraw", "ad=3").contains("The ad is taken back"));
    assert_eq!(city.game.store.garage().loose_parts(owner).unwrap().len(), 1);
    let mut ann = city.signed_in("ann");
    let page = ann.look("/market/2");
    let link = format!("href=\"/me/mail?persona={}&#38;to=Bob\"", city.ann.1);
    assert!(page.contains(&link), "an answer by mail: {page}");
    city.is_right();
}

#[test]
fn two_players_trade_on_the_pages_and_nobody_else_sees_it() {
    let city = City::new();
    let (car, part) = (city.car_of(city.bob.1), city.part_of(city.ann.1));
    let (ann_id, bob_id) = (city.ann.1, city.bob.1);
    let (mut ann, mut bob) = (city.signed_in("ann"), city.signed_in("bob"));
    let back = ann.fill_in("/trades", "/trades/open", &format!("persona={ann_id}&with=bob"));
    assert_eq!(header(&back, "location"), Some(format!("/trades/1?persona={ann_id}").as_str()));
    assert!(ann.look("/trades/1").contains("Bob is told by mail"));
    assert!(bob.look("/me/mail").contains("Somebody wants to trade"));
    assert!(bob.look("/trades").contains("href=\"/trades/1?persona="));
    let send = |browser: &mut Browser<'_>, who, path: &str, fields: &str| {
        browser.fill_in("/trades", path, &format!("persona={who}&trade=1&{fields}"));
        text(&browser.get("/trades/1"))
    };
    let page = send(&mut ann, ann_id, "/trades/offer", &format!("version=1&dollars=1000&goods=p{part}"));
    assert!(
        page.contains("Your offer is changed") && page.contains("$1,000") && page.contains(" checked>"),
        "{page}"
    );
    let seen = text(&bob.get("/trades/1"));
    assert!(seen.contains(&format!("(part {part}): parts</h2>")), "{seen}");
    assert!(
        seen.contains("data-label=\"Condition\">100 %") && seen.contains("data-label=\"Wear\">0 %"),
        "{seen}"
    );
    assert!(send(&mut bob, bob_id, "/trades/accept", "version=1").contains("was changed meanwhile"));
    assert!(
        send(&mut bob, bob_id, "/trades/offer", &format!("version=2&dollars=0&goods=c{car}"))
            .contains("is changed")
    );
    assert!(text(&ann.get("/trades/1")).contains(&format!("(car {car}): parts</h2>")));
    assert!(send(&mut ann, ann_id, "/trades/accept", "version=3").contains("You have accepted"));
    // Somebody else neither sees nor touches it.
    player(&city.game, "cid", "Cid", 100);
    let mut cid = city.signed_in("cid");
    assert_eq!(cid.get("/trades/1").status, 404);
    let cid_id = city.game.store.personas().by_name(city.game.config.shard.id, "cid").unwrap().unwrap().id;
    assert!(send(&mut cid, cid_id, "/trades/accept", "version=3").contains("This deal is over"));
    let before = city.balance(ann_id);
    bob.fill_in("/trades", "/trades/accept", &format!("persona={bob_id}&trade=1&version=3"));
    assert!(bob.look("/trades").contains("The trade is done"));
    assert_eq!(city.balance(ann_id), before - 1000);
    let garage = city.game.store.garage();
    assert_eq!(garage.vehicle(car).unwrap().unwrap().owner, ann_id);
    assert_eq!(garage.loose_parts(bob_id).unwrap()[0].id, part);
    // Muting stops trade and mail.
    bob.fill_in("/trades", "/trades/mute", &format!("persona={bob_id}&whom=cid&muted=yes"));
    assert!(bob.look("/trades").contains("Muted by you"));
    cid.fill_in("/trades", "/trades/open", &format!("persona={cid_id}&with=Bob"));
    assert!(cid.look("/trades").contains("has muted the other"));
    cid.fill_in("/me/mail", "/me/mail/write", &format!("persona={cid_id}&to=Bob&title=x&text=x"));
    assert!(cid.look("/me/mail").contains("does not take mail from you"));
    bob.fill_in("/trades", "/trades/mute", &format!("persona={bob_id}&whom=Cid"));
    assert!(!bob.look("/trades").contains("Muted by you"));
    city.is_right();
}

#[test]
fn forms_of_deals_take_nothing_from_others_and_no_nonsense() {
    let city = City::new();
    let (auction, _) = city.deal();
    let before = city.balance(city.bob.1);
    let mut ann = city.signed_in("ann");
    for (path, _) in super::super::deals::FORMS {
        let theirs =
            format!("persona={}&auction={auction}&ad=2&trade=1&dollars=160&goods=c{}", city.bob.1, city.car);
        assert_eq!(city.browser().ask(path, Some(&theirs)).unwrap().status, 303, "{path}: nobody");
        assert_eq!(ann.ask(path, Some(&theirs)).unwrap().status, 403, "{path}: without the token");
        assert_eq!(ann.fill_in("/me", path, &theirs).status, 303);
        assert!(ann.look("/me").contains("not one of your drivers"), "{path}");
        for value in odd(&city) {
            // What could be a real bid is another test's.
            let fields = format!(
                "persona={}&auction={value}&ad={value}&trade={value}&version={value}&goods={value}&start={value}\
                 &hours={value}&days={value}&category={value}&text={value}&price={value}&with={value}&whom={value}",
                city.ann.1
            );
            let answer = ann.fill_in("/me", path, &fields);
            assert_eq!(answer.status, 303, "{path} {value}");
            let to = header(&answer, "location").unwrap();
            assert!(to.starts_with('/') && !to.contains(char::is_control), "{to}");
        }
        assert_eq!(ann.fill_in("/me", &format!("{path}/more"), "").status, 404);
    }
    assert_eq!(city.balance(city.bob.1), before);
    // A session of somebody who is banned meanwhile moves nothing.
    let owner = city.ann.1;
    let _ = city.game.store.bans().put(BanTarget::Account(city.ann.0), "rude", None, Now::read()).unwrap();
    ann.fill_in("/me", "/auctions/bid", &format!("persona={owner}&auction={auction}&dollars=300"));
    assert!(ann.look("/auctions").contains("banned or disabled"));
    city.is_right();
}

#[test]
fn a_long_list_is_shown_piece_by_piece() {
    let mut city = City::new();
    for at in 0..8 {
        let (_, id) = player(&city.game, &format!("seller{at}"), &format!("Seller {at}"), 5000);
        for _ in 0..4 {
            let text = format!("ad {at}");
            let ad = NewAd { category: AdCategory::Events, text, days: 1, offer: None };
            let _ = deals::with(&city.game, |deals| deals.place_ad(id, ad, Now::read())).unwrap();
        }
    }
    let mut nobody = city.browser();
    let first = nobody.look("/market");
    assert_eq!(first.matches("data-label=\"Ad\"").count(), 25);
    let (_, rest) = first.split_once("href=\"/market?from=").expect("a link to more");
    let from = rest.split_once('"').unwrap().0.to_owned();
    let second = nobody.look(&format!("/market?from={from}"));
    assert_eq!(second.matches("data-label=\"Ad\"").count(), 7);
    assert!(second.contains("32 ads in all") && second.contains("<a href=\"/market\">Back"), "{second}");
    // They end without anybody looking.
    let later = Now::read().later(std::time::Duration::from_hours(25));
    let end = || deals::with(&city.game, |deals| deals.end_due(later)).unwrap();
    assert!(end().is_some() && end().is_none());
    city.game.config.compat.count_ads = true;
    assert_eq!(deals::with(&city.game, |deals| deals.count_ads()).unwrap(), 0);
}
