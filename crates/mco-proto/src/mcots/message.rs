//! A Transaction Packet's body: a message number and a packed record.

use crate::{Malformed, Reader, Wire, Writer};

/// The decrypted body of a Transaction Packet, its message number included, so that offsets in errors are those of the
/// reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Body(pub Vec<u8>);

impl Body {
    /// The message number; a body that is too short for one has none.
    pub fn number(&self) -> Option<u16> {
        self.0.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
    }

    /// Reads what stands behind the number; bytes behind the record are ignored, as the Client does.
    ///
    /// # Errors
    /// If it does not have the record's layout.
    pub fn read<R: Wire>(&self) -> Result<R, Malformed> {
        let mut reader = Reader::little(&self.0);
        let _number = u16::read(&mut reader)?;
        R::read(&mut reader)
    }

    /// The body in which `number` carries `record`.
    pub fn carrying(number: u16, record: &impl Wire) -> Self {
        let mut writer = Writer::little();
        number.write(&mut writer);
        record.write(&mut writer);
        Self(writer.into_bytes())
    }
}

/// A message with a number and a layout (which starts behind the number).
pub trait Message: Wire {
    /// Message number.
    const NUMBER: u16;

    /// The body that carries this message.
    fn body(&self) -> Body {
        Body::carrying(Self::NUMBER, self)
    }
}

/// Defines messages: number and layout.
macro_rules! messages {
    ($($(#[$doc:meta])* $number:path; pub struct $name:ident { $($fields:tt)* })+) => {$(
        $crate::layout! { $(#[$doc])* pub struct $name { $($fields)* } }
        impl $crate::mcots::Message for $name {
            const NUMBER: u16 = $number;
        }
    )+
        #[cfg(test)]
        mod round_trips {
            $(
                #[allow(non_snake_case, reason = "named after the message")]
                #[test]
                fn $name() {
                    $crate::mcots::message::round_trip::<super::$name>();
                }
            )+
        }
    };
}
pub(super) use messages;

/// Every message survives being written and read again, and the largest of its kind fits a packet.
#[cfg(test)]
pub(super) fn round_trip<M: Message + std::fmt::Debug + for<'a> arbitrary::Arbitrary<'a>>() {
    let most = super::Link::LARGEST_BODY - size_of_val(&M::NUMBER);
    assert!(M::MOST_BYTES <= most || M::MOST_BYTES == usize::MAX, "{} bytes do not fit", M::MOST_BYTES);
    crate::arbitrary::for_any(|message: M| {
        let body = message.body();
        assert_eq!(body.number(), Some(M::NUMBER));
        let read: M = body.read().unwrap();
        // Not by value: among them are floating-point numbers that are not equal to themselves.
        assert_eq!(format!("{read:?}"), format!("{message:?}"));
        assert_eq!(read.body(), body);
    });
    crate::arbitrary::for_any(|body: Body| {
        let Ok(read) = body.read::<M>() else { return };
        assert_eq!(format!("{:?}", read.body().read::<M>().unwrap()), format!("{read:?}"));
    });
}

/// A body from hexadecimal digits; blanks are for the eye.
#[cfg(test)]
pub(super) fn vector(hex: &str) -> Body {
    let digits: Vec<u8> =
        hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| u8::try_from(digit).unwrap()).collect();
    Body(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
