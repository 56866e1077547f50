//! What the Operator of a new server sees first: four steps, each with whether it is done.

use super::pages::{self, Frame};
use super::request::OperatorResponse;
use super::settings;
use crate::admin::settings as file;
use crate::services::Game;
use crate::web::forms::FormView;
use crate::web::layout::{Cell, Column, Page, Section};

pub(super) fn page(game: &Game, frame: Frame<'_>) -> OperatorResponse {
    let city = settings::read(game, "shard");
    let named =
        city.is_ok_and(|(keys, _)| keys.iter().any(|key| key.name == "name" && key.value != key.default));
    let imported = game.catalog.imported().is_some();
    let state = |done: bool| Cell::from(if done { "done" } else { "open" });
    let rows = vec![
        vec!["1".into(), "A password for these pages".into(), state(true)],
        vec!["2".into(), "A name for the city, and who may make accounts: below".into(), state(named)],
        vec![
            "3".into(),
            Cell::linked("The game's database, for all cars and parts of your game", "/operator/catalog"),
            state(imported),
        ],
        vec!["4".into(), Cell::linked("The kit, which sets up the players' PCs", "/kit"), "".into()],
    ];
    let steps = Section { columns: Column::plain(&["Step", "What", ""]), rows, ..Section::default() };
    let mut intro = vec![
        "These steps make the city yours. All of them can be done later, and again: the page Settings leads here."
            .to_owned(),
    ];
    let mut forms = Vec::new();
    for (section, keys, heading) in [
        ("shard", &["name", "description", "time_zone"][..], "The city"),
        ("accounts", &["registration"][..], "Accounts"),
    ] {
        match settings::read(game, section) {
            Ok((all, mark)) => forms.push(FormView {
                heading,
                action: settings::PAGE,
                button: "Save".to_owned(),
                hidden: vec![
                    ("do", "change".to_owned()),
                    ("section", section.to_owned()),
                    ("page", settings::FIRST_STEPS.to_owned()),
                    ("file", mark),
                ],
                inputs: all.iter().filter(|key| keys.contains(&key.name)).map(settings::input).collect(),
                ..FormView::default()
            }),
            Err(error) => {
                intro.push(settings::cannot_be_shown(&error));
                break;
            }
        }
    }
    if file::waits_for_start(game) {
        forms.push(FormView {
            heading: "Let it count",
            text: "What you have saved counts from the next start of the server.".to_owned(),
            action: settings::RESTART,
            button: "Restart the server".to_owned(),
            ..FormView::default()
        });
    }
    let title = "The first steps".to_owned();
    pages::content(frame, Page { title, intro, sections: vec![steps], ..Page::default() }, forms)
}
