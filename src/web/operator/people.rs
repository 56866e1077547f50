//! The players as the Operator sees them: a list with a search, a page for each account and driver, and the audit log.

use super::actions::{self, Effect};
use super::export;
use super::pages::{self, Frame};
use super::request::{Form, OperatorRequest, OperatorResponse};
use crate::admin::lists;
use crate::admin::online;
use crate::admin::requests::{PersonaDetails, PersonaEntry, Request};
use crate::clock::Zone;
use crate::services::Game;
use crate::store::{Goods, StoreError};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Cell, Column, Page, ROWS, Search, Section, Window};
use crate::web::ledger_words::told;
use crate::web::words::{car, escaped, money, number};
use mco_proto::ids::{BrandedPartId, VehicleId};

const PLAYERS: &str = "/operator/players";
const ACCOUNT: &str = "/operator/account";
const PERSONA: &str = "/operator/persona";

/// Whether a path belongs to these pages.
pub(super) fn is_here(path: &str) -> bool {
    matches!(path, PLAYERS | ACCOUNT | PERSONA | "/operator/audit")
}

pub(super) fn page(game: &Game, request: &OperatorRequest<'_>, frame: Frame<'_>) -> OperatorResponse {
    let query = Fields::urlencoded(request.query.as_bytes());
    let shown = match request.path {
        PLAYERS => players(game, &query).map(|page| Some((page, vec![mail_to_all()]))),
        ACCOUNT => account(game, query.text("name")),
        PERSONA => persona(game, request, query.text("name")),
        _ => audit(game, &query).map(|page| Some((page, Vec::new()))),
    };
    match shown {
        Ok(Some((page, forms))) => pages::content(frame, page, forms),
        Ok(None) => {
            let page = Page { title: "There is nobody of this name".to_owned(), ..Page::default() };
            pages::content(frame, page, Vec::new()).with_status(404)
        }
        Err(error) => pages::trouble(frame, &error),
    }
}

/// A form about the account or driver of that number, which has that name now.
fn form(
    action: &'static str,
    (number, name): (u32, &str),
    heading: &'static str,
    button: &str,
    inputs: Vec<Input>,
) -> FormView {
    let (button, hidden) =
        (button.to_owned(), vec![("name", name.to_owned()), ("number", number.to_string())]);
    FormView { heading, action, button, hidden, inputs, ..FormView::default() }
}

fn deletion(what: &'static str) -> Vec<Input> {
    vec![Input::tick("sure", what).helped("There is no way back.")]
}

fn account_forms(whom: (u32, &str)) -> Vec<FormView> {
    let new_name = vec![Input::text("new_name", "New name", 32)];
    vec![
        form("/operator/account/rename", whom, "Rename this account", "Rename", new_name),
        form(
            "/operator/account/remove",
            whom,
            "Delete this account",
            "Delete",
            deletion("Yes, delete it with all its drivers"),
        ),
    ]
}

fn persona_forms(game: &Game, whom: (u32, &str), owned: &[(VehicleId, String)]) -> Vec<FormView> {
    let reason = || Input::text("reason", "Reason", 120).helped("The player gets a mail with it.");
    let money =
        vec![Input::dollars("dollars", "Dollars").helped("With a minus in front they are taken."), reason()];
    let new_name = vec![Input::text("new_name", "New name", 12)];
    let models = game.catalog.cars().iter().map(|car| (car.model, car.to_string())).collect::<Vec<_>>();
    let give = vec![Input::choice("model", "Car", models), reason()];
    let mut forms = vec![
        form("/operator/persona/give", whom, "Give money", "Give", money),
        form("/operator/persona/give-car", whom, "Give a car", "Give the car", give),
    ];
    if !owned.is_empty() {
        let take = vec![
            Input::choice("car", "Car", owned.iter().map(|(id, name)| (id, format!("{name} (car {id})")))),
            reason(),
        ];
        forms.push(form("/operator/persona/take-car", whom, "Take a car", "Take the car", take));
    }
    forms.extend([
        form("/operator/persona/rename", whom, "Rename this driver", "Rename", new_name),
        form("/operator/persona/remove", whom, "Delete this driver", "Delete", deletion("Yes, delete it")),
    ]);
    forms
}

fn mail_to_all() -> FormView {
    let inputs = vec![Input::text("title", "Title", 30), Input::lines("text", "Text", 255)];
    FormView {
        heading: "Write to everybody",
        action: "/operator/mail",
        button: "Send to all drivers".to_owned(),
        inputs,
        ..FormView::default()
    }
}

fn persona_row(zone: &Zone, entry: &PersonaEntry) -> Vec<Cell> {
    let last = if entry.last_login == 0 { "never".to_owned() } else { zone.minute(entry.last_login) };
    vec![
        Cell::linked(&entry.name, page_of(PERSONA, &entry.name)),
        Cell::linked(&entry.account, page_of(ACCOUNT, &entry.account)),
        money(entry.bank_balance).into(),
        last.into(),
        entry.persona_id.into(),
    ]
}

fn persona_columns() -> Vec<Column> {
    Column::plain(&["Driver", "Account", "Money", "Last in the game", "Number"])
}

fn players(game: &Game, query: &Fields) -> Result<Page, StoreError> {
    let search: String = query.text("q").trim().chars().take(40).collect();
    let wanted = search.to_lowercase();
    let has = |name: &str| name.to_lowercase().contains(&wanted);
    let mut found = lists::personas(&game.store)?;
    found.retain(|entry| has(&entry.name) || has(&entry.account));
    let window = Window::of(query.text("page"), found.len());
    let section = Section {
        columns: persona_columns(),
        rows: window.cut(found).iter().map(|entry| persona_row(game.zone(), entry)).collect(),
        empty: "No driver or account has such a name.",
        pager: window.pager(&format!("{PLAYERS}?q={}", escaped(&search))),
        ..Section::default()
    };
    let search = Some(Search { action: PLAYERS, label: "Driver or account", value: search });
    let below = vec![export::links(game)?];
    Ok(Page { title: "Players".to_owned(), search, sections: vec![section], below, ..Page::default() })
}

fn account(game: &Game, name: &str) -> Result<Option<(Page, Vec<FormView>)>, StoreError> {
    let Some(account) = game.store.accounts().by_name(name)? else { return Ok(None) };
    let personas = lists::personas_of(&game.store, &account)?;
    let facts = vec![
        ("Number", Cell::from(account.customer_id)),
        ("Created", game.zone().minute(account.created).into()),
        ("State", if account.disabled { "disabled" } else { "enabled" }.into()),
    ];
    let sections = vec![
        Section { facts, ..Section::default() },
        Section {
            heading: "Drivers".to_owned(),
            columns: persona_columns(),
            rows: personas.iter().map(|entry| persona_row(game.zone(), entry)).collect(),
            empty: "The account has no driver.",
            ..Section::default()
        },
    ];
    let others = ("Password, disable and enable".to_owned(), "/operator/accounts".to_owned(), false);
    let below = vec![Section { choices: vec![vec![others]], ..Section::default() }];
    let title = format!("Account {}", account.name);
    let forms = account_forms((account.customer_id.0, &account.name));
    Ok(Some((Page { title, sections, below, ..Page::default() }, forms)))
}

fn persona(
    game: &Game,
    request: &OperatorRequest<'_>,
    name: &str,
) -> Result<Option<(Page, Vec<FormView>)>, StoreError> {
    let Some(persona) = game.store.personas().by_name(game.config.shard.id, name)? else { return Ok(None) };
    let account = game.store.accounts().by_customer(persona.customer_id)?;
    let account = account.map_or_else(String::new, |account| account.name);
    let PersonaDetails { persona, level, points, races, races_won, property, lines, .. } =
        lists::details(&game.store, account, persona)?;
    let here = online::players(game, request.now).into_iter().find(|player| player.persona == persona.name);
    let address = here.as_ref().and_then(|player| player.address);
    let facts = vec![
        ("Number", Cell::from(persona.persona_id)),
        ("Account", Cell::linked(&persona.account, page_of(ACCOUNT, &persona.account))),
        ("Online", here.map_or_else(|| "no".into(), |player| player.services.join(", ").into())),
        ("Address", address.map_or_else(|| "-".into(), Cell::from)),
        (
            "Last in the game",
            if persona.last_login == 0 {
                "never".into()
            } else {
                game.zone().minute(persona.last_login).into()
            },
        ),
        ("Money", money(persona.bank_balance).into()),
        ("Level", level.into()),
        ("Points", number(points.into()).into()),
        ("Races", format!("{races}, {races_won} of them won").into()),
        ("Results", Cell::linked("the page of the player", format!("/players/{}", escaped(&persona.name)))),
    ];
    let owned = property.iter().filter_map(|item| match item.goods {
        Goods::Car(id) => Some((id, car(&game.catalog, item.model))),
        Goods::Part(_) => None,
    });
    let owned: Vec<(VehicleId, String)> = owned.collect();
    let lines = lines.iter().map(|line| {
        let (at, what) = (game.zone().minute(line.time).into(), told(game, line)?);
        Ok(vec![at, what, line.amount.into(), money(line.balance).into()])
    });
    let lines = lines.collect::<Result<_, StoreError>>()?;
    let sections = vec![
        Section { facts, ..Section::default() },
        Section {
            heading: "Cars".to_owned(),
            columns: Column::plain(&["Car", "Number"]),
            rows: owned.iter().map(|(id, name)| vec![name.into(), (*id).into()]).collect(),
            empty: "No car.",
            ..Section::default()
        },
        Section {
            heading: "Ledger, the last lines".to_owned(),
            columns: Column::plain(&["When", "What", "Amount", "Balance"]),
            rows: lines,
            ..Section::default()
        },
    ];
    let forms = persona_forms(game, (persona.persona_id.0, &persona.name), &owned);
    let title = format!("Driver {}", persona.name);
    Ok(Some((Page { title, sections, ..Page::default() }, forms)))
}

fn audit(game: &Game, query: &Fields) -> Result<Page, StoreError> {
    let window = Window::of(query.text("page"), game.store.audit().count()?);
    let entries = game.store.audit().newest(window.skipped(), ROWS)?;
    let section = Section {
        columns: Column::plain(&["When", "What"]),
        rows: entries
            .into_iter()
            .map(|entry| vec![game.zone().minute(entry.at).into(), entry.what.into()])
            .collect(),
        empty: "The operator has changed nothing yet.",
        pager: window.pager("/operator/audit"),
        ..Section::default()
    };
    Ok(Page { title: "Audit log".to_owned(), sections: vec![section], ..Page::default() })
}

/// Where the page of an account or a driver is.
fn page_of(path: &str, name: &str) -> String {
    format!("{path}?name={}", escaped(name))
}

/// Whether the name in a form belongs to another account or driver by now than `number`, which the form was about. A name that nobody has is told
/// of by whoever looks for it.
fn is_another(game: &Game, path: &str, name: &str, number: &str) -> Result<bool, StoreError> {
    let now = if path.starts_with("/operator/persona/") {
        game.store.personas().by_name(game.config.shard.id, name)?.map(|persona| persona.id.to_string())
    } else if path.starts_with("/operator/account/") {
        game.store.accounts().by_name(name)?.map(|account| account.customer_id.to_string())
    } else {
        None
    };
    Ok(!number.is_empty() && now.is_some_and(|now| now != number))
}

/// Carries out a form of these pages; `None` if it is none. Next comes the page of whom it was about.
pub(super) fn act(game: &Game, request: &OperatorRequest<'_>, form: &Form) -> Option<Effect> {
    let (fields, now) = (&form.fields, request.now);
    let text = |field| fields.text(field).trim().to_owned();
    let (name, new_name) = (text("name"), text("new_name"));
    let (_, what) = request.path.strip_prefix("/operator/")?.split_once('/').unwrap_or_default();
    let here = match request.path {
        path if path.starts_with("/operator/account/") => page_of(ACCOUNT, &name),
        path if path.starts_with("/operator/persona/") => page_of(PERSONA, &name),
        _ => PLAYERS.to_owned(),
    };
    match is_another(game, request.path, &name, fields.text("number")) {
        Ok(false) => {}
        Ok(true) => {
            let why = format!(
                "{name} is somebody else since this page was loaded. Nothing was changed: look at the page again."
            );
            return Some(Effect::refused(here, &why));
        }
        Err(error) => return Some(Effect::new(here, Err(pages::sentence(&error)))),
    }
    if what == "remove" && here != PLAYERS && fields.text("sure") != "yes" {
        return Some(Effect::refused(here, "Tick the box to confirm. Nothing was changed."));
    }
    let (done, next, wish) = match request.path {
        "/operator/account/rename" => (
            format!("The account {name} is called {new_name} now."),
            page_of(ACCOUNT, &new_name),
            Request::RenameAccount { name, new_name },
        ),
        "/operator/account/remove" => {
            (format!("The account {name} is deleted."), PLAYERS.to_owned(), Request::RemoveAccount { name })
        }
        "/operator/persona/rename" => (
            format!("The driver {name} is called {new_name} now."),
            page_of(PERSONA, &new_name),
            Request::RenamePersona { name, new_name },
        ),
        "/operator/persona/remove" => {
            (format!("The driver {name} is deleted."), PLAYERS.to_owned(), Request::RemovePersona { name })
        }
        "/operator/persona/give" => {
            let Ok(dollars) = text("dollars").replace(['$', ','], "").parse::<i64>() else {
                return Some(Effect::refused(here, "This is not a number of dollars. Nothing was changed."));
            };
            let sum = money(dollars.unsigned_abs());
            let done = if dollars < 0 {
                format!("{sum} are taken from the driver {name}.")
            } else {
                format!("The driver {name} has {sum} more.")
            };
            (done, here.clone(), Request::Give { name, dollars, reason: text("reason") })
        }
        "/operator/persona/give-car" => {
            let model = BrandedPartId(text("model").parse().unwrap_or_default());
            let done = format!("The driver {name} has one car more.");
            (done, here.clone(), Request::GiveCar { name, model, reason: text("reason") })
        }
        "/operator/persona/take-car" => {
            let car = VehicleId(text("car").parse().unwrap_or_default());
            let done = format!("Car {car} is taken from the driver {name}.");
            (done, here.clone(), Request::TakeCar { name, car, reason: text("reason") })
        }
        "/operator/mail" => {
            let (title, text) = (text("title"), text("text").replace("\r\n", "\n"));
            ("The mail is sent to all drivers.".to_owned(), here.clone(), Request::MailAll { title, text })
        }
        _ => return None,
    };
    let effect = actions::perform(game, next, wish, &done, now);
    Some(if effect.outcome.is_ok() { effect } else { Effect { page: here, ..effect } })
}
