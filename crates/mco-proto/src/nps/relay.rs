//! Relays, 0x0080 to 0x009A: bytes from one Client to others in a channel, which the Server passes on unread. Chat lines
//! are expected to be among them (*inferred*), race traffic is (*seen in use*). See `docs/protocol/lobby-rooms.md`.
//!
//! | short | long | once logged | goes to |
//! |---|---|---|---|
//! | 80 | 89 | 8A | everybody in the channel |
//! | 81 | 8B | 8C | a plug-in of the server |
//! | 82 | 8D | 8E | everybody who is ready |
//! | 83 | 8F | 90 | some |
//! | 84 | 91 | 92 | all but some |
//! | 85 | 93 | 94 | one buddy, wherever |
//! | 86 | 95 | 96 | one |
//! | 87 | 97 | 98 | all but one |
//! | 88 | 99 | 9A | unknown |

use super::id;
use super::packet::{Form, Id, Packet};
use crate::ids::{CommId, PersonaId};
use crate::{Malformed, Reader, Wire as _, Writer};

/// The most players a list of receivers or of exceptions may name.
pub const MOST_LISTED: usize = 500;

/// To whom a relay goes. The sender is never among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Everybody in the channel.
    All,
    /// A plug-in of the server, of which there are none.
    PlugIn,
    /// Everybody in the channel who is ready.
    Ready,
    /// Those in the channel who are listed, in ascending order.
    List(Vec<PersonaId>),
    /// Everybody in the channel but those listed, in ascending order.
    NotList(Vec<PersonaId>),
    /// One player, in the channel or elsewhere.
    Buddy(PersonaId),
    /// One player in the channel.
    Single(PersonaId),
    /// Everybody in the channel but one.
    NotSingle(PersonaId),
}

/// Whether `id` is the number of a relay.
pub const fn is_relay(id: Id) -> bool {
    id.0 >= id::RELAY_ALL.0 && id.0 <= id::RELAY_LOGGED_GAME_MESSAGE.0
}

/// Whether `id` is the number of a relay of the short family, whose layout nobody knows: it is taken to be that of the
/// long family where that makes sense (*inferred*).
pub const fn is_short(id: Id) -> bool {
    id.0 >= id::RELAY_ALL.0 && id.0 <= id::RELAY_GAME_MESSAGE.0
}

/// A relay as its sender wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay<'a> {
    /// Its number.
    pub id: Id,
    /// In which channel.
    pub channel: CommId,
    /// Who sends it, as the packet says.
    pub sender: PersonaId,
    /// To whom.
    pub address: Address,
    /// What it says.
    pub payload: &'a [u8],
}

impl<'a> Relay<'a> {
    /// Reads a packet whose number is that of a relay. The addressing (*seen in use* for 93 to 98, else *inferred*)
    /// stands between the sender and the payload.
    pub fn read(packet: &'a Packet) -> Result<Self, Malformed> {
        let mut reader = Reader::big(&packet.body);
        let channel = CommId::read(&mut reader)?;
        let sender = PersonaId::read(&mut reader)?;
        let address = match kind(packet.id) {
            1 => Address::PlugIn,
            2 => Address::Ready,
            3 => Address::List(listed(&mut reader)?),
            4 => Address::NotList(listed(&mut reader)?),
            5 => Address::Buddy(PersonaId::read(&mut reader)?),
            6 => Address::Single(PersonaId::read(&mut reader)?),
            7 => Address::NotSingle(PersonaId::read(&mut reader)?),
            // What 88, 99 and 9A want is unknown; like 80 they may speak to the channel.
            _ => Address::All,
        };
        Ok(Self { id: packet.id, channel, sender, address, payload: reader.rest() })
    }

    /// The packet its receivers get: the addressing is cut out (*seen in use*: otherwise they ignore it), and the sender
    /// is who it really is.
    pub fn forwarded(&self, sender: PersonaId) -> Packet {
        let mut writer = Writer::big();
        self.channel.write(&mut writer);
        sender.write(&mut writer);
        writer.put(self.payload);
        Packet { id: self.id, form: Form::Short, body: writer.into_bytes() }
    }

    /// The packet as a Client sends it.
    pub fn packet(&self) -> Packet {
        let mut writer = Writer::big();
        self.channel.write(&mut writer);
        self.sender.write(&mut writer);
        match &self.address {
            Address::All | Address::PlugIn | Address::Ready => {}
            Address::List(listed) | Address::NotList(listed) => {
                u32::try_from(listed.len()).unwrap_or(u32::MAX).write(&mut writer);
                for persona in listed {
                    persona.write(&mut writer);
                }
            }
            Address::Buddy(persona) | Address::Single(persona) | Address::NotSingle(persona) => {
                persona.write(&mut writer);
            }
        }
        writer.put(self.payload);
        Packet { id: self.id, form: Form::Short, body: writer.into_bytes() }
    }
}

/// The row of the table above.
const fn kind(id: Id) -> u16 {
    if is_short(id) { id.0 - id::RELAY_ALL.0 } else { id.0.saturating_sub(id::RELAY_LONG_ALL.0) / 2 }
}

fn listed(reader: &mut Reader<'_>) -> Result<Vec<PersonaId>, Malformed> {
    let count = usize::try_from(u32::read(reader)?).unwrap_or(usize::MAX);
    let count = reader.length(count, MOST_LISTED)?;
    let mut listed = (0..count).map(|_| PersonaId::read(reader)).collect::<Result<Vec<_>, _>>()?;
    listed.sort_unstable();
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::for_any;

    #[test]
    fn a_relay_to_one_loses_its_addressing_and_gets_its_true_sender() {
        let body = b"\0\0\0\x37\0\0\0\x63\0\0\0\x14\xca\xfe\xba\xbe".to_vec();
        let packet = Packet { body, ..Packet::bare(id::RELAY_LONG_SINGLE) };
        let relay = Relay::read(&packet).unwrap();
        assert_eq!((relay.channel, relay.sender), (CommId(55), PersonaId(99)));
        assert_eq!(relay.address, Address::Single(PersonaId(20)));
        let mut wire = Vec::new();
        relay.forwarded(PersonaId(10)).encode(&mut wire).unwrap();
        assert_eq!(wire, b"\0\x95\0\x10\0\0\0\x37\0\0\0\x0a\xca\xfe\xba\xbe");
    }

    #[test]
    fn each_number_has_the_addressing_of_its_row() {
        for (short, long) in
            (0x80..=0x88).zip((0x89_u16..).step_by(2)).map(|(short, long)| (Id(short), Id(long)))
        {
            assert_eq!(kind(short), kind(long));
            assert_eq!(kind(short), kind(Id(long.0 + 1)));
            assert!(is_short(short) && !is_short(long) && is_relay(short) && is_relay(Id(long.0 + 1)));
        }
        assert!(!is_relay(Id(0x7f)) && !is_relay(Id(0x9b)));
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let body = [[0; 8].as_slice(), &[0xff; 8]].concat();
        assert!(Relay::read(&Packet { body, ..Packet::bare(id::RELAY_LONG_LIST) }).is_err());
    }

    #[test]
    fn every_relay_survives_being_written_and_read() {
        for_any(|message: AnyRelay| {
            let relay = message.relay();
            assert_eq!(Relay::read(&relay.packet()).unwrap(), relay);
        });
    }

    #[test]
    fn what_is_forwarded_is_never_longer_than_what_came() {
        for_any(|(number, body, sender): (u8, Vec<u8>, u32)| {
            let id = Id(id::RELAY_ALL.0 + u16::from(number) % 27);
            let packet = Packet { body, ..Packet::bare(id) };
            let Ok(relay) = Relay::read(&packet) else { return };
            let forwarded = relay.forwarded(PersonaId(sender));
            assert!(forwarded.size() <= packet.size() && forwarded.body.ends_with(relay.payload));
        });
    }

    /// What a relay is made of, besides its receivers' kind, which its number says.
    #[derive(Debug, arbitrary::Arbitrary)]
    struct AnyRelay {
        number: u8,
        channel: CommId,
        sender: PersonaId,
        receivers: Vec<PersonaId>,
        payload: Vec<u8>,
    }

    impl AnyRelay {
        fn relay(&self) -> Relay<'_> {
            let id = Id(id::RELAY_ALL.0 + u16::from(self.number) % 27);
            let mut receivers = self.receivers.clone();
            receivers.truncate(MOST_LISTED);
            receivers.sort_unstable();
            let one = receivers.first().copied().unwrap_or_default();
            let address = match kind(id) {
                1 => Address::PlugIn,
                2 => Address::Ready,
                3 => Address::List(receivers),
                4 => Address::NotList(receivers),
                5 => Address::Buddy(one),
                6 => Address::Single(one),
                7 => Address::NotSingle(one),
                _ => Address::All,
            };
            Relay { id, channel: self.channel, sender: self.sender, address, payload: &self.payload }
        }
    }
}
