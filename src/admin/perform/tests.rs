use super::*;
use crate::admin::requests::{PersonaEntry, Secret};
use mco_proto::ids::PersonaId;

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

/// What comes of it on the store alone, where nobody is signed in.
fn on_store(store: &Store, config: &Config, request: Request) -> Result<Response, RequestError> {
    // No request of these tests reads a file there.
    let data = Path::new("no-data-folder");
    let performed = perform(Server::Stopped { store, config, data }, request, Now::read())?;
    assert!(performed.pushes.is_empty());
    Ok(performed.response)
}

fn is_refused(outcome: &Result<Response, RequestError>) -> bool {
    outcome.as_ref().is_err_and(|why| why.to_string().lines().count() == 1)
}

#[test]
fn an_added_account_is_listed_and_its_password_works() {
    let (_folder, store) = store();
    let config = Config::default();
    let Ok(Response::Account(bob)) = on_store(&store, &config, add_account("bob", None)) else { panic!() };
    let Ok(Response::Account(alice)) = on_store(&store, &config, add_account("alice", Some(7))) else {
        panic!()
    };
    assert_eq!((alice.customer_id, alice.disabled, alice.personas), (CustomerId(7), false, 0));
    assert!(store.accounts().check_password("bob", "s3cret", Now::read()).unwrap().is_some());
    let listed = on_store(&store, &config, Request::ListAccounts).unwrap();
    assert_eq!(listed, Response::Accounts(vec![alice, bob]));
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason_in_one_line() {
    let (_folder, store) = store();
    let config = Config::default();
    on_store(&store, &config, add_account("alice", None)).unwrap();
    for request in [
        add_account("Alice", None),
        Request::AddAccount { name: "carol".to_owned(), password: secret("abc"), customer_id: None },
        Request::SetDisabled { name: "nobody".to_owned(), disabled: true },
        Request::SetPassword { name: "nobody".to_owned(), password: secret("s3cret") },
        Request::SetPassword { name: "alice".to_owned(), password: secret("") },
        add_persona("nobody", "Racer", None),
        Request::ListPersonas { account: Some("nobody".to_owned()) },
        Request::RemovePersona { name: "nobody".to_owned() },
        Request::ImportLoginKey { pem: secret("no key") },
    ] {
        let name = request.to_string();
        let response = on_store(&store, &config, request);
        assert!(is_refused(&response), "{name}: {response:?}");
    }
}

#[test]
fn a_disabled_account_can_be_enabled_again_and_a_password_replaced() {
    let (_folder, store) = store();
    let config = Config::default();
    on_store(&store, &config, add_account("alice", None)).unwrap();
    let works = |password| store.accounts().check_password("alice", password, Now::read()).unwrap().is_some();
    for (disabled, password_works) in [(true, false), (false, true)] {
        let request = Request::SetDisabled { name: "alice".to_owned(), disabled };
        let Ok(Response::Account(entry)) = on_store(&store, &config, request) else { panic!() };
        assert_eq!((entry.disabled, works("s3cret")), (disabled, password_works));
    }
    on_store(
        &store,
        &config,
        Request::SetPassword { name: "alice".to_owned(), password: secret("n3w-pass") },
    )
    .unwrap();
    assert!(works("n3w-pass") && !works("s3cret"));
}

#[test]
fn a_persona_starts_with_the_configured_cash_and_their_number_is_limited() {
    let (_folder, store) = store();
    let config = Config::parse("[shard]\nmax_personas = 2\n[game]\nstarter_cash = 12345").unwrap();
    on_store(&store, &config, add_account("alice", None)).unwrap();
    let Ok(Response::Persona(racer)) = on_store(&store, &config, add_persona("ALICE", "Racer", Some(21)))
    else {
        panic!()
    };
    assert_eq!(
        (racer.persona_id, racer.bank_balance, racer.account.as_str()),
        (PersonaId(21), 12345, "alice")
    );
    let Ok(Response::Persona(second)) = on_store(&store, &config, add_persona("alice", "Second", None))
    else {
        panic!()
    };
    assert!(is_refused(&on_store(&store, &config, add_persona("alice", "Third", None))));
    for account in [None, Some("alice".to_owned())] {
        let listed = on_store(&store, &config, Request::ListPersonas { account });
        assert_eq!(listed.unwrap(), Response::Personas(vec![racer.clone(), second.clone()]));
    }
}

#[test]
fn an_imported_login_key_is_the_stored_one() {
    use rsa::pkcs8::{EncodePrivateKey, LineEnding};
    let (_folder, store) = store();
    let key = rsa::RsaPrivateKey::new(&mut rand::rngs::OsRng, 1024).unwrap();
    let pem = Secret::new(key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string());
    let response = on_store(&store, &Config::default(), Request::ImportLoginKey { pem });
    assert_eq!(response.unwrap(), Response::LoginKeyImported);
    assert_eq!(store.keys().login_key().unwrap().unwrap(), key.to_pkcs8_der().unwrap().as_bytes());
}

#[test]
fn what_only_a_running_server_can_do_is_refused_without_one() {
    let (_folder, store) = store();
    let name = || "exchange-1.mcos".to_owned();
    for request in
        [Request::WriteBackup { name: name() }, Request::Restore { name: name() }, Request::ReloadCatalog]
    {
        let outcome = on_store(&store, &Config::default(), request);
        assert!(matches!(outcome, Err(RequestError::NeedsRunningServer)), "{outcome:?}");
    }
}

#[test]
fn a_catalogue_is_called_reloaded_only_if_the_running_server_uses_it() {
    let (game, _folder) = Game::for_tests();
    let reload = || {
        perform(Server::Running(&game), Request::ReloadCatalog, Now::read())
            .map(|performed| performed.response)
    };
    assert!(matches!(reload(), Err(RequestError::NoImportedCatalog)));
    assert!(game.catalog.origin().is_none());
    catalog::file::save(&game.data, &catalog::sample::catalogue()).unwrap();
    assert_eq!(reload().unwrap(), Response::CatalogReloaded);
    assert!(game.catalog.origin().is_some());
}

#[test]
fn only_files_with_an_exchange_name_are_touched() {
    let (game, _folder) = Game::for_tests();
    for name in ["../evil.mcos", "exchange-.mcos", "exchange-1.mcos/x", "backup.mcos"] {
        let outcome =
            perform(Server::Running(&game), Request::WriteBackup { name: name.to_owned() }, Now::read());
        assert!(matches!(outcome, Err(RequestError::NoExchangeFile)), "{name}");
    }
}

#[test]
fn a_persona_is_removed_whatever_its_age_and_who_plays_it_is_sent_away() {
    let (game, _folder) = Game::for_tests();
    let doc = game.player("doc", "Dr Brown", IpAddr::from([192, 168, 1, 20]));
    let connection = game.world.new_connection();
    game.world.presence.arrive(doc.persona, connection, doc.session, Now::read()).unwrap();
    let request = || Request::RemovePersona { name: "dr brown".to_owned() };
    let removed = perform(Server::Running(&game), request(), Now::read()).unwrap();
    assert!(
        matches!(removed.response, Response::Persona(PersonaEntry { persona_id, .. }) if persona_id == doc.persona)
    );
    assert!(matches!(&removed.pushes[..], [Push::Dismiss(ended)] if *ended == [connection]));
    assert!(game.store.personas().by_id(doc.persona).unwrap().is_none());
    assert!(!game.world.presence.in_use(doc.persona, Now::read()));
    assert!(perform(Server::Running(&game), request(), Now::read()).is_err());
}

#[test]
fn no_address_of_this_machine_can_be_banned() {
    let (game, _folder) = Game::for_tests();
    game.world.access_list.set_own(vec!["192.168.1.2".parse().unwrap(), "fd00::2".parse().unwrap()]);
    let ban = |address: &str| {
        let address = Some(address.parse().unwrap());
        let request = Request::Ban { account: None, address, reason: "noise".to_owned(), until: None };
        perform(Server::Running(&game), request, Now::read()).map(drop).map_err(|why| why.to_string())
    };
    for own in ["192.168.1.2", "::ffff:192.168.1.2", "fd00::2", "127.0.0.1"] {
        assert!(ban(own).unwrap_err().contains("not the address of another machine"), "{own}");
    }
    assert_eq!(ban("192.168.1.3"), Ok(()));
}

#[test]
fn a_backup_is_not_staged_for_a_server_that_would_not_start_again() {
    let (mut game, folder) = Game::for_tests();
    let file = folder.path().join("mcos.toml");
    game.config.file = Some(file.clone());
    let backup = folder.path().join("exchange-1.mcos");
    game.store.write_backup(&backup).unwrap();
    let restore = |game: &Game| {
        perform(Server::Running(game), Request::Restore { name: "exchange-1.mcos".to_owned() }, Now::read())
    };
    std::fs::write(&file, "[shard]\nnmae = \"x\"\n").unwrap();
    let why = restore(&game).unwrap_err().to_string();
    assert!(why.starts_with("the server would not start again: ") && why.contains("line 2"), "{why}");
    assert!(!folder.path().join("restore.mcos").exists());
    std::fs::write(&file, "[shard]\nname = \"x\"\n").unwrap();
    game.player("doc", "Doc", IpAddr::from([192, 168, 1, 20]));
    game.store.write_backup(&backup).unwrap();
    assert_eq!(restore(&game).unwrap().response, Response::RestoreStaged);
}
