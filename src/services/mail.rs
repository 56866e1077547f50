//! Mail, port 8227: in clear and without any proof of who asks but the address. There is no mail yet, and a Client is
//! content to hear so. See `docs/protocol/login-persona-mail.md`.

use super::{Game, Hex, Outcome};
use crate::protocol::ids::PersonaId;
use crate::protocol::nps::mail::{ListEmails, MailList, ReceiveEmail};
use crate::protocol::nps::{Message, Packet, id};
use std::net::IpAddr;

/// What happens on a message to port 8227.
pub fn answer(game: &Game, peer: IpAddr, packet: &Packet) -> Outcome<Packet> {
    match packet.id {
        id::LIST_EMAILS => match packet.read::<ListEmails>() {
            Ok(list) => list_emails(game, peer, list.persona),
            Err(error) => {
                log::info!(
                    "mail: {peer} sent a malformed 0x{:04x} of {} bytes: {error}",
                    packet.id,
                    packet.size()
                );
                Outcome::reply(NO_MAIL.packet())
            }
        },
        // A mail that does not exist can only be acknowledged: no refusal is known.
        id::RECEIVE_EMAIL if packet.read::<ReceiveEmail>().is_ok() => Outcome::reply(Packet::bare(id::ACK)),
        _ => {
            let (id, name, length) = (packet.id, id::name(packet.id), packet.size());
            log::info!("mail: {peer} sent 0x{id:04x} ({name}, {length} bytes): {}", Hex(&packet.body));
            Outcome::reply(Packet::bare(id::ACK))
        }
    }
}

const NO_MAIL: MailList = MailList { count: 0, first: 0 };

/// 0x0526: the mails of a persona, asked once on entering the lobby.
fn list_emails(game: &Game, peer: IpAddr, persona: PersonaId) -> Outcome<Packet> {
    if super::persona::owned_from(game, peer, persona).is_none() {
        log::info!("mail: {peer} asked for the mail of persona {persona}, which did not sign in from there");
    }
    Outcome::reply(NO_MAIL.packet())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));

    #[test]
    fn everybody_hears_that_there_is_no_mail() {
        let (game, _folder) = Game::for_tests();
        let player = game.player("doc", "Dr Brown", PEER);
        for persona in [player.persona, PersonaId(77)] {
            let list = ListEmails { persona, last_known: 0, unknown: 1, filler: 0xfdfe };
            assert_eq!(answer(&game, PEER, &list.packet()).replies, [NO_MAIL.packet()]);
        }
        let short = Packet { body: vec![0; 3], ..Packet::bare(id::LIST_EMAILS) };
        assert_eq!(answer(&game, PEER, &short).replies, [NO_MAIL.packet()]);
    }

    #[test]
    fn what_can_not_be_done_yet_is_acknowledged() {
        let (game, _folder) = Game::for_tests();
        for id in [id::RECEIVE_EMAIL, id::SEND_EMAIL, id::DELETE_EMAILS, 0x0599] {
            let packet = Packet { body: vec![0; 12], ..Packet::bare(id) };
            assert_eq!(answer(&game, PEER, &packet).replies, [Packet::bare(id::ACK)]);
        }
    }
}
