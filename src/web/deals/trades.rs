//! The pages of trades: only their two sides see them.

use super::frame::{Party, finish};
use super::goods::{self, choices, name, named, player};
use super::{Done, dollars, no_deal, number};
use crate::services::deals;
use crate::store::{Goods, MOST_TRADED, Side, StoreError};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Cell, Column, Page, Section};
use crate::web::page::{PageResponse, Site};
use crate::web::visit::Act;
use crate::web::words::{money, player_link, sentence};
use mco_proto::ids::PersonaId;

pub(super) fn list(site: &Site<'_>, who: &Party<'_>) -> Result<PageResponse, StoreError> {
    let own = who.persona.id;
    let (trades, muted) =
        deals::with(site.game, |deals| Ok::<_, StoreError>((deals.of(own)?.trades, deals.muted_by(own)?)))?;
    let mut rows = Vec::new();
    for trade in &trades {
        let Some((mine, theirs)) = trade.seen_by(own) else { continue };
        let state = match (mine.accepted, theirs.accepted) {
            (true, _) => "you have accepted",
            (_, true) => "the other side has accepted",
            _ => "open",
        };
        let link = who.link(&format!("/trades/{}", trade.number));
        rows.push(vec![
            Cell::linked(format!("Trade {}", trade.number), link),
            player(site.game, theirs.persona)?.into(),
            state.into(),
        ]);
    }
    let table = Section {
        columns: Column::plain(&["Trade", "With", "State"]),
        rows,
        empty: "You trade with nobody at the moment.",
        ..Section::default()
    };
    let mut sections = vec![table];
    let mut forms = vec![
        FormView {
            heading: "Trade with somebody",
            action: "/trades/open",
            inputs: vec![Input::driver("with")],
            button: "Begin a trade".to_owned(),
            ..FormView::default()
        },
        FormView {
            heading: "Mute somebody",
            action: "/trades/mute",
            hidden: vec![("muted", "yes".to_owned())],
            inputs: vec![
                Input::driver("whom")
                    .helped("This driver can neither trade with you nor write to you on the pages."),
            ],
            button: "Mute".to_owned(),
            ..FormView::default()
        },
    ];
    let names =
        muted.iter().map(|muted| player(site.game, *muted)).collect::<Result<Vec<_>, StoreError>>()?;
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    if !names.is_empty() {
        sections.push(Section {
            heading: "Muted by you".to_owned(),
            columns: Column::plain(&["Driver"]),
            rows: names.iter().map(|name| vec![Cell::linked(name, player_link(name))]).collect(),
            ..Section::default()
        });
        let options = names.into_iter().map(|name| (name.clone(), name));
        forms.push(FormView {
            heading: "End muting",
            action: "/trades/mute",
            inputs: vec![Input::choice("whom", "Driver", options)],
            button: "Hear again".to_owned(),
            ..FormView::default()
        });
    }
    let intro = vec![
        "Both offer cars, loose parts and money. When both have accepted the same, everything changes hands at once. \
         Until then either can change his offer or leave."
            .to_owned(),
    ];
    finish(site, Some(who), &Page { title: "Trades".to_owned(), intro, sections, ..Page::default() }, forms)
}

/// What one side gives, and the parts of each thing of it.
fn offered(site: &Site<'_>, heading: String, gives: &Side) -> Result<(Section, Vec<Section>), StoreError> {
    let (mut things, mut parts_of_all) = (Vec::new(), Vec::new());
    for item in &gives.items {
        let kind = if item.goods.is_car() { "car" } else { "part" };
        let (name, number) = (name(site, *item), format!("{kind} {}", item.goods.number()));
        let parts = goods::parts_of(site.game, gives.persona, item.goods)?;
        let heading = format!("{name} ({number}): parts");
        parts_of_all.push(Section { heading, ..goods::parts(site, &parts) });
        things.push(vec![name.into(), number.into(), format!("{} %", goods::condition(&parts)).into()]);
    }
    let money = (gives.dollars > 0).then(|| vec![money(gives.dollars).into(), "money".into(), "-".into()]);
    let facts = vec![("Accepted", Cell::from(if gives.accepted { "yes" } else { "no" }))];
    let offer = Section {
        heading,
        facts,
        columns: Column::plain(&["What", "Number", "Condition"]),
        rows: things.into_iter().chain(money).collect(),
        empty: "Nothing is offered.",
        ..Section::default()
    };
    Ok((offer, parts_of_all))
}

pub(super) fn one(site: &Site<'_>, who: &Party<'_>, number: u32) -> Result<PageResponse, StoreError> {
    let own = who.persona.id;
    let trade = deals::with(site.game, |deals| deals.trade(number))?;
    let Some((trade, (mine, theirs))) = trade.as_ref().and_then(|trade| Some((trade, trade.seen_by(own)?)))
    else {
        return no_deal(site, Some(who));
    };
    let other = player(site.game, theirs.persona)?;
    let hidden = || vec![("trade", number.to_string()), ("version", trade.version.to_string())];
    let options = choices(site.game, &who.persona)?.into_iter().map(|(thing, text)| {
        let chosen = mine.items.iter().any(|item| item.goods == thing);
        (goods::value(thing), text, chosen)
    });
    let mut forms = vec![FormView {
        heading: "Change your offer",
        action: "/trades/offer",
        hidden: hidden(),
        inputs: vec![
            Input::dollars("dollars", "Money").with(&mine.dollars),
            Input::any_of("goods", "Cars and parts", options)
                .helped(format!("At most {MOST_TRADED}. Everybody keeps or gets a car.")),
        ],
        button: "Offer this".to_owned(),
        ..FormView::default()
    }];
    if !mine.accepted {
        let button = "Accept the trade as it is above".to_owned();
        forms.push(FormView { action: "/trades/accept", hidden: hidden(), button, ..FormView::default() });
    }
    let button = "Leave the trade".to_owned();
    forms.push(FormView { action: "/trades/leave", hidden: hidden(), button, ..FormView::default() });
    let (given, parts_given) = offered(site, "You give".to_owned(), mine)?;
    let (got, parts_got) = offered(site, format!("{other} gives"), theirs)?;
    let below = parts_got.into_iter().chain(parts_given).collect();
    let intro = vec![format!("With {other}. Load the page again to see what has changed.")];
    let page = Page {
        title: format!("Trade {number}"),
        intro,
        sections: vec![given, got],
        below,
        ..Page::default()
    };
    finish(site, Some(who), &page, forms)
}

/// Begins a trade.
pub(super) fn open(act: Act<'_>, form: &Fields) -> Done {
    let mut back = "/trades".to_owned();
    let mut work = || {
        let Act { site, persona, request, visit } = act;
        let with = named(site, form.text("with"))?;
        if !site.game.world.page_mail.admit(request.peer, &visit.account.name, site.now) {
            return Err("You have written to others very often. Wait one minute, then try again.".to_owned());
        }
        let opened = deals::with(site.game, |deals| deals.open_trade(persona.id, with.id, site.now));
        let opened = opened.map_err(|error| sentence(&error))?;
        opened.ticket.wait().map_err(|error| sentence(&error))?;
        log::info!("deals: persona {} began trade {} with {}", persona.id, opened.value, with.id);
        back = format!("/trades/{}", opened.value);
        Ok(format!("{} is told by mail. Make your offer.", with.name))
    };
    let outcome = work();
    (back, outcome)
}

/// The trade and its version in a form.
fn target(form: &Fields) -> (u32, u32) {
    (number(form.text("trade")), number(form.text("version")))
}

/// Changes what one gives.
pub(super) fn offer(act: Act<'_>, form: &Fields) -> Done {
    let target = target(form);
    let work = || {
        let things: Option<Vec<Goods>> = form.texts("goods").map(goods::parse).collect();
        let things = things.ok_or("There is no such car or part. Nothing was changed.")?;
        let dollars = dollars(form.text("dollars"))?;
        let Act { site, persona, .. } = act;
        let offered =
            deals::with(site.game, |deals| deals.offer(persona.id, target, &things, dollars, site.now));
        let offered = offered.map_err(|error| sentence(&error))?;
        offered.ticket.wait().map_err(|error| sentence(&error))?;
        Ok("Your offer is changed. Both have to accept it.".to_owned())
    };
    (format!("/trades/{}", target.0), work())
}

/// Accepts a trade.
pub(super) fn accept(act: Act<'_>, form: &Fields) -> Done {
    let target = target(form);
    let Act { site, persona, .. } = act;
    let accepted = deals::with(site.game, |deals| deals.accept(persona.id, target, site.now));
    let outcome = accepted.map_err(|error| sentence(&error)).and_then(|accepted| {
        accepted.ticket.wait().map_err(|error| sentence(&error))?;
        Ok(accepted.value)
    });
    match outcome {
        Ok(true) => {
            log::info!("deals: trade {} is done", target.0);
            ("/trades".to_owned(), Ok("The trade is done.".to_owned()))
        }
        Ok(false) => {
            let text = "You have accepted. The trade is done when the other side accepts as well.";
            (format!("/trades/{}", target.0), Ok(text.to_owned()))
        }
        Err(error) => (format!("/trades/{}", target.0), Err(error)),
    }
}

/// Leaves a trade.
pub(super) fn leave(act: Act<'_>, form: &Fields) -> Done {
    let (trade, _) = target(form);
    let Act { site, persona, .. } = act;
    let left = deals::with(site.game, |deals| deals.leave_trade(persona.id, trade, site.now));
    let outcome = left.map_err(|error| sentence(&error)).and_then(|left| {
        left.ticket.wait().map_err(|error| sentence(&error))?;
        Ok("You have left the trade. Everybody keeps what he has.".to_owned())
    });
    ("/trades".to_owned(), outcome)
}

/// Mutes somebody, or ends that.
pub(super) fn mute(act: Act<'_>, form: &Fields) -> Done {
    let work = || {
        let Act { site, persona, .. } = act;
        let whom = named(site, form.text("whom"))?;
        let (by, muted): (PersonaId, bool) = (persona.id, form.text("muted") == "yes");
        let done = deals::with(site.game, |deals| deals.mute(by, whom.id, muted));
        let done = done.map_err(|error| sentence(&error))?;
        done.ticket.wait().map_err(|error| sentence(&error))?;
        Ok(if muted {
            format!("{} can neither trade with you nor write to you.", whom.name)
        } else {
            format!("{} is no longer muted.", whom.name)
        })
    };
    ("/trades".to_owned(), work())
}
