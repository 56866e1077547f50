//! `mcos event`, `mcos market` and `mcos auction`: race nights, and what players offer each other.

use super::output::{self, Table};
use super::{CliError, Setting, reach};
use crate::admin::city::{CityRequest, CityResponse};
use crate::admin::requests::{Request, Response};
use crate::clock::{NoMoment, Now, Zone};
use crate::store::{Goods, Night, NightPlan};
use clap::{Args, Subcommand};
use mco_proto::ids::{PartId, VehicleId};

#[derive(Debug, Subcommand)]
pub(super) enum EventCommand {
    /// List all race nights
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a race night with its table
    Show {
        /// Its number
        number: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Plan a race night
    Add(Box<NewNight>),
    /// Cancel a race night: all fees and prizes go back
    Cancel {
        /// Its number
        number: u32,
        /// Why; everybody who is registered gets a mail with it
        #[arg(long)]
        reason: String,
    },
    /// Give a car or a loose part of a persona to a race night, to be won; it is held until the end
    Prize(Prize),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("thing").required(true).args(["car", "part"]))]
pub(super) struct Prize {
    /// Number of the race night
    number: u32,
    /// Name of the persona that gives it; "mcos persona show" prints the numbers of its cars and parts
    #[arg(long, value_name = "NAME")]
    from: String,
    /// Number of the car
    #[arg(long, value_name = "N")]
    car: Option<u32>,
    /// Number of the part
    #[arg(long, value_name = "N")]
    part: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct NewNight {
    /// Its name: 3 to 40 characters
    name: String,
    /// Number of the lobby in which its races are arranged
    #[arg(long, value_name = "N")]
    lobby: u32,
    /// When it begins: a time like "2030-07-01 20:00", by the time zone in mcos.toml
    #[arg(long, value_name = "TIME")]
    start: String,
    /// How many minutes it lasts
    #[arg(long, value_name = "N", default_value_t = 120)]
    minutes: u32,
    /// Another one a week later, and so on
    #[arg(long)]
    weekly: bool,
    /// What it is about
    #[arg(long, default_value = "")]
    text: String,
    /// The best time of one race decides, not the sum of points; needs --laps, and is forward unless --direction says otherwise
    #[arg(long, requires = "laps")]
    best_time: bool,
    /// Laps of a race that counts [default: any]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    laps: u8,
    /// Only races in this direction count [default: either]
    #[arg(long, value_parser = ["forward", "backward"])]
    direction: Option<String>,
    /// Only races in which nitrous is so count [default: either]
    #[arg(long, value_parser = ["allowed", "forbidden"])]
    nitrous: Option<String>,
    /// Only cars of this class count: 1 fat fender, 2 shoebox, 3 muscle [default: any]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = clap::value_parser!(u8).range(0..=3))]
    class: u8,
    /// Lowest level of who may register [default: any]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    lowest_level: u32,
    /// Highest level of who may register [default: any]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    highest_level: u32,
    /// Dollars to register
    #[arg(long, value_name = "DOLLARS", default_value_t = 0)]
    fee: u32,
    /// Dollars that the city adds to the fees
    #[arg(long, value_name = "DOLLARS", default_value_t = 0)]
    purse: u32,
    /// How many can register
    #[arg(long, value_name = "N", default_value_t = 32)]
    most: u16,
    /// Number of the season for which it counts [default: none]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    season: u32,
}

impl NewNight {
    fn plan(self, zone: &Zone) -> Result<NightPlan, CliError> {
        let start = time(zone, &self.start)?;
        // Times can be compared only in one direction.
        let backward = self.direction.map(|direction| direction == "backward");
        let backward = backward.or(self.best_time.then_some(false));
        Ok(NightPlan {
            name: self.name,
            text: self.text,
            lobby: self.lobby,
            laps: self.laps,
            backward,
            no_nitrous: self.nitrous.map(|nitrous| nitrous == "forbidden"),
            class: self.class,
            levels: (self.lowest_level, self.highest_level),
            start,
            end: start.saturating_add(self.minutes.saturating_mul(60)),
            weekly: self.weekly,
            fee: self.fee,
            purse: self.purse,
            most: self.most,
            best_time: self.best_time,
            season: self.season,
        })
    }
}

fn time(zone: &Zone, text: &str) -> Result<u32, CliError> {
    let at = zone.read(text).and_then(|at| u32::try_from(at).map_err(|_| NoMoment::Unreadable));
    at.map_err(|why| CliError::Usage(format!("--start: \"{text}\" {why}")))
}

/// What is done with ads, and with auctions.
#[derive(Debug, Subcommand)]
pub(super) enum DealCommand {
    /// List them: of ads the newest, of auctions those that end first; at most 1000
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove one; things and bids go back to their owners, and the price of the days that an ad had left
    Remove {
        /// Its number
        number: u32,
        /// Why; its owner gets a mail with it
        #[arg(long)]
        reason: String,
    },
}

pub(super) fn event(setting: &Setting, command: EventCommand) -> Result<(), CliError> {
    let (request, json) = match command {
        EventCommand::List { json } => (CityRequest::ListNights, json),
        EventCommand::Show { number, json } => (CityRequest::ShowNight { night: number }, json),
        EventCommand::Add(night) => {
            (CityRequest::PlanNight { plan: Box::new(night.plan(setting.zone())?) }, false)
        }
        EventCommand::Cancel { number, reason } => {
            (CityRequest::CancelNight { night: number, reason }, false)
        }
        EventCommand::Prize(Prize { number, from, car, part }) => {
            let part = part.map(|part| Goods::Part(PartId(part)));
            let Some(goods) = car.map(|car| Goods::Car(VehicleId(car))).or(part) else {
                return Err(CliError::Usage("name the thing with --car or --part".to_owned()));
            };
            (CityRequest::GivePrize { night: number, persona: from, goods }, false)
        }
    };
    answer(setting, request, json)
}

pub(super) fn market(setting: &Setting, command: DealCommand) -> Result<(), CliError> {
    match command {
        DealCommand::List { json } => answer(setting, CityRequest::ListAds, json),
        DealCommand::Remove { number, reason } => {
            answer(setting, CityRequest::RemoveAd { ad: number, reason }, false)
        }
    }
}

pub(super) fn auction(setting: &Setting, command: DealCommand) -> Result<(), CliError> {
    match command {
        DealCommand::List { json } => answer(setting, CityRequest::ListAuctions, json),
        DealCommand::Remove { number, reason } => {
            answer(setting, CityRequest::RemoveAuction { auction: number, reason }, false)
        }
    }
}

/// Has it done, and prints what came of it.
fn answer(setting: &Setting, request: CityRequest, json: bool) -> Result<(), CliError> {
    let done = match request {
        CityRequest::CancelNight { .. } => "the race night is cancelled",
        CityRequest::RemoveAd { .. } => "the ad is removed",
        _ => "the auction is removed",
    };
    let response = match reach::perform(setting, Request::City(request))? {
        Response::City(response) => response,
        other => return Err(reach::unexpected(&other)),
    };
    match response {
        CityResponse::Nights(nights) if json => output::json(&nights),
        CityResponse::Nights(nights) => list(setting.zone(), &nights),
        CityResponse::Night(night) if json => output::json(&night),
        CityResponse::Night(night) => show(setting.zone(), &night),
        CityResponse::Ads { ads, .. } if json => output::json(&ads),
        CityResponse::Auctions { auctions, .. } if json => output::json(&auctions),
        CityResponse::Ads { ads, total } => {
            let mut table = Table::new(["AD", "PERSONA", "ENDS", "CATEGORY", "SELLS", "PRICE", "TEXT"]);
            for ad in &ads {
                table.row([
                    ad.ad.to_string(),
                    ad.persona.clone(),
                    setting.zone().stamp(ad.ends),
                    ad.category.clone(),
                    ad.sells.clone().unwrap_or_default(),
                    ad.price.map_or_else(String::new, |price| price.to_string()),
                    ad.text.clone(),
                ]);
            }
            table.print()?;
            rest(total, ads.len(), "ads")
        }
        CityResponse::Auctions { auctions, total } => {
            let mut table = Table::new(["AUCTION", "SELLER", "ENDS", "SELLS", "HIGHEST BID", "BIDDER"]);
            for auction in &auctions {
                table.row([
                    auction.auction.to_string(),
                    auction.seller.clone(),
                    setting.zone().stamp(auction.ends),
                    auction.sells.clone(),
                    auction.highest.map_or_else(|| "none".to_owned(), |bid| bid.to_string()),
                    auction.bidder.clone().unwrap_or_default(),
                ]);
            }
            table.print()?;
            rest(total, auctions.len(), "auctions")
        }
        CityResponse::Made(number) => output::line(&format!("race night {number} is planned")),
        CityResponse::Held(what) => output::line(&format!("{what} is held for the winner")),
        CityResponse::Done => output::line(done),
    }
}

/// How many are not shown.
fn rest(total: u32, shown: usize, what: &str) -> Result<(), CliError> {
    let more = usize::try_from(total).unwrap_or(usize::MAX).saturating_sub(shown);
    if more == 0 {
        Ok(())
    } else {
        output::line(&format!("and {more} {what} more: see the pages of the server"))
    }
}

fn state(night: &Night, now: u64) -> &'static str {
    match &night.outcome {
        Some(outcome) if outcome.cancelled.is_empty() => "over",
        Some(_) => "cancelled",
        None if night.runs_at(now) => "running",
        None if now < night.plan.start.into() => "planned",
        None => "ending",
    }
}

fn list(zone: &Zone, nights: &[Night]) -> Result<(), CliError> {
    let now = Now::read().unix;
    let mut table = Table::new(["NUMBER", "BEGINS", "STATE", "LOBBY", "REGISTERED", "PURSE", "NAME"]);
    for night in nights {
        let Night { id, plan, entries, .. } = night;
        table.row([
            id.to_string(),
            zone.stamp(plan.start),
            state(night, now).to_owned(),
            plan.lobby.to_string(),
            format!("{} of {}", entries.len(), plan.most),
            night.purse().to_string(),
            plan.name.clone(),
        ]);
    }
    table.print()
}

fn show(zone: &Zone, night: &Night) -> Result<(), CliError> {
    list(zone, std::slice::from_ref(night))?;
    let Night { plan, prizes, outcome, .. } = night;
    output::line(&format!(
        "\nends {}, fee {}{}",
        zone.stamp(plan.end),
        plan.fee,
        if plan.weekly { ", weekly" } else { "" }
    ))?;
    for prize in prizes {
        let kind = if prize.item.goods.is_car() { "car" } else { "part" };
        output::line(&format!("to win: {kind} {} (model {})", prize.item.goods.number(), prize.item.model))?;
    }
    if let Some(outcome) = outcome.as_ref().filter(|outcome| !outcome.cancelled.is_empty()) {
        output::line(&format!("it does not count: {}", outcome.cancelled))?;
    }
    let (placed, others) = night.table();
    let mut table = Table::new(["PLACE", "NAME", "POINTS", "WON", "RACES", "PRIZE"]);
    let prize = |persona| {
        let paid = outcome.iter().flat_map(|outcome| &outcome.prizes).find(|(winner, _)| *winner == persona);
        paid.map_or_else(String::new, |(_, dollars)| dollars.to_string())
    };
    let numbers = (1..=placed.len()).map(|place| place.to_string()).chain(std::iter::repeat("-".to_owned()));
    for (place, entry) in numbers.zip(placed.into_iter().chain(others)) {
        table.row([
            place,
            entry.name.clone(),
            entry.points.to_string(),
            entry.won.to_string(),
            entry.races.to_string(),
            prize(entry.persona),
        ]);
    }
    output::line("")?;
    table.print()
}
