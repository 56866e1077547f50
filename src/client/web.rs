//! What the Client asks over HTTP before it speaks to any game port.

use super::error::Error;
use super::http::{self, Response};
use super::peer::{Endpoint, Peer, Service};
use super::shard_list::{self, ShardEntry};
use mco_proto::session_key::PublicLoginKey;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// The Context (ticket) that AuthLogin hands out. It does not show itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Context(Zeroizing<String>);

impl Context {
    /// A Context from its text, for instance one that no server gave out.
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// As it travels in 0x0501.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")
    }
}

/// The web server: AuthLogin, the shard list and `/key`.
#[derive(Clone, Debug)]
pub struct Web {
    endpoint: Endpoint,
    timeout: Duration,
}

impl Web {
    /// The web server at `endpoint`; no wait lasts longer than `timeout`.
    pub const fn new(endpoint: Endpoint, timeout: Duration) -> Self {
        Self { endpoint, timeout }
    }

    /// The endpoint that is asked.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How long any wait may last.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Fetches a page by its path and query (encoded already; empty for none), whatever its status is.
    pub async fn get(&self, page: &'static str, query: &str) -> Result<Response, Error> {
        http::get(&self.endpoint, page, query, self.timeout).await
    }

    /// AuthLogin: a Context for a name and a password.
    pub async fn auth(&self, user: &str, password: &str) -> Result<Context, Error> {
        const PAGE: &str = "/AuthLogin";
        let query = Zeroizing::new(format!(
            "username={}&password={}&serviceID=2176&version=3.3.0.6",
            utf8_percent_encode(user, NON_ALPHANUMERIC),
            utf8_percent_encode(password, NON_ALPHANUMERIC)
        ));
        let response = self.get(PAGE, &query).await?;
        let text = Zeroizing::new(self.page_text(PAGE, &response)?);
        let value = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::trim_end)
        };
        match (value("Valid"), value("Ticket")) {
            (Some("TRUE"), Some(ticket)) if !ticket.is_empty() && ticket.len() <= 256 => {
                Ok(Context::new(ticket))
            }
            (Some("TRUE"), _) => {
                Err(self.wrong(PAGE, "says Valid=TRUE without a Ticket of 1 to 256 characters"))
            }
            (valid, _) if valid.is_some() || value("reasoncode").is_some() => {
                let reason = value("reasontext").unwrap_or_default();
                Err(Error::WrongPassword { reason: reason.chars().take(200).collect() })
            }
            _ => Err(self.wrong(PAGE, "answers neither Valid= nor reasoncode=")),
        }
    }

    /// The shards on offer.
    pub async fn shard_list(&self) -> Result<Vec<ShardEntry>, Error> {
        const PAGE: &str = "/ShardList/";
        let response = self.get(PAGE, "").await?;
        shard_list::parse(&self.page_text(PAGE, &response)?).map_err(Error::ShardList)
    }

    /// The login key's public half, which a real Client has in its `pub.key`.
    pub async fn public_key(&self) -> Result<PublicLoginKey, Error> {
        const PAGE: &str = "/key";
        let response = self.get(PAGE, "").await?;
        let text = self.page_text(PAGE, &response)?;
        let why = |_| Error::PublicKey {
            why: "not the 324 hexadecimal digits of an RSA-1024 public key".to_owned(),
        };
        PublicLoginKey::from_hex(&text).map_err(why)
    }

    fn page_text(&self, page: &'static str, response: &Response) -> Result<String, Error> {
        match response.status {
            200 => Ok(response.text()),
            other => Err(self.wrong(page, &format!("answers with status {other}; the Client wants 200"))),
        }
    }

    pub(super) fn wrong(&self, page: &'static str, why: &str) -> Error {
        Error::Web { peer: Peer::new(Service::Web, self.endpoint.clone()), page, why: why.to_owned() }
    }
}
