//! Who may make no deal, what happens to the deals of who is deleted, clocks that leap, and what a check of the ledger finds.

use super::*;

#[test]
fn whoever_is_banned_or_gone_makes_no_deal() {
    let city = City::new();
    let (ann, bob) = (city.id(0), city.id(1));
    let number = city.auction(0, Goods::Car(city.cars(0)[0]));
    let trade = city.deals().open_trade(ann, bob, city.now).unwrap().value;
    let part = city.parts(1)[0];
    let _ = city.deals().offer(bob, (trade, 1), &[Goods::Part(part)], 0, city.now).unwrap();
    let ban =
        || city.store.bans().put(BanTarget::Account(city.players[1].0), "rude", None, city.now).unwrap();
    for banned in [true, false] {
        if banned {
            let _ = ban();
        } else {
            let _ = city.store.bans().lift(BanTarget::Account(city.players[1].0)).unwrap();
            let _ = city.store.accounts().set_disabled("player1", true).unwrap();
        }
        city.refused(&DealError::Banned, |deals| deals.bid(bob, number, 100, city.now));
        let new = NewAuction { goods: Goods::Part(part), start: 1, buy_now: None, hours: 1 };
        city.refused(&DealError::Banned, |deals| deals.open_auction(bob, new, city.now));
        let ad = NewAd { category: AdCategory::Wanted, text: "x".to_owned(), days: 1, offer: None };
        city.refused(&DealError::Banned, |deals| deals.place_ad(bob, ad, city.now));
        city.refused(&DealError::Banned, |deals| deals.accept(bob, (trade, 2), city.now));
        city.refused(&DealError::Partner(Box::new(DealError::Banned)), |deals| {
            deals.open_trade(ann, bob, city.now)
        });
    }
    let _ = city.store.accounts().set_disabled("player1", false).unwrap();
    // Others wait for the end: neither seller nor bidder is deleted.
    let _ = city.deals().bid(bob, number, 100, city.now).unwrap();
    for at in [0, 1] {
        let (customer, persona) = city.players[at];
        assert_eq!(
            city.store.personas().delete(customer, persona, Now::read()).err(),
            Some(PersonaError::InAuction)
        );
        assert_eq!(
            city.store.accounts().remove(&format!("player{at}"), Now::read()).err(),
            Some(AccountError::InAuction)
        );
    }
    // Whoever only sells, advertises or trades can go, and takes all of that along.
    let (customer, cid) = city.players[2];
    let goods = Goods::Car(city.cars(2)[0]);
    let _ = city.auction(2, goods);
    let offer = Some((Goods::Part(city.parts(2)[0]), 10));
    let ad = NewAd { category: AdCategory::ForSale, text: "x".to_owned(), days: 1, offer };
    let _ = city.deals().place_ad(cid, ad, city.now).unwrap();
    let trade = city.deals().open_trade(cid, ann, city.now).unwrap().value;
    let _ = city.store.personas().delete(customer, cid, Now::read()).unwrap();
    assert_eq!(city.deals().trade(trade).unwrap(), None);
    assert_eq!(
        (city.deals().auctions(None, None, 9).unwrap().total, city.deals().count_ads().unwrap()),
        (1, 0)
    );
    assert_eq!(city.deals().of(cid).unwrap(), OwnDeals::default());
    for office in [9, 13] {
        let new = NewPersona { id: Some(PersonaId(office)), ..driver("Office") };
        assert_eq!(city.store.personas().create(customer, new, city.now).err(), Some(PersonaError::IdTaken));
    }
    city.check();
}

#[test]
fn a_leap_of_the_clock_ends_nothing_early_and_time_without_power_counts() {
    let leaps = |city: &mut City, seconds: i64| city.now.unix = city.now.unix.saturating_add_signed(seconds);
    let mut city = City::new();
    let number = city.auction(0, Goods::Car(city.cars(0)[0]));
    for seconds in [400_000_000, -900_000_000, 700_000_000] {
        leaps(&mut city, seconds);
        assert_eq!(city.end_due(), 0, "{seconds}");
        let _ = city.deals().auction(number).unwrap().unwrap();
        // A kill and a new start after it do not make up for it either.
        city = city.reopen();
        assert_eq!(city.end_due(), 0, "{seconds}, reopened");
    }
    city.now = city.now.later(HOUR);
    assert_eq!(city.end_due(), 0);
    // The server is off for the rest.
    let mut city = city.reopen();
    assert_eq!(city.end_due(), 0);
    city = city.reopen();
    city.now = city.now.later(HOUR);
    let city = city.reopen();
    assert_eq!(city.end_due(), 1);
    city.check();
    // A clock that starts behind where it was stands still until it goes on.
    let number = city.auction(0, Goods::Car(city.cars(0)[0]));
    let mut city = city.reopen();
    city.now.unix = 0;
    assert_eq!(city.end_due(), 0);
    city.now = city.now.later(Duration::from_secs(2 * 3600 - 1));
    assert_eq!(city.end_due(), 0);
    city.now = city.now.later(Duration::from_secs(1));
    assert_eq!((city.end_due(), city.deals().auction(number).unwrap()), (1, None));
    city.check();
}

#[test]
fn what_is_wrong_with_property_and_escrow_is_found() {
    let city = City::new();
    let goods = Goods::Car(city.cars(0)[0]);
    let number = city.auction(0, goods);
    let found = |work: &dyn Fn(&table::Transaction<'_>) -> Result<(), StoreError>| {
        let _ = city.store.change(|table| table.transact(work)).unwrap();
        let problems =
            city.store.ledger().check().unwrap().differences.into_iter().map(|found| found.problem);
        problems.collect::<Vec<_>>()
    };
    let auction = city.deals().auction(number).unwrap().unwrap();
    let car = goods.number();
    assert_eq!(
        found(&|tx| tx.remove(&deal_key::auction(number))),
        [Problem::Property { number: car, misplaced: Misplaced::NoDeal }]
    );
    let other = Auction { item: Item { goods: Goods::Part(PartId(7)), ..auction.item }, ..auction.clone() };
    let wrong = found(&|tx| tx.put(&deal_key::auction(number), &other));
    assert_eq!(
        wrong,
        [
            Problem::Property { number: car, misplaced: Misplaced::NoDeal },
            Problem::Property { number: 7, misplaced: Misplaced::NotHeld }
        ]
    );
    assert_eq!(found(&|tx| tx.put(&deal_key::auction(number), &auction)), []);
    let (ann, own) = (city.id(0), city.cars(0)[0]);
    assert_eq!(
        found(&|tx| tx.remove(&key::vehicle_of(ann, own))),
        [Problem::Property { number: own.0, misplaced: Misplaced::Owner }]
    );
    assert_eq!(found(&|tx| tx.put(&key::vehicle_of(ann, own), &own.0)), []);
    let twice =
        records::vehicle::LooseRecord { parts: city.store.garage().parts_of(own).unwrap()[..1].to_vec() };
    let part = twice.parts[0].id;
    assert_eq!(
        found(&|tx| tx.put(&key::loose_part(ann, part), &twice)),
        [Problem::Property { number: part.0, misplaced: Misplaced::Twice }]
    );
}
