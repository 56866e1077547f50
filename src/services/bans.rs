//! Who is kept out, and what the banned are told.
//!
//! A banned address is refused when it connects: by HTTP with the reason, elsewhere without an answer. A banned account is
//! refused when it signs in: by Auth with the reason, if the password is right, and on 8226 with [`BANNED`](mco_proto::nps::bare::BANNED).

use crate::clock::Now;
use crate::store::{Ban, BanTarget, Store};
use mco_proto::ids::CustomerId;
use std::fmt;
use std::net::IpAddr;

/// The ban of an account, if there is one that counts.
pub fn of_account(store: &Store, customer: CustomerId, now: Now) -> Option<Ban> {
    in_force(store, BanTarget::Account(customer), now)
}

/// The ban of an address, if there is one that counts.
pub fn of_address(store: &Store, address: IpAddr, now: Now) -> Option<Ban> {
    in_force(store, BanTarget::address(address), now)
}

/// A store that fails keeps nobody out: then nothing else works either, and the log says so.
fn in_force(store: &Store, target: BanTarget, now: Now) -> Option<Ban> {
    match store.bans().of(target) {
        Ok(ban) => ban.filter(|ban| ban.counts_at(now.unix)),
        Err(error) => {
            log::error!("bans: cannot look whether {target:?} is banned: {error}");
            None
        }
    }
}

/// What a banned User reads, in one line.
pub fn explanation(ban: &Ban, now: Now) -> String {
    let Ban { target, reason, until, .. } = ban;
    let what = match target {
        BanTarget::Account(_) => "account",
        BanTarget::Address(_) => "address",
    };
    match until {
        Some(until) => {
            let left = until.saturating_sub(now.unix);
            format!("This {what} is banned for {}: {reason}", span(left))
        }
        None => format!("This {what} is banned: {reason}"),
    }
}

/// A time to wait, rounded up to what a person would say.
fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=3600 => (seconds.div_ceil(60).max(1), "minute"),
        3601..=86_400 => (seconds.div_ceil(3600), "hour"),
        _ => (seconds.div_ceil(86_400), "day"),
    };
    format!("{count} more {unit}{}", if count == 1 { "" } else { "s" })
}

/// Why a ban cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanRefused {
    /// The address is not that of another machine.
    Address(IpAddr),
    /// Its end lies in the past.
    EndInPast,
}

impl fmt::Display for BanRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => {
                write!(
                    f,
                    "{address} cannot be banned: it is not the address of another machine; ban the account of the player instead"
                )
            }
            Self::EndInPast => f.write_str("the end of the ban lies in the past: name a later one, or none"),
        }
    }
}

impl std::error::Error for BanRefused {}

/// An address as the target of a ban. This machine itself cannot be banned: the Operator's tools come from there.
pub(crate) fn bannable(address: IpAddr) -> Result<BanTarget, BanRefused> {
    let address = address.to_canonical();
    if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
        return Err(BanRefused::Address(address));
    }
    Ok(BanTarget::address(address))
}

/// Refuses a ban that would be over before it begins.
pub(crate) fn check_end(until: Option<u64>, now: Now) -> Result<(), BanRefused> {
    if until.is_some_and(|until| until <= now.unix) { Err(BanRefused::EndInPast) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Game;

    #[test]
    fn a_ban_counts_until_its_end_and_for_its_target_only() {
        let (game, _folder) = Game::for_tests();
        let (here, there) = ("192.168.1.30".parse().unwrap(), "192.168.1.31".parse().unwrap());
        let until = Some(Now::read().unix + 1000);
        let _ = game.store.bans().put(bannable(here).unwrap(), "noise", until, Now::read()).unwrap();
        let _ =
            game.store.bans().put(BanTarget::Account(CustomerId(7)), "rams", Some(5), Now::read()).unwrap();
        assert_eq!(of_address(&game.store, here, Now::read()).unwrap().reason, "noise");
        assert!(of_address(&game.store, there, Now::read()).is_none());
        assert!(of_account(&game.store, CustomerId(7), Now::read()).is_none(), "it was over long ago");
        let target = BanTarget::address(here);
        assert!(
            in_force(&game.store, target, Now::read().later(std::time::Duration::from_secs(1000))).is_none()
        );
    }

    #[test]
    fn this_machine_cannot_be_banned_nor_can_anybody_until_yesterday() {
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "224.0.0.1"] {
            assert!(bannable(address.parse().unwrap()).is_err(), "{address}");
        }
        assert!(
            check_end(Some(Now::read().unix - 1), Now::read()).is_err()
                && check_end(None, Now::read()).is_ok()
        );
    }

    #[test]
    fn the_banned_are_told_why_and_for_how_long() {
        let ban = |until| Ban {
            target: BanTarget::Account(CustomerId(7)),
            reason: "rams".to_owned(),
            since: 0,
            until,
        };
        assert_eq!(explanation(&ban(None), Now::read()), "This account is banned: rams");
        let hours = explanation(&ban(Some(Now::read().unix + 7000)), Now::read());
        assert_eq!(hours, "This account is banned for 2 more hours: rams");
        assert_eq!(
            (span(0), span(60), span(90_000)),
            ("1 more minute".into(), "1 more minute".into(), "2 more days".into())
        );
    }
}
