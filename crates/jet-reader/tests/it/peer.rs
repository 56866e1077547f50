//! `mdb-export`, and what it says of a table beside what we say.

use jet_reader::{Database, Kind, Value};
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};

const CELL: char = '\u{1F}';
const ROW: char = '\u{1E}';
const NULL: &str = "\u{1D}";

pub(crate) fn is_there() -> bool {
    Command::new("mdb-export").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Reads a table both ways and compares every cell of every kind that we read. Says how many there were. The order of
/// rows may differ: rows that have moved are shown where they were by us, and where they are by `mdb-export`.
pub(crate) fn compare<R: Read + Seek>(file: &Path, database: &mut Database<R>, name: &str) -> usize {
    let whose = format!("{} {name}", file.display());
    let table = database.table(name).unwrap().unwrap();
    let theirs = export(file, name);
    let mut theirs: Vec<Vec<&str>> =
        theirs.split_terminator(ROW).map(|row| row.split(CELL).collect()).collect();
    assert!(theirs.iter().all(|row| row.len() == table.columns.len()), "{whose}: columns");
    theirs.reverse();
    let read_kinds = table.columns.iter().filter(|column| !matches!(column.kind, Kind::Other(_))).count();
    let mut cells = 0;
    let read = database.rows(&table, |ours| {
        let same = |theirs: &Vec<&str>| ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs));
        let Some(at) = theirs.iter().rposition(same) else {
            panic!("{whose}: {ours:?} is not among what is left, next {:?}", theirs.last())
        };
        theirs.remove(at);
        cells += read_kinds;
    });
    read.unwrap_or_else(|error| panic!("{whose}: {error}"));
    assert!(theirs.is_empty(), "{whose}: we lack {theirs:?}");
    cells
}

/// Everything in a table, with separators that occur in no text.
pub(crate) fn export(file: &Path, table: &str) -> String {
    let dates = "%Y-%m-%d %H:%M:%S";
    let output = Command::new("mdb-export")
        .args(["-H", "-Q", "-b", "strip", "-D", dates, "-T", dates, "-0", NULL])
        .args(["-d", &CELL.to_string(), "-R", &ROW.to_string()])
        .args([file.as_os_str(), table.as_ref()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn is_same(ours: &Value, theirs: &str) -> bool {
    match ours {
        Value::Null => theirs == NULL,
        Value::Boolean(value) => theirs == if *value { "1" } else { "0" },
        Value::Integer(value) => theirs == value.to_string(),
        Value::Currency(value) => {
            let sign = if *value < 0 { "-" } else { "" };
            let parts = value.unsigned_abs();
            theirs == format!("{sign}{}.{:04}", parts / 10_000, parts % 10_000)
        }
        Value::Real(value) => theirs.parse::<f64>().is_ok_and(|theirs| {
            (theirs - value).abs() <= value.abs() * 1e-7 || theirs.to_bits() == value.to_bits()
        }),
        // Of days before its first one mdb-export says this, whichever it is.
        Value::DateTime(days) if *days < 1.0 => theirs.starts_with("1900-01-00"),
        Value::DateTime(days) => theirs == moment(*days),
        Value::Text(text) => theirs == text,
        Value::Other => true,
    }
}

/// As `mdb-export` writes a moment.
#[allow(clippy::cast_possible_truncation, reason = "days of a calendar")]
fn moment(days: f64) -> String {
    let seconds = (days.fract().abs() * 86_400.0).round() as i64;
    // The civil calendar from days since 1 March of the year 0.
    let days = days.trunc() as i64 + 693_899;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
