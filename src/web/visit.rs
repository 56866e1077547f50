//! Who is signed in on the players' pages.

use super::cookies::{cookie, form_token, is_form_token, set_cookie};
use super::fields::Fields;
use super::forms;
use super::page::{Driver, Menu, PageRequest, PageResponse, Site, message};
use crate::store::{Account, Persona};
use crate::world::{Notice, Token};
use hyper::header::SET_COOKIE;

/// The names of the cookies by HTTPS and without: of the session, and of the token before there is one.
const SESSION: [&str; 2] = ["__Host-mcos-player", "mcos-player"];
const TOKEN: [&str; 2] = ["__Host-mcos-player-form", "mcos-player-form"];

fn name(names: [&'static str; 2], request: &PageRequest<'_>) -> &'static str {
    let [secure, plain] = names;
    if request.secure { secure } else { plain }
}

/// A browser in which somebody is signed in.
pub(super) struct Visit<'a> {
    site: &'a Site<'a>,
    secret: &'a str,
    pub(super) account: Account,
    /// The token that all forms carry.
    pub(super) form: Token,
}

/// Somebody who acts for one of its own personas.
#[derive(Clone, Copy)]
pub(super) struct Act<'a> {
    pub(super) site: &'a Site<'a>,
    pub(super) visit: &'a Visit<'a>,
    pub(super) persona: &'a Persona,
    pub(super) request: &'a PageRequest<'a>,
}

impl<'a> Visit<'a> {
    /// Who is signed in, if the cookies belong to a session of an account that may sign in. A store that does not answer shows nobody
    /// anything of his own.
    pub(super) fn of(site: &'a Site<'a>, request: &PageRequest<'a>) -> Option<Self> {
        let secret = cookie(request.cookies, name(SESSION, request));
        let (customer, form) = site.game.world.page_sessions.enter(secret, site.now)?;
        let account = site.game.store.accounts().by_customer(customer);
        let account = account.inspect_err(|error| log::error!("http: {error}")).ok().flatten();
        Some(Self { site, secret, account: account.filter(|account| !account.disabled)?, form })
    }

    /// The personas of the account, oldest first.
    pub(super) fn personas(&self) -> Vec<Persona> {
        let found = self.site.game.store.personas().of_customer(self.account.customer_id);
        found.inspect_err(|error| log::error!("http: {error}")).unwrap_or_default()
    }

    /// The persona with this number if it belongs to the account; without a number the first one.
    pub(super) fn persona(&self, asked: &str) -> Option<Persona> {
        let mut all = self.personas().into_iter();
        if asked.is_empty() { all.next() } else { all.find(|persona| persona.id.0.to_string() == asked) }
    }

    /// The answer to a form that does not come from a page of ours, or from an old one; `None`: it does.
    pub(super) fn refuses(&self, request: &PageRequest<'_>, form: &Fields) -> Option<PageResponse> {
        if self.form.is(form.text("form")) {
            return None;
        }
        log::info!("http: {} sent a form without the page's token", request.peer);
        let text = "Nothing was changed. Go back, load the page again and send the form once more.";
        Some(message(self.site, 403, "This form has expired", text).not_stored())
    }

    /// The persona that a form is about, which it always says; else the answer.
    pub(super) fn acting(&self, form: &Fields) -> Result<Persona, PageResponse> {
        let asked = Some(form.text("persona")).filter(|asked| !asked.is_empty());
        asked.and_then(|asked| self.persona(asked)).ok_or_else(|| {
            self.done("/me", Err("That is not one of your drivers. Nothing was changed.".to_owned()))
        })
    }

    /// In how many browsers the account is signed in.
    pub(super) fn browsers(&self) -> usize {
        self.site.game.world.page_sessions.count(self.account.customer_id, self.site.now)
    }

    /// What the last form came to.
    pub(super) fn notice(&self) -> Option<Notice> {
        self.site.game.world.page_sessions.take_notice(self.secret, self.site.now)
    }

    /// Keeps what was typed into a form for the next page, if the form was refused.
    pub(super) fn keep_typed(&self, request: &PageRequest<'_>, form: &Fields) {
        let typed = forms::typed(request.path, form);
        self.site.game.world.page_sessions.keep_typed(self.secret, typed, self.site.now);
    }

    /// Shows another page next, with what the form came to.
    pub(super) fn done(&self, path: &str, outcome: Result<String, String>) -> PageResponse {
        let sessions = &self.site.game.world.page_sessions;
        sessions.leave_notice(self.secret, Notice::of(outcome), self.site.now);
        PageResponse::go_to(path)
    }

    /// Ends the session of this browser, or all of the account.
    pub(super) fn sign_out(&self, everywhere: bool, request: &PageRequest<'_>) -> PageResponse {
        let sessions = &self.site.game.world.page_sessions;
        if everywhere {
            sessions.end_of(self.account.customer_id);
        } else {
            sessions.end(self.secret, self.site.now);
        }
        with_cookie(PageResponse::go_to("/"), SESSION, "", request)
    }
}

/// The second menu, if somebody is signed in: for the driver that the address names, or else the first one. `own` says whether the page is about
/// one of the own drivers, and can be about another.
pub(super) fn menu(site: &Site<'_>, request: &PageRequest<'_>, own: bool) -> Option<Menu> {
    let visit = Visit::of(site, request)?;
    let query = Fields::urlencoded(request.query.as_bytes());
    let all = visit.personas();
    let asked = all.iter().find(|persona| persona.id.to_string() == query.text("persona"));
    let driver = asked.or(all.first()).map(|persona| Driver { id: persona.id, name: persona.name.clone() });
    let path = if own { request.path } else { "/me/garage" };
    let others = all.iter().filter(|other| driver.as_ref().is_some_and(|driver| driver.id != other.id));
    let others = others.map(|other| (format!("{path}?persona={}", other.id), other.name.clone())).collect();
    let form = visit.form.as_str().to_owned();
    Some(Menu { account: visit.account.name, form, driver, others })
}

/// The token of the form to sign in, and the answer with it: a browser without one gets the cookie along.
pub(super) fn before(request: &PageRequest<'_>, show: impl FnOnce(&str) -> PageResponse) -> PageResponse {
    let (token, fresh) = form_token(cookie(request.cookies, name(TOKEN, request)));
    let answer = show(&token);
    if fresh { with_cookie(answer, TOKEN, &token, request) } else { answer }
}

/// Whether the form to sign in comes from a page of ours.
pub(super) fn is_ours(request: &PageRequest<'_>, token: &str) -> bool {
    is_form_token(cookie(request.cookies, name(TOKEN, request)), token)
}

/// Begins a session of an account whose password was right.
pub(super) fn begin(site: &Site<'_>, request: &PageRequest<'_>, account: &Account) -> PageResponse {
    let secret = site.game.world.page_sessions.begin(account.customer_id, site.now);
    let answer = with_cookie(PageResponse::go_to("/me"), SESSION, secret.as_str(), request);
    with_cookie(answer, TOKEN, "", request)
}

fn with_cookie(
    answer: PageResponse,
    names: [&'static str; 2],
    value: &str,
    request: &PageRequest<'_>,
) -> PageResponse {
    answer.with_header(SET_COOKIE, set_cookie(name(names, request), value, request.secure))
}
