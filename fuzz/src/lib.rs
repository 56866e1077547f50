//! What the fuzz targets share: taking an input apart, and writing seeds.

pub mod game;

use libfuzzer_sys::arbitrary::Unstructured;
use mco_proto::table::Layout;
use std::fs;
use std::path::PathBuf;

/// The bytes of one input, from which a target takes its choices before the rest.
///
/// Simpler than `arbitrary`, whose inputs cannot be written by hand: here a seed is a few bytes of choices and a message as it goes
/// over the wire.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// An input of which nothing was taken yet.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next byte; 0 behind the end.
    pub const fn byte(&mut self) -> u8 {
        match *self.0 {
            [byte, ref rest @ ..] => {
                self.0 = rest;
                byte
            }
            [] => 0,
        }
    }

    /// The next `count` bytes, or fewer at the end.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A byte that tells a length, and as many bytes.
    pub fn counted(&mut self) -> &'a [u8] {
        let count = self.byte();
        self.take(count.into())
    }

    /// Everything else.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `stream` in pieces whose sizes `sizes` tells, again and again: 1 to 256 bytes each. Without sizes it is one piece.
pub fn pieces<'a>(mut stream: &'a [u8], sizes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let whole = stream.len();
    let mut sizes = sizes.iter().map(|size| usize::from(*size) + 1).cycle();
    std::iter::from_fn(move || {
        let size = sizes.next().unwrap_or(whole).min(stream.len());
        let (piece, rest) = stream.split_at(size);
        stream = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Writes the seeds of a target into the folder that `MCOS_FUZZ_SEEDS` names; nothing if it names none. `scripts/fuzz` names
/// the corpus, so each run begins with what is known to be sound.
///
/// # Panics
/// If the folder cannot be written.
pub fn plant(seeds: impl IntoIterator<Item = Vec<u8>>) {
    let Some(folder) = std::env::var_os("MCOS_FUZZ_SEEDS").map(PathBuf::from) else { return };
    for (number, seed) in seeds.into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:03}")), seed).expect("the folder can be written");
    }
}

/// Decoding a body, encoding it and decoding it again gives the same message; and what is made out of the same bytes can be written
/// and read.
///
/// # Panics
/// If it does not.
pub fn stable(layout: &Layout, body: &[u8]) {
    if let Ok(made) = (layout.make)(&mut Unstructured::new(body)) {
        let read = (layout.decode)(&made.encode()).expect("what was made can be written and read");
        // This one has three forms, which a reader tells apart by what real Clients write in them.
        if layout.name != "persona::NewPersona" {
            assert_eq!(format!("{read:?}"), format!("{made:?}"), "{}", layout.name);
        }
    }
    let message = match (layout.decode)(body) {
        Ok(message) => message,
        Err(malformed) => return assert!(malformed.offset <= body.len(), "{}: {malformed}", layout.name),
    };
    let written = message.encode();
    let again = (layout.decode)(&written).expect("what was written can be read");
    // By what they show: floating-point numbers may not equal themselves.
    assert_eq!(format!("{again:?}"), format!("{message:?}"), "{}", layout.name);
    assert_eq!(again.encode(), written, "{}", layout.name);
}
