//! The Wi-Fi of a box, changed from a page. The server has no radio: it leaves a file, and the box's own program
//! (`image/overlay/usr/lib/mcos/box-radio`) looks, tries, and goes back where a network does not let the box in.

use crate::appliance::{self, wifi};
use crate::atomic_file::{self, Access};
use crate::services::Game;
use std::io::{self, Write as _};

/// Asks which networks are in reach, in the data folder.
const LOOK: &str = "wifi-look.staged";
/// The `wifi.txt` to try, in the data folder.
const TRY: &str = "wifi.staged";

/// What is known of the Wi-Fi.
#[derive(Debug, Default)]
pub struct Radio {
    /// What was heard when somebody last asked.
    pub heard: wifi::Heard,
    /// What came of the last wish, for people: a sentence without a full stop.
    pub outcome: Option<String>,
    /// Whether a wish waits for the box's own program.
    pub waits: bool,
}

/// What is known of the Wi-Fi; `None`: this is no box.
pub fn state(game: &Game) -> Option<Radio> {
    let folder = game.config.box_folder.as_deref()?;
    Some(Radio {
        heard: wifi::heard(&appliance::radio_report(folder)),
        outcome: appliance::radio_outcome(folder),
        waits: [LOOK, TRY].iter().any(|name| game.data.join(name).exists()),
    })
}

/// Has the box look which networks are in reach.
///
/// # Errors
/// What the system says.
pub fn look(game: &Game) -> io::Result<()> {
    atomic_file::replace(&game.data.join(LOOK), Access::Owner, |_| Ok(()))
}

/// Has the box try a network: it stays in it only if it gets in within a minute. Without a password it is an open one, and without a
/// country only channels are used that are permitted everywhere.
///
/// # Errors
/// What is wrong with what was typed, or what the system says: a sentence without a full stop.
pub fn join(game: &Game, country: &str, network: &str, password: &str) -> Result<(), String> {
    let file = wifi::file(country, network, password)?;
    atomic_file::replace(&game.data.join(TRY), Access::Owner, |new| new.write_all(file.as_bytes()))
        .map_err(|error| format!("the wish cannot be written: {error}"))
}
