use super::*;
use crate::arbitrary::for_any;
use arbitrary::Arbitrary;

/// Two ends of a connection to a lobby that have signed in.
fn pair() -> [Link; 2] {
    let key = SessionKey::random();
    [(); 2].map(|()| {
        let mut link = Link::new(Headers::Short, Link::LARGEST);
        link.start_encryption(&key);
        link
    })
}

fn of_size(size: usize) -> Packet {
    Packet { body: vec![7; size - Form::Short.size()], ..Packet::bare(id::RELAY_LONG_ALL) }
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

/// A packet as one side of a lobby connection may send it.
#[derive(Clone, Debug, Arbitrary)]
struct Sent {
    id: Id,
    body: Vec<u8>,
    encrypted: bool,
}

impl Sent {
    fn packet(&self) -> Packet {
        // In clear, this number would say that the packet is encrypted.
        let id = if self.id == id::ENCRYPTED { id::ACK } else { self.id };
        Packet { body: self.body.clone(), ..Packet::bare(id) }
    }
}

#[test]
fn without_a_key_nothing_goes_out_in_place_of_an_encrypted_packet() {
    let mut link = Link::new(Headers::Short, Link::LARGEST);
    let mut out = vec![1, 2, 3];
    assert_eq!(link.write(&Packet::bare(id::ACK), true, &mut out), Err(EncodeError::NoKey));
    assert_eq!(link.write(&of_size(1 << 20), true, &mut out), Err(EncodeError::NoKey));
    assert_eq!(out, [1, 2, 3]);
}

#[test]
fn a_packet_that_is_too_long_leaves_no_trace() {
    let [mut writer, mut reader] = pair();
    let mut out = Vec::new();
    for encrypted in [true, false] {
        for size in [Packet::LARGEST + 1, Link::LARGEST, Link::LARGEST + 1, 1 << 20] {
            let error = writer.write(&of_size(size), encrypted, &mut out);
            assert_eq!((error, out.len()), (Err(EncodeError::TooLong { size }), 0));
        }
    }
    writer.write(&of_size(Packet::LARGEST), true, &mut out).unwrap();
    writer.write(&of_size(Packet::LARGEST), false, &mut out).unwrap();
    reader.feed(&out);
    for encrypted in [true, false] {
        let incoming = reader.next().unwrap().unwrap();
        assert_eq!(incoming, Incoming { packet: of_size(Packet::LARGEST), encrypted });
    }
}

#[test]
fn any_cut_of_the_stream_gives_the_packets_that_were_sent() {
    for_any(|(sizes, sent): (Vec<u8>, Vec<Sent>)| {
        let [mut writer, mut reader] = pair();
        let mut wire = Vec::new();
        for sent in &sent {
            writer.write(&sent.packet(), sent.encrypted, &mut wire).unwrap();
        }
        let expected: Vec<_> =
            sent.iter().map(|sent| Incoming { packet: sent.packet(), encrypted: sent.encrypted }).collect();
        assert_eq!(read_in_pieces(&mut reader, &wire, &sizes), (expected, None));
        assert!(reader.inbox.peek().is_empty());
    });
}

#[test]
fn any_cut_of_any_bytes_gives_the_same_packets_and_the_same_end() {
    for_any(|(sizes, headers, signed_in, wire): (Vec<u8>, bool, bool, Vec<u8>)| {
        let key = SessionKey::new([7; 32]);
        let link = || {
            let headers = if headers { Headers::Either } else { Headers::Short };
            let mut link = Link::new(headers, 1000);
            if signed_in {
                link.start_encryption(&key);
            }
            link
        };
        // One byte at a time: the finest cut there is.
        let finest = read_in_pieces(&mut link(), &wire, &vec![1; wire.len()]);
        assert_eq!(read_in_pieces(&mut link(), &wire, &sizes), finest);
        assert_eq!(read_in_pieces(&mut link(), &wire, &[]), finest);
    });
}

#[test]
fn the_cipher_stays_in_step_behind_anything_that_was_encrypted() {
    for_any(|(contents, sent): (Vec<[u8; 8]>, Vec<Sent>)| {
        let [mut writer, mut reader] = pair();
        let mut wire = Vec::new();
        let mut sent = sent.into_iter();
        // Whatever the inner header says of itself, and however short the content is.
        for content in contents {
            let mut content = content.to_vec();
            let envelope = Packet { body: Vec::new(), ..Packet::bare(id::ENCRYPTED) };
            writer.cipher.as_mut().unwrap().encrypt(&mut content);
            Packet { body: content, ..envelope }.encode(&mut wire).unwrap();
            reader.feed(&std::mem::take(&mut wire));
            let incoming = reader.next().unwrap().unwrap();
            assert!(incoming.encrypted && incoming.packet.body.len() <= BLOCK - Form::Short.size());
            if let Some(sent) = sent.next() {
                writer.write(&sent.packet(), true, &mut wire).unwrap();
                reader.feed(&std::mem::take(&mut wire));
                assert_eq!(reader.next().unwrap().unwrap().packet, sent.packet());
            }
        }
    });
}

#[test]
fn long_and_short_headers_are_told_apart_by_their_content() {
    for_any(|(form, body): (Form, Vec<u8>)| {
        let packet = Packet { id: id::USER_LOGIN, form, body };
        // A short packet that looks like a long one is a long one: no Client sends such.
        let looks_long = |body: &[u8]| {
            let [v0, v1, 0, 0, 0, 0, _, _, ..] = *body else { return false };
            matches!([v0, v1], [0, 0] | [1, 1])
        };
        if form == Form::Short && looks_long(&packet.body) {
            return;
        }
        let mut link = Link::new(Headers::Either, Link::LARGEST);
        let mut wire = Vec::new();
        link.write(&packet, false, &mut wire).unwrap();
        link.feed(&wire);
        assert_eq!(link.next(), Ok(Some(Incoming { packet, encrypted: false })));
        assert_eq!(link.next(), Ok(None));
    });
}

fn broken(headers: Headers, largest: usize, signed_in: bool, wire: &[u8]) -> Broken {
    let mut link = Link::new(headers, largest);
    if signed_in {
        link.start_encryption(&SessionKey::new([7; 32]));
    }
    link.feed(wire);
    link.next().unwrap_err()
}

#[test]
fn each_reason_to_give_up_a_stream_is_given_as_soon_as_it_is_known() {
    let short = |wire| broken(Headers::Short, 1000, true, wire);
    assert_eq!(short(&[1, 0, 0, 3]), Broken::Length { id: id::LOGIN, length: 3 });
    assert_eq!(short(&[1, 0, 0x03, 0xe9]), Broken::Length { id: id::LOGIN, length: 1001 });
    assert_eq!(broken(Headers::Either, 1000, false, b"GET "), Broken::NotAClient(Id(0x4745)));
    assert_eq!(short(&[0x11, 0x01, 0, 4]), Broken::Unaligned(0));
    assert_eq!(short(&[0x11, 0x01, 0, 11, 1, 2, 3, 4, 5, 6, 7]), Broken::Unaligned(7));
    let encrypted = [0x11, 0x01, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(broken(Headers::Short, 1000, false, &encrypted), Broken::NoKey);
}

#[test]
fn on_login_and_persona_nothing_is_encrypted() {
    let mut link = Link::new(Headers::Either, 1000);
    link.feed(&[0x11, 0x01, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8]);
    let incoming = link.next().unwrap().unwrap();
    assert_eq!(
        (incoming.packet.id, incoming.packet.body.len(), incoming.encrypted),
        (id::ENCRYPTED, 8, false)
    );
}

#[test]
fn a_packet_of_the_largest_size_is_let_in() {
    let mut link = Link::new(Headers::Short, 1000);
    let mut wire = Vec::new();
    of_size(1000).encode(&mut wire).unwrap();
    link.feed(&wire);
    assert_eq!(link.next(), Ok(Some(Incoming { packet: of_size(1000), encrypted: false })));
}
