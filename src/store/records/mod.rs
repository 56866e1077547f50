//! What is stored under each kind of key, and the layouts that older programs wrote.

pub(super) mod account;
pub(super) mod audit;
pub(super) mod club;
pub(super) mod contest;
pub(super) mod deal;
pub(super) mod ledger;
pub(super) mod mail;
pub(super) mod night;
pub(super) mod persona;
pub(super) mod race;
pub(super) mod result;
pub(super) mod vehicle;

use super::error::StoreError;
use super::key::{GENERATION, LAST_GENERATION, MESSAGE, OPERATOR, POSITION, SUM};
use super::record::{Position, Record, decode};
use account::{AccountRecord, Ban, LoginKey, OperatorRecord};
use audit::AuditEntry;
use club::{Club, ClubTotals, Membership};
use contest::{Badges, Headline, Season, TurfWeek, WeekPoints, WeekRewards};
use deal::{Ad, Auction, CityClock, Muted, Trade};
use ledger::Page;
use mail::{Mail, Mailbox};
use night::Night;
use persona::PersonaRecord;
use race::{RaceUnderWay, UncountedResults};
use result::{CourseRecord, PersonaResults, RaceResult};
use vehicle::{LooseRecord, VehicleRecord};

/// Makes of one table of all kinds of records what must not differ.
macro_rules! kinds {
    ($($key:pat => $record:ty,)*) => {
        /// Grows with each kind of record, and with each new version of one. It is stored, so a database that a newer program wrote is
        /// refused without reading all of it. Nothing may be taken out of the table, lest it becomes smaller.
        pub(super) const LAYOUT: u32 = 0 $(+ <$record as Record>::VERSION as u32)*;

        /// Whether this program understands the record. An unknown kind can only come from a newer program.
        pub(super) fn check(key: &[u8], value: &[u8]) -> Result<(), StoreError> {
            match key {
                GENERATION if decode::<u64>(value)? > LAST_GENERATION => {
                    Err(StoreError::Damaged { what: "generation" })
                }
                $($key => decode::<$record>(value).map(|_| ()),)*
                _ => Err(StoreError::TooNew {
                    what: "record of an unknown kind",
                    version: value.first().copied().unwrap_or_default(),
                }),
            }
        }
    };
}

kinds! {
    [b'a', ..] => AccountRecord,
    [b'c', ..] => String,
    [b'p', ..] => PersonaRecord,
    [b'q', ..] => u32,
    [b'v', ..] => VehicleRecord,
    [b'b', ..] => Ban,
    [b'l', ..] => LooseRecord,
    [b'e', ..] => Mailbox,
    [b'i', ..] => Mail,
    [b'j', ..] => Page,
    [b'r', ..] => RaceUnderWay,
    [b'u', ..] => UncountedResults,
    [b'f', ..] => RaceResult,
    [b'y', ..] => AuditEntry,
    [b't', ..] => CourseRecord,
    [b'h', ..] => PersonaResults,
    [b'k', ..] => LoginKey,
    [b'z', b'c', ..] => Club,
    [b'z', b'k', ..] => ClubTotals,
    [b'z', b'p', ..] => Membership,
    [b'z', b'w', ..] => WeekPoints,
    [b'z', b't', ..] => WeekRewards,
    [b'z', b'u' | b'q', ..] => TurfWeek,
    [b'z', b'o' | b'e', ..] => Night,
    [b'z', b's', ..] => Season,
    [b'z', b'b', ..] => Badges,
    [b'z', b'n', ..] => Headline,
    [b'd', b'a', ..] => Auction,
    [b'd', b's', ..] => Ad,
    [b'd', b't', ..] => Trade,
    [b'd', b'm', ..] => Muted,
    [b'd', b'c', ..] => CityClock,
    [b'z', b'v', ..] | [b'd', b'e' | b'l' | b'p', ..] => u32,
    OPERATOR => OperatorRecord,
    MESSAGE => String,
    POSITION => Position,
    GENERATION | SUM => u64,
    [b'n' | b'o' | b'g' | b'w' | b'm' | b'x', ..] => u32,
}
