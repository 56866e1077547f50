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
use ledger::Line;
use mail::{Mail, Mailbox};
use night::Night;
use persona::PersonaRecord;
use race::{RaceUnderWay, UncountedResults};
use result::{CourseRecord, PersonaResults, RaceResult};
use vehicle::{LooseRecord, VehicleRecord};

/// Whether this program understands the record. An unknown kind can only come from a newer program.
pub(super) fn check(key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    fn as_record<R: Record>(value: &[u8]) -> Result<(), StoreError> {
        decode::<R>(value).map(|_| ())
    }
    match key {
        [b'a', ..] => as_record::<AccountRecord>(value),
        [b'c', ..] => as_record::<String>(value),
        [b'p', ..] => as_record::<PersonaRecord>(value),
        [b'v', ..] => as_record::<VehicleRecord>(value),
        [b'b', ..] => as_record::<Ban>(value),
        [b'l', ..] => as_record::<LooseRecord>(value),
        [b'e', ..] => as_record::<Mailbox>(value),
        [b'i', ..] => as_record::<Mail>(value),
        [b'j', ..] => as_record::<Line>(value),
        [b'r', ..] => as_record::<RaceUnderWay>(value),
        [b'u', ..] => as_record::<UncountedResults>(value),
        [b'f', ..] => as_record::<RaceResult>(value),
        [b'y', ..] => as_record::<AuditEntry>(value),
        [b't', ..] => as_record::<CourseRecord>(value),
        [b'h', ..] => as_record::<PersonaResults>(value),
        [b'k', ..] => as_record::<LoginKey>(value),
        [b'z', b'c', ..] => as_record::<Club>(value),
        [b'z', b'k', ..] => as_record::<ClubTotals>(value),
        [b'z', b'p', ..] => as_record::<Membership>(value),
        [b'z', b'w', ..] => as_record::<WeekPoints>(value),
        [b'z', b't', ..] => as_record::<WeekRewards>(value),
        [b'z', b'u' | b'q', ..] => as_record::<TurfWeek>(value),
        [b'z', b'o' | b'e', ..] => as_record::<Night>(value),
        [b'z', b's', ..] => as_record::<Season>(value),
        [b'z', b'b', ..] => as_record::<Badges>(value),
        [b'z', b'n', ..] => as_record::<Headline>(value),
        [b'd', b'a', ..] => as_record::<Auction>(value),
        [b'd', b's', ..] => as_record::<Ad>(value),
        [b'd', b't', ..] => as_record::<Trade>(value),
        [b'd', b'm', ..] => as_record::<Muted>(value),
        [b'd', b'c', ..] => as_record::<CityClock>(value),
        [b'z', b'v', ..] | [b'd', b'e' | b'l' | b'p', ..] => as_record::<u32>(value),
        OPERATOR => as_record::<OperatorRecord>(value),
        MESSAGE => as_record::<String>(value),
        GENERATION if decode::<u64>(value)? > LAST_GENERATION => {
            Err(StoreError::Damaged { what: "generation" })
        }
        POSITION => as_record::<Position>(value),
        GENERATION | SUM => as_record::<u64>(value),
        [b'n' | b'o' | b'g' | b'w' | b'm' | b'x', ..] => as_record::<u32>(value),
        _ => Err(StoreError::TooNew {
            what: "record of an unknown kind",
            version: value.first().copied().unwrap_or_default(),
        }),
    }
}
