//! Race nights, seasons and clubs for the Operator: planning, cancelling and ending them.

use super::actions::{self, Effect};
use super::pages::{self, Frame};
use super::request::{Form, OperatorRequest, OperatorResponse};
use crate::admin::city::CityRequest;
use crate::admin::requests::Request;
use crate::clock::Now;
use crate::services::Game;
use crate::store::{Night, StoreError};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Cell, Column, Page, Search, Section};
use crate::web::night_form;
use crate::web::words::{escaped, money, track};

/// The page, to which all its forms go.
pub(super) const PAGE: &str = "/operator/events";

pub(super) fn page(game: &Game, request: &OperatorRequest<'_>, frame: Frame<'_>) -> OperatorResponse {
    let query = Fields::urlencoded(request.query.as_bytes());
    let asked = question(game, &query).transpose().unwrap_or_else(|| content(game, request));
    match asked {
        Ok((page, forms)) => pages::content(frame, page, forms),
        Err(error) => pages::trouble(frame, &error),
    }
}

fn form(what: &'static str, button: &'static str, inputs: Vec<Input>) -> FormView {
    let hidden = vec![("do", what.to_owned())];
    FormView { action: PAGE, button: button.to_owned(), hidden, inputs, ..FormView::default() }
}

fn content(game: &Game, request: &OperatorRequest<'_>) -> Result<(Page, Vec<FormView>), StoreError> {
    let (open, seasons) = (game.store.nights().open()?, game.store.seasons().list()?);
    let zone = game.zone();
    let rows = open.iter().map(|night| {
        vec![
            zone.minute(night.plan.start).into(),
            Cell::linked(&night.plan.name, format!("/events/{}", night.id)),
            track(&game.catalog, night.plan.lobby).into(),
            night.entries.len().into(),
            money(night.purse()).into(),
            night.id.into(),
            Cell::linked("Cancel", format!("{PAGE}?cancel={}", night.id)),
        ]
    });
    let section = Section {
        columns: Column::plain(&["Begins", "Race night", "Track", "Registered", "Purse", "Number", ""]),
        rows: rows.collect(),
        empty: "No race night is planned.",
        ..Section::default()
    };
    let inputs = night_form::inputs(game, Some(&seasons), request.now);
    let mut forms = vec![FormView { heading: "Plan a race night", ..form("plan", "Plan it", inputs) }];
    let giver = Fields::urlencoded(request.query.as_bytes()).text("q").trim().to_owned();
    forms.extend(prize(game, &open, &giver, request.now)?);
    let inputs = vec![Input::text("name", "Name", 30)];
    forms.push(FormView { heading: "Begin a season", ..form("begin", "Begin it", inputs) });
    let going: Vec<_> = seasons.iter().filter(|season| season.ended.is_none()).collect();
    if !going.is_empty() {
        let choice = going.iter().map(|season| (season.id, season.name.clone()));
        let inputs = vec![Input::choice("season", "Season", choice), Input::tick("sure", "Yes, end it")];
        let text = "Who is first in its standings is the champion.".to_owned();
        forms.push(FormView { heading: "End a season", text, ..form("end", "End it", inputs) });
    }
    let intro = vec![
        "What the best of a week get, and what a turf brings, stands under [rewards] in mcos.toml."
            .to_owned(),
        format!("It is {}.", zone.stamp(request.now.unix)),
    ];
    let clubs = game.store.clubs().list()?;
    let clubs = clubs.iter().map(|club| {
        vec![
            Cell::linked(&club.name, format!("/clubs/{}", club.acronym)),
            format!("[{}]", club.acronym).into(),
            club.members.len().into(),
            Cell::linked("Close", format!("{PAGE}?close={}", club.acronym)),
        ]
    });
    let sections = vec![section];
    let below = vec![Section {
        heading: "Clubs".to_owned(),
        columns: Column::plain(&["Club", "Acronym", "Members", ""]),
        rows: clubs.collect(),
        empty: "There is no club.",
        ..Section::default()
    }];
    let search =
        Search { action: PAGE, label: "Prizes: choose from the things of this driver", value: giver };
    let (title, search) = ("Race nights".to_owned(), Some(search));
    Ok((Page { title, intro, search, sections, below, ..Page::default() }, forms))
}

/// The form by which a thing of a driver becomes a prize, if there is such a driver.
fn prize(game: &Game, open: &[Night], giver: &str, now: Now) -> Result<Option<FormView>, StoreError> {
    let Some(giver) = game.store.personas().by_name(game.config.shard.id, giver)? else { return Ok(None) };
    let view = night_form::prize(game, open.iter(), &giver, now)?;
    Ok(view.map(|mut view| {
        view.hidden.push(("driver", giver.name));
        FormView { action: PAGE, ..view }
    }))
}

/// The question before a race night is cancelled or a club is closed, with its number or acronym and its name; `None`: the address asks for
/// neither, or there is none.
fn question(game: &Game, query: &Fields) -> Result<Option<(Page, Vec<FormView>)>, StoreError> {
    let nights = game.store.nights().open()?;
    let (title, form) =
        if let Some(night) = nights.iter().find(|night| night.id.to_string() == query.text("cancel")) {
            night_form::cancelling(game.zone(), night)
        } else if let Some(club) = game.store.clubs().by_acronym(query.text("close"))? {
            let name = format!("the club {} [{}]", club.name, club.acronym);
            let mut form = form("close", "", vec![night_form::why()]);
            form.hidden.push(("acronym", club.acronym));
            let text = "Nobody is in it any more.".to_owned();
            (format!("Close {name}?"), FormView { text, button: format!("Yes, close {name}"), ..form })
        } else {
            return Ok(None);
        };
    let form = FormView { action: PAGE, ..form };
    let back = vec![vec![("No, back to the race nights".to_owned(), PAGE.to_owned(), false)]];
    let below = vec![Section { choices: back, ..Section::default() }];
    Ok(Some((Page { title, below, ..Page::default() }, vec![form])))
}

/// Carries out a form of this page; `None` if it is none.
pub(super) fn act(game: &Game, request: &OperatorRequest<'_>, form: &Form) -> Option<Effect> {
    if request.path != PAGE {
        return None;
    }
    let fields = &form.fields;
    let number = |field| fields.text(field).parse().unwrap_or_default();
    let (done, wish) = match fields.text("do") {
        "plan" => match night_form::read(game.zone(), fields) {
            Ok(plan) => ("The race night is planned.", CityRequest::PlanNight { plan: Box::new(plan) }),
            Err(why) => return Some(Effect::new(PAGE, Err(why))),
        },
        "cancel" => {
            let (night, reason) = (number("night"), fields.text("why").to_owned());
            ("The race night is cancelled.", CityRequest::CancelNight { night, reason })
        }
        "prize" => {
            let goods = match night_form::goods(fields) {
                Ok(goods) => goods,
                Err(why) => return Some(Effect::new(PAGE, Err(why))),
            };
            let (night, persona) = (number("night"), fields.text("driver").to_owned());
            ("The prize is held for the winner.", CityRequest::GivePrize { night, persona, goods })
        }
        "begin" => {
            ("The season has begun.", CityRequest::BeginSeason { name: fields.text("name").to_owned() })
        }
        "end" if fields.text("sure") != "yes" => {
            return Some(Effect::refused(PAGE, "Tick the box to confirm. Nothing was changed."));
        }
        "end" => ("The season is over.", CityRequest::EndSeason { season: number("season") }),
        "close" => {
            let (acronym, reason) = (fields.text("acronym").to_owned(), fields.text("why").to_owned());
            ("The club is closed.", CityRequest::CloseClub { acronym, reason })
        }
        _ => return Some(Effect::refused(PAGE, "There is no such form.")),
    };
    let question = match &wish {
        CityRequest::CancelNight { night, .. } => Some(format!("{PAGE}?cancel={night}")),
        CityRequest::CloseClub { acronym, .. } => Some(format!("{PAGE}?close={}", escaped(acronym))),
        CityRequest::GivePrize { persona, .. } => Some(format!("{PAGE}?q={}", escaped(persona))),
        _ => None,
    };
    let effect = actions::perform(game, PAGE, Request::City(wish), done, request.now);
    Some(match question {
        Some(page) if effect.outcome.is_err() => Effect { page, ..effect },
        _ => effect,
    })
}
