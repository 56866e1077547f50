//! The body of each MCOTS message in each direction (`crates/mco-proto/src/mcots`).
//!
//! Input: the number of the message (2 bytes, little-endian as in the body itself); the rest of the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mco_proto::mcots::number::TABLE;
use mco_proto::mcots::{Body, GenericReply, GenericRequest, Number};
use mcos_fuzz::{plant, stable};

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let body = Body(bytes.to_vec());
    // Whatever it is, it can be read as what has no layout of its own.
    let _ = (body.record::<GenericRequest>(), body.record::<GenericReply>());
    let Some((number, record)) = bytes.split_first_chunk::<2>() else { return };
    let number = Number(u16::from_le_bytes(*number));
    assert_eq!(body.number(), Some(number));
    for layout in TABLE.iter().filter(|row| row.number == number).flat_map(|row| row.layouts) {
        stable(layout, record);
    }
});

/// Zeros and ones for each message, as many as each layout takes.
fn seeds() -> Vec<Vec<u8>> {
    let messages = TABLE.iter().flat_map(|row| {
        let sample = |fill: u8| {
            let records = row.layouts.iter().filter_map(move |layout| (layout.decode)(&[fill; 4096]).ok());
            records.map(|record| [&row.number.0.to_le_bytes()[..], &record.encode()].concat())
        };
        sample(0).chain(sample(1))
    });
    messages.collect()
}
