//! Switching a box off, or starting it anew. The server has no right to: it leaves a file, and the box's own program
//! (`image/overlay/usr/lib/mcos/box-request`) does it.

use crate::atomic_file::{self, Access};
use crate::services::Game;
use std::io::{self, Write as _};

/// What waits for the box's own program, in the data folder.
const FILE: &str = "power.staged";

/// What the box is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Switch itself off.
    Off,
    /// Start anew, with everything.
    Restart,
}

/// Whether there is a box that can be switched off.
pub fn is_there(game: &Game) -> bool {
    game.config.box_folder.is_some()
}

/// Asks for it. It happens within seconds, by way of an orderly end of the server.
///
/// # Errors
/// What the system says.
pub fn ask(game: &Game, wanted: Power) -> io::Result<()> {
    let word = match wanted {
        Power::Off => "off",
        Power::Restart => "restart",
    };
    atomic_file::replace(&game.data.join(FILE), Access::Owner, |new| writeln!(new, "{word}"))
}
