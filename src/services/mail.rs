//! Mail, port 8227: in clear and without any proof of who asks but the address. See
//! `docs/protocol/login-persona-mail.md`.
//!
//! Players cannot write to each other yet: the layout of 0x0523 is not known. The server writes to them.

use super::dispatch::{Call, Peer, Service, rows};
use super::{Game, Listed, Outcome};
use crate::clock::Now;
use crate::store::{MailEntry, StoreError};
use mco_proto::ids::PersonaId;
use mco_proto::nps::mail::{self, DeleteEmail, ListEmails, Mail, MailList, ReceiveEmail};
use mco_proto::nps::{Message, Packet, id};
use mco_proto::text::{CStr, Str16};
use std::net::IpAddr;

const NO_MAIL: MailList = MailList { count: 0, first: 0 };

/// What happens on which message to port 8227.
static SERVICE: Service<Peer<8227>, Packet, Packet> = Service {
    name: |_| "mail",
    rows: rows! {
        LIST_EMAILS: Anyone, Expected => list;
        RECEIVE_EMAIL: Anyone, Expected => receive;
        // Nobody published a real one.
        DELETE_EMAILS: Anyone, Expected, guessed => delete;
    },
    refuse: |call, _| {
        if call.message.id == id::LIST_EMAILS { Outcome::reply(NO_MAIL.packet()) } else { acknowledged() }
    },
};

type Handler<'a> = Call<'a, Peer<8227>, Packet>;

/// What happens on a message to port 8227.
pub fn answer(game: &Game, peer: IpAddr, packet: &Packet, now: Now) -> Outcome<Packet> {
    SERVICE.answer(Call { game, caller: &mut Peer(peer), message: packet, now })
}

/// The rows of port 8227.
pub fn listed() -> Vec<Listed> {
    SERVICE.listed()
}

type Answer = Result<Outcome<Packet>, StoreError>;

/// A mail that does not exist can only be acknowledged: no refusal is known.
fn acknowledged() -> Outcome<Packet> {
    Outcome::reply(Packet::bare(id::ACK))
}

impl Handler<'_> {
    /// The mails of a persona; none for whoever did not sign in with it from there.
    fn mails(&self, persona: PersonaId) -> Result<Vec<MailEntry>, StoreError> {
        let Call { game, caller: &mut Peer(peer), now, .. } = *self;
        if game.persona_of(peer, persona, now).is_none() {
            log::info!(
                "mail: {peer} asked for the mail of persona {persona}, which did not sign in from there"
            );
            return Ok(Vec::new());
        }
        game.store.mails().list(persona, now)
    }

    /// 0x0526: how many mails there are behind the last one known. The Client can only count up from the first, so a mail
    /// that was deleted in between counts too (*inferred*): otherwise it would never come to the last one.
    fn list(&self, request: &ListEmails) -> Answer {
        let mut mails = self.mails(request.persona)?;
        mails.retain(|mail| mail.number > request.last_known);
        let (Some(first), Some(last)) = (mails.first(), mails.last()) else {
            return Ok(Outcome::reply(NO_MAIL.packet()));
        };
        let count = u16::try_from(last.number - first.number + 1).unwrap_or(u16::MAX);
        Ok(Outcome::reply(MailList { count, first: first.number }.packet()))
    }

    /// 0x0524: one mail. It is read from then on, unless only its header was wanted; the packet is the same.
    fn receive(&self, request: &ReceiveEmail) -> Answer {
        let ReceiveEmail { persona, mail, header_only } = *request;
        let Some(number) = meant(&self.mails(persona)?, mail) else { return Ok(acknowledged()) };
        let Some((mail, read)) = self.game.store.mails().get(persona, number, self.now)? else {
            return Ok(acknowledged());
        };
        let packet = Mail {
            mail: number,
            sender: mail.sender,
            sender_name: CStr::first_n(&mail.sender_name),
            gap: 0,
            title: CStr::first_n(&mail.title),
            sent: mail.sent,
            expires: mail.expires,
            unread: u16::from(!read),
            text: Str16::first_n(&mail.text),
        };
        let answer = Outcome::reply(packet.packet());
        if read || header_only == 1 {
            return Ok(answer);
        }
        // Nobody needs to wait for that to be on the card.
        drop(self.game.store.mails().mark_read(persona, number)?);
        Ok(answer)
    }

    /// 0x0525: a mail goes.
    fn delete(&self, request: &DeleteEmail) -> Answer {
        let DeleteEmail { persona, mail } = *request;
        let Some(number) = meant(&self.mails(persona)?, mail) else { return Ok(acknowledged()) };
        let deleted = self.game.store.mails().delete(persona, number)?;
        Ok(acknowledged().after(deleted.ticket))
    }
}

/// Which of the persona's mails a request means.
fn meant(mails: &[MailEntry], mail: u32) -> Option<u32> {
    mail::numbers(mail).into_iter().find(|number| mails.iter().any(|mail| mail.number == *number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Letter;
    use mco_proto::nps::Id;
    use std::net::Ipv4Addr;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));
    const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 66));

    fn ask(game: &Game, peer: IpAddr, packet: &Packet) -> Packet {
        let outcome = answer(game, peer, packet, Now::read());
        if let Some(ticket) = outcome.commit {
            ticket.wait().unwrap();
        }
        let [reply] = <[Packet; 1]>::try_from(outcome.replies).unwrap();
        reply
    }

    fn list(game: &Game, peer: IpAddr, persona: PersonaId, last_known: u32) -> (u16, u32) {
        let request = ListEmails { last_known, ..ListEmails::all(persona) };
        let list: MailList = ask(game, peer, &request.packet()).read().unwrap();
        (list.count, list.first)
    }

    fn receive(game: &Game, persona: PersonaId, mail: u32, header_only: u16) -> Packet {
        ask(game, PEER, &ReceiveEmail { persona, mail, header_only }.packet())
    }

    fn send(game: &Game, persona: PersonaId, title: &str) {
        let _ = game.store.mails().send(persona, &Letter::city_news(title, "text"), Now::read()).unwrap();
    }

    #[test]
    fn a_new_driver_finds_a_welcome_and_reads_it_once_as_new() {
        let (game, _folder) = Game::for_tests();
        let doc = game.player("doc", "Dr Brown", PEER).persona;
        assert_eq!(list(&game, PEER, doc, 0), (1, 1));
        for (header_only, unread) in [(1, 1), (0, 1), (0, 0), (1, 0)] {
            let mail: Mail = receive(&game, doc, 1, header_only).read().unwrap();
            assert_eq!((mail.mail, mail.unread, mail.sender), (1, unread, PersonaId(12)));
            assert!(mail.text.to_string().contains("Dr Brown"));
        }
        assert_eq!(list(&game, PEER, doc, 0), (1, 1));
        assert_eq!(list(&game, PEER, doc, 1), (0, 0), "nothing new");
    }

    #[test]
    fn a_mail_is_in_windows_1252_and_what_that_lacks_is_spelt() {
        let (game, _folder) = Game::for_tests();
        let doc = game.player("doc", "Jörg", PEER).persona;
        send(&game, doc, "„Łódź“ – 5 € 🏁");
        let mail: Mail = receive(&game, doc, 2, 0).read().unwrap();
        assert_eq!(mail.title.as_bytes(), b"\x84L\xf3dz\x93 \x96 5 \x80 checkered flag");
        let welcome: Mail = receive(&game, doc, 1, 0).read().unwrap();
        assert!(welcome.text.as_bytes().windows(4).any(|part| part == b"J\xf6rg"));
    }

    #[test]
    fn only_who_signed_in_from_there_sees_a_persona_s_mail() {
        let (game, _folder) = Game::for_tests();
        let doc = game.player("doc", "Dr Brown", PEER).persona;
        let ack = Packet::bare(id::ACK);
        assert_eq!(list(&game, STRANGER, doc, 0), (0, 0));
        assert_eq!(list(&game, PEER, PersonaId(77), 0), (0, 0));
        let request = ReceiveEmail { persona: doc, mail: 1, header_only: 0 };
        assert_eq!(ask(&game, STRANGER, &request.packet()), ack);
        assert_eq!(ask(&game, STRANGER, &DeleteEmail { persona: doc, mail: 1 }.packet()), ack);
        assert_eq!(list(&game, PEER, doc, 0), (1, 1));
    }

    #[test]
    fn a_mail_is_found_by_a_number_of_16_bits_too() {
        let (game, _folder) = Game::for_tests();
        let doc = game.player("doc", "Dr Brown", PEER).persona;
        send(&game, doc, "second");
        for asked in [2, 0x0002_0000, 0x0002_fdfe] {
            assert_eq!(receive(&game, doc, asked, 1).read::<Mail>().unwrap().mail, 2);
        }
        for asked in [0, 3, 0x0003_0000, u32::MAX] {
            assert_eq!(receive(&game, doc, asked, 1), Packet::bare(id::ACK));
        }
    }

    #[test]
    fn a_deleted_mail_is_gone_and_the_others_can_still_be_counted_up_to() {
        let (game, _folder) = Game::for_tests();
        let doc = game.player("doc", "Dr Brown", PEER).persona;
        send(&game, doc, "second");
        send(&game, doc, "third");
        let delete = |mail| ask(&game, PEER, &DeleteEmail { persona: doc, mail }.packet());
        assert_eq!(delete(2), Packet::bare(id::ACK));
        assert_eq!(receive(&game, doc, 2, 1), Packet::bare(id::ACK));
        assert_eq!(list(&game, PEER, doc, 0), (3, 1));
        assert_eq!(delete(1), Packet::bare(id::ACK));
        assert_eq!(list(&game, PEER, doc, 0), (1, 3));
        assert_eq!(delete(0x0003_0000), Packet::bare(id::ACK));
        assert_eq!(list(&game, PEER, doc, 0), (0, 0));
    }

    #[test]
    fn what_is_cut_or_unknown_gets_the_answer_that_hangs_nobody() {
        let (game, _folder) = Game::for_tests();
        for id in [id::LIST_EMAILS, id::RECEIVE_EMAIL, id::DELETE_EMAILS, id::SEND_EMAIL, Id(0x0599)] {
            for length in 0..12 {
                let packet = Packet { body: vec![0xff; length], ..Packet::bare(id) };
                let reply = ask(&game, PEER, &packet);
                let list = id == id::LIST_EMAILS;
                assert_eq!(reply, if list { NO_MAIL.packet() } else { Packet::bare(id::ACK) });
            }
        }
    }
}
