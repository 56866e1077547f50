//! Messages that nobody can explain yet: which came, how often, the first of each kind as a whole, and what it was answered.
//!
//! Bounded: one address can begin [`PER_ADDRESS`] kinds, all together [`MOST`] of at most [`MOST_BYTES`]. A kind beyond that is
//! counted and not kept.

use super::locked;
use crate::clock::Now;
use crate::recording::{Side, cut};
use mco_proto::mcots;
use mco_proto::nps;
use std::net::IpAddr;
use std::sync::Mutex;

/// The most kinds that are kept.
const MOST: usize = 256;
/// The most kinds whose first message came from one address.
const PER_ADDRESS: usize = 64;
/// The most bytes of all first messages together.
const MOST_BYTES: usize = 1 << 20;
/// The most bytes of first messages from one address.
const BYTES_PER_ADDRESS: usize = 256 << 10;

/// A message as it came, decrypted and whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// A Game Packet.
    Packet(nps::Packet),
    /// The body of a Transaction Packet.
    Body(mcots::Body),
}

impl Arrived {
    /// Its number; 0 for a body that is too short for one.
    pub fn number(&self) -> u16 {
        match self {
            Self::Packet(packet) => packet.id.0,
            Self::Body(body) => body.number().unwrap_or_default().0,
        }
    }

    /// Number and name.
    pub fn name(&self) -> String {
        match self {
            Self::Packet(packet) => packet.id.to_string(),
            Self::Body(body) => body.number().unwrap_or_default().to_string(),
        }
    }

    /// What follows the header of a packet, or the whole body of MCOTS with its number.
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Packet(packet) => &packet.body,
            Self::Body(body) => &body.0,
        }
    }

    /// The same with zeros in place of the secrets of a sign-in.
    fn without_secrets(self) -> Self {
        match self {
            Self::Packet(packet) => Self::Packet(cut(&packet, Side::Client, false).unwrap_or(packet)),
            Self::Body(_) => self,
        }
    }
}

/// Why a message is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its number is not known to the service.
    Unknown,
    /// Its body does not fit the layout of its number.
    Malformed,
    /// It came from somebody who may not send it, or in the wrong form.
    NotAllowed,
    /// Its layout is a guess.
    Guessed,
    /// It is known what it is for, and not what is in it.
    Opaque,
}

/// One kind of message, and the first of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexpected {
    /// "login", "persona", "mail", "lobby", "room" or "mcots".
    pub service: &'static str,
    /// Why it is kept.
    pub reason: Reason,
    /// How many came.
    pub count: u64,
    /// When the first came, in seconds since 1970 UTC.
    pub first_at: u64,
    /// Who sent the first, in words.
    pub from: String,
    /// The first, without the secrets of a sign-in.
    pub message: Arrived,
    /// What the first was answered, in words.
    pub answer: String,
    address: IpAddr,
}

/// All of them.
#[derive(Debug, Default)]
pub struct UnexpectedMessages(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    kinds: Vec<Unexpected>,
    left_out: u64,
}

/// Where a message came to and where from.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// Name of the service.
    pub service: &'static str,
    /// The address it came from.
    pub address: IpAddr,
}

impl UnexpectedMessages {
    /// Counts a message with this number, and keeps it if it is the first of its kind. `told` says who sent it and what it was
    /// answered; like `message` it is asked for the first only.
    pub fn note(
        &self,
        sender: Sender,
        (is_mcots, number): (bool, u16),
        reason: Reason,
        now: Now,
        message: impl FnOnce() -> Arrived,
        told: impl FnOnce() -> (String, String),
    ) {
        let mut kept = locked(&self.0);
        let same = |kind: &&mut Unexpected| {
            kind.service == sender.service
                && kind.reason == reason
                && matches!(kind.message, Arrived::Body(_)) == is_mcots
                && kind.message.number() == number
        };
        if let Some(kind) = kept.kinds.iter_mut().find(same) {
            kind.count = kind.count.saturating_add(1);
            return;
        }
        let message = message().without_secrets();
        let size = |kind: &Unexpected| kind.message.body().len();
        let of_address = || kept.kinds.iter().filter(|kind| kind.address == sender.address);
        let bytes = message.body().len();
        if kept.kinds.len() >= MOST
            || of_address().count() >= PER_ADDRESS
            || kept.kinds.iter().map(size).sum::<usize>() + bytes > MOST_BYTES
            || of_address().map(size).sum::<usize>() + bytes > BYTES_PER_ADDRESS
        {
            kept.left_out = kept.left_out.saturating_add(1);
            return;
        }
        let (from, answer) = told();
        let Sender { service, address } = sender;
        kept.kinds.push(Unexpected {
            service,
            reason,
            count: 1,
            first_at: now.unix,
            from,
            message,
            answer,
            address,
        });
    }

    /// All kinds, the latest first, and how many messages of other kinds found no room.
    pub fn list(&self) -> (Vec<Unexpected>, u64) {
        let kept = locked(&self.0);
        (kept.kinds.iter().rev().cloned().collect(), kept.left_out)
    }

    /// Begins anew.
    pub fn clear(&self) {
        *locked(&self.0) = Kept::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mco_proto::nps::{Form, Id, Packet, id};

    fn sender(last: u8) -> Sender {
        Sender { service: "lobby", address: IpAddr::from([10, 0, 0, last]) }
    }

    fn note(messages: &UnexpectedMessages, from: u8, id: Id, body: Vec<u8>) {
        let packet = || Arrived::Packet(Packet { id, form: Form::Short, body });
        let told = || (format!("10.0.0.{from}"), "nothing".to_owned());
        messages.note(sender(from), (false, id.0), Reason::Unknown, Now::read(), packet, told);
    }

    #[test]
    fn the_first_of_a_kind_is_kept_as_a_whole_and_the_rest_is_counted() {
        let messages = UnexpectedMessages::default();
        note(&messages, 1, Id(0x0777), vec![5; 3000]);
        note(&messages, 2, Id(0x0777), vec![6]);
        note(&messages, 2, Id(0x0778), Vec::new());
        let (kinds, left_out) = messages.list();
        assert_eq!((kinds.len(), left_out), (2, 0));
        assert_eq!((kinds[1].count, kinds[1].from.as_str()), (2, "10.0.0.1"));
        assert_eq!(kinds[1].message.body(), [5; 3000]);
        messages.clear();
        assert_eq!(messages.list(), (Vec::new(), 0));
    }

    #[test]
    fn one_address_cannot_take_the_room_of_others() {
        let messages = UnexpectedMessages::default();
        for number in 0..1000 {
            note(&messages, 1, Id(0x2000 + number), vec![0; 10]);
        }
        assert_eq!((messages.list().0.len(), messages.list().1), (PER_ADDRESS, 1000 - PER_ADDRESS as u64));
        for number in 0..40 {
            note(&messages, 2, Id(0x2000 + 1000 + number), vec![0; 60_000]);
        }
        let (kinds, _) = messages.list();
        let bytes: usize = kinds.iter().map(|kind| kind.message.body().len()).sum();
        assert!(bytes <= BYTES_PER_ADDRESS + 640 && bytes > BYTES_PER_ADDRESS - 60_000, "{bytes}");
        note(&messages, 3, Id(7), vec![1]);
        assert_eq!(messages.list().0[0].message.body(), [1]);
    }

    #[test]
    fn the_secrets_of_a_sign_in_are_not_kept() {
        let messages = UnexpectedMessages::default();
        for id in [id::USER_LOGIN, id::LOGIN] {
            note(&messages, 1, id, b"secret".to_vec());
        }
        assert!(messages.list().0.iter().all(|kind| kind.message.body() == [0; 6]));
    }
}
