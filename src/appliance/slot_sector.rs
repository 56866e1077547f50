//! The sector that tells the boot loader which of the two slots to boot.
//!
//! It lies outside all partitions, twice, so that one whole copy is left wherever the power fails. All numbers are
//! little-endian but the last: U-Boot's `crc32` command stores it big-endian on some boards and little-endian on others
//! (*seen* on QEMU's `virt` and on the Raspberry Pi), so either is right.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | `MCOSSLOT` |
//! | 8 | 4 | version of this layout: 1 |
//! | 12 | 4 | committed slot: 0 for A, 1 for B |
//! | 16 | 4 | how often the other slot may still be tried; 0: no trial |
//! | 20 | 4 | slot A: first sector of its boot script, counted from the start of the disk; 0: the slot is empty |
//! | 24 | 4 | slot A: number of sectors of its boot script |
//! | 28 | 8 | the same for slot B |
//! | 36 | 472 | zero; a reader does not look at them |
//! | 508 | 4 | CRC-32 (IEEE) of the 508 bytes before, in either byte order; written big-endian |
//!
//! The boot loader counts the tries down, writes both copies, and boots the other slot while there are any; otherwise it
//! boots the committed one.

use std::fmt;

/// The size of a sector, of this one and of every number of sectors here, in bytes.
pub const SECTOR: usize = 512;

/// Where the copies lie, in bytes from the start of the disk: sectors 2048 and 2056. Not in the same 4 KiB, because that is
/// what a card or the kernel may write at once.
pub const PLACES: [u64; 2] = [2048 * SECTOR as u64, 2056 * SECTOR as u64];

const MAGIC: ([u8; 4], [u8; 4]) = (*b"MCOS", *b"SLOT");
const LAYOUT: u32 = 1;

/// One of the two places for a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The second partition.
    A,
    /// The third partition.
    B,
}

impl Slot {
    /// The one that this one is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// The number of its partition, counted from 1.
    #[must_use]
    pub const fn partition(self) -> u8 {
        match self {
            Self::A => 2,
            Self::B => 3,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// Where the boot loader finds a slot's own boot script, in sectors from the start of the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootScript {
    /// The first; 0 if the slot is empty.
    pub first: u32,
    /// How many.
    pub sectors: u32,
}

/// What the sector says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotSector {
    /// The slot that is booted when no other is on trial.
    pub committed: Slot,
    /// How often the other slot may still be tried.
    pub tries: u32,
    /// The boot script in slot A.
    pub a: BootScript,
    /// The boot script in slot B.
    pub b: BootScript,
}

/// Why a copy of the sector cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// It is something else.
    Foreign,
    /// It begins as one of ours does, but its checksum is wrong.
    Damaged,
    /// It has a layout that this program does not know.
    Layout(u32),
}

impl SlotSector {
    /// Reads one copy.
    pub fn read(bytes: &[u8; SECTOR]) -> Result<Self, Unsound> {
        let (words, _) = bytes.as_chunks::<4>();
        let [mcos, slot, layout, committed, tries, a_first, a_sectors, b_first, b_sectors, .., check] = words
        else {
            return Err(Unsound::Foreign);
        };
        if (*mcos, *slot) != MAGIC {
            return Err(Unsound::Foreign);
        }
        let sum = checksum(bytes);
        if ![sum.to_be_bytes(), sum.to_le_bytes()].contains(check) {
            return Err(Unsound::Damaged);
        }
        let layout = u32::from_le_bytes(*layout);
        if layout != LAYOUT {
            return Err(Unsound::Layout(layout));
        }
        let committed = match u32::from_le_bytes(*committed) {
            0 => Slot::A,
            1 => Slot::B,
            _ => return Err(Unsound::Damaged),
        };
        let script = |first: &[u8; 4], sectors: &[u8; 4]| BootScript {
            first: u32::from_le_bytes(*first),
            sectors: u32::from_le_bytes(*sectors),
        };
        Ok(Self {
            committed,
            tries: u32::from_le_bytes(*tries),
            a: script(a_first, a_sectors),
            b: script(b_first, b_sectors),
        })
    }

    /// The first copy, or the second if the first is unsound; if both are, why the first is.
    pub fn of_copies(copies: &[[u8; SECTOR]; 2]) -> Result<Self, Unsound> {
        let [first, second] = copies.each_ref().map(Self::read);
        first.or_else(|why| second.map_err(|_| why))
    }

    /// As it lies on the disk.
    pub fn bytes(&self) -> [u8; SECTOR] {
        let committed: u32 = match self.committed {
            Slot::A => 0,
            Slot::B => 1,
        };
        let Self { tries, a, b, .. } = self;
        let numbers = [LAYOUT, committed, *tries, a.first, a.sectors, b.first, b.sectors];
        let words = [MAGIC.0, MAGIC.1].into_iter().chain(numbers.map(u32::to_le_bytes));
        let mut bytes = [0; SECTOR];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *place = word;
        }
        let check = checksum(&bytes).to_be_bytes();
        if let Some(place) = bytes.last_chunk_mut() {
            *place = check;
        }
        bytes
    }

    /// The boot script in a slot.
    pub const fn script(&self, slot: Slot) -> BootScript {
        match slot {
            Slot::A => self.a,
            Slot::B => self.b,
        }
    }

    /// The same with another boot script in a slot, which is then to be tried so many times.
    #[must_use]
    pub const fn with_trial(mut self, slot: Slot, script: BootScript, tries: u32) -> Self {
        match slot {
            Slot::A => self.a = script,
            Slot::B => self.b = script,
        }
        self.tries = tries;
        self
    }

    /// The same with this slot committed and no trial.
    #[must_use]
    pub const fn committed_to(self, slot: Slot) -> Self {
        Self { committed: slot, tries: 0, ..self }
    }
}

fn checksum(bytes: &[u8; SECTOR]) -> u32 {
    bytes.split_last_chunk::<4>().map_or(0, |(body, _)| crc32fast::hash(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_sector() -> impl Strategy<Value = SlotSector> {
        let script = || any::<(u32, u32)>().prop_map(|(first, sectors)| BootScript { first, sectors });
        (any::<bool>(), any::<u32>(), script(), script()).prop_map(|(on_b, tries, a, b)| {
            let committed = if on_b { Slot::B } else { Slot::A };
            SlotSector { committed, tries, a, b }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(sector in any_sector()) {
            prop_assert_eq!(SlotSector::read(&sector.bytes()), Ok(sector));
        }

        #[test]
        fn one_flipped_bit_is_always_seen(sector in any_sector(), byte in 0..SECTOR, bit in 0..8_u32) {
            let mut bytes = sector.bytes();
            bytes[byte] ^= 1_u8 << bit;
            prop_assert!(SlotSector::read(&bytes).is_err());
        }

        #[test]
        fn the_second_copy_counts_only_while_the_first_is_unsound(
            old in any_sector(), new in any_sector(), torn in 1..SECTOR,
        ) {
            prop_assert_eq!(SlotSector::of_copies(&[new.bytes(), old.bytes()]), Ok(new));
            let mut half = old.bytes();
            half[..torn].copy_from_slice(&new.bytes()[..torn]);
            let found = SlotSector::of_copies(&[half, old.bytes()]);
            prop_assert!(found == Ok(old) || found == Ok(new));
            prop_assert_eq!(SlotSector::of_copies(&[[0; SECTOR], [0xff; SECTOR]]), Err(Unsound::Foreign));
        }
    }

    /// Put together by hand; the checksum is that of Python's `zlib.crc32`.
    #[test]
    fn the_bytes_are_those_of_the_table() {
        let script = |first, sectors| BootScript { first, sectors };
        let sector =
            SlotSector { committed: Slot::B, tries: 3, a: script(0x0001_2345, 8), b: script(0x0020_0000, 6) };
        let bytes = sector.bytes();
        let by_hand = b"MCOSSLOT\x01\0\0\0\x01\0\0\0\x03\0\0\0\x45\x23\x01\0\x08\0\0\0\0\0\x20\0\x06\0\0\0";
        assert_eq!(&bytes[..36], by_hand);
        assert!(bytes[36..508].iter().all(|byte| *byte == 0));
        assert_eq!(bytes[508..], [0xbc, 0x70, 0xec, 0xe4]);
        assert_eq!((sector.script(Slot::A), sector.script(Slot::B)), (sector.a, sector.b));
    }

    #[test]
    fn the_checksum_may_be_in_the_byte_order_of_any_boards_u_boot() {
        let script = BootScript { first: 1_246_280, sectors: 2 };
        let sector = SlotSector { committed: Slot::A, tries: 2, a: script, b: script };
        let mut bytes = sector.bytes();
        bytes[508..].reverse();
        assert_eq!(SlotSector::read(&bytes), Ok(sector));
    }

    #[test]
    fn another_layout_and_a_third_slot_are_not_guessed_at() {
        let sealed = |place: usize| {
            let script = BootScript::default();
            let mut bytes = SlotSector { committed: Slot::A, tries: 0, a: script, b: script }.bytes();
            bytes[place] = 2;
            let check = checksum(&bytes).to_be_bytes();
            bytes[508..].copy_from_slice(&check);
            SlotSector::read(&bytes)
        };
        assert_eq!(sealed(8), Err(Unsound::Layout(2)));
        assert_eq!(sealed(12), Err(Unsound::Damaged));
        assert!(sealed(100).is_ok(), "what is to be zero is not looked at");
    }
}
