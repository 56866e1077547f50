use super::*;
use crate::clock::Now;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn add_account(name: &str, customer_id: Option<u32>) -> Request {
    let customer_id = customer_id.map(CustomerId);
    Request::AddAccount { name: name.to_owned(), password: secret("s3cret"), customer_id }
}

fn add_persona(account: &str, name: &str, persona_id: Option<u32>) -> Request {
    let persona_id = persona_id.map(PersonaId);
    Request::AddPersona { account: account.to_owned(), name: name.to_owned(), persona_id }
}

fn is_refused(response: &Response) -> bool {
    matches!(response, Response::Refused(why) if !why.is_empty() && why.lines().count() == 1)
}

#[test]
fn an_added_account_is_listed_and_its_password_works() {
    let (_folder, store) = store();
    let config = Config::default();
    let Response::Account(bob) = perform(&store, &config, add_account("bob", None), Now::read()) else {
        panic!()
    };
    let Response::Account(alice) = perform(&store, &config, add_account("alice", Some(7)), Now::read())
    else {
        panic!()
    };
    assert_eq!((alice.customer_id, alice.disabled, alice.personas), (CustomerId(7), false, 0));
    assert!(store.accounts().check_password("bob", "s3cret").unwrap().is_some());
    assert_eq!(
        perform(&store, &config, Request::ListAccounts, Now::read()),
        Response::Accounts(vec![alice, bob])
    );
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason_in_one_line() {
    let (_folder, store) = store();
    let config = Config::default();
    perform(&store, &config, add_account("alice", None), Now::read());
    for request in [
        add_account("Alice", None),
        Request::AddAccount { name: "carol".to_owned(), password: secret("abc"), customer_id: None },
        Request::SetDisabled { name: "nobody".to_owned(), disabled: true },
        Request::SetPassword { name: "nobody".to_owned(), password: secret("s3cret") },
        Request::SetPassword { name: "alice".to_owned(), password: secret("") },
        add_persona("nobody", "Racer", None),
        Request::ListPersonas { account: Some("nobody".to_owned()) },
        Request::ImportLoginKey { pem: secret("no key") },
    ] {
        let name = request.to_string();
        let response = perform(&store, &config, request, Now::read());
        assert!(is_refused(&response), "{name}: {response:?}");
    }
}

#[test]
fn a_disabled_account_can_be_enabled_again_and_a_password_replaced() {
    let (_folder, store) = store();
    let config = Config::default();
    perform(&store, &config, add_account("alice", None), Now::read());
    let works = |password| store.accounts().check_password("alice", password).unwrap().is_some();
    for (disabled, password_works) in [(true, false), (false, true)] {
        let request = Request::SetDisabled { name: "alice".to_owned(), disabled };
        let Response::Account(entry) = perform(&store, &config, request, Now::read()) else { panic!() };
        assert_eq!((entry.disabled, works("s3cret")), (disabled, password_works));
    }
    perform(
        &store,
        &config,
        Request::SetPassword { name: "alice".to_owned(), password: secret("n3w-pass") },
        Now::read(),
    );
    assert!(works("n3w-pass") && !works("s3cret"));
}

#[test]
fn a_persona_starts_with_the_configured_cash_and_their_number_is_limited() {
    let (_folder, store) = store();
    let config = Config::parse("[shard]\nmax_personas = 2\n[game]\nstarter_cash = 12345").unwrap();
    perform(&store, &config, add_account("alice", None), Now::read());
    let Response::Persona(racer) =
        perform(&store, &config, add_persona("ALICE", "Racer", Some(21)), Now::read())
    else {
        panic!()
    };
    assert_eq!(
        (racer.persona_id, racer.bank_balance, racer.account.as_str()),
        (PersonaId(21), 12345, "alice")
    );
    let Response::Persona(second) =
        perform(&store, &config, add_persona("alice", "Second", None), Now::read())
    else {
        panic!()
    };
    assert!(is_refused(&perform(&store, &config, add_persona("alice", "Third", None), Now::read())));
    for account in [None, Some("alice".to_owned())] {
        let listed = perform(&store, &config, Request::ListPersonas { account }, Now::read());
        assert_eq!(listed, Response::Personas(vec![racer.clone(), second.clone()]));
    }
}

#[test]
fn an_imported_login_key_is_the_stored_one() {
    use rsa::pkcs8::{EncodePrivateKey, LineEnding};
    let (_folder, store) = store();
    let key = rsa::RsaPrivateKey::new(&mut rand::rngs::OsRng, 1024).unwrap();
    let pem = Secret::new(key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string());
    let response = perform(&store, &Config::default(), Request::ImportLoginKey { pem }, Now::read());
    assert_eq!(response, Response::LoginKeyImported);
    assert_eq!(store.keys().login_key().unwrap().unwrap(), key.to_pkcs8_der().unwrap().as_bytes());
}

#[test]
fn secrets_show_in_no_description_of_a_request() {
    for request in [
        add_account("alice", None),
        Request::SetPassword { name: "alice".to_owned(), password: secret("s3cret") },
        Request::ImportLoginKey { pem: secret("s3cret") },
    ] {
        assert!(!format!("{request:?} {request}").contains("s3cret"));
    }
}
