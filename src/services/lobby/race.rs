//! Races as channels: the list, who is ready, what the host may do, start and end.

use super::Handler;
use super::notices::{Notices, TCP};
use crate::clock::Now;
use crate::services::{Game, Outcome};
use crate::world::races::Move;
use crate::world::{ChannelInfo, Left, RaceInfo};
use mco_proto::bytes::{Bool16, List};
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::channel::{
    BootUser, GetReadyList, NOT_READY, READY, RaceEntry, RaceRiff, ReadyForGame, ReadyList, ReadyRecord,
    RiffList, SendRiffList, SetChannelData, SetCommFlags, SetReadyForGame, StartGameServer,
    TerminateGameServer, WideRaceRiff, WideRiffList,
};
use mco_proto::nps::lobby::Name;
use mco_proto::nps::{Message as _, Packet};
use mco_proto::text::PStr;

impl Handler<'_> {
    /// 0x0302: the open races, wherever they were opened.
    pub(super) fn races(&self, _: &SendRiffList) -> Outcome<Packet> {
        let races = self.game.world.channels.races(self.caller.connection);
        let terms = self.game.world.races.lock();
        let most =
            |race: &RaceInfo| terms.race_of_room(race.riff.channel).map(|race| race.settings.most_racers);
        let races: Vec<_> = races.into_iter().map(|race| (entry(&race, most(&race)), race.running)).collect();
        drop(terms);
        let races = races.into_iter();
        Outcome::reply(if self.game.config.compat.race_list_width == 1 {
            let riffs =
                List::first_n(races.map(|(race, running)| RaceRiff { race, running: running.into() }));
            RiffList { structure_size: 0, riffs }.packet()
        } else {
            let riffs =
                List::first_n(races.map(|(race, running)| WideRaceRiff { race, running: running.into() }));
            WideRiffList { structure_size: 0, riffs }.packet()
        })
    }

    /// 0x0113: the host describes its race, which it may do once if the race is one of MCOTS (*documented*: its terms are fixed when it is
    /// made). Never answered; the others hear of it.
    pub(super) fn set_channel_data(&self, request: &SetChannelData) -> Outcome<Packet> {
        let fixed = self.game.config.compat.fixed_descriptions;
        let Some(me) = &self.caller.me else { return Outcome::silence() };
        let (world, caller) = (&self.game.world, (self.caller.connection, me.persona));
        let Some((riff, others)) = world.describe_room(caller, request.channel, &request.data, fixed) else {
            self.refused(&format!("describes race {}, whose host it is not", request.channel));
            return Outcome::silence();
        };
        if riff.data[..] != request.data[..] {
            self.refused(&format!(
                "describes race {} otherwise than before, which does not count",
                request.channel
            ));
            return Outcome::silence();
        }
        sync_room(self.game, &riff, me.persona, Move::Other, self.now);
        let pushes = Notices::of(self.game).updated(&riff, others).into_iter().collect();
        Outcome { pushes, ..Outcome::silence() }
    }

    /// 0x010D: ready, or no longer.
    pub(super) fn set_flags(&self, request: &SetCommFlags) -> Outcome<Packet> {
        match request.flags & (READY | NOT_READY) {
            READY => self.say_ready(request.channel, true),
            NOT_READY => self.say_ready(request.channel, false),
            _ => {
                self.refused(&format!("sets unknown flags 0x{:x}", request.flags));
                Outcome::silence()
            }
        }
    }

    /// 0x0109: ready.
    pub(super) fn ready(&self, request: &ReadyForGame) -> Outcome<Packet> {
        self.say_ready(request.channel, true)
    }

    /// 0x011F: ready, or not if a zero follows.
    pub(super) fn set_ready(&self, request: &SetReadyForGame) -> Outcome<Packet> {
        let flag = &request.ready.0;
        self.say_ready(request.channel, flag.is_empty() || flag.iter().any(|byte| *byte != 0))
    }

    fn say_ready(&self, channel: CommId, ready: bool) -> Outcome<Packet> {
        let Some(me) = &self.caller.me else { return Outcome::silence() };
        let channels = &self.game.world.channels;
        let Some((master, others)) = channels.set_ready(self.caller.connection, channel, ready) else {
            self.refused(&format!("is ready in race {channel}, where it is not"));
            return Outcome::silence();
        };
        let record =
            ReadyRecord { channel, persona: me.persona, ready: Bool16(ready), master: Bool16(master) };
        let pushes = Notices::of(self.game).ready(record, others).into_iter().collect();
        Outcome { pushes, ..Outcome::silence() }
    }

    /// 0x010E: who is ready.
    pub(super) fn ready_list(&self, request: &GetReadyList) -> Outcome<Packet> {
        let channel = request.channel;
        let readiness = self.game.world.channels.readiness(self.caller.connection, channel);
        let records = readiness.into_iter().map(|one| ReadyRecord {
            channel,
            persona: one.persona,
            ready: Bool16(one.ready),
            master: Bool16(one.master),
        });
        Outcome::reply(ReadyList { records: List::first_n(records) }.packet())
    }

    /// 0x0117: the host throws somebody out, for as long as there is this race.
    pub(super) fn boot(&self, request: &BootUser) -> Outcome<Packet> {
        let BootUser { channel, persona } = *request;
        let Some(booted) = self.game.world.throw_out(self.caller.connection, channel, persona, self.now)
        else {
            self.refused(&format!("cannot throw persona {persona} out of channel {channel}"));
            return Outcome::silence();
        };
        for left in &booted.left {
            sync_rooms_left(self.game, left, Move::Closed, self.now);
        }
        Outcome { pushes: Notices::of(self.game).booted(channel, booted), ..Outcome::silence() }
    }

    /// 0x010A: the host sends everybody to the race server.
    pub(super) fn start_race(&self, request: &StartGameServer) -> Outcome<Packet> {
        let Some((room, port)) = self.game.ports.race_server() else { return Outcome::silence() };
        let notices = Notices::of(self.game);
        let channels = &self.game.world.channels;
        let start = channels.start(self.caller.connection, request.channel, room, notices.on_hosts_server());
        let Some(start) = start else {
            self.refused(&format!("cannot start race {}: it is not its host", request.channel));
            return Outcome::silence();
        };
        log::info!("race {} of {:?} starts with {}", request.channel, start.host.name, start.players);
        let mine = self.game.address_for(self.caller.local);
        let replies = notices.start(&start, mine, port);
        Outcome { pushes: notices.started(&start, port), ..Outcome::replies(replies) }
    }

    /// 0x011D: the host ends the race. It hears what the others hear.
    pub(super) fn stop_race(&self, request: &TerminateGameServer) -> Outcome<Packet> {
        let channel = request.channel;
        let Some((riff, others)) = self.game.world.channels.stop(self.caller.connection, channel) else {
            self.refused(&format!("cannot end race {channel}: it is not its host, or it does not run"));
            return Outcome::silence();
        };
        if let Some(me) = &self.caller.me {
            sync_room(self.game, &riff, me.persona, Move::Other, self.now);
        }
        let (reply, push) = Notices::of(self.game).terminated(channel, others);
        Outcome { pushes: push.into_iter().collect(), ..Outcome::reply(reply) }
    }
}

/// Somebody came to the room of a race, or went: who has left it has left the race.
pub(super) fn sync_room(game: &Game, riff: &ChannelInfo, persona: PersonaId, how: Move, now: Now) {
    if let Some((race, left)) = game.world.sync_room(riff, persona, how, now) {
        for persona in left {
            log::info!("race {race}: persona {persona} has left its room, {}", riff.channel);
        }
    }
}

/// The same, for what came of leaving a channel.
pub(super) fn sync_rooms_left(game: &Game, left: &Left, how: Move, now: Now) {
    if let Some(riff) = &left.race {
        sync_room(game, riff, left.persona, how, now);
    }
}

/// A race as the list shows it, never with its password. `most` may race by its terms, if they are known.
fn entry(race: &RaceInfo, most: Option<usize>) -> RaceEntry {
    let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    RaceEntry {
        name: Name::first_n(&race.riff.name),
        protocol: TCP,
        channel: race.riff.channel,
        password: PStr::default(),
        channel_type: race.riff.channel_type,
        connected_users: short(race.players),
        open_channels: 0,
        connected: Bool16(race.joined),
        data: *race.riff.data,
        ready_players: short(race.ready),
        max_ready_players: most.map_or(race.riff.most, short),
        owner: race.owner,
    }
}
