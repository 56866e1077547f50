//! Plays the Client's side of recorded sittings to the real server: every recorded byte in recorded order, over all
//! connections, still under the recorded Session Key. Only the Context inside 0x0501 is exchanged for a valid one.
//!
//! The recordings are not part of this repository. `MCOS_CAPTURES` says where they are; without it they are looked for
//! beside the project, in `../shared/captures`.

mod judge;
mod player;
mod recording;

use crate::support::{PASSWORD, Server, skipped};
use mco_proto::ids::{CustomerId, DealerId, PersonaId, ShardId, SkinId};
use mcos::client::sitting::{FirstCar, Transactions};
use player::Replay;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const USER: &str = "drbrown";
const CUSTOMER: CustomerId = CustomerId(5_551_212);
const PERSONA: PersonaId = PersonaId(21);
const NAME: &str = "Dr Brown";
const SHARD: ShardId = ShardId(44);
/// The recorded Client asks for this car.
const CAR: u32 = 1;

#[test]
fn every_message_of_the_recorded_sittings_gets_the_answer_the_real_client_accepted() {
    let folder = captures();
    let runs = runs(&folder);
    if runs.is_empty() {
        skipped(&format!("no captures at {}: the recorded sittings were not replayed", folder.display()));
        return;
    }
    let mut server = Server::prepare();
    prepare(&mut server, &folder);
    play(&server, &runs);
}

/// Makes the account and the car of the recorded Client on a new server, which runs then, if there are recordings.
pub(crate) fn prepare_if_recorded(server: &mut Server) -> bool {
    let folder = captures();
    let recorded = !runs(&folder).is_empty();
    if recorded {
        prepare(server, &folder);
    }
    recorded
}

/// Plays all recorded sittings to a server that was prepared for them.
pub(crate) fn play_recorded(server: &Server) {
    play(server, &runs(&captures()));
}

fn play(server: &Server, runs: &[PathBuf]) {
    let mut shortcomings = Vec::new();
    for run in runs {
        let name = run.file_name().unwrap().to_string_lossy().into_owned();
        let (total, short) = Replay::of(run, server).play();
        let _ = writeln!(
            std::io::stderr(),
            "{name}: {} of {total} Client messages answered as recorded",
            total - short.len().min(total)
        );
        assert!(total > 20, "{name} holds next to nothing");
        shortcomings.extend(short.into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(shortcomings.is_empty(), "fell short:\n{}", shortcomings.join("\n"));
}

fn captures() -> PathBuf {
    std::env::var_os("MCOS_CAPTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures"), PathBuf::from)
}

/// The folders of recorded sittings, named after their time.
fn runs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut runs: Vec<PathBuf> = entries.filter(|path| path.join("login_run.json").is_file()).collect();
    runs.sort();
    runs
}

/// Gives a new server the recorded Client's key, account and persona, and one car in its garage, and starts it.
fn prepare(server: &mut Server, captures: &Path) {
    let key = server.path().join("login.pem");
    fs::write(&key, recording::login_key(captures)).unwrap();
    server.must(&["keys", "import-login", key.to_str().unwrap()], "");
    let customer = CUSTOMER.to_string();
    server.must(
        &["account", "add", USER, "--password-stdin", "--customer-id", &customer],
        &format!("{PASSWORD}\n"),
    );
    server.must(&["persona", "add", USER, NAME, "--persona-id", &PERSONA.to_string()], "");
    server.start();
    smol::block_on(async {
        let driver = server.driver(USER, NAME).await;
        let stock = Transactions::stock(&driver.account.endpoints, DealerId(8)).await.unwrap();
        let first = stock.cars.first().expect("dealer 8 sells cars");
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        let car = FirstCar { dealer: stock.dealer, model: first.model, skin: SkinId(47) };
        mcots.sign_in(Some(car)).await.unwrap();
        let cars = mcots.cars().await.unwrap();
        assert_eq!(cars.iter().map(|car| car.vehicle.0).collect::<Vec<_>>(), [CAR]);
        mcots.logout().await.unwrap();
        driver.leave().await.unwrap();
        server.await_population(0).await;
    });
}
