//! What a browser sends for a form of the Operator's: fields, and perhaps a file.

use percent_encoding::percent_decode;
use zeroize::Zeroizing;

/// More fields than any form has.
const MAX_FIELDS: usize = 16;

/// The fields of a form. They hold passwords, so they are wiped when dropped, and there is no way to print them.
pub(super) struct Fields<'a> {
    texts: Vec<(Zeroizing<String>, Zeroizing<String>)>,
    file: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Reads `application/x-www-form-urlencoded`, or `multipart/form-data` if `content_type` says so. What makes no
    /// sense is no field.
    pub(super) fn read(content_type: &str, body: &'a [u8]) -> Self {
        match boundary(content_type) {
            Some(boundary) => Self::read_parts(boundary, body),
            None => Self::read_pairs(body),
        }
    }

    fn read_pairs(body: &[u8]) -> Self {
        let pairs = body.split(|byte| *byte == b'&').take(MAX_FIELDS);
        let texts = pairs.filter_map(|pair| {
            let middle = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = pair.split_at_checked(middle)?;
            Some((decoded(name), decoded(value.get(1..)?)))
        });
        Self { texts: texts.collect(), file: None }
    }

    fn read_parts(boundary: &str, body: &'a [u8]) -> Self {
        let mut fields = Self { texts: Vec::new(), file: None };
        let delimiter = format!("--{boundary}");
        let mut rest = body.strip_prefix(delimiter.as_bytes());
        let next = format!("\r\n{delimiter}");
        for _ in 0..MAX_FIELDS {
            let Some(part) = rest.and_then(|rest| rest.strip_prefix(b"\r\n")) else { break };
            let Some(end) = find(part, next.as_bytes()) else { break };
            let (Some(content), after) = (part.get(..end), part.get(end + next.len()..)) else { break };
            rest = after;
            // A part without any head begins with the empty line itself.
            let Some(head_end) = find(content, b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(content.get(..head_end).unwrap_or_default()).into_owned();
            let value = content.get(head_end + 4..).unwrap_or_default();
            let Some(name) = parameter(&head, "name") else { continue };
            if parameter(&head, "filename").is_some() {
                fields.file.get_or_insert(value);
            } else {
                let value = String::from_utf8_lossy(value).into_owned();
                fields.texts.push((Zeroizing::new(name), Zeroizing::new(value)));
            }
        }
        fields
    }

    /// The first field of that name; empty if there is none.
    pub(super) fn text(&self, wanted: &str) -> &str {
        self.texts.iter().find(|(name, _)| name.as_str() == wanted).map_or("", |(_, value)| value.as_str())
    }

    /// The content of the first file.
    pub(super) const fn file(&self) -> Option<&'a [u8]> {
        self.file
    }
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

    const MULTIPART: &str = "multipart/form-data; boundary=----XyZ";

    #[test]
    fn plain_fields_are_decoded_and_the_first_of_a_name_counts() {
        let form =
            Fields::read("application/x-www-form-urlencoded", b"a=m%61rty+m&b=%2B&a=other&empty=&no&=x");
        assert_eq!(
            (form.text("a"), form.text("b"), form.text("empty"), form.text("none")),
            ("marty m", "+", "", "")
        );
        assert!(form.file().is_none());
    }

    #[test]
    fn a_file_arrives_byte_for_byte_whatever_is_in_it() {
        let file = [&b"\r\n--\r\n----Xy\r\n\0\xff"[..], &[7; 500]].concat();
        let body = [
            b"------XyZ\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\ntoken\r\n------XyZ\r\n\
              Content-Disposition: form-data; name=\"file\"; filename=\"b.mcos\"\r\nContent-Type: a/b\r\n\r\n",
            &file[..],
            b"\r\n------XyZ--\r\n",
        ]
        .concat();
        let form = Fields::read(MULTIPART, &body);
        assert_eq!(form.text("form"), "token");
        assert_eq!(form.file(), Some(&file[..]));
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
                let form = Fields::read(content_type, body);
                assert!(form.text("form").is_empty() && form.file().is_none());
            }
        }
        assert!(Fields::read("", "a=1&".repeat(5000).as_bytes()).texts.len() <= MAX_FIELDS);
    }
}
