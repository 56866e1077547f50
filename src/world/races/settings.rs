//! The terms of a race: what its host chose with 230, checked once against what the lobby offers, and never changed afterwards.

use crate::catalog::{Lobby, RaceType};
use mco_proto::mcots::lists::{Choice, Switch};
use mco_proto::mcots::race::{CreateRace, LobbyFlags};
use std::fmt;

/// The highest class of power that a bound may name: there are nine, from 0 (*documented*).
const MOST_POWER_CLASS: u32 = 8;

/// What the host chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches of one message")]
pub struct Settings {
    /// Where.
    pub lobby: u32,
    /// What kind of race is driven there.
    pub race_type: RaceType,
    /// What each racer pays, in dollars.
    pub entry_fee: u32,
    /// Cars are wagered.
    pub pink_slip: bool,
    /// Between clubs. Kept and told: clubs are on the pages only.
    pub club_race: bool,
    /// Teams. Kept and told: there are no team trials yet.
    pub team_trial: bool,
    /// The sponsor's number; 0 is none. Kept and told: whether it is a car or a maker is not known.
    pub sponsor: u32,
    /// Levels of those who may join; 0 is no bound. The lower one is at least that of the lobby.
    pub levels: (u32, u32),
    /// Horse power of the cars; 0 is no bound. Kept and told, not checked: only Clients can compute it.
    pub most_power: u32,
    /// The strongest class of those who may join; 0 is no bound.
    pub power_class: u32,
    /// The class of cars; 0 is any.
    pub body_class: u32,
    /// How many may race, those included that the host's Client plays.
    pub most_racers: usize,
    /// How many it takes.
    pub least_racers: usize,
    /// Laps; 0 where the track has none to choose.
    pub laps: u8,
    /// Rounds of a series; 0 is a single race.
    pub rounds: u8,
    /// Direction, night, weather, damage, traffic and handicap, as 232 writes them.
    pub flags: LobbyFlags,
    /// The host's Client may play racers of its own.
    pub ai_racers: bool,
    /// Nobody may use nitrous. Kept and told, not checked: only Clients see it.
    pub no_nitrous: bool,
}

/// What a host asks for and the lobby does not offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// So many racers, where at most so many can race.
    Racers(u8, u16),
    /// At least so many racers, where so many may race at most.
    LeastRacers(u8, u16),
    /// No level is within the bounds.
    Levels(u32, u32),
    /// There is no such class of power.
    PowerClass(u32),
    /// A number of laps that is not on offer.
    Laps(u8),
    /// A number of rounds that is not on offer.
    Rounds(u8),
    /// A switch that the lobby does not leave to the host, by its name.
    Switch(&'static str),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Racers(asked, most) => write!(f, "{asked} racers, but at most {most} can race there"),
            Self::LeastRacers(asked, most) => {
                write!(f, "at least {asked} racers, but at most {most} may race")
            }
            Self::Levels(least, most) => write!(f, "levels from {least} to {most}"),
            Self::PowerClass(class) => write!(f, "power class {class}; the highest is {MOST_POWER_CLASS}"),
            Self::Laps(laps) => write!(f, "{laps} laps, which the lobby does not offer"),
            Self::Rounds(rounds) => write!(f, "{rounds} rounds, which the lobby does not offer"),
            Self::Switch(name) => write!(f, "{name}, which the lobby does not leave to the host"),
        }
    }
}

impl Settings {
    /// What comes nearest to the host's wish of what the lobby offers, and the first thing that it does not offer. A 0 stands for
    /// "not said" (*captured* for laps: a Client started a race with 0 laps). The fee and the wager are as asked for.
    pub fn nearest(wish: &CreateRace, lobby: &Lobby) -> (Self, Option<Unfit>) {
        let mut unfit = None;
        let mut not = |what: Unfit| {
            unfit.get_or_insert(what);
        };
        let most = lobby.players.most;
        if u16::from(wish.most_racers) > most {
            not(Unfit::Racers(wish.most_racers, most));
        }
        let most = if wish.most_racers == 0 { most } else { u16::from(wish.most_racers).min(most) };
        if u16::from(wish.least_racers) > most {
            not(Unfit::LeastRacers(wish.least_racers, most));
        }
        let least = u16::from(wish.least_racers).clamp(1, most.max(1));
        let mut levels = (wish.least_level, wish.most_level);
        if levels.1 > 0 && levels.0.max(lobby.level) > levels.1 {
            not(Unfit::Levels(levels.0.max(lobby.level), levels.1));
            levels.1 = 0;
        }
        if lobby.level > 1 {
            levels.0 = levels.0.max(lobby.level);
        }
        let mut power_class = wish.power_class;
        if power_class > MOST_POWER_CLASS {
            not(Unfit::PowerClass(power_class));
            power_class = 0;
        }
        let laps = chosen(lobby.laps, wish.laps).unwrap_or_else(|nearest| {
            not(Unfit::Laps(wish.laps));
            nearest
        });
        let rounds = chosen(lobby.rounds, wish.rounds).unwrap_or_else(|nearest| {
            not(Unfit::Rounds(wish.rounds));
            nearest
        });
        let switches = [
            ("rain", lobby.weather, wish.weather.0, LobbyFlags::WEATHER),
            ("night", lobby.night, wish.night.0, LobbyFlags::NIGHT),
            ("the other way round", lobby.backwards, wish.backward.0, LobbyFlags::BACKWARD),
            ("traffic", lobby.traffic, wish.traffic.0, LobbyFlags::TRAFFIC),
            // The lobby has no word of these: damage goes everywhere, a mirrored track where it can be driven the other way round.
            ("damage", Switch::FREE, wish.damage.0, LobbyFlags::DAMAGE),
            ("a mirrored track", lobby.backwards, wish.mirrored.0, LobbyFlags::MIRRORED),
            ("a handicap", handicap(lobby.race_type), wish.handicapped.0, LobbyFlags::HANDICAP),
        ];
        let mut flags = LobbyFlags::default();
        for (name, switch, asked, flag) in switches {
            let free = switch.enabled.0 || asked == switch.default.0;
            if !free {
                not(Unfit::Switch(name));
            }
            flags.set(flag, if free { asked } else { switch.default.0 });
        }
        let settings = Self {
            lobby: lobby.id,
            race_type: lobby.race_type,
            entry_fee: wish.entry_fee,
            pink_slip: wish.pink_slip.0,
            club_race: wish.club_race.0,
            team_trial: wish.team_trial.0,
            sponsor: wish.sponsor,
            levels,
            most_power: wish.most_power,
            power_class,
            body_class: wish.body_class,
            most_racers: most.into(),
            least_racers: least.into(),
            laps,
            // A series of one is a single race.
            rounds: if wish.rounds == 0 || rounds == 1 { 0 } else { rounds },
            flags,
            ai_racers: wish.ai_racers.0,
            no_nitrous: wish.no_nitrous.0,
        };
        (settings, unfit)
    }

    /// Whether racers may lose something.
    pub const fn stakes(&self) -> bool {
        self.entry_fee > 0 || self.pink_slip
    }

    /// Whether cars are damaged in this race.
    pub const fn has_damage(&self) -> bool {
        self.flags.has(LobbyFlags::DAMAGE)
    }
}

/// A number that the host may choose, or that which comes nearest to it.
fn chosen(choice: Choice, asked: u8) -> Result<u8, u8> {
    let byte = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
    let default = byte(choice.default);
    if asked == 0 || asked == default {
        Ok(default)
    } else if !choice.enabled.0 {
        Err(default)
    } else if (choice.least..=choice.most).contains(&asked.into()) {
        Ok(asked)
    } else {
        Err(asked.clamp(byte(choice.least), byte(choice.most).max(byte(choice.least))))
    }
}

/// Only on a drag strip is there a head start (*documented*).
const fn handicap(race_type: RaceType) -> Switch {
    match race_type {
        RaceType::Drag => Switch::FREE,
        _ => Switch::OFF,
    }
}

impl fmt::Display for Settings {
    /// The terms in one line, for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} for {} to {}, fee {}",
            self.race_type.name(),
            self.least_racers,
            self.most_racers,
            self.entry_fee
        )?;
        for (name, number) in [
            ("laps", u32::from(self.laps)),
            ("rounds", self.rounds.into()),
            ("from level", self.levels.0),
            ("to level", self.levels.1),
            ("at most power class", self.power_class),
            ("at most horse power", self.most_power),
            ("class of cars", self.body_class),
            ("sponsor", self.sponsor),
        ] {
            if number > 0 {
                write!(f, ", {name} {number}")?;
            }
        }
        let said = [
            (self.pink_slip, "pink slip"),
            (self.club_race, "between clubs"),
            (self.team_trial, "team trial"),
            (self.ai_racers, "AI racers"),
            (self.no_nitrous, "no nitrous"),
        ];
        for (_, name) in said.iter().filter(|(said, _)| *said) {
            write!(f, ", {name}")?;
        }
        write!(f, "{}", self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use mco_proto::bytes::Bool8;
    use mco_proto::{Reader, Wire as _};
    use proptest::prelude::*;

    fn lobby(kind: RaceType) -> Lobby {
        let catalog = Catalog::builtin();
        let lobby = catalog.lobbies().iter().find(|lobby| lobby.race_type == kind);
        lobby.unwrap().clone()
    }

    fn wish() -> CreateRace {
        CreateRace { night: Bool8(false), ..CreateRace::open_to_all(0, 2, 0) }
    }

    fn settings(kind: RaceType, wish: &CreateRace) -> Result<Settings, Unfit> {
        let (settings, unfit) = Settings::nearest(wish, &lobby(kind));
        unfit.map_or(Ok(settings), Err)
    }

    #[test]
    fn everything_that_a_host_chooses_is_kept() {
        let on = Bool8(true);
        let wish = CreateRace {
            entry_fee: 100,
            pink_slip: on,
            club_race: on,
            team_trial: on,
            sponsor: 104,
            least_level: 2,
            most_level: 9,
            most_power: 300,
            lobby: 0,
            most_racers: 4,
            least_racers: 2,
            rounds: 3,
            laps: 4,
            backward: on,
            mirrored: on,
            night: on,
            weather: on,
            damage: on,
            traffic: on,
            ai_racers: on,
            power_class: 5,
            body_class: 2,
            no_nitrous: on,
            handicapped: Bool8(false),
        };
        let kept = settings(RaceType::Street, &wish).unwrap();
        assert_eq!((kept.entry_fee, kept.pink_slip, kept.levels, kept.most_power), (100, true, (2, 9), 300));
        assert_eq!((kept.club_race, kept.team_trial, kept.sponsor), (true, true, 104));
        assert_eq!((kept.power_class, kept.body_class, kept.most_racers, kept.least_racers), (5, 2, 4, 2));
        assert_eq!((kept.laps, kept.rounds, kept.ai_racers, kept.no_nitrous), (4, 3, true, true));
        assert_eq!(kept.flags, LobbyFlags(0x3f), "all but the handicap");
        assert_eq!(
            kept.to_string(),
            "street race for 2 to 4, fee 100, laps 4, rounds 3, from level 2, to level 9, at most power class 5, at most horse \
             power 300, class of cars 2, sponsor 104, pink slip, between clubs, team trial, AI racers, no nitrous, backward, damage, mirrored, night, weather, traffic"
        );
    }

    #[test]
    fn what_is_not_said_is_the_lobbys_own() {
        let silent = CreateRace { most_racers: 0, least_racers: 0, ..wish() };
        let own = settings(RaceType::Circuit, &silent).unwrap();
        assert_eq!((own.most_racers, own.least_racers, own.laps, own.rounds), (6, 1, 2, 0));
        let own = settings(RaceType::Drag, &silent).unwrap();
        assert_eq!((own.most_racers, own.laps, own.flags), (2, 0, LobbyFlags(0)));
    }

    #[test]
    fn what_a_lobby_does_not_offer_is_named() {
        use RaceType::{Circuit, Drag, Street};
        let on = Bool8(true);
        let unfit = [
            (Circuit, CreateRace { most_racers: 7, ..wish() }, Unfit::Racers(7, 6)),
            (Drag, CreateRace { most_racers: 3, ..wish() }, Unfit::Racers(3, 2)),
            (Street, CreateRace { least_racers: 3, ..wish() }, Unfit::LeastRacers(3, 2)),
            (Street, CreateRace { least_level: 5, most_level: 4, ..wish() }, Unfit::Levels(5, 4)),
            (Street, CreateRace { power_class: 9, ..wish() }, Unfit::PowerClass(9)),
            (Street, CreateRace { laps: 5, ..wish() }, Unfit::Laps(5)),
            (Drag, CreateRace { laps: 1, ..wish() }, Unfit::Laps(1)),
            (Street, CreateRace { rounds: 10, ..wish() }, Unfit::Rounds(10)),
            (Street, CreateRace { handicapped: on, ..wish() }, Unfit::Switch("a handicap")),
            (Circuit, CreateRace { traffic: on, ..wish() }, Unfit::Switch("traffic")),
            (Drag, CreateRace { mirrored: on, ..wish() }, Unfit::Switch("a mirrored track")),
        ];
        for (kind, wish, what) in unfit {
            assert_eq!(settings(kind, &wish), Err(what));
        }
        assert!(settings(Drag, &CreateRace { handicapped: on, rounds: 3, ..wish() }).is_ok());
    }

    #[test]
    fn a_lobby_that_takes_a_level_asks_for_it_whatever_its_host_asks_for() {
        let lobby = Lobby { level: 15, ..lobby(RaceType::Street) };
        assert_eq!(Settings::nearest(&wish(), &lobby).0.levels, (15, 0));
        let beginners = CreateRace { most_level: 4, ..wish() };
        assert_eq!(Settings::nearest(&beginners, &lobby).1, Some(Unfit::Levels(15, 4)));
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_the_nearest_is_on_offer(bytes in proptest::collection::vec(prop_oneof![Just(0), 0..12_u8, any::<u8>()], 48)) {
            let wish = CreateRace::read(&mut Reader::little(&bytes)).unwrap();
            for lobby in Catalog::builtin().lobbies() {
                let (nearest, _) = Settings::nearest(&wish, lobby);
                prop_assert!((1..=nearest.most_racers).contains(&nearest.least_racers));
                prop_assert!(nearest.most_racers <= usize::from(lobby.players.most));
                let on = |flag| Bool8(nearest.flags.has(flag));
                let again = CreateRace {
                    least_level: nearest.levels.0,
                    most_level: nearest.levels.1,
                    most_racers: u8::try_from(nearest.most_racers).unwrap(),
                    least_racers: u8::try_from(nearest.least_racers).unwrap(),
                    rounds: nearest.rounds,
                    laps: nearest.laps,
                    backward: on(LobbyFlags::BACKWARD),
                    mirrored: on(LobbyFlags::MIRRORED),
                    night: on(LobbyFlags::NIGHT),
                    weather: on(LobbyFlags::WEATHER),
                    damage: on(LobbyFlags::DAMAGE),
                    traffic: on(LobbyFlags::TRAFFIC),
                    handicapped: on(LobbyFlags::HANDICAP),
                    power_class: nearest.power_class,
                    ..wish.clone()
                };
                prop_assert_eq!(Settings::nearest(&again, lobby), (nearest, None));
            }
        }
    }
}
