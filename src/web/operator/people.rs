//! The players as the Operator sees them: a list with a search, a page for each account and driver, and the audit log.

use super::actions::{self, Effect};
use super::pages::{self, Frame};
use super::request::{Form, OperatorRequest, OperatorResponse};
use crate::admin::lists;
use crate::admin::online;
use crate::admin::requests::{PersonaDetails, PersonaEntry, Request};
use crate::services::Game;
use crate::store::StoreError;
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Column, Page, ROWS, Search, Section, Window};
use crate::web::words::{car, escaped, in_words, moment, money, number};
use askama::Template;

const PLAYERS: &str = "/operator/players";

#[derive(Template)]
#[template(path = "operator/people.html")]
struct PeoplePage<'a> {
    frame: Frame<'a>,
    page: &'a Page,
    /// The account or the persona that the forms are about.
    account: Option<String>,
    persona: Option<String>,
    /// Whether there is a form for a mail to all.
    everybody: bool,
}

/// Whether a path belongs to these pages.
pub(super) fn is_here(path: &str) -> bool {
    matches!(path, PLAYERS | "/operator/account" | "/operator/persona" | "/operator/audit")
}

pub(super) fn page(game: &Game, request: &OperatorRequest<'_>, frame: Frame<'_>) -> OperatorResponse {
    let query = Fields::urlencoded(request.query.as_bytes());
    let shown = match request.path {
        PLAYERS => players(game, &query).map(|page| Some((page, None, None))),
        "/operator/account" => {
            account(game, query.text("name")).map(|found| found.map(|(page, name)| (page, Some(name), None)))
        }
        "/operator/persona" => persona(game, request, query.text("name"))
            .map(|found| found.map(|(page, name)| (page, None, Some(name)))),
        _ => audit(game, &query).map(|page| Some((page, None, None))),
    };
    match shown {
        Ok(Some((page, account, persona))) => {
            let everybody = request.path == PLAYERS;
            pages::page(&PeoplePage { frame, page: &page, account, persona, everybody })
        }
        Ok(None) => {
            let page = Page { title: "There is nobody of this name".to_owned(), ..Page::default() };
            let everybody = false;
            pages::page(&PeoplePage { frame, page: &page, account: None, persona: None, everybody })
                .with_status(404)
        }
        Err(error) => pages::trouble(frame, &error),
    }
}

fn persona_row(entry: &PersonaEntry) -> Vec<Cell> {
    let last = if entry.last_login == 0 { "never".to_owned() } else { moment(entry.last_login) };
    vec![
        Cell::linked(&entry.name, format!("/operator/persona?name={}", escaped(&entry.name))),
        Cell::linked(&entry.account, format!("/operator/account?name={}", escaped(&entry.account))),
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
        rows: window.cut(found).iter().map(persona_row).collect(),
        empty: "No driver or account has such a name.",
        pager: window.pager(&format!("{PLAYERS}?q={}", escaped(&search))),
        ..Section::default()
    };
    let search = Some(Search { action: PLAYERS, label: "Driver or account", value: search });
    Ok(Page { title: "Players".to_owned(), search, sections: vec![section], ..Page::default() })
}

fn account(game: &Game, name: &str) -> Result<Option<(Page, String)>, StoreError> {
    let Some(account) = game.store.accounts().by_name(name)? else { return Ok(None) };
    let personas = lists::personas_of(&game.store, &account)?;
    let facts = vec![
        ("Number", Cell::from(account.customer_id)),
        ("Created", moment(account.created).into()),
        ("State", if account.disabled { "disabled" } else { "enabled" }.into()),
    ];
    let sections = vec![
        Section { facts, ..Section::default() },
        Section {
            heading: "Drivers".to_owned(),
            columns: persona_columns(),
            rows: personas.iter().map(persona_row).collect(),
            empty: "The account has no driver.",
            ..Section::default()
        },
    ];
    let title = format!("Account {}", account.name);
    Ok(Some((Page { title, sections, ..Page::default() }, account.name)))
}

fn persona(
    game: &Game,
    request: &OperatorRequest<'_>,
    name: &str,
) -> Result<Option<(Page, String)>, StoreError> {
    let Some(persona) = game.store.personas().by_name(game.config.shard.id, name)? else { return Ok(None) };
    let account = game.store.accounts().by_customer(persona.customer_id)?;
    let account = account.map_or_else(String::new, |account| account.name);
    let PersonaDetails { persona, level, points, races, races_won, cars, lines, .. } =
        lists::details(&game.store, account, persona)?;
    let here = online::players(game, request.now).into_iter().find(|player| player.persona == persona.name);
    let address = here.as_ref().and_then(|player| player.address);
    let facts = vec![
        ("Number", Cell::from(persona.persona_id)),
        (
            "Account",
            Cell::linked(&persona.account, format!("/operator/account?name={}", escaped(&persona.account))),
        ),
        ("On line", here.map_or_else(|| "no".into(), |player| player.services.join(", ").into())),
        ("Address", address.map_or_else(|| "-".into(), Cell::from)),
        (
            "Last in the game",
            if persona.last_login == 0 { "never".into() } else { moment(persona.last_login).into() },
        ),
        ("Money", money(persona.bank_balance).into()),
        ("Level", level.into()),
        ("Points", number(points.into()).into()),
        ("Races", format!("{races}, {races_won} of them won").into()),
        ("Results", Cell::linked("the page of the player", format!("/players/{}", escaped(&persona.name)))),
    ];
    let lines = lines.iter().map(|line| {
        vec![moment(line.time).into(), in_words(line).into(), line.amount.into(), money(line.balance).into()]
    });
    let sections = vec![
        Section { facts, ..Section::default() },
        Section {
            heading: "Cars".to_owned(),
            columns: Column::plain(&["Car"]),
            rows: cars.iter().map(|model| vec![car(&game.catalog, *model).into()]).collect(),
            empty: "No car.",
            ..Section::default()
        },
        Section {
            heading: "Ledger, the last lines".to_owned(),
            columns: Column::plain(&["When", "What", "Amount", "Balance"]),
            rows: lines.collect(),
            ..Section::default()
        },
    ];
    let title = format!("Driver {}", persona.name);
    Ok(Some((Page { title, sections, ..Page::default() }, persona.name)))
}

fn audit(game: &Game, query: &Fields) -> Result<Page, StoreError> {
    let window = Window::of(query.text("page"), game.store.audit().count()?);
    let entries = game.store.audit().newest(window.skipped(), ROWS)?;
    let section = Section {
        columns: Column::plain(&["When", "What"]),
        rows: entries.into_iter().map(|entry| vec![moment(entry.at).into(), entry.what.into()]).collect(),
        empty: "The operator has changed nothing yet.",
        pager: window.pager("/operator/audit"),
        ..Section::default()
    };
    Ok(Page { title: "Audit log".to_owned(), sections: vec![section], ..Page::default() })
}

/// Carries out a form of these pages; `None` if it is none.
pub(super) fn act(game: &Game, request: &OperatorRequest<'_>, form: &Form) -> Option<Effect> {
    let (fields, now) = (&form.fields, request.now);
    let text = |field| fields.text(field).trim().to_owned();
    let (name, new_name) = (text("name"), text("new_name"));
    let sure = fields.text("sure") == "yes";
    let removes = matches!(request.path, "/operator/account/remove" | "/operator/persona/remove");
    if removes && !sure {
        return Some(Effect::refused(
            PLAYERS,
            "Tick the box beside the button to confirm. Nothing was changed.",
        ));
    }
    let (done, wish) = match request.path {
        "/operator/account/rename" => (
            format!("The account {name} is called {new_name} now."),
            Request::RenameAccount { name, new_name },
        ),
        "/operator/account/remove" => {
            (format!("The account {name} is deleted."), Request::RemoveAccount { name })
        }
        "/operator/persona/rename" => (
            format!("The driver {name} is called {new_name} now."),
            Request::RenamePersona { name, new_name },
        ),
        "/operator/persona/remove" => {
            (format!("The driver {name} is deleted."), Request::RemovePersona { name })
        }
        "/operator/persona/give" => {
            let Ok(dollars) = text("dollars").parse::<i64>() else {
                return Some(Effect::refused(
                    PLAYERS,
                    "This is not a number of dollars. Nothing was changed.",
                ));
            };
            (
                if dollars < 0 {
                    format!("{} dollars are taken from the driver {name}.", dollars.unsigned_abs())
                } else {
                    format!("The driver {name} has {dollars} dollars more.")
                },
                Request::Give { name, dollars, reason: text("reason") },
            )
        }
        "/operator/mail" => {
            let (title, text) = (text("title"), text("text"));
            ("The mail is sent to all drivers.".to_owned(), Request::MailAll { title, text })
        }
        _ => return None,
    };
    Some(actions::perform(game, PLAYERS, wish, &done, now))
}
