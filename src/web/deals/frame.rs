//! The frame of these pages: who takes part, and the forms.

use crate::store::{Persona, StoreError};
use crate::web::forms::{FormView, show_again};
use crate::web::layout::{Page, Pager};
use crate::web::page::{Frame, PageResponse, Site, page as render};
use crate::web::visit::Visit;
use crate::world::Notice;
use askama::Template;

/// Somebody who is signed in, with the persona for which it deals.
pub(super) struct Party<'a> {
    visit: &'a Visit<'a>,
    pub(super) persona: Persona,
}

/// What the page has for who is signed in.
struct Shown {
    token: String,
    notice: Option<Notice>,
}

#[derive(Template)]
#[template(path = "deals/page.html")]
struct DealsPage<'a> {
    frame: Frame<'a>,
    page: &'a Page,
    who: Option<Shown>,
    forms: &'a [FormView],
}

impl<'a> Party<'a> {
    pub(super) const fn new(visit: &'a Visit<'a>, persona: Persona) -> Self {
        Self { visit, persona }
    }

    /// The address of another of these pages, for the same driver.
    pub(super) fn link(&self, path: &str) -> String {
        format!("{path}?persona={}", self.persona.id)
    }

    fn shown(&self) -> Shown {
        Shown { token: self.visit.form.as_str().to_owned(), notice: self.visit.notice() }
    }
}

/// The address of another of these pages, for the same driver if there is one.
pub(super) fn link(who: Option<&Party<'_>>, path: &str) -> String {
    who.map_or_else(|| path.to_owned(), |who| who.link(path))
}

/// The address of one of these pages with one thing more asked for.
pub(super) fn with(link: &str, name: &str, value: impl std::fmt::Display) -> String {
    format!("{link}{}{name}={value}", if link.contains('?') { '&' } else { '?' })
}

/// The links around a part of a long list at `link`, which begins there or was `begun` before; behind it is `next`.
pub(super) fn pager(link: &str, total: u32, what: &str, begun: bool, next: Option<String>) -> Option<Pager> {
    (next.is_some() || begun).then(|| Pager {
        text: format!("{total} {what} in all"),
        back: begun.then(|| link.to_owned()),
        on: next.map(|next| with(link, "from", next)),
    })
}

/// The finished page. The forms are about the persona of who takes part.
pub(super) fn finish(
    site: &Site<'_>,
    who: Option<&Party<'_>>,
    page: &Page,
    forms: Vec<FormView>,
) -> Result<PageResponse, StoreError> {
    let mut forms = forms;
    if let Some(who) = who {
        for form in &mut forms {
            form.hidden.push(("persona", who.persona.id.to_string()));
        }
    }
    let who = who.map(Party::shown);
    show_again(&mut forms, who.as_ref().and_then(|who| who.notice.as_ref()));
    Ok(render(&DealsPage { frame: Frame::of(site), page, who, forms: &forms }))
}
