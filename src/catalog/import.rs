//! Takes the catalogue from the owner's own copy of the game: a Jet database that the Client installs.
//!
//! Nothing is changed here: the file is read, what the server needs is taken, and whether it fits together is checked. It
//! becomes the catalogue when it is saved ([`super::file`]) and [`Catalog::replace`](super::Catalog::replace) uses it.

mod check;
mod sheet;
mod tables;

pub use check::{Finding, Summary};

use super::imported::{Imported, Numbered, Origin};
use jet_reader::{Database, JetError};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

/// Where the catalogue of an installed game is (*seen in use*: a listing of its files).
const CHOOSE: &str = "choose Online.mdb, which is in the folder Data\\DB of the installed game";
/// What a running game calls its scratch file.
const SCRATCH: &str = "Tmp.mdb";

/// Why nothing was imported. Each says what to do, in one line.
#[derive(Debug)]
pub enum ImportError {
    /// The file could not be read as a Jet database.
    Jet(JetError),
    /// The file is an archive, in which there may be one.
    Packed,
    /// A table is missing without which there is no catalogue.
    NoTable(&'static str),
    /// The same in the file into which a running game writes what it needs for a moment.
    ScratchFile,
    /// Such a table is in another file, to which this one leads.
    Linked(&'static str),
    /// Such a table has no rows.
    NoRows(&'static str),
    /// A row of such a table has no number, or that of another row.
    Numbers(&'static str),
    /// A column of it is missing.
    NoColumn(&'static str, &'static str),
    /// The tables do not fit together.
    Unsound(Finding),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jet(JetError::NotJet) => write!(f, "this is no Jet (Access) database; {CHOOSE}"),
            Self::Jet(error) => error.fmt(f),
            Self::Packed => write!(f, "this file is packed; unpack it first, then {CHOOSE}"),
            Self::NoTable(table) => write!(f, "this database has no table {table}; {CHOOSE}"),
            Self::ScratchFile => {
                write!(f, "Tmp.mdb is a file that the game needs only while it runs; {CHOOSE}")
            }
            Self::Linked(table) => {
                write!(f, "this database only leads to another file that has the table {table}; {CHOOSE}")
            }
            Self::NoRows(table) => {
                write!(
                    f,
                    "the table {table} of this database is empty; close the game and copy the file again"
                )
            }
            Self::Numbers(table) => {
                write!(
                    f,
                    "in the table {table} of this database a row has no number of its own, so the file is damaged; copy it from the disc again"
                )
            }
            Self::NoColumn(table, column) => {
                write!(f, "this database's table {table} has no column {column}; {CHOOSE}")
            }
            Self::Unsound(finding) => {
                write!(f, "this catalogue is damaged: {finding}; copy it from the disc again")
            }
        }
    }
}

impl std::error::Error for ImportError {}

impl From<JetError> for ImportError {
    fn from(error: JetError) -> Self {
        Self::Jet(error)
    }
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps that are done.
    pub done: usize,
    /// All steps.
    pub of: usize,
    /// What is read now.
    pub now: &'static str,
}

/// Steps of an import: the hash, and the tables.
const STEPS: usize = 16;

/// A catalogue that was read, and what is to be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The catalogue.
    pub imported: Imported,
    /// What the reader could not be sure of, or left out: for people, without a full stop.
    pub notes: Vec<String>,
}

/// Reads a whole catalogue. `file` is its name for people, `now` seconds since 1970.
///
/// # Errors
/// Why there is none in this file. Nothing is changed then.
pub fn read<R: Read + Seek>(
    reader: R,
    file: &str,
    now: u64,
    progress: impl FnMut(Progress),
) -> Result<Reading, ImportError> {
    read_tables(reader, file, now, progress).map_err(|error| match error {
        ImportError::NoTable(_) if file.eq_ignore_ascii_case(SCRATCH) => ImportError::ScratchFile,
        error => error,
    })
}

fn read_tables<R: Read + Seek>(
    mut reader: R,
    file: &str,
    now: u64,
    mut progress: impl FnMut(Progress),
) -> Result<Reading, ImportError> {
    let mut done = 0;
    let mut step = |now| {
        progress(Progress { done, of: STEPS, now });
        done += 1;
    };
    step("the file");
    let (sha256, bytes) = hash(&mut reader)?;
    if is_packed(&mut reader)? {
        return Err(ImportError::Packed);
    }
    let mut database = Database::open(reader)?;
    let mut notes = Vec::new();
    if file.eq_ignore_ascii_case(SCRATCH) {
        notes.push(format!("{}; what is in it now may not be all", ImportError::ScratchFile));
    }
    if let Some(number) = database.unknown_code_page() {
        notes.push(format!(
            "the text is in code page {number}, which is not known here: letters of names may be wrong"
        ));
    }
    let origin =
        Origin { file: file.to_owned(), bytes, sha256, jet: database.version().number(), imported: now };
    let from = &mut database;
    step("Brand");
    let brands = unique(tables::brands(from)?, "Brand")?;
    step("Model");
    let models = unique(tables::models(from)?, "Model")?;
    step("AbstractPartType");
    let kinds = unique(tables::kinds(from)?, "AbstractPartType")?;
    step("PartType");
    let part_types = unique(tables::part_types(from)?, "PartType")?;
    step("BrandedPart");
    let parts = unique(tables::parts(from)?, "BrandedPart")?;
    step("StockAssembly");
    let mut assemblies = tables::assemblies(from)?;
    step("StockVehicleAttributes");
    let vehicles = unique(tables::vehicles(from)?, "StockVehicleAttributes")?;
    step("PTSkin");
    let skins = unique(tables::skins(from)?, "PTSkin")?;
    let mut names = |table: &'static str, id: &'static [&'static str], name: &'static [&'static str]| {
        step(table);
        let rows = tables::names(from, &mut notes, table, id, name)?;
        let all = rows.len();
        let rows = sorted(rows);
        if rows.len() < all {
            notes.push(format!(
                "{} rows of the table {table} have the number of another row and are not used",
                all - rows.len()
            ));
        }
        Ok::<_, ImportError>(rows)
    };
    let attachment_points = names(
        "AttachmentPoint",
        &["AttachmentPointID"],
        &["AttachmentPoint", "AttachmentPointName", "Name"],
    )?;
    let families =
        names("EngineBlockFamily", &["EngineBlockFamilyID"], &["Name", "EngineBlockFamily", "FamilyName"])?;
    let tracks = names("Element", &["ElementID"], &["Element", "Name"])?;
    let race_types = names("RaceType", &["RaceTypeID"], &["RaceType", "Name"])?;
    let driver_classes =
        names("DriverClass", &["DriverClassID", "DriverClass"], &["Name", "DriverClassName", "DriverClass"])?;
    step("PartTypeCompatibility");
    let compatibilities = tables::compatibilities(from, &mut notes)?;
    step("PricingGuide");
    let pricing = sheet::numbers(from, &mut notes, &["PricingGuide"])?;
    assemblies.sort_by_key(|row| row.whole);
    let imported = Imported {
        origin,
        brands,
        models,
        kinds,
        part_types,
        parts,
        assemblies,
        vehicles,
        skins,
        attachment_points,
        families,
        tracks,
        race_types,
        driver_classes,
        compatibilities,
        pricing,
    };
    match check::unsound(&imported) {
        Some(finding) => Err(ImportError::Unsound(finding)),
        None => Ok(Reading { imported, notes }),
    }
}

/// Whether a file is an archive: zip, RAR, 7-Zip, gzip, cabinet.
fn is_packed(reader: &mut (impl Read + Seek)) -> Result<bool, JetError> {
    const BEGINNINGS: [&[u8]; 5] = [b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"MSCF"];
    let mut start = Vec::new();
    reader.seek(SeekFrom::Start(0))?;
    reader.by_ref().take(4).read_to_end(&mut start)?;
    Ok(BEGINNINGS.iter().any(|beginning| start.starts_with(beginning)))
}

/// Sorts the rows of a table by number, which each must have for itself.
fn unique<T: Numbered>(rows: Vec<T>, table: &'static str) -> Result<Vec<T>, ImportError> {
    let all = rows.len();
    let rows = sorted(rows);
    if rows.len() == all { Ok(rows) } else { Err(ImportError::Numbers(table)) }
}

/// Sorts rows by number and drops repeated numbers.
fn sorted<T: Numbered>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort_by_key(Numbered::number);
    rows.dedup_by_key(|row| row.number());
    rows
}

fn hash(reader: &mut (impl Read + Seek)) -> Result<([u8; 32], u64), JetError> {
    let length = reader.seek(SeekFrom::End(0))?;
    if length > jet_reader::MAX_FILE {
        return Err(JetError::TooLarge(length));
    }
    reader.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok((hash.finalize().into(), length)),
            Ok(got) => hash.update(piece.get(..got).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
