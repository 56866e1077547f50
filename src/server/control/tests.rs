use super::*;
use crate::admin::requests::Secret;
use crate::clock::Now;
use crate::services::Game;
use mco_proto::session_key::LoginKey;

fn shared() -> (Arc<Shared>, tempfile::TempDir) {
    let (game, folder) = Game::for_tests();
    (Arc::new(Shared::for_tests(game)), folder)
}

/// Runs the questions while a server answers them.
fn while_served<T: Send + 'static>(
    data: &Path,
    shared: &Arc<Shared>,
    questions: impl FnOnce() -> T + Send + 'static,
) -> T {
    let socket = ControlSocket::bind(data).unwrap();
    let asked = async { smol::unblock(questions).await };
    let served = async {
        socket.serve(shared).await;
        unreachable!()
    };
    smol::block_on(EXECUTOR.run(future::or(asked, served)))
}

fn add_alice() -> Request {
    Request::AddAccount {
        name: "alice".to_owned(),
        password: Secret::new("s3cret".to_owned()),
        customer_id: None,
    }
}

#[test]
fn a_running_server_does_what_it_is_asked_and_refuses_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_path_buf();
    let (shared, _store) = shared();
    let game = &shared.game;
    while_served(folder.path(), &shared, move || {
        assert!(matches!(ask(&data, &add_alice()), Ok(Response::Account(alice)) if alice.name == "alice"));
        assert!(matches!(ask(&data, &add_alice()), Ok(Response::Refused(_))));
        assert!(matches!(ask(&data, &Request::ListAccounts), Ok(Response::Accounts(all)) if all.len() == 1));
    });
    assert!(game.store.accounts().check_password("alice", "s3cret", Now::read()).unwrap().is_some());
}

#[test]
fn an_imported_login_key_is_used_at_once() {
    use rsa::pkcs8::{EncodePrivateKey, LineEnding};
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_path_buf();
    let (shared, _store) = shared();
    let game = &shared.game;
    let key = rsa::RsaPrivateKey::new(&mut rand::rngs::OsRng, 1024).unwrap();
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string();
    let public = LoginKey::from_pem(&pem).unwrap().public_hex().unwrap();
    assert_ne!(game.login_key().public_hex().unwrap(), public);
    let request = Request::ImportLoginKey { pem: Secret::new(pem) };
    let response = while_served(folder.path(), &shared, move || ask(&data, &request));
    assert_eq!(response.unwrap(), Response::LoginKeyImported);
    assert_eq!(game.login_key().public_hex().unwrap(), public);
}

#[test]
fn only_the_servers_own_user_may_open_the_socket_and_its_file_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let socket = ControlSocket::bind(folder.path()).unwrap();
    let path = folder.path().join(FILE_NAME);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(socket);
    assert!(!path.exists());
    assert!(matches!(ask(folder.path(), &Request::ListAccounts), Err(AskError::NobodyThere)));
}

#[test]
fn the_socket_of_a_dead_server_is_replaced_and_that_of_a_live_one_respected() {
    let folder = tempfile::tempdir().unwrap();
    drop(UnixListener::bind(folder.path().join(FILE_NAME)).unwrap());
    assert!(matches!(ask(folder.path(), &Request::ListAccounts), Err(AskError::NobodyThere)));
    let _alive = ControlSocket::bind(folder.path()).unwrap();
    assert!(matches!(ControlSocket::bind(folder.path()), Err(ControlError::InUse(_))));
    assert!(folder.path().join(FILE_NAME).exists());
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE_NAME), "notes").unwrap();
    assert!(matches!(ControlSocket::bind(folder.path()), Err(ControlError::NotASocket(_))));
    assert_eq!(fs::read(folder.path().join(FILE_NAME)).unwrap(), b"notes");
}

#[test]
fn a_data_folder_with_a_very_long_name_works_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("x".repeat(200));
    fs::create_dir(&data).unwrap();
    let (shared, _store) = shared();
    let asked = data.clone();
    let response = while_served(&data, &shared, move || ask(&asked, &Request::ListAccounts));
    assert_eq!(response.unwrap(), Response::Accounts(Vec::new()));
    assert!(!data.join(FILE_NAME).exists());
}

#[test]
fn nonsense_is_refused_and_too_much_of_it_hung_up_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_path_buf();
    let (shared, _store) = shared();
    while_served(folder.path(), &shared, move || {
        let say = |text: &[u8]| {
            let mut stream = UnixStream::connect(data.join(FILE_NAME)).unwrap();
            let mut answer = String::new();
            let _ = stream.write_all(text);
            let _ = stream.read_to_string(&mut answer);
            answer
        };
        assert!(say(b"hello\n").starts_with("{\"Refused\":\""));
        assert!(say(b"\"ListAccounts\"\n").starts_with("{\"Accounts\":"));
        assert_eq!(say(&vec![b' '; MAX_REQUEST + 1]), "");
        assert!(matches!(ask(&data, &Request::ListAccounts), Ok(Response::Accounts(_))));
    });
}

#[test]
fn a_disabled_account_is_signed_out_and_its_connections_end() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_path_buf();
    let (shared, _store) = shared();
    let here = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let player = shared.game.player("doc", "Dr Brown", here);
    let context = shared.game.world.sessions.issue_context(player.customer, here, Now::read());
    let connection = shared.game.world.new_connection();
    let outbox = shared.connections.register(connection);
    shared.game.world.presence.arrive(player.persona, connection, player.session, Now::read()).unwrap();
    let request = Request::SetDisabled { name: "doc".to_owned(), disabled: true };
    let response = while_served(folder.path(), &shared, move || ask(&data, &request));
    assert!(matches!(response, Ok(Response::Account(account)) if account.disabled));
    assert!(shared.game.world.sessions.redeem(&context, None, Now::read()).is_none());
    assert!(!shared.game.world.sessions.signed_in_from(player.customer, here, Now::read()));
    assert!(outbox.ending().is_some());
}

#[test]
fn an_honest_request_is_answered_beside_connections_that_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_path_buf();
    let (shared, _store) = shared();
    while_served(folder.path(), &shared, move || {
        let connect = || UnixStream::connect(Permit::new(&data).unwrap().path).unwrap();
        let silent: Vec<_> = (0..MOST_WAITING - 1).map(|_| connect()).collect();
        // Each of them may stay for LINE_TIME: one after the other they would take longer than anybody waits for an answer.
        assert!(matches!(ask(&data, &Request::ListAccounts), Ok(Response::Accounts(_))));
        drop(silent);
    });
}
