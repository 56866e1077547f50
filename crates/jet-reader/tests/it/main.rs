//! The reader of Jet databases beside `mdb-export` of mdbtools, an independent one: on real files, which
//! `scripts/fetch-jet-samples` fetches, and on files of both versions that this test writes itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    clippy::too_many_lines,
    reason = "a test fails by panicking; cells are compared to the bit, and the tables are long"
)]

mod counted;
mod damage;
mod peer;
mod samples;
mod writer;

use jet_reader::{Database, JetError, Value, Version};
use std::fs::File;
use std::io::{BufReader, Cursor, Write as _};
use writer::{Cell, Table, Type};

/// Says on the terminal, and at the end of `scripts/test`, what this run did not do.
fn skipped(what: &str) {
    eprintln!("SKIPPED: {what}");
    if let Some(list) = std::env::var_os("MCOS_SKIPS") {
        let list = File::options().append(true).create(true).open(list);
        list.and_then(|mut list| writeln!(list, "{what}")).unwrap();
    }
}

#[test]
fn every_table_of_every_real_file_reads_as_mdb_export_reads_it() {
    let files = samples::files();
    if files.is_empty() {
        return skipped("no real Jet files (scripts/fetch-jet-samples): the reader not tested on them");
    }
    if !peer::is_there() {
        return skipped("mdb-export is not installed (apt-get install mdbtools): Jet files not compared");
    }
    let (mut tables, mut cells) = (0, 0);
    for file in files {
        let mut database = Database::open(BufReader::new(File::open(&file).unwrap())).unwrap();
        let names: Vec<String> = database.table_names().map(str::to_owned).collect();
        for name in names {
            cells += peer::compare(&file, &mut database, &name);
            tables += 1;
        }
    }
    println!("{tables} tables, {cells} cells are the same");
    assert!(tables > 30 && cells > 3_000, "{tables} tables, {cells} cells");
}

/// Every type, nothing at all, long rows, many columns, and enough rows for several pages.
fn mixed() -> Vec<Table> {
    let types = [
        ("Flag", Type::Boolean),
        ("Small", Type::Byte),
        ("Name", Type::Text),
        ("Short", Type::Integer),
        ("Number", Type::Long),
        ("Price", Type::Currency),
        ("Factor", Type::Single),
        ("Exact", Type::Double),
        ("Built", Type::DateTime),
        ("Other", Type::Text),
        ("Picture", Type::Picture),
        ("Last", Type::Text),
    ];
    let row = |at: i64| {
        if at % 10 == 9 {
            let mut row = vec![Cell::Null; types.len()];
            row[0] = Cell::Yes(false);
            return row;
        }
        let long = |every, letter: &str| Cell::Text(letter.repeat(if at % every == 0 { 250 } else { 3 }));
        vec![
            Cell::Yes(at % 3 == 0),
            Cell::Number(at % 256),
            Cell::Text(format!("Caf\u{e9} {at}")),
            Cell::Number(at - 300),
            Cell::Number(at * -100_000),
            Cell::Number(at * 12_345 - 99),
            Cell::Real(0.5 + f64::from(i32::try_from(at).unwrap())),
            Cell::Real(1e10 / (at + 1) as f64),
            Cell::Real(36_000.25 + at as f64),
            long(4, "o"),
            Cell::Null,
            long(6, "l"),
        ]
    };
    let wide: Vec<(String, Type)> =
        (0..200).map(|at| (format!("a column with a long name, number {at}"), Type::Long)).collect();
    let wide: Vec<(&str, Type)> = wide.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    vec![
        Table::new("Mixed", &types, (0..500).map(row).collect()),
        Table::new("Wide", &wide, (0..5).map(|at| vec![Cell::Number(at); wide.len()]).collect()),
        Table::new("Nobody", &types[..3], Vec::new()),
        Table::new("NumbersOnly", &types[3..5], (0..2000).map(|at| vec![Cell::Number(at % 99); 2]).collect()),
    ]
}

const BOTH: [Version; 2] = [Version::Jet3, Version::Jet4];

#[test]
fn every_cell_written_is_read_in_both_versions_masked_or_not() {
    for version in BOTH {
        for key in [0, 0x1234_5678] {
            let mut database = Database::open(Cursor::new(writer::database(version, key, &mixed()))).unwrap();
            for written in mixed() {
                let table = database.table(&written.name).unwrap().unwrap();
                let mut rows = written.rows.iter();
                database
                    .rows(&table, |row| assert!(is_as_written(row, rows.next().unwrap()), "{row:?}"))
                    .unwrap();
                assert_eq!(rows.next(), None, "{} in {version:?}", written.name);
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a single has less digits")]
fn is_as_written(row: &[Value], written: &[Cell]) -> bool {
    row.len() == written.len()
        && row.iter().zip(written).all(|(value, cell)| match (value, cell) {
            (Value::Null, Cell::Null) => true,
            (Value::Boolean(ours), Cell::Yes(theirs)) => ours == theirs,
            (Value::Integer(ours), Cell::Number(theirs)) => i64::from(*ours) == *theirs,
            (Value::Currency(ours), Cell::Number(theirs)) => ours == theirs,
            (Value::Real(ours) | Value::DateTime(ours), Cell::Real(theirs)) => *ours as f32 == *theirs as f32,
            (Value::Text(ours), Cell::Text(theirs)) => ours == theirs,
            _ => false,
        })
}

#[test]
fn mdb_export_reads_the_same_in_what_this_test_writes() {
    if !peer::is_there() {
        return skipped(
            "mdb-export is not installed (apt-get install mdbtools): written Jet files not compared",
        );
    }
    let folder = tempfile::tempdir().unwrap();
    for version in BOTH {
        let file = folder.path().join(format!("{version:?}.mdb"));
        let bytes = writer::database(version, 0, &mixed());
        std::fs::write(&file, &bytes).unwrap();
        let mut database = Database::open(Cursor::new(bytes)).unwrap();
        for table in mixed() {
            let cells = peer::compare(&file, &mut database, &table.name);
            assert!(cells > 0 || table.rows.is_empty(), "{} in {version:?}", table.name);
        }
    }
}

/// A database of 2,000 rows of two numbers, unmasked.
fn numbers(version: Version) -> Vec<u8> {
    writer::database(version, 0, &mixed()[3..])
}

fn missing(file: Vec<u8>) -> Option<(String, u32, u32)> {
    let mut database = Database::open(Cursor::new(file)).unwrap();
    let table = database.table("NumbersOnly").unwrap().unwrap();
    match database.rows(&table, |_| ()) {
        Ok(()) => None,
        Err(JetError::RowsMissing { table, read, counted }) => Some((table, read, counted)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_table_of_which_pages_are_lost_or_added_is_refused() {
    for version in BOTH {
        let whole = numbers(version);
        assert_eq!(missing(whole.clone()), None);
        let size = if version == Version::Jet3 { 2048 } else { 4096 };
        let is_definition =
            |page: &&[u8]| page[0] == 2 && page.windows(4).any(|four| four == 2000_u32.to_le_bytes());
        let owner = whole.chunks(size).position(|page| is_definition(&page)).unwrap();
        let pages: Vec<usize> = (0..whole.len() / size)
            .filter(|at| {
                whole[at * size] == 1
                    && u32::from_le_bytes(whole[at * size + 4..][..4].try_into().unwrap()) as usize == owner
            })
            .collect();
        assert!(pages.len() > 3, "{pages:?}");
        let mut lost = whole.clone();
        let end = pages.last().unwrap() * size;
        lost[end..end + size].fill(0);
        let (table, read, counted) = missing(lost).expect("it is noticed");
        assert!(table == "NumbersOnly" && read < 2000 && counted == 2000, "{read} of {counted} of {table}");
        let mut fewer = whole.clone();
        let count = owner * size
            + whole[owner * size..].windows(4).position(|four| four == 2000_u32.to_le_bytes()).unwrap();
        fewer[count..count + 4].copy_from_slice(&1999_u32.to_le_bytes());
        assert_eq!(missing(fewer), Some(("NumbersOnly".to_owned(), 2000, 1999)));
    }
}

#[test]
fn tables_in_other_files_are_named_as_links() {
    for (object, linked) in [(1, false), (4, true), (6, true), (5, false)] {
        let table = Table { object, ..mixed().remove(0) };
        let database = Database::open(Cursor::new(writer::database(Version::Jet3, 0, &[table]))).unwrap();
        let named = |mut names: Box<dyn Iterator<Item = &str> + '_>| names.any(|name| name == "Mixed");
        assert_eq!(named(Box::new(database.link_names())), linked, "{object}");
        assert_eq!(named(Box::new(database.table_names())), object == 1, "{object}");
    }
}
