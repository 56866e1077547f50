//! Reads a form of several parts (`multipart/form-data`, RFC 7578) as it arrives: bytes in, events out.
//!
//! It does no I/O, and memory use is constant: a few KiB, however long the form. However the bytes of a form are cut into
//! pieces, the same parts with the same content come out, and the same error.

use memchr::memmem;
use std::fmt;
use zeroize::Zeroizing;

/// The longest head of a part, in bytes.
pub const MAX_HEAD: usize = 4 * 1024;
/// The most parts of a form.
pub const MAX_PARTS: usize = 16;
/// The longest boundary, in characters (RFC 2046).
const MAX_BOUNDARY: usize = 70;
/// Bytes looked at in one go.
const CHUNK: usize = 4 * 1024;

/// Why a form cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultipartError {
    /// The content type is not `multipart/form-data` with a boundary of 1 to 70 characters.
    ContentType,
    /// A boundary or the head of a part is not where it has to be.
    Malformed,
    /// The head of a part is longer than [`MAX_HEAD`], there are more than [`MAX_PARTS`] parts, or the fields are too long.
    TooLarge,
    /// The last boundary is missing.
    Incomplete,
}

impl fmt::Display for MultipartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContentType => "the content type is not multipart/form-data",
            Self::Malformed => "a part of the form does not begin or end as it has to",
            Self::TooLarge => "the fields of the form are too long or too many",
            Self::Incomplete => "the form breaks off before its end",
        })
    }
}

impl std::error::Error for MultipartError {}

/// What the head of a part says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The name of the field; empty if there is none.
    pub name: String,
    /// The name of the file, if the part is one. Old browsers send the whole path.
    pub file_name: Option<String>,
}

/// What comes next in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A part begins.
    Part(&'a Part),
    /// The next bytes of its content; never empty.
    Content(&'a [u8]),
    /// The part is complete.
    PartEnd,
}

/// The state of reading one form.
pub struct Multipart {
    /// What comes before each part but the first: a line break, two hyphens, and the boundary.
    delimiter: Vec<u8>,
    state: State,
    parts: usize,
    /// What cannot be told apart yet. It never grows beyond its first capacity, so that no copy of it is left behind.
    held: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Start,
    /// Directly behind a boundary.
    Boundary,
    /// In the head of a part, from the line break behind the boundary on.
    Head,
    Content,
    /// Behind the last boundary, where nothing counts.
    End,
    Failed(MultipartError),
}

impl Multipart {
    /// Begins to read a form with this value of `Content-Type`.
    ///
    /// # Errors
    /// [`MultipartError::ContentType`] if it is no form of several parts.
    pub fn new(content_type: &str) -> Result<Self, MultipartError> {
        let boundary = boundary(content_type).ok_or(MultipartError::ContentType)?;
        Ok(Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            state: State::Start,
            parts: 0,
            held: Zeroizing::new(Vec::with_capacity(MAX_HEAD + 2 * CHUNK)),
        })
    }

    /// Takes the next bytes of the form, and calls `on_event` for everything in them, in order.
    ///
    /// # Errors
    /// [`MultipartError::Malformed`] or [`MultipartError::TooLarge`]; the same again for every later call.
    pub fn feed(&mut self, bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), MultipartError> {
        for chunk in bytes.chunks(CHUNK) {
            self.held.extend_from_slice(chunk);
            while self.step(&mut on_event).inspect_err(|error| self.state = State::Failed(*error))? {}
        }
        Ok(())
    }

    /// There are no more bytes.
    ///
    /// # Errors
    /// [`MultipartError::Incomplete`] if the form is not complete, or the error that there was before.
    pub fn finish(self) -> Result<(), MultipartError> {
        match self.state {
            State::End => Ok(()),
            State::Failed(error) => Err(error),
            _ => Err(MultipartError::Incomplete),
        }
    }

    /// Does what can be done with the bytes held. `false`: nothing until there are more.
    fn step(&mut self, on_event: &mut impl FnMut(Event<'_>)) -> Result<bool, MultipartError> {
        match self.state {
            State::Start => {
                let first = self.delimiter.get(2..).unwrap_or_default();
                if self.held.starts_with(first) {
                    let length = first.len();
                    self.go_on(length, State::Boundary)
                } else if first.starts_with(&self.held) {
                    Ok(false)
                } else {
                    Err(MultipartError::Malformed)
                }
            }
            State::Boundary => match self.held.get(..2) {
                Some(b"\r\n") => self.go_on(0, State::Head),
                Some(b"--") => self.go_on(2, State::End),
                Some(_) => Err(MultipartError::Malformed),
                None => Ok(false),
            },
            // A part without a head begins with the empty line at once.
            State::Head => match memmem::find(&self.held, b"\r\n\r\n") {
                Some(length) if length <= MAX_HEAD => {
                    self.parts += 1;
                    if self.parts > MAX_PARTS {
                        return Err(MultipartError::TooLarge);
                    }
                    on_event(Event::Part(&part(self.held.get(..length).unwrap_or_default())));
                    self.go_on(length + 4, State::Content)
                }
                None if self.held.len() < MAX_HEAD + 4 => Ok(false),
                _ => Err(MultipartError::TooLarge),
            },
            State::Content => {
                if let Some(length) = memmem::find(&self.held, &self.delimiter) {
                    self.content(length, on_event);
                    on_event(Event::PartEnd);
                    return self.go_on(length + self.delimiter.len(), State::Boundary);
                }
                // The last bytes may be the beginning of a delimiter.
                let certain = self.held.len().saturating_sub(self.delimiter.len() - 1);
                self.content(certain, on_event);
                self.held.drain(..certain);
                Ok(false)
            }
            State::End => {
                self.held.clear();
                Ok(false)
            }
            State::Failed(error) => Err(error),
        }
    }

    fn go_on(&mut self, taken: usize, state: State) -> Result<bool, MultipartError> {
        self.held.drain(..taken);
        self.state = state;
        Ok(true)
    }

    fn content(&self, length: usize, on_event: &mut impl FnMut(Event<'_>)) {
        if let Some(content) = self.held.get(..length).filter(|content| !content.is_empty()) {
            on_event(Event::Content(content));
        }
    }
}

/// Whether a value of `Content-Type` is that of a form of several parts.
pub fn is_multipart(content_type: &str) -> bool {
    boundary(content_type).is_some()
}

fn boundary(content_type: &str) -> Option<String> {
    let media_type = content_type.split(';').next().unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(content_type, "boundary")?;
    (1..=MAX_BOUNDARY).contains(&boundary.len()).then_some(boundary)
}

fn part(head: &[u8]) -> Part {
    const DISPOSITION: &str = "content-disposition:";
    let head = String::from_utf8_lossy(head);
    let is_disposition = |line: &&str| {
        line.get(..DISPOSITION.len()).is_some_and(|name| name.eq_ignore_ascii_case(DISPOSITION))
    };
    let line = head.lines().find(is_disposition).unwrap_or_default();
    Part { name: parameter(line, "name").unwrap_or_default(), file_name: parameter(line, "filename") }
}

/// The value of a parameter behind a `;`, such as `name="value"`.
fn parameter(line: &str, wanted: &str) -> Option<String> {
    let mut rest = line;
    loop {
        let (name, value) = rest.split_once(';')?.1.split_once('=')?;
        let (value, behind) = parameter_value(value);
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = behind;
    }
}

/// A value, and what comes behind it.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        let (value, behind) = text.split_at(text.find(';').unwrap_or(text.len()));
        return (value.trim().to_owned(), behind);
    };
    let mut value = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return (value, letters.as_str()),
            // Only a quote is escaped so: old browsers send paths with single backslashes.
            '\\' if letters.as_str().starts_with('"') => {
                value.push('"');
                letters.next();
            }
            letter => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=XyZ";

    /// A part, its content, and whether it was complete.
    type Received = (Part, Vec<u8>, bool);

    fn received<'a>(
        content_type: &str,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<Received>, Result<(), MultipartError>) {
        let mut multipart = match Multipart::new(content_type) {
            Ok(multipart) => multipart,
            Err(error) => return (Vec::new(), Err(error)),
        };
        let capacity = multipart.held.capacity();
        let mut parts: Vec<Received> = Vec::new();
        for piece in pieces {
            let fed = multipart.feed(piece, |event| match event {
                Event::Part(part) => parts.push((part.clone(), Vec::new(), false)),
                Event::Content(bytes) => parts.last_mut().unwrap().1.extend_from_slice(bytes),
                Event::PartEnd => parts.last_mut().unwrap().2 = true,
            });
            assert_eq!(multipart.held.capacity(), capacity, "no copy is left behind");
            if fed.is_err() {
                assert_eq!(multipart.feed(b"more", |_| panic!("nothing comes after an error")), fed);
                break;
            }
        }
        let finished = multipart.finish();
        (parts, finished)
    }

    fn whole(body: &[u8]) -> (Vec<Received>, Result<(), MultipartError>) {
        received(TYPE, [body])
    }

    fn part_named(name: &str, file_name: Option<&str>) -> Part {
        Part { name: name.to_owned(), file_name: file_name.map(str::to_owned) }
    }

    fn form(file: &[u8]) -> Vec<u8> {
        let head = "--XyZ\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\nt0ken\r\n--XyZ\r\n\
                    content-disposition: form-data; name=\"file\"; filename=\"C:\\MCity\\a;b.mdb\"\r\nContent-Type: a/b\r\n\r\n";
        [head.as_bytes(), file, b"\r\n--XyZ--\r\n"].concat()
    }

    /// Pieces of these lengths, and the rest.
    fn cut<'a>(body: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
        let mut rest = body;
        let mut pieces = Vec::new();
        for length in lengths {
            let (piece, behind) = rest.split_at((*length).min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces.push(rest);
        pieces
    }

    #[test]
    fn fields_and_files_come_out_as_they_went_in() {
        let file = [&b"\r\n--\r\n--Xy\r\n\0\xff"[..], &vec![7; 50_000]].concat();
        let (parts, finished) = whole(&form(&file));
        assert_eq!(finished, Ok(()));
        assert_eq!(parts[0], (part_named("form", None), b"t0ken".to_vec(), true));
        assert_eq!(parts[1], (part_named("file", Some("C:\\MCity\\a;b.mdb")), file, true));
    }

    #[test]
    fn a_form_that_breaks_off_is_incomplete_wherever_that_is() {
        let body = form(b"content");
        for length in 0..body.len() - 2 {
            assert_eq!(whole(&body[..length]).1, Err(MultipartError::Incomplete), "{length}");
        }
        assert!(!whole(&body[..body.len() - 10]).0[1].2);
        assert_eq!(whole(&body[..body.len() - 2]).1, Ok(()));
    }

    #[test]
    fn what_is_no_form_of_several_parts_is_refused() {
        for content_type in [
            "",
            "text/plain; boundary=XyZ",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"\"",
            &format!("multipart/form-data; boundary={}", "x".repeat(71)),
        ] {
            assert!(!is_multipart(content_type), "{content_type}");
            assert_eq!(received(content_type, []).1, Err(MultipartError::ContentType));
        }
        for content_type in
            ["Multipart/Form-Data; charset=utf-8; Boundary=\"XyZ\"", "multipart/form-data;boundary=XyZ ; x=y"]
        {
            assert_eq!(received(content_type, [&form(b"")[..]]).1, Ok(()), "{content_type}");
        }
        for body in [&b"hello"[..], b"\r\n--XyZ\r\n", b"--XyZ \r\n", b"--XyZ-\r\n", b"--Xyz\r\n"] {
            assert_eq!(whole(body), (Vec::new(), Err(MultipartError::Malformed)));
        }
    }

    #[test]
    fn heads_and_parts_are_bounded() {
        let longest = format!("--XyZ\r\n{}\r\n\r\nx\r\n--XyZ--", "h".repeat(MAX_HEAD - 2));
        assert_eq!(whole(longest.as_bytes()).1, Ok(()));
        let longer = longest.replacen('h', "hh", 1);
        assert_eq!(whole(longer.as_bytes()), (Vec::new(), Err(MultipartError::TooLarge)));
        let endless = [&b"--XyZ\r\n"[..], &[b'h'; 3 * MAX_HEAD]].concat();
        assert_eq!(whole(&endless), (Vec::new(), Err(MultipartError::TooLarge)));
        let part = "--XyZ\r\n\r\n\r\n";
        let many = |parts| format!("{}--XyZ--", part.repeat(parts));
        assert_eq!(whole(many(MAX_PARTS).as_bytes()).0.len(), MAX_PARTS);
        assert_eq!(whole(many(MAX_PARTS + 1).as_bytes()).1, Err(MultipartError::TooLarge));
    }

    #[test]
    fn parameters_are_found_whatever_stands_around_them() {
        for (line, name, file_name) in [
            ("form-data; name=\"a\"", "a", None),
            ("form-data; filename=\"x; name=y\"; name=a", "a", Some("x; name=y")),
            ("form-data; name=\"a\\\"b\"; filename=\"\"", "a\"b", Some("")),
            ("form-data; NAME = a ; FileName=b", "a", Some("b")),
            ("form-data; name=\"open", "open", None),
            ("form-data; name", "", None),
            ("form-data", "", None),
        ] {
            let head = format!("\r\nContent-Disposition: {line}");
            assert_eq!(part(head.as_bytes()), part_named(name, file_name), "{line}");
        }
        assert_eq!(part(b"\r\nContent-Type: a/b; name=x"), Part::default());
        assert_eq!(part(b"\xff\xfe"), Part::default());
    }

    fn near_forms() -> impl Strategy<Value = Vec<u8>> {
        let pieces = prop::sample::select(vec![
            &b"--XyZ"[..],
            b"\r\n--XyZ",
            b"\r\n",
            b"--",
            b"\r\n\r\n",
            b"\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n",
            b"\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n",
            b"value",
            b"-",
            b"\r",
            b"\n",
            b"\0\xff",
        ]);
        prop::collection::vec(pieces, 0..20)
            .prop_map(|pieces| [b"--XyZ", pieces.concat().as_slice()].concat())
    }

    proptest! {
        #[test]
        fn however_a_form_is_cut_the_outcome_is_the_same(
            body in near_forms(), lengths in prop::collection::vec(0_usize..12, 0..60),
        ) {
            prop_assert_eq!(received(TYPE, cut(&body, &lengths)), whole(&body));
        }

        #[test]
        fn a_file_passes_byte_for_byte(
            file in prop::collection::vec(prop::sample::select(b"\r\n-XyZ\0\xff".to_vec()), 0..200),
            lengths in prop::collection::vec(0_usize..64, 0..60),
        ) {
            prop_assume!(memmem::find(&file, b"\r\n--XyZ").is_none());
            let body = form(&file);
            let (parts, finished) = received(TYPE, cut(&body, &lengths));
            prop_assert_eq!(finished, Ok(()));
            prop_assert_eq!(&parts[1].1, &file);
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(content_type: String, body: Vec<u8>, lengths: Vec<u8>) {
            let lengths: Vec<_> = lengths.into_iter().map(usize::from).collect();
            prop_assert_eq!(received(TYPE, cut(&body, &lengths)), whole(&body));
            let _ = received(&content_type, [&body[..]]);
        }
    }
}
