//! `mcos catalog`, beside a running server and without one.

use crate::{game, writer};
use jet_reader::Version;
use mco_proto::mcots::garage::StockCarInfo;
use mco_proto::mcots::{GenericRequest, Link, Outgoing, number};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const CONFIG: &str = r#"
data_dir = "data"
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
"#;

fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mcos.toml"), CONFIG).unwrap();
    fs::write(folder.path().join("game.mdb"), writer::database(Version::Jet3, 0, &game::tables())).unwrap();
    fs::write(folder.path().join("wrong.mdb"), "no database at all").unwrap();
    folder
}

fn command(place: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
    command.args(arguments.split_whitespace()).current_dir(place);
    command.env_remove("RUST_LOG").env_remove("STATE_DIRECTORY");
    command
}

fn done(place: &Path, arguments: &str) -> String {
    let output = command(place, arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "no progress where there is no terminal");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(place: &Path, arguments: &str) -> String {
    let output = command(place, arguments).output().unwrap();
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && output.stdout.is_empty() && why.lines().count() == 1, "{why}");
    why
}

#[test]
fn an_import_without_a_server_is_there_for_its_start() {
    let place = place();
    let place = place.path();
    assert!(done(place, "catalog show").contains("the built-in catalogue: 82 cars"));
    assert!(refused(place, "catalog import wrong.mdb").contains("this is no Jet (Access) database"));
    assert!(refused(place, "catalog import nothing.mdb").contains("cannot be opened"));
    let told = done(place, "catalog import game.mdb");
    assert!(told.contains("SHA-256 ") && told.contains("3      cars for sale"), "{told}");
    assert!(told.ends_with("the server will use it when it is started\n"), "{told}");
    let sum = Command::new("sha256sum").arg(place.join("game.mdb")).output().unwrap().stdout;
    assert!(told.contains(&String::from_utf8(sum).unwrap()[..64]));
    let shown = done(place, "catalog show");
    assert!(told.starts_with(&shown), "{shown}");
    refused(place, "catalog import wrong.mdb");
    assert_eq!(done(place, "catalog show"), shown, "the old one stays");
    let server = Server::start(place);
    assert_eq!(server.cars(), 3);
}

#[test]
fn a_running_server_uses_an_import_at_once() {
    let place = place();
    let server = Server::start(place.path());
    assert!(server.cars() > 3);
    refused(place.path(), "catalog import wrong.mdb");
    assert!(server.cars() > 3);
    let told = done(place.path(), "catalog import game.mdb");
    assert!(told.contains("the running server uses it now"), "{told}");
    assert_eq!(server.cars(), 3);
}

/// A running server, killed when dropped.
struct Server {
    child: Child,
    mcots: String,
}

impl Server {
    fn start(place: &Path) -> Self {
        let mut child = command(place, "serve").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mcots = loop {
            let line = stdout.next().expect("the server ended").unwrap();
            if let Some(address) = line.strip_prefix("listening mcots ") {
                break address.to_owned();
            }
        };
        // Those that follow must be read too.
        std::thread::spawn(move || stdout.for_each(drop));
        Self { child, mcots }
    }

    /// How many cars the dealer of new personas has: 141, in clear, which needs no login.
    fn cars(&self) -> usize {
        let mut stream = TcpStream::connect(&self.mcots).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let (mut link, mut request) = (Link::new(), Vec::new());
        let body = GenericRequest::body(number::STOCK_CAR_INFO, 8);
        link.write(&Outgoing { sequence: 1, encrypted: false, body }, &mut request).unwrap();
        stream.write_all(&request).unwrap();
        let mut piece = [0; 4096];
        loop {
            if let Some(answer) = link.next().unwrap() {
                return answer.body.read::<StockCarInfo>().unwrap().cars.len();
            }
            let got = stream.read(&mut piece).unwrap();
            assert!(got > 0, "the server has closed the connection");
            link.feed(&piece[..got]);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
