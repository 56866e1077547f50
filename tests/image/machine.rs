//! The board: QEMU's "virt" machine, which starts from a card as a real one does: U-Boot, slot, kernel, system, server.

use crate::card::{Card, WriteLog};
use mcos::client::Endpoint;
use mcos::client::web::Web;
use smol::block_on;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a start may take. Emulated on a machine with other things to do it takes a minute or two.
const START: Duration = Duration::from_mins(20);
/// How long one answer of an emulated box may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
/// The ports of the game are built into it, so they are the same outside; this address keeps them apart from others.
pub(crate) const ADDRESS: &str = "127.77.0.1";
/// What the box is asked for from outside.
const PORTS: [u16; 22] = [
    80, 443, 8226, 8227, 8228, 7003, 43300, 9000, 9001, 9002, 9003, 9004, 9005, 9006, 9007, 9008, 9009, 9010,
    9011, 9012, 9013, 9014,
];

/// A board that is switched on.
pub(crate) struct Machine {
    qemu: Child,
    console: PathBuf,
    started: Instant,
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
        if std::thread::panicking() {
            let console = self.console();
            let tail = console.len().saturating_sub(6000);
            eprintln!("--- console ---\n{}", String::from_utf8_lossy(&console.as_bytes()[tail..]));
        }
    }
}

impl Machine {
    /// Switches a board on with this card in it.
    pub(crate) fn start(uboot: &Path, card: &Card) -> Self {
        let file = format!("driver=file,node-name=file,filename={}", card.path().display());
        Self::with(uboot, card, &["-blockdev", &file, "-blockdev", "driver=raw,node-name=card,file=file"])
    }

    /// The same; everything written goes to `log` as well.
    pub(crate) fn start_logged(uboot: &Path, card: &Card) -> (Self, WriteLog) {
        let log = card.path().with_extension("log");
        File::create(&log).unwrap();
        let file = format!("driver=file,node-name=file,filename={}", card.path().display());
        let log_file = format!("driver=file,node-name=log,filename={}", log.display());
        let drive = "driver=blklogwrites,node-name=card,file=file,log=log,log-sector-size=512";
        let machine =
            Self::with(uboot, card, &["-blockdev", &file, "-blockdev", &log_file, "-blockdev", drive]);
        (machine, WriteLog { path: log })
    }

    fn with(uboot: &Path, card: &Card, drive: &[&str]) -> Self {
        let console = card.path().with_extension("console");
        let forwards = PORTS.map(|port| format!(",hostfwd=tcp:{ADDRESS}:{port}-:{port}")).concat();
        let network = format!("user,id=network{forwards}");
        // As little memory as the smallest board has.
        let qemu = Command::new("qemu-system-aarch64")
            .args([
                "-M",
                "virt",
                "-cpu",
                "cortex-a53",
                "-smp",
                "2",
                "-m",
                "512",
                "-display",
                "none",
                "-monitor",
                "none",
            ])
            .arg("-bios")
            .arg(uboot)
            .arg("-serial")
            .arg(format!("file:{}", console.display()))
            .args(drive)
            .args(["-device", "virtio-blk-pci,drive=card", "-device", "virtio-rng-pci"])
            .args(["-netdev", &network, "-device", "virtio-net-pci,netdev=network,romfile="])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(card.path().with_extension("qemu")).unwrap())
            .spawn()
            .expect("qemu-system-aarch64 is installed");
        Self { qemu, console, started: Instant::now() }
    }

    /// What the box wrote to its serial console.
    pub(crate) fn console(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.console).unwrap_or_default()).into_owned()
    }

    /// Waits until the pages answer. How long that took since the machine was switched on.
    pub(crate) fn await_pages(&mut self) -> Duration {
        self.await_that("the pages answer", |_| {
            let web = Web::new(Endpoint::new(ADDRESS, 80), Duration::from_secs(10));
            block_on(web.get("/", "")).is_ok_and(|response| response.status == 200)
        })
    }

    /// Waits until something is so.
    pub(crate) fn await_that(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> Duration {
        let begun = Instant::now();
        loop {
            if is_so(self) {
                return self.started.elapsed();
            }
            assert!(self.qemu.try_wait().unwrap().is_none(), "QEMU has ended while we waited until {what}");
            assert!(begun.elapsed() < START, "we waited in vain until {what}");
            sleep(Duration::from_millis(500));
        }
    }

    /// Pulls the plug, while others look at the machine.
    pub(crate) fn cut(&self) {
        let status = Command::new("kill").args(["-KILL", &self.qemu.id().to_string()]).status().unwrap();
        assert!(status.success(), "QEMU has ended before the plug was pulled");
    }

    /// Pulls the plug.
    pub(crate) fn pull_the_plug(mut self) {
        let _ = self.qemu.kill();
        self.qemu.wait().unwrap();
    }
}

/// The box, as a browser or the game reaches it.
pub(crate) fn web() -> Web {
    Web::new(Endpoint::new(ADDRESS, 80), PATIENCE)
}

/// Walks through everything a Client does.
pub(crate) fn probe(user: &str, password: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcos"))
        .args(["probe", ADDRESS, "--user", user, "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("{password}\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
