//! `cargo bench --bench city`: how fast the pages of the city and the API answer, how many bytes a race takes, and how long the store
//! takes to open, as players and races grow. Nothing here is asserted.

#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark fails by panicking, and its figures are no sums of money"
)]

#[path = "support/pages.rs"]
mod support;

use mco_proto::ids::{BrandedPartId, PersonaId, RaceId};
use mco_proto::session_key::LoginKey;
use mcos::catalog::Catalog;
use mcos::clock::Now;
use mcos::config::Config;
use mcos::services::{Game, Ports};
use mcos::store::{
    Entrant, Letter, NewPersona, Password, Payout, RaceTerms, RacerResult, Settlement, Sheet, Store,
};
use std::path::Path;
use std::time::{Duration, Instant};

/// How many players and races there are, stage by stage. More races than are kept at most show that it ends there.
const STAGES: [(usize, u32); 4] = [(1_000, 1_000), (10_000, 10_000), (10_000, 100_000), (10_000, 1_000_000)];
/// How long races are settled in all: on a machine that is slower, or busy, the last stages have fewer races, and say how many.
const SETTLING: Duration = Duration::from_mins(4);
const PATHS: [&str; 13] = [
    "/players",
    "/players?q=driver+77",
    "/players/driver%2077",
    "/races?page=20",
    "/races/1048640",
    "/records",
    "/boards?period=week&board=wins",
    "/boards?board=distance",
    "/news",
    "/records?lobby=10001",
    "/plot.svg?lobby=10001",
    "/plot.svg?player=Driver%2077&what=points",
    "/api/v1/players?sort=name&page=7",
];

fn main() {
    let folder = tempfile::tempdir().expect("folder");
    let mut personas = Vec::new();
    let mut races = 0;
    let mut settling = Duration::ZERO;
    for (players, most) in STAGES {
        let store = Store::open(folder.path()).expect("store");
        people(&store, &mut personas, players);
        let before = races;
        let began = Instant::now();
        while races < most && settling + began.elapsed() < SETTLING {
            races += 1;
            race(&store, &personas, races);
        }
        store.flush().expect("flush");
        settling += began.elapsed();
        println!(
            "\n{players} players, {races} races of {most}: {:.0} races/s settled",
            f64::from(races - before) / began.elapsed().as_secs_f64()
        );
        println!("  {:<40} {:>10}", "results kept", store.results().numbers().expect("numbers").len());
        drop(store);
        let backup = Store::backup_in(folder.path()).metadata().expect("backup").len();
        println!("  {:<40} {:>10}", "bytes of the backup", backup);
        let began = Instant::now();
        let store = Store::open(folder.path()).expect("store");
        println!("  {:<40} {:>10.0} ms", "the store opens in", began.elapsed().as_secs_f64() * 1e3);
        pages(folder.path(), store);
    }
}

fn people(store: &Store, personas: &mut Vec<PersonaId>, count: usize) {
    let password = Password::new("Roadster-57").expect("password");
    let accounts = store.accounts();
    let owner = match accounts.by_name("bench").expect("store") {
        Some(account) => account,
        None => accounts.create("bench", &password, None, Now::read()).expect("account").value,
    };
    while personas.len() < count {
        let new = NewPersona {
            name: format!("Driver {}", personas.len()),
            shard: Config::default().shard.id,
            id: None,
            starter_cash: 5000,
            max_per_customer: usize::MAX,
        };
        personas
            .push(store.personas().create(owner.customer_id, new, Now::read()).expect("persona").value.id);
    }
}

/// Six of all players race.
fn race(store: &Store, personas: &[PersonaId], number: u32) {
    let driver = |at: u32| {
        personas.get((number * 7 + at * 131) as usize % personas.len()).copied().expect("a persona")
    };
    let field: Vec<PersonaId> = (0..6).map(driver).collect();
    let entrants: Vec<Entrant> =
        field.iter().map(|&persona| Entrant { persona, fee: 0, car: None }).collect();
    let booking =
        store.races().start(RaceId(0x10_0000 + number), &entrants, false, Now::read()).expect("start").value;
    let racers = (1..).zip(&field).map(|(place, &persona)| RacerResult {
        persona,
        place: Some(place),
        time: 64 * 90 + number % 977 + u32::from(place) * 64,
        best_lap: 64 * 40,
        class: (number % 3 + 1) as u8,
        model: BrandedPartId(101 + number % 30),
        damage: Some(7),
        ..RacerResult::default()
    });
    let payouts = field.iter().enumerate().map(|(at, &persona)| Payout {
        persona,
        cash: if at == 0 { 1000 } else { 0 },
        points: 50 / (at as u32 + 1),
        place: Some(at),
    });
    let settlement = Settlement {
        race_type: 17,
        racers: 6,
        payouts: payouts.collect(),
        cars_lost: Vec::new(),
        uncounted: Vec::new(),
        sheet: Sheet {
            lobby: 10_001 + number % 20,
            terms: RaceTerms { laps: 2, ..RaceTerms::default() },
            metres: 6000,
            racers: racers.collect(),
        },
        standing: |points| (points / 100 + 1, points / 500),
        letter: |_, _, _| Letter::city_news("Race: place 1 of 6", "You won 1000 dollars and 50 points."),
    };
    drop(store.races().settle(booking, &settlement, Now::read()).expect("settle"));
}

fn pages(folder: &Path, store: Store) {
    let config = Config::default();
    let ports = Ports::from(&config.network);
    let key = LoginKey::generate().expect("key");
    let game = Game::new(config, folder.to_owned(), ports, store, Catalog::builtin(), key);
    support::time(&game, &PATHS, Now::read());
}
