//! `cargo bench --bench deals`: how fast the pages of the market and of the auctions answer, what a bid costs, and how long it takes to end
//! what is over, as ads and auctions grow. Nothing here is asserted.

#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark fails by panicking, and its figures are no sums of money"
)]

#[path = "support/pages.rs"]
mod support;

use mco_proto::ids::{BrandedPartId, PersonaId};
use mco_proto::session_key::LoginKey;
use mcos::catalog::Catalog;
use mcos::clock::Now;
use mcos::config::Config;
use mcos::services::deals::CityRules;
use mcos::services::{Game, Ports};
use mcos::store::{
    AdCategory, Deals, Goods, MOST_AUCTIONS_EACH, NewAd, NewAuction, NewPart, NewPersona, PartPurchase,
    Password, Store,
};
use std::path::Path;
use std::time::{Duration, Instant};

/// How many auctions and ads there are, stage by stage. There can be 100,000 of each; the last auctions are those that end. Half as many ads at the
/// end, because each seller has five at most, and to make a persona takes longer the more there are.
const STAGES: [(usize, usize); 3] = [(1_000, 1_000), (10_000, 10_000), (99_900, 50_000)];
/// How many ads one seller has at a time.
const ADS_EACH: usize = 5;
/// How many auctions one seller has at a time: room for one more stays.
const AUCTIONS_EACH: usize = MOST_AUCTIONS_EACH - 1;
/// How many auctions are over at once when the work of a minute is measured.
const ENDING: usize = 100;

fn main() {
    let folder = tempfile::tempdir().expect("folder");
    let catalog = Catalog::builtin();
    let rules = CityRules(&catalog);
    let mut sellers: Vec<PersonaId> = Vec::new();
    let (mut auctions, mut ads) = (0, 0);
    let mut now = Now::read();
    for (most_auctions, most_ads) in STAGES {
        let store = Store::open(folder.path()).expect("store");
        let deals = store.deals(&rules);
        people(
            &store,
            &mut sellers,
            (most_auctions.div_ceil(AUCTIONS_EACH)).max(most_ads.div_ceil(ADS_EACH)),
        );
        let began = Instant::now();
        let before = auctions + ads;
        while auctions < most_auctions {
            let seller = sellers.get(auctions / AUCTIONS_EACH).copied().expect("a seller");
            sell(&store, deals, seller, 71, now);
            auctions += 1;
        }
        while ads < most_ads {
            let seller = sellers.get(ads / ADS_EACH).copied().expect("a seller");
            let ad =
                NewAd { category: AdCategory::Wanted, text: "a rear axle".to_owned(), days: 7, offer: None };
            drop(deals.place_ad(seller, ad, now).expect("ad"));
            ads += 1;
        }
        store.flush().expect("flush");
        let made = (auctions + ads - before) as f64 / began.elapsed().as_secs_f64();
        println!("\n{auctions} auctions, {ads} ads: {made:.0} deals/s made");
        now = work(&store, deals, &sellers, now);
        drop(store);
        let began = Instant::now();
        let store = Store::open(folder.path()).expect("store");
        println!("  {:<44} {:>10.0} ms", "the store opens in", began.elapsed().as_secs_f64() * 1e3);
        pages(folder.path(), store, now);
    }
    let store = Store::open(folder.path()).expect("store");
    let later = now.later(Duration::from_hours(200));
    let (began, mut ended, mut worst) = (Instant::now(), 0, Duration::ZERO);
    loop {
        let step = Instant::now();
        let Some(some) = store.deals(&rules).end_due(later).expect("end") else { break };
        ended += some.value;
        worst = worst.max(step.elapsed());
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "\nall {ended} end: {:.0} a second, at most {:.1} ms at once",
        ended as f64 / seconds,
        worst.as_secs_f64() * 1e3
    );
}

fn people(store: &Store, sellers: &mut Vec<PersonaId>, count: usize) {
    let password = Password::new("Roadster-57").expect("password");
    let accounts = store.accounts();
    for name in ["bench", "bidder"] {
        if accounts.by_name(name).expect("store").is_none() {
            drop(accounts.create(name, &password, None, Now::read()).expect("account"));
        }
    }
    let owner = accounts.by_name("bench").expect("store").expect("account").customer_id;
    while sellers.len() < count.max(2) {
        let new = NewPersona {
            name: format!("Driver {}", sellers.len()),
            shard: Config::default().shard.id,
            id: None,
            starter_cash: 1_000_000,
            max_per_customer: usize::MAX,
        };
        sellers.push(store.personas().create(owner, new, Now::read()).expect("persona").value.id);
    }
}

fn sell(store: &Store, deals: Deals<'_>, seller: PersonaId, hours: u32, now: Now) -> u32 {
    let part = NewPart { branded_part: BrandedPartId(300_001), parent: None, attachment_point: 0 };
    let purchase = PartPurchase { price: 1, parts: vec![part] };
    let bought = store.garage().buy_part(seller, &purchase, &|_| usize::MAX, now).expect("part").value;
    let new = NewAuction { goods: Goods::Part(bought), start: 1, buy_now: None, hours };
    deals.open_auction(seller, new, now).expect("auction").value
}

/// A bid until it is on the card, the work of a tick at which nothing is over, and at which something is. Returned is the time after it.
fn work(store: &Store, deals: Deals<'_>, sellers: &[PersonaId], now: Now) -> Now {
    let owner = store.accounts().by_name("bidder").expect("store").expect("account").customer_id;
    let bidder = store.personas().of_customer(owner).expect("store").first().map(|persona| persona.id);
    let bidder = bidder.unwrap_or_else(|| {
        let new = NewPersona {
            name: "Bidder".to_owned(),
            shard: Config::default().shard.id,
            id: None,
            starter_cash: 1_000_000,
            max_per_customer: 1,
        };
        store.personas().create(owner, new, now).expect("persona").value.id
    });
    // Of sellers that have few, so that every one can open another.
    let ending: Vec<u32> =
        sellers.iter().take(ENDING).map(|seller| sell(store, deals, *seller, 1, now)).collect();
    let mut times = Vec::new();
    for number in ending.iter().take(11) {
        let began = Instant::now();
        deals.bid(bidder, *number, 10, now).expect("bid").ticket.wait().expect("card");
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    support::say("a bid, until it is on the card", &mut times);
    let mut times: Vec<f64> = (0..11).map(|_| tick(deals, now).1).collect();
    support::say("a tick at which nothing is over", &mut times);
    let later = now.later(Duration::from_hours(1));
    let (mut ended, mut took) = (0, 0.0);
    loop {
        let (some, time) = tick(deals, later);
        took += time;
        ended += some;
        if some == 0 {
            break;
        }
    }
    println!("  {:<44} {took:>10.2} ms", format!("{ended} auctions end"));
    later
}

fn tick(deals: Deals<'_>, now: Now) -> (usize, f64) {
    let began = Instant::now();
    let ended = deals.end_due(now).expect("end").map_or(0, |ended| ended.value);
    (ended, began.elapsed().as_secs_f64() * 1e3)
}

fn pages(folder: &Path, store: Store, now: Now) {
    let config = Config::default();
    let ports = Ports::from(&config.network);
    let key = LoginKey::generate().expect("key");
    let catalog = Catalog::builtin();
    let rules = CityRules(&catalog);
    let (further, auction) = {
        let listed = store.deals(&rules).auctions(None, None, 500).expect("list");
        let from = listed.next.unwrap_or_default();
        let hexadecimal = data_encoding::HEXLOWER.encode(&from);
        (hexadecimal, listed.rows.first().map_or(1, |auction| auction.number))
    };
    let ad = store.deals(&rules).ads(None, None, 1).expect("list").rows.first().map_or(1, |ad| ad.number);
    let game = Game::new(config, folder.to_owned(), ports, store, Catalog::builtin(), key);
    let paths = [
        "/market".to_owned(),
        "/market?category=w".to_owned(),
        format!("/market/{ad}"),
        "/auctions".to_owned(),
        "/auctions?kind=part".to_owned(),
        format!("/auctions?from={further}"),
        format!("/auctions/{auction}"),
        "/api/v1/auctions".to_owned(),
    ];
    support::time(&game, &paths.each_ref().map(String::as_str), now);
}
