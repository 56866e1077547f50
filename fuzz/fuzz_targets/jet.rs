//! A Jet database (`crates/jet-reader`).
//!
//! Input: the file.
#![no_main]

#[path = "../../crates/jet-reader/tests/it/writer.rs"]
mod writer;

use jet_reader::{Database, Value, Version};
use libfuzzer_sys::fuzz_target;
use mcos_fuzz::plant;
use std::io::Cursor;
use writer::{Cell, Table, Type};

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let Ok(mut database) = Database::open(Cursor::new(bytes)) else { return };
    let names: Vec<String> = database.table_names().map(str::to_owned).collect();
    // What the file lists may be the same table again and again.
    for name in names.iter().take(8) {
        let Ok(table) = database.table(name) else { continue };
        let table = table.expect("a table that is listed is there");
        assert!(table.columns.len() <= jet_reader::MAX_COLUMNS);
        for (index, column) in table.columns.iter().enumerate() {
            assert!(table.column(&column.name).is_some_and(|first| first <= index));
        }
        let mut rows = 0;
        let read = database.rows(&table, |row| {
            rows += 1;
            assert_eq!(row.len(), table.columns.len());
            for value in row {
                if let Value::Text(text) = value {
                    assert!(text.chars().count() <= 4096, "no longer than its page");
                }
            }
        });
        assert!(rows <= jet_reader::MAX_ROWS);
        if let Err(error) = read {
            assert_eq!(error.to_string().lines().count(), 1);
        }
    }
});

/// Both versions: every type; rows that were deleted and moved; text beyond offset 255; both kinds of usage maps; an encrypted one.
fn seeds() -> Vec<Vec<u8>> {
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
    ];
    let row = |number: i64| {
        vec![
            Cell::Yes(number % 2 == 0),
            Cell::Number(number),
            Cell::Text("o".repeat(if number == 4 { 250 } else { 3 })),
            Cell::Number(number - 300),
            Cell::Null,
            Cell::Number(number * 12_345),
            Cell::Real(0.5),
            Cell::Real(1e10),
            Cell::Real(36_000.25),
            Cell::Text(format!("Caf\u{e9} {number}")),
            Cell::Null,
        ]
    };
    let mixed = Table::new("Mixed", &types, (0..6).map(row).collect());
    let numbers = Table::new("Numbers", &types[3..5], vec![vec![Cell::Number(7); 2]; 2]);
    let tables = [mixed, numbers];
    [(Version::Jet3, 0), (Version::Jet4, 0), (Version::Jet3, 0x1234_5678)]
        .into_iter()
        .flat_map(|(version, key)| {
            [&tables[..], &tables[1..]].map(|tables| writer::database(version, key, tables))
        })
        .collect()
}
