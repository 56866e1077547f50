//! Where each record lies. One keyspace; the first byte of a key is the kind, ids are big-endian so that they sort.
//!
//! | key | record |
//! |---|---|
//! | `a` name in lower case | account |
//! | `c` customer id | name in lower case of the account |
//! | `p` persona id | persona |
//! | `n` shard id, name in lower case | persona id |
//! | `q` shard id, name as it looks, 0, persona id | persona id |
//! | `o` customer id, serial | persona id; the serial grows with every persona, so this is the order of creation |
//! | `v` vehicle id | vehicle and its parts |
//! | `g` persona id, vehicle id | vehicle id |
//! | `l` persona id, part id | loose part and what is fixed to it |
//! | `b` `a` customer id, or `b` `i` address as IPv6 | ban |
//! | `r` booking | race under way |
//! | `f` number | result of a race; the numbers have no gaps |
//! | `x` race, number of the result | number of the result |
//! | `t` lobby, laps, direction, class | the best times there |
//! | `y` number | entry of the audit log |
//! | `h` persona id | what its races add up to |
//! | `u` persona id | its results that were not counted |
//! | `k` `login` | login key |
//! | `s` `operator`, `s` `message` | the Operator's password hash, the message of the day |
//! | `e` persona id | mailbox: which mails there are |
//! | `i` persona id, number of the mail | mail |
//! | `j` persona id, number of a line | page of the ledger: see `books` |
//! | `w` persona id | the last week for which it was paid |
//! | `z` | clubs, weeks and race nights: see `city_key` |
//! | `d` | classified ads, auctions and trades: see `deal_key` |
//! | `m` name | counters, the generation, the layout, the sum, the place in the journal, and whether old cars were completed |

use crate::look_alike::look;
use mco_proto::ids::{BookingId, CustomerId, PartId, PersonaId, RaceId, ShardId, VehicleId};
use std::net::IpAddr;

pub(super) const ACCOUNTS: &[u8] = b"a";
/// The whole ledger, by persona and number.
pub(super) const LINES: &[u8] = b"j";
pub(super) const PERSONAS: &[u8] = b"p";
/// The names of all personas.
pub(super) const PERSONA_NAMES: &[u8] = b"n";
/// The key by which Clients encrypt what they send to Login.
pub(super) const LOGIN_KEY: &[u8] = b"klogin";
pub(super) const BANS: &[u8] = b"b";
/// The Operator's password.
pub(super) const OPERATOR: &[u8] = b"soperator";
/// The message of the day.
pub(super) const MESSAGE: &[u8] = b"smessage";
/// All counters.
pub(super) const META: &[u8] = b"m";
/// How often a backup was written: tells which of database and backup is the newer.
pub(super) const GENERATION: &[u8] = b"mgeneration";
/// No generation is higher: one backup a second would take longer than the sun lasts. So there is always a next one.
pub(super) const LAST_GENERATION: u64 = u64::MAX / 2;
/// Where in the journal of this generation the last batch begins that the database has, in bytes; 0: it has none of it.
pub(super) const POSITION: &[u8] = b"mjournal";
/// The layouts of all kinds of records that the program knew which wrote last.
pub(super) const LAYOUT: &[u8] = b"mlayout";
/// The sum over all other records.
pub(super) const SUM: &[u8] = b"msum";
/// The next customer id to try.
pub(super) const NEXT_CUSTOMER: &[u8] = b"mnext_customer";
/// The next persona id to try.
pub(super) const NEXT_PERSONA: &[u8] = b"mnext_persona";
/// The next serial of a persona.
pub(super) const NEXT_SERIAL: &[u8] = b"mnext_serial";
/// All races under way.
pub(super) const RACES: &[u8] = b"r";
/// All results that were not counted.
pub(super) const UNCOUNTED: &[u8] = b"u";
/// The next booking of a race.
pub(super) const NEXT_BOOKING: &[u8] = b"mnext_booking";
/// The oldest result of a race that is kept.
pub(super) const FIRST_RESULT: &[u8] = b"mfirst_result";
/// The next result of a race.
pub(super) const NEXT_RESULT: &[u8] = b"mnext_result";
/// The next entry of the audit log.
pub(super) const NEXT_AUDIT: &[u8] = b"mnext_audit";
/// The last race that was started.
pub(super) const LAST_RACE: &[u8] = b"mlast_race";
/// The best times of all courses.
pub(super) const COURSES: &[u8] = b"t";
/// What the races of all personas add up to.
pub(super) const PERSONA_RESULTS: &[u8] = b"h";
/// The next part id.
pub(super) const NEXT_PART: &[u8] = b"mnext_part";

/// The vehicles of all personas.
pub(super) const OWNED_VEHICLES: &[u8] = b"g";
/// Whether the cars of older programs have got the parts that they were sold without.
pub(super) const FURNISHED: &[u8] = b"mfurnished";

pub(super) fn join(kind: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind];
    for piece in pieces {
        key.extend_from_slice(piece);
    }
    key
}

/// The account of that name, whatever the case of its letters.
pub(super) fn account(name: &str) -> Vec<u8> {
    join(b'a', &[name.to_ascii_lowercase().as_bytes()])
}

/// The entry that leads from a customer id to the account.
pub(super) fn customer(id: CustomerId) -> Vec<u8> {
    join(b'c', &[&id.0.to_be_bytes()])
}

pub(super) fn persona(id: PersonaId) -> Vec<u8> {
    join(b'p', &[&id.0.to_be_bytes()])
}

/// The entry that makes a persona's name unique in its shard.
pub(super) fn persona_name(shard: ShardId, name: &str) -> Vec<u8> {
    join(b'n', &[&shard.0.to_be_bytes(), name.to_lowercase().as_bytes()])
}

/// The entries of all personas of a shard whose names look like this one. No name has a letter 0.
pub(super) fn personas_like(shard: ShardId, name: &str) -> Vec<u8> {
    join(b'q', &[&shard.0.to_be_bytes(), look(name).as_bytes(), &[0]])
}

/// The entry of one of them.
pub(super) fn persona_like(shard: ShardId, name: &str, id: PersonaId) -> Vec<u8> {
    [personas_like(shard, name).as_slice(), &id.0.to_be_bytes()].concat()
}

/// All personas of a customer.
pub(super) fn personas_of(owner: CustomerId) -> Vec<u8> {
    join(b'o', &[&owner.0.to_be_bytes()])
}

/// One persona of a customer.
pub(super) fn persona_of(owner: CustomerId, serial: u32) -> Vec<u8> {
    join(b'o', &[&owner.0.to_be_bytes(), &serial.to_be_bytes()])
}

/// A vehicle with its parts.
pub(super) fn vehicle(id: VehicleId) -> Vec<u8> {
    join(b'v', &[&id.0.to_be_bytes()])
}

/// All vehicles of a persona.
pub(super) fn vehicles_of(owner: PersonaId) -> Vec<u8> {
    join(b'g', &[&owner.0.to_be_bytes()])
}

/// One vehicle of a persona.
pub(super) fn vehicle_of(owner: PersonaId, id: VehicleId) -> Vec<u8> {
    join(b'g', &[&owner.0.to_be_bytes(), &id.0.to_be_bytes()])
}

/// All loose parts of a persona.
pub(super) fn loose_parts_of(owner: PersonaId) -> Vec<u8> {
    join(b'l', &[&owner.0.to_be_bytes()])
}

pub(super) fn loose_part(owner: PersonaId, id: PartId) -> Vec<u8> {
    join(b'l', &[&owner.0.to_be_bytes(), &id.0.to_be_bytes()])
}

/// The ban of an account.
pub(super) fn banned_account(customer: CustomerId) -> Vec<u8> {
    join(b'b', &[b"a", &customer.0.to_be_bytes()])
}

/// The ban of an address.
pub(super) fn banned_address(address: IpAddr) -> Vec<u8> {
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    join(b'b', &[b"i", &address.octets()])
}

/// Which mails a persona has.
pub(super) fn mailbox(persona: PersonaId) -> Vec<u8> {
    join(b'e', &[&persona.0.to_be_bytes()])
}

/// One mail of a persona.
pub(super) fn mail(persona: PersonaId, number: u32) -> Vec<u8> {
    join(b'i', &[&persona.0.to_be_bytes(), &number.to_be_bytes()])
}

/// All lines of a persona in the ledger, oldest first.
pub(super) fn lines_of(persona: PersonaId) -> Vec<u8> {
    join(b'j', &[&persona.0.to_be_bytes()])
}

/// The page of the ledger in which the numbers of lines begin with this one.
pub(super) fn line(persona: PersonaId, number: u32) -> Vec<u8> {
    join(b'j', &[&persona.0.to_be_bytes(), &number.to_be_bytes()])
}

/// The persona and the number in the key of a page of the ledger.
pub(super) fn line_parts(key: &[u8]) -> Option<(PersonaId, u32)> {
    let (persona, number) = key.strip_prefix(b"j")?.split_first_chunk()?;
    Some((PersonaId(u32::from_be_bytes(*persona)), u32::from_be_bytes(number.try_into().ok()?)))
}

/// The last week for which a persona was paid.
pub(super) fn paid_week(persona: PersonaId) -> Vec<u8> {
    join(b'w', &[&persona.0.to_be_bytes()])
}

/// A race under way.
pub(super) fn race(booking: BookingId) -> Vec<u8> {
    join(b'r', &[&booking.0.to_be_bytes()])
}

/// The results of a persona that were not counted.
pub(super) fn uncounted(persona: PersonaId) -> Vec<u8> {
    join(b'u', &[&persona.0.to_be_bytes()])
}

/// An entry of the audit log.
pub(super) fn audit(number: u32) -> Vec<u8> {
    join(b'y', &[&number.to_be_bytes()])
}

/// A result of a race.
pub(super) fn result(number: u32) -> Vec<u8> {
    join(b'f', &[&number.to_be_bytes()])
}

/// The entries of all results of a race, oldest first.
pub(super) fn results_of(race: RaceId) -> Vec<u8> {
    join(b'x', &[&race.0.to_be_bytes()])
}

/// The entry that leads from a race to one of its results.
pub(super) fn result_of(race: RaceId, number: u32) -> Vec<u8> {
    join(b'x', &[&race.0.to_be_bytes(), &number.to_be_bytes()])
}

/// The best times of a course: of a lobby, in one direction, over as many laps, in one class of cars.
pub(super) fn course(lobby: u32, laps: u8, backward: bool, class: u8) -> Vec<u8> {
    join(b't', &[&lobby.to_be_bytes(), &[laps, u8::from(backward), class]])
}

/// What the races of a persona add up to.
pub(super) fn persona_results(persona: PersonaId) -> Vec<u8> {
    join(b'h', &[&persona.0.to_be_bytes()])
}
