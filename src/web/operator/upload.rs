//! A form that brings a file: its fields are kept, the file passes through.

use crate::web::fields::Fields;
use crate::web::multipart::{Event, Multipart, MultipartError};
use std::fs::File;
use std::mem;
use zeroize::Zeroizing;

/// The most bytes of all fields together.
const MAX_FIELDS: usize = 8 * 1024;
/// The longest name of a file that is kept, in characters.
const MAX_FILE_NAME: usize = 80;

/// A file that came with a form. It has no name in the server's folders, and is gone with this value.
#[derive(Debug)]
pub struct UploadedFile {
    /// Its name on the Operator's machine, without the folder.
    pub name: String,
    /// Without a name in any folder, so that it is gone when it is closed; read from the start.
    pub content: File,
    /// Its length in bytes.
    pub length: u64,
}

/// A form of several parts as it arrives, in pieces. The fields are kept; the content of its first file is handed out; what
/// further files have is thrown away.
pub struct MultipartUpload {
    multipart: Multipart,
    received: Received,
}

#[derive(Default)]
struct Received {
    fields: Fields,
    /// Bytes of all fields so far.
    size: usize,
    file_name: Option<String>,
    part: Part,
}

/// The part that is arriving.
#[derive(Default)]
enum Part {
    Field {
        name: String,
        value: Zeroizing<Vec<u8>>,
    },
    File,
    #[default]
    Ignored,
}

impl MultipartUpload {
    /// Begins to read a form with this value of `Content-Type`.
    ///
    /// # Errors
    /// [`MultipartError::ContentType`] if it is no form of several parts.
    pub fn new(content_type: &str) -> Result<Self, MultipartError> {
        Ok(Self { multipart: Multipart::new(content_type)?, received: Received::default() })
    }

    /// Takes the next bytes of the form, and adds those of the file to `file`.
    ///
    /// # Errors
    /// If the form is malformed, or its fields are too long.
    pub fn feed(&mut self, bytes: &[u8], file: &mut Vec<u8>) -> Result<(), MultipartError> {
        let Self { multipart, received } = self;
        multipart.feed(bytes, |event| received.take(event, file))?;
        if received.size > MAX_FIELDS { Err(MultipartError::TooLarge) } else { Ok(()) }
    }

    /// The fields that are complete so far. Those of our own pages that prove where the form comes from stand before the file.
    pub const fn fields(&self) -> &Fields {
        &self.received.fields
    }

    /// The name of the file, without its folder, as soon as the file begins.
    pub fn file_name(&self) -> Option<&str> {
        self.received.file_name.as_deref()
    }

    /// There are no more bytes: the fields.
    ///
    /// # Errors
    /// [`MultipartError::Incomplete`] if the form is not complete.
    pub fn finish(self) -> Result<Fields, MultipartError> {
        self.multipart.finish()?;
        Ok(self.received.fields)
    }
}

impl Received {
    fn take(&mut self, event: Event<'_>, file: &mut Vec<u8>) {
        match event {
            Event::Part(part) => {
                self.size += part.name.len();
                self.part = match &part.file_name {
                    None => {
                        // In one piece, so that growing leaves no copy of a secret behind.
                        let value = Zeroizing::new(Vec::with_capacity(MAX_FIELDS));
                        Part::Field { name: part.name.clone(), value }
                    }
                    Some(name) if self.file_name.is_none() => {
                        self.file_name = Some(without_folder(name));
                        Part::File
                    }
                    Some(_) => Part::Ignored,
                };
            }
            Event::Content(bytes) => match &mut self.part {
                Part::Field { value, .. } => {
                    self.size += bytes.len();
                    if self.size <= MAX_FIELDS {
                        value.extend_from_slice(bytes);
                    }
                }
                Part::File => file.extend_from_slice(bytes),
                Part::Ignored => {}
            },
            Event::PartEnd => {
                if let Part::Field { name, value } = mem::take(&mut self.part) {
                    self.fields.push(&name, &value);
                }
            }
        }
    }
}

/// Old browsers send the whole path.
fn without_folder(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    name.chars().filter(|letter| !letter.is_control()).take(MAX_FILE_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=XyZ";

    fn part(head: &str, content: &[u8]) -> Vec<u8> {
        let head = format!("--XyZ\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    }

    fn form(parts: &[Vec<u8>]) -> Vec<u8> {
        [&parts.concat(), &b"--XyZ--\r\n"[..]].concat()
    }

    /// The form as our pages send it.
    fn with_file(file: &[u8]) -> Vec<u8> {
        form(&[
            part("name=\"form\"", b"t0ken"),
            part("name=\"file\"; filename=\"C:\\MCity\\u.update\"", file),
            part("name=\"sure\"", b"yes"),
        ])
    }

    /// The token as it was known when the file began, the fields at the end, the file and its name.
    type Outcome = (Option<String>, Fields, Vec<u8>, Option<String>);

    fn received(body: &[u8], step: usize) -> Result<Outcome, MultipartError> {
        let (mut upload, mut file) = (MultipartUpload::new(TYPE)?, Vec::new());
        let mut token = None;
        for piece in body.chunks(step) {
            upload.feed(piece, &mut file)?;
            assert!(upload.file_name().is_some() || file.is_empty());
            if upload.file_name().is_some() {
                token.get_or_insert_with(|| upload.fields().text("form").to_owned());
            }
        }
        let name = upload.file_name().map(str::to_owned);
        Ok((token, upload.finish()?, file, name))
    }

    proptest! {
        #[test]
        fn a_file_passes_and_the_fields_before_it_are_known_when_it_begins(
            file in prop::collection::vec(any::<u8>(), 0..300), step in 1_usize..64,
        ) {
            let (token, fields, content, name) = received(&with_file(&file), step).unwrap();
            prop_assert_eq!(token.as_deref(), Some("t0ken"));
            prop_assert_eq!(content, file);
            prop_assert_eq!(name.as_deref(), Some("u.update"));
            prop_assert_eq!((fields.text("form"), fields.text("sure")), ("t0ken", "yes"));
        }

        #[test]
        fn arbitrary_bytes_are_no_form(bytes: Vec<u8>, step in 1_usize..64) {
            prop_assert!(received(&bytes, step).is_err());
        }
    }

    #[test]
    fn a_form_that_broke_off_or_was_made_elsewhere_is_refused() {
        let whole = with_file(b"content");
        for length in 0..whole.len() - 2 {
            assert_eq!(received(&whole[..length], 7).err(), Some(MultipartError::Incomplete), "{length}");
        }
        assert!(MultipartUpload::new("application/x-www-form-urlencoded").is_err());
    }

    #[test]
    fn fields_are_bounded_and_files_are_not() {
        let longest = vec![b'x'; MAX_FIELDS - 1];
        let (_, fields, ..) = received(&form(&[part("name=a", &longest)]), 1000).unwrap();
        assert_eq!(fields.text("a").len(), longest.len());
        let longer = [longest, b"xx".to_vec()].concat();
        assert_eq!(received(&form(&[part("name=a", &longer)]), 1000).err(), Some(MultipartError::TooLarge));
        assert_eq!(received(&with_file(&vec![7; 100_000]), 5000).unwrap().2.len(), 100_000);
    }

    #[test]
    fn a_form_without_a_token_has_an_empty_one_and_only_the_first_file_counts() {
        let (token, fields, file, name) = received(&form(&[part("name=f; filename=\"\"", b"")]), 9).unwrap();
        assert_eq!((token.as_deref(), fields.text("form"), file.len()), (Some(""), "", 0));
        assert_eq!(name.as_deref(), Some(""));
        let two = form(&[part("name=f; filename=a", b"1"), part("name=f; filename=b", b"2")]);
        let (_, _, file, name) = received(&two, 9).unwrap();
        assert_eq!((file.as_slice(), name.as_deref()), (&b"1"[..], Some("a")));
        assert_eq!(without_folder(&"x".repeat(999)).len(), MAX_FILE_NAME);
        assert_eq!(without_folder("/home/x/ga\u{7}me.mdb"), "game.mdb");
    }
}
