//! What the server did over the last day and the last month, for the plots of *Health*. It lies in the data folder as `history`, is
//! written seldom, and may be lost: nothing follows from it.

use crate::atomic_file::{self, Access};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The file in the data folder.
const FILE: &str = "history";
/// The version of its layout, its first byte.
const VERSION: u8 = 1;
/// The most bytes that are read of it; a full one has far less.
const LARGEST_FILE: u64 = 256 * 1024;

/// How long a stretch of time is shown, and how much of it one sample stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// 288 samples of five minutes.
    Day,
    /// 360 samples of two hours.
    Month,
}

impl Span {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Day, Self::Month];

    /// Seconds that one sample stands for.
    const fn step(self) -> u32 {
        match self {
            Self::Day => 5 * 60,
            Self::Month => 2 * 60 * 60,
        }
    }

    /// How far it reaches back, in seconds.
    const fn seconds(self) -> u32 {
        match self {
            Self::Day => 24 * 60 * 60,
            Self::Month => 30 * 24 * 60 * 60,
        }
    }

    const fn most(self) -> usize {
        match self {
            Self::Day => 288,
            Self::Month => 360,
        }
    }
}

/// What the server did in a stretch of time: the most at any moment of it, but the sum of the changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When it began, in seconds since 1970.
    pub at: u32,
    /// Players on line.
    pub players: u32,
    /// Races under way.
    pub races: u32,
    /// Changes that were saved.
    pub changes: u32,
    /// Resident memory of the process, in KiB.
    pub memory: u32,
    /// Temperature of the processor in degrees Celsius, if the board tells.
    pub temperature: Option<i16>,
}

impl Sample {
    fn and(self, later: Self) -> Self {
        Self {
            at: self.at,
            players: self.players.max(later.players),
            races: self.races.max(later.races),
            changes: self.changes.saturating_add(later.changes),
            memory: self.memory.max(later.memory),
            temperature: self.temperature.max(later.temperature),
        }
    }
}

/// The samples, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    day: VecDeque<Sample>,
    month: VecDeque<Sample>,
    /// Something happened since it was last written.
    #[serde(skip)]
    eventful: bool,
}

impl Kept {
    const fn of(&self, span: Span) -> &VecDeque<Sample> {
        match span {
            Span::Day => &self.day,
            Span::Month => &self.month,
        }
    }

    fn add(&mut self, span: Span, sample: Sample) {
        let samples = match span {
            Span::Day => &mut self.day,
            Span::Month => &mut self.month,
        };
        // The clock was set back: what is yet to come was never true.
        while samples.back().is_some_and(|last| last.at > sample.at) {
            samples.pop_back();
        }
        let begin = sample.at - sample.at % span.step();
        match samples.back_mut() {
            Some(last) if last.at == begin => *last = last.and(sample),
            _ => samples.push_back(Sample { at: begin, ..sample }),
        }
        let oldest = sample.at.saturating_sub(span.seconds());
        while samples.len() > span.most() || samples.front().is_some_and(|first| first.at < oldest) {
            samples.pop_front();
        }
    }
}

/// The history of a server, which is kept while it runs.
#[derive(Debug)]
pub struct History {
    file: PathBuf,
    kept: Mutex<Kept>,
}

impl History {
    /// As it was left in the data folder; empty if it cannot be read.
    pub fn open(data: &Path) -> Self {
        let file = data.join(FILE);
        let kept = read(&file).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                log::warn!("{}: {error}; the plots of Health begin anew", file.display());
            }
            Kept::default()
        });
        Self { file, kept: Mutex::new(kept) }
    }

    /// Adds what was seen now. To be called about once a minute.
    pub fn add(&self, sample: Sample) {
        let mut kept = self.kept();
        for span in Span::ALL {
            kept.add(span, sample);
        }
        kept.eventful |= sample.players > 0 || sample.changes > 0;
    }

    /// The samples of a span, the oldest first.
    pub fn samples(&self, span: Span) -> Vec<Sample> {
        self.kept().of(span).iter().copied().collect()
    }

    /// Writes it to the card if anybody played or anything was changed since the last time: an idle box writes nothing.
    ///
    /// # Errors
    /// If it cannot be written; the next attempt writes all of it.
    pub fn save(&self) -> io::Result<()> {
        let mut bytes = vec![VERSION];
        {
            let mut kept = self.kept();
            if !mem::take(&mut kept.eventful) {
                return Ok(());
            }
            bytes.extend(postcard::to_stdvec(&*kept).map_err(io::Error::other)?);
        }
        atomic_file::replace(&self.file, Access::Owner, |file| file.write_all(&bytes))
            .inspect_err(|_| self.kept().eventful = true)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(file: &Path) -> io::Result<Kept> {
    let bytes = atomic_file::read(file, LARGEST_FILE)?;
    let Some((&VERSION, rest)) = bytes.split_first() else {
        return Err(io::Error::other("it is of another version"));
    };
    postcard::from_bytes(rest).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn sample(at: u32, players: u32, changes: u32) -> Sample {
        Sample { at, players, changes, ..Sample::default() }
    }

    #[test]
    fn a_day_and_a_month_are_kept_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path());
        let begin = 1_700_006_400;
        (0..40 * 24 * 60).for_each(|minute| history.add(sample(begin + minute * 60, minute % 7, 1)));
        let [day, month] = Span::ALL.map(|span| history.samples(span));
        assert_eq!((day.len(), month.len()), (288, 360));
        assert!(day.iter().all(|sample| (sample.players, sample.changes) == (6, 5) || sample.players >= 4));
        assert!(month.iter().all(|sample| (sample.players, sample.changes) == (6, 120)));
        assert!(day.windows(2).all(|pair| pair[1].at - pair[0].at == 300));
        history.save().unwrap();
        let again = History::open(folder.path());
        assert_eq!(again.samples(Span::Month), month);
        assert!(fs::metadata(folder.path().join(FILE)).unwrap().len() < LARGEST_FILE / 8);
    }

    #[test]
    fn a_box_that_is_on_in_the_evening_shows_a_day_and_not_a_week_of_evenings() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path());
        for evening in 0..12 {
            (0..24).for_each(|at| history.add(sample(1_700_006_400 + evening * 86_400 + at * 300, 1, 1)));
        }
        let day = history.samples(Span::Day);
        assert!(day.last().unwrap().at - day[0].at <= 86_400, "{day:?}");
        assert!(history.samples(Span::Month).len() >= 12);
    }

    #[test]
    fn a_clock_that_is_set_back_takes_the_future_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path());
        for at in [3_000, 6_000, 9_000, 4_000] {
            history.add(sample(at, 1, 0));
        }
        let moments: Vec<_> = history.samples(Span::Day).iter().map(|sample| sample.at).collect();
        assert_eq!(moments, [3_000, 3_900]);
    }

    #[test]
    fn an_idle_hour_writes_nothing_and_odd_files_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let history = History::open(folder.path());
        history.add(sample(60, 0, 0));
        history.save().unwrap();
        assert!(!file.exists());
        history.add(sample(120, 0, 1));
        history.save().unwrap();
        let whole = fs::read(&file).unwrap();
        for odd in [&b""[..], b"\x02", b"\x01\xff\xff\xff\xff\xff\xff", &whole[..whole.len() - 1]] {
            fs::write(&file, odd).unwrap();
            assert_eq!(History::open(folder.path()).samples(Span::Day), []);
        }
        // What is no file is not waited for.
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        assert_eq!(History::open(folder.path()).samples(Span::Day), []);
    }
}
