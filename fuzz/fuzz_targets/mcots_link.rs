//! The stream of an MCOTS connection (`crates/mco-proto/src/mcots/link.rs`).
//!
//! Input: choices; sizes of pieces; then either what anybody sends, or the packets of a Client whose key is known: flags,
//! sequence and body of each.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mco_proto::cipher::TransactionCipher;
use mco_proto::mcots::{Body, Broken, Flags, Incoming, Link, Outgoing};
use mco_proto::pkware::explode;
use mco_proto::session_key::SessionKey;
use mcos_fuzz::{Input, pieces, plant};

fn key() -> SessionKey {
    SessionKey::new([0x5a; 32])
}

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let choices = input.byte();
    let sizes = input.counted();
    match choices & 1 {
        0 => anybody(choices & 2 != 0, sizes, input.rest()),
        _ => signed_in(sizes, input),
    }
});

fn link(with_key: bool) -> Link {
    let mut link = Link::new();
    if with_key {
        link.start_encryption(&key());
    }
    link
}

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

fn frame(sequence: u32, flags: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 9).unwrap();
    [&length.to_le_bytes()[..], b"TOMC", &sequence.to_le_bytes(), &[flags], body].concat()
}

fn anybody(with_key: bool, sizes: &[u8], stream: &[u8]) {
    let (incoming, broken) = received(link(with_key), stream, &[]);
    assert_eq!(
        received(link(with_key), stream, sizes),
        (incoming.clone(), broken),
        "pieces of any size do the same"
    );
    let mut rest = stream;
    for packet in incoming {
        let length = usize::from(u16::from_le_bytes([rest[0], rest[1]])) + 2;
        let (sent, behind) = rest.split_at(length);
        rest = behind;
        let flags = Flags(sent[10]);
        if flags.has(Flags::ENCRYPTED) {
            return;
        }
        assert_eq!(frame(packet.sequence, flags.0, &sent[11..]), sent);
        assert_eq!(packet, arriving(flags, packet.sequence, &sent[11..]));
    }
}

/// What arrives if a packet holds this body, in clear: it is exploded if it is compressed and can be, and is never large.
fn arriving(mut flags: Flags, sequence: u32, content: &[u8]) -> Incoming {
    let limit = Link::LARGEST_BODY.min(content.len() * Link::MOST_EXPANSION);
    let mut body = content.to_vec();
    if flags.has(Flags::COMPRESSED)
        && let Ok(exploded) = explode(content, limit)
    {
        assert!(exploded.len() <= limit);
        body = exploded;
        flags.0 &= !Flags::COMPRESSED;
    }
    Incoming { sequence, flags, body: Body(body) }
}

/// Whatever a body holds, the next good message arrives as it was sent.
fn signed_in(sizes: &[u8], mut input: Input<'_>) {
    let mut cipher = TransactionCipher::new(&key());
    let mut stream = Vec::new();
    let mut expected = Vec::new();
    let mut send = |flags: Flags, sequence: u32, content: &[u8]| {
        let mut body = content.to_vec();
        if flags.has(Flags::ENCRYPTED) {
            cipher.encrypt(&mut body);
        }
        stream.extend(frame(sequence, flags.0, &body));
        expected.push(arriving(flags, sequence, content));
    };
    while !input.is_empty() {
        let flags = Flags(input.byte());
        let sequence = u32::from(input.byte());
        send(flags, sequence, input.counted());
    }
    send(Flags(Flags::ENCRYPTED), 7, b"\x44\x01\0\0\0\0");
    assert_eq!(received(link(true), &stream, sizes), (expected.clone(), None));

    // The writer makes a stream that says the same. It never sets the other flags.
    let mut writer = link(true);
    let mut stream = Vec::new();
    for Incoming { sequence, flags, body } in &mut expected {
        *flags = Flags(flags.0 & Flags::ENCRYPTED);
        let packet =
            Outgoing { sequence: *sequence, encrypted: flags.has(Flags::ENCRYPTED), body: body.clone() };
        writer.write(&packet, &mut stream).unwrap();
    }
    assert_eq!(received(link(true), &stream, sizes), (expected, None));
}

/// A sign-in in clear, the first encrypted requests, compressed bodies, flags that were never captured, and another program.
fn seeds() -> Vec<Vec<u8>> {
    let sign_in = frame(1, 0, b"\xb6\x01\x01\0\0\0");
    let encrypted = frame(2, Flags::ENCRYPTED, &[0x9a, 0x68, 0xf0, 0xdd, 0x81, 0x87]);
    vec![
        [&[0, 0][..], &sign_in].concat(),
        [&[2, 2, 0, 9][..], &sign_in, &encrypted, &encrypted].concat(),
        [&[0, 0][..], &encrypted].concat(),
        b"\0\0GET / HTTP/1.0\r\n\r\n".to_vec(),
        b"\x01\x01\x03\x0a\x01\x08\0\x04\x82\x24\x25\x8f\x80\x7f\x02\x02\x08\x01\x05\x82\x24\x25\x8f\x80\x7f"
            .to_vec(),
        b"\x01\x01\x03\x08\x01\x03abc\0\x02\x02\x69\0\x8a\x03\x05\x44\x01\0\0\0".to_vec(),
    ]
}
