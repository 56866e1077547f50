//! Whole sittings over real sockets: what players do, and what they may not.

use crate::support::{NOBODY, PASSWORD, PATIENCE, Server, refused};
use mco_proto::ids::{BrandedPartId, CommId, DealerId, PersonaId, ShardId, SkinId, VehicleId};
use mco_proto::mcots::player::{CarNumbers, Physical, SetOptions};
use mco_proto::mcots::{GenericRequest, number};
use mco_proto::nps::Id;
use mco_proto::nps::persona::{PersonaEntry, RegisterGameLogin};
use mco_proto::nps::{Message as _, Packet, id};
use mco_proto::session_key::{LoginKey, PublicLoginKey, SessionKey};
use mco_proto::text::Chars;
use mcos::client::Error;
use mcos::client::sitting::{
    Account, FirstCar, LobbyConnection, PersonaSession, RoomAddress, Transactions, appearance, user_login,
};
use mcos::client::web::Context;
use smol::block_on;

/// Makes a persona the way a Client does, with its first car, plate and looks; its number, and the car.
async fn create(account: &Account, name: &str) -> (PersonaId, VehicleId, FirstCar) {
    assert!(account.name_is_free(name).await.unwrap());
    account.check_plate("MARTY").await.unwrap();
    let persona = account.create_persona(name).await.unwrap();
    let stock = Transactions::stock(&account.endpoints, DealerId(8)).await.unwrap();
    let offer = stock.cars.first().expect("dealer 8 sells first cars");
    let first_car = FirstCar { dealer: stock.dealer, model: offer.model, skin: SkinId(0) };
    let entry = account.personas().await.unwrap().into_iter().find(|entry| entry.persona == persona);
    let entry = entry.expect("a new persona is in the list");
    let driver = PersonaSession::new(account.clone(), persona, entry.shard, name);
    let mut mcots = Transactions::connect(&driver).await.unwrap();
    mcots.sign_in(Some(first_car)).await.unwrap();
    mcots.set_options(&options()).await.unwrap();
    mcots.set_physical(looks(persona)).await.unwrap();
    let cars = mcots.cars().await.unwrap();
    assert_eq!(cars.len(), 1);
    assert_eq!(cars[0].model, offer.model);
    mcots.logout().await.unwrap();
    (persona, cars[0].vehicle, first_car)
}

fn options() -> SetOptions {
    SetOptions {
        plate_code: 32,
        plate_text: Chars::constant(b"MARTY"),
        car_info_setting: 1,
        car_numbers: CarNumbers(["7", "57", "", "", "", "99"].map(|text| Chars::new(text).unwrap())),
    }
}

fn looks(player: PersonaId) -> Physical {
    Physical {
        player,
        body_type: 3,
        hair_color: 0xff00_0000,
        skin_color: 0xffff_cea5,
        shirt_color: 0xff70_9e71,
        pants_color: 0xff44_4444,
    }
}

async fn enter_room(driver: &PersonaSession, lobby: &mut LobbyConnection) -> (LobbyConnection, RoomAddress) {
    let address = lobby.server_info(CommId(1)).await.unwrap();
    let mut room = driver.room(&address).await.unwrap();
    room.directory().await.unwrap();
    let names = room.names(CommId(0)).await.unwrap();
    assert!(names.iter().any(|user| user.persona == driver.persona));
    (room, address)
}

#[test]
fn personas_made_through_the_wire_are_all_there_after_a_restart() {
    let mut server = Server::started();
    let (brown, car, first_car) = block_on(async {
        let account = server.sign_in("doc").await;
        assert!(account.personas().await.unwrap().is_empty());
        let made = create(&account, "Dr Brown").await;
        let (marty, ..) = create(&account, "Marty").await;
        assert_ne!(made.0, marty);
        assert!(!account.name_is_free("dr brown").await.unwrap(), "names differ in more than case");
        refused(account.create_persona("Marty").await);
        made
    });
    assert!(server.stop().success());
    server.start();
    block_on(async {
        let account = server.sign_in("doc").await;
        let personas = account.personas().await.unwrap();
        let names: Vec<String> = personas.iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, ["Dr Brown", "Marty"]);
        assert_eq!((personas[0].persona, personas[0].shard), (brown, ShardId(44)));
        let driver = account.select(&personas[0]).await.unwrap();
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        let home = mcots.home().await.unwrap();
        assert_eq!(home.player.name.to_string(), "Dr Brown");
        assert_eq!(home.player.plate_text.to_string(), "MARTY");
        assert_eq!((home.player.plate_code, home.player.car_info_setting), (32, 1));
        assert_eq!(home.player.car_numbers, options().car_numbers);
        assert_eq!(home.physical, looks(brown));
        assert_eq!(home.cars.len(), 1);
        assert_eq!((home.cars[0].vehicle, home.cars[0].owner), (car, brown));
        assert!(!home.cars[0].parts.is_empty());
        assert!(home.lobbies > 0);
        mcots.sign_in(Some(first_car)).await.ok();
        assert_eq!(mcots.cars().await.unwrap().len(), 1, "a first car is given once");
        mcots.logout().await.unwrap();
    });
}

#[test]
fn a_whole_sitting_runs_from_auth_to_quitting_and_frees_the_persona() {
    let server = {
        let mut server = Server::prepare();
        server.account("doc");
        server.persona("doc", "Dr Brown");
        server.start();
        server
    };
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let mut lobby = driver.lobby().await.unwrap();
        lobby.directory().await.unwrap();
        assert_eq!(lobby.names(CommId(0)).await.unwrap().len(), 1);
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        mcots.home().await.unwrap();
        assert_eq!(driver.buddies().await.unwrap(), 0);
        let (mut room, address) = enter_room(&driver, &mut lobby).await;
        let show = |in_lobby| appearance(VehicleId(1), BrandedPartId(104), SkinId(47), in_lobby);
        lobby.set_user_data(&show(true)).await.unwrap();
        assert_eq!(driver.mails().await.unwrap(), 1, "the house welcomes a new persona");
        room.set_user_data(&show(false)).await.unwrap();
        room.open_chat(address.endpoint.port).await.unwrap();
        let users = room.chat_users().await.unwrap();
        assert_eq!(users.len(), 1);
        assert_eq!((users[0].persona, users[0].user_data), (driver.persona, show(false)));
        assert_eq!(server.population().await, 1, "lobby, room and MCOTS of one persona are one player");
        room.close_chat().await.unwrap();
        assert_eq!(room.chat_users().await.unwrap().len(), 0);
        drop(room);
        mcots.logout().await.unwrap();
        driver.leave().await.unwrap();
        drop(lobby);
        server.await_population(0).await;
    });
}

#[test]
fn a_persona_is_free_when_its_connections_are_gone_without_a_word() {
    let server = with_two_accounts();
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let lobby = driver.lobby().await.unwrap();
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        server.await_population(1).await;
        drop(lobby);
        assert_eq!(server.population().await, 1, "MCOTS is still connected");
        drop(mcots);
        server.await_population(0).await;
        let again = driver.lobby().await.unwrap();
        server.await_population(1).await;
        drop(again);
    });
}

#[test]
fn players_in_a_room_see_each_other_come_change_and_go() {
    let server = with_two_accounts();
    block_on(async {
        let doc = server.driver("doc", "Dr Brown").await;
        let marty = server.driver("marty", "Marty").await;
        let mut docs_lobby = doc.lobby().await.unwrap();
        let (mut docs, address) = enter_room(&doc, &mut docs_lobby).await;
        docs.open_chat(address.endpoint.port).await.unwrap();
        let mut martys = marty.room(&address).await.unwrap();
        let data = appearance(VehicleId(9), BrandedPartId(113), SkinId(3), false);
        martys.set_user_data(&data).await.unwrap();
        martys.open_chat(address.endpoint.port).await.unwrap();
        let joined = docs.nps().wait(&[Id(0x020c)]).await.unwrap();
        assert!(joined.encrypted);
        let users = docs.chat_users().await.unwrap();
        assert_eq!(users.iter().map(|user| user.persona).collect::<Vec<_>>(), [doc.persona, marty.persona]);
        assert_eq!(users[1].user_data, data);
        let painted = appearance(VehicleId(9), BrandedPartId(113), SkinId(4), false);
        martys.set_user_data(&painted).await.unwrap();
        let changed = docs.nps().wait(&[id::USER_INFO]).await.unwrap();
        let changed: mco_proto::nps::lobby::UserInfo = changed.packet.read().unwrap();
        assert_eq!((changed.persona, changed.user_data), (marty.persona, painted));
        drop(martys);
        docs.nps().wait(&[Id(0x0208)]).await.unwrap();
        assert_eq!(docs.chat_users().await.unwrap().len(), 1);
    });
}

fn with_two_accounts() -> Server {
    let mut server = Server::prepare();
    for (account, persona) in [("doc", "Dr Brown"), ("marty", "Marty")] {
        server.account(account);
        server.persona(account, persona);
    }
    server.start();
    server
}

#[test]
fn auth_refuses_what_it_does_not_know_and_gives_nothing_away() {
    let server = with_two_accounts();
    block_on(async {
        let web = server.web();
        let mut reasons = Vec::new();
        for (user, password) in
            [("doc", "wrong-password"), ("nobody", PASSWORD), ("", ""), ("doc", ""), ("d%00c", "x&y")]
        {
            match web.auth(user, password).await {
                Err(Error::WrongPassword { reason }) => reasons.push(reason),
                other => panic!("{user:?}: {other:?}"),
            }
        }
        reasons.dedup();
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        assert!(web.auth("DOC", PASSWORD).await.is_ok(), "names of accounts don't depend on case");
    });
    assert!(!server.log().contains("wrong-password") && !server.log().contains(PASSWORD));
}

#[test]
fn login_refuses_an_unknown_ticket_and_a_key_block_of_another_server() {
    let server = with_two_accounts();
    block_on(async {
        let (web, place) = (server.web(), server.place().await);
        let key = web.public_key().await.unwrap();
        let context = web.auth("doc", PASSWORD).await.unwrap();
        for unknown in ["0123456789abcdef0123456789abcdef", "", "doc"] {
            let error = refused(place.login(&Context::new(unknown), &key).await.map(drop));
            assert!(error.to_string().contains("USER_INVALID (0x0602)"), "{error}");
        }
        let foreign = LoginKey::generate().unwrap().public_hex().unwrap();
        let foreign = PublicLoginKey::from_hex(&foreign).unwrap();
        refused(place.login(&context, &foreign).await.map(drop));
        for block in ["", "not hexadecimal", &"A1".repeat(128), &"F".repeat(255)] {
            let mut login = connect(&place.login).await;
            login.send(&user_login(&context, block).unwrap()).await.unwrap();
            for _ in 0..2 {
                let answer = login.wait(&[id::USER_INVALID]).await.unwrap();
                assert_eq!(answer.packet, Packet::bare(id::USER_INVALID));
            }
        }
        // The same Context still logs in, twice.
        place.login(&context, &key).await.unwrap();
        place.login(&context, &key).await.unwrap();
    });
}

async fn connect(at: &mcos::client::Endpoint) -> mcos::client::nps::Nps {
    mcos::client::nps::Nps::connect(mcos::client::Service::Login, at, PATIENCE).await.unwrap()
}

#[test]
fn nobody_gets_anywhere_with_somebody_elses_persona() {
    let server = with_two_accounts();
    block_on(async {
        let doc = server.driver("doc", "Dr Brown").await;
        let account = server.sign_in("marty").await;
        let PersonaEntry { shard, .. } = account.personas().await.unwrap()[0];
        for persona in [doc.persona, NOBODY] {
            let thief = PersonaSession::new(account.clone(), persona, shard, "Dr Brown");
            let error = refused(thief.lobby().await);
            assert!(error.to_string().contains("INVALID_KEY (0x022a)"), "{error}");
            let room = thief.room_on_lobby_host(server.port("room"));
            refused(thief.room(&room).await);
            let error = Transactions::connect(&thief).await.expect_err("438 is not answered");
            assert!(matches!(error, Error::Closed { .. }), "{error}");
        }
        // 0x0503 is refused, so that no Client hangs or goes on to a lobby that refuses it.
        let mut service = mcos::client::nps::Nps::connect(
            mcos::client::Service::Persona,
            &account.endpoints.persona,
            PATIENCE,
        )
        .await
        .unwrap();
        let request = RegisterGameLogin { customer: account.customer, persona: doc.persona, shard };
        service.send_packet(&request.packet()).await.unwrap();
        refused(service.wait(&[id::ACK]).await);
        // Its own persona's connection gives another persona's data only as "player info", never its garage.
        let marty = server.driver("marty", "Marty").await;
        let mut mcots = Transactions::connect(&marty).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        refused(mcots.order(GenericRequest::body(number::DELETE_PERSONA, doc.persona.0)).await);
        assert_eq!(doc.account.personas().await.unwrap().len(), 1);
    });
}

#[test]
fn a_persona_that_is_picked_again_is_lost_to_the_client_that_had_it() {
    let server = with_two_accounts();
    block_on(async {
        let old = server.driver("doc", "Dr Brown").await;
        let mut old_lobby = old.lobby().await.unwrap();
        let new = server.sign_in("doc").await;
        // It may be another PC: nothing ends until the persona is picked again.
        old_lobby.directory().await.unwrap();
        drop(old.lobby().await.unwrap());
        let entry = new.personas().await.unwrap().remove(0);
        let new = new.select(&entry).await.unwrap();
        refused(old_lobby.directory().await);
        let gone = old_lobby.directory().await.expect_err("the crashed Client's connection ends");
        assert!(matches!(gone, Error::Closed { .. } | Error::Lost { .. }), "{gone}");
        let mut lobby = new.lobby().await.unwrap();
        lobby.directory().await.unwrap();
        refused(old.lobby().await);
        let stale = Account { key: SessionKey::random(), ..new.account.clone() };
        refused(PersonaSession::new(stale, new.persona, new.shard, "Dr Brown").lobby().await);
    });
}

#[test]
fn a_disabled_account_cannot_sign_in_until_it_is_enabled() {
    let server = with_two_accounts();
    block_on(async {
        let (web, place) = (server.web(), server.place().await);
        let key = web.public_key().await.unwrap();
        let context = web.auth("doc", PASSWORD).await.unwrap();
        server.must(&["account", "disable", "doc"], "");
        assert!(matches!(web.auth("doc", PASSWORD).await, Err(Error::WrongPassword { .. })));
        refused(place.login(&context, &key).await.map(drop));
        server.must(&["account", "enable", "doc"], "");
        place.login(&web.auth("doc", PASSWORD).await.unwrap(), &key).await.unwrap();
    });
}
