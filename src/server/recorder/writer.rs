//! The one thread that writes recordings, and the bounds it keeps.

use super::Bounds;
use crate::recording::Line;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

/// What is kept free in each file, in bytes, for the line that says why it ends.
const NOTE: u64 = 256;

/// Something to do.
pub(super) enum Job {
    /// A connection was made.
    Open {
        file: u64,
        /// Name of the file.
        name: String,
        line: Line,
        /// To be set once nothing more is wanted.
        stopped: Arc<AtomicBool>,
    },
    /// Something happened on it.
    Line {
        file: u64,
        line: Line,
        /// Held so that the file is not taken for abandoned.
        _stopped: Arc<AtomicBool>,
    },
    /// The server ends.
    Finish,
}

/// A file that is being written.
struct Sheet {
    file: File,
    /// Bytes in it.
    size: u64,
    stopped: Arc<AtomicBool>,
}

pub(super) struct Writer {
    folder: PathBuf,
    bounds: Bounds,
    waiting: Arc<AtomicUsize>,
    full: Arc<OnceLock<&'static str>>,
    sheets: HashMap<u64, Sheet>,
    /// Bytes of all files.
    written: u64,
}

impl Writer {
    pub(super) fn new(
        folder: &Path,
        bounds: Bounds,
        waiting: Arc<AtomicUsize>,
        full: Arc<OnceLock<&'static str>>,
    ) -> Self {
        let folder = folder.to_owned();
        Self { folder, bounds, waiting, full, sheets: HashMap::new(), written: 0 }
    }

    /// Works until told to finish.
    pub(super) fn run(mut self, jobs: &Receiver<(Job, usize)>) {
        while let Ok((job, weight)) = jobs.recv() {
            let done = match job {
                Job::Open { file, name, line, stopped } => self.open(file, &name, &line, stopped),
                Job::Line { file, line, .. } => self.line(file, &line),
                Job::Finish => return self.finish(),
            };
            self.waiting.fetch_sub(weight, Ordering::Relaxed);
            if let Err(error) = done {
                log::error!("recording ends: cannot write to {}: {error}", self.folder.display());
                self.give_up();
            }
        }
    }

    fn open(&mut self, number: u64, name: &str, line: &Line, stopped: Arc<AtomicBool>) -> io::Result<()> {
        if self.full.get().is_some() {
            stopped.store(true, Ordering::Relaxed);
            return Ok(());
        }
        // A connection whose last line found no room in the queue left its file open.
        self.sheets.retain(|_, sheet| Arc::strong_count(&sheet.stopped) > 1);
        let sheets = u64::try_from(self.sheets.len()).unwrap_or(u64::MAX);
        if self.written + NOTE * (sheets + 2) > self.bounds.run {
            self.note_full();
            stopped.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let path = self.folder.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        self.sheets.insert(number, Sheet { file, size: 0, stopped });
        self.line(number, line)
    }

    fn line(&mut self, number: u64, line: &Line) -> io::Result<()> {
        let reserved = NOTE * u64::try_from(self.sheets.len()).unwrap_or(u64::MAX);
        let Some(sheet) = self.sheets.get_mut(&number) else { return Ok(()) };
        let text = text_of(line)?;
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let Bounds { file, run, .. } = self.bounds;
        let why = if self.written + length + reserved > run {
            Some(format!("all files together have reached the bound of {run} bytes"))
        } else if sheet.size + length + NOTE > file {
            Some(format!("this file has reached the bound of {file} bytes"))
        } else {
            None
        };
        let run_ends = self.written + length + reserved > run;
        let last = why.is_some() || matches!(line, Line::End { .. });
        let text = match why {
            Some(why) => text_of(&Line::Stopped { why })?,
            None => text,
        };
        // One write for each line: what is there after a power cut is whole lines.
        sheet.file.write_all(&text)?;
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        sheet.size += length;
        self.written += length;
        if last {
            sheet.stopped.store(true, Ordering::Relaxed);
            self.sheets.remove(&number);
        }
        if run_ends {
            self.note_full();
        }
        Ok(())
    }

    /// Says in the files of connections that are still open that nothing more is recorded.
    fn finish(mut self) {
        let Ok(text) =
            text_of(&Line::Stopped { why: "the recording ended before the connection".to_owned() })
        else {
            return;
        };
        for (_, mut sheet) in self.sheets.drain() {
            sheet.stopped.store(true, Ordering::Relaxed);
            // The card does not take it: the file is as good without.
            let _ = sheet.file.write_all(&text);
        }
    }

    fn note_full(&self) {
        if self.full.set("it has reached its bound").is_ok() {
            let bound = self.bounds.run;
            log::warn!("recording ends: all files together have reached the bound of {bound} bytes");
        }
    }

    fn give_up(&mut self) {
        // Kept is what came first.
        let _ = self.full.set("the card did not take what was recorded");
        for (_, sheet) in self.sheets.drain() {
            sheet.stopped.store(true, Ordering::Relaxed);
        }
    }
}

fn text_of(line: &Line) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}
