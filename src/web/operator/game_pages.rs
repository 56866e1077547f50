//! The pages that the game opens by number: how often it opened each, and which page of this server that is.

use super::actions::Effect;
use super::pages::{self, Frame};
use super::request::{Form, OperatorRequest, OperatorResponse};
use crate::config::{Choice as _, GamePage};
use crate::services::Game;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Cell, Column, Page, Section};

/// The page, to which its form goes.
pub(super) const PAGE: &str = "/operator/pages";
/// The value for a number whose page is not chosen here.
const DEFAULT: &str = "default";

pub(super) fn page(game: &Game, frame: Frame<'_>) -> OperatorResponse {
    let visits = game.world.game_pages.visits();
    let rows = game.catalog.game_pages().filter_map(|(number, _)| {
        let count = visits.iter().find(|(visited, _)| *visited == number).map_or(0, |(_, count)| *count);
        let page = game.game_page(number);
        let shown = page.map_or_else(|| "-".into(), |page| Cell::linked(page.word(), page.word()));
        (count > 0 || page.is_some()).then(|| vec![number.into(), count.into(), shown])
    });
    let section = Section {
        columns: Column::plain(&["Number", "Opened", "Page"]),
        rows: rows.collect(),
        empty: "The game has opened none yet, and none is chosen.",
        ..Section::default()
    };
    let numbers = game.catalog.game_pages().map(|(number, _)| (number, number));
    let choices = GamePage::ALL.map(|page| (page.word(), page.word()));
    let choices = std::iter::once((DEFAULT, "as mcos.toml says")).chain(choices);
    let form = FormView {
        heading: "Choose a page",
        text: "What is chosen here counts at once, and over restarts.".to_owned(),
        action: PAGE,
        button: "Choose".to_owned(),
        inputs: vec![Input::choice("number", "Number", numbers), Input::choice("page", "Page", choices)],
        ..FormView::default()
    };
    let intro = vec![
        "Buttons of the game open pages by number, and nobody knows any more which number was which page. Press a button in the \
         game, and see here which number it opened since the server started; then choose the page that fits. A number without one \
         shows a page with links to all."
            .to_owned(),
    ];
    let title = "Pages that the game opens".to_owned();
    pages::content(frame, Page { title, intro, sections: vec![section], ..Page::default() }, vec![form])
}

/// Carries out the form of this page; `None` if it is none.
pub(super) fn act(game: &Game, request: &OperatorRequest<'_>, form: &Form) -> Option<Effect> {
    if request.path != PAGE {
        return None;
    }
    let (number, word) = (form.fields.text("number"), form.fields.text("page"));
    let known = |number: &u16| game.catalog.game_pages().any(|(known, _)| known == u32::from(*number));
    let Some(number) = number.parse::<u16>().ok().filter(known) else {
        return Some(Effect::refused(PAGE, "The game knows no page of this number. Nothing was changed."));
    };
    let page = GamePage::from_word(word);
    if page.is_none() && word != DEFAULT {
        return Some(Effect::refused(PAGE, "Choose one of the pages. Nothing was changed."));
    }
    let done = page.map_or_else(
        || format!("Number {number} opens what mcos.toml says."),
        |page| format!("Number {number} opens {} from now on.", page.word()),
    );
    let outcome = match game.pages.choose(number, page) {
        Ok(()) => {
            log::warn!("operator: page {number} of the game: {word}");
            Ok(done)
        }
        Err(error) => Err(pages::nothing_changed(&error.to_string())),
    };
    Some(Effect::new(PAGE, outcome).noted(format!("page {number} of the game: {word}")))
}
