//! The pages that ask for the password, or set the first one.

use super::pages;
use super::request::{OperatorRequest, OperatorResponse};
use super::sessions::Token;
use crate::services::Game;
use std::net::IpAddr;

/// The cookie with the token of the forms before there is a session.
pub(super) const TOKEN_COOKIE: &str = "__Host-mcos-form";

/// The page to sign in, or to set the first password. `on_box` decides how a forgotten password is replaced.
pub(super) fn login_page(
    game: &Game,
    request: &OperatorRequest<'_>,
    on_box: bool,
    problem: Option<&str>,
) -> OperatorResponse {
    if request.path != "/operator" && request.form.is_none() {
        return redirect_to_login();
    }
    let known = request.cookie(TOKEN_COOKIE);
    // An invented token would do no harm, but one of our own form tells that the browser keeps cookies.
    let (token, fresh) = if known.len() == 32 && known.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        (known.to_owned(), false)
    } else {
        (Token::random().as_str().to_owned(), true)
    };
    let page = match game.store.operator().has_password() {
        Ok(true) => pages::login(game, &token, on_box, problem),
        Ok(false) => pages::first_visit(game, &token, is_near(game, request.peer), problem),
        Err(error) => {
            log::error!("operator: the store does not answer: {error}");
            return pages::store_failed(game);
        }
    };
    if fresh { page.with_cookie(TOKEN_COOKIE, &token) } else { page }
}

/// The answer to a request for a page without a session.
pub(super) fn redirect_to_login() -> OperatorResponse {
    OperatorResponse::go_to("/operator")
}

/// Whether a form comes from [`login_page`].
pub(super) fn is_from_login_page(request: &OperatorRequest<'_>, token: &str) -> bool {
    let expected = request.cookie(TOKEN_COOKIE);
    !expected.is_empty() && Token::same(expected, token)
}

/// Whether an address is of the home network or of this machine: where somebody may set the first password.
pub(super) fn is_near(game: &Game, address: IpAddr) -> bool {
    is_private(address) || game.world.access_list.is_own_ipv6(address)
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_home_are_near() {
        let (game, _folder) = Game::for_tests();
        game.world.access_list.set_own(vec!["2001:db8:0:5::1".parse().unwrap()]);
        for near in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "2001:db8:0:5::9",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_near(&game, near.parse().unwrap()), "{near}");
        }
        for far in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8", "0.0.0.0"] {
            assert!(!is_near(&game, far.parse().unwrap()), "{far}");
        }
    }
}
