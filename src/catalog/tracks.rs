//! What is known of the tracks, one row each, with who said it: `tracks.csv`. A name `*` is every other track of its kind.

use super::race_type::RaceType;
use std::sync::LazyLock;

const TABLE: &str = include_str!("tracks.csv");
const EVERY: &str = "*";

/// What is known of a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownTrack {
    /// In lower case.
    name: String,
    pub(super) kind: RaceType,
    /// The level from which on it is open.
    pub(super) level: u32,
    /// The way to drive, or a lap of it, in metres.
    pub(super) metres: u32,
}

static TRACKS: LazyLock<Vec<KnownTrack>> = LazyLock::new(|| {
    csv::Reader::from_reader(TABLE.as_bytes()).records().filter_map(|row| read(&row.ok()?)).collect()
});

fn read(row: &csv::StringRecord) -> Option<KnownTrack> {
    let kind = match row.get(1)? {
        "street" => RaceType::Street,
        "circuit" => RaceType::Circuit,
        "drag" => RaceType::Drag,
        _ => return None,
    };
    let (level, metres) = (row.get(2)?.parse().ok()?, row.get(3)?.parse().ok()?);
    Some(KnownTrack { name: row.get(0)?.to_owned(), kind, level, metres })
}

/// The track of this name, which may have more words around it.
pub(super) fn by_name(name: &str) -> Option<&'static KnownTrack> {
    let name = name.to_lowercase();
    TRACKS.iter().find(|known| known.name != EVERY && name.contains(&known.name))
}

/// What goes for every track of this kind.
pub(super) fn by_kind(kind: RaceType) -> Option<&'static KnownTrack> {
    TRACKS.iter().find(|known| known.name == EVERY && known.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_and_says_who_said_it() {
        assert_eq!(TRACKS.len(), TABLE.lines().count() - 1);
        for row in csv::Reader::from_reader(TABLE.as_bytes()).records() {
            let row = row.unwrap();
            assert!(row.get(4).is_some_and(|source| !source.is_empty()), "{row:?}");
        }
        assert_eq!(by_name("Hazard Hollow (level 15 up)").map(|track| track.metres), Some(6598));
        assert_eq!(by_kind(RaceType::Drag).map(|track| track.metres), Some(402));
        assert_eq!((by_name("Harbor * Loop"), by_kind(RaceType::Circuit)), (None, None));
    }
}
