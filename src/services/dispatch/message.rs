//! Messages and answers of both families, as the tables of the services see them.

use crate::world::Arrived;
use mco_proto::mcots::{self, Number};
use mco_proto::nps;
use std::fmt;

/// A message that arrived, of either family.
pub(in crate::services) trait Message {
    type Number: Copy + Ord + fmt::Display + 'static;

    fn number(&self) -> Self::Number;
    /// Whether it came encrypted: the proof that it comes from who signed in.
    fn is_encrypted(&self) -> bool;
    /// Its body, for the log.
    fn body(&self) -> &[u8];
    /// Its size in bytes, without encryption.
    fn size(&self) -> usize;
    /// Whether its body holds a secret, whichever service it was sent to.
    fn is_secret(&self) -> bool {
        false
    }
    /// A copy of it, to be kept.
    fn arrived(&self) -> Arrived;
    /// Whether it is a Transaction Packet, and its number.
    fn kind(&self) -> (bool, u16);
}

/// An answer, of either family.
pub(in crate::services) trait Answer {
    /// Its number and name.
    fn name(&self) -> String;
}

impl Answer for nps::Packet {
    fn name(&self) -> String {
        self.id.to_string()
    }
}

impl Answer for mcots::Body {
    fn name(&self) -> String {
        self.number().unwrap_or_default().to_string()
    }
}

/// 0501 holds a Context, 0100 the proof of a Session Key: no log shows their bytes.
const fn holds_secret(id: nps::Id) -> bool {
    matches!(id, nps::id::USER_LOGIN | nps::id::LOGIN)
}

/// The bytes of a message that a line of the log may show.
pub(super) fn shown<M: Message>(message: &M) -> &[u8] {
    if message.is_secret() { &[] } else { message.body() }
}

/// The Game Packet of a message.
pub(in crate::services) trait GamePacket {
    fn packet(&self) -> &nps::Packet;
}

impl GamePacket for nps::Packet {
    fn packet(&self) -> &nps::Packet {
        self
    }
}

impl GamePacket for nps::Incoming {
    fn packet(&self) -> &nps::Packet {
        &self.packet
    }
}

/// A Game Packet on a port without encryption.
impl Message for nps::Packet {
    type Number = nps::Id;

    fn number(&self) -> nps::Id {
        self.id
    }
    fn is_encrypted(&self) -> bool {
        false
    }
    fn body(&self) -> &[u8] {
        &self.body
    }
    fn size(&self) -> usize {
        self.size()
    }
    fn is_secret(&self) -> bool {
        holds_secret(self.id)
    }
    fn arrived(&self) -> Arrived {
        Arrived::Packet(self.clone())
    }
    fn kind(&self) -> (bool, u16) {
        (false, self.id.0)
    }
}

/// A Game Packet on a port where some come encrypted.
impl Message for nps::Incoming {
    type Number = nps::Id;

    fn number(&self) -> nps::Id {
        self.packet.id
    }
    fn is_encrypted(&self) -> bool {
        self.encrypted
    }
    fn body(&self) -> &[u8] {
        &self.packet.body
    }
    fn size(&self) -> usize {
        self.packet.size()
    }
    fn is_secret(&self) -> bool {
        holds_secret(self.packet.id)
    }
    fn arrived(&self) -> Arrived {
        Arrived::Packet(self.packet.clone())
    }
    fn kind(&self) -> (bool, u16) {
        (false, self.packet.id.0)
    }
}
/// A Transaction Packet. One without a number does not come here.
impl Message for mcots::Incoming {
    type Number = Number;

    fn number(&self) -> Number {
        self.body.number().unwrap_or_default()
    }
    fn is_encrypted(&self) -> bool {
        self.flags.has(mcots::Flags::ENCRYPTED)
    }
    fn body(&self) -> &[u8] {
        &self.body.0
    }
    fn size(&self) -> usize {
        self.body.0.len()
    }
    fn arrived(&self) -> Arrived {
        Arrived::Body(self.body.clone())
    }
    fn kind(&self) -> (bool, u16) {
        (true, self.number().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mco_proto::nps::{Form, Id, Incoming, Packet, id};

    #[test]
    fn no_line_shows_the_bytes_of_a_login_whichever_port_it_came_to() {
        let packet = |id| Packet { id, form: Form::Short, body: vec![7; 3] };
        for secret in [id::USER_LOGIN, id::LOGIN] {
            assert!(shown(&packet(secret)).is_empty());
            assert!(shown(&Incoming { packet: packet(secret), encrypted: true }).is_empty());
        }
        assert_eq!(shown(&packet(Id(0x0599))), [7; 3]);
    }
}
