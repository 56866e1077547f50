//! Race nights for a player: registering, and planning them as the Captain of a club.

use super::club::finish;
use super::{own_form, saved};
use crate::services::deals::CityRules;
use crate::store::{Host, Night, Persona, StoreError};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Cell, Column, Page, Section};
use crate::web::night_form;
use crate::web::page::{PageResponse, Site};
use crate::web::visit::{Act, Visit};
use crate::web::words::{moment, money, track};

const ACTION: &str = "/me/events";

fn choice<'n>(nights: impl Iterator<Item = &'n Night>) -> Vec<(u32, String)> {
    let text = |night: &Night| {
        format!("{}: {}, fee {}", moment(night.plan.start), night.plan.name, money(night.plan.fee))
    };
    nights.map(|night| (night.id, text(night))).collect()
}

pub(super) fn show(
    site: &Site<'_>,
    visit: &Visit<'_>,
    persona: &Persona,
    _: &Fields,
) -> Result<PageResponse, StoreError> {
    let store = &site.game.store;
    let nights = store.nights().open()?;
    let is_in = |night: &&Night| night.entries.iter().any(|entry| entry.persona == persona.id);
    let rows = nights.iter().filter(is_in).map(|night| {
        vec![
            moment(night.plan.start).into(),
            Cell::linked(&night.plan.name, format!("/events/{}", night.id)),
            track(&site.game.catalog, night.plan.lobby).into(),
            money(night.plan.fee).into(),
        ]
    });
    let section = Section {
        columns: Column::plain(&["Begins (UTC)", "Race night", "Track", "Fee"]),
        rows: rows.collect(),
        empty: "You are registered for none.",
        ..Section::default()
    };
    let mut forms = Vec::new();
    let free = choice(nights.iter().filter(|night| !is_in(night)));
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
    let mine = choice(nights.iter().filter(|night| is_in(night) && !begun(night)));
    if !mine.is_empty() {
        let inputs = vec![Input::choice("night", "Race night", mine)];
        forms.push(FormView {
            heading: "Withdraw",
            ..own_form(ACTION, persona, "withdraw", "Withdraw", inputs)
        });
    }
    let club = store.clubs().of(persona.id)?.filter(|club| club.captain() == Some(persona.id));
    if let Some(club) = club.filter(|_| site.game.config.game.club_race_nights) {
        let own = choice(nights.iter().filter(|night| night.club == club.id));
        if !own.is_empty() {
            let inputs = vec![Input::choice("night", "Race night", own), Input::text("why", "Why", 100)];
            forms.push(FormView {
                heading: "Cancel one of my club's",
                ..own_form(ACTION, persona, "cancel", "Cancel it", inputs)
            });
        }
        let inputs = night_form::inputs(&site.game.catalog, None, site.now);
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
    let page = Page { title, intro, sections: vec![section], ..Page::default() };
    Ok(finish(site, visit, persona, page, forms))
}

/// Does what a form of the page asks for.
pub(super) fn act(act: Act<'_>, form: &Fields) -> PageResponse {
    act.visit.done(&format!("{ACTION}?persona={}", act.persona.id), perform(act, form))
}

fn perform(act: Act<'_>, form: &Fields) -> Result<String, String> {
    let Act { site, persona, .. } = act;
    let (nights, me, now) = (site.game.store.nights(), persona.id, site.now);
    let night = form.text("night").parse().unwrap_or_default();
    let host = Host::Captain(me);
    let may_plan = site.game.config.game.club_race_nights;
    let what = form.text("do");
    let done = match what {
        "register" => saved(nights.register(night, me, now)).map(|()| "You are registered.".to_owned()),
        "withdraw" => {
            saved(nights.withdraw(night, me, now)).map(|()| "You have withdrawn. The fee is back.".to_owned())
        }
        "plan" | "cancel" if !may_plan => {
            Err("On this server only the operator plans race nights: ask the operator. Nothing was changed."
                .to_owned())
        }
        "plan" => {
            let plan = night_form::read(&site.game.catalog, form)?;
            saved(nights.plan(host, &plan, now)).map(|id| format!("Race night {id} is planned."))
        }
        "cancel" => {
            saved(nights.cancel(&CityRules(&site.game.catalog), host, (night, form.text("why")), now))
                .map(|()| "The race night is cancelled.".to_owned())
        }
        _ => Err("There is no such form. Nothing was changed.".to_owned()),
    };
    if done.is_ok() {
        log::info!("race nights: persona {me}: {what}");
    }
    done
}
