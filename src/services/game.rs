//! Everything a service may look at or change.

use super::Ports;
use super::directory::Directory;
use crate::catalog::{Catalog, Lobby, RaceType};
use crate::clock::{Now, Zone};
use crate::config::{ChosenAnswers, ChosenPages, Config, GamePage};
use crate::store::{Persona, Store};
use crate::world::World;
use mco_proto::ids::PersonaId;
use mco_proto::session_key::LoginKey;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// The shard as its services see it.
#[derive(Debug)]
pub struct Game {
    /// The configuration.
    pub config: Config,
    /// The data folder.
    pub data: PathBuf,
    /// Where it listens.
    pub ports: Ports,
    /// What survives a reboot.
    pub store: Store,
    /// Cars, parts and lobbies.
    pub catalog: Catalog,
    /// The channels and room servers that are always there.
    pub directory: Directory,
    /// Answers that the Operator chose while it ran.
    pub answers: ChosenAnswers,
    /// Pages that the Operator chose for those that the game opens by number.
    pub pages: ChosenPages,
    /// What it knows while it runs.
    pub world: World,
    login_key: RwLock<Arc<LoginKey>>,
}

impl Game {
    /// A shard without players, whose store lies in the folder `data`.
    pub fn new(
        config: Config,
        data: PathBuf,
        ports: Ports,
        store: Store,
        catalog: Catalog,
        login_key: LoginKey,
    ) -> Self {
        let world = World::new(&config.limits, config.network.allow.clone());
        let login_key = RwLock::new(Arc::new(login_key));
        match store.results().last_race() {
            Ok(last) => world.races.lock().count_on(last),
            Err(error) => log::error!("races may get numbers that other races had: {error}"),
        }
        let directory = Directory::new(&config, &ports, &catalog);
        let (answers, pages) = (ChosenAnswers::load(&data), ChosenPages::load(&data));
        Self { config, data, ports, store, catalog, directory, answers, pages, world, login_key }
    }

    /// The page that the game opens by a number: as the Operator chose while it ran, or else by the configuration.
    pub fn game_page(&self, number: u32) -> Option<GamePage> {
        let number = u16::try_from(number).ok()?;
        let configured = || {
            let mut lines = self.config.compat.game_pages.iter().filter_map(|line| GamePage::line(line));
            lines.find(|(of, _)| *of == number).map(|(_, page)| page)
        };
        self.pages.of(number).or_else(configured)
    }

    /// The zone in which people are told moments.
    pub const fn zone(&self) -> &Zone {
        &self.config.shard.time_zone
    }

    /// How many races are driven now.
    pub fn races_under_way(&self, now: Now) -> usize {
        self.world.races.lock().all().filter(|race| race.elapsed(now).is_some()).count()
    }

    /// How long a lap in a lobby is, in metres: as the Operator says, or else as it is known. A drag race is always a quarter mile, whatever
    /// else is driven on that track.
    pub fn lap_length(&self, lobby: &Lobby) -> Option<u32> {
        let said = self.config.game.track_lengths.get(&lobby.track.to_string()).copied();
        said.filter(|_| lobby.race_type != RaceType::Drag).or_else(|| lobby.length())
    }

    /// The key under which Clients send their Session Key.
    pub fn login_key(&self) -> Arc<LoginKey> {
        Arc::clone(&self.login_key.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uses another login key from now on; the caller has stored it.
    pub fn replace_login_key(&self, key: LoginKey) {
        *self.login_key.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }

    /// A persona, if it exists and its account signed in from the address `peer`: the only proof of who asks on connections
    /// without encryption.
    pub(super) fn persona_of(&self, peer: IpAddr, persona: PersonaId, now: Now) -> Option<Persona> {
        let persona = self.store.personas().by_id(persona).ok().flatten()?;
        self.world.sessions.signed_in_from(persona.customer_id, peer, now).then_some(persona)
    }

    /// Whether a player may delete a persona: not before that day of its life which the Server Operator says (the 7th:
    /// *documented*). Days are times 24 hours from when it was made.
    pub(super) fn may_be_deleted(&self, persona: &Persona, now: Now) -> bool {
        const DAY: u64 = 24 * 60 * 60;
        let age = now.unix.saturating_sub(persona.created.into()) / DAY;
        age + 1 >= self.config.game.deletion_day.into()
    }

    /// The IPv4 address a Client is sent to: the configured one, or that by which this Client reached us.
    /// The Client knows no IPv6, and the packet that carries the address has room for digits only.
    pub fn address_for(&self, local: SocketAddr) -> Ipv4Addr {
        let reached = match local.ip().to_canonical() {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => Ipv4Addr::LOCALHOST,
        };
        let configured = self.config.network.public_host.as_ref();
        configured.and_then(|host| host.as_str().parse().ok()).unwrap_or(reached)
    }
}

#[cfg(test)]
impl Game {
    /// A shard in a temporary folder, on the Client's own ports. The folder goes when the second value is dropped.
    pub(crate) fn for_tests() -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let ports = Ports::from(&Config::default().network);
        let store = Store::open(folder.path()).unwrap();
        let key = LoginKey::generate().unwrap();
        let data = folder.path().to_owned();
        (Self::new(Config::default(), data, ports, store, Catalog::builtin(), key), folder)
    }

    /// An account with one persona, signed in from `peer`: its Context and Session Key.
    pub(crate) fn player(&self, account: &str, persona: &str, peer: IpAddr) -> TestPlayer {
        use crate::clock::Now;
        use crate::store::{NewPersona, Password};
        let password = Password::new("Roadster-57").unwrap();
        let customer =
            self.store.accounts().create(account, &password, None, Now::read()).unwrap().value.customer_id;
        let new = NewPersona {
            name: persona.to_owned(),
            shard: self.config.shard.id,
            id: None,
            starter_cash: self.config.game.starter_cash,
            max_per_customer: 4,
        };
        let persona = self.store.personas().create(customer, new, Now::read()).unwrap().value.id;
        let key = mco_proto::session_key::SessionKey::random();
        let session = self
            .world
            .sessions
            .begin(customer, key.clone(), peer, &std::collections::BTreeSet::new(), Now::read())
            .unwrap();
        TestPlayer { customer, persona, session, key }
    }
}

/// Somebody to test with.
#[cfg(test)]
#[derive(Clone, Debug)]
pub(crate) struct TestPlayer {
    pub(crate) customer: mco_proto::ids::CustomerId,
    pub(crate) persona: PersonaId,
    pub(crate) session: crate::world::SessionId,
    pub(crate) key: mco_proto::session_key::SessionKey,
}
