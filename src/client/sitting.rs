//! The steps of a sitting, in types: whoever holds an [`Account`] has logged in, whoever holds a [`PersonaSession`] has picked
//! a persona, and so on. Order and content of all messages are those of the recorded Client.

mod lobby;
mod persona_session;
mod transactions;

pub use lobby::{LobbyConnection, RaceChannel, RoomAddress, appearance};
pub use persona_session::PersonaSession;
pub use transactions::{Car, FirstCar, Home, Transactions};

use super::error::Error;
use super::nps::Nps;
use super::peer::{Endpoint, Service};
use super::shard_list::ShardEntry;
use super::web::{Context, Web};
use mco_proto::TooLong;
use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::nps::login::{UserLogin, UserStatus};
use mco_proto::nps::persona::{
    CheckToken, GetPersonaMaps, NewGameAccount, PersonaEntry, PersonaList, RegisterGameLogin,
    ValidatePersonaName,
};
use mco_proto::nps::{Packet, id};
use mco_proto::session_key::{PublicLoginKey, SessionKey};
use mco_proto::text::Str16;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The ports that the shard list does not tell, because the Client has them built in.
#[allow(missing_docs, reason = "the names of the fields say what they hold")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedPorts {
    pub persona: u16,
    pub mail: u16,
    pub mcots: u16,
}

impl Default for FixedPorts {
    fn default() -> Self {
        Self { persona: 8228, mail: 8227, mcots: 43300 }
    }
}

/// The endpoints of all services of one shard.
#[derive(Clone, Debug)]
pub struct ShardEndpoints {
    /// Login, 8226 by default.
    pub login: Endpoint,
    /// Persona, on Login's host.
    pub persona: Endpoint,
    /// Mail, on Login's host.
    pub mail: Endpoint,
    /// Lobby, 7003 by default.
    pub lobby: Endpoint,
    /// MCOTS, on a host of its own; 43300 by default.
    pub mcots: Endpoint,
    /// The longest that any wait on its connections may last.
    pub timeout: Duration,
}

impl ShardEndpoints {
    /// The endpoints that a shard's entry in the list and the fixed ports give together.
    pub fn new(shard: &ShardEntry, fixed: FixedPorts, timeout: Duration) -> Self {
        Self {
            login: shard.login.clone(),
            persona: shard.login.at(fixed.persona),
            mail: shard.login.at(fixed.mail),
            lobby: shard.lobby.clone(),
            mcots: Endpoint::new(&shard.mcots_host, fixed.mcots),
            timeout,
        }
    }

    /// The same, connected to from this address of this machine.
    #[must_use]
    pub fn from(self, address: IpAddr) -> Self {
        let Self { login, persona, mail, lobby, mcots, timeout } = self;
        let [login, persona, mail, lobby, mcots] =
            [login, persona, mail, lobby, mcots].map(|endpoint| endpoint.from(address));
        Self { login, persona, mail, lobby, mcots, timeout }
    }

    /// Logs in with a Context: invents a Session Key and delivers it under the login key.
    pub async fn login(
        self: &Arc<Self>,
        context: &Context,
        login_key: &PublicLoginKey,
    ) -> Result<Account, Error> {
        let key = SessionKey::random();
        let block = login_key.encrypt(&key).map_err(|why| Error::PublicKey { why: why.to_string() })?;
        let mut login = self.open(Service::Login, &self.login).await?;
        let status: UserStatus = login.ask(&user_login(context, &block)?).await?;
        if status.key_echo != key.echo() {
            return Err(login.contradiction(id::USER_VALID, "key echo", "it is of another Session Key"));
        }
        Ok(Account { endpoints: Arc::clone(self), customer: status.customer, key })
    }

    /// A connection to Login, and what logs in there with this Context.
    pub(super) async fn ready_to_log_in(
        &self,
        context: &Context,
        login_key: &PublicLoginKey,
    ) -> Result<(Nps, UserLogin), Error> {
        let block = login_key
            .encrypt(&SessionKey::random())
            .map_err(|why| Error::PublicKey { why: why.to_string() })?;
        Ok((self.open(Service::Login, &self.login).await?, user_login(context, &block)?))
    }

    /// A connection of its own for one request, as the Client makes them to Login, Persona and Mail.
    pub(super) async fn open(&self, service: Service, at: &Endpoint) -> Result<Nps, Error> {
        Nps::connect(service, at, self.timeout).await
    }
}

/// 0x0501 with this Context and key block.
///
/// # Errors
/// If one of them does not fit its field.
pub fn user_login(context: &Context, key_block: &str) -> Result<UserLogin, TooLong> {
    Ok(UserLogin::new(Str16::new(context.as_str())?, Str16::new(key_block)?))
}

/// An account that has signed in.
#[derive(Clone, Debug)]
pub struct Account {
    /// The shard on which it is signed in.
    pub endpoints: Arc<ShardEndpoints>,
    /// The number of the account on the server.
    pub customer: CustomerId,
    /// The Session Key, from which every cipher of this sitting is made.
    pub key: SessionKey,
}

impl Account {
    /// Signs in with name and password: AuthLogin, `/key` and Login.
    pub async fn sign_in(
        web: &Web,
        endpoints: &Arc<ShardEndpoints>,
        user: &str,
        password: &str,
    ) -> Result<Self, Error> {
        let context = web.auth(user, password).await?;
        endpoints.login(&context, &web.public_key().await?).await
    }

    /// Lists the personas of this account (0x0532).
    pub async fn personas(&self) -> Result<Vec<PersonaEntry>, Error> {
        let mut persona = self.persona_service().await?;
        let list: PersonaList = persona.ask(&GetPersonaMaps { customer: self.customer }).await?;
        Ok(list.personas.to_vec())
    }

    /// Whether a new persona may have this name (0x0533).
    pub async fn name_is_free(&self, name: &str) -> Result<bool, Error> {
        let request = ValidatePersonaName::new(self.customer, Str16::new(name)?);
        let mut persona = self.persona_service().await?;
        persona.send(&request).await?;
        let taken = [id::DUP_USER, id::DUP_PERSONA];
        let answer = persona.wait(&[id::USER_VALID, taken[0], taken[1]]).await?;
        Ok(!taken.contains(&answer.packet.id))
    }

    /// Asks whether a licence plate may have this text (0x0534).
    pub async fn check_plate(&self, text: &str) -> Result<(), Error> {
        let mut persona = self.persona_service().await?;
        persona.send(&CheckToken { kind: 2, text: Str16::new(text)? }).await?;
        persona.wait(&[id::ACK]).await.map(drop)
    }

    /// Makes a persona (0x0507); a name that is taken is [`Error::Refused`]. Its number comes from the answer.
    pub async fn create_persona(&self, name: &str) -> Result<PersonaId, Error> {
        let request = NewGameAccount::new(self.customer, Str16::new(name)?);
        let mut persona = self.persona_service().await?;
        persona.send(&request).await?;
        let answer = persona.wait(&[id::USER_VALID]).await?;
        let answer: NewGameAccount = persona.read(&Packet { id: id::NEW_GAME_ACCOUNT, ..answer.packet })?;
        if answer.persona == PersonaId(0) {
            return Err(persona.contradiction(id::USER_VALID, "persona", "it names no new persona"));
        }
        Ok(answer.persona)
    }

    /// Selects a persona (0x0503), which is in use from then on.
    pub async fn select(&self, entry: &PersonaEntry) -> Result<PersonaSession, Error> {
        let mut persona = self.persona_service().await?;
        let request =
            RegisterGameLogin { customer: self.customer, persona: entry.persona, shard: entry.shard };
        persona.send(&request).await?;
        persona.wait(&[id::ACK]).await?;
        Ok(PersonaSession::new(self.clone(), entry.persona, entry.shard, &entry.name.to_string()))
    }

    async fn persona_service(&self) -> Result<Nps, Error> {
        self.endpoints.open(Service::Persona, &self.endpoints.persona).await
    }
}
