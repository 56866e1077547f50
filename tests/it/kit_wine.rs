//! The player kit's scripts, run by Wine: what they write, and that undo.bat takes all of it back.

use crate::foreign::skip_missing;
use crate::support::{PATIENCE, skipped};
use mcos::admin::kit::{Certificate, Kit};
use mcos::config::{Config, HostName};
use mcos::services::Ports;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What the game's setup program writes, with a value of each type and one that a kit writes as well.
const GAME: &str = r#"Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Electronic Arts\Motor City]
"GamePatch"="games/EA_Seattle/MotorCity/MCO"
"UpdateInfoPatch"="games/EA_Seattle/MotorCity/UpdateInfo"
"NPSPatch"="games/EA_Seattle/MotorCity/NPS"
"PatchServerIP"="downloads.mco.ea.com"
"PatchServerPort"="80"
"Language"="English"
"CreateAccount"="http://www.ea.com/SubscribeEntry.jsp?prodID=REG-MCO"
"3D Card"="Say \"D3D\" & 100%"

[HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Electronic Arts\Motor City\1.0]
"InstLev"=dword:00000002
"Language"=dword:00000000
"InstallDir"="C:\\Program Files (x86)\\EA Games\\Motor City & 100%!"
"ShardUrl"=hex(2):68,00,74,00,74,00,70,00,3a,00,2f,00,2f,00,25,00,58,00,25,00,\
  2f,00,00,00
"Blob"=hex:00,01,02

[HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Electronic Arts\Motor City\AuthAuth]
"AuthLoginBaseService"="AuthLogin"
"AuthLoginServer"="www.ea.com"

[HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\EACom\AuthAuth]
"AuthLoginServer"="www.ea.com"
"AuthLoginBaseService"="AuthLogin"
"AuthLogin"="2176"
"SSLRetry"=dword:00000000

[HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Electronic Arts\Network Play System]
"Log"="1"
"#;
const GAME_KEYS: [&str; 2] =
    [r"HKLM\SOFTWARE\WOW6432Node\Electronic Arts", r"HKLM\SOFTWARE\WOW6432Node\EACom"];
const PROMPTS: [&str; 2] = ["Folder (leave empty to skip)", "(y/n)"];
pub(crate) const INSTALLED: &str = "Program Files (x86)/EA Games/Motor City & 100%!";

/// A Windows PC of its own.
pub(crate) struct Pc {
    prefix: TempDir,
}

impl Pc {
    /// `None` if Wine is not there or does not start.
    pub(crate) fn new() -> Option<Self> {
        let pc = Self { prefix: tempfile::tempdir().unwrap() };
        let Some(started) = pc.wine("wineboot", &["-i"], &[], "") else {
            skip_missing("Wine");
            return None;
        };
        if started.success() && pc.path("windows/system32/cscript.exe").exists() {
            return Some(pc);
        }
        skipped("Wine makes no PC here: the scripts of the player kit are not tried");
        None
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.prefix.path().join("prefix/drive_c").join(below)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("HOME", self.prefix.path())
            .env("WINEPREFIX", self.prefix.path().join("prefix"))
            .env("WINEARCH", "win64")
            .env("WINEDEBUG", "-all")
            .env("WINEDLLOVERRIDES", "mscoree,mshtml,winemenubuilder.exe=d")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Starts a program, in a folder of drive C. Each line is typed when it is asked for: Wine's shell takes all that is there
    /// for one answer.
    fn wine(&self, program: &str, arguments: &[&str], typed: &[&str], folder: &str) -> Option<ExitStatus> {
        let mut command = self.command("wine");
        command.arg(program).args(arguments).stdin(Stdio::piped());
        command.stdout(fs::File::create(self.prefix.path().join("said.txt")).unwrap());
        if self.path(folder).exists() {
            command.current_dir(self.path(folder));
        }
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => panic!("wine: {error}"),
        };
        let mut stdin = child.stdin.take().unwrap();
        for (number, line) in typed.iter().enumerate() {
            let deadline = Instant::now() + PATIENCE;
            let asked = || PROMPTS.iter().map(|prompt| self.said().matches(prompt).count()).sum::<usize>();
            while asked() <= number {
                thread::sleep(Duration::from_millis(20));
                assert!(child.try_wait().unwrap().is_none(), "it asked {number} times: {}", self.said());
                assert!(Instant::now() < deadline, "it does not ask: {}", self.said());
            }
            stdin.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        }
        drop(stdin);
        Some(child.wait().unwrap())
    }

    /// What the last program said.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.prefix.path().join("said.txt")).unwrap()).into_owned()
    }

    /// Starts a script of a kit; its exit code.
    pub(crate) fn run(&self, folder: &str, script: &str, option: &str, typed: &[&str]) -> i32 {
        self.wine("cmd", &["/c", script, option], typed, folder).unwrap().code().unwrap()
    }

    fn reg(&self, arguments: &[&str]) {
        let status = self.wine("reg", arguments, &[], "").unwrap();
        assert!(status.success(), "{arguments:?}: {}", self.said());
    }

    /// A part of the registry as text; empty if there is no such key.
    fn exported(&self, key: &str) -> String {
        let file = self.path("export.reg");
        let _ = fs::remove_file(&file);
        let _ = self.wine("reg", &["export", key, "C:\\export.reg", "/y"], &[], "").unwrap();
        let bytes = fs::read(file).unwrap_or_default();
        let units: Vec<u16> =
            bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16(&units).unwrap()
    }

    /// All parts of the registry that the kit may touch.
    fn registry(&self) -> Vec<String> {
        [
            GAME_KEYS[0],
            GAME_KEYS[1],
            r"HKLM\SOFTWARE\Electronic Arts",
            r"HKLM\SOFTWARE\EACom",
            r"HKLM\SOFTWARE\mcos-kit",
            r"HKLM\SOFTWARE\Microsoft\SystemCertificates",
            r"HKLM\SOFTWARE\WOW6432Node\Microsoft\SystemCertificates",
        ]
        .map(|key| self.exported(key))
        .to_vec()
    }

    pub(crate) fn install_game(&self) {
        self.put(INSTALLED, "MCity.exe", "a program");
        self.put(INSTALLED, "pub.key", "the publisher's key");
        fs::write(self.path("game.reg"), GAME.replace('\n', "\r\n")).unwrap();
        self.reg(&["import", "C:\\game.reg"]);
    }

    fn remove_game(&self) {
        fs::remove_dir_all(self.path(INSTALLED)).unwrap();
        for key in GAME_KEYS {
            self.reg(&["delete", key, "/f"]);
        }
    }

    fn put(&self, folder: &str, file: &str, content: &str) {
        fs::create_dir_all(self.path(folder)).unwrap();
        fs::write(self.path(folder).join(file), content).unwrap();
    }

    /// Unpacks the kit of a server; its certificate's thumbprint.
    fn unpack(&self, folder: &str, host: &str) -> String {
        self.unpack_for(folder, host, 80)
    }

    /// The same for a server with this HTTP port.
    pub(crate) fn unpack_for(&self, folder: &str, host: &str, http: u16) -> String {
        let certificate = Certificate::from_der(host.as_bytes());
        let thumbprint = certificate.thumbprint().to_owned();
        let kit = Kit {
            host: HostName::parse(host).unwrap(),
            address: Some([192, 168, 1, 5].into()),
            netbios: None,
            ports: Ports { http, ..Ports::from(&Config::default().network) },
            public_key: format!("the key of {host}"),
            certificate: Some(certificate),
        };
        fs::create_dir_all(self.path(folder)).unwrap();
        for (name, content) in kit.files().unwrap() {
            fs::write(self.path(folder).join(name), content).unwrap();
        }
        thumbprint
    }

    fn key_in(&self, folder: &str) -> Option<String> {
        fs::read_to_string(self.path(folder).join("pub.key")).ok()
    }

    fn assert_nothing_is_left(&self) {
        assert!(!self.path("windows/mcos-kit").exists());
        assert!(!self.path("ran.txt").exists(), "what was typed was run");
    }
}

impl Drop for Pc {
    /// The server of this prefix, and no other, ends with it.
    fn drop(&mut self) {
        let _ = self.command("wineserver").arg("-k").status();
        let _ = self.command("wineserver").arg("-w").status();
    }
}

#[test]
fn what_kits_wrote_is_taken_back_value_for_value_whatever_was_installed_in_between() {
    let Some(pc) = Pc::new() else { return };
    let clean = pc.registry();
    pc.install_game();
    let with_game = pc.registry();
    pc.remove_game();
    assert_eq!(pc.registry(), clean);
    let (ours, theirs) = ("A & B!", "100% (x86)");
    // The second one is found, so nothing is asked about the file hosts.
    let thumbprints = [pc.unpack(ours, "192.168.1.5"), pc.unpack(theirs, "localhost")];

    // Before the game: the settings are written, and that the game is missing is said.
    assert_eq!(pc.run(ours, "setup.bat", "/q", &[]), 1, "{}", pc.said());
    assert!(pc.said().contains("NOT FOUND"), "{}", pc.said());
    assert!(pc.said().contains("DAO 3.5 IS MISSING"), "{}", pc.said());
    pc.install_game();
    assert_eq!(pc.run(ours, "setup.bat", "/q", &[]), 0, "{}", pc.said());
    assert_eq!(pc.key_in(INSTALLED).unwrap(), "the key of 192.168.1.5");
    assert_eq!(pc.run(ours, "setup.bat", "/q", &[]), 0, "{}", pc.said());
    assert_eq!(pc.run(theirs, "setup.bat", "/q", &[]), 0, "{}", pc.said());
    assert_eq!(pc.key_in(INSTALLED).unwrap(), "the key of localhost");
    let written = pc.registry();
    for line in [
        r#""ShardUrl"="http://localhost/ShardList/""#,
        r#""AuthLogin"="2176""#,
        r#""SSLRetry"=dword:00000000"#,
        r#""3D Card"="Say \"D3D\" & 100%""#,
    ] {
        assert!(written[..2].concat().contains(line), "{line}: {written:?}");
    }
    for thumbprint in &thumbprints {
        assert!(written[5].contains(thumbprint), "{thumbprint}");
    }

    // The undo.bat of one server undoes both kits.
    assert_eq!(pc.run(ours, "undo.bat", "/q", &[]), 0, "{}", pc.said());
    assert_eq!(pc.registry(), with_game, "{}", pc.said());
    assert_eq!(pc.key_in(INSTALLED).unwrap(), "the publisher's key");
    pc.assert_nothing_is_left();
    pc.remove_game();
    folders_are_typed(&pc, ours, &clean);
    a_kit_of_before_is_undone(&pc, ours);
    a_name_is_written_into_the_file_hosts(&pc);
}

/// Folders with letters that mean something to the shell, typed after what is no folder.
fn folders_are_typed(pc: &Pc, kit: &str, clean: &[String]) {
    for game in ["A & B!", "100%", "Games (x86)", "%PATH%^&"] {
        let folder = format!("{game}/game");
        pc.put(&folder, "MCity.exe", "a program");
        let found = format!("\"C:\\{game}\\game\\\"");
        let typed = ["x & echo y>C:\\ran.txt", "\" & echo y>C:\\ran.txt & \"", "C:\\nowhere", &found];
        assert_eq!(pc.run(kit, "setup.bat", "", &typed), 0, "{game}: {}", pc.said());
        assert_eq!(pc.said().matches("no MCity.exe in that folder").count(), 3, "{}", pc.said());
        assert_eq!(pc.key_in(&folder).unwrap(), "the key of 192.168.1.5");
        // Set up again, the folder is known.
        assert_eq!(pc.run(kit, "setup.bat", "/q", &[]), 0, "{game}: {}", pc.said());
        assert_eq!(pc.run(kit, "undo.bat", "", &[]), 0, "{game}: {}", pc.said());
        assert_eq!(pc.registry(), clean, "{game}");
        assert_eq!(pc.key_in(&folder), None, "there was none before");
        pc.assert_nothing_is_left();
    }
}

/// What the first kits kept: whole keys, and nothing about their certificate.
fn a_kit_of_before_is_undone(pc: &Pc, kit: &str) {
    pc.install_game();
    // This key was not there then, so what is in it is the kit's.
    pc.reg(&["delete", GAME_KEYS[1], "/f"]);
    // There is one on every Windows, but not in a new prefix.
    pc.reg(&["add", r"HKLM\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates", "/f"]);
    // Wine makes this one itself, empty, but not at a certain moment.
    pc.reg(&["add", r"HKLM\SOFTWARE\WOW6432Node\Microsoft\SystemCertificates\ROOT\Certificates", "/f"]);
    let with_game = pc.registry();
    let kept = "windows/mcos-kit";
    let old = "the game's authority (Motor City Online at home)";
    let certificate = Certificate::from_der(old.as_bytes());
    fs::create_dir_all(pc.path(kept)).unwrap();
    for (file, key) in [
        ("64-game.reg", "Electronic Arts\\Motor City"),
        ("64-nps.reg", "Electronic Arts\\Network Play System"),
    ] {
        let key = format!("HKLM\\SOFTWARE\\WOW6432Node\\{key}");
        let _ = pc.wine("reg", &["export", &key, &format!("C:\\windows\\mcos-kit\\{file}")], &[], "");
    }
    pc.put(kept, "kept.txt", "The settings as they were before the player kit.\r\n");
    pc.put(kept, "pub.key", "the publisher's key");
    pc.put(INSTALLED, "pub.key", "the key of 192.168.1.5");
    let game = r"C:\Program Files (x86)\EA Games\Motor City & 100%!";
    pc.reg(&["add", r"HKLM\SOFTWARE\mcos-kit", "/v", "Server", "/d", "192.168.1.5", "/f"]);
    pc.reg(&["add", r"HKLM\SOFTWARE\mcos-kit", "/v", "GameFolder", "/t", "REG_SZ", "/d", game, "/f"]);
    pc.put("", "old.reg", &certificate.registry());
    pc.reg(&["import", "C:\\old.reg"]);
    // The first kits wrote all but these two.
    let settings = fs::read_to_string(pc.path(kit).join("mcos-64bit.reg")).unwrap();
    let settings = settings.lines().filter(|line| !line.contains("2176") && !line.contains("SSLRetry"));
    pc.put("", "old-settings.reg", &settings.collect::<Vec<_>>().join("\r\n"));
    pc.reg(&["import", "C:\\old-settings.reg"]);
    assert_ne!(pc.registry(), with_game);

    assert_eq!(pc.run(kit, "undo.bat", "/q", &[]), 0, "{}", pc.said());
    assert_eq!(pc.registry(), with_game);
    assert_eq!(pc.key_in(INSTALLED).unwrap(), "the publisher's key");
    pc.assert_nothing_is_left();
}

fn a_name_is_written_into_the_file_hosts(pc: &Pc) {
    let (kit, hosts) = ("hosts", pc.path("windows/system32/drivers/etc/hosts"));
    pc.unpack(kit, "race.invalid");
    let before = "127.0.0.1 localhost\r\n10.0.0.1 old # a remark";
    fs::create_dir_all(hosts.parent().unwrap()).unwrap();
    fs::write(&hosts, before).unwrap();
    pc.install_game();
    assert_eq!(pc.run(kit, "setup.bat", "", &["y & echo y>C:\\ran.txt"]), 0, "{}", pc.said());
    assert_eq!(pc.run(kit, "setup.bat", "", &["Y"]), 0, "{}", pc.said());
    let line = "192.168.1.5 race.invalid # mcos player kit";
    assert_eq!(fs::read_to_string(&hosts).unwrap(), format!("{before}\r\n{line}\r\n"));
    assert_eq!(pc.run(kit, "setup.bat", "", &["n"]), 1, "{}", pc.said());
    assert_eq!(pc.run(kit, "undo.bat", "/q", &[]), 0, "{}", pc.said());
    assert_eq!(fs::read_to_string(&hosts).unwrap().trim_end(), before);
    // Where there was no such file, there is none afterwards.
    fs::remove_file(&hosts).unwrap();
    assert_eq!(pc.run(kit, "setup.bat", "", &["y"]), 0, "{}", pc.said());
    assert_eq!(fs::read_to_string(&hosts).unwrap(), format!("{line}\r\n"));
    assert_eq!(pc.run(kit, "undo.bat", "/q", &[]), 0, "{}", pc.said());
    assert!(!hosts.exists());
    pc.assert_nothing_is_left();
}
