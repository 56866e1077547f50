//! What commands print: plain lines and aligned columns.

use super::CliError;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Prints one line on stdout.
pub(super) fn line(text: &str) -> Result<(), CliError> {
    print(&format!("{text}\n"))
}

/// So many of a thing, in words.
pub(super) fn count(many: usize, thing: &str) -> String {
    format!("{many} {thing}{}", if many == 1 { "" } else { "s" })
}

/// A file that cannot be opened or read, and what to do.
pub(super) fn unreadable(file: &Path, error: &io::Error) -> CliError {
    let advice = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => match std::env::current_dir() {
            Ok(here) if file.is_relative() => {
                format!("check the name, or give the whole path; it was looked for in {}", here.display())
            }
            _ => "check the name and the folder".to_owned(),
        },
        ErrorKind::PermissionDenied => "use sudo, or let your user read it (chmod)".to_owned(),
        ErrorKind::IsADirectory => "this is a folder: name the file in it".to_owned(),
        _ => "check the disk, or use a copy of the file elsewhere".to_owned(),
    };
    CliError::Failed(format!("{}: the file cannot be read: {error}; {advice}", file.display()))
}

/// Opens a file to read it. A folder, or a device or pipe that could be read for ever, is refused.
pub(super) fn open_regular(path: &Path) -> Result<File, CliError> {
    let found = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if found.is_dir() {
        return Err(unreadable(path, &ErrorKind::IsADirectory.into()));
    }
    if !found.is_file() {
        let path = path.display();
        return Err(CliError::Failed(format!(
            "{path}: this is a device or a pipe and no file; name the file itself"
        )));
    }
    File::open(path).map_err(|error| unreadable(path, &error))
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
    fn what_to_do_about_a_missing_file_is_said() {
        let said = |name: &str, kind: ErrorKind| {
            let CliError::Failed(why) = unreadable(Path::new(name), &kind.into()) else { panic!("{name}") };
            why
        };
        let here = std::env::current_dir().unwrap();
        assert!(
            said("game.mdb", ErrorKind::NotFound).ends_with(&format!("looked for in {}", here.display()))
        );
        assert!(said("/none/game.mdb", ErrorKind::NotFound).contains("check the name and the folder"));
        assert!(said("game.mdb", ErrorKind::PermissionDenied).contains("sudo"));
        let there = tempfile::tempdir().unwrap();
        let refused = |path: &Path| format!("{:?}", open_regular(path).unwrap_err());
        assert!(refused(there.path()).contains("this is a folder: name the file in it"));
        assert!(refused(Path::new("/dev/zero")).contains("a device or a pipe"));
        let file = there.path().join("game.mdb");
        fs::write(&file, "x").unwrap();
        assert!(open_regular(&file).is_ok());
        assert_eq!((count(1, "account"), count(0, "persona")), ("1 account".into(), "0 personas".into()));
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let mut table = Table::new(["ID", "NAME"]);
        table.row(["1000".to_owned(), "bob".to_owned()]);
        table.row(["7".to_owned(), "alice".to_owned()]);
        assert_eq!(table.text(), "ID    NAME\n1000  bob\n7     alice\n");
    }
}
