//! What a Client fetches once, on its way to the Home screen. None of it depends on who asks, but for the address by
//! which he reached us.

use super::{Answer, Request};
use crate::catalog;
use crate::config::HostName;
use crate::services::{Outcome, deals};
use mco_proto::TooLong;
use mco_proto::bytes::{Bool16, PagedList, Rest};
use mco_proto::mcots::lists::{
    ArcadeCar, ArcadeCars, EntryFeePurses, GameUrl, GameUrls, Lobbies, LobbyInfo, Purse, Tunables,
};
use mco_proto::mcots::{GenericReply, GenericRequest, Message, number};
use mco_proto::text::Chars;

/// 324: the lobbies, and with the same sequence the purses (*captured*: the Client counts both).
pub(super) fn lobbies(request: &Request<'_>, _: &GenericRequest) -> Answer {
    let catalog = &request.game.catalog;
    let lobbies = Lobbies { lobbies: PagedList::first_n(catalog.lobbies().iter().map(lobby)) };
    let purses = catalog.purses().iter().map(|&(entry_fee, purse)| Purse { entry_fee, purse });
    let purses = EntryFeePurses { purses: PagedList::first_n(purses) };
    Ok(Outcome::replies([lobbies.body(), purses.body()]))
}

fn lobby(lobby: &catalog::Lobby) -> LobbyInfo {
    LobbyInfo {
        lobby: lobby.id,
        race_type: lobby.race_type.number(),
        turf: 0,
        name: Chars::first_n(&lobby.channel),
        turf_name: Chars::first_n(&lobby.turf),
        client_art: Chars::default(),
        element: lobby.track,
        turf_length: 0,
        start_slice: 0,
        end_slice: 0,
        drag_stage_left: 0,
        drag_stage_right: 0,
        drag_staging_slice: 0,
        grid_spread_factor: 0,
        linear: Bool16(lobby.linear),
        players: lobby.players,
        laps: lobby.laps,
        rounds: lobby.rounds,
        weather: lobby.weather,
        night: lobby.night,
        backwards: lobby.backwards,
        traffic: lobby.traffic,
        driver_ai: lobby.driver_ai,
        reserved: [0; 180],
    }
}

/// 322: the cars that arcade lobbies lend out.
pub(super) fn arcade_cars(request: &Request<'_>, _: &GenericRequest) -> Answer {
    let cars = request.game.catalog.arcade_cars().iter();
    let cars = PagedList::first_n(cars.map(|&(model, lobby)| ArcadeCar { model, lobby }));
    Ok(Outcome::reply(ArcadeCars { cars }.body()))
}

/// 363: the web pages that the game opens, at the address by which this Client knows us.
pub(super) fn game_urls(request: &Request<'_>, _: &GenericRequest) -> Answer {
    let reached = HostName::from_address(request.caller.local.ip());
    let host = request.game.config.network.public_host.as_ref().unwrap_or(&reached);
    let site = host.front_page(request.game.ports.http);
    let pages = request.game.catalog.game_pages();
    let pages = pages.map(|(id, path)| Ok(GameUrl { id, url: Chars::new(&format!("{site}{path}"))? }));
    let urls = PagedList::new(pages.collect::<Result<Vec<_>, TooLong>>()?)?;
    Ok(Outcome::reply(GameUrls { urls }.body()))
}

/// 389: the rules in numbers.
pub(super) fn tunables(request: &Request<'_>, _: &GenericRequest) -> Answer {
    let rules = request.game.catalog.tunables();
    let factor = |percent| f64::from(percent) / 100.0;
    let tunables = Tunables {
        club_creation_cost: rules.club_creation_cost,
        club_creation_level: rules.club_creation_level,
        club_officer_level: rules.club_officer_level,
        // The Client knows a size for each level only. 108 has the true one, so this is the one of the first levels.
        inventory_per_level: rules.inventory,
        cars_per_level: rules.cars_per_level,
        max_ez_street_level: rules.max_ez_street_level,
        club_switch_cooldown: rules.club_switch_cooldown,
        repair_cost_modifier: factor(rules.repair_percent),
        scrap_value_modifier: factor(rules.scrap_percent),
        ad_costs: rules.ad_costs,
        trade_in_modifier: factor(rules.trade_in_percent),
        sim_street_max_wager: rules.max_wager,
        salary_per_level: rules.salary_per_level,
        club_max_members: rules.club_max_members,
        club_registration_cost: rules.club_registration_cost,
        club_re_registration_cost: rules.club_re_registration_cost,
        classified_ad_rate: rules.classified_ad_rate,
        classified_ad_max_duration: rules.classified_ad_max_duration,
        classified_ad_max_size: rules.classified_ad_max_size,
        classified_ad_max_count: rules.classified_ad_max_count,
    };
    Ok(Outcome::reply(tunables.body()))
}

/// 490: how many advertisements there are, if it is switched on that the game hears of them (*inferred*).
pub(super) fn count_advertisements(request: &Request<'_>, _: &Rest) -> Answer {
    let game = request.game;
    let ads = if game.config.compat.count_ads { deals::with(game, |deals| deals.count_ads())? } else { 0 };
    Ok(Outcome::reply(GenericReply::value(number::CLASSIFIED_AD_GET_COUNT, ads)))
}
