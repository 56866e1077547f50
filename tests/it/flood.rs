//! One address that connects and connects, in a network where it is not the machine of the server itself, which is exempt.

use crate::own_network;
use crate::support::{PATIENCE, Server};
use socket2::{Domain, Socket, Type};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

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

/// A server at [`BOX`], for a test in a network of its own.
fn serve() -> Server {
    let mut server = Server::prepare();
    server.configure(&format!(
        "[network]\nbind = [\"{BOX}\"]\nhttp = 0\nhttps = 0\nlogin = 0\npersona = 0\nmail = 0\nlobby = 0\nmcots = 0\n\
         rooms = [0, 0]\n[limits]\nconnections_per_second = 16\n"
    ));
    server.start();
    server
}

#[test]
fn who_floods_is_not_answered_for_a_while_and_everybody_else_is() {
    let test = "flood::who_floods_is_not_answered_for_a_while_and_everybody_else_is";
    let else_skipped =
        "no network of its own here (util-linux, iproute2): a flood from another address not tried";
    if !own_network::is_inside(test, &format!("ip address add {BOX}/24 dev lo"), "true", else_skipped) {
        return;
    }
    let server = serve();
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

#[test]
fn where_the_system_has_no_memory_for_filters_who_floods_is_refused_one_by_one() {
    let test = "flood::where_the_system_has_no_memory_for_filters_who_floods_is_refused_one_by_one";
    let prepare = format!("ip address add {BOX}/24 dev lo && echo 100 > /proc/sys/net/core/optmem_max");
    let else_skipped = "no network of its own with its own net.core.optmem_max here (util-linux, iproute2, Linux 6.8): a system without \
                        memory for filters not tried";
    if !own_network::is_inside(test, &prepare, "true", else_skipped) {
        return;
    }
    let server = serve();
    let port = server.port("http");
    let begun = Instant::now();
    while !server.log().contains("turns only 0 of 1 addresses away that flood") {
        assert!(page("10.9.9.2", port, "/").is_ok(), "nobody is turned away");
        assert!(begun.elapsed() < PATIENCE, "{}", server.log());
    }
    let metrics = page("127.0.0.1", port, "/metrics").unwrap();
    assert!(metrics.contains("mcos_addresses_turned_away 0\n"), "{metrics}");
    while !page("10.9.9.2", port, "/").unwrap().contains(" 200 ") {
        assert!(begun.elapsed() < 2 * PATIENCE, "it is not served again");
        thread::sleep(Duration::from_millis(200));
    }
}
