//! A recording that the Operator switches on and off while players play. Every connection looks at one number with each message;
//! that is all it costs while it is off.

use super::{Bounds, Connection, Recorder};
use crate::admin::recordings::{self, RecordingSwitch, Running, Whom};
use crate::clock::Now;
use crate::server::bind::Service;
use crate::server::observer::Observer;
use crate::services::{Game, Verdict};
use crate::world::ConnectionId;
use mco_proto::ids::{CustomerId, PersonaId};
use mco_proto::mcots::{self, Body};
use mco_proto::nps::login::UserStatus;
use mco_proto::nps::{self, Packet, id};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The switch, which all connections share.
pub(crate) struct Recordings {
    game: Arc<Game>,
    /// Changes whenever it is switched: odd while it is on.
    turn: AtomicU64,
    active: Mutex<Option<Active>>,
    /// How the last recording ended by itself, in words.
    ended: Mutex<Option<String>>,
}

/// What is recorded now.
#[derive(Clone)]
struct Active {
    recorder: Arc<Recorder>,
    running: Running,
    end: Instant,
}

impl Recordings {
    /// Off.
    pub(crate) fn new(game: Arc<Game>) -> Arc<Self> {
        Arc::new(Self { game, turn: AtomicU64::new(0), active: Mutex::new(None), ended: Mutex::new(None) })
    }

    /// Ends what has been recorded for as long as was wanted, and what would take the room that changes need.
    pub(crate) fn look_at_the_time(&self, now: Now) {
        let Some(Active { recorder, running, end }) = self.active() else { return };
        let why = if now.mono >= end {
            "its time is over"
        } else if let Some(why) = recorder.full.get() {
            why
        } else if self.game.store.room_for(0).is_err() {
            "the card is full"
        } else {
            return;
        };
        if self.stop() {
            log::info!("recording ends: {why}");
            *self.ended.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(format!("{} ended by itself: {why}.", running.name));
        }
    }

    fn active(&self) -> Option<Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl RecordingSwitch for Recordings {
    fn start(&self, whom: Whom, minutes: u64, now: Now) -> Result<(), String> {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        if active.is_some() {
            return Err("A recording is being made already. Stop it first.".to_owned());
        }
        let words = |error: &dyn std::fmt::Display| format!("Nothing can be recorded: {error}.");
        self.game.store.room_for(recordings::MOST_BYTES).map_err(|error| words(&error))?;
        let (name, folder) = recordings::next(&self.game.data).map_err(|error| words(&error))?;
        let recorder = Recorder::bounded(&folder, Bounds::SWITCHED).map_err(|error| words(&error))?;
        let seconds = minutes.min(recordings::MOST_MINUTES) * 60;
        let running = Running { name, whom, until: now.unix.saturating_add(seconds) };
        log::warn!("{} is switched on until {}", running.name, self.game.zone().stamp(running.until));
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *active = Some(Active { recorder, running, end: now.later(Duration::from_secs(seconds)).mono });
        self.turn.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    fn stop(&self) -> bool {
        let ended = {
            let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = active.take();
            if ended.is_some() {
                self.turn.fetch_add(1, Ordering::AcqRel);
            }
            ended
        };
        let Some(Active { recorder, running, .. }) = ended else { return false };
        recorder.finish();
        log::warn!("{} is switched off", running.name);
        true
    }

    fn running(&self) -> Option<Running> {
        self.active().map(|active| active.running)
    }

    fn ended(&self) -> Option<String> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One connection, which is recorded while that is switched on.
pub(in crate::server) struct Switched {
    switch: Arc<Recordings>,
    service: Service,
    port: u16,
    connection: ConnectionId,
    peer: SocketAddr,
    /// The turn of the switch that it has followed.
    turn: u64,
    /// Whether anything passed before.
    is_late: bool,
    /// Bytes that arrived and have not been taken as a message: a recording begins between two messages.
    arriving: usize,
    persona: Option<PersonaId>,
    recording: Option<Connection>,
}

impl Switched {
    /// A connection that has just been made.
    pub(in crate::server) fn new(
        switch: Arc<Recordings>,
        service: Service,
        port: u16,
        connection: ConnectionId,
        peer: SocketAddr,
    ) -> Self {
        let mut made = Self {
            switch,
            service,
            port,
            connection,
            peer,
            turn: 0,
            is_late: false,
            arriving: 0,
            persona: None,
            recording: None,
        };
        made.follow();
        made.is_late = true;
        made
    }

    /// Begins or ends, if the switch was turned.
    fn follow(&mut self) {
        let turn = self.switch.turn.load(Ordering::Acquire);
        if turn == self.turn {
            return;
        }
        self.recording = None;
        if self.arriving > 0 {
            return;
        }
        self.turn = turn;
        let Some(Active { recorder, running, .. }) = self.switch.active() else { return };
        let address = self.peer.ip().to_canonical();
        if matches!(running.whom, Whom::Address(wanted) if wanted.to_canonical() != address) {
            return;
        }
        let held = recorder.held(self.service, self.port, self.connection, self.peer, self.is_late);
        self.recording = Some(held);
        match running.whom {
            Whom::Everybody | Whom::Address(_) => self.decide(true),
            // Nobody signs in on these: who has signed in from there is the only thing known.
            Whom::Account { customer, .. } if matches!(self.service, Service::Persona | Service::Mail) => {
                let sessions = &self.switch.game.world.sessions;
                self.decide(sessions.signed_in_from(customer, address, Now::read()));
            }
            Whom::Account { .. } => {
                if let Some(persona) = self.persona {
                    self.is_of_persona(persona);
                }
            }
        }
    }

    /// It is known whether the connection is wanted.
    fn decide(&mut self, is_wanted: bool) {
        self.recording =
            self.recording.take().and_then(|mut held| (is_wanted && held.release()).then_some(held));
    }

    /// It is known whose it is.
    fn is_of(&mut self, customer: Option<CustomerId>) {
        if self.recording.as_ref().is_some_and(|recording| recording.held.is_some())
            && let Some(active) = self.switch.active()
        {
            let wanted = |wanted: CustomerId| Some(wanted) == customer;
            self.decide(matches!(active.running.whom, Whom::Account { customer, .. } if wanted(customer)));
        }
    }

    fn is_of_persona(&mut self, persona: PersonaId) {
        if self.recording.as_ref().is_some_and(|recording| recording.held.is_some()) {
            let found = self.switch.game.store.personas().by_id(persona);
            self.is_of(found.ok().flatten().map(|persona| persona.customer_id));
        }
    }

    fn tell(&mut self, what: impl FnOnce(&mut Connection)) {
        if let Some(recording) = &mut self.recording {
            what(recording);
        }
    }
}

impl Observer for Switched {
    fn received(&mut self, bytes: &[u8]) {
        self.follow();
        self.arriving = self.arriving.saturating_add(bytes.len());
        self.tell(|recording| recording.received(bytes));
    }

    fn packet_received(&mut self, incoming: &nps::Incoming, size: usize) {
        self.arriving = self.arriving.saturating_sub(size);
        self.tell(|recording| recording.packet_received(incoming, size));
    }

    fn body_received(&mut self, incoming: &mcots::Incoming, size: usize) {
        self.arriving = self.arriving.saturating_sub(size);
        self.tell(|recording| recording.body_received(incoming, size));
    }

    fn packet_answered(&mut self, id: nps::Id, verdict: Verdict) {
        self.tell(|recording| recording.packet_answered(id, verdict));
    }

    fn body_answered(&mut self, number: mcots::Number, verdict: Verdict) {
        self.tell(|recording| recording.body_answered(number, verdict));
    }

    fn signed_in(&mut self, persona: PersonaId) {
        if self.persona.is_none() {
            self.persona = Some(persona);
            self.is_of_persona(persona);
        }
    }

    fn packet_sent(&mut self, packet: &Packet, raw: &[u8]) {
        self.follow();
        self.tell(|recording| recording.packet_sent(packet, raw));
        if self.service == Service::Login
            && packet.id == id::USER_VALID
            && let Ok(status) = packet.read::<UserStatus>()
        {
            self.is_of(Some(status.customer));
        }
    }

    fn body_sent(&mut self, body: &Body, raw: &[u8]) {
        self.follow();
        self.tell(|recording| recording.body_sent(body, raw));
    }

    fn withdrawn(&mut self) {
        self.tell(Connection::withdrawn);
    }

    fn written(&mut self) {
        self.tell(Connection::written);
    }

    fn ended(&mut self, why: &str) {
        self.follow();
        self.tell(|recording| recording.ended(why));
    }
}
