//! `mcos probe` as an Operator sees it.

use crate::support::{PASSWORD, Raw, Server};
use mco_proto::session_key::LoginKey;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Output;
use std::thread;

/// A server that runs, with its configuration rewritten to the ports it got, so that it can be probed.
fn server() -> Server {
    let mut server = Server::prepare();
    for (account, persona) in [("doc", Some("Dr Brown")), ("newcomer", None)] {
        server.account(account);
        if let Some(persona) = persona {
            server.persona(account, persona);
        }
    }
    server.start();
    server.write_ports();
    server
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

#[test]
fn a_healthy_server_passes_every_step_with_an_account() {
    let server = server();
    let output = server.cli(&["probe", "--user", "doc", "--password-stdin"], &format!("{PASSWORD}\n"));
    let printed = text(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.contains("all 32 steps passed"), "{printed}");
    for line in printed.lines().filter(|line| line.starts_with("  ")) {
        assert!(line.starts_with("  ok ") && line.contains(" ms  "), "{line}");
    }
    assert!(!printed.contains(PASSWORD));
    // The game signs in on port 443 alone, where this server is not.
    let somebody = std::net::TcpStream::connect(("127.0.0.1", 443)).is_ok();
    let warned =
        printed.contains("warning: nothing answers on port 443 of 127.0.0.1, and the game signs in there");
    assert_eq!(warned, !somebody, "{printed}");
    let host = format!("localhost:{}", server.port("http"));
    let output = server.cli(&["probe", &host, "--user", "doc", "--password-stdin", "--json"], PASSWORD);
    let document = json(&output);
    assert_eq!(output.status.code(), Some(0), "{document}");
    assert_eq!(document["passed"], true);
    let steps = document["steps"].as_array().unwrap();
    assert!(
        steps.iter().all(|step| step["verdict"] == "ok" && step["milliseconds"].is_number()),
        "{document}"
    );
}

#[test]
fn without_an_account_it_looks_at_all_ports_and_says_what_goes_further() {
    let server = server();
    let output = server.cli(&["probe"], "");
    let printed = text(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    for step in [
        "AuthLogin refuses",
        "Shard list",
        "pub.key",
        "Persona port",
        "Lobby greeting",
        "MCOTS port",
        "Room ports",
    ] {
        assert!(printed.contains(step), "{printed}");
    }
    assert!(printed.contains("--user"), "{printed}");
    assert!(printed.contains("\"Test City\" (44)"), "{printed}");
}

#[test]
fn a_wrong_password_and_a_missing_persona_are_explained() {
    let server = server();
    let output = server.cli(&["probe", "--user", "doc", "--password-stdin"], "not-the-password\n");
    let printed = text(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("FAILED") && printed.contains("mcos account passwd"), "{printed}");
    assert!(printed.contains("skipped") && !printed.contains("not-the-password"), "{printed}");
    let output = server.cli(&["probe", "--user", "newcomer", "--password-stdin", "--json"], PASSWORD);
    assert_eq!(output.status.code(), Some(1));
    let document = json(&output);
    let failed: Vec<&Value> =
        document["steps"].as_array().unwrap().iter().filter(|step| step["verdict"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{document}");
    assert!(failed[0]["advice"].as_str().unwrap().contains("mcos persona add newcomer NAME"), "{document}");
    assert_eq!(document["passed"], false);
}

#[test]
fn a_port_where_nothing_listens_is_named_with_what_to_check() {
    let server = server();
    // A port that is taken, so that nobody else gets it, but that does not listen.
    let taken = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    taken.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let free = taken.local_addr().unwrap().as_socket().unwrap().port();
    let config = fs::read_to_string(server.config()).unwrap();
    let mcots = format!("mcots = {}\n", server.port("mcots"));
    server.configure(&config.replace(&mcots, &format!("mcots = {free}\n")));
    let output = server.cli(&["probe", "--user", "doc", "--password-stdin"], PASSWORD);
    let printed = text(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    let line = printed.lines().find(|line| line.contains("FAILED")).unwrap();
    assert!(line.contains(&format!("connection refused, nothing listens on port {free}")), "{printed}");
    assert!(printed.contains("listening"), "{printed}");
    // What does not depend on MCOTS was still looked at.
    let room = printed.lines().find(|line| line.contains("  Chat lobby  ")).unwrap();
    assert!(room.starts_with("  ok "), "{printed}");

    let output = server.cli(&["probe", &format!("127.0.0.1:{free}")], "");
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output);
    assert_eq!(printed.matches("FAILED").count(), 1, "{printed}");
    assert_eq!(printed.matches("Is mcos running there?").count(), 1, "{printed}");
}

#[test]
fn a_host_that_is_none_is_bad_usage() {
    let server = Server::prepare();
    for host in ["http://mcos.local/", "mcos.local:0"] {
        let output = server.cli(&["probe", host], "");
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("is not a host"));
    }
}

/// A web server that passes on what `server` says, but for the page `page`, which says `instead`.
fn twisted(server: &Server, page: &'static str, instead: String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let real = server.port("http");
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend_from_slice(&byte);
            }
            let answer = if request.starts_with(format!("GET {page}").as_bytes()) {
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{instead}").into_bytes()
            } else {
                let mut web = Raw::connect(real);
                web.send(&request);
                web.receive_all()
            };
            stream.write_all(&answer).unwrap();
        }
    });
    address
}

#[test]
fn a_key_of_another_server_and_a_damaged_shard_list_are_explained() {
    let server = server();
    let foreign = LoginKey::generate().unwrap().public_hex().unwrap();
    for (page, instead, step, wanted) in [
        ("/key", foreign, "  Login  ", "belongs to another server"),
        ("/key", "<html>".to_owned(), "  pub.key  ", "is no pub.key"),
        (
            "/ShardList/",
            "[Town]\nShardId=44\n".to_owned(),
            "  Shard list  ",
            "has no Status_Reason for \"Town\"",
        ),
        ("/AuthLogin", "hello".to_owned(), "  AuthLogin  ", "neither Valid= nor reasoncode="),
    ] {
        let host = twisted(&server, page, instead);
        let output = server.cli(&["probe", &host, "--user", "doc", "--password-stdin"], PASSWORD);
        let printed = text(&output);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        let lines: Vec<&str> = printed.lines().collect();
        let at = lines.iter().position(|line| line.contains("FAILED")).unwrap();
        assert!(lines[at].contains(step), "{printed}");
        assert!(lines[at..=at + 1].iter().any(|line| line.contains(wanted)), "{printed}");
    }
}
