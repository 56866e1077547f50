//! What a browser sends for a form.

use percent_encoding::percent_decode;
use zeroize::Zeroizing;

/// The fields of a form (`application/x-www-form-urlencoded`). They hold passwords, so they are wiped when dropped, and
/// there is no way to print them.
pub(super) struct Form(Vec<(Zeroizing<String>, Zeroizing<String>)>);

/// More fields than any form has.
const MAX_FIELDS: usize = 16;

impl Form {
    /// Reads whatever was sent; what makes no sense is no field.
    pub(super) fn read(body: &[u8]) -> Self {
        let pairs = body.split(|byte| *byte == b'&').take(MAX_FIELDS);
        let fields = pairs.filter_map(|pair| {
            let middle = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = pair.split_at_checked(middle)?;
            Some((text(name), text(value.get(1..)?)))
        });
        Self(fields.collect())
    }

    /// The first field of that name; empty if there is none.
    pub(super) fn field(&self, wanted: &str) -> &str {
        self.0.iter().find(|(name, _)| name.as_str() == wanted).map_or("", |(_, value)| value.as_str())
    }
}

fn text(encoded: &[u8]) -> Zeroizing<String> {
    let spaced: Zeroizing<Vec<u8>> =
        Zeroizing::new(encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect());
    // Bytes that are no UTF-8 become replacement characters, which no name and no password contains.
    Zeroizing::new(percent_decode(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_the_first_of_a_name_counts() {
        let form = Form::read(b"name=m%61rty+mcfly&password=%2B%26%3D=&name=other&empty=&novalue&=x");
        assert_eq!(form.field("name"), "marty mcfly");
        assert_eq!(form.field("password"), "+&==");
        assert_eq!(form.field("empty"), "");
        assert_eq!(form.field("novalue"), "");
        assert_eq!(form.field("missing"), "");
        assert_eq!(form.field(""), "x");
    }

    #[test]
    fn nonsense_is_no_form_and_does_no_harm() {
        for body in [&b""[..], b"&&&===", b"name=%", b"name=%zz", b"name=%ff%fe", b"\0\xff", b"%00=%00"] {
            assert!(!Form::read(body).field("name").contains("marty"));
        }
        assert_eq!(Form::read("a=1&".repeat(5000).as_bytes()).0.len(), MAX_FIELDS);
    }
}
