//! The compression of the PKWARE Data Compression Library, which MCOTS has a flag for (*documented*; never captured). It is only
//! undone here: a Client takes everything uncompressed.

use explode::ExplodeReader;
use std::fmt;
use std::io::{ErrorKind, Read};

/// Why bytes cannot be exploded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplodeError {
    /// They end before the code that says "end".
    Short,
    /// They break a rule of the format: an unknown mode or dictionary size, or a repetition of what is not there.
    Damaged,
    /// They would become more bytes than this.
    TooLong(usize),
}

impl fmt::Display for ExplodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("compressed and ends too early"),
            Self::Damaged => f.write_str("compressed and damaged"),
            Self::TooLong(limit) => {
                write!(f, "compressed from more than the {limit} bytes that are accepted")
            }
        }
    }
}

impl std::error::Error for ExplodeError {}

/// Explodes `imploded`, at most to `limit` bytes. What stands behind its end is ignored. Neither time nor memory exceed what
/// `imploded` and `limit` allow.
///
/// # Errors
/// [`ExplodeError`].
pub fn explode(imploded: &[u8], limit: usize) -> Result<Vec<u8>, ExplodeError> {
    let mut exploded = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match ExplodeReader::new(imploded).take(most).read_to_end(&mut exploded) {
        Ok(_) if exploded.len() > limit => Err(ExplodeError::TooLong(limit)),
        Ok(_) => Ok(exploded),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(ExplodeError::Short),
        Err(_) => Err(ExplodeError::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of the format's first public description (comp.compression, Ben Rudiak-Gould, 2001).
    const IMPLODED: [u8; 8] = [0x00, 0x04, 0x82, 0x24, 0x25, 0x8f, 0x80, 0x7f];
    const EXPLODED: &[u8; 13] = b"AIAIAIAIAIAIA";

    #[test]
    fn the_known_example_is_exploded() {
        assert_eq!(explode(&IMPLODED, 13).unwrap(), EXPLODED);
        assert_eq!(explode(&[&IMPLODED[..], &[1, 2, 3]].concat(), 100).unwrap(), EXPLODED);
    }

    #[test]
    fn each_fault_is_named() {
        for length in 0..IMPLODED.len() {
            assert_eq!(explode(&IMPLODED[..length], 100), Err(ExplodeError::Short), "{length}");
        }
        assert_eq!(explode(&IMPLODED, 12), Err(ExplodeError::TooLong(12)));
        assert_eq!(explode(&IMPLODED, 0), Err(ExplodeError::TooLong(0)));
        assert_eq!(explode(&[2, 4, 0, 0], 100), Err(ExplodeError::Damaged), "a mode of 2");
        for dictionary in [0, 3, 7, 255] {
            assert_eq!(explode(&[0, dictionary, 0, 0], 100), Err(ExplodeError::Damaged), "{dictionary}");
        }
        // The first code repeats what was not there yet.
        assert_eq!(explode(&[0, 4, 0xFF, 0xFF, 0xFF, 0xFF], 100), Err(ExplodeError::Damaged));
    }

    proptest! {
        #[test]
        fn any_bytes_end_within_the_limit(mode in 0..2_u8, dictionary in 4..7_u8, codes: Vec<u8>, limit in 0..2000_usize) {
            let imploded = [&[mode, dictionary][..], &codes].concat();
            let whole = explode(&imploded, usize::MAX);
            match explode(&imploded, limit) {
                Ok(exploded) => prop_assert!(exploded.len() <= limit && whole == Ok(exploded)),
                Err(ExplodeError::TooLong(told)) => prop_assert_eq!(told, limit),
                Err(error) => prop_assert_eq!(whole, Err(error)),
            }
        }
    }
}
