//! A persona that was picked: what it can connect to.

use super::lobby::{LobbyConnection, RoomAddress};
use super::{Account, Error};
use crate::client::nps::Nps;
use crate::client::peer::{Endpoint, Service};
use mco_proto::ids::{PersonaId, ShardId};
use mco_proto::nps::lobby::{Login, LoginResponse};
use mco_proto::nps::mail::{ListEmails, MailList};
use mco_proto::nps::persona::{BuddyListCount, GetBuddyList, RegisterGameLogout};
use mco_proto::nps::{Message as _, id};
use mco_proto::text::PStr;
use std::time::Duration;

/// How long a room may take to greet, which it must not. Too short is harmless: a greeting is found again later.
const NO_GREETING: Duration = Duration::from_millis(20);

/// A persona that was picked.
#[derive(Clone, Debug)]
pub struct PersonaSession {
    /// Whose it is.
    pub account: Account,
    /// Its number.
    pub persona: PersonaId,
    /// Its shard.
    pub shard: ShardId,
    /// Its name.
    pub name: String,
}

impl PersonaSession {
    /// A persona by all that the Client knows of it, whether the Server knows it or not.
    pub fn new(account: Account, persona: PersonaId, shard: ShardId, name: &str) -> Self {
        Self { account, persona, shard, name: name.to_owned() }
    }

    /// 0x0100 as this session sends it on 7003 and on room ports.
    pub fn hello(&self) -> Login {
        Login {
            persona: self.persona,
            name: PStr::first_n(&self.name),
            user_data: [0; 64],
            customer: self.account.customer,
            flags: 0,
            version: PStr::constant(b"4.5.0.0"),
            game: PStr::constant(b"mco"),
            address: PStr::constant(b"10.0.0.9"),
            proof: self.account.key.proof(),
        }
    }

    /// Connects to the lobby: waits for its greeting, then signs in.
    pub async fn lobby(&self) -> Result<LobbyConnection, Error> {
        let endpoints = &self.account.endpoints;
        let mut nps = endpoints.open(Service::Lobby, &endpoints.lobby).await?;
        nps.wait(&[id::OK_TO_LOGIN]).await?;
        self.enter(nps).await
    }

    /// Connects to a room, which does not greet.
    pub async fn room(&self, room: &RoomAddress) -> Result<LobbyConnection, Error> {
        let mut nps = self.account.endpoints.open(Service::Room, &room.endpoint).await?;
        if let Some(early) = nps.next_within(NO_GREETING).await? {
            return Err(nps.contradiction(early.packet.id, "time", "a room speaks before the Client"));
        }
        self.enter(nps).await
    }

    async fn enter(&self, mut nps: Nps) -> Result<LobbyConnection, Error> {
        let answer: LoginResponse = nps.ask(&self.hello()).await?;
        if answer.persona != self.persona {
            let why = format!("it is {}, not {}", answer.persona, self.persona);
            return Err(nps.contradiction(LoginResponse::ID, "user id", &why));
        }
        if answer.name.to_string() != self.name {
            let why = format!("it is {:?}, not {:?}", answer.name, self.name);
            return Err(nps.contradiction(LoginResponse::ID, "name", &why));
        }
        nps.start_encryption(&self.account.key);
        Ok(LobbyConnection::new(nps, self.persona, &self.name))
    }

    /// How many buddies.
    pub async fn buddies(&self) -> Result<u16, Error> {
        let endpoints = &self.account.endpoints;
        let mut persona = endpoints.open(Service::Persona, &endpoints.persona).await?;
        let answer: BuddyListCount = persona.ask(&GetBuddyList { persona: self.persona }).await?;
        Ok(answer.count)
    }

    /// How many mails.
    pub async fn mails(&self) -> Result<u16, Error> {
        let endpoints = &self.account.endpoints;
        let mut mail = endpoints.open(Service::Mail, &endpoints.mail).await?;
        let request = ListEmails { persona: self.persona, last_known: 0, unknown: 1, filler: 0xfdfe };
        let answer: MailList = mail.ask(&request).await?;
        Ok(answer.count)
    }

    /// Leaves the persona (0x050F).
    pub async fn leave(&self) -> Result<(), Error> {
        let endpoints = &self.account.endpoints;
        let mut persona = endpoints.open(Service::Persona, &endpoints.persona).await?;
        let request =
            RegisterGameLogout { customer: self.account.customer, persona: self.persona, shard: self.shard };
        persona.send(&request).await?;
        persona.wait(&[id::ACK]).await.map(drop)
    }

    /// The endpoint of a room port on the lobby's host, for a Client that knows it without asking.
    pub fn room_on_lobby_host(&self, port: u16) -> RoomAddress {
        let host = &self.account.endpoints.lobby.host;
        RoomAddress { endpoint: Endpoint::new(host, port), name: String::new() }
    }
}
