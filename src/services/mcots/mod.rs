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

pub use garage::whole_car;

use super::dispatch::{self, Caller, IntoAnswer, Message as _, Refusal, Row, Service};
use super::playtime::keep_playtime;
use super::{Game, Hex, Listed, Outcome, Reply, Verdict, Who, send_away};
use crate::clock::Now;
use crate::config::ChosenAnswer;
use crate::store::{GarageError, PersonaError, StoreError, Ticket};
use crate::world::{Arrived, ConnectionId, Reason, Sender, Session, Superseded};
use mco_proto::ids::{BookingId, CustomerId, PersonaId};
use mco_proto::mcots::{Body, Flags, GenericReply, Incoming, Number, Outgoing, number};
use mco_proto::session_key::SessionKey;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// One connection to MCOTS.
#[derive(Debug)]
pub struct ConnectionState {
    connection: ConnectionId,
    peer: SocketAddr,
    local: SocketAddr,
    /// Whose connection it is, once 438 has said so. All later requests are this persona's, whatever they name.
    player: Option<Player>,
    /// The sessions in one of which it was made, the likeliest first; only one once that is proven.
    sessions: Vec<Session>,
    /// Whether the other end has shown that it knows the Session Key.
    proven: bool,
    /// Whether its persona is known to be played here.
    arrived: bool,
}

#[derive(Clone, Copy, Debug)]
struct Player {
    customer: CustomerId,
    persona: PersonaId,
}

impl ConnectionState {
    /// A connection that has just been made from `peer` to our address `local`.
    pub const fn new(connection: ConnectionId, peer: SocketAddr, local: SocketAddr) -> Self {
        Self { connection, peer, local, player: None, sessions: Vec::new(), proven: false, arrived: false }
    }

    /// The account and the keys of its sessions, if it is not known yet in which of them this connection was made.
    pub fn possible_keys(&self) -> Option<(CustomerId, Vec<SessionKey>)> {
        let player = self.player.filter(|_| self.sessions.len() > 1)?;
        Some((player.customer, self.sessions.iter().map(|session| session.key.clone()).collect()))
    }

    /// An encrypted message has arrived under the key at this place among [`Self::possible_keys`].
    pub fn key_proven(&mut self, place: usize) {
        if self.sessions.len() > 1 && place < self.sessions.len() {
            self.sessions.swap(0, place);
            self.sessions.truncate(1);
        }
    }

    /// Whether who is at the other end has shown that it knows the Session Key: its first encrypted request is one that is known, and
    /// names the customer or the persona of 438 behind its number, as 105 does. Without that nothing may be answered: an answer
    /// that can be guessed gives away the keystream, which is the same on every connection and in both directions.
    fn has_proven_key(&mut self, game: &Game, incoming: &Incoming) -> bool {
        if self.proven || !game.config.compat.prove_key {
            return true;
        }
        let named = |player: Player| match incoming.body.0.get(2..6).and_then(|id| id.first_chunk()) {
            Some(id) => [player.customer.0, player.persona.0].contains(&u32::from_le_bytes(*id)),
            None => false,
        };
        let number = incoming.message_number();
        let is_known = ROWS.iter().any(|row| Some(row.numbers.0) == number);
        self.proven = is_known && self.player.is_some_and(named);
        self.proven
    }

    /// The persona is played here: from the first message on that its player has sent, whether that is 105 or another one, but not from
    /// its deletion, for which a Client makes a short connection. Connections of another session that it ends are returned.
    ///
    /// # Errors
    /// [`Superseded`]: the persona is played in another session by now.
    fn arrive(
        &mut self,
        game: &Game,
        incoming: &Incoming,
        now: Now,
    ) -> Result<Vec<ConnectionId>, Superseded> {
        let Some((player, session)) = self.player.zip(self.sessions.first()) else { return Ok(Vec::new()) };
        let presence = &game.world.presence;
        let deletes = incoming.message_number() == Some(number::DELETE_PERSONA);
        if self.arrived || deletes {
            let superseded = presence.is_superseded(player.persona, session.id);
            return if superseded { Err(Superseded) } else { Ok(Vec::new()) };
        }
        self.arrived = true;
        presence.arrive(player.persona, self.connection, session.id, now)
    }

    /// Whose connection it is, once 438 has said so.
    pub fn persona(&self) -> Option<PersonaId> {
        self.player.map(|player| player.persona)
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
    now: Now,
}

type Call<'a> = dispatch::Call<'a, ConnectionState, Incoming>;
type Answer = Result<Outcome<Body>, Refusal>;

/// Rows `NUMBER: who, reply => function`. The function is given the [`Request`] and the body as the struct that the message
/// table has for the number; those for `Anyone` are given the [`Call`] instead, for nobody has signed in yet.
macro_rules! rows {
    ($($name:ident: $who:ident, $reply:ident $(, $layout:ident)? => $function:path;)+) => {
        &[$(Row {
            numbers: (number::$name, number::$name),
            who: Who::$who,
            reply: Reply::$reply,
            layout: dispatch::layout!($($layout)?),
            run: rows!(@run $who $name $function),
        }),+]
    };
    (@run Anyone $name:ident $function:path) => {
        |call| {
            let body = call.message.body.request::<{ number::$name.0 }>()?;
            IntoAnswer::into_answer($function(call, &body))
        }
    };
    (@run $who:ident $name:ident $function:path) => {
        |call| {
            let body = call.message.body.request::<{ number::$name.0 }>()?;
            IntoAnswer::into_answer($function(&Request::of(call)?, &body))
        }
    };
}

/// What happens on which message.
static SERVICE: Service<ConnectionState, Incoming, Body> = Service { name: |_| "mcots", rows: ROWS, refuse };

/// The one table of what happens on which message.
const ROWS: &[Row<ConnectionState, Incoming, Body>] = rows! {
    CLIENT_CONNECT_MSG: Anyone, Expected => session::connect;
    // Asked while a persona is being made, by somebody who is nobody yet.
    STOCK_CAR_INFO: Anyone, Expected => garage::stock_cars;

    LOGIN: Encrypted, Expected => session::login;
    LOGOUT: Encrypted, Expected => session::logout;
    TRACKING_MSG: Encrypted, Never => session::tracking;

    GET_LOBBIES: Encrypted, Expected => lists::lobbies;
    GET_ARCADE_CARS: Encrypted, Expected => lists::arcade_cars;
    GET_GAME_URLS: Encrypted, Expected => lists::game_urls;
    GET_MCO_TUNABLES: Encrypted, Expected => lists::tunables;

    GET_PLAYER_INFO: Encrypted, Expected => player::info;
    GET_PLAYER_NAME: Encrypted, Expected => player::name;
    GET_PLAYER_PHYSICAL: Encrypted, Expected => player::physical;
    GET_PLAYER_RACING_HISTORY: Encrypted, Expected => player::racing_history;
    UPDATE_PLAYER_PHYSICAL: Encrypted, Expected => player::update_physical;
    SET_OPTIONS: Encrypted, Expected => player::set_options;
    SET_PERSONA_DESCRIPTION: Encrypted, Expected => player::set_description;
    DELETE_PERSONA: Encrypted, Expected => player::delete;

    GET_OWNED_VEHICLES: Encrypted, Expected => garage::owned_vehicles;
    GET_OWNED_PARTS: Encrypted, Expected => garage::owned_parts;
    GET_ASSEMBLY_PARTS: Encrypted, Expected => garage::assembly_parts;
    GET_COMPLETE_VEHICLE_INFO: Encrypted, Expected => garage::complete_vehicle;
    PURCHASE_STOCK_CAR: Encrypted, Expected => garage::purchase_stock_car;
    BUY_NEW_PART: Encrypted, Expected => garage::buy_part;
    REPAIR_SINGLE_PART: Encrypted, Expected => garage::repair_part;
    REPAIR_MULTIPLE_PARTS: Encrypted, Expected => garage::repair_all;
    INSTALL_PART: Encrypted, Expected => garage::install;
    REMOVE_PART: Encrypted, Expected => garage::remove;
    // By all that is known the Client waits for no answer.
    DESTROY_PART: Encrypted, Never => garage::destroy;
    // A server that Clients were content with kept silent on this (*seen in use*).
    UPDATE_CACHED_VEHICLE: Encrypted, Never, opaque => garage::update_cached_vehicle;

    CREATE_STANDARD_RACE: Encrypted, Expected => race::create;
    RACE_JOIN: Encrypted, Expected => race::join;
    RACE_START: Encrypted, Expected => race::start;
    RACER_COMPLETED_RACE: Encrypted, Expected => race::completed;
    RACER_LEFT_RACE: Encrypted, Never => race::left;
    KEEP_RACE_ALIVE: Encrypted, Expected => race::keep_alive;
    CRC_PRE_RACE_DATA_TEST_DRIVE: Encrypted, Expected, opaque => race::pre_test_drive;
    CRC_PRE_RACE_DATA: Encrypted, Never, opaque => race::pre_race;
    IN_RACE_DAMAGE_UPDATE: Encrypted, Never => race::damage_update;
    REPORT_POST_RACE_DAMAGE: Encrypted, Never => race::post_race_damage;
    UPDATE_BODY_DAMAGE: Encrypted, Never, opaque => race::body_damage;
    CRC_POST_RACE_DATA: Encrypted, Never, opaque => race::post_race;

    // No ads: a count of none (*inferred*: 103 carries a value).
    CLASSIFIED_AD_GET_COUNT: Encrypted, Expected => lists::count_advertisements;
    // Whatever is known by name or range only (161, 391, trade window, clubs, seasons), is not offered yet, or was never heard
    // of, is refused.
};

/// Whether the server handles a number by itself, so that no answer can be chosen for it: those in the table, and its own answers.
pub fn is_handled(number: Number) -> bool {
    let own = [Number::default(), number::SUCCESS, number::FAILED];
    own.contains(&number) || ROWS.iter().any(|row| row.numbers.0 == number)
}

/// The rows of MCOTS.
pub fn listed() -> Vec<Listed> {
    let rows = ROWS.iter();
    rows.map(|row| Listed { first: row.numbers.0.0, last: row.numbers.1.0, who: row.who, reply: row.reply })
        .collect()
}

/// 102, with the reason if one fits. The Operator may choose another answer for numbers that stand in no row: that 102 does
/// no harm there is *inferred*.
fn refuse(call: &Call<'_>, refusal: &Refusal) -> Outcome<Body> {
    let number = call.message.number();
    let compat = &call.game.config.compat;
    let chosen = call.game.answers.of(number.0).filter(|_| matches!(refusal, Refusal::Unknown));
    match refusal {
        _ if chosen == Some(ChosenAnswer::Silent) => Outcome::silence(),
        _ if chosen == Some(ChosenAnswer::Success) => Outcome::reply(GenericReply::success(number)),
        _ if chosen == Some(ChosenAnswer::Failed) => Outcome::reply(GenericReply::failed(number, None)),
        Refusal::Unknown if compat.mcots_silent.contains(&number.0) => Outcome::silence(),
        Refusal::Unknown if compat.mcots_success.contains(&number.0) => {
            Outcome::reply(GenericReply::success(number))
        }
        _ if number == number::CLIENT_CONNECT_MSG && call.caller.signed_in() => Outcome::silence(),
        Refusal::Because(reason, _) => Outcome::reply(GenericReply::failed(number, *reason)),
        _ => Outcome::reply(GenericReply::failed(number, None)),
    }
}

impl<'a> Request<'a> {
    /// The request of a caller who has signed in.
    fn of(call: &'a Call<'_>) -> Result<Self, Refusal> {
        let player = call.caller.player.ok_or(Refusal::NotAllowed("before signing in"))?;
        Ok(Self { game: call.game, caller: call.caller, player, now: call.now })
    }
}

/// What happens on a message to MCOTS.
pub fn answer(game: &Game, caller: &mut ConnectionState, incoming: &Incoming, now: Now) -> Outcome<Outgoing> {
    let Incoming { sequence, flags, .. } = *incoming;
    let encrypted = flags.has(Flags::ENCRYPTED);
    let Outcome { replies, pushes, commit, start_encryption, close, verdict } =
        respond(game, caller, incoming, now);
    let replies = replies.into_iter().map(|body| Outgoing { sequence, encrypted, body }).collect();
    Outcome { replies, pushes, commit, start_encryption, close, verdict }
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

/// Completes the cars that an older program sold without parts. To be called once, before anybody plays.
pub fn furnish_old_cars(game: &Game) {
    if let Err(error) = garage::furnish(game) {
        log::error!("cars of an older version may lack parts until the next start: {error}");
    }
}

/// The races that were running when the server stopped. To be asked for before anybody plays.
///
/// # Errors
/// What the store says.
pub fn races_cut_short(game: &Game) -> Result<Vec<BookingId>, StoreError> {
    game.store.races().under_way()
}

/// Gives the fees of such races back; those of which they went back already cost nothing. Returned is the ticket of what was changed, if
/// anything was.
///
/// # Errors
/// What the store says. The fees of some may have gone back.
pub fn refund_races(game: &Game, races: &[BookingId], now: Now) -> Result<Option<Ticket>, StoreError> {
    race::refund(game, races, now)
}

fn respond(game: &Game, caller: &mut ConnectionState, incoming: &Incoming, now: Now) -> Outcome<Body> {
    let Incoming { flags, body, .. } = incoming;
    if flags.has(Flags::HEARTBEAT) {
        return Outcome::silence();
    }
    if flags.has(Flags::ENCRYPTED) && !caller.has_proven_key(game, incoming) {
        log::warn!("mcots: closed {caller}: what it sent encrypted shows no knowledge of the Session Key");
        return Outcome::goodbye();
    }
    if incoming.message_number().is_none() {
        let compressed = flags.has(Flags::COMPRESSED);
        let why = if compressed { "compressed in a way that cannot be undone" } else { "without a number" };
        log::info!("mcots: {caller} sent {} bytes, {why}: {}", body.0.len(), Hex(&body.0));
        // What it asks for is not known, but its sequence is, and that is by which a Client knows an answer (*seen in use*).
        let refusal = Outcome::reply(GenericReply::failed(Number::default(), None));
        let sender = Sender { service: "mcots", address: caller.address() };
        let told = || (caller.to_string(), dispatch::in_words(&refusal));
        let body = || Arrived::Body(body.clone());
        game.world.unexpected.note(sender, (true, 0), Reason::Malformed, now, body, told);
        return Outcome { verdict: Verdict::Malformed, ..refusal };
    }
    let arrival =
        if flags.has(Flags::ENCRYPTED) { caller.arrive(game, incoming, now) } else { Ok(Vec::new()) };
    let Ok(superseded) = arrival else {
        log::info!("mcots: refused {caller}: the persona is played on another PC now");
        return Outcome::goodbye();
    };
    let answer = SERVICE.answer(Call { game, caller, message: incoming, now });
    let pushes = send_away(game, superseded).into_iter().chain(answer.pushes).collect();
    Outcome { pushes, ..answer }
}

impl From<PersonaError> for Refusal {
    fn from(error: PersonaError) -> Self {
        match error {
            PersonaError::Store(error) => Self::Store(error),
            other => Self::because(other.to_string()),
        }
    }
}

impl From<GarageError> for Refusal {
    fn from(error: GarageError) -> Self {
        match error {
            GarageError::Store(error) => Self::Store(error),
            GarageError::InsufficientFunds => {
                Self::Because(Some(number::INSUFFICIENT_FUNDS), error.to_string())
            }
            GarageError::NotYours => Self::Because(Some(number::INVALID_VEHICLE), error.to_string()),
            other => Self::because(other.to_string()),
        }
    }
}

impl Caller for ConnectionState {
    fn is_signed_in(&self) -> bool {
        self.signed_in()
    }
    fn address(&self) -> IpAddr {
        self.peer.ip().to_canonical()
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
