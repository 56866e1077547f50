//! The four forms of a text on the wire. All are [Windows-1252](crate::windows_1252) and bounded: a text takes a fixed amount of
//! memory, whatever a Client sends. What that code page lacks is spelt with the letters it has.

use super::bytes::{Count, Malformed, Problem, Reader, Wire, Writer};
use super::encode::TooLong;
use super::windows_1252;
use heapless::Vec;
use std::fmt;
use std::net::Ipv4Addr;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident holds $limit:expr) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq)]
        pub struct $name<const N: usize>(Vec<u8, N>);

        impl<const N: usize> $name<N> {
            /// The bytes of the text, without any NUL that the form adds.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// All of `text`, as [`encode`](windows_1252::encode) writes it.
            ///
            /// # Errors
            /// If that has more bytes than the field may hold.
            pub fn new(text: &str) -> Result<Self, TooLong> {
                let bytes = windows_1252::encode(text);
                TooLong::check(bytes.len(), $limit)?;
                Ok(Self(bytes.into_iter().collect()))
            }

            /// A text that is part of the program. One that does not fit its field does not compile.
            pub fn constant<const M: usize>(text: &[u8; M]) -> Self {
                const { assert!(M <= $limit, "the text does not fit its field") };
                Self(text.iter().copied().collect())
            }

            /// The first bytes of `text` as [`encode`](windows_1252::encode) writes it, as many as the field may hold; the
            /// others are left out.
            pub fn first_n(text: &str) -> Self {
                Self(windows_1252::encode(text).into_iter().take($limit).collect())
            }
        }

        impl<const N: usize> fmt::Display for $name<N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| fmt::Write::write_char(f, windows_1252::character(*byte)))
            }
        }

        impl<const N: usize> fmt::Debug for $name<N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.to_string())
            }
        }
    };
}

text!(
    /// `char[N]`: N bytes, padded with NULs. Holds N - 1 characters; a full field without NUL is accepted
    /// (*captured*: a 13-character name in a 13-byte field).
    Chars holds N.saturating_sub(1)
);
text!(
    /// `str16`: a u16 byte count, then the bytes, no NUL (*captured* in 0x0501, 0x0533, 0x0534). At most N bytes.
    Str16 holds N
);
text!(
    /// `pstr`: a u32 byte count that includes the closing NUL, the bytes, the NUL (*captured* in 0x0100, 0x0103, 0x0106).
    /// At most N bytes with the NUL. When read, the text ends at the first NUL, and line ends and blanks are taken from its
    /// end: a server that forgot the NUL, or sent a line feed in its place, was understood by the Client.
    PStr holds N.saturating_sub(1)
);
text!(
    /// Characters up to a NUL (*seen in use* in mails). At most N bytes with the NUL.
    CStr holds N.saturating_sub(1)
);

impl<const N: usize> PStr<N> {
    /// An IPv4 address in digits; a field with less than 16 bytes for it does not compile.
    pub fn address(address: Ipv4Addr) -> Self {
        const { assert!(N >= "255.255.255.255\0".len(), "an address may not fit this field") };
        Self::first_n(&address.to_string())
    }
}

impl<const N: usize> Wire for Chars<N> {
    const MOST_BYTES: usize = N;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(reader.take(N)?.iter().copied().take_while(|byte| *byte != 0).collect()))
    }
    fn write(&self, writer: &mut Writer) {
        writer.put(&self.0);
        writer.zeros(N - self.0.len());
    }
}

impl<const N: usize> Wire for Str16<N> {
    const MOST_BYTES: usize = u16::MOST_BYTES + N;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = u16::read(reader)?.get();
        let count = reader.length(count, N)?;
        Ok(Self(reader.take(count)?.iter().copied().collect()))
    }
    fn write(&self, writer: &mut Writer) {
        u16::of(self.0.len()).write(writer);
        writer.put(&self.0);
    }
}

impl<const N: usize> Wire for PStr<N> {
    const MOST_BYTES: usize = u32::MOST_BYTES + N;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = u32::read(reader)?.get();
        let count = reader.length(count, N)?;
        let bytes = reader.take(count)?;
        // A NUL ends the text for the Client too: it copies C strings.
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | b' ')).map_or(0, |at| at + 1);
        reader.length(end + 1, N)?;
        Ok(Self(text.iter().take(end).copied().collect()))
    }
    fn write(&self, writer: &mut Writer) {
        u32::of(self.0.len() + 1).write(writer);
        writer.put(&self.0);
        writer.zeros(1);
    }
}

impl<const N: usize> Wire for CStr<N> {
    const MOST_BYTES: usize = N;
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut bytes = Vec::new();
        loop {
            match u8::read(reader)? {
                0 => return Ok(Self(bytes)),
                _ if bytes.len() + 1 >= N => {
                    return Err(reader.malformed(Problem::TooLong { found: N + 1, limit: N }));
                }
                byte => bytes.extend([byte]),
            }
        }
    }
    fn write(&self, writer: &mut Writer) {
        writer.put(&self.0);
        writer.zeros(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &impl Wire) -> std::vec::Vec<u8> {
        let mut writer = Writer::big();
        text.write(&mut writer);
        writer.into_bytes()
    }

    #[test]
    fn a_counted_text_is_written_with_its_nul_and_read_with_or_without() {
        assert_eq!(written(&PStr::<32>::constant(b"Dr Brown")), b"\0\0\0\x09Dr Brown\0");
        assert_eq!(written(&PStr::<32>::default()), b"\0\0\0\x01\0");
        for wire in [&b"\0\0\0\x08MCC9001\n"[..], b"\0\0\0\x07MCC9001", b"\0\0\0\x08MCC9001\0"] {
            assert_eq!(PStr::<32>::read(&mut Reader::big(wire)).unwrap().to_string(), "MCC9001");
        }
    }

    #[test]
    fn a_counted_text_longer_than_its_field_is_malformed() {
        assert!(PStr::<4>::read(&mut Reader::big(b"\0\0\0\x05abcd\0")).is_err());
        assert!(Str16::<4>::read(&mut Reader::big(b"\0\x05abcde")).is_err());
    }

    #[test]
    fn a_fixed_text_keeps_room_for_its_nul_but_reads_a_full_field() {
        assert_eq!(written(&Chars::<4>::first_n("Marty")), b"Mar\0");
        assert_eq!(Chars::<4>::read(&mut Reader::little(b"Mart")).unwrap().to_string(), "Mart");
    }

    #[test]
    fn a_text_that_does_not_fit_is_cut_only_by_who_asks_for_that() {
        assert_eq!(Chars::<4>::new("Mart"), Err(TooLong { size: 4, limit: 3 }));
        assert_eq!(PStr::<4>::new("Mart"), Err(TooLong { size: 4, limit: 3 }));
        assert_eq!(CStr::<4>::new("Mart"), Err(TooLong { size: 4, limit: 3 }));
        assert_eq!(Str16::<4>::new("Marty"), Err(TooLong { size: 5, limit: 4 }));
        assert_eq!(Str16::<4>::new("Mart").unwrap(), Str16::constant(b"Mart"));
        assert_eq!(Str16::<4>::first_n("Marty"), Str16::constant(b"Mart"));
        assert_eq!(PStr::<4>::first_n("Marty"), PStr::constant(b"Mar"));
    }

    #[test]
    fn the_longest_address_fits_its_field() {
        assert_eq!(PStr::<16>::address(Ipv4Addr::BROADCAST).to_string(), "255.255.255.255");
    }

    #[test]
    fn a_text_is_in_windows_1252_both_ways_and_what_that_lacks_is_spelt() {
        assert_eq!(written(&Chars::<9>::new("Zoë \u{20ac}5\0").unwrap()), b"Zo\xeb \x805?\0\0");
        assert_eq!(Chars::<4>::read(&mut Reader::little(b"\x8a\xfc\x9f\0")).unwrap().to_string(), "ŠüŸ");
        assert_eq!(Str16::<5>::new("Щит"), Err(TooLong { size: 6, limit: 5 }), "in bytes of the wire");
        assert_eq!(Str16::<5>::first_n("Щит"), Str16::constant(b"Shchi"));
    }
}
