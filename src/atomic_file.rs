//! Files that are replaced whole: after a crash or a power cut at any moment the old file or the new one is there,
//! complete.
//!
//! There is one way to do that, and everything here that writes a file as a whole goes it:
//!
//! 1. write a new file beside the old one, named `NAME.new`;
//! 2. sync it, or the name could survive a power cut and the content not;
//! 3. rename it over the old one;
//! 4. sync the directory, or the old name could come back after the caller was told that the file is there.
//!
//! A `NAME.new` that a power cut has left is removed by the next one who writes that file. Links are replaced, never
//! followed: root must not be led to another file by whoever owns the directory.

use rustix::fs::{Mode, OFlags};
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufWriter, Read as _, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone: it holds keys or password hashes. Mode 0600.
    Owner,
    /// Everyone, as far as the process's umask lets them. Mode 0666 before the umask.
    Everyone,
}

impl Access {
    const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everyone => 0o666,
        }
    }
}

/// Replaces `file`, or makes it, with what `content` writes. Survives a power cut once this has returned.
///
/// # Errors
/// What the system says, or what `content` returns. The old file is still there then, unless only the last step, the sync
/// of the directory, has failed.
pub fn replace(
    file: &Path,
    access: Access,
    content: impl FnOnce(&mut NewFile) -> io::Result<()>,
) -> io::Result<()> {
    let mut new = NewFile::create(file, access)?;
    content(&mut new)?;
    new.finish()
}

/// The same without any sync, for a file that is made anew at each start and so need not survive a power cut: each sync of
/// a status file would only wear the card. Readers see the old file or the new one, whole.
///
/// # Errors
/// As [`replace`].
pub fn replace_unsynced(
    file: &Path,
    access: Access,
    content: impl FnOnce(&mut NewFile) -> io::Result<()>,
) -> io::Result<()> {
    let mut new = NewFile::create(file, access)?;
    content(&mut new)?;
    new.out.flush()?;
    new.rename()
}

/// Opens a file to read it. A folder, a pipe or a device, which could be waited for or read for ever, is refused.
///
/// # Errors
/// What the system says; [`io::ErrorKind::InvalidData`] if it is no file.
pub fn open(file: &Path) -> io::Result<File> {
    // A pipe is not waited for, even one that was put there this moment.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = File::from(rustix::fs::open(file, flags, Mode::empty())?);
    if !opened.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file"));
    }
    Ok(opened)
}

/// Reads a whole file that may have at most `most` bytes, as [`open`] opens it.
///
/// # Errors
/// What the system says; [`io::ErrorKind::InvalidData`] if it is no file, or longer.
pub fn read(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    let source = open(file)?;
    // With room for all of it: a key is not left where the text has outgrown its place.
    let room = usize::try_from(source.metadata()?.len().min(most)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(room + 1);
    source.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let problem = format!("it is longer than the {most} bytes that it may have");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    Ok(bytes)
}

/// What to do about a file that could not be written, in words that end a sentence.
pub fn advice(error: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
            "the disk is full; delete what it need not hold, or use another one"
        }
        Kind::ReadOnlyFilesystem => "the disk is write-protected; move its switch, or use another one",
        Kind::PermissionDenied => "check the folder's permissions, or use sudo or the server's own user",
        Kind::NotFound | Kind::NotADirectory => "there is no such folder; make it, or choose another one",
        _ => "check the disk, or choose another folder",
    }
}

/// Renames `from` to `to`, which must be in the same directory. Survives a power cut once this has returned.
///
/// # Errors
/// What the system says.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_dir(parent(to))
}

/// Makes the names in a directory survive a power cut.
///
/// # Errors
/// What the system says. A file system that cannot sync directories is no error: there is nothing more to be done.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    match File::open(dir)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

/// Makes a directory that only its owner may enter (mode 0700), and those above it that are missing. Survives a power cut
/// once this has returned. One that is there already is left as it is.
///
/// # Errors
/// What the system says.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|dir| !is_current(dir) && !dir.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    missing.into_iter().try_for_each(|made| sync_dir(parent(made)))
}

/// A file that is being written and will replace another as a whole. Dropped unfinished, it leaves nothing behind.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    temporary: PathBuf,
    out: BufWriter<File>,
    renamed: bool,
}

impl NewFile {
    /// Begins to write what will be `file`.
    ///
    /// # Errors
    /// What the system says. What is there and is not a file (a directory, a device) is not replaced.
    pub fn create(file: &Path, access: Access) -> io::Result<Self> {
        if fs::symlink_metadata(file).is_ok_and(|there| !there.is_file() && !there.is_symlink()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not an ordinary file"));
        }
        let temporary = temporary(file);
        // One that a power cut has left may belong to somebody else or have another mode.
        remove_if_there(&temporary)?;
        let options = File::options().read(true).write(true).create_new(true).mode(access.mode()).clone();
        let out = BufWriter::new(options.open(&temporary)?);
        Ok(Self { path: file.to_owned(), temporary, out, renamed: false })
    }

    /// Where it can be read before it is finished. What was written last may be missing there before [`Write::flush`].
    pub fn temporary_path(&self) -> &Path {
        &self.temporary
    }

    /// Gives the file to whom the directory `dir` belongs, if that is somebody else. Only root can.
    ///
    /// # Errors
    /// What the system says.
    pub fn give_to_owner_of(&self, dir: &Path) -> io::Result<()> {
        let (owner, ours) = (fs::metadata(dir)?, self.out.get_ref().metadata()?);
        if owner.uid() == ours.uid() {
            return Ok(());
        }
        fchown(self.out.get_ref(), Some(owner.uid()), Some(owner.gid()))
    }

    /// Puts the file in the place of the old one. Survives a power cut once this has returned.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::ResourceBusy`] if somebody else began to write the same file after us.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        self.rename()?;
        sync_dir(parent(&self.path))
    }

    fn rename(&mut self) -> io::Result<()> {
        if !self.has_its_name()? {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another program writes the same file at this moment",
            ));
        }
        fs::rename(&self.temporary, &self.path)?;
        self.renamed = true;
        Ok(())
    }

    /// Whether the temporary name still is that of our file: whoever writes the same file after us takes it away.
    fn has_its_name(&self) -> io::Result<bool> {
        let ours = self.out.get_ref().metadata()?;
        Ok(fs::symlink_metadata(&self.temporary)
            .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.out.seek(to)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Half a file is of no use, and the disk may be full because of it.
        if !self.renamed && self.has_its_name().unwrap_or(false) {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Removes what a power cut has left of a file that was being written.
///
/// # Errors
/// What the system says, unless there is nothing.
pub fn remove_unfinished(file: &Path) -> io::Result<()> {
    remove_if_there(&temporary(file))
}

fn temporary(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|dir| !is_current(dir)).unwrap_or(Path::new("."))
}

/// Whether this is what [`Path::parent`] calls the current directory.
fn is_current(dir: &Path) -> bool {
    dir.as_os_str().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use tempfile::TempDir;

    fn names(dir: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn write(file: &Path, text: &str) -> io::Result<()> {
        replace(file, Access::Owner, |new| new.write_all(text.as_bytes()))
    }

    #[test]
    fn a_file_is_made_replaced_and_nothing_is_left_beside_it() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("a");
        for text in ["one", "another, longer one", ""] {
            write(&file, text).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            assert_eq!(names(&dir), ["a"]);
        }
        replace_unsynced(&file, Access::Everyone, |new| new.write_all(b"status")).unwrap();
        assert_eq!(
            (fs::read_to_string(&file).unwrap().as_str(), names(&dir)),
            ("status", vec!["a".to_owned()])
        );
    }

    #[test]
    fn only_a_file_is_read_and_only_if_it_is_not_too_long() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("a");
        write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        for (path, most) in [(file.as_path(), 4), (dir.path(), 5), (Path::new("/dev/zero"), 5)] {
            assert_eq!(read(path, most).unwrap_err().kind(), io::ErrorKind::InvalidData, "{path:?}");
        }
        assert_eq!(read(&dir.path().join("b"), 5).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(read(Path::new("/proc/self/cmdline"), 1 << 20).unwrap().len() > 1, "whatever length it says");
    }

    #[test]
    fn only_its_owner_may_read_a_secret_whatever_was_there_before() {
        let dir = TempDir::new().unwrap();
        let (file, left) = (dir.path().join("a"), dir.path().join("a.new"));
        for path in [&file, &left] {
            fs::write(path, "left over").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        write(&file, "secret").unwrap();
        assert_eq!((mode(&file), names(&dir)), (0o600, vec!["a".to_owned()]));
    }

    #[test]
    fn a_failure_in_between_leaves_the_old_file() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("a");
        write(&file, "old").unwrap();
        let failed = replace(&file, Access::Owner, |new| {
            new.write_all(&"x".repeat(100_000).into_bytes())?;
            Err(io::Error::other("the source broke off"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the source broke off");
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), names(&dir)), ("old", vec!["a".to_owned()]));

        let mut unfinished = NewFile::create(&file, Access::Owner).unwrap();
        unfinished.write_all(b"new").unwrap();
        unfinished.flush().unwrap();
        assert_eq!(fs::read_to_string(unfinished.temporary_path()).unwrap(), "new");
        assert_eq!(fs::read_to_string(&file).unwrap(), "old", "not before it is finished");
        drop(unfinished);
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), names(&dir)), ("old", vec!["a".to_owned()]));
    }

    #[test]
    fn a_full_disk_leaves_the_old_file() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("a");
        write(&file, "old").unwrap();
        // Every write to this device says that there is no room.
        let Ok(full) = File::options().write(true).open("/dev/full") else { return };
        let mut new = NewFile::create(&file, Access::Owner).unwrap();
        new.out = BufWriter::new(full);
        new.write_all(b"new").unwrap();
        assert_eq!(new.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    }

    #[test]
    fn what_a_power_cut_has_left_is_no_obstacle() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("a");
        write(&file, "old").unwrap();
        fs::write(dir.path().join("a.new"), "ha").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        write(&file, "new").unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), names(&dir)), ("new", vec!["a".to_owned()]));
        fs::write(dir.path().join("a.new"), "ha").unwrap();
        remove_unfinished(&file).unwrap();
        remove_unfinished(&file).unwrap();
        assert_eq!(names(&dir), ["a"]);
    }

    #[test]
    fn of_two_who_write_the_same_file_neither_gets_half_of_the_other() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("a");
        let mut first = NewFile::create(&file, Access::Owner).unwrap();
        first.write_all(b"first").unwrap();
        let mut second = NewFile::create(&file, Access::Owner).unwrap();
        second.write_all(b"sec").unwrap();
        second.flush().unwrap();
        assert_eq!(first.finish().unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        assert!(!file.exists());
        second.write_all(b"ond").unwrap();
        second.finish().unwrap();
        assert_eq!(
            (fs::read_to_string(&file).unwrap().as_str(), names(&dir)),
            ("second", vec!["a".to_owned()])
        );
    }

    #[test]
    fn a_directory_is_not_replaced_and_a_link_is_not_followed() {
        let dir = TempDir::new().unwrap();
        let (folder, link, other) = (dir.path().join("d"), dir.path().join("l"), dir.path().join("o"));
        fs::create_dir(&folder).unwrap();
        assert_eq!(write(&folder, "x").unwrap_err().kind(), io::ErrorKind::InvalidInput);
        fs::write(&other, "of somebody else").unwrap();
        symlink(&other, &link).unwrap();
        write(&link, "ours").unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "of somebody else");
        assert_eq!(fs::read_to_string(&link).unwrap(), "ours");
        assert_eq!(names(&dir), ["d", "l", "o"]);
    }

    #[test]
    fn directories_are_made_for_their_owner() {
        let dir = TempDir::new().unwrap();
        let deep = dir.path().join("a/b/c");
        create_private_dir(&deep).unwrap();
        create_private_dir(&deep).unwrap();
        assert_eq!((mode(&deep), mode(&dir.path().join("a"))), (0o700, 0o700));
        rename(&deep, &dir.path().join("a/b/d")).unwrap();
        assert!(!deep.exists());
        assert!(sync_dir(&deep).is_err());
    }

    #[test]
    fn a_file_can_be_begun_again_at_its_start() {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("a");
        replace(&file, Access::Owner, |new| {
            new.write_all(b"....tail")?;
            new.rewind()?;
            new.write_all(b"head")
        })
        .unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "headtail");
    }
}
