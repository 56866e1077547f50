//! Requests to the Operator's pages, and their responses.

use super::upload::{MultipartUpload, UploadedFile};
use crate::clock::Now;
use crate::services::{Push, Verdict};
use crate::web::cookies::{cookie, set_cookie};
use crate::web::fields::Fields;
use crate::web::multipart::{self, MultipartError};
use std::net::IpAddr;

/// A request for one of the pages.
#[derive(Clone, Copy)]
pub struct OperatorRequest<'a> {
    /// The path in lower case, without a slash at the end.
    pub path: &'a str,
    /// What stands behind the `?`.
    pub query: &'a str,
    /// The value of `Cookie`.
    pub cookies: &'a str,
    /// The browser's address.
    pub peer: IpAddr,
    /// When the request came.
    pub now: Now,
    /// The form, if one was sent.
    pub form: Option<&'a Form>,
}

impl<'a> OperatorRequest<'a> {
    /// The value of a cookie; empty if there is none.
    pub(super) fn cookie(&self, name: &str) -> &'a str {
        cookie(self.cookies, name)
    }
}

/// A form that has arrived.
#[derive(Default)]
pub struct Form {
    /// What was typed and chosen.
    pub fields: Fields,
    /// The file that it brought, if that was wanted.
    pub file: Option<UploadedFile>,
}

impl Form {
    /// Reads a form that lies in memory as a whole, in either of the two ways in which browsers send them. A file in it is
    /// passed over.
    ///
    /// # Errors
    /// If it says that it has several parts and cannot be read as such.
    pub fn read(content_type: &str, body: &[u8]) -> Result<Self, MultipartError> {
        if !multipart::is_multipart(content_type) {
            return Ok(Self { fields: Fields::urlencoded(body), file: None });
        }
        let mut upload = MultipartUpload::new(content_type)?;
        upload.feed(body, &mut Vec::new())?;
        Ok(Self { fields: upload.finish()?, file: None })
    }
}

/// Where a form is to be kept while it arrives, and how long it may be in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormStorage {
    /// All of it in memory, at most so many bytes.
    Memory(usize),
    /// Its fields in memory, and its file in a file.
    File(u64),
}

/// Figures that only the layer of sockets knows.
#[derive(Clone, Debug, Default)]
pub struct ServerFigures {
    /// Connections at this moment, this one included.
    pub connections: usize,
    /// For how long the server has run, in seconds.
    pub uptime: u64,
    /// The memory of the process, in bytes, if the system tells.
    pub memory: Option<u64>,
    /// The names and addresses in the certificates.
    pub certificate_names: Vec<String>,
    /// How long it took since the start to save what players changed, in words, if they changed anything.
    pub saving: Option<String>,
    /// How many messages of the game were answered since the start.
    pub messages_answered: u64,
    /// Kinds of messages that were not simply answered: the message, the verdict, and how many.
    pub messages_unusual: Vec<(String, Verdict, u64)>,
}

/// A page, a file or a redirect, and what the server has to do besides.
#[derive(Debug, Default)]
pub struct OperatorResponse {
    /// The status of HTTP.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The page or file itself.
    pub body: Vec<u8>,
    /// The page to go to instead.
    pub location: Option<String>,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The name under which a browser saves it, if it is a file.
    pub file_name: Option<String>,
    /// Messages for the connections of players.
    pub pushes: Vec<Push>,
    /// Whether the server is to restart.
    pub restart: bool,
}

impl OperatorResponse {
    pub(super) fn page(body: String) -> Self {
        let content_type = "text/html; charset=utf-8";
        Self { status: 200, content_type, body: body.into_bytes(), ..Self::default() }
    }

    /// A sentence without a page around it.
    pub fn plain(status: u16, text: &str) -> Self {
        let body = text.as_bytes().to_vec();
        Self { status, content_type: "text/plain", body, ..Self::default() }
    }

    pub(super) fn file(name: String, body: Vec<u8>) -> Self {
        let content_type = "application/octet-stream";
        Self { status: 200, content_type, body, file_name: Some(name), ..Self::default() }
    }

    pub(super) fn go_to(location: impl Into<String>) -> Self {
        let location = Some(location.into());
        Self { status: 303, content_type: "text/plain", location, ..Self::default() }
    }

    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Sets a cookie that no script reads, no other site sends, and no connection without TLS carries. An empty value takes
    /// it back.
    pub(super) fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push(set_cookie(name, value, true));
        self
    }
}
