//! What the SD-card image makes of this program: a box with two slots for its system, which take turns in being replaced by a
//! signed update bundle. `docs/updating.md` has the formats and the reasons.
//!
//! The only floor that touches block devices. It stands on no other.

pub mod bundle;
pub mod card_probe;
pub mod disk;
mod error;
pub mod slot_sector;
mod staging;
pub mod wifi;

pub use bundle::{Bundle, Manifest, UpdateKey};
pub use disk::Disk;
pub use error::{ManifestError, StagingError, UpdateError};
pub use slot_sector::{Slot, SlotSector};
pub use staging::{MAX_BUNDLE, Staging, is_staged};

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Where the image keeps what a box knows about itself.
pub const FOLDER: &str = "/usr/lib/mcos";
/// Where the system says what came of the last update, in words; it may know that only after some starts.
pub const OUTCOME: &str = "/run/mcos-box/update-result.txt";
/// The folder with what the programs of the box have to say, below the folder of the box.
const NOTES: &str = "notes";
/// What the radio of the box hears, and what came of the last wish for another Wi-Fi, below the folder of the box.
const RADIO: [&str; 2] = ["wifi-heard", "wifi-outcome"];
/// What is read of what the radio hears, in bytes.
const MAX_REPORT: u64 = 64 * 1024;
/// What is read of any other such file, in bytes.
const MAX_TEXT: u64 = 4096;
/// The most files with notes, and the most notes in all.
const MOST_NOTES: usize = 20;

/// A box: what it must know to tell its own updates from all other files.
#[derive(Clone, Debug)]
pub struct Appliance {
    /// The kind of board, as in the names of bundles.
    pub board: String,
    /// Who may make updates for it.
    pub key: UpdateKey,
    /// The file with what came of the last update: [`OUTCOME`].
    pub outcome: PathBuf,
}

impl Appliance {
    /// The box whose image keeps these things in `folder`; `None` if there are none: this is no box.
    pub fn in_folder(folder: &Path) -> Result<Option<Self>, UpdateError> {
        if !key_file(folder).exists() {
            return Ok(None);
        }
        Ok(Some(Self {
            board: board(folder)?,
            key: UpdateKey::read(&key_file(folder))?,
            outcome: PathBuf::from(OUTCOME),
        }))
    }

    /// What came of the last update, a line each; nothing if there was none.
    pub fn last_update(&self) -> Vec<String> {
        lines(&self.outcome)
    }
}

/// What the programs of the box have to say: a sentence each, without a full stop. Each program has a file of its own in the
/// folder `notes` of the box, and a line in it for each note.
pub fn notes(folder: &Path) -> Vec<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.join(NOTES)).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort_unstable();
    files.iter().take(MOST_NOTES).flat_map(|file| lines(file)).take(MOST_NOTES).collect()
}

/// What the radio of the box hears, as `wpa_cli` says it; empty if nobody has asked.
pub fn radio_report(folder: &Path) -> String {
    let [heard, _] = RADIO;
    text(&folder.join(heard), MAX_REPORT)
}

/// What came of the last wish for another Wi-Fi: a sentence without a full stop.
pub fn radio_outcome(folder: &Path) -> Option<String> {
    let [_, outcome] = RADIO;
    lines(&folder.join(outcome)).into_iter().next()
}

/// The lines of a short file that are not empty. What can be read of it is better than nothing.
fn lines(path: &Path) -> Vec<String> {
    let text = text(path, MAX_TEXT);
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// At most so many bytes of a file; what can be read of it.
fn text(path: &Path, most: u64) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = file.take(most).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The file with the key that updates are signed with: the public half of it, in PEM form.
pub fn key_file(folder: &Path) -> PathBuf {
    folder.join("update-key.pub")
}

/// The kind of board: the first line of the file `board`.
pub fn board(folder: &Path) -> Result<String, UpdateError> {
    let path = folder.join("board");
    let text = fs::read_to_string(&path).map_err(UpdateError::unreadable(&path))?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}
