use super::*;
use crate::arbitrary::for_any;
use arbitrary::Arbitrary;

/// Two ends of a connection that have signed in.
fn pair() -> [Link; 2] {
    let key = SessionKey::random();
    [(); 2].map(|()| {
        let mut link = Link::new();
        link.start_encryption(&key);
        link
    })
}

fn packet(size: usize, encrypted: bool) -> Outgoing {
    Outgoing { sequence: 3, encrypted, body: Body(vec![7; size]) }
}

/// Feeds `wire` in pieces of these sizes, then the rest; what is whole after each, and the end of the stream.
fn read_in_pieces(link: &mut Link, mut wire: &[u8], sizes: &[u8]) -> (Vec<Incoming>, Option<Broken>) {
    let mut arrived = Vec::new();
    for size in sizes.iter().map(|size| usize::from(*size)).chain([wire.len()]) {
        let (piece, rest) = wire.split_at(size.min(wire.len()));
        wire = rest;
        link.feed(piece);
        loop {
            match link.next() {
                Ok(Some(incoming)) => arrived.push(incoming),
                Ok(None) => break,
                Err(broken) => return (arrived, Some(broken)),
            }
        }
    }
    (arrived, None)
}

#[test]
fn without_a_key_nothing_goes_out_in_place_of_an_encrypted_packet() {
    let mut link = Link::new();
    let mut out = vec![1, 2, 3];
    assert_eq!(link.write(&packet(2, true), &mut out), Err(EncodeError::NoKey));
    assert_eq!(link.push(&Body(vec![7; 2]), &mut out), Err(EncodeError::NoKey));
    assert_eq!(out, [1, 2, 3]);
}

#[test]
fn a_body_that_is_too_long_leaves_no_trace() {
    let [mut writer, mut reader] = pair();
    let mut out = Vec::new();
    for size in [Link::LARGEST_BODY + 1, 1 << 20] {
        for encrypted in [true, false] {
            let error = writer.write(&packet(size, encrypted), &mut out);
            assert_eq!((error, out.len()), (Err(EncodeError::TooLong { size }), 0));
        }
        let error = writer.push(&Body(vec![7; size]), &mut out);
        assert_eq!((error, out.len()), (Err(EncodeError::TooLong { size }), 0));
    }
    writer.write(&packet(Link::LARGEST_BODY, true), &mut out).unwrap();
    writer.push(&Body(vec![8; 2]), &mut out).unwrap();
    reader.feed(&out);
    let [first, second] = [(); 2].map(|()| reader.next().unwrap().unwrap());
    assert_eq!((first.sequence, first.body), (3, Body(vec![7; Link::LARGEST_BODY])));
    assert_eq!((second.sequence, second.body), (0, Body(vec![8; 2])));
}

#[test]
fn a_push_carries_the_last_sequence_heard_and_is_encrypted() {
    let [mut client, mut server] = pair();
    let mut wire = Vec::new();
    client.write(&Outgoing { sequence: 41, encrypted: true, body: Body(vec![1]) }, &mut wire).unwrap();
    server.feed(&std::mem::take(&mut wire));
    assert_eq!(server.next().unwrap().unwrap().sequence, 41);
    server.push(&Body(vec![2]), &mut wire).unwrap();
    client.feed(&wire);
    let flags = Flags(Flags::ENCRYPTED);
    assert_eq!(client.next(), Ok(Some(Incoming { sequence: 41, flags, body: Body(vec![2]) })));
}

#[test]
fn any_cut_of_the_stream_gives_the_packets_that_were_sent() {
    for_any(|(sizes, sent): (Vec<u8>, Vec<Outgoing>)| {
        let [mut writer, mut reader] = pair();
        let mut wire = Vec::new();
        for packet in &sent {
            writer.write(packet, &mut wire).unwrap();
        }
        let expected: Vec<_> = sent
            .into_iter()
            .map(|Outgoing { sequence, encrypted, body }| {
                let flags = Flags(if encrypted { Flags::ENCRYPTED } else { 0 });
                Incoming { sequence, flags, body }
            })
            .collect();
        assert_eq!(read_in_pieces(&mut reader, &wire, &sizes), (expected, None));
        assert!(reader.inbox.peek().is_empty());
    });
}

/// A packet with any flags.
#[derive(Debug, Arbitrary)]
struct Frame {
    flags: u8,
    body: Vec<u8>,
}

#[test]
fn any_cut_of_any_bytes_gives_the_same_packets_and_the_same_end() {
    for_any(|(sizes, signed_in, rest, frames): (Vec<u8>, bool, Vec<u8>, Vec<Frame>)| {
        let link = || {
            let mut link = Link::new();
            if signed_in {
                link.start_encryption(&SessionKey::new([7; 32]));
            }
            link
        };
        let mut wire = Vec::new();
        for Frame { flags, body } in frames {
            wire.extend(u16::try_from(body.len() + COUNTED).unwrap().to_le_bytes());
            wire.extend(SIGNATURE);
            wire.extend([0, 0, 0, 1, flags]);
            wire.extend(body);
        }
        wire.extend(rest);
        // One byte at a time: the finest cut there is.
        let finest = read_in_pieces(&mut link(), &wire, &vec![1; wire.len()]);
        assert_eq!(read_in_pieces(&mut link(), &wire, &sizes), finest);
        assert_eq!(read_in_pieces(&mut link(), &wire, &[]), finest);
    });
}

#[test]
fn the_cipher_stays_in_step_behind_any_body() {
    for_any(|bodies: Vec<(Body, bool)>| {
        let [mut writer, mut reader] = pair();
        for (body, encrypted) in bodies {
            let mut wire = Vec::new();
            writer.write(&Outgoing { sequence: 1, encrypted, body: body.clone() }, &mut wire).unwrap();
            reader.feed(&wire);
            assert_eq!(reader.next().unwrap().unwrap().body, body, "whether it makes sense or not");
        }
    });
}

/// A packet as a Client that compresses would send it: imploded, then encrypted.
fn compressed(cipher: &mut TransactionCipher, flags: u8, imploded: &[u8]) -> Vec<u8> {
    let mut body = imploded.to_vec();
    if flags & Flags::ENCRYPTED != 0 {
        cipher.encrypt(&mut body);
    }
    let length = u16::try_from(body.len() + COUNTED).unwrap();
    [&length.to_le_bytes()[..], &SIGNATURE, &[9, 0, 0, 0, flags], &body].concat()
}

/// "AIAIAIAIAIAIA", the known example of the format.
const IMPLODED: [u8; 8] = [0x00, 0x04, 0x82, 0x24, 0x25, 0x8f, 0x80, 0x7f];

/// The flags of a packet that was imploded and encrypted.
const SEALED: u8 = Flags::COMPRESSED | Flags::ENCRYPTED;

#[test]
fn a_compressed_body_is_exploded_and_one_that_cannot_be_says_so_and_the_cipher_stays_in_step() {
    let key = SessionKey::new([7; 32]);
    let mut cipher = TransactionCipher::new(&key);
    let mut link = Link::new();
    link.start_encryption(&key);
    let cut = &IMPLODED[..7];
    for (flags, imploded, left, body) in [
        (SEALED, &IMPLODED[..], Flags::ENCRYPTED, &b"AIAIAIAIAIAIA"[..]),
        (SEALED | 0x04, &IMPLODED, Flags::ENCRYPTED | 0x04, b"AIAIAIAIAIAIA"),
        (SEALED, cut, SEALED, cut),
        (SEALED, b"", SEALED, b""),
        (SEALED, &[0xff; 40], SEALED, &[0xff; 40]),
        (Flags::COMPRESSED, &IMPLODED, 0, b"AIAIAIAIAIAIA"),
        (Flags::ENCRYPTED, &IMPLODED, Flags::ENCRYPTED, &IMPLODED),
    ] {
        link.feed(&compressed(&mut cipher, flags, imploded));
        let arrived = link.next().unwrap().unwrap();
        let expected = Incoming { sequence: 9, flags: Flags(left), body: Body(body.to_vec()) };
        assert_eq!((arrived, link.last_size()), (expected, HEADER + imploded.len()));
    }
}

/// One 0, so many repetitions of the 518 bytes before, and the end, as PKWARE DCL writes them: lowest bit first.
fn zeros(repetitions: usize) -> Vec<u8> {
    let mut bits = vec![false];
    bits.extend([false; 8]);
    for _ in 0..repetitions {
        // A repetition; the last length code (7 zeros) and 254 in 8 bits: 518; the first distance code (11) and 0 in 4 bits: 1.
        bits.push(true);
        bits.extend([false; 7]);
        bits.extend((0..8).map(|bit| 254 >> bit & 1 == 1));
        bits.extend([true, true, false, false, false, false]);
    }
    bits.push(true);
    bits.extend([false; 7]);
    bits.extend([true; 8]);
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    [&[0, 4][..], &bits.chunks(8).map(byte).collect::<Vec<_>>()].concat()
}

#[test]
fn what_would_become_far_larger_than_it_is_or_larger_than_a_packet_is_not_exploded() {
    let mut cipher = TransactionCipher::new(&SessionKey::new([7; 32]));
    let mut arrives = |imploded: &[u8]| {
        let mut link = Link::new();
        link.feed(&compressed(&mut cipher, Flags::COMPRESSED, imploded));
        let Incoming { flags, body, .. } = link.next().unwrap().unwrap();
        (flags, body.0)
    };
    assert_eq!(
        pkware::explode(&zeros(2), 2000).unwrap(),
        [0; 1 + 2 * 518],
        "the packet is what it should be"
    );
    // 2,073 bytes out of 17 are accepted, 2,591 out of 19 are not.
    assert_eq!((zeros(4).len(), zeros(5).len()), (17, 19));
    assert_eq!(arrives(&zeros(4)), (Flags(0), vec![0; 1 + 4 * 518]));
    assert_eq!(arrives(&zeros(5)), (Flags(Flags::COMPRESSED), zeros(5)));
    // With as many bytes behind the end as the expansion asks for.
    let padded = |repetitions| [zeros(repetitions), vec![0; 2000]].concat();
    assert_eq!(arrives(&padded(126)).1.len(), 1 + 126 * 518);
    assert_eq!(arrives(&padded(127)), (Flags(Flags::COMPRESSED), padded(127)), "65,787 bytes");
}

#[test]
fn each_reason_to_give_up_a_stream_is_given_as_soon_as_it_is_known() {
    let broken = |wire: &[u8]| {
        let mut link = Link::new();
        link.feed(wire);
        link.next().unwrap_err()
    };
    assert_eq!(broken(b"GET / "), Broken::Signature(*b"T / "));
    assert_eq!(broken(b"\x08\0TOMC\0\0\0\0\0"), Broken::Length(8));
    assert_eq!(broken(b"\x0a\0TOMC\0\0\0\0\x08x"), Broken::NoKey);
}

#[test]
fn flags_are_bits() {
    let flags = Flags(0x8a);
    assert!([Flags::COMPRESSED, Flags::ENCRYPTED, Flags::HEARTBEAT].into_iter().all(|flag| flags.has(flag)));
    assert!(!Flags(0x80).has(Flags::ENCRYPTED));
}

#[test]
fn of_several_keys_the_one_that_the_client_has_is_found_by_its_first_encrypted_body() {
    use crate::ids::PersonaId;
    use crate::mcots::session::Login;
    use crate::mcots::{GenericRequest, Message as _, number};
    use crate::text::Chars;
    let customer = CustomerId(5_551_212);
    let login = Login::new(customer, PersonaId(21), Chars::constant(b"Dr Brown")).body();
    let delete = GenericRequest::body(number::DELETE_PERSONA, 21);
    let keys: Vec<_> = (0..8).map(|n| SessionKey::new([n; 32])).collect();
    for (place, key) in keys.iter().enumerate() {
        for body in [&login, &delete] {
            let (mut client, mut server) = (Link::new(), Link::new());
            client.start_encryption(key);
            server.start_encryption_with_one_of(customer, keys.clone());
            let mut wire = Vec::new();
            for _ in 0..2 {
                client
                    .write(&Outgoing { sequence: 3, encrypted: true, body: body.clone() }, &mut wire)
                    .unwrap();
            }
            server.feed(&wire);
            for _ in 0..2 {
                assert_eq!(server.next().unwrap().unwrap().body, *body);
                assert_eq!(server.key_in_use(), place);
            }
            let mut answer = Vec::new();
            server
                .write(&Outgoing { sequence: 3, encrypted: true, body: login.clone() }, &mut answer)
                .unwrap();
            client.feed(&answer);
            assert_eq!(client.next().unwrap().unwrap().body, login);
        }
    }
}

#[test]
fn what_is_no_message_under_any_key_is_read_under_the_first() {
    let keys = vec![SessionKey::new([1; 32]), SessionKey::new([2; 32])];
    let (mut client, mut server) = (Link::new(), Link::new());
    client.start_encryption(&keys[0]);
    server.start_encryption_with_one_of(CustomerId(1), keys);
    let mut wire = Vec::new();
    client.write(&packet(0, true), &mut wire).unwrap();
    client.write(&packet(1, true), &mut wire).unwrap();
    server.feed(&wire);
    assert_eq!(server.next().unwrap().unwrap().body, Body(vec![]));
    assert_eq!(server.next().unwrap().unwrap().body, Body(vec![7]));
}

/// Bytes as PKWARE DCL writes them if it finds no repetition, and the end: lowest bit first.
fn literally(bytes: &[u8]) -> Vec<u8> {
    let mut bits = Vec::new();
    for byte in bytes {
        bits.push(false);
        bits.extend((0..8).map(|bit| byte >> bit & 1 == 1));
    }
    bits.push(true);
    bits.extend([false; 7]);
    bits.extend([true; 8]);
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    [&[0, 4][..], &bits.chunks(8).map(byte).collect::<Vec<_>>()].concat()
}

#[test]
fn of_several_keys_the_one_is_found_under_which_a_compressed_first_body_is_known() {
    let customer = CustomerId(5_551_212);
    let keys: Vec<_> = (0..8).map(|n| SessionKey::new([n; 32])).collect();
    let [c0, c1, c2, c3] = customer.0.to_le_bytes();
    let login = [105, 0, c0, c1, c2, c3, 1, 2, 3];
    for (place, key) in keys.iter().enumerate() {
        let mut server = Link::new();
        server.start_encryption_with_one_of(customer, keys.clone());
        server.feed(&compressed(&mut TransactionCipher::new(key), SEALED, &literally(&login)));
        let arrived = server.next().unwrap().unwrap();
        assert_eq!((arrived.body, server.key_in_use()), (Body(login.to_vec()), place));
    }
}
