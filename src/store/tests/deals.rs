//! Auctions, classified ads and trades.

mod edges;
mod full_bank;
pub(super) mod model;
mod removing;
mod trades;

use super::*;
use crate::clock::Now;
use mco_proto::ids::{PartId, RaceId, VehicleId};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

/// Rules with small bounds.
#[derive(Debug)]
pub(super) struct TestRules {
    cars: usize,
    parts: usize,
}

pub(super) const RULES: TestRules = TestRules { cars: 4, parts: 4 };

impl DealRules for TestRules {
    fn name(&self, item: Item) -> String {
        format!("thing {}", item.model)
    }

    fn cars_room(&self, _: &Persona) -> usize {
        self.cars
    }

    fn parts_room(&self, _: &Persona) -> usize {
        self.parts
    }

    fn ad_price(&self, characters: usize, days: u32) -> Option<u32> {
        let letters = u32::try_from(characters).ok().filter(|letters| *letters <= 100)?;
        (1..=7).contains(&days).then(|| letters * days)
    }

    fn ads_each(&self) -> usize {
        2
    }
}

/// A store with three players of different accounts, of whom each has two cars and a loose part.
pub(super) struct City {
    pub(super) store: Store,
    pub(super) players: Vec<(CustomerId, PersonaId)>,
    pub(super) dir: TempDir,
    pub(super) now: Now,
}

pub(super) fn people(store: &Store, count: usize, now: Now) -> Vec<(CustomerId, PersonaId)> {
    let mut players = Vec::new();
    for at in 0..count {
        let name = format!("player{at}");
        let customer =
            store.accounts().create(&name, &password("garage"), None, now).unwrap().value.customer_id;
        let id = store.personas().create(customer, driver(&name), now).unwrap().value.id;
        for _ in 0..2 {
            let _ = store.garage().buy_car(id, fairlane(0), now).unwrap();
        }
        loose_part(store, id, now);
        players.push((customer, id));
    }
    players
}

pub(super) fn loose_part(store: &Store, owner: PersonaId, now: Now) -> PartId {
    let part = |number, parent| NewPart { branded_part: BrandedPartId(number), parent, attachment_point: 0 };
    let purchase = PartPurchase { price: 0, parts: vec![part(300, None), part(301, Some(0))] };
    store.garage().buy_part(owner, &purchase, &|_| usize::MAX, now).unwrap().value
}

impl City {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let now = Now { unix: 1_800_000_000, ..Now::read() };
        let players = people(&store, 3, now);
        Self { store, players, dir, now }
    }

    pub(super) fn deals(&self) -> Deals<'_> {
        self.store.deals(&RULES)
    }

    fn id(&self, at: usize) -> PersonaId {
        self.players[at].1
    }

    fn cars(&self, at: usize) -> Vec<VehicleId> {
        self.store.garage().vehicles(self.id(at)).unwrap().iter().map(|car| car.id).collect()
    }

    fn parts(&self, at: usize) -> Vec<PartId> {
        let loose = self.store.garage().loose_parts(self.id(at)).unwrap();
        loose.iter().filter(|part| part.parent.is_none()).map(|part| part.id).collect()
    }

    fn money(&self, at: usize) -> u32 {
        self.store.personas().by_id(self.id(at)).unwrap().unwrap().bank_balance
    }

    /// The titles of a player's mails, without the first.
    fn mails(&self, at: usize) -> Vec<String> {
        let mails = self.store.mails();
        let list = mails.list(self.id(at), self.now).unwrap();
        let all =
            list.iter().map(|mail| mails.get(self.id(at), mail.number, self.now).unwrap().unwrap().0.title);
        all.skip(1).collect()
    }

    fn auction(&self, at: usize, goods: Goods) -> u32 {
        let new = NewAuction { goods, start: 100, buy_now: None, hours: 2 };
        self.deals().open_auction(self.id(at), new, self.now).unwrap().value
    }

    fn end_due(&self) -> usize {
        self.deals().end_due(self.now).unwrap().map_or(0, |changed| changed.value)
    }

    fn check(&self) {
        let report = self.store.ledger().check().unwrap();
        assert_eq!(report.differences, []);
    }

    /// That nothing was changed by what was refused.
    fn refused<T>(&self, error: &DealError, work: impl FnOnce(&Deals<'_>) -> Result<Changed<T>, DealError>) {
        let before = records(&self.store);
        assert_eq!(work(&self.deals()).err(), Some(error.clone()));
        assert_eq!(records(&self.store), before, "{error}");
        assert!(error.to_string().len() > 20, "{error}");
    }

    fn reopen(self) -> Self {
        let Self { store, players, dir, now } = self;
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        Self { store, players, dir, now }
    }
}

#[test]
fn the_highest_bid_gets_the_car_and_the_others_get_their_money_back_at_once() {
    let mut city = City::new();
    let car = city.cars(0)[0];
    let number = city.auction(0, Goods::Car(car));
    assert_eq!(city.cars(0).len(), 1);
    assert_eq!(city.store.garage().vehicle(car).unwrap().unwrap().owner, PersonaId(13));
    let driven = city.store.personas().by_id(city.id(0)).unwrap().unwrap().vehicle;
    assert_eq!(driven, Some(city.cars(0)[0]), "another car is driven");
    let (bob, cid) = (city.id(1), city.id(2));
    city.refused(&DealError::TooLow(100), |deals| deals.bid(bob, number, 99, city.now));
    city.refused(&DealError::OwnDeal, |deals| deals.bid(city.id(0), number, 100, city.now));
    city.refused(&DealError::InsufficientFunds, |deals| deals.bid(bob, number, 5001, city.now));
    city.refused(&DealError::InsufficientFunds, |deals| deals.bid(bob, number, u32::MAX - 5000, city.now));
    // Whether the seller could take so much is not told to who does not have it.
    city.refused(&DealError::InsufficientFunds, |deals| deals.bid(bob, number, u32::MAX, city.now));
    city.refused(&DealError::Over, |deals| deals.bid(bob, 77, 100, city.now));
    city.refused(&DealError::NoSuchPersona, |deals| deals.bid(PersonaId(77), number, 100, city.now));
    let bid = |persona, dollars| city.deals().bid(persona, number, dollars, city.now).map(|bid| bid.value);
    assert_eq!(bid(bob, 1000), Ok(BidOutcome::Highest(1000)));
    assert_eq!(city.money(1), 4000);
    assert_eq!(bid(cid, 1049), Err(DealError::TooLow(1050)));
    assert_eq!(bid(cid, 1050), Ok(BidOutcome::Highest(1050)));
    assert_eq!((city.money(1), city.money(2)), (5000, 3950));
    assert_eq!(bid(cid, 4000), Ok(BidOutcome::Highest(4000)), "one may raise one's own bid");
    assert_eq!(
        (city.money(2), city.mails(1), city.mails(2).len()),
        (1000, vec!["You were outbid".to_owned()], 0)
    );
    city.refused(&DealError::HasBids, |deals| deals.cancel_auction(city.id(0), number, city.now));
    assert_eq!(city.store.ledger().check().unwrap().held, 4000);
    city.check();
    city.now = city.now.later(HOUR);
    assert_eq!(city.end_due(), 0, "not yet");
    city.now = city.now.later(HOUR);
    city.refused(&DealError::Over, |deals| deals.bid(bob, number, 4500, city.now));
    assert_eq!((city.end_due(), city.end_due()), (1, 0));
    assert_eq!((city.money(0), city.money(1), city.money(2)), (9000, 5000, 1000));
    assert!(
        city.cars(2).contains(&car)
            && city.store.garage().parts_of(car).unwrap().iter().all(|part| part.owner == cid)
    );
    assert_eq!(
        (city.mails(0), city.mails(2)),
        (vec!["Your auction is over".to_owned()], vec!["You won an auction".to_owned()])
    );
    let kinds = |at| {
        city.store.ledger().of(city.id(at)).unwrap().iter().map(|(_, line)| line.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(2)[4..], [Kind::BidHeld, Kind::BidHeld, Kind::AuctionWon]);
    city.check();
    let city = city.reopen();
    assert_eq!(city.end_due(), 0);
    assert_eq!(city.deals().of(city.id(0)).unwrap(), OwnDeals::default());
}

#[test]
fn without_a_bid_the_thing_goes_back_and_the_price_to_buy_at_once_ends_an_auction() {
    let mut city = City::new();
    let (car, part) = (city.cars(0)[1], city.parts(0)[0]);
    let number = city.auction(0, Goods::Part(part));
    assert_eq!(city.parts(0), []);
    city.now = city.now.later(HOUR * 3);
    assert_eq!(city.end_due(), 1);
    assert_eq!((city.parts(0), city.mails(0)), (vec![part], vec!["Nobody has bid".to_owned()]));
    city.refused(&DealError::Over, |deals| deals.bid(city.id(1), number, 100, city.now));
    let new = NewAuction { goods: Goods::Car(car), start: 100, buy_now: Some(300), hours: 71 };
    let number = city.deals().open_auction(city.id(0), new, city.now).unwrap().value;
    let bid = |dollars| city.deals().bid(city.id(1), number, dollars, city.now).unwrap().value;
    assert_eq!((bid(299), bid(4000)), (BidOutcome::Highest(299), BidOutcome::Bought(300)));
    assert_eq!((city.money(0), city.money(1)), (5300, 4700));
    assert!(city.cars(1).contains(&car));
    city.check();
    // One that nobody has bid in is taken back.
    let number = city.auction(0, Goods::Part(part));
    city.refused(&DealError::Theirs, |deals| deals.cancel_auction(city.id(1), number, city.now));
    let _ = city.deals().cancel_auction(city.id(0), number, city.now).unwrap();
    assert_eq!(city.parts(0), [part]);
    city.refused(&DealError::Over, |deals| deals.cancel_auction(city.id(0), number, city.now));
    city.check();
}

#[test]
fn a_late_bid_gives_the_others_five_minutes_and_an_hour_in_all() {
    let mut city = City::new();
    let number = city.auction(0, Goods::Part(city.parts(0)[0]));
    let ends = |city: &City| city.deals().auction(number).unwrap().unwrap().ends;
    let first = ends(&city);
    let mut dollars = 100;
    city.now = city.now.later(Duration::from_secs(2 * 3600 - 301));
    let _ = city.deals().bid(city.id(1), number, dollars, city.now).unwrap();
    assert_eq!(ends(&city), first, "in time");
    city.now = city.now.later(Duration::from_secs(11));
    for at in 0_u32.. {
        dollars = city.deals().auction(number).unwrap().unwrap().least_bid().unwrap();
        let bid = city.deals().bid(city.id(1 + at as usize % 2), number, dollars, city.now);
        if bid.is_err() {
            assert_eq!(bid.err(), Some(DealError::Over));
            break;
        }
        assert!(ends(&city) <= first + 3600 && ends(&city) >= first);
        city.now = city.now.later(Duration::from_secs(290));
    }
    assert_eq!(ends(&city), first + 3600);
    assert!(city.deals().city_time(city.now).unwrap() >= first + 3600);
    assert_eq!(city.end_due(), 1);
    city.check();
}

#[test]
fn what_is_in_a_deal_can_be_nothing_else() {
    let city = City::new();
    let (ann, bob) = (city.id(0), city.id(1));
    let (car, other) = (city.cars(0)[0], city.cars(0)[1]);
    let (part, in_car) = (city.parts(0)[0], city.store.garage().parts_of(other).unwrap()[0].id);
    let offer = |deals: &Deals<'_>, goods| {
        deals.open_auction(ann, NewAuction { goods, start: 1, buy_now: None, hours: 1 }, city.now)
    };
    city.refused(&DealError::NotYours, |deals| offer(deals, Goods::Part(in_car)));
    city.refused(&DealError::NotYours, |deals| offer(deals, Goods::Car(city.cars(1)[0])));
    city.refused(&DealError::NotYours, |deals| offer(deals, Goods::Part(PartId(999_999))));
    city.refused(&DealError::NotYours, |deals| offer(deals, Goods::Part(car.part())));
    for (start, buy_now, hours) in
        [(0, None, 1), (5, Some(4), 1), (1, None, 0), (1, None, 72), (1, None, u32::MAX)]
    {
        let new = NewAuction { goods: Goods::Car(car), start, buy_now, hours };
        assert!(matches!(city.deals().open_auction(ann, new, city.now), Err(DealError::BadTerms(_))));
    }
    // Not while it races, and then not as the only car that is sure to stay.
    let races = city.store.races();
    let start = |car, wagered| {
        races.start(RaceId(1), &[Entrant { persona: ann, fee: 0, car: Some(car) }], wagered, city.now)
    };
    let booking = start(car, true).unwrap().value;
    city.refused(&DealError::InRace, |deals| offer(deals, Goods::Car(car)));
    city.refused(&DealError::LastCar, |deals| offer(deals, Goods::Car(other)));
    let _ = races.refund(booking, &[], city.now).unwrap();
    let number = city.auction(0, Goods::Car(car));
    let sale = NewAd {
        category: AdCategory::ForSale,
        text: "my car".to_owned(),
        days: 1,
        offer: Some((Goods::Part(part), 10)),
    };
    let _ = city.deals().place_ad(ann, sale.clone(), city.now).unwrap();
    let before = records(&city.store);
    let garage = city.store.garage();
    let nothing = |_: &Part| 0;
    let refusals = [
        garage.scrap(ann, car.part(), &nothing, city.now).err(),
        garage.scrap(ann, part, &nothing, city.now).err(),
        garage.repair_all(ann, car.part(), &nothing, city.now).err(),
        garage.remove(ann, garage.parts_of(car).unwrap()[0].id, &|_| 100).err(),
        garage.install(ann, part, other.part(), 1, &|_, _, _| Ok(())).err(),
        garage
            .buy_from_dealer(
                ann,
                &fairlane(0),
                &Terms { trade_in: Some(car), worth: &|_, _| 1, room: &|_| 9 },
                city.now,
            )
            .err(),
    ];
    assert!(refusals.iter().all(|error| *error == Some(GarageError::NotYours)), "{refusals:?}");
    assert!(matches!(start(car, false), Err(RaceError::CarRefused(..))));
    assert!(
        offer(&city.deals(), Goods::Car(car)).is_err() && offer(&city.deals(), Goods::Part(part)).is_err()
    );
    city.refused(&DealError::LastCar, |deals| offer(deals, Goods::Car(other)));
    let trade = city.deals().open_trade(ann, bob, city.now).unwrap().value;
    for goods in [Goods::Car(car), Goods::Part(part)] {
        assert!(city.deals().offer(ann, (trade, 1), &[goods], 0, city.now).is_err());
    }
    let _ = city.deals().leave_trade(bob, trade, city.now).unwrap();
    let mut after = records(&city.store);
    after.retain(|row| !before.contains(row));
    assert_eq!(after.iter().filter(|(key, _)| matches!(key[0], b'v' | b'g' | b'l')).count(), 0);
    let _ = city.deals().cancel_auction(ann, number, city.now).unwrap();
    city.check();
}

#[test]
fn room_is_kept_for_what_comes_and_bounds_hold() {
    let mut city = City::new();
    // Ann and Bob have room for two more cars each.
    let number = city.auction(0, Goods::Car(city.cars(0)[0]));
    let (ann, bob, cid) = (city.id(0), city.id(1), city.id(2));
    let _ = city.deals().bid(bob, number, 100, city.now).unwrap();
    let terms = Terms { trade_in: None, worth: &|_, _| 1, room: &|_| 4 };
    let dealer = |who| {
        city.store.garage().buy_from_dealer(who, &fairlane(0), &terms, city.now).map(|changed| changed.value)
    };
    assert!(dealer(bob).is_ok());
    assert_eq!(dealer(bob), Err(GarageError::GarageFull), "the auction may bring one");
    assert!(dealer(ann).is_ok() && dealer(ann).is_ok());
    assert_eq!(dealer(ann), Err(GarageError::GarageFull), "the car may come back");
    let second = city.auction(2, Goods::Car(city.cars(2)[0]));
    city.refused(&DealError::GarageFull, |deals| deals.bid(bob, second, 100, city.now));
    city.now = city.now.later(HOUR * 2);
    assert_eq!(city.end_due(), 2);
    assert_eq!((city.cars(0).len(), city.cars(1).len()), (3, 4));
    // The inventory.
    for _ in 0..3 {
        loose_part(&city.store, cid, city.now);
    }
    let number = city.auction(0, Goods::Part(city.parts(0)[0]));
    city.refused(&DealError::InventoryFull, |deals| deals.bid(cid, number, 100, city.now));
    // As many auctions as may be.
    for _ in 0..MOST_AUCTIONS_EACH {
        let part = loose_part(&city.store, bob, city.now);
        city.auction(1, Goods::Part(part));
    }
    let part = loose_part(&city.store, bob, city.now);
    let new = NewAuction { goods: Goods::Part(part), start: 1, buy_now: None, hours: 1 };
    city.refused(&DealError::TooMany("auctions of this driver"), |deals| {
        deals.open_auction(bob, new, city.now)
    });
    let listed = city.deals().auctions(None, None, 4).unwrap();
    assert_eq!((listed.rows.len(), listed.total), (4, 11));
    let mut seen: Vec<u32> = listed.rows.iter().map(|auction| auction.number).collect();
    let mut next = listed.next;
    while let Some(from) = next {
        let more = city.deals().auctions(None, Some(&from), 4).unwrap();
        seen.extend(more.rows.iter().map(|auction| auction.number));
        next = more.next;
    }
    assert_eq!(seen.len(), 11);
    seen.dedup();
    assert_eq!((seen.len(), city.deals().auctions(Some(true), None, 4).unwrap().rows.len()), (11, 0));
    city.check();
}

#[test]
fn an_ad_costs_letters_times_days_and_sells_with_one_click() {
    let mut city = City::new();
    let (ann, bob) = (city.id(0), city.id(1));
    let car = city.cars(0)[0];
    let ad = |category, text: &str, days, offer| NewAd { category, text: text.to_owned(), days, offer };
    for bad in [
        ad(AdCategory::Wanted, " ", 1, None),
        ad(AdCategory::Wanted, "a\nb", 1, None),
        ad(AdCategory::Wanted, &"x".repeat(101), 1, None),
        ad(AdCategory::Wanted, "x", 0, None),
        ad(AdCategory::Wanted, "x", 8, None),
        ad(AdCategory::Events, "x", 1, Some((Goods::Car(car), 5))),
        ad(AdCategory::ForSale, "x", 1, Some((Goods::Car(car), 0))),
    ] {
        assert!(matches!(city.deals().place_ad(ann, bad, city.now), Err(DealError::BadTerms(_))));
    }
    let wanted =
        city.deals().place_ad(bob, ad(AdCategory::Wanted, "a Hemi", 7, None), city.now).unwrap().value;
    assert_eq!(city.money(1), 5000 - 6 * 7);
    let number = city
        .deals()
        .place_ad(ann, ad(AdCategory::ForSale, "nice", 1, Some((Goods::Car(car), 700))), city.now)
        .unwrap()
        .value;
    let listed = |category| {
        city.deals().ads(category, None, 10).unwrap().rows.iter().map(|ad| ad.number).collect::<Vec<_>>()
    };
    assert_eq!(
        (listed(None), listed(Some(AdCategory::Wanted))),
        (vec![number, wanted], vec![wanted]).into_sorted()
    );
    city.refused(&DealError::Over, |deals| deals.buy(bob, wanted, city.now));
    city.refused(&DealError::OwnDeal, |deals| deals.buy(ann, number, city.now));
    city.refused(&DealError::Over, |deals| deals.buy(bob, 99, city.now));
    city.refused(&DealError::Theirs, |deals| deals.withdraw_ad(bob, number, city.now));
    let before = (city.money(0), city.money(1));
    assert_eq!(city.deals().buy(bob, number, city.now).unwrap().value, 700);
    assert_eq!((city.money(0), city.money(1)), (before.0 + 700, before.1 - 700));
    assert!(city.cars(1).contains(&car));
    city.refused(&DealError::Over, |deals| deals.buy(city.id(2), number, city.now));
    // One that is over, and one that is withdrawn, give the thing back.
    let part = city.parts(1)[0];
    let sale = || ad(AdCategory::ForSale, "part", 2, Some((Goods::Part(part), 9)));
    let number = city.deals().place_ad(bob, sale(), city.now).unwrap().value;
    city.refused(&DealError::TooMany("ads of this driver"), |deals| {
        deals.place_ad(bob, ad(AdCategory::Wanted, "x", 1, None), city.now)
    });
    let _ = city.deals().withdraw_ad(bob, number, city.now).unwrap();
    assert_eq!(city.parts(1), [part]);
    let _ = city.deals().place_ad(bob, sale(), city.now).unwrap();
    city.now = city.now.later(HOUR * 49);
    assert_eq!((city.end_due(), city.parts(1)), (1, vec![part]));
    city.now = city.now.later(HOUR * 24 * 5);
    assert_eq!(city.end_due(), 1);
    assert_eq!(city.deals().count_ads().unwrap(), 0);
    city.check();
}

/// So that two lists of which the order is not the question compare.
trait IntoSorted {
    fn into_sorted(self) -> Self;
}

impl IntoSorted for (Vec<u32>, Vec<u32>) {
    fn into_sorted(mut self) -> Self {
        self.0.sort_unstable_by(|one, other| other.cmp(one));
        self
    }
}
