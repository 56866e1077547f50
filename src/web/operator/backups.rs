//! Backups: downloading one, the password that encrypts them, and restoring one by a restart.

use super::actions::{Effect, chosen, perform};
use super::pages::{self, Frame, nothing_changed, sentence};
use super::request::{Form, OperatorRequest, OperatorResponse};
use crate::admin::requests::{Request, Secret};
use crate::admin::settings;
use crate::clock::{self, Now};
use crate::services::Game;
use crate::store::{BackupPassword, Lock, OpenError, Store};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use askama::Template;
use std::io::BufReader;

/// The page.
pub(super) const PAGE: &str = "/operator/backup";
/// Where a backup is sent to.
pub(super) const RESTORE: &str = "/operator/backup/restore";
const DOWNLOAD: &str = "/operator/backup/download";
const PASSWORD: &str = "/operator/backup/password";
const NO_PASSWORD: &str = "/operator/backup/no-password";
const OPEN: &str = "/operator/backup/open";
const DISCARD: &str = "/operator/backup/discard";
/// The longest password that can be typed, in characters: none that a backup was encrypted with elsewhere is likely to be longer.
const LONGEST: usize = 128;

#[derive(Template)]
#[template(path = "operator/backup.html")]
struct BackupPage<'a> {
    frame: Frame<'a>,
    /// Whether backups are encrypted.
    sealed: bool,
    /// Whether the one that was restored was, and these are not.
    wanted: bool,
    /// Why the password cannot be used, if it cannot.
    problem: Option<String>,
    forms: Vec<FormView>,
}

pub(super) fn page(game: &Game, frame: Frame<'_>) -> OperatorResponse {
    let password = game.store.backup_password();
    let problem = password.as_ref().err().map(sentence);
    let sealed = matches!(password, Ok(Some(_)));
    let mut forms = Vec::new();
    if Store::waits_for_password(&game.data) {
        forms.push(FormView {
            heading: "A backup waits for its password",
            text: "The file restore.mcos was put here, and is encrypted. With its password the server restarts, and replaces all data \
                   by those of the backup."
                .to_owned(),
            action: OPEN,
            button: "Restore and restart".to_owned(),
            inputs: vec![Input::password("password", "Its password", LONGEST)],
            ..FormView::default()
        });
        forms.push(FormView {
            text: "If it is not wanted, or is encrypted by something else than a password, it can be discarded. The data of this server stay as \
                   they are."
                .to_owned(),
            action: DISCARD,
            button: "Discard it".to_owned(),
            inputs: vec![Input::tick("sure", "Yes, delete this file")],
            ..FormView::default()
        });
    }
    let wanted = game.store.wants_backup_password();
    forms.push(FormView {
        heading: if sealed { "Change the password for backups" } else { "Set a password for backups" },
        text: "Every backup that leaves the server is encrypted by it: downloads, files of the command mcos backup, and what a box puts \
               onto its card and a USB stick. Without it nobody can restore them, so write it down."
            .to_owned(),
        action: PASSWORD,
        button: "Set the password".to_owned(),
        inputs: vec![
            Input::password("password", "Password for backups", LONGEST)
                .helped("12 to 128 characters. Several words are easier to write down."),
            Input::password("again", "The same again", LONGEST),
        ],
        ..FormView::default()
    });
    if sealed || wanted || problem.is_some() {
        forms.push(FormView {
            text: "Backups that were made before stay encrypted.".to_owned(),
            action: NO_PASSWORD,
            button: "Encrypt none any more".to_owned(),
            ..FormView::default()
        });
    }
    pages::page(&BackupPage { frame, sealed, wanted, problem, forms })
}

/// Carries out the forms of this page; `None` if it is none of them.
pub(super) fn act(game: &Game, request: &OperatorRequest<'_>, form: &Form) -> Option<Effect> {
    Some(match request.path {
        DOWNLOAD => download(game, request.now),
        RESTORE => restore(game, form),
        OPEN => open(game, &form.fields),
        DISCARD => discard(game, &form.fields),
        PASSWORD => set_password(game, &form.fields, request.now),
        NO_PASSWORD => {
            let request_to = Request::SetBackupPassword { password: None };
            perform(game, PAGE, request_to, "Backups are not encrypted from now on.", request.now)
        }
        _ => return None,
    })
}

fn set_password(game: &Game, fields: &Fields, now: Now) -> Effect {
    if fields.text("password") != fields.text("again") {
        return Effect::refused(PAGE, "The two passwords are not the same. Type both again.");
    }
    let password = Some(Secret::new(fields.text("password").to_owned()));
    let done =
        "Backups are encrypted from now on. Write the password down: without it they cannot be restored.";
    perform(game, PAGE, Request::SetBackupPassword { password }, done, now)
}

fn download(game: &Game, now: Now) -> Effect {
    let made = game.store.backup_password().map_err(|error| sentence(&error)).and_then(|password| {
        let plain = game.store.backup().map_err(|error| sentence(&error))?;
        match password {
            Some(password) => {
                password.seal(&plain).map(|sealed| (sealed, ".age")).map_err(|error| sentence(&error))
            }
            None => Ok((plain, "")),
        }
    });
    match made {
        Ok((bytes, end)) => {
            let encrypted = if end.is_empty() { "" } else { ", encrypted" };
            log::info!("operator: backup of {} bytes downloaded{encrypted}", bytes.len());
            let name = format!("mcos-backup-{}.mcos{end}", clock::day(now.unix));
            Effect { file: Some((name, bytes)), ..Effect::new(PAGE, Ok(String::new())) }
        }
        Err(why) => Effect::new(PAGE, Err(why)),
    }
}

/// Checks the backup and keeps it for the next start, which follows at once.
fn restore(game: &Game, form: &Form) -> Effect {
    let Some(file) = chosen(form) else {
        return Effect::refused(PAGE, "Choose a backup file first.");
    };
    if form.fields.text("sure") != "yes" {
        return Effect::refused(
            PAGE,
            "Tick the box to confirm that all changes since that backup may be lost.",
        );
    }
    let typed = form.fields.text("password");
    // One that cannot be read helps as little as none.
    let password = if typed.is_empty() {
        game.store.backup_password().ok().flatten()
    } else {
        Some(BackupPassword::given(typed))
    };
    staged(game, || {
        let content = BufReader::new(&file.content);
        Store::stage_restore_from(&game.data, "this file", content, password.as_ref())
    })
}

/// The same for the backup that waits for its password.
fn open(game: &Game, fields: &Fields) -> Effect {
    let password = BackupPassword::given(fields.text("password"));
    staged(game, || Store::open_staged(&game.data, &password))
}

/// Deletes the backup that waits for its password.
fn discard(game: &Game, fields: &Fields) -> Effect {
    if fields.text("sure") != "yes" {
        return Effect::refused(PAGE, "Tick the box to confirm that the file is deleted.");
    }
    match Store::discard_staged(&game.data) {
        Ok(()) => {
            log::warn!("operator: the backup that waited for its password is discarded");
            Effect::new(PAGE, Ok("The backup that waited is discarded.".to_owned()))
                .noted("discard the backup that waits for its password")
        }
        Err(error) => Effect::new(PAGE, Err(nothing_changed(&error.to_string()))),
    }
}

fn staged(game: &Game, stage: impl FnOnce() -> Result<usize, OpenError>) -> Effect {
    if let Some(error) = settings::keeps_from_starting(game) {
        let why = format!("the server would not start again: {error}; correct it first");
        return Effect::new(PAGE, Err(nothing_changed(&why)));
    }
    let staged = stage().map_err(|error| match error {
        OpenError::BadBackup { why, .. } => {
            format!("this file is not a complete backup ({why}). Choose another one")
        }
        OpenError::TooNew { .. } => {
            "this backup was made by a newer version of mcos. Update this server first".to_owned()
        }
        OpenError::Locked { lock: Lock::NoPassword, .. } => {
            "this backup is encrypted. Choose it again, and type the password with which it was made"
                .to_owned()
        }
        OpenError::Locked { lock, .. } => format!("{lock}"),
        error => error.to_string(),
    });
    match staged {
        Ok(records) => {
            log::warn!("operator: a backup of {records} records is restored by a restart");
            let what = format!("restore a backup of {records} records");
            Effect { restart: true, ..Effect::new(PAGE, Ok(String::new())) }.noted(what)
        }
        Err(why) => {
            log::info!("operator: restore: refused: {why}");
            Effect::new(PAGE, Err(nothing_changed(&why)))
        }
    }
}
