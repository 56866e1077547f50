//! Cookies of the pages: the secret of a session, and the token of the forms before there is one.

use crate::world::Token;

/// The value of a cookie in the value of `Cookie`; empty if there is none.
pub(super) fn cookie<'a>(cookies: &'a str, wanted: &str) -> &'a str {
    let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value)
}

/// The value of `Set-Cookie` for a cookie that no script reads and no other site sends. One that is `secure` crosses no connection
/// without TLS; if its name begins with `__Host-`, browsers take it by HTTPS only, for this host and every path. An empty value takes it back.
pub(super) fn set_cookie(name: &str, value: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let end = if value.is_empty() { "; Max-Age=0" } else { "" };
    format!("{name}={value}; Path=/{secure}; HttpOnly; SameSite=Strict{end}")
}

/// The token of the forms before there is a session, for a browser that sends `known` as its cookie: that one, or a new one, which it
/// has to be given. An invented token would do no harm, but one of our own tells that the browser keeps cookies.
pub(super) fn form_token(known: &str) -> (String, bool) {
    if known.len() == 32 && known.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        (known.to_owned(), false)
    } else {
        (Token::random().as_str().to_owned(), true)
    }
}

/// Whether a form carries the token that was given to its browser before there was a session.
pub(super) fn is_form_token(known: &str, token: &str) -> bool {
    !known.is_empty() && Token::same(known, token)
}
