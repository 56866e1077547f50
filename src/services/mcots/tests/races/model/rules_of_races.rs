//! The rules of races, written a second time and as short as possible.

use super::{MOST, PLAYERS};
use crate::catalog::rules;
use mco_proto::ids::RaceId;
use std::collections::{BTreeMap, BTreeSet};

/// What became of a racer in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Driving,
    In(u32),
    Out,
}

pub(super) type Field = Vec<(usize, Fate)>;

#[derive(Clone, Debug, Default)]
pub(super) struct ModelRace {
    pub(super) id: RaceId,
    pub(super) fee: u32,
    pub(super) members: Vec<usize>,
    /// Those of them who are in the room.
    pub(super) inside: BTreeSet<usize>,
    /// Those of them who have left the room.
    pub(super) gone: BTreeSet<usize>,
    /// Those of them who left it just now, and not by being waited for in vain: they are forgotten after ten minutes.
    pub(super) fresh: BTreeSet<usize>,
    /// Those of them who did not come in time.
    pub(super) missing: BTreeSet<usize>,
    /// Those of them who were in the room and have no connection there any more.
    pub(super) absent: BTreeSet<usize>,
    pub(super) field: Field,
    pub(super) runs: bool,
}

/// The room of a race, which may outlive the race.
#[derive(Clone, Debug, Default)]
pub(super) struct ModelRoom {
    pub(super) people: Vec<usize>,
    /// Who opened it, or the host of its race who came later.
    pub(super) owner: Option<usize>,
    pub(super) called: bool,
}

impl ModelRace {
    pub(super) fn host(&self) -> Option<usize> {
        self.members.iter().find(|who| self.is_here(**who)).or(self.members.first()).copied()
    }

    pub(super) fn is_here(&self, who: usize) -> bool {
        !self.gone.contains(&who) && !self.missing.contains(&who)
    }

    pub(super) fn taken(&self) -> usize {
        self.members.iter().filter(|who| self.is_here(**who)).count()
    }

    /// Who was the host may have left: somebody in the room follows it, if there is one.
    pub(super) fn pass_on(&mut self, host: Option<usize>) {
        let next = self.members.iter().copied().find(|who| self.is_here(*who));
        if next.is_none_or(|next| Some(next) == host || self.inside.contains(&next)) {
            return;
        }
        if let Some(at) = self.members.iter().position(|who| self.inside.contains(who)) {
            let next = self.members.remove(at);
            self.members.insert(0, next);
        }
    }

    pub(super) fn forget(&mut self, who: usize) {
        self.members.retain(|member| *member != who);
        for among in [&mut self.inside, &mut self.gone, &mut self.fresh, &mut self.missing, &mut self.absent]
        {
            among.remove(&who);
        }
    }

    pub(super) fn welcome(&mut self, who: usize) {
        if self.members.contains(&who) {
            if self.gone.contains(&who) {
                self.come_back(who);
            }
            return;
        }
        if self.members.len() == MOST {
            let host = self.host();
            let absent = |member: &&usize| !self.is_here(**member) && Some(**member) != host;
            let absent = *self.members.iter().find(absent).unwrap();
            self.forget(absent);
        }
        self.members.push(who);
    }

    pub(super) fn come_back(&mut self, who: usize) {
        if self.is_here(who) {
            return;
        }
        for among in [&mut self.gone, &mut self.fresh, &mut self.missing, &mut self.absent] {
            among.remove(&who);
        }
        if !self.runs {
            self.members.retain(|member| *member != who);
            self.members.push(who);
        }
    }

    /// Minutes have passed: who never came to the room, or was lost on the way to the race server and did not come back, has no
    /// place any more, and who is lost in a race is waited for no longer.
    pub(super) fn wait(&mut self, minutes: u64) {
        if !self.runs {
            let (host, met) = (self.host(), !self.inside.is_empty());
            let away = |who: &usize| !self.inside.contains(who) || self.absent.contains(who);
            let given_up = |who: &usize| self.is_here(*who) && away(who) && (met || Some(*who) != host);
            let given_up: Vec<usize> = self.members.iter().copied().filter(given_up).collect();
            for who in given_up {
                let was = self.inside.remove(&who);
                if was {
                    self.gone.insert(who)
                } else {
                    self.missing.insert(who)
                };
            }
            self.pass_on(host);
            // No time passes in between, so who was given up before was so a minute and a half after everything else.
            let forgotten = |who: &usize| {
                (minutes > 31 && self.gone.contains(who)) || (minutes > 10 && self.fresh.contains(who))
            };
            let forgotten: Vec<usize> = self.members.iter().copied().filter(forgotten).collect();
            for who in forgotten {
                let host = self.host();
                self.forget(who);
                self.pass_on(host);
            }
        } else if self.field.len() > 1 {
            let lost = |who: usize| self.members.contains(&who) && self.absent.contains(&who);
            let lost: Vec<usize> = self.field.iter().map(|(who, _)| *who).filter(|who| lost(*who)).collect();
            for who in lost {
                if let Some(fate) = self.awaited(who) {
                    *fate = Fate::Out;
                }
            }
        }
    }

    pub(super) fn awaited(&mut self, who: usize) -> Option<&mut Fate> {
        let runs = self.runs;
        let fate = self.field.iter_mut().find(|(racer, _)| *racer == who).map(|(_, fate)| fate);
        fate.filter(|fate| runs && **fate == Fate::Driving)
    }
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) races: Vec<ModelRace>,
    pub(super) rooms: BTreeMap<RaceId, ModelRoom>,
    pub(super) money: [u32; PLAYERS],
    pub(super) points: [u32; PLAYERS],
    pub(super) entered: [u32; PLAYERS],
    /// How many results were told.
    pub(super) told: usize,
}

impl Model {
    pub(super) fn of(&mut self, who: usize) -> Option<&mut ModelRace> {
        self.races.iter_mut().find(|race| race.members.contains(&who))
    }

    /// Settles what is over and forgets what is empty.
    pub(super) fn settle(&mut self) {
        let mut races = std::mem::take(&mut self.races);
        for race in &mut races {
            if !race.runs || race.field.iter().any(|(_, fate)| *fate == Fate::Driving) {
                continue;
            }
            race.runs = false;
            self.told += 1;
            let humans = race.field.len();
            let mut order: Vec<(u32, usize)> = race
                .field
                .iter()
                .filter_map(|(who, fate)| match fate {
                    Fate::In(time) if *time >= rules::SHORTEST_TIME => Some((*time, *who)),
                    _ => None,
                })
                .collect();
            order.sort_by_key(|(time, _)| *time);
            if order.is_empty() {
                race.field.iter().for_each(|(who, _)| self.money[*who] += rules::fee(race.fee, humans));
                continue;
            }
            for (who, _) in &race.field {
                self.entered[*who] += 1;
            }
            // No time passes but in vain, so who is out was on the way as long as the winner; who lies did not drive.
            let out = race.field.iter().filter(|(_, fate)| *fate == Fate::Out).count();
            let drove = order.len() + out;
            for (place, (time, who)) in order.iter().copied().enumerate() {
                let purse = rules::purse_for(race.fee, humans, drove, order[0].0);
                assert!(time >= rules::FULL_PAY_TIME);
                self.money[who] += rules::share(purse, drove, place);
                self.points[who] += rules::points(drove, place);
            }
        }
        races.retain(|race| race.runs || !race.members.is_empty());
        self.races = races;
    }

    pub(super) fn leave(&mut self, who: usize) {
        if let Some(race) = self.of(who) {
            if let Some(fate) = race.awaited(who) {
                *fate = Fate::Out;
            }
            let host = race.host();
            race.forget(who);
            race.pass_on(host);
        }
    }

    /// `who` is in the room of the race it is in, and in no other.
    pub(super) fn enter(&mut self, who: usize) {
        self.walk(who);
        let Some((id, hosts)) = self.of(who).map(|race| (race.id, race.host() == Some(who))) else { return };
        let room = self.rooms.entry(id).or_default();
        room.people.push(who);
        if hosts || room.owner.is_none() {
            room.owner = Some(who);
        }
        self.attend(id, who);
    }

    pub(super) fn walk(&mut self, who: usize) {
        let Some((id, room)) = self.rooms.iter_mut().find(|(_, room)| room.people.contains(&who)) else {
            return;
        };
        let id = *id;
        room.people.retain(|other| *other != who);
        if room.owner == Some(who) {
            room.owner = room.people.first().copied();
        }
        if room.people.is_empty() {
            self.rooms.remove(&id);
        }
        self.attend(id, who);
    }

    pub(super) fn attend(&mut self, id: RaceId, who: usize) {
        let ModelRoom { people, called, .. } = self.rooms.get(&id).cloned().unwrap_or_default();
        let Some(race) = self.races.iter_mut().find(|race| race.id == id) else { return };
        if people.contains(&who) && race.members.contains(&who) {
            race.come_back(who);
            race.absent.remove(&who);
            race.inside.insert(who);
        }
        let host = race.host();
        let expected = |member: &usize| *member == who && race.is_here(who);
        let leaves = |member: &usize| race.inside.contains(member) || expected(member);
        let left = race.members.iter().copied().filter(|member| leaves(member) && !people.contains(member));
        let left: Vec<usize> = left.collect();
        race.absent.extend(&left);
        for member in left.into_iter().filter(|_| !called) {
            race.inside.remove(&member);
            race.gone.insert(member);
            race.fresh.insert(member);
        }
        race.pass_on(host);
    }

    pub(super) fn call(&mut self, who: usize) {
        let mut rooms = self.rooms.values_mut();
        if let Some(room) = rooms.find(|room| room.owner == Some(who)) {
            room.called = true;
        }
    }

    pub(super) fn start(&mut self, who: usize) -> bool {
        let money = self.money;
        let Some(race) = self.of(who).filter(|race| race.host() == Some(who) && !race.runs) else {
            return false;
        };
        let mut racers = race.members.clone();
        racers.retain(|racer| !race.gone.contains(racer));
        if race.inside.contains(&who) {
            racers.retain(|racer| race.inside.contains(racer));
        }
        if race.fee > 0 {
            racers.retain(|racer| !race.missing.contains(racer));
        }
        let broke =
            |racers: &[usize], fee| racers.iter().position(|who| money[*who] < rules::fee(fee, racers.len()));
        while let Some(at) = broke(&racers, race.fee) {
            racers.remove(at);
        }
        if !racers.contains(&who) {
            return false;
        }
        let fee = rules::fee(race.fee, racers.len());
        race.field = racers.iter().map(|who| (*who, Fate::Driving)).collect();
        race.runs = true;
        let gone = |who: &usize| race.gone.contains(who) || race.missing.contains(who);
        race.absent.retain(|who| !gone(who));
        for who in racers {
            self.money[who] -= fee;
        }
        true
    }
}
