//! Starting and stopping: what systemd and an Operator rely on.

use crate::support::{Raw, Server};
use mcos::client::sitting::Transactions;
use smol::block_on;
use std::fs;
use std::net::TcpListener;
use std::process::Output;
use std::time::{Duration, Instant};

#[test]
fn sigterm_ends_the_server_cleanly_within_five_seconds_though_players_are_connected() {
    let mut server = Server::prepare();
    server.account("doc");
    server.persona("doc", "Dr Brown");
    server.start();
    let _connected = block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let lobby = driver.lobby().await.unwrap();
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        (lobby, mcots)
    });
    let mut half = Raw::connect(server.port("login"));
    half.send(&[0x05, 0x01, 0x01]);
    let _silent: Vec<Raw> =
        ["http", "persona", "mail", "lobby", "mcots"].map(|name| Raw::connect(server.port(name))).into();
    let took = stopping(&mut server);
    half.receive_all();
    server.start();
    assert_eq!(block_on(server.sign_in("doc").await_personas()), ["Dr Brown"]);
    // How busy this machine is shows in the time that a stop takes with nobody there.
    let quiet = stopping(&mut server);
    assert!(took < Duration::from_secs(5) + 20 * quiet, "it took {took:?}, and {quiet:?} with nobody there");
}

/// How long the server takes to stop cleanly.
fn stopping(server: &mut Server) -> Duration {
    let begun = Instant::now();
    let status = server.stop();
    assert_eq!(status.code(), Some(0), "{status}");
    begun.elapsed()
}

/// The names of the personas behind a sign-in.
trait Personas {
    async fn await_personas(self) -> Vec<String>;
}

impl<F: Future<Output = mcos::client::sitting::Account>> Personas for F {
    async fn await_personas(self) -> Vec<String> {
        let personas = self.await.personas().await.unwrap();
        personas.iter().map(|entry| entry.name.to_string()).collect()
    }
}

/// The one line in which the server says why it does not start.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_busy_port_is_named_with_the_key_that_moves_it() {
    let holder = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = holder.local_addr().unwrap().port();
    for key in ["http", "login", "persona", "mail", "lobby", "mcots"] {
        let server = Server::prepare();
        let text = fs::read_to_string(server.config()).unwrap();
        server.configure(&text.replace(&format!("{key} = 0\n"), &format!("{key} = {port}\n")));
        let line = complaint(&server.cli(&["serve"], ""));
        assert!(line.contains(&port.to_string()) && line.contains(key), "{line}");
    }
}

#[test]
fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let mut server = Server::started();
    let line = complaint(&server.cli(&["serve"], ""));
    assert!(line.contains("in use") || line.contains("another mcos") || line.contains("already"), "{line}");
    assert!(server.is_alive());
    block_on(server.sign_in("doc"));
}

#[test]
fn a_damaged_configuration_is_named_with_line_and_key() {
    for (text, wanted) in [
        ("[network]\nhttp = 80\nlobbby = 7003\n", ["mcos.toml:3", "lobbby"]),
        ("[network]\n\nmcots = \"many\"\n", ["mcos.toml:3", "mcots"]),
        ("[network]\nlogin = 99999\n", ["mcos.toml:2", "login"]),
        ("[shard\n", ["mcos.toml:1", ""]),
        ("\n\nwhat is this\n", ["mcos.toml:3", ""]),
    ] {
        let server = Server::prepare();
        server.configure(text);
        let line = complaint(&server.cli(&["serve"], ""));
        assert!(wanted.iter().all(|part| line.contains(part)), "{wanted:?}: {line}");
        assert!(
            !server.data().join("database").exists(),
            "nothing is made before the configuration is understood"
        );
    }
}
