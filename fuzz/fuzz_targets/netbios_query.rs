//! A datagram for the NetBIOS name service (`src/netbios.rs`), and a host name that the server may have.
//!
//! Input: length and text of the host name; the datagram.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcos::netbios::{MAX_DATAGRAM, MachineName, Query};
use mcos_fuzz::{Input, plant};
use std::net::Ipv4Addr;

/// The longest answer: header, name, fixed fields, two names with flags, statistics.
const LONGEST: usize = 12 + 34 + 10 + 1 + 2 * 18 + 46;

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let host = String::from_utf8_lossy(input.counted());
    let own = MachineName::from_host(&host);
    if let Some(name) = own {
        assert!((1..=15).contains(&name.as_str().len()));
        assert_eq!(MachineName::from_host(name.as_str()), Some(name), "a machine name is a host name");
    }
    let Some(name) = own.or_else(|| MachineName::from_host("mcos")) else { return };
    let datagram = input.rest();
    let Some(query) = Query::read(datagram) else { return };
    if let Some(answer) = query.answer(name, Ipv4Addr::LOCALHOST) {
        assert!(answer.len() <= LONGEST && answer.len() <= MAX_DATAGRAM);
        assert_eq!(answer[..2], datagram[..2], "the answer has the number of the query");
        assert_eq!(answer[2] & 0x80, 0x80, "it is an answer");
        assert_eq!(answer[12..46], datagram[12..46], "to the name that was asked for");
        assert_eq!(Query::read(&answer), None, "so two servers cannot answer each other without end");
    }
});

/// Queries for `MCOS` as Windows sends them (RFC 1002, 4.2.12 and 4.2.17), and for every name.
fn seeds() -> Vec<Vec<u8>> {
    let encoded = |name: &[u8; 16]| name.map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]).concat();
    let query = |name: &[u8; 16], question: u8| {
        let header = [&b"\x04mcos"[..], &[0x12, 0x34, 0x01, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 32]].concat();
        [header, encoded(name), vec![0, 0, question, 0, 1]].concat()
    };
    let any = b"*\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let (workstation, server) = (b"MCOS           \0", b"MCOS           \x20");
    vec![query(workstation, 0x20), query(server, 0x20), query(server, 0x21), query(any, 0x21)]
}
