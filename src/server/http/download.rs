//! A file of the patch set as a response: whole or in part, in pieces, without having it in memory.

use super::response::{BYTES, HttpResponse, TEXT, response, streamed};
use crate::web::Download;
use data_encoding::HEXLOWER;
use futures_lite::stream;
use hyper::body::{Bytes, Frame};
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// So much is read and sent at once, in bytes.
pub(super) const PIECE: u64 = 64 * 1024;
/// The most bytes that are asked for as digits at once.
const MOST_DIGITS: u64 = 1024 * 1024;

/// The first and the last byte that are wanted.
type Span = (u64, u64);

/// What the head of a request wants of a file.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Span),
    /// It has this file already.
    Nothing,
    /// The part is beyond the end.
    Beyond,
}

/// The response to a request with this head, and with `query` behind the `?`. `hex=FIRST-LAST` asks for these bytes as
/// hexadecimal digits: scripts of a PC without `ADODB.Stream` can read nothing but text.
pub(super) fn respond(file: Download, headers: &HeaderMap, query: &str) -> HttpResponse {
    let Download { content, size, sha256, name } = file;
    let tag = format!("\"{sha256}\"");
    let content = Arc::new(content);
    let digits = query.strip_prefix("hex=");
    let wanted = match digits.map(|span| part(span, size)) {
        Some(Some((first, last))) if last - first < MOST_DIGITS => Wanted::Part((first, last)),
        Some(_) => Wanted::Beyond,
        None => wanted(headers, &tag, size),
    };
    let mut response = match wanted {
        Wanted::Nothing => response(304, BYTES, ""),
        Wanted::Beyond => response(416, TEXT, "The file has no such part"),
        Wanted::Whole => streamed(200, BYTES, size, pieces(content, (0, size - 1), false)),
        Wanted::Part(span) if digits.is_some() => {
            streamed(200, TEXT, (span.1 - span.0 + 1) * 2, pieces(content, span, true))
        }
        Wanted::Part(span) => streamed(206, BYTES, span.1 - span.0 + 1, pieces(content, span, false)),
    };
    let range = match wanted {
        Wanted::Part((first, last)) if digits.is_none() => Some(format!("bytes {first}-{last}/{size}")),
        Wanted::Beyond => Some(format!("bytes */{size}")),
        _ => None,
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=0"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let named = format!("attachment; filename=\"{name}\"");
    for (header, value) in [(ETAG, Some(tag)), (CONTENT_DISPOSITION, Some(named)), (CONTENT_RANGE, range)] {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(header, value);
        }
    }
    response
}

fn wanted(headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let has = |list: &str| {
        list.split(',').any(|known| matches!(known.trim(), known if known == tag || known == "*"))
    };
    if text(IF_NONE_MATCH).is_some_and(has) {
        return Wanted::Nothing;
    }
    // A part of another file would be of no use.
    if text(IF_RANGE).is_some_and(|known| known.trim() != tag) {
        return Wanted::Whole;
    }
    match text(RANGE).and_then(|range| range.trim().strip_prefix("bytes=")) {
        // Several parts at once may be answered by the whole file.
        Some(range) if !range.contains(',') => part(range, size).map_or(Wanted::Beyond, Wanted::Part),
        _ => Wanted::Whole,
    }
}

/// `FIRST-LAST`, `FIRST-` or `-COUNT` of a file that is not empty.
fn part(range: &str, size: u64) -> Option<Span> {
    let (first, last) = range.trim().split_once('-')?;
    let end = size.checked_sub(1)?;
    let span = match (first, last) {
        ("", count) => (size.saturating_sub(count.parse().ok().filter(|count| *count > 0)?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(end)),
    };
    (span.0 <= span.1).then_some(span)
}

/// The bytes of a part of a file, or their digits, one piece after another. Each is read on a thread that may wait.
fn pieces(
    file: Arc<File>,
    (first, last): Span,
    digits: bool,
) -> impl futures_lite::Stream<Item = io::Result<Frame<Bytes>>> + Send {
    stream::try_unfold(first, move |at| {
        let file = Arc::clone(&file);
        async move {
            if at > last {
                return Ok(None);
            }
            let length = (last - at + 1).min(PIECE);
            let piece = smol::unblock(move || {
                let mut piece = vec![0; usize::try_from(length).map_err(io::Error::other)?];
                file.read_exact_at(&mut piece, at).map(|()| piece)
            });
            let piece = piece.await?;
            let piece = if digits { HEXLOWER.encode(&piece).into_bytes() } else { piece };
            Ok(Some((Frame::data(Bytes::from(piece)), at + length)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(list: &[(HeaderName, &str)]) -> Wanted {
        let headers = list.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        wanted(&headers, "\"tag\"", 10)
    }

    #[test]
    fn a_part_is_sent_of_the_same_file_only() {
        for (range, expected) in [
            ("bytes=0-3", Wanted::Part((0, 3))),
            ("bytes=4-", Wanted::Part((4, 9))),
            ("bytes=-3", Wanted::Part((7, 9))),
            ("bytes=-30", Wanted::Part((0, 9))),
            ("bytes=9-99", Wanted::Part((9, 9))),
            ("bytes=10-", Wanted::Beyond),
            ("bytes=5-4", Wanted::Beyond),
            ("bytes=-0", Wanted::Beyond),
            ("bytes=x", Wanted::Beyond),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
        ] {
            assert_eq!(with(&[(RANGE, range)]), expected, "{range}");
        }
        assert_eq!(with(&[(RANGE, "bytes=1-2"), (IF_RANGE, "\"tag\"")]), Wanted::Part((1, 2)));
        assert_eq!(with(&[(RANGE, "bytes=1-2"), (IF_RANGE, "\"old\"")]), Wanted::Whole);
        assert_eq!(with(&[(IF_NONE_MATCH, "\"a\", \"tag\"")]), Wanted::Nothing);
        assert_eq!(with(&[(IF_NONE_MATCH, "\"old\"")]), Wanted::Whole);
    }
}
