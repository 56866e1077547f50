//! A Transaction Packet's body: a message number and a packed record.

use crate::bytes::Problem;
use crate::{Malformed, Reader, Wire, Writer};

/// The number of a message, or a reason code. Which there are, [`number::TABLE`](super::number::TABLE) says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Number(pub u16);

impl Wire for Number {
    const MOST_BYTES: usize = u16::MOST_BYTES;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        u16::read(reader).map(Self)
    }
    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

/// What a Client sends under the number `N`: see [`Request`].
#[derive(Clone, Copy, Debug)]
pub struct FromClient<const N: u16>;

/// Says which struct a Client's message of a number is read as; implemented for [`FromClient`] by the table.
pub trait Request {
    /// The struct.
    type Body: Wire;
}

/// The decrypted body of a Transaction Packet, its message number included, so that offsets in errors are those of the
/// reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "arbitrary"), derive(arbitrary::Arbitrary))]
pub struct Body(pub Vec<u8>);

impl Body {
    /// The message number; a body that is too short for one has none.
    pub fn number(&self) -> Option<Number> {
        self.0.first_chunk().map(|bytes| Number(u16::from_le_bytes(*bytes)))
    }

    /// Reads the body as a message; bytes behind the record are ignored, as the Client does.
    ///
    /// # Errors
    /// If it has another number, or a field does not fit.
    pub fn read<M: Message>(&self) -> Result<M, Malformed> {
        match self.number() {
            Some(number) if number != M::NUMBER => {
                Err(Malformed { offset: 0, problem: Problem::OtherMessage(number.0) })
            }
            _ => self.record(),
        }
    }

    /// Reads the body as what a Client sends under the number `N`, which the caller has compared. Another struct than that of
    /// the table does not compile.
    ///
    /// # Errors
    /// If a field does not fit.
    pub fn request<const N: u16>(&self) -> Result<<FromClient<N> as Request>::Body, Malformed>
    where
        FromClient<N>: Request,
    {
        self.record()
    }

    /// Reads what stands behind the number, whichever that is: for the records that several messages are made of, such as
    /// [`GenericReply`](super::GenericReply).
    ///
    /// # Errors
    /// If a field does not fit.
    pub fn record<R: Wire>(&self) -> Result<R, Malformed> {
        let mut reader = Reader::little(&self.0);
        let _number = u16::read(&mut reader)?;
        R::read(&mut reader)
    }

    /// The body in which `number` carries `record`.
    pub fn carrying(number: Number, record: &impl Wire) -> Self {
        let mut writer = Writer::little();
        number.0.write(&mut writer);
        record.write(&mut writer);
        Self(writer.into_bytes())
    }
}

/// A message with a number and a layout (which starts behind the number).
pub trait Message: Wire {
    /// Message number.
    const NUMBER: Number;

    /// The body that carries this message.
    fn body(&self) -> Body {
        Body::carrying(Self::NUMBER, self)
    }
}

/// Checks that a message survives being written and read again, and that the largest of its kind fits a packet.
#[cfg(test)]
pub(super) fn survives<M: Message + std::fmt::Debug + for<'a> arbitrary::Arbitrary<'a>>() {
    let most = super::Link::LARGEST_BODY - Number::MOST_BYTES;
    assert!(M::MOST_BYTES <= most || M::MOST_BYTES == usize::MAX, "{}: {} bytes", M::NUMBER, M::MOST_BYTES);
    crate::arbitrary::for_any(|message: M| {
        let body = message.body();
        assert_eq!(body.number(), Some(M::NUMBER));
        let read: M = body.read().unwrap();
        // Not by value: among them are floating-point numbers that are not equal to themselves.
        assert_eq!(format!("{read:?}"), format!("{message:?}"));
        assert_eq!(read.body(), body);
    });
    crate::arbitrary::for_any(|rest: Vec<u8>| {
        let body = Body([&M::NUMBER.0.to_le_bytes(), rest.as_slice()].concat());
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
