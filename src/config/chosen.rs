//! What the Operator chose by number while the server runs: kept in a file of the data folder, a line such as `161 silent` for each.
//! A file, so that an older program passes it over.

use crate::atomic_file::{self, Access};
use crate::text_encoding;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// The most numbers for which something is chosen.
pub const MOST_CHOSEN: usize = 100;

/// The most bytes that are read of the file; a full one, with words in it, has far less.
const LARGEST_FILE: u64 = 64 * 1024;

/// What can be chosen for a number.
pub trait Choice: Copy {
    /// Within the data folder.
    const FILE: &'static str;

    /// As it is written in the file.
    fn word(self) -> &'static str;

    /// The other way round.
    fn from_word(word: &str) -> Option<Self>;
}

/// What is chosen, by number.
#[derive(Debug)]
pub struct Chosen<C> {
    file: PathBuf,
    chosen: RwLock<BTreeMap<u16, C>>,
}

impl<C: Choice> Chosen<C> {
    /// Those kept in the data folder `data`. A line that makes no sense is passed over, with a line in the log.
    pub fn load(data: &Path) -> Self {
        let file = data.join(C::FILE);
        let unread = |why: &dyn fmt::Display| {
            log::error!("{} cannot be read: {why}; nothing is chosen", file.display());
            String::new()
        };
        // Whoever mends it with Notepad may leave a byte order mark in it.
        let text = match atomic_file::read(&file, LARGEST_FILE) {
            Ok(bytes) => text_encoding::text(bytes).unwrap_or_else(|wrong| unread(&wrong.problem)),
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => unread(&error),
        };
        let mut chosen = BTreeMap::new();
        for line in text.lines() {
            match read(line) {
                Some((number, choice)) if chosen.len() < MOST_CHOSEN => {
                    chosen.insert(number, choice);
                }
                _ => log::warn!("{}: a line is passed over: {line:?}", file.display()),
            }
        }
        Self { file, chosen: RwLock::new(chosen) }
    }

    /// What is chosen for a number.
    pub fn of(&self, number: u16) -> Option<C> {
        self.chosen.read().unwrap_or_else(PoisonError::into_inner).get(&number).copied()
    }

    /// All of them, by number.
    pub fn all(&self) -> Vec<(u16, C)> {
        let chosen = self.chosen.read().unwrap_or_else(PoisonError::into_inner);
        chosen.iter().map(|(number, choice)| (*number, *choice)).collect()
    }

    /// Chooses something from now on, or takes the choice back. On the card once this has returned.
    ///
    /// # Errors
    /// What the system says; [`ErrorKind::QuotaExceeded`] if there are [`MOST_CHOSEN`] already. Nothing has changed then.
    pub fn choose(&self, number: u16, choice: Option<C>) -> io::Result<()> {
        let mut chosen = self.chosen.write().unwrap_or_else(PoisonError::into_inner);
        let mut new = chosen.clone();
        match choice {
            Some(choice) => new.insert(number, choice),
            None => new.remove(&number),
        };
        if new.len() > MOST_CHOSEN {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        atomic_file::replace(&self.file, Access::Owner, |file| {
            new.iter().try_for_each(|(number, choice)| writeln!(file, "{number} {}", choice.word()))
        })?;
        *chosen = new;
        Ok(())
    }
}

/// A number and what is chosen for it, in one line.
pub(super) fn read<C: Choice>(line: &str) -> Option<(u16, C)> {
    let (number, word) = line.trim().split_once(' ')?;
    Some((number.parse().ok()?, C::from_word(word.trim())?))
}

#[cfg(test)]
mod tests {
    use super::super::{ChosenAnswer, ChosenAnswers, ChosenPages};
    use super::*;
    use std::fs;

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
        assert_eq!(ChosenPages::load(data.path()).all(), [], "a file of its own");
    }

    #[test]
    fn there_is_a_bound_and_nonsense_is_passed_over() {
        let data = tempfile::tempdir().unwrap();
        let text = "\u{feff}161 silent\r\n70000 silent\n5\n6 loud\n";
        fs::write(data.path().join(ChosenAnswer::FILE), text).unwrap();
        let answers = ChosenAnswers::load(data.path());
        assert_eq!(answers.all(), [(161, ChosenAnswer::Silent)]);
        for number in 1000..1099 {
            answers.choose(number, Some(ChosenAnswer::Success)).unwrap();
        }
        assert!(answers.choose(2000, Some(ChosenAnswer::Success)).is_err());
        assert_eq!(answers.of(2000), None);
        answers.choose(161, None).unwrap();
        answers.choose(2000, Some(ChosenAnswer::Success)).unwrap();
        let file = data.path().join(ChosenAnswer::FILE);
        assert!(fs::metadata(&file).unwrap().len() < LARGEST_FILE / 8);
        fs::write(&file, "161 silent\n".repeat(10_000)).unwrap();
        assert_eq!(ChosenAnswers::load(data.path()).all(), [], "that is none of ours");
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        assert_eq!(ChosenAnswers::load(data.path()).all(), []);
    }
}
