//! A home network that nobody else is in: two network namespaces of Linux, one with the box and one with a PC, and a cable
//! between them. So a server can have its real ports, and answer to broadcasts, whoever runs the tests.
#![allow(dead_code, reason = "each test uses its part")]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

/// The address of the box.
pub(crate) const BOX: &str = "192.168.77.5";
/// The address of the PC.
pub(crate) const PC: &str = "192.168.77.9";
/// The address of the PC where there is no router.
pub(crate) const ALONE: &str = "169.254.77.9";
/// Everybody in the home.
pub(crate) const EVERYBODY: &str = "192.168.77.255";

pub(crate) struct Home {
    the_box: Child,
    pc: Child,
}

impl Drop for Home {
    fn drop(&mut self) {
        for child in [&mut self.the_box, &mut self.pc] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Home {
    /// Lays the cable; `None` where this user may not make networks.
    pub(crate) fn build() -> Option<Self> {
        let the_box = hold(Command::new("unshare").args(["--map-root-user", "--net"]))?;
        let pc = hold(enter(&the_box).args(["unshare", "--net"]))?;
        let home = Self { the_box, pc };
        let pc = home.pc.id();
        for line in [
            "ip link set lo up".to_owned(),
            format!("ip link add name cable type veth peer name cable netns {pc}"),
            format!("ip addr add {BOX}/24 brd + dev cable"),
            "ip link set cable up".to_owned(),
        ] {
            home.on_box(&line).status.success().then_some(())?;
        }
        for line in
            ["ip link set lo up", &format!("ip addr add {PC}/24 brd + dev cable"), "ip link set cable up"]
        {
            home.on_pc(line).status.success().then_some(())?;
        }
        Some(home)
    }

    /// A home with a PC and a loose end of cable, for an emulated board (a tap device, `cable`). There is no router, so nobody
    /// gives out addresses: the PC has one that it gave itself.
    pub(crate) fn awaiting_a_board() -> Option<Self> {
        let the_box = hold(Command::new("unshare").args(["--map-root-user", "--net"]))?;
        let pc = hold(&mut enter(&the_box))?;
        let home = Self { the_box, pc };
        for line in [
            "ip link set lo up",
            "ip tuntap add dev cable mode tap",
            &format!("ip addr add {ALONE}/16 brd + dev cable"),
            "ip link set cable up",
        ] {
            home.on_pc(line).status.success().then_some(())?;
        }
        Some(home)
    }

    /// What stands before a command that is to run on the box.
    pub(crate) fn way_in(&self) -> Vec<OsString> {
        let command = enter(&self.the_box);
        std::iter::once(command.get_program()).chain(command.get_args()).map(OsString::from).collect()
    }

    /// Runs a line of shell on the box.
    pub(crate) fn on_box(&self, line: &str) -> Output {
        enter(&self.the_box).args(["bash", "-c", line]).output().unwrap()
    }

    /// Runs a line of shell on the PC.
    pub(crate) fn on_pc(&self, line: &str) -> Output {
        enter(&self.pc).args(["bash", "-c", line]).output().unwrap()
    }

    /// What a page of the box is, seen from the PC.
    pub(crate) fn page(&self, path: &str) -> String {
        self.page_at(BOX, path)
    }

    /// What a page at some address is, seen from the PC.
    pub(crate) fn page_at(&self, host: &str, path: &str) -> String {
        let ask = format!("GET {path} HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n");
        let output = self.on_pc(&format!("exec 3<>/dev/tcp/{host}/80 && printf '{ask}' >&3 && cat <&3"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// A process that keeps a namespace alive.
fn hold(command: &mut Command) -> Option<Child> {
    let mut child = command
        .args(["sh", "-c", "echo there; exec sleep 3000"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
    if read.is_ok() && line == "there\n" {
        return Some(child);
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// The beginning of a command in the namespaces of a process.
fn enter(process: &Child) -> Command {
    let mut command = Command::new("nsenter");
    let target = process.id().to_string();
    command.args(["--target", &target, "--user", "--net", "--preserve-credentials", "--"]);
    command
}
