//! The page of auctions.

use super::frame::{Party, finish, link, pager, with};
use super::goods::{self, choices, name, player};
use super::{Done, dollars, no_deal, number};
use crate::clock::span;
use crate::services::deals;
use crate::store::{Auction, BidOutcome, Goods, LAST_SECONDS, LONGEST_HOURS, Listed, NewAuction, StoreError};
use crate::web::fields::Fields;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Cell, Column, Page, ROWS, Section};
use crate::web::page::{PageResponse, Site};
use crate::web::visit::Act;
use crate::web::words::{class, money, player_link, sentence, several};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Serialize;

/// An auction as everybody may see it.
#[derive(Clone, Debug, Serialize)]
pub(in crate::web) struct AuctionRow {
    number: u32,
    /// `car` or `part`.
    kind: &'static str,
    /// What is sold.
    item: String,
    /// The condition of its worst part, in percent.
    condition: u8,
    /// The first bid, in dollars.
    start: u32,
    /// The highest bid, in dollars.
    highest: Option<u32>,
    /// The least that can be bid now, in dollars.
    least: Option<u32>,
    /// The price to buy it at once, in dollars.
    buy_now: Option<u32>,
    /// How many bids there were.
    bids: u32,
    /// When it ends, in seconds since 1970.
    ends: u64,
    /// Who sells.
    seller: String,
    #[serde(skip)]
    left: u32,
}

fn row(site: &Site<'_>, auction: &Auction, city: u32) -> Result<AuctionRow, StoreError> {
    let parts = deals::with(site.game, |deals| deals.parts_held(auction.item.goods))?;
    let left = auction.ends.saturating_sub(city);
    Ok(AuctionRow {
        number: auction.number,
        kind: if auction.item.goods.is_car() { "car" } else { "part" },
        item: name(site, auction.item),
        condition: goods::condition(&parts),
        start: auction.start,
        highest: auction.bid.map(|bid| bid.dollars),
        least: auction.least_bid(),
        buy_now: auction.buy_now,
        bids: auction.bids,
        ends: deals::with(site.game, |deals| deals.moment(auction.ends))?,
        seller: player(site.game, auction.seller)?,
        left,
    })
}

/// Which auctions are asked for: of cars, of parts, or all; and where the piece of the list begins.
fn wish(query: &Fields) -> (Option<bool>, Option<Vec<u8>>) {
    let cars = match query.text("kind") {
        "car" => Some(true),
        "part" => Some(false),
        _ => None,
    };
    (cars, HEXLOWER_PERMISSIVE.decode(query.text("from").as_bytes()).ok().filter(|from| from.len() == 8))
}

/// A page of the list: rows, where the next page begins, and how many auctions there are in all.
pub(in crate::web) fn listed(
    site: &Site<'_>,
    query: &Fields,
) -> Result<(Vec<AuctionRow>, Option<String>, u32), StoreError> {
    let (cars, from) = wish(query);
    let (Listed { rows, next, total }, city) = deals::with(site.game, |deals| {
        Ok::<_, StoreError>((deals.auctions(cars, from.as_deref(), ROWS)?, deals.city_time(site.now)?))
    })?;
    let rows = rows.iter().map(|auction| row(site, auction, city)).collect::<Result<_, StoreError>>()?;
    Ok((rows, next.map(|next| HEXLOWER_PERMISSIVE.encode(&next)), total))
}

fn table(heading: &str, who: Option<&Party<'_>>, rows: &[AuctionRow], empty: &'static str) -> Section {
    let price = |price: Option<u32>| Cell::from(price.map_or_else(|| "-".to_owned(), money));
    let cells = rows.iter().map(|row| {
        vec![
            Cell::linked(&row.item, link(who, &format!("/auctions/{}", row.number))),
            format!("{} %", row.condition).into(),
            row.highest.map_or_else(|| format!("from {}", money(row.start)), money).into(),
            price(row.buy_now),
            row.bids.into(),
            if row.left == 0 { "now".to_owned() } else { span(row.left.into()) }.into(),
            Cell::linked(&row.seller, player_link(&row.seller)),
        ]
    });
    Section {
        heading: heading.to_owned(),
        columns: Column::plain(&["What", "Condition", "Highest bid", "Buy now", "Bids", "Ends in", "Seller"]),
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
    let kind = ["car", "part"].into_iter().find(|kind| *kind == query.text("kind")).unwrap_or_default();
    let view = |kind: &str| {
        let path = link(who, "/auctions");
        if kind.is_empty() { path } else { with(&path, "kind", kind) }
    };
    let choices = [("", "All"), ("car", "Cars"), ("part", "Parts")];
    let mut section = table("", who, &rows, "There is no auction at the moment.");
    section.choices = vec![choices.map(|(value, text)| (text.to_owned(), view(value), value == kind)).into()];
    let begun = !query.text("from").is_empty();
    section.pager = pager(&view(kind), total, "auctions", begun, next);
    let mut sections = vec![section];
    let mut forms = Vec::new();
    if let Some(who) = who {
        let (own, city) = deals::with(site.game, |deals| {
            Ok::<_, StoreError>((deals.of(who.persona.id)?, deals.city_time(site.now)?))
        })?;
        for (heading, auctions) in [("Your auctions", own.auctions), ("Your highest bids", own.bids)] {
            let rows = auctions.iter().map(|auction| row(site, auction, city));
            let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
            if !rows.is_empty() {
                sections.push(table(heading, Some(who), &rows, ""));
            }
        }
        forms.extend(opening(site, who)?);
    }
    let intro = vec![format!(
        "A bid is at least a twentieth more than the one before. Its money is held. If somebody bids more, it goes back at once to the \
             one who bid before. A bid in the last {0} minutes gives the others {0} minutes more, an hour in all at most.",
        LAST_SECONDS / 60
    )];
    finish(site, who, &Page { title: "Auctions".to_owned(), intro, sections, ..Page::default() }, forms)
}

/// The form to open one, if there is anything to sell.
fn opening(site: &Site<'_>, who: &Party<'_>) -> Result<Option<FormView>, StoreError> {
    let own = choices(site.game, &who.persona)?;
    let options: Vec<_> = own.into_iter().map(|(thing, text)| (goods::value(thing), text)).collect();
    let hours = [1, 6, 12, 24, 48, LONGEST_HOURS];
    let hours = hours.map(|hours| (hours.to_string(), several(hours.into(), "hour")));
    Ok((!options.is_empty()).then(|| FormView {
        heading: "Open an auction",
        action: "/auctions/open",
        inputs: vec![
            Input::choice("goods", "What", options)
                .helped("It is held until the auction is over. You keep one car."),
            Input::dollars("start", "Start price"),
            Input::dollars("buy_now", "Buy now")
                .helped("Whoever pays this gets it at once. Leave it empty if that is not wanted."),
            Input::choice("hours", "Time", hours),
        ],
        button: "Open the auction".to_owned(),
        ..FormView::default()
    }))
}

pub(super) fn one(site: &Site<'_>, who: Option<&Party<'_>>, number: u32) -> Result<PageResponse, StoreError> {
    let found = deals::with(site.game, |deals| {
        let Some(auction) = deals.auction(number)? else { return Ok::<_, StoreError>(None) };
        Ok(Some((deals.parts_held(auction.item.goods)?, deals.city_time(site.now)?, auction)))
    })?;
    let Some((parts, city, auction)) = found else { return no_deal(site, who) };
    let shown = row(site, &auction, city)?;
    let mut facts = vec![
        ("Auction", Cell::from(number)),
        ("Seller", Cell::linked(&shown.seller, player_link(&shown.seller))),
        ("Condition", format!("{} %", shown.condition).into()),
    ];
    if let Goods::Car(car) = auction.item.goods
        && let Some(car) = site.game.store.garage().vehicle(car)?
    {
        facts.push(("Class", class(car.car_class).into()));
    }
    match auction.bid {
        Some(bid) => {
            let bidder = player(site.game, bid.bidder)?;
            facts.push(("Highest bid", format!("{} by {bidder}", money(bid.dollars)).into()));
            facts.push(("Bids", auction.bids.into()));
        }
        None => facts.push(("Start price", money(auction.start).into())),
    }
    facts.extend(auction.buy_now.map(|price| ("Buy now", money(price).into())));
    facts.push((
        "Ends",
        format!("{}, in {}", site.game.zone().stamp(shown.ends), span(shown.left.into())).into(),
    ));
    let (sections, below) = (vec![Section { facts, ..Section::default() }], vec![goods::parts(site, &parts)]);
    let hidden = vec![("auction", number.to_string())];
    let mut forms = Vec::new();
    if let Some(who) = who {
        if who.persona.id == auction.seller {
            if auction.bid.is_none() {
                let button = "Take it back".to_owned();
                forms.push(FormView { action: "/auctions/cancel", hidden, button, ..FormView::default() });
            }
        } else if let Some(least) = shown.least {
            forms.push(FormView {
                heading: "Bid",
                action: "/auctions/bid",
                hidden: hidden.clone(),
                inputs: vec![Input::dollars("dollars", "Your bid").with(&least)],
                button: "Bid".to_owned(),
                ..FormView::default()
            });
            forms.extend(auction.buy_now.map(|price| FormView {
                action: "/auctions/bid",
                hidden: hidden.into_iter().chain([("dollars", price.to_string())]).collect(),
                button: format!("Buy now for {}", money(price)),
                ..FormView::default()
            }));
        }
    }
    finish(site, who, &Page { title: shown.item, sections, below, ..Page::default() }, forms)
}

/// Opens an auction.
pub(super) fn open(act: Act<'_>, form: &Fields) -> Done {
    let work = || {
        let thing = goods::parse(form.text("goods"));
        let goods = thing.ok_or("Choose what you want to sell. Nothing was changed.")?;
        let buy_now = Some(form.text("buy_now")).filter(|text| !text.trim().is_empty()).map(dollars);
        let new = NewAuction {
            goods,
            start: dollars(form.text("start"))?,
            buy_now: buy_now.transpose()?,
            hours: number(form.text("hours")),
        };
        let Act { site, persona, .. } = act;
        let opened = deals::with(site.game, |deals| deals.open_auction(persona.id, new, site.now));
        let opened = opened.map_err(|error| sentence(&error))?;
        opened.ticket.wait().map_err(|error| sentence(&error))?;
        log::info!("deals: persona {} opened auction {}", persona.id, opened.value);
        Ok(format!("Auction {} is open.", opened.value))
    };
    ("/auctions".to_owned(), work())
}

/// Bids, or buys at once.
pub(super) fn bid(act: Act<'_>, form: &Fields) -> Done {
    let auction = number(form.text("auction"));
    let mut back = format!("/auctions/{auction}");
    let mut work = || {
        let dollars = dollars(form.text("dollars"))?;
        let Act { site, persona, .. } = act;
        let bid = deals::with(site.game, |deals| deals.bid(persona.id, auction, dollars, site.now));
        let bid = bid.map_err(|error| sentence(&error))?;
        bid.ticket.wait().map_err(|error| sentence(&error))?;
        log::info!("deals: persona {} bid in auction {auction}: {:?}", persona.id, bid.value);
        Ok(match bid.value {
            BidOutcome::Highest(dollars) => format!("You have the highest bid: {} are held.", money(dollars)),
            BidOutcome::Bought(dollars) => {
                "/auctions".clone_into(&mut back);
                format!("It is yours for {}.", money(dollars))
            }
        })
    };
    let outcome = work();
    (back, outcome)
}

/// Takes back what nobody has bid for.
pub(super) fn cancel(act: Act<'_>, form: &Fields) -> Done {
    let auction = number(form.text("auction"));
    let Act { site, persona, .. } = act;
    let cancelled = deals::with(site.game, |deals| deals.cancel_auction(persona.id, auction, site.now));
    let outcome = cancelled.map_err(|error| sentence(&error)).and_then(|cancelled| {
        cancelled.ticket.wait().map_err(|error| sentence(&error))?;
        log::info!("deals: persona {} took back what auction {auction} was to sell", persona.id);
        Ok("You have it back.".to_owned())
    });
    ("/auctions".to_owned(), outcome)
}
