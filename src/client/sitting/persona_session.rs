//! A selected persona, and the connections it can make.

use super::lobby::{LobbyConnection, OWN_ADDRESS, RoomAddress};
use super::{Account, Error};
use crate::client::nps::Nps;
use crate::client::peer::{Endpoint, Service};
use mco_proto::TooLong;
use mco_proto::ids::{PersonaId, ShardId};
use mco_proto::nps::lobby::{Login, LoginResponse, Name};
use mco_proto::nps::mail::{ListEmails, MailList};
use mco_proto::nps::persona::{BuddyListCount, GetBuddyList, RegisterGameLogout};
use mco_proto::nps::{Message as _, id};
use std::time::Duration;

/// How long to wait for a greeting, which a room must not send. Too short a time is harmless: a greeting is found later.
const NO_GREETING: Duration = Duration::from_millis(20);

/// A selected persona of a signed-in account.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names of the fields say what they hold")]
pub struct PersonaSession {
    pub account: Account,
    pub persona: PersonaId,
    pub shard: ShardId,
    pub name: String,
}

impl PersonaSession {
    /// A persona by all that the Client knows of it, whether the Server knows it or not.
    pub fn new(account: Account, persona: PersonaId, shard: ShardId, name: &str) -> Self {
        Self { account, persona, shard, name: name.to_owned() }
    }

    /// 0x0100 as this persona sends it to the lobby and to rooms.
    ///
    /// # Errors
    /// If the name does not fit its field.
    pub fn hello(&self) -> Result<Login, TooLong> {
        let Account { customer, key, .. } = &self.account;
        Ok(Login::new(self.persona, Name::new(&self.name)?, *customer, OWN_ADDRESS, key))
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
        let endpoints = &self.account.endpoints;
        let at = Endpoint { from: endpoints.lobby.from, ..room.endpoint.clone() };
        let mut nps = endpoints.open(Service::Room, &at).await?;
        if let Some(early) = nps.next_within(NO_GREETING).await? {
            return Err(nps.contradiction(early.packet.id, "time", "a room speaks before the Client"));
        }
        self.enter(nps).await
    }

    async fn enter(&self, mut nps: Nps) -> Result<LobbyConnection, Error> {
        let login = self.hello()?;
        let answer: LoginResponse = nps.ask(&login).await?;
        if answer.persona != self.persona {
            let why = format!("it is {}, not {}", answer.persona, self.persona);
            return Err(nps.contradiction(LoginResponse::ID, "user id", &why));
        }
        if answer.name.to_string() != self.name {
            let why = format!("it is {:?}, not {:?}", answer.name, self.name);
            return Err(nps.contradiction(LoginResponse::ID, "name", &why));
        }
        nps.start_encryption(&self.account.key);
        Ok(LobbyConnection::new(nps, self.persona, login.name))
    }

    /// Asks Persona for the number of buddies (0x050B).
    pub async fn buddies(&self) -> Result<u16, Error> {
        let endpoints = &self.account.endpoints;
        let mut persona = endpoints.open(Service::Persona, &endpoints.persona).await?;
        let answer: BuddyListCount = persona.ask(&GetBuddyList { persona: self.persona }).await?;
        Ok(answer.count)
    }

    /// Asks Mail for the number of mails (0x0526).
    pub async fn mails(&self) -> Result<u16, Error> {
        let endpoints = &self.account.endpoints;
        let mut mail = endpoints.open(Service::Mail, &endpoints.mail).await?;
        let answer: MailList = mail.ask(&ListEmails::all(self.persona)).await?;
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
        RoomAddress { endpoint: self.account.endpoints.lobby.at(port), name: String::new() }
    }
}
