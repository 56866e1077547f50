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
