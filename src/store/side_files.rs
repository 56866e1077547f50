//! What lies in the data directory beside the database and belongs into a backup: without it a restored server would be
//! another one to the players' PCs, and would lack the Operator's own catalogue.
//!
//! Others own these files, each of which they replace as a whole, so a copy of one is whole at any moment.

use super::error::StoreError;
use super::patch_set;
use crate::atomic_file::{self, Access};
use crate::clock::Now;
use std::borrow::Cow;
use std::io::{self, Write as _};
use std::path::Path;

/// The certificate authority, without which no player's PC trusts the server any more.
pub(super) const AUTHORITY: &str = "tls/authority.pem";
/// The certificate authority, the certificates issued last, and the imported catalogue. No other name is read from a
/// backup, but those of the patch set. A certificate file has some KiB, a whole catalogue about 400.
const NAMES: [&str; 3] = [AUTHORITY, "tls/leaves.pem", "catalog.mcos"];
/// The longest file that is taken along, in bytes.
pub(super) const LONGEST: usize = 64 * 1024 * 1024;

/// A file of the data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SideFile {
    /// Its path below the data directory.
    pub(super) name: Cow<'static, str>,
    pub(super) bytes: Vec<u8>,
}

impl SideFile {
    /// The file of that name, if it is one that a backup may hold.
    pub(super) fn named(name: &[u8], bytes: Vec<u8>) -> Option<Self> {
        let name = str::from_utf8(name).ok()?;
        let known = NAMES.into_iter().find(|known| *known == name).map(Cow::Borrowed);
        let name =
            known.or_else(|| patch_set::is_name_in_backup(name).then(|| Cow::Owned(name.to_owned())))?;
        Some(Self { name, bytes })
    }

    /// Whether programs before the patch set would not know it.
    pub(super) fn is_of_patch_set(&self) -> bool {
        patch_set::is_name_in_backup(&self.name)
    }

    /// All that there are in `dir`.
    pub(super) fn all(dir: &Path) -> Result<Vec<Self>, StoreError> {
        let mut all = Vec::new();
        let patch_set = patch_set::names_in_backup(dir).into_iter().map(Cow::Owned);
        for name in NAMES.into_iter().map(Cow::Borrowed).chain(patch_set) {
            let path = dir.join(&*name);
            let unreadable = |why: &io::Error| {
                let (file, why) = (path.display().to_string().into(), why.to_string().into());
                StoreError::BackupIncomplete { file, why }
            };
            match atomic_file::read(&path, LONGEST as u64) {
                Ok(bytes) => all.push(Self { name, bytes }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Ok(all)
    }

    /// The certificate authority in `dir`, if its file is whole: a key and a certificate in PEM form, to the last line.
    pub(super) fn authority(dir: &Path) -> Option<Self> {
        let bytes = atomic_file::read(&dir.join(AUTHORITY), LONGEST as u64).ok()?;
        let text = str::from_utf8(&bytes).ok()?;
        let whole = text.starts_with("-----BEGIN PRIVATE KEY-----")
            && text.trim_end().ends_with("-----END CERTIFICATE-----");
        whole.then_some(Self { name: AUTHORITY.into(), bytes })
    }

    /// Puts it into `dir`. Another one that is there gets `.replaced-` and the time behind its name.
    pub(super) fn put_back(&self, dir: &Path) -> io::Result<()> {
        let path = dir.join(&*self.name);
        if atomic_file::read(&path, LONGEST as u64).is_ok_and(|there| there == self.bytes) {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            atomic_file::create_private_dir(folder)?;
        }
        if path.exists() {
            let mut aside = path.as_os_str().to_owned();
            aside.push(format!(".replaced-{}", Now::read().unix));
            atomic_file::rename(&path, Path::new(&aside))?;
        }
        atomic_file::replace(&path, Access::Owner, |new| new.write_all(&self.bytes))
    }
}
