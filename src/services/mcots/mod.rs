//! MCOTS, port 43300: everything that is about money, cars and players. See `docs/protocol/mcots.md`.
//!
//! A Client asks and waits, so each request gets exactly the answers its rule says, all with the request's sequence and
//! encrypted if the request was. A Client that gets none hangs; one that gets 102 goes on without.

mod garage;
mod lists;
mod player;
mod race;
mod session;
#[cfg(test)]
mod tests;

use super::playtime::keep_playtime;
use super::{Game, Hex, Outcome};
use crate::clock::Now;
use crate::store::{GarageError, PersonaError, StoreError};
use crate::world::ConnectionId;
use mco_proto::Malformed;
use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::mcots::{Body, Flags, GenericReply, Incoming, Outgoing, number};
use std::fmt;
use std::net::SocketAddr;

/// One connection to MCOTS.
#[derive(Debug)]
pub struct ConnectionState {
    connection: ConnectionId,
    peer: SocketAddr,
    local: SocketAddr,
    /// Whose connection it is, once 438 has said so. All later requests are this persona's, whatever they name.
    player: Option<Player>,
}

#[derive(Clone, Copy, Debug)]
struct Player {
    customer: CustomerId,
    persona: PersonaId,
}

impl ConnectionState {
    /// A connection that has just been made from `peer` to our address `local`.
    pub const fn new(connection: ConnectionId, peer: SocketAddr, local: SocketAddr) -> Self {
        Self { connection, peer, local, player: None }
    }

    /// Whether the connection is somebody's.
    pub const fn signed_in(&self) -> bool {
        self.player.is_some()
    }
}

/// A request of somebody who has signed in, for the functions that answer it.
struct Request<'a> {
    game: &'a Game,
    caller: &'a ConnectionState,
    player: Player,
    body: &'a Body,
    now: Now,
}

type Answer = Result<Outcome<Body>, Refused>;

/// What happens on a message.
#[derive(Clone, Copy)]
enum Rule {
    /// This function answers.
    Ask(fn(&Request<'_>) -> Answer),
    /// This function does what is asked; by all that is known the Client waits for no answer, so it gets none.
    Quiet(fn(&Request<'_>) -> Answer),
    /// A function takes note; there is never an answer, not even to a malformed one.
    Note(fn(&Request<'_>)),
    /// 103 with a value.
    Value(u32),
    /// 101, because the Operator wants it so.
    Success,
    /// No answer, by all that is known.
    Silence,
    /// 102: the layout is not known, or the service does not exist here.
    Refuse,
}

/// The one table of what happens on which message.
fn rule(number: u16) -> Rule {
    use Rule::{Ask, Note, Quiet, Refuse, Silence, Value};
    match number {
        number::LOGIN => Ask(session::login),
        number::LOGOUT => Ask(session::logout),
        number::TRACKING_MSG => Note(session::tracking),

        number::GET_LOBBIES => Ask(lists::lobbies),
        number::GET_ARCADE_CARS => Ask(lists::arcade_cars),
        number::GET_GAME_URLS => Ask(lists::game_urls),
        number::GET_MCO_TUNABLES => Ask(lists::tunables),

        number::GET_PLAYER_INFO => Ask(player::info),
        number::GET_PLAYER_NAME => Ask(player::name),
        number::GET_PLAYER_PHYSICAL => Ask(player::physical),
        number::GET_PLAYER_RACING_HISTORY => Ask(player::racing_history),
        number::UPDATE_PLAYER_PHYSICAL => Ask(player::update_physical),
        number::SET_OPTIONS => Ask(player::set_options),
        number::SET_PERSONA_DESCRIPTION => Ask(player::set_description),
        number::DELETE_PERSONA => Ask(player::delete),

        number::STOCK_CAR_INFO => Ask(|request| garage::stock_cars(request.game, request.body, request.now)),
        number::GET_OWNED_VEHICLES => Ask(garage::owned_vehicles),
        number::GET_OWNED_PARTS => Ask(garage::owned_parts),
        number::GET_ASSEMBLY_PARTS => Ask(garage::assembly_parts),
        number::GET_COMPLETE_VEHICLE_INFO => Ask(garage::complete_vehicle),
        number::PURCHASE_STOCK_CAR => Ask(garage::purchase_stock_car),
        number::BUY_NEW_PART => Ask(garage::buy_part),
        number::REPAIR_SINGLE_PART => Ask(garage::repair_part),
        number::REPAIR_MULTIPLE_PARTS => Ask(garage::repair_all),
        number::INSTALL_PART => Ask(garage::install),
        number::REMOVE_PART => Ask(garage::remove),
        number::DESTROY_PART => Quiet(garage::destroy),

        number::CREATE_STANDARD_RACE => Ask(race::create),
        number::RACE_JOIN => Ask(race::join),
        number::RACE_START => Ask(race::start),
        number::RACER_COMPLETED_RACE => Ask(race::completed),
        number::RACER_LEFT_RACE => Ask(race::left),
        number::KEEP_RACE_ALIVE => Ask(race::keep_alive),
        number::CRC_PRE_RACE_DATA_TEST_DRIVE => Ask(race::pre_test_drive),
        number::CRC_PRE_RACE_DATA => Note(race::pre_race),
        number::IN_RACE_DAMAGE_UPDATE => Note(race::damage_update),
        number::REPORT_POST_RACE_DAMAGE => Note(race::post_race_damage),
        number::UPDATE_BODY_DAMAGE | number::CRC_POST_RACE_DATA => Note(race::opaque),

        // No ads: a count of none (*inferred*: 103 carries a value).
        number::CLASSIFIED_AD_GET_COUNT => Value(0),
        // A server that Clients were content with kept silent on this (*seen in use*).
        number::UPDATE_CACHED_VEHICLE => Silence,
        // Whatever is known by name or range only (161, 391, trade window, clubs, seasons), is not offered yet, or was
        // never heard of.
        _ => Refuse,
    }
}

/// The same, but that the Operator may choose another default answer: that 102 does no harm is *inferred*.
fn rule_for(game: &Game, number: u16) -> Rule {
    let compat = &game.config.compat;
    match rule(number) {
        Rule::Refuse if compat.mcots_silent.contains(&number) => Rule::Silence,
        Rule::Refuse if compat.mcots_success.contains(&number) => Rule::Success,
        rule => rule,
    }
}

/// What happens on a message to MCOTS.
pub fn answer(game: &Game, caller: &mut ConnectionState, incoming: &Incoming, now: Now) -> Outcome<Outgoing> {
    let Incoming { sequence, flags, ref body } = *incoming;
    let sealed = flags.has(Flags::ENCRYPTED);
    let Outcome { replies, pushes, commit, unlock, close } = respond(game, caller, flags, body, now);
    let replies = replies.into_iter().map(|body| Outgoing { sequence, sealed, body }).collect();
    Outcome { replies, pushes, commit, unlock, close }
}

/// The connection is gone. The lobby tells who leaves; a race that is over by it is settled.
pub fn leave(game: &Game, caller: &ConnectionState, now: Now) -> Outcome<Body> {
    let Some(player) = caller.player else { return Outcome::silence() };
    if let Some(free) = game.world.presence.leave(player.persona, caller.connection, now) {
        keep_playtime(game, free);
    }
    race::hang_up(game, player.persona, caller.connection, now)
}

/// What time alone brings about at `now`. To be called every few seconds.
pub fn tick(game: &Game, now: Now) -> Outcome<Body> {
    race::tick(game, now)
}

/// Gives back the fees of races that were running when the server stopped. To be called once, before anybody plays.
pub fn refund_races_cut_short(game: &Game, now: Now) {
    if let Err(error) = race::refund_cut_short(game, now) {
        log::error!("fees of races that were cut short stay taken until the next start: {error}");
    }
}

fn respond(game: &Game, caller: &mut ConnectionState, flags: Flags, body: &Body, now: Now) -> Outcome<Body> {
    if flags.has(Flags::HEARTBEAT) {
        return Outcome::silence();
    }
    if flags.has(Flags::COMPRESSED) {
        // Its number is inside, so it can't even be refused. No Client was ever seen to compress.
        unexpected(caller, body, "compressed");
        return Outcome::silence();
    }
    let Some(number) = body.number() else {
        unexpected(caller, body, "without a number");
        return Outcome::silence();
    };
    let sealed = flags.has(Flags::ENCRYPTED);
    let answer = match caller.player {
        None if number == number::CLIENT_CONNECT_MSG => session::connect(game, caller, body, now),
        // Asked while a persona is being made, by somebody who is nobody yet.
        None if number == number::STOCK_CAR_INFO => garage::stock_cars(game, body, now),
        None => Err(Refused::NotAllowed("before 438")),
        Some(_) if number == number::CLIENT_CONNECT_MSG => {
            unexpected(caller, body, "a second time");
            return Outcome::silence();
        }
        // Encryption is the proof that a request comes from who signed in.
        Some(_) if !sealed => Err(Refused::NotAllowed("in clear")),
        Some(player) => follow(rule_for(game, number), &Request { game, caller, player, body, now }),
    };
    answer.unwrap_or_else(|refused| {
        match &refused {
            Refused::Store(error) => log::error!("mcots: cannot answer {}: {error}", Shown(number)),
            Refused::Malformed(_) | Refused::Unknown | Refused::NotAllowed(_) => {
                unexpected(caller, body, &refused.to_string());
            }
            Refused::Because(..) => log::info!("mcots: {caller} sent {}: refused, {refused}", Shown(number)),
        }
        Outcome::reply(GenericReply::failed(number, refused.reason()))
    })
}

fn follow(rule: Rule, request: &Request<'_>) -> Answer {
    // The body was found to have a number before.
    let number = request.body.number().unwrap_or_default();
    match rule {
        Rule::Ask(function) => function(request),
        Rule::Quiet(function) => match function(request) {
            Ok(outcome) => Ok(Outcome { replies: Vec::new(), ..outcome }),
            Err(Refused::Store(error)) => {
                log::error!("mcots: cannot do {}: {error}", Shown(number));
                Ok(Outcome::silence())
            }
            Err(refused) => {
                unexpected(request.caller, request.body, &format!("refused, {refused}"));
                Ok(Outcome::silence())
            }
        },
        Rule::Note(function) => {
            function(request);
            Ok(Outcome::silence())
        }
        Rule::Value(value) => Ok(Outcome::reply(GenericReply::value(number, value))),
        Rule::Success => {
            unexpected(request.caller, request.body, "not known here, said to be done");
            Ok(Outcome::reply(GenericReply::success(number)))
        }
        Rule::Silence => {
            let (shown, bytes) = (Shown(number), &request.body.0);
            log::debug!(
                "mcots: {} sent {shown} of {} bytes, not used yet: {}",
                request.caller,
                bytes.len(),
                Hex(bytes)
            );
            Ok(Outcome::silence())
        }
        Rule::Refuse => Err(Refused::Unknown),
    }
}

/// Why a request is refused with 102.
#[derive(Debug)]
enum Refused {
    /// The body does not fit the message's layout.
    Malformed(Malformed),
    /// The rule for it says so.
    Unknown,
    /// Not at this moment, or not in this form.
    NotAllowed(&'static str),
    /// A reason code for the Client (0: none fits), and words for the log.
    Because(u16, String),
    /// The store failed.
    Store(StoreError),
}

impl Refused {
    /// The words for the log, without a reason code for the Client.
    fn because(why: impl Into<String>) -> Self {
        Self::Because(0, why.into())
    }

    const fn reason(&self) -> u16 {
        if let Self::Because(reason, _) = self { *reason } else { 0 }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "malformed, {error}"),
            Self::Unknown => f.write_str("not known here"),
            Self::NotAllowed(when) => f.write_str(when),
            Self::Because(_, why) => f.write_str(why),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl From<Malformed> for Refused {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PersonaError> for Refused {
    fn from(error: PersonaError) -> Self {
        match error {
            PersonaError::Store(error) => Self::Store(error),
            other => Self::because(other.to_string()),
        }
    }
}

impl From<GarageError> for Refused {
    fn from(error: GarageError) -> Self {
        match error {
            GarageError::Store(error) => Self::Store(error),
            GarageError::InsufficientFunds => Self::Because(number::INSUFFICIENT_FUNDS, error.to_string()),
            GarageError::NotYours => Self::Because(number::INVALID_VEHICLE, error.to_string()),
            other => Self::because(other.to_string()),
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.player {
            Some(player) => write!(f, "persona {} ({})", player.persona, self.peer),
            None => self.peer.fmt(f),
        }
    }
}

/// A message number for the log.
struct Shown(u16);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, number::name(self.0))
    }
}

fn unexpected(caller: &ConnectionState, body: &Body, how: &str) {
    let shown = Shown(body.number().unwrap_or_default());
    log::info!("mcots: {caller} sent {shown} of {} bytes, {how}: {}", body.0.len(), Hex(&body.0));
}
