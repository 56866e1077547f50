//! The reader of Jet databases beside `mdb-export` of mdbtools, an independent one: on real files, which
//! `scripts/fetch-jet-samples` fetches, and on files of both versions that this test writes itself.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "in a test the unexpected is a failure"
)]

mod peer;
mod samples;

use mcos::catalog::jet::Database;
use std::fs::File;
use std::io::BufReader;

#[test]
fn every_table_of_every_real_file_reads_as_mdb_export_reads_it() {
    let Some(files) = samples::files() else { return };
    if !peer::is_there() {
        return samples::skip(
            "mdb-export is not installed (apt-get install mdbtools): Jet files not compared",
        );
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
