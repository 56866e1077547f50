//! The players' deals for the Operator: what is offered, and removing what offends.

use super::actions::{self, Effect};
use super::pages::{self, Frame};
use super::request::{Form, OperatorRequest, OperatorResponse};
use crate::admin::city::CityRequest;
use crate::admin::requests::Request;
use crate::services::Game;
use crate::services::deals::{self, CityRules};
use crate::store::{DealRules as _, StoreError};
use crate::web::deals::player;
use crate::web::forms::{FormView, Input};
use crate::web::layout::{Cell, Column, Page, ROWS, Section};
use crate::web::words::money;

/// The page, to which its forms go.
pub(super) const PAGE: &str = "/operator/deals";

pub(super) fn page(game: &Game, frame: Frame<'_>) -> OperatorResponse {
    match content(game) {
        Ok((page, forms)) => pages::content(frame, page, forms),
        Err(error) => pages::trouble(frame, &error),
    }
}

fn content(game: &Game) -> Result<(Page, Vec<FormView>), StoreError> {
    let rules = CityRules(&game.catalog);
    let (ads, auctions) = deals::with(game, |deals| {
        Ok::<_, StoreError>((deals.ads(None, None, ROWS)?, deals.auctions(None, None, ROWS)?))
    })?;
    let ends =
        |city| deals::with(game, |deals| deals.moment(city)).map(|at| Cell::from(game.zone().minute(at)));
    let ad_rows = ads.rows.iter().map(|ad| {
        let offer = ad.offer.map(|offer| format!("{}: {}", rules.name(offer.item), money(offer.price)));
        Ok(vec![
            ad.number.into(),
            Cell::linked(&ad.text, format!("/market/{}", ad.number)),
            offer.unwrap_or_else(|| "-".to_owned()).into(),
            ends(ad.ends)?,
            player(game, ad.advertiser)?.into(),
        ])
    });
    let auction_rows = auctions.rows.iter().map(|auction| {
        Ok(vec![
            auction.number.into(),
            Cell::linked(rules.name(auction.item), format!("/auctions/{}", auction.number)),
            auction.bid.map_or_else(|| "-".to_owned(), |bid| money(bid.dollars)).into(),
            ends(auction.ends)?,
            player(game, auction.seller)?.into(),
        ])
    });
    let sections = vec![
        Section {
            heading: format!("Ads: the newest of {}", ads.total),
            columns: Column::plain(&["Number", "Ad", "Fixed price", "Ends", "Driver"]),
            rows: ad_rows.collect::<Result<_, StoreError>>()?,
            empty: "There is no ad.",
            ..Section::default()
        },
        Section {
            heading: format!("Auctions: the first to end of {}", auctions.total),
            columns: Column::plain(&["Number", "What", "Highest bid", "Ends", "Seller"]),
            rows: auction_rows.collect::<Result<_, StoreError>>()?,
            empty: "There is no auction.",
            ..Section::default()
        },
    ];
    let form = |what: &str, heading, button: &str, text: &str| FormView {
        heading,
        text: text.to_owned(),
        action: PAGE,
        button: button.to_owned(),
        hidden: vec![("do", what.to_owned())],
        inputs: vec![Input::text("number", "Number", 10), Input::text("why", "Why", 100)],
        ..FormView::default()
    };
    let forms = vec![
        form(
            "ad",
            "Remove an ad",
            "Remove the ad",
            "What it sells goes back, with the price of each whole day that was left. Its driver gets a mail with the reason.",
        ),
        form(
            "auction",
            "Remove an auction",
            "Remove the auction",
            "The thing goes back to the seller, and the highest bid to the bidder. Both get a mail with the reason.",
        ),
    ];
    let intro = vec![
        "All ads and auctions, with their numbers in the address, are on the pages Market and Auctions."
            .to_owned(),
    ];
    Ok((Page { title: "Deals".to_owned(), intro, sections, ..Page::default() }, forms))
}

/// Carries out a form of this page; `None` if it is none.
pub(super) fn act(game: &Game, request: &OperatorRequest<'_>, form: &Form) -> Option<Effect> {
    if request.path != PAGE {
        return None;
    }
    let Ok(number) = form.fields.text("number").trim().parse() else {
        return Some(Effect::refused(PAGE, "Enter the number of the ad or auction. Nothing was changed."));
    };
    let reason = form.fields.text("why").to_owned();
    let (done, wish) = match form.fields.text("do") {
        "ad" => ("The ad is removed.", CityRequest::RemoveAd { ad: number, reason }),
        "auction" => ("The auction is removed.", CityRequest::RemoveAuction { auction: number, reason }),
        _ => return Some(Effect::refused(PAGE, "There is no such form.")),
    };
    Some(actions::perform(game, PAGE, Request::City(wish), done, request.now))
}
