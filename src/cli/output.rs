//! What commands print: plain lines and aligned columns.

use super::CliError;
pub(super) use crate::clock::day;
use serde::Serialize;
use std::io::{self, ErrorKind, Write};

/// Prints one line on stdout.
pub(super) fn line(text: &str) -> Result<(), CliError> {
    print(&format!("{text}\n"))
}

/// Prints a text that ends its last line itself.
pub(super) fn text(text: &str) -> Result<(), CliError> {
    print(text)
}

fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // `mcos account list | head` has seen enough.
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(CliError::Failed(format!("cannot print: {e}"))),
        _ => Ok(()),
    }
}

/// Prints what a program reads, as JSON on one line.
pub(super) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string(value).map_err(|e| CliError::Failed(format!("cannot print: {e}")))?;
    line(&text)
}

/// Aligned columns under their titles.
pub(super) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(titles: [&str; N]) -> Self {
        Self { rows: vec![titles.map(str::to_owned)] }
    }

    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    pub(super) fn print(&self) -> Result<(), CliError> {
        print(&self.text())
    }

    fn text(&self) -> String {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let cells: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let mut table = Table::new(["ID", "NAME"]);
        table.row(["1000".to_owned(), "bob".to_owned()]);
        table.row(["7".to_owned(), "alice".to_owned()]);
        assert_eq!(table.text(), "ID    NAME\n1000  bob\n7     alice\n");
    }
}
