//! A board that is switched on. It starts from a card as a real one does: firmware, slot, kernel, system, server.

use crate::board::Board;
use crate::card::{Card, WriteLog};
use crate::home::Home;
use mcos::client::Endpoint;
use mcos::client::web::Web;
use smol::block_on;
use std::fs::{self, File};
use std::io::Write as _;
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

/// What starts a Debian without this project.
pub(crate) struct Debian {
    /// Its root file system.
    pub(crate) root: Card,
    pub(crate) kernel: PathBuf,
    pub(crate) initrd: PathBuf,
}

/// A board that is switched on.
pub(crate) struct Machine {
    qemu: Child,
    console: PathBuf,
    started: Instant,
    /// How often something was typed on the serial console.
    asked: u32,
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
    pub(crate) fn start(board: &Board, card: &Card) -> Self {
        Self::start_with(board, card, &[])
    }

    /// The same, with more arguments for QEMU.
    pub(crate) fn start_with(board: &Board, card: &Card, more: &[String]) -> Self {
        let mut command = board.starting(card);
        Self::switch_on(command.args(plain(board, card)).args(forwarded(board)).args(more), card)
    }

    /// The same as [`Machine::start`]; everything written goes to a log as well.
    pub(crate) fn start_logged(board: &Board, card: &Card) -> (Self, WriteLog) {
        let log = card.path().with_extension("log");
        File::create(&log).unwrap();
        let file = format!("driver=file,node-name=file,filename={}", card.path().display());
        let log_file = format!("driver=file,node-name=log,filename={}", log.display());
        let drive = "driver=blklogwrites,node-name=card,file=file,log=log,log-sector-size=512";
        let mut command = board.starting(card);
        command.args(["-blockdev", &file, "-blockdev", &log_file, "-blockdev", drive]);
        command.args(board.card_reader()).args(forwarded(board));
        (Self::switch_on(&mut command, card), WriteLog { path: log })
    }

    /// The same as [`Machine::start`], on the cable of a home.
    pub(crate) fn start_at_home(board: &Board, card: &Card, home: &Home) -> Self {
        let machine = board.starting(card);
        let way_in = home.way_in();
        let mut command = Command::new(&way_in[0]);
        command.args(&way_in[1..]).arg(machine.get_program()).args(machine.get_args());
        command.args(plain(board, card)).args([
            "-netdev",
            "tap,id=network,ifname=cable,script=no,downscript=no",
            "-device",
            board.network_card(),
        ]);
        Self::switch_on(&mut command, card)
    }

    /// The same as [`Machine::start`], with a USB stick in it.
    pub(crate) fn start_with_stick(board: &Board, card: &Card, stick: &Path) -> Self {
        Self::start_with(board, card, &usb(stick))
    }

    /// A Debian with the image's kernel and packages and nothing of this project, read-only but for `/var` and `/run`, with a shell on
    /// the console and perhaps a USB stick in it. It has no network until the shell is told to make one.
    pub(crate) fn start_debian(board: &Board, debian: &Debian, stick: Option<&Path>) -> Self {
        let (disk, port) = (board.disk(), board.serial_port());
        let words = format!(
            "root=/dev/{disk} rootfstype=squashfs ro systemd.volatile=state systemd.firstboot=no console={port} quiet \
             net.ifnames=0 {} systemd.mask=serial-getty@{port}.service",
            board.shell()
        );
        let mut command = board.machine();
        command.arg("-kernel").arg(&debian.kernel).arg("-initrd").arg(&debian.initrd);
        command.args(["-append", &words]).args(plain(board, &debian.root));
        command.args(forwarded(board)).args(stick.iter().flat_map(|stick| usb(stick)));
        let mut machine = Self::switch_on(&mut command, &debian.root);
        machine.await_that("there is a shell", |machine| machine.console().contains('#'));
        machine
    }

    /// Switches QEMU's Raspberry Pi 3 on, with what its firmware would have started taken off the card: U-Boot and the board's
    /// device tree. QEMU has no port for its network, and Debian's kernel finds nothing on its USB, so it has none.
    pub(crate) fn start_pi(uboot: &Path, device_tree: &Path, card: &Card) -> Self {
        let mut command = Command::new("qemu-system-aarch64");
        command.args(["-M", "raspi3b", "-display", "none", "-monitor", "none"]);
        command.arg("-kernel").arg(uboot).arg("-dtb").arg(device_tree);
        command.args(["-drive", &format!("file={},format=raw,if=sd", card.path().display())]);
        command.args(["-nic", "none", "-serial", "null", "-serial", "stdio"]);
        Self::spawn(&mut command, card)
    }

    fn switch_on(command: &mut Command, card: &Card) -> Self {
        Self::spawn(command.args(["-serial", "stdio"]), card)
    }

    fn spawn(command: &mut Command, card: &Card) -> Self {
        let console = card.path().with_extension("console");
        let qemu = command
            .stdin(Stdio::piped())
            .stdout(File::create(&console).unwrap())
            .stderr(File::create(card.path().with_extension("qemu")).unwrap())
            .spawn()
            .expect("QEMU is installed");
        Self { qemu, console, started: Instant::now(), asked: 0 }
    }

    /// Types a line on the serial console, where the kernel was told to have a shell; what it printed.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.asked += 1;
        let (begin, end) = (format!("begin-{}:", self.asked), format!(":end-{}", self.asked));
        // The terminal repeats what is typed: the marks must not be in that.
        let typed = format!("echo be''{}; {line}; echo :en''{}\n", &begin[2..], &end[3..]);
        let shell = self.qemu.stdin.as_mut().unwrap();
        shell.write_all(typed.as_bytes()).unwrap();
        shell.flush().unwrap();
        self.await_that("the shell answers", |machine| machine.console().contains(&end));
        let console = self.console();
        let (_, rest) = console.split_once(&begin).expect("the answer has a beginning");
        rest.split_once(&end).unwrap().0.trim().replace('\r', "")
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
            if self.qemu.try_wait().unwrap().is_some() {
                let said = fs::read_to_string(self.console.with_extension("qemu")).unwrap_or_default();
                panic!("QEMU has ended while we waited until {what}: {said}");
            }
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

/// The card, as it is.
fn plain(board: &Board, card: &Card) -> Vec<String> {
    let file = format!("driver=file,node-name=file,filename={}", card.path().display());
    let drive = ["-blockdev", &file, "-blockdev", "driver=raw,node-name=card,file=file"];
    drive.iter().chain(board.card_reader()).map(|argument| (*argument).to_owned()).collect()
}

/// A USB stick.
fn usb(stick: &Path) -> [String; 6] {
    let drive = format!("if=none,id=stick,format=raw,file={}", stick.display());
    ["-device", "qemu-xhci", "-drive", &drive, "-device", "usb-storage,drive=stick"].map(str::to_owned)
}

/// A network of its own, whose router forwards what the box is asked for from outside.
fn forwarded(board: &Board) -> [String; 4] {
    let forwards = PORTS.map(|port| format!(",hostfwd=tcp:{ADDRESS}:{port}-:{port}")).concat();
    let network = format!("user,id=network{forwards}");
    ["-netdev", &network, "-device", board.network_card()].map(str::to_owned)
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
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
