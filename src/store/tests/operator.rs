//! Bans, what belongs to the Operator, and backups that wait.

use super::*;
use crate::clock::Now;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};

const BANNED: BanTarget = BanTarget::Account(CustomerId(7));
const ADDRESS: BanTarget = BanTarget::Address(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 30)));

#[test]
fn a_ban_stays_until_it_is_lifted_and_survives_a_restart() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for target in [BANNED, ADDRESS] {
        store.bans().put(target, "cheats", Some(99), Now::read()).unwrap().ticket.wait().unwrap();
        store.bans().put(target, " rams people ", None, Now::read()).unwrap().ticket.wait().unwrap();
    }
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let bans = store.bans().list().unwrap();
    assert_eq!(bans.iter().map(|ban| ban.target).collect::<Vec<_>>(), [BANNED, ADDRESS]);
    assert_eq!((bans[0].reason.as_str(), bans[0].until), ("rams people", None));
    assert!(store.bans().lift(ADDRESS).unwrap().value);
    assert!(!store.bans().lift(ADDRESS).unwrap().value);
    assert!(store.bans().of(ADDRESS).unwrap().is_none() && store.bans().of(BANNED).unwrap().is_some());
}

#[test]
fn a_reason_is_one_line_that_a_client_can_show() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for reason in ["", "  ", "a\nValid=TRUE", "a\u{85}b", "\u{301}", &"x".repeat(121), &"Щ".repeat(31)] {
        assert!(
            matches!(store.bans().put(BANNED, reason, None, Now::read()), Err(BanError::BadReason(_))),
            "{reason:?}"
        );
    }
    assert!(store.bans().list().unwrap().is_empty());
    let _ = store.bans().put(BANNED, &"é".repeat(120), None, Now::read()).unwrap();
}

#[test]
fn a_ban_ends_when_it_was_to_end() {
    let ban = Ban { target: BANNED, reason: String::new(), since: 5, until: Some(10) };
    assert!(ban.counts_at(9) && !ban.counts_at(10));
    assert!(Ban { until: None, ..ban }.counts_at(u64::MAX));
}

#[test]
fn a_banned_network_of_ipv6_is_one_target_and_disguised_ipv4_is_itself() {
    let target = |text: &str| BanTarget::address(text.parse().unwrap());
    assert_eq!(target("fd00::1"), target("fd00::2"));
    assert_ne!(target("fd00::1"), target("fd00:0:0:1::1"));
    assert_eq!(target("::ffff:192.168.1.30"), ADDRESS);
}

#[test]
fn the_first_operator_password_can_be_set_once_and_replaced_knowingly() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let operator = store.operator();
    let word = |text: &str| OperatorPassword::new(text).unwrap();
    assert!(!operator.has_password().unwrap() && !operator.check_password("").unwrap());
    operator.set_first_password(&word("cold start 57")).unwrap().ticket.wait().unwrap();
    let second = operator.set_first_password(&word("another one")).unwrap_err();
    assert_eq!(second, OperatorError::AlreadySet);
    assert!(
        operator.check_password("cold start 57").unwrap() && !operator.check_password("another one").unwrap()
    );
    operator.set_password(&word("g\u{f6}tterspeise")).unwrap().ticket.wait().unwrap();
    assert!(
        operator.check_password("g\u{f6}tterspeise").unwrap()
            && !operator.check_password("cold start 57").unwrap()
    );
    assert_eq!(OperatorPassword::new("short").unwrap_err(), OperatorError::BadPassword);
    assert!(!format!("{:?}", word("cold start 57")).contains("cold"));
}

#[test]
fn the_operators_password_is_forgotten_once_for_each_request() {
    let dir = TempDir::new().unwrap();
    let request = dir.path().join("reset-operator-password");
    let word = |text: &str| OperatorPassword::new(text).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let operator = store.operator();
    assert!(!operator.forget_password_if_asked(dir.path()).unwrap());
    operator.set_password(&word("cold start 57")).unwrap().ticket.wait().unwrap();
    fs::write(&request, "please").unwrap();
    assert!(operator.forget_password_if_asked(dir.path()).unwrap());
    assert!(!operator.has_password().unwrap() && !operator.check_password("cold start 57").unwrap());
    operator.set_first_password(&word("warm start 58")).unwrap().ticket.wait().unwrap();
    assert!(!operator.forget_password_if_asked(dir.path()).unwrap());
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert!(!request.exists() && store.operator().check_password("warm start 58").unwrap());
}

#[test]
fn the_message_of_the_day_is_one_line() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.operator().message().unwrap(), "");
    store.operator().set_message(" Race night at 8! ").unwrap().ticket.wait().unwrap();
    assert_eq!(store.operator().message().unwrap(), "Race night at 8!");
    for bad in ["two\nlines".to_owned(), "x".repeat(301)] {
        assert_eq!(store.operator().set_message(&bad).unwrap_err(), OperatorError::BadMessage);
    }
}

#[test]
fn a_staged_backup_is_restored_before_the_next_opening_and_only_once() {
    let (dir, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let file = elsewhere.path().join("b.mcos");
    let (store, ..) = furnished(dir.path());
    store.flush().unwrap();
    store.write_backup(&file).unwrap();
    let before = everything(&store);
    store.accounts().create("late", &password("garage"), None, Now::read()).unwrap().ticket.wait().unwrap();
    assert!(Store::stage_restore(dir.path(), &file).unwrap() > 3);
    assert_eq!(store.accounts().list().unwrap().len(), 2, "the running server is not disturbed");
    drop(store);
    assert!(Store::restore_staged(dir.path()).unwrap());
    assert!(!Store::restore_staged(dir.path()).unwrap());
    assert_eq!(everything(&Store::open(dir.path()).unwrap()), before);
}

#[test]
fn what_is_no_sound_backup_is_never_staged() {
    let (dir, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let file = elsewhere.path().join("b.mcos");
    let (store, ..) = furnished(dir.path());
    store.write_backup(&file).unwrap();
    let good = fs::read(&file).unwrap();
    let mut newer = good.clone();
    newer[7] = 3;
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bad in [&b"PK\x03\x04 a zip"[..], &[], &good[..good.len() - 1], &newer, &flipped] {
        fs::write(&file, bad).unwrap();
        assert!(Store::stage_restore(dir.path(), &file).is_err());
        assert!(!dir.path().join("restore.mcos").exists());
    }
    assert!(matches!(
        Store::stage_restore(dir.path(), &elsewhere.path().join("none")),
        Err(OpenError::BadBackup { .. })
    ));
}

#[test]
fn a_staged_file_that_went_bad_is_set_aside_and_the_server_goes_on() {
    let dir = TempDir::new().unwrap();
    let (store, ..) = furnished(dir.path());
    let before = everything(&store);
    drop(store);
    fs::write(dir.path().join("restore.mcos"), b"nonsense").unwrap();
    assert!(!Store::restore_staged(dir.path()).unwrap());
    assert!(dir.path().join("restore.mcos.refused").exists());
    assert_eq!(everything(&Store::open(dir.path()).unwrap()), before);
}
