//! No input, however damaged, makes the reader panic or run for ever.

mod changes;

use crate::counted::Counted;
use crate::{BOTH, mixed, samples, writer};
use jet_reader::Database;
use std::fs;
use std::sync::LazyLock;

/// Real files where they are, and written ones.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let written = BOTH.into_iter().flat_map(|version| {
        [writer::database(version, 0, &mixed()[..2]), writer::database(version, 7, &mixed())]
    });
    let real = samples::files().into_iter().map(|file| fs::read(file).unwrap());
    written.chain(real).collect()
});

/// Reads all there is, as far as it goes.
fn read_everything(bytes: &[u8]) {
    let Ok(mut database) = Database::open(Counted::new(bytes)) else { return };
    let names: Vec<String> = database.table_names().map(str::to_owned).collect();
    for name in names {
        if let Ok(Some(table)) = database.table(&name) {
            let _ = database.rows(&table, |row| assert_eq!(row.len(), table.columns.len()));
        }
    }
}

#[test]
fn a_page_of_a_table_that_was_written_over_another_one_is_noticed() {
    for version in BOTH {
        let size = if version == jet_reader::Version::Jet3 { 2048 } else { 4096 };
        let rows = (0..2000_u32).map(|number| vec![writer::Cell::Number(number.into())]).collect();
        let table = writer::Table::new("Parts", &[("Number", writer::Type::Long)], rows);
        let whole = writer::database(version, 0, &[table]);
        let read = |bytes: &[u8]| {
            let mut database = Database::open(Counted::new(bytes)).unwrap();
            let table = database.table("Parts").unwrap().unwrap();
            database.rows(&table, |_| ())
        };
        read(&whole).unwrap();
        // Two data pages with as many rows of the same table.
        let head = |page: usize| &whole[page * size..page * size + 14];
        let pages = 0..whole.len() / size;
        let (one, other) = pages
            .clone()
            .flat_map(|one| pages.clone().map(move |other| (one, other)))
            .find(|(one, other)| one < other && head(*one)[0] == 1 && head(*one) == head(*other))
            .unwrap();
        let mut damaged = whole.clone();
        damaged.copy_within(one * size..(one + 1) * size, other * size);
        let why = read(&damaged).unwrap_err();
        let at = u32::try_from(other).unwrap();
        assert!(
            matches!(&why, jet_reader::JetError::PageTwice { table, page } if table == "Parts" && *page == at),
            "{why}"
        );
    }
}
