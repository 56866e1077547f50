//! `mcos.toml`: what the Operator may decide, with a default for everything.
//!
//! The file is read in two steps. [`rules`] walks the parsed document key by key and refuses what it does not
//! know or cannot use, naming file, line and key; only a document that passed is turned into a [`Config`]. So
//! the rest of the program never meets a value out of range.

mod compat;
mod encoding;
mod host;
mod mistake;
mod rules;

pub use compat::{ChannelUpdates, ClassForm, Compat, PushForm, RaceStartOn, RaceStarted, RelayForm};
pub use host::HostName;
pub use mistake::{ConfigError, Mistake};

use mco_proto::ids::ShardId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// The name of the file that is looked for when none is named.
pub const FILE_NAME: &str = "mcos.toml";

/// The data folder when neither the command line, nor the file, nor systemd names one.
const DEFAULT_DATA_DIR: &str = "mcos-data";

/// The data folder on a box, where systemd keeps it for a service with a user of its own.
const BOX_DATA_DIR: &str = "/var/lib/private/mcos";

/// A configuration file larger than this is somebody's mistake, not a configuration.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// How many room servers there are when `rooms = [0, 0]` asks for any free ports. The Client's own range,
/// 9000 to 9014, has as many (*captured*: room 9001 of that range).
const ANY_ROOMS: usize = 15;

/// Everything that `mcos.toml` can say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the server keeps what must survive; see [`Config::data_folder`] for who wins.
    pub data_dir: Option<PathBuf>,
    /// How the one shard of this server presents itself.
    pub shard: Shard,
    /// Addresses and ports.
    pub network: Network,
    /// Who may make accounts.
    pub accounts: Accounts,
    /// The rules of the game.
    pub game: GameRules,
    /// What the lobby's directory shows.
    pub lobby: Lobby,
    /// What one Client, one address and all of them together may use up.
    pub limits: Limits,
    /// What no recording proves.
    pub compat: Compat,
    /// Why the defaults count although there is a file. Only on a box, which serves nevertheless.
    #[serde(skip)]
    pub mistake: Option<Mistake>,
}

/// `[shard]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shard {
    /// The name in the Client's list of shards. Never holds brackets or line breaks, which end it there.
    pub name: String,
    /// The number by which the Client and the persona records call this shard.
    pub id: ShardId,
    /// How many personas one account may have.
    pub max_personas: u16,
    /// The longer text below the name. Empty: the name again, as in the captured list.
    pub description: String,
    /// The line that crawls through the game. Empty: a welcome with the number of players.
    pub ticker: String,
    /// `ServerGroup_Name`: a label under which the Client groups shards (*captured*: `Group-1`).
    pub group: String,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            name: "Motor City".to_owned(),
            id: ShardId(44),
            max_personas: 4,
            description: String::new(),
            ticker: String::new(),
            group: "Group-1".to_owned(),
        }
    }
}

/// `[network]`. A port of 0 asks the system for any free port.
#[allow(clippy::struct_excessive_bools, reason = "independent switches of a file")]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// The local addresses on which every service listens.
    pub bind: Vec<IpAddr>,
    /// The name or address that Clients are told. `None`: the one by which each Client reached the server.
    #[serde(deserialize_with = "host::optional")]
    pub public_host: Option<HostName>,
    /// Patch, Auth and Shard without TLS.
    pub http: u16,
    /// Patch, Auth and Shard with TLS.
    pub https: u16,
    /// Login.
    pub login: u16,
    /// Persona; the Client knows only 8228.
    pub persona: u16,
    /// Mail; the Client knows only 8227.
    pub mail: u16,
    /// Lobby.
    pub lobby: u16,
    /// The lowest and the highest room port; see [`Network::room_ports`].
    pub rooms: [u16; 2],
    /// MCOTS; the Client knows only 43300.
    pub mcots: u16,
    /// Whether SSL 3.0 and TLS 1.0 are spoken for the oldest Windows versions.
    pub legacy_tls: bool,
    /// Whether old Windows versions find this machine by its name.
    pub netbios: bool,
    /// The name by which they find it. Empty: the host name.
    pub name: String,
    /// Whether the file names `http`. If not, 8080 may stand in when low ports are not permitted.
    #[serde(skip)]
    pub http_configured: bool,
    /// Whether the file names `https`. If not, 8443 may stand in when low ports are not permitted.
    #[serde(skip)]
    pub https_configured: bool,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            bind: vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            public_host: None,
            http: 80,
            https: 443,
            login: 8226,
            persona: 8228,
            mail: 8227,
            lobby: 7003,
            rooms: [9000, 9014],
            mcots: 43300,
            legacy_tls: true,
            netbios: true,
            name: String::new(),
            http_configured: false,
            https_configured: false,
        }
    }
}

impl Network {
    /// The port of every room server, lowest first. `rooms = [0, 0]` gives as many zeros ("any free port") as
    /// the usual range has ports.
    pub fn room_ports(&self) -> Vec<u16> {
        match self.rooms {
            [0, _] => vec![0; ANY_ROOMS],
            [lowest, highest] => (lowest..=highest).collect(),
        }
    }

    /// The port to try when `http` is not permitted: only if the Operator did not ask for a certain one.
    pub const fn http_fallback(&self) -> Option<u16> {
        if self.http_configured { None } else { Some(8080) }
    }

    /// The port to try when `https` is not permitted: only if the Operator did not ask for a certain one.
    pub const fn https_fallback(&self) -> Option<u16> {
        if self.https_configured { None } else { Some(8443) }
    }
}

/// `[accounts]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// Who may make accounts.
    pub registration: Registration,
}

/// Who may make accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Everybody who reaches the server's pages.
    #[default]
    Open,
    /// Only the Operator, with `mcos account add`.
    Operator,
}

/// `[game]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GameRules {
    /// What a new persona finds in the bank, in the game's dollars.
    pub starter_cash: u32,
}

impl Default for GameRules {
    fn default() -> Self {
        Self { starter_cash: 20_000 }
    }
}

/// `[lobby]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lobby {
    /// How many room servers the directory shows as places to meet: MCC01 and so on. All room ports work, shown or not.
    pub rooms: u16,
    /// Chat channels that are there on every server, by name, with their numbers.
    pub channels: BTreeMap<String, u32>,
}

impl Default for Lobby {
    fn default() -> Self {
        // Listed in all directories ever seen.
        Self { rooms: 1, channels: BTreeMap::from([("MCCHAT".to_owned(), 191)]) }
    }
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections to all services together.
    pub connections: usize,
    /// Connections from one address. This machine itself (loopback) is exempt.
    pub connections_per_address: usize,
    /// Failed logins from one address within a minute. Loopback is exempt.
    pub failed_logins_per_minute: u32,
    /// How many bytes may wait for one Client that does not read, before it is cut off.
    pub outbound_bytes: usize,
    /// Seconds without a message after which a Login, Persona or Mail connection is closed.
    pub idle_seconds: u64,
    /// Seconds within which a Lobby, room or MCOTS connection must have logged in.
    pub login_seconds: u64,
    /// How many passwords are checked at the same time.
    pub password_workers: usize,
    /// Minutes for which a Context stays good for a login. Players linger on the Client's screens.
    pub context_minutes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_per_address: 64,
            failed_logins_per_minute: 20,
            outbound_bytes: 262_144,
            idle_seconds: 60,
            login_seconds: 30,
            password_workers: 2,
            context_minutes: 60,
        }
    }
}

impl Config {
    /// Reads the named file, which must exist; without a name `mcos.toml` of the current folder if there is
    /// one, and the defaults otherwise.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_file(path.unwrap_or(Path::new(FILE_NAME)), path.is_some())
    }

    /// The same for a box, which has to serve in any case, because nobody can reach it otherwise: without a name it is
    /// `mcos.toml` of `folder`, and if the file can't be used the defaults count and know what is wrong with it.
    pub fn load_on_box(path: Option<&Path>, folder: &Path) -> Self {
        let usual = folder.join(FILE_NAME);
        Self::load_file(path.unwrap_or(&usual), path.is_some()).unwrap_or_else(|error| Self {
            mistake: Some(Mistake { error, ignored: "the whole file" }),
            ..Self::default()
        })
    }

    fn load_file(file: &Path, must_exist: bool) -> Result<Self, ConfigError> {
        let name = file.display().to_string();
        let refuse = |problem: String| ConfigError { file: name.clone(), line: None, key: None, problem };
        let mut bytes = Vec::new();
        match File::open(file).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)) {
            Err(e) if e.kind() == ErrorKind::NotFound && !must_exist => return Ok(Self::default()),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let problem = "there is no such file; correct --config, or leave it out to use the defaults";
                return Err(refuse(problem.to_owned()));
            }
            Err(e) => {
                return Err(refuse(format!(
                    "cannot be read ({e}); check that it is a file and its permissions"
                )));
            }
            Ok(length) if length as u64 > MAX_FILE_BYTES => {
                return Err(refuse("is too large for a configuration; is this the right file?".to_owned()));
            }
            Ok(_) => {}
        }
        Self::from_bytes(bytes).map_err(|e| ConfigError { file: name, ..e })
    }

    /// Reads a configuration from the bytes of a file: UTF-8, or UTF-16 with a byte order mark.
    ///
    /// # Errors
    /// [`ConfigError`] for the first mistake, with its line and key; the file is called `mcos.toml`.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let text = encoding::text(bytes).map_err(|wrong| ConfigError {
            file: FILE_NAME.to_owned(),
            line: wrong.line,
            key: None,
            problem: wrong.problem.to_owned(),
        })?;
        Self::parse(&text)
    }

    /// Reads a configuration from its text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        rules::read(text)
    }

    /// The folder for everything that must survive: what the command line says, then `data_dir` of the file,
    /// then the folder systemd made for the service (`$STATE_DIRECTORY`), then `mcos-data`.
    pub fn data_folder(&self, command_line: Option<&Path>) -> PathBuf {
        let systemd = std::env::var_os("STATE_DIRECTORY");
        self.data_folder_from(command_line, systemd, DEFAULT_DATA_DIR)
    }

    /// The same on a box, which has only one place for it: `data_dir` does not count, and without the others it is the
    /// folder that systemd makes for the service.
    pub fn data_folder_on_box(command_line: Option<&Path>) -> PathBuf {
        let systemd = std::env::var_os("STATE_DIRECTORY");
        Self::default().data_folder_from(command_line, systemd, BOX_DATA_DIR)
    }

    fn data_folder_from(
        &self,
        command_line: Option<&Path>,
        systemd: Option<OsString>,
        otherwise: &str,
    ) -> PathBuf {
        // systemd separates several state directories by colons; the first is the service's own.
        let systemd = systemd.and_then(|list| std::env::split_paths(&list).next());
        command_line
            .map(Path::to_path_buf)
            .or_else(|| self.data_dir.clone())
            .or_else(|| systemd.filter(|path| !path.as_os_str().is_empty()))
            .unwrap_or_else(|| PathBuf::from(otherwise))
    }
}

#[cfg(test)]
mod tests;
