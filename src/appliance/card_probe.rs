//! Whether a card holds as much as it says. Some that are sold do not: they say that they have 64 GB and have 8. What is written behind that
//! is lost, or lies where something else was, and a file system that is grown to such a card destroys what is on it.

use super::disk::Medium;
use std::io;
use std::num::NonZeroU64;

/// What is written and read back at each place, in bytes.
const BLOCK: usize = 4096;
/// The first place behind the beginning is so far away, as a power of two; each further one is twice as far.
const NEAREST: u32 = 26;

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The card keeps what is written on it.
    HoldsAll,
    /// It does not.
    HoldsLess,
    /// There is no whole block where it could be tried.
    NoRoom,
}

/// Whether `medium` keeps what is written from byte `from` on, where nothing lies that anybody needs. A few blocks are written and then put
/// back; a cut meanwhile leaves them there.
///
/// A card that lies either loses what is behind its end, or has each block again every power of two of bytes (*documented* by f3, which
/// tests such cards). So two of the places lie such a power of two apart, whichever it is, and of those one has the mark of the other.
///
/// # Errors
/// What the system says.
pub fn try_out(medium: &impl Medium, from: u64) -> io::Result<Found> {
    let places = places(from, medium.size()?);
    if places.is_empty() {
        return Ok(Found::NoRoom);
    }
    let mut before = Vec::new();
    for place in &places {
        before.push(read(medium, *place)?);
    }
    let kept = keeps_marks(medium, &places);
    // On a card that lies these may have been anything.
    for (place, block) in places.iter().zip(&before) {
        medium.write_at(block, *place)?;
    }
    medium.sync()?;
    Ok(if kept? { Found::HoldsAll } else { Found::HoldsLess })
}

fn keeps_marks(medium: &impl Medium, places: &[u64]) -> io::Result<bool> {
    // Those of an earlier try are none.
    let salt: u64 = rand::random();
    let mark = |place: u64| (place ^ salt).to_le_bytes().repeat(BLOCK / size_of::<u64>());
    for place in places {
        medium.write_at(&mark(*place), *place)?;
    }
    medium.sync()?;
    let length = NonZeroU64::new(BLOCK as u64).unwrap_or(NonZeroU64::MIN);
    for place in places {
        medium.forget(*place, length)?;
    }
    for place in places {
        if read(medium, *place)? != mark(*place) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read(medium: &impl Medium, place: u64) -> io::Result<Vec<u8>> {
    let mut block = vec![0; BLOCK];
    medium.read_at(&mut block, place)?;
    Ok(block)
}

/// The places in ascending order: the beginning, each power of two behind it, and the last block.
fn places(from: u64, end: u64) -> Vec<u64> {
    let block = BLOCK as u64;
    let Some(last) = end.checked_sub(block).map(|last| last / block * block) else { return Vec::new() };
    let first = from.next_multiple_of(block);
    let powers = (NEAREST..u64::BITS).map_while(|power| first.checked_add(1 << power));
    let mut places: Vec<u64> =
        std::iter::once(first).chain(powers).take_while(|place| *place < last).collect();
    if first <= last {
        places.push(last);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::HashMap;

    const GIB: u64 = 1 << 30;
    /// Where the data partition of the image ends.
    const IMAGE: u64 = 1220 << 20;

    /// What becomes of what is written behind the real end.
    #[derive(Clone, Copy)]
    enum Lie {
        /// It lies where something else was.
        Again,
        /// It is lost.
        Lost,
    }

    /// A card that says it has so many bytes, and has so many. What was written is remembered by the system until that forgets.
    struct Fake {
        says: u64,
        has: u64,
        lie: Lie,
        blocks: RefCell<HashMap<u64, Vec<u8>>>,
        remembered: RefCell<HashMap<u64, Vec<u8>>>,
        written: RefCell<Vec<u64>>,
    }

    impl Fake {
        fn new(says: u64, has: u64, lie: Lie) -> Self {
            let [blocks, remembered] = [(); 2].map(|()| RefCell::default());
            Self { says, has, lie, blocks, remembered, written: RefCell::default() }
        }

        /// The block that a place really is.
        fn real(&self, place: u64) -> Option<u64> {
            match self.lie {
                Lie::Again => Some(place % self.has),
                Lie::Lost => (place < self.has).then_some(place),
            }
        }

        /// The system that holds it forgets all.
        fn look(&self) -> HashMap<u64, Vec<u8>> {
            self.blocks.borrow().clone()
        }
    }

    impl Medium for Fake {
        fn read_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()> {
            assert!(place + bytes.len() as u64 <= self.says, "behind the end");
            let remembered = self.remembered.borrow();
            let blocks = self.blocks.borrow();
            let kept = || self.real(place).and_then(|place| blocks.get(&place));
            bytes.fill(0);
            if let Some(block) = remembered.get(&place).or_else(kept) {
                bytes.copy_from_slice(block);
            }
            Ok(())
        }

        fn write_at(&self, bytes: &[u8], place: u64) -> io::Result<()> {
            assert!(place + bytes.len() as u64 <= self.says, "behind the end");
            self.written.borrow_mut().push(place);
            self.remembered.borrow_mut().insert(place, bytes.to_vec());
            if let Some(place) = self.real(place) {
                self.blocks.borrow_mut().insert(place, bytes.to_vec());
            }
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn forget(&self, place: u64, _: NonZeroU64) -> io::Result<()> {
            self.remembered.borrow_mut().remove(&place);
            Ok(())
        }

        fn size(&self) -> io::Result<u64> {
            Ok(self.says)
        }
    }

    #[test]
    fn a_card_that_holds_what_it_says_is_believed_and_nothing_before_its_free_part_is_touched() {
        for says in [IMAGE + 8192, 2 * GIB, 7_948_206_080, 32 * GIB + 512, 128 * GIB, 2048 * GIB] {
            let card = Fake::new(says, says, Lie::Lost);
            assert_eq!(try_out(&card, IMAGE).unwrap(), Found::HoldsAll, "{says}");
            let written = card.written.borrow();
            assert!(written.len() < 50 && written.iter().all(|place| *place >= IMAGE), "{written:?}");
            assert!(written.iter().any(|place| place + 8192 > says), "the end is tried");
            assert!(card.look().values().all(|block| block.iter().all(|byte| *byte == 0)), "put back");
        }
    }

    #[test]
    fn a_card_of_which_nothing_can_be_tried_is_not_believed() {
        for says in [0, 100, 4096, IMAGE - 8192, IMAGE, IMAGE + 100, IMAGE + 4095] {
            let card = Fake::new(says, says, Lie::Lost);
            assert_eq!(try_out(&card, IMAGE).unwrap(), Found::NoRoom, "{says}");
            assert!(card.written.borrow().is_empty());
        }
        let card = Fake::new(IMAGE + 4096, IMAGE + 4096, Lie::Lost);
        assert_eq!(try_out(&card, IMAGE).unwrap(), Found::HoldsAll);
    }

    #[test]
    fn a_card_that_holds_less_is_found_out_and_has_afterwards_what_it_had_before() {
        for lie in [Lie::Again, Lie::Lost] {
            for (has, says) in [(2, 4), (2, 64), (4, 64), (8, 64), (8, 2048), (16, 32), (512, 1024)] {
                let card = Fake::new(says * GIB, has * GIB, lie);
                // Whatever a block of the image may be, it is in the way of one place or another.
                for place in places(IMAGE, says * GIB) {
                    if let Some(real) = card.real(place) {
                        card.blocks.borrow_mut().insert(real, vec![0x5a; BLOCK]);
                    }
                }
                let before = card.look();
                assert_eq!(try_out(&card, IMAGE).unwrap(), Found::HoldsLess, "{has} of {says}");
                assert_eq!(card.look(), before, "{has} of {says}");
            }
        }
        // What is lost need not be a power of two.
        let card = Fake::new(32 * GIB, 7_948_206_080, Lie::Lost);
        assert_eq!(try_out(&card, IMAGE).unwrap(), Found::HoldsLess);
    }
}
