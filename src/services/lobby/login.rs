//! Signing in to the lobby or a room.

use super::{Handler, Me, Notices, name_of};
use crate::services::Outcome;
use crate::services::dispatch::Refusal;
use crate::services::lobby::ConnectionState;
use crate::services::send_away;
use crate::world::{NpsServer, Person, Session, SignInStep};
use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::nps::bare::INVALID_KEY;
use mco_proto::nps::lobby::{Login, LoginResponse, Name};
use mco_proto::nps::{Message as _, Packet};

impl Handler<'_> {
    /// 0x0100, the same on every port. Refused alike for an unknown account, a stale key and somebody else's persona.
    pub(super) fn login(&mut self, login: &Login) -> Result<Outcome<Packet>, Refusal> {
        let ConnectionState { connection, server, peer, local, .. } = *self.caller;
        if self.caller.me.is_some() {
            return Err(Refusal::NotAllowed("a second time"));
        }
        let Some((name, session)) = self.admitted(login) else {
            log::info!("{}: refused {peer}: not signed in as persona {}", name_of(server), login.persona);
            self.game.world.sign_in_trace.refused(peer.ip(), step_of(server), self.now);
            return Ok(refused());
        };
        let persona = login.persona;
        let Ok(superseded) = self.game.world.presence.arrive(persona, connection, session.id, self.now)
        else {
            log::info!("{}: refused {peer}: persona {persona} is played on another PC now", name_of(server));
            return Ok(refused());
        };
        log::info!("{}: persona {persona} {name:?} from {peer}", name_of(server));
        self.game.world.sign_in_trace.passed(peer.ip(), step_of(server), self.now);
        let user_data = login.user_data;
        // Its own copy comes with 0103 after a while, and others look at it before that.
        let known = || self.game.world.channels.user_data(persona, server);
        let shown = if user_data == [0; 64] { known().unwrap_or(user_data) } else { user_data };
        let shown = self.with_club(persona, shown);
        let person = Person { persona, name: name.clone(), user_data: shown };
        let address = self.game.address_for(local);
        let notices = Notices::of(self.game);
        let others = notices.others_in(server, persona);
        self.game.world.channels.enter(connection, server, person.clone(), (peer.ip(), address));
        let response = LoginResponse { persona, name: Name::first_n(&name), user_data };
        self.caller.me = Some(Me { persona, name });
        let arrived = notices.arrived(&person, others);
        Ok(Outcome {
            start_encryption: Some(session.key),
            pushes: send_away(self.game, superseded).into_iter().chain(arrived).collect(),
            ..Outcome::reply(response.packet())
        })
    }

    /// The persona's name and the session, if the account has signed in with that key, from the same address, and
    /// owns the persona.
    fn admitted(&self, login: &Login) -> Option<(String, Session)> {
        let address = self.caller.peer.ip();
        let session = self.game.world.sessions.proven(login.customer, address, &login.proof, self.now)?;
        let persona = self.persona_of(login.customer, login.persona)?;
        Some((persona, session))
    }

    fn persona_of(&self, customer: CustomerId, persona: PersonaId) -> Option<String> {
        let persona = self.game.store.personas().by_id(persona).unwrap_or_else(|error| {
            log::error!("lobby: cannot read persona {persona}: {error}");
            None
        });
        persona.filter(|persona| persona.customer_id == customer).map(|persona| persona.name)
    }
}

/// The answer to a login that is refused, for whatever reason.
pub(super) fn refused() -> Outcome<Packet> {
    Outcome { close: true, ..Outcome::reply(INVALID_KEY) }
}

const fn step_of(server: NpsServer) -> SignInStep {
    match server {
        NpsServer::Lobby => SignInStep::Lobby,
        NpsServer::Room(_) => SignInStep::Room,
    }
}
