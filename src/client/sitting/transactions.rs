//! A persona's connection to MCOTS.

use super::persona_session::PersonaSession;
use super::{Error, ShardEndpoints};
use crate::client::mcots::Mcots;
use mco_proto::ids::{BrandedPartId, CustomerId, DealerId, PersonaId, SkinId, VehicleId};
use mco_proto::mcots::garage::{OwnedParts, OwnedVehicle, OwnedVehicles, StockCarInfo, VehicleInfo};
use mco_proto::mcots::lists::{ArcadeCars, EntryFeePurses, GameUrls, Lobbies, Tunables};
use mco_proto::mcots::player::{
    Physical, PlayerInfo, PlayerPhysicalInfo, PlayerRacingHistory, SetOptions, UpdatePlayerPhysical,
};
use mco_proto::mcots::session::{ClientConnect, Login, LoginComplete, Name, Tracking};
use mco_proto::mcots::{Body, Flags, GenericReply, GenericRequest, Message, Number, number};
use mco_proto::text::Chars;
use std::time::{Duration, Instant};

/// The car that a persona buys when it signs in for the first time.
#[allow(missing_docs, reason = "the names of the fields say what they hold")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstCar {
    pub dealer: DealerId,
    pub model: BrandedPartId,
    pub skin: SkinId,
}

/// What the Client knows when it shows the Home screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Home {
    /// What the server knows of the player.
    pub player: PlayerInfo,
    /// What the player's driver looks like (264).
    pub physical: Physical,
    /// The player's cars with all parts.
    pub cars: Vec<VehicleInfo>,
    /// How many parts lie loose in the garage.
    pub loose_parts: usize,
    /// How many lobbies are on offer.
    pub lobbies: usize,
}

/// A car of the player.
pub type Car = OwnedVehicle;

/// A persona's connection to MCOTS.
#[derive(Debug)]
pub struct Transactions {
    mcots: Mcots,
    customer: CustomerId,
    persona: PersonaId,
    name: Name,
    timeout: Duration,
}

impl Transactions {
    /// Connects and says who we are (438, answered in clear); from there on everything is encrypted.
    pub async fn connect(session: &PersonaSession) -> Result<Self, Error> {
        let account = &session.account;
        let mut mcots = Mcots::connect(&account.endpoints.mcots, account.endpoints.timeout).await?;
        let name = Name::new(&session.name)?;
        let hello = ClientConnect::new(account.customer, session.persona, name.clone());
        let sequence = mcots.send(&hello).await?;
        let (customer, persona, timeout) = (account.customer, session.persona, account.endpoints.timeout);
        let mut connection = Self { mcots, customer, persona, name, timeout };
        connection.success(sequence, number::CLIENT_CONNECT_MSG).await?;
        connection.mcots.start_encryption(&account.key);
        Ok(connection)
    }

    /// What a dealer has on offer, asked as while a persona is being made: on a fresh connection, in clear.
    pub async fn stock(endpoints: &ShardEndpoints, dealer: DealerId) -> Result<StockCarInfo, Error> {
        let mut mcots = Mcots::connect(&endpoints.mcots, endpoints.timeout).await?;
        let sequence = mcots.send_body(GenericRequest::body(number::STOCK_CAR_INFO, dealer.0)).await?;
        mcots.answer(sequence).await
    }

    /// The next message of this kind that nobody asked for. Others that come before it are passed over.
    pub async fn pushed<M: Message>(&mut self) -> Result<M, Error> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(incoming) = self.mcots.next_within(left).await? else {
                return Err(self.mcots.silence(M::NUMBER));
            };
            if incoming.body.number() == Some(M::NUMBER) {
                self.mcots.check_encryption(M::NUMBER, incoming.flags.has(Flags::ENCRYPTED))?;
                return self.mcots.read_as(&incoming.body, M::NUMBER);
            }
        }
    }

    /// The connection below, for what has no method here.
    pub const fn mcots(&mut self) -> &mut Mcots {
        &mut self.mcots
    }

    /// Signs in (105). A persona that was just made brings its first car.
    pub async fn sign_in(&mut self, first_car: Option<FirstCar>) -> Result<LoginComplete, Error> {
        let FirstCar { dealer, model, skin } = first_car.unwrap_or_default();
        let login = Login::new(self.customer, self.persona, self.name.clone());
        let login = Login { dealer, model, skin, ..login };
        self.mcots.ask(&login).await
    }

    /// Everything up to the Home screen, in recorded order.
    pub async fn home(&mut self) -> Result<Home, Error> {
        let (lobbies, _purses) = self.lobbies().await?;
        self.arcade_cars().await?;
        self.urls().await?;
        self.tunables().await?;
        let owned = self.cars().await?;
        let player = self.player_info().await?;
        let physical = self.physical().await?;
        let loose_parts = self.loose_parts().await?.parts.len();
        let mut cars = Vec::with_capacity(owned.len());
        for car in &owned {
            cars.push(self.car(car.vehicle).await?);
        }
        self.report(1, "2,I,1,0,1536,\"Simulated Client\",173").await?;
        self.screen("Home").await?;
        self.history().await?;
        Ok(Home { player, physical, cars, loose_parts, lobbies: lobbies.lobbies.len() })
    }

    /// 324: the lobbies, and what entry fees win.
    pub async fn lobbies(&mut self) -> Result<(Lobbies, EntryFeePurses), Error> {
        let sequence = self.mcots.send_body(GenericRequest::body(number::GET_LOBBIES, 0)).await?;
        Ok((self.mcots.answer(sequence).await?, self.mcots.answer(sequence).await?))
    }

    /// 322: the cars that arcade lobbies lend.
    pub async fn arcade_cars(&mut self) -> Result<ArcadeCars, Error> {
        self.get(number::GET_ARCADE_CARS, 0).await
    }

    /// 363: the addresses of the game's web pages.
    pub async fn urls(&mut self) -> Result<GameUrls, Error> {
        self.get(number::GET_GAME_URLS, 0).await
    }

    /// 389: the rules in numbers.
    pub async fn tunables(&mut self) -> Result<Tunables, Error> {
        self.get(number::GET_MCO_TUNABLES, 0).await
    }

    /// 172: our cars.
    pub async fn cars(&mut self) -> Result<Vec<Car>, Error> {
        let list: OwnedVehicles = self.get(number::GET_OWNED_VEHICLES, self.persona.0).await?;
        Ok(list.vehicles.to_vec())
    }

    /// 108: what is known of us.
    pub async fn player_info(&mut self) -> Result<PlayerInfo, Error> {
        let info: PlayerInfo = self.get(number::GET_PLAYER_INFO, self.persona.0).await?;
        self.expect_me(PlayerInfo::NUMBER, info.player)?;
        Ok(info)
    }

    /// 264: our looks.
    pub async fn physical(&mut self) -> Result<Physical, Error> {
        let info: PlayerPhysicalInfo = self.get(number::GET_PLAYER_PHYSICAL, self.persona.0).await?;
        self.expect_me(PlayerPhysicalInfo::NUMBER, info.physical.player)?;
        Ok(info.physical)
    }

    /// 174: our loose parts.
    pub async fn loose_parts(&mut self) -> Result<OwnedParts, Error> {
        let parts: OwnedParts = self.get(number::GET_OWNED_PARTS, 0).await?;
        self.expect_me(OwnedParts::NUMBER, parts.owner)?;
        Ok(parts)
    }

    /// 145: a car with all its parts.
    pub async fn car(&mut self, vehicle: VehicleId) -> Result<VehicleInfo, Error> {
        let info: VehicleInfo = self.get(number::GET_COMPLETE_VEHICLE_INFO, vehicle.0).await?;
        if info.vehicle != vehicle {
            let why = format!("it is {}, not {vehicle}", info.vehicle);
            return Err(self.mcots.contradiction(VehicleInfo::NUMBER, "vehicle", &why));
        }
        Ok(info)
    }

    /// 361: our races.
    pub async fn history(&mut self) -> Result<PlayerRacingHistory, Error> {
        let history: PlayerRacingHistory =
            self.get(number::GET_PLAYER_RACING_HISTORY, self.persona.0).await?;
        self.expect_me(PlayerRacingHistory::NUMBER, history.player)?;
        Ok(history)
    }

    /// 109: licence plate and door numbers.
    pub async fn set_options(&mut self, options: &SetOptions) -> Result<(), Error> {
        let sequence = self.mcots.send(options).await?;
        self.success(sequence, number::SET_OPTIONS).await.map(drop)
    }

    /// 266: new looks.
    pub async fn set_physical(&mut self, physical: Physical) -> Result<(), Error> {
        let sequence = self.mcots.send(&UpdatePlayerPhysical { physical }).await?;
        self.success(sequence, number::UPDATE_PLAYER_PHYSICAL).await.map(drop)
    }

    /// 440: the Client shows this screen now. Nobody answers.
    pub async fn screen(&mut self, name: &str) -> Result<(), Error> {
        self.report(2, &format!("\"01/10/29 12:00:00\",{name},0")).await
    }

    /// 106: leaves. The connection is of no more use then.
    pub async fn logout(mut self) -> Result<(), Error> {
        self.screen("ExitToSystem").await?;
        let sequence = self.mcots.send_body(GenericRequest::body(number::LOGOUT, 0)).await?;
        self.success(sequence, number::LOGOUT).await.map(drop)
    }

    /// Any generic request and its typed answer.
    pub async fn get<A: Message>(&mut self, request: Number, data: u32) -> Result<A, Error> {
        let sequence = self.mcots.send_body(GenericRequest::body(request, data)).await?;
        self.mcots.answer(sequence).await
    }

    /// Any body that is answered by 101, 102 or 103.
    pub async fn order(&mut self, body: Body) -> Result<GenericReply, Error> {
        let request = body.number().unwrap_or_default();
        let sequence = self.mcots.send_body(body).await?;
        self.success(sequence, request).await
    }

    async fn report(&mut self, kind: u16, text: &str) -> Result<(), Error> {
        self.mcots.send(&Tracking { kind, text: Chars::new(text)? }).await.map(drop)
    }

    /// The success that answers `request`, which must come encrypted exactly if encryption has started.
    async fn success(&mut self, sequence: u32, request: Number) -> Result<GenericReply, Error> {
        let answers = [number::SUCCESS, number::GENERIC_REPLY];
        let incoming = self.mcots.wait(sequence, &answers).await?;
        let reply: GenericReply = self.mcots.read_as(&incoming.body, number::SUCCESS)?;
        if reply.request != request {
            let why = format!("it is {}, not {request}", reply.request);
            return Err(self.mcots.contradiction(number::SUCCESS, "request", &why));
        }
        self.mcots.check_encryption(number::SUCCESS, incoming.flags.has(Flags::ENCRYPTED))?;
        Ok(reply)
    }

    fn expect_me(&self, number: Number, found: PersonaId) -> Result<(), Error> {
        if found == self.persona {
            return Ok(());
        }
        Err(self.mcots.contradiction(number, "player", &format!("it is {found}, not {}", self.persona)))
    }
}
