//! Persona, port 8228: a new connection per request, in clear. The only proof of who asks is that the account signed in
//! from the same address. See `docs/protocol/login-persona-mail.md`.

use super::dispatch::{Call, Peer, Service, rows};
use super::official_names::is_official;
use super::playtime::keep_playtime;
use super::{Game, Listed, Outcome, send_away};
use crate::clock::Now;
use crate::store::{NewPersona, Persona, PersonaError};
use crate::world::{SessionId, SignInStep};
use mco_proto::bytes::Rest;
use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::nps::bare::REFUSED;
use mco_proto::nps::persona::{
    self, BuddyListCount, CheckToken, DeleteGamePersona, GetBuddyList, GetPersonaInfo, GetPersonaMaps,
    LongAck, NewGameAccount, NewGameAccountHead, NewGameAccountRecord, PersonaEntry, PersonaList, Personas,
    RegisterGameLogin, RegisterGameLogout, ValidatePersonaName,
};
use mco_proto::nps::{Form, Message, Packet, id};
use mco_proto::text::Chars;
use std::net::IpAddr;

/// What happens on which message to port 8228.
static SERVICE: Service<Peer<8228>, Packet, Packet> = Service {
    name: |_| "persona",
    rows: rows! {
        GET_PERSONA_MAPS: Anyone, Expected => personas;
        REGISTER_GAME_LOGIN: Anyone, Expected => select;
        REGISTER_GAME_LOGOUT: Anyone, Expected => deselect;
        VALIDATE_PERSONA_NAME: Anyone, Expected => validate_name;
        CHECK_TOKEN: Anyone, Expected => check_text;
        // Nobody published a real one.
        NEW_GAME_ACCOUNT: Anyone, Expected, guessed => create;
        DELETE_GAME_PERSONA: Anyone, Expected => delete;
        GET_PERSONA_INFO: Anyone, Expected => info;
        GET_BUDDY_LIST: Anyone, Expected => buddies;
    },
    refuse: |call, _| if call.message.id == id::GET_PERSONA_MAPS { refused() } else { acknowledged() },
};

type Handler<'a> = Call<'a, Peer<8228>, Packet>;

/// What happens on a message to port 8228.
pub fn answer(game: &Game, peer: IpAddr, packet: &Packet, now: Now) -> Outcome<Packet> {
    SERVICE.answer(Call { game, caller: &mut Peer(peer), message: packet, now })
}

/// The rows of port 8228.
pub fn listed() -> Vec<Listed> {
    SERVICE.listed()
}

impl Handler<'_> {
    const fn peer(&self) -> IpAddr {
        self.caller.0
    }

    /// 0x0532: the personas of an account. An address that did not sign in, or did so before the server was started again, is
    /// refused: a list of none would let the User make a driver that nobody can keep.
    fn personas(&self, request: &GetPersonaMaps) -> Outcome<Packet> {
        if !self.signed_in(request.customer, "list the personas") {
            self.game.world.sign_in_trace.refused(self.peer(), SignInStep::PersonaList, self.now);
            return refused();
        }
        match self.game.store.personas().of_customer(request.customer) {
            Ok(personas) => {
                self.game.world.sign_in_trace.passed(self.peer(), SignInStep::PersonaList, self.now);
                let personas = Personas::first_n(personas.iter().map(entry));
                Outcome::reply(PersonaList { personas }.packet())
            }
            Err(error) => {
                log::error!("persona: cannot read the personas of customer {}: {error}", request.customer);
                refused()
            }
        }
    }

    /// 0x0503: the User picks a driver, who is in use from now on. If it was so already, that Client most likely
    /// crashed, or it is another PC of the family: it is told, its connections end, and this one takes over.
    fn select(&self, request: &RegisterGameLogin) -> Outcome<Packet> {
        let RegisterGameLogin { customer, persona, shard: _ } = *request;
        if self.owned(customer, persona, "select").is_none() {
            self.game.world.sign_in_trace.refused(self.peer(), SignInStep::Persona, self.now);
            return refused();
        }
        let now = self.now.unix32();
        let counted = self.game.store.personas().update(persona, |record| {
            record.last_login = now;
            record.logins = record.logins.saturating_add(1);
        });
        if let Err(error) = counted {
            log::warn!("persona: the login of persona {persona} is not counted: {error}");
        }
        log::info!("persona: customer {customer} plays persona {persona}");
        self.game.world.sign_in_trace.passed(self.peer(), SignInStep::Persona, self.now);
        let earlier = self.game.world.presence.select(persona, &self.sessions(customer), self.now);
        let pushes = send_away(self.game, earlier);
        Outcome { pushes, ..Outcome::reply(LongAck { zeros: [0; 251] }.packet()) }
    }

    /// 0x050F: the User leaves the driver. Its connections close a little later by themselves.
    fn deselect(&self, request: &RegisterGameLogout) -> Outcome<Packet> {
        let RegisterGameLogout { customer, persona, shard: _ } = *request;
        if self.owned(customer, persona, "leave").is_some()
            && let Some(free) = self.game.world.presence.deselect(persona, &self.sessions(customer), self.now)
        {
            keep_playtime(self.game, free);
        }
        acknowledged()
    }

    /// 0x0533: may a new driver have this name? "Taken" is the only refusal known, so a name that is no name gets it
    /// too.
    fn validate_name(&self, request: &ValidatePersonaName) -> Outcome<Packet> {
        if !self.signed_in(request.customer, "check a name") {
            return Outcome::reply(Packet::bare(id::DUP_USER));
        }
        let free = self.name_is_free(&request.name.to_string());
        Outcome::reply(Packet::bare(if free { id::USER_VALID } else { id::DUP_USER }))
    }

    fn name_is_free(&self, name: &str) -> bool {
        let personas = self.game.store.personas();
        personas.check_name(name).is_ok()
            && !is_official(&self.game.catalog, name)
            && personas.name_is_free(self.game.config.shard.id, name).unwrap_or_else(|error| {
                log::error!("persona: cannot look up a name: {error}");
                false
            })
    }

    /// 0x0534: is this text fit for a licence plate? No refusal is known, and the Client has checked it itself.
    fn check_text(&self, request: &CheckToken) -> Outcome<Packet> {
        log::debug!("persona: {} asks for text {:?} of kind {}", self.peer(), request.text, request.kind);
        acknowledged()
    }

    /// 0x0507: a new persona. The answer is the request with the new id in its place, the one way known in which the
    /// Client could learn it.
    fn create(&self, request: &persona::NewPersona) -> Outcome<Packet> {
        let (customer, name) = asked_for(request);
        if !self.signed_in(customer, "create a persona") {
            return refused();
        }
        if is_official(&self.game.catalog, &name) {
            log::info!(
                "persona: customer {customer} cannot create a persona {name:?}: it could be taken for the server"
            );
            return Outcome::reply(Packet::bare(id::DUP_PERSONA));
        }
        let new = NewPersona {
            name,
            shard: self.game.config.shard.id,
            id: None,
            starter_cash: self.game.config.game.starter_cash,
            max_per_customer: self.game.config.shard.max_personas.into(),
        };
        match self.game.store.personas().create(customer, new, self.now) {
            Ok(created) => {
                let persona = created.value;
                log::info!("persona: customer {customer} created persona {} {:?}", persona.id, persona.name);
                Outcome::reply(granted(request, persona.id)).after(created.ticket)
            }
            Err(error) => {
                log::info!("persona: customer {customer} cannot create a persona: {error}");
                let taken = matches!(error, PersonaError::NameTaken);
                Outcome::reply(Packet::bare(if taken { id::DUP_PERSONA } else { id::USER_INVALID }))
            }
        }
    }

    /// 0x0512: the driver goes, with all it owns. How to refuse that is not known; the answer that says so on other requests here
    /// is sure not to mean that it is gone.
    fn delete(&self, request: &DeleteGamePersona) -> Outcome<Packet> {
        let DeleteGamePersona { customer, persona } = *request;
        let Some(record) = self.owned(customer, persona, "delete") else { return refused() };
        if !self.game.may_be_deleted(&record, self.now) {
            log::info!(
                "persona: customer {customer} cannot delete persona {persona} before day {} of its life; see game.deletion_day \
                 in mcos.toml",
                self.game.config.game.deletion_day
            );
            return refused();
        }
        match self.game.store.personas().delete(customer, persona, self.now) {
            Ok(deleted) => {
                log::info!("persona: customer {customer} deleted persona {persona}");
                let pushes = send_away(self.game, self.game.world.presence.forget(persona));
                Outcome { pushes, ..Outcome::reply(Packet::bare(id::PERSONA_DELETED)) }.after(deleted.ticket)
            }
            Err(error) => {
                log::info!("persona: customer {customer} cannot delete persona {persona}: {error}");
                refused()
            }
        }
    }

    /// 0x0519: who is this, or (older builds) is this name free?
    fn info(&self, request: &GetPersonaInfo) -> Outcome<Packet> {
        match request {
            GetPersonaInfo::ByName(request) => {
                let free = self.signed_in(request.customer, "check a name")
                    && self.name_is_free(&request.name.to_string());
                Outcome::reply(Packet::bare(if free { id::USER_VALID } else { id::GAME_ACCOUNT_INFO }))
            }
            GetPersonaInfo::ById(request) => {
                let Some(persona) = self.game.persona_of(self.peer(), request.persona, self.now) else {
                    return refused();
                };
                let personas = Personas::first_n([entry(&persona)]);
                Outcome::reply(PersonaList { personas }.packet())
            }
        }
    }

    /// 0x050B: no buddies. What a Client wants behind another count is unknown.
    fn buddies(&self, request: &GetBuddyList) -> Outcome<Packet> {
        log::debug!("persona: {} asks for the buddies of persona {}", self.peer(), request.persona);
        Outcome::reply(BuddyListCount { count: 0 }.packet())
    }

    fn signed_in(&self, customer: CustomerId, what: &str) -> bool {
        let signed_in = self.game.world.sessions.signed_in_from(customer, self.peer(), self.now);
        if !signed_in {
            log::info!(
                "persona: {} may not {what} as customer {customer}: not signed in from there",
                self.peer()
            );
        }
        signed_in
    }

    /// The sessions in which the account may have sent this, all that is known of the PC.
    fn sessions(&self, customer: CustomerId) -> Vec<SessionId> {
        let sessions = self.game.world.sessions.at(customer, self.peer(), self.now);
        sessions.into_iter().map(|session| session.id).collect()
    }

    /// The persona, if it is this customer's, who has signed in from here.
    fn owned(&self, customer: CustomerId, persona: PersonaId, what: &str) -> Option<Persona> {
        let record = self.game.persona_of(self.peer(), persona, self.now);
        let owned = record.filter(|record| record.customer_id == customer);
        if owned.is_none() {
            log::info!("persona: {} may not {what} persona {persona} as customer {customer}", self.peer());
        }
        owned
    }
}

fn acknowledged() -> Outcome<Packet> {
    Outcome::reply(Packet::bare(id::ACK))
}

/// No: an empty list or an acknowledgement would say that all is well.
fn refused() -> Outcome<Packet> {
    Outcome::reply(REFUSED)
}

fn entry(persona: &Persona) -> PersonaEntry {
    PersonaEntry {
        customer: persona.customer_id,
        persona: persona.id,
        shard: persona.shard,
        created: persona.created,
        name: Chars::first_n(&persona.name),
    }
}

/// Who asks for a new persona, and how it is to be called.
fn asked_for(request: &persona::NewPersona) -> (CustomerId, String) {
    match request {
        persona::NewPersona::Counted(request) => (request.customer, request.name.to_string()),
        persona::NewPersona::Fixed(request) => (request.customer, request.name.to_string()),
        persona::NewPersona::Head(request) => (request.customer, request.name.to_string()),
    }
}

/// The answer to 0x0507: the same layout under 0x0601 with the new id in its place.
fn granted(request: &persona::NewPersona, persona: PersonaId) -> Packet {
    let packet = match request.clone() {
        persona::NewPersona::Counted(request) => NewGameAccount { persona, ..request }.packet(),
        persona::NewPersona::Fixed(request) => NewGameAccountRecord { persona, ..request }.packet(),
        persona::NewPersona::Head(NewGameAccountHead { customer, name }) => {
            let (server_data, created, last_login, games) = (0, 0, 0, 0);
            let rest = Rest::default();
            NewGameAccount { customer, name, server_data, created, last_login, games, persona, rest }.packet()
        }
    };
    Packet { id: id::USER_VALID, form: Form::LONG, ..packet }
}

#[cfg(test)]
mod tests;
