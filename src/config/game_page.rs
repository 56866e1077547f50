//! Which page of this server the game opens by which number: nobody knows what each of them was, so people choose as they find out.

use super::chosen::{self, Choice, Chosen};

/// A page of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GamePage(&'static str);

/// The pages that are chosen, by the number that the game knows. They count before `compat.game_pages`.
pub type ChosenPages = Chosen<GamePage>;

impl GamePage {
    /// All that can be chosen.
    pub const ALL: [Self; 22] = [
        Self("/"),
        Self("/news"),
        Self("/players"),
        Self("/races"),
        Self("/records"),
        Self("/boards"),
        Self("/live"),
        Self("/clubs"),
        Self("/turfs"),
        Self("/events"),
        Self("/seasons"),
        Self("/rewards"),
        Self("/market"),
        Self("/auctions"),
        Self("/me"),
        Self("/me/garage"),
        Self("/me/mail"),
        Self("/account"),
        Self("/password"),
        Self("/kit"),
        Self("/help"),
        Self("/diagnose"),
    ];

    /// The number and the page in a line of `compat.game_pages`, such as `5 /boards`.
    pub fn line(line: &str) -> Option<(u16, Self)> {
        chosen::read(line)
    }
}

impl Choice for GamePage {
    const FILE: &'static str = "game-pages.txt";

    fn word(self) -> &'static str {
        self.0
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.0 == word)
    }
}
