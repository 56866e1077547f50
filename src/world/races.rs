//! Races that are arranged or driven: who is in them, and what became of each racer.
//!
//! A race is *open* while its room fills, *running* from the host's start to the last report, and then *finished*: its
//! members may go and drive again under the same number. A persona is a *member* of one race at a time, from making or
//! joining it until it leaves or its connection is gone; who leaves its [room](Room) gives up the place. Those who drive a run make its *field*, in the order of the
//! host's slots; who gives up or is lost stays in the field and is out.
//!
//! Nothing here knows the store or a clock: what happens is told, with the time at which it happens.

mod field;
mod lost;
mod room;
mod rounds;
mod run;
mod settings;
#[cfg(test)]
mod tests;

pub use field::{DamageReport, Doubt, Driver, Exit, Outcome, Place, Report, Starter, TimeLimits};
pub use room::{Move, Room};
pub use rounds::Rounds;
pub use settings::{Settings, Unfit};

use super::thrown_out::ThrownOut;
use super::{ConnectionId, locked};
use crate::clock::Now;
use mco_proto::ids::{BookingId, CommId, PersonaId, RaceId, VehicleId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The most races at once.
pub const MOST_RACES: usize = 1000;
/// A Client may open the channel of a race under the race's number, and the first numbers of channels mean the lobby, the
/// room servers and races that have no number of their own (from 20,000). So races count from here.
const FIRST_NUMBER: u32 = 0x0010_0000;
/// The top byte of a race's number is the server's instance: the only one is 0.
const LAST_NUMBER: u32 = 0x00ff_ffff;

/// Why something can't be done to a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// There is no such race.
    NoSuchRace,
    /// The persona, or the racer it speaks of, is not in it.
    NotInRace,
    /// All places are taken.
    Full,
    /// Only the host may.
    NotHost,
    /// Only before the start.
    Running,
    /// Only after the start.
    NotRunning,
    /// The racer's result is known.
    AlreadyReported,
    /// There are as many races as the server holds.
    TooManyRaces,
    /// Its host has thrown the persona out.
    ThrownOut,
}

/// Somebody in a race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub persona: PersonaId,
    /// The connection to MCOTS by which the member was last heard.
    pub connection: ConnectionId,
    /// The car named when joining.
    pub vehicle: Option<VehicleId>,
    /// What the member's game files added up to, last time.
    pub game_files: Option<[u32; 3]>,
    /// Where the member is on the lobby's side.
    pub room: Room,
    /// Since when it is expected in the room: when it made the race or joined it.
    joined: Instant,
    /// When it was last heard on MCOTS.
    last_word: Instant,
    /// Since when it has no connection in the room in which it was.
    absent_since: Option<Instant>,
    /// Since when it has left the room.
    left_since: Option<Instant>,
    /// Since when its connection to MCOTS is gone.
    lost_since: Option<Instant>,
    /// Another connection of it to MCOTS, which takes over if that by which it was last heard goes.
    spare: Option<ConnectionId>,
}

impl Member {
    const fn new(
        persona: PersonaId,
        connection: ConnectionId,
        vehicle: Option<VehicleId>,
        now: Instant,
    ) -> Self {
        Self {
            persona,
            connection,
            vehicle,
            game_files: None,
            room: Room::Unseen,
            joined: now,
            last_word: now,
            absent_since: None,
            left_since: None,
            lost_since: None,
            spare: None,
        }
    }
}

/// Where a race is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its room fills.
    Open,
    /// Its host has started it; who may drive is looked up, and the fees are taken.
    Starting,
    /// It is driven; fees are booked, if there are any.
    Running(Option<BookingId>),
    /// Its last run has been settled.
    Finished,
}

/// One race, from the moment it is arranged until every racer's result is known.
#[derive(Clone, Debug)]
pub struct Race {
    /// Its number.
    pub id: RaceId,
    /// What the host chose.
    pub settings: Settings,
    /// The password of its room.
    pub password: String,
    /// Everybody in it, the host first, unless that has left its room.
    pub members: Vec<Member>,
    /// Who drives the current run, or drove the last.
    pub field: Vec<Starter>,
    /// Where it is in its life.
    pub state: State,
    /// How far a series of rounds is.
    pub rounds: Rounds,
    /// What was said of the cars while the current run goes on or is settled, once by each racer.
    pub damage: Vec<DamageReport>,
    /// The run is over, and what it pays and whose the cars are is not stored yet.
    settling: bool,
    /// When the host started the current or last run, and which times it can have.
    started: Instant,
    limits: TimeLimits,
    /// The number of its room on the lobby's side, once somebody has opened it.
    room: Option<CommId>,
    /// Whom its host has thrown out of the room: they have no place in it again.
    thrown_out: ThrownOut,
    /// When the first racer came in.
    first_in: Option<Instant>,
    last_sign: Instant,
}

/// All races. The lock is never held while the store is asked: what takes time, a start, is a state of its own, and what is over is
/// taken out of here once before it is settled.
#[derive(Debug, Default)]
pub struct Races(Mutex<Table>);

/// The races themselves, for whoever holds the lock.
#[derive(Debug, Default)]
pub struct Table {
    races: BTreeMap<RaceId, Race>,
    member_of: HashMap<PersonaId, RaceId>,
    last_number: u32,
    /// Bookings of races that are over and could not be settled: their fees have to go back.
    unsettled: Vec<BookingId>,
}

impl Races {
    /// Takes the lock.
    pub fn lock(&self) -> MutexGuard<'_, Table> {
        locked(&self.0)
    }
}

impl Race {
    /// Who may start it and speaks for racers that no human drives: of those who have not left its room the member who has
    /// been in it longest.
    pub fn host(&self) -> Option<PersonaId> {
        let here = self.members.iter().find(|member| member.is_here());
        here.or(self.members.first()).map(|member| member.persona)
    }

    /// What is known of one who is in it; `None` for everybody else.
    pub fn member(&self, persona: PersonaId) -> Option<&Member> {
        self.members.iter().find(|member| member.persona == persona)
    }

    /// The connections of those members who are in the field.
    pub fn audience(&self) -> Vec<ConnectionId> {
        let drives = |member: &&Member| self.field.iter().any(|starter| starter.is(member.persona));
        self.members.iter().filter(drives).map(|member| member.connection).collect()
    }

    /// Whether it runs and no human drives any more.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Running(_)) && !self.field.iter().any(Starter::is_awaited)
    }

    /// For how long the current run has been driven; `None` if it does not run.
    pub fn elapsed(&self, now: Now) -> Option<Duration> {
        self.runs().then(|| now.since(self.started))
    }

    const fn runs(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// Whether nobody can join it and nobody start it, for now.
    const fn is_under_way(&self) -> bool {
        matches!(self.state, State::Starting | State::Running(_))
    }

    fn put_out(&mut self, persona: PersonaId, exit: Exit, now: Now) {
        let after = now.since(self.started);
        if self.runs()
            && let Some(starter) = self.field.iter_mut().find(|starter| starter.is(persona))
        {
            starter.put_out(exit, after);
        }
    }
}

impl Table {
    /// As it is at this moment; `None` once it is over.
    pub fn get(&self, id: RaceId) -> Option<&Race> {
        self.races.get(&id)
    }

    /// All races, by number.
    pub fn all(&self) -> impl Iterator<Item = &Race> {
        self.races.values()
    }

    /// Numbers go on behind this one, which was given out before the server started.
    pub fn count_on(&mut self, last: RaceId) {
        self.last_number = last.0;
    }

    /// How many races there are.
    pub fn len(&self) -> usize {
        self.races.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.races.is_empty()
    }

    /// The race a persona is in.
    pub fn of(&self, persona: PersonaId) -> Option<&Race> {
        self.races.get(self.member_of.get(&persona)?)
    }

    /// Makes a race with the caller as host, who must not be in another one: see [`Self::leave`].
    pub fn create(
        &mut self,
        host: PersonaId,
        connection: ConnectionId,
        settings: Settings,
        now: Now,
    ) -> Result<&Race, Denied> {
        if self.races.len() >= MOST_RACES {
            return Err(Denied::TooManyRaces);
        }
        let id = self.free_number();
        let race = Race {
            id,
            settings,
            password: room::password(),
            members: vec![Member::new(host, connection, None, now.mono)],
            field: Vec::new(),
            state: State::Open,
            rounds: Rounds::default(),
            damage: Vec::new(),
            settling: false,
            started: now.mono,
            limits: TimeLimits { shortest: 0, longest_loading: None },
            room: None,
            thrown_out: ThrownOut::nobody(),
            first_in: None,
            last_sign: now.mono,
        };
        self.member_of.insert(host, id);
        Ok(self.races.entry(id).or_insert(race))
    }

    /// The next number that no race has. A number comes again after 15 million others.
    fn free_number(&mut self) -> RaceId {
        loop {
            self.last_number = match self.last_number {
                FIRST_NUMBER..LAST_NUMBER => self.last_number + 1,
                _ => FIRST_NUMBER,
            };
            let id = RaceId(self.last_number);
            if !self.races.contains_key(&id) {
                return id;
            }
        }
    }

    /// The race that `persona` may join, or is in already.
    pub fn joinable(&self, id: RaceId, persona: PersonaId) -> Result<&Race, Denied> {
        let race = self.races.get(&id).ok_or(Denied::NoSuchRace)?;
        if race.thrown_out.contains(persona) {
            return Err(Denied::ThrownOut);
        }
        if race.member(persona).is_some() {
            return Ok(race);
        }
        if race.is_under_way() {
            return Err(Denied::Running);
        }
        if race.taken() >= race.settings.most_racers {
            return Err(Denied::Full);
        }
        Ok(race)
    }

    /// Joins a race, which must not be another than the persona is in: see [`Self::leave`]. Who is in it already may say
    /// so again, with another car.
    pub fn join(
        &mut self,
        id: RaceId,
        persona: PersonaId,
        connection: ConnectionId,
        vehicle: VehicleId,
        now: Now,
    ) -> Result<&Race, Denied> {
        if self.joinable(id, persona)?.member(persona).is_none() {
            self.make_place(id);
        }
        let race = self.races.get_mut(&id).ok_or(Denied::NoSuchRace)?;
        // Only who was in the room before is waited for anew: by asking again and again nobody keeps a place.
        if race.member(persona).is_some_and(|member| member.room == Room::Left) {
            race.come_back(persona, Room::Unseen, now);
        }
        let vehicle = Some(vehicle);
        let under_way = race.is_under_way();
        match race.members.iter_mut().find(|member| member.persona == persona) {
            // While it runs the car that is driven stays the one that was named before.
            Some(_) if under_way => {}
            Some(member) => (member.connection, member.vehicle) = (connection, vehicle),
            None => race.members.push(Member::new(persona, connection, vehicle, now.mono)),
        }
        race.last_sign = now.mono;
        self.member_of.insert(persona, id);
        Ok(race)
    }

    /// `persona` starts a race, as its host. A finished one may be driven again. Returned is the race as it is now; from here on
    /// nobody joins it until [`Self::start`] or [`Self::stay`].
    pub fn prepare(&mut self, id: RaceId, persona: PersonaId) -> Result<Race, Denied> {
        let race = self.races.get_mut(&id).ok_or(Denied::NoSuchRace)?;
        race.member(persona).ok_or(Denied::NotInRace)?;
        if race.host() != Some(persona) {
            Err(Denied::NotHost)
        } else if race.is_under_way() {
            Err(Denied::Running)
        } else {
            race.state = State::Starting;
            Ok(race.clone())
        }
    }

    /// A race that was prepared begins, in which times can be as `limits` says. Whoever left it meanwhile is in the field and
    /// out. If all of them did, and it vanished, the booking comes back, to be undone.
    pub fn start(
        &mut self,
        id: RaceId,
        field: Vec<Starter>,
        limits: TimeLimits,
        booking: Option<BookingId>,
        now: Now,
    ) -> Result<(), Option<BookingId>> {
        let Some(race) = self.races.get_mut(&id) else { return Err(booking) };
        race.field = field;
        race.state = State::Running(booking);
        (race.started, race.limits) = (now.mono, limits);
        race.first_in = None;
        race.damage.clear();
        race.settling = false;
        race.last_sign = now.mono;
        for member in &mut race.members {
            member.game_files = None;
            // Who left the room before the start and races all the same needs none.
            member.absent_since = member.absent_since.filter(|_| member.is_here());
        }
        let members = &race.members;
        let gone = |starter: &&mut Starter| match starter.driver {
            Driver::Human { persona, .. } => members.iter().all(|member| member.persona != persona),
            Driver::Ai(_) => false,
        };
        race.field.iter_mut().filter(gone).for_each(|starter| starter.put_out(Exit::Dropped, Duration::ZERO));
        Ok(())
    }

    /// The host says with a start how many rounds make a series (0: not said), and the head start of the two lanes.
    pub fn begin_round(&mut self, id: RaceId, limit: u8, dial_in: [u16; 2]) {
        if let Some(race) = self.races.get_mut(&id) {
            race.begin_round(limit, dial_in);
        }
    }

    /// A race that was prepared does not begin: it is as it was before, which `before` says.
    pub fn stay(&mut self, id: RaceId, before: State) {
        if let Some(race) = self.races.get_mut(&id)
            && race.state == State::Starting
        {
            race.state = before;
        }
    }

    /// `sender` says that `racer` has finished: itself, or one that the host's Client plays. Returned is why the time is not
    /// counted, if so.
    pub fn report(
        &mut self,
        id: RaceId,
        sender: PersonaId,
        racer: PersonaId,
        report: Report,
        now: Now,
    ) -> Result<Option<Doubt>, Denied> {
        let race = self.races.get_mut(&id).ok_or(Denied::NoSuchRace)?;
        let drove = race.field.iter().any(|starter| starter.is(sender));
        if race.member(sender).is_none() && !drove {
            return Err(Denied::NotInRace);
        }
        let host = race.host();
        let starter = race.field.iter_mut().find(|starter| match starter.driver {
            Driver::Human { persona, .. } => persona == racer && racer == sender,
            Driver::Ai(number) => number == racer.0 && racer != sender && host == Some(sender),
        });
        let Some(starter) = starter else {
            return Err(if racer == sender { Denied::NotRunning } else { Denied::NotInRace });
        };
        if starter.outcome.is_some() || !matches!(race.state, State::Running(_)) {
            return Err(Denied::AlreadyReported);
        }
        starter.outcome = Some(Outcome::In(report));
        // The time of one whom the host's Client plays may be an estimate of what is still to come.
        let longest_loading = race.limits.longest_loading.filter(|_| starter.is_human());
        let limits = TimeLimits { longest_loading, ..race.limits };
        let after = now.since(race.started);
        let doubt = limits.doubt(report.time, after);
        starter.doubt = doubt;
        starter.after = after;
        starter.is_timed = longest_loading.is_some();
        if matches!(starter.driver, Driver::Human { .. }) {
            race.first_in.get_or_insert(now.mono);
        }
        race.last_sign = now.mono;
        Ok(doubt)
    }

    /// A persona says that it is out. While the race runs it stays a member and hears the results; else it leaves.
    pub fn quit(&mut self, id: RaceId, persona: PersonaId, now: Now) -> Result<(), Denied> {
        let race = self.races.get_mut(&id).ok_or(Denied::NoSuchRace)?;
        race.member(persona).ok_or(Denied::NotInRace)?;
        race.last_sign = now.mono;
        if race.runs() {
            race.put_out(persona, Exit::Quit, now);
        } else {
            self.leave(persona, Exit::Quit, now);
        }
        Ok(())
    }

    /// A persona is no longer a member of the race it is in, whose number is returned. The host's part goes to whoever of those in its
    /// room has been in it longest. A race without members vanishes, unless it runs: then it is still to be settled.
    pub fn leave(&mut self, persona: PersonaId, exit: Exit, now: Now) -> Option<RaceId> {
        let id = self.member_of.remove(&persona)?;
        let race = self.races.get_mut(&id)?;
        race.put_out(persona, exit, now);
        let host = race.host();
        race.members.retain(|member| member.persona != persona);
        race.pass_on(host);
        if race.members.is_empty() && !race.runs() {
            self.races.remove(&id);
        }
        Some(id)
    }
}
