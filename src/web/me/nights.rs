//! Race nights for a player: registering, and planning them as the Captain of a club.

use super::club::finish;
use super::{own_form, saved};
use crate::clock::Zone;
use crate::services::{self, deals::CityRules};
use crate::store::{DealRules as _, Host, Night, Persona, StoreError};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Cell, Column, Page, Section};
use crate::web::night_form;
use crate::web::page::{PageResponse, Site};
use crate::web::visit::{Act, Done, Visit};
use crate::web::words::{money, track};

const ACTION: &str = "/me/events";

fn choice<'n>(zone: &Zone, nights: impl Iterator<Item = &'n Night>) -> Vec<(u32, String)> {
    let text = |night: &Night| {
        format!("{}: {}, fee {}", zone.stamp(night.plan.start), night.plan.name, money(night.plan.fee))
    };
    nights.map(|night| (night.id, text(night))).collect()
}

pub(super) fn show(
    site: &Site<'_>,
    visit: &Visit<'_>,
    persona: &Persona,
    query: &Fields,
) -> Result<PageResponse, StoreError> {
    let (store, zone) = (&site.game.store, site.game.zone());
    let nights = store.nights().open()?;
    let club = store.clubs().of(persona.id)?.filter(|club| club.captain() == Some(persona.id));
    let club = club.filter(|_| site.game.config.game.club_race_nights);
    let of_club = |night: &&Night| club.as_ref().is_some_and(|club| club.id == night.club);
    let asked = nights.iter().filter(of_club).find(|night| night.id.to_string() == query.text("cancel"));
    if let Some(night) = asked {
        let (title, form) = night_form::cancelling(zone, night);
        let back = ("No, back to the race nights".to_owned(), page_of(persona), false);
        let below = vec![Section { choices: vec![vec![back]], ..Section::default() }];
        let page = Page { title, below, ..Page::default() };
        return Ok(finish(site, visit, persona, page, vec![about(persona, form)]));
    }
    let is_in = |night: &&Night| night.entries.iter().any(|entry| entry.persona == persona.id);
    let rows = nights.iter().filter(is_in).map(|night| {
        vec![
            zone.minute(night.plan.start).into(),
            Cell::linked(&night.plan.name, format!("/events/{}", night.id)),
            track(&site.game.catalog, night.plan.lobby).into(),
            money(night.plan.fee).into(),
        ]
    });
    let section = Section {
        columns: Column::plain(&["Begins", "Race night", "Track", "Fee"]),
        rows: rows.collect(),
        empty: "You are registered for none.",
        ..Section::default()
    };
    let mut forms = Vec::new();
    let free = choice(zone, nights.iter().filter(|night| !is_in(night)));
    if !free.is_empty() {
        let inputs = vec![Input::choice("night", "Race night", free)];
        let text =
            "The fee is held until the race night is over, and comes back if it is cancelled.".to_owned();
        forms.push(FormView {
            heading: "Register",
            text,
            ..own_form(ACTION, persona, "register", "Register", inputs)
        });
    }
    let begun = |night: &&Night| site.now.unix >= night.plan.start.into();
    let mine = choice(zone, nights.iter().filter(|night| is_in(night) && !begun(night)));
    if !mine.is_empty() {
        let inputs = vec![Input::choice("night", "Race night", mine)];
        forms.push(FormView {
            heading: "Withdraw",
            ..own_form(ACTION, persona, "withdraw", "Withdraw", inputs)
        });
    }
    let mut sections = vec![section];
    if club.is_some() {
        let rows = nights.iter().filter(of_club).map(|night| {
            vec![
                zone.minute(night.plan.start).into(),
                Cell::linked(&night.plan.name, format!("/events/{}", night.id)),
                night.entries.len().into(),
                night.prizes.len().into(),
                Cell::linked("Cancel", format!("{}&cancel={}", page_of(persona), night.id)),
            ]
        });
        sections.push(Section {
            heading: "Of your club".to_owned(),
            columns: Column::plain(&["Begins", "Race night", "Registered", "Prizes", ""]),
            rows: rows.collect(),
            empty: "Your club has planned none.",
            ..Section::default()
        });
        let prize = night_form::prize(site.game, nights.iter().filter(of_club), persona, site.now)?;
        forms.extend(prize.map(|form| about(persona, form)));
        let inputs = night_form::inputs(site.game, None, site.now);
        let text =
            "As the Captain of a club you plan a race night for the fees of those who register.".to_owned();
        forms.push(FormView {
            heading: "Plan a race night",
            text,
            ..own_form(ACTION, persona, "plan", "Plan it", inputs)
        });
    }
    let title = format!("Race nights of {}", persona.name);
    let intro = vec!["The page Events shows all race nights with their tables.".to_owned()];
    let page = Page { title, intro, sections, ..Page::default() };
    Ok(finish(site, visit, persona, page, forms))
}

/// The address of the page of a driver.
fn page_of(persona: &Persona) -> String {
    format!("{ACTION}?persona={}", persona.id)
}

/// A form that the operator has as well, about a driver.
fn about(persona: &Persona, form: FormView) -> FormView {
    let persona = vec![("persona", persona.id.to_string())];
    FormView { action: ACTION, hidden: [persona, form.hidden].concat(), ..form }
}

/// Does what a form of the page asks for. After a race night that was not cancelled comes its question again.
pub(super) fn act(act: Act<'_>, form: &Fields) -> Done {
    let (outcome, mut page) = (perform(act, form), page_of(act.persona));
    if outcome.is_err() && form.text("do") == "cancel" {
        page = format!("{page}&cancel={}", form.text("night").parse::<u32>().unwrap_or_default());
    }
    (page, outcome)
}

fn perform(act: Act<'_>, form: &Fields) -> Result<String, String> {
    let Act { site, persona, .. } = act;
    let (me, now) = (persona.id, site.now);
    let nights = site.game.store.nights().in_zone(site.game.zone());
    let night = form.text("night").parse().unwrap_or_default();
    let (host, rules) = (Host::Captain(me), CityRules(&site.game.catalog));
    let may_plan = site.game.config.game.club_race_nights;
    let what = form.text("do");
    let done = match what {
        "register" => saved(nights.register(night, me, now)).map(|()| "You are registered.".to_owned()),
        "withdraw" => saved(nights.withdraw(night, me, now)).map(|back| match back {
            0 => "You have withdrawn.".to_owned(),
            _ => format!("You have withdrawn. The fee is back: {}.", money(back)),
        }),
        "plan" | "cancel" | "prize" if !may_plan => {
            Err("On this server only the operator plans race nights: ask the operator. Nothing was changed."
                .to_owned())
        }
        "plan" => {
            let plan = night_form::read(site.game.zone(), form)?;
            let planned = services::nights::plan(&site.game.catalog, nights, host, &plan, now);
            saved(planned).map(|id| format!("Race night {id} is planned."))
        }
        "prize" => {
            let given = nights.give_prize(&rules, host, (night, me, night_form::goods(form)?), now);
            saved(given).map(|item| format!("{} is held for the winner.", rules.name(item)))
        }
        "cancel" => saved(nights.cancel(&rules, host, (night, form.text("why")), now))
            .map(|()| "The race night is cancelled.".to_owned()),
        _ => Err("There is no such form. Nothing was changed.".to_owned()),
    };
    if done.is_ok() {
        log::info!("race nights: persona {me}: {what}");
    }
    done
}
