//! A Game Packet: message number, one of two header forms, body.

use crate::bytes::Problem;
use crate::{EncodeError, Malformed, Reader, Wire, Writer};

/// The form of a packet's header. It is fixed per message and direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 4 bytes: `u16 id, u16 length`.
    Short,
    /// 12 bytes: `u16 id, u16 length, u16 version, u16 0, u32 length`. The version is 0x0101 in most messages and 0 in
    /// three requests of the Persona service (*captured*); a Client does not check it.
    Long {
        /// 0x0101 or 0.
        version: u16,
    },
}

impl Form {
    /// The short header.
    pub const SHORT: Self = Self::Short;
    /// The long header of three requests of the Persona service (*captured*).
    pub const LONG_0: Self = Self::Long { version: 0 };
    /// The long header as both sides use it mostly.
    pub const LONG: Self = Self::Long { version: 0x0101 };

    /// Size of the header in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::Short => 4,
            Self::Long { .. } => 12,
        }
    }
}

/// The number of a message. Which there are, [`id::TABLE`](super::id::TABLE) says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Id(pub u16);

/// What a Client sends under the number `ID`: see [`Request`].
#[derive(Clone, Copy, Debug)]
pub struct FromClient<const ID: u16>;

/// Says which struct a Client's message of a number is read as; implemented for [`FromClient`] by the table.
pub trait Request {
    /// The struct.
    type Body: Wire;
}

/// One Game Packet with its body still in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Packet {
    /// Message number.
    pub id: Id,
    /// Its header.
    pub form: Form,
    /// What follows the header, in clear.
    pub body: Vec<u8>,
}

/// A message with a number and a layout.
pub trait Message: Wire {
    /// Message number.
    const ID: Id;
    /// Its header.
    const FORM: Form;

    /// The packet that carries this message.
    fn packet(&self) -> Packet {
        let mut writer = Writer::big();
        self.write(&mut writer);
        Packet { id: Self::ID, form: Self::FORM, body: writer.into_bytes() }
    }
}

impl Packet {
    /// The largest packet written, in bytes with its header: even encrypted and padded it fits the 16-bit length.
    /// The bounds of all messages keep them below it; what passes on the bytes of others must look.
    pub const LARGEST: usize = 0xfff8;

    /// A packet without a body.
    pub const fn bare(id: Id) -> Self {
        Self { id, form: Form::Short, body: Vec::new() }
    }

    /// Reads the body as a message; bytes behind it are ignored, as the Client does.
    ///
    /// # Errors
    /// If the packet has another number, or a field does not fit.
    pub fn read<M: Message>(&self) -> Result<M, Malformed> {
        if self.id != M::ID {
            return Err(Malformed { offset: 0, problem: Problem::OtherMessage(self.id.0) });
        }
        M::read(&mut Reader::big(&self.body))
    }

    /// Reads the body as what a Client sends under the number `ID`, which the caller has compared. Another struct than that
    /// of the table does not compile.
    ///
    /// # Errors
    /// If a field does not fit.
    pub fn request<const ID: u16>(&self) -> Result<<FromClient<ID> as Request>::Body, Malformed>
    where
        FromClient<ID>: Request,
    {
        Wire::read(&mut Reader::big(&self.body))
    }

    /// Size on the wire in bytes, without encryption.
    pub fn size(&self) -> usize {
        self.form.size() + self.body.len()
    }

    /// The size as the header says it.
    fn length(&self) -> Result<u16, EncodeError> {
        let size = self.size();
        u16::try_from(size).ok().filter(|_| size <= Self::LARGEST).ok_or(EncodeError::TooLong { size })
    }

    /// Appends the packet in clear.
    ///
    /// # Errors
    /// If it is larger than [`Self::LARGEST`]; then nothing is appended.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let length = self.length()?;
        out.extend_from_slice(&self.id.0.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        if let Form::Long { version } = self.form {
            out.extend_from_slice(&version.to_be_bytes());
            out.extend_from_slice(&[0; 2]);
            out.extend_from_slice(&u32::from(length).to_be_bytes());
        }
        out.extend_from_slice(&self.body);
        Ok(())
    }
}

/// Checks that a message survives being written and read again, and that the largest of its kind fits a packet.
#[cfg(test)]
pub(super) fn survives<M: Message + std::fmt::Debug + for<'a> arbitrary::Arbitrary<'a>>() {
    let most = Packet::LARGEST - M::FORM.size();
    assert!(M::MOST_BYTES <= most || M::MOST_BYTES == usize::MAX, "{}: {} bytes", M::ID, M::MOST_BYTES);
    crate::arbitrary::for_any(|message: M| {
        let packet = message.packet();
        let mut wire = Vec::new();
        packet.encode(&mut wire).unwrap();
        let mut link = super::Link::new(super::link::Headers::of(M::FORM), super::Link::LARGEST);
        link.feed(&wire);
        let incoming = link.next().unwrap().unwrap();
        assert_eq!(incoming.packet, packet);
        let read: M = incoming.packet.read().unwrap();
        // Not by value: among them are floating-point numbers that are not equal to themselves.
        assert_eq!(format!("{read:?}"), format!("{message:?}"));
        assert_eq!(read.packet(), packet);
    });
    crate::arbitrary::for_any(|body: Vec<u8>| {
        let packet = Packet { id: M::ID, form: M::FORM, body };
        let Ok(read) = packet.read::<M>() else { return };
        let written = read.packet();
        assert_eq!(format!("{:?}", written.read::<M>().unwrap()), format!("{read:?}"));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_header_forms_look_as_captured() {
        let mut wire = Vec::new();
        Packet { body: vec![9], ..Packet::bare(Id(0x0230)) }.encode(&mut wire).unwrap();
        Packet { id: Id(0x0501), form: Form::LONG, body: vec![9] }.encode(&mut wire).unwrap();
        assert_eq!(wire, b"\x02\x30\0\x05\x09\x05\x01\0\x0d\x01\x01\0\0\0\0\0\x0d\x09");
    }

    #[test]
    fn a_packet_is_too_long_by_its_header_and_body_together() {
        for form in [Form::Short, Form::LONG] {
            let mut packet = Packet { id: Id(1), form, body: vec![0; Packet::LARGEST - form.size()] };
            let mut wire = Vec::new();
            packet.encode(&mut wire).unwrap();
            assert_eq!(wire.len(), Packet::LARGEST);
            packet.body.push(0);
            let size = Packet::LARGEST + 1;
            assert_eq!(packet.encode(&mut wire), Err(EncodeError::TooLong { size }));
            assert_eq!(wire.len(), Packet::LARGEST, "nothing was appended");
        }
    }
}
