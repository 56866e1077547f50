//! `mcos.toml`: what the Operator may decide, with a default for everything.
//!
//! Each section is declared once, with its keys, their defaults and what they may hold ([`key`]). The file is read in two
//! steps: [`mod@read`] checks the parsed document key by key and refuses what is unknown or cannot be used, naming file, line
//! and key; only a document that passed is turned into a [`Config`]. So the rest of the program never meets a value out of
//! range.

mod allow;
mod answers;
mod chosen;
mod compat;
mod game_page;
mod host;
mod key;
mod least_open;
mod mistake;
mod read;
mod rule;
mod salvage;
mod settings;

pub use allow::Allowed;
pub use answers::{ChosenAnswer, ChosenAnswers};
pub use chosen::{Choice, Chosen, MOST_CHOSEN};
pub use compat::{ChannelUpdates, ClassForm, Compat, PushForm, RaceStartOn, RaceStarted, RelayForm};
pub use game_page::{ChosenPages, GamePage};
pub use host::HostName;
pub use mistake::{ConfigError, Mistake};
pub use settings::{BACKUP, SECTIONS, Setting, change, settings};

use crate::atomic_file::{self, Access};
use crate::clock::Zone;
use crate::text_encoding;
use key::{choice, section};
use mco_proto::ids::ShardId;
use rule::Rule;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Read, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// The name of the file that is looked for when none is named.
pub const FILE_NAME: &str = "mcos.toml";

/// The data folder when neither the command line, nor the file, nor systemd names one.
pub const DEFAULT_DATA_DIR: &str = "mcos-data";

/// The data folder on a box, where systemd keeps it for a service with a user of its own.
const BOX_DATA_DIR: &str = "/var/lib/private/mcos";

/// The last settings of a box without a mistake, in its data folder.
const LAST: &str = "mcos.toml.last";

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
    /// What programs may read.
    pub api: Api,
    /// The rules of the game.
    pub game: GameRules,
    /// What the best of a week get.
    pub rewards: Rewards,
    /// What the lobby's directory shows.
    pub lobby: Lobby,
    /// What one Client, one address and all of them together may use up.
    pub limits: Limits,
    /// Where a box keeps its backups.
    pub backup: Backup,
    /// Switches for what no recording proves.
    pub compat: Compat,
    /// Why something else counts than the file says. Only on a box, which starts in spite of mistakes.
    #[serde(skip)]
    pub mistakes: Vec<Mistake>,
    /// The folder of the box, where its programs leave what they have to say. Only on a box.
    #[serde(skip)]
    pub box_folder: Option<PathBuf>,
    /// The file that says so, or would if it were there. `None` where there is none.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

section! {
    /// `[shard]`: how the one shard of this server presents itself.
    pub struct Shard {
        /// The name in the Client's list of shards. Never holds brackets or line breaks, which end it there.
        name: String = "Motor City".to_owned(), Rule::NAME;
        /// The number by which the Client and the persona records call this shard.
        id: ShardId = ShardId(44), Rule::Number("a whole number", 1, 2_147_483_647);
        /// How many personas one account may have.
        max_personas: u16 = 4, Rule::Number("a whole number", 1, 32);
        /// The longer text below the name. Empty: the name again, as in the captured list.
        description: String = String::new(), Rule::LINE;
        /// The line that crawls through the game. Empty: a welcome with the number of players.
        ticker: String = String::new(), Rule::LINE;
        /// `ServerGroup_Name`: a label under which the Client groups shards (*captured*: `Group-1`).
        group: String = "Group-1".to_owned(), Rule::NAME;
        /// The zone in which pages and commands show moments. Messages of the Client and files for programs stay in UTC.
        time_zone: Zone = Zone::default(), Rule::TimeZone;
    }
}

section! {
    /// `[network]`: addresses and ports. A port of 0 asks the system for any free port.
    #[allow(clippy::struct_excessive_bools, reason = "independent switches of a file")]
    pub struct Network {
        /// The local addresses on which every service listens.
        bind: Vec<IpAddr> = vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()], Rule::Addresses;
        /// From where the server may be reached. This machine itself always is let in.
        allow: Vec<Allowed> = Allowed::home(), Rule::Networks;
        /// The name or address that Clients are told. `None`: the one by which each Client reached the server.
        #[serde(deserialize_with = "host::optional")]
        public_host: Option<HostName> = None, Rule::HOST;
        /// Patch, Auth and Shard without TLS.
        http: u16 = 80, Rule::Port;
        /// Patch, Auth and Shard with TLS; the Client looks for Auth on 443 only.
        https: u16 = 443, Rule::Port;
        /// Login.
        login: u16 = 8226, Rule::Port;
        /// Persona; the Client knows only 8228.
        persona: u16 = 8228, Rule::Port;
        /// Mail; the Client knows only 8227.
        mail: u16 = 8227, Rule::Port;
        /// Lobby.
        lobby: u16 = 7003, Rule::Port;
        /// The lowest and the highest room port; see [`Network::room_ports`].
        rooms: [u16; 2] = [9000, 9014], Rule::RoomPorts;
        /// MCOTS; the Client knows only 43300.
        mcots: u16 = 43300, Rule::Port;
        /// Whether SSL 3.0 and TLS 1.0 are spoken for the oldest Windows versions.
        legacy_tls: bool = true, Rule::Switch;
        /// Whether old Windows versions find this machine by its name.
        netbios: bool = true, Rule::Switch;
        /// The name by which they find it. Empty: the host name.
        name: String = String::new(), Rule::MACHINE;
    }
    computed {
        /// Whether the file names `http`. If not, 8080 may stand in when low ports are not permitted.
        http_configured: bool = false;
        /// Whether the file names `https`. If not, 8443 may stand in when low ports are not permitted.
        https_configured: bool = false;
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

section! {
    /// `[accounts]`: who may make them.
    pub struct Accounts {
        /// Who may make accounts.
        registration: Registration = Registration::default(), Registration::RULE;
    }
}

section! {
    /// `[api]`: what programs may read.
    pub struct Api {
        /// Whether `/api/v1` answers.
        enabled: bool = true, Rule::Switch;
        /// What a program has to send as `Authorization: Bearer`. Empty: nothing.
        token: String = String::new(), Rule::TOKEN;
    }
}

choice! {
    /// Who may make accounts.
    pub enum Registration {
        /// Everybody who reaches the server's pages.
        Open = "open",
        /// Only the Operator, with `mcos account add`.
        Operator = "operator",
    }
}

section! {
    /// `[game]`: rules of the game.
    pub struct GameRules {
        /// What a new persona finds in the bank, in the game's dollars.
        starter_cash: u32 = 20_000, Rule::Number("a whole number", 0, 2_147_483_647);
        /// Whether a race time counts only if the track and the clock allow it.
        check_race_times: bool = true, Rule::Switch;
        /// On which day of its life, the first being 1, a persona can be deleted in the game for the first time; 1: at any time.
        deletion_day: u16 = 7, Rule::Number("a whole number", 1, 3650);
        /// Whether the Captain of a club may plan race nights, for their fees alone.
        club_race_nights: bool = true, Rule::Switch;
        /// How long a lap of a track is, in metres, by the number of the track in the Client's catalogue: for what is not known of it, or other.
        track_lengths: BTreeMap<String, u32> = BTreeMap::new(), Rule::TrackLengths;
    }
}

section! {
    /// `[rewards]`: what the best of a week get on Monday at 00:00 UTC, in the game's dollars, the best place first.
    pub struct Rewards {
        /// For most points in all races; five places (*documented*).
        top_dog: Vec<u32> = vec![10_000, 7_500, 5_000, 3_000, 2_000], Rule::Amounts(5);
        /// For most points in each kind of race; ten places (*documented*).
        trials: Vec<u32> = vec![4_000, 3_000, 2_500, 2_000, 1_500, 1_000, 800, 600, 400, 200], Rule::Amounts(10);
        /// For a turf, to the Captain of the club that has won it (*documented*: 30,000).
        turf: u32 = 30_000, Rule::Number("a whole number", 0, 10_000_000);
    }
}

section! {
    /// `[lobby]`: what the lobby's directory shows.
    pub struct Lobby {
        /// How many room servers the directory shows as places to meet: MCC01 and so on. All room ports work, shown or not.
        rooms: u16 = 1, Rule::ROOMS;
        /// Chat channels that are there on every server, by name, with their numbers.
        channels: BTreeMap<String, u32> = BTreeMap::from([("MCCHAT".to_owned(), 191)]), Rule::Channels;
    }
}

section! {
    /// `[limits]`: what one Client, one address and all of them together may use up.
    pub struct Limits {
        /// Connections to all services together.
        connections: usize = 8192, Rule::Number("a whole number", 16, 1_000_000);
        /// Connections from one address that have not signed in to the lobby, a room or MCOTS, and twice as many that have. This
        /// machine itself (loopback) is exempt.
        connections_per_address: usize = 128, Rule::Number("a whole number", 8, 1_000_000);
        /// New connections within a second from an address where somebody plays, and half of them from any other; twelve times as
        /// many at once. Who is refused five times as often within a second is not answered at all for a while. Loopback is exempt.
        connections_per_second: u32 = 64, Rule::Number("a whole number", 4, 1_000_000);
        /// Failed logins from one address with one name within a minute. Loopback is exempt.
        failed_logins_per_minute: u32 = 20, Rule::COUNT;
        /// Passwords checked for one address within a minute, right or wrong. Loopback is exempt.
        password_checks_per_minute: u32 = 120, Rule::COUNT;
        /// How many bytes may wait for one Client that does not read, before it is cut off.
        outbound_bytes: usize = 262_144, Rule::Number("a number of bytes", 16_384, 67_108_864);
        /// How many bytes of relays one persona may send each second, and four times as many at once. More goes nowhere.
        relay_bytes_per_second: u32 = 32_768, Rule::Number("a number of bytes", 16_384, 1_000_000_000);
        /// How many bytes all connections together may hold of packets and handshakes that are not complete yet and, those to the pages,
        /// in all. 0: a quarter of the memory that the process may use.
        input_bytes: usize = 0, Rule::NumberOrNone("a number of bytes", 65_536, 1_099_511_627_776);
        /// Seconds without a message after which a Login, Persona or Mail connection is closed.
        idle_seconds: u64 = 60, Rule::SECONDS;
        /// Seconds within which a Lobby, room or MCOTS connection must have signed in.
        login_seconds: u64 = 30, Rule::SECONDS;
        /// Seconds after which a game connection is lost whose other end the network does not reach.
        unreachable_seconds: u32 = 60, Rule::Number("a number of seconds", 6, 3600);
        /// How many passwords are checked at the same time.
        password_workers: usize = 2, Rule::NumberOf(&[1, 2]);
        /// Minutes for which a Context stays good for a login. Players linger on the Client's screens.
        context_minutes: u32 = 60, Rule::Number("a number of minutes", 30, 10_080);
    }
}

section! {
    /// `[backup]`: where a box keeps the backups that it makes by itself. Anywhere else nothing reads it.
    pub struct Backup {
        /// Whether the newest ones are kept on the boot partition of its card.
        card: bool = true, Rule::Switch;
        /// The label of the USB stick that gets them as well. Empty: none.
        stick: String = "MCOS-BACKUP".to_owned(), Rule::LABEL;
        /// The folder on that stick.
        folder: String = "backups".to_owned(), Rule::FOLDER_NAME;
    }
}

impl Config {
    /// Reads the named file, which must exist; without a name `mcos.toml` of the current folder if there is
    /// one, and the defaults otherwise.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let file = path.unwrap_or(Path::new(FILE_NAME));
        Ok(Self { file: Some(file.to_owned()), ..Self::load_file(file, path.is_some())? })
    }

    /// Whether two files say the same, wherever they are and whatever was wrong with them.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let bare =
            |config: &Self| Self { mistakes: Vec::new(), box_folder: None, file: None, ..config.clone() };
        bare(self) == bare(other)
    }

    /// The same for a box, which has to serve in any case, because nobody can reach it otherwise: without a name it is
    /// `mcos.toml` of `folder`, and what cannot be used of it is replaced by what counted before, as
    /// [`Config::remember_on_box`] kept it in the data folder `data`, or else by the defaults. Nothing is opened by a
    /// mistake, and the number of the shard is not changed by one.
    pub fn load_on_box(path: Option<&Path>, folder: &Path, data: &Path) -> Self {
        let last = || read_file(&data.join(LAST), false).ok().flatten();
        let usual = folder.join(FILE_NAME);
        let file = path.unwrap_or(&usual);
        let mut config = match read_file(file, path.is_some()) {
            Ok(None) => Self::default(),
            Ok(Some(text)) => {
                Self::parse(&text).unwrap_or_else(|error| salvage::salvage(&text, error, last().as_deref()))
            }
            Err(error) => salvage::unreadable(error, last().as_deref()),
        };
        config.box_folder = Some(folder.to_owned());
        config.file = Some(file.to_owned());
        config
    }

    /// Keeps the settings of a box in the data folder `data`, if they are without a mistake, for a start at which they are
    /// not. The same arguments as for [`Config::load_on_box`].
    ///
    /// # Errors
    /// What the system says.
    pub fn remember_on_box(path: Option<&Path>, folder: &Path, data: &Path) -> io::Result<()> {
        let usual = folder.join(FILE_NAME);
        let Ok(text) = read_file(path.unwrap_or(&usual), path.is_some()) else { return Ok(()) };
        let text = text.unwrap_or_default();
        let last = data.join(LAST);
        if Self::parse(&text).is_err() || fs::read(&last).is_ok_and(|last| last == text.as_bytes()) {
            return Ok(());
        }
        atomic_file::replace(&last, Access::Owner, |new| new.write_all(text.as_bytes()))
    }

    fn load_file(file: &Path, must_exist: bool) -> Result<Self, ConfigError> {
        let Some(text) = read_file(file, must_exist)? else { return Ok(Self::default()) };
        Self::parse(&text).map_err(|e| ConfigError { file: file.display().to_string(), ..e })
    }

    /// Reads a configuration from the bytes of a file: UTF-8, or UTF-16 with a byte order mark.
    ///
    /// # Errors
    /// [`ConfigError`] for the first mistake, with its line and key; the file is called `mcos.toml`.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ConfigError> {
        Self::parse(&decoded(bytes)?)
    }

    /// Reads a configuration from its text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        read::read(text)
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

/// The text of a file with settings, with plain line ends; empty if there is no such file.
///
/// # Errors
/// If it cannot be read, is too large, or is no text.
pub fn text_of(file: &Path) -> Result<String, ConfigError> {
    read_file(file, false).map(Option::unwrap_or_default)
}

/// The text of a file; `None` if there is no such file and there need not be one.
fn read_file(file: &Path, must_exist: bool) -> Result<Option<String>, ConfigError> {
    let name = file.display().to_string();
    let refuse = |problem: String| ConfigError { file: name.clone(), line: None, key: None, problem };
    let mut bytes = Vec::new();
    match atomic_file::open(file).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)) {
        Err(e) if e.kind() == ErrorKind::NotFound && !must_exist => Ok(None),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let problem = "there is no such file; correct --config, or leave it out to use the defaults";
            Err(refuse(problem.to_owned()))
        }
        Err(e) => Err(refuse(format!("cannot be read ({e}); check that it is a file and its permissions"))),
        Ok(length) if length as u64 > MAX_FILE_BYTES => {
            Err(refuse("is too large for a configuration; is this the right file?".to_owned()))
        }
        Ok(_) => decoded(bytes).map(Some).map_err(|e| ConfigError { file: name, ..e }),
    }
}

fn decoded(bytes: Vec<u8>) -> Result<String, ConfigError> {
    let text = text_encoding::text(bytes).map(|text| text_encoding::with_plain_line_ends(&text));
    text.map_err(|wrong| ConfigError {
        file: FILE_NAME.to_owned(),
        line: wrong.line,
        key: None,
        problem: wrong.problem.to_owned(),
    })
}

#[cfg(test)]
mod tests;
