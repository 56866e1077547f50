//! The lobbies of the city: where races of which kind are arranged, and what a host may choose there. Those of the original
//! servers are lost; these are ours.
//!
//! What the host may choose is told in 325 and checked in 230 against the same values ([`Lobby`]). Which track is of which kind,
//! and from which level on it is open, the publisher has said of a few (*documented*); of the others it is told by their names.

use super::imported::Named;
use super::race_type::RaceType;
use super::tracks;
use mco_proto::mcots::lists::{Choice, Switch};
use mco_proto::mcots::race::SLOTS;

/// A lobby: where races of one kind on one track are arranged, and what their hosts may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Lobby {
    /// The number in 324, unique.
    pub id: u32,
    /// The kind of its races.
    pub race_type: RaceType,
    /// Name of its channel on the lobby server, at most 31 characters.
    pub channel: String,
    /// What players read: the track, and the level if it takes one. At most 50 characters.
    pub turf: String,
    /// Number of the track in the Client's catalogue.
    pub track: u32,
    /// The level from which on one may race there; the first is 1.
    pub level: u32,
    /// Whether the track leads from one point to another.
    pub linear: bool,
    /// How many may race.
    pub players: Choice,
    /// How many laps.
    pub laps: Choice,
    /// How many rounds make a series.
    pub rounds: Choice,
    /// Rain.
    pub weather: Switch,
    /// Whether its races are driven in the dark.
    pub night: Switch,
    /// The other way round.
    pub backwards: Switch,
    /// Other cars on the road.
    pub traffic: Switch,
    /// Racers that the host's Client plays.
    pub driver_ai: Switch,
}

/// The one track whose number is known (*captured*: both recorded lobbies lie there).
const TRACK: u32 = 25;

/// The most tracks that get a lobby. How many an owner's catalogue has is not known; the Client's list is for a screen.
const MAX_TRACKS: usize = 32;

/// The most that a message has room for.
const MOST_RACERS: u16 = 6;
const _: () = assert!(MOST_RACERS as usize == SLOTS);

/// The most rounds of a series. The winners of at most 16 fit the message that tells them.
const MOST_ROUNDS: u16 = 9;

/// Words in the name of a track that tell its kind.
const WORDS: [(RaceType, &[&str]); 3] = [
    (RaceType::Drag, &["drag", "dragstrip", "dragway", "strip"]),
    (
        RaceType::Circuit,
        &["circuit", "raceway", "racetrack", "speedway", "autodrome", "prix", "gp", "oval", "ring"],
    ),
    (
        RaceType::Street,
        &[
            "street",
            "streets",
            "avenue",
            "alley",
            "boulevard",
            "road",
            "roads",
            "highway",
            "parkway",
            "route",
            "district",
            "downtown",
            "city",
        ],
    ),
];

/// The kind of a track, and the level it takes. One whose name says nothing is a circuit, as the known one was.
fn kind_of(track: &str) -> (RaceType, u32) {
    let name = track.to_lowercase();
    let known = tracks::by_name(track).map(|known| (known.kind, known.level));
    let is_in = |words: &[&str]| name.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word));
    let told = || WORDS.iter().find(|(_, words)| is_in(words)).map(|(kind, _)| (*kind, 1));
    known.or_else(told).unwrap_or((RaceType::Circuit, 1))
}

/// The two lobbies that a Client was seen to accept; the garage's test drive wants number 2 (*seen in use*). Then one
/// for each other track of the owner's own catalogue (*inferred*: no Client was seen there yet), and, on the known track, one
/// for each kind of race that no track of the catalogue is made for.
pub(super) fn lobbies(tracks: &[Named]) -> Vec<Lobby> {
    /// Numbers for the kinds on the known track, and behind them for the tracks of the catalogue.
    const FIRST: u32 = 10_002;
    const FIRST_IMPORTED: u32 = 10_010;
    let others = tracks.iter().filter(|track| track.id != 0 && track.id != TRACK && !track.name.is_empty());
    let imported: Vec<_> = (FIRST_IMPORTED..)
        .zip(others.take(MAX_TRACKS))
        .map(|(id, track)| {
            let (kind, level) = kind_of(&track.name);
            Lobby::on(id, kind, &track.name, track.id).open_from(level)
        })
        .collect();
    let mut lobbies = vec![
        Lobby { channel: "MCC10".to_owned(), ..Lobby::on(2, RaceType::TestDrive, "Proving Ground", TRACK) },
        Lobby {
            channel: "MC100".to_owned(),
            night: Switch::FREE_ON,
            ..Lobby::on(10_001, RaceType::Circuit, "Harbor Loop", TRACK)
        },
    ];
    let kinds = [(RaceType::Street, "Harbor Streets"), (RaceType::Drag, "Harbor Drag Strip")];
    for (id, (kind, turf)) in (FIRST..).zip(kinds) {
        if imported.iter().all(|lobby| lobby.race_type != kind) {
            lobbies.push(Lobby::on(id, kind, turf, TRACK));
        }
    }
    lobbies.extend(imported);
    lobbies
}

impl Lobby {
    /// The length of its track in metres, or of a lap of it, if it is known.
    pub fn length(&self) -> Option<u32> {
        let known = tracks::by_name(&self.turf).filter(|track| track.kind == self.race_type);
        known.or_else(|| tracks::by_kind(self.race_type)).map(|track| track.metres)
    }

    /// A lobby with what its kind of race leaves to the host. Numbers of laps are those that players used (*documented*: 2, 4 or 8);
    /// a drag strip has two lanes (*documented*).
    fn on(id: u32, race_type: RaceType, turf: &str, track: u32) -> Self {
        let letter = match race_type {
            RaceType::Street => 'S',
            RaceType::Drag => 'D',
            _ => 'T',
        };
        let lobby = Self {
            id,
            race_type,
            channel: format!("MC{letter}{track}"),
            turf: turf.chars().take(31).collect(),
            track,
            level: 1,
            linear: race_type == RaceType::Drag,
            players: Choice::between(1, MOST_RACERS, 4),
            laps: Choice::NONE,
            rounds: Choice::between(1, MOST_ROUNDS, 1),
            weather: Switch::FREE,
            night: Switch::FREE,
            backwards: Switch::FREE,
            traffic: Switch::OFF,
            driver_ai: Switch::FREE,
        };
        match race_type {
            RaceType::Street => Self { laps: Choice::between(1, 4, 1), traffic: Switch::FREE, ..lobby },
            RaceType::Circuit => Self { laps: Choice::between(1, 8, 2), ..lobby },
            RaceType::Drag => Self { players: Choice::between(1, 2, 2), backwards: Switch::OFF, ..lobby },
            // As it was recorded: nothing to choose, and at night.
            _ => Self {
                players: Choice { most: MOST_RACERS, ..Choice::NONE },
                rounds: Choice::NONE,
                weather: Switch::OFF,
                night: Switch::ON,
                backwards: Switch::OFF,
                driver_ai: Switch::OFF,
                ..lobby
            },
        }
    }

    /// The same, open from a level on. It stands behind the name, because where the message has a field for it is not certain.
    fn open_from(self, level: u32) -> Self {
        let turf = if level > 1 { format!("{} (level {level} up)", self.turf) } else { self.turf };
        Self { turf, level, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<Named> {
        (31..).zip(names).map(|(id, name)| Named { id, name: (*name).to_owned() }).collect()
    }

    #[test]
    fn lobbies_have_numbers_and_channels_of_their_own_that_fit() {
        let tracks: Vec<_> =
            (0..99).map(|id| Named { id, name: format!("{id} {}", "long ".repeat(20)) }).collect();
        let lobbies = lobbies(&tracks);
        assert_eq!(lobbies.len(), 4 + MAX_TRACKS);
        assert!(lobbies.iter().any(|lobby| lobby.id == 2 && lobby.race_type == RaceType::TestDrive));
        assert!(lobbies.is_sorted_by(|a, b| a.id < b.id));
        for (at, lobby) in lobbies.iter().enumerate() {
            assert!(lobbies[..at].iter().all(|other| other.channel != lobby.channel), "{}", lobby.channel);
            assert!(lobby.channel.len() < 32 && lobby.turf.chars().count() <= 50);
        }
    }

    #[test]
    fn every_kind_of_race_has_a_lobby_with_or_without_an_import() {
        let kinds = [RaceType::TestDrive, RaceType::Street, RaceType::Circuit, RaceType::Drag];
        for tracks in [vec![], named(&["Nowhere"]), named(&["Main Street", "County Drag Strip"])] {
            let lobbies = lobbies(&tracks);
            for kind in kinds {
                assert!(lobbies.iter().any(|lobby| lobby.race_type == kind), "{kind:?} with {tracks:?}");
            }
        }
    }

    #[test]
    fn each_track_is_in_its_kind_and_level() {
        let tracks = named(&[
            "Hazard Hollow",
            "Goose Pointe",
            "Industrial Flats",
            "County Dragway",
            "Bel Air Grand Prix",
            "Thunderbird Alley",
            "Nowhere",
        ]);
        let lobbies = lobbies(&tracks);
        let found: Vec<_> =
            lobbies[2..].iter().map(|lobby| (lobby.track, lobby.race_type, lobby.level)).collect();
        let wanted = [
            (31, RaceType::Street, 15),
            (32, RaceType::Circuit, 11),
            (33, RaceType::Street, 1),
            (34, RaceType::Drag, 1),
            (35, RaceType::Circuit, 1),
            (36, RaceType::Street, 1),
            (37, RaceType::Circuit, 1),
        ];
        assert_eq!(found, wanted, "and none beside them, for every kind is there");
        assert_eq!(
            (lobbies[2].turf.as_str(), lobbies[4].turf.as_str()),
            ("Hazard Hollow (level 15 up)", "Industrial Flats")
        );
    }

    #[test]
    fn nobody_is_offered_more_places_than_the_messages_hold_nor_more_lanes_than_a_strip_has() {
        for lobby in lobbies(&named(&["Main Street", "County Dragway"])) {
            assert!(lobby.players.most <= MOST_RACERS, "{}", lobby.turf);
            assert_eq!(lobby.players.most == 2, lobby.race_type == RaceType::Drag);
            for choice in [lobby.players, lobby.laps, lobby.rounds] {
                let within = (choice.least..=choice.most).contains(&choice.default);
                assert!(within && (choice.enabled.0 == (choice.least > 0)), "{}: {choice:?}", lobby.turf);
            }
        }
    }

    #[test]
    fn the_length_of_a_track_is_known_by_its_name() {
        let tracks = ["Goose Pointe", "Nowhere"].map(|name| Named { id: 7, name: name.to_owned() });
        let lobbies = lobbies(&tracks);
        let length = |turf: &str| lobbies.iter().find(|lobby| lobby.turf.starts_with(turf)).unwrap().length();
        assert_eq!((length("Goose Pointe"), length("Nowhere"), length("Harbor L")), (Some(8690), None, None));
        assert_eq!(length("Harbor Drag"), Some(402), "every one is a quarter mile");
    }
}
