//! The `mcos` program as an Operator uses it: arguments, exit codes, what is printed, and a server beside it.

use crate::support::{Raw, Running};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const CONFIG: &str = r#"
[shard]
name = "Check City"
max_personas = 2
[network]
bind = ["127.0.0.1"]
http = 0
https = 0
login = 0
persona = 0
mail = 0
lobby = 0
rooms = [0, 0]
mcots = 0
[game]
starter_cash = 777
"#;

/// A folder with a configuration, in which commands run.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mcos.toml"), CONFIG).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
        command.current_dir(self.folder.path()).env_remove("RUST_LOG").env_remove("STATE_DIRECTORY");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
        command
    }

    /// Runs one command with this text on standard input.
    fn mcos_reading(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command().args(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A command that does not read its input may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn mcos(&self, arguments: &str) -> Output {
        self.mcos_reading(&arguments.split_whitespace().collect::<Vec<_>>(), "")
    }

    /// What a command prints that has to succeed without a word on stderr.
    fn done(&self, arguments: &str) -> String {
        printed(&self.mcos(arguments))
    }

    fn add_account(&self, arguments: &str) -> String {
        let arguments = format!("account add {arguments} --password-stdin");
        printed(&self.mcos_reading(&arguments.split_whitespace().collect::<Vec<_>>(), "s3cret\n"))
    }

    /// The one line on stderr of a command that has to fail with this exit code.
    fn refused(&self, code: i32, arguments: &str) -> String {
        refusal(code, &self.mcos(arguments))
    }
}

fn printed(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{:?}: {stderr}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refusal(code: i32, output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("mcos: ") && stderr.ends_with('\n'), "{stderr}");
    assert!(output.stdout.is_empty());
    stderr
}

/// A running server, killed when dropped.
struct Server {
    running: Running,
    log: PathBuf,
}

impl Server {
    fn start(place: &Place) -> Self {
        let log = place.path("log");
        let child = place.command().arg("serve").stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
        Self { running: Running::await_ports(child).unwrap(), log }
    }

    fn get(&self, target: &str) -> String {
        let mut raw = Raw::connect(self.running.port("http"));
        raw.send(format!("GET {target} HTTP/1.0\r\n\r\n").as_bytes());
        let answer = String::from_utf8(raw.receive_all()).unwrap();
        answer.split_once("\r\n\r\n").expect("an answer").1.to_owned()
    }

    fn may_log_in(&self, name: &str, password: &str) -> bool {
        self.get(&format!("/AuthLogin?username={name}&password={password}"))
            .starts_with("Valid=TRUE\nTicket=")
    }

    /// Ends the server as systemd does, and gives back its log.
    fn stop(mut self) -> String {
        let status = self.running.stop().expect("the server ends");
        assert!(status.success(), "{status}");
        fs::read_to_string(&self.log).unwrap()
    }
}

/// The private keys of other servers to take over: made by another server here.
fn login_key_pem(file: &Path) -> String {
    use mco_proto::session_key::LoginKey;
    use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
    let key = LoginKey::generate().unwrap();
    let pem = rsa::RsaPrivateKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
    fs::write(file, pem.to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap();
    key.public_hex().unwrap()
}

/// A pipe that nobody writes to.
fn pipe(at: &Path) {
    assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
}

#[test]
fn the_programs_of_the_box_wait_for_no_pipe_in_the_place_of_a_file() {
    let place = Place::new();
    let settings = place.path("settings");
    fs::create_dir(&settings).unwrap();
    pipe(&settings.join("mcos.toml"));
    let file = place.path("pipe");
    pipe(&file);
    let (folder, file) = (place.folder.path().to_str().unwrap(), file.to_str().unwrap());
    let run = |arguments: &[&str]| {
        // A command that waits is ended with 124.
        let mut command = Command::new("timeout");
        command.args(["120", env!("CARGO_BIN_EXE_mcos"), "box"]).args(arguments);
        let output = command.current_dir(folder).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, _) = run(&["backup-target", "card", settings.to_str().unwrap(), folder]);
    assert_eq!(code, Some(0), "by the settings that there are without it");
    let (code, said) = run(&["wifi", file, "wifi.conf", "notes"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("wifi.txt cannot be read, and the box joins no Wi-Fi: it is no file"), "{said}");
    let (code, said) = run(&["keep-backup", file, folder]);
    assert_eq!(code, Some(1));
    assert!(said.contains("it is no file"), "{said}");
}

#[test]
fn a_pipe_in_the_place_of_a_backup_is_refused_and_not_waited_for() {
    let place = Place::new();
    let file = place.path("pipe");
    pipe(&file);
    // A command that waits is ended with 124.
    let mut command = Command::new("timeout");
    command
        .args(["120", env!("CARGO_BIN_EXE_mcos"), "restore"])
        .arg(&file)
        .arg("--data")
        .arg(place.path("new"));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("it is no file"), "{said}");
}

#[test]
fn a_card_of_which_nothing_can_be_tried_is_not_said_to_be_sound() {
    let place = Place::new();
    let card = place.path("card");
    fs::write(&card, vec![0; 1 << 20]).unwrap();
    let try_from = |sector: &str| {
        let output = place.command().args(["box", "probe-card", card.to_str().unwrap(), sector]).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(try_from("1024"), (Some(0), String::new()));
    for sector in ["2048", "4096", "2041"] {
        let (code, said) = try_from(sector);
        assert_eq!(code, Some(1), "{sector}");
        assert!(said.contains("no block on it that could be tried"), "{said}");
    }
}

#[test]
fn accounts_and_personas_are_made_and_listed_while_no_server_runs() {
    let place = Place::new();
    assert_eq!(place.add_account("bob"), "account bob (customer 1000) was added\n");
    assert_eq!(place.add_account("alice --customer-id 7"), "account alice (customer 7) was added\n");
    let persona = place.done("persona add Alice Racer --persona-id 21");
    assert_eq!(persona, "persona Racer (number 21) was added to account alice\n");
    assert_eq!(place.done("account disable bob"), "account bob (customer 1000) is disabled\n");
    let accounts = place.done("account list");
    let lines: Vec<Vec<&str>> = accounts.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["CUSTOMER", "NAME", "PERSONAS", "STATE", "CREATED"]);
    assert_eq!(lines[1][..4], ["7", "alice", "1", "enabled"]);
    assert_eq!(lines[2][..4], ["1000", "bob", "0", "disabled"]);
    assert_eq!(lines.len(), 3);
    let personas = place.done("persona list");
    assert_eq!(
        personas,
        "PERSONA  NAME   ACCOUNT  BANK  LAST SIGN-IN\n\
         21       Racer  alice    777   never\n"
    );
    assert_eq!(place.done("persona list alice"), personas);
    assert_eq!(place.done("persona list bob").lines().count(), 1);
    assert_eq!(place.done("account enable bob"), "account bob (customer 1000) is enabled\n");
}

#[test]
fn the_cars_for_sale_are_listed_with_the_numbers_that_give_car_takes() {
    let place = Place::new();
    place.add_account("alice");
    let table = place.done("catalog cars");
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["MODEL", "CLASS", "PRICE", "CAR"]);
    let cars: serde_json::Value = serde_json::from_str(&place.done("catalog cars --json")).unwrap();
    let cars = cars.as_array().unwrap();
    assert_eq!((cars.len(), cars.is_empty()), (rows.len() - 1, false));
    assert_eq!(cars[0]["model"].to_string(), rows[1][0]);
    assert!(cars[0]["name"].is_string() && cars[0]["class"].is_string() && cars[0]["price"].is_u64());
}

#[test]
fn what_cannot_be_done_ends_with_1_and_one_line_that_says_why() {
    let place = Place::new();
    place.add_account("alice");
    let long = "a".repeat(33);
    for (arguments, part) in [
        ("account disable nobody", "account"),
        ("account enable nobody", "account"),
        ("persona add nobody Racer", "there is no account \"nobody\""),
        ("persona list nobody", "there is no account \"nobody\""),
        ("persona remove nobody", "there is no persona \"nobody\""),
        ("persona add alice TooLongAPersona", ""),
        ("account disable nobody", "see all names with `mcos account list`"),
        ("persona remove nobody --yes", "see all names with `mcos persona list`"),
        ("keys import-login missing.pem", "missing.pem: the file cannot be read"),
        ("keys import-login missing.pem", "check the name, or give the whole path; it was looked for in "),
        ("restore missing.mcos", "check the name, or give the whole path"),
        ("catalog import missing.mdb", "check the name, or give the whole path"),
        ("patch add missing.mdb Data/DB/Online.mdb", "check the name, or give the whole path"),
        ("load --players 1 --accounts missing", "check the name, or give the whole path"),
        ("keys import-login mcos.toml", "PEM"),
        ("account list --config missing.toml", "missing.toml: there is no such file"),
        ("account list --data mcos.toml", "mcos.toml"),
    ] {
        let line = place.refused(1, arguments);
        assert!(line.contains(part), "{line}");
    }
    for (name, password) in
        [("alice", "s3cret"), ("bad name", "s3cret"), (&long, "s3cret"), ("bob", "abc"), ("bob", "")]
    {
        refusal(1, &place.mcos_reading(&["account", "add", name, "--password-stdin"], password));
    }
    refusal(1, &place.mcos_reading(&["account", "passwd", "nobody", "--password-stdin"], "s3cret"));
    assert_eq!(place.done("account list").lines().count(), 2);
}

#[test]
fn a_persona_is_removed_after_a_yes_and_not_without() {
    let place = Place::new();
    place.add_account("alice");
    place.done("persona add alice Racer");
    for (answer, why) in [("", "nobody answered"), ("n\n", "the answer was not yes")] {
        let output = place.mcos_reading(&["persona", "remove", "racer"], answer);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("Racer of the account alice has ") && said.contains(why), "{said}");
        assert_eq!(place.done("persona list").lines().count(), 2);
    }
    let output = place.mcos_reading(&["persona", "remove", "racer"], "y\n");
    assert!(output.status.success());
    assert_eq!(place.done("persona list").lines().count(), 1);
    place.done("persona add alice Racer");
    place.done("persona remove Racer --yes");
}

#[test]
fn what_cannot_be_decoded_ends_with_1_and_is_shown_nevertheless() {
    let place = Place::new();
    for (digits, shown) in
        [("4745540a", "no packet of the game"), ("021700040217", "no whole packet"), ("110100080011", "")]
    {
        let output = place.mcos_reading(&["decode", digits], "");
        let (printed, said) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{digits}: {printed}");
        assert!(
            printed.contains(shown) && said.contains("not all of this could be decoded"),
            "{printed}{said}"
        );
    }
    assert!(place.done("decode 02170004").contains("HEARTBEAT"));
}

#[test]
fn a_wrongly_written_command_ends_with_2() {
    let place = Place::new();
    for arguments in [
        "acount list",
        "account",
        "account add",
        "account add alice s3cret",
        "account add alice --password s3cret",
        "account add alice --password-stdin --customer-id 0",
        "persona add alice",
        "persona add alice Racer --persona-id x",
        "keys import-login",
        "serve --port 80",
        "--config",
    ] {
        assert!(place.refused(2, arguments).contains("--help"), "{arguments}");
    }
    assert!(!place.path("mcos-data").exists(), "nothing was touched");
}

#[test]
fn without_a_terminal_a_password_comes_from_standard_input_or_not_at_all() {
    let place = Place::new();
    for arguments in ["account add alice", "account passwd alice"] {
        let output = place.mcos_reading(&arguments.split_whitespace().collect::<Vec<_>>(), "s3cret\n");
        assert!(refusal(2, &output).contains("--password-stdin"));
    }
}

#[test]
fn who_would_be_asked_for_a_password_in_vain_is_told_before() {
    let place = Place::new();
    printed(&place.mcos_reading(&["account", "add", "alice", "--password-stdin"], "s3cret"));
    for (arguments, why) in [("account add Alice", "taken"), ("account passwd bob", "no such account")] {
        let output = place.mcos_reading(&arguments.split_whitespace().collect::<Vec<_>>(), "s3cret\n");
        assert!(refusal(1, &output).contains(why), "{arguments}");
    }
}

#[test]
fn config_and_data_are_taken_before_and_after_the_command() {
    let place = Place::new();
    fs::write(place.path("other.toml"), "[game]\nstarter_cash = 5\n").unwrap();
    printed(
        &place.mcos_reading(&["--data", "there", "account", "add", "alice", "--password-stdin"], "s3cret"),
    );
    place.done("persona add alice One --config other.toml --data there");
    place.done("--config other.toml --data there persona add alice Two");
    place.done("--data there persona --config other.toml add alice Three");
    let personas = place.done("persona list --data=there");
    let cash: Vec<_> = personas.lines().skip(1).map(|line| line.split_whitespace().nth(3).unwrap()).collect();
    assert_eq!(cash, ["5", "5", "5"]);
    assert!(!place.path("mcos-data").exists());
}

#[test]
fn the_data_folder_is_the_one_systemd_made_if_nobody_names_another() {
    let place = Place::new();
    let run = |arguments: &[&str]| {
        let state = place.path("state");
        printed(&place.command().args(arguments).env("STATE_DIRECTORY", state).output().unwrap())
    };
    login_key_pem(&place.path("login.pem"));
    run(&["keys", "import-login", "login.pem"]);
    assert!(place.path("state").exists() && !place.path("mcos-data").exists());
    fs::write(place.path("named.toml"), "data_dir = \"named\"\n").unwrap();
    run(&["keys", "import-login", "login.pem", "--config", "named.toml"]);
    assert!(place.path("named").exists());
}

#[test]
fn a_command_that_reads_or_changes_makes_nothing_where_nothing_is() {
    let place = Place::new();
    place.add_account("alice");
    fs::create_dir(place.path("empty")).unwrap();
    for command in [
        "account list",
        "account disable alice",
        "account enable alice",
        "persona list",
        "persona add alice Racer",
        "ledger check",
        "operator bans",
        "operator unban alice",
        "kit kit.zip --host mcos.local",
        "backup b.mcos",
    ] {
        for data in ["mistyped", "empty"] {
            let line = place.refused(1, &format!("{command} --data {data}"));
            assert!(line.contains(&format!("there is no data of mcos in {data}")), "{command}: {line}");
        }
    }
    refusal(
        1,
        &place.mcos_reading(&["account", "passwd", "alice", "--password-stdin", "--data", "empty"], "s3cret"),
    );
    assert!(!place.path("mistyped").exists());
    assert_eq!(fs::read_dir(place.path("empty")).unwrap().count(), 0);
    assert!(!place.path("b.mcos").exists() && !place.path("kit.zip").exists());
}

#[test]
fn a_restore_asks_unless_there_is_nothing_to_replace() {
    let place = Place::new();
    place.add_account("alice");
    place.done("backup one.mcos");
    place.add_account("bob");
    let listed = || place.done("account list").lines().count() - 1;
    for (answer, why) in [("", "scripts add --yes"), ("\n", "was not yes"), ("no\n", "was not yes")] {
        let output = place.mcos_reading(&["restore", "one.mcos"], answer);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("one.mcos holds 1 account and 0 personas") && said.contains("[y/N]"), "{said}");
        assert!(!said.contains("  "), "{said}");
        assert!(said.contains("nothing was changed") && said.contains(why), "{said}");
        assert_eq!(listed(), 2);
    }
    let output = place.mcos_reading(&["restore", "one.mcos"], "yes\n");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(listed(), 1);
    place.add_account("carl");
    assert_eq!(listed(), 2);
    let output = place.mcos("restore one.mcos --yes");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !said.contains("ERROR") && !said.contains("[y/N]"), "{said}");
    assert_eq!(listed(), 1);
    // A new card: nothing to ask, and nothing to set aside.
    let output = place.mcos("restore one.mcos --data new");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_mistake_in_the_configuration_is_named_with_file_line_and_key() {
    let place = Place::new();
    fs::write(place.path("bad.toml"), "[network]\nlobby = 7003\nrooms = [9014, 9000]\n").unwrap();
    for command in ["", "serve", "account list", "persona list", "keys import-login x"] {
        let line = place.refused(1, &format!("{command} --config bad.toml"));
        assert!(
            line.starts_with("mcos: bad.toml:3: network.rooms: must be the lowest and the highest"),
            "{line}"
        );
    }
}

#[test]
fn help_and_version_are_printed_and_are_no_error() {
    let place = Place::new();
    for version in ["--version", "-V"] {
        assert_eq!(place.done(version), format!("mcos {}\n", env!("CARGO_PKG_VERSION")));
    }
    let version: serde_json::Value = serde_json::from_str(&place.done("--version --json")).unwrap();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["target"].as_str().unwrap().starts_with(std::env::consts::ARCH), "{version}");
    assert!(version.get("commit").is_some(), "{version}");
    assert!(place.refused(2, "--json").contains("--version"));
    for arguments in
        ["--help", "account --help", "account add --help", "persona list --help", "keys --help", "help"]
    {
        let help = place.done(arguments);
        assert!(
            help.contains("Usage: mcos") && help.contains("--config <FILE>") || arguments == "help",
            "{help}"
        );
    }
}

#[test]
fn commands_work_beside_a_running_server_and_take_effect_at_once() {
    let place = Place::new();
    place.add_account("before");
    let server = Server::start(&place);
    assert!(server.may_log_in("before", "s3cret"));
    assert!(!server.may_log_in("alice", "s3cret"));
    place.add_account("alice --customer-id 7");
    assert!(server.may_log_in("alice", "s3cret"));
    place.done("persona add alice Racer");
    assert!(place.done("persona list alice").contains("Racer  alice    777"));
    place.done("account disable alice");
    assert!(!server.may_log_in("alice", "s3cret"));
    place.done("account enable alice");
    printed(&place.mcos_reading(&["account", "passwd", "alice", "--password-stdin"], "n3w-pass\r\n"));
    assert!(server.may_log_in("alice", "n3w-pass") && !server.may_log_in("alice", "s3cret"));
    assert_eq!(place.done("account list").lines().count(), 3);
    assert!(place.refused(1, "persona list nobody").contains("there is no account \"nobody\""));
    let shards = server.get("/ShardList/");
    assert!(shards.starts_with("[Check City]\n      Description=Check City\n"), "{shards}");
    let log = server.stop();
    assert!(log.contains("auth: account alice (customer 7) from 127.0.0.1"), "{log}");
    assert!(!log.contains("s3cret") && !log.contains("n3w-pass") && !log.contains("Ticket"), "{log}");
    assert_eq!(place.done("account list").lines().count(), 3);
}

#[test]
fn the_ledger_is_checked_beside_a_running_server_and_without_one() {
    let place = Place::new();
    place.add_account("alice");
    place.done("persona add alice Racer");
    let right = "the ledger is right: 1 persona, 1 line, 777 dollars\n";
    assert_eq!(place.done("ledger check"), right);
    let server = Server::start(&place);
    assert_eq!(place.done("ledger check"), right);
    drop(server);
    place.refused(2, "ledger mend");
}

#[test]
fn a_login_key_is_made_at_the_first_start_kept_and_replaced_live() {
    let place = Place::new();
    let server = Server::start(&place);
    let made = server.get("/key");
    assert_eq!(made.len(), 324);
    server.stop();
    let server = Server::start(&place);
    assert_eq!(server.get("/key"), made);
    let foreign = login_key_pem(&place.path("login.pem"));
    place.done("keys import-login login.pem");
    assert_eq!(server.get("/key"), foreign);
    server.stop();
    let other = login_key_pem(&place.path("other.pem"));
    place.done("keys import-login other.pem");
    assert_eq!(Server::start(&place).get("/key"), other);
}

#[test]
fn after_a_server_was_killed_commands_and_the_next_server_work() {
    let place = Place::new();
    let server = Server::start(&place);
    place.add_account("alice");
    drop(server);
    assert!(place.path("mcos-data/control.sock").exists(), "a killed server leaves its socket behind");
    assert!(place.done("account list").contains("alice"));
    let server = Server::start(&place);
    assert!(server.may_log_in("alice", "s3cret"));
    server.stop();
    assert!(!place.path("mcos-data/control.sock").exists());
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let place = Place::new();
    let server = Server::start(&place);
    let output = place.command().arg("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.lines().last().unwrap().starts_with("mcos: "), "{stderr}");
    assert!(server.get("/").contains("Check City"));
}

#[test]
fn data_in_use_by_something_that_does_not_answer_is_reported_as_that() {
    let place = Place::new();
    let _store = mcos::store::Store::open(&place.path("mcos-data")).unwrap();
    let line = place.refused(1, "account list");
    assert!(line.contains("is in use by another mcos that does not answer"), "{line}");
}
