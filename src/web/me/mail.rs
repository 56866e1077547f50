//! A player's mail: the same box that the game shows.

use super::{Me, sentence};
use crate::public_text::{self, ODD_LETTERS};
use crate::services::deals;
use crate::store::{CityError, Letter, Persona, StoreError};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input, show_again};
use crate::web::page::{Frame, PageResponse, Site, page};
use crate::web::visit::{Act, Done, Visit};
use askama::Template;
use mco_proto::ids::PersonaId;

/// The longest title and text, in characters: what a mail of the game holds (*documented*).
const LONGEST: (usize, usize) = (30, 255);

#[derive(Template)]
#[template(path = "me/mail.html")]
struct MailPage<'a> {
    frame: Frame<'a>,
    me: Me,
    /// The newest first; at most fifty.
    mails: Vec<MailRow>,
    open: Option<OpenMail>,
    forms: [FormView; 1],
}

struct MailRow {
    number: u32,
    from: String,
    title: String,
    sent: String,
    read: bool,
}

struct OpenMail {
    number: u32,
    from: String,
    title: String,
    sent: String,
    text: String,
}

pub(super) fn show(
    site: &Site<'_>,
    visit: &Visit<'_>,
    persona: &Persona,
    query: &Fields,
) -> Result<PageResponse, StoreError> {
    let mails = site.game.store.mails();
    let asked = query.text("mail").parse::<u32>().ok();
    let found = match asked {
        Some(number) => mails.get(persona.id, number, site.now)?.map(|mail| (number, mail)),
        None => None,
    };
    let mut to = query.text("to").chars().take(40).collect::<String>();
    let mut title = String::new();
    let open = match found {
        Some((number, (mail, read))) => {
            if !read {
                // Nobody needs to wait for that to be on the card.
                drop(mails.mark_read(persona.id, number)?);
            }
            if is_player(site, persona, mail.sender)? {
                to.clone_from(&mail.sender_name);
                title = answer_title(&mail.title);
            }
            let (from, sent) = (mail.sender_name, site.game.zone().minute(mail.sent));
            Some(OpenMail { number, from, title: mail.title, sent, text: mail.text })
        }
        None => None,
    };
    let mut rows = Vec::new();
    for entry in mails.list(persona.id, site.now)?.into_iter().rev() {
        if let Some((mail, read)) = mails.get(persona.id, entry.number, site.now)? {
            let (number, from, sent) = (entry.number, mail.sender_name, site.game.zone().minute(mail.sent));
            rows.push(MailRow { number, from, title: mail.title, sent, read });
        }
    }
    let heading = if open.is_some() && !to.is_empty() { "Answer" } else { "Write to a player" };
    let inputs = vec![
        Input { label: "To".into(), ..Input::driver("to") }.with(&to),
        Input::text("title", "Title", LONGEST.0).with(&title),
        Input::lines("text", "Text", LONGEST.1).helped(format!("At most {} characters.", LONGEST.1)),
    ];
    let hidden = vec![("persona", persona.id.to_string())];
    let (action, button) = ("/me/mail/write", "Send".to_owned());
    let mut forms = [FormView { heading, action, button, hidden, inputs, ..FormView::default() }];
    let me = Me::of(visit, Some(persona));
    show_again(&mut forms, me.notice.as_ref());
    Ok(page(&MailPage { frame: Frame::of(site), me, mails: rows, open, forms }))
}

/// Whether a mail comes from another player, who can be answered.
fn is_player(site: &Site<'_>, persona: &Persona, sender: PersonaId) -> Result<bool, StoreError> {
    Ok(sender != persona.id && site.game.store.personas().by_id(sender)?.is_some())
}

/// The title of an answer.
fn answer_title(title: &str) -> String {
    let title = if title.starts_with("Re: ") { title.to_owned() } else { format!("Re: {title}") };
    title.chars().take(LONGEST.0).collect()
}

/// Sends a mail to another player.
pub(super) fn write(act: Act<'_>, form: &Fields) -> Done {
    let back = format!("/me/mail?persona={}", act.persona.id);
    (back, send(act, form))
}

fn send(act: Act<'_>, form: &Fields) -> Result<String, String> {
    let Act { site, persona, request, visit } = act;
    let (title, text) = (public_text::one_line(form.text("title")), public_text::lines(form.text("text")));
    let Some((title, text)) = title.zip(text) else {
        return Err(sentence(&CityError::Refused(ODD_LETTERS.into())));
    };
    if text.is_empty() {
        return Err("Write a text first. Nothing was sent.".to_owned());
    }
    if title.chars().count() > LONGEST.0 || text.chars().count() > LONGEST.1 {
        let (title, text) = LONGEST;
        return Err(format!("A title has at most {title} characters, a text {text}. Nothing was sent."));
    }
    let game = site.game;
    let found = game.store.personas().by_name(persona.shard, form.text("to").trim());
    let Some(to) = found.map_err(|error| sentence(&error))? else {
        return Err("There is no player with this name. The page Players shows all names.".to_owned());
    };
    let muted = deals::with(game, |deals| deals.muted_by(to.id)).map_err(|error| sentence(&error))?;
    if muted.contains(&persona.id) {
        return Err("This player does not take mail from you. Nothing was sent.".to_owned());
    }
    if !game.world.page_mail.admit(request.peer, &visit.account.name, site.now) {
        return Err("You have written many mails. Wait one minute, then try again.".to_owned());
    }
    let title = if title.is_empty() { "(no title)".to_owned() } else { title };
    let letter = Letter { sender: persona.id, sender_name: persona.name.clone(), title, text };
    let sent = game.store.mails().send(to.id, &letter, site.now).map_err(|error| sentence(&error))?;
    sent.ticket.wait().map_err(|error| sentence(&error))?;
    log::info!("mail: persona {} wrote to persona {} on the pages", persona.id, to.id);
    Ok(format!("The mail to {} is sent.", to.name))
}

/// Deletes a mail.
pub(super) fn delete(act: Act<'_>, form: &Fields) -> Done {
    let back = format!("/me/mail?persona={}", act.persona.id);
    let Act { site, persona, .. } = act;
    let Ok(number) = form.text("mail").parse() else {
        return (back, Err("There is no such mail. Nothing was changed.".to_owned()));
    };
    let deleted =
        site.game.store.mails().delete(persona.id, number).and_then(|deleted| deleted.ticket.wait());
    (back, deleted.map(|()| "The mail is deleted.".to_owned()).map_err(|error| sentence(&error)))
}
