//! The settings of `mcos.toml` on a page: each section a form, the way back, and the power.

use super::actions::Effect;
use super::pages::{self, Frame};
use super::request::{Form, OperatorRequest, OperatorResponse};
use super::wifi;
use crate::admin::power::{self, Power};
use crate::admin::settings::{self, SettingsError};
use crate::config::{self, Setting};
use crate::services::Game;
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Page, Section};

/// The page, to which its forms go.
pub(super) const PAGE: &str = "/operator/settings";
/// The page of a new server, whose forms come here, too.
pub(super) const FIRST_STEPS: &str = "/operator/welcome";
/// Where another form sends the Operator who asks for a restart of the server.
pub(super) const RESTART: &str = "/operator/backup/restart";

/// The longest text of a key, in characters.
const LONGEST: usize = 200;
/// The longest list of networks, in characters.
const LONGEST_LIST: usize = 3000;
/// A value that is longer has a field of several lines.
const LONG: usize = 60;

pub(super) fn page(game: &Game, request: &OperatorRequest<'_>, frame: Frame<'_>) -> OperatorResponse {
    let query = Fields::urlencoded(request.query.as_bytes());
    let (section, title) = asked(game, query.text("section"));
    let read = read(game, section);
    let mut forms = Vec::new();
    let mut intro = vec![
        "These are the settings of the server, which stand in its file mcos.toml. What is changed here is written there, and counts from \
         the next start of the server."
            .to_owned(),
    ];
    match read {
        Ok((settings, mark)) => forms.push(of_section(section, title, &settings, mark)),
        Err(error) => intro.push(cannot_be_shown(&error)),
    }
    let kept = settings::undoable(game);
    if kept > 0 {
        let text = format!("{} can be taken back, the last one first.", changes(kept));
        let hidden = vec![("do", "undo".to_owned()), ("section", section.to_owned())];
        let button = "Take the last change back".to_owned();
        forms.push(FormView { heading: "Undo", text, hidden, button, action: PAGE, ..FormView::default() });
    }
    if settings::waits_for_start(game) {
        intro.push(
            "The file says something else than what counts now. Restart the server, below, for it to count."
                .to_owned(),
        );
    }
    forms.extend(ends(game));
    let offered = config::SECTIONS.into_iter().filter(|(name, _)| is_offered(game, name));
    let choices =
        offered.map(|(name, title)| (title.to_owned(), format!("{PAGE}?section={name}"), name == section));
    let mut others = vec![("The first steps".to_owned(), FIRST_STEPS.to_owned(), false)];
    if power::is_there(game) {
        others.push(("Wi-Fi".to_owned(), wifi::PAGE.to_owned(), false));
    }
    let mut sections = vec![Section { choices: vec![choices.collect(), others], ..Section::default() }];
    if section == "network" {
        sections.push(Section { heading: "Ports".to_owned(), facts: ports(game), ..Section::default() });
    }
    pages::content(frame, Page { title: "Settings".to_owned(), intro, sections, ..Page::default() }, forms)
}

/// Said where the file has a mistake.
pub(super) fn cannot_be_shown(error: &SettingsError) -> String {
    let why = pages::sentence(error);
    format!(
        "The settings cannot be shown here. {why} Correct the file by hand; after that this page works again."
    )
}

/// The keys of a section as the file sets them, and what tells this file from another.
pub(super) fn read(game: &Game, section: &str) -> Result<(Vec<Setting>, String), SettingsError> {
    let text = settings::text(game)?;
    let settings = config::settings(&text, section).map_err(SettingsError::Mistake)?;
    Ok((settings, settings::mark(&text)))
}

/// The section that is asked for, with what people call it; the first if there is none of that name.
fn asked(game: &Game, section: &str) -> (&'static str, &'static str) {
    let [first, ..] = config::SECTIONS;
    let found = config::SECTIONS.into_iter().find(|(name, _)| *name == section);
    found.filter(|(name, _)| is_offered(game, name)).unwrap_or(first)
}

/// Whether a section is one of this server: what only a box does is of no use to others.
fn is_offered(game: &Game, section: &str) -> bool {
    section != config::BACKUP || power::is_there(game)
}

fn changes(count: usize) -> String {
    if count == 1 { "One change".to_owned() } else { format!("{count} changes") }
}

/// The form of a section.
fn of_section(section: &str, title: &'static str, settings: &[Setting], mark: String) -> FormView {
    FormView {
        heading: title,
        action: PAGE,
        button: "Save".to_owned(),
        hidden: vec![("do", "change".to_owned()), ("section", section.to_owned()), ("file", mark)],
        inputs: settings.iter().map(input).collect(),
        ..FormView::default()
    }
}

/// The field of a key.
pub(super) fn input(setting: &Setting) -> Input {
    let label = in_words(setting.name);
    let default = if setting.default.is_empty() { "empty" } else { shown(&setting.default) };
    let must = if setting.choices.is_empty() {
        format!(" It must be {}.", plain(&setting.wanted))
    } else {
        String::new()
    };
    let field = if !setting.choices.is_empty() {
        let choices = setting.choices.iter().map(|value| (value.clone(), shown(value).to_owned()));
        Input::choice(setting.name, label, choices)
    } else if setting.value.len() > LONG || setting.default.len() > LONG {
        Input::lines(setting.name, label, LONGEST_LIST)
    } else {
        Input::text(setting.name, label, LONGEST)
    };
    let default = if default.len() > LONG { String::new() } else { format!(" Default: {default}.") };
    field.with(&setting.value).helped(format!("{}{must}{default}", setting.help))
}

/// The name of a key as people read it: "Starter cash".
fn in_words(name: &str) -> String {
    pages::capital(&name.replace('_', " "))
}

/// A value as people read it.
fn shown(value: &str) -> &str {
    match value {
        "true" => "yes",
        "false" => "no",
        other => other,
    }
}

/// What a key may hold, for a field in which nothing stands between quotation marks.
fn plain(wanted: &str) -> String {
    wanted.replace(", in quotes", "").replace(" in quotes", "").replace(['[', ']', '"'], "")
}

/// The ends of what runs: the server, and the box.
fn ends(game: &Game) -> Vec<FormView> {
    let restart = FormView {
        heading: "Restart the server",
        text: "All players are disconnected; they can sign in again in a few seconds.".to_owned(),
        action: RESTART,
        button: "Restart the server".to_owned(),
        ..FormView::default()
    };
    let mut forms = vec![restart];
    if power::is_there(game) {
        let choices = [("off", "switch it off"), ("restart", "start it anew")];
        forms.push(FormView {
            heading: "The box itself",
            text: "Wait for a minute before you pull the plug. To switch it on again, put the plug in."
                .to_owned(),
            action: PAGE,
            button: "Do it".to_owned(),
            hidden: vec![("do", "power".to_owned())],
            inputs: vec![
                Input::choice("power", "What", choices),
                Input::tick("sure", "Yes, all players are disconnected"),
            ],
            ..FormView::default()
        });
    }
    forms
}

fn ports(game: &Game) -> Vec<(&'static str, crate::web::layout::Cell)> {
    let ports = &game.ports;
    let rooms = match (ports.rooms.first(), ports.rooms.last()) {
        (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
        (Some(only), _) => only.to_string(),
        _ => "none".to_owned(),
    };
    vec![
        ("Pages", ports.http.into()),
        ("Pages and sign-in by HTTPS", ports.https.into()),
        ("Login", ports.login.into()),
        ("Persona", ports.persona.into()),
        ("Mail", ports.mail.into()),
        ("Lobby", ports.lobby.into()),
        ("Rooms", rooms.into()),
        ("MCOTS", ports.mcots.into()),
    ]
}

/// Carries out a form of this page; `None` if it is none.
pub(super) fn act(game: &Game, request: &OperatorRequest<'_>, form: &Form) -> Option<Effect> {
    if request.path != PAGE {
        return None;
    }
    let fields = &form.fields;
    let (section, title) = asked(game, fields.text("section"));
    let page = match fields.text("page") {
        FIRST_STEPS => FIRST_STEPS.to_owned(),
        _ => format!("{PAGE}?section={section}"),
    };
    Some(match fields.text("do") {
        "change" => change(game, request, fields, (section, title), page),
        "undo" => match settings::undo(game, request.peer) {
            Ok(()) => {
                log::warn!("operator: {} has taken the last change of the settings back", request.peer);
                Effect::new(page, Ok("The last change is taken back.".to_owned())).noted("settings: undo")
            }
            Err(error) => refused(page, &error),
        },
        "power" => ask_power(game, request, fields),
        _ => Effect::refused(page, "There is no such form."),
    })
}

fn refused(page: String, error: &SettingsError) -> Effect {
    log::info!("operator: settings: refused: {error}");
    Effect::new(page, Err(pages::nothing_changed(&error.to_string())))
}

fn change(
    game: &Game,
    request: &OperatorRequest<'_>,
    fields: &Fields,
    (section, title): (&str, &str),
    page: String,
) -> Effect {
    let names = config::settings("", section).unwrap_or_default();
    let sent = |setting: &Setting| fields.texts(setting.name).next().map(|typed| (setting.name, typed));
    let typed: Vec<(&str, &str)> = names.iter().filter_map(sent).collect();
    match settings::change(game, section, &typed, fields.text("file"), request.peer) {
        Ok(true) => {
            log::warn!("operator: {} has changed the settings of [{section}]", request.peer);
            let done = format!("Saved: {title}. It counts from the next start of the server.");
            Effect::new(page, Ok(done)).noted(format!("settings of [{section}]"))
        }
        Ok(false) => Effect::new(page, Ok("Nothing was different, so nothing was changed.".to_owned())),
        Err(error) => refused(page, &error),
    }
}

fn ask_power(game: &Game, request: &OperatorRequest<'_>, fields: &Fields) -> Effect {
    let wanted = match fields.text("power") {
        "off" => Power::Off,
        "restart" => Power::Restart,
        _ => return Effect::refused(PAGE, "Choose what the box is to do."),
    };
    if !power::is_there(game) {
        return Effect::refused(PAGE, "This server runs on no box that it could switch off.");
    }
    if fields.text("sure") != "yes" {
        return Effect::refused(PAGE, "Tick the box to confirm that all players are disconnected.");
    }
    let outcome = power::ask(game, wanted).map_err(|error| pages::nothing_changed(&error.to_string()));
    let done = match wanted {
        Power::Off => "The box switches itself off. Wait for a minute before you pull the plug.",
        Power::Restart => "The box starts anew. Open this page again in two minutes.",
    };
    log::warn!("operator: {} asks the box: {wanted:?}", request.peer);
    Effect::new(PAGE, outcome.map(|()| done.to_owned())).noted(format!("box: {wanted:?}"))
}
