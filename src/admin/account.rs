//! Accounts that players make and change themselves, on the server's pages.

use crate::clock::Now;
use crate::config::Registration;
use crate::services::{Game, auth, bans};
use crate::store::{Account, AccountError, Password, PasswordError, StoreError};
use crate::world::{ACCOUNTS_PER_DAY, FailureLimit};
use log::{error, info, warn};
use std::fmt;
use std::net::IpAddr;

/// How many accounts one address may ask for within a minute.
pub const PER_MINUTE: u32 = 10;

/// 24 hours, in seconds.
const DAY: u64 = 24 * 60 * 60;

/// For so many seconds the same form once more is one that was sent twice.
const TWICE: u64 = 60;

/// How many accounts the pages make within 24 hours, whoever asks but this machine itself. The Server Operator may make more.
pub const PER_DAY: usize = 200;

/// Why an account was not made or its password not changed: a sentence for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Only the Server Operator makes accounts.
    NotOpen,
    /// Too many requests from one address within a minute.
    TooMany,
    /// As many accounts were made for one address today as may be.
    TooManyToday,
    /// There are as many accounts as there may be, or as many were made today.
    Crowded,
    /// This cannot be a name; why.
    Name(&'static str),
    /// Somebody has that name.
    NameTaken,
    /// This cannot be a password; why.
    Password(PasswordError),
    /// The password and its repetition differ.
    Repetition,
    /// The new password is the old one.
    Unchanged,
    /// Unknown name, wrong password or disabled account; which of them is not told.
    Wrong,
    /// The account is banned; why.
    Banned(String),
    /// The card is full or cannot be written, so nothing is changed for now.
    NoChanges,
    /// The store failed.
    Store,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => {
                f.write_str("On this server only the operator creates accounts. Ask the operator for one.")
            }
            Self::TooMany => {
                f.write_str("Too many tries. Wait one minute, then try again.")
            }
            Self::TooManyToday => f.write_str(
                "From your address no more accounts can be made today. Try again tomorrow, or ask the operator for one.",
            ),
            Self::Crowded => f.write_str(
                "This server makes no more accounts today, because so many were made. Try again tomorrow, or ask the operator for one.",
            ),
            Self::Name(why) => write!(f, "This account name cannot be used: {why}."),
            Self::NameTaken => f.write_str("This account name is already taken. Choose another one."),
            Self::Password(why) => {
                let why = why.to_string();
                let mut letters = why.chars();
                let first = letters.next().map(|first| first.to_ascii_uppercase());
                write!(f, "{}{}.", first.map(String::from).unwrap_or_default(), letters.as_str())
            }
            Self::Repetition => f.write_str("The two passwords are not the same. Type both again."),
            Self::Unchanged => f.write_str("The new password is the same as the old one. Choose another one."),
            Self::Wrong => f.write_str("The account name or the password is wrong."),
            Self::Banned(why) => f.write_str(why),
            Self::NoChanges => f.write_str(
                "The server cannot save anything at the moment, because its card is full or cannot be written. Nothing was \
                 changed. Tell the operator: the page Health says what to do.",
            ),
            Self::Store => {
                f.write_str("The server could not save this. Nothing was changed. Please try again.")
            }
        }
    }
}

/// What a form for a new account says.
#[derive(Clone, Copy)]
pub struct NewAccount<'a> {
    /// The wanted name.
    pub name: &'a str,
    /// The wanted password.
    pub password: &'a str,
    /// The same again.
    pub again: &'a str,
}

/// What a form for a new password says.
#[derive(Clone, Copy)]
pub struct NewPassword<'a> {
    /// The account.
    pub name: &'a str,
    /// The password it has.
    pub old: &'a str,
    /// The password it is to have.
    pub password: &'a str,
    /// The same again.
    pub again: &'a str,
}

/// Makes an account, and waits until it has survived a power cut. Hashes a password, so it belongs on a worker thread.
/// `requests` counts what an address asked for, whatever came of it.
pub fn create(
    game: &Game,
    requests: &FailureLimit,
    from: IpAddr,
    form: NewAccount<'_>,
    now: Now,
) -> Result<Account, Refusal> {
    if game.config.accounts.registration == Registration::Operator {
        return Err(Refusal::NotOpen);
    }
    let password = wanted(form.password, form.again)?;
    if !requests.admit(from, "", now) {
        info!("account: refused {from}: too many requests from this address within a minute");
        return Err(Refusal::TooMany);
    }
    let accounts = game.store.accounts();
    // Only what was made within this minute: to know the password of another account is no way to see that it is there.
    if let Some(account) = done_already(game, form.name, form.password, now)?
        && now.unix.saturating_sub(account.created) < TWICE
    {
        return Ok(account);
    }
    let today = accounts.made_since(now.unix.saturating_sub(DAY)).map_err(|e| refusal(&e.into()))?;
    if today >= PER_DAY && !from.is_loopback() {
        warn!("account: refused {from}: {today} accounts were made within 24 hours");
        return Err(Refusal::Crowded);
    }
    let made = &game.world.accounts_made;
    if !made.admit(from, "", now) {
        warn!("account: refused {from}: {ACCOUNTS_PER_DAY} accounts were made for it within 24 hours");
        return Err(Refusal::TooManyToday);
    }
    let created = match accounts.create(form.name, &password, None, now) {
        Ok(created) => created,
        Err(error) => {
            made.forgive(from, "");
            let same =
                matches!(error, AccountError::NameTaken).then(|| made_meanwhile(game, from, form, now));
            return same.transpose()?.flatten().ok_or_else(|| refusal(&error));
        }
    };
    created.ticket.wait().map_err(|e| refusal(&e.into()))?;
    accounts.was_set(form.name, &password, now);
    info!("account: customer {} was made from {from}", created.value.customer_id);
    Ok(created.value)
}

/// Changes a password for whoever knows the old one, and waits until that has survived a power cut. What the account
/// could sign in with until now ends. What is checked for an address within a minute is bounded, right or wrong. Checks and hashes a password, so it belongs on a worker thread. Failures count
/// apart from those of Auth, so that nobody is kept out of the game by them.
pub fn change_password(
    game: &Game,
    from: IpAddr,
    form: NewPassword<'_>,
    now: Now,
) -> Result<Account, Refusal> {
    let password = wanted(form.password, form.again)?;
    if form.password == form.old {
        return Err(Refusal::Unchanged);
    }
    let accounts = game.store.accounts();
    let account = match check(game, from, form.name, form.old, now) {
        // After the check, which counts: nobody may try passwords as new ones instead.
        Err(Refusal::Wrong) => {
            let done = done_already(game, form.name, form.password, now)?.ok_or(Refusal::Wrong)?;
            game.world.page_failures.forgive(from, form.name);
            game.world.password_history.note(from, true, now);
            return Ok(done);
        }
        checked => checked?,
    };
    let changed = accounts.set_password(&account.name, &password).map_err(|e| refusal(&e))?;
    changed.ticket.wait().map_err(|e| refusal(&e.into()))?;
    accounts.was_set(&account.name, &password, now);
    game.world.revoke(account.customer_id);
    info!("account: customer {} has a new password, changed from {from}", account.customer_id);
    Ok(account)
}

/// Whose account it is, for whoever signs in on the pages. Checks a password, so it belongs on a worker thread. Failures count together
/// with those of [`change_password`].
///
/// # Errors
/// [`Refusal::TooMany`], [`Refusal::Wrong`], [`Refusal::Banned`].
pub fn sign_in(game: &Game, from: IpAddr, name: &str, password: &str, now: Now) -> Result<Account, Refusal> {
    let account = check(game, from, name, password, now)?;
    if let Some(ban) = bans::of_account(&game.store, account.customer_id, now) {
        info!("account: refused {from}: customer {} is banned", account.customer_id);
        return Err(Refusal::Banned(bans::explanation(&ban, now)));
    }
    info!("account: customer {} signed in on the pages from {from}", account.customer_id);
    Ok(account)
}

/// The account of that name and password, if the address may still try.
fn check(game: &Game, from: IpAddr, name: &str, password: &str, now: Now) -> Result<Account, Refusal> {
    if !game.world.page_failures.admit(from, name, now) {
        info!("account: refused {from}: too many wrong passwords from this address within a minute");
        return Err(Refusal::TooMany);
    }
    if !game.world.password_checks.admit(from, "", now) {
        info!("account: refused {from}: too many passwords were checked for this address within a minute");
        return Err(Refusal::TooMany);
    }
    match auth::check(&game.store, &game.world.password_history, from, (name, password), now) {
        Ok(Some(account)) => {
            game.world.page_failures.forgive(from, name);
            Ok(account)
        }
        Ok(None) => {
            info!("account: refused {from}: wrong name or password, or the account is disabled");
            Err(Refusal::Wrong)
        }
        Err(error) => {
            game.world.page_failures.forgive(from, name);
            Err(refusal(&error.into()))
        }
    }
}

/// The account, if it got this password within the last minute: who clicks twice sends a form twice, and sees the second answer.
fn done_already(game: &Game, name: &str, password: &str, now: Now) -> Result<Option<Account>, Refusal> {
    game.store.accounts().recently_proven(name, password, now).map_err(|e| refusal(&e.into()))
}

/// The account, if the same form has made it just now, or is about to: who clicks twice sends both at the same moment.
fn made_meanwhile(
    game: &Game,
    from: IpAddr,
    form: NewAccount<'_>,
    now: Now,
) -> Result<Option<Account>, Refusal> {
    let failed = |error: StoreError| refusal(&error.into());
    let account = game.store.accounts().by_name(form.name).map_err(failed)?;
    if account.is_none_or(|account| now.unix.saturating_sub(account.created) >= TWICE) {
        return Ok(None);
    }
    // As anywhere else where a password is tried.
    match check(game, from, form.name, form.password, now) {
        Ok(account) => game.store.flush().map(|()| Some(account)).map_err(failed),
        Err(Refusal::Wrong) => Ok(None),
        Err(other) => Err(other),
    }
}

fn wanted(password: &str, again: &str) -> Result<Password, Refusal> {
    let wanted = Password::new(password).map_err(Refusal::Password)?;
    if password == again { Ok(wanted) } else { Err(Refusal::Repetition) }
}

fn refusal(problem: &AccountError) -> Refusal {
    match problem {
        AccountError::BadName(why) => Refusal::Name(why),
        AccountError::NameTaken => Refusal::NameTaken,
        AccountError::NotFound => Refusal::Wrong,
        AccountError::TooMany => {
            warn!("account: a request of the pages was refused: {problem}");
            Refusal::Crowded
        }
        AccountError::Store(
            StoreError::Full { .. }
            | StoreError::ReadOnly(_)
            | StoreError::OutOfFiles(_)
            | StoreError::Database(_),
        ) => {
            warn!("account: a request of the pages was refused: {problem}");
            Refusal::NoChanges
        }
        AccountError::CustomerIdTaken
        | AccountError::InRace
        | AccountError::InAuction
        | AccountError::Store(_) => {
            error!("account: a request of the pages failed: {problem}");
            Refusal::Store
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Source, Standing};
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));

    fn new<'a>(name: &'a str, password: &'a str) -> NewAccount<'a> {
        NewAccount { name, password, again: password }
    }

    #[test]
    fn an_account_is_made_once_and_may_log_in() {
        let (game, _folder) = Game::for_tests();
        let limit = FailureLimit::new(PER_MINUTE);
        let account = create(&game, &limit, HOME, new("marty", "s3cret"), Now::read()).unwrap();
        assert_eq!(account.name, "marty");
        let twice = create(&game, &limit, HOME, new("marty", "s3cret"), Now::read());
        assert_eq!(twice.unwrap().customer_id, account.customer_id, "who clicks twice");
        assert_eq!(game.store.accounts().list().unwrap().len(), 1);
        assert!(game.store.accounts().check_password("marty", "s3cret", Now::read()).unwrap().is_some());
        let later = Now { unix: account.created + TWICE, ..Now::read() };
        assert_eq!(create(&game, &limit, HOME, new("marty", "s3cret"), later), Err(Refusal::NameTaken));
        assert_eq!(create(&game, &limit, HOME, new("MARTY", "0ther"), Now::read()), Err(Refusal::NameTaken));
    }

    #[test]
    fn the_same_form_that_is_hashed_at_the_same_moment_is_told_that_it_is_done() {
        let (game, _folder) = Game::for_tests();
        let (limit, now) = (FailureLimit::new(PER_MINUTE), Now::read());
        // As far as the other one has come when this one sees its account.
        let password = Password::new("s3cret").unwrap();
        let first = game.store.accounts().create("marty", &password, None, now).unwrap().value;
        assert_eq!(create(&game, &limit, HOME, new("marty", "0ther"), now), Err(Refusal::NameTaken));
        let later = Now { unix: now.unix + TWICE, ..now };
        assert_eq!(create(&game, &limit, HOME, new("marty", "s3cret"), later), Err(Refusal::NameTaken));
        let second = create(&game, &limit, HOME, new("marty", "s3cret"), now).unwrap();
        assert_eq!(second.customer_id, first.customer_id);
    }

    #[test]
    fn what_cannot_be_is_explained_and_changes_nothing() {
        let (game, _folder) = Game::for_tests();
        let limit = FailureLimit::new(PER_MINUTE);
        let ask = |form| create(&game, &limit, HOME, form, Now::read()).unwrap_err();
        assert_eq!(ask(new("marty", "abc")), Refusal::Password(PasswordError::TooShort));
        assert_eq!(ask(new("marty", "a b c d")), Refusal::Password(PasswordError::BadCharacter));
        assert_eq!(ask(NewAccount { again: "other", ..new("marty", "s3cret") }), Refusal::Repetition);
        assert!(matches!(ask(new("m\u{e4}rty", "s3cret")), Refusal::Name(_)));
        assert!(game.store.accounts().list().unwrap().is_empty());
        let sentence = Refusal::Password(PasswordError::TooShort).to_string();
        assert_eq!(sentence, "The password is too short: use at least 4 characters.");
    }

    #[test]
    fn nobody_makes_an_account_where_the_operator_does() {
        let (mut game, _folder) = Game::for_tests();
        game.config.accounts.registration = Registration::Operator;
        let asked = create(&game, &FailureLimit::new(PER_MINUTE), HOME, new("marty", "s3cret"), Now::read());
        assert_eq!(asked, Err(Refusal::NotOpen));
    }

    #[test]
    fn one_address_makes_only_so_many_accounts_a_minute() {
        let (game, _folder) = Game::for_tests();
        let limit = FailureLimit::new(2);
        for name in ["one", "two"] {
            create(&game, &limit, HOME, new(name, "s3cret"), Now::read()).unwrap();
        }
        assert_eq!(create(&game, &limit, HOME, new("three", "s3cret"), Now::read()), Err(Refusal::TooMany));
        create(&game, &limit, Ipv4Addr::new(192, 168, 1, 21).into(), new("three", "s3cret"), Now::read())
            .unwrap();
    }

    #[test]
    fn the_pages_make_only_so_many_accounts_a_day_and_the_operator_more() {
        let (game, _folder) = Game::for_tests();
        let limit = FailureLimit::new(PER_MINUTE);
        let password = Password::new("s3cret").unwrap();
        let now = Now::read();
        for number in 0..PER_DAY {
            let made =
                game.store.accounts().create(&format!("driver{number}"), &password, None, now).unwrap();
            drop(made);
        }
        assert_eq!(create(&game, &limit, HOME, new("marty", "s3cret"), now), Err(Refusal::Crowded));
        create(&game, &limit, Ipv4Addr::LOCALHOST.into(), new("lorraine", "s3cret"), now).unwrap();
        let _ = game.store.accounts().create("marty", &password, None, now).unwrap();
        let tomorrow = Now { unix: now.unix + DAY + 1, ..now };
        create(&game, &limit, HOME, new("jennifer", "s3cret"), tomorrow).unwrap();
    }

    #[test]
    fn the_pages_make_only_so_many_accounts_a_day_for_one_network() {
        let (game, _folder) = Game::for_tests();
        let limit = FailureLimit::new(PER_MINUTE.saturating_mul(100));
        let now = Now::read();
        let from = |host: u16| IpAddr::from([0xfd00, 0, 0, 1, 0, 0, 0, host]);
        let make = |host, number: u32, now| {
            create(&game, &limit, from(host), new(&format!("driver{number}"), "s3cret"), now)
        };
        for number in 0..ACCOUNTS_PER_DAY {
            // What comes to nothing does not count.
            if number > 0 {
                let taken = create(&game, &limit, from(7), new("driver0", "0ther"), now);
                assert_eq!(taken, Err(Refusal::NameTaken));
            }
            make(u16::try_from(number).unwrap(), number, now).unwrap();
        }
        assert_eq!(make(9, 99, now), Err(Refusal::TooManyToday));
        create(&game, &limit, HOME, new("marty", "s3cret"), now).unwrap();
        let later = |hours| Now { mono: now.mono + std::time::Duration::from_hours(hours), ..now };
        assert_eq!(make(9, 99, later(23)), Err(Refusal::TooManyToday));
        make(9, 99, later(24)).unwrap();
    }

    #[test]
    fn a_password_is_changed_by_who_knows_the_old_one_and_old_contexts_end() {
        let (mut game, _folder) = Game::for_tests();
        let limit = FailureLimit::new(2);
        let account = create(&game, &limit, HOME, new("marty", "s3cret"), Now::read()).unwrap();
        let context = game.world.sessions.issue_context(account.customer_id, HOME, Now::read());
        let form = NewPassword { name: "marty", old: "s3cret", password: "n3w-one", again: "n3w-one" };
        game.world.page_failures = FailureLimit::new(2);
        let change = |form| change_password(&game, HOME, form, Now::read());
        assert_eq!(
            change(NewPassword { password: "s3cret", again: "s3cret", ..form }),
            Err(Refusal::Unchanged)
        );
        assert_eq!(change(NewPassword { again: "other", ..form }), Err(Refusal::Repetition));
        assert_eq!(change(NewPassword { old: "guess", ..form }), Err(Refusal::Wrong));
        assert!(change(form).is_ok());
        assert_eq!(game.world.sessions.redeem(&context, None, Now::read()), None);
        assert!(game.store.accounts().check_password("marty", "n3w-one", Now::read()).unwrap().is_some());
        assert!(change(form).is_ok(), "who clicks twice");
        let standing = game.world.password_history.standing(Source::of(HOME), Now::read());
        assert_ne!(standing, Standing::Guesses, "who clicks twice guesses nothing");
        let other = NewPassword { password: "0ther", again: "0ther", ..form };
        assert_eq!(change(other), Err(Refusal::Wrong), "the old password is no longer it");
        assert_eq!(change(other), Err(Refusal::TooMany));
    }
}
