//! Players who do everything with their things, at random, while the store is closed, killed and opened again and the clock leaps.

use super::*;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

/// Copies the data folder as it lies there, as after a power cut, and opens the copy.
fn killed(city: City) -> City {
    let City { store, players, dir, now } = city;
    store.flush().unwrap();
    let left = TempDir::new().unwrap();
    copy(dir.path(), left.path());
    drop(store);
    let store = Store::open(left.path()).unwrap();
    City { store, players, dir: left, now }
}

pub(in crate::store::tests) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            // A file that is renamed just now is not there any more, as after a power cut.
            drop(fs::copy(entry.path(), target));
        }
    }
}

/// Everything a player can do, with numbers that often make sense; whoever races has the track alone. Refusals are as welcome as successes; only a store that fails is not.
pub(in crate::store::tests) fn act(city: &City, random: &mut StdRng, track: &Mutex<()>) {
    let deals = city.deals();
    let now = city.now;
    let at = random.gen_range(0..city.players.len());
    let (me, other) = (city.id(at), city.id(random.gen_range(0..city.players.len())));
    let cars =
        city.cars(random.gen_range(0..8_usize).checked_sub(4).map_or(at, |other| other % city.players.len()));
    let parts = city.parts(at);
    let goods = |random: &mut StdRng| {
        if random.gen_bool(0.5) && !cars.is_empty() {
            Goods::Car(cars[random.gen_range(0..cars.len())])
        } else if parts.is_empty() {
            Goods::Part(PartId(random.gen_range(0..400)))
        } else {
            Goods::Part(parts[random.gen_range(0..parts.len())])
        }
    };
    let auctions = deals.auctions(None, None, 30).unwrap().rows;
    let ads = deals.ads(None, None, 30).unwrap().rows;
    let trades = deals.of(me).unwrap().trades;
    let number = |random: &mut StdRng, all: usize| random.gen_range(0..all.max(1));
    let failed = match random.gen_range(0..18) {
        0..=1 => {
            let (goods, start) = (goods(random), random.gen_range(0..50));
            let buy_now = random.gen_bool(0.3).then(|| random.gen_range(20..200));
            let new = NewAuction { goods, start, buy_now, hours: random.gen_range(0..4) };
            deals.open_auction(me, new, now).err()
        }
        2..=4 => {
            let auction = auctions.get(number(random, auctions.len()));
            let least = auction.and_then(Auction::least_bid).unwrap_or(1);
            let dollars = least.saturating_add(random.gen_range(0..30)).saturating_sub(5);
            deals.bid(me, auction.map_or(1, |auction| auction.number), dollars, now).err()
        }
        5 => {
            let auction = auctions.get(number(random, auctions.len()));
            let (seller, number) = auction.map_or((me, 1), |auction| (auction.seller, auction.number));
            deals.cancel_auction(seller, number, now).err()
        }
        6 => {
            let category = AdCategory::ALL[random.gen_range(0..2)];
            let offer = random.gen_bool(0.7).then(|| (goods(random), random.gen_range(0..100)));
            deals
                .place_ad(
                    me,
                    NewAd { category, text: "ad".to_owned(), days: random.gen_range(1..4), offer },
                    now,
                )
                .err()
        }
        7 => deals.buy(me, ads.get(number(random, ads.len())).map_or(1, |ad| ad.number), now).err(),
        8 => {
            let ad = ads.get(number(random, ads.len()));
            let (who, number) = ad.map_or((me, 1), |ad| (ad.advertiser, ad.number));
            deals.withdraw_ad(who, number, now).err()
        }
        9 => deals.open_trade(me, other, now).err(),
        10..=11 => trades.first().and_then(|trade| {
            let all: Vec<Goods> = (0..random.gen_range(0..3)).map(|_| goods(random)).collect();
            deals.offer(me, (trade.number, trade.version), &all, random.gen_range(0..60), now).err()
        }),
        12..=13 => trades.first().and_then(|trade| {
            let late = u32::from(random.gen_bool(0.1));
            deals.accept(me, (trade.number, trade.version - late.min(trade.version - 1)), now).err()
        }),
        14 => trades.last().and_then(|trade| deals.leave_trade(me, trade.number, now).err()),
        _ => {
            let _alone = track.lock();
            work(city, me, goods(random).number(), random);
            None
        }
    };
    assert!(!matches!(failed, Some(DealError::Store(_))), "{failed:?}");
}

/// What a player does to its own things, in the garage and in races.
fn work(city: &City, me: PersonaId, thing: u32, random: &mut StdRng) {
    let (garage, races, now) = (city.store.garage(), city.store.races(), city.now);
    let cars: Vec<VehicleId> = garage.vehicles(me).unwrap().iter().map(|car| car.id).collect();
    let car = cars[0];
    let loose = garage.loose_parts(me).unwrap().first().map_or(PartId(thing), |part| part.id);
    let in_car = garage.parts_of(car).unwrap().first().map_or(PartId(thing), |part| part.id);
    let failed = match random.gen_range(0..6) {
        0 => garage.scrap(me, PartId(thing), &|_| 1, now).err(),
        1 => garage.remove(me, in_car, &|_| RULES.parts).err(),
        2 => garage.install(me, loose, car.part(), 1, &|_, _, _| Ok(())).err(),
        3 => {
            let terms = Terms { trade_in: Some(car), worth: &|_, _| 1, room: &|_| RULES.cars };
            garage.buy_from_dealer(me, &fairlane(1), &terms, now).err()
        }
        4 => {
            let entrant = Entrant { persona: me, fee: 3, car: Some(car) };
            let started = races.start(RaceId(5), &[entrant], random.gen_bool(0.5), now);
            assert!(!matches!(started, Err(RaceError::Store(_))), "{started:?}");
            None
        }
        _ => {
            for booking in races.under_way().unwrap() {
                let refunded = races.refund(booking, &[], now);
                assert!(!matches!(refunded, Err(RaceError::Store(_))), "{refunded:?}");
            }
            None
        }
    };
    assert!(!matches!(failed, Some(GarageError::Store(_))), "{failed:?}");
}

/// That each sum and each thing is where it belongs; returns who has how much.
fn look(city: &City) -> BTreeMap<PersonaId, u32> {
    let report = city.store.ledger().check().unwrap();
    assert_eq!(report.differences, []);
    let deals = city.deals();
    let auctions = deals.auctions(None, None, 1000).unwrap();
    let ads = deals.ads(None, None, 1000).unwrap();
    assert_eq!((auctions.rows.len(), ads.rows.len()), (auctions.total as usize, ads.total as usize));
    let bids: u64 =
        auctions.rows.iter().filter_map(|auction| auction.bid).map(|bid| u64::from(bid.dollars)).sum();
    assert_eq!(bids, report.held);
    let (mut own, mut highest, mut placed) = (0, 0, 0);
    let mut money = BTreeMap::new();
    for at in 0..city.players.len() {
        let of = deals.of(city.id(at)).unwrap();
        own += of.auctions.len();
        highest += of.bids.len();
        placed += of.ads.len();
        assert!(of.auctions.iter().all(|auction| auction.seller == city.id(at)));
        assert!(of.bids.iter().all(|auction| auction.bid.unwrap().bidder == city.id(at)));
        assert!(city.cars(at).len() <= RULES.cars && !city.cars(at).is_empty());
        assert!(city.parts(at).len() <= RULES.parts);
        let driven = city.store.personas().by_id(city.id(at)).unwrap().unwrap().vehicle;
        assert!(driven.is_some_and(|car| city.cars(at).contains(&car)), "{driven:?}");
        money.insert(city.id(at), city.money(at));
    }
    assert_eq!((own, placed), (auctions.rows.len(), ads.rows.len()));
    assert_eq!(highest, auctions.rows.iter().filter(|auction| auction.bid.is_some()).count());
    money
}

/// Nothing is left after the longest time.
fn finish(mut city: City) {
    look(&city);
    city.now = city.now.later(HOUR * 24 * 8);
    while city.end_due() > 0 {}
    look(&city);
    let rows = records(&city.store);
    let left: Vec<_> =
        rows.iter().filter(|(key, _)| key[0] == b'd' && !key.starts_with(deal_key::CLOCK)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!rows.iter().any(|(key, _)| key.starts_with(&key::vehicles_of(PersonaId(13)))));
}

#[test]
fn whatever_players_do_and_however_the_server_ends_each_thing_has_one_owner_and_each_dollar_is_somewhere() {
    for seed in 0..4 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut city = City::new();
        for step in 0..400 {
            act(&city, &mut random, &Mutex::default());
            match random.gen_range(0..60) {
                0 => city = city.reopen(),
                1 => {
                    let before = records(&city.store);
                    city = killed(city);
                    assert_eq!(records(&city.store), before, "seed {seed}, step {step}");
                }
                2 => city.now.unix = random.gen_range(0..4_000_000_000),
                3..=8 => {
                    city.now = city.now.later(Duration::from_secs(random.gen_range(0..4000)));
                    let before: u64 = look(&city).values().copied().map(u64::from).sum();
                    let held = city.store.ledger().check().unwrap().held;
                    city.end_due();
                    let after: u64 = look(&city).values().copied().map(u64::from).sum();
                    assert_eq!(before + held, after + city.store.ledger().check().unwrap().held);
                }
                _ => {}
            }
            if step % 50 == 0 {
                look(&city);
            }
        }
        finish(city);
    }
}
