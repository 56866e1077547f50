//! What the tables of the two message families are made of. A table has one row for a message number: its name, what it is
//! for, and for each direction the struct that its body is read as.

use crate::bytes::{Malformed, Reader, Wire, Writer};
use std::fmt::{self, Debug};

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The game.
    Client,
    /// This project, or any other server.
    Server,
}

/// The body of a message in one direction.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Who sends it.
    pub sender: Sender,
    /// The struct that is its layout.
    pub name: &'static str,
    /// Reads a body.
    pub decode: Decode,
    /// Makes a body out of any bytes.
    #[cfg(any(test, feature = "arbitrary"))]
    pub make: Make,
}

/// Reads a body. What stands behind the struct's last field is ignored, as the Client does.
///
/// # Errors
/// If a field does not fit.
pub type Decode = fn(&[u8]) -> Result<Box<dyn Decoded>, Malformed>;

/// Makes a body out of any bytes.
///
/// # Errors
/// If they are too few.
#[cfg(any(test, feature = "arbitrary"))]
pub type Make = fn(&mut arbitrary::Unstructured<'_>) -> arbitrary::Result<Box<dyn Decoded>>;

/// What can stand in a table.
#[cfg(any(test, feature = "arbitrary"))]
pub(crate) trait Record: Wire + Debug + for<'a> arbitrary::Arbitrary<'a> + 'static {}
#[cfg(any(test, feature = "arbitrary"))]
impl<T: Wire + Debug + for<'a> arbitrary::Arbitrary<'a> + 'static> Record for T {}

/// What can stand in a table.
#[cfg(not(any(test, feature = "arbitrary")))]
pub(crate) trait Record: Wire + Debug + 'static {}
#[cfg(not(any(test, feature = "arbitrary")))]
impl<T: Wire + Debug + 'static> Record for T {}

/// A body that was read, whatever its type: it can be shown field by field (`{:#?}`) and written again.
pub trait Decoded: Debug {
    /// The bytes of the body.
    fn encode(&self) -> Vec<u8>;
}

/// A struct of NPS: big-endian.
struct Big<T>(T);

/// A struct of MCOTS: little-endian.
struct Little<T>(T);

impl<T: Debug> Debug for Big<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Debug> Debug for Little<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Wire + Debug> Decoded for Big<T> {
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::big();
        self.0.write(&mut writer);
        writer.into_bytes()
    }
}

impl<T: Wire + Debug> Decoded for Little<T> {
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::little();
        self.0.write(&mut writer);
        writer.into_bytes()
    }
}

/// The column of an NPS message.
pub(crate) const fn big<T: Record>(sender: Sender, name: &'static str) -> Layout {
    let decode = |body: &[u8]| {
        let value = T::read(&mut Reader::big(body))?;
        Ok(Box::new(Big(value)) as Box<dyn Decoded>)
    };
    Layout {
        sender,
        name,
        decode,
        #[cfg(any(test, feature = "arbitrary"))]
        make: |bytes| Ok(Box::new(Big(T::arbitrary(bytes)?))),
    }
}

/// The column of an MCOTS message.
pub(crate) const fn little<T: Record>(sender: Sender, name: &'static str) -> Layout {
    let decode = |body: &[u8]| {
        let value = T::read(&mut Reader::little(body))?;
        Ok(Box::new(Little(value)) as Box<dyn Decoded>)
    };
    Layout {
        sender,
        name,
        decode,
        #[cfg(any(test, feature = "arbitrary"))]
        make: |bytes| Ok(Box::new(Little(T::arbitrary(bytes)?))),
    }
}
