//! Bytes that no Client sends: each gets the documented answer or silence, the ciphers stay in step, a broken frame ends
//! its own connection only, and the server lives on.

use crate::support::{PATIENCE, Raw, Server};
use mco_proto::ids::CommId;
use mco_proto::mcots::Number;
use mco_proto::mcots::{Body, Flags, GenericReply, GenericRequest, number};
use mco_proto::nps::Id;
use mco_proto::nps::mail::MailList;
use mco_proto::nps::persona::PersonaList;
use mco_proto::nps::{Form, Packet, id};
use mcos::client::mcots::Mcots;
use mcos::client::nps::Nps;
use mcos::client::sitting::{LobbyConnection, PersonaSession, Transactions};
use mcos::client::{Endpoint, Error, Service};
use smol::block_on;

fn server() -> Server {
    let mut server = Server::prepare();
    server.account("doc");
    server.persona("doc", "Dr Brown");
    server.start();
    server
}

async fn nps(service: Service, at: Endpoint) -> Nps {
    Nps::connect(service, &at, PATIENCE).await.unwrap()
}

/// A packet with a long header.
fn long(id: Id, body: &[u8]) -> Packet {
    Packet { id, form: Form::LONG, body: body.to_vec() }
}

/// A packet with a short header.
fn short(id: Id, body: &[u8]) -> Packet {
    Packet { id, form: Form::Short, body: body.to_vec() }
}

/// Bytes that look like the start of a message `id` and announce this length.
fn header(id: u16, length: u16) -> Vec<u8> {
    [id.to_be_bytes(), length.to_be_bytes()].concat()
}

#[test]
fn login_answers_whatever_has_a_frame() {
    let server = server();
    block_on(async {
        let mut login = nps(Service::Login, server.at("login")).await;
        for unknown in [
            long(Id(0x0502), &[1, 2, 3]),
            short(Id(0x0532), &[]),
            long(Id(0x1001), &[0xff; 500]),
            short(Id(0x0100), &[0; 20]),
        ] {
            login.send_packet(&unknown).await.unwrap();
            assert_eq!(login.wait(&[id::ACK]).await.unwrap().packet, Packet::bare(id::ACK));
        }
        let too_long = [&[0xff, 0xff][..], &[b'a'; 300]].concat();
        let malformed: [&[u8]; 5] = [&[], &[0], &[0, 32, 1, 2], &too_long, &[0xff; 4000]];
        for body in malformed {
            login.send_packet(&long(id::USER_LOGIN, body)).await.unwrap();
            for _ in 0..2 {
                let refusal = login.wait(&[id::USER_INVALID]).await.unwrap().packet;
                assert_eq!(refusal, Packet::bare(id::USER_INVALID));
            }
        }
        server.sign_in("doc").await;
    });
}

#[test]
fn persona_and_mail_answer_whatever_has_a_frame() {
    let server = server();
    block_on(async {
        let account = server.sign_in("doc").await;
        let mut persona = nps(Service::Persona, server.at("persona")).await;
        for number in 0x0500..=0x0540_u16 {
            for body in [&[][..], &[0xff], &[0xff; 40]] {
                persona.send_packet(&long(Id(number), body)).await.unwrap();
                let answer = persona.next_within(PATIENCE).await.unwrap();
                assert!(answer.is_some(), "0x{number:04x} with {} bytes is not answered", body.len());
            }
        }
        persona.send_packet(&long(id::GET_PERSONA_MAPS, &[0, 1])).await.unwrap();
        let list: PersonaList = persona.answer().await.unwrap();
        assert_eq!(list.personas.len(), 0);
        assert_eq!(account.personas().await.unwrap().len(), 1);

        let mut mail = nps(Service::Mail, server.at("mail")).await;
        for body in [&[][..], &[0, 0, 0], &[0xff; 12], &[0xff; 4000]] {
            mail.send_packet(&short(id::LIST_EMAILS, body)).await.unwrap();
            let list: MailList = mail.answer().await.unwrap();
            assert_eq!(list.count, 0);
        }
        mail.send_packet(&short(Id(0x0777), &[1])).await.unwrap();
        assert_eq!(mail.wait(&[id::ACK]).await.unwrap().packet, Packet::bare(id::ACK));
    });
}

#[test]
fn a_message_arrives_whole_however_it_is_cut() {
    let server = server();
    let account = block_on(server.sign_in("doc"));
    let customer = account.customer.0.to_be_bytes();
    let mut request = vec![0x05, 0x32, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16];
    request.extend_from_slice(&customer);
    let mut whole = Raw::connect(server.port("persona"));
    whole.send(&request);
    let answer = whole.receive(66);
    assert_eq!(answer[..4], [0x06, 0x07, 0, 66]);
    let mut pieces = Raw::connect(server.port("persona"));
    for byte in &request {
        pieces.send(&[*byte]);
    }
    assert_eq!(pieces.receive(66), answer);
    let mut glued = Raw::connect(server.port("persona"));
    glued.send(&[request.clone(), request].concat());
    assert_eq!(glued.receive(132), [answer.clone(), answer].concat());
}

#[test]
fn a_broken_frame_ends_its_own_connection_only() {
    let mut server = server();
    let (driver, mut lobby, mut mcots) = block_on(players(&server));
    let http = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("login", http.to_vec()),
        ("login", header(0x0501, 3)),
        ("login", header(0x0501, 0)),
        ("login", header(0x0501, 0xffff)),
        ("login", b"SSH-2.0-OpenSSH\r\n".to_vec()),
        ("persona", header(0x0532, 2)),
        ("persona", header(0x0532, 4097)),
        ("persona", vec![0x16, 3, 1, 2, 0, 1, 0, 1]),
        ("mail", header(0x0526, 1)),
        ("mail", header(0x0526, 5000)),
        ("lobby", header(0x0100, 0)),
        ("lobby", [header(0x1101, 12), vec![0; 8]].concat()),
        ("lobby", [header(0x1101, 11), vec![0; 7]].concat()),
        ("room", header(0x0100, 3)),
        ("room", [header(0x1101, 12), vec![0; 8]].concat()),
        ("mcots", http.to_vec()),
        ("mcots", b"\x08\0TOMC\0\0\0\0\0".to_vec()),
        ("mcots", b"\0\0TOMC\0\0\0\0\0".to_vec()),
        ("mcots", b"\x13\0TOMC\x01\0\0\0\x08\x6a\0\0\0\0\0\0\0\0\0".to_vec()),
    ];
    for (service, bytes) in cases {
        let mut raw = Raw::connect(server.port(service));
        raw.send(&bytes);
        let answer = raw.receive_all();
        let greeting: &[u8] = if service == "lobby" { &[0x02, 0x30, 0, 4] } else { &[] };
        assert_eq!(answer, greeting, "{service} answers {bytes:02x?}");
    }
    assert!(server.is_alive());
    block_on(async {
        lobby.directory().await.unwrap();
        mcots.cars().await.unwrap();
        driver.lobby().await.unwrap();
    });
}

/// A driver with a lobby and an MCOTS connection.
async fn players(server: &Server) -> (PersonaSession, LobbyConnection, Transactions) {
    let driver = server.driver("doc", "Dr Brown").await;
    let lobby = driver.lobby().await.unwrap();
    let mut mcots = Transactions::connect(&driver).await.unwrap();
    mcots.sign_in(None).await.unwrap();
    (driver, lobby, mcots)
}

#[test]
fn the_lobby_and_rooms_stay_in_step_behind_anything_sealed() {
    let server = server();
    block_on(async {
        let (driver, mut lobby, _mcots) = players(&server).await;
        let address = lobby.server_info(CommId(1)).await.unwrap();
        let room = driver.room(&address).await.unwrap();
        for mut connection in [lobby, room] {
            let bad = [
                Packet::bare(Id(0x0199)),
                short(Id(0xffff), &[0xff; 777]),
                short(id::GET_MINI_USER_LIST, &[]),
                short(id::GET_SERVER_INFO, &[1]),
                short(id::SET_MY_USER_DATA, &[0xff; 200]),
                short(id::SET_MY_USER_DATA, &[0; 3]),
                short(id::OPEN_COMM_CHANNEL, &[0xff; 330]),
                short(id::OPEN_COMM_CHANNEL, &[]),
                short(id::GET_USER_LIST, &[0]),
                short(id::CLOSE_COMM_CHANNEL, &[]),
                short(id::LOGIN, &[0; 9]),
                short(Id(0x0000), &[]),
            ];
            for packet in bad {
                connection.nps().send_packet(&packet).await.unwrap();
                // Nothing answers it, so the directory is what comes next.
                connection.directory().await.unwrap_or_else(|error| panic!("behind {}: {error}", packet.id));
            }
            // An inner length that does not fit its envelope.
            let lying = Packet { id: Id(0x0199), form: Form::Long { version: 0xffff }, body: vec![0; 12] };
            connection.nps().send_packet(&lying).await.unwrap();
            connection.directory().await.unwrap();
            // In clear nothing counts but the heartbeat, and an answer to that is clear too.
            connection.nps().send_bytes(&header(id::SEND_MINI_RIFF_LIST.0, 4)).await.unwrap();
            connection.nps().send_bytes(&header(id::HEARTBEAT.0, 4)).await.unwrap();
            let heartbeat = connection.nps().wait(&[id::HEARTBEAT]).await.unwrap();
            assert!(!heartbeat.encrypted);
            connection.directory().await.unwrap();
            let users = connection.users(CommId(77)).await.unwrap();
            assert_eq!(users.len(), 0);
        }
    });
}

#[test]
fn the_lobby_says_nothing_to_who_has_not_signed_in_and_refuses_a_malformed_login() {
    let server = server();
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let mut lobby = nps(Service::Lobby, server.at("lobby")).await;
        lobby.wait(&[id::OK_TO_LOGIN]).await.unwrap();
        for early in [
            Packet::bare(id::SEND_MINI_RIFF_LIST),
            short(id::OPEN_COMM_CHANNEL, &[0; 400]),
            Packet::bare(Id(0x7777)),
        ] {
            lobby.send_packet(&early).await.unwrap();
        }
        lobby.send_packet(&Packet::bare(id::HEARTBEAT)).await.unwrap();
        assert_eq!(lobby.next_within(PATIENCE).await.unwrap().unwrap().packet.id, id::HEARTBEAT);
        lobby.send(&driver.hello().unwrap()).await.unwrap();
        lobby.wait(&[id::LOGIN_RESP]).await.unwrap();

        for body in [&[][..], &[0; 20], &[0xff; 139]] {
            let mut raw = Raw::connect(server.port("room"));
            let mut wire = Vec::new();
            short(id::LOGIN, body).encode(&mut wire).unwrap();
            raw.send(&wire);
            assert_eq!(raw.receive_all(), [0x02, 0x2a, 0, 4]);
        }
    });
}

/// A reply to a request, found by its sequence.
async fn reply(mcots: &mut Mcots, body: Body, encrypted: bool) -> (Number, GenericReply) {
    let sequence = mcots.send_as(body, encrypted).await.unwrap();
    let answers = [number::SUCCESS, number::FAILED, number::GENERIC_REPLY];
    let incoming = mcots.wait(sequence, &answers).await.unwrap();
    assert_eq!(incoming.flags.has(Flags::ENCRYPTED), encrypted);
    (incoming.body.number().unwrap(), incoming.body.record().unwrap())
}

#[test]
fn mcots_refuses_what_it_does_not_know_and_stays_in_step() {
    let server = server();
    block_on(async {
        let (driver, _lobby, mut transactions) = players(&server).await;
        let mcots = transactions.mcots();
        for unknown in [0, 1, 99, 104, 391, 400, 1100, 65_535] {
            let (answer, reply) = reply(mcots, GenericRequest::body(Number(unknown), 7), true).await;
            assert_eq!((answer, reply.request), (number::FAILED, Number(unknown)));
        }
        for truncated in
            [number::GET_OWNED_VEHICLES, number::GET_PLAYER_INFO, number::SET_OPTIONS, number::LOGIN]
        {
            let body = Body(truncated.0.to_le_bytes().to_vec());
            let (answer, reply) = reply(mcots, body, true).await;
            assert_eq!((answer, reply.request), (number::FAILED, truncated));
        }
        // No number at all, and half a number: nobody knows what was asked for, but that it was.
        for numberless in [vec![], vec![1]] {
            let (answer, reply) = reply(mcots, Body(numberless), true).await;
            assert_eq!((answer, reply.request), (number::FAILED, Number(0)));
        }
        // Things nobody answers: a report that is too short, 438 again.
        for silent in [vec![0xb8, 0x01, 9], vec![0xb6, 0x01, 0, 0]] {
            mcots.send_as(Body(silent), true).await.unwrap();
        }
        // In clear: refused, in clear.
        let (answer, _) = reply(mcots, GenericRequest::body(number::GET_OWNED_VEHICLES, 1), false).await;
        assert_eq!(answer, number::FAILED);
        let request = GenericRequest::body(number::GET_OWNED_VEHICLES, driver.persona.0);
        let oversized = Body([request.0, vec![0; 60_000]].concat());
        let sequence = mcots.send_body(oversized).await.unwrap();
        mcots.wait(sequence, &[number::OWNED_VEHICLES_LIST]).await.unwrap();
        transactions.cars().await.unwrap();
        transactions.home().await.unwrap();
        let missing = transactions.car(mco_proto::ids::VehicleId(424_242)).await;
        assert!(matches!(missing, Err(Error::Refused { .. })), "{missing:?}");
        // One persona's request for another's cars is answered with something that parses.
        let _ =
            transactions.get::<mco_proto::mcots::garage::OwnedVehicles>(number::GET_OWNED_VEHICLES, 0).await;
        transactions.cars().await.unwrap();
        driver.leave().await.unwrap();
    });
}

#[test]
fn mcots_refuses_everything_but_the_dealers_list_before_438() {
    let server = server();
    block_on(async {
        let mut mcots = Mcots::connect(&server.at("mcots"), PATIENCE).await.unwrap();
        for early in [number::LOGIN, number::GET_LOBBIES, number::LOGOUT, Number(9999)] {
            let (answer, reply) = reply(&mut mcots, GenericRequest::body(early, 0), false).await;
            assert_eq!((answer, reply.request), (number::FAILED, early));
        }
        let (answer, _) = reply(&mut mcots, Body(vec![0xb6, 0x01, 1, 2, 3]), false).await;
        assert_eq!(answer, number::FAILED);
        let sequence = mcots.send_body(GenericRequest::body(number::STOCK_CAR_INFO, 8)).await.unwrap();
        mcots.wait(sequence, &[number::STOCK_CAR_INFO]).await.unwrap();
    });
}

#[test]
fn the_web_port_outlives_nonsense() {
    let mut server = server();
    for nonsense in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /AuthLogin HTTP/1.1\r\nContent-Length: banana\r\n\r\n",
        &b"A".repeat(300_000),
    ] {
        let mut raw = Raw::connect(server.port("http"));
        raw.send(nonsense);
        raw.receive_all();
    }
    assert!(server.is_alive());
    block_on(async {
        for (page, query) in
            [("/AuthLogin", ""), ("/AuthLogin", "username=%ff%00%zz&password=%"), ("/no/such/page", "")]
        {
            let response = server.web().get(page, query).await.unwrap();
            assert!(!response.text().contains("Valid=TRUE"), "{page}?{query}");
        }
        server.web().shard_list().await.unwrap();
    });
}
