//! How the engine is given what is safe: piece by piece, so that nobody's ticket waits for long, and so that it writes little.

use super::engine::Engine;
use super::error::StoreError;
use super::journal::Changes;
use super::key;
use super::record::{Position, encode};
use std::ops::Bound;

/// From which length on, in bytes, it is worth a second look at the engine that a new record is not written twice.
const LONG: usize = 128;

/// The generation and the position in an engine.
pub(super) fn place(engine: &Engine) -> Result<(u64, u32), StoreError> {
    let position = engine.number(key::POSITION)?.unwrap_or(Position(0));
    Ok((engine.number(key::GENERATION)?.unwrap_or(0), position.0))
}

/// How far the engine has come with a batch that it is given.
#[derive(Debug)]
pub(super) enum Given {
    /// It has room for the new records up to this key.
    Room(Vec<u8>),
    /// It has room for all of them, and what was changed up to this key.
    Changes(Vec<u8>),
}

/// Gives one batch, or several of one generation, to the engine. Until it has all of it, its position is one before it: so whatever
/// it loses of it comes back from the journal.
pub(super) fn give(engine: &Engine, batch: &Changes) -> Result<(), StoreError> {
    give_piece(engine, batch, None, usize::MAX).map(|_| ())
}

/// Gives the next piece of a batch, some `most` bytes, behind what was given `before` (`None`: nothing). Returned is how far that is; none if
/// the engine has all.
pub(super) fn give_piece(
    engine: &Engine,
    batch: &Changes,
    before: Option<Given>,
    most: usize,
) -> Result<Option<Given>, StoreError> {
    let mut reached = None;
    engine.guarded(|| {
        let mut piece = Piece(most);
        if before.is_none() && batch.contains_key(key::GENERATION) {
            // Positions of another journal mean nothing in this one.
            engine.put(key::POSITION, Some(&encode(&Position(0))?))?;
            put(engine, batch, key::GENERATION)?;
        }
        let behind = match before {
            Some(Given::Changes(behind)) => Some(behind),
            Some(Given::Room(behind)) => {
                reached = make_room(engine, batch, Some(&behind), &mut piece)?;
                None
            }
            None => {
                reached = make_room(engine, batch, None, &mut piece)?;
                None
            }
        };
        if reached.is_none() {
            reached = give_changes(engine, batch, behind.as_deref(), &mut piece)?;
        }
        if reached.is_none() { put(engine, batch, key::POSITION) } else { Ok(()) }
    })?;
    Ok(reached)
}

/// Puts empty records in the place of new ones.
///
/// The engine keeps up to 16 records in a page. One more, and it cuts the page in two and writes all of them again. With records that come one
/// by one in the order of their keys that is two thirds of all that it writes. So pages are cut while the records are empty, and then
/// each is written once.
fn make_room(
    engine: &Engine,
    batch: &Changes,
    behind: Option<&[u8]>,
    piece: &mut Piece,
) -> Result<Option<Given>, StoreError> {
    for (key, change) in rest(batch, behind) {
        let length = change.as_ref().map_or(0, Vec::len);
        if length >= LONG {
            if engine.get(key)?.is_none() {
                engine.put(key, Some(&[]))?;
            }
            if piece.ends_with(key.len() + length) {
                return Ok(Some(Given::Room(key.clone())));
            }
        }
    }
    Ok(None)
}

fn give_changes(
    engine: &Engine,
    batch: &Changes,
    behind: Option<&[u8]>,
    piece: &mut Piece,
) -> Result<Option<Given>, StoreError> {
    let own = [key::GENERATION, key::POSITION];
    for (key, change) in rest(batch, behind).filter(|(key, _)| !own.contains(&key.as_slice())) {
        engine.put(key, change.as_deref())?;
        if piece.ends_with(key.len() + change.as_ref().map_or(0, Vec::len)) {
            return Ok(Some(Given::Changes(key.clone())));
        }
    }
    Ok(None)
}

fn put(engine: &Engine, batch: &Changes, key: &[u8]) -> Result<(), StoreError> {
    batch.get(key).map_or(Ok(()), |change| engine.put(key, change.as_deref()))
}

/// What lies behind a key.
fn rest<'b>(
    batch: &'b Changes,
    behind: Option<&[u8]>,
) -> impl Iterator<Item = (&'b Vec<u8>, &'b Option<Vec<u8>>)> + use<'b> {
    batch.range::<[u8], _>((behind.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
}

/// How many bytes are left of a piece.
struct Piece(usize);

impl Piece {
    /// Takes so many, and says whether none are left.
    const fn ends_with(&mut self, bytes: usize) -> bool {
        self.0 = self.0.saturating_sub(bytes);
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const RECORDS: u32 = 3000;

    fn opened() -> (TempDir, Engine) {
        let dir = TempDir::new().unwrap();
        let engine = Engine::open(dir.path()).unwrap();
        (dir, engine)
    }

    fn at(position: u32) -> Option<Vec<u8>> {
        Some(encode(&Position(position)).unwrap())
    }

    /// A long record under each of some numbers, which says its number.
    fn records(numbers: impl Iterator<Item = u32>) -> Changes {
        numbers.map(|number| (under(number), Some(number.to_be_bytes().repeat(200)))).collect()
    }

    fn under(number: u32) -> Vec<u8> {
        [&b"v"[..], &number.to_be_bytes()].concat()
    }

    fn in_pieces(engine: &Engine, batch: &Changes, most: usize, mut meanwhile: impl FnMut()) -> u32 {
        let (mut given, mut pieces) = (None, 0);
        loop {
            given = give_piece(engine, batch, given, most).unwrap();
            pieces += 1;
            if given.is_none() {
                return pieces;
            }
            meanwhile();
        }
    }

    #[test]
    fn the_position_is_the_old_one_until_the_engine_has_all_pieces() {
        let (_dir, engine) = opened();
        let mut first = records((0..40).map(|number| number * 3));
        first.insert(key::POSITION.to_vec(), at(20));
        give(&engine, &first).unwrap();

        let mut batch = records((0..40).map(|number| number * 2));
        batch.insert(under(3), None);
        batch.insert(b"s".to_vec(), Some(b"short".to_vec()));
        batch.insert(key::POSITION.to_vec(), at(77));
        let mut emptied = 0;
        let pieces = in_pieces(&engine, &batch, 1000, || {
            assert_eq!(engine.number(key::POSITION), Ok(Some(Position(20))));
            emptied += usize::from(engine.get(&under(2)).unwrap().is_some_and(|found| found.is_empty()));
        });
        assert!(pieces > 30 && emptied > 10, "{pieces}, {emptied}");
        assert_eq!(engine.number(key::POSITION), Ok(Some(Position(77))));
        let mut expected = first;
        expected.extend(batch);
        for (key, record) in expected {
            assert_eq!(engine.get(&key).unwrap().as_deref(), record.as_deref(), "{key:?}");
        }
    }

    #[test]
    fn a_record_that_is_there_is_not_emptied_while_others_get_room() {
        let (_dir, engine) = opened();
        let old = records([5].into_iter());
        give(&engine, &old).unwrap();
        let batch = Changes::from([(under(5), Some(vec![1; 500])), (under(6), Some(vec![2; 500]))]);
        let given = give_piece(&engine, &batch, None, 800).unwrap();
        assert!(matches!(&given, Some(Given::Room(behind)) if *behind == under(6)), "{given:?}");
        assert_eq!(engine.get(&under(5)).unwrap().as_deref(), old[&under(5)].as_deref());
        assert_eq!(engine.get(&under(6)).unwrap().as_deref(), Some(&b""[..]));
        assert!(give_piece(&engine, &batch, given, usize::MAX).unwrap().is_none());
        assert_eq!(engine.get(&under(6)).unwrap().as_deref(), Some(&[2; 500][..]));
    }

    #[test]
    fn new_records_cost_the_engine_little_more_than_they_are_long() {
        let [plain, given] = [false, true].map(|with_room| {
            let (_dir, engine) = opened();
            for begin in (0..RECORDS).step_by(500) {
                let batch = records(begin..begin + 500);
                if with_room {
                    in_pieces(&engine, &batch, 8000, || ());
                } else {
                    for (key, record) in &batch {
                        engine.put(key, record.as_deref()).unwrap();
                    }
                }
            }
            engine.flush().unwrap();
            engine.size_on_disk().unwrap()
        });
        let content = u64::from(RECORDS) * 805;
        assert!(given < content * 2 && given * 3 < plain * 2, "{given} of {plain}, {content} long");
    }
}
