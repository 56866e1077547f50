//! A file that counts what is read of it, so that reading without end is noticed whatever the speed of the machine.

use std::io::{Cursor, Read, Seek, SeekFrom};

/// How many times its own size may be read of a file. Of a sound one it is a few times.
const MOST: usize = 1_000;

pub(crate) struct Counted<'a> {
    file: Cursor<&'a [u8]>,
    left: usize,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { file: Cursor::new(bytes), left: MOST * bytes.len().max(4096) }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.left = self.left.checked_sub(buffer.len()).expect("the file is read without end");
        self.file.read(buffer)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.left = self.left.checked_sub(1).expect("the file is read without end");
        self.file.seek(to)
    }
}
