//! Why an update is not installed.

use super::slot_sector::Slot;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no update. Each is told in one line that says what to do.
#[derive(Debug)]
pub enum UpdateError {
    /// The system runs from no slot of a disk.
    NotOnABox,
    /// A file cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no key for updates.
    NoKey {
        /// Which.
        path: PathBuf,
    },
    /// The file is no update bundle.
    NotABundle,
    /// The bundle is shorter or longer than it should be.
    Length {
        /// How long it should be, in bytes.
        wanted: u64,
        /// How long it is, in bytes.
        found: u64,
    },
    /// The bundle was not signed with the key of this box, or is damaged.
    Signature,
    /// What is signed makes no sense.
    Manifest(ManifestError),
    /// The bundle is for another kind of board.
    OtherBoard {
        /// Which.
        bundle: String,
        /// What this one is.
        here: String,
        /// The version in the bundle.
        version: String,
    },
    /// The slot image is not the one that was signed.
    Damaged,
    /// The slot image is larger than the slot.
    TooLarge {
        /// Its size, in bytes.
        size: u64,
        /// The size of the slot, in bytes.
        room: u64,
    },
    /// Neither copy of the slot sector is sound.
    NoSlotSector {
        /// Where both copies were looked for.
        disk: PathBuf,
    },
    /// No disk has a sound slot sector.
    NoBoxDisk,
    /// More than one disk has a sound slot sector.
    TwoBoxDisks {
        /// The first.
        one: PathBuf,
        /// The second.
        other: PathBuf,
    },
    /// The slot sector is of a newer program.
    Layout {
        /// Where it was read.
        disk: PathBuf,
        /// The version of its layout.
        version: u32,
    },
    /// The partition table has no place for a slot.
    NoSlot {
        /// Whose partition table it is.
        disk: PathBuf,
        /// The one of the two that was wanted.
        slot: Slot,
        /// What is wrong with its partition.
        why: &'static str,
    },
    /// The other slot is to be tried first.
    TrialWaits {
        /// The slot that is to be tried.
        slot: Slot,
    },
    /// The running system is not confirmed yet.
    OnTrial {
        /// The slot that runs.
        slot: Slot,
    },
    /// The disk does not do what it is told.
    Disk {
        /// Its device, as it was opened.
        disk: PathBuf,
        /// What it was to do.
        what: &'static str,
        /// Why it did not.
        source: io::Error,
    },
    /// What was read back is not what was written.
    NotKept {
        /// Its device, as it was opened.
        disk: PathBuf,
    },
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// It is no TOML, or a key is missing or of another type; what the reader says.
    Syntax(String),
    /// The text of this key has other characters than it may have, none, or too many.
    NotAWord(&'static str),
    /// The number of this key is no multiple of 512.
    NotSectors(&'static str),
    /// The image is empty or larger than any slot can be.
    Size,
    /// The boot script does not lie in the image.
    BootScript,
    /// The hash is not 64 hexadecimal digits.
    Hash,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(why) => f.write_str(why),
            Self::NotAWord(key) => write!(f, "{key} is no plain word"),
            Self::NotSectors(key) => write!(f, "{key} is no whole number of sectors"),
            Self::Size => f.write_str("size is out of bounds"),
            Self::BootScript => f.write_str("the boot script does not lie in the image"),
            Self::Hash => f.write_str("sha256 is no hash"),
        }
    }
}

impl std::error::Error for ManifestError {}

/// Why a bundle that arrives is not kept.
#[derive(Debug)]
pub enum StagingError {
    /// It is larger than any bundle.
    TooLarge {
        /// The size of the largest, in bytes.
        most: u64,
    },
    /// The card has no room for it.
    NoRoom {
        /// How much is free, in bytes.
        free: u64,
        /// How much is needed, in bytes.
        needed: u64,
    },
    /// More of it came than was announced.
    LongerThanSaid,
    /// The card does not take it.
    NotKept(io::Error),
    /// It cannot be installed here.
    Refused(UpdateError),
}

impl fmt::Display for StagingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { most } => write!(f, "a bundle has at most {} MiB", most >> 20),
            Self::NoRoom { free, needed } => write!(
                f,
                "there is no room for it on the card: {} MiB are free, {} are needed",
                free >> 20,
                needed.div_ceil(1 << 20)
            ),
            Self::LongerThanSaid => f.write_str("there is more of it than the browser said"),
            Self::NotKept(error) => write!(f, "it cannot be kept: {error}"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StagingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotKept(error) => Some(error),
            Self::Refused(error) => Some(error),
            Self::TooLarge { .. } | Self::NoRoom { .. } | Self::LongerThanSaid => None,
        }
    }
}

impl From<UpdateError> for StagingError {
    fn from(error: UpdateError) -> Self {
        Self::Refused(error)
    }
}

impl UpdateError {
    /// Makes the error of a file that cannot be read.
    pub(super) fn unreadable(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Unreadable { path: path.to_owned(), source }
    }
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOnABox => f.write_str(
                "this system does not run from a slot of an mcos card; name the card or its image with --disk",
            ),
            Self::Unreadable { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Self::NoKey { path } => {
                write!(f, "{} is no Ed25519 public key in PEM form; name another with --key", path.display())
            }
            Self::NotABundle => {
                f.write_str("this file is no update bundle; take one named mcos-VERSION-BOARD.update")
            }
            Self::Length { wanted, found } => write!(
                f,
                "the bundle is damaged: it should have {wanted} bytes and has {found}; download it again"
            ),
            Self::Signature => f.write_str(
                "the bundle is damaged, or signed with another key than this box trusts; download it again from \
                 where the image came from",
            ),
            Self::Manifest(why) => {
                write!(f, "this program does not understand the bundle ({why}); flash the new image instead")
            }
            Self::OtherBoard { bundle, here, version } => write!(
                f,
                "the bundle is for another board ({bundle}) than this one ({here}); take mcos-{version}-{here}.update"
            ),
            Self::Damaged => f.write_str("the bundle is damaged; download it again"),
            Self::TooLarge { size, room } => write!(
                f,
                "the system in the bundle has {size} bytes and the slot only {room}; flash the new image instead"
            ),
            Self::NoSlotSector { disk } => write!(
                f,
                "{} has no sound slot sector, so it is no mcos card, or a damaged one that must be flashed again",
                disk.display()
            ),
            Self::NoBoxDisk => f.write_str(
                "no disk says where mcos is; write the image anew (your backups are on its boot partition)",
            ),
            Self::TwoBoxDisks { one, other } => {
                write!(f, "mcos is on two disks, {} and {}; take one of them out", one.display(), other.display())
            }
            Self::Layout { disk, version } => write!(
                f,
                "the slot sector of {} has layout {version}, which this program does not know; use a newer mcos",
                disk.display()
            ),
            Self::NoSlot { disk, slot, why } => {
                write!(f, "{} has no slot {slot}: {why}; flash the image again", disk.display())
            }
            Self::TrialWaits { slot } => write!(
                f,
                "an update in slot {slot} waits to be tried; restart the box, and come again when it has proved itself"
            ),
            Self::OnTrial { slot } => write!(
                f,
                "the running system in slot {slot} is still on trial; wait until it has proved itself, or run \
                 \"mcos update --confirm\""
            ),
            Self::Disk { disk, what, source } if source.kind() == io::ErrorKind::PermissionDenied => {
                write!(f, "cannot {what} {}: {source}; become root", disk.display())
            }
            Self::Disk { disk, what, source } => write!(f, "cannot {what} {}: {source}", disk.display()),
            Self::NotKept { disk } => write!(
                f,
                "{} does not keep what is written to it; the box goes on with what it has, but replace the card",
                disk.display()
            ),
        }
    }
}

impl std::error::Error for UpdateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } | Self::Disk { source, .. } => Some(source),
            _ => None,
        }
    }
}
