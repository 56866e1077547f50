//! Pages and files for people: from a request value to an answer value, without sockets.
//!
//! They are read by browsers of 2001 as well as of today: plain HTML without script, which works without its one style sheet
//! and, but for what is a player's own, without cookies. Every text from outside is escaped by the template engine.

mod account;
mod city;
mod cookies;
mod deals;
mod diagnose;
mod fields;
mod files;
mod forms;
mod game_pages;
mod guide;
mod layout;
mod ledger_words;
mod me;
pub mod multipart;
mod night_form;
pub mod operator;
mod page;
mod patch;
mod plot;
mod self_test;
mod visit;
mod words;

pub use fields::Fields;
pub use page::{CachePolicy, PageRequest, PageResponse, Site};
pub use patch::{Download, PatchAnswer, answer as patch_answer, is_here as is_patch};

use page::message;

/// The longest form of a player, in bytes. A name and three passwords, every character escaped, have about 500.
pub const MAX_FORM: usize = 4096;

/// Why a form was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormProblem {
    /// It is longer than [`MAX_FORM`].
    TooLong,
    /// It broke off.
    Incomplete,
    /// It took too long.
    TooSlow,
    /// It was sent by a page of another site.
    Foreign,
}

/// A page or a file; `None` if there is none at this path.
pub fn read(site: &Site<'_>, request: &PageRequest<'_>) -> Option<PageResponse> {
    Some(match request.path {
        "" | "/index.html" => guide::front(site, request),
        "/account" | "/subscribeentry.jsp" => account::blank(site),
        "/password" => account::blank_change(site),
        "/transfertocamhelpservlet" => game_pages::password_help(site),
        "/kit" => guide::kit(site, request),
        "/help" => guide::help(site, request),
        "/diagnose" => diagnose::show(site, request),
        "/urls" => game_pages::numbered(site, request)?,
        "/ticker" => game_pages::ticker(site),
        path if is_kit(path) => files::kit(site, request),
        "/cert" | "/download/certificate" => files::certificate(site),
        "/key" | "/download/key" => files::key(site),
        "/registry" | "/download/registry" => files::registry(site, request),
        "/style.css" => files::style(),
        "/favicon.ico" => files::icon(),
        path if path.starts_with("/kit/test/") => self_test::answer(site, request)?,
        path if may_wait(path) => city_page(site, request)?,
        _ => return None,
    })
}

/// A page of the city. Whoever is signed in sees the own menu above it, so nobody keeps that page.
fn city_page(site: &Site<'_>, request: &PageRequest<'_>) -> Option<PageResponse> {
    let own = request.path.starts_with("/me/") || deals::is_here(request.path);
    let menu = visit::menu(site, request, own);
    let site = &Site { menu: menu.as_ref(), ..*site };
    let answer = if me::is_here(request.path) {
        me::read(site, request)?
    } else if deals::is_here(request.path) {
        deals::read(site, request)?
    } else {
        city::read(site, request)?
    };
    let shows_menu = menu.is_some() && answer.content_type.starts_with("text/html");
    Some(if shows_menu { answer.not_stored() } else { answer })
}

/// Whether the game itself asks for this page, by whatever name it was told, or a page of that needs it. None of them tells
/// anything about players.
pub fn is_of_game(path: &str) -> bool {
    matches!(path, "/urls" | "/ticker" | "/transfertocamhelpservlet" | "/subscribeentry.jsp" | "/style.css")
}

/// Whether the answer to this path takes long enough to be made on a worker thread: it reads much of the store, or is a kit.
pub fn may_wait(path: &str) -> bool {
    is_kit(path) || city::is_here(path) || me::is_here(path) || deals::is_here(path)
}

fn is_kit(path: &str) -> bool {
    matches!(path, "/kit.zip" | "/download/kit")
}

/// Whether a form is sent to this path.
pub fn takes_forms(path: &str) -> bool {
    matches!(path, "/account" | "/password") || me::is_here(path) || deals::is_here(path)
}

/// Answers a form. Checks or hashes a password, so it belongs on a worker thread.
pub fn submit(site: &Site<'_>, request: &PageRequest<'_>, body: &[u8]) -> PageResponse {
    let form = Fields::urlencoded(body);
    if me::is_here(request.path) {
        me::submit(site, request, &form)
    } else if deals::is_here(request.path) {
        deals::submit(site, request, &form)
    } else if request.path == "/password" {
        account::change(site, request.peer, &form)
    } else {
        account::create(site, request.peer, &form)
    }
}

/// The answer to a form that was not read to its end.
pub fn unread_form(site: &Site<'_>, problem: FormProblem) -> PageResponse {
    match problem {
        FormProblem::TooLong => {
            message(site, 413, "The form is too long", "Nothing was changed. Go back and enter less text.")
        }
        FormProblem::Incomplete => {
            message(site, 400, "The form did not arrive", "Nothing was changed. Go back and send it again.")
        }
        FormProblem::Foreign => message(
            site,
            403,
            "This form comes from elsewhere",
            "Nothing was changed. Open the server's own page and fill in the form there. If you have, open it by the server's IP \
             address; the operator can set network.public_host to the name you used.",
        ),
        FormProblem::TooSlow => {
            message(site, 408, "The form took too long", "Nothing was changed. Go back and send it again.")
        }
    }
}

/// The answer to a form when too many passwords are waiting already.
pub fn busy(site: &Site<'_>) -> PageResponse {
    message(site, 503, "The server is busy", "Nothing was changed. Please try again in a moment.")
}

/// The answer to a request for what is not there.
pub fn not_found(site: &Site<'_>) -> PageResponse {
    message(site, 404, "Not found", "There is no page at this address.")
}

/// Whether a path is a part of the self-test of a player kit: to ask for it does something, so to ask only for the head of the answer, as
/// programs do that look whether there is a page, must not be one.
pub fn is_self_test(path: &str) -> bool {
    path.starts_with("/kit/test/")
}

/// The answer to a request that wants to do at this path what cannot be done there.
pub fn not_taken(site: &Site<'_>, path: &str) -> PageResponse {
    if city::is_api(path) { city::only_reads() } else { not_found(site) }
}

/// The answer to a browser whose address is banned, for this reason.
pub fn banned(site: &Site<'_>, reason: &str) -> PageResponse {
    message(site, 403, "This address is banned", reason)
}

#[cfg(test)]
mod player_tests;
#[cfg(test)]
mod tests;
