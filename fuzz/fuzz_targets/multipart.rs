//! Forms of several parts (`src/web/multipart.rs`), and the upload made of them (`src/web/operator/upload.rs`).
//!
//! Input: a byte that says into how many pieces the form is cut, a byte for the length of each, and the form, whose boundary
//! is `XyZ`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcos::web::multipart::{Event, MAX_HEAD, MAX_PARTS, Multipart, MultipartError, Part};
use mcos::web::operator::MultipartUpload;
use mcos_fuzz::plant;

const TYPE: &str = "multipart/form-data; boundary=XyZ";

/// A part, its content, and whether it was complete.
type Received = (Part, Vec<u8>, bool);

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let Some((count, rest)) = bytes.split_first() else { return };
    let (lengths, form) = rest.split_at(usize::from(*count).min(rest.len()));
    let whole = received(&[form]);
    let (parts, outcome) = &whole;
    assert!(parts.len() <= MAX_PARTS);
    assert!(parts.iter().map(|(_, content, _)| content.len()).sum::<usize>() <= form.len());
    assert!(parts.iter().all(|(part, ..)| part.name.len() <= 3 * MAX_HEAD));
    assert!(*outcome != Ok(()) || parts.iter().all(|(.., complete)| *complete));
    let pieces = cut(form, lengths);
    assert_eq!(received(&pieces), whole, "however it is cut");

    // The first file comes out of an upload byte for byte.
    let mut upload = MultipartUpload::new(TYPE).expect("a boundary");
    let mut file = Vec::new();
    let fed = pieces.iter().try_for_each(|piece| upload.feed(piece, &mut file));
    let expected = parts.iter().find(|(part, ..)| part.file_name.is_some());
    if fed.is_ok() {
        assert_eq!(file, expected.map(|(_, content, _)| content.clone()).unwrap_or_default());
        assert_eq!(upload.file_name().is_some(), expected.is_some());
        assert_eq!(upload.finish().map(|_| ()), *outcome);
    }
});

fn received(pieces: &[&[u8]]) -> (Vec<Received>, Result<(), MultipartError>) {
    let mut multipart = Multipart::new(TYPE).expect("a boundary");
    let mut parts: Vec<Received> = Vec::new();
    for piece in pieces {
        let fed = multipart.feed(piece, |event| match event {
            Event::Part(part) => parts.push((part.clone(), Vec::new(), false)),
            Event::Content(bytes) => parts.last_mut().expect("a part").1.extend_from_slice(bytes),
            Event::PartEnd => parts.last_mut().expect("a part").2 = true,
        });
        if fed.is_err() {
            break;
        }
    }
    (parts, multipart.finish())
}

fn cut<'a>(form: &'a [u8], lengths: &[u8]) -> Vec<&'a [u8]> {
    let mut rest = form;
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, behind) = rest.split_at(usize::from(*length).min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    pieces
}

/// The forms of the pages, whole and broken off.
fn seeds() -> Vec<Vec<u8>> {
    let part = |head: &str, content: &[u8]| {
        let head = format!("--XyZ\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    };
    let token = part("name=\"form\"", b"0123456789abcdef0123456789abcdef");
    let file = part(
        "name=\"file\"; filename=\"C:\\MCity\\game.mdb\"\r\nContent-Type: application/octet-stream",
        &[7; 300],
    );
    let sure = part("name=\"sure\"", b"yes");
    let end = b"--XyZ--\r\n".to_vec();
    let forms = [
        [token.clone(), file.clone(), sure.clone(), end.clone()].concat(),
        [token.clone(), part("name=\"file\"; filename=\"\"", b""), end.clone()].concat(),
        [token, file].concat(),
        [sure, end].concat(),
        b"--XyZ\r\n\r\n\r\n\r\n--Xy\r\n--XyZ--".to_vec(),
    ];
    forms.into_iter().map(|form| [&[4, 1, 30, 2, 90], form.as_slice()].concat()).collect()
}
