//! The page *Wire*: what nobody can explain yet, recordings while players race, and other answers.

use crate::recording;
use crate::support::browser::Browser;
use crate::support::track::{ANY_TIME, drive, traffic};
use crate::support::{OPERATOR, PASSWORD, Server};
use data_encoding::HEXLOWER;
use mco_proto::ids::CommId;
use mco_proto::mcots::race::SLOTS;
use mco_proto::mcots::{Body, number};
use mco_proto::nps::persona::NewGameAccount;
use mco_proto::nps::{Id, Message as _, Packet};
use mco_proto::text::Str16;
use mcos::client::racing::{Faults, Racer, Terms, line_up};
use mcos::client::sitting::{PersonaSession, Transactions};
use serde_json::Value;
use smol::{block_on, spawn};
use std::fs;
use std::io::{Cursor, Read as _};

/// A number that no message has.
const UNHEARD_OF: u16 = 0x01f7;

fn body(number: u16, rest: &[u8]) -> Body {
    Body([&number.to_le_bytes(), rest].concat())
}

#[test]
fn the_page_shows_the_whole_first_body_of_what_nobody_can_explain() {
    let server = Server::started();
    server.persona("doc", "Dr Brown");
    let mut operator = server.operator();
    assert!(operator.look("/operator/wire").contains("No such message"));
    let unknown: Vec<u8> = (0..1500_u16).map(|n| n.to_le_bytes()[0]).collect();
    let dents = [&[7; 200][..], b"a dent"].concat();
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let mut lobby = driver.lobby().await.unwrap();
        for rest in [&unknown[..], b"the second"] {
            let packet = Packet { body: rest.to_vec(), ..Packet::bare(Id(UNHEARD_OF)) };
            lobby.nps().send_packet(&packet).await.unwrap();
        }
        lobby.directory().await.unwrap();
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        let sequence = mcots.mcots().send_body(body(UNHEARD_OF, &unknown)).await.unwrap();
        mcots.mcots().wait(sequence, &[number::FAILED]).await.unwrap();
        mcots.mcots().send_body(body(number::UPDATE_BODY_DAMAGE.0, &dents)).await.unwrap();
        mcots.player_info().await.unwrap();
        driver.account.create_persona("Marty").await.unwrap();
        let new = NewGameAccount::new(driver.account.customer, Str16::constant(b"Marty")).packet();
        let page = operator.look("/operator/wire");
        for part in [
            "NEW_GAME_ACCOUNT",
            "its layout is a guess",
            &HEXLOWER.encode(&new.body),
            "UPDATE_BODY_DAMAGE",
            "its content is not understood",
            &HEXLOWER.encode(&body(number::UPDATE_BODY_DAMAGE.0, &dents).0),
            &HEXLOWER.encode(&unknown),
            &HEXLOWER.encode(&body(UNHEARD_OF, &unknown).0),
            "FAILED",
            "127.0.0.1:",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains(&HEXLOWER.encode(b"the second")), "{page}");
        assert_eq!(operator.fill_in("/operator/wire", "/operator/wire/clear", "").status, 303);
        assert!(operator.look("/operator/wire").contains("No such message"));
    });
}

/// A driver who has signed in, and the bytes that no recording may hold.
async fn driver(server: &Server, number: usize) -> (PersonaSession, Vec<Vec<u8>>) {
    let account = server.sign_in(&format!("driver{number}")).await;
    let key = account.key.clone();
    let secrets = vec![
        PASSWORD.as_bytes().to_vec(),
        key.skey().to_vec(),
        key.transaction_key().to_vec(),
        key.proof().to_vec(),
        key.echo().to_vec(),
    ];
    let entry = account.personas().await.unwrap()[0].clone();
    (account.select(&entry).await.unwrap(), secrets)
}

/// The files of a downloaded recording, by name.
fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = Vec::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        files.push((file.name().unwrap().into_owned(), content));
    }
    files
}

async fn field(racers: Vec<Racer>, fee: u32) -> Vec<Racer> {
    let mut racers = racers;
    let terms = Terms { lobby: racers[0].circuit().await.unwrap(), entry_fee: fee, pink_slip: false };
    let field = line_up(racers, terms, &traffic([40; SLOTS], 300, 5)).await.unwrap();
    let mut field = drive(field).await;
    for starter in &field {
        assert!(starter.deliveries().is_complete());
        assert_eq!(starter.deliveries().faults(), Faults::default());
    }
    for (ticks, starter) in (3600..).zip(field.iter_mut()) {
        starter.finish(ticks).await.unwrap();
    }
    racers = Vec::new();
    for mut starter in field {
        starter.results().await.unwrap();
        racers.push(starter.leave().await.unwrap());
    }
    racers
}

#[test]
fn a_recording_is_switched_on_and_off_while_twelve_race() {
    let mut server = Server::with(ANY_TIME);
    for number in 0..12 {
        server.account(&format!("driver{number}"));
        server.persona(&format!("driver{number}"), &format!("Driver {number}"));
    }
    server.start();
    let mut operator = server.operator();
    let (mut fields, mut secrets) = (Vec::new(), Vec::new());
    block_on(async {
        for half in [0, 1] {
            let mut racers = Vec::new();
            for number in half * 6..half * 6 + 6 {
                let (session, of_driver) = driver(&server, number as usize).await;
                racers.push(Racer::sign_in(session, CommId(1 + half)).await.unwrap());
                secrets.extend(of_driver);
            }
            fields.push(racers);
            if half == 0 {
                // Six are there already, six come while it is on.
                let answer = operator.fill_in("/operator/wire", "/operator/wire/start", "minutes=10");
                assert_eq!(answer.status, 303);
            }
        }
        let page = operator.look("/operator/wire");
        assert!(page.contains("Recording is on") && page.contains("for everybody"), "{page}");
        let driving: Vec<_> = fields.into_iter().map(|racers| spawn(field(racers, 100))).collect();
        let mut driven = Vec::new();
        for racers in driving {
            driven.push(racers.await);
        }
        // Switched off while they race once more.
        let driving: Vec<_> = driven.into_iter().map(|racers| spawn(field(racers, 0))).collect();
        assert_eq!(operator.fill_in("/operator/wire", "/operator/wire/stop", "").status, 303);
        assert!(operator.look("/operator/wire").contains("The recording is off"));
        for racers in driving {
            for racer in racers.await {
                racer.sign_out().await.unwrap();
            }
        }
    });
    let fields = "name=recording-000001";
    let first = operator.fill_in("/operator/wire", "/operator/wire/download", fields);
    assert!(first.header("content-disposition").next().unwrap().contains("mcos-recording-000001.zip"));
    let again = operator.fill_in("/operator/wire", "/operator/wire/download", fields);
    assert_eq!(first.body, again.body, "nothing is added when it is off");
    let files = unpacked(&first.body);
    let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
    assert!(bytes <= 32 << 20, "{bytes}");
    let folder = server.path().join("unpacked");
    fs::create_dir(&folder).unwrap();
    let (mut late, mut complete) = (0, 0);
    for (name, content) in &files {
        let text = String::from_utf8_lossy(content).to_lowercase();
        for (at, secret) in secrets.iter().enumerate() {
            let raw = content.windows(secret.len()).any(|window| window == secret);
            assert!(!raw && !text.contains(&HEXLOWER.encode(secret)), "secret {at} in {name}");
        }
        let lines: Vec<Value> = String::from_utf8_lossy(content)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let ending = lines.last().unwrap()["line"].as_str().unwrap();
        assert!(["end", "stopped"].contains(&ending), "{name}: {ending}");
        if lines[0]["late"] == true {
            late += 1;
        } else {
            complete += 1;
        }
        let path = folder.join(name.split_once('/').unwrap().1);
        fs::write(&path, content).unwrap();
        let told = server.must(&["decode", path.to_str().unwrap()], "");
        assert!(told.contains("connection of 127.0.0.1"), "{told}");
    }
    assert!(late >= 12, "{late}: MCOTS and room of those who were there; in the lobby they say nothing");
    assert!(complete >= 6 * 5, "{complete}: all connections of those who came");
    let all: String =
        files.iter().map(|(_, content)| String::from_utf8_lossy(content).into_owned()).collect();
    assert!(all.contains(r#""number":234"#), "a finished race is in it");
}

#[test]
fn a_downloaded_recording_is_answered_alike_by_a_fresh_server_and_holds_a_new_persona_whole() {
    let mut server = recording::prepared();
    server.start();
    let mut operator = server.operator();
    operator.fill_in("/operator/wire", "/operator/wire/start", "minutes=10");
    let new = block_on(async {
        recording::sitting(&server).await;
        let account = server.sign_in("doc").await;
        account.create_persona("Marty").await.unwrap();
        NewGameAccount::new(account.customer, Str16::constant(b"Marty")).packet()
    });
    operator.fill_in("/operator/wire", "/operator/wire/stop", "");
    let answer = operator.fill_in("/operator/wire", "/operator/wire/download", "name=recording-000001");
    let folder = server.path().join("unpacked");
    fs::create_dir(&folder).unwrap();
    let mut whole = 0;
    for (name, content) in unpacked(&answer.body) {
        let text = String::from_utf8_lossy(&content);
        whole += text.matches(&HEXLOWER.encode(&new.body)).count();
        fs::write(folder.join(name.split_once('/').unwrap().1), &content).unwrap();
    }
    assert!(whole > 0, "0507 is recorded as a whole");
    let mut fresh = recording::prepared();
    recording::start(&mut fresh);
    let output = recording::replay(&fresh, &folder);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        printed.contains("NEW_GAME_ACCOUNT (0x0507)") && printed.contains(" 0 missing or different"),
        "{printed}"
    );
}

#[test]
fn a_recording_of_one_account_holds_nobody_else() {
    let mut server = Server::prepare();
    for number in 0..2 {
        server.account(&format!("driver{number}"));
        server.persona(&format!("driver{number}"), &format!("Driver {number}"));
    }
    server.start();
    let mut operator = server.operator();
    operator.fill_in("/operator/wire", "/operator/wire/start", "minutes=10&account=nobody");
    assert!(operator.look("/operator/wire").contains("There is no account with this name"));
    operator.fill_in("/operator/wire", "/operator/wire/start", "minutes=10&account=driver1");
    block_on(async {
        for number in 0..2 {
            let (session, _) = driver(&server, number).await;
            let lobby = session.lobby().await.unwrap();
            let mut mcots = Transactions::connect(&session).await.unwrap();
            mcots.sign_in(None).await.unwrap();
            mcots.logout().await.unwrap();
            drop(lobby);
        }
        server.await_population(0).await;
    });
    operator.fill_in("/operator/wire", "/operator/wire/stop", "");
    let answer = operator.fill_in("/operator/wire", "/operator/wire/download", "name=recording-000001");
    let files = unpacked(&answer.body);
    let of = |service: &str| files.iter().filter(|(name, _)| name.contains(service)).count();
    assert_eq!((of("-login"), of("-lobby"), of("-mcots")), (1, 1, 1));
    for (name, content) in &files {
        let text = String::from_utf8_lossy(content);
        assert!(!text.contains(&HEXLOWER.encode(b"Driver 0")), "{name}");
        if name.contains("-lobby") {
            assert!(
                text.contains(&HEXLOWER.encode(b"Driver 1")),
                "the sign-in that told whose it is is there: {text}"
            );
        }
    }
    operator.fill_in("/operator/wire", "/operator/wire/remove", "name=recording-000001");
    assert!(!operator.look("/operator/wire").contains("recording-000001"));
}

#[test]
fn another_answer_works_at_once_and_after_a_restart_until_it_is_taken_back() {
    let mut server = Server::started();
    server.persona("doc", "Dr Brown");
    let answer_to = async |server: &Server| {
        let driver = server.driver("doc", "Dr Brown").await;
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        let reply = mcots.order(body(UNHEARD_OF, &[0; 4])).await;
        let reply = reply.map_or("failed", |_| "success");
        mcots.logout().await.unwrap();
        server.await_population(0).await;
        reply
    };
    assert_eq!(block_on(answer_to(&server)), "failed");
    let mut operator = server.operator();
    assert!(operator.look("/operator/wire").contains(&format!("name=\"number\" value=\"{UNHEARD_OF}\"")));
    let fields = format!("number={UNHEARD_OF}&answer=success");
    operator.fill_in("/operator/wire", "/operator/wire/answer", &fields);
    assert!(operator.look("/operator/wire").contains("Chosen answers"));
    assert_eq!(block_on(answer_to(&server)), "success");
    assert!(server.stop().success());
    server.start();
    assert_eq!(block_on(answer_to(&server)), "success");
    let mut operator = Browser::new(&server);
    operator.fill_in("/operator", "/operator/login", &format!("password={OPERATOR}"));
    for number in [0, 101, 102, 105, 438] {
        let fields = format!("number={number}&answer=silent");
        operator.fill_in("/operator/wire", "/operator/wire/answer", &fields);
        let refused = format!("The server handles message {number} itself");
        assert!(operator.look("/operator/wire").contains(&refused), "{number}");
    }
    let fields = format!("number={UNHEARD_OF}&answer=default");
    operator.fill_in("/operator/wire", "/operator/wire/answer", &fields);
    assert!(!operator.look("/operator/wire").contains("Chosen answers"));
    assert_eq!(block_on(answer_to(&server)), "failed");
}
