//! The frame of these pages: who takes part, and the forms.

use crate::store::{Persona, StoreError};
use crate::web::layout::Page;
use crate::web::page::{Frame, PageResponse, Site, page as render};
use crate::web::visit::Visit;
use crate::world::Notice;
use askama::Template;

/// Somebody who is signed in, with the persona for which it deals.
pub(super) struct Desk<'a> {
    visit: &'a Visit<'a>,
    pub(super) persona: Persona,
    path: &'a str,
}

/// A form.
#[derive(Default)]
pub(super) struct Form {
    pub(super) heading: &'static str,
    pub(super) action: &'static str,
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) fields: Vec<Field>,
    pub(super) button: String,
}

/// A field of a form.
pub(super) struct Field {
    pub(super) label: &'static str,
    pub(super) name: &'static str,
    pub(super) input: Input,
    pub(super) help: String,
}

/// What is entered.
pub(super) enum Input {
    /// A line.
    Text { value: String, size: u32, most: u32 },
    /// One of several: values and what they are called.
    One(Vec<(String, String)>),
    /// Any of several, likewise, with whether each is chosen.
    Several(Vec<(String, String, bool)>),
}

impl Field {
    /// A field for dollars.
    pub(super) fn dollars(label: &'static str, name: &'static str, value: String) -> Self {
        let input = Input::Text { value, size: 12, most: 14 };
        Self { label, name, input, help: "Whole dollars.".to_owned() }
    }
}

/// What the page says of who is signed in.
struct Shown {
    account: String,
    persona: String,
    id: u32,
    token: String,
    /// Links to the same page as another driver, with its name.
    others: Vec<(String, String)>,
    notice: Option<Notice>,
}

#[derive(Template)]
#[template(path = "deals/page.html")]
struct DealsPage<'a> {
    frame: Frame<'a>,
    page: &'a Page,
    desk: Option<Shown>,
    forms: &'a [Form],
}

impl<'a> Desk<'a> {
    pub(super) const fn new(visit: &'a Visit<'a>, persona: Persona, path: &'a str) -> Self {
        Self { visit, persona, path }
    }

    /// The address of another of these pages, for the same driver.
    pub(super) fn link(&self, path: &str) -> String {
        format!("{path}?persona={}", self.persona.id)
    }

    fn shown(&self) -> Shown {
        let others = self.visit.personas().into_iter().filter(|other| other.id != self.persona.id);
        Shown {
            account: self.visit.account.name.clone(),
            persona: self.persona.name.clone(),
            id: self.persona.id.0,
            token: self.visit.form.as_str().to_owned(),
            others: others.map(|other| (format!("{}?persona={}", self.path, other.id), other.name)).collect(),
            notice: self.visit.notice(),
        }
    }
}

/// The address of another of these pages, for the same driver if there is one.
pub(super) fn link(desk: Option<&Desk<'_>>, path: &str) -> String {
    desk.map_or_else(|| path.to_owned(), |desk| desk.link(path))
}

/// The finished page.
pub(super) fn finish(
    site: &Site<'_>,
    desk: Option<&Desk<'_>>,
    page: &Page,
    forms: &[Form],
) -> Result<PageResponse, StoreError> {
    let desk = desk.map(Desk::shown);
    Ok(render(&DealsPage { frame: Frame::of(site), page, desk, forms }))
}
