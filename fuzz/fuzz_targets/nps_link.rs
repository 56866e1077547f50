//! The stream of an NPS connection (`crates/mco-proto/src/nps/link.rs`).
//!
//! Input: choices; sizes of pieces; then either what anybody sends, or messages of a Client that is signed in: good ones, envelopes
//! that hold anything, and packets in clear.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mco_proto::cipher::{BLOCK, LobbyCipher};
use mco_proto::nps::{Broken, Form, Headers, Id, Incoming, Link, Packet, id};
use mco_proto::session_key::SessionKey;
use mcos_fuzz::{Input, pieces, plant};

/// As on the ports before the lobby.
const SMALL: usize = 4096;

fn key() -> SessionKey {
    SessionKey::new([0x5a; 32])
}

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let choices = input.byte();
    let sizes = input.counted();
    match choices & 1 {
        0 => anybody(choices, sizes, input.rest()),
        _ => signed_in(sizes, input),
    }
});

/// Feeds `stream` in pieces: everything that arrives, and how it ends.
fn received(mut link: Link, stream: &[u8], sizes: &[u8]) -> (Vec<Incoming>, Option<Broken>) {
    let mut incoming = Vec::new();
    for piece in pieces(stream, sizes) {
        link.feed(piece);
        loop {
            match link.next() {
                Ok(Some(packet)) => incoming.push(packet),
                Ok(None) => break,
                Err(broken) => return (incoming, Some(broken)),
            }
        }
    }
    (incoming, None)
}

fn anybody(choices: u8, sizes: &[u8], stream: &[u8]) {
    let link = || {
        let headers = if choices & 2 == 0 { Headers::Short } else { Headers::Either };
        let mut link = Link::new(headers, if choices & 4 == 0 { SMALL } else { Link::LARGEST });
        if choices & 8 != 0 {
            link.start_encryption(&key());
        }
        link
    };
    let (incoming, broken) = received(link(), stream, &[]);
    assert_eq!(received(link(), stream, sizes), (incoming.clone(), broken), "pieces of any size do the same");

    // What was understood is written as it came, but for an envelope.
    let mut written = Vec::new();
    for Incoming { packet, encrypted } in &incoming {
        assert!(packet.size() <= Packet::LARGEST + 2 * Form::LONG.size());
        if !encrypted && packet.encode(&mut written).is_err() {
            return;
        }
    }
    if incoming.iter().all(|incoming| !incoming.encrypted) {
        assert_eq!(stream.get(..written.len()), Some(written.as_slice()));
    }
}

/// Whatever an envelope holds, the next good message arrives as it was sent.
fn signed_in(sizes: &[u8], mut input: Input<'_>) {
    let mut cipher = LobbyCipher::new(&key());
    let mut stream = Vec::new();
    let mut expected = Vec::new();
    let mut envelope = |mut plain: Vec<u8>| {
        plain.resize(plain.len().next_multiple_of(BLOCK).max(BLOCK), 0xcd);
        let length = u16::try_from(Form::Short.size() + plain.len()).unwrap();
        let inner = Packet {
            id: Id(u16::from_be_bytes([plain[0], plain[1]])),
            form: Form::Short,
            body: {
                let declared = usize::from(u16::from_be_bytes([plain[2], plain[3]])).saturating_sub(4);
                plain[4..].iter().copied().take(declared).collect()
            },
        };
        cipher.encrypt(&mut plain);
        ([&id::ENCRYPTED.0.to_be_bytes()[..], &length.to_be_bytes(), &plain].concat(), inner)
    };
    let good = |id: Id, body: &[u8]| {
        let mut plain = Vec::new();
        Packet { id, form: Form::Short, body: body.to_vec() }.encode(&mut plain).unwrap();
        plain
    };
    while !input.is_empty() {
        let choice = input.byte();
        let id = Id(u16::from_be_bytes([input.byte(), input.byte()]));
        let content = input.counted();
        let (bytes, packet, encrypted) = match choice % 3 {
            0 => {
                let (bytes, packet) = envelope(good(id, content));
                assert_eq!((packet.id, packet.body.as_slice()), (id, content));
                (bytes, packet, true)
            }
            1 => {
                let (bytes, packet) = envelope(content.to_vec());
                (bytes, packet, true)
            }
            _ if id == id::ENCRYPTED => continue,
            _ => (good(id, content), Packet { id, form: Form::Short, body: content.to_vec() }, false),
        };
        stream.extend(bytes);
        expected.push(Incoming { packet, encrypted });
    }
    let (bytes, packet) = envelope(good(id::HEARTBEAT, &[]));
    stream.extend(bytes);
    expected.push(Incoming { packet, encrypted: true });

    let mut link = Link::new(Headers::Short, Link::LARGEST);
    link.start_encryption(&key());
    assert_eq!(received(link, &stream, sizes), (expected.clone(), None));

    // The writer makes a stream that says the same.
    let mut writer = Link::new(Headers::Short, Link::LARGEST);
    writer.start_encryption(&key());
    let mut stream = Vec::new();
    for Incoming { packet, encrypted } in &expected {
        writer.write(packet, *encrypted, &mut stream).unwrap();
    }
    let mut link = Link::new(Headers::Short, Link::LARGEST);
    link.start_encryption(&key());
    assert_eq!(received(link, &stream, sizes), (expected, None));
}

/// Recorded beginnings of connections to each port; a lobby connection in both directions.
fn seeds() -> Vec<Vec<u8>> {
    let short = |id: Id, body: &[u8]| {
        let mut out = Vec::new();
        Packet { id, form: Form::Short, body: body.to_vec() }.encode(&mut out).unwrap();
        out
    };
    let long = |id: Id, body: &[u8]| {
        let mut out = Vec::new();
        Packet { id, form: Form::LONG, body: body.to_vec() }.encode(&mut out).unwrap();
        out
    };
    let envelopes = [
        &short(id::ENCRYPTED, &[0xc4, 0x52, 0x22, 0x1a, 0xca, 0x3e, 0xb4, 0x95])[..],
        &short(id::ENCRYPTED, &[0x0e, 0x72, 0x6d, 0x1e, 0xe7, 0x40, 0xe1, 0xde]),
    ]
    .concat();
    vec![
        [&[2, 0][..], &long(Id(0x0501), b"\0\x04user\0\0\0\0"), &long(Id(0x0503), &[0; 12])].concat(),
        [&[2, 2, 3, 40][..], &short(Id(0x0532), &[0; 8]), &long(Id(0x0504), &[0; 40])].concat(),
        [&[0, 0][..], &short(Id(0x0100), &[0; 64]), &short(Id(0x0217), &[])].concat(),
        [&[12, 1, 0][..], &short(Id(0x0100), &[0; 300]), &envelopes].concat(),
        [&[4, 0][..], &envelopes].concat(),
        b"\x02\0GET / HTTP/1.0\r\n\r\n".to_vec(),
        b"\x01\x01\x05\0\x03\x0c\0\x01\x01\x28\x04\x03\x0c\0\x04\x02\x02\x30\x02ab".to_vec(),
        b"\x01\0\x01\0\0\x0a\x01\x0c\xff\xff5678ab\0\x02\x09\x03abc".to_vec(),
    ]
}
