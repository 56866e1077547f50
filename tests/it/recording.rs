//! A sitting that is recorded and then played again.

use crate::support::track::ANY_TIME;
use crate::support::{PASSWORD, Server, complaint};
use data_encoding::HEXLOWER;
use mco_proto::ids::{BrandedPartId, CommId, DealerId, SkinId, VehicleId};
use mco_proto::mcots::race::SLOTS;
use mco_proto::mcots::{Body, number};
use mco_proto::nps::Id;
use mco_proto::nps::relay::{Address, Relay};
use mco_proto::nps::{Packet, id};
use mco_proto::session_key::SessionKey;
use mcos::client::racing::{Faults, Racer, Terms, Traffic, line_up};
use mcos::client::sitting::{FirstCar, PersonaSession, Transactions, appearance};
use mcos::client::web::Context;
use mcos::world::LOBBY;
use serde_json::Value;
use smol::block_on;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A folder with the account and the persona of the recording.
pub(crate) fn prepared() -> Server {
    let server = Server::prepare();
    let password = format!("{PASSWORD}\n");
    server.must(&["account", "add", "doc", "--customer-id", "5551212", "--password-stdin"], &password);
    server.must(&["persona", "add", "doc", "Dr Brown", "--persona-id", "21"], "");
    server
}

/// Starts a server that `mcos replay` finds.
pub(crate) fn start(server: &mut Server) {
    server.start();
    server.write_ports();
}

/// Signs in, gets a car, looks around, shows it in the chat lobby and leaves. What must stay secret of it.
pub(crate) async fn sitting(server: &Server) -> (Context, SessionKey) {
    let (web, place) = (server.web(), server.place().await);
    let context = web.auth("doc", PASSWORD).await.unwrap();
    let account = place.login(&context, &web.public_key().await.unwrap()).await.unwrap();
    let key = account.key.clone();
    let personas = account.personas().await.unwrap();
    let driver: PersonaSession = account.select(&personas[0]).await.unwrap();
    let stock = Transactions::stock(&place, DealerId(8)).await.unwrap();
    let car = FirstCar { dealer: stock.dealer, model: stock.cars[0].model, skin: SkinId(0) };
    let mut lobby = driver.lobby().await.unwrap();
    lobby.directory().await.unwrap();
    lobby.names(CommId(0)).await.unwrap();
    let mut mcots = Transactions::connect(&driver).await.unwrap();
    mcots.sign_in(Some(car)).await.unwrap();
    assert_eq!(mcots.home().await.unwrap().cars.len(), 1);
    driver.buddies().await.unwrap();
    let address = lobby.server_info(CommId(1)).await.unwrap();
    let mut room = driver.room(&address).await.unwrap();
    let show = appearance(VehicleId(1), BrandedPartId(104), SkinId(47), false);
    room.set_user_data(&show).await.unwrap();
    driver.mails().await.unwrap();
    room.open_chat(address.endpoint.port).await.unwrap();
    assert_eq!(room.chat_users().await.unwrap().len(), 1);
    room.close_chat().await.unwrap();
    drop(room);
    mcots.logout().await.unwrap();
    driver.leave().await.unwrap();
    drop(lobby);
    server.await_population(0).await;
    (context, key)
}

/// A recorded sitting in a folder of its own.
fn recorded() -> (tempfile::TempDir, PathBuf, Context, SessionKey) {
    let keep = tempfile::tempdir().unwrap();
    let folder = keep.path().join("recording");
    let mut server = prepared();
    server.start_with(&["--record", folder.to_str().unwrap()]);
    let (context, key) = block_on(sitting(&server));
    assert!(server.stop().success());
    (keep, folder, context, key)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

pub(crate) fn replay(server: &Server, folder: &Path) -> Output {
    let folder = folder.to_str().unwrap();
    server.cli(&["replay", folder, "--user", "doc", "--password-stdin"], &format!("{PASSWORD}\n"))
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

#[test]
fn a_recorded_sitting_holds_no_secret_and_is_answered_alike_by_a_fresh_server() {
    let (_keep, folder, context, key) = recorded();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let files = files(&folder);
    let secrets: [&[u8]; 6] = [
        PASSWORD.as_bytes(),
        context.as_str().as_bytes(),
        &key.skey(),
        &key.transaction_key(),
        &key.proof(),
        &key.echo(),
    ];
    let (mut cut, mut services) = (0, Vec::new());
    for file in &files {
        let bytes = fs::read(file).unwrap();
        let lower = text(&bytes).to_lowercase();
        for (at, secret) in secrets.iter().enumerate() {
            assert!(!bytes.windows(secret.len()).any(|window| window == *secret), "secret {at} in {file:?}");
            assert!(!lower.contains(&HEXLOWER.encode(secret)), "secret {at} as digits in {file:?}");
        }
        let lines: Vec<Value> =
            text(&bytes).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["line"], &lines[0]["format"]), (&"connection".into(), &1.into()));
        assert_eq!(lines.last().unwrap()["line"], "end");
        services.push(lines[0]["service"].as_str().unwrap().to_owned());
        cut += lines.iter().filter(|line| line["cut"] == true).count();
        assert!(fs::metadata(file).unwrap().permissions().mode().trailing_zeros() >= 7, "{file:?}");
    }
    assert_eq!(cut, 5, "0501, two 0601, and 0100 in the lobby and in the room");
    services.sort();
    services.dedup();
    assert_eq!(services, ["lobby", "login", "mail", "mcots", "persona", "room"], "and no web page");

    let mut second = prepared();
    start(&mut second);
    let output = replay(&second, &folder);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}{}", text(&output.stderr));
    assert!(printed.contains("USER_VALID (0x0601) after USER_LOGIN (0x0501)"), "{printed}");
    assert!(printed.contains(" 0 missing or different"), "{printed}");
    for line in printed.lines().filter(|line| line.starts_with("  ")) {
        assert!(line.starts_with("  same "), "{line}");
    }
}

#[test]
fn a_server_that_answers_otherwise_is_found_out_and_one_with_other_numbers_is_named() {
    let (_keep, folder, ..) = recorded();
    // As if the Client had heard another message as the answer to its mail list.
    let file =
        files(&folder).into_iter().find(|file| file.to_str().unwrap().ends_with("mail.jsonl")).unwrap();
    let original = fs::read_to_string(&file).unwrap();
    let answer = original.find(r#""from":"server""#).unwrap();
    let at = original[answer..].find(r#""raw":""#).unwrap() + answer + 7;
    let mut other = original.clone();
    other.replace_range(at..at + 4, "0619");
    fs::write(&file, &other).unwrap();
    let mut server = prepared();
    start(&mut server);
    let output = replay(&server, &folder);
    let printed = text(&output.stdout);
    assert!(
        printed.contains("  different  Mail     MAIL_LIST (0x061b) instead of MAIL (0x0619)"),
        "{printed}"
    );
    assert!(complaint(&output).contains("missing or different: 1"), "{printed}");

    let mut stranger = Server::prepare();
    stranger.account("doc");
    start(&mut stranger);
    let error = complaint(&replay(&stranger, &folder));
    assert!(error.contains("--customer-id 5551212"), "{error}");
    let _ = stranger.stop();
    let password = format!("{PASSWORD}\n");
    let poor = Server::prepare();
    poor.must(&["account", "add", "doc", "--customer-id", "5551212", "--password-stdin"], &password);
    let mut poor = poor;
    start(&mut poor);
    let error = complaint(&replay(&poor, &folder));
    assert!(error.contains("--persona-id 21"), "{error}");
    let help = poor.must(&["replay", "--help"], "");
    assert!(help.contains("--customer-id N") && help.contains("--persona-id N"), "{help}");
}

#[test]
fn a_damaged_recording_is_one_line_on_standard_error() {
    let server = Server::prepare();
    let keep = tempfile::tempdir().unwrap();
    let head = r#"{"line":"connection","format":1,"order":1,"service":"mail","port":8227,"connection":1,"peer":"127.0.0.1:5","unix_ms":0}"#;
    let message =
        r#"{"line":"message","order":2,"ms":0,"from":"client","number":1318,"raw":"05260004","plain":null}"#;
    for (content, part) in [
        (String::new(), "it is empty"),
        ("\0\0\0\0".to_owned(), "line 1:"),
        (message.to_owned(), "the first line does not say"),
        (format!("{head}\n{}", &message[..40]), "line 2:"),
        (
            format!("{head}\n{}", message.replace("05260004", "052600")),
            "line 2: its bytes are no Game Packet",
        ),
        (format!("{head}\n{}", message.replace("05260004", "0526000")), "no pairs of hexadecimal digits"),
        (head.replace("\"format\":1", "\"format\":9"), "from a newer mcos"),
        (head.replace("mail", "telnet"), "no service \"telnet\""),
    ] {
        fs::write(keep.path().join("000001-mail.jsonl"), &content).unwrap();
        let error = complaint(&replay(&server, keep.path()));
        assert!(error.contains(part) && error.contains("cannot replay"), "{error}");
    }
    let error = complaint(&replay(&server, &keep.path().join("nothing")));
    assert!(error.contains("cannot replay"), "{error}");
    let error = complaint(&replay(&server, server.path()));
    assert!(error.contains("has no files *.jsonl"), "{error}");
}

#[test]
fn a_server_does_not_start_over_another_recording() {
    let server = prepared();
    let folder = server.path().join("recording");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(folder.join("000001-login.jsonl"), "").unwrap();
    let output = server.cli(&["serve", "--record", folder.to_str().unwrap()], "");
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.lines().last().unwrap().contains("it holds a recording already"), "{errors}");
}

/// Who meets in a recording of two, with the numbers of customer and persona.
const PAIR: [(&str, &str, &str, &str); 2] =
    [("doc", "Dr Brown", "5551212", "21"), ("marty", "Marty", "5551213", "22")];
/// A number that no message has.
const UNHEARD_OF: u16 = 0x01f7;

/// A folder with both accounts.
fn prepared_for_two() -> Server {
    let server = Server::with(ANY_TIME);
    for (user, name, customer, persona) in PAIR {
        let password = format!("{PASSWORD}\n");
        server.must(&["account", "add", user, "--customer-id", customer, "--password-stdin"], &password);
        server.must(&["persona", "add", user, name, "--persona-id", persona], "");
    }
    server
}

/// Both talk in the chat lobby, say something nobody knows, race each other to the bank, and leave.
async fn meeting(server: &Server, unknown: &[u8]) {
    let mut racers = Vec::new();
    let mut chats = Vec::new();
    for (user, name, ..) in PAIR {
        let driver = server.driver(user, name).await;
        let mut lobby = driver.lobby().await.unwrap();
        let address = lobby.server_info(CommId(1)).await.unwrap();
        let mut chat = driver.room(&address).await.unwrap();
        chat.open_chat(address.endpoint.port).await.unwrap();
        let sender = driver.persona;
        chats.push((lobby, chat, sender));
        racers.push(Racer::sign_in(driver, CommId(1)).await.unwrap());
    }
    for (from, to) in [(0, 1), (1, 0)] {
        let line = Relay {
            id: id::RELAY_LONG_ALL,
            channel: LOBBY,
            sender: chats[from].2,
            address: Address::All,
            payload: b"meet you at the clock tower",
        };
        chats[from].1.nps().send_packet(&line.packet()).await.unwrap();
        let heard = chats[to].1.nps().wait(&[line.id]).await.unwrap().packet;
        assert_eq!(heard, line.forwarded(line.sender));
    }
    let chat = &mut chats[0].1;
    chat.nps().send_packet(&Packet { body: unknown.to_vec(), ..Packet::bare(Id(UNHEARD_OF)) }).await.unwrap();
    // It is not answered; what comes next is.
    chat.chat_users().await.unwrap();
    let body = Body([&UNHEARD_OF.to_le_bytes(), unknown].concat());
    let sequence = racers[0].mcots().mcots().send_body(body).await.unwrap();
    racers[0].mcots().mcots().wait(sequence, &[number::FAILED]).await.unwrap();

    let terms = Terms { lobby: racers[0].circuit().await.unwrap(), entry_fee: 100, pink_slip: false };
    let traffic = Traffic {
        packets: [12; SLOTS],
        interval: Duration::from_millis(1),
        least: 20,
        most: 200,
        lead: Some(1),
        epoch: Instant::now(),
        counters: Arc::default(),
    };
    let field = line_up(racers, terms, &Arc::new(traffic)).await.unwrap();
    let driving = field.into_iter().map(|mut starter| {
        smol::spawn(async move {
            starter.drive().await.unwrap();
            assert!(starter.deliveries().is_complete() && starter.deliveries().faults() == Faults::default());
            starter
        })
    });
    let mut field = Vec::new();
    for starter in driving.collect::<Vec<_>>() {
        field.push(starter.await);
    }
    for (ticks, starter) in (6000..).zip(&mut field) {
        starter.finish(ticks).await.unwrap();
    }
    for mut starter in field {
        starter.results().await.unwrap();
        starter.leave().await.unwrap().sign_out().await.unwrap();
    }
    drop(chats);
    server.await_population(0).await;
}

#[test]
fn two_players_who_were_recorded_meet_again_on_a_fresh_server() {
    let keep = tempfile::tempdir().unwrap();
    let folder = keep.path().join("recording");
    let unknown: Vec<u8> = (0..3000_u16).map(|n| n.to_le_bytes()[0]).collect();
    let mut server = prepared_for_two();
    server.start_with(&["--record", folder.to_str().unwrap()]);
    block_on(meeting(&server, &unknown));
    assert!(server.stop().success());

    // The log shows how an unknown message begins, the recording holds all of it, in both forms.
    let all: String = files(&folder).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    assert_eq!(all.matches(&format!(r#""plain":"{}""#, HEXLOWER.encode(&unknown))).count(), 1, "on NPS");
    let body = [&UNHEARD_OF.to_le_bytes()[..], &unknown].concat();
    assert_eq!(all.matches(&format!(r#""plain":"{}""#, HEXLOWER.encode(&body))).count(), 1, "on MCOTS");
    assert!(
        server.log().contains(&HEXLOWER.encode(&unknown[..60]))
            && !server.log().contains(&HEXLOWER.encode(&unknown[..70]))
    );

    let mut second = prepared_for_two();
    start(&mut second);
    let directory = folder.to_str().unwrap();
    // Who plays whom follows from the numbers, not from the order.
    let arguments = ["replay", directory, "--user", "marty", "--user", "doc", "--password-stdin"];
    let output = second.cli(&arguments, &format!("{PASSWORD}\n{PASSWORD}\n"));
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}{}", text(&output.stderr));
    for heard in ["RACE_STARTED (233)", "RACE_FINAL_RESULTS (237)", "0x0097"] {
        assert!(printed.contains(heard), "{heard}: {printed}");
    }
    for line in printed.lines().filter(|line| line.starts_with("  ")) {
        assert!(line.starts_with("  same "), "{line}");
    }
    // The same fees and purses were booked.
    let ledger = |server: &Server| server.must(&["ledger", "check"], "");
    assert_eq!(ledger(&second), ledger(&server));

    let error = complaint(&replay(&second, &folder));
    assert!(error.contains("customer 5551213") && error.contains("--customer-id 5551213"), "{error}");
}

#[test]
fn a_restart_ends_the_recording_and_says_so() {
    let mut server = prepared();
    let folder = server.path().join("recording");
    server.start_with(&["--record", folder.to_str().unwrap()]);
    let backup = server.path().join("backup.mcos");
    server.must(&["backup", backup.to_str().unwrap()], "");
    server.must(&["restore", "--yes", backup.to_str().unwrap()], "");
    server.await_restart();
    assert!(server.log().contains("the recording in ") && server.log().contains(" ends here"));
    assert!(server.is_alive() && server.stop().success());
}
