//! The service with plain values: no sockets, a store in a temporary folder.

mod economy;
mod garage;
mod races;
mod requests;
mod session;

use super::*;
use crate::clock::Now;
use crate::services::{Push, TestPlayer};
use crate::store::{CarPurchase, Store};
use mco_proto::Wire;
use mco_proto::ids::{BrandedPartId, DealerId, SkinId, VehicleId};
use mco_proto::mcots::Number;
use mco_proto::mcots::garage::{AssemblyParts, OwnedParts, OwnedVehicles, StockCarInfo, VehicleInfo};
use mco_proto::mcots::lists::{ArcadeCars, EntryFeePurses, GameUrls, Lobbies, Tunables};
use mco_proto::mcots::player::{
    CarNumbers, Physical, PlayerInfo, PlayerName, PlayerPhysicalInfo, PlayerRacingHistory, SetOptions,
    SetPersonaDescription, UpdatePlayerPhysical,
};
use mco_proto::mcots::session::{ClientConnect, Login, LoginComplete};
use mco_proto::mcots::{GenericRequest, Message};
use mco_proto::text::Chars;
use proptest::prelude::*;
use std::net::IpAddr;
use std::sync::{Arc, Barrier};
use std::time::Duration;

const PEER: &str = "10.10.5.8:1044";
const LOCAL: &str = "[::ffff:10.10.5.1]:43300";
const SEALED: Flags = Flags(Flags::ENCRYPTED);
const CLEAR: Flags = Flags(0);

/// A shard with Dr Brown in it, and a connection.
struct Scene {
    game: Game,
    folder: tempfile::TempDir,
    brown: TestPlayer,
    caller: ConnectionState,
    /// How much later it is than the clock says.
    elapsed: Duration,
}

impl Scene {
    /// Nobody has said anything yet.
    fn fresh() -> Self {
        let (game, folder) = Game::for_tests();
        let brown = game.player("brown", "Dr Brown", peer());
        let caller = new_caller(&game);
        Self { game, folder, brown, caller, elapsed: Duration::ZERO }
    }

    /// 438 has been accepted.
    fn connected() -> Self {
        let mut scene = Self::fresh();
        let outcome = scene.send(CLEAR, connect(scene.brown.customer, scene.brown.persona));
        assert!(outcome.start_encryption.is_some());
        scene
    }

    fn send(&mut self, flags: Flags, body: Body) -> Outcome<Outgoing> {
        answer(
            &self.game,
            &mut self.caller,
            &Incoming { sequence: 12, flags, body },
            Now::read().later(self.elapsed),
        )
    }

    /// The only answer to an encrypted message.
    fn ask(&mut self, body: Body) -> Body {
        let outcome = self.send(SEALED, body);
        assert!(!outcome.close);
        let [reply] = <[Outgoing; 1]>::try_from(outcome.replies).unwrap();
        assert!(reply.encrypted && reply.sequence == 12);
        if let Some(ticket) = outcome.commit {
            ticket.wait().unwrap();
        }
        reply.body
    }

    fn get<M: Message>(&mut self, number: Number, data: u32) -> M {
        let body = self.ask(GenericRequest::body(number, data));
        assert_eq!(body.number(), Some(M::NUMBER), "the answer to {number}");
        body.read().unwrap()
    }

    /// As [`Self::ask`], for a message that must change something.
    fn change(&mut self, body: Body) -> Body {
        let outcome = self.send(SEALED, body);
        outcome.commit.expect("a ticket that the answer waits for").wait().unwrap();
        outcome.replies[0].body.clone()
    }

    fn login(&self, dealer: u32, model: u32, skin: u32) -> Body {
        login(&self.brown, dealer, model, skin)
    }

    fn info(&mut self) -> PlayerInfo {
        let brown = self.brown.persona.0;
        self.get(number::GET_PLAYER_INFO, brown)
    }

    fn cars(&mut self) -> Vec<(VehicleId, BrandedPartId)> {
        let brown = self.brown.persona.0;
        let list: OwnedVehicles = self.get(number::GET_OWNED_VEHICLES, brown);
        list.vehicles.iter().map(|car| (car.vehicle, car.model)).collect()
    }

    /// The ledger explains every balance.
    fn is_sound(&self) {
        assert_eq!(self.game.store.ledger().check().unwrap().differences, []);
    }

    /// The server is stopped and started again.
    fn restart(self) -> Self {
        let Self { game, folder, brown, .. } = self;
        let Game { config, ports, store, catalog, .. } = game;
        drop(store);
        let key = mco_proto::session_key::LoginKey::generate().unwrap();
        let game = Game::new(
            config,
            folder.path().to_owned(),
            ports,
            Store::open(folder.path()).unwrap(),
            catalog,
            key,
        );
        game.world
            .sessions
            .begin(brown.customer, brown.key.clone(), peer(), &std::collections::BTreeSet::new(), Now::read())
            .unwrap();
        let caller = new_caller(&game);
        let mut scene = Self { game, folder, brown, caller, elapsed: Duration::ZERO };
        scene.send(CLEAR, connect(scene.brown.customer, scene.brown.persona));
        scene
    }
}

fn peer() -> IpAddr {
    PEER.parse::<SocketAddr>().unwrap().ip()
}

/// A connection whose other end is known to have the key, so that a test need not begin with 105.
fn new_caller(game: &Game) -> ConnectionState {
    ConnectionState { proven: true, ..unproven_caller(game) }
}

fn unproven_caller(game: &Game) -> ConnectionState {
    ConnectionState::new(game.world.new_connection(), PEER.parse().unwrap(), LOCAL.parse().unwrap())
}

fn connect(customer: CustomerId, persona: PersonaId) -> Body {
    ClientConnect::new(customer, persona, Chars::constant(b"Dr Brown")).body()
}

fn login(player: &TestPlayer, dealer: u32, model: u32, skin: u32) -> Body {
    let login = Login {
        dealer: DealerId(dealer),
        model: BrandedPartId(model),
        skin: SkinId(skin),
        ..Login::new(player.customer, player.persona, Chars::constant(b"Dr Brown"))
    };
    login.body()
}

fn options() -> SetOptions {
    SetOptions {
        plate_code: 0x0120,
        plate_text: Chars::constant(b"MCO 57"),
        car_info_setting: 3,
        car_numbers: CarNumbers(["7", "57", "", "", "", "99"].map(|text| Chars::new(text).unwrap())),
    }
}

fn looks(player: PersonaId) -> UpdatePlayerPhysical {
    let physical = Physical {
        player,
        body_type: 5,
        hair_color: 0xffac_450d,
        skin_color: 0xffff_cea5,
        shirt_color: 0xffff_ffff,
        pants_color: 0xffff_d800,
    };
    UpdatePlayerPhysical { physical }
}

fn words(description: &str) -> Body {
    SetPersonaDescription { description: Chars::new(description).unwrap() }.body()
}

fn failed(request: Number) -> Body {
    GenericReply::failed(request, None)
}

fn success(request: Number) -> Body {
    GenericReply::success(request)
}
