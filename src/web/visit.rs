//! Who is signed in on the players' pages.

use super::cookies::{cookie, form_token, is_form_token, set_cookie};
use super::fields::Fields;
use super::forms;
use super::page::{Driver, Menu, PageRequest, PageResponse, Site, message};
use crate::store::{Account, Persona};
use crate::world::{FormAdmission, FormDone, Notice, Token};
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
    /// The token that the forms of this page carry.
    pub(super) form: Token,
}

/// What a form came to: the page that is shown next, and what is said on it.
pub(super) type Done = (String, Result<String, String>);

/// What a form does for a persona.
pub(super) type Action = fn(Act<'_>, &Fields) -> Done;

const NOT_YOURS: &str = "That is not one of your drivers. Nothing was changed.";

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
        let sessions = &self.site.game.world.page_sessions;
        let ours = sessions.is_ours(self.secret, form.text("form"), self.site.now);
        (!ours).then(|| self.expired(request))
    }

    fn expired(&self, request: &PageRequest<'_>) -> PageResponse {
        log::info!("http: {} sent a form without the page's token", request.peer);
        let text = "Nothing was changed. Go back, load the page again and send the form once more.";
        message(self.site, 403, "This form has expired", text).not_stored()
    }

    /// The persona that a form is about, which it always says.
    fn acting(&self, form: &Fields) -> Option<Persona> {
        Some(form.text("persona")).filter(|asked| !asked.is_empty()).and_then(|asked| self.persona(asked))
    }

    /// Answers a form about one of the own personas. What it asks for is done once, however often it is sent.
    pub(super) fn answer(
        &self,
        request: &PageRequest<'_>,
        form: &Fields,
        act: impl FnOnce(Act<'_>, &Fields) -> Done,
    ) -> PageResponse {
        let (site, secret) = (self.site, self.secret);
        let sessions = &site.game.world.page_sessions;
        let digest = form.digest(request.path);
        match sessions.admit(secret, form.text("form"), digest, site.now) {
            FormAdmission::First => {}
            FormAdmission::Foreign => return self.expired(request),
            FormAdmission::Again(None) => {
                return message(site, 409, forms::CAME_TWICE, forms::NOT_OVER).not_stored();
            }
            FormAdmission::Again(Some(done)) => {
                sessions.leave_notice(secret, Notice::of(Ok(forms::done_already(&done))), site.now);
                return PageResponse::go_to(&done.page);
            }
        }
        let (page, outcome) = match self.acting(form) {
            Some(persona) => act(Act { site, visit: self, persona: &persona, request }, form),
            None => ("/me".to_owned(), Err(NOT_YOURS.to_owned())),
        };
        let done = outcome.as_ref().ok().map(|text| FormDone { page: page.clone(), text: text.clone() });
        sessions.settle(secret, &digest, done, site.now);
        sessions.leave_notice(secret, Notice::of(outcome), site.now);
        sessions.keep_typed(secret, forms::typed(request.path, form), site.now);
        PageResponse::go_to(&page)
    }

    /// In how many browsers the account is signed in.
    pub(super) fn browsers(&self) -> usize {
        self.site.game.world.page_sessions.count(self.account.customer_id, self.site.now)
    }

    /// What the last form came to.
    pub(super) fn notice(&self) -> Option<Notice> {
        self.site.game.world.page_sessions.take_notice(self.secret, self.site.now)
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
