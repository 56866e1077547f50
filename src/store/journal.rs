//! The journal: every batch of changes that was made safe since a backup was begun, one behind the other. Backup and
//! journal together are the whole store, so a database that is lost costs nothing that was acknowledged.
//!
//! A batch is safe once it is in here: one write and one sync. The engine gets it afterwards.
//!
//! A file `backup.mcos.journal-N` belongs to the backup of generation N, and begins with
//!
//! | bytes | what |
//! |---|---|
//! | 7 | `mcosjnl` |
//! | 1 | version of this layout: 1 |
//! | 8 | generation |
//! | 4 | CRC-32 of the above |
//!
//! then batches follow:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of the changes |
//! | 4 | CRC-32 of generation (8), place of the batch in the file (8), length and changes |
//! | | the changes: each the length of its key (2), the length of its record plus one, or 0 if it goes (2), key, record |
//!
//! Numbers are little-endian. The first batch that its checksum does not confirm is the end: a power cut left it there while
//! it was being written, so nobody was told of it, unless a batch follows behind it: then the file is damaged, which is told. A batch is never empty. Changes are whole records, so a batch that the
//! database has already may be given to it again.
//!
//! Behind the last batch there is room for the next ones: where a file need not become longer, its file system has nothing
//! of its own to write, and a sync takes half the time (*measured* on ext4). The room begins with the empty head of a batch, which
//! is written with the batch before it. Behind that there are zeros, or what is left of an older journal: the file of one
//! that is not needed any more is kept as `backup.mcos.spare-journal` and used again, so that no zeros have to be written.

use super::backup::BACKUP;
use crate::atomic_file;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 7] = b"mcosjnl";
const VERSION: u8 = 1;
/// How long the header is, in bytes.
const HEADER: u32 = 20;
/// How long the head of a batch is, in bytes.
const HEAD: u32 = 8;
/// The head of no batch, which lies behind the last one.
const NO_BATCH: [u8; HEAD as usize] = [0; HEAD as usize];
/// How much room is made at once, in bytes.
const ROOM: u32 = 64 * 1024;
/// What the system keeps of a file at least, in bytes.
const PAGE: u32 = 4 * 1024;
/// How long a batch is that needs no room made behind it, in bytes.
const MUCH: usize = 16 * 1024;
/// The file of an old journal, in the data directory.
const SPARE: &str = "backup.mcos.spare-journal";
/// The copy of a journal that was damaged before its end, in the data directory.
const DAMAGED: &str = "backup.mcos.damaged-journal";
/// How much of it is kept, in bytes.
const LONGEST_SPARE: u64 = 16 * 1024 * 1024;
/// How much memory of one batch is kept for the next one, in bytes.
const LONGEST_KEPT: usize = 64 * 1024;
/// The longest batch that is read, in bytes: far more than may wait for the writer.
const LONGEST: u32 = 64 * 1024 * 1024;

/// For each key the new record, or none if it goes.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The end of a journal, open for more batches.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    generation: u64,
    /// How much of it is safe, in bytes. What lies behind that belongs to nobody.
    length: u32,
    /// How long the file is, in bytes.
    room: u32,
    /// The memory of a batch that is written.
    batch: Vec<u8>,
}

impl Journal {
    /// Begins the journal of a generation in the data directory `dir`, in the file of an old one if there is one.
    pub(super) fn create(dir: &Path, generation: u64) -> io::Result<Self> {
        let path = path(dir, generation);
        let begun = [header(generation).as_slice(), &NO_BATCH].concat();
        let spare = dir.join(SPARE);
        let reuse = || {
            let file = File::options().read(true).write(true).open(&spare)?;
            file.write_all_at(&begun, 0)?;
            file.sync_all()?;
            fs::rename(&spare, &path)?;
            Ok::<_, io::Error>(file)
        };
        let anew = || {
            let mut options = File::options();
            let file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            file.write_all_at(&begun, 0)?;
            file.sync_all()?;
            Ok::<_, io::Error>(file)
        };
        let file = reuse().or_else(|_| anew())?;
        atomic_file::sync_dir(dir)?;
        let room = length_of(&file)?;
        Ok(Self { path, file, generation, length: HEADER, room, batch: Vec::new() })
    }

    /// Goes on with one of which `length` bytes are good.
    fn go_on(path: PathBuf, generation: u64, length: u32) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(&path)?;
        let room = length_of(&file)?;
        let mut journal = Self { path, file, generation, length, room, batch: Vec::new() };
        journal.seal()?;
        Ok(journal)
    }

    /// Which backup it belongs to.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Where the next batch will be.
    pub(super) const fn end(&self) -> u32 {
        self.length
    }

    /// How long all its batches are, in bytes.
    pub(super) const fn batches(&self) -> u32 {
        self.length - HEADER
    }

    /// Adds a batch and makes it survive a power cut.
    ///
    /// # Errors
    /// What the system says. Nothing may be added then before [`Self::mend`] has succeeded: what became of the batch is
    /// not known.
    pub(super) fn append(&mut self, changes: &Changes) -> io::Result<()> {
        let too_long = || io::Error::new(io::ErrorKind::FileTooLarge, "the journal is too long");
        let batch = &mut self.batch;
        encode(batch, self.generation, self.length, changes).ok_or_else(too_long)?;
        let longer = u32::try_from(batch.len()).ok().and_then(|more| self.length.checked_add(more));
        let longer = longer.ok_or_else(too_long)?;
        batch.extend(NO_BATCH);
        let mut room = self.room;
        if longer.checked_add(HEAD).ok_or_else(too_long)? > room {
            // For much at once a longer file costs little beside the batch, and zeros as much as the batch.
            let more = if batch.len() < MUCH { ROOM } else { HEAD };
            room = longer.checked_add(more).ok_or_else(too_long)?;
        }
        self.file.write_all_at(batch, self.length.into())?;
        batch.shrink_to(LONGEST_KEPT);
        self.make_room(longer + HEAD, room)?;
        self.file.sync_data()?;
        (self.length, self.room) = (longer, room);
        Ok(())
    }

    /// Writes zeros up to the new end of the file, page by page: what was written at once, the system may keep as one large page, and write
    /// whole each time a part of it changes.
    fn make_room(&self, from: u32, room: u32) -> io::Result<()> {
        let mut at = from.max(self.room);
        while at < room {
            let end = room.min((at / PAGE + 1) * PAGE);
            let zeros = &[0; PAGE as usize];
            self.file.write_all_at(zeros.get(..(end - at) as usize).unwrap_or(zeros), at.into())?;
            at = end;
        }
        Ok(())
    }

    /// Takes away what a failed write has left, on a new handle, since the system tells an error to each handle once.
    pub(super) fn mend(&mut self) -> io::Result<()> {
        self.file = File::options().read(true).write(true).open(&self.path)?;
        self.room = length_of(&self.file)?;
        self.seal()
    }

    /// Makes sure that what is safe is followed by no batch.
    fn seal(&mut self) -> io::Result<()> {
        let mut head = NO_BATCH;
        let there = self.file.read_at(&mut head, self.length.into())?;
        if head == NO_BATCH {
            return Ok(());
        }
        self.file.write_all_at(NO_BATCH.get(..there).unwrap_or(&NO_BATCH), self.length.into())?;
        self.file.sync_all()?;
        log::warn!(
            "what is left of a change that was not completed is taken out of the journal; nobody was told of that change"
        );
        Ok(())
    }
}

/// How long a file is, in bytes, as far as a journal can be.
fn length_of(file: &File) -> io::Result<u32> {
    Ok(u32::try_from(file.metadata()?.len()).unwrap_or(u32::MAX))
}

/// The journals in a data directory that go on where its backup ends: of the backup's generation, and of every one that was
/// begun since.
#[derive(Debug, Default)]
pub(super) struct Chain {
    journals: Vec<(u64, PathBuf)>,
}

impl Chain {
    /// Those behind the backup of a generation; 0: there is no backup. Empty if the first one is missing: others would leave a
    /// gap.
    pub(super) fn behind(dir: &Path, generation: u64) -> io::Result<Self> {
        let newer = all(dir)?.into_iter().filter(|(found, _)| *found >= generation);
        let unbroken = newer.zip(generation..).take_while(|((found, _), wanted)| found == wanted);
        let journals = unbroken.map(|(journal, _)| journal).collect();
        Ok(Self { journals })
    }

    /// Whether there are none.
    pub(super) const fn is_empty(&self) -> bool {
        self.journals.is_empty()
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.journals.len()
    }

    /// Reads all batches from the journal of `generation` on, but there only those behind the one at `position` (0: all).
    /// Returned is where the last journal ends; none if there was no such journal, or no batch at `position` in it.
    pub(super) fn replay<E: From<io::Error>>(
        &self,
        generation: u64,
        position: u32,
        mut apply: impl FnMut(Changes) -> Result<(), E>,
    ) -> Result<Option<End>, E> {
        let mut end = None;
        let mut known = position == 0;
        for (found, path) in self.journals.iter().filter(|(found, _)| *found >= generation) {
            let Some(mut reader) = Reader::open(path, *found)? else {
                // Its first write was cut short, so nothing has followed; else it is damaged.
                let last = self.journals.last().is_some_and(|(last, _)| last == found);
                end = last.then(|| End { path: path.clone(), generation: *found, length: 0 });
                break;
            };
            if *found == generation && position > 0 {
                // What precedes it may be long, and is not needed.
                known = reader.seek(position)? && reader.next()?.is_some();
                if !known {
                    break;
                }
            }
            while let Some(changes) = reader.next()? {
                apply(changes)?;
            }
            if reader.goes_on()? {
                keep_aside(path, reader.at);
            }
            end = Some(End { path: path.clone(), generation: *found, length: reader.at });
        }
        let begun = self.journals.iter().any(|(found, _)| *found == generation);
        Ok(end.filter(|_| known && begun))
    }
}

/// Where a journal ends.
#[derive(Debug)]
pub(super) struct End {
    path: PathBuf,
    generation: u64,
    length: u32,
}

impl End {
    /// Opens it to go on there.
    pub(super) fn go_on(self, dir: &Path) -> io::Result<Journal> {
        if self.length == 0 {
            return Journal::create(dir, self.generation);
        }
        Journal::go_on(self.path, self.generation, self.length)
    }
}

/// The highest generation of a journal in `dir`, if there is any.
pub(super) fn newest(dir: &Path) -> io::Result<Option<u64>> {
    Ok(all(dir)?.pop().map(|(generation, _)| generation))
}

/// Deletes the journals of generations before this one, but for the file of one, which is used again.
pub(super) fn forget_before(dir: &Path, generation: u64) -> io::Result<()> {
    for (_, path) in all(dir)?.into_iter().filter(|(found, _)| *found < generation) {
        let spare = dir.join(SPARE);
        if spare.exists() {
            fs::remove_file(path)?;
            continue;
        }
        let file = File::options().write(true).open(&path)?;
        let length = file.metadata()?.len();
        file.set_len(length.min(LONGEST_SPARE))?;
        fs::rename(path, spare)?;
    }
    Ok(())
}

fn path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("{BACKUP}.journal-{generation}"))
}

/// All journals in `dir`, the oldest first.
fn all(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let prefix = format!("{BACKUP}.journal-");
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let generation = entry.file_name().to_str().and_then(|name| name.strip_prefix(&prefix)?.parse().ok());
        all.extend(generation.map(|generation| (generation, entry.path())));
    }
    all.sort_unstable();
    Ok(all)
}

/// Keeps a copy of a journal that is damaged before its end, in place of an older copy.
fn keep_aside(journal: &Path, at: u32) {
    let aside = journal.with_file_name(DAMAGED);
    let kept = match fs::copy(journal, &aside) {
        Ok(_) => format!("a copy is kept as {}", aside.display()),
        Err(error) => {
            // What there is of one takes room that changes need.
            let _ = fs::remove_file(&aside);
            format!("no copy could be kept as {} ({error})", aside.display())
        }
    };
    log::error!(
        "{} is damaged at byte {at}: what was changed and saved from there on cannot be read and is lost, unless the database has it; {kept}. \
         Save a backup now, and replace the card if this happens again",
        journal.display()
    );
}

fn header(generation: u64) -> Vec<u8> {
    let mut header = [&MAGIC[..], &[VERSION], &generation.to_le_bytes()].concat();
    header.extend(crc32fast::hash(&header).to_le_bytes());
    header
}

/// Makes of `batch` a batch with its head; none if it is too long.
fn encode(batch: &mut Vec<u8>, generation: u64, at: u32, changes: &Changes) -> Option<()> {
    batch.clear();
    batch.extend(NO_BATCH);
    for (key, change) in changes {
        let value = change.as_deref();
        batch.extend(u16::try_from(key.len()).ok()?.to_le_bytes());
        let length = value.map_or(Some(0), |value| value.len().checked_add(1))?;
        batch.extend(u16::try_from(length).ok()?.to_le_bytes());
        batch.extend(key);
        batch.extend(value.unwrap_or_default());
    }
    let (head, body) = batch.split_at_mut_checked(HEAD as usize)?;
    let length = u32::try_from(body.len()).ok().filter(|length| *length <= LONGEST)?;
    let sum = checksum(generation, at, length, body);
    head.copy_from_slice(&[length.to_le_bytes(), sum.to_le_bytes()].concat());
    Some(())
}

fn checksum(generation: u64, at: u32, length: u32, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&generation.to_le_bytes());
    hasher.update(&u64::from(at).to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

fn decode(body: &[u8]) -> Option<Changes> {
    let mut changes = Changes::new();
    let mut left = body;
    while !left.is_empty() {
        let (key_length, rest) = left.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(u16::from_le_bytes(*key_length).into())?;
        let length = usize::from(u16::from_le_bytes(*length));
        let (value, rest) = rest.split_at_checked(length.saturating_sub(1))?;
        changes.insert(key.to_vec(), (length > 0).then(|| value.to_vec()));
        left = rest;
    }
    Some(changes)
}

/// Reads batches one by one.
struct Reader {
    file: BufReader<File>,
    generation: u64,
    /// Where the next batch is, if there is one.
    at: u32,
}

impl Reader {
    /// None if the file does not even have a header of that generation.
    fn open(path: &Path, generation: u64) -> io::Result<Option<Self>> {
        let mut file = BufReader::new(atomic_file::open(path)?);
        let mut found = [0; HEADER as usize];
        Ok((read_whole(&mut file, &mut found)? && found == header(generation).as_slice()).then_some(Self {
            file,
            generation,
            at: HEADER,
        }))
    }

    /// Goes on at a place in the file; says whether there can be a batch.
    fn seek(&mut self, at: u32) -> io::Result<bool> {
        self.file.seek(io::SeekFrom::Start(at.into()))?;
        self.at = at;
        Ok(at >= HEADER)
    }

    /// Whether a batch follows behind the one that cannot be read: then this is not where a power cut ended the journal.
    fn goes_on(&mut self) -> io::Result<bool> {
        let (end, mut length) = (self.at, [0; 4]);
        self.seek(end)?;
        let found = read_whole(&mut self.file, &mut length)?;
        let length =
            Some(u32::from_le_bytes(length)).filter(|length| found && (1..=LONGEST).contains(length));
        let behind = length.and_then(|length| end.checked_add(HEAD)?.checked_add(length));
        let goes_on = match behind {
            Some(behind) => self.seek(behind)? && self.next()?.is_some(),
            None => false,
        };
        self.seek(end)?;
        Ok(goes_on)
    }

    /// The next batch; none at the end.
    fn next(&mut self) -> io::Result<Option<Changes>> {
        let (mut length, mut sum) = ([0; 4], [0; 4]);
        if !read_whole(&mut self.file, &mut length)? || !read_whole(&mut self.file, &mut sum)? {
            return Ok(None);
        }
        let length = u32::from_le_bytes(length);
        let mut body = Vec::new();
        if length == 0
            || length > LONGEST
            || (&mut self.file).take(length.into()).read_to_end(&mut body)? < length as usize
        {
            return Ok(None);
        }
        if checksum(self.generation, self.at, length, &body) != u32::from_le_bytes(sum) {
            return Ok(None);
        }
        let end = self.at.checked_add(HEAD).and_then(|at| at.checked_add(length));
        let (Some(changes), Some(end)) = (decode(&body), end) else { return Ok(None) };
        self.at = end;
        Ok(Some(changes))
    }
}

/// Whether there was as much as that.
fn read_whole(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
