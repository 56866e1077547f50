//! Forms as browsers send them (`src/web/multipart.rs`, `src/web/fields.rs`, `src/web/operator/upload.rs`).
//!
//! Input: the value of `Content-Type` (empty: that of the seeds); sizes of pieces; the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcos::web::Fields;
use mcos::web::multipart::{Event, MAX_PARTS, Multipart, MultipartError, Part, is_multipart};
use mcos::web::operator::{Form, MultipartUpload};
use mcos_fuzz::{Input, pieces, plant};

const TYPE: &str = "multipart/form-data; boundary=XyZ";

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let content_type = String::from_utf8_lossy(input.counted());
    let content_type = if content_type.is_empty() { TYPE } else { &content_type };
    let sizes = input.counted();
    let body = input.rest();

    assert_eq!(Multipart::new(content_type).is_ok(), is_multipart(content_type));
    let (parts, outcome) = received(content_type, body, &[]);
    assert_eq!(received(content_type, body, sizes), (parts.clone(), outcome), "pieces of any size do the same");
    assert!(parts.len() <= MAX_PARTS);
    if outcome.is_ok() {
        assert!(parts.iter().all(|(.., complete)| *complete));
    }

    let uploads = [uploaded(content_type, body, &[]), uploaded(content_type, body, sizes)];
    assert_eq!(uploads[0], uploads[1]);
    if let Ok((name, file)) = &uploads[0] {
        let first = parts.iter().find(|(part, ..)| part.file_name.is_some());
        assert_eq!(name.is_some(), first.is_some());
        assert_eq!(file, first.map_or(&Vec::new(), |(_, content, _)| content));
        let name = name.as_deref().unwrap_or_default();
        assert!(name.chars().count() <= 80 && !name.contains(|letter: char| "/\\".contains(letter) || letter.is_control()));
    }
    if is_multipart(content_type) {
        assert_eq!(Form::read(content_type, body).is_ok(), uploads[0].is_ok());
    }
    let fields = Fields::urlencoded(body);
    assert!(fields.text("name").len() <= 3 * body.len(), "a byte becomes one replacement character at most");
});

/// Each part with its content, and whether it was complete.
type Received = (Vec<(Part, Vec<u8>, bool)>, Result<(), MultipartError>);

fn received(content_type: &str, body: &[u8], sizes: &[u8]) -> Received {
    let mut multipart = match Multipart::new(content_type) {
        Ok(multipart) => multipart,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut parts: Vec<(Part, Vec<u8>, bool)> = Vec::new();
    for piece in pieces(body, sizes) {
        let fed = multipart.feed(piece, |event| match event {
            Event::Part(part) => parts.push((part.clone(), Vec::new(), false)),
            Event::Content(bytes) => {
                assert!(!bytes.is_empty());
                parts.last_mut().unwrap().1.extend_from_slice(bytes);
            }
            Event::PartEnd => parts.last_mut().unwrap().2 = true,
        });
        if fed.is_err() {
            break;
        }
    }
    let outcome = multipart.finish();
    (parts, outcome)
}

/// The name and the content of the first file.
fn uploaded(
    content_type: &str,
    body: &[u8],
    sizes: &[u8],
) -> Result<(Option<String>, Vec<u8>), MultipartError> {
    let mut upload = MultipartUpload::new(content_type)?;
    let mut file = Vec::new();
    for piece in pieces(body, sizes) {
        upload.feed(piece, &mut file)?;
    }
    let name = upload.file_name().map(str::to_owned);
    upload.finish()?;
    Ok((name, file))
}

/// The forms of the server's pages, as browsers old and new send them.
fn seeds() -> Vec<Vec<u8>> {
    let part = |head: &str, content: &str| {
        format!("--XyZ\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
    };
    let token = part("name=\"form\"", "00112233445566778899aabbccddeeff");
    let file = part("name=\"file\"; filename=\"C:\\MCity\\MCity.mdb\"", "\r\n--Xy\r\n--\r\ncontent");
    let typed = file.replace("\r\n\r\n", "\r\nContent-Type: application/octet-stream\r\n\r\n");
    let sure = part("name=sure", "yes");
    let with = |content_type: &str, sizes: &[u8], body: &str| {
        let counted = |bytes: &[u8]| [&[bytes.len() as u8], bytes].concat();
        [counted(content_type.as_bytes()), counted(sizes), body.as_bytes().to_vec()].concat()
    };
    vec![
        with("", &[], &format!("{token}{file}{sure}--XyZ--\r\n")),
        with("", &[0, 6, 40], &format!("{token}{typed}--XyZ--")),
        with("multipart/form-data;boundary=\"XyZ\"", &[3], &format!("{file}{file}--XyZ--\r\nepilogue")),
        with("", &[], &format!("{token}--XyZ\r\n\r\n")),
        with("application/x-www-form-urlencoded", &[1], "name=m%61rty+mcfly&password=%2B%26%3D&empty=&=x"),
    ]
}
