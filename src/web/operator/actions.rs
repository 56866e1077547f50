//! The actions behind the Operator's forms.

use super::page_forms::{BAN_LENGTHS, PATCH};
use super::pages::{nothing_changed, sentence};
use super::request::{Form, OperatorRequest};
use super::upload::UploadedFile;
use crate::admin::expel::{self, Kicked};
use crate::admin::perform::{self, Performed, Server};
use crate::admin::requests::{Request, Secret};
use crate::admin::settings;
use crate::catalog::file::{self as catalog_file, Waiting};
use crate::catalog::import;
use crate::clock::Now;
use crate::services::{Game, Push};
use crate::store::{BanTarget, PatchError, PatchPath, PatchSet};
use crate::web::fields::Fields;
use mco_proto::ids::CustomerId;
use std::fmt::Display;
use std::io::BufReader;
use std::net::IpAddr;

/// Where the game's database is sent to.
pub(super) const CATALOG: &str = "/operator/catalog/import";
const PATCH_PAGE: &str = "/operator/patch";
const CATALOG_PAGE: &str = "/operator/catalog";

/// The outcome of a form.
pub(super) struct Effect {
    /// A sentence for the Operator.
    pub(super) outcome: Result<String, String>,
    /// The page that is shown next.
    pub(super) page: String,
    pub(super) pushes: Vec<Push>,
    pub(super) restart: bool,
    /// A file instead of a page: its name and content.
    pub(super) file: Option<(String, Vec<u8>)>,
    pub(super) ends_sessions: bool,
    /// What the audit log says if it was done, and is not there already.
    pub(super) noted: Option<String>,
}

impl Effect {
    pub(super) fn new(page: impl Into<String>, outcome: Result<String, String>) -> Self {
        Self {
            outcome,
            page: page.into(),
            pushes: Vec::new(),
            restart: false,
            file: None,
            ends_sessions: false,
            noted: None,
        }
    }

    /// The same, with a line in the audit log if it was done.
    pub(super) fn noted(self, what: impl Into<String>) -> Self {
        Self { noted: Some(what.into()), ..self }
    }

    pub(super) fn refused(page: impl Into<String>, why: &str) -> Self {
        Self::new(page, Err(why.to_owned()))
    }
}

/// Carries out a form whose token has been checked.
pub(super) fn act(game: &Game, request: &OperatorRequest<'_>, form: &Form) -> Effect {
    let (fields, now) = (&form.fields, request.now);
    match request.path {
        "/operator/kick" => kick(game, fields, now),
        "/operator/accounts/add" => add_account(game, fields, now),
        "/operator/accounts/disable" => set_disabled(game, fields, true, now),
        "/operator/accounts/enable" => set_disabled(game, fields, false, now),
        "/operator/accounts/password" => set_password(game, fields, now),
        "/operator/ban" => ban(game, request, fields),
        "/operator/unban" => unban(game, fields, now),
        "/operator/message" => {
            let request = Request::SetMessage { text: fields.text("text").to_owned() };
            perform(game, "/operator/message", request, "The message is set.", now)
        }
        "/operator/password" => change_password(game, request, fields),
        CATALOG => read_catalog(game, form, now),
        PATCH => add_to_patch_set(game, form, now),
        "/operator/patch/remove" => remove_from_patch_set(game, fields),
        "/operator/catalog/use" => use_catalog(game, fields, now),
        "/operator/catalog/discard" => discard_catalog(game, fields),
        "/operator/backup/restart" => {
            if let Some(error) = settings::keeps_from_starting(game) {
                let why = format!("the server would not start again: {error}; correct it first");
                return Effect::new("/operator/settings", Err(nothing_changed(&why)));
            }
            log::warn!("operator: restart, asked for by {}", request.peer);
            Effect { restart: true, ..Effect::new("/operator", Ok(String::new())) }.noted("restart")
        }
        _ => Effect::refused("/operator", "There is no such form."),
    }
}

pub(super) fn perform(
    game: &Game,
    page: impl Into<String>,
    request: Request,
    done: &str,
    now: Now,
) -> Effect {
    match perform::perform(Server::Running(game), request, now) {
        Ok(Performed { pushes, .. }) => Effect { pushes, ..Effect::new(page, Ok(done.to_owned())) },
        Err(why) => Effect::new(page, Err(sentence(&why))),
    }
}

fn kick(game: &Game, fields: &Fields, now: Now) -> Effect {
    let page = "/operator";
    let Ok(customer) = fields.text("customer").parse().map(CustomerId) else {
        return Effect::refused(page, "There is no such player.");
    };
    match expel::kick(game, customer, now) {
        Ok(Kicked { signed_in, push }) => {
            let outcome = if signed_in {
                Ok("The player is disconnected, and may sign in again.".to_owned())
            } else {
                Err("That player is not online any more.".to_owned())
            };
            Effect { pushes: vec![push], ..Effect::new(page, outcome) }
                .noted(format!("kick customer {customer}"))
        }
        Err(error) => Effect::new(page, Err(sentence(&error))),
    }
}

const ACCOUNTS: &str = "/operator/accounts";

fn add_account(game: &Game, fields: &Fields, now: Now) -> Effect {
    let name = fields.text("name").trim().to_owned();
    let done = format!("The account {name} is created.");
    let password = Secret::new(fields.text("password").to_owned());
    perform(game, ACCOUNTS, Request::AddAccount { name, password, customer_id: None }, &done, now)
}

fn set_disabled(game: &Game, fields: &Fields, disabled: bool, now: Now) -> Effect {
    let name = match account(game, fields.text("name")) {
        Ok(name) => name,
        Err(why) => return Effect::new(ACCOUNTS, Err(why)),
    };
    let done = format!("The account {name} is {}.", if disabled { "disabled" } else { "enabled" });
    perform(game, ACCOUNTS, Request::SetDisabled { name, disabled }, &done, now)
}

fn set_password(game: &Game, fields: &Fields, now: Now) -> Effect {
    let name = match account(game, fields.text("name")) {
        Ok(name) => name,
        Err(why) => return Effect::new(ACCOUNTS, Err(why)),
    };
    let done = format!("The account {name} has a new password.");
    let password = Secret::new(fields.text("password").to_owned());
    perform(game, ACCOUNTS, Request::SetPassword { name, password }, &done, now)
}

/// The name of an account that exists.
fn account(game: &Game, name: &str) -> Result<String, String> {
    match game.store.accounts().by_name(name.trim()) {
        Ok(Some(account)) => Ok(account.name),
        Ok(None) => Err("There is no account with this name. The page Accounts shows all names.".to_owned()),
        Err(error) => Err(sentence(&error)),
    }
}

fn ban(game: &Game, request: &OperatorRequest<'_>, fields: &Fields) -> Effect {
    let page = "/operator/bans";
    let text = |field| Some(fields.text(field).trim()).filter(|text| !text.is_empty());
    let address = match text("address").map(str::parse::<IpAddr>) {
        Some(Err(_)) => {
            return Effect::refused(page, "This is not an IP address. An address looks like 192.168.1.30.");
        }
        Some(Ok(address)) if BanTarget::address(address) == BanTarget::address(request.peer) => {
            return Effect::refused(
                page,
                "This is your own address. You could not open these pages any more.",
            );
        }
        Some(Ok(address)) => Some(address),
        None => None,
    };
    let account = match text("account").map(|name| account(game, name)).transpose() {
        Ok(account) => account,
        Err(why) => return Effect::new(page, Err(why)),
    };
    let asked = fields.text("length");
    let Some((_, until)) = BAN_LENGTHS.into_iter().find(|(length, _)| *length == asked) else {
        return Effect::refused(page, "Choose how long the ban lasts.");
    };
    let reason = fields.text("reason").to_owned();
    let until = until.map(|seconds| request.now.unix + seconds);
    perform(game, page, Request::Ban { account, address, reason, until }, "The ban is set.", request.now)
}

fn unban(game: &Game, fields: &Fields, now: Now) -> Effect {
    let page = "/operator/bans";
    let customer = fields.text("customer").parse().ok().map(|id| BanTarget::Account(CustomerId(id)));
    let address = fields.text("address").parse().ok().map(BanTarget::address);
    match customer.or(address).map(|target| (target, game.store.bans().of(target))) {
        Some((target, Ok(Some(_)))) => {
            perform(game, page, Request::Unban { target }, "The ban is removed.", now)
        }
        Some((_, Err(error))) => Effect::new(page, Err(sentence(&error))),
        _ => Effect::refused(page, "There is no such ban any more."),
    }
}

fn change_password(game: &Game, request: &OperatorRequest<'_>, fields: &Fields) -> Effect {
    let page = "/operator/health";
    if fields.text("password") != fields.text("again") {
        return Effect::refused(page, "The two new passwords are not the same. Type both again.");
    }
    match game.store.operator().check_password(fields.text("old")) {
        Ok(true) => {}
        Ok(false) => {
            log::info!("operator: {} gave a wrong old password", request.peer);
            return Effect::refused(page, "The old password is wrong.");
        }
        Err(error) => return Effect::new(page, Err(sentence(&error))),
    }
    let password = Secret::new(fields.text("password").to_owned());
    let change = Request::SetOperatorPassword { password };
    Effect { ends_sessions: true, ..perform(game, page, change, "", request.now) }
}

/// The file that a form brought; `None` if none was chosen.
pub(super) fn chosen(form: &Form) -> Option<&UploadedFile> {
    form.file.as_ref().filter(|file| file.length > 0)
}

/// Takes cars and parts out of the game's database, and keeps them beside the catalogue in use until the Operator has seen
/// what came.
fn read_catalog(game: &Game, form: &Form, now: Now) -> Effect {
    let Some(UploadedFile { name, content, .. }) = chosen(form) else {
        return Effect::refused(CATALOG_PAGE, "Choose the file of the game's database first.");
    };
    let read = import::read(BufReader::new(content), name, now.unix, |_| ()).map_err(in_words);
    let kept = read.and_then(|reading| {
        catalog_file::save_waiting(&game.data, &reading.imported).map_err(in_words)?;
        Ok(reading.notes)
    });
    match kept {
        Ok(notes) => {
            log::info!("operator: the catalogue in {name:?} is read and waits to be put in use");
            let mut done = "The file is read. Look at what came, and put it in use.".to_owned();
            for note in notes {
                done = done + " Note: " + &note + ".";
            }
            Effect::new(CATALOG_PAGE, Ok(done)).noted(format!("catalog read {name:?}"))
        }
        Err(why) => {
            log::info!("operator: catalog import of {name:?}: refused: {why}");
            Effect::new(CATALOG_PAGE, Err(nothing_changed(&why)))
        }
    }
}

/// Said when the form shows a catalogue that does not wait any more.
const ANOTHER_WAITS: &str = "Another file was read since this page was shown, perhaps by somebody else. Nothing was changed. Look at what waits now.";
const NOTHING_WAITS: &str = "There is no catalogue that waits. Send the file again.";

/// Uses the catalogue that the form shows, and no other.
fn use_catalog(game: &Game, fields: &Fields, now: Now) -> Effect {
    match catalog_file::put_in_use(&game.data, fields.text("catalog")) {
        Ok(Waiting::This(imported)) => {
            let origin = &imported.origin;
            log::warn!("operator: a catalogue is imported from {:?}, SHA-256 {}", origin.file, origin.hash());
            let done = "The catalogue is in use. Lobbies for its tracks open at the next restart.";
            perform(game, CATALOG_PAGE, Request::ReloadCatalog, done, now)
        }
        Ok(Waiting::Another) => Effect::refused(CATALOG_PAGE, ANOTHER_WAITS),
        Ok(Waiting::Nothing) => Effect::refused(CATALOG_PAGE, NOTHING_WAITS),
        Err(error) => Effect::new(CATALOG_PAGE, Err(nothing_changed(&error.to_string()))),
    }
}

fn discard_catalog(game: &Game, fields: &Fields) -> Effect {
    match catalog_file::discard(&game.data, fields.text("catalog")) {
        Ok(Waiting::Another) => Effect::refused(CATALOG_PAGE, ANOTHER_WAITS),
        Ok(Waiting::This(_) | Waiting::Nothing) => {
            let done = "The file is thrown away. The catalogue stays as it was.";
            Effect::new(CATALOG_PAGE, Ok(done.to_owned())).noted("catalog discard")
        }
        Err(error) => Effect::new(CATALOG_PAGE, Err(sentence(&error))),
    }
}

fn add_to_patch_set(game: &Game, form: &Form, now: Now) -> Effect {
    let Some(UploadedFile { content, .. }) = chosen(form) else {
        return Effect::refused(PATCH_PAGE, "Choose the file first.");
    };
    let fields = &form.fields;
    let path = PatchPath::parse(fields.text("path").trim()).map_err(PatchError::Path);
    let in_backup = fields.text("backup") == "yes";
    let added = path.and_then(|path| {
        PatchSet::of(&game.data).add(path, fields.text("note"), in_backup, content, now.unix)
    });
    match added {
        Ok(file) => {
            log::warn!("operator: {} is added to the patch set, SHA-256 {}", file.path, file.sha256);
            let done =
                format!("{} is in the patch set. Players get it with update.bat of their kit.", file.path);
            Effect::new(PATCH_PAGE, Ok(done)).noted(format!("patch add {} {}", file.path, file.sha256))
        }
        Err(why) => {
            log::info!("operator: a file for the patch set is refused: {why}");
            Effect::new(PATCH_PAGE, Err(nothing_changed(&why.to_string())))
        }
    }
}

fn remove_from_patch_set(game: &Game, fields: &Fields) -> Effect {
    let path = PatchPath::parse(fields.text("path")).map_err(PatchError::Path);
    let what = format!("patch remove {:?}", fields.text("path"));
    let removed = path.and_then(|path| PatchSet::of(&game.data).remove(&path));
    let outcome = removed.map_err(|why| nothing_changed(&why.to_string())).map(|file| {
        log::warn!("operator: {} is removed from the patch set", file.path);
        format!("{} is not in the patch set any more. PCs that have it keep it.", file.path)
    });
    Effect::new(PATCH_PAGE, outcome).noted(what)
}

fn in_words(error: impl Display) -> String {
    error.to_string()
}
