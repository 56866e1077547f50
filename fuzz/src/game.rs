//! A game with two players in a folder of its own, the same at every start, so that an input does the same.

use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::session_key::LoginKey;
use mcos::catalog::Catalog;
use mcos::clock::Now;
use mcos::config::Config;
use mcos::services::{Game, Ports};
use mcos::store::{NewPersona, Password, Store};
use rand::SeedableRng as _;
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;
use std::{env, fs, process};

/// Account and persona of each player: what a message filled with ones or twos names.
pub const PLAYERS: [u32; 2] = [0x0101_0101, 0x0202_0202];

/// When everything begins.
pub static START: LazyLock<Now> = LazyLock::new(|| Now { mono: Instant::now(), unix: 1_800_000_000 });

/// The private key under which Clients send their Session Key, in PKCS#8 form.
static LOGIN_KEY: LazyLock<Vec<u8>> =
    LazyLock::new(|| private_key().to_pkcs8_der().unwrap().as_bytes().to_vec());

/// A data folder with the accounts and personas of the players.
static TEMPLATE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = folder("template");
    fs::create_dir_all(&folder).unwrap();
    let store = Store::open(&folder).unwrap();
    let password = Password::new("Roadster-1957.x").unwrap();
    for (number, id) in PLAYERS.into_iter().enumerate() {
        let name = format!("player{number}");
        store
            .accounts()
            .create(&name, &password, Some(CustomerId(id)), *START)
            .unwrap()
            .ticket
            .wait()
            .unwrap();
        let persona = NewPersona {
            name: format!("Driver {number}"),
            shard: Config::default().shard.id,
            id: Some(PersonaId(id)),
            starter_cash: 20_000,
            max_per_customer: 4,
        };
        store.personas().create(CustomerId(id), persona, *START).unwrap().ticket.wait().unwrap();
    }
    store.flush().unwrap();
    folder
});

/// An RSA key of 1024 bits that is the same at every start.
///
/// # Panics
/// If there is none, which cannot be.
pub fn private_key() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rand::rngs::StdRng::seed_from_u64(2001), 1024).unwrap()
}

/// A name among the temporary files that no other process uses. `scripts/fuzz` removes them.
pub fn folder(name: &str) -> PathBuf {
    env::temp_dir().join(format!("mcos-fuzz-{}-{name}", process::id()))
}

/// A new game in this folder, with the players.
///
/// # Panics
/// If the folder cannot be written.
pub fn new_game(folder: &Path) -> Game {
    copy(&TEMPLATE, folder);
    let ports = Ports::from(&Config::default().network);
    let store = Store::open(folder).unwrap();
    let login_key = LoginKey::from_pkcs8_der(&LOGIN_KEY).unwrap();
    Game::new(Config::default(), folder.to_path_buf(), ports, store, Catalog::builtin(), login_key)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
