//! The file that a large form brought. The form lies in a file of the server's, not in memory, and this is a stretch of it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;

/// The longest name that is kept, in characters.
const LONGEST_NAME: usize = 80;

/// A file inside a form, to be read from its beginning.
#[derive(Clone, Debug)]
pub(super) struct Upload<'a> {
    name: String,
    form: &'a File,
    /// Where in the form it lies, in bytes.
    from: u64,
    length: u64,
    /// What is read next, counted from its own beginning.
    at: u64,
}

impl<'a> Upload<'a> {
    /// The bytes from `from` up to `to` of a form. `name` is what the browser calls them: old ones send the whole path.
    pub(super) fn new(name: &str, form: &'a File, from: u64, to: u64) -> Self {
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        Self { name, form, from, length: to.saturating_sub(from), at: 0 }
    }

    /// Its name on the Operator's machine, without the folder.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }
}

impl Read for Upload<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        let got = self.form.read_at(into.get_mut(..wanted).unwrap_or_default(), self.from + self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

impl Seek for Upload<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (start, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.length, by),
            SeekFrom::Current(by) => (self.at, by),
        };
        let at = start.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
        self.at = at;
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn it_is_read_and_sought_as_if_it_were_a_file_of_its_own() {
        let mut form = tempfile::tempfile().unwrap();
        form.write_all(b"head|0123456789|tail").unwrap();
        let mut upload = Upload::new("C:\\MCity\\game\u{7}.mdb", &form, 5, 15);
        assert_eq!((upload.name(), upload.length()), ("game.mdb", 10));
        let mut text = String::new();
        upload.read_to_string(&mut text).unwrap();
        assert_eq!(text, "0123456789");
        for (to, at, rest) in [
            (SeekFrom::Start(8), 8, "89"),
            (SeekFrom::End(-3), 7, "789"),
            (SeekFrom::Current(-1), 9, "9"),
            (SeekFrom::Start(99), 99, ""),
        ] {
            assert_eq!(upload.seek(to).unwrap(), at);
            text.clear();
            upload.read_to_string(&mut text).unwrap();
            assert_eq!(text, rest);
            upload.seek(SeekFrom::End(0)).unwrap();
        }
        assert!(upload.seek(SeekFrom::End(-11)).is_err());
        assert_eq!(Upload::new(&"x".repeat(999), &form, 9, 3).name().len(), LONGEST_NAME);
        assert_eq!(Upload::new("", &form, 9, 3).length(), 0);
    }
}
