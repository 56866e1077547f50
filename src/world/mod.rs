//! What the shard knows while it runs and forgets when it stops: who is signed in, who is where.
//!
//! Everything in here is behind short locks; nobody holds one while encrypting, writing or waiting.

mod access_list;
mod channels;
mod game_files;
mod game_pages;
mod own_name;
mod page_sessions;
mod password_history;
mod presence;
pub mod races;
mod rate_limit;
mod refusals;
mod self_tests;
mod sent_forms;
mod sessions;
mod sign_in_trace;
mod source;
mod thrown_out;
mod turned_away;
mod unexpected;

pub use access_list::{AccessList, RefusedAddress};
pub use channels::{
    Admission, Booted, Census, ChannelInfo, Channels, Denied, HandOver, LOBBY, Left, NpsServer, OpenRequest,
    Opened, Person, RaceInfo, Readiness, RelayLoad, Start, Unheard,
};
pub use game_files::{DifferentFiles, GameFiles};
pub use game_pages::GamePages;
pub use own_name::OwnName;
pub use page_sessions::{Notice, PageSessions, PageTerms, Token, Typed};
pub use password_history::{PasswordHistory, Standing};
pub use presence::{Presence, Present, Released, Superseded};
pub use races::Races;
pub use rate_limit::FailureLimit;
pub use refusals::Refusals;
pub use self_tests::{SelfTest, SelfTests, Tested};
pub use sent_forms::{FormAdmission, FormDigest, FormDone};
pub use sessions::{AllPlayed, SESSIONS_PER_CUSTOMER, Session, SessionId, Sessions};
pub use sign_in_trace::{Seen, SignInStep, SignInTrace, Trace};
pub use source::Source;
pub use turned_away::TurnedAway;
pub use unexpected::{Arrived, Reason, Sender, Unexpected, UnexpectedMessages};

use crate::clock::Now;
use crate::config::{Allowed, Limits};
use mco_proto::ids::{CommId, CustomerId, PersonaId, RaceId};
use mco_proto::nps::channel::ChannelData;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One TCP connection, for as long as the process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// The number, counted since the process began.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The sessions of players on the pages.
const PLAYERS: PageTerms =
    PageTerms { idle: Duration::from_hours(1), life: Duration::from_hours(12), most_each: 8, most: 1000 };
/// So many mails may be written within a minute on the pages, from one address and under one account.
const MAILS_PER_MINUTE: u32 = 10;

/// How many accounts the pages make for one address within 24 hours. The counts are forgotten when the process ends.
pub const ACCOUNTS_PER_DAY: u32 = 20;

/// All of it.
#[derive(Debug)]
pub struct World {
    /// Contexts and Session Keys.
    pub sessions: Sessions,
    /// Personas in use.
    pub presence: Presence,
    /// From where the server may be reached.
    pub access_list: AccessList,
    /// Who floods the ports with connections.
    pub turned_away: TurnedAway,
    /// What this machine is called in its network.
    pub own_name: OwnName,
    /// Who gave wrong passwords to Auth too often, by account name.
    pub auth_failures: FailureLimit,
    /// Who failed at Login too often, by the customer whose Context it is.
    pub login_failures: FailureLimit,
    /// Who gave wrong passwords on the players' pages too often, by account name. They are no hindrance in the game.
    pub page_failures: FailureLimit,
    /// How many passwords were checked for an address, right or wrong: each costs the machine a good part of a second. What
    /// was admitted is never forgiven.
    pub password_checks: FailureLimit,
    /// How the last passwords of each address went, wherever they were given. The turns in which passwords are checked look at it, too.
    pub password_history: Arc<PasswordHistory>,
    /// For whom the pages made accounts today.
    pub accounts_made: FailureLimit,
    /// Who is signed in on the players' pages.
    pub page_sessions: PageSessions<CustomerId>,
    /// Who wrote mail on the players' pages.
    pub page_mail: FailureLimit,
    /// Lobby and rooms with their channels.
    pub channels: Channels,
    /// How far each address came.
    pub sign_in_trace: SignInTrace,
    /// What the self-tests of player kits have reached.
    pub self_tests: SelfTests,
    /// Races that are arranged or driven.
    pub races: Races,
    /// Racers whose game files are not the same.
    pub game_files: GameFiles,
    /// Which pages the game has opened.
    pub game_pages: GamePages,
    /// Messages that nobody can explain yet.
    pub unexpected: UnexpectedMessages,
    next_connection: AtomicU64,
}

impl World {
    /// An empty world with these limits, which `allowed` may reach.
    pub fn new(limits: &Limits, allowed: Vec<Allowed>) -> Self {
        let context_life = Duration::from_mins(limits.context_minutes.into());
        let failures_per_minute = limits.failed_logins_per_minute;
        let checks_per_minute = limits.password_checks_per_minute;
        Self {
            sessions: Sessions::new(context_life),
            presence: Presence::default(),
            access_list: AccessList::new(allowed),
            turned_away: TurnedAway::default(),
            own_name: OwnName::default(),
            auth_failures: FailureLimit::new(failures_per_minute),
            login_failures: FailureLimit::new(failures_per_minute),
            page_failures: FailureLimit::new(failures_per_minute),
            password_checks: FailureLimit::new(checks_per_minute),
            password_history: Arc::default(),
            accounts_made: FailureLimit::daily(ACCOUNTS_PER_DAY),
            page_sessions: PageSessions::new(PLAYERS),
            page_mail: FailureLimit::for_everybody(MAILS_PER_MINUTE),
            channels: Channels::default(),
            sign_in_trace: SignInTrace::default(),
            self_tests: SelfTests::default(),
            races: Races::default(),
            game_files: GameFiles::default(),
            game_pages: GamePages::default(),
            unexpected: UnexpectedMessages::default(),
            next_connection: AtomicU64::new(1),
        }
    }

    /// `persona` has come to the room of a race, or left it. Returned are the race on MCOTS, if it is known which, and who has
    /// left that by it.
    pub fn sync_room(
        &self,
        riff: &ChannelInfo,
        persona: PersonaId,
        how: races::Move,
        now: Now,
    ) -> Option<(RaceId, Vec<PersonaId>)> {
        // Held while the room is looked at: two connections of one player may come and go at once.
        let mut races = self.races.lock();
        let (people, called) = self.channels.room(riff.channel);
        races.sync_room(riff, (persona, how), &people, called, now)
    }

    /// The host of a race describes its room. If the terms are `fixed` when a race is made, the first description that belongs to a
    /// race of MCOTS stays. `None`: it is not the room's host. Returned are the room as it is now and who has to hear of it; nobody, if
    /// nothing has changed.
    pub fn describe_room(
        &self,
        (connection, persona): (ConnectionId, PersonaId),
        channel: CommId,
        data: &ChannelData,
        fixed: bool,
    ) -> Option<(ChannelInfo, Vec<ConnectionId>)> {
        let mut races = self.races.lock();
        let said = |riff: &ChannelInfo| riff.data.iter().any(|byte| *byte != 0);
        let settled = |riff: &ChannelInfo| fixed && said(riff) && races.race_of_room(riff.channel).is_some();
        let described = self.channels.set_data(connection, channel, data, settled)?;
        // No password: only what the description says counts.
        races.tie(&described.0, "", persona);
        Some(described)
    }

    /// Opens a channel for a connection of `persona`. A race that was arranged on MCOTS has one room: a member that asks for a room
    /// without a number, or under the race's, means that one, and only members enter it.
    ///
    /// # Errors
    /// Why it can't be entered.
    pub fn open_channel(
        &self,
        connection: ConnectionId,
        persona: PersonaId,
        mut request: OpenRequest,
    ) -> Result<Opened, Denied> {
        if !request.riff.race {
            return self.channels.open(connection, request, |_, _| Ok(Admission::ByPassword));
        }
        // Held until it has entered: nobody is thrown out of the race meanwhile.
        let mut races = self.races.lock();
        request.riff.channel = races.room_meant(persona, &request.riff);
        let password = request.password.clone();
        let opened =
            self.channels.open(connection, request, |riff, exists| races.admit(riff, exists, persona))?;
        races.tie(&opened.riff, &password, persona);
        Ok(opened)
    }

    /// The host throws somebody out of the room of a race, and out of the race, in the room or not. `None`: it is not the host, or there is
    /// no such player, or it is the host itself.
    pub fn throw_out(
        &self,
        connection: ConnectionId,
        channel: CommId,
        persona: PersonaId,
        now: Now,
    ) -> Option<Booted> {
        let mut races = self.races.lock();
        let by = self.channels.host_at(connection, channel).filter(|by| *by != persona)?;
        if !races.may_throw_out(channel, by) {
            return None;
        }
        let booted = self.channels.boot(connection, channel, persona);
        let was_member = races.throw_out(channel, persona, now);
        booted.or_else(|| was_member.then(|| Booted { by, memberships: Vec::new(), left: Vec::new() }))
    }

    /// Ends everything an account could sign in with, in the game and on the pages: it was disabled or its password changed.
    pub fn revoke(&self, customer: CustomerId) {
        self.sessions.revoke(customer);
        self.page_sessions.end_of(customer);
    }

    /// A number for a new connection.
    pub fn new_connection(&self) -> ConnectionId {
        ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed))
    }

    /// How many personas are in use.
    pub fn population(&self, now: Now) -> usize {
        self.presence.population(now)
    }
}

/// Locks a part of the world. A panic elsewhere never leaves these structures half-changed in a way that matters
/// more than going on does.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
