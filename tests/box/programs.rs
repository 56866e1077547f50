//! The programs of the box (`image/overlay/usr/lib/mcos`), with a folder as the box, and stand-ins for what needs a real one:
//! mounting, and looking for a stick.

use crate::support::Server;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder that stands for the box.
pub(crate) struct StandIn {
    root: TempDir,
}

impl StandIn {
    pub(crate) fn new() -> Self {
        let stand_in = Self { root: TempDir::new().unwrap() };
        for folder in ["boot/mcos", "run", "var/lib", "bin", "stick", "sys/class/net"] {
            fs::create_dir_all(stand_in.at(folder)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_mcos"), stand_in.at("bin/mcos")).unwrap();
        // The card takes remounting; a stick is a folder.
        stand_in.tool(
            "mount",
            "case \"$*\" in\n*remount*) exit 0 ;;\nesac\n[ ! -e \"$MCOS_BOX_ROOT/broken\" ] || exit 32\n\
             rm -rf \"$MCOS_BOX_ROOT/run/mcos-stick\"\nln -s \"$MCOS_BOX_ROOT/stick\" \"$MCOS_BOX_ROOT/run/mcos-stick\"\n",
        );
        stand_in.tool("umount", "rm \"$MCOS_BOX_ROOT/run/mcos-stick\"\n");
        stand_in.tool("blkid", "exit 2\n");
        stand_in
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Puts another program in front of the system's.
    pub(crate) fn tool(&self, name: &str, script: &str) {
        let path = self.at("bin").join(name);
        // What is there may be a link to a real one.
        let _ = fs::remove_file(&path);
        fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn card(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.at("boot/mcos").join(name), content).unwrap();
    }

    pub(crate) fn run(&self, program: &str) -> Output {
        self.command(&["sh"], program).output().unwrap()
    }

    /// What runs a program of the box, given as the argument of `way`.
    pub(crate) fn command(&self, way: &[&str], program: &str) -> Command {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("image/overlay/usr/lib/mcos");
        let mut path: OsString = self.at("bin").into();
        path.push(":");
        path.push(env::var_os("PATH").unwrap());
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).arg(folder.join(program)).env("PATH", path);
        command.env("MCOS_BOX_ROOT", self.root.path()).env_remove("RUST_LOG").env_remove("STATE_DIRECTORY");
        command
    }

    pub(crate) fn mcos(&self, arguments: &[&str], input: &str) {
        let data = self.at("var/lib/private/mcos");
        let given = self.at("input");
        fs::write(&given, input).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcos"));
        command.arg("--data").arg(data).args(arguments).stdin(fs::File::open(given).unwrap());
        let output = command.env_remove("RUST_LOG").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// All notes, in the order of their files.
    pub(crate) fn notes(&self) -> String {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.at("run/mcos-box/notes")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort_unstable();
        files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
    }

    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(folder)).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

#[test]
fn what_is_on_the_card_is_taken_over_and_what_is_not_used_is_noted() {
    const SETTINGS: &str = "run/mcos-wifi/wpa_supplicant.conf";
    let key = "0123456789abcdef".repeat(4);
    for (name, file, joins, notes) in [
        ("wifi.txt", format!("country=DE\nnetwork=H\npassword={key}"), Some(format!("    psk={key}\n")), ""),
        (
            "wifi.txt.txt",
            "network=H\r\npassword=longpass12\r\n".into(),
            Some("    psk=\"longpass12\"\n".into()),
            "",
        ),
        (
            "wifi.txt",
            "country=DE\nnetwork=H\npasswort=longpass12".into(),
            None,
            "wifi.txt, line 3, is not used: the word \"passwort\" is not known",
        ),
        ("wifi.txt", "country=UK\nnetwork=H".into(), Some("    key_mgmt=NONE\n".into()), "GB is used"),
    ] {
        let stand_in = StandIn::new();
        stand_in.card(name, &file);
        let output = stand_in.run("box-config");
        assert!(output.status.success(), "{output:?}");
        let settings = fs::read_to_string(stand_in.at(SETTINGS)).ok();
        assert_eq!(settings.is_some(), joins.is_some(), "{file}: {settings:?}");
        if let (Some(settings), Some(part)) = (settings, joins) {
            assert!(settings.contains(&part), "{file}: {settings}");
            assert_eq!(fs::metadata(stand_in.at(SETTINGS)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let said = stand_in.notes();
        assert!(said.contains(notes) && said.is_empty() == notes.is_empty(), "{file}: {said}");
        assert!(!said.contains("longpass12") && !said.contains(&key), "{said}");
        assert!(!format!("{output:?}").contains("longpass12"), "{output:?}");
    }
}

#[test]
fn of_two_settings_files_one_is_used_and_both_are_named() {
    let stand_in = StandIn::new();
    stand_in.card("mcos.toml.txt.txt", "[shard]\nid = 9\n");
    assert!(stand_in.run("box-config").status.success());
    assert_eq!(fs::read_to_string(stand_in.at("run/mcos-box/mcos.toml")).unwrap(), "[shard]\nid = 9\n");
    assert_eq!(stand_in.notes(), "");
    stand_in.card("mcos.toml", "[shard]\nid = 8\n");
    assert!(stand_in.run("box-config").status.success());
    assert_eq!(fs::read_to_string(stand_in.at("run/mcos-box/mcos.toml")).unwrap(), "[shard]\nid = 8\n");
    let said = stand_in.notes();
    assert!(
        said.contains("two files on the card, mcos.toml and mcos.toml.txt.txt: mcos.toml is used"),
        "{said}"
    );
}

/// Whether this user may mount something where nobody else sees it.
pub(crate) fn may_mount() -> bool {
    let trial = ["--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/run"];
    Command::new("unshare").args(trial).output().is_ok_and(|output| output.status.success())
}

/// A box that has a server with an account.
pub(crate) fn furnished() -> StandIn {
    let stand_in = StandIn::new();
    assert!(stand_in.run("box-config").status.success());
    stand_in.mcos(&["account", "add", "doc", "--password-stdin"], "Roadster-1957.x\n");
    stand_in
}

#[test]
fn a_backup_is_kept_on_the_card_and_the_clock_does_not_decide_which_is_the_newest() {
    let stand_in = furnished();
    for (number, day) in
        (1..).zip(["20260701", "20990101", "20260702", "20260703", "19700101", "19700102", "20260704"])
    {
        stand_in.tool("date", &format!("echo {day}-0000\n"));
        let output = stand_in.run("box-backup");
        assert!(output.status.success(), "{output:?}");
        let names = stand_in.names("boot/mcos/backups");
        assert!(names.contains(&format!("mcos-{day}-0000.mcos")), "{day}: {names:?}");
        assert_eq!(names.len(), 5.min(number), "{names:?}");
        stand_in
            .mcos(&["account", "add", &format!("driver{number}"), "--password-stdin"], "Roadster-1957.x\n");
    }
    let left = ["19700101", "19700102", "20260702", "20260703", "20260704"]
        .map(|day| format!("mcos-{day}-0000.mcos"));
    assert_eq!(stand_in.names("boot/mcos/backups"), left);
    assert_eq!(stand_in.notes(), "");
}

#[test]
fn a_stick_that_gets_no_backup_is_named_with_the_reason() {
    let stand_in = furnished();
    let stick = |label: &str| {
        let found = "case \"$*\" in\n'-L MCOS-BACKUP') exit 2 ;;\nesac\n";
        let labels = "echo '/dev/mmcblk0p2: LABEL=\"MCOS\"'\necho '/dev/mmcblk0p4: LABEL=\"mcos-data\"'\n";
        stand_in.tool("blkid", &format!("{found}{labels}echo '/dev/sda1: LABEL=\"{label}\"'\n"));
        stand_in.run("box-backup")
    };
    for label in ["mcos backup", "Mcos_Backup", "MCOSBACKUP"] {
        let output = stick(label);
        assert!(output.status.success(), "{output:?}");
        assert_eq!((stand_in.names("stick/backups").len(), stand_in.notes().as_str()), (1, ""), "{label}");
        fs::remove_dir_all(stand_in.at("stick/backups")).unwrap();
    }
    for label in ["MCOS-BACKUPS", "Backup", "MCOS-BAKUP"] {
        assert!(!stick(label).status.success());
        let said = stand_in.notes();
        assert!(
            said.contains(&format!("the USB stick \"{label}\" gets no backup: its name must be MCOS-BACKUP")),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "not the card itself: {said}");
    }
    assert!(stick("holiday").status.success());
    assert_eq!(stand_in.notes(), "");

    stand_in.tool("blkid", "echo /dev/sda1\n");
    fs::write(stand_in.at("broken"), "").unwrap();
    assert!(!stand_in.run("box-backup").status.success());
    assert!(stand_in.notes().contains("it cannot be used as it is; format it anew"), "{}", stand_in.notes());
    fs::remove_file(stand_in.at("broken")).unwrap();
    // A file where the folder should be, as on a stick that takes nothing.
    fs::write(stand_in.at("stick/backups"), "").unwrap();
    assert!(!stand_in.run("box-backup").status.success());
    let said = stand_in.notes();
    assert!(said.starts_with("there is no new backup on the USB stick MCOS-BACKUP: "), "{said}");
    fs::remove_file(stand_in.at("stick/backups")).unwrap();
    assert!(stand_in.run("box-backup").status.success());
    assert_eq!((stand_in.names("stick/backups").len(), stand_in.notes().as_str()), (1, ""));
}

#[test]
fn the_settings_say_which_stick_and_which_folder_get_the_backups() {
    let stand_in = furnished();
    stand_in.tool("blkid", "[ \"$1\" = -L ] && exit 2\necho '/dev/sda1: LABEL=\"GARAGE_57\"'\n");
    let backup = |settings: &str| {
        fs::write(stand_in.at("run/mcos-box/mcos.toml"), settings).unwrap();
        let _ = fs::remove_dir_all(stand_in.at("stick"));
        let _ = fs::remove_dir_all(stand_in.at("boot/mcos/backups"));
        fs::create_dir(stand_in.at("stick")).unwrap();
        assert!(stand_in.run("box-backup").status.success());
        assert_eq!(stand_in.notes(), "");
        let there = |folder: &str| stand_in.names(folder).len();
        (there("boot/mcos/backups"), there("stick/backups"), there("stick/My Town"))
    };
    assert_eq!(backup(""), (1, 0, 0));
    assert_eq!(backup("[backup]\r\nstick = \"Garage 57\"\r\n"), (1, 1, 0));
    assert_eq!(backup("[backup]\nstick = \"Garage 58\"\n"), (1, 0, 0));
    assert_eq!(backup("[backup]\nstick = \"garage57\"\nfolder = \"My Town\"\ncard = false\n"), (0, 0, 1));
    assert_eq!(backup("[backup]\nstick = \"\"\n"), (1, 0, 0));
    // A mistake leaves what is right, and costs no backup.
    assert_eq!(backup("[backup]\nstick = \"garage57\"\nfolder = \"../etc\"\n"), (1, 1, 0));
}

#[test]
fn without_a_server_the_status_says_what_keeps_the_box_out_of_its_wi_fi() {
    let stand_in = StandIn::new();
    stand_in.tool("findmnt", "exit 0\n");
    stand_in.tool("systemctl", "echo failed\n");
    stand_in.tool("journalctl", "echo 'mcos: the port is taken'\n");
    stand_in.tool("wpa_cli", "case \"$*\" in\n*wlan1*) cat \"$MCOS_BOX_ROOT/heard\" ;;\nesac\n");
    fs::create_dir_all(stand_in.at("dev")).unwrap();
    fs::write(stand_in.at("heard"), "wpa_state=SCANNING\n").unwrap();
    stand_in.card("wifi.txt", "country=DE\nnetwork=Garage\npassword=longpass12\nhello\n");
    assert!(stand_in.run("box-config").status.success());
    let status = || {
        let output = stand_in.run("box-status");
        assert!(output.status.success(), "{output:?}");
        let status = fs::read_to_string(stand_in.at("boot/mcos/mcos-status.txt")).unwrap();
        let screen = fs::read_to_string(stand_in.at("dev/console")).unwrap();
        assert!(status.lines().count() > 3 && screen.ends_with(&status.replace('\r', "")), "{screen}");
        status.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said = status();
    assert!(said.contains("the port is taken") && said.contains("wifi.txt, line 4, is not used"), "{said}");
    assert!(said.contains("this board has no Wi-Fi that the box can use"), "{said}");
    // Another radio than the first, and a router that speaks WPA3 only.
    fs::create_dir_all(stand_in.at("sys/class/net/wlan1/phy80211")).unwrap();
    let said = status();
    assert!(said.contains("the box is not in the Wi-Fi \"Garage\": no Wi-Fi is in reach"), "{said}");
    let router = "wpa_state=SCANNING\n02:00:00:00:00:01\t2412\t-60\t[WPA2-SAE-CCMP][ESS]\tGarage\n";
    fs::write(stand_in.at("heard"), router).unwrap();
    assert!(status().contains("it speaks WPA3 only, which the box does not"), "{}", status());
    fs::write(stand_in.at("heard"), "wpa_state=COMPLETED\n").unwrap();
    let said = status();
    assert!(!said.contains("the box is not in") && said.contains("line 4, is not used"), "{said}");
}

#[test]
fn the_server_tells_what_the_programs_of_the_box_have_to_say() {
    let mut server = Server::prepare();
    server.put_on_box();
    let notes = server.config().parent().unwrap().join("notes");
    fs::create_dir_all(&notes).unwrap();
    fs::write(notes.join("wifi"), "wifi.txt is not used, and the box joins no Wi-Fi: why\n").unwrap();
    server.start();
    let flat = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let status = flat(server.await_status(|text| text.contains("wifi.txt")));
    assert!(status.contains(". wifi.txt is not used, and the box joins no Wi-Fi: why."), "{status}");
    fs::remove_file(notes.join("wifi")).unwrap();
    server.await_status(|text| !text.contains("wifi.txt"));
}

#[test]
fn settings_of_the_operators_page_reach_the_card_and_the_next_start() {
    let stand_in = furnished();
    let data = stand_in.at("var/lib/private/mcos");
    let staged = data.join("mcos.toml.staged");
    let wish = |text: &str| {
        fs::write(&staged, text).unwrap();
        assert!(stand_in.run("box-request").status.success());
        assert!(!staged.exists());
    };
    let read = |path: &str| fs::read_to_string(stand_in.at(path)).unwrap_or_default();
    wish("[shard]\r\nname = \"A\"\r\n");
    assert_eq!(read("boot/mcos/mcos.toml"), "[shard]\r\nname = \"A\"\r\n");
    assert_eq!(read("run/mcos-box/mcos.toml"), read("boot/mcos/mcos.toml"));
    // The file keeps the name that a person gave it.
    fs::rename(stand_in.at("boot/mcos/mcos.toml"), stand_in.at("boot/mcos/mcos.toml.txt")).unwrap();
    wish("[shard]\nname = \"B\"\n");
    assert_eq!(read("boot/mcos/mcos.toml.txt"), "[shard]\nname = \"B\"\n");
    assert!(!stand_in.at("boot/mcos/mcos.toml").exists());
    assert_eq!(stand_in.notes(), "");
    // A card that cannot be written: the settings stay as they were everywhere, and it is told.
    stand_in.tool("mount", "exit 32\n");
    wish("[shard]\nname = \"C\"\n");
    assert_eq!(read("boot/mcos/mcos.toml.txt"), "[shard]\nname = \"B\"\n");
    assert_eq!(read("run/mcos-box/mcos.toml"), "[shard]\nname = \"B\"\n");
    assert!(stand_in.notes().contains("the card cannot be written"), "{}", stand_in.notes());
}

#[test]
fn the_box_is_switched_off_by_a_word_of_the_server_and_by_nothing_else() {
    let stand_in = furnished();
    let staged = stand_in.at("var/lib/private/mcos/power.staged");
    stand_in.tool("systemctl", "echo \"$@\" >>\"$MCOS_BOX_ROOT/asked\"\n");
    for (word, asked) in [("off\n", "poweroff\n"), ("restart\n", "reboot\n"), ("halt\n", ""), ("", "")] {
        let _ = fs::remove_file(stand_in.at("asked"));
        fs::write(&staged, word).unwrap();
        assert!(stand_in.run("box-request").status.success());
        assert!(!staged.exists(), "{word}");
        assert_eq!(fs::read_to_string(stand_in.at("asked")).unwrap_or_default(), asked);
    }
}

#[test]
fn a_link_in_the_folders_of_the_server_leads_root_nowhere() {
    let stand_in = StandIn::new();
    let secret = stand_in.at("secret");
    fs::write(&secret, "for root only").unwrap();
    let data = stand_in.at("var/lib/private/mcos");
    fs::create_dir_all(&data).unwrap();
    for name in ["reset-operator-password", "restore.mcos.part"] {
        symlink(&secret, data.join(name)).unwrap();
    }
    stand_in.card("reset-operator-password.txt", "");
    stand_in.card("restore.mcos", "a backup");
    assert!(stand_in.run("box-config").status.success());
    assert_eq!(fs::read_to_string(&secret).unwrap(), "for root only");
    assert_eq!(fs::read(data.join("reset-operator-password")).unwrap(), b"");
    assert_eq!(fs::read_to_string(data.join("restore.mcos")).unwrap(), "a backup");

    for name in ["mcos.toml.staged", "power.staged"] {
        symlink(&secret, data.join(name)).unwrap();
    }
    let before = fs::read(stand_in.at("run/mcos-box/mcos.toml")).ok();
    assert!(stand_in.run("box-request").status.success());
    assert_eq!(fs::read_to_string(&secret).unwrap(), "for root only");
    assert_eq!(fs::read(stand_in.at("run/mcos-box/mcos.toml")).ok(), before);
    assert!(!stand_in.at("boot/mcos/mcos.toml").exists());
    assert!(!data.join("mcos.toml.staged").is_symlink() && !data.join("power.staged").is_symlink());

    fs::create_dir_all(stand_in.at("run/mcos")).unwrap();
    fs::create_dir_all(stand_in.at("dev")).unwrap();
    stand_in.tool("systemctl", "exit 0\n");
    stand_in.tool("findmnt", "exit 0\n");
    symlink(&secret, stand_in.at("run/mcos/status.txt")).unwrap();
    assert!(stand_in.run("box-status").status.success());
    let told = fs::read_to_string(stand_in.at("boot/mcos/mcos-status.txt")).unwrap();
    assert!(!told.contains("for root only") && told.contains("not running"), "{told}");
}
