//! The patch set for players: a page, a list for programs, and the files.

use super::page::{CachePolicy, Frame, PageResponse, Site, message, page};
use crate::store::{PatchFile, PatchPath, PatchSet};
use askama::Template;
use log::error;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fmt::Write as _;
use std::fs::File;

/// Where it is, without a slash at the end.
const HERE: &str = "/patch";
/// What stays as it is in a link.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// An answer about the patch set.
pub enum PatchAnswer {
    /// A page or the list.
    Page(PageResponse),
    /// A file, to be sent from its start or in part.
    File(Download),
}

/// A file of the patch set, opened.
pub struct Download {
    /// Opened for reading; its position is the start.
    pub content: File,
    /// Its size in bytes; at least 1.
    pub size: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// The name under which a browser saves it: printable ASCII without quotation marks.
    pub name: String,
}

#[derive(Template)]
#[template(path = "patch.html")]
struct PatchPage<'a> {
    frame: Frame<'a>,
    files: Vec<PatchFile>,
}

/// Whether a path (lower case, without a slash at the end) belongs to the patch set.
pub fn is_here(path: &str) -> bool {
    path.strip_prefix(HERE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The link to a file.
pub(super) fn link(path: &PatchPath) -> String {
    format!("{HERE}/{}", utf8_percent_encode(path.as_str(), PLAIN))
}

/// Answers a request to a path for which [`is_here`] is true. Reads files, so it belongs on a worker thread.
pub fn answer(site: &Site<'_>, path: &str) -> PatchAnswer {
    let set = PatchSet::of(&site.game.data);
    let failed = |error: &dyn std::fmt::Display| {
        error!("http: {error}");
        let text = "The server cannot read its patch set. Its log says why.";
        PatchAnswer::Page(message(site, 500, "An error occurred", text))
    };
    let below = path.strip_prefix(HERE).unwrap_or_default().trim_start_matches('/');
    if below.is_empty() || below == "manifest.txt" {
        let mut files = match set.list() {
            Ok(files) => files,
            Err(error) => return failed(&error),
        };
        // What a backup did not hold is not offered.
        files.retain(|file| set.open(file).is_ok());
        return PatchAnswer::Page(if below.is_empty() {
            page(&PatchPage { frame: Frame::of(site), files })
        } else {
            PageResponse {
                content_type: "text/plain; charset=utf-8",
                cache: CachePolicy::NoStore,
                ..PageResponse::text(manifest(&files))
            }
        });
    }
    let decoded = percent_decode_str(below).decode_utf8_lossy();
    let found = PatchPath::parse(&decoded).ok().and_then(|path| set.find(&path).ok());
    match found.and_then(|file| Some((set.open(&file).ok()?, file))) {
        Some((content, PatchFile { path, size, sha256, .. })) => {
            PatchAnswer::File(Download { content, size, sha256, name: path.name().to_owned() })
        }
        None => PatchAnswer::Page(super::not_found(site)),
    }
}

/// A line for each file: SHA-256, size in bytes, path with `/`, note, with tabs between them.
fn manifest(files: &[PatchFile]) -> String {
    files.iter().fold("mcos patch set 1\r\n".to_owned(), |mut text, file| {
        let PatchFile { path, size, sha256, note, .. } = file;
        // Writing to a String cannot fail.
        let _ = write!(text, "{sha256}\t{size}\t{path}\t{note}\r\n");
        text
    })
}
