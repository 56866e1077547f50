//! Responses of HTTP, made of what services and pages answer.
//!
//! The Client's web code is that of the Windows it runs on, from 1998 on. So a response is as plain as HTTP can be: a
//! length, no chunks, no compression, and the connection ends with it.

use crate::web::PageResponse;
use crate::web::operator::OperatorResponse;
use futures_lite::Stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderMap, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use hyper::{Response, StatusCode};
use std::io;

/// A response whose body lies in memory or is read as it is sent.
pub(super) type HttpResponse = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// The content type of what the services answer in words.
pub(super) const TEXT: &str = "text/plain";
/// The content type of what only a program reads.
pub(super) const BYTES: &str = "application/octet-stream";

/// No script, nothing from elsewhere, no frame around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The same for a drawing, whose style stands in itself.
const POLICY_OF_DRAWINGS: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
/// The content type of drawings.
const DRAWING: &str = "image/svg+xml";

/// A response with these bytes.
pub(super) fn response(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> HttpResponse {
    let body = body.into();
    let length = body.len() as u64;
    of_body(status, content_type, length, Full::new(body).map_err(|never| match never {}).boxed_unsync())
}

/// A response with the `length` bytes that `pieces` gives.
pub(super) fn streamed(
    status: u16,
    content_type: &'static str,
    length: u64,
    pieces: impl Stream<Item = io::Result<Frame<Bytes>>> + Send + 'static,
) -> HttpResponse {
    of_body(status, content_type, length, StreamBody::new(pieces).boxed_unsync())
}

fn of_body(
    status: u16,
    content_type: &'static str,
    length: u64,
    body: UnsyncBoxBody<Bytes, io::Error>,
) -> HttpResponse {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A page or file for everybody.
pub(super) fn page(page: PageResponse) -> HttpResponse {
    let PageResponse { status, content_type, file_name, cache, headers: more, body } = page;
    let mut response = response(status, content_type, body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache.header()));
    // What the game itself reads stays as plain as it was.
    if !content_type.starts_with("text/plain") {
        protect(headers, content_type);
    }
    for (name, value) in more {
        append(headers, name, value);
    }
    name_file(headers, file_name);
    response
}

/// A page or file for the Operator. What it has the server do besides is the caller's.
pub(super) fn operator_page(page: OperatorResponse) -> HttpResponse {
    let OperatorResponse { status, content_type, body, location, cookies, file_name, .. } = page;
    let mut response = response(status, content_type, body);
    let headers = response.headers_mut();
    protect(headers, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) {
        headers.insert(LOCATION, location);
    }
    for cookie in cookies {
        append(headers, SET_COOKIE, cookie);
    }
    name_file(headers, file_name.as_deref());
    response
}

/// What browsers are told so that other sites and other content can do nothing with a page.
fn protect(headers: &mut HeaderMap, content_type: &str) {
    let policy = if content_type == DRAWING { POLICY_OF_DRAWINGS } else { POLICY };
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Has a browser save the body under this name, which consists of letters, digits, dots and hyphens.
fn name_file(headers: &mut HeaderMap, name: Option<&str>) {
    if let Some(name) = name {
        append(headers, CONTENT_DISPOSITION, format!("attachment; filename={name}"));
    }
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: String) {
    match HeaderValue::try_from(value) {
        Ok(value) => _ = headers.append(name, value),
        Err(_) => log::error!("http: a value for {name} has letters that cannot be sent"),
    }
}
