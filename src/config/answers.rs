//! Answers that the Operator chose for MCOTS requests that are not offered. They count before `compat.mcots_silent` and
//! `compat.mcots_success`.

use super::chosen::{Choice, Chosen};

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

/// The answers that are chosen, by the number of the request.
pub type ChosenAnswers = Chosen<ChosenAnswer>;

impl ChosenAnswer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Failed, Self::Success, Self::Silent];
}

impl Choice for ChosenAnswer {
    const FILE: &'static str = "mcots-answers.txt";

    fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Success => "success",
            Self::Silent => "silent",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.word() == word)
    }
}
