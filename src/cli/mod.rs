//! The command line: one file for each group of commands.
//!
//! Every failure is one line on stderr that says what to do; exit 1 for a failure, 2 for a command that was written
//! wrongly. Passwords never come from the command line itself, where every user of the machine could read them.

mod account;
mod backup;
mod box_files;
mod catalog;
mod city;
mod confirm;
mod decode;
mod keys;
mod kit;
mod ledger;
mod load;
mod operator;
mod output;
mod password;
mod patch;
mod persona;
mod probe;
mod progress;
mod reach;
mod replay;
mod serve;
mod update;
mod version;

use crate::clock::Zone;
use crate::config::{Config, DEFAULT_DATA_DIR, FILE_NAME};
use crate::log_ring;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};
use log::warn;
use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Under which the options of every command stand.
const EVERYWHERE: &str = "Options of every command";

/// The Motor City Online server. Without a command it runs the server.
#[derive(Debug, Parser)]
#[command(name = "mcos", version, disable_version_flag = true, max_term_width = 100)]
struct CommandLine {
    /// Print the version
    #[arg(long, short = 'V')]
    version: bool,

    /// Print the version, the commit and the target as JSON
    #[arg(long, requires = "version")]
    json: bool,

    /// Read the settings from this file [default: mcos.toml in the current folder, or else that of the service]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The folder with accounts, cars and keys [default: data_dir in mcos.toml, mcos-data in the current folder, or else that of the service]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Run as an appliance: read mcos.toml from this folder, and start even if it has mistakes
    /// [default, except for serve: /run/mcos-box, if it exists]
    #[arg(long = "box", global = true, help_heading = EVERYWHERE, value_name = "DIR")]
    box_folder: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server; the same as no command
    Serve(serve::Serve),
    /// Add, list, enable and disable accounts, and set passwords
    #[command(subcommand)]
    Account(account::Command),
    /// Add, list and remove personas, the drivers of an account
    #[command(subcommand)]
    Persona(persona::Command),
    /// Write the player kit: files and settings that a player's PC needs for this server
    Kit(kit::Command),
    /// Import the login key of another server
    #[command(subcommand)]
    Keys(keys::Command),
    /// Check the ledger, which records every change of money
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Set the password of the operator's pages; show and remove bans
    #[command(subcommand)]
    Operator(operator::Command),
    /// Plan, show and cancel race nights
    #[command(subcommand)]
    Event(city::EventCommand),
    /// List the classified ads of the players, and remove what offends
    #[command(subcommand)]
    Market(city::DealCommand),
    /// List the auctions of the players, and remove what offends
    #[command(subcommand)]
    Auction(city::DealCommand),
    /// Save all data of the server to one file
    ///
    /// Accounts, personas, cars, money, mail, bans, the operator's password, the keys of the server, the imported catalogue, and those
    /// files of the patch set that were chosen for it. mcos.toml is not part of it.
    ///
    /// It is encrypted, if "mcos operator backup-password" has set a password for that.
    Backup {
        /// The file to write
        file: PathBuf,
    },
    /// Replace all data with a backup; a running server restarts with it
    Restore {
        /// The backup file
        file: PathBuf,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Read the password of an encrypted backup from standard input instead of asking for it
        #[arg(long, requires = "yes")]
        password_stdin: bool,
    },
    /// Import cars and parts from your own copy of the game, or show what is known
    #[command(subcommand)]
    Catalog(catalog::Command),
    /// Offer files of the game to the players' PCs
    #[command(subcommand)]
    Patch(patch::Command),
    /// Test a server the way the game uses it, step by step; exit code 0 if every step passes
    Probe(probe::Probe),
    /// Send the game's side of a recording ("mcos serve --record") to a server; exit code 0 if it gives the same answers
    ///
    /// The account and its personas must have the same numbers as in the recording. On a new server, make them with
    /// "mcos account add NAME --customer-id N" and "mcos persona add ACCOUNT NAME --persona-id N". Use a test server: the
    /// replay buys and changes everything again that was bought or changed in the recording.
    Replay(replay::Replay),
    /// Print packets of the game field by field
    ///
    /// Secrets of a sign-in are shown as zeros. Of an encrypted packet there is nothing to show: a recording has it in plain.
    Decode(decode::Decode),
    /// Let simulated players race on a server, or do something else, and measure it; exit code 0 if nothing was lost or changed
    ///
    /// Every player needs its own account.
    ///
    /// --make-accounts makes them in the data folder of this machine's server: load-0001 and so on, each with a persona
    /// "Load 0001" and a random password that is not shown. They stay there; the next run uses them again with new
    /// passwords. They win money in their races.
    ///
    /// --accounts FILE reads them from a file with one line "NAME PASSWORD" for each account. Empty lines and lines that begin
    /// with # are ignored. Only its owner may have access to the file (chmod 600). An account without a persona gets one with
    /// its name.
    ///
    /// Players race in rooms of six, or do what --scenario says. Who does not race acts at a steady pace (--acts), whether or
    /// not the server keeps up; the times that are shown are those from the moment when an act was due. Each player has up to
    /// four connections, all from one address: unless the server is this machine, raise connections_per_address and connections_per_second under [limits]
    /// in its mcos.toml first.
    Load(load::Load),
    /// On the box: install a signed update, or show the state of the last one
    ///
    /// Checks the bundle and writes it to the slot that is not running. The box tries it at its next start; if the new
    /// system does not start properly, the box returns to the present one. Needs root; restart the box afterwards.
    Update(update::Update),
    /// What the programs of the box leave to this one
    #[command(subcommand, name = "box", hide = true)]
    BoxFiles(box_files::Command),
}

/// Why a command failed.
#[derive(Debug, PartialEq, Eq)]
enum CliError {
    /// The work could not be done: exit code 1.
    Failed(String),
    /// The command line is wrong: exit code 2.
    Usage(String),
}

impl CliError {
    fn failed(why: impl fmt::Display) -> Self {
        Self::Failed(why.to_string())
    }
}

/// Where a box has the files from its card while it runs.
const BOX_FOLDER: &str = "/run/mcos-box";

/// Where a server that is a service of this machine has its settings and its data (the Debian package, `scripts/install`).
const SERVICE: (&str, &str) = ("/etc/mcos/mcos.toml", "/var/lib/mcos");

/// The configuration and the data folder, as every command needs them.
struct Setting {
    config: Config,
    data: PathBuf,
    /// Whether this is a box, which starts in spite of mistakes in its configuration.
    on_box: bool,
}

impl Setting {
    /// The zone in which moments are printed.
    const fn zone(&self) -> &Zone {
        &self.config.shard.time_zone
    }

    fn load(line: &CommandLine, serves: bool) -> Result<Self, CliError> {
        let (config, data) = (line.config.as_deref(), line.data.as_deref());
        if let Some(folder) = box_folder(line, serves, Path::new(BOX_FOLDER)) {
            let data = Config::data_folder_on_box(data);
            let loaded = Config::load_on_box(config, folder, &data);
            for mistake in &loaded.mistakes {
                warn!("{mistake}");
            }
            if loaded.data_dir.is_some() {
                warn!("data_dir in mcos.toml is ignored: a box has a fixed data folder");
            }
            if serves
                && data.is_dir()
                && let Err(error) = Config::remember_on_box(config, folder, &data)
            {
                warn!("the settings cannot be kept for a start at which mcos.toml has mistakes: {error}");
            }
            return Ok(Self { config: loaded, data, on_box: true });
        }
        let (file, folder) = (Path::new(SERVICE.0), Path::new(SERVICE.1));
        let in_unit = std::env::var_os("STATE_DIRECTORY").is_some();
        if !in_unit && is_about_service(line, serves, Path::new(""), folder) {
            let config = Config::load(file.exists().then_some(file)).map_err(CliError::failed)?;
            let data = config.data_dir.clone().unwrap_or_else(|| folder.to_owned());
            return Ok(Self { config, data, on_box: false });
        }
        let config = Config::load(config).map_err(CliError::failed)?;
        let data = config.data_folder(data);
        Ok(Self { config, data, on_box: false })
    }
}

/// The folder of the box, if this is one. Commands notice that by themselves, unless they are told what to work on.
fn box_folder<'a>(line: &'a CommandLine, serves: bool, usual: &'a Path) -> Option<&'a Path> {
    let told = serves || line.config.is_some() || line.data.is_some();
    line.box_folder.as_deref().or_else(|| (!told && usual.is_dir()).then_some(usual))
}

/// Whether a command is about the service of this machine, whose data are in `service`: nobody said anything else, and the current
/// folder, `here`, has no server of its own.
fn is_about_service(line: &CommandLine, serves: bool, here: &Path, service: &Path) -> bool {
    let told = serves || line.config.is_some() || line.data.is_some();
    let own = || here.join(FILE_NAME).exists() || here.join(DEFAULT_DATA_DIR).exists();
    // A link to a folder that only root may enter, as systemd makes it, is there as well.
    !told && !own() && service.symlink_metadata().is_ok()
}

/// Does what the command line of this process says.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let outcome = match CommandLine::try_parse_from(arguments) {
        Ok(line) => execute(line),
        Err(e) => match e.kind() {
            // Asked for, so not an error; a reader that has gone away is none either.
            ErrorKind::DisplayHelp => {
                let _ = e.print();
                Ok(())
            }
            _ => Err(CliError::Usage(in_one_line(&e))),
        },
    };
    let (problem, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(CliError::Failed(problem)) => (problem, 1),
        Err(CliError::Usage(problem)) => (problem, 2),
    };
    // Where stderr is closed there is nobody to tell; the exit code still does.
    let _ = writeln!(std::io::stderr(), "mcos: {}", problem.replace('\n', " "));
    ExitCode::from(code)
}

/// The commands and their options, from which the manual pages and the completions are made (`examples/manual.rs`).
pub fn definition() -> clap::Command {
    CommandLine::command()
}

fn execute(mut line: CommandLine) -> Result<(), CliError> {
    if line.version {
        return version::print(line.json);
    }
    let command = line.command.take().unwrap_or_else(|| Command::Serve(serve::Serve::default()));
    start_log(&command);
    if let Command::BoxFiles(command) = command {
        return box_files::run(command, line.data.as_deref());
    }
    let setting = Setting::load(&line, matches!(command, Command::Serve(_)))?;
    match command {
        Command::Serve(command) => serve::run(setting, &command),
        Command::Account(command) => account::run(&setting, command),
        Command::Persona(command) => persona::run(&setting, command),
        Command::Kit(command) => kit::run(&setting, &command),
        Command::Keys(command) => keys::run(&setting, command),
        Command::Ledger(command) => ledger::run(&setting, &command),
        Command::Operator(command) => operator::run(&setting, command),
        Command::Event(command) => city::event(&setting, command),
        Command::Market(command) => city::market(&setting, command),
        Command::Auction(command) => city::auction(&setting, command),
        Command::Backup { file } => backup::back_up(&setting, &file),
        Command::Restore { file, yes, password_stdin } => {
            backup::restore(&setting, &file, yes, password_stdin)
        }
        Command::Catalog(command) => catalog::run(&setting, command),
        Command::Patch(command) => patch::run(&setting, command),
        Command::Decode(command) => decode::run(&command),
        Command::Probe(command) => probe::run(setting, command),
        Command::Replay(command) => replay::run(setting, command),
        Command::Load(command) => load::run(&setting, command),
        Command::Update(command) => update::run(&setting, &command),
        Command::BoxFiles(command) => box_files::run(command, Some(setting.data.as_path())),
    }
}

/// The server logs what happens, and so does an update, which takes a while; other commands log only warnings.
/// `RUST_LOG` says otherwise as usual.
fn start_log(command: &Command) {
    let tells = matches!(command, Command::Serve(_) | Command::Update(_));
    let level = if tells { "info,sled=warn" } else { "warn" };
    let wanted = env_logger::Env::default().default_filter_or(level);
    log_ring::install(env_logger::Builder::from_env(wanted).target(env_logger::Target::Stderr).build());
}

/// What is wrong with the command line, without the paragraphs around it.
fn in_one_line(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing; add --help to see all commands".to_owned();
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim);
    let lines =
        lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    let mut parts: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    parts.push("add --help to see how it is used");
    let text = parts.join("; ");
    text.strip_prefix("error: ").unwrap_or(&text).replace(":; ", ": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &str) -> Result<CommandLine, String> {
        let arguments = std::iter::once("mcos").chain(arguments.split_whitespace());
        CommandLine::try_parse_from(arguments).map_err(|e| in_one_line(&e))
    }

    #[test]
    fn the_declared_commands_are_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn config_and_data_are_taken_before_and_after_every_command() {
        for command in [
            "",
            "serve",
            "serve --record r",
            "replay r mcos.local --user alice --password-stdin",
            "account add alice",
            "account list",
            "account disable alice",
            "account enable alice",
            "account passwd alice",
            "persona add alice Racer",
            "persona list",
            "persona remove Racer --yes",
            "keys import-login login.pem",
            "operator passwd",
            "operator backup-password",
            "operator backup-password --remove",
            "operator bans",
            "operator unban alice",
            "backup b.mcos",
            "restore b.mcos",
            "restore b.mcos --yes",
            "restore b.mcos --yes --password-stdin",
            "kit out.zip --host mcos.local",
            "catalog import game.mdb",
            "catalog show",
            "catalog cars --json",
            "patch add a.mdb Data/DB/Online.mdb --note x --backup",
            "patch list",
            "patch remove Data/DB/Online.mdb",
            "probe",
            "probe mcos.local:8080 --user alice --password-stdin --json",
            "load --players 60 --make-accounts",
            "load mcos.local --players 6 --seconds 5 --rate 20 --accounts players --json",
            "update u.update --disk card.img --key k.pub --board rpi",
            "update --confirm --disk card.img",
            "update --status --json",
        ] {
            for line in [
                format!("--config c.toml --data d {command}"),
                format!("{command} --config c.toml --data d"),
                format!("--data d {command} --config=c.toml"),
            ] {
                let line = parsed(&line).unwrap();
                assert_eq!(line.config.as_deref(), Some(Path::new("c.toml")), "{command}");
                assert_eq!(line.data.as_deref(), Some(Path::new("d")), "{command}");
            }
        }
    }

    #[test]
    fn a_command_notices_that_it_is_on_a_box_unless_it_is_told_what_to_work_on() {
        let here = tempfile::tempdir().unwrap();
        let found = |arguments: &str, serves: bool| {
            box_folder(&parsed(arguments).unwrap(), serves, here.path()).map(Path::to_path_buf)
        };
        assert_eq!(found("account list", false).as_deref(), Some(here.path()));
        assert_eq!(found("account list --data d", false), None);
        assert_eq!(found("account list --config c.toml", false), None);
        assert_eq!(found("serve", true), None);
        assert_eq!(found("serve --box b", true).as_deref(), Some(Path::new("b")));
        let line = parsed("account list").unwrap();
        assert_eq!(box_folder(&line, false, &here.path().join("none")), None);
    }

    #[test]
    fn a_command_is_about_the_service_unless_told_otherwise_or_beside_a_server() {
        let (here, service) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let link = here.path().join("link");
        std::os::unix::fs::symlink("/nowhere/private", &link).unwrap();
        let is = |arguments: &str, serves, service: &Path| {
            is_about_service(&parsed(arguments).unwrap(), serves, here.path(), service)
        };
        assert!(is("account list", false, service.path()) && is("account list", false, &link));
        assert!(!is("account list --data d", false, service.path()));
        assert!(!is("account list --config c.toml", false, service.path()));
        assert!(!is("serve", true, service.path()));
        assert!(!is("account list", false, &here.path().join("none")));
        for own in [FILE_NAME, DEFAULT_DATA_DIR] {
            std::fs::write(here.path().join(own), "").unwrap();
            assert!(!is("account list", false, service.path()), "{own}");
            std::fs::remove_file(here.path().join(own)).unwrap();
        }
    }

    #[test]
    fn a_wrongly_written_command_is_explained_in_one_line() {
        for (arguments, part) in [
            ("acount list", "unrecognized subcommand 'acount'"),
            ("account", "a command is missing"),
            ("account add", "required arguments were not provided: <NAME>"),
            ("account add alice --customer-id 0", "invalid value '0' for '--customer-id <N>'"),
            ("account add alice s3cret", "unexpected argument"),
            ("persona add alice Racer --persona-id x", "invalid value 'x' for '--persona-id <N>'"),
            ("probe --password-stdin", "required arguments were not provided: --user <NAME>"),
            ("load --players 6", "required arguments were not provided: --accounts <FILE>"),
            ("load mcos.local --players 6 --make-accounts", "cannot be used with"),
            ("serve --port 80", "unexpected argument '--port'"),
            ("update", "required arguments were not provided: <FILE>"),
            ("update u.update --confirm", "cannot be used with"),
            ("update --confirm --status", "cannot be used with"),
            ("update --confirm --board rpi", "cannot be used with"),
            ("restore b.mcos --password-stdin", "required arguments were not provided: --yes"),
            ("operator backup-password --remove --password-stdin", "cannot be used with"),
            ("kit", "required arguments were not provided: <OUT.zip>"),
            ("kit out.zip --host [::1]", "invalid value '[::1]' for '--host <NAME>'"),
            ("patch add a ../b", "invalid value '../b' for '<PATH>'"),
            ("patch remove C:/b", "invalid value 'C:/b' for '<PATH>'"),
            ("--config", "a value is required for '--config <FILE>'"),
        ] {
            let explained = parsed(arguments).expect_err(arguments);
            assert!(explained.contains(part), "{explained}");
            assert_eq!(explained.matches("--help").count(), 1, "{explained}");
            assert_eq!(explained.lines().count(), 1, "{explained}");
        }
    }
}
