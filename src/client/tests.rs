//! The Client's connections against a scripted peer made of the same links.

use super::mcots::Mcots;
use super::nps::Nps;
use super::{Endpoint, Error, Service};
use mco_proto::bytes::List;
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::mcots::garage::{OwnedParts, OwnedVehicles};
use mco_proto::mcots::{self, GenericReply, GenericRequest, Outgoing, number};
use mco_proto::nps::lobby::{GetMiniUserList, MiniUserList};
use mco_proto::nps::persona::{BuddyListCount, GetBuddyList, GetPersonaMaps, PersonaList};
use mco_proto::nps::{self, Headers, Message as _, Packet, id};
use mco_proto::session_key::SessionKey;
use smol::block_on;
use socket2::{Domain, Socket, Type};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_mins(2);
const SHORT_TIMEOUT: Duration = Duration::from_millis(50);

/// Lets `script` speak with the first caller of a port of this machine.
fn peer(script: impl FnOnce(TcpStream) + Send + 'static) -> Endpoint {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || script(listener.accept().unwrap().0));
    Endpoint::new("127.0.0.1", port)
}

/// Reads until `next` finds a whole packet.
fn take<P>(stream: &mut TcpStream, mut next: impl FnMut(&[u8]) -> Option<P>) -> P {
    let mut buffer = [0; 7];
    let mut count = 0;
    loop {
        if let Some(packet) = next(&buffer[..count]) {
            return packet;
        }
        count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the Client hung up");
    }
}

#[test]
fn an_answer_is_found_behind_pushes_and_the_pushes_stay() {
    let key = SessionKey::random();
    let servers = key.clone();
    let at = peer(move |mut stream| {
        let mut link = nps::Link::new(Headers::Short, 4096);
        link.start_encryption(&servers);
        let request = take(&mut stream, |bytes| {
            link.feed(bytes);
            link.next().unwrap()
        });
        assert!(request.encrypted);
        let channel = request.packet.read::<GetMiniUserList>().unwrap().channel;
        let mut wire = Vec::new();
        link.write(&Packet::bare(id::USER_INFO), true, &mut wire).unwrap();
        link.write(&MiniUserList { channel, users: List::first_n([]) }.packet(), true, &mut wire).unwrap();
        for byte in wire {
            stream.write_all(&[byte]).unwrap();
        }
        let _ = stream.read(&mut [0]);
    });
    block_on(async {
        let mut nps = Nps::connect(Service::Lobby, &at, TIMEOUT).await.unwrap();
        nps.start_encryption(&key);
        let list: MiniUserList = nps.ask(&GetMiniUserList { channel: CommId(7) }).await.unwrap();
        assert_eq!(list.channel, CommId(7));
        let push = nps.next_within(TIMEOUT).await.unwrap().unwrap();
        assert_eq!((push.packet.id, push.encrypted), (id::USER_INFO, true));
        assert!(nps.next_within(SHORT_TIMEOUT).await.unwrap().is_none());
    });
}

#[test]
fn a_refusal_and_a_hang_up_are_told_apart_from_silence() {
    let refusing = peer(|mut stream| {
        stream.write_all(&[0x02, 0x2a, 0, 4]).unwrap();
        let _ = stream.read(&mut [0; 99]);
    });
    let closing = peer(drop);
    let silent = peer(|mut stream| while stream.read(&mut [0; 99]).is_ok_and(|count| count > 0) {});
    let ask = |at: Endpoint, timeout| {
        block_on(async move {
            let mut nps = Nps::connect(Service::Persona, &at, timeout).await?;
            nps.ask::<BuddyListCount>(&GetBuddyList { persona: PersonaId(1) }).await
        })
    };
    let error = ask(refusing, TIMEOUT).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert!(error.to_string().contains("INVALID_KEY (0x022a)"), "{error}");
    let error = ask(closing, TIMEOUT).unwrap_err();
    assert!(matches!(error, Error::Closed { .. } | Error::Lost { .. }), "{error}");
    let error = ask(silent, SHORT_TIMEOUT).unwrap_err();
    assert!(matches!(error, Error::Silence { .. }), "{error}");
    assert!(error.to_string().contains("BUDDY_LIST_COUNT (0x0614) did not come in time"), "{error}");
}

#[test]
fn a_port_where_nothing_listens_is_named() {
    // Taken, so that nobody else gets it, but it does not listen.
    let taken = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    taken.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = taken.local_addr().unwrap().as_socket().unwrap().port();
    let at = Endpoint::new("127.0.0.1", port);
    let error = block_on(Nps::connect(Service::Mail, &at, TIMEOUT)).unwrap_err().to_string();
    assert!(error.contains("connection refused") && error.contains(&port.to_string()), "{error}");
}

#[test]
fn the_captured_persona_list_is_read_though_its_second_length_is_zero() {
    let at = peer(|mut stream| {
        let _ = stream.read(&mut [0; 99]);
        let mut wire = vec![0x06, 0x07, 0, 66, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1];
        wire.extend_from_slice(&[
            0, 0x54, 0xb4, 0x6c, 0x0d, 0x0d, 0, 0, 0, 21, 0, 0, 0, 44, 0, 0, 0, 0, 0, 8,
        ]);
        wire.extend_from_slice(b"Dr Brown");
        wire.resize(66, 0);
        stream.write_all(&wire).unwrap();
        let _ = stream.read(&mut [0]);
    });
    block_on(async {
        let mut nps = Nps::connect(Service::Persona, &at, TIMEOUT).await.unwrap();
        let request = GetPersonaMaps { customer: mco_proto::ids::CustomerId(5_551_212) };
        let list: PersonaList = nps.ask(&request).await.unwrap();
        assert_eq!(list.personas.len(), 1);
        assert_eq!(list.personas[0].persona, PersonaId(21));
        assert_eq!(list.personas[0].name.to_string(), "Dr Brown");
    });
}

#[test]
fn sequence_numbers_count_packets_of_both_directions_as_recorded() {
    let key = SessionKey::random();
    let servers = key.clone();
    let at = peer(move |mut stream| {
        let mut link = mcots::Link::new();
        let mut seen = Vec::new();
        for round in 0..4 {
            let request = take(&mut stream, |bytes| {
                link.feed(bytes);
                link.next().unwrap()
            });
            seen.push(request.sequence);
            let number = request.body.number().unwrap();
            let answers = match number {
                number::GET_LOBBIES => vec![GenericReply::success(number), GenericReply::success(number)],
                number::GET_OWNED_PARTS => vec![GenericReply::failed(number, Some(number::INVALID_VEHICLE))],
                _ => vec![GenericReply::success(number)],
            };
            let mut wire = Vec::new();
            for body in answers {
                link.write(&Outgoing { sequence: request.sequence, encrypted: round > 0, body }, &mut wire)
                    .unwrap();
            }
            stream.write_all(&wire).unwrap();
            if round == 0 {
                link.start_encryption(&servers);
            }
        }
        assert_eq!(seen, [1, 3, 5, 8]);
        let _ = stream.read(&mut [0]);
    });
    block_on(async {
        let mut mcots = Mcots::connect(&at, TIMEOUT).await.unwrap();
        for round in 0..3 {
            let number = [number::CLIENT_CONNECT_MSG, number::LOGIN, number::GET_LOBBIES][round];
            let sequence = mcots.send_body(GenericRequest::body(number, 0)).await.unwrap();
            for _ in 0..=usize::from(round == 2) {
                mcots.wait(sequence, &[number::SUCCESS]).await.unwrap();
            }
            if round == 0 {
                mcots.start_encryption(&key);
            }
        }
        let sequence = mcots.send_body(GenericRequest::body(number::GET_OWNED_PARTS, 0)).await.unwrap();
        let error = mcots.answer::<OwnedParts>(sequence).await.unwrap_err();
        assert!(matches!(error, Error::Refused { code: 191, .. }), "{error}");
    });
}

#[test]
fn an_answer_under_another_sequence_number_or_cut_short_is_not_taken() {
    let answer = |sequence: u32, body: &'static [u8]| {
        peer(move |mut stream| {
            let _ = stream.read(&mut [0; 99]);
            let mut wire = Vec::new();
            let body = mcots::Body(body.to_vec());
            mcots::Link::new().write(&Outgoing { sequence, encrypted: false, body }, &mut wire).unwrap();
            stream.write_all(&wire).unwrap();
            let _ = stream.read(&mut [0]);
        })
    };
    let ask = |at: Endpoint| {
        block_on(async move {
            let mut mcots = Mcots::connect(&at, TIMEOUT).await?;
            let sequence = mcots.send_body(GenericRequest::body(number::GET_OWNED_VEHICLES, 21)).await?;
            mcots.answer::<OwnedVehicles>(sequence).await
        })
    };
    assert_eq!(ask(answer(1, b"\xad\0\0")).unwrap().vehicles.len(), 0);
    let error = ask(answer(2, b"\xad\0\0")).unwrap_err().to_string();
    assert!(error.contains("field \"sequence\": it is 2, the request's was 1"), "{error}");
    let error = ask(answer(1, b"\xad\0\x01\x07\0\0\0")).unwrap_err().to_string();
    assert!(
        error.contains("OWNED_VEHICLES_LIST (173) ends too early: 4 bytes wanted at offset 7"),
        "{error}"
    );
}
