//! A player's own money: the lines of the ledger in words, and a plot of the balance.

use super::Me;
use crate::store::{Kind, Persona, StoreError};
use crate::web::fields::Fields;
use crate::web::layout::{Cell, Pager, Window};
use crate::web::ledger_words::told;
use crate::web::page::{CachePolicy, Frame, PageResponse, Site, page};
use crate::web::plot::{self, Plot, Shape};
use crate::web::visit::Visit;
use crate::web::words::money;
use askama::Template;

#[derive(Template)]
#[template(path = "me/money.html")]
struct MoneyPage<'a> {
    frame: Frame<'a>,
    me: Me,
    balance: String,
    lines: Vec<LineRow>,
    pager: Option<Pager>,
}

struct LineRow {
    at: String,
    what: Cell,
    amount: String,
    balance: String,
}

/// A sum with its sign.
fn signed(amount: i64) -> String {
    match amount {
        0 => "-".to_owned(),
        1.. => format!("+{}", money(amount.unsigned_abs())),
        _ => format!("-{}", money(amount.unsigned_abs())),
    }
}

pub(super) fn show(
    site: &Site<'_>,
    visit: &Visit<'_>,
    persona: &Persona,
    query: &Fields,
) -> Result<PageResponse, StoreError> {
    let mut lines = site.game.store.ledger().of(persona.id)?;
    lines.reverse();
    let window = Window::of(query.text("page"), lines.len());
    let rows = window.cut(lines).into_iter().map(|(_, line)| {
        Ok(LineRow {
            at: site.game.zone().minute(line.time),
            what: told(site.game, &line)?,
            amount: if line.kind == Kind::Carried { "-".to_owned() } else { signed(line.amount) },
            balance: money(line.balance),
        })
    });
    let lines = rows.collect::<Result<_, StoreError>>()?;
    let me = Me::of(visit, Some(persona));
    let pager = window.pager(&format!("/me/money?persona={}", persona.id));
    Ok(page(&MoneyPage { frame: Frame::of(site), me, balance: money(persona.bank_balance), lines, pager }))
}

/// The balance over the last lines, as a picture.
pub(super) fn plot(
    site: &Site<'_>,
    _: &Visit<'_>,
    persona: &Persona,
    _: &Fields,
) -> Result<PageResponse, StoreError> {
    let lines = site.game.store.ledger().of(persona.id)?;
    let points: Vec<(u64, u64)> =
        lines.iter().map(|(_, line)| (u64::from(line.time), u64::from(line.balance))).collect();
    let (shape, zone) = (Shape::Steps, site.game.zone());
    let picture = plot::draw(&Plot { title: "Balance in dollars", points: &points, shape, zone });
    Ok(PageResponse { content_type: plot::TYPE, cache: CachePolicy::NoStore, ..PageResponse::text(picture) })
}
