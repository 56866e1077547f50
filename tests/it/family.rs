//! A family with one account: two PCs behind one router play two of its personas at once, each with a Session Key of its own; and
//! one persona is played on one PC only, the newer.

use crate::support::track::{drive, traffic};
use crate::support::{PATIENCE, Server, refused};
use mco_proto::ids::CommId;
use mco_proto::mcots::player::PlayerInfo;
use mco_proto::mcots::race::{FinalResults, SLOTS};
use mco_proto::mcots::{GenericRequest, number};
use mco_proto::nps::persona::{DeleteGamePersona, GetPersonaMaps, RegisterGameLogin};
use mco_proto::nps::relay::{Address, Relay};
use mco_proto::nps::{Id, Message as _, Packet, bare};
use mcos::client::nps::Nps;
use mcos::client::racing::{Racer, Terms, line_up};
use mcos::client::sitting::{Account, LobbyConnection, PersonaSession, Transactions};
use mcos::client::{Error, Service};
use smol::block_on;

const USER: &str = "family";
const CHILD: &str = "Kid";
const MOTHER: &str = "Mum";
const CHAT: CommId = CommId(2);
const CHAT_LINE: Id = Id(0x0089);
/// A room server by its number in the directory.
const ROOM: CommId = CommId(1);

fn family() -> Server {
    let mut server = Server::prepare();
    server.account(USER);
    for name in [MOTHER, CHILD] {
        server.persona(USER, name);
    }
    server.start();
    server
}

/// A PC that has signed in picks a persona.
async fn pick(pc: &Account, name: &str) -> PersonaSession {
    let personas = pc.personas().await.unwrap();
    assert_eq!(personas.len(), 2, "both PCs are shown both");
    let entry = personas.iter().find(|entry| entry.name.to_string() == name).unwrap();
    pc.select(entry).await.unwrap()
}

async fn in_chat(server: &Server, driver: &PersonaSession) -> LobbyConnection {
    let port = server.ports("room")[1];
    let mut room = driver.room(&driver.room_on_lobby_host(port)).await.unwrap();
    room.open_chat(port).await.unwrap();
    room
}

async fn hears(speaker: &mut LobbyConnection, from: &PersonaSession, listener: &mut LobbyConnection) {
    let line = Relay {
        id: CHAT_LINE,
        channel: CHAT,
        sender: from.persona,
        address: Address::All,
        payload: from.name.as_bytes(),
    };
    speaker.nps().send_packet(&line.packet()).await.unwrap();
    let heard = listener.nps().wait(&[CHAT_LINE]).await.unwrap();
    assert_eq!(heard.packet, line.forwarded(from.persona));
}

/// The Client is told that it is sent away, and its connection ends.
async fn sent_away(mut connection: LobbyConnection) {
    let mut heard = Vec::new();
    loop {
        match connection.nps().next_within(PATIENCE).await {
            Ok(incoming) => heard.push(incoming.expect("it ends").packet),
            end => break ended(end),
        }
    }
    assert_eq!(heard.last(), Some(&bare::FORCE_LOGOFF));
}

fn ended<T: std::fmt::Debug>(next: Result<T, Error>) {
    let end = next.expect_err("the connection ends");
    assert!(matches!(end, Error::Closed { .. } | Error::Lost { .. }), "{end}");
}

async fn is_logged_on(witness: &mut Transactions, persona: &PersonaSession) -> bool {
    let info: PlayerInfo = witness.get(number::GET_PLAYER_INFO, persona.persona.0).await.unwrap();
    info.is_logged_on.0
}

async fn ask(server: &Server, request: Packet) -> Packet {
    let mut service = Nps::connect(Service::Persona, &server.at("persona"), PATIENCE).await.unwrap();
    service.send_packet(&request).await.unwrap();
    service.next_within(PATIENCE).await.unwrap().expect("an answer").packet
}

#[test]
fn two_pcs_of_one_account_chat_and_race_and_the_third_takes_a_persona_over() {
    let server = family();
    block_on(async {
        // Both have signed in before one of them picks, and MCOTS comes first: nothing but their keys tells them apart.
        let (first, second) = (server.sign_in(USER).await, server.sign_in(USER).await);
        assert!(first.key != second.key);
        let (mother, child) = (pick(&first, MOTHER).await, pick(&second, CHILD).await);
        let racers = vec![
            Racer::sign_in(mother.clone(), ROOM).await.unwrap(),
            Racer::sign_in(child.clone(), ROOM).await.unwrap(),
        ];
        let (mut hers, mut his) = (in_chat(&server, &mother).await, in_chat(&server, &child).await);
        hears(&mut hers, &mother, &mut his).await;
        hears(&mut his, &child, &mut hers).await;
        server.await_population(2).await;

        let mut racers = racers;
        let terms = Terms { lobby: racers[0].circuit().await.unwrap(), entry_fee: 100, pink_slip: false };
        let mut field = drive(line_up(racers, terms, &traffic([8; SLOTS], 300, 5)).await.unwrap()).await;
        for (ticks, starter) in (6400..).zip(&mut field) {
            starter.finish(ticks).await.unwrap();
        }
        let mut racers = Vec::new();
        for mut starter in field {
            let results: FinalResults = starter.results().await.unwrap();
            let placed: Vec<_> = results.placements.iter().take(2).map(|placement| placement.racer).collect();
            assert!(placed.contains(&mother.persona) && placed.contains(&child.persona));
            racers.push(starter.leave().await.unwrap());
        }
        let (mut witness, mut old) = (racers.pop().unwrap(), racers.pop().unwrap());

        // A third PC takes the mother's persona: the older one is told and closed everywhere.
        let third = server.sign_in(USER).await;
        let again = pick(&third, MOTHER).await;
        let mut lobby = again.lobby().await.unwrap();
        let mut mcots = Transactions::connect(&again).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        sent_away(hers).await;
        ended(old.mcots().player_info().await);
        // It does not come back by any door, nor does it take the persona from the newer one by leaving it.
        refused(mother.lobby().await);
        let room = mother.room_on_lobby_host(server.ports("room")[1]);
        refused(mother.room(&room).await);
        let mut door = Transactions::connect(&mother).await.unwrap();
        ended(door.sign_in(None).await);
        mother.leave().await.unwrap();
        assert!(is_logged_on(witness.mcots(), &mother).await);
        assert!(lobby.directory().await.is_ok() && mcots.player_info().await.is_ok());
        // The child was not disturbed, and talks with the new PC.
        let mut newer = in_chat(&server, &again).await;
        hears(&mut newer, &again, &mut his).await;
        hears(&mut his, &child, &mut newer).await;

        // Who picks it again has it again.
        let back = pick(&first, MOTHER).await;
        let mut lobby_again = back.lobby().await.unwrap();
        sent_away(lobby).await;
        sent_away(newer).await;
        ended(mcots.player_info().await);
        refused(again.lobby().await);
        lobby_again.directory().await.unwrap();
        drop(lobby_again);
        witness.sign_out().await.unwrap();
    });
    assert!(server.must(&["ledger", "check"], "").starts_with("the ledger is right"));
}

#[test]
fn after_a_restart_a_client_at_the_persona_screen_is_told_that_it_is_not_signed_in() {
    let mut server = family();
    let (customer, entry) = block_on(async {
        let pc = server.sign_in(USER).await;
        (pc.customer, pc.personas().await.unwrap().remove(0))
    });
    assert!(server.stop().success());
    server.start();
    block_on(async {
        let select = RegisterGameLogin { customer, persona: entry.persona, shard: entry.shard };
        for request in [GetPersonaMaps { customer }.packet(), select.packet()] {
            assert_eq!(ask(&server, request).await, bare::REFUSED);
        }
    });
}

#[test]
fn a_persona_is_not_deleted_on_its_first_day_but_by_the_operator() {
    let server = family();
    block_on(async {
        let pc = server.sign_in(USER).await;
        let mother = pick(&pc, MOTHER).await;
        let delete = DeleteGamePersona { customer: pc.customer, persona: mother.persona };
        assert_eq!(ask(&server, delete.packet()).await, bare::REFUSED);
        let mut mcots = Transactions::connect(&mother).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        refused(mcots.order(GenericRequest::body(number::DELETE_PERSONA, mother.persona.0)).await);
        assert_eq!(pc.personas().await.unwrap().len(), 2);
        server.must(&["persona", "remove", MOTHER, "--yes"], "");
        ended(mcots.player_info().await);
        assert_eq!(pc.personas().await.unwrap().len(), 1);
    });
}
