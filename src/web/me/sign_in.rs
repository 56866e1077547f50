//! The form to sign in with the name and the password of an account.

use crate::admin::account;
use crate::web::account::{shown, status};
use crate::web::fields::Fields;
use crate::web::page::{Frame, PageRequest, PageResponse, Site, page};
use crate::web::visit;
use askama::Template;

#[derive(Template)]
#[template(path = "me/sign_in.html")]
struct SignInPage<'a> {
    frame: Frame<'a>,
    token: &'a str,
    problem: Option<String>,
    name: &'a str,
    /// The same page by HTTPS, for who came without.
    https: Option<String>,
}

pub(super) fn blank(site: &Site<'_>, request: &PageRequest<'_>) -> PageResponse {
    show(site, request, None, "")
}

fn show(site: &Site<'_>, request: &PageRequest<'_>, problem: Option<String>, name: &str) -> PageResponse {
    let https = (!request.secure).then(|| request.host.secure_page(site.game.ports.https, "/me/sign-in"));
    let answer = visit::before(request, |token| {
        page(&SignInPage { frame: Frame::of(site), token, problem, name, https })
    });
    answer.not_stored()
}

pub(super) fn sign_in(site: &Site<'_>, request: &PageRequest<'_>, form: &Fields) -> PageResponse {
    let name = form.text("name").trim();
    if !visit::is_ours(request, form.text("form")) {
        log::info!("http: {} sent a form without the page's token", request.peer);
        let problem = "This form has expired, or your browser does not accept cookies. Please try again.";
        return show(site, request, Some(problem.to_owned()), &shown(name)).with_status(403);
    }
    match account::sign_in(site.game, request.peer, name, form.text("password"), site.now) {
        Ok(account) => visit::begin(site, request, &account),
        Err(refusal) => {
            show(site, request, Some(refusal.to_string()), &shown(name)).with_status(status(&refusal))
        }
    }
}
