//! What differs between the boards that QEMU emulates.

use crate::card::Card;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Debian's UEFI for emulated PCs (package ovmf).
const UEFI: &str = "/usr/share/OVMF";

/// A board.
#[derive(Clone)]
pub(crate) enum Board {
    /// QEMU's "virt" machine, with as little memory as the smallest board has, started by this U-Boot.
    Virt(PathBuf),
    /// The same machine, started as the firmware of a Raspberry Pi 5 would: nobody emulates one, but it shares its kernel and its initrd.
    Pi5,
    /// A PC with UEFI, whose disk and network port are such as many have.
    Pc,
    /// The same, with Secure Boot, and the "card" is a USB stick.
    SecurePc,
}

impl Board {
    /// The board without what starts it.
    pub(crate) fn machine(&self) -> Command {
        let (program, arguments): (_, &[&str]) = match self {
            Self::Virt(_) => (
                "qemu-system-aarch64",
                &["-M", "virt", "-cpu", "cortex-a53", "-m", "512", "-device", "virtio-rng-pci"],
            ),
            Self::Pi5 => (
                "qemu-system-aarch64",
                &["-M", "virt", "-cpu", "cortex-a76", "-m", "1024", "-device", "virtio-rng-pci"],
            ),
            Self::Pc => ("qemu-system-x86_64", &["-M", "q35", "-cpu", "Nehalem", "-m", "1024"]),
            Self::SecurePc => (
                "qemu-system-x86_64",
                &[
                    "-M",
                    "q35,smm=on",
                    "-cpu",
                    "Nehalem",
                    "-m",
                    "1024",
                    "-global",
                    "driver=cfi.pflash01,property=secure,value=on",
                ],
            ),
        };
        let mut command = Command::new(program);
        command.args(arguments).args(["-smp", "2", "-display", "none", "-monitor", "none"]);
        command
    }

    /// The board as it starts from this card, which has to be put in yet.
    pub(crate) fn starting(&self, card: &Card) -> Command {
        let mut command = self.machine();
        let (code, kept) = match self {
            Self::Virt(uboot) => {
                command.arg("-bios").arg(uboot);
                return command;
            }
            Self::Pi5 => {
                for (option, name) in [("-kernel", "kernel"), ("-initrd", "initrd")] {
                    let file = card.path().with_extension(name);
                    fs::write(&file, card.take(&format!("pi5/{name}")).unwrap()).unwrap();
                    command.arg(option).arg(file);
                }
                // A person who has something to tell the kernel puts it into this file, since no other may be started. The first
                // serial port here would not be used if the one that the real board has were named as well.
                let words = card.get("pi5/cmdline.txt").unwrap();
                let words = words.split_whitespace().filter(|word| !word.starts_with("console="));
                let more = card.get("bootargs.txt").unwrap_or_default().replace("more_bootargs=", "");
                let words: Vec<&str> = words.chain(more.split_whitespace()).collect();
                command.arg("-append").arg(words.join(" "));
                return command;
            }
            Self::Pc => ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
            Self::SecurePc => ("OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd"),
        };
        // UEFI keeps notes of its own.
        let notes = card.path().with_extension("uefi");
        fs::copy(format!("{UEFI}/{kept}"), &notes).expect("ovmf is installed");
        let code = format!("if=pflash,unit=0,format=raw,readonly=on,file={UEFI}/{code}");
        let notes = format!("if=pflash,unit=1,format=raw,file={}", notes.display());
        command.args(["-drive", &code, "-drive", &notes]);
        command
    }

    /// Where a card is put into the board.
    /// A PC that is given a kernel by itself starts that first (0).
    pub(crate) const fn card_reader(&self) -> &'static [&'static str] {
        match self {
            Self::Virt(_) | Self::Pi5 => &["-device", "virtio-blk-pci,drive=card"],
            Self::Pc => &["-device", "ide-hd,drive=card,bootindex=1"],
            Self::SecurePc => {
                &["-device", "qemu-xhci,id=usb", "-device", "usb-storage,bus=usb.0,drive=card,bootindex=1"]
            }
        }
    }

    /// The board's network port.
    pub(crate) const fn network_card(&self) -> &'static str {
        match self {
            Self::Virt(_) | Self::Pi5 => "virtio-net-pci,netdev=network,romfile=",
            Self::Pc | Self::SecurePc => "e1000e,netdev=network,romfile=",
        }
    }

    /// The card, as the kernel calls it.
    pub(crate) const fn disk(&self) -> &'static str {
        match self {
            Self::Virt(_) | Self::Pi5 => "vda",
            Self::Pc | Self::SecurePc => "sda",
        }
    }

    /// The serial port, as the kernel calls it.
    pub(crate) const fn serial_port(&self) -> &'static str {
        match self {
            Self::Virt(_) | Self::Pi5 => "ttyAMA0",
            Self::Pc | Self::SecurePc => "ttyS0",
        }
    }

    /// What the kernel must be told for the tests to see on the serial port what a person sees on the screen.
    pub(crate) const fn words(&self) -> &'static str {
        match self {
            Self::Virt(_) => "",
            Self::Pi5 => "console=ttyAMA0",
            Self::Pc | Self::SecurePc => "console=ttyS0,115200",
        }
    }

    /// What gives the kernel a shell on the serial port.
    pub(crate) fn shell(&self) -> String {
        format!("systemd.debug_shell={}", self.serial_port())
    }

    /// The boot script of a version that starts, and then starts again, for ever.
    pub(crate) fn hopeless_version(&self, card: &Card) -> Vec<u8> {
        if !matches!(self, Self::Virt(_)) {
            let port = self.serial_port();
            return format!("echo hopeless version >/dev/{port}\nreboot -f\n").into_bytes();
        }
        let (source, script) = (card.path().with_extension("cmd"), card.path().with_extension("scr"));
        fs::write(&source, "echo hopeless version\nreset\n").unwrap();
        let made = Command::new("mkimage")
            .args(["-q", "-A", "arm64", "-T", "script", "-C", "none", "-d"])
            .args([&source, &script])
            .output()
            .expect("mkimage is installed");
        assert!(made.status.success());
        fs::read(script).unwrap()
    }
}
