//! Texts with more than ASCII on their way through a whole server: Windows-1252 on the wire, UTF-8 everywhere else; and bodies that
//! come compressed.

use crate::support::{PATIENCE, Server};
use mco_proto::cipher::TransactionCipher;
use mco_proto::ids::CommId;
use mco_proto::mcots::player::PlayerName;
use mco_proto::mcots::session::ClientConnect;
use mco_proto::mcots::{Body, Flags, GenericReply, GenericRequest, Incoming, Message as _, Number, number};
use mco_proto::nps::Id;
use mco_proto::nps::relay::{Address, Relay};
use mco_proto::text::Chars;
use mcos::client::mcots::Mcots;
use mcos::client::sitting::Transactions;
use smol::block_on;
use std::fs;

const CHAT: CommId = CommId(2);
const CHAT_LINE: Id = Id(0x0089);
/// The flags of a body that is imploded and encrypted.
const COMPRESSED: u8 = Flags::COMPRESSED | Flags::ENCRYPTED;

#[test]
fn umlauts_are_the_same_in_the_game_on_the_pages_and_after_a_restart_and_a_chat_line_stays_as_it_is() {
    let mut server = Server::prepare();
    let config = fs::read_to_string(server.config()).unwrap();
    let texts = "name = \"Münchner Straßen\"\nticker = \"„Łódź“ – 5 €\"";
    server.configure(&config.replace("name = \"Test City\"", texts));
    server.account("jorg");
    server.account("doc");
    server.persona("doc", "Žofie €uro");
    server.start();
    let jorg = block_on(async {
        let web = server.web();
        assert_eq!(web.shard_list().await.unwrap()[0].name, "Münchner Straßen");
        let ticker = web.get("/ticker", "").await.unwrap().body;
        assert_eq!(ticker, b"/color=0xFFFF00\n\t\t\x84L\xf3dz\x93 \x96 5 \x80");
        let page = String::from_utf8(web.get("/", "").await.unwrap().body).unwrap();
        assert!(page.contains("Münchner Straßen"), "{page}");

        let account = server.sign_in("jorg").await;
        let jorg = account.create_persona("Jörg Öß").await.unwrap();
        assert!(!account.name_is_free("jÖRG öß").await.unwrap());

        let first = server.driver("jorg", "Jörg Öß").await;
        let second = server.driver("doc", "Žofie €uro").await;
        let port = server.ports("room")[1];
        let mut speaker = first.room(&first.room_on_lobby_host(port)).await.unwrap();
        speaker.open_chat(port).await.unwrap();
        let mut listener = second.room(&second.room_on_lobby_host(port)).await.unwrap();
        listener.open_chat(port).await.unwrap();
        let users = listener.chat_users().await.unwrap();
        assert_eq!(
            users.iter().find(|user| user.persona == jorg).unwrap().name.as_bytes(),
            b"J\xf6rg \xd6\xdf"
        );
        let every_byte: Vec<u8> = (0..=255).collect();
        let relay =
            |address| Relay { id: CHAT_LINE, channel: CHAT, sender: jorg, address, payload: &every_byte };
        speaker.nps().send_packet(&relay(Address::All).packet()).await.unwrap();
        let heard = listener.nps().wait(&[CHAT_LINE]).await.unwrap();
        assert_eq!(heard.packet, relay(Address::All).forwarded(jorg));
        jorg
    });
    let listed = server.must(&["persona", "list"], "");
    assert!(listed.contains("Jörg Öß") && listed.contains("Žofie €uro"), "{listed}");
    assert!(server.stop().success());
    server.start();
    block_on(async {
        let driver = server.driver("doc", "Žofie €uro").await;
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        let name: PlayerName = mcots.get(number::GET_PLAYER_NAME, jorg.0).await.unwrap();
        assert_eq!(name.name.as_bytes(), b"J\xf6rg \xd6\xdf");
    });
}

/// "What is player n called?" as PKWARE DCL has it: ten literals and the end, each behind a bit, lowest bit first.
fn imploded(body: &Body) -> Vec<u8> {
    let mut bits = Vec::new();
    for byte in &body.0 {
        bits.push(0);
        bits.extend((0..8).map(|bit| byte >> bit & 1));
    }
    bits.push(1);
    bits.extend([0; 7]);
    bits.extend([1; 8]);
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit);
    [&[0, 6][..], &bits.chunks(8).map(byte).collect::<Vec<_>>()].concat()
}

#[test]
fn a_compressed_request_is_answered_a_damaged_one_is_refused_and_the_next_is_understood() {
    let mut server = Server::prepare();
    server.account("doc");
    server.persona("doc", "Dr Brown");
    server.start();
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let (key, persona) = (&driver.account.key, driver.persona);
        let mut mcots = Mcots::connect(&server.at("mcots"), PATIENCE).await.unwrap();
        let name = Chars::constant(b"Dr Brown");
        let (customer, customer_name) = (driver.account.customer, Chars::default());
        mcots
            .send(&ClientConnect {
                customer,
                persona,
                customer_name,
                persona_name: name.clone(),
                version: 6001,
            })
            .await
            .unwrap();
        assert!(mcots.next_within(PATIENCE).await.unwrap().is_some());
        mcots.start_encryption(key);

        let question = GenericRequest::body(number::GET_PLAYER_NAME, persona.0);
        let whole = imploded(&question);
        let named = PlayerName { player: persona, name }.body();
        let refused = GenericReply::failed(Number(0), None);
        let mut cipher = TransactionCipher::new(key);
        for (sequence, flags, content, answer) in [
            (3, COMPRESSED, &whole[..], &named),
            (5, COMPRESSED, &whole[..whole.len() - 1], &refused),
            (7, COMPRESSED, b"", &refused),
            (9, Flags::ENCRYPTED, &question.0, &named),
            (11, COMPRESSED, &whole, &named),
        ] {
            let mut body = content.to_vec();
            cipher.encrypt(&mut body);
            let length = u16::try_from(body.len() + 9).unwrap();
            let head = [&length.to_le_bytes()[..], b"TOMC", &[sequence, 0, 0, 0, flags]].concat();
            mcots.send_bytes(&[head, body].concat()).await.unwrap();
            let Incoming { sequence: told, flags, body } =
                mcots.next_within(PATIENCE).await.unwrap().unwrap();
            assert_eq!(
                (told, flags, &body),
                (sequence.into(), Flags(Flags::ENCRYPTED), answer),
                "{content:02x?}"
            );
        }
    });
}
