//! What the forms on the Operator's pages ask for.

use crate::web::forms::{FormView, Input};

/// Where a file of the patch set is sent to.
pub(super) const PATCH: &str = "/operator/patch/add";
/// How long bans of the page last, in words and in seconds.
pub(super) const BAN_LENGTHS: [(&str, Option<u64>); 5] = [
    ("1 hour", Some(3600)),
    ("1 day", Some(86_400)),
    ("1 week", Some(7 * 86_400)),
    ("30 days", Some(30 * 86_400)),
    ("for ever", None),
];

pub(super) fn new_account() -> FormView {
    let rule = "4 to 32 letters, digits and signs. Not allowed: spaces, quotes, & % + # < >";
    let inputs = vec![
        Input::text("name", "Account name", 32),
        Input::password("password", "Password", 32).helped(rule),
    ];
    FormView {
        heading: "Create an account",
        action: "/operator/accounts/add",
        button: "Create the account".to_owned(),
        inputs,
        ..FormView::default()
    }
}

pub(super) fn new_ban() -> FormView {
    let lengths = BAN_LENGTHS.map(|(length, _)| (length, length));
    let inputs = vec![
        Input::text("account", "Account", 32),
        Input::text("address", "and/or IP address", 45)
            .helped("Nobody at this address can use the server any more, including these pages."),
        Input::text("reason", "Reason", 120).helped("The player can read the reason."),
        Input::choice("length", "Lasts", lengths),
    ];
    FormView {
        heading: "Add a ban",
        action: "/operator/ban",
        button: "Ban".to_owned(),
        inputs,
        ..FormView::default()
    }
}

pub(super) fn new_message(text: &str) -> FormView {
    let inputs = vec![Input::text("text", "Message of the day", 300).with(&text)];
    FormView {
        action: "/operator/message",
        button: "Set the message".to_owned(),
        inputs,
        ..FormView::default()
    }
}

pub(super) fn new_patch() -> FormView {
    let inputs = vec![
        Input::text("path", "Path in the game's folder", 120).helped("Such as Data/DB/Online.mdb."),
        Input::text("note", "What it is", 200).helped("Players see it."),
        Input::tick("backup", "Put it into backups"),
    ];
    FormView {
        heading: "Add a file",
        text: "A file at the same path is replaced.".to_owned(),
        action: PATCH,
        button: "Add the file".to_owned(),
        inputs,
        file: true,
        ..FormView::default()
    }
}
