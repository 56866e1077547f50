//! Players who do everything at once, deals, clubs, race nights and races, while clocks leap and the process is killed at any moment: no
//! money comes from nowhere or is lost, each thing has one owner or is held for a live deal, nothing ends twice, and what was said to be
//! done is done.

use super::city::{DAY, MONDAY, WEEK, at, rewards};
use super::city_model::{Act, DRIVERS, act, apply, clubs_are_sound, owners};
use super::deals::model::{act as deal, copy};
use super::deals::{City, RULES};
use super::*;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

/// In which folder a process plays until it is killed, and from which number on it takes its random numbers.
const FOLDER: &str = "MCOS_KILLED_FOLDER";
const SEED: &str = "MCOS_KILLED_SEED";
/// How often a process is killed, if somebody wants another number (README.md).
const ROUNDS: &str = "MCOS_KILL_ROUNDS";
const USUAL_ROUNDS: u32 = 6;
/// After so many kills a new folder is begun, so that no book of the ledger is folded.
const ROUNDS_EACH: u32 = 10;
/// How long a process may take until it plays.
const PATIENCE: Duration = Duration::from_mins(2);

/// What ends once: a week, a turf in a week, a race night.
type Ends = BTreeSet<(char, u32, u32)>;

pub(super) fn scene(dir: TempDir) -> City {
    let (store, drivers) = owners(dir.path(), DRIVERS);
    let players =
        drivers.into_iter().map(|id| (store.personas().by_id(id).unwrap().unwrap().customer_id, id));
    City { players: players.collect(), store, dir, now: at(MONDAY) }
}

/// A player with an own source of random numbers.
struct Player {
    random: StdRng,
    acts: TestRunner,
}

impl Player {
    fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let bytes: [u8; 32] = random.r#gen();
        let acts =
            TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        Self { random, acts }
    }

    /// Does something, and returns what has ended by it. Nobody is deleted, with whom a part of the books would go.
    fn act(&mut self, city: &City, track: &Mutex<()>) -> Ends {
        let mut ends = Ends::new();
        if self.random.gen_bool(0.5) {
            deal(city, &mut self.random, track);
            return ends;
        }
        let next = act().new_tree(&mut self.acts).unwrap().current();
        let ids: Vec<_> = city.players.iter().map(|(_, id)| *id).collect();
        match next {
            Act::Delete(_) => {}
            Act::Race(..) => {
                let _alone = track.lock();
                // Who is still in a race of somebody's starts no other one.
                if city.store.races().under_way().unwrap().is_empty() {
                    apply(&city.store, &next, &ids, city.now, &mut ends);
                }
            }
            _ => apply(&city.store, &next, &ids, city.now, &mut ends),
        }
        ends
    }
}

/// Time passes, or the Server's clock leaps.
fn pass(now: Now, random: &mut StdRng) -> Now {
    match random.gen_range(0..12) {
        0 => Now { unix: MONDAY.saturating_add_signed(random.gen_range(-20..60) * DAY.cast_signed()), ..now },
        1 => Now { unix: random.gen_range(0..4_000_000_000), ..now },
        2..=5 => now.later(Duration::from_secs(random.gen_range(0..4000))),
        _ => now,
    }
}

/// That each sum and each thing is where it belongs.
fn check(city: &City) {
    let City { store, players, .. } = city;
    let report = store.ledger().check().unwrap();
    assert_eq!(report.differences, []);
    let (deals, nights) = (city.deals(), store.nights());
    let (auctions, ads) = (deals.auctions(None, None, 1000).unwrap(), deals.ads(None, None, 1000).unwrap());
    assert_eq!((auctions.rows.len(), ads.rows.len()), (auctions.total as usize, ads.total as usize));
    let bids: u64 =
        auctions.rows.iter().filter_map(|auction| auction.bid).map(|bid| u64::from(bid.dollars)).sum();
    let fees: u64 = nights.open().unwrap().iter().map(Night::fees).sum();
    assert_eq!(report.held, bids + fees);
    let (mut own, mut highest, mut placed) = (0, 0, 0);
    // What players pay each other, and what is held meanwhile, is theirs; only what the city adds to race nights is new.
    let mut moved = 0;
    for (_, id) in players {
        let of = deals.of(*id).unwrap();
        assert!(of.auctions.iter().all(|auction| auction.seller == *id));
        assert!(of.bids.iter().all(|auction| auction.bid.unwrap().bidder == *id));
        own += of.auctions.len();
        highest += of.bids.len();
        placed += of.ads.len();
        let garage = store.garage();
        let cars: Vec<_> = garage.vehicles(*id).unwrap().iter().map(|car| car.id).collect();
        assert!((1..=4).contains(&cars.len()), "{id}: {cars:?}");
        assert!(garage.loose_parts(*id).unwrap().iter().filter(|part| part.parent.is_none()).count() <= 4);
        let driven = store.personas().by_id(*id).unwrap().unwrap().vehicle;
        assert!(driven.is_some_and(|car| cars.contains(&car)), "{driven:?}");
        for (_, line) in store.ledger().of(*id).unwrap() {
            assert_ne!(line.kind, Kind::Carried, "the books are too long to be added up");
            moved += match line.kind {
                Kind::BidHeld
                | Kind::BidBack
                | Kind::GoodsSold
                | Kind::GoodsBought
                | Kind::TradeMoney
                | Kind::NightFee
                | Kind::NightRefund
                | Kind::NightPrize => line.amount,
                _ => 0,
            };
        }
    }
    assert_eq!((own, placed), (auctions.rows.len(), ads.rows.len()));
    assert_eq!(highest, auctions.rows.iter().filter(|auction| auction.bid.is_some()).count());
    let closed = nights.closed().unwrap();
    let added = closed.iter().map(|night| {
        let outcome = night.outcome.as_ref().unwrap();
        let paid: i64 = outcome.prizes.iter().map(|(_, dollars)| i64::from(*dollars)).sum();
        // Fees of what was cancelled have come back.
        if outcome.cancelled.is_empty() { paid - night.fees().cast_signed() } else { 0 }
    });
    assert_eq!(moved, added.sum::<i64>() - report.held.cast_signed());
    clubs_are_sound(store, &players.iter().map(|(_, id)| *id).collect::<Vec<_>>());
}

/// After the longest time nothing is left of all deals, and nothing is held.
fn finish(mut city: City) {
    for night in city.store.nights().open().unwrap() {
        let _ = city.store.nights().cancel(&RULES, Host::Operator, (night.id, "the end"), city.now).unwrap();
    }
    city.now = Now { unix: MONDAY + 4000 * WEEK, ..city.now.later(Duration::from_hours(24 * 8)) };
    while city.deals().end_due(city.now).unwrap().is_some_and(|ended| ended.value > 0) {}
    for booking in city.store.races().under_way().unwrap() {
        let _ = city.store.races().refund(booking, &[], city.now).unwrap();
    }
    for _ in 0..2 {
        drop(city.store.rewards().settle(&rewards(), city.now).unwrap());
        drop(city.store.turfs().settle(30_000, &|_| "turf".to_owned(), city.now).unwrap());
    }
    check(&city);
    let rows = records(&city.store);
    let left: Vec<_> =
        rows.iter().filter(|(key, _)| key[0] == b'd' && !key.starts_with(deal_key::CLOCK)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(city.store.garage().vehicles(ESCROW.usual).unwrap(), []);
    assert_eq!(city.store.garage().loose_parts(ESCROW.usual).unwrap(), []);
    assert_eq!(city.store.ledger().check().unwrap().held, 0);
}

#[test]
fn eight_at_once_end_nothing_twice_and_lose_nothing() {
    let city = scene(TempDir::new().unwrap());
    let track = Mutex::default();
    let ends = Mutex::new(Ends::new());
    std::thread::scope(|scope| {
        for seed in 0..8_u64 {
            let (city, track, ends) = (&city, &track, &ends);
            scope.spawn(move || {
                let mut player = Player::new(100 + seed);
                let mut mine = City {
                    store: city.store.clone(),
                    dir: TempDir::new().unwrap(),
                    players: city.players.clone(),
                    now: city.now,
                };
                for _ in 0..150 {
                    mine.now = pass(mine.now, &mut player.random);
                    for ended in player.act(&mine, track) {
                        assert!(ends.lock().unwrap().insert(ended), "{ended:?} ends twice");
                    }
                    drop(mine.deals().end_due(mine.now).unwrap());
                }
            });
        }
    });
    check(&city);
    finish(city);
}

/// The process that is killed: it plays, and says what is on the card.
#[test]
#[ignore = "another test starts it as a process of its own, to kill it"]
fn a_process_that_is_killed() {
    let (Some(folder), Ok(seed)) = (env::var_os(FOLDER), env::var(SEED)) else { return };
    let mut player = Player::new(seed.parse().unwrap());
    let now = pass(at(MONDAY + DAY), &mut player.random);
    let store = Store::open(Path::new(&folder)).unwrap();
    let players =
        store.personas().list().unwrap().into_iter().map(|persona| (persona.customer_id, persona.id));
    let mut city = City { players: players.collect(), store, dir: TempDir::new().unwrap(), now };
    let track = Mutex::default();
    println!("\nplays");
    loop {
        city.now = pass(city.now, &mut player.random);
        let mut ends = Ends::new();
        for _ in 0..player.random.gen_range(1..8) {
            ends.extend(player.act(&city, &track));
            drop(city.deals().end_due(city.now).unwrap());
        }
        let books = city.players.iter().map(|(_, id)| (*id, city.store.ledger().of(*id).unwrap().len()));
        let books: Vec<_> = books.collect();
        city.store.flush().unwrap();
        for (kind, number, part) in ends {
            println!("end {kind} {number} {part}");
        }
        for (persona, lines) in books {
            println!("book {persona} {lines}");
        }
    }
}

/// Starts the process on a folder, kills it after a while, and returns the lines that it has said.
fn play_and_kill(folder: &Path, seed: u64, random: &mut StdRng) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "store::tests::whole_city::a_process_that_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (said, hear) = mpsc::channel();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let reader =
        std::thread::spawn(move || lines.map(|line| said.send(line)).take_while(Result::is_ok).count());
    let mut heard = Vec::new();
    // Sometimes while it opens the store.
    if random.gen_bool(0.8) {
        while !heard.iter().any(|line| line == "plays") {
            heard.push(hear.recv_timeout(PATIENCE).expect("it plays"));
        }
    }
    std::thread::sleep(Duration::from_millis(random.gen_range(0..250)));
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(running, "it ended by itself: {}", String::from_utf8_lossy(&output.stderr));
    reader.join().unwrap();
    heard.extend(hear.try_iter());
    heard
}

#[test]
fn a_process_that_is_killed_at_any_moment_loses_nothing_and_ends_nothing_twice() {
    let rounds = env::var(ROUNDS).ok().map_or(USUAL_ROUNDS, |rounds| rounds.parse().unwrap());
    let (mut acts, mut ended) = (0, 0);
    for first in (0..rounds).step_by(ROUNDS_EACH as usize) {
        let City { store, players, dir, now } = scene(TempDir::new().unwrap());
        drop(store);
        let mut ends = BTreeSet::new();
        for round in first..rounds.min(first + ROUNDS_EACH) {
            let mut random = StdRng::seed_from_u64(round.into());
            let heard = play_and_kill(dir.path(), round.into(), &mut random);
            // Looked at in a copy: the next process finds the folder as it was left.
            let left = TempDir::new().unwrap();
            copy(dir.path(), left.path());
            let store = Store::open(left.path()).unwrap();
            assert!(!store.has_lost_changes(), "round {round}");
            let city = City { store, players: players.clone(), dir: left, now };
            check(&city);
            for line in heard {
                let words: Vec<&str> = line.split(' ').collect();
                match words[..] {
                    ["end", ..] => assert!(ends.insert(line.clone()), "round {round}: twice: {line}"),
                    ["book", persona, lines] => {
                        let persona = PersonaId(persona.parse().unwrap());
                        let kept = city.store.ledger().of(persona).unwrap().len();
                        acts += 1;
                        assert!(kept >= lines.parse().unwrap(), "round {round}: {line}, {kept} kept");
                    }
                    _ => {}
                }
            }
        }
        ended += ends.len();
        let store = Store::open(dir.path()).unwrap();
        finish(City { store, players, dir, now: at(MONDAY + 30 * WEEK) });
    }
    println!("{rounds} kills, {acts} books compared, {ended} ends seen");
}
