//! USB sticks as people have them: of another make, write-protected, pulled out too early.

use crate::programs::{StandIn, furnished, may_mount};
use crate::support::skipped;
use std::fs;
use std::os::unix::fs::symlink;

/// A box with a stick of some kind, as `blkid` and `mount` see it.
fn with_stick(kind: &str) -> StandIn {
    let stand_in = furnished();
    fs::write(stand_in.at("device"), "").unwrap();
    stand_in.tool(
        "blkid",
        &format!("case \"$*\" in\n'-L MCOS-BACKUP') echo \"$MCOS_BOX_ROOT/device\" ;;\n*TYPE*) echo {kind} ;;\nesac\n"),
    );
    stand_in.tool(
        "mount",
        "case \"$*\" in\n*remount*) exit 0 ;;\nesac\necho \"$@\" >>\"$MCOS_BOX_ROOT/mounted\"\n\
         [ ! -e \"$MCOS_BOX_ROOT/dirty\" ] || exit 32\n\
         rm -rf \"$MCOS_BOX_ROOT/run/mcos-stick\"\nln -s \"$MCOS_BOX_ROOT/stick\" \"$MCOS_BOX_ROOT/run/mcos-stick\"\n",
    );
    stand_in
}

#[test]
fn a_stick_with_ntfs_is_written_and_one_that_windows_has_not_let_go_is_told() {
    let stand_in = with_stick("ntfs");
    fs::write(stand_in.at("dirty"), "").unwrap();
    assert_eq!(stand_in.run("box-backup").status.code(), Some(1));
    let said = stand_in.notes();
    assert!(
        said.contains("pulled out of a PC without being ejected; have a PC check it for errors"),
        "{said}"
    );
    assert_eq!(stand_in.names("boot/mcos/backups").len(), 1, "the card has its backup all the same");
    fs::remove_file(stand_in.at("dirty")).unwrap();
    assert!(stand_in.run("box-backup").status.success());
    assert_eq!((stand_in.names("stick/backups").len(), stand_in.notes().as_str()), (1, ""));
    let mounted = fs::read_to_string(stand_in.at("mounted")).unwrap();
    assert!(
        mounted.lines().all(|line| line.starts_with("-t ntfs3,ntfs -o noexec,nodev,nosuid ")),
        "{mounted}"
    );
}

#[test]
fn any_other_stick_is_mounted_as_what_it_is() {
    for kind in ["exfat", "vfat", "ext4", ""] {
        let stand_in = with_stick(kind);
        assert!(stand_in.run("box-backup").status.success());
        assert_eq!((stand_in.names("stick/backups").len(), stand_in.notes().as_str()), (1, ""), "{kind}");
        let mounted = fs::read_to_string(stand_in.at("mounted")).unwrap();
        assert!(mounted.starts_with("-t auto -o noexec,nodev,nosuid "), "{mounted}");
    }
}

#[test]
fn a_stick_that_is_pulled_out_meanwhile_is_told_from_one_that_takes_nothing() {
    let stand_in = with_stick("vfat");
    // A file where the folder should be.
    fs::write(stand_in.at("stick/backups"), "").unwrap();
    assert_eq!(stand_in.run("box-backup").status.code(), Some(1));
    let said = stand_in.notes();
    assert!(
        said.starts_with("there is no new backup on the USB stick MCOS-BACKUP: ")
            && !said.contains("pulled out"),
        "{said}"
    );
    // It has been mounted, and is gone before the backup is on it.
    stand_in.tool("mcos", "case \"$*\" in\n*keep-backup*mcos-stick*) rm \"$MCOS_BOX_ROOT/device\"; echo 'mcos: Input/output error' >&2; exit 1 ;;\nesac\nexec \"$MCOS_BOX_ROOT/mcos\" \"$@\"\n");
    symlink(env!("CARGO_BIN_EXE_mcos"), stand_in.at("mcos")).unwrap();
    assert_eq!(stand_in.run("box-backup").status.code(), Some(1));
    let said = stand_in.notes();
    assert!(said.ends_with("it was pulled out while it was written; put it in again\n"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_write_protected_stick_is_told_as_one_and_not_mounted() {
    for (kind, switch) in [("vfat", "1"), ("ntfs", "1"), ("vfat", "0")] {
        let stand_in = with_stick(kind);
        fs::create_dir_all(stand_in.at("sys/class/block/device")).unwrap();
        fs::write(stand_in.at("sys/class/block/device/ro"), format!("{switch}\n")).unwrap();
        let protected = switch == "1";
        assert_eq!(stand_in.run("box-backup").status.success(), !protected, "{kind}");
        let said = stand_in.notes();
        assert_eq!(
            said.contains("it is write-protected; move its switch, or use another one"),
            protected,
            "{said}"
        );
        assert_eq!(stand_in.at("mounted").exists(), !protected, "{kind}");
        assert_eq!(stand_in.names("boot/mcos/backups").len(), 1);
    }
}

/// As Linux does with the file system of a Mac, and with NTFS of a Windows that is only asleep.
#[test]
fn a_stick_that_can_only_be_read_is_to_be_formatted_anew() {
    const MOUNTED: &str = "tools=$PATH PATH=${PATH#*:}; mount -t tmpfs -o ro none \"$MCOS_BOX_ROOT/stick\" && PATH=$tools exec sh \"$0\"";
    if !may_mount() {
        return skipped("a stick that is only read: this user may not mount (util-linux)");
    }
    for (kind, words) in [
        ("ntfs", "pulled out of a PC without being ejected; have a PC check it for errors"),
        ("hfsplus", "it cannot be used as it is; format it anew (FAT32 or exFAT)"),
    ] {
        let stand_in = with_stick(kind);
        let way = ["unshare", "--map-root-user", "--mount", "bash", "-c", MOUNTED];
        assert_eq!(stand_in.command(&way, "box-backup").output().unwrap().status.code(), Some(1));
        assert!(stand_in.notes().contains(words), "{}", stand_in.notes());
        assert_eq!(stand_in.names("boot/mcos/backups").len(), 1);
    }
}
