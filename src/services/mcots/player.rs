//! What is known of a player, and what a player may change. Everybody may be asked for; only oneself can be changed.

use super::{Answer, Refusal, Request};
use crate::catalog::rules::{points_to_next_level, points_to_next_rank};
use crate::services::{Outcome, send_away};
use crate::store::{self, Persona, PersonaError, Plate, StoreError};
use mco_proto::bytes::{Bool8, PagedList};
use mco_proto::ids::{PersonaId, VehicleId};
use mco_proto::mcots::garage::MOST_SHORT;
use mco_proto::mcots::player::{
    CarNumbers, Physical, PlayerInfo, PlayerName, PlayerPhysicalInfo, PlayerRacingHistory, RaceRow,
    SetOptions, SetPersonaDescription, UpdatePlayerPhysical,
};
use mco_proto::mcots::session::Timestamp;
use mco_proto::mcots::{Body, GenericReply, GenericRequest, Message, Number, number};
use mco_proto::text::Chars;

/// The persona that `request` asks for.
fn asked_for(request: &Request<'_>, asked: &GenericRequest) -> Result<Persona, Refusal> {
    let data = asked.data;
    let persona = request.game.store.personas().by_id(PersonaId(data))?;
    persona.ok_or_else(|| Refusal::because(format!("there is no persona {data}")))
}

fn clamped<T: TryFrom<u64>>(number: u64, most: T) -> T {
    T::try_from(number).unwrap_or(most)
}

/// 108: everything about a player but, unless he asks himself, the bank balance: nobody is told that of others (*documented*). The
/// answer has the same number (*captured*).
pub(super) fn info(request: &Request<'_>, asked: &GenericRequest) -> Answer {
    let persona = asked_for(request, asked)?;
    let garage = request.game.store.garage();
    // As many as 173 lists.
    let vehicles = garage.vehicles(persona.id)?.len().min(MOST_SHORT) as u64;
    let loose = garage.loose_parts(persona.id)?;
    let loose = loose.iter().filter(|part| part.parent.is_none()).count() as u64;
    let coming = garage.expected(persona.id)?;
    let own = persona.id == request.player.persona;
    let rules = request.game.catalog.tunables();
    let sum = |of: fn(&store::RaceRecord) -> u32| persona.history.iter().map(|row| u64::from(of(row))).sum();
    let info = PlayerInfo {
        player: persona.id,
        name: Chars::first_n(&persona.name),
        drivers_licence: Chars::default(),
        driver_class: persona.driver_class,
        bank_balance: if own { persona.bank_balance } else { 0 },
        vehicles: clamped(vehicles, u16::MAX),
        is_logged_on: Bool8(request.game.world.presence.in_use(persona.id, request.now)),
        car_numbers: CarNumbers(persona.car_numbers.each_ref().map(|number| Chars::first_n(number))),
        plate_code: persona.plate.code,
        plate_text: Chars::first_n(&persona.plate.text),
        car_info_setting: persona.car_info_setting,
        vehicle: persona.vehicle.unwrap_or(VehicleId(0)),
        races_entered: persona.races_entered,
        races_won: persona.races_won,
        races_completed: persona.races_completed,
        total_winnings: persona.total_winnings,
        // What the insurance was about is not known: no Client was ever told anything else than zeros.
        insurance_risk: 0,
        insurance_points: 0,
        challenge_races_entered: 0,
        challenge_races_won: 0,
        challenge_races_completed: 0,
        cars_won: clamped(sum(|row| row.cars_won), u16::MAX),
        cars_lost: clamped(sum(|row| row.cars_lost), u16::MAX),
        points: persona.points,
        current_level: persona.level,
        current_rank: persona.rank,
        points_to_next_level: clamped(points_to_next_level(persona.points).into(), u16::MAX),
        points_to_next_rank: clamped(points_to_next_rank(persona.points).into(), u16::MAX),
        max_inventory_slots: clamped(rules.parts_room(persona.level) as u64, u32::MAX),
        inventory_slots_used: clamped(loose, u32::MAX),
        inventory_on_auction: if own { coming.on_auction } else { 0 },
        highest_bids: if own { clamped(coming.bids, u32::MAX) } else { 0 },
        club: club_of(request, persona.id)?,
        date_left_club: Timestamp::NONE,
        can_be_invited_to_club: Bool8(false),
        description: Chars::first_n(&persona.description),
    };
    Ok(Outcome::reply(info.body()))
}

/// The number of a player's club, if that is told: no Client was ever told one.
fn club_of(request: &Request<'_>, persona: PersonaId) -> Result<u32, StoreError> {
    if !request.game.config.compat.club_in_player_info {
        return Ok(0);
    }
    Ok(request.game.store.clubs().membership(persona)?.club)
}

/// 164: only the name. Shops and offices have one too.
pub(super) fn name(request: &Request<'_>, body: &GenericRequest) -> Answer {
    let GenericRequest { data, .. } = *body;
    let player = PersonaId(data);
    // A player may have the number of an office, from before these were kept free.
    let name = match (asked_for(request, body), request.game.catalog.system_persona(player)) {
        (Err(_), Some(office)) => office.name.to_owned(),
        (persona, _) => persona?.name,
    };
    Ok(Outcome::reply(PlayerName { player, name: Chars::first_n(&name) }.body()))
}

/// 264: the looks.
pub(super) fn physical(request: &Request<'_>, asked: &GenericRequest) -> Answer {
    let persona = asked_for(request, asked)?;
    let looks = persona.physical;
    let physical = Physical {
        player: persona.id,
        body_type: looks.body_type,
        hair_color: looks.hair_color,
        skin_color: looks.skin_color,
        shirt_color: looks.shirt_color,
        pants_color: looks.pants_color,
    };
    Ok(Outcome::reply(PlayerPhysicalInfo { physical }.body()))
}

/// 361: what came of the races, by kind.
pub(super) fn racing_history(request: &Request<'_>, asked: &GenericRequest) -> Answer {
    let persona = asked_for(request, asked)?;
    let rows = persona.history.iter().map(|row| RaceRow {
        race_type: row.race_type,
        entered: row.entered,
        finished: row.finished,
        won: row.won,
        cars_won: row.cars_won,
        cars_lost: row.cars_lost,
        championships_won: row.championships_won,
        cash_won: row.cash_won,
    });
    Ok(Outcome::reply(PlayerRacingHistory { player: persona.id, races: PagedList::first_n(rows) }.body()))
}

/// 266: new looks, of oneself. A persona that is just being made may not know its own number yet.
pub(super) fn update_physical(request: &Request<'_>, body: &UpdatePlayerPhysical) -> Answer {
    let UpdatePlayerPhysical { physical: looks } = body;
    if looks.player != request.player.persona && looks.player != PersonaId(0) {
        return Err(Refusal::because(format!("these are the looks of persona {}", looks.player)));
    }
    let physical = store::Physical {
        body_type: looks.body_type,
        hair_color: looks.hair_color,
        skin_color: looks.skin_color,
        shirt_color: looks.shirt_color,
        pants_color: looks.pants_color,
    };
    change(request, number::UPDATE_PLAYER_PHYSICAL, |persona| persona.physical = physical)
}

/// 109: licence plate, numbers on the doors, display of car data.
pub(super) fn set_options(request: &Request<'_>, body: &SetOptions) -> Answer {
    let SetOptions { plate_code: code, plate_text, car_info_setting, car_numbers } = body;
    let text = first(plate_text, 7);
    let car_numbers = car_numbers.0.each_ref().map(|number| first(number, 2));
    if car_numbers.iter().chain([&text]).any(|text| text.chars().any(char::is_control)) {
        return Err(Refusal::because("there are control characters in a plate or number"));
    }
    change(request, number::SET_OPTIONS, |persona| {
        persona.plate = Plate { code: *code, text: text.clone() };
        persona.car_info_setting = *car_info_setting;
        persona.car_numbers.clone_from(&car_numbers);
    })
}

/// 492: what a player says about himself. The Client shows "Please wait" until 101 or 494 says it is stored or 493 says
/// it is unfit; unfit is only what would not be text. Line ends and tabs are what an edit field may hold.
pub(super) fn set_description(request: &Request<'_>, body: &SetPersonaDescription) -> Answer {
    let SetPersonaDescription { description } = body;
    let description = first(description, 255);
    if description.chars().any(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t')) {
        log::info!("mcots: {} describes himself with control characters: rejected", request.caller);
        let unfit = GenericReply { request: number::SET_PERSONA_DESCRIPTION, result: 0, data: 0, data2: 0 };
        return Ok(Outcome::reply(Body::carrying(number::FILTHY_TEXT, &unfit)));
    }
    change(request, number::SET_PERSONA_DESCRIPTION, |persona| persona.description.clone_from(&description))
}

/// The first `most` characters of a field: one that came without its NUL holds a character more than may be stored.
fn first<const N: usize>(text: &Chars<N>, most: usize) -> String {
    text.to_string().chars().take(most).collect()
}

/// Changes the connection's own persona. The Client hears of it when it is on the card.
fn change(request: &Request<'_>, number: Number, change: impl Fn(&mut Persona)) -> Answer {
    let changed = request.game.store.personas().update(request.player.persona, change)?;
    Ok(Outcome::reply(GenericReply::success(number)).after(changed.ticket))
}

/// 320: the persona goes, with all it owns. A Client says so here too after it did on 8228, so one that is gone already
/// is fine.
pub(super) fn delete(request: &Request<'_>, body: &GenericRequest) -> Answer {
    let GenericRequest { data, .. } = *body;
    let persona = request.player.persona;
    if PersonaId(data) != persona {
        return Err(Refusal::because(format!("persona {data} is not the one of this connection")));
    }
    let answer = Outcome::reply(GenericReply::success(number::DELETE_PERSONA));
    let day = request.game.config.game.deletion_day;
    match request.game.store.personas().by_id(persona)? {
        None => return Ok(answer),
        Some(record) if !request.game.may_be_deleted(&record, request.now) => {
            return Err(Refusal::because(format!("it can't be deleted before day {day} of its life")));
        }
        Some(_) => {}
    }
    match request.game.store.personas().delete(request.player.customer, persona, request.now) {
        Ok(deleted) => {
            log::info!("mcots: {} is deleted by its customer {}", request.caller, request.player.customer);
            let mut others = request.game.world.presence.forget(persona);
            others.retain(|connection| *connection != request.caller.connection);
            Ok(Outcome { pushes: send_away(request.game, others), ..answer }.after(deleted.ticket))
        }
        Err(PersonaError::NotFound) => Ok(answer),
        Err(error) => Err(error.into()),
    }
}
