//! `mcos load`: simulated players, and what the server made of them.

use super::progress::Progress;
use super::{CliError, Setting, output, reach};
use crate::admin::requests::{Request, Response, Secret};
use crate::client::load::{self, Found, Options, Report};
use crate::client::probe::Credentials;
use crate::client::racing::Counters;
use clap::{Args, ValueEnum};
use rand::Rng as _;
use rand::distributions::Alphanumeric;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long any wait may last: a server under load is slow, which is what is to be measured.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often in a second the progress is looked at.
const TICKS: u32 = 4;
/// The most bytes of a file with accounts.
const LARGEST_FILE: u64 = 1024 * 1024;
/// Characters of a random password.
const PASSWORD_LENGTH: usize = 24;

#[derive(Debug, Args)]
pub(super) struct Load {
    /// Name or address of the server, with :PORT if its web port is not 80 [default: the server of this machine]
    #[arg(conflicts_with = "make_accounts")]
    host: Option<String>,
    /// Number of players
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=9999))]
    players: u32,
    /// What the players do
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Scenario::Races)]
    scenario: Scenario,
    /// Length of the load in seconds
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Packets that each racer sends in a second
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// How often in a second each player who does not race does what it does; may be a fraction
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = acts_per_second)]
    acts: f64,
    /// Read the accounts from this file: a name and a password per line
    #[arg(long, value_name = "FILE", required_unless_present = "make_accounts")]
    accounts: Option<PathBuf>,
    /// Make the accounts on the server of this machine
    #[arg(long, conflicts_with = "accounts")]
    make_accounts: bool,
    /// Print one JSON document instead of lines
    #[arg(long)]
    json: bool,
}

/// What the players do; see [`load::Scenario`].
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scenario {
    /// Race in rooms of six
    Races,
    /// Sign in as the game does, into the lobby, and out, again and again
    SignIns,
    /// Log in on port 8226 with one ticket on one connection, again and again
    Logins,
    /// Look at the lobby's channels and at who is there
    Lobby,
    /// Speak to everybody in a room of twenty
    Chat,
    /// Buy a part and scrap it
    Shopping,
    /// Of each ten players six race, and of the others each does one of the other things
    Mixed,
}

impl From<Scenario> for load::Scenario {
    fn from(scenario: Scenario) -> Self {
        match scenario {
            Scenario::Races => Self::Races,
            Scenario::SignIns => Self::SignIns,
            Scenario::Logins => Self::Logins,
            Scenario::Lobby => Self::Lobby,
            Scenario::Chat => Self::Chat,
            Scenario::Shopping => Self::Shopping,
            Scenario::Mixed => Self::Mixed,
        }
    }
}

fn acts_per_second(text: &str) -> Result<f64, String> {
    let wanted = text.parse().ok().filter(|rate| (0.01..=1000.0).contains(rate));
    wanted.ok_or_else(|| "write a number from 0.01 to 1000".to_owned())
}

pub(super) fn run(setting: &Setting, command: Load) -> Result<(), CliError> {
    let Load { host, players, scenario, seconds, rate, acts, accounts, json, .. } = command;
    let count = usize::try_from(players).unwrap_or(usize::MAX);
    let known = accounts.map(|file| read_accounts(&file, count)).transpose()?;
    // Where there are too few, the errors will say so.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let found = Found::at(host.as_deref(), &setting.config.network, TIMEOUT);
    let found = smol::block_on(found).map_err(|trouble| match trouble {
        load::LoadError::Host(_) => CliError::Usage(trouble.to_string()),
        load::LoadError::Server(_) => CliError::failed(trouble),
    })?;
    let players = match known {
        Some(players) => players,
        None => make_accounts(setting, count)?,
    };
    let counters = Arc::new(Counters::default());
    let options = Options { players, scenario: scenario.into(), rate, acts, seconds };
    let work = load::run(found, options, Arc::clone(&counters));
    let report = smol::block_on(smol::future::or(work, watch(&counters, count, seconds)));
    match report.print(json, &mut io::stdout()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(CliError::Failed(format!("cannot print: {error}")));
        }
        _ => {}
    }
    verdict(&report)
}

fn verdict(report: &Report) -> Result<(), CliError> {
    let (lost, errors) = (report.lost(), report.errors());
    if lost == 0 && errors == 0 {
        return Ok(());
    }
    Err(CliError::Failed(format!(
        "{lost} packets or acts came to nothing and there were {errors} errors; the server's log says more"
    )))
}

/// Shows how much has been sent and received; never ends by itself.
async fn watch<T>(counters: &Counters, players: usize, seconds: u32) -> T {
    let whole = u64::from(seconds) * u64::from(TICKS);
    let mut progress = Progress::of(whole);
    let mut races = 0;
    loop {
        smol::Timer::after(Duration::from_secs(1) / TICKS).await;
        let [joined, sent, received] =
            [&counters.joined, &counters.sent, &counters.received].map(|count| count.load(Ordering::Relaxed));
        // They race when the first packet is sent.
        races = whole.min(races + u64::from(sent > 0));
        progress.at(races, format_args!("{joined} of {players} players, {sent} sent, {received} received"));
    }
}

/// Accounts `load-0001` and so on, with fresh passwords, each with a persona.
fn make_accounts(setting: &Setting, count: usize) -> Result<Vec<Credentials>, CliError> {
    let known: HashSet<String> = match reach::perform(setting, Request::ListAccounts)? {
        Response::Accounts(accounts) => accounts.into_iter().map(|known| known.name).collect(),
        other => return Err(reach::unexpected(&other)),
    };
    let mut players = Vec::new();
    for number in 1..=count {
        let (name, persona) = (format!("load-{number:04}"), format!("Load {number:04}"));
        let password: Zeroizing<String> = Zeroizing::new(
            rand::thread_rng().sample_iter(Alphanumeric).take(PASSWORD_LENGTH).map(char::from).collect(),
        );
        let secret = Secret::new(String::clone(&password));
        if known.contains(&name) {
            check_that_it_is_ours(setting, &name, &persona)?;
        }
        let request = if known.contains(&name) {
            Request::SetPassword { name: name.clone(), password: secret }
        } else {
            Request::AddAccount { name: name.clone(), password: secret, customer_id: None }
        };
        reach::perform(setting, request)?;
        if !known.contains(&name) {
            let request = Request::AddPersona { account: name.clone(), name: persona, persona_id: None };
            reach::perform(setting, request)?;
        }
        players.push(Credentials { user: name, password });
    }
    Ok(players)
}

/// Whether an account of such a name was made by this command: it has that one persona. Players may give theirs such a name.
fn check_that_it_is_ours(setting: &Setting, name: &str, persona: &str) -> Result<(), CliError> {
    let request = Request::ListPersonas { account: Some(name.to_owned()) };
    let personas = match reach::perform(setting, request)? {
        Response::Personas(personas) => personas,
        other => return Err(reach::unexpected(&other)),
    };
    if personas.len() == 1 && personas.iter().all(|known| known.name == persona) {
        return Ok(());
    }
    Err(CliError::Failed(format!(
        "the account {name} is somebody's: this command makes it with the one persona {persona:?}; rename or remove it, or use --accounts"
    )))
}

/// The first `count` accounts of a file that nobody else may read.
fn read_accounts(path: &Path, count: usize) -> Result<Vec<Credentials>, CliError> {
    let shown = path.display();
    let unreadable = |error: io::Error| output::unreadable(path, &error);
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
        return Err(CliError::Failed(format!(
            "{shown} holds passwords and others may read or change it; do \"chmod 600 {shown}\" and try again"
        )));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(LARGEST_FILE).read_to_string(&mut text).map_err(unreadable)?;
    let mut players = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some(comment), ..) if comment.starts_with('#') => {}
            (Some(user), Some(password), None) => players
                .push(Credentials { user: user.to_owned(), password: Zeroizing::new(password.to_owned()) }),
            _ => {
                let problem = format!("{shown}:{number}: write a name and a password, with a space between");
                return Err(CliError::Failed(problem));
            }
        }
    }
    if players.len() < count {
        let found = players.len();
        return Err(CliError::Failed(format!(
            "{shown} has {found} accounts and {count} players need one each; add some or ask for fewer players"
        )));
    }
    players.truncate(count);
    Ok(players)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn accounts_come_from_a_file_that_only_its_owner_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("players");
        fs::write(&path, "# two\nmarty s3cret\n\n  doc  flux-121\r\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let refusal = |count| match read_accounts(&path, count) {
            Err(CliError::Failed(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(refusal(2).contains("chmod 600"));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let players = read_accounts(&path, 2).unwrap();
        let pairs: Vec<_> = players.iter().map(|p| (p.user.as_str(), p.password.as_str())).collect();
        assert_eq!(pairs, [("marty", "s3cret"), ("doc", "flux-121")]);
        assert!(refusal(3).contains("has 2 accounts and 3 players"));
        fs::write(&path, "marty\n").unwrap();
        let why = refusal(1);
        assert!(why.contains(":1: write a name and a password"), "{why}");
    }
}
