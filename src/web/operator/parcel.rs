//! A form with one large file at its end, as it arrives: the file passes through, only its fields are kept.

use super::fields::{Fields, boundary, find, parameter};
use super::{Form, MAX_FORM, Sent};
use zeroize::Zeroizing;

/// The form is not what a browser makes of our page, or it broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadForm;

/// A form of `multipart/form-data` whose last field is a file. Takes bytes in, gives those of the file out.
pub struct MultipartUpload {
    content_type: String,
    /// What begins every part.
    delimiter: Vec<u8>,
    /// What ends the last one.
    end: Vec<u8>,
    /// Before the file, everything; then what may be the end.
    held: Vec<u8>,
    token: Option<Zeroizing<String>>,
}

impl MultipartUpload {
    /// A form of this `Content-Type`.
    pub fn new(content_type: &str) -> Result<Self, BadForm> {
        let boundary = boundary(content_type).ok_or(BadForm)?;
        Ok(Self {
            content_type: content_type.to_owned(),
            delimiter: format!("--{boundary}").into_bytes(),
            end: format!("\r\n--{boundary}--").into_bytes(),
            held: Vec::new(),
            token: None,
        })
    }

    /// The token of the page that the form comes from, as soon as the file begins.
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }

    /// Takes what came next, and adds to `file` what is certainly of the file.
    pub fn feed(&mut self, bytes: &[u8], file: &mut Vec<u8>) -> Result<(), BadForm> {
        self.held.extend_from_slice(bytes);
        if self.token.is_none() {
            let Some(begin) = self.file_begins() else {
                let early = self.delimiter.iter().zip(&self.held).all(|(wanted, found)| wanted == found);
                return if early && self.held.len() <= MAX_FORM { Ok(()) } else { Err(BadForm) };
            };
            let form = Form { content_type: &self.content_type, sent: Sent::Memory(&self.held) };
            let fields = Fields::read(&form);
            self.token = Some(Zeroizing::new(fields.text("form").to_owned()));
            self.held.drain(..begin);
        }
        // Behind the end there may be one more line break.
        let certain = self.held.len().saturating_sub(self.end.len() + 2);
        file.extend_from_slice(self.held.get(..certain).unwrap_or_default());
        self.held.drain(..certain);
        Ok(())
    }

    /// There is no more: adds the rest of the file.
    pub fn finish(self, file: &mut Vec<u8>) -> Result<(), BadForm> {
        if self.token.is_none() {
            return Err(BadForm);
        }
        let held = self.held.strip_suffix(b"\r\n").unwrap_or(&self.held);
        file.extend_from_slice(held.strip_suffix(self.end.as_slice()).ok_or(BadForm)?);
        Ok(())
    }

    /// Where the content of the first file begins, once that is there.
    fn file_begins(&self) -> Option<usize> {
        let next = [b"\r\n", self.delimiter.as_slice()].concat();
        let mut part = self.held.starts_with(&self.delimiter).then_some(self.delimiter.len())?;
        loop {
            let content = part + find(self.held.get(part..)?, b"\r\n\r\n")? + 4;
            let head = String::from_utf8_lossy(self.held.get(part..content)?);
            if parameter(&head, "filename").is_some() {
                return Some(content);
            }
            part = content + find(self.held.get(content..)?, &next)? + next.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=XyZ";

    fn form(file: &[u8], end: &str) -> Vec<u8> {
        let head = "--XyZ\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\nt0ken\r\n--XyZ\r\n\
                    Content-Disposition: form-data; name=\"file\"; filename=\"u.update\"\r\nContent-Type: a/b\r\n\r\n";
        [head.as_bytes(), file, end.as_bytes()].concat()
    }

    /// The token and the file, if the form is fed in pieces of this size.
    fn received(body: &[u8], step: usize) -> Result<(String, Vec<u8>), BadForm> {
        let (mut parcel, mut file) = (MultipartUpload::new(TYPE)?, Vec::new());
        for piece in body.chunks(step) {
            parcel.feed(piece, &mut file)?;
            assert!(parcel.token().is_some() || file.is_empty(), "nothing passes before the token is known");
            assert!(parcel.held.len() <= MAX_FORM + step);
        }
        let token = parcel.token().unwrap_or_default().to_owned();
        parcel.finish(&mut file)?;
        Ok((token, file))
    }

    proptest! {
        #[test]
        fn a_file_passes_byte_for_byte_however_it_is_cut(
            file in prop::collection::vec(prop::sample::select(b"\r\n-XyZ\0\xff".to_vec()), 0..200), step in 1_usize..64,
        ) {
            prop_assume!(find(&file, b"\r\n--XyZ").is_none());
            for end in ["\r\n--XyZ--\r\n", "\r\n--XyZ--"] {
                prop_assert_eq!(received(&form(&file, end), step), Ok(("t0ken".to_owned(), file.clone())));
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>, step in 1_usize..64) {
            prop_assert_eq!(received(&bytes, step), Err(BadForm));
        }
    }

    #[test]
    fn a_form_that_broke_off_or_was_made_elsewhere_is_no_file() {
        let whole = form(b"content", "\r\n--XyZ--\r\n");
        for length in 0..whole.len() - 2 {
            assert_eq!(received(&whole[..length], 7), Err(BadForm), "{length}");
        }
        assert_eq!(received(&form(b"content", "\r\n--XyZ\r\n"), 7), Err(BadForm));
        let endless = [b"--XyZ\r\n".as_slice(), &vec![b'x'; 2 * MAX_FORM]].concat();
        assert_eq!(received(&endless, 100), Err(BadForm));
        assert!(MultipartUpload::new("application/x-www-form-urlencoded").is_err());
    }

    #[test]
    fn a_form_without_a_token_has_an_empty_one() {
        let body =
            b"--XyZ\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n\r\n--XyZ--\r\n";
        assert_eq!(received(body, 9), Ok((String::new(), Vec::new())));
    }
}
