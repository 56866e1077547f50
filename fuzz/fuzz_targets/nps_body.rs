//! The body of each NPS message in each direction (`crates/mco-proto/src/nps`), and relays.
//!
//! Input: the number of the message (2 bytes); the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mco_proto::nps::id::TABLE;
use mco_proto::nps::relay::{Relay, is_relay};
use mco_proto::nps::{Id, Packet};
use mcos_fuzz::{Input, plant, stable};

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let id = Id(u16::from_be_bytes([input.byte(), input.byte()]));
    let body = input.rest();
    for layout in TABLE.iter().filter(|row| row.id == id).flat_map(|row| row.layouts) {
        stable(layout, body);
    }
    if is_relay(id) {
        relay(Packet { body: body.to_vec(), ..Packet::bare(id) });
    }
});

fn relay(packet: Packet) {
    let Ok(relay) = Relay::read(&packet) else { return };
    let again = relay.packet();
    assert_eq!(Relay::read(&again).as_ref(), Ok(&relay));
    let forwarded = relay.forwarded(relay.sender);
    assert!(forwarded.body.ends_with(relay.payload) && forwarded.body.len() <= packet.body.len());
}

/// Zeros and ones for each message, as many as each layout takes, and a relay of each kind to two players.
fn seeds() -> Vec<Vec<u8>> {
    let messages = TABLE.iter().flat_map(|row| {
        let sample = |fill: u8| {
            let bodies = row.layouts.iter().filter_map(move |layout| (layout.decode)(&[fill; 4096]).ok());
            bodies.map(|body| [&row.id.0.to_be_bytes()[..], &body.encode()].concat())
        };
        sample(0).chain(sample(1))
    });
    let relays = TABLE.iter().filter(|row| is_relay(row.id)).map(|row| {
        [&row.id.0.to_be_bytes()[..], &[0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 5]]
            .concat()
    });
    messages.chain(relays).collect()
}
