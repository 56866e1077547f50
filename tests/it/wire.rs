//! The page *Wire*: what nobody can explain yet, recordings while players race, and other answers.

use crate::support::Server;
use mco_proto::mcots::{Body, number};
use mco_proto::nps::{Id, Packet};
use mcos::client::sitting::Transactions;
use smol::block_on;

/// A number that no message has.
const UNHEARD_OF: u16 = 0x01f7;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn body(number: u16, rest: &[u8]) -> Body {
    Body([&number.to_le_bytes(), rest].concat())
}

#[test]
fn the_page_shows_the_whole_first_body_of_what_nobody_can_explain() {
    let server = Server::started();
    server.persona("doc", "Dr Brown");
    let mut operator = server.operator();
    assert!(operator.look("/operator/wire").contains("No such message"));
    let unknown: Vec<u8> = (0..1500_u16).map(|n| n.to_le_bytes()[0]).collect();
    let dents = [&[7; 200][..], b"a dent"].concat();
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let mut lobby = driver.lobby().await.unwrap();
        for rest in [&unknown[..], b"the second"] {
            let packet = Packet { body: rest.to_vec(), ..Packet::bare(Id(UNHEARD_OF)) };
            lobby.nps().send_packet(&packet).await.unwrap();
        }
        lobby.directory().await.unwrap();
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        let sequence = mcots.mcots().send_body(body(UNHEARD_OF, &unknown)).await.unwrap();
        mcots.mcots().wait(sequence, &[number::FAILED]).await.unwrap();
        mcots.mcots().send_body(body(number::UPDATE_BODY_DAMAGE.0, &dents)).await.unwrap();
        mcots.player_info().await.unwrap();
        let page = operator.look("/operator/wire");
        for part in [
            "UPDATE_BODY_DAMAGE",
            "its content is not understood",
            &hex(&body(number::UPDATE_BODY_DAMAGE.0, &dents).0),
            &hex(&unknown),
            &hex(&body(UNHEARD_OF, &unknown).0),
            "FAILED",
            "127.0.0.1:",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains(&hex(b"the second")), "{page}");
        assert_eq!(operator.fill_in("/operator/wire", "/operator/wire/clear", "").status, 303);
        assert!(operator.look("/operator/wire").contains("No such message"));
    });
}
