//! One address that connects and connects, in a network where it is not the machine of the server itself, which is exempt.

use crate::own_network;
use crate::support::{PATIENCE, Server};
use socket2::{Domain, Socket, Type};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const TEST: &str = "flood::who_floods_is_not_answered_for_a_while_and_everybody_else_is";
/// The address of the server.
const BOX: &str = "10.9.9.1";
/// For so long the system of a connecting PC would be silent only if the other side does not answer.
const SILENCE: Duration = Duration::from_secs(2);

/// What a page is, seen from an address; an error if there is no connection.
fn page(from: &str, port: u16, path: &str) -> io::Result<String> {
    let address = |text: &str, port| SocketAddr::new(text.parse::<IpAddr>().unwrap(), port);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&address(from, 0).into())?;
    socket.connect_timeout(&address(BOX, port).into(), SILENCE)?;
    let mut stream = TcpStream::from(socket);
    let mut text = String::new();
    // Who is refused may be cut off while it asks.
    let _ = stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes());
    let _ = stream.read_to_string(&mut text);
    Ok(text)
}

#[test]
fn who_floods_is_not_answered_for_a_while_and_everybody_else_is() {
    let else_skipped =
        "no network of its own here (util-linux, iproute2): a flood from another address not tried";
    if !own_network::is_inside(TEST, &format!("ip address add {BOX}/24 dev lo"), "true", else_skipped) {
        return;
    }
    let mut server = Server::prepare();
    server.configure(&format!(
        "[network]\nbind = [\"{BOX}\"]\nhttp = 0\nhttps = 0\nlogin = 0\npersona = 0\nmail = 0\nlobby = 0\nmcots = 0\n\
         rooms = [0, 0]\n[limits]\nconnections_per_second = 16\n"
    ));
    server.start();
    let port = server.port("http");
    let begun = Instant::now();
    let error = loop {
        match page("10.9.9.2", port, "/") {
            Ok(_) => assert!(begun.elapsed() < PATIENCE, "whatever it does, it is answered"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
    assert!(page("10.9.9.3", port, "/").unwrap().contains(" 200 "), "others are served");
    server.await_log("10.9.9.2 goes on and on", 1);
    let silent = Instant::now();
    while !page("10.9.9.2", port, "/").is_ok_and(|page| page.contains(" 200 ")) {
        assert!(silent.elapsed() < PATIENCE, "it is not let in again");
        thread::sleep(Duration::from_millis(200));
    }
}
