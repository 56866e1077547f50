//! Persona, port 8228: a new connection per request, in clear. The only proof of who asks is that the account signed in
//! from the same address. See `docs/protocol/login-persona-mail.md`.

use super::playtime::keep_playtime;
use super::{Game, Hex, Outcome, Push};
use crate::clock::Now;
use crate::store::{NewPersona, Persona, PersonaError};
use crate::world::SignInStep;
use mco_proto::Malformed;
use mco_proto::bytes::Rest;
use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::nps::persona::{
    BuddyListCount, CheckToken, DeleteGamePersona, GetBuddyList, GetPersonaInfoById, GetPersonaInfoByName,
    GetPersonaMaps, LongAck, NewGameAccount, NewGameAccountHead, NewGameAccountRecord, PersonaEntry,
    PersonaList, Personas, RegisterGameLogin, RegisterGameLogout, ValidatePersonaName,
};
use mco_proto::nps::{Form, Message, Packet, id};
use mco_proto::text::{Chars, Str16};
use std::net::IpAddr;

/// What happens on a message to port 8228.
pub fn answer(game: &Game, peer: IpAddr, packet: &Packet, now: Now) -> Outcome<Packet> {
    let caller = Handler { game, peer, now };
    let outcome = match packet.id {
        id::GET_PERSONA_MAPS => packet.read().map(|request| caller.personas(&request)),
        id::REGISTER_GAME_LOGIN => packet.read().map(|request| caller.select(&request)),
        id::REGISTER_GAME_LOGOUT => packet.read().map(|request| caller.deselect(&request)),
        id::VALIDATE_PERSONA_NAME => packet.read().map(|request| caller.validate_name(&request)),
        id::CHECK_TOKEN => packet.read().map(|request| caller.check_text(&request)),
        id::NEW_GAME_ACCOUNT => caller.create(packet),
        id::DELETE_GAME_PERSONA => packet.read().map(|request| caller.delete(&request)),
        id::GET_PERSONA_INFO => caller.info(packet),
        id::GET_BUDDY_LIST => packet.read().map(|request| caller.buddies(&request)),
        _ => {
            let (id, name, length) = (packet.id, id::name(packet.id), packet.size());
            log::info!("persona: {peer} sent 0x{id:04x} ({name}, {length} bytes): {}", Hex(&packet.body));
            Ok(acknowledged())
        }
    };
    outcome.unwrap_or_else(|error| {
        let (id, length) = (packet.id, packet.size());
        log::info!(
            "persona: {peer} sent a malformed 0x{id:04x} of {length} bytes, {error}: {}",
            Hex(&packet.body)
        );
        if id == id::GET_PERSONA_MAPS { no_personas() } else { acknowledged() }
    })
}

struct Handler<'a> {
    game: &'a Game,
    peer: IpAddr,
    now: Now,
}

impl Handler<'_> {
    /// 0x0532: the drivers of an account. None for a stranger too: nothing is told, and the Client does not hang.
    fn personas(&self, request: &GetPersonaMaps) -> Outcome<Packet> {
        if !self.signed_in(request.customer, "list the personas") {
            self.game.world.sign_in_trace.refused(self.peer, SignInStep::PersonaList, self.now);
            return no_personas();
        }
        match self.game.store.personas().of_customer(request.customer) {
            Ok(personas) => {
                self.game.world.sign_in_trace.passed(self.peer, SignInStep::PersonaList, self.now);
                let personas = Personas::of(personas.iter().map(entry));
                Outcome::reply(PersonaList { personas }.packet())
            }
            Err(error) => {
                log::error!("persona: cannot read the personas of customer {}: {error}", request.customer);
                no_personas()
            }
        }
    }

    /// 0x0503: the User picks a driver, who is in use from now on. If it was so already, that Client most likely
    /// crashed: its connections end and this one takes over.
    fn select(&self, request: &RegisterGameLogin) -> Outcome<Packet> {
        let RegisterGameLogin { customer, persona, shard: _ } = *request;
        if !self.owns(customer, persona, "select") {
            return acknowledged();
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
        self.game.world.sign_in_trace.passed(self.peer, SignInStep::Persona, self.now);
        let earlier = self.game.world.presence.select(persona, self.now);
        Outcome::reply(LongAck { zeros: [0; 251] }.packet()).push(Push::Dismiss(earlier))
    }

    /// 0x050F: the User leaves the driver. Its connections close a little later by themselves.
    fn deselect(&self, request: &RegisterGameLogout) -> Outcome<Packet> {
        if self.owns(request.customer, request.persona, "leave")
            && let Some(free) = self.game.world.presence.deselect(request.persona, self.now)
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
            && personas.name_is_free(self.game.config.shard.id, name).unwrap_or_else(|error| {
                log::error!("persona: cannot look up a name: {error}");
                false
            })
    }

    /// 0x0534: is this text fit for a licence plate? No refusal is known, and the Client has checked it itself.
    fn check_text(&self, request: &CheckToken) -> Outcome<Packet> {
        log::debug!("persona: {} asks for text {:?} of kind {}", self.peer, request.text, request.kind);
        acknowledged()
    }

    /// 0x0507: a new driver. The answer is the request with the new id in its place, the one way known in which the
    /// Client could learn it.
    fn create(&self, packet: &Packet) -> Result<Outcome<Packet>, Malformed> {
        // Nobody published a real 0x0507: what came is worth a line as long as that is so.
        log::info!("persona: {} sent 0x0507 ({} bytes): {}", self.peer, packet.size(), Hex(&packet.body));
        let request = NewPersonaRequest::of(packet)?;
        let (customer, name) = (request.customer(), request.name());
        if !self.signed_in(customer, "create a persona") {
            return Ok(Outcome::reply(Packet::bare(id::USER_INVALID)));
        }
        let new = NewPersona {
            name,
            shard: self.game.config.shard.id,
            id: None,
            starter_cash: self.game.config.game.starter_cash,
            max_per_customer: self.game.config.shard.max_personas.into(),
        };
        Ok(match self.game.store.personas().create(customer, new, self.now) {
            Ok(created) => {
                let persona = created.value;
                log::info!("persona: customer {customer} created persona {} {:?}", persona.id, persona.name);
                Outcome::reply(request.granted(persona.id)).after(created.ticket)
            }
            Err(error) => {
                log::info!("persona: customer {customer} cannot create a persona: {error}");
                let taken = matches!(error, PersonaError::NameTaken);
                Outcome::reply(Packet::bare(if taken { id::DUP_PERSONA } else { id::USER_INVALID }))
            }
        })
    }

    /// 0x0512: the driver goes, with all it owns.
    fn delete(&self, request: &DeleteGamePersona) -> Outcome<Packet> {
        let DeleteGamePersona { customer, persona } = *request;
        if !self.owns(customer, persona, "delete") {
            return acknowledged();
        }
        match self.game.store.personas().delete(customer, persona) {
            Ok(deleted) => {
                log::info!("persona: customer {customer} deleted persona {persona}");
                let connections = self.game.world.presence.connections(persona);
                self.game.world.presence.deselect(persona, self.now);
                Outcome::reply(Packet::bare(id::PERSONA_DELETED))
                    .after(deleted.ticket)
                    .push(Push::Dismiss(connections))
            }
            Err(error) => {
                log::info!("persona: customer {customer} cannot delete persona {persona}: {error}");
                acknowledged()
            }
        }
    }

    /// 0x0519, in one of two forms told apart by their size: who is this, or (older builds) is this name free?
    fn info(&self, packet: &Packet) -> Result<Outcome<Packet>, Malformed> {
        const BY_ID: usize = 4;
        if packet.body.len() > BY_ID {
            let request: GetPersonaInfoByName = packet.read()?;
            let free = self.signed_in(request.customer, "check a name")
                && self.name_is_free(&request.name.to_string());
            return Ok(Outcome::reply(Packet::bare(if free {
                id::USER_VALID
            } else {
                id::GAME_ACCOUNT_INFO
            })));
        }
        let request: GetPersonaInfoById = packet.read()?;
        let persona = self.game.persona_of(self.peer, request.persona, self.now);
        let personas = Personas::of(persona.iter().map(entry));
        Ok(Outcome::reply(PersonaList { personas }.packet()))
    }

    /// 0x050B: no buddies. What a Client wants behind another count is unknown.
    fn buddies(&self, request: &GetBuddyList) -> Outcome<Packet> {
        log::debug!("persona: {} asks for the buddies of persona {}", self.peer, request.persona);
        Outcome::reply(BuddyListCount { count: 0 }.packet())
    }

    fn signed_in(&self, customer: CustomerId, what: &str) -> bool {
        let signed_in = self.game.world.sessions.signed_in_from(customer, self.peer, self.now);
        if !signed_in {
            log::info!(
                "persona: {} may not {what} as customer {customer}: not signed in from there",
                self.peer
            );
        }
        signed_in
    }

    fn owns(&self, customer: CustomerId, persona: PersonaId, what: &str) -> bool {
        let owner = self.game.persona_of(self.peer, persona, self.now).map(|persona| persona.customer_id);
        let owns = owner == Some(customer);
        if !owns {
            log::info!("persona: {} may not {what} persona {persona} as customer {customer}", self.peer);
        }
        owns
    }
}

fn acknowledged() -> Outcome<Packet> {
    Outcome::reply(Packet::bare(id::ACK))
}

fn no_personas() -> Outcome<Packet> {
    Outcome::reply(PersonaList { personas: Personas::default() }.packet())
}

fn entry(persona: &Persona) -> PersonaEntry {
    PersonaEntry {
        customer: persona.customer_id,
        persona: persona.id,
        shard: persona.shard,
        created: persona.created,
        name: Chars::new(&persona.name),
    }
}

/// 0x0507 in either of the two layouts it may have.
enum NewPersonaRequest {
    Counted(NewGameAccount),
    Fixed(NewGameAccountRecord),
    /// Only who and which name could be read.
    Bare(CustomerId, Str16<32>),
}

impl NewPersonaRequest {
    /// A counted name has a zero as its first byte, since no name is 256 letters long; a fixed one has a letter there.
    fn of(packet: &Packet) -> Result<Self, Malformed> {
        const NAME: usize = 4;
        if packet.body.get(NAME).is_some_and(|byte| *byte != 0) {
            return packet.read().map(Self::Fixed);
        }
        packet.read().map(Self::Counted).or_else(|_| {
            let head: NewGameAccountHead = packet.read()?;
            Ok(Self::Bare(head.customer, head.name))
        })
    }

    const fn customer(&self) -> CustomerId {
        match self {
            Self::Counted(request) => request.customer,
            Self::Fixed(request) => request.customer,
            Self::Bare(customer, _) => *customer,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Counted(request) => request.name.to_string(),
            Self::Fixed(request) => request.name.to_string(),
            Self::Bare(_, name) => name.to_string(),
        }
    }

    /// The answer: the same layout under 0x0601 with the new id in its place.
    fn granted(self, persona: PersonaId) -> Packet {
        let packet = match self {
            Self::Counted(request) => NewGameAccount { persona, ..request }.packet(),
            Self::Fixed(request) => NewGameAccountRecord { persona, ..request }.packet(),
            Self::Bare(customer, name) => {
                let (server_data, created, last_login, games) = (0, 0, 0, 0);
                let rest = Rest::default();
                NewGameAccount { customer, name, server_data, created, last_login, games, persona, rest }
                    .packet()
            }
        };
        Packet { id: id::USER_VALID, form: Form::LONG, ..packet }
    }
}

#[cfg(test)]
mod tests;
