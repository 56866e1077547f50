//! What is done to parts: install, remove, repair, throw away.

use super::super::{Answer, Request};
use super::{junk_price, repair_price};
use crate::catalog::{Misfit, Placed};
use crate::services::{Hex, Outcome};
use crate::store::Changed;
use mco_proto::ids::PartId;
use mco_proto::mcots::garage::{InstallPart, RepairMultipleParts};
use mco_proto::mcots::{GenericReply, GenericRequest, Number, number};

/// The highest attachment point there is (*documented*).
const LAST_POINT: u32 = 11;

fn done<T>(number: Number, changed: Changed<T>) -> Answer {
    Ok(Outcome::reply(GenericReply::success(number)).after(changed.ticket))
}

/// 181: a loose part goes into a car, or onto another loose part.
pub(in super::super) fn install(request: &Request<'_>, body: InstallPart) -> Answer {
    let InstallPart { part, parent, point } = body;
    let catalog = &request.game.catalog;
    let owner = request.player.persona;
    // A point that does not fit a byte is none of the known ones either.
    let stored = u8::try_from(point.0).unwrap_or(u8::MAX);
    let installed =
        request.game.store.garage().install(owner, part, parent, stored, &|part, on, there| {
            if point.0 > LAST_POINT {
                return Err("there is no such place");
            }
            let there: Vec<Placed> =
                there.iter().map(|other| (other.branded_part, other.attachment_point)).collect();
            catalog.fits((part.branded_part, part.attachment_point), on, &there).map_err(Misfit::reason)
        })?;
    done(number::INSTALL_PART, installed)
}

/// 182: a part comes out, with what is fixed to it.
pub(in super::super) fn remove(request: &Request<'_>, body: GenericRequest) -> Answer {
    let GenericRequest { data, .. } = body;
    let rules = request.game.catalog.tunables();
    let owner = request.player.persona;
    let removed = request
        .game
        .store
        .garage()
        .remove(owner, PartId(data), &|persona| rules.parts_room(persona.level))?;
    done(number::REMOVE_PART, removed)
}

/// 177: one part, at the price that the Client was shown.
pub(in super::super) fn repair_part(request: &Request<'_>, body: GenericRequest) -> Answer {
    let GenericRequest { data, .. } = body;
    let (owner, catalog) = (request.player.persona, &request.game.catalog);
    let repaired = request.game.store.garage().repair_part(
        owner,
        PartId(data),
        &|part| repair_price(catalog, part),
        request.now,
    )?;
    log::info!("garage: persona {owner} had part {data} repaired for {}", repaired.value);
    done(number::REPAIR_SINGLE_PART, repaired)
}

/// 178: a whole car (*seen in use*), or a loose part with what is fixed to it; the dents of a car too.
pub(in super::super) fn repair_all(request: &Request<'_>, repair: RepairMultipleParts) -> Answer {
    let RepairMultipleParts { data, more, .. } = repair;
    if !more.0.is_empty() {
        // "Multiple parts" may have been a list once: nobody has recorded one.
        let (number, caller) = (number::REPAIR_MULTIPLE_PARTS, request.caller);
        log::info!("mcots: {caller} sent {number}, longer than known, read as one car: {}", Hex(&more.0));
    }
    let (owner, catalog) = (request.player.persona, &request.game.catalog);
    let repaired = request.game.store.garage().repair_all(
        owner,
        PartId(data),
        &|part| repair_price(catalog, part),
        request.now,
    )?;
    log::info!("garage: persona {owner} had car {data} repaired for {}", repaired.value);
    done(number::REPAIR_MULTIPLE_PARTS, repaired)
}

/// 214: a part goes to the junkyard with what is fixed to it, or a whole car, for what the Client was shown.
pub(in super::super) fn destroy(request: &Request<'_>, body: GenericRequest) -> Answer {
    let GenericRequest { data, .. } = body;
    let (owner, catalog) = (request.player.persona, &request.game.catalog);
    let scrapped = request.game.store.garage().scrap(
        owner,
        PartId(data),
        &|part| junk_price(catalog, part),
        request.now,
    )?;
    log::info!("garage: persona {owner} scrapped part {data} for {}", scrapped.value);
    Ok(Outcome::silence().after(scrapped.ticket))
}
