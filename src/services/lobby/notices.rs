//! What others are told. Whatever `[compat]` of `mcos.toml` leaves open about that is decided here, and about relays in
//! `relay`.

use crate::config::{ChannelUpdates, Compat, RaceStartOn, RaceStarted};
use crate::services::{Game, Push};
use crate::world::{
    Booted, ChannelInfo, Channels, ConnectionId, HandOver, Left, NpsServer, Opened, Person, Start,
};
use mco_proto::bytes::Bool16;
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::channel::{
    ChannelCreated, ChannelDataUpdate, ChannelDeleted, ChannelMaster, ChannelUpdate, Description,
    ForceLeaveChannel, GameServerStarted, GameServerStartedInfo, GameServerStateChange, GameServerTerminated,
    RUNNING, ReadyNotice, ReadyRecord, START_PENDING, UserJoined, UserLeft,
};
use mco_proto::nps::lobby::{Name, ServerInfo, UserJoinedChannel, UserLeftChannel};
use mco_proto::nps::{Message, Packet};
use mco_proto::text::PStr;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// TCP, in the fields that name a protocol.
pub(super) const TCP: u32 = 33;

/// Makes pushes.
#[derive(Clone, Copy)]
pub(super) struct Notices<'a> {
    compat: &'a Compat,
    channels: &'a Channels,
}

impl<'a> Notices<'a> {
    pub(super) const fn of(game: &'a Game) -> Self {
        Self { compat: &game.config.compat, channels: &game.world.channels }
    }

    /// A message for others, if there are any.
    pub(super) fn tell(self, receivers: Vec<ConnectionId>, message: &impl Message) -> Option<Push> {
        (!receivers.is_empty()).then(|| self.push(receivers, message.packet()))
    }

    fn push(self, receivers: Vec<ConnectionId>, packet: Packet) -> Push {
        Push::Packet(receivers, Arc::new(packet), self.compat.push_form.into())
    }

    /// Who hears that a persona came to a server or left it: everybody there, if it is not there itself.
    pub(super) fn others_in(self, server: NpsServer, persona: PersonaId) -> Vec<ConnectionId> {
        // Thousands, and told nothing by default.
        if self.compat.server_notices { self.channels.others_in(server, persona) } else { Vec::new() }
    }

    /// 0x0203: somebody came to a server.
    pub(super) fn arrived(self, person: &Person, others: Vec<ConnectionId>) -> Option<Push> {
        let Person { persona, ref name, user_data } = *person;
        let joined = UserJoined { persona, name: Name::first_n(name), user_data };
        self.tell(others, &joined)
    }

    /// 0x0202: somebody is gone from a server.
    pub(super) fn gone(self, persona: PersonaId, others: Vec<ConnectionId>) -> Option<Push> {
        self.tell(others, &UserLeft { persona })
    }

    /// What others hear when somebody opens a channel.
    pub(super) fn opened(self, opened: &Opened) -> Vec<Push> {
        let made = opened.made.clone().filter(|_| self.compat.announce_races);
        let made = made.and_then(|lobby| self.tell(lobby, &created(&opened.riff)));
        let (channel, persona) = (opened.riff.channel, opened.me.persona);
        let joined = self.tell(opened.recipients.clone(), &joined(&opened.me, channel));
        let master = self.compat.owner_notices.then(|| opened.taken_over.clone());
        let master = master.and_then(|all| self.tell(all, &ChannelMaster { channel, persona }));
        [made, joined, master].into_iter().flatten().collect()
    }

    /// What others hear when somebody is no longer in a channel.
    pub(super) fn left(self, left: Left) -> Vec<Push> {
        let Left { channel, persona, recipients, handed_over, ended, vanished, race: _ } = left;
        let leaves = self.compat.leave_notices;
        let leave = leaves.then(|| self.tell(recipients, &UserLeftChannel { persona, channel })).flatten();
        let handed_over = handed_over.into_iter().flat_map(|new| self.handed_over(channel, new));
        let ended = self.tell(ended, &GameServerTerminated { channel });
        let vanished = vanished
            .filter(|_| self.compat.announce_races)
            .and_then(|lobby| self.tell(lobby, &ChannelDeleted { channel }));
        leave.into_iter().chain(handed_over).chain(ended).chain(vanished).collect()
    }

    /// What everybody in a race hears when it has a new host: 0x0109 of each who is no longer ready, and 0x0227.
    fn handed_over(self, channel: CommId, new: HandOver) -> Vec<Push> {
        let HandOver { host, unready, recipients } = new;
        let no_longer = |persona: PersonaId| {
            let (ready, master) = (Bool16(false), Bool16(persona == host));
            self.ready(ReadyRecord { channel, persona, ready, master }, recipients.clone())
        };
        let mut pushes: Vec<Push> = unready.into_iter().filter_map(no_longer).collect();
        if self.compat.owner_notices {
            pushes.extend(self.tell(recipients, &ChannelMaster { channel, persona: host }));
        }
        pushes
    }

    /// What everybody hears when the host throws somebody out.
    pub(super) fn booted(self, channel: CommId, booted: Booted) -> Vec<Push> {
        let target = self.tell(booted.memberships, &ForceLeaveChannel { channel });
        let others = booted.left.into_iter().flat_map(|left| self.left(left));
        target.into_iter().chain(others).collect()
    }

    /// 0x0219: the host has changed its race.
    pub(super) fn updated(self, riff: &ChannelInfo, others: Vec<ConnectionId>) -> Option<Push> {
        match self.compat.channel_updates {
            ChannelUpdates::Whole => self.tell(others, &ChannelUpdate { riff: description(riff) }),
            ChannelUpdates::Data => {
                self.tell(others, &ChannelDataUpdate { channel: riff.channel, data: *riff.data })
            }
            ChannelUpdates::Off => None,
        }
    }

    /// 0x0109: somebody is ready, or no longer.
    pub(super) fn ready(self, record: ReadyRecord, others: Vec<ConnectionId>) -> Option<Push> {
        self.compat.ready_notices.then(|| self.tell(others, &ReadyNotice { record })).flatten()
    }

    /// Whether racers hear of the start in the server where the host is, rather than where they are in the race.
    pub(super) fn on_hosts_server(self) -> bool {
        self.compat.race_start_on == RaceStartOn::HostsServer
    }

    /// What a racer who reached us by `address` hears when the race starts: 0x0224 twice, 0x020D, 0x020C, 0x021C.
    pub(super) fn start(self, start: &Start, address: Ipv4Addr, port: u16) -> Vec<Packet> {
        let channel = start.riff.channel;
        let riff = Name::first_n(&start.riff.name);
        let address = PStr::address(address);
        let (port, owner) = (port.into(), start.host.persona.0);
        let players = u32::try_from(start.players).unwrap_or(u32::MAX);
        let states = [START_PENDING, RUNNING].into_iter().filter(|_| self.compat.state_changes);
        let mut packets: Vec<_> =
            states.map(|state| GameServerStateChange { channel, state }.packet()).collect();
        let info = ServerInfo { riff: riff.clone(), channel, address: address.clone(), port, owner, players };
        packets.push(info.packet());
        packets.push(joined(&start.host, channel).packet());
        packets.push(match self.compat.race_started {
            RaceStarted::Number => GameServerStarted { channel }.packet(),
            RaceStarted::ServerInfo => {
                GameServerStartedInfo { riff, channel, address, port, owner, players }.packet()
            }
        });
        packets
    }

    /// The same for all others in the race; each is sent to the address by which it came.
    pub(super) fn started(self, start: &Start, port: u16) -> Vec<Push> {
        let mut by_address: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (racer, address) in &start.racers {
            by_address.entry(*address).or_default().push(*racer);
        }
        let packets = |(address, racers): (Ipv4Addr, Vec<ConnectionId>)| {
            let packets = self.start(start, address, port).into_iter();
            packets.map(move |packet| self.push(racers.clone(), packet))
        };
        by_address.into_iter().flat_map(packets).collect()
    }

    /// 0x021D: the race is over, for the host and for the others.
    pub(super) fn terminated(self, channel: CommId, others: Vec<ConnectionId>) -> (Packet, Option<Push>) {
        let message = GameServerTerminated { channel };
        (message.packet(), self.tell(others, &message))
    }
}

fn description(riff: &ChannelInfo) -> Description {
    Description {
        channel: riff.channel,
        name: Name::first_n(&riff.name),
        protocol: TCP,
        data: *riff.data,
        channel_type: riff.channel_type,
        max_ready_players: riff.most,
    }
}

/// 0x020C: somebody came into a channel.
pub(super) fn joined(who: &Person, channel: CommId) -> UserJoinedChannel {
    UserJoinedChannel {
        persona: who.persona,
        name: Name::first_n(&who.name),
        channel,
        user_data: who.user_data,
        persona_again: who.persona,
    }
}

/// 0x020E: a race can be joined.
pub(super) fn created(riff: &ChannelInfo) -> ChannelCreated {
    ChannelCreated { riff: description(riff) }
}
