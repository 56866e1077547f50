//! What a race is worth: the one table of fees, purses, points, levels and ranks.
//!
//! The original's numbers are lost. Names and shape of the rules are known (a table from entry fee to purse, a bonus for
//! each player and each race, points by place, levels that get longer); the numbers are ours, chosen so that
//!
//! - a new player who spent everything on the first car earns the next one in an evening of ten to twelve races without
//!   risking a dollar, alone or in company, if he is neither better nor worse than the others;
//! - higher fees make winning worth more and losing dearer, and nobody loses money by racing on average;
//! - whoever drives alone cannot multiply money: no fee, and less than half the purse of a free race; and the publisher told its players
//!   that racing others pays more than driving alone (*documented*);
//! - what the city pays is at most so much for each minute on the road, so that no sequence of short races is worth more.
//!
//! Money in dollars, times in ticks of 1/64 s.

use super::RaceType;
use std::time::Duration;

/// Entry fees and the purses they make (408). A fee between two rows makes the purse of the lower row.
pub const PURSES: &[(u32, u32)] = &[(0, 800), (100, 1100), (250, 1500), (500, 2200), (1000, 3500)];
/// Dollars added to every purse.
pub const BONUS_PER_RACE: u32 = 200;
/// Dollars added to the purse for each human racer.
pub const BONUS_PER_PLAYER: u32 = 500;
/// Percent of the purse of a free race that a racer without other humans wins.
pub const ALONE_PERCENT: u32 = 44;
/// Percent of the purse by place, with three racers or more. With two the winner takes all.
pub const SHARES: [u32; 3] = [60, 30, 10];

/// Points by place in a full field.
pub const POINTS: [u32; 6] = [100, 75, 50, 25, 10, 5];
/// Percent of these points by the number of human racers from one to six: a win over five is worth more than one over nobody.
pub const POINTS_PERCENT: [u32; 6] = [25, 50, 70, 80, 90, 100];
/// Points of the first level; to reach level n + 1 takes n x n times as many in all.
pub const POINTS_OF_FIRST_LEVEL: u32 = 100;
/// Points that make a rank.
pub const POINTS_PER_RANK: u32 = 500;

/// The level from which cars may be wagered (*documented*: no pink slips below level 5, for neither host nor joiner).
pub const PINK_SLIP_LEVEL: u32 = 5;

/// The shortest time in which anything can be driven: 5 s. Shorter ones win nothing.
pub const SHORTEST_TIME: u32 = 5 * 64;
/// The shortest time over the quarter mile: 8 s, in which no car of those years has driven it on the road.
const SHORTEST_DRAG: u32 = 8 * 64;
/// The shortest lap where the length of the track is not known: 15 s, which is a mile at 200 mph.
const SHORTEST_LAP: u32 = 15 * 64;
/// The same for a race through the streets, of which the shortest that is known is some four miles long: 30 s.
const SHORTEST_STREET: u32 = 30 * 64;
/// The speed in metres per second that no car of the game keeps up over a whole race: 200 mph.
const TOP_SPEED: u32 = 90;
/// By how many percent of a racer's time the clocks of PC and server may differ.
pub const CLOCK_SLACK_PERCENT: u32 = 5;
/// The longest that it may take from the host's start to the green light: every PC loads the track, and all wait for the slowest.
pub const LONGEST_LOADING: Duration = Duration::from_mins(5);
/// By how much the moments may differ at most, besides the clocks, at which the racers of one race have begun by what they report:
/// messages are late where the Wi-Fi is weak.
const LONGEST_START_SPREAD: Duration = Duration::from_secs(15);
/// By how much two times may disagree with the moments at which the racers came in, where a fee or a car is at stake and these are in
/// the other order.
pub const ORDER_SLACK: Duration = Duration::from_secs(2);
/// A race of this time or longer is paid in full; of a shorter one what the city pays counts by the time it took: a minute.
pub const FULL_PAY_TIME: u32 = 60 * 64;

/// How long somebody who has joined may take to enter the race's room: a Client gives up after this time (*documented*).
pub const ENTER_TIMEOUT: Duration = Duration::from_secs(90);
/// How long somebody who has left the room of a race may come back to its place, if nobody takes it: then it is in no race any more.
pub const FORGET_TIMEOUT: Duration = Duration::from_mins(10);
/// How long the others wait for a racer whose rooms are gone and who is not heard on MCOTS either, or whose connection to MCOTS is gone.
pub const LOST_TIMEOUT: Duration = Duration::from_mins(1);
/// So long after the start nobody counts as lost in any case: a PC that loads the track may say nothing.
pub const LOADING_GRACE: Duration = Duration::from_mins(1);
/// How long the others may take after the first racer is in.
pub const FINISH_TIMEOUT: Duration = Duration::from_mins(10);
/// The longest run of a race: then who has not come in is out, whatever is still heard of it.
pub const LONGEST_RUN: Duration = Duration::from_hours(2);
/// After this time without a message a race is over. Clients send one every 15 minutes.
pub const SILENCE_TIMEOUT: Duration = Duration::from_mins(31);

/// The highest entry fee, in dollars.
pub const HIGHEST_FEE: u32 = 1000;

/// The purse in dollars when `humans` racers paid `fee` each.
pub fn purse(fee: u32, humans: usize) -> u32 {
    let table = |fee| PURSES.iter().rev().find(|row| row.0 <= fee).map_or(0, |row| row.1);
    let bonus = BONUS_PER_RACE + BONUS_PER_PLAYER * count(humans);
    if humans < 2 { (table(0) + bonus) * ALONE_PERCENT / 100 } else { table(fee) + bonus }
}

/// The purse of a race which `humans` began and `raced` drove, and whose winner took `time`: the fees, and of what the city adds to
/// them for those who drove as much as [`worth`] says.
pub fn purse_for(paid: u32, humans: usize, raced: usize, time: u32) -> u32 {
    let fees = |humans| fee(paid, humans).saturating_mul(count(humans));
    let whole = purse(paid, raced);
    fees(humans) + worth(whole.saturating_sub(fees(raced)), time)
}

/// What dollars or points for a whole race count after `time`: all of it from [`FULL_PAY_TIME`] on.
pub fn worth(amount: u32, time: u32) -> u32 {
    let part = u64::from(amount) * u64::from(time.min(FULL_PAY_TIME)) / u64::from(FULL_PAY_TIME);
    u32::try_from(part).unwrap_or(amount)
}

/// The shortest time in which a race of this kind can be driven. `length` is that of the track in metres, where it is known,
/// and counts once: whether it is that of a lap or of all of them is not known. No laps said: one.
pub fn shortest_time(race_type: RaceType, length: Option<u32>, laps: u8) -> u32 {
    let least = match race_type {
        RaceType::Drag => SHORTEST_DRAG,
        RaceType::Street => SHORTEST_STREET,
        _ => SHORTEST_LAP * u32::from(laps.max(1)),
    };
    let at_top_speed = length.map_or(0, |metres| metres.saturating_mul(64) / TOP_SPEED);
    least.max(at_top_speed)
}

/// By how much the moments may differ, besides the clocks, at which racers have begun: a quarter of the longest time, at most 15 s.
pub fn start_spread(longest: Duration) -> Duration {
    (longest / 4).min(LONGEST_START_SPREAD)
}

/// What each of `humans` racers pays if the race costs `fee`, in dollars: a racer alone pays nothing.
pub const fn fee(fee: u32, humans: usize) -> u32 {
    if humans < 2 { 0 } else { fee }
}

/// What `purse` brings to `place` (0: the winner) among `racers`, rounded down. What is not claimed is not paid.
pub fn share(purse: u32, racers: usize, place: usize) -> u32 {
    match (racers, place) {
        (0..=2, 0) => purse,
        (0..=2, _) => 0,
        _ => SHARES.get(place).map_or(0, |percent| purse / 100 * percent + purse % 100 * percent / 100),
    }
}

/// The points of `place` (0: the winner) in a race of so many humans. Racers that a Client plays make no win worth more.
pub fn points(humans: usize, place: usize) -> u32 {
    let full = POINTS.get(place).copied().unwrap_or_default();
    let percent = POINTS_PERCENT.get(humans.saturating_sub(1)).copied().unwrap_or(100);
    (full * percent / 100).max(u32::from(full > 0))
}

/// The level, from 1, of a persona with so many points.
pub const fn level(points: u32) -> u32 {
    (points / POINTS_OF_FIRST_LEVEL).isqrt() + 1
}

/// The points with which a persona reaches a level, from 1.
pub const fn points_of_level(level: u32) -> u32 {
    let below = level.saturating_sub(1);
    below.saturating_mul(below).saturating_mul(POINTS_OF_FIRST_LEVEL)
}

/// The points that are missing to the next level.
pub const fn points_to_next_level(points: u32) -> u32 {
    let level = level(points);
    (2 * level - 1) * POINTS_OF_FIRST_LEVEL - (points - points_of_level(level))
}

/// The rank, from 0, of a persona with so many points.
pub const fn rank(points: u32) -> u32 {
    points / POINTS_PER_RANK
}

/// The points that are missing to the next rank.
pub const fn points_to_next_rank(points: u32) -> u32 {
    POINTS_PER_RANK - points % POINTS_PER_RANK
}

fn count(people: usize) -> u32 {
    u32::try_from(people).unwrap_or(u32::MAX).min(6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    /// What a racer earns on average in one race of `humans` at `paid`, the fee taken off.
    fn average(paid: u32, humans: usize) -> i64 {
        let all: u32 = (0..humans).map(|place| share(purse(paid, humans), humans, place)).sum();
        i64::from(all) / i64::try_from(humans).unwrap() - i64::from(fee(paid, humans))
    }

    #[test]
    fn an_evening_of_free_races_buys_a_second_car() {
        let cheapest = Catalog::builtin().cars().iter().map(|car| car.price).min().unwrap();
        for humans in 1..=6 {
            let races = (1..1000).find(|races| average(0, humans) * races >= i64::from(cheapest)).unwrap();
            assert!((7..=12).contains(&races), "{races} races with {humans} humans for {cheapest} dollars");
        }
        // Over a year of evenings it buys every car there is.
        let dearest = Catalog::builtin().cars().iter().map(|car| car.price).max().unwrap();
        assert!(average(0, 2) * 12 * 30 > i64::from(dearest));
    }

    #[test]
    fn nobody_loses_money_by_racing_on_average_and_a_winner_earns_more_at_a_higher_fee() {
        for humans in 2..=6 {
            assert!(PURSES.iter().all(|row| average(row.0, humans) > 0), "{humans} humans");
            let won = |paid| i64::from(share(purse(paid, humans), humans, 0)) - i64::from(fee(paid, humans));
            assert!(PURSES.is_sorted_by(|low, high| won(low.0) < won(high.0)), "{humans} humans");
        }
    }

    #[test]
    fn the_table_of_purses_is_in_order_and_a_fee_between_rows_counts_as_the_lower() {
        assert!(PURSES.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
        assert_eq!((PURSES[0].0, PURSES[PURSES.len() - 1].0), (0, HIGHEST_FEE));
        assert_eq!(purse(99, 2), purse(0, 2));
        assert_eq!(purse(100, 2), 1100 + 200 + 2 * 500);
        assert_eq!(purse(HIGHEST_FEE, 6), 3500 + 200 + 6 * 500);
    }

    #[test]
    fn who_drives_alone_pays_nothing_and_wins_less() {
        assert_eq!((fee(1000, 1), purse(1000, 1), purse(0, 1)), (0, 660, 660));
        assert_eq!(share(660, 1, 0), 660);
    }

    #[test]
    fn a_race_among_others_pays_more_than_one_alone() {
        for humans in 2..=6 {
            assert!(average(0, humans) > average(0, 1), "{humans} humans");
            let won = |paid| i64::from(share(purse(paid, humans), humans, 0)) - i64::from(fee(paid, humans));
            assert!(PURSES.iter().all(|row| won(row.0) > average(0, 1)), "{humans} humans");
            assert!(points(humans, 0) > points(1, 0));
        }
    }

    #[test]
    fn what_the_city_pays_for_a_minute_is_bounded_however_short_the_races_are() {
        assert_eq!(
            [0, 320, FULL_PAY_TIME - 1, FULL_PAY_TIME, u32::MAX].map(|time| worth(750, time)),
            [0, 62, 749, 750, 750]
        );
        assert_eq!(purse_for(0, 1, 1, FULL_PAY_TIME), purse(0, 1));
        assert_eq!(purse_for(1000, 2, 2, 0), 2000, "the racers' own money stays");
        assert_eq!(purse_for(1000, 2, 2, FULL_PAY_TIME), purse(1000, 2));
        assert_eq!(purse_for(1000, 6, 1, FULL_PAY_TIME), 6000 + purse(0, 1), "also of those who gave up");
        for seconds in 1..=300 {
            let (time, whole) = (seconds * 64, u64::from(purse(0, 1)));
            assert!(u64::from(purse_for(0, 1, 1, time)) * 60 <= whole * u64::from(seconds));
        }
    }

    #[test]
    fn nobody_is_faster_than_the_track_allows() {
        let seconds = |race_type, length, laps| shortest_time(race_type, length, laps) / 64;
        assert_eq!(seconds(RaceType::Drag, Some(402), 0), 8);
        assert_eq!([0, 1, 2, 8].map(|laps| seconds(RaceType::Circuit, None, laps)), [15, 15, 30, 120]);
        assert_eq!(seconds(RaceType::Street, None, 0), 30);
        assert_eq!(seconds(RaceType::Street, Some(6598), 0), 73);
        assert_eq!(seconds(RaceType::Circuit, Some(8690), 8), 120);
        assert!(seconds(RaceType::Circuit, Some(u32::MAX), 255) > 3600);
    }

    #[test]
    fn two_race_for_all_and_more_share() {
        assert_eq!([0, 1].map(|place| share(2000, 2, place)), [2000, 0]);
        assert_eq!([0, 1, 2, 3].map(|place| share(4001, 6, place)), [2400, 1200, 400, 0]);
        assert_eq!(share(u32::MAX, 3, 0), 2_576_980_377);
    }

    #[test]
    fn points_fall_with_the_place_and_with_the_field() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|place| points(6, place)), [100, 75, 50, 25, 10, 5, 0]);
        assert_eq!([0, 1].map(|place| points(2, place)), [50, 37]);
        assert_eq!(points(1, 0), 25);
    }

    #[test]
    fn levels_get_longer_and_ranks_do_not() {
        assert_eq!([0, 99, 100, 399, 400, 900].map(level), [1, 1, 2, 2, 3, 4]);
        assert_eq!([0, 1, 2, 10, u32::MAX].map(points_of_level), [0, 0, 100, 8100, u32::MAX]);
        assert_eq!([0, 99, 100, 399].map(points_to_next_level), [100, 1, 300, 1]);
        assert_eq!([0, 499, 500, 1000].map(rank), [0, 0, 1, 2]);
        assert_eq!((points_to_next_rank(0), points_to_next_rank(499)), (500, 1));
        for points in [1, 12_345, u32::MAX - 1, u32::MAX] {
            let next = u64::from(points) + u64::from(points_to_next_level(points));
            assert_eq!(next, u64::from(level(points)).pow(2) * 100);
        }
    }
}
