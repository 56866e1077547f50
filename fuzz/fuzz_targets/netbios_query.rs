//! Datagrams for the NetBIOS name service. `cargo +nightly fuzz run netbios_query`
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcos::netbios::{MachineName, Query};
use std::net::Ipv4Addr;

fuzz_target!(|input: (String, Vec<u8>)| {
    let (host, datagram) = input;
    let Some(name) = MachineName::from_host(&host).or_else(|| MachineName::from_host("mcos")) else { return };
    assert!((1..=15).contains(&name.as_str().len()));
    if let Some(answer) = Query::read(&datagram).and_then(|query| query.answer(name, Ipv4Addr::LOCALHOST)) {
        assert!(answer.len() <= 139 && answer.get(..2) == datagram.get(..2));
    }
});
