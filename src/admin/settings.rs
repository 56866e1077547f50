//! `mcos.toml` changed from a page: the file is checked before it is replaced, its last versions are kept, and on a box the card's own
//! copy changes too. What was changed counts from the next start of the server.

use crate::atomic_file::{self, Access};
use crate::config::{self, Config, ConfigError};
use crate::services::Game;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How many versions of the file are kept before it was changed by a page.
pub const MOST_KEPT: usize = 3;
/// What the box's own program takes to the card, in the data folder (`image/overlay/usr/lib/mcos/box-request`).
const FOR_THE_CARD: &str = "mcos.toml.staged";
/// What tells the file as the last change by a page left it, in the data folder.
const LEFT: &str = "mcos.toml.left";
/// How long it may take.
const CARD_TIMEOUT: Duration = Duration::from_secs(20);

/// One page changes the file at a time.
static CHANGING: Mutex<()> = Mutex::new(());

/// Why the settings are as they were.
#[derive(Debug)]
pub enum SettingsError {
    /// The file has a mistake.
    Mistake(ConfigError),
    /// It would have one by what was typed.
    Refused(ConfigError),
    /// The file is not what it was when the page was made, or what the last change left.
    Changed,
    /// Whoever changed `network.allow` could not open the page any more.
    LocksOut(IpAddr),
    /// A file could not be read or written.
    File(PathBuf, io::Error),
    /// The box has not written its card.
    Card,
    /// No version from before a change is kept.
    NothingKept,
    /// The server runs without a file for its settings.
    NoFile,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mistake(error) => write!(f, "there is a mistake in {}", error.in_words()),
            Self::Refused(error) => match &error.key {
                // As the field on the page is called, in which nothing stands between quotation marks.
                Some(key) => {
                    let name = key.rsplit('.').next().unwrap_or_default().replace('_', " ");
                    let problem = error.problem.replace(", in quotes", "").replace(" in quotes", "");
                    write!(f, "{name} {problem}")
                }
                None => write!(f, "{}", error.in_words()),
            },
            Self::Changed => f.write_str(
                "the settings were changed meanwhile, by another page or in the file itself; look at them as they are now, and change them again",
            ),
            Self::LocksOut(own) => write!(
                f,
                "allow would not let in your own address, {own}: you could not open this page any more; add your network"
            ),
            Self::File(path, error) if error.kind() == ErrorKind::ReadOnlyFilesystem => write!(
                f,
                "the server may not write {}: it runs as a service of this computer; change the file as the computer's administrator",
                path.display()
            ),
            Self::File(path, error) => {
                write!(f, "cannot write {} ({error}): {}", path.display(), atomic_file::advice(error))
            }
            Self::Card => f.write_str(
                "the box could not write its card; look at the page Health, and at whether the card is write-protected or full",
            ),
            Self::NothingKept => f.write_str("no earlier settings are kept"),
            Self::NoFile => f.write_str("this server runs without a file for its settings"),
        }
    }
}

/// The text of the settings as they are on the card now, not as they were at the start.
///
/// # Errors
/// If the file cannot be read.
pub fn text(game: &Game) -> Result<String, SettingsError> {
    config::text_of(file(game)?).map_err(SettingsError::Mistake)
}

/// What tells one text of the settings from another.
pub fn mark(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

/// Why a server that is started with the settings as they are now would not run. A box runs whatever they say.
pub fn keeps_from_starting(game: &Game) -> Option<SettingsError> {
    if game.config.box_folder.is_some() || game.config.file.is_none() {
        return None;
    }
    text(game).and_then(|text| Config::parse(&text).map_err(SettingsError::Mistake)).err()
}

/// Whether the file says something else than what counts.
pub fn waits_for_start(game: &Game) -> bool {
    text(game)
        .ok()
        .and_then(|text| Config::parse(&text).ok())
        .is_some_and(|there| !there.says_the_same(&game.config))
}

/// Changes keys of a section to what was typed on a page, which somebody at `peer` has open. `shown`: the [`mark`] of the settings that
/// the page showed; empty if it does not matter. `false`: they were so already.
///
/// # Errors
/// [`SettingsError`]; the settings are as they were, except that a box which does not write its card may do it later.
pub fn change(
    game: &Game,
    section: &str,
    typed: &[(&str, &str)],
    shown: &str,
    peer: IpAddr,
) -> Result<bool, SettingsError> {
    let _alone = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let before = text(game)?;
    Config::parse(&before).map_err(SettingsError::Mistake)?;
    if !shown.is_empty() && shown != mark(&before) {
        return Err(SettingsError::Changed);
    }
    let after = config::change(&before, section, typed).map_err(SettingsError::Refused)?;
    if after == before {
        return Ok(false);
    }
    may_stay(game, &after, peer)?;
    let by_hand = !was_left(&game.data, &before);
    write(game, &after)?;
    if let Err(error) = keep(&game.data, &before, &after, by_hand) {
        log::warn!("the settings are changed, but this cannot be taken back by a page: {error}");
    }
    Ok(true)
}

/// Brings back the settings from before the last change by a page, if nothing else has changed them since.
///
/// # Errors
/// [`SettingsError`]; the settings are as they were.
pub fn undo(game: &Game, peer: IpAddr) -> Result<(), SettingsError> {
    let _alone = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let last = kept_at(&game.data, 1);
    let before = match fs::exists(&last) {
        Ok(true) => config::text_of(&last).map_err(SettingsError::Mistake)?,
        _ => return Err(SettingsError::NothingKept),
    };
    if !was_left(&game.data, &text(game)?) {
        return Err(SettingsError::Changed);
    }
    may_stay(game, &before, peer)?;
    write(game, &before)?;
    if let Err(error) = forget_last(&game.data).and_then(|()| note_left(&game.data, &before)) {
        log::warn!(
            "the settings are as they were before the last change, which is kept nevertheless: {error}"
        );
    }
    Ok(())
}

/// How many changes can be taken back: none since the file was changed by something else.
pub fn undoable(game: &Game) -> usize {
    if !text(game).is_ok_and(|text| was_left(&game.data, &text)) {
        return 0;
    }
    (1..=MOST_KEPT).take_while(|nth| kept_at(&game.data, *nth).is_file()).count()
}

fn file(game: &Game) -> Result<&Path, SettingsError> {
    game.config.file.as_deref().ok_or(SettingsError::NoFile)
}

fn kept_at(data: &Path, nth: usize) -> PathBuf {
    data.join(format!("mcos.toml.before-{nth}"))
}

/// Whether the settings are as the last change by a page left them.
fn was_left(data: &Path, text: &str) -> bool {
    fs::read(data.join(LEFT)).is_ok_and(|left| left == mark(text).as_bytes())
}

fn note_left(data: &Path, text: &str) -> io::Result<()> {
    atomic_file::replace(&data.join(LEFT), Access::Owner, |new| new.write_all(mark(text).as_bytes()))
}

/// Whether whoever asks is still let in.
fn may_stay(game: &Game, text: &str, peer: IpAddr) -> Result<(), SettingsError> {
    let allowed = Config::parse(text).map_err(SettingsError::Mistake)?.network.allow;
    if game.world.access_list.with(allowed).admits(peer) {
        Ok(())
    } else {
        Err(SettingsError::LocksOut(peer))
    }
}

/// Keeps the version before a change; the oldest goes. What was kept before the file was changed `by_hand` goes as well: to bring it
/// back would undo that, too.
fn keep(data: &Path, before: &str, after: &str, by_hand: bool) -> io::Result<()> {
    for nth in (1..MOST_KEPT).rev() {
        let moved = if by_hand {
            fs::remove_file(kept_at(data, nth + 1))
        } else {
            fs::rename(kept_at(data, nth), kept_at(data, nth + 1))
        };
        match moved {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    atomic_file::replace(&kept_at(data, 1), Access::Owner, |new| new.write_all(before.as_bytes()))?;
    note_left(data, after)
}

/// Keeps the newest version no longer.
fn forget_last(data: &Path) -> io::Result<()> {
    for nth in 1..=MOST_KEPT {
        match fs::rename(kept_at(data, nth + 1), kept_at(data, nth)) {
            // The oldest one, unless it has just been moved.
            Err(error) if error.kind() == ErrorKind::NotFound => match fs::remove_file(kept_at(data, nth)) {
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                removed => return removed,
            },
            moved => moved?,
        }
    }
    Ok(())
}

fn replace(file: &Path, text: &str) -> Result<(), SettingsError> {
    // The file itself, if its name is a link; who could read it can read it still.
    let place = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let readable = fs::metadata(&place).is_ok_and(|file| file.permissions().mode() & 0o044 != 0);
    let access = if readable { Access::Everyone } else { Access::Owner };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = atomic_file::replace(&place, access, |new| {
        new.write_all(text.as_bytes())?;
        new.give_to_owner_of(folder)
    });
    written.map_err(|error| SettingsError::File(place.clone(), error))
}

/// Writes the settings to where the next start reads them.
fn write(game: &Game, text: &str) -> Result<(), SettingsError> {
    let file = file(game)?;
    // Who has edited it with Windows goes on doing so, and Notepad of Windows XP shows nothing else in lines.
    let windows = game.config.box_folder.is_some()
        || fs::read(file).is_ok_and(|bytes| bytes.windows(2).any(|pair| pair == b"\r\n"));
    let text = if windows { text.replace('\n', "\r\n") } else { text.to_owned() };
    if game.config.box_folder.is_none() {
        return replace(file, &text);
    }
    let staged = game.data.join(FOR_THE_CARD);
    atomic_file::replace(&staged, Access::Owner, |new| new.write_all(text.as_bytes()))
        .map_err(|error| SettingsError::File(staged.clone(), error))?;
    let start = Instant::now();
    while staged.exists() {
        if start.elapsed() > CARD_TIMEOUT {
            let _ = fs::remove_file(&staged);
            return Err(SettingsError::Card);
        }
        sleep(Duration::from_millis(50));
    }
    if fs::read(file).is_ok_and(|there| there == text.as_bytes()) { Ok(()) } else { Err(SettingsError::Card) }
}
