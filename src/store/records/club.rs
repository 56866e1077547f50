//! The records of clubs.

use crate::store::record::Record;
use mco_proto::ids::PersonaId;
use serde::{Deserialize, Serialize};

/// A club of drivers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Club {
    /// Its number, from 1; never given out twice.
    pub id: u32,
    /// 3 to 30 characters; no other club's name looks like it.
    pub name: String,
    /// 1 to 3 capital letters (*documented*: at most 3); no other club has them.
    pub acronym: String,
    /// What it says of itself, 1 to 255 characters (*documented*: required).
    pub description: String,
    /// Foreground, background and third colour, as RGB (*documented*).
    pub colours: [u32; 3],
    /// When it was founded, in seconds since 1970.
    pub founded: u32,
    /// The week from which on it is no longer in the turf wars; 0: it never was registered.
    pub registered_until: u32,
    /// In the order in which they joined; one of them is the Captain.
    pub members: Vec<Member>,
    /// Who is invited; at most twenty.
    pub invited: Vec<PersonaId>,
    /// Who asks to be let in; at most twenty.
    pub asking: Vec<PersonaId>,
}

impl Record for Club {
    const WHAT: &'static str = "club";
}

impl Club {
    /// The rank of a persona, if it is a member.
    pub fn rank(&self, persona: PersonaId) -> Option<Rank> {
        self.members.iter().find(|member| member.persona == persona).map(|member| member.rank)
    }

    /// Whom the Captain's rank belongs to; `None` only while a club is being closed.
    pub fn captain(&self) -> Option<PersonaId> {
        self.members.iter().find(|member| member.rank == Rank::Captain).map(|member| member.persona)
    }
}

/// What a member may do, the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rank {
    /// Leave.
    #[default]
    Member,
    /// Also invite, admit, write to all, and expel members.
    Officer,
    /// Everything; there is one.
    Captain,
}

impl Rank {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Officer => "officer",
            Self::Captain => "Captain",
        }
    }
}

/// A member of a club.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub persona: PersonaId,
    /// What it may do.
    pub rank: Rank,
    /// What the Captain calls it, at most 20 characters; empty: nothing.
    pub title: String,
    /// When it joined, in seconds since 1970.
    pub joined: u32,
}

/// Where a persona belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The number of its club; 0: none.
    pub club: u32,
    /// When it left its last club by its own will, in seconds since 1970; 0: it never did.
    pub left: u32,
}

impl Record for Membership {
    const WHAT: &'static str = "membership";
}

/// What the races of the members add up to, each as long as it was a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClubTotals {
    /// Races driven by members.
    pub races: u32,
    /// Races won.
    pub won: u32,
    /// Points won.
    pub points: u32,
    /// Turfs won, one for each week.
    pub turfs: u32,
}

impl Record for ClubTotals {
    const WHAT: &'static str = "totals of a club";
}
