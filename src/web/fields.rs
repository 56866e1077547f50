//! The fields of a form: their names and values as text.

use crate::world::FormDigest;
use mco_proto::windows_1252;
use percent_encoding::percent_decode;
use sha2::{Digest as _, Sha256};
use std::mem;
use zeroize::Zeroizing;

/// More fields than any form has; later ones are not read.
const MAX_FIELDS: usize = 32;

/// The fields of a form. They hold passwords, so they are wiped when dropped, and there is no way to print them.
#[derive(Default)]
pub struct Fields(Vec<(Zeroizing<String>, Zeroizing<String>)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`. What makes no sense is no field.
    pub fn urlencoded(body: &[u8]) -> Self {
        let pairs = body.split(|byte| *byte == b'&').take(MAX_FIELDS);
        let fields = pairs.filter_map(|pair| {
            let middle = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = pair.split_at_checked(middle)?;
            Some((decoded(name), decoded(value.get(1..)?)))
        });
        Self(fields.collect())
    }

    /// Adds a field of a form of several parts, where values are not encoded.
    pub(super) fn push(&mut self, name: &str, value: &[u8]) {
        if self.0.len() < MAX_FIELDS {
            let value = Zeroizing::new(value.to_vec());
            self.0.push((Zeroizing::new(name.to_owned()), text(value)));
        }
    }

    /// The value of the first field of that name; empty if there is none.
    pub fn text(&self, wanted: &str) -> &str {
        self.0.iter().find(|(name, _)| name.as_str() == wanted).map_or("", |(_, value)| value.as_str())
    }
}

impl Fields {
    /// The values of all fields of that name.
    pub(super) fn texts<'f>(&'f self, wanted: &'f str) -> impl Iterator<Item = &'f str> {
        let found = self.0.iter().filter(move |(name, _)| name.as_str() == wanted);
        found.map(|(_, value)| value.as_str())
    }

    /// What tells this form, sent to `path`, from others.
    pub(super) fn digest(&self, path: &str) -> FormDigest {
        let mut sum = Sha256::new();
        let pairs = self.0.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        for text in std::iter::once(path).chain(pairs) {
            sum.update((text.len() as u64).to_be_bytes());
            sum.update(text);
        }
        sum.finalize().into()
    }

    /// The names and values of all fields but passwords and the page's token.
    pub(super) fn without_secrets(&self) -> Vec<(String, String)> {
        const SECRETS: [&str; 4] = ["form", "password", "again", "old"];
        let shown = self.0.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
        shown.map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }
}

fn decoded(encoded: &[u8]) -> Zeroizing<String> {
    let spaced: Zeroizing<Vec<u8>> =
        Zeroizing::new(encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect());
    // Decoding makes nothing longer, so the buffer never moves and leaves no copy of a password behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(spaced.len()));
    bytes.extend(percent_decode(&spaced));
    text(bytes)
}

/// Bytes that are no UTF-8 come from a program that sends Windows-1252.
fn text(mut bytes: Zeroizing<Vec<u8>>) -> Zeroizing<String> {
    match String::from_utf8(mem::take(&mut *bytes)) {
        Ok(text) => Zeroizing::new(text),
        Err(error) => {
            let bytes = Zeroizing::new(error.into_bytes());
            Zeroizing::new(windows_1252::decode(&bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_the_first_of_a_name_counts() {
        let form = Fields::urlencoded(b"name=m%61rty+mcfly&password=%2B%26%3D=&name=other&empty=&novalue&=x");
        assert_eq!(form.text("name"), "marty mcfly");
        assert_eq!(form.text("password"), "+&==");
        assert_eq!(form.text("empty"), "");
        assert_eq!(form.text("novalue"), "");
        assert_eq!(form.text("missing"), "");
        assert_eq!(form.text(""), "x");
    }

    #[test]
    fn what_is_shown_again_has_no_password_and_no_token() {
        let form = Fields::urlencoded(b"form=f00&name=marty&password=a&again=b&old=c&goods=c1&goods=c2");
        let shown: Vec<String> =
            form.without_secrets().into_iter().map(|(name, value)| name + "=" + &value).collect();
        assert_eq!(shown, ["name=marty", "goods=c1", "goods=c2"]);
    }

    #[test]
    fn the_digest_tells_forms_apart_by_path_names_values_and_order() {
        let of = |path: &str, body: &str| Fields::urlencoded(body.as_bytes()).digest(path);
        assert_eq!(of("/x", "a=1&b=2"), of("/x", "a=%31&b=2"));
        let others = [of("/y", "a=1&b=2"), of("/x", "a=1"), of("/x", "a=1b&=2"), of("/x", "b=2&a=1")];
        assert!(others.iter().all(|other| *other != of("/x", "a=1&b=2")));
    }

    #[test]
    fn nonsense_is_no_form_and_does_no_harm() {
        for body in [&b""[..], b"&&&===", b"name=%", b"name=%zz", b"name=%ff%fe", b"\0\xff", b"%00=%00"] {
            assert!(!Fields::urlencoded(body).text("name").contains("marty"));
        }
        assert_eq!(Fields::urlencoded("a=1&".repeat(5000).as_bytes()).0.len(), MAX_FIELDS);
    }

    #[test]
    fn a_form_is_utf_8_or_else_windows_1252() {
        let form = Fields::urlencoded(b"page=M%C3%BCnchen+%E2%82%AC5&old=M%FCnchen+%805");
        assert_eq!(
            (form.text("page"), form.text("old")),
            ("M\u{fc}nchen \u{20ac}5", "M\u{fc}nchen \u{20ac}5")
        );
    }

    #[test]
    fn values_of_a_form_of_several_parts_are_taken_as_they_are() {
        let mut form = Fields::default();
        form.push("name", b"m%61rty+\xff");
        assert_eq!(form.text("name"), "m%61rty+\u{ff}");
        for _ in 0..5000 {
            form.push("a", b"1");
        }
        assert_eq!(form.0.len(), MAX_FIELDS);
    }
}
