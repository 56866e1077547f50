//! The pages of a player who is signed in: its drivers with their cars, money and mail. What is somebody else's is not there.

mod club;
mod garage;
mod mail;
mod money;
mod nights;
mod sign_in;

use super::fields::Fields;
use super::forms::{FormView, Input};
use super::page::{Frame, PageRequest, PageResponse, Site, message, page, unreadable};
use super::visit::{Action, Visit};
use super::words::sentence;
use crate::store::{Changed, CityError, Persona, StoreError};
use crate::world::Notice;
use askama::Template;

/// Whether a path belongs to these pages.
pub(super) fn is_here(path: &str) -> bool {
    path.strip_prefix("/me").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The parts that all these pages have.
struct Me {
    form: String,
    notice: Option<Notice>,
    persona: Option<Chosen>,
}

/// The persona that a page is about.
struct Chosen {
    id: u32,
    name: String,
}

impl Me {
    fn of(visit: &Visit<'_>, persona: Option<&Persona>) -> Self {
        let persona = persona.map(|persona| Chosen { id: persona.id.0, name: persona.name.clone() });
        Self { form: visit.form.as_str().to_owned(), notice: visit.notice(), persona }
    }
}

#[derive(Template)]
#[template(path = "me/personas.html")]
struct PersonasPage<'a> {
    frame: Frame<'a>,
    me: Me,
    personas: Vec<PersonaRow>,
    browsers: usize,
}

struct PersonaRow {
    id: u32,
    name: String,
    level: u32,
    points: u32,
    money: String,
    mails: usize,
    cars: usize,
    here: bool,
}

/// A page for whoever is signed in; `None` if there is none at this path.
pub(super) fn read(site: &Site<'_>, request: &PageRequest<'_>) -> Option<PageResponse> {
    let visit = Visit::of(site, request);
    if request.path == "/me/sign-in" {
        return Some(if visit.is_some() {
            PageResponse::go_to("/me")
        } else {
            sign_in::blank(site, request)
        });
    }
    let Some(visit) = visit else { return Some(PageResponse::go_to("/me/sign-in")) };
    let query = Fields::urlencoded(request.query.as_bytes());
    let answer = if request.path == "/me" {
        personas(site, &visit)
    } else {
        let page = match request.path {
            "/me/garage" => garage::show,
            "/me/money" => money::show,
            "/me/money.svg" => money::plot,
            "/me/mail" => mail::show,
            "/me/club" => club::show,
            "/me/events" => nights::show,
            _ => return None,
        };
        let Some(persona) = visit.persona(query.text("persona")) else {
            return Some(no_driver(site, &visit).not_stored());
        };
        page(site, &visit, &persona, &query)
    };
    Some(answer.unwrap_or_else(|error| unreadable(site, &error)).not_stored())
}

/// The forms of these pages but for signing in and out, by where they are sent to.
pub(super) const FORMS: [(&str, Action); 7] = [
    ("/me/garage/repair", garage::repair),
    ("/me/garage/scrap", garage::scrap),
    ("/me/garage/paint", garage::paint),
    ("/me/mail/write", mail::write),
    ("/me/mail/delete", mail::delete),
    ("/me/club", club::act),
    ("/me/events", nights::act),
];

/// Answers a form.
pub(super) fn submit(site: &Site<'_>, request: &PageRequest<'_>, form: &Fields) -> PageResponse {
    let Some(visit) = Visit::of(site, request) else {
        if request.path == "/me/sign-in" {
            return sign_in::sign_in(site, request, form);
        }
        return PageResponse::go_to("/me/sign-in");
    };
    if request.path == "/me/sign-out" {
        let signed_out = || visit.sign_out(form.text("everywhere") == "yes", request);
        return visit.refuses(request, form).unwrap_or_else(signed_out);
    }
    if request.path == "/me/sign-in" {
        return PageResponse::go_to("/me");
    }
    match FORMS.iter().find(|(path, _)| *path == request.path) {
        Some((_, act)) => visit.answer(request, form, act),
        None => super::not_found(site),
    }
}

/// What a change came to, once it is on the card; else why nothing was changed, in words.
fn saved<T>(changed: Result<Changed<T>, CityError>) -> Result<T, String> {
    let Changed { value, ticket } = changed.map_err(|error| sentence(&error))?;
    ticket.wait().map_err(|error| sentence(&error))?;
    Ok(value)
}

/// A form about one of the player's personas; `what` says which one of its page.
fn own_form(
    action: &'static str,
    persona: &Persona,
    what: &'static str,
    button: &'static str,
    inputs: Vec<Input>,
) -> FormView {
    let hidden = vec![("persona", persona.id.to_string()), ("do", what.to_owned())];
    FormView { action, button: button.to_owned(), hidden, inputs, ..FormView::default() }
}

fn personas(site: &Site<'_>, visit: &Visit<'_>) -> Result<PageResponse, StoreError> {
    let store = &site.game.store;
    let rows = visit.personas().into_iter().map(|persona| {
        Ok(PersonaRow {
            mails: store.mails().list(persona.id, site.now)?.iter().filter(|mail| !mail.read).count(),
            cars: store.garage().vehicles(persona.id)?.len(),
            here: site.game.world.presence.in_use(persona.id, site.now),
            id: persona.id.0,
            level: persona.level,
            points: persona.points,
            money: super::words::money(persona.bank_balance),
            name: persona.name,
        })
    });
    let personas = rows.collect::<Result<_, StoreError>>()?;
    let me = Me::of(visit, None);
    Ok(page(&PersonasPage { frame: Frame::of(site), me, personas, browsers: visit.browsers() }))
}

/// The answer to a question about a persona that is not the player's, or to a player who has none.
fn no_driver(site: &Site<'_>, visit: &Visit<'_>) -> PageResponse {
    if visit.personas().is_empty() {
        let text = "You have no driver yet. Start the game, sign in, and make one there.";
        return message(site, 200, "No driver yet", text);
    }
    message(site, 404, "Not one of your drivers", "Choose one of your drivers on the page My drivers.")
}
