//! The forms for a new account and a new password. Passwords are never written back into a page.

use super::fields::Fields;
use super::page::{Frame, PageResponse, Site, page};
use crate::admin::account::{self, NewAccount, NewPassword, Refusal};
use crate::config::Registration;
use askama::Template;
use std::net::IpAddr;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    frame: Frame<'a>,
    open: bool,
    problem: Option<String>,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "account_created.html")]
struct AccountCreated<'a> {
    frame: Frame<'a>,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage<'a> {
    frame: Frame<'a>,
    problem: Option<String>,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "password_changed.html")]
struct PasswordChanged<'a> {
    frame: Frame<'a>,
}

/// Whether players make their accounts themselves.
pub(super) fn open(site: &Site<'_>) -> bool {
    site.game.config.accounts.registration == Registration::Open
}

pub(super) fn blank(site: &Site<'_>) -> PageResponse {
    account_page(site, None, "")
}

fn account_page(site: &Site<'_>, problem: Option<String>, name: &str) -> PageResponse {
    page(&AccountPage { frame: Frame::of(site), open: open(site), problem, name }).not_stored()
}

pub(super) fn create(site: &Site<'_>, peer: IpAddr, form: &Fields) -> PageResponse {
    let name = form.text("name").trim();
    let wanted = NewAccount { name, password: form.text("password"), again: form.text("again") };
    match account::create(site.game, site.registrations, peer, wanted, site.now) {
        Ok(account) => page(&AccountCreated { frame: Frame::of(site), name: &account.name }).not_stored(),
        Err(refusal) => {
            account_page(site, Some(refusal.to_string()), &shown(name)).with_status(status(&refusal))
        }
    }
}

pub(super) fn blank_change(site: &Site<'_>) -> PageResponse {
    change_page(site, None, "")
}

fn change_page(site: &Site<'_>, problem: Option<String>, name: &str) -> PageResponse {
    page(&PasswordPage { frame: Frame::of(site), problem, name }).not_stored()
}

pub(super) fn change(site: &Site<'_>, peer: IpAddr, form: &Fields) -> PageResponse {
    let name = form.text("name").trim();
    let (old, password, again) = (form.text("old"), form.text("password"), form.text("again"));
    match account::change_password(site.game, peer, NewPassword { name, old, password, again }, site.now) {
        Ok(_) => page(&PasswordChanged { frame: Frame::of(site) }).not_stored(),
        Err(refusal) => {
            change_page(site, Some(refusal.to_string()), &shown(name)).with_status(status(&refusal))
        }
    }
}

/// The name as it is filled in again: at most 64 characters of it.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

/// A form that has to be filled in again is an answer like any other: old browsers show pages of their own instead of one
/// with a failing status.
pub(super) const fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::NotOpen | Refusal::Banned(_) => 403,
        Refusal::TooMany | Refusal::TooManyToday | Refusal::Crowded => 429,
        Refusal::NoChanges | Refusal::Store => 500,
        _ => 200,
    }
}
