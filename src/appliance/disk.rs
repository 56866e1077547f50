//! The disk with the two slots: a card, or the image of one.
//!
//! The first sector holds the partition table of the PC (MBR, *documented*): from offset 446 four entries of 16 bytes, in each
//! at 8 the first sector and at 12 the number of sectors, both little-endian; at 510 the bytes 55 AA. The second and third
//! partition are the slots A and B.

use super::UpdateError;
use super::bundle::{self, Bundle, Manifest};
use super::slot_sector::{BootScript, PLACES, SECTOR, Slot, SlotSector, Unsound};
use rustix::fs::{Advice, fadvise};
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// How often a new system is booted before the box goes back to the old one.
pub const TRIES: u32 = 3;

/// So much is written between two syncs: a box that serves players meanwhile has no memory to lose to unwritten data, and
/// whoever watches sees true progress.
const SYNC_EVERY: u64 = 8 * 1024 * 1024;

/// What a disk is made of. A trait so that a test can cut the power between any two writes.
pub trait Medium {
    /// Reads exactly so many bytes.
    fn read_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()>;
    /// Writes the whole of `bytes` from byte `place` on.
    fn write_at(&self, bytes: &[u8], place: u64) -> io::Result<()>;
    /// Returns when everything written is on the medium.
    fn sync(&self) -> io::Result<()>;
    /// Has the next reading come from the medium and not from memory.
    fn forget(&self, place: u64, length: NonZeroU64) -> io::Result<()>;
    /// The size in bytes.
    fn size(&self) -> io::Result<u64>;
}

impl Medium for File {
    fn read_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()> {
        self.read_exact_at(bytes, place)
    }

    fn write_at(&self, bytes: &[u8], place: u64) -> io::Result<()> {
        self.write_all_at(bytes, place)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn forget(&self, place: u64, length: NonZeroU64) -> io::Result<()> {
        Ok(fadvise(self, place, Some(length), Advice::DontNeed)?)
    }

    fn size(&self) -> io::Result<u64> {
        // A block device has no length in its metadata.
        let mut cursor = self;
        cursor.seek(SeekFrom::End(0))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Partition {
    first: u32,
    sectors: u32,
}

impl Partition {
    fn start(self) -> u64 {
        u64::from(self.first) * SECTOR as u64
    }

    fn size(self) -> u64 {
        u64::from(self.sectors) * SECTOR as u64
    }

    fn overlaps(self, other: Self) -> bool {
        self.start() < other.start() + other.size() && other.start() < self.start() + self.size()
    }
}

/// The only one of these disks that has a sound slot sector; the others are somebody else's, and are not written to.
///
/// # Errors
/// `NoBoxDisk` if none has one, `TwoBoxDisks` if more than one has: then nobody can say which is meant.
pub fn only_of(disks: &[PathBuf]) -> Result<&Path, UpdateError> {
    let mut found = disks.iter().filter(|path| Disk::open(path).and_then(|disk| disk.slot_sector()).is_ok());
    match (found.next(), found.next()) {
        (None, _) => Err(UpdateError::NoBoxDisk),
        (Some(one), None) => Ok(one),
        (Some(one), Some(other)) => {
            Err(UpdateError::TwoBoxDisks { one: one.to_owned(), other: other.to_owned() })
        }
    }
}

/// A disk with two slots.
#[derive(Debug)]
pub struct Disk<M = File> {
    path: PathBuf,
    medium: M,
    partitions: [Partition; 4],
}

impl Disk {
    /// Opens a disk to look at it.
    pub fn open(path: &Path) -> Result<Self, UpdateError> {
        let file = File::open(path).map_err(trouble(path, "read"))?;
        Self::new(path, file)
    }

    /// Opens a disk to change it. Waits until nobody else does.
    pub fn open_to_change(path: &Path) -> Result<Self, UpdateError> {
        let file = File::options().read(true).write(true).open(path).map_err(trouble(path, "change"))?;
        file.lock().map_err(trouble(path, "lock"))?;
        Self::new(path, file)
    }
}

impl<M: Medium> Disk<M> {
    /// The disk on this medium; the name is for messages.
    pub fn new(path: &Path, medium: M) -> Result<Self, UpdateError> {
        let mut sector = [0; SECTOR];
        medium.read_at(&mut sector, 0).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => UpdateError::NoSlotSector { disk: path.to_owned() },
            _ => trouble(path, "read")(source),
        })?;
        Ok(Self { path: path.to_owned(), medium, partitions: partitions(&sector) })
    }

    /// What the slot sector says.
    pub fn slot_sector(&self) -> Result<SlotSector, UpdateError> {
        let disk = || self.path.clone();
        SlotSector::of_copies(&self.copies()?).map_err(|why| match why {
            Unsound::Layout(version) => UpdateError::Layout { disk: disk(), version },
            Unsound::Foreign | Unsound::Damaged => UpdateError::NoSlotSector { disk: disk() },
        })
    }

    fn copies(&self) -> Result<[[u8; SECTOR]; 2], UpdateError> {
        let mut copies = [[0; SECTOR]; 2];
        for (copy, place) in copies.iter_mut().zip(PLACES) {
            match self.medium.read_at(copy, place) {
                // It ends before: then there is none.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => *copy = [0; SECTOR],
                read => read.map_err(self.trouble("read"))?,
            }
        }
        Ok(copies)
    }

    /// Writes both copies of the slot sector, one after the other, so that one is whole at any moment.
    fn set_slot_sector(&self, sector: &SlotSector) -> Result<(), UpdateError> {
        let [first, second] = self.copies()?;
        let [first_place, second_place] = PLACES;
        if SlotSector::read(&first).is_ok() && SlotSector::read(&second).is_err() {
            // A power cut has left the second unsound. It must carry the box while the first is written.
            self.write_and_sync(&first, second_place)?;
        }
        self.write_and_sync(&sector.bytes(), first_place)?;
        self.write_and_sync(&sector.bytes(), second_place)
    }

    fn write_and_sync(&self, bytes: &[u8], place: u64) -> Result<(), UpdateError> {
        self.medium.write_at(bytes, place).and_then(|()| self.medium.sync()).map_err(self.trouble("write to"))
    }

    /// The slot that an update with this manifest goes to: the one that is not committed. `running` is the slot whose system
    /// runs, if that is known. Nobody's only sound system is ever written over: not while one of the two is on trial.
    pub fn target(&self, running: Option<Slot>, manifest: &Manifest) -> Result<Slot, UpdateError> {
        let sector = self.slot_sector()?;
        if let Some(slot) = running.filter(|slot| *slot != sector.committed) {
            return Err(UpdateError::OnTrial { slot });
        }
        let target = sector.committed.other();
        if sector.tries > 0 {
            return Err(UpdateError::TrialWaits { slot: target });
        }
        let room = self.partition(target)?.size();
        if manifest.size > room {
            return Err(UpdateError::TooLarge { size: manifest.size, room });
        }
        Ok(target)
    }

    /// Writes the image of a bundle to a slot that [`Self::target`] has named, reads it back, and only then puts the slot on
    /// trial. Until then the slot sector is as it was. `progress` hears how many bytes are safe.
    pub fn install(
        &self,
        slot: Slot,
        bundle: Bundle,
        mut progress: impl FnMut(u64),
    ) -> Result<(), UpdateError> {
        let partition = self.partition(slot)?;
        let mut synced = 0;
        let manifest = bundle.read_image(|piece, place| {
            self.medium.write_at(piece, partition.start() + place).map_err(self.trouble("write to"))?;
            let written = place + piece.len() as u64;
            if written - synced >= SYNC_EVERY {
                self.medium.sync().map_err(self.trouble("write to"))?;
                synced = written;
                progress(written);
            }
            Ok(())
        })?;
        self.medium.sync().map_err(self.trouble("write to"))?;
        self.read_back(partition, &manifest)?;
        progress(manifest.size);
        let script = boot_script(partition, &manifest).ok_or(UpdateError::NoSlot {
            disk: self.path.clone(),
            slot,
            why: "its partition lies too far behind",
        })?;
        self.set_slot_sector(&self.slot_sector()?.with_trial(slot, script, TRIES))
    }

    /// Whether the medium has kept the image.
    fn read_back(&self, partition: Partition, manifest: &Manifest) -> Result<(), UpdateError> {
        if let Some(length) = NonZeroU64::new(manifest.size) {
            self.medium.forget(partition.start(), length).map_err(self.trouble("read"))?;
        }
        let image = Span { medium: &self.medium, place: partition.start(), left: manifest.size };
        let kept = bundle::in_pieces(image, self.trouble("read back from"), |_| Ok(()))?;
        if kept == manifest.sha256 { Ok(()) } else { Err(UpdateError::NotKept { disk: self.path.clone() }) }
    }

    /// Commits the slot on trial: the running one, or, where that is not known, the one that waits to be tried. `None` if
    /// none is on trial.
    pub fn confirm(&self, running: Option<Slot>) -> Result<Option<Slot>, UpdateError> {
        let sector = self.slot_sector()?;
        let on_trial = match running {
            Some(slot) => slot != sector.committed,
            None => sector.tries > 0,
        };
        if !on_trial {
            return Ok(None);
        }
        let slot = sector.committed.other();
        self.set_slot_sector(&sector.committed_to(slot))?;
        Ok(Some(slot))
    }

    /// Begins a start: the slots to boot, the best first, each with its boot script; a slot without one is left out. One on trial comes first
    /// as long as it has tries, and that costs it one before it begins, so that a version that hangs uses them up. For boards whose
    /// boot loader cannot read the slot sector.
    ///
    /// # Errors
    /// Those of reading and writing the slot sector. A try that cannot be written down is not begun: it would be begun for ever.
    pub fn begin_start(&self) -> Result<Vec<(Slot, BootScript)>, UpdateError> {
        let sector = self.slot_sector()?;
        let mut slots = [sector.committed, sector.committed.other()];
        if let Some(tries) = sector.tries.checked_sub(1) {
            self.set_slot_sector(&SlotSector { tries, ..sector })?;
            slots.reverse();
        }
        let choices = slots.map(|slot| (slot, sector.script(slot)));
        Ok(choices.into_iter().filter(|(_, script)| script.first > 0).collect())
    }

    fn partition(&self, slot: Slot) -> Result<Partition, UpdateError> {
        let [_, a, b, _] = self.partitions;
        let (partition, twin) = match slot {
            Slot::A => (a, b),
            Slot::B => (b, a),
        };
        let [.., reserved] = PLACES;
        let size = self.medium.size().map_err(self.trouble("read"))?;
        let [boot, .., data] = self.partitions;
        let why = if partition.sectors == 0 {
            "its partition is missing"
        } else if partition.start() < reserved + SECTOR as u64 {
            "its partition lies over the slot sector"
        } else if partition.start() + partition.size() > size {
            "its partition reaches beyond the end"
        } else if [twin, boot, data].into_iter().any(|other| partition.overlaps(other)) {
            "its partition lies over another"
        } else {
            return Ok(partition);
        };
        Err(UpdateError::NoSlot { disk: self.path.clone(), slot, why })
    }

    fn trouble(&self, what: &'static str) -> impl Fn(io::Error) -> UpdateError {
        trouble(&self.path, what)
    }
}

fn trouble(disk: &Path, what: &'static str) -> impl Fn(io::Error) -> UpdateError {
    move |source| UpdateError::Disk { disk: disk.to_owned(), what, source }
}

/// The four entries of the partition table; without a table all are empty.
fn partitions(sector: &[u8; SECTOR]) -> [Partition; 4] {
    let (entries, end) = sector.split_at(446).1.as_chunks::<16>();
    let read = |entry: &[u8; 16]| match entry.as_chunks::<4>().0 {
        [_, _, first, sectors] => {
            Partition { first: u32::from_le_bytes(*first), sectors: u32::from_le_bytes(*sectors) }
        }
        _ => Partition { first: 0, sectors: 0 },
    };
    match entries {
        [one, two, three, four] if end == [0x55, 0xaa] => [one, two, three, four].map(read),
        _ => [Partition { first: 0, sectors: 0 }; 4],
    }
}

/// Where the boot loader finds the boot script of an image in this partition.
fn boot_script(partition: Partition, manifest: &Manifest) -> Option<BootScript> {
    let sectors = |bytes: u64| u32::try_from(bytes / SECTOR as u64).ok();
    let first = partition.first.checked_add(sectors(manifest.boot_offset)?)?;
    Some(BootScript { first, sectors: sectors(manifest.boot_size)? })
}

/// A part of a medium, to be read from its start.
struct Span<'a, M> {
    medium: &'a M,
    place: u64,
    left: u64,
}

impl<M: Medium> Read for Span<'_, M> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        self.medium.read_at(bytes.get_mut(..count).unwrap_or_default(), self.place)?;
        self.place += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// The disk that holds the running system, and the slot that it runs from.
pub fn running() -> Result<(PathBuf, Slot), UpdateError> {
    let root = Path::new("/");
    let device = fs::metadata(root).map_err(UpdateError::unreadable(root))?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let entry = format!("/sys/dev/block/{major}:{minor}");
    slot_of(Path::new(&entry)).ok_or(UpdateError::NotOnABox)
}

/// The disk and the slot of a partition, by its folder in sysfs: below that of its disk, with its number in a file.
fn slot_of(entry: &Path) -> Option<(PathBuf, Slot)> {
    let slot = match fs::read_to_string(entry.join("partition")).ok()?.trim() {
        "2" => Slot::A,
        "3" => Slot::B,
        _ => return None,
    };
    let folder = fs::canonicalize(entry).ok()?;
    let name = folder.parent()?.file_name()?;
    Some((Path::new("/dev").join(name), slot))
}

#[cfg(test)]
mod tests;
