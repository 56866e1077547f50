//! A card that fails at one moment, for a second, or until somebody replaces it: nothing that was acknowledged is lost, the books
//! balance, and changes are accepted again once the card is well.
//!
//! The store runs in a child of this test, behind `tests/support/failing_card.c`, which lets the n-th call that writes fail. The
//! suite tries some n; `MCOS_EVERY_FAULT=1 cargo test --test it failing_card` tries every one in every way.

use crate::full_card::{buy, look, sign_in_and_look, take_first_car};
use crate::support::{PATIENCE, Server, skipped};
use mco_proto::ids::{BookingId, BrandedPartId, CustomerId, PersonaId, RaceId, ShardId, SkinId, VehicleId};
use mcos::clock::Now;
use mcos::store::{
    CarPurchase, Changed, Entrant, Letter, NewPart, NewPersona, Password, Payout, Settlement, Sheet, Store,
    StoreError,
};
use smol::block_on;
use std::fmt::{Debug, Display};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};
use tempfile::TempDir;

/// Where the child finds its data folder; without it, it is no child.
const CHILD: &str = "MCOS_FAILING_CARD";
/// How long it may take to accept changes again on a card that is well. The pause between two tries is 4 seconds.
const BACK: Duration = Duration::from_mins(1);
/// How many calls are tried in the suite.
const TRIED: u64 = 36;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const MODES: [&str; 4] = ["once", "short", "second", "good"];

/// Says what is on the card, for the parent.
fn acknowledge(what: &str, id: impl Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "acknowledged {what} {id}").unwrap();
    out.flush().unwrap();
}

/// The card as the child knows it, and the store on it.
struct Card {
    dir: PathBuf,
    store: Option<Store>,
    control: PathBuf,
    until_replaced: bool,
    failing_since: Option<Instant>,
    /// When a good card was put in, until a change is accepted on it.
    replaced: Option<Instant>,
}

impl Card {
    /// The card is replaced by a good one.
    fn heal(&mut self) {
        set_well(&self.control, true);
        self.until_replaced = false;
        self.failing_since = Some(Instant::now());
        self.replaced = self.failing_since;
    }

    /// The store, opened again if it wants that, as the server does it.
    fn store(&mut self) -> Result<&Store, String> {
        if self.store.as_ref().is_some_and(Store::wants_restart) {
            self.store = None;
        }
        match &mut self.store {
            Some(store) => Ok(store),
            none => Ok(none.insert(Store::open(&self.dir).map_err(|error| error.to_string())?)),
        }
    }

    /// Does something until it succeeds.
    fn insist<T, E: Debug>(&mut self, mut attempt: impl FnMut(&Store) -> Result<T, E>) -> T {
        loop {
            let error = match self.store().map(&mut attempt) {
                Ok(Ok(value)) => {
                    self.failing_since = None;
                    if let Some(replaced) = self.replaced.take() {
                        println!("back {}", replaced.elapsed().as_millis());
                    }
                    return value;
                }
                Ok(Err(error)) => format!("{error:?}"),
                Err(error) => error,
            };
            let since = *self.failing_since.get_or_insert_with(Instant::now);
            if self.until_replaced && since.elapsed() > Duration::from_millis(700) {
                self.heal();
            }
            assert!(since.elapsed() < BACK, "no change is accepted: {error}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Changes something until it is acknowledged. Who hears that it failed does not know whether it happened.
    fn change<T, E: Debug>(&mut self, mut verb: impl FnMut(&Store) -> Result<Changed<T>, E>) -> T {
        self.insist(|store| {
            let changed = verb(store).map_err(|error| format!("{error:?}"))?;
            changed.ticket.wait().map_err(|error: StoreError| format!("{error:?}"))?;
            Ok::<_, String>(changed.value)
        })
    }
}

/// Says in the control file whether the card is well.
fn set_well(control: &Path, well: bool) {
    // In place: another process has it mapped.
    let file = fs::File::options().write(true).open(control).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[u8::from(well)], 16).unwrap();
}

fn car() -> CarPurchase {
    let part = |number: u32| NewPart {
        branded_part: BrandedPartId(100_000 + number),
        parent: None,
        attachment_point: u8::try_from(number).unwrap(),
    };
    CarPurchase {
        model: BrandedPartId(104),
        skin: SkinId(47),
        flags: 0,
        car_class: 2,
        price: 10,
        parts: (0..12).map(part).collect(),
        first_car: false,
    }
}

fn persona(name: &str) -> NewPersona {
    NewPersona {
        name: name.to_owned(),
        shard: ShardId(44),
        id: None,
        starter_cash: 100_000,
        max_per_customer: 50,
    }
}

fn settlement(winner: PersonaId, loser: PersonaId) -> Settlement {
    let payout = |persona, cash, place| Payout { persona, cash, points: 50, place: Some(place) };
    Settlement {
        race_type: 17,
        racers: 2,
        payouts: vec![payout(winner, 180, 0), payout(loser, 0, 1)],
        cars_lost: Vec::new(),
        uncounted: Vec::new(),
        sheet: Sheet::default(),
        standing: |points| (points / 100 + 1, points / 500),
        letter: |_, payout, _| Letter::city_news("race", &format!("{:?}", payout.place)),
    }
}

/// What a server does in an evening, in short. A name that is taken by a change which was not acknowledged is no error, so
/// each attempt has another one.
fn evening(card: &mut Card) {
    let mut number = 0;
    let mut fresh = move |what: &str| {
        number += 1;
        format!("{what} {number}")
    };
    let word = Password::new("Roadster-57").unwrap();
    let account = card.change(|store| {
        store.accounts().create(&fresh("driver").replace(' ', "-"), &word, None, Now::read())
    });
    acknowledge("account", account.customer_id.0);
    let mut people = Vec::new();
    for _ in 0..2 {
        let person = card.change(|store| {
            store.personas().create(account.customer_id, persona(&fresh("Racer")), Now::read())
        });
        acknowledge("persona", person.id.0);
        people.push(person.id);
    }
    for round in 0..5 {
        for person in &people {
            let bought = card.change(|store| store.garage().buy_car(*person, car(), Now::read()));
            acknowledge("car", bought.0);
        }
        let entrant = |persona| Entrant { persona, fee: 100, car: None };
        let entrants = [entrant(people[0]), entrant(people[1])];
        let booking = card.change(|store| store.races().start(RaceId(8), &entrants, false, Now::read()));
        // Settled once, however often it is tried: who hears nothing asks whether it is done.
        card.insist(|store| {
            if !store.races().under_way().map_err(|error| format!("{error:?}"))?.contains(&booking) {
                return store.flush().map_err(|error| format!("{error:?}"));
            }
            let settled = store.races().settle(booking, &settlement(people[0], people[1]), Now::read());
            let settled = settled.map_err(|error| format!("{error:?}"))?;
            settled.ticket.wait().map_err(|error| format!("{error:?}"))
        });
        acknowledge("race", booking.0);
        match round {
            1 => {
                let file = card.dir.join("mine.mcos");
                card.insist(|store| store.write_backup(&file));
                acknowledge("backup", file.display());
            }
            // The one beside the database is made while others go on.
            2 => card.insist(|store| {
                store.renew_backup();
                Ok::<_, ()>(())
            }),
            _ => {}
        }
    }
    // Whatever fails last, changes are accepted at the end.
    if card.until_replaced {
        card.heal();
    }
    let last = card.change(|store| store.garage().buy_car(people[0], car(), Now::read()));
    acknowledge("car", last.0);
    let report = card.insist(|store| store.ledger().check());
    assert_eq!(report.differences, []);
    if env::var_os("MCOS_CLOSE").is_some() {
        drop(card.store.take());
    }
}

#[test]
fn child() {
    let Some(dir) = env::var_os(CHILD) else { return };
    let mode = env::var("CARD_MODE").unwrap();
    let control = env::var_os("CARD_CONTROL").unwrap().into();
    let until_replaced = mode == "good";
    let mut card =
        Card { dir: dir.into(), store: None, control, until_replaced, failing_since: None, replaced: None };
    evening(&mut card);
    // As a cut of the power does, or behind a store that is closed.
    std::process::exit(0);
}

/// The C library's way in, or none where there is no compiler.
fn shim(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("failing_card.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/failing_card.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .output();
    match built {
        Ok(output) if output.status.success() => Some(library),
        Ok(output) => {
            skipped(&format!(
                "cc cannot build what lets a card fail ({}): failing cards not tried",
                String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default()
            ));
            None
        }
        Err(error) => {
            skipped(&format!("there is no C compiler ({error}): failing cards not tried"));
            None
        }
    }
}

/// Runs an evening in which the call of that number fails, looks at what is left of it, and says how many calls there were and
/// how many failed; and after how many milliseconds a good card that replaced it took a change.
fn try_fault(library: &Path, call: u64, mode: &str, error: i32, close: bool) -> (u64, u64, u64) {
    let folder = TempDir::new().unwrap();
    let folder_path = fs::canonicalize(folder.path()).unwrap();
    let (dir, control) = (folder_path.join("data"), folder_path.join("control"));
    fs::create_dir(&dir).unwrap();
    fs::write(&control, [0; 32]).unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "failing_card::child", "--nocapture", "--test-threads=1"]);
    command.env(CHILD, &dir).env("LD_PRELOAD", library);
    command.env("CARD_FOLDER", &dir).env("CARD_CONTROL", &control).env("CARD_MODE", mode);
    command.env("CARD_CALL", call.to_string()).env("CARD_ERROR", error.to_string());
    if close {
        command.env("MCOS_CLOSE", "1");
    }
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (begun, what) = (Instant::now(), format!("call {call} fails {mode} with error {error}"));
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            break;
        }
        thread::sleep(Duration::from_millis(3));
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {:?}: {said}\n{complaint}", output.status);
    let store = Store::open(&dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(!store.has_lost_changes(), "{what}");
    let mut seen = 0;
    for line in said.lines().filter_map(|line| line.split_once("acknowledged ").map(|(_, rest)| rest)) {
        let (kind, id) = line.split_once(' ').unwrap();
        let number = || id.parse().unwrap();
        let there = match kind {
            "account" => store.accounts().by_customer(CustomerId(number())).unwrap().is_some(),
            "persona" => store.personas().by_id(PersonaId(number())).unwrap().is_some(),
            "car" => store.garage().vehicle(VehicleId(number())).unwrap().is_some(),
            "race" => !store.races().under_way().unwrap().contains(&BookingId(number())),
            "backup" => Store::check_backup(Path::new(id), None).is_ok(),
            other => panic!("{other}"),
        };
        assert!(there, "{what}: acknowledged and lost: {line}");
        seen += 1;
    }
    assert_eq!(seen, 1 + 2 + 10 + 5 + 1 + 1, "{what}");
    let report = store.ledger().check().unwrap();
    assert_eq!(report.differences, [], "{what}");
    let control = fs::read(control).unwrap();
    let number = |at: usize| u64::from_le_bytes(control[at..at + 8].try_into().unwrap());
    let back = said.lines().find_map(|line| line.split_once("back ")?.1.parse().ok());
    (number(0), number(8), back.unwrap_or(0))
}

#[test]
fn whichever_write_fails_nothing_acknowledged_is_lost_and_changes_are_accepted_again() {
    let folder = TempDir::new().unwrap();
    let Some(library) = shim(folder.path()) else { return };
    let (calls, failed, _) = try_fault(&library, 0, "once", EIO, true);
    assert!(calls > 100 && failed == 0, "{calls} calls, {failed} failed");
    let every = env::var_os("MCOS_EVERY_FAULT").is_some();
    let step = if every { 1 } else { calls / TRIED };
    let mut faults = 0;
    let mut tried = 0;
    let mut longest = 0;
    for (turn, call) in (1..=calls).step_by(usize::try_from(step.max(1)).unwrap()).enumerate() {
        let all: Vec<(&str, i32)> = MODES.iter().flat_map(|mode| [(*mode, EIO), (*mode, ENOSPC)]).collect();
        let ways = if every { all.as_slice() } else { &all[turn % all.len()..=turn % all.len()] };
        for (mode, error) in ways {
            let (_, failed, back) = try_fault(&library, call, mode, *error, turn % 2 == 0);
            faults += failed;
            longest = longest.max(back);
            tried += 1;
        }
    }
    let summary = format!(
        "{tried} evenings, {calls} calls in a quiet one, {faults} faults, nothing lost; a good card took a change after {longest} ms at most"
    );
    // Not through print!, for whoever tries every fault wants to see it.
    let _ = writeln!(std::io::stderr(), "{summary}");
    assert!(faults >= tried / 2, "{summary}");
}

/// The card fails for a second, and then until it is replaced; the server runs on all the time.
#[test]
fn a_server_takes_changes_again_by_itself_once_its_card_is_well() {
    let mut server = Server::prepare();
    let Some(library) = shim(server.path()) else { return };
    let control = server.path().join("control");
    fs::write(&control, [0; 32]).unwrap();
    set_well(&control, true);
    fs::create_dir_all(server.data()).unwrap();
    let data = fs::canonicalize(server.data()).unwrap();
    server.set("LD_PRELOAD", library);
    server.set("CARD_FOLDER", data);
    server.set("CARD_CONTROL", &control);
    server.set("CARD_CALL", "1");
    server.set("CARD_ERROR", EIO.to_string());
    server.set("CARD_MODE", "good");
    server.account("doc");
    server.persona("doc", "Dr Brown");
    server.start();
    let pid = server.pid();
    let (mut mcots, mut before) = take_first_car(&server);
    let mut operator = server.operator();
    let mut longest = Duration::ZERO;
    for (round, failing) in (1..).zip([Duration::from_secs(1), Duration::from_secs(5)]) {
        set_well(&control, false);
        assert!(block_on(buy(&mut mcots)).is_err(), "nobody hears of a purchase that is not on the card");
        server.await_log("NO CHANGE IS ACCEPTED", round);
        thread::sleep(failing);
        assert!(operator.look("/operator/health").contains("nothing can be changed"));
        set_well(&control, true);
        let well = Instant::now();
        server.await_log("a change was saved again, so changes are accepted again", round);
        longest = longest.max(well.elapsed());
        let (again, has) = sign_in_and_look(&server);
        assert_eq!(has, before, "what was acknowledged is there, and nothing else");
        mcots = again;
        block_on(buy(&mut mcots)).unwrap();
        before = block_on(look(&mut mcots));
        assert!(!operator.look("/operator/health").contains("nothing can be changed"));
    }
    assert_eq!((server.pid(), server.is_alive()), (pid, true), "it was not restarted");
    // Not through print!, for whoever runs it wants to see it.
    let _ = writeln!(std::io::stderr(), "a server took changes {longest:?} after its card was well");
    assert!(server.stop().success());
    server.start();
    assert_eq!(sign_in_and_look(&server).1, before);
}
