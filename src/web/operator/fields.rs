//! What a browser sends for a form of the Operator's: fields, and perhaps a file.

use super::upload::Upload;
use super::{Form, Sent};
use percent_encoding::percent_decode;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use zeroize::Zeroizing;

/// More fields than any form has.
const MAX_FIELDS: usize = 16;
/// Of a form that lies in a file: within so many bytes from its beginning stand all fields, before what it brings ...
const HEAD: u64 = 8 * 1024;
/// ... and within so many bytes from its end it is closed.
const TAIL: u64 = 1024;

/// The fields of a form. They hold passwords, so they are wiped when dropped, and there is no way to print them.
#[derive(Default)]
pub(super) struct Fields<'a> {
    texts: Vec<(Zeroizing<String>, Zeroizing<String>)>,
    file: Option<&'a [u8]>,
    upload: Option<Upload<'a>>,
}

impl<'a> Fields<'a> {
    /// Reads `application/x-www-form-urlencoded`, or `multipart/form-data` if the content type says so. What makes no
    /// sense is no field.
    pub(super) fn read(form: &Form<'a>) -> Self {
        match (form.sent, boundary(form.content_type)) {
            (Sent::Memory(body), Some(boundary)) => Self::read_parts(boundary, body),
            (Sent::Memory(body), None) => Self::read_pairs(body),
            (Sent::File(file), Some(boundary)) => Self::read_file(boundary, file).unwrap_or_else(|error| {
                log::error!("operator: a form that was sent cannot be read: {error}");
                Self::default()
            }),
            (Sent::File(_), None) => Self::default(),
        }
    }

    fn read_pairs(body: &[u8]) -> Self {
        let pairs = body.split(|byte| *byte == b'&').take(MAX_FIELDS);
        let texts = pairs.filter_map(|pair| {
            let middle = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = pair.split_at_checked(middle)?;
            Some((decoded(name), decoded(value.get(1..)?)))
        });
        Self { texts: texts.collect(), ..Self::default() }
    }

    fn read_parts(boundary: &str, body: &'a [u8]) -> Self {
        let mut fields = Self::default();
        for part in parts(boundary, body) {
            let Some(value) = part.end.and_then(|end| body.get(part.content..end)) else { break };
            match part.file_name {
                Some(_) => _ = fields.file.get_or_insert(value),
                None => fields.put(part.name, value),
            }
        }
        fields
    }

    /// Only the first and the last bytes are looked at: what the form brings is its last part.
    fn read_file(boundary: &str, file: &'a File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let head = piece(file, 0, HEAD.min(length))?;
        let mut fields = Self::default();
        for part in parts(boundary, &head) {
            let Some(name) = part.file_name else {
                match part.end.and_then(|end| head.get(part.content..end)) {
                    Some(value) => fields.put(part.name, value),
                    None => break,
                }
                continue;
            };
            let tail_at = length.saturating_sub(TAIL);
            let tail = piece(file, tail_at, length - tail_at)?;
            let close = format!("\r\n--{boundary}--");
            if let Some(at) = tail.windows(close.len()).rposition(|bytes| bytes == close.as_bytes()) {
                let (from, to) = (part.content as u64, tail_at + at as u64);
                fields.upload = Some(Upload::new(&name, file, from, to));
            }
            break;
        }
        Ok(fields)
    }

    fn put(&mut self, name: String, value: &[u8]) {
        let value = String::from_utf8_lossy(value).into_owned();
        self.texts.push((Zeroizing::new(name), Zeroizing::new(value)));
    }

    /// The first field of that name; empty if there is none.
    pub(super) fn text(&self, wanted: &str) -> &str {
        self.texts.iter().find(|(name, _)| name.as_str() == wanted).map_or("", |(_, value)| value.as_str())
    }

    /// The content of the first file.
    pub(super) const fn file(&self) -> Option<&'a [u8]> {
        self.file
    }

    /// The file that came with a form too large for memory.
    pub(super) fn upload(&self) -> Option<Upload<'a>> {
        self.upload.clone()
    }
}

/// A part of a form of several parts: what its head says, and where its value lies. One that is cut off has no end.
struct Part {
    name: String,
    file_name: Option<String>,
    content: usize,
    end: Option<usize>,
}

fn parts(boundary: &str, body: &[u8]) -> Vec<Part> {
    let mut found = Vec::new();
    let next = format!("\r\n--{boundary}");
    // The first one begins without a line of its own.
    let first = next.get(2..).unwrap_or_default();
    let mut at = if body.starts_with(first.as_bytes()) { first.len() } else { body.len() };
    for _ in 0..MAX_FIELDS {
        let Some(rest) = body.get(at..).and_then(|rest| rest.strip_prefix(b"\r\n")) else { break };
        let begin = at + 2;
        let length = find(rest, next.as_bytes());
        let whole = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        // A part without any head begins with the empty line itself.
        if let Some(head_end) = find(whole, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(whole.get(..head_end).unwrap_or_default()).into_owned();
            if let Some(name) = parameter(&head, "name") {
                let (content, end) = (begin + head_end + 4, length.map(|length| begin + length));
                found.push(Part { name, file_name: parameter(&head, "filename"), content, end });
            }
        }
        let Some(length) = length else { break };
        at = begin + length + next.len();
    }
    found
}

/// So many bytes of a file.
fn piece(file: &File, at: u64, length: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(length).unwrap_or_default()]);
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

fn decoded(encoded: &[u8]) -> Zeroizing<String> {
    let spaced: Zeroizing<Vec<u8>> =
        Zeroizing::new(encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect());
    Zeroizing::new(percent_decode(&spaced).decode_utf8_lossy().into_owned())
}

/// What separates the parts: 1 to 70 characters.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let rest = content_type.strip_prefix("multipart/form-data")?;
    let boundary = rest.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// `wanted="value"` in the head of a part.
pub(super) fn parameter(head: &str, wanted: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let value = line.split(';').find_map(|piece| piece.trim().strip_prefix(wanted)?.strip_prefix('='))?;
    Some(value.trim_matches('"').to_owned())
}

/// Where `needle` begins.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let rest = haystack.get(from..)?;
        let place = from + rest.iter().position(|byte| *byte == first)?;
        if haystack.get(place..)?.starts_with(needle) {
            return Some(place);
        }
        from = place + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    const MULTIPART: &str = "multipart/form-data; boundary=----XyZ";

    fn fields<'a>(content_type: &'a str, body: &'a [u8]) -> Fields<'a> {
        Fields::read(&Form { content_type, sent: Sent::Memory(body) })
    }

    /// The same form in a file.
    fn filed(body: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(body).unwrap();
        file
    }

    fn from_file<'a>(content_type: &'a str, file: &'a File) -> Fields<'a> {
        Fields::read(&Form { content_type, sent: Sent::File(file) })
    }

    fn form_with(file: &[u8]) -> Vec<u8> {
        [
            b"------XyZ\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\ntoken\r\n------XyZ\r\n\
              Content-Disposition: form-data; name=\"file\"; filename=\"b.mcos\"\r\nContent-Type: a/b\r\n\r\n",
            file,
            b"\r\n------XyZ--\r\n",
        ]
        .concat()
    }

    #[test]
    fn plain_fields_are_decoded_and_the_first_of_a_name_counts() {
        let form = fields("application/x-www-form-urlencoded", b"a=m%61rty+m&b=%2B&a=other&empty=&no&=x");
        assert_eq!(
            (form.text("a"), form.text("b"), form.text("empty"), form.text("none")),
            ("marty m", "+", "", "")
        );
        assert!(form.file().is_none());
    }

    #[test]
    fn a_file_arrives_byte_for_byte_whatever_is_in_it() {
        let file = [&b"\r\n--\r\n----Xy\r\n\0\xff"[..], &[7; 500]].concat();
        let body = form_with(&file);
        let form = fields(MULTIPART, &body);
        assert_eq!(form.text("form"), "token");
        assert_eq!(form.file(), Some(&file[..]));
    }

    #[test]
    fn a_form_that_lies_in_a_file_brings_the_same_bytes_however_many() {
        let large = vec![7; 100_000];
        for file in [&b"\r\n--\r\n----Xy\r\n\0\xff"[..], b"", &large, b"\r\n------XyZ\r\n"] {
            let filed = filed(&form_with(file));
            let form = from_file(MULTIPART, &filed);
            assert_eq!(form.text("form"), "token");
            assert!(form.file().is_none());
            let mut upload = form.upload().unwrap();
            let mut bytes = Vec::new();
            upload.read_to_end(&mut bytes).unwrap();
            assert_eq!((upload.name(), &bytes[..]), ("b.mcos", file));
        }
        let body = form_with(&large);
        let cut = filed(&body[..body.len() - 10]);
        assert!(from_file(MULTIPART, &cut).upload().is_none(), "it broke off");
        assert_eq!(from_file(MULTIPART, &cut).text("form"), "token");
    }

    #[test]
    fn nonsense_is_no_form_and_does_no_harm() {
        for body in [
            &b""[..],
            b"------XyZ",
            b"------XyZ\r\n",
            b"------XyZ\r\n\r\n",
            b"------XyZ\r\nx\r\n\r\ny\r\n------XyZ--",
            b"\xff\0&=%",
        ] {
            for content_type in [MULTIPART, "", "multipart/form-data", "multipart/form-data; boundary="] {
                let form = fields(content_type, body);
                assert!(form.text("form").is_empty() && form.file().is_none());
                let filed = filed(body);
                let form = from_file(content_type, &filed);
                assert!(form.text("form").is_empty() && form.upload().is_none());
            }
        }
        assert!(fields("", "a=1&".repeat(5000).as_bytes()).texts.len() <= MAX_FIELDS);
    }
}
