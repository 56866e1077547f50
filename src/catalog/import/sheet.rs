//! A table of the owner's database, found by its name and columns however these are spelt.
//!
//! The original writes `StockAssembly` and `BrandedPartID`, the community's copies `stock_assembly` and
//! `branded_part_id`: letters and digits decide. Columns come in any order, and there are many that nobody needs.

use super::ImportError;
use crate::catalog::imported::PricingGuide;
use jet_reader::{Database, Kind, Table, Value};
use std::io::{Read, Seek};

/// A column that is wanted: what it may be called, the first being the original.
pub(super) struct Wanted {
    pub(super) names: &'static [&'static str],
    pub(super) needed: bool,
}

pub(super) const fn need(names: &'static [&'static str]) -> Wanted {
    Wanted { names, needed: true }
}

pub(super) const fn may(names: &'static [&'static str]) -> Wanted {
    Wanted { names, needed: false }
}

/// What names have in common however they are spelt.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    let name = folded(name);
    names.iter().any(|known| folded(known) == name)
}

/// The wanted cells of one row.
pub(super) struct Cells<'a> {
    values: &'a [Value],
    places: &'a [Option<usize>],
}

impl Cells<'_> {
    fn value(&self, wanted: usize) -> Option<&Value> {
        self.values.get((*self.places.get(wanted)?)?)
    }

    /// A number that is not negative.
    pub(super) fn number(&self, wanted: usize) -> Option<u32> {
        match self.value(wanted)? {
            Value::Integer(value) => u32::try_from(*value).ok(),
            Value::Boolean(value) => Some(u32::from(*value)),
            Value::Currency(value) => u32::try_from(*value / 10_000).ok(),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
            Value::Real(value) => {
                (value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value)).then_some(*value as u32)
            }
            Value::Text(text) => text.trim().parse().ok(),
            Value::Null | Value::DateTime(_) | Value::Other => None,
        }
    }

    /// A number that is not negative; 0 where there is none.
    pub(super) fn number_or_0(&self, wanted: usize) -> u32 {
        self.number(wanted).unwrap_or_default()
    }

    /// A number that says yes.
    pub(super) fn is_set(&self, wanted: usize) -> bool {
        self.number_or_0(wanted) != 0
    }

    /// A text without space around it; empty where there is none.
    pub(super) fn text(&self, wanted: usize) -> String {
        match self.value(wanted) {
            Some(Value::Text(text)) => text.trim().to_owned(),
            Some(Value::Integer(number)) => number.to_string(),
            _ => String::new(),
        }
    }
}

/// The first of these tables that may be called so.
fn named<'a>(mut tables: impl Iterator<Item = &'a str>, names: &[&str]) -> Option<String> {
    tables.find(|name| is_one_of(name, names)).map(str::to_owned)
}

/// Takes every row of a table for which `take` has something. None where there is no such table; none and a note where it cannot
/// be used.
pub(super) fn optional<R: Read + Seek, T>(
    database: &mut Database<R>,
    notes: &mut Vec<String>,
    names: &[&'static str],
    columns: &[Wanted],
    take: impl FnMut(Cells<'_>) -> Option<T>,
) -> Result<Vec<T>, ImportError> {
    let unused = match rows(database, names, columns, take) {
        Ok(Taken { rows, passed_over: 0 }) => return Ok(rows),
        Ok(Taken { rows, passed_over }) => {
            let table = original(names);
            notes.push(format!("{passed_over} rows of the table {table} have no number and are not used"));
            return Ok(rows);
        }
        Err(ImportError::NoTable(_)) => return Ok(Vec::new()),
        Err(ImportError::NoColumn(table, column)) => {
            format!("the table {table} has no column {column} and is not used")
        }
        Err(ImportError::Linked(table)) => in_another_file(table),
        Err(error) => return Err(error),
    };
    notes.push(unused);
    Ok(Vec::new())
}

fn in_another_file(table: &str) -> String {
    format!("the table {table} is in another file, to which this one leads, and is not used")
}

/// The same with a table without which there is no catalogue, or without any of whose rows.
pub(super) fn needed<R: Read + Seek, T>(
    database: &mut Database<R>,
    names: &[&'static str],
    columns: &[Wanted],
    take: impl FnMut(Cells<'_>) -> Option<T>,
) -> Result<Vec<T>, ImportError> {
    let Taken { rows, passed_over } = rows(database, names, columns, take)?;
    match (rows.is_empty(), passed_over) {
        (_, 1..) => Err(ImportError::Numbers(original(names))),
        (true, 0) => Err(ImportError::NoRows(original(names))),
        (false, 0) => Ok(rows),
    }
}

/// What was taken of a table, and how many rows were not.
struct Taken<T> {
    rows: Vec<T>,
    passed_over: usize,
}

/// What the original calls a table that may be called so.
fn original(names: &[&'static str]) -> &'static str {
    names.first().copied().unwrap_or_default()
}

fn rows<R: Read + Seek, T>(
    database: &mut Database<R>,
    names: &[&'static str],
    columns: &[Wanted],
    mut take: impl FnMut(Cells<'_>) -> Option<T>,
) -> Result<Taken<T>, ImportError> {
    let original = original(names);
    let Some(name) = named(database.table_names(), names) else {
        let linked = named(database.link_names(), names).is_some();
        return Err(if linked { ImportError::Linked(original) } else { ImportError::NoTable(original) });
    };
    let table = database.table(&name)?.ok_or(ImportError::NoTable(original))?;
    let places =
        columns.iter().map(|wanted| place(&table, wanted, original)).collect::<Result<Vec<_>, _>>()?;
    let (mut rows, mut passed_over) = (Vec::new(), 0);
    database.rows(&table, |values| match take(Cells { values, places: &places }) {
        Some(row) => rows.push(row),
        None => passed_over += 1,
    })?;
    Ok(Taken { rows, passed_over })
}

fn place(table: &Table, wanted: &Wanted, whose: &'static str) -> Result<Option<usize>, ImportError> {
    let found = wanted
        .names
        .iter()
        .find_map(|known| table.columns.iter().position(|column| is_one_of(&column.name, &[*known])));
    match found {
        None if wanted.needed => {
            Err(ImportError::NoColumn(whose, wanted.names.first().copied().unwrap_or_default()))
        }
        found => Ok(found),
    }
}

/// Every column that holds numbers, under its own name.
pub(super) fn numbers<R: Read + Seek>(
    database: &mut Database<R>,
    notes: &mut Vec<String>,
    names: &[&'static str],
) -> Result<PricingGuide, ImportError> {
    let Some(name) = named(database.table_names(), names) else {
        if named(database.link_names(), names).is_some() {
            notes.push(in_another_file(original(names)));
        }
        return Ok(PricingGuide::default());
    };
    let Some(table) = database.table(&name)? else { return Ok(PricingGuide::default()) };
    let has_numbers = |kind| !matches!(kind, Kind::Text | Kind::DateTime | Kind::Other(_));
    let places: Vec<usize> = (0..table.columns.len())
        .filter(|&at| table.columns.get(at).is_some_and(|c| has_numbers(c.kind)))
        .collect();
    let columns =
        places.iter().filter_map(|&at| table.columns.get(at)).map(|column| column.name.clone()).collect();
    let mut rows = Vec::new();
    database.rows(&table, |values| {
        rows.push(places.iter().map(|&at| values.get(at).map_or(0.0, number)).collect());
    })?;
    Ok(PricingGuide { columns, rows })
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Boolean(value) => f64::from(u8::from(*value)),
        Value::Integer(value) => f64::from(*value),
        #[allow(clippy::cast_precision_loss, reason = "money of a game")]
        Value::Currency(value) => *value as f64 / 10_000.0,
        Value::Real(value) => *value,
        Value::Null | Value::DateTime(_) | Value::Text(_) | Value::Other => 0.0,
    }
}
