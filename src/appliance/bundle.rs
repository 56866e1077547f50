//! Update bundles: a signed manifest, and behind it the image of a slot.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 8 | `MCOSUPD1` |
//! | 8 | 4 | n, the length of the manifest, little-endian; 1 to 4096 |
//! | 12 | n | the [`Manifest`], in TOML |
//! | 12 + n | 64 | Ed25519 signature over everything before it |
//! | 76 + n | `size` | the image of the slot |
//!
//! Nothing of a bundle is interpreted before its signature was found right, but the length of the manifest.

use super::{ManifestError, UpdateError};
use data_encoding::HEXLOWER_PERMISSIVE;
use ring::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, UnparsedPublicKey};
use rsa::pkcs8::spki::{self, SubjectPublicKeyInfoRef};
use rsa::pkcs8::{DecodePublicKey as _, ObjectIdentifier};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What a bundle begins with.
pub const MAGIC: [u8; 8] = *b"MCOSUPD1";
/// The longest manifest, in bytes.
pub const MAX_MANIFEST: usize = 4096;
/// The length of the signature, in bytes.
const SIGNATURE: usize = 64;
/// The largest image: what a sector number of 32 bits can reach.
const MAX_IMAGE: u64 = (u32::MAX as u64) * 512;
/// The longest version and name of a board.
const MAX_WORD: usize = 32;
/// How much of an image is in memory at a time, in bytes.
pub(super) const PIECE: usize = 256 * 1024;
/// Ed25519, by RFC 8410.
const ED25519_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A key that can tell whether a bundle was made by who may.
#[derive(Clone, Debug)]
pub struct UpdateKey(UnparsedPublicKey<[u8; ED25519_PUBLIC_KEY_LEN]>);

impl TryFrom<SubjectPublicKeyInfoRef<'_>> for UpdateKey {
    type Error = spki::Error;

    fn try_from(info: SubjectPublicKeyInfoRef<'_>) -> Result<Self, spki::Error> {
        info.algorithm.assert_algorithm_oid(ED25519_ID)?;
        let key = info.subject_public_key.as_bytes().and_then(|bytes| bytes.try_into().ok());
        key.map(|key| Self(UnparsedPublicKey::new(&ED25519, key))).ok_or(spki::Error::KeyMalformed)
    }
}

impl UpdateKey {
    /// Reads the key from a file in PEM form (`-----BEGIN PUBLIC KEY-----`), as `openssl pkey -pubout` writes it.
    pub fn read(path: &Path) -> Result<Self, UpdateError> {
        let text = fs::read_to_string(path).map_err(UpdateError::unreadable(path))?;
        Self::from_public_key_pem(&text).map_err(|_| UpdateError::NoKey { path: path.to_owned() })
    }
}

/// What a bundle says about its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The version of mcos in it, for people. 1 to 32 letters, digits and `.+~-`.
    pub version: String,
    /// The kind of board it is for. 1 to 32 characters, likewise.
    pub board: String,
    /// The size of the image, in bytes; a multiple of 512.
    pub size: u64,
    /// The SHA-256 of the image.
    pub sha256: [u8; 32],
    /// Where in the image the boot script begins, in bytes; a multiple of 512.
    pub boot_offset: u64,
    /// The size of the boot script, in bytes; a multiple of 512.
    pub boot_size: u64,
}

/// A manifest as it is written. Keys that a later version may add are left alone.
#[derive(Deserialize)]
struct Written {
    version: String,
    board: String,
    size: u64,
    sha256: String,
    boot_offset: u64,
    boot_size: u64,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        let syntax = |error: toml::de::Error| ManifestError::Syntax(error.message().to_owned());
        let written: Written = toml::from_slice(text).map_err(syntax)?;
        let Written { version, board, size, sha256, boot_offset, boot_size } = written;
        for (name, word) in [("version", &version), ("board", &board)] {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+~-_".contains(&byte);
            if word.is_empty() || word.len() > MAX_WORD || !word.bytes().all(plain) {
                return Err(ManifestError::NotAWord(name));
            }
        }
        for (name, number) in [("size", size), ("boot_offset", boot_offset), ("boot_size", boot_size)] {
            if number % 512 != 0 {
                return Err(ManifestError::NotSectors(name));
            }
        }
        if size == 0 || size > MAX_IMAGE {
            return Err(ManifestError::Size);
        }
        let end = boot_offset.checked_add(boot_size);
        if boot_size == 0 || end.is_none_or(|end| end > size) {
            return Err(ManifestError::BootScript);
        }
        let sha256 = HEXLOWER_PERMISSIVE.decode(sha256.as_bytes()).map_err(|_| ManifestError::Hash)?;
        let sha256 = sha256.try_into().map_err(|_| ManifestError::Hash)?;
        Ok(Self { version, board, size, sha256, boot_offset, boot_size })
    }
}

/// The length of the manifest, from the first 12 bytes of a bundle.
pub fn manifest_length(start: &[u8; 12]) -> Result<usize, UpdateError> {
    let length =
        start.strip_prefix(&MAGIC).and_then(|rest| rest.first_chunk().copied()).map(u32::from_le_bytes);
    let length = length.ok_or(UpdateError::NotABundle)?;
    match usize::try_from(length) {
        Ok(length) if (1..=MAX_MANIFEST).contains(&length) => Ok(length),
        _ => Err(UpdateError::Signature),
    }
}

/// An opened bundle whose signature is right. The image behind it is not checked yet.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    manifest: Manifest,
    /// Stands at the start of the image.
    file: File,
}

impl Bundle {
    /// Opens a bundle for the board `board`, and checks everything about it but the image itself.
    pub fn open(path: &Path, key: &UpdateKey, board: &str) -> Result<Self, UpdateError> {
        let unreadable = UpdateError::unreadable(path);
        let mut file = File::open(path).map_err(&unreadable)?;
        let found = file.metadata().map_err(&unreadable)?.len();
        let mut take = |bytes: &mut [u8], short| {
            file.read_exact(bytes).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => short,
                _ => unreadable(error),
            })
        };
        let mut start = [0; 12];
        take(&mut start, UpdateError::NotABundle)?;
        let mut text = vec![0; manifest_length(&start)?];
        take(&mut text, UpdateError::Signature)?;
        let mut signature = [0; SIGNATURE];
        take(&mut signature, UpdateError::Signature)?;
        let signed = [start.as_slice(), &text].concat();
        key.0.verify(&signed, &signature).map_err(|_| UpdateError::Signature)?;
        let manifest = Manifest::parse(&text).map_err(UpdateError::Manifest)?;
        if manifest.board != board {
            let Manifest { board: bundle, version, .. } = manifest;
            return Err(UpdateError::OtherBoard { bundle, here: board.to_owned(), version });
        }
        let wanted = (signed.len() + signature.len()) as u64 + manifest.size;
        if found != wanted {
            return Err(UpdateError::Length { wanted, found });
        }
        Ok(Self { path: path.to_owned(), manifest, file })
    }

    /// What it says about its image.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads the image in pieces of bounded size, gives each to `take` with its offset, and says at the end whether it was
    /// the one that was signed. So nothing may be made of the pieces before that.
    pub fn read_image(
        mut self,
        mut take: impl FnMut(&[u8], u64) -> Result<(), UpdateError>,
    ) -> Result<Manifest, UpdateError> {
        let mut place = 0;
        let image = self.file.by_ref().take(self.manifest.size);
        let hash = in_pieces(image, UpdateError::unreadable(&self.path), |piece| {
            take(piece, place)?;
            place += piece.len() as u64;
            Ok(())
        })?;
        if hash == self.manifest.sha256 { Ok(self.manifest) } else { Err(UpdateError::Damaged) }
    }
}

/// Reads to the end, and gives back the SHA-256 of everything.
pub(super) fn in_pieces(
    mut from: impl Read,
    trouble: impl Fn(io::Error) -> UpdateError,
    mut take: impl FnMut(&[u8]) -> Result<(), UpdateError>,
) -> Result<[u8; 32], UpdateError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; PIECE];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(trouble(error)),
        };
        let piece = buffer.get(..count).unwrap_or_default();
        hash.update(piece);
        take(piece)?;
    }
}

#[cfg(test)]
pub(crate) mod tests;
