//! What players do beside racing, each at a steady pace, whether or not the server keeps up ("open loop"): a late act makes the
//! next ones late, and all of that counts as waiting.

use super::report::ActReport;
use super::{Site, join_all, sign_in};
use crate::client::Error;
use crate::client::latency::Latency;
use crate::client::nps::Nps;
use crate::client::probe::Credentials;
use crate::client::racing::Counters;
use crate::client::sitting::{LobbyConnection, PersonaSession, Transactions};
use mco_proto::ids::CommId;
use mco_proto::mcots::{GenericRequest, number};
use mco_proto::nps::login::{UserLogin, UserStatus};
use mco_proto::nps::relay::{self, Address, Relay};
use mco_proto::nps::{Packet, id};
use std::time::{Duration, Instant};

/// How many speak in one room; the server has room for more in a channel, but nobody could read it.
const CHAT_MEMBERS: usize = 20;
/// The room of the first twenty, by its number in the directory; 2 means the chat channel.
const FIRST_ROOM: CommId = CommId(1);
/// The room of the twenty after a room's.
const fn next_room(room: CommId) -> CommId {
    CommId(if room.0 == 1 { 3 } else { room.0 + 1 })
}
/// The chat channel of every room (*captured*).
const CHAT: CommId = CommId(2);
/// A cheap part that every game database has: a muffler.
const PART: u32 = 16_001;
/// How many players sign in one after the other before the load begins; those of different groups do it at the same time.
const GROUP: usize = 8;
/// How long the last lines of chat are waited for, from one to the next.
const LAST_LINES: Duration = Duration::from_secs(5);
/// Of how many errors the words are kept.
const MOST_ERRORS: usize = 20;

/// What a player does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// From AuthLogin into the lobby, and out.
    SignIn,
    /// Log in on 8226 (0x0501) with one and the same Context, on one connection.
    LogIn,
    /// Ask for the directory (0x030C), or for who is there (0x0128), in turn.
    Look,
    /// Say a line to everybody in a room.
    Speak,
    /// Buy a part (142) and scrap it.
    Shop,
}

impl Act {
    /// Those of a mixed load.
    pub(super) const MIXED: [Self; 4] = [Self::SignIn, Self::Look, Self::Speak, Self::Shop];

    const fn what(self) -> &'static str {
        match self {
            Self::SignIn => "sign-ins",
            Self::LogIn => "logins",
            Self::Look => "looks at the lobby",
            Self::Speak => "lines of chat",
            Self::Shop => "purchases",
        }
    }
}

/// When the acts of one player are due.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    begin: Instant,
    interval: Duration,
    count: u32,
}

impl Schedule {
    /// Of player `number` of `players`, so that not all act at the same moment.
    fn new(begin: Instant, rate: f64, seconds: u32, (number, players): (usize, usize)) -> Self {
        let interval = Duration::from_secs_f64(1.0 / rate);
        let whole = u32::try_from(players.max(1)).unwrap_or(u32::MAX);
        let part = u32::try_from(number).unwrap_or(u32::MAX);
        let all = u64::from(seconds).saturating_mul(1_000_000_000);
        let every = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
        let count = u32::try_from(all.div_ceil(every)).unwrap_or(u32::MAX);
        Self { begin: begin + interval / whole * part, interval, count }
    }

    /// When act `number` is due, counted from 0; `None` after the last.
    fn due(&self, number: u32) -> Option<Instant> {
        (number < self.count).then(|| self.begin + self.interval * number)
    }

    /// Waits until act `number` is due, which counts as begun then.
    async fn wait(&self, number: u32, site: &Site) -> Option<Instant> {
        let due = self.due(number)?;
        smol::Timer::at(due).await;
        Counters::count(&site.counters.sent);
        Some(due)
    }
}

/// What came of the acts of one player.
#[derive(Default)]
struct Outcome {
    latency: Latency,
    joined: usize,
    done: u64,
    refused: u64,
    lost: u64,
    errors: Vec<String>,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.latency.add(&other.latency);
        self.joined += other.joined;
        self.done += other.done;
        self.refused += other.refused;
        self.lost += other.lost;
        self.failed(other.errors);
    }

    fn failed(&mut self, errors: impl IntoIterator<Item = String>) {
        let room = MOST_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
    }

    /// An act that was due at `due` is done now.
    fn done(&mut self, due: Instant) {
        self.latency.record(due.elapsed());
        self.done += 1;
    }
}

/// A player that is ready to act.
enum Player {
    Outside(Credentials),
    /// On Login, with what it says there.
    Login(Nps, Box<UserLogin>),
    Lobby(PersonaSession, LobbyConnection),
    /// In a room's chat channel, with how many others.
    Room(PersonaSession, LobbyConnection, usize),
    Shop(PersonaSession, Transactions),
}

/// Lets the players do `act` so many times a second each, for so many seconds.
pub(super) async fn run(
    site: &Site,
    act: Act,
    players: Vec<Credentials>,
    rate: f64,
    seconds: u32,
) -> ActReport {
    let wanted = players.len();
    let mut all = Outcome::default();
    let mut ready = Vec::new();
    for (players, errors) in
        join_all(groups(act, players).map(|group| prepare(site.clone(), act, group))).await
    {
        ready.extend(players);
        all.failed(errors);
    }
    let joined = ready.len();
    let begin = Instant::now();
    let acting = ready.into_iter().enumerate().map(|(number, player)| {
        let schedule = Schedule::new(begin, rate, seconds, (number, joined));
        perform(site.clone(), player, schedule)
    });
    for outcome in join_all(acting).await {
        all.add(outcome);
    }
    let taken = begin.elapsed().as_secs_f64().max(f64::from(seconds));
    let count = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    ActReport {
        what: act.what(),
        players: wanted,
        joined,
        wanted_per_second: rate * count(wanted as u64),
        done: all.done,
        refused: all.refused,
        lost: all.lost,
        per_second: count(all.done) / taken,
        latency_milliseconds: all.latency.percentiles(),
        errors: all.errors,
    }
}

/// Players that sign in one after the other, with the room for those who need one, and how many are to be in it.
fn groups(act: Act, players: Vec<Credentials>) -> impl Iterator<Item = (Vec<Credentials>, CommId)> {
    let size = if act == Act::Speak { CHAT_MEMBERS } else { GROUP };
    let mut players = players.into_iter();
    let mut room = FIRST_ROOM;
    std::iter::from_fn(move || {
        let group: Vec<_> = players.by_ref().take(size).collect();
        let own = room;
        room = next_room(room);
        (!group.is_empty()).then_some((group, own))
    })
}

/// Takes players to where they act; those who do not get there are reported.
async fn prepare(
    site: Site,
    act: Act,
    (group, room): (Vec<Credentials>, CommId),
) -> (Vec<Player>, Vec<String>) {
    let (mut ready, mut errors) = (Vec::new(), Vec::new());
    for player in group {
        let name = player.user.clone();
        match arrive(&site, act, player, room).await {
            Ok(player) => {
                Counters::count(&site.counters.joined);
                ready.push(player);
            }
            Err(error) => errors.push(format!("{name}: {error}")),
        }
    }
    let others = ready.len().saturating_sub(1);
    for player in &mut ready {
        if let Player::Room(.., hearers) = player {
            *hearers = others;
        }
    }
    (ready, errors)
}

async fn arrive(site: &Site, act: Act, player: Credentials, room: CommId) -> Result<Player, Error> {
    if act == Act::SignIn {
        return Ok(Player::Outside(player));
    }
    if act == Act::LogIn {
        let context = site.web.auth(&player.user, &player.password).await?;
        let (connection, login) =
            site.endpoints.ready_to_log_in(&context, &site.web.public_key().await?).await?;
        return Ok(Player::Login(connection, Box::new(login)));
    }
    let session = sign_in(site, &player).await?;
    if act == Act::Shop {
        let mut mcots = Transactions::connect(&session).await?;
        mcots.sign_in(None).await?;
        return Ok(Player::Shop(session, mcots));
    }
    let mut lobby = session.lobby().await?;
    if act == Act::Look {
        return Ok(Player::Lobby(session, lobby));
    }
    let address = lobby.server_info(room).await?;
    let mut connection = session.room(&address).await?;
    connection.open_chat(address.endpoint.port).await?;
    Ok(Player::Room(session, connection, 0))
}

/// All acts of one player, and its way out.
async fn perform(site: Site, player: Player, schedule: Schedule) -> Outcome {
    let mut outcome = Outcome { joined: 1, ..Outcome::default() };
    let ended = match player {
        Player::Outside(player) => {
            sign_ins(&site, &player, schedule, &mut outcome).await;
            Ok(())
        }
        Player::Login(connection, login) => log_in(&site, connection, &login, schedule, &mut outcome).await,
        Player::Lobby(session, lobby) => look(&site, session, lobby, schedule, &mut outcome).await,
        Player::Room(session, room, others) => {
            let mut speaker = Speaker { connection: room, others, heard: 0 };
            let ended = speaker.speak(&site, &session, schedule, &mut outcome).await;
            let expected = u64::try_from(others).unwrap_or(u64::MAX) * u64::from(schedule.count);
            outcome.lost += expected.saturating_sub(speaker.heard);
            match ended {
                Ok(()) => session.leave().await,
                Err(error) => Err(error),
            }
        }
        Player::Shop(session, mcots) => shop(&site, session, mcots, schedule, &mut outcome).await,
    };
    outcome.failed(ended.err().map(|error| error.to_string()));
    outcome
}

/// An attempt that fails ends nothing: the next one is made in its time.
async fn sign_ins(site: &Site, player: &Credentials, schedule: Schedule, outcome: &mut Outcome) {
    for number in 0.. {
        let Some(due) = schedule.wait(number, site).await else { return };
        match in_and_out(site, player, due, outcome).await {
            Ok(()) => Counters::count(&site.counters.received),
            Err(error) => {
                outcome.lost += 1;
                outcome.failed([format!("{}: {error}", player.user)]);
            }
        }
    }
}

/// The sign-in counts; the way out does not.
async fn in_and_out(
    site: &Site,
    player: &Credentials,
    due: Instant,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let session = sign_in(site, player).await?;
    drop(session.lobby().await?);
    outcome.done(due);
    session.leave().await
}

async fn log_in(
    site: &Site,
    mut connection: Nps,
    login: &UserLogin,
    schedule: Schedule,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    for number in 0.. {
        let Some(due) = schedule.wait(number, site).await else { break };
        let _: UserStatus = connection.ask(login).await?;
        Counters::count(&site.counters.received);
        outcome.done(due);
    }
    Ok(())
}

async fn look(
    site: &Site,
    session: PersonaSession,
    mut lobby: LobbyConnection,
    schedule: Schedule,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    for number in 0.. {
        let Some(due) = schedule.wait(number, site).await else { break };
        if number % 2 == 0 {
            lobby.directory().await.map(drop)?;
        } else {
            lobby.names(CommId(0)).await.map(drop)?;
        }
        Counters::count(&site.counters.received);
        outcome.done(due);
    }
    drop(lobby);
    session.leave().await
}

async fn shop(
    site: &Site,
    session: PersonaSession,
    mut mcots: Transactions,
    schedule: Schedule,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    for number in 0.. {
        let Some(due) = schedule.wait(number, site).await else { break };
        match mcots.order(GenericRequest::body(number::BUY_NEW_PART, PART)).await {
            Ok(bought) => {
                // Nobody answers this.
                let scrap = GenericRequest::body(number::DESTROY_PART, bought.result);
                mcots.mcots().send_body(scrap).await?;
            }
            // There was no money left: it was answered all the same.
            Err(Error::Refused { .. }) => outcome.refused += 1,
            Err(error) => return Err(error),
        }
        Counters::count(&site.counters.received);
        outcome.done(due);
    }
    mcots.logout().await?;
    session.leave().await
}

/// Somebody in a chat channel, who says lines and hears those of others. A line says when it was due.
struct Speaker {
    connection: LobbyConnection,
    others: usize,
    heard: u64,
}

impl Speaker {
    async fn speak(
        &mut self,
        site: &Site,
        session: &PersonaSession,
        schedule: Schedule,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let mut number = 0;
        while let Some(due) = schedule.due(number) {
            let now = Instant::now();
            if due > now {
                self.hear(site, due - now, outcome).await?;
                continue;
            }
            number += 1;
            let text = stamp(site, due);
            let relay = Relay {
                id: id::RELAY_LONG_NOT_SINGLE,
                channel: CHAT,
                sender: session.persona,
                address: Address::NotSingle(session.persona),
                payload: text.as_bytes(),
            };
            self.connection.nps().send_packet(&relay.packet()).await?;
            Counters::count(&site.counters.sent);
            outcome.done += 1;
        }
        let expected = u64::try_from(self.others).unwrap_or(u64::MAX) * u64::from(schedule.count);
        while self.heard < expected && self.hear(site, LAST_LINES, outcome).await? {}
        self.connection.close_chat().await
    }

    /// Takes in the next packet; whether one came in time.
    async fn hear(&mut self, site: &Site, timeout: Duration, outcome: &mut Outcome) -> Result<bool, Error> {
        let Some(incoming) = self.connection.nps().next_within(timeout).await? else { return Ok(false) };
        if relay::is_relay(incoming.packet.id)
            && let Some(due) = due_of(site, &incoming.packet)
        {
            outcome.latency.record(due.elapsed());
            self.heard += 1;
            Counters::count(&site.counters.received);
        }
        Ok(true)
    }
}

/// A line that says when it was due.
fn stamp(site: &Site, due: Instant) -> String {
    format!("{:020}", due.saturating_duration_since(site.epoch).as_nanos())
}

/// When a line was due, if it is one of ours: channel and sender are before it.
fn due_of(site: &Site, packet: &Packet) -> Option<Instant> {
    let text = packet.body.get(8..)?;
    let nanoseconds = std::str::from_utf8(text).ok()?.trim_end_matches('\0').parse().ok()?;
    site.epoch.checked_add(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_due_at_a_steady_pace() {
        let begin = Instant::now();
        let schedule = Schedule::new(begin, 2.0, 3, (1, 2));
        let due: Vec<_> = (0..9).map_while(|number| schedule.due(number)).map(|due| due - begin).collect();
        assert_eq!(due, [250, 750, 1250, 1750, 2250, 2750].map(Duration::from_millis));
        assert_eq!(Schedule::new(begin, 0.01, 5, (0, 1)).count, 1);
    }

    #[test]
    fn no_room_is_the_chat_channel() {
        let player = |_| Credentials { user: String::new(), password: String::new().into() };
        let players = (0..50).map(player).collect();
        let rooms: Vec<_> = groups(Act::Speak, players).map(|(group, room)| (group.len(), room.0)).collect();
        assert_eq!(rooms, [(20, 1), (20, 3), (10, 4)]);
    }
}
