//! Answers that the Operator chose while the server runs, for MCOTS requests that are not offered. They count before
//! `compat.mcots_silent` and `compat.mcots_success` and are kept in a file of the data folder, a line for each:
//! `161 silent`. A file, so that an older program passes it over.

use crate::atomic_file::{self, Access};
use crate::text_encoding;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::{fmt, fs};

/// The name of the file.
const FILE: &str = "mcots-answers.txt";
/// The most numbers that an answer is chosen for.
pub const MOST_CHOSEN: usize = 100;

/// How a request that is not offered is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenAnswer {
    /// 102.
    Failed,
    /// 101.
    Success,
    /// Not at all.
    Silent,
}

impl ChosenAnswer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Failed, Self::Success, Self::Silent];

    /// As it is written in `mcos.toml`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Success => "success",
            Self::Silent => "silent",
        }
    }

    /// The answer with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.word() == word)
    }
}

/// The answers that are chosen, by the number of the request.
#[derive(Debug)]
pub struct ChosenAnswers {
    file: PathBuf,
    chosen: RwLock<BTreeMap<u16, ChosenAnswer>>,
}

impl ChosenAnswers {
    /// Those kept in the data folder `data`. A line that makes no sense is passed over, with a line in the log.
    pub fn load(data: &Path) -> Self {
        let file = data.join(FILE);
        let unread = |why: &dyn fmt::Display| {
            log::error!("{} cannot be read: {why}; no answers are chosen", file.display());
            String::new()
        };
        // Whoever mends it with Notepad may leave a byte order mark in it.
        let text = match fs::read(&file) {
            Ok(bytes) => text_encoding::text(bytes).unwrap_or_else(|wrong| unread(&wrong.problem)),
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => unread(&error),
        };
        let mut chosen = BTreeMap::new();
        for line in text.lines() {
            match read(line) {
                Some((number, answer)) if chosen.len() < MOST_CHOSEN => {
                    chosen.insert(number, answer);
                }
                _ => log::warn!("{}: a line is passed over: {line:?}", file.display()),
            }
        }
        Self { file, chosen: RwLock::new(chosen) }
    }

    /// The answer chosen for a number.
    pub fn of(&self, number: u16) -> Option<ChosenAnswer> {
        self.chosen.read().unwrap_or_else(PoisonError::into_inner).get(&number).copied()
    }

    /// All of them, by number.
    pub fn all(&self) -> Vec<(u16, ChosenAnswer)> {
        let chosen = self.chosen.read().unwrap_or_else(PoisonError::into_inner);
        chosen.iter().map(|(number, answer)| (*number, *answer)).collect()
    }

    /// Chooses an answer from now on, or takes the choice back. On the card once this has returned.
    ///
    /// # Errors
    /// What the system says; [`ErrorKind::QuotaExceeded`] if there are [`MOST_CHOSEN`] already. Nothing has changed then.
    pub fn choose(&self, number: u16, answer: Option<ChosenAnswer>) -> io::Result<()> {
        let mut chosen = self.chosen.write().unwrap_or_else(PoisonError::into_inner);
        let mut new = chosen.clone();
        match answer {
            Some(answer) => new.insert(number, answer),
            None => new.remove(&number),
        };
        if new.len() > MOST_CHOSEN {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        atomic_file::replace(&self.file, Access::Owner, |file| {
            new.iter().try_for_each(|(number, answer)| writeln!(file, "{number} {}", answer.word()))
        })?;
        *chosen = new;
        Ok(())
    }
}

fn read(line: &str) -> Option<(u16, ChosenAnswer)> {
    let (number, word) = line.trim().split_once(' ')?;
    Some((number.parse().ok()?, ChosenAnswer::from_word(word.trim())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_survive_and_are_taken_back() {
        let data = tempfile::tempdir().unwrap();
        let answers = ChosenAnswers::load(data.path());
        answers.choose(161, Some(ChosenAnswer::Silent)).unwrap();
        answers.choose(391, Some(ChosenAnswer::Success)).unwrap();
        answers.choose(392, Some(ChosenAnswer::Failed)).unwrap();
        answers.choose(391, None).unwrap();
        let again = ChosenAnswers::load(data.path());
        assert_eq!(again.all(), [(161, ChosenAnswer::Silent), (392, ChosenAnswer::Failed)]);
        assert_eq!((again.of(161), again.of(391)), (Some(ChosenAnswer::Silent), None));
    }

    #[test]
    fn there_is_a_bound_and_nonsense_is_passed_over() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(FILE), "\u{feff}161 silent\r\n70000 silent\n5\n6 loud\n").unwrap();
        let answers = ChosenAnswers::load(data.path());
        assert_eq!(answers.all(), [(161, ChosenAnswer::Silent)]);
        for number in 1000..1099 {
            answers.choose(number, Some(ChosenAnswer::Success)).unwrap();
        }
        assert!(answers.choose(2000, Some(ChosenAnswer::Success)).is_err());
        assert_eq!(answers.of(2000), None);
        answers.choose(161, None).unwrap();
        answers.choose(2000, Some(ChosenAnswer::Success)).unwrap();
    }
}
