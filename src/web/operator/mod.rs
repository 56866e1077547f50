//! The Operator's pages: from a request value to an answer value, without sockets.
//!
//! They are for TLS 1.2 and 1.3 only; whoever comes otherwise is told so by [`refusal`]. A password opens a session, which
//! a cookie proves; every form carries a token besides, so that no other page can send it. They work without script.

mod actions;
mod backups;
mod deals;
mod export;
mod game_pages;
mod history;
mod login;
mod nights;
mod page_forms;
mod pages;
mod people;
mod plots;
mod request;
mod settings;
mod site;
mod upload;
mod welcome;
mod wifi;
mod wire;

pub use pages::refusal;
pub use request::{Form, FormStorage, OperatorRequest, OperatorResponse, ServerFigures};
pub use site::{BUNDLE, OperatorSite};
pub use upload::{MultipartUpload, UploadedFile};

/// Whether a path belongs to these pages. It is lower case, without a slash at the end.
pub fn is_here(path: &str) -> bool {
    path.strip_prefix("/operator").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
