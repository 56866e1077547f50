//! The market: classified ads.

use super::frame::{Party, finish, link, pager, with};
use super::goods::{self, choices, name, player};
use super::{Done, dollars, no_deal, number};
use crate::clock::span;
use crate::services::deals;
use crate::store::{Ad, AdCategory, Listed, NewAd, StoreError};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Cell, Column, Page, ROWS, Section};
use crate::web::page::{PageResponse, Site};
use crate::web::visit::Act;
use crate::web::words::{escaped, money, player_link, sentence, several};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Serialize;

/// A classified ad as everybody may see it.
#[derive(Clone, Debug, Serialize)]
pub(in crate::web) struct AdRow {
    number: u32,
    /// For Sale, Wanted, Club Activities or Events.
    category: &'static str,
    /// What it says.
    text: String,
    /// Who placed it.
    player: String,
    /// When it ends, in seconds since 1970.
    ends: u64,
    /// What it sells at a fixed price.
    item: Option<String>,
    /// The fixed price, in dollars.
    price: Option<u32>,
    #[serde(skip)]
    left: u32,
}

fn row(site: &Site<'_>, ad: &Ad, city: u32) -> Result<AdRow, StoreError> {
    let left = ad.ends.saturating_sub(city);
    Ok(AdRow {
        number: ad.number,
        category: ad.category.name(),
        text: ad.text.clone(),
        player: player(site.game, ad.advertiser)?,
        ends: deals::with(site.game, |deals| deals.moment(ad.ends))?,
        item: ad.offer.map(|offer| name(site, offer.item)),
        price: ad.offer.map(|offer| offer.price),
        left,
    })
}

/// The category of that letter.
fn category(letter: &str) -> Option<AdCategory> {
    AdCategory::ALL.into_iter().find(|category| letter.chars().eq([category.letter()]))
}

/// A page of the list: rows, where the next page begins, and how many ads there are in all.
pub(in crate::web) fn listed(
    site: &Site<'_>,
    query: &Fields,
) -> Result<(Vec<AdRow>, Option<String>, u32), StoreError> {
    let from = HEXLOWER_PERMISSIVE.decode(query.text("from").as_bytes()).ok().filter(|from| from.len() == 4);
    let category = category(query.text("category"));
    let (Listed { rows, next, total }, city) = deals::with(site.game, |deals| {
        Ok::<_, StoreError>((deals.ads(category, from.as_deref(), ROWS)?, deals.city_time(site.now)?))
    })?;
    let rows = rows.iter().map(|ad| row(site, ad, city)).collect::<Result<_, StoreError>>()?;
    Ok((rows, next.map(|next| HEXLOWER_PERMISSIVE.encode(&next)), total))
}

fn table(heading: &str, who: Option<&Party<'_>>, rows: &[AdRow], empty: &'static str) -> Section {
    let cells = rows.iter().map(|row| {
        let offer = row.item.as_ref().zip(row.price);
        vec![
            Cell::linked(&row.text, link(who, &format!("/market/{}", row.number))),
            row.category.into(),
            offer.map_or_else(|| "-".to_owned(), |(item, price)| format!("{item}: {}", money(price))).into(),
            if row.left == 0 { "now".to_owned() } else { span(row.left.into()) }.into(),
            Cell::linked(&row.player, player_link(&row.player)),
        ]
    });
    Section {
        heading: heading.to_owned(),
        columns: Column::plain(&["Ad", "Category", "Fixed price", "Ends in", "Driver"]),
        rows: cells.collect(),
        empty,
        ..Section::default()
    }
}

pub(super) fn list(
    site: &Site<'_>,
    who: Option<&Party<'_>>,
    query: &Fields,
) -> Result<PageResponse, StoreError> {
    let (rows, next, total) = listed(site, query)?;
    let chosen = category(query.text("category"));
    let view = |category: Option<AdCategory>| {
        let path = link(who, "/market");
        category.map_or_else(|| path.clone(), |one| with(&path, "category", one.letter()))
    };
    let all = std::iter::once(None).chain(AdCategory::ALL.map(Some));
    let choices =
        all.map(|one| (one.map_or("All", AdCategory::name).to_owned(), view(one), one == chosen)).collect();
    let mut section = table("", who, &rows, "There is no ad here at the moment.");
    section.choices = vec![choices];
    let begun = !query.text("from").is_empty();
    section.pager = pager(&view(chosen), total, "ads", begun, next);
    let mut sections = vec![section];
    let mut forms = Vec::new();
    if let Some(who) = who {
        let (own, city) = deals::with(site.game, |deals| {
            Ok::<_, StoreError>((deals.of(who.persona.id)?.ads, deals.city_time(site.now)?))
        })?;
        let rows = own.iter().map(|ad| row(site, ad, city)).collect::<Result<Vec<_>, StoreError>>()?;
        if !rows.is_empty() {
            sections.push(table("Your ads", Some(who), &rows, ""));
        }
        forms.push(placing(site, who)?);
    }
    let rules = site.game.catalog.tunables();
    let intro = vec![format!(
        "An ad costs {} for each letter and day: at most {} and {}, that is {}. It is paid at once.",
        cents(rules.classified_ad_rate),
        several(rules.classified_ad_max_size.into(), "letter"),
        several(rules.classified_ad_max_duration.into(), "day"),
        money(most_for_an_ad(site))
    )];
    finish(site, who, &Page { title: "Market".to_owned(), intro, sections, ..Page::default() }, forms)
}

/// A price in cents, as `$1` or `$1.50`.
fn cents(cents: u32) -> String {
    match cents % 100 {
        0 => money(cents / 100),
        rest => format!("{}.{rest:02}", money(cents / 100)),
    }
}

/// What the longest ad costs, in dollars.
fn most_for_an_ad(site: &Site<'_>) -> u32 {
    let rules = site.game.catalog.tunables();
    let letters = usize::try_from(rules.classified_ad_max_size).unwrap_or_default();
    rules.ad_price(letters, rules.classified_ad_max_duration).unwrap_or_default()
}

/// The form to place one.
fn placing(site: &Site<'_>, who: &Party<'_>) -> Result<FormView, StoreError> {
    let rules = site.game.catalog.tunables();
    let own = choices(site.game, &who.persona)?.into_iter().map(|(thing, text)| (goods::value(thing), text));
    let things = std::iter::once((String::new(), "nothing".to_owned())).chain(own);
    let categories = AdCategory::ALL.map(|one| (one.letter().to_string(), one.name().to_owned()));
    let days =
        (1..=rules.classified_ad_max_duration).map(|days| (days.to_string(), several(days.into(), "day")));
    let most = usize::try_from(rules.classified_ad_max_size).unwrap_or_default();
    Ok(FormView {
        heading: "Place an ad",
        action: "/market/place",
        inputs: vec![
            Input::choice("category", "Category", categories),
            Input::text("text", "Text", most),
            Input::choice("days", "Time", days),
            Input::choice("goods", "Sells", things)
                .helped("It is held until the ad is over. You keep one car."),
            Input::dollars("price", "Fixed price").helped("Whoever pays it gets the thing with one click."),
        ],
        button: "Place the ad".to_owned(),
        ..FormView::default()
    })
}

pub(super) fn one(site: &Site<'_>, who: Option<&Party<'_>>, number: u32) -> Result<PageResponse, StoreError> {
    let found = deals::with(site.game, |deals| {
        let Some(ad) = deals.ad(number)? else { return Ok::<_, StoreError>(None) };
        let parts = ad.offer.map(|offer| deals.parts_held(offer.item.goods)).transpose()?;
        Ok(Some((parts, deals.city_time(site.now)?, ad)))
    })?;
    let Some((parts, city, ad)) = found else { return no_deal(site, who) };
    let shown = row(site, &ad, city)?;
    let mut facts = vec![
        ("Ad", Cell::from(number)),
        ("Category", shown.category.into()),
        ("Driver", Cell::linked(&shown.player, player_link(&shown.player))),
        ("Ends", format!("{}, in {}", site.game.zone().stamp(shown.ends), span(shown.left.into())).into()),
    ];
    let mut below = Vec::new();
    if let (Some(item), Some(price), Some(parts)) = (&shown.item, shown.price, &parts) {
        facts.push(("Sells", item.into()));
        facts.push(("Fixed price", money(price).into()));
        facts.push(("Condition", format!("{} %", goods::condition(parts)).into()));
        below.push(goods::parts(site, parts));
    }
    let mut forms = Vec::new();
    if let Some(who) = who {
        let hidden = vec![("ad", number.to_string())];
        if who.persona.id == ad.advertiser {
            let button = "Take the ad back".to_owned();
            forms.push(FormView { action: "/market/withdraw", hidden, button, ..FormView::default() });
        } else {
            let write = format!("/me/mail?persona={}&to={}", who.persona.id, escaped(&shown.player));
            facts.push(("Answer", Cell::linked(format!("Write to {}", shown.player), write)));
            forms.extend(shown.price.map(|price| FormView {
                action: "/market/buy",
                hidden,
                button: format!("Buy for {}", money(price)),
                ..FormView::default()
            }));
        }
    }
    let sections = vec![Section { facts, ..Section::default() }];
    finish(site, who, &Page { title: shown.text, sections, below, ..Page::default() }, forms)
}

/// Places an ad.
pub(super) fn place(act: Act<'_>, form: &Fields) -> Done {
    let work = || {
        let category = category(form.text("category")).ok_or("Choose a category. Nothing was changed.")?;
        let offer = match form.text("goods") {
            "" if form.text("price").trim().is_empty() => None,
            "" => return Err("A price needs something that is sold for it: choose it, or leave the price empty. Nothing was changed.".to_owned()),
            thing => {
                let goods =
                    goods::parse(thing).ok_or("Choose what you want to sell. Nothing was changed.")?;
                Some((goods, dollars(form.text("price"))?))
            }
        };
        let new =
            NewAd { category, text: form.text("text").to_owned(), days: number(form.text("days")), offer };
        let Act { site, persona, .. } = act;
        let placed = deals::with(site.game, |deals| deals.place_ad(persona.id, new, site.now));
        let placed = placed.map_err(|error| sentence(&error))?;
        placed.ticket.wait().map_err(|error| sentence(&error))?;
        log::info!("deals: persona {} placed ad {}", persona.id, placed.value);
        Ok(format!("Ad {} is placed.", placed.value))
    };
    ("/market".to_owned(), work())
}

/// Buys what an ad sells.
pub(super) fn buy(act: Act<'_>, form: &Fields) -> Done {
    let ad = number(form.text("ad"));
    let Act { site, persona, .. } = act;
    let bought = deals::with(site.game, |deals| deals.buy(persona.id, ad, site.now));
    let outcome = bought.map_err(|error| sentence(&error)).and_then(|bought| {
        bought.ticket.wait().map_err(|error| sentence(&error))?;
        log::info!("deals: persona {} bought by ad {ad} for {}", persona.id, bought.value);
        Ok(format!("It is yours for {}.", money(bought.value)))
    });
    ("/market".to_owned(), outcome)
}

/// Takes an ad back.
pub(super) fn withdraw(act: Act<'_>, form: &Fields) -> Done {
    let ad = number(form.text("ad"));
    let Act { site, persona, .. } = act;
    let withdrawn = deals::with(site.game, |deals| deals.withdraw_ad(persona.id, ad, site.now));
    let outcome = withdrawn.map_err(|error| sentence(&error)).and_then(|withdrawn| {
        withdrawn.ticket.wait().map_err(|error| sentence(&error))?;
        log::info!("deals: persona {} took ad {ad} back", persona.id);
        Ok("The ad is taken back.".to_owned())
    });
    ("/market".to_owned(), outcome)
}
