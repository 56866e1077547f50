//! Entering and leaving a channel: what is asked for, and what came of it.

use super::{ChannelInfo, ConnectionId, Person};
use mco_proto::ids::{CommId, PersonaId};

/// A request to enter a channel.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    /// The channel, to be made if it does not exist. Number 0 in a request for a race: any free number.
    pub riff: ChannelInfo,
    /// What was given as password; of a new race it becomes the password.
    pub password: String,
    /// Whether a wrong password matters.
    pub strict: bool,
}

/// A channel was entered.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The channel as it is.
    pub riff: ChannelInfo,
    /// Who entered.
    pub me: Person,
    /// Who has to hear of it.
    pub recipients: Vec<ConnectionId>,
    /// Set if a race was made: who has to hear of that, those in a LOBBY channel anywhere.
    pub made: Option<Vec<ConnectionId>>,
    /// The password was wrong and did not matter.
    pub wrong_password: bool,
    /// Who entered is the host now, who was not so before: who has to hear of it.
    pub taken_over: Vec<ConnectionId>,
}

/// A channel was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Which.
    pub channel: CommId,
    /// Who left.
    pub persona: PersonaId,
    /// Who has to hear of it.
    pub recipients: Vec<ConnectionId>,
    /// The race has a new host.
    pub handed_over: Option<HandOver>,
    /// The last one has left the race's room, and who has to hear of it.
    pub ended: Vec<ConnectionId>,
    /// The race is gone: who has to hear of it.
    pub vanished: Option<Vec<ConnectionId>>,
    /// What it was, if it is a race.
    pub race: Option<ChannelInfo>,
}

/// A race has a new host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Who.
    pub host: PersonaId,
    /// Who was ready and is so no longer.
    pub unready: Vec<PersonaId>,
    /// Who has to hear of it: everybody in the race.
    pub recipients: Vec<ConnectionId>,
}

/// How somebody may enter a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// With the channel's own password, or none if it has none.
    ByPassword,
    /// With any: it is known otherwise that it may.
    Invited,
    /// The same, as its host.
    Host,
}

/// Why a channel can't be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The connection has not signed in to this server.
    NotHere,
    /// The channel is full.
    Full,
    /// The password is wrong.
    Locked,
    /// It is the room of a race on MCOTS that the persona has not joined.
    NotJoined,
    /// It says that it is the room of a race on MCOTS, and is not.
    NotItsRoom,
    /// The host has thrown the persona out of this race.
    ThrownOut,
    /// There is no room for another channel, or the connection is in too many.
    TooMany,
}
