//! Several players with their connections, and what each of them has heard.

use super::*;
use crate::clock::Now;
use crate::services::Encryption;
use mco_proto::nps::Id;
use mco_proto::nps::channel::ChannelData;
use std::collections::BTreeMap;

/// A shard with players.
pub(super) struct Scene {
    pub(super) game: Game,
    players: Vec<TestPlayer>,
    /// What was pushed to each connection since somebody looked.
    heard: BTreeMap<ConnectionId, Vec<(Packet, Encryption)>>,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// A shard with so many players, none of them connected.
    pub(super) fn of(players: usize) -> Self {
        let (game, folder) = Game::for_tests();
        let player = |n| game.player(&format!("account{n}"), &format!("Driver {n}"), PEER.ip());
        let players = (0..players).map(player).collect();
        Self { game, players, heard: BTreeMap::new(), _folder: folder }
    }

    pub(super) fn persona(&self, player: usize) -> PersonaId {
        self.players[player].persona
    }

    /// A player connects and signs in.
    pub(super) fn connect(&mut self, player: usize, server: NpsServer) -> ConnectionState {
        let mut caller = caller(&self.game, server);
        let outcome = answer(&self.game, &mut caller, &clear(&login(&self.players[player])), Now::read());
        assert!(outcome.start_encryption.is_some());
        self.deliver(outcome.pushes);
        caller
    }

    /// A connection is gone.
    pub(super) fn drop(&mut self, caller: &ConnectionState) {
        let pushes = leave(&self.game, caller, Move::Other, Now::read());
        self.heard.remove(&caller.connection);
        self.deliver(pushes);
    }

    /// What a message is answered with.
    pub(super) fn ask(&mut self, caller: &mut ConnectionState, message: &impl Message) -> Vec<Packet> {
        self.send(caller, &encrypted(message))
    }

    /// The one answer to a message.
    pub(super) fn one<A: Message>(&mut self, caller: &mut ConnectionState, message: &impl Message) -> A {
        let replies = self.ask(caller, message);
        assert_eq!(replies.len(), 1, "{replies:?}");
        assert_eq!(replies[0].id, A::ID);
        replies[0].read().unwrap()
    }

    pub(super) fn send(&mut self, caller: &mut ConnectionState, incoming: &Incoming) -> Vec<Packet> {
        let outcome = answer(&self.game, caller, incoming, Now::read());
        self.deliver(outcome.pushes);
        outcome.replies
    }

    fn deliver(&mut self, pushes: Vec<Push>) {
        for push in pushes {
            let Push::Packet(receivers, packet, envelope) = push else { panic!("nobody is dismissed here") };
            assert!(!receivers.is_empty());
            for receiver in receivers {
                self.heard.entry(receiver).or_default().push(((*packet).clone(), envelope));
            }
        }
    }

    /// What a connection has heard since the last time.
    pub(super) fn heard(&mut self, caller: &ConnectionState) -> Vec<(Packet, Encryption)> {
        self.heard.remove(&caller.connection).unwrap_or_default()
    }

    /// The numbers of what a connection has heard since the last time.
    pub(super) fn numbers(&mut self, caller: &ConnectionState) -> Vec<Id> {
        self.heard(caller).into_iter().map(|(packet, _)| packet.id).collect()
    }

    /// The only message that a connection has heard since the last time.
    pub(super) fn only<M: Message>(&mut self, caller: &ConnectionState) -> M {
        let heard = self.heard(caller);
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert_eq!(heard[0].0.id, M::ID);
        heard[0].0.read().unwrap()
    }

    /// Nobody has heard anything that was not looked at.
    pub(super) fn quiet(&self) {
        assert_eq!(self.heard, BTreeMap::new());
    }

    pub(super) fn forget(&mut self) {
        self.heard.clear();
    }
}

/// A request for a race.
pub(super) fn race(channel: CommId, name: &str, password: &str, most: u16) -> OpenCommChannel {
    let password = PStr::new(password).unwrap();
    let open = OpenCommChannel { riff: Name::new(name).unwrap(), ..open_lobby(channel) };
    open.for_race(data(1), password, most)
}

/// A race's description.
pub(super) fn data(first: u8) -> ChannelData {
    std::array::from_fn(|at| if at == 0 { first } else { 0 })
}
