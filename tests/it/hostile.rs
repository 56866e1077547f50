//! Neighbours who want to shut others out: what they hold is bounded for all of them together, and who is honest is served on.

use crate::pages::get;
use crate::support::{PATIENCE, Raw, Server, wait_until};
use mco_proto::nps::{Form, Id, Packet, id};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A server on which unfinished input may take so many bytes.
fn server(input_bytes: usize) -> Server {
    let mut server = Server::with(&format!("[limits]\ninput_bytes = {input_bytes}\n"));
    server.account("doc");
    server.persona("doc", "Dr Brown");
    server.start();
    server
}

/// A packet that Login acknowledges.
fn unknown() -> Vec<u8> {
    let mut bytes = Vec::new();
    Packet { id: Id(0x0502), form: Form::LONG, body: vec![7; 3900] }.encode(&mut bytes).unwrap();
    bytes
}

#[test]
fn half_packets_of_all_share_one_budget_and_the_oldest_of_the_largest_pays() {
    let server = server(65_536);
    let packet = unknown();
    let mut connections: Vec<Raw> = (0..22)
        .map(|_| {
            let mut connection = Raw::connect(server.port("login"));
            connection.send(&packet);
            assert_eq!(
                connection.receive(4)[..2],
                id::ACK.0.to_be_bytes(),
                "it is there before the next one comes"
            );
            connection
        })
        .collect();
    let (half, rest) = packet.split_at(3000);
    // Twenty-one halves have room.
    connections[1..].iter_mut().for_each(|connection| connection.send(half));
    connections[0].send(half);
    let mut connections = connections.into_iter();
    assert!(connections.next().unwrap().receive_all().is_empty());
    for mut connection in connections {
        connection.send(rest);
        assert_eq!(connection.receive(4)[..2], id::ACK.0.to_be_bytes());
    }
    server.await_log("holds most of the half packets of all", 1);
}

#[test]
fn half_heads_of_requests_count_too_and_the_largest_pays() {
    let server = server(312_000);
    let connect = || {
        let socket = TcpStream::connect(("127.0.0.1", server.port("http"))).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    };
    let mut small = connect();
    small.write_all(b"GET /help HTTP/1.1\r\n").unwrap();
    // With 60 KiB for each and 32 more for a large one, two of these have room.
    let mut large = [connect(), connect(), connect()];
    let half = format!("GET /help HTTP/1.1\r\nX: {}", "x".repeat(24_000));
    for one in &mut large {
        one.write_all(half.as_bytes()).unwrap();
    }
    server.await_log("holds most of what all connections may have in memory", 1);
    let is_answered = |socket: &mut TcpStream| {
        // Where the server has closed with something unread, the end may be a reset.
        let _ = socket.write_all(b"\r\nHost: localhost\r\n\r\n");
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 200 "));
        !answer.is_empty()
    };
    small.write_all(b"X: y").unwrap();
    assert!(is_answered(&mut small));
    assert_eq!(large.iter_mut().map(is_answered).filter(|answered| *answered).count(), 2);
}

/// A line of what the system says of the server's memory, in KiB.
fn memory(server: &Server, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let said = status.lines().find_map(|said| said.strip_prefix(line)).unwrap();
    said.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn the_memory_of_half_requests_goes_back_to_the_system_when_they_are_gone() {
    const TAKEN: u64 = 8 * 1024;
    let server = server(0);
    assert!(get(&server, "/help").0.contains(" 200 "));
    let before = memory(&server, "VmRSS");
    let half = format!("GET /help HTTP/1.1\r\nX: {}", "x".repeat(28_000));
    let held: Vec<TcpStream> = (0..500)
        .map(|_| {
            let mut socket = TcpStream::connect(("127.0.0.1", server.port("http"))).unwrap();
            socket.write_all(half.as_bytes()).unwrap();
            socket
        })
        .collect();
    wait_until(|| memory(&server, "VmHWM"), |most| *most >= before + TAKEN);
    drop(held);
    wait_until(|| memory(&server, "VmRSS"), |now| *now < before + TAKEN / 2);
}

#[test]
fn before_sign_in_a_connection_may_hold_only_what_sign_in_needs() {
    let server = server(0);
    for service in ["lobby", "room"] {
        let mut stranger = Raw::connect(server.port(service));
        stranger.send(&[0x01, 0x00, 0x10, 0x01]);
        // What the Client is greeted with, at most.
        assert!(stranger.receive_all().len() < 100);
    }
    server.await_log("announces an impossible length of 4097", 2);
    let mut stranger = Raw::connect(server.port("mcots"));
    stranger.send(&[&5000_u16.to_le_bytes()[..], b"TOMC", &[0; 5]].concat());
    assert!(stranger.receive_all().is_empty());
}

/// Says so when it is dropped.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn whoever_sends_complete_messages_without_pause_keeps_nobody_waiting() {
    let server = Server::started();
    let message = [0x05, 0x26, 0x00, 0x08, 0x00, 0x00, 0x00, 0x15];
    let messages = message.repeat(8192);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // More than the server has threads.
        for _ in 0..8 {
            let mut sender = TcpStream::connect(("127.0.0.1", server.port("mail"))).unwrap();
            let mut receiver = sender.try_clone().unwrap();
            let (stop, messages) = (&stop, &messages);
            scope.spawn(move || while receiver.read(&mut [0; 8192]).is_ok_and(|count| count > 0) {});
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) && sender.write_all(messages).is_ok() {}
                let _ = sender.shutdown(Shutdown::Both);
            });
        }
        // Also if nobody is served: who sends ends only then.
        let _stops = Stops(&stop);
        for _ in 0..5 {
            assert!(get(&server, "/help").1.contains("<html"));
        }
    });
}
