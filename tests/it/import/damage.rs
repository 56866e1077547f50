//! No input, however damaged, makes the import panic or run for ever, or gives half a catalogue.

#[path = "../../../crates/jet-reader/tests/it/damage/changes.rs"]
mod changes;

use super::counted::Counted;
use super::{BOTH, game, samples, writer};
use jet_reader::{Database, Value, Version};
use mcos::catalog::Imported;
use mcos::catalog::import;
use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::sync::LazyLock;
use std::thread;

/// Real files where they are, and written ones.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let written = BOTH
        .into_iter()
        .flat_map(|version| [0, 7].map(|key| writer::database(version, key, &game::tables())));
    let real = samples::files().into_iter().map(|file| fs::read(file).unwrap());
    written.chain(real).collect()
});

/// Imports as far as it goes.
fn read_everything(bytes: &[u8]) {
    let _ = import::read(Counted::new(bytes), "x", 1, |_| ());
}

/// How many damaged databases are imported.
const DAMAGED: usize = 10_000;

/// Numbers that are the same in every run (`SplitMix64`), so that a failure comes again.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// A file damaged in one of the ways in which files are, or in several.
    fn damaged(&mut self, file: &[u8], size: usize) -> Vec<u8> {
        let mut bytes = file.to_vec();
        for _ in 0..=self.below(3) {
            let pages = bytes.len() / size;
            let [one, other] = [0; 2].map(|_| self.below(pages) * size);
            match self.below(8) {
                0 => bytes.truncate(self.below(pages) * size + size),
                1 => bytes.truncate(self.below(bytes.len()).max(size)),
                2 => (0..size).for_each(|at| bytes.swap(one + at, other + at)),
                3 => bytes.copy_within(one..one + size, other),
                4 => bytes[one..one + size].fill(0),
                5 => bytes[one + self.below(80)] = self.next().to_le_bytes()[0],
                6 => {
                    let at = self.below(bytes.len() - 600);
                    let length = 1 + self.below(600);
                    bytes[at..at + length].fill(0);
                }
                _ => {
                    for _ in 0..=self.below(8) {
                        let at = self.below(bytes.len());
                        bytes[at] ^= 1 << self.below(8);
                    }
                }
            }
        }
        bytes
    }
}

/// Where each table's definition begins, by the file's own list.
fn definitions(bytes: &[u8]) -> BTreeMap<String, usize> {
    let mut database = Database::open(Cursor::new(bytes)).unwrap();
    let list = database.table("MSysObjects").unwrap().unwrap();
    let [id, name] = ["Id", "Name"].map(|column| list.column(column).unwrap());
    let mut found = BTreeMap::new();
    let each = |row: &[Value]| {
        if let (Value::Integer(id), Value::Text(name)) = (&row[id], &row[name]) {
            found.insert(name.clone(), usize::try_from(*id).unwrap());
        }
    };
    database.rows(&list, each).unwrap();
    found
}

/// How many rows of each table that is needed were taken.
fn taken(imported: &Imported) -> [(&'static str, usize); 8] {
    [
        ("Brand", imported.brands.len()),
        ("Model", imported.models.len()),
        ("AbstractPartType", imported.kinds.len()),
        ("PartType", imported.part_types.len()),
        ("BrandedPart", imported.parts.len()),
        ("StockAssembly", imported.assemblies.len()),
        ("StockVehicleAttributes", imported.vehicles.len()),
        ("PTSkin", imported.skins.len()),
    ]
}

/// Asserts that the import has every row which the definitions of the tables count. Looks for the count by itself.
fn assert_whole(
    imported: &Imported,
    bytes: &[u8],
    size: usize,
    places: &BTreeMap<String, usize>,
    case: usize,
) {
    let count_at = if size == 2048 { 12 } else { 16 };
    for (table, taken) in taken(imported) {
        let at = places[table] * size + count_at;
        let counted = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(taken, usize::try_from(counted).unwrap(), "{table} in case {case}");
    }
}

/// The tables that are needed, with few columns beyond those that are taken, so that much of the damage is where it counts.
fn needed_tables() -> Vec<writer::Table> {
    let mut tables = game::tables();
    tables.truncate(8);
    for table in &mut tables {
        let kept: Vec<bool> =
            table.columns.iter().map(|(name, _)| name.len() > 2 && name != "CreatorID").collect();
        let mut places = kept.iter();
        table.columns.retain(|_| *places.next().unwrap());
        for row in &mut table.rows {
            let mut places = kept.iter();
            row.retain(|_| *places.next().unwrap());
        }
    }
    tables
}

#[test]
fn of_ten_thousand_damaged_databases_each_is_refused_with_words_or_whole() {
    let files = BOTH.map(|version| {
        let file = writer::database(version, 0, &needed_tables());
        let places = definitions(&file);
        (file, if version == Version::Jet3 { 2048 } else { 4096 }, places)
    });
    let import = |case: usize| {
        let (file, size, places) = &files[case % 2];
        let bytes = Numbers(case.try_into().unwrap()).damaged(file, *size);
        match import::read(Counted::new(&bytes), "Online.mdb", 1, |_| ()) {
            Ok(reading) => {
                assert_whole(&reading.imported, &bytes, *size, places, case);
                true
            }
            Err(error) => {
                let words = error.to_string();
                assert!(words.contains("; ") && words.lines().count() == 1, "case {case}: {words}");
                false
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let accepted: usize = thread::scope(|scope| {
        let import = &import;
        let part = |first| move || (first..DAMAGED).step_by(threads).filter(|case| import(*case)).count();
        let parts: Vec<_> = (0..threads).map(|first| scope.spawn(part(first))).collect();
        parts.into_iter().map(|part| part.join().unwrap()).sum()
    });
    // Some damage is where nothing is: a test in which nothing is accepted shows nothing.
    assert!((DAMAGED / 20..DAMAGED / 2).contains(&accepted), "{accepted} were accepted");
}
