//! Auth: checks name and password, and hands out the Context with which the Client then logs in to the game.

use crate::clock::Now;
use crate::services::bans;
use crate::store::{Account, Store, StoreError};
use crate::world::{FailureLimit, PasswordHistory, SESSIONS_PER_CUSTOMER, SignInStep, SignInTrace};
use log::{error, info};
use mco_proto::ids::CustomerId;
use percent_encoding::percent_decode_str;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// Shown in the Client's dialog if too many have signed in from one address.
const TOO_MANY: &str = "Too many sign-ins from this address. Wait one minute, then try again.";
/// Shown in the Client's dialog, whatever the password was.
const TOO_MANY_WRONG: &str = "Too many wrong passwords. Wait one minute, then try again.";

/// One question to the Auth service.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The text behind the `?`, as it came. Holds the password, so it is never logged and never stored.
    pub query: &'a str,
    /// Who asks.
    pub from: IpAddr,
    /// The page that a failure offers for help, such as `http://mcos.local/`.
    pub help: &'a str,
    /// When.
    pub now: Now,
    /// Where it is noted how the attempt went.
    pub sign_in_trace: &'a SignInTrace,
}

/// What bounds the attempts of one address.
#[derive(Clone, Copy, Debug)]
pub struct AuthLimits<'a> {
    /// Wrong passwords, by name.
    pub failures: &'a FailureLimit,
    /// All password checks, right or wrong.
    pub checks: &'a FailureLimit,
    /// How the last passwords of each address went: it decides who goes first.
    pub history: &'a PasswordHistory,
}

impl Attempt<'_> {
    /// What was typed. No account name and no password holds a space or a `+`, so it does not matter that nobody has recorded how the
    /// login DLL writes them.
    fn name_and_password(&self) -> (Zeroizing<String>, Zeroizing<String>) {
        let typed = |name| parameter(self.query, name).unwrap_or_default();
        (typed("username"), typed("password"))
    }
}

/// Answers one attempt with the text for the Client. Costs a password check, so it belongs on a worker thread.
///
/// Success is `Valid=TRUE` and the Context in a second line without an end (*captured*). An unknown name, a
/// wrong password and a disabled account give the same text at the same cost; who failed too often from one address, with one name
/// or with many, is told to wait, right or not. Contexts that were issued before
/// stay good: the Client logs in twice before it enters the game (*captured*). `issue_context` has none for an account that plays on
/// as many PCs as it may.
pub fn answer(
    store: &Store,
    limits: &AuthLimits<'_>,
    attempt: Attempt<'_>,
    issue_context: impl FnOnce(CustomerId) -> Option<String>,
) -> String {
    let Attempt { from, help, now, sign_in_trace, .. } = attempt;
    let AuthLimits { failures, checks, history } = limits;
    let (name, password) = attempt.name_and_password();
    if !checks.admit(from, "", now) {
        info!("auth: refused {from}: too many passwords were checked for this address within a minute");
        sign_in_trace.refused(from, SignInStep::Password, now);
        return failure("INV-200", TOO_MANY, help);
    }
    if !failures.admit(from, &name, now) {
        info!("auth: refused {from}: too many wrong passwords from this address within a minute");
        sign_in_trace.refused(from, SignInStep::Password, now);
        return failure("INV-200", TOO_MANY_WRONG, help);
    }
    match check(store, history, from, (&name, &password), now) {
        Ok(Some(account)) => {
            failures.forgive(from, &name);
            admitted(store, attempt, &account, issue_context)
        }
        Ok(None) => {
            // What was typed as a name is not logged: people type their password there.
            sign_in_trace.refused(from, SignInStep::Password, now);
            info!("auth: refused {from}: wrong name or password, or the account is disabled");
            wrong(help)
        }
        Err(e) => {
            failures.forgive(from, &name);
            error!("auth: cannot check the login of {from}: {e}");
            failure("INV-200", "The server could not check the password. Please try again.", help)
        }
    }
}

/// The account of that name and password, if both are right, for whoever asks at `from`. One that was found right within a minute is
/// not checked again, from however many addresses it comes, perhaps while others of them waited for their turns; and since that tells
/// nothing of an address, only a check is noted in its history. Costs a password check, so it belongs on a worker thread.
///
/// # Errors
/// If the account cannot be read.
pub fn check(
    store: &Store,
    history: &PasswordHistory,
    from: IpAddr,
    (name, password): (&str, &str),
    now: Now,
) -> Result<Option<Account>, StoreError> {
    let accounts = store.accounts();
    if let Some(account) = accounts.recently_proven(name, password, now)? {
        return Ok(Some(account));
    }
    let account = accounts.check_password(name, password, now)?;
    history.note(from, account.is_some(), now);
    Ok(account)
}

/// The answer to who has given the right password a moment ago, as a Client does that signs in. `None` if it has not: [`answer`] is
/// to check it. Costs no password check.
pub fn answer_again(
    store: &Store,
    attempt: Attempt<'_>,
    issue_context: impl FnOnce(CustomerId) -> Option<String>,
) -> Option<String> {
    let (name, password) = attempt.name_and_password();
    // A store that does not answer is told of where the password is checked.
    let account = store.accounts().recently_proven(&name, &password, attempt.now).ok().flatten()?;
    Some(admitted(store, attempt, &account, issue_context))
}

/// The answer to who has given the right password.
fn admitted(
    store: &Store,
    attempt: Attempt<'_>,
    account: &Account,
    issue_context: impl FnOnce(CustomerId) -> Option<String>,
) -> String {
    let Attempt { from, help, now, sign_in_trace, .. } = attempt;
    if let Some(ban) = bans::of_account(store, account.customer_id, now) {
        sign_in_trace.refused(from, SignInStep::Password, now);
        info!("auth: refused {from}: account {} is banned", account.name);
        return failure("INV-100", &bans::explanation(&ban, now), help);
    }
    let Some(context) = issue_context(account.customer_id) else {
        sign_in_trace.refused(from, SignInStep::Password, now);
        info!("auth: refused {from}: account {} plays on as many PCs as it may", account.name);
        return failure("INV-200", &all_played(), help);
    };
    sign_in_trace.passed(from, SignInStep::Password, now);
    info!("auth: account {} (customer {}) from {from}", account.name, account.customer_id);
    format!("Valid=TRUE\nTicket={context}")
}

/// The answer when too many passwords are waiting to be checked already.
pub fn busy(help: &str) -> String {
    failure("INV-200", "The server is busy. Please try again in a moment.", help)
}

fn all_played() -> String {
    format!(
        "This account is played on {SESSIONS_PER_CUSTOMER} PCs at once. Leave the game on one of them, then try again."
    )
}

fn wrong(help: &str) -> String {
    failure("INV-100", "The user name or password is wrong.", help)
}

/// A failure in both dialects that are known for this login DLL: `Valid=FALSE` and the lines with the reason
/// (*seen in use*; no failed login was captured). `INV-100` stands for a wrong name or password by habit.
fn failure(code: &str, text: &str, help: &str) -> String {
    format!("Valid=FALSE\nreasoncode={code}\nreasontext={text}\nreasonurl={help}")
}

/// One parameter of the query, percent-decoded. The first of a name counts, unknown ones are passed over.
fn parameter(query: &str, wanted: &str) -> Option<Zeroizing<String>> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    // Bytes that are no UTF-8 become replacement characters, which no name and no password contains.
    Some(Zeroizing::new(percent_decode_str(value).decode_utf8_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{EVALUATIONS, Password};
    use crate::world::{Source, Standing};
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 9));
    const WRONG: &str = "Valid=FALSE\nreasoncode=INV-100\nreasontext=The user name or password is wrong.\n\
                         reasonurl=http://mcos.local/";

    fn with_alice() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store
            .accounts()
            .create("alice", &Password::new("s3cret:/").unwrap(), None, Now::read())
            .unwrap()
            .ticket
            .wait()
            .unwrap();
        (folder, store)
    }

    fn ask(store: &Store, limit: &FailureLimit, query: &str, from: IpAddr) -> String {
        let attempt = Attempt {
            query,
            from,
            help: "http://mcos.local/",
            now: Now::read(),
            sign_in_trace: &SignInTrace::default(),
        };
        let limits = AuthLimits {
            failures: limit,
            checks: &FailureLimit::new(1000),
            history: &PasswordHistory::default(),
        };
        answer(store, &limits, attempt, |customer| Some(format!("context-of-{customer}")))
    }

    #[test]
    fn a_right_password_gets_a_context_byte_for_byte() {
        let (_folder, store) = with_alice();
        let limit = FailureLimit::new(20);
        for query in [
            "username=alice&password=s3cret:/&serviceID=2176&version=3.3.0.6",
            "username=alice&password=s3cret%3a%2F",
            "password=s3cret:/&unknown=1&novalue&username=ALICE&username=bob",
            "USERNAME=alice&Password=s3cret:/",
        ] {
            assert_eq!(ask(&store, &limit, query, HOME), "Valid=TRUE\nTicket=context-of-1000", "{query}");
        }
    }

    #[test]
    fn unknown_user_wrong_password_and_disabled_account_get_identical_bytes() {
        let (_folder, store) = with_alice();
        store
            .accounts()
            .create("carol", &Password::new("s3cret:/").unwrap(), None, Now::read())
            .unwrap()
            .ticket
            .wait()
            .unwrap();
        store.accounts().set_disabled("carol", true).unwrap().ticket.wait().unwrap();
        let limit = FailureLimit::new(20);
        for query in [
            "username=bob&password=s3cret:/",
            "username=alice&password=s3cret",
            "username=alice&password=s3+cret",
            "username=carol&password=s3cret:/",
            "username=alice",
            "password=s3cret:/",
            "username=%ff%fe&password=%00",
            "",
        ] {
            assert_eq!(ask(&store, &limit, query, HOME), WRONG, "{query}");
        }
    }

    #[test]
    fn an_attempt_costs_one_evaluation_whatever_was_typed_and_the_next_right_one_none() {
        let (_folder, store) = with_alice();
        let limit = FailureLimit::new(20);
        for query in
            ["username=a+b&password=c+d", "username=a%20b&password=c", "username=alice&password=s3cret:/"]
        {
            let before = EVALUATIONS.get();
            ask(&store, &limit, query, HOME);
            assert_eq!(EVALUATIONS.get() - before, 1, "{query}");
        }
        let (before, now) = (EVALUATIONS.get(), Now::read());
        let again = |query, now| {
            let trace = SignInTrace::default();
            let attempt = Attempt { query, from: HOME, help: "", now, sign_in_trace: &trace };
            answer_again(&store, attempt, |customer| Some(format!("another-of-{customer}")))
        };
        let right = "username=ALICE&password=s3cret:/";
        assert_eq!(again(right, now).unwrap(), "Valid=TRUE\nTicket=another-of-1000");
        for (query, now) in [
            ("username=alice&password=s3cret", now),
            ("username=bob&password=s3cret:/", now),
            (right, now.later(std::time::Duration::from_mins(2))),
        ] {
            assert_eq!(again(query, now), None, "{query}");
        }
        assert_eq!(EVALUATIONS.get(), before);
        store.accounts().set_disabled("alice", true).unwrap().ticket.wait().unwrap();
        assert_eq!(again(right, now), None);
        store.accounts().set_disabled("alice", false).unwrap().ticket.wait().unwrap();
        store
            .accounts()
            .set_password("alice", &Password::new("another").unwrap())
            .unwrap()
            .ticket
            .wait()
            .unwrap();
        assert_eq!(again(right, now), None, "the password has changed");
    }

    #[test]
    fn right_passwords_are_counted_too_because_each_costs_a_check() {
        let (_folder, store) = with_alice();
        let (failures, checks) = (FailureLimit::new(20), FailureLimit::new(3));
        let trace = SignInTrace::default();
        let query = "username=alice&password=s3cret:/";
        let ask = |from, now| {
            let attempt = Attempt { query, from, help: "", now, sign_in_trace: &trace };
            let limits =
                AuthLimits { failures: &failures, checks: &checks, history: &PasswordHistory::default() };
            answer(&store, &limits, attempt, |_| Some("x".to_owned()))
        };
        let now = Now::read();
        assert_eq!((0..5).filter(|_| ask(HOME, now).starts_with("Valid=TRUE")).count(), 3);
        assert!(ask(HOME, now).contains("INV-200\nreasontext=Too many sign-ins from this address."));
        assert!(ask(Ipv4Addr::new(192, 168, 1, 10).into(), now).starts_with("Valid=TRUE"));
        assert!(ask(HOME, now.later(std::time::Duration::from_mins(1))).starts_with("Valid=TRUE"));
    }

    #[test]
    fn one_account_makes_no_crowd_of_addresses_known() {
        let (_folder, store) = with_alice();
        let (history, now, before) = (PasswordHistory::default(), Now::read(), EVALUATIONS.get());
        let host = |n| IpAddr::from(Ipv4Addr::new(192, 168, 1, n));
        let ask = |n, password| check(&store, &history, host(n), ("alice", password), now).unwrap().is_some();
        // As they come who have all waited for their turns before the first was served.
        assert!((1..=250).all(|n| ask(n, "s3cret:/")));
        assert_eq!(EVALUATIONS.get(), before + 1);
        let standing = |n| history.standing(Source::of(host(n)), now);
        let known: Vec<u8> = (1..=250).filter(|n| standing(*n) == Standing::Known).collect();
        assert_eq!(known, [1]);
        assert!(!ask(2, "guess"));
        assert_eq!(standing(2), Standing::Guesses);
    }

    #[test]
    fn a_banned_account_is_told_why_if_its_password_is_right() {
        let (_folder, store) = with_alice();
        let target = crate::store::BanTarget::Account(CustomerId(1000));
        store.bans().put(target, "rams people", None, Now::read()).unwrap().ticket.wait().unwrap();
        let limit = FailureLimit::new(3);
        for _ in 0..5 {
            let answer = ask(&store, &limit, "username=alice&password=s3cret:/", HOME);
            assert!(answer.starts_with("Valid=FALSE\n"), "{answer}");
            assert!(answer.contains("\nreasontext=This account is banned: rams people\n"), "{answer}");
        }
        assert_eq!(ask(&store, &limit, "username=alice&password=guess", HOME), WRONG);
    }

    #[test]
    fn who_fails_too_often_is_told_to_wait_even_with_the_right_password() {
        let (_folder, store) = with_alice();
        let limit = FailureLimit::new(3);
        let right = "username=alice&password=s3cret:/";
        for _ in 0..5 {
            assert!(ask(&store, &limit, right, HOME).starts_with("Valid=TRUE"), "successes are not counted");
        }
        for _ in 0..3 {
            assert_eq!(ask(&store, &limit, "username=alice&password=guess", HOME), WRONG);
        }
        let wait = "Valid=FALSE\nreasoncode=INV-200\nreasontext=Too many wrong passwords. Wait one minute, then try again.\n\
                    reasonurl=http://mcos.local/";
        for query in [right, "username=Alice&password=guess"] {
            assert_eq!(ask(&store, &limit, query, HOME), wait, "right or not, it says the same");
        }
        assert!(ask(&store, &limit, right, Ipv4Addr::new(192, 168, 1, 10).into()).starts_with("Valid=TRUE"));
        // Another child of the same address is not concerned.
        assert_eq!(ask(&store, &limit, "username=bob&password=guess", HOME), WRONG);
    }
}
