//! A persona that was picked: what it can connect to.

use super::lobby::{LobbyConnection, OWN_ADDRESS, RoomAddress};
use super::transactions::Transactions;
use super::{Account, Error};
use crate::client::nps::Nps;
use crate::client::socket::{Endpoint, Service};
use mco_proto::TooLong;
use mco_proto::ids::{PersonaId, ShardId};
use mco_proto::nps::lobby::{Login, LoginResponse, Name};
use mco_proto::nps::mail::{ListEmails, MailList};
use mco_proto::nps::persona::{BuddyListCount, GetBuddyList, RegisterGameLogout};
use mco_proto::nps::{Message as _, id};
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

    /// 0x0100 as this persona sends it on 7003 and on room ports.
    ///
    /// # Errors
    /// If the name does not fit its field.
    pub fn hello(&self) -> Result<Login, TooLong> {
        let Account { customer, key, .. } = &self.account;
        Ok(Login::new(self.persona, Name::new(&self.name)?, *customer, OWN_ADDRESS, key))
    }

    /// Connects to the lobby: waits for its greeting, then signs in.
    pub async fn lobby(&self) -> Result<LobbyConnection, Error> {
        let place = &self.account.place;
        let mut nps = place.open(Service::Lobby, &place.lobby).await?;
        nps.wait(&[id::OK_TO_LOGIN]).await?;
        self.enter(nps).await
    }

    /// Connects to a room, which does not greet.
    pub async fn room(&self, room: &RoomAddress) -> Result<LobbyConnection, Error> {
        let mut nps = self.account.place.open(Service::Room, &room.endpoint).await?;
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

    /// Connects to MCOTS and says who we are (438).
    pub async fn transactions(&self) -> Result<Transactions, Error> {
        Transactions::connect(self).await
    }

    /// How many buddies.
    pub async fn buddies(&self) -> Result<u16, Error> {
        let place = &self.account.place;
        let mut persona = place.open(Service::Persona, &place.persona).await?;
        let answer: BuddyListCount = persona.ask(&GetBuddyList { persona: self.persona }).await?;
        Ok(answer.count)
    }

    /// How many mails.
    pub async fn mails(&self) -> Result<u16, Error> {
        let place = &self.account.place;
        let mut mail = place.open(Service::Mail, &place.mail).await?;
        let answer: MailList = mail.ask(&ListEmails::all(self.persona)).await?;
        Ok(answer.count)
    }

    /// Leaves the persona (0x050F).
    pub async fn leave(&self) -> Result<(), Error> {
        let place = &self.account.place;
        let mut persona = place.open(Service::Persona, &place.persona).await?;
        let request =
            RegisterGameLogout { customer: self.account.customer, persona: self.persona, shard: self.shard };
        persona.send(&request).await?;
        persona.wait(&[id::ACK]).await.map(drop)
    }

    /// The endpoint of a room port on the lobby's host, for a Client that knows it without asking.
    pub fn room_on_lobby_host(&self, port: u16) -> RoomAddress {
        let host = &self.account.place.lobby.host;
        RoomAddress { endpoint: Endpoint::new(host, port), name: String::new() }
    }
}
