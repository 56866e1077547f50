//! A player's club: founding one, coming in and going out, and leading it.

use super::{Me, own_form, saved, sentence};
use crate::admin::calendar::club_rules;
use crate::catalog::rules::points_of_level;
use crate::store::{Club, NewClub, Persona, Rank, StoreError};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input, show_again};
use crate::web::layout::{Cell, Column, Page, Section};
use crate::web::page::{Frame, PageResponse, Site, page};
use crate::web::visit::{Act, Done, Visit};
use crate::web::words::{money, player_link, several};
use askama::Template;
use mco_proto::ids::PersonaId;

const ACTION: &str = "/me/club";
/// How a colour is written.
const COLOUR: usize = 6;

#[derive(Template)]
#[template(path = "me/city.html")]
struct CityPage<'a> {
    frame: Frame<'a>,
    me: Me,
    page: Page,
    forms: Vec<FormView>,
}

/// The finished page of a persona.
pub(super) fn finish(
    site: &Site<'_>,
    visit: &Visit<'_>,
    persona: &Persona,
    content: Page,
    forms: Vec<FormView>,
) -> PageResponse {
    let (me, mut forms) = (Me::of(visit, Some(persona)), forms);
    show_again(&mut forms, me.notice.as_ref());
    page(&CityPage { frame: Frame::of(site), me, page: content, forms })
}

/// Number and name of drivers, for a choice.
fn names(site: &Site<'_>, ids: &[PersonaId]) -> Result<Vec<(u32, String)>, StoreError> {
    let mut names = Vec::new();
    for id in ids {
        names.extend(site.game.store.personas().by_id(*id)?.map(|persona| (id.0, persona.name)));
    }
    Ok(names)
}

fn description() -> Input {
    Input::text("description", "What it is about", 255)
}

fn colours(now: [u32; 3]) -> Vec<Input> {
    let labels =
        [("front", "Colour of the letters"), ("back", "Colour behind them"), ("third", "Third colour")];
    let inputs = labels.iter().zip(now);
    inputs
        .map(|((name, label), colour)| {
            Input::text(name, *label, COLOUR)
                .with(&format!("{colour:06X}"))
                .helped("Six digits: FFFFFF is white, 000000 black, B3202A red, 22447A blue, 1F7A3A green, F2C230 yellow.")
        })
        .collect()
}

pub(super) fn show(
    site: &Site<'_>,
    visit: &Visit<'_>,
    persona: &Persona,
    _: &Fields,
) -> Result<PageResponse, StoreError> {
    let club = site.game.store.clubs().of(persona.id)?;
    let (page, forms) = match &club {
        Some(club) => inside(site, persona, club)?,
        None => outside(site, persona)?,
    };
    Ok(finish(site, visit, persona, page, forms))
}

fn outside(site: &Site<'_>, persona: &Persona) -> Result<(Page, Vec<FormView>), StoreError> {
    let (clubs, rules) = (site.game.store.clubs().list()?, club_rules(site.game));
    let choice = |clubs: &[&Club]| -> Vec<(u32, String)> {
        clubs.iter().map(|club| (club.id, format!("{} [{}]", club.name, club.acronym))).collect()
    };
    let inviting: Vec<&Club> = clubs.iter().filter(|club| club.invited.contains(&persona.id)).collect();
    let asked: Vec<&Club> = clubs.iter().filter(|club| club.asking.contains(&persona.id)).collect();
    let others: Vec<&Club> = clubs.iter().filter(|club| !club.asking.contains(&persona.id)).collect();
    let mut forms = Vec::new();
    if !inviting.is_empty() {
        let inputs = vec![
            Input::choice("club", "Club", choice(&inviting)),
            Input::choice("answer", "Answer", [("accept", "yes, I join"), ("decline", "no")]),
        ];
        let heading = "Clubs that invite you";
        forms.push(FormView { heading, ..own_form(ACTION, persona, "answer", "Answer", inputs) });
    }
    if !asked.is_empty() {
        let inputs = vec![Input::choice("club", "Club", choice(&asked))];
        let heading = "Clubs that you have asked";
        forms.push(FormView {
            heading,
            ..own_form(ACTION, persona, "decline", "Take the question back", inputs)
        });
    }
    if !others.is_empty() {
        let inputs = vec![Input::choice("club", "Club", choice(&others))];
        forms.push(FormView {
            heading: "Join a club",
            ..own_form(ACTION, persona, "ask", "Ask to be let in", inputs)
        });
    }
    let mut inputs = vec![
        Input::text("name", "Name", 30),
        Input::text("acronym", "Acronym, 1 to 3 letters", 3),
        description(),
    ];
    inputs.extend(colours([0x00ff_ffff, 0x0022_447a, 0x00b3_202a]));
    let mut text =
        format!("It takes level {} and costs {}.", rules.founding_level, money(rules.founding_cost));
    if persona.level < rules.founding_level {
        let missing = points_of_level(rules.founding_level).saturating_sub(persona.points);
        text = format!(
            "{text} {} is at level {}: {} more to level {}.",
            persona.name,
            persona.level,
            several(missing.into(), "point"),
            rules.founding_level
        );
    }
    forms.push(FormView {
        heading: "Found a club",
        text,
        ..own_form(ACTION, persona, "found", "Found the club", inputs)
    });
    let page = Page {
        title: format!("{} is in no club", persona.name),
        intro: vec!["The page Clubs shows who is in which.".to_owned()],
        ..Page::default()
    };
    Ok((page, forms))
}

fn inside(site: &Site<'_>, persona: &Persona, club: &Club) -> Result<(Page, Vec<FormView>), StoreError> {
    let rules = club_rules(site.game);
    let rank = club.rank(persona.id).unwrap_or_default();
    let others: Vec<PersonaId> =
        club.members.iter().map(|member| member.persona).filter(|id| *id != persona.id).collect();
    let members = names(site, &others)?;
    let mut forms = Vec::new();
    if rank >= Rank::Officer {
        let asking = names(site, &club.asking)?;
        if !asking.is_empty() {
            let inputs = vec![
                Input::choice("who", "Driver", asking),
                Input::choice("answer", "Answer", [("admit", "yes, let in"), ("dismiss", "no")]),
            ];
            forms.push(FormView {
                heading: "Drivers who ask to join",
                ..own_form(ACTION, persona, "member", "Answer", inputs)
            });
        }
        let inputs = vec![Input::driver("name")];
        forms.push(FormView { heading: "Invite", ..own_form(ACTION, persona, "invite", "Invite", inputs) });
        let invited = names(site, &club.invited)?;
        if !invited.is_empty() {
            let inputs = vec![Input::choice("who", "Driver", invited)];
            let mut back = own_form(ACTION, persona, "member", "Take the invitation back", inputs);
            back.hidden.push(("answer", "dismiss".to_owned()));
            forms.push(back);
        }
        let inputs = vec![Input::text("title", "Title", 30), Input::text("text", "Text", 255)];
        forms.push(FormView {
            heading: "Write to all members",
            ..own_form(ACTION, persona, "write", "Send", inputs)
        });
        if !members.is_empty() {
            let mut acts = vec![("expel", "expel")];
            if rank == Rank::Captain {
                acts.extend([
                    ("officer", "make an officer"),
                    ("plain", "make a member without office"),
                    ("title", "give this title"),
                    ("captain", "make the Captain in my place"),
                ]);
            }
            let mut inputs =
                vec![Input::choice("who", "Member", members), Input::choice("answer", "What", acts)];
            if rank == Rank::Captain {
                inputs.push(Input::text("title", "Title", 20));
            }
            forms.push(FormView {
                heading: "Members",
                ..own_form(ACTION, persona, "member", "Do it", inputs)
            });
        }
    }
    if rank == Rank::Captain {
        let price =
            if club.registered_until == 0 { rules.registration_cost } else { rules.re_registration_cost };
        let text = format!("For four weeks, for {} of your own money.", money(price));
        let heading = "Turf wars";
        forms.push(FormView {
            heading,
            text,
            ..own_form(ACTION, persona, "register", "Register the club", Vec::new())
        });
        let mut inputs = vec![description().with(&club.description)];
        inputs.extend(colours(club.colours));
        forms.push(FormView {
            heading: "Description",
            ..own_form(ACTION, persona, "describe", "Change", inputs)
        });
        let sure = vec![Input::tick("sure", "Yes, close the club")];
        forms.push(FormView {
            heading: "Close the club",
            ..own_form(ACTION, persona, "disband", "Close", sure)
        });
    }
    let sure = vec![Input::tick("sure", "Yes, I leave")];
    forms.push(FormView { heading: "Leave the club", ..own_form(ACTION, persona, "leave", "Leave", sure) });
    let rows = club.members.iter().map(|member| {
        let name = names(site, &[member.persona])?.pop().map(|(_, name)| name).unwrap_or_default();
        Ok(vec![
            Cell::linked(&name, player_link(&name)),
            member.rank.name().into(),
            member.title.clone().into(),
        ])
    });
    let facts = vec![
        ("Page of the club", Cell::linked(format!("[{}]", club.acronym), format!("/clubs/{}", club.acronym))),
        ("Your rank", rank.name().into()),
    ];
    let section = Section {
        facts,
        columns: Column::plain(&["Name", "Rank", "Title"]),
        rows: rows.collect::<Result<_, StoreError>>()?,
        ..Section::default()
    };
    let page = Page { title: club.name.clone(), sections: vec![section], ..Page::default() };
    Ok((page, forms))
}

/// Does what a form of the page asks for.
pub(super) fn act(act: Act<'_>, form: &Fields) -> Done {
    (format!("{ACTION}?persona={}", act.persona.id), perform(act, form))
}

/// A colour of six digits; none if it is not one.
fn colour(text: &str) -> u32 {
    let text = text.trim().trim_start_matches('#');
    let digits = text.len() == COLOUR && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    Some(text).filter(|_| digits).and_then(|text| u32::from_str_radix(text, 16).ok()).unwrap_or(u32::MAX)
}

fn perform(act: Act<'_>, form: &Fields) -> Result<String, String> {
    let Act { site, persona, visit, request } = act;
    let (clubs, me, now) = (site.game.store.clubs(), persona.id, site.now);
    let rules = club_rules(site.game);
    let number = |field: &str| form.text(field).parse::<u32>().unwrap_or_default();
    let (club, who) = (number("club"), PersonaId(number("who")));
    let new = || NewClub {
        name: form.text("name").to_owned(),
        acronym: form.text("acronym").to_owned(),
        description: form.text("description").to_owned(),
        colours: ["front", "back", "third"].map(|field| colour(form.text(field))),
    };
    let what = form.text("do");
    if matches!(what, "leave" | "disband") && form.text("sure") != "yes" {
        return Err("Tick the box to confirm. Nothing was changed.".to_owned());
    }
    // What somebody else gets a mail about.
    let writes = matches!(what, "invite" | "ask" | "write" | "member");
    if writes && !site.game.world.page_mail.admit(request.peer, &visit.account.name, now) {
        return Err(
            "You have written many mails. Wait one minute, then try again. Nothing was changed.".to_owned()
        );
    }
    let done = match (what, form.text("answer")) {
        ("found", _) => saved(clubs.found(me, &new(), &rules, now)).map(|_| "The club is founded."),
        ("ask", _) => saved(clubs.ask(me, club, now)).map(|()| "The club is asked. Its Captain gets a mail."),
        ("answer", "accept") => saved(clubs.accept(me, club, &rules, now)).map(|()| "You are in the club."),
        ("answer" | "decline", _) => saved(clubs.decline(me, club)).map(|()| "That is settled."),
        ("invite", _) => {
            let found = site.game.store.personas().by_name(persona.shard, form.text("name").trim());
            let Some(who) = found.map_err(|error| sentence(&error))? else {
                return Err("There is no player with this name. The page Players shows all names.".to_owned());
            };
            saved(clubs.invite(me, who.id, now)).map(|()| "The driver is invited, and gets a mail.")
        }
        ("member", "admit") => {
            saved(clubs.admit(me, who, &rules, now)).map(|()| "The driver is in the club.")
        }
        ("member", "dismiss") => saved(clubs.dismiss(me, who, now)).map(|()| "That is settled."),
        ("member", "expel") => saved(clubs.expel(me, who, now)).map(|()| "The driver is expelled."),
        ("member", "officer") => {
            saved(clubs.set_officer(me, who, true, &rules)).map(|()| "There is a new officer.")
        }
        ("member", "plain") => {
            saved(clubs.set_officer(me, who, false, &rules)).map(|()| "The driver has no office.")
        }
        ("member", "title") => {
            saved(clubs.set_title(me, who, form.text("title"))).map(|()| "The title is given.")
        }
        ("member", "captain") => saved(clubs.hand_over(me, who, now)).map(|()| "The club has a new Captain."),
        ("write", _) => {
            saved(clubs.write(me, form.text("title"), form.text("text"), now)).map(|_| "The mail is sent.")
        }
        ("describe", _) => saved(clubs.describe(me, &new())).map(|()| "The description is changed."),
        ("register", _) => {
            saved(clubs.register(me, &rules, now)).map(|_| "The club is registered for the turf wars.")
        }
        ("leave", _) => saved(clubs.leave(me, now)).map(|()| "You have left the club."),
        ("disband", _) => saved(clubs.disband(me, now)).map(|()| "The club is closed."),
        _ => Err("There is no such form. Nothing was changed.".to_owned()),
    };
    let done = done.map(str::to_owned);
    if done.is_ok() {
        log::info!(
            "clubs: persona {me}: {what} {}",
            form.text("answer").chars().take(10).collect::<String>()
        );
    }
    done
}
