//! Opening and closing channels.

use super::notices::{created, joined};
use super::race::{sync_room, sync_rooms_left};
use super::{Handler, Notices};
use crate::services::Outcome;
use crate::world::races::Move;
use crate::world::{ChannelInfo, Denied, OpenRequest};
use mco_proto::ids::CommId;
use mco_proto::nps::lobby::{
    ChannelClosed, ChannelDenied, ChannelGranted, CloseCommChannel, OpenCommChannel,
};
use mco_proto::nps::{Message as _, Packet};

/// What "any number" may look like: 0, and everything that is negative to a Client.
const fn is_number(channel: CommId) -> bool {
    channel.0 > 0 && channel.0 <= i32::MAX as u32
}

impl Handler<'_> {
    /// 0x0106: enters a channel, or makes it. Which one, the number says, not the name; what is not in the directory is a
    /// race, and one without a number gets one.
    pub(super) fn open(&self, request: &OpenCommChannel) -> Outcome<Packet> {
        let compat = &self.game.config.compat;
        let name = request.riff.to_string();
        let numbered = is_number(request.channel);
        let race = !numbered || !self.game.directory.is_permanent(request.channel, &name);
        let wish = OpenRequest {
            riff: ChannelInfo {
                channel: if numbered { request.channel } else { CommId(0) },
                name,
                race,
                channel_type: request.channel_type,
                flags: request.flags,
                most: request.max_ready_players,
                data: Box::new(request.channel_data),
            },
            password: request.password.to_string(),
            strict: compat.deny_wrong_password,
        };
        let Some(me) = self.caller.me.as_ref().map(|me| me.persona) else { return Outcome::silence() };
        match self.game.world.open_channel(self.caller.connection, me, wish) {
            Ok(opened) => {
                if opened.wrong_password {
                    self.refused(&format!(
                        "enters race {} with a wrong password; see compat.deny_wrong_password in mcos.toml",
                        opened.riff.channel
                    ));
                }
                if opened.riff.race {
                    sync_room(self.game, &opened.riff, opened.me.persona, Move::Other, self.now);
                }
                let notices = Notices::of(self.game);
                let port = self.caller.local.port().into();
                let granted = ChannelGranted { channel: opened.riff.channel, port }.packet();
                let arrival = joined(&opened.me, opened.riff.channel).packet();
                let replies = if opened.riff.race {
                    let race = created(&opened.riff).packet();
                    [Some(race), Some(granted), compat.race_self_notice.then_some(arrival)]
                } else {
                    [None, Some(granted), compat.chat_self_notice.then_some(arrival)]
                };
                let pushes = notices.opened(&opened);
                Outcome { pushes, ..Outcome::replies(replies.into_iter().flatten()) }
            }
            Err(denied) => {
                let why = match denied {
                    Denied::NotHere => "has not signed in here",
                    Denied::Full => "it is full",
                    Denied::Locked => "the password is wrong",
                    Denied::NotJoined => "it has not joined that race",
                    Denied::NotItsRoom => "it says that it is the room of a race, and is not",
                    Denied::ThrownOut => "the host has thrown it out of that race",
                    Denied::TooMany => {
                        "there are too many channels, or it or its address has as many as one may"
                    }
                };
                self.refused(&format!("cannot enter channel {}: {why}", request.channel));
                Outcome::reply(ChannelDenied { channel: request.channel, reason: 0 }.packet())
            }
        }
    }

    /// 0x0105: leaves a channel. The port in the answer is the lobby's, also in a room (*captured*).
    pub(super) fn close(&self, request: &CloseCommChannel) -> Outcome<Packet> {
        let channel = request.channel;
        let left = self.game.world.channels.close(self.caller.connection, channel);
        if let Some(left) = &left {
            sync_rooms_left(self.game, left, Move::Closed, self.now);
        }
        let closed = ChannelClosed { channel, port: self.game.ports.lobby.into() };
        let notices = Notices::of(self.game);
        let pushes = left.into_iter().flat_map(|left| notices.left(left)).collect();
        Outcome { pushes, ..Outcome::reply(closed.packet()) }
    }
}
