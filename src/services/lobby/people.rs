//! Who is where, and what they look like.

use super::{Handler, Notices};
use crate::services::Outcome;
use crate::services::directory::CTRL;
use crate::world::Person;
use mco_proto::bytes::List;
use mco_proto::ids::{CommId, PersonaId};
use mco_proto::nps::channel::{
    ClientCount, GetClientCount, GetMyUserData, GetUserInfo, LocateUser, UserLocation,
};
use mco_proto::nps::lobby::{
    GetMiniUserList, GetUserList, MiniUser, MiniUserList, Name, SetMyUserData, UserEntry, UserInfo, UserList,
};
use mco_proto::nps::user_data::UserData;
use mco_proto::nps::{Message as _, Packet};
use std::sync::Arc;

impl Handler<'_> {
    /// Who is in a channel or server of the directory.
    fn people_of(&self, channel: CommId) -> Arc<Vec<Person>> {
        let channels = &self.game.world.channels;
        let connection = self.caller.connection;
        let mut rooms = self.game.directory.rooms();
        match rooms.find(|(entry, ..)| entry.channel == channel) {
            _ if channel == CTRL => channels.people(self.caller.server),
            Some((_, server, _)) if !channels.is_in(connection, channel) => channels.people(server),
            _ => Arc::new(channels.members(connection, channel)),
        }
    }

    /// 0x0128: names only; channel 0 is the whole server.
    pub(super) fn names(&self, request: &GetMiniUserList) -> Outcome<Packet> {
        let people = self.people_of(request.channel);
        let users = people
            .iter()
            .map(|person| MiniUser { persona: person.persona, name: Name::first_n(&person.name) });
        Outcome::reply(MiniUserList { channel: request.channel, users: List::first_n(users) }.packet())
    }

    /// 0x0101: everybody in a channel, the asker too if it is there.
    pub(super) fn users(&self, request: &GetUserList) -> Outcome<Packet> {
        let people = self.people_of(request.channel);
        let users = people.iter().map(|person| UserEntry {
            persona: person.persona,
            name: Name::first_n(&person.name),
            user_data: person.user_data,
        });
        Outcome::reply(UserList { channel: request.channel, users: List::first_n(users) }.packet())
    }

    /// 0x0107: how many players this server has.
    pub(super) fn count(&self, _: &GetClientCount) -> Outcome<Packet> {
        let count = self.game.world.channels.head_count(self.caller.server);
        Outcome::reply(ClientCount { count: u32::try_from(count).unwrap_or(u32::MAX) }.packet())
    }

    /// 0x0103: what others see of car and driver. Who it is about is the caller, whatever the message says.
    pub(super) fn set_user_data(&self, request: &SetMyUserData) -> Outcome<Packet> {
        let Some(me) = &self.caller.me else { return Outcome::silence() };
        let user_data = self.with_club(me.persona, request.user_data);
        let others = self.game.world.channels.set_user_data(self.caller.connection, user_data);
        let info = UserInfo { persona: me.persona, name: Name::first_n(&me.name), user_data };
        let push = Notices::of(self.game).tell(others, &info);
        Outcome { pushes: push.into_iter().collect(), ..Outcome::reply(info.packet()) }
    }

    /// What others see of a player, with the number of its club as the store knows it, if `compat.club_in_user_data` says so. Where that
    /// number belongs is *seen in use* only.
    pub(super) fn with_club(&self, persona: PersonaId, mut user_data: UserData) -> UserData {
        const CLUB: std::ops::Range<usize> = 44..48;
        if self.game.config.compat.club_in_user_data
            && let Some(field) = user_data.get_mut(CLUB)
        {
            match self.game.store.clubs().membership(persona) {
                Ok(membership) => field.copy_from_slice(&membership.club.to_le_bytes()),
                Err(error) => log::error!("lobby: cannot read the club of persona {persona}: {error}"),
            }
        }
        user_data
    }

    /// 0x0102: what is kept of the caller.
    pub(super) fn my_user_data(&self, _: &GetMyUserData) -> Outcome<Packet> {
        let Some(me) = &self.caller.me else { return Outcome::silence() };
        let mine = self.game.world.channels.person_in(self.caller.server, me.persona);
        mine.map_or_else(Outcome::silence, |person| Outcome::reply(user_info(&person).packet()))
    }

    /// 0x0126: what is kept of somebody.
    pub(super) fn user_info(&self, request: &GetUserInfo) -> Outcome<Packet> {
        let Some(person) = self.game.world.channels.person(request.persona) else {
            self.refused(&format!("asks for persona {}, who is not here", request.persona));
            return Outcome::silence();
        };
        Outcome::reply(user_info(&person).packet())
    }

    /// 0x0118: where somebody is. Who is nowhere is in channel 0, as is who is in none.
    pub(super) fn locate(&self, request: &LocateUser) -> Outcome<Packet> {
        let channel = self.game.world.channels.location(request.persona).unwrap_or(CTRL);
        Outcome::reply(UserLocation { persona: request.persona, channel }.packet())
    }
}

fn user_info(person: &Person) -> UserInfo {
    UserInfo { persona: person.persona, name: Name::first_n(&person.name), user_data: person.user_data }
}
