//! What the Server Operator puts right.

use super::*;
use crate::clock::Now;
use mco_proto::ids::RaceId;

#[test]
fn an_account_gets_another_name_and_keeps_everything() {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    let _ = store.accounts().create("other", &password("garage"), None, Now::read()).unwrap();
    let rename = |old: &str, new: &str| store.accounts().rename(old, new).map(|changed| changed.value.name);
    assert_eq!(rename("driver", "OTHER"), Err(AccountError::NameTaken));
    assert!(matches!(rename("driver", "a b"), Err(AccountError::BadName(_))));
    assert_eq!(rename("nobody", "x"), Err(AccountError::NotFound));
    assert_eq!(rename("DRIVER", "Driver"), Ok("Driver".to_owned()), "other capitals");
    assert_eq!(rename("driver", "racer"), Ok("racer".to_owned()));
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.accounts().by_name("driver").unwrap(), None);
    assert!(store.accounts().check_password("racer", "garage", Now::read()).unwrap().is_some());
    assert_eq!(store.accounts().by_customer(owner).unwrap().unwrap().name, "racer");
    assert_eq!(store.personas().of_customer(owner).unwrap()[0].id, persona);
}

#[test]
fn a_persona_gets_another_name_that_looks_like_nobody_elses() {
    let dir = TempDir::new().unwrap();
    let (store, owner, persona) = furnished(dir.path());
    let _ = store.personas().create(owner, driver("Bob"), Now::read()).unwrap();
    let rename = |new: &str| store.personas().rename(persona, new).map(|changed| changed.value.name);
    assert_eq!(rename("B0b"), Err(PersonaError::NameTaken));
    assert!(matches!(rename(""), Err(PersonaError::BadName(_))));
    assert_eq!(rename("DR BROWN"), Ok("DR BROWN".to_owned()), "its own name in other letters");
    assert_eq!(rename("Marty"), Ok("Marty".to_owned()));
    assert_eq!(store.personas().by_name(SHARD, "marty").unwrap().unwrap().id, persona);
    assert_eq!(store.personas().by_name(SHARD, "dr brown").unwrap(), None);
    assert!(store.personas().name_is_free(SHARD, "Dr Brown").unwrap());
    assert_eq!(store.personas().rename(PersonaId(77), "X").unwrap_err(), PersonaError::NotFound);
}

#[test]
fn money_is_given_and_taken_with_a_line_and_a_mail_and_never_below_nothing() {
    let dir = TempDir::new().unwrap();
    let (store, _, persona) = furnished(dir.path());
    let grant = |dollars| store.personas().grant(persona, dollars, "for the show", Now::read());
    assert_eq!(grant(-5001).unwrap_err(), PersonaError::Overdrawn);
    assert_eq!(grant(i64::from(u32::MAX)).unwrap_err(), PersonaError::TooRich);
    assert_eq!(grant(i64::MAX).unwrap_err(), PersonaError::TooRich);
    assert_eq!(grant(i64::MIN).unwrap_err(), PersonaError::Overdrawn);
    assert_eq!(grant(250).unwrap().value.bank_balance, 5250);
    assert_eq!(grant(-5250).unwrap().value.bank_balance, 0);
    let lines = store.ledger().of(persona).unwrap();
    assert_eq!(
        lines
            .iter()
            .filter(|(_, line)| line.kind == Kind::Grant)
            .map(|(_, line)| line.amount)
            .collect::<Vec<_>>(),
        [250, -5250]
    );
    let (mail, _) = store.mails().get(persona, 3, Now::read()).unwrap().unwrap();
    assert!(mail.text.contains("took 5250 dollars: for the show"), "{}", mail.text);
    assert!(store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn an_account_goes_with_all_it_has_but_not_in_a_race() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let empty = records(&store).into_iter().filter(|(key, _)| key[0] != b'm').collect::<Vec<_>>();
    drop(store);
    let (store, owner, persona) = furnished(dir.path());
    let car = store.garage().buy_car(persona, fairlane(0), Now::read()).unwrap().value;
    let _ = store.bans().put(BanTarget::Account(owner), "rude", None, Now::read()).unwrap();
    let entrant = Entrant { persona, fee: 10, car: Some(car) };
    let booking = store.races().start(RaceId(9), &[entrant], false, Now::read()).unwrap().value;
    assert_eq!(store.accounts().remove("driver", Now::read()).unwrap_err(), AccountError::InRace);
    let _ = store.races().refund(booking, &[], Now::read()).unwrap();
    assert_eq!(store.accounts().remove("DRIVER", Now::read()).unwrap().value.customer_id, owner);
    assert_eq!(store.accounts().remove("driver", Now::read()).unwrap_err(), AccountError::NotFound);
    let left = records(&store).into_iter().filter(|(key, _)| key[0] != b'm').collect::<Vec<_>>();
    assert_eq!(left, empty);
}

#[test]
fn the_audit_log_keeps_the_newest_and_is_bounded() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!((store.audit().count().unwrap(), store.audit().newest(0, 5).unwrap()), (0, Vec::new()));
    for number in 0..2010 {
        let _ = store.audit().note(&format!("act {number} {}", "x".repeat(400)), Now::read()).unwrap();
    }
    assert_eq!(store.audit().count().unwrap(), 2000);
    let newest = store.audit().newest(1, 2).unwrap();
    assert!(newest[0].what.starts_with("act 2008 ") && newest[1].what.starts_with("act 2007 "));
    assert_eq!(newest[0].what.len(), 300);
    assert_eq!(all_rows(&store).iter().filter(|(key, _)| key[0] == b'y').count(), 2000);
}
