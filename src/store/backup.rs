//! The logical backup: all records in one file which needs no sled to be read, and what lies beside the database.
//!
//! | bytes | what |
//! |---|---|
//! | 7 | `mcosbak` |
//! | 1 | version of this layout: 3 with files of the patch set, otherwise 2 |
//! | 8 | generation |
//! | 8 | number of records |
//! | 4 | number of files; not in version 1, which has none |
//! | 4 | CRC-32 of the above |
//!
//! then each record: length of the key (2), length of the value (2), CRC-32 of lengths, key and value (4), key, value;
//! then each file: length of the name (2), length of the content (4), CRC-32 of lengths, name and content (4), name,
//! content. Numbers are little-endian. Nothing follows the last file.

use super::error::{Lock, OpenError};
use super::key::LAST_GENERATION;
use super::record::{MAX_RECORD, Row};
use super::side_files::{self, SideFile};
use crate::atomic_file::{self, Access};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

/// The backup beside the database, in the data directory.
pub(super) const BACKUP: &str = "backup.mcos";

const MAGIC: &[u8; 7] = b"mcosbak";
const VERSION: u8 = 3;
/// The version without files of the patch set.
const NO_PATCH_SET: u8 = 2;
/// The version without files.
const RECORDS_ONLY: u8 = 1;
const LONGEST_KEY: usize = 256;

/// Why a backup cannot be used.
#[derive(Debug)]
pub(super) enum BackupError {
    /// There is none.
    Missing,
    /// The system does not let us read it. It may be sound.
    Unreadable(io::Error),
    /// It is not what was written; why.
    Damaged(String),
    /// It was written by a newer program.
    TooNew(u8),
    /// It is encrypted, and not opened.
    Locked(Lock),
}

impl BackupError {
    /// The same as what is told of a backup in `file` that somebody wants to restore.
    pub(super) fn of(self, file: &Path) -> OpenError {
        let file = file.to_owned();
        match self {
            Self::Missing => OpenError::BadBackup { file, why: "there is no such file".to_owned() },
            Self::Unreadable(source) => OpenError::BackupUnreadable { file, source },
            Self::Damaged(why) => OpenError::BadBackup { file, why },
            Self::TooNew(version) => OpenError::TooNew { what: "backup", version },
            Self::Locked(lock) => OpenError::Locked { file, lock },
        }
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Unreadable(error) => error.fmt(f),
            Self::Damaged(why) => f.write_str(why),
            Self::TooNew(_) => f.write_str("a newer mcos wrote it"),
            Self::Locked(lock) => lock.fmt(f),
        }
    }
}

/// What a backup holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Backup {
    /// How many backups had been written when this one was.
    pub(super) generation: u64,
    /// All records.
    pub(super) rows: Vec<Row>,
    /// What lies beside the database. In the backup that lies there itself, only the certificate authority.
    pub(super) files: Vec<SideFile>,
}

/// Writes the file so that at every moment either the old one or the new one is there, whole.
/// Only the owner may read it: it holds password hashes and the login key.
pub(super) fn write(file: &Path, backup: &Backup) -> io::Result<()> {
    atomic_file::replace(file, Access::Owner, |out| {
        let mut encoder = Encoder::begin(out, backup.generation)?;
        backup.rows.iter().try_for_each(|(key, value)| encoder.record(key, value))?;
        encoder.finish(&backup.files)
    })
}

/// Writes a backup piece by piece, without having it in memory.
pub(super) struct Encoder<W> {
    out: W,
    generation: u64,
    records: u64,
}

impl<W: Write + Seek> Encoder<W> {
    /// Begins a backup at the start of `out`, which must be empty.
    pub(super) fn begin(mut out: W, generation: u64) -> io::Result<Self> {
        // How many records there are is known at the end.
        out.write_all(&header(VERSION, generation, 0, 0))?;
        Ok(Self { out, generation, records: 0 })
    }

    /// Adds a record.
    pub(super) fn record(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let lengths = lengths(
            u16::try_from(key.len()).map_err(too_long)?,
            u16::try_from(value.len()).map_err(too_long)?,
        );
        self.out.write_all(&lengths)?;
        self.out.write_all(&crc(&[&lengths, key, value]).to_le_bytes())?;
        self.out.write_all(key)?;
        self.out.write_all(value)?;
        self.records += 1;
        Ok(())
    }

    /// Adds the files, and completes the header.
    pub(super) fn finish(mut self, files: &[SideFile]) -> io::Result<()> {
        for SideFile { name, bytes } in files {
            let name_length = u16::try_from(name.len()).map_err(too_long)?.to_le_bytes();
            let length = u32::try_from(bytes.len()).map_err(too_long)?.to_le_bytes();
            let name = name.as_bytes();
            self.out.write_all(&name_length)?;
            self.out.write_all(&length)?;
            self.out.write_all(&crc(&[&name_length, &length, name, bytes]).to_le_bytes())?;
            self.out.write_all(name)?;
            self.out.write_all(bytes)?;
        }
        let count = u32::try_from(files.len()).map_err(too_long)?;
        self.out.rewind()?;
        // An older program still reads what it understands.
        let patch_set = files.iter().any(SideFile::is_of_patch_set);
        let version = if patch_set { VERSION } else { NO_PATCH_SET };
        self.out.write_all(&header(version, self.generation, self.records, count))?;
        self.out.flush()
    }
}

fn too_long<E>(_: E) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "a record or file is too long")
}

/// The header with its checksum.
fn header(version: u8, generation: u64, records: u64, files: u32) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.push(version);
    header.extend(generation.to_le_bytes());
    header.extend(records.to_le_bytes());
    header.extend(files.to_le_bytes());
    header.extend(crc32fast::hash(&header).to_le_bytes());
    header
}

/// Reads a whole backup file.
#[cfg(test)]
pub(super) fn read(file: &Path) -> Result<Backup, BackupError> {
    whole(open(file)?)
}

/// Reads a whole backup and believes nothing that its checksums do not confirm.
pub(super) fn read_from(input: &mut impl Read) -> Result<Backup, BackupError> {
    whole(Reader::begin(input)?)
}

fn whole(mut reader: Reader<impl Read>) -> Result<Backup, BackupError> {
    let (mut rows, mut files) = (Vec::new(), Vec::new());
    while let Some(row) = reader.row()? {
        rows.push(row);
    }
    while let Some(file) = reader.file()? {
        files.push(file);
    }
    Ok(Backup { generation: reader.generation, rows, files })
}

/// Opens a backup to read it piece by piece.
pub(super) fn open(file: &Path) -> Result<Reader<BufReader<File>>, BackupError> {
    match atomic_file::open(file) {
        Ok(file) => Reader::begin(BufReader::new(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BackupError::Missing),
        Err(error) => Err(BackupError::Unreadable(error)),
    }
}

/// Reads a backup piece by piece: first all records, then all files.
#[derive(Debug)]
pub(super) struct Reader<R> {
    input: R,
    /// How many backups had been written when this one was.
    pub(super) generation: u64,
    records: u64,
    files: u32,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    pub(super) fn begin(mut input: R) -> Result<Self, BackupError> {
        let damaged = |why: &str| BackupError::Damaged(why.to_owned());
        let magic: [u8; 7] = take(&mut input)?;
        if &magic != MAGIC {
            return Err(damaged("not a backup of mcos"));
        }
        let [version]: [u8; 1] = take(&mut input)?;
        if version > VERSION {
            return Err(BackupError::TooNew(version));
        }
        let (generation, count): ([u8; 8], [u8; 8]) = (take(&mut input)?, take(&mut input)?);
        let mut header = [&magic[..], &[version], &generation, &count].concat();
        let mut files = [0; 4];
        if version > RECORDS_ONLY {
            files = take(&mut input)?;
            header.extend(files);
        }
        if version < RECORDS_ONLY || u32::from_le_bytes(take(&mut input)?) != crc32fast::hash(&header) {
            return Err(damaged("the checksum of the header is wrong"));
        }
        let generation = u64::from_le_bytes(generation);
        if generation > LAST_GENERATION {
            return Err(damaged("its generation is not one that a backup can have"));
        }
        Ok(Self { input, generation, records: u64::from_le_bytes(count), files: u32::from_le_bytes(files) })
    }

    /// The next record, if there is one.
    pub(super) fn row(&mut self) -> Result<Option<Row>, BackupError> {
        let Some(left) = self.records.checked_sub(1) else { return Ok(None) };
        self.records = left;
        take_row(&mut self.input).map(Some)
    }

    /// The next file, if there is one; to be asked after the last record. Behind the last file nothing may follow.
    pub(super) fn file(&mut self) -> Result<Option<SideFile>, BackupError> {
        if let Some(left) = self.files.checked_sub(1) {
            self.files = left;
            return take_file(&mut self.input).map(Some);
        }
        match self.input.read(&mut [0]) {
            Ok(0) => Ok(None),
            Ok(_) => Err(BackupError::Damaged("something follows its end".to_owned())),
            Err(error) => Err(error.into()),
        }
    }
}

fn take_row(input: &mut impl Read) -> Result<Row, BackupError> {
    let (key_length, value_length): ([u8; 2], [u8; 2]) = (take(input)?, take(input)?);
    let sum = u32::from_le_bytes(take(input)?);
    let (key_length, value_length) = (u16::from_le_bytes(key_length), u16::from_le_bytes(value_length));
    let mut key = vec![0; usize::from(key_length)];
    let mut value = vec![0; usize::from(value_length)];
    if key.len() > LONGEST_KEY || value.len() > MAX_RECORD {
        return Err(BackupError::Damaged("a record is too long".to_owned()));
    }
    input.read_exact(&mut key)?;
    input.read_exact(&mut value)?;
    if crc(&[&lengths(key_length, value_length), &key, &value]) != sum {
        return Err(BackupError::Damaged("the checksum of a record is wrong".to_owned()));
    }
    Ok((key, value))
}

fn take_file(input: &mut impl Read) -> Result<SideFile, BackupError> {
    let (name_length, length): ([u8; 2], [u8; 4]) = (take(input)?, take(input)?);
    let sum = u32::from_le_bytes(take(input)?);
    let mut name = vec![0; usize::from(u16::from_le_bytes(name_length))];
    let wanted = u32::from_le_bytes(length);
    if name.len() > LONGEST_KEY || usize::try_from(wanted).is_ok_and(|wanted| wanted > side_files::LONGEST) {
        return Err(BackupError::Damaged("a file is too long".to_owned()));
    }
    input.read_exact(&mut name)?;
    let mut bytes = Vec::new();
    input.take(wanted.into()).read_to_end(&mut bytes)?;
    if crc(&[&name_length, &length, &name, &bytes]) != sum {
        return Err(BackupError::Damaged("the checksum of a file is wrong".to_owned()));
    }
    SideFile::named(&name, bytes)
        .ok_or_else(|| BackupError::Damaged("it holds a file of an unknown name".to_owned()))
}

fn take<const N: usize>(input: &mut impl Read) -> Result<[u8; N], BackupError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn lengths(key: u16, value: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (key.to_le_bytes(), value.to_le_bytes());
    [a, b, c, d]
}

fn crc(pieces: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finalize()
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it is cut short".to_owned()),
            // What an encrypted one is read with says so.
            io::ErrorKind::InvalidData => Self::Damaged("it is cut short, or was altered".to_owned()),
            _ => Self::Unreadable(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn sample() -> Vec<u8> {
        let rows = vec![(b"aone".to_vec(), vec![1, 2, 3]), (b"btwo".to_vec(), Vec::new())];
        let files = ["tls/authority.pem", "catalog.mcos"]
            .map(|name| SideFile::named(name.as_bytes(), name.as_bytes().repeat(3)).unwrap());
        encoded(7, &rows, &files)
    }

    fn encoded(generation: u64, rows: &[Row], files: &[SideFile]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = Encoder::begin(&mut bytes, generation).unwrap();
        for (key, value) in rows {
            encoder.record(key, value).unwrap();
        }
        encoder.finish(files).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_backup_comes_back_as_it_was() {
        let backup = read_from(&mut sample().as_slice()).unwrap();
        assert_eq!(backup.generation, 7);
        assert_eq!(backup.rows, [(b"aone".to_vec(), vec![1, 2, 3]), (b"btwo".to_vec(), Vec::new())]);
        assert_eq!(backup.files[0].bytes, b"tls/authority.pemtls/authority.pemtls/authority.pem");
        assert_eq!(backup.files[1].name, "catalog.mcos");
    }

    #[test]
    fn a_backup_of_the_layout_without_files_is_read() {
        let new = sample();
        let mut old = new[..24].to_vec();
        old[7] = 1;
        old.extend(crc32fast::hash(&old).to_le_bytes());
        // Two records of 4 + 3 and 4 + 0 bytes, each behind 8 bytes.
        old.extend(&new[32..32 + 15 + 12]);
        let backup = read_from(&mut old.as_slice()).unwrap();
        assert_eq!(backup.rows, read_from(&mut new.as_slice()).unwrap().rows);
        assert!(backup.files.is_empty());
    }

    #[test]
    fn only_a_backup_with_files_of_the_patch_set_has_the_newer_layout() {
        assert_eq!(sample()[7], 2);
        let name = format!("patch/{}", "a1".repeat(32));
        let files = ["patch/set.txt", &name].map(|name| SideFile::named(name.as_bytes(), vec![1]).unwrap());
        let bytes = encoded(7, &[], &files);
        assert_eq!(bytes[7], 3);
        assert_eq!(read_from(&mut bytes.as_slice()).unwrap().files, files);
        for name in ["patch/../x", "patch/lock", "patch/", "patch", "patch/A1"] {
            assert_eq!(SideFile::named(name.as_bytes(), Vec::new()), None, "{name}");
        }
    }

    #[test]
    fn a_file_that_no_backup_should_hold_is_refused() {
        for name in ["../../etc/passwd", "/etc/passwd", "tls/../store.lock", "control.sock", ""] {
            assert_eq!(SideFile::named(name.as_bytes(), Vec::new()), None, "{name}");
        }
        let bytes = encoded(1, &[], &[SideFile { name: "tls/../../x".into(), bytes: vec![1] }]);
        assert!(matches!(read_from(&mut bytes.as_slice()), Err(BackupError::Damaged(_))));
    }

    #[test]
    fn a_generation_that_cannot_be_counted_on_from_is_refused() {
        let with = |generation| read_from(&mut encoded(generation, &[], &[]).as_slice());
        assert_eq!(with(LAST_GENERATION).unwrap().generation, LAST_GENERATION);
        for generation in [LAST_GENERATION + 1, u64::MAX] {
            assert!(matches!(with(generation), Err(BackupError::Damaged(_))), "{generation}");
        }
    }

    #[test]
    fn any_flipped_bit_is_noticed() {
        let good = sample();
        for index in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                assert!(read_from(&mut bad.as_slice()).is_err(), "byte {index}, bit {bit}");
            }
        }
    }

    #[test]
    fn any_cut_and_any_addition_is_noticed() {
        let good = sample();
        for length in 0..good.len() {
            assert!(matches!(read_from(&mut &good[..length]), Err(BackupError::Damaged(_))), "{length}");
        }
        assert!(read_from(&mut [good.as_slice(), &[0]].concat().as_slice()).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_told_from_what_is_damaged() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(5))
            }
        }
        let good = sample();
        for length in [0, 20, good.len() - 1] {
            let mut input = good[..length].chain(Broken);
            assert!(matches!(read_from(&mut input), Err(BackupError::Unreadable(_))), "{length}");
        }
        let dir = tempfile::TempDir::new().unwrap();
        assert!(matches!(read(dir.path()), Err(BackupError::Unreadable(_))), "a directory");
    }

    #[test]
    fn a_newer_layout_is_told_from_a_damaged_one() {
        let mut newer = sample();
        newer[7] = 4;
        assert!(matches!(read_from(&mut newer.as_slice()), Err(BackupError::TooNew(4))));
    }
}
