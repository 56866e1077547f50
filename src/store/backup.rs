//! The logical backup: all records in one file which needs no sled to be read.
//!
//! | bytes | what |
//! |---|---|
//! | 7 | `mcosbak` |
//! | 1 | version of this layout, 1 |
//! | 8 | generation |
//! | 8 | number of records |
//! | 4 | CRC-32 of the above |
//!
//! then each record: length of the key (2), length of the value (2), CRC-32 of lengths, key and value (4), key, value.
//! Numbers are little-endian. Nothing follows the last record.

use super::record::MAX_RECORD;
use super::table::Row;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const MAGIC: &[u8; 7] = b"mcosbak";
const VERSION: u8 = 1;
const LONGEST_KEY: usize = 256;

/// Why a backup cannot be used.
#[derive(Debug)]
pub(super) enum BackupError {
    /// There is none.
    Missing,
    /// It is not what was written; why.
    Damaged(String),
    /// It was written by a newer program.
    TooNew(u8),
}

/// What a backup holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Backup {
    /// How many backups had been written when this one was.
    pub(super) generation: u64,
    /// All records.
    pub(super) rows: Vec<Row>,
}

/// Makes the names in a directory survive a power cut.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Writes the file so that at every moment either the old one or the new one is there, whole.
/// Only the owner may read it: it holds password hashes and the login key.
pub(super) fn write(file: &Path, backup: &Backup) -> io::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    // A leftover of a power cut may have other permissions.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write_new(Path::new(&new), backup).and_then(|()| fs::rename(&new, file));
    if let Err(error) = written {
        // Half a backup is of no use, and the card may be full because of it.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    match file.parent() {
        Some(dir) if dir != Path::new("") => sync_dir(dir),
        _ => sync_dir(Path::new(".")),
    }
}

fn write_new(new: &Path, backup: &Backup) -> io::Result<()> {
    let handle = File::options().write(true).create_new(true).mode(0o600).open(new)?;
    let mut out = BufWriter::new(handle);
    write_to(&mut out, backup)?;
    out.into_inner()?.sync_all()
}

fn write_to(out: &mut impl Write, backup: &Backup) -> io::Result<()> {
    let mut header = MAGIC.to_vec();
    header.push(VERSION);
    header.extend(backup.generation.to_le_bytes());
    header.extend((backup.rows.len() as u64).to_le_bytes());
    out.write_all(&header)?;
    out.write_all(&crc32fast::hash(&header).to_le_bytes())?;
    for (key, value) in &backup.rows {
        let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a record is too long");
        let lengths = lengths(
            u16::try_from(key.len()).map_err(too_long)?,
            u16::try_from(value.len()).map_err(too_long)?,
        );
        out.write_all(&lengths)?;
        out.write_all(&row_crc(lengths, key, value).to_le_bytes())?;
        out.write_all(key)?;
        out.write_all(value)?;
    }
    Ok(())
}

/// Reads a whole backup and believes nothing that its checksums do not confirm.
pub(super) fn read(file: &Path) -> Result<Backup, BackupError> {
    match File::open(file) {
        Ok(file) => read_from(&mut BufReader::new(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BackupError::Missing),
        Err(error) => Err(BackupError::Damaged(error.to_string())),
    }
}

fn read_from(input: &mut impl Read) -> Result<Backup, BackupError> {
    let damaged = |why: &str| BackupError::Damaged(why.to_owned());
    let magic: [u8; 7] = take(input)?;
    if &magic != MAGIC {
        return Err(damaged("not a backup of mcos"));
    }
    let [version]: [u8; 1] = take(input)?;
    if version > VERSION {
        return Err(BackupError::TooNew(version));
    }
    let (generation, count): ([u8; 8], [u8; 8]) = (take(input)?, take(input)?);
    let header = [&magic[..], &[version], &generation, &count].concat();
    if version != VERSION || u32::from_le_bytes(take(input)?) != crc32fast::hash(&header) {
        return Err(damaged("the checksum of the header is wrong"));
    }
    let mut rows = Vec::new();
    for _ in 0..u64::from_le_bytes(count) {
        rows.push(take_row(input)?);
    }
    match input.read(&mut [0]) {
        Ok(0) => Ok(Backup { generation: u64::from_le_bytes(generation), rows }),
        Ok(_) => Err(damaged("something follows the last record")),
        Err(error) => Err(error.into()),
    }
}

fn take_row(input: &mut impl Read) -> Result<Row, BackupError> {
    let (key_length, value_length): ([u8; 2], [u8; 2]) = (take(input)?, take(input)?);
    let crc = u32::from_le_bytes(take(input)?);
    let (key_length, value_length) = (u16::from_le_bytes(key_length), u16::from_le_bytes(value_length));
    let mut key = vec![0; usize::from(key_length)];
    let mut value = vec![0; usize::from(value_length)];
    if key.len() > LONGEST_KEY || value.len() > MAX_RECORD {
        return Err(BackupError::Damaged("a record is too long".to_owned()));
    }
    input.read_exact(&mut key)?;
    input.read_exact(&mut value)?;
    if crc != row_crc(lengths(key_length, value_length), &key, &value) {
        return Err(BackupError::Damaged("the checksum of a record is wrong".to_owned()));
    }
    Ok((key, value))
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

fn row_crc(lengths: [u8; 4], key: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&lengths);
    hasher.update(key);
    hasher.update(value);
    hasher.finalize()
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it is cut short".to_owned()),
            _ => Self::Damaged(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let rows = vec![(b"aone".to_vec(), vec![1, 2, 3]), (b"btwo".to_vec(), Vec::new())];
        let mut bytes = Vec::new();
        write_to(&mut bytes, &Backup { generation: 7, rows }).unwrap();
        bytes
    }

    #[test]
    fn a_backup_comes_back_as_it_was() {
        let backup = read_from(&mut sample().as_slice()).unwrap();
        assert_eq!(backup.generation, 7);
        assert_eq!(backup.rows, [(b"aone".to_vec(), vec![1, 2, 3]), (b"btwo".to_vec(), Vec::new())]);
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
    fn a_newer_layout_is_told_from_a_damaged_one() {
        let mut newer = sample();
        newer[7] = 2;
        assert!(matches!(read_from(&mut newer.as_slice()), Err(BackupError::TooNew(2))));
    }
}
