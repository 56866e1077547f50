//! Where the records of clubs, weeks and race nights lie: all under `z` and a second letter.
//!
//! | key | record |
//! |---|---|
//! | `zc` club | club |
//! | `zk` club | what the races of its members add up to |
//! | `zp` persona id | the club of a persona, or when it left the last one |
//! | `zw` week, persona id | what its races of that week add up to, until the week is settled |
//! | `zv` week | the week, as long as it is not settled |
//! | `zt` week | a settled week: who was rewarded |
//! | `zu` week, lobby | the clubs on a turf in that week, until the week is settled |
//! | `zq` lobby, week | a settled week of a turf |
//! | `zo` race night | a race night that is planned or runs |
//! | `ze` race night | one that is over or cancelled |
//! | `zs` season | season |
//! | `zb` persona id | its badges |
//! | `zn` number | headline |

use super::key::join;
use mco_proto::ids::PersonaId;

pub(super) const CLUBS: &[u8] = b"zc";
/// All weeks that are not settled.
pub(super) const OPEN_WEEKS: &[u8] = b"zv";
/// All settled weeks.
pub(super) const REWARDS: &[u8] = b"zt";
/// All turfs of weeks that are not settled.
pub(super) const OPEN_TURFS: &[u8] = b"zu";
/// All settled weeks of turfs.
pub(super) const TURFS: &[u8] = b"zq";
/// All race nights that are planned or run.
pub(super) const OPEN_NIGHTS: &[u8] = b"zo";
/// All race nights that are over or cancelled.
pub(super) const CLOSED_NIGHTS: &[u8] = b"ze";
pub(super) const SEASONS: &[u8] = b"zs";
pub(super) const HEADLINES: &[u8] = b"zn";
pub(super) const NEXT_CLUB: &[u8] = b"mnext_club";
/// The next race night.
pub(super) const NEXT_NIGHT: &[u8] = b"mnext_night";
pub(super) const NEXT_SEASON: &[u8] = b"mnext_season";
pub(super) const NEXT_HEADLINE: &[u8] = b"mnext_headline";

fn with(kind: u8, numbers: &[u32]) -> Vec<u8> {
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    join(b'z', &[&[kind], &numbers])
}

pub(super) fn club(club: u32) -> Vec<u8> {
    with(b'c', &[club])
}

/// What the races of a club's members add up to.
pub(super) fn club_totals(club: u32) -> Vec<u8> {
    with(b'k', &[club])
}

/// The club of a persona.
pub(super) fn membership(persona: PersonaId) -> Vec<u8> {
    with(b'p', &[persona.0])
}

/// What all personas have won in a week.
pub(super) fn points_of_week(week: u32) -> Vec<u8> {
    with(b'w', &[week])
}

/// What a persona has won in a week.
pub(super) fn points(week: u32, persona: PersonaId) -> Vec<u8> {
    with(b'w', &[week, persona.0])
}

/// The mark of a week that is not settled.
pub(super) fn open_week(week: u32) -> Vec<u8> {
    with(b'v', &[week])
}

/// A settled week.
pub(super) fn rewards(week: u32) -> Vec<u8> {
    with(b't', &[week])
}

/// A turf in a week that is not settled.
pub(super) fn open_turf(week: u32, lobby: u32) -> Vec<u8> {
    with(b'u', &[week, lobby])
}

/// The settled weeks of a turf, the oldest first.
pub(super) fn weeks_of_turf(lobby: u32) -> Vec<u8> {
    with(b'q', &[lobby])
}

/// A settled week of a turf.
pub(super) fn turf(lobby: u32, week: u32) -> Vec<u8> {
    with(b'q', &[lobby, week])
}

/// A race night that is planned or runs.
pub(super) fn open_night(night: u32) -> Vec<u8> {
    with(b'o', &[night])
}

/// A race night that is over or cancelled.
pub(super) fn closed_night(night: u32) -> Vec<u8> {
    with(b'e', &[night])
}

pub(super) fn season(season: u32) -> Vec<u8> {
    with(b's', &[season])
}

/// The badges of a persona.
pub(super) fn badges(persona: PersonaId) -> Vec<u8> {
    with(b'b', &[persona.0])
}

pub(super) fn headline(number: u32) -> Vec<u8> {
    with(b'n', &[number])
}
