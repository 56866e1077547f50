//! A card: the image as a file, what people put on its boot partition, and what a power cut leaves of it.

use crate::board::Board;
use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of the card that the image is written to: the smallest that can be bought. The image itself is smaller, so that the box has
/// something to grow into.
const CARD_BYTES: u64 = 2 << 30;
/// Where the boot partition begins, as mtools want it.
const BOOT_PARTITION: &str = "4M";
/// Where the data partition begins, in bytes.
const DATA_PARTITION: u64 = 1156 << 20;
/// The server's data folder on the data partition.
pub(crate) const DATA: &str = "/lib/private/mcos";

/// The slot sector and its copy.
const SECTORS: [u64; 2] = [2048, 2056];

/// A card, as a file.
pub(crate) struct Card {
    path: PathBuf,
}

impl Card {
    /// The image, freshly written to a card.
    pub(crate) fn flashed(image: &Path, path: PathBuf) -> Self {
        copy_sparsely(image, &path);
        File::options().write(true).open(&path).unwrap().set_len(CARD_BYTES).unwrap();
        Self { path }
    }

    /// What is in a file already.
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// A second card with the same on it.
    pub(crate) fn copied(&self, path: PathBuf) -> Self {
        copy_sparsely(&self.path, &path);
        Self { path }
    }

    /// In the place of another card, which is gone then.
    pub(crate) fn moved_to(self, other: Self) -> Self {
        fs::rename(&self.path, &other.path).unwrap();
        other
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a file on the boot partition, as with a PC's card reader.
    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        let file = self.path.with_extension("put");
        fs::write(&file, content).unwrap();
        self.put_file(name, &file);
        fs::remove_file(file).unwrap();
    }

    /// The same, with a file that is there already.
    pub(crate) fn put_file(&self, name: &str, file: &Path) {
        let output = self.mtool("mcopy").arg("-o").arg(file).arg(format!("::{name}")).output().unwrap();
        assert!(output.status.success(), "mcopy: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A file of the boot partition, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.take(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The same, as it is.
    pub(crate) fn take(&self, name: &str) -> Option<Vec<u8>> {
        let output = self.mtool("mtype").arg(format!("::{name}")).output().unwrap();
        output.status.success().then_some(output.stdout)
    }

    /// Adds words to the kernel's command line.
    pub(crate) fn tell_the_kernel(&self, words: &str) {
        self.put("bootargs.txt", format!("more_bootargs={words}\n").as_bytes());
    }

    /// The names in a folder of the boot partition.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let output = self.mtool("mdir").arg("-b").arg(format!("::{folder}")).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// Has `debugfs` do something to the data partition, after what the plug left half done is finished; what it said.
    fn on_data(&self, requests: &[&str]) -> String {
        let partition = self.path.with_extension("data");
        let mut card = File::options().read(true).write(true).open(&self.path).unwrap();
        card.seek(SeekFrom::Start(DATA_PARTITION)).unwrap();
        io::copy(&mut card, &mut File::create(&partition).unwrap()).unwrap();
        // 1 means that something was put in order.
        let checked =
            Command::new("e2fsck").arg("-fy").arg(&partition).output().expect("e2fsck is installed");
        assert!(checked.status.code().is_some_and(|code| code <= 1), "{checked:?}");
        let mut said = String::new();
        for request in requests {
            let output =
                Command::new("debugfs").args(["-w", "-R", request]).arg(&partition).output().unwrap();
            assert!(output.status.success(), "debugfs: {}", String::from_utf8_lossy(&output.stderr));
            said.push_str(&String::from_utf8_lossy(&output.stdout));
        }
        card.seek(SeekFrom::Start(DATA_PARTITION)).unwrap();
        io::copy(&mut File::open(&partition).unwrap(), &mut card).unwrap();
        fs::remove_file(partition).unwrap();
        said
    }

    /// Damages a file on the data partition where it lies, in its first half.
    pub(crate) fn damage(&self, file: &str) {
        let said = self.on_data(&["stats -h", &format!("blocks {file}")]);
        let size = number_after(&said, "Block size:");
        let blocks = said.lines().last().unwrap().split_whitespace().map(|block| block.parse().unwrap());
        let blocks: Vec<u64> = blocks.collect();
        let mut card = File::options().write(true).open(&self.path).unwrap();
        for block in &blocks[..blocks.len() / 2] {
            card.seek(SeekFrom::Start(DATA_PARTITION + block * size)).unwrap();
            card.write_all(&vec![0xa5; usize::try_from(size).unwrap()]).unwrap();
        }
    }

    /// Fills the data partition but for this many blocks.
    pub(crate) fn fill(&self, left: u64) {
        let free = number_after(&self.on_data(&["stats -h"]), "Free blocks:");
        let empty = self.path.with_extension("empty");
        fs::write(&empty, b"").unwrap();
        let (write, grow) =
            (format!("write {} /filler", empty.display()), format!("fallocate /filler 0 {}", free - left));
        self.on_data(&[&write, &grow]);
    }

    /// Takes back what [`Card::fill`] did.
    pub(crate) fn make_room(&self) {
        self.on_data(&["rm /filler"]);
    }

    fn mtool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // What a box whose plug was pulled leaves makes mtools ask questions; they are not to be asked here.
        command.env("MTOOLS_SKIP_CHECK", "1");
        command.arg("-i").arg(format!("{}@@{BOOT_PARTITION}", self.path.display()));
        command
    }

    /// Puts a version into slot B that starts, and then starts again, for ever; and has it tried.
    pub(crate) fn with_a_hopeless_version(&self, board: &Board, tries: u32) {
        let mut script = board.hopeless_version(self);
        script.resize(script.len().next_multiple_of(512), 0);
        let mut disk = File::options().read(true).write(true).open(&self.path).unwrap();
        let mut sector = [0; 512];
        // The third entry of the partition table is slot B; its first sector is the ninth byte's word.
        disk.read_exact(&mut sector).unwrap();
        let first = &sector[446 + 2 * 16 + 8..][..4];
        let place = u32::from_le_bytes(first.try_into().unwrap());
        disk.seek(SeekFrom::Start(u64::from(place) * 512)).unwrap();
        disk.write_all(&script).unwrap();
        disk.seek(SeekFrom::Start(SECTORS[0] * 512)).unwrap();
        disk.read_exact(&mut sector).unwrap();
        sector[16..20].copy_from_slice(&tries.to_le_bytes());
        sector[28..32].copy_from_slice(&place.to_le_bytes());
        sector[32..36].copy_from_slice(&u32::try_from(script.len() / 512).unwrap().to_le_bytes());
        let sum = crc32fast::hash(&sector[..508]);
        sector[508..].copy_from_slice(&sum.to_be_bytes());
        for at in SECTORS {
            disk.seek(SeekFrom::Start(at * 512)).unwrap();
            disk.write_all(&sector).unwrap();
        }
    }

    /// Damages the first slot sector, as a power cut in the middle of it would.
    pub(crate) fn tear_slot_sector(&self) {
        let mut disk = File::options().write(true).open(&self.path).unwrap();
        disk.seek(SeekFrom::Start(SECTORS[0] * 512 + 12)).unwrap();
        disk.write_all(&[0xff; 100]).unwrap();
    }

    /// The slot that is committed, the tries that one on trial has left, and whether copy and original say the same.
    pub(crate) fn slots(&self) -> (u32, u32) {
        let mut disk = File::open(&self.path).unwrap();
        let mut sector = [0; 512];
        for at in SECTORS {
            disk.seek(SeekFrom::Start(at * 512)).unwrap();
            disk.read_exact(&mut sector).unwrap();
            let number = |at: usize| u32::from_le_bytes(sector[at..at + 4].try_into().unwrap());
            let sum = crc32fast::hash(&sector[..508]);
            if sector.starts_with(b"MCOSSLOT")
                && [sum.to_be_bytes(), sum.to_le_bytes()].iter().any(|sum| sector[508..] == *sum)
            {
                return (number(12), number(16));
            }
        }
        panic!("neither slot sector is valid");
    }
}

/// A number that `debugfs` says.
fn number_after(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(name)).expect(name);
    line.trim().parse().unwrap()
}

/// With holes where there are only zeros: cards are mostly empty.
fn copy_sparsely(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("--sparse=always").arg(from).arg(to).status().unwrap();
    assert!(status.success(), "cp {}", from.display());
}

/// What lies behind a running machine: the card as it was at the start, and a log of everything written since
/// (QEMU's `blklogwrites`, in the format of the kernel's dm-log-writes).
pub(crate) struct WriteLog {
    pub(crate) path: PathBuf,
}

/// Of what was not flushed, how much had reached the card when the power went.
#[derive(Debug)]
pub(crate) struct Lost {
    /// Writes since the last flush.
    pub(crate) unflushed: usize,
    /// Sectors of those that were lost.
    pub(crate) sectors: usize,
}

/// What the log begins with, once something was flushed.
const LOG: [u8; 8] = 0x006a_7366_7773_6872_u64.to_le_bytes();
const FLUSH: u64 = 1;
const FUA: u64 = 2;
const DISCARD: u64 = 4;

impl WriteLog {
    /// Whether the machine has written something that is to stay.
    pub(crate) fn has_begun(&self) -> bool {
        let mut begin = [0; 8];
        File::open(&self.path).unwrap().read_exact(&mut begin).is_ok_and(|()| begin == LOG)
    }

    /// Makes of `card`, which is as it was before the machine started, what a power cut leaves: all that was flushed, and of
    /// the rest what chance will have, sector by sector, in any order.
    pub(crate) fn replay(&self, card: &Card, chance: &mut StdRng) -> Lost {
        let mut log = File::open(&self.path).unwrap();
        let mut header = [0; 4096];
        log.read_exact(&mut header[..512]).unwrap();
        assert_eq!(header[..8], LOG, "the log is one");
        let sector_size = u64::from(u32::from_le_bytes(header[24..28].try_into().unwrap()));
        // How many entries there are is only written now and then: the log ends where an entry makes no sense.
        let end = log.metadata().unwrap().len();
        let mut entries = Vec::new();
        let mut at = sector_size;
        while at + sector_size <= end {
            log.seek(SeekFrom::Start(at)).unwrap();
            log.read_exact(&mut header[..32]).unwrap();
            let word =
                |index: usize| u64::from_le_bytes(header[index * 8..index * 8 + 8].try_into().unwrap());
            let (sector, count, flags, extra) = (word(0), word(1), word(2), word(3));
            let bytes = if flags & DISCARD == 0 { count * sector_size } else { 0 };
            let sound = flags < 16
                && extra == 0
                && (flags != 0 || count > 0)
                && (sector + count) * sector_size <= CARD_BYTES;
            if !sound || at + sector_size + bytes > end {
                break;
            }
            entries.push((sector * sector_size, at + sector_size, bytes, flags));
            at += sector_size + bytes;
        }
        let flushed = entries.iter().rposition(|entry| entry.3 & FLUSH != 0).unwrap_or(0);
        let mut disk = File::options().write(true).open(&card.path).unwrap();
        let mut lost = Lost { unflushed: 0, sectors: 0 };
        let mut data = Vec::new();
        for (index, &(place, from, bytes, flags)) in entries.iter().enumerate() {
            data.resize(usize::try_from(bytes).unwrap(), 0);
            log.seek(SeekFrom::Start(from)).unwrap();
            log.read_exact(&mut data).unwrap();
            if index <= flushed || flags & FUA != 0 {
                disk.seek(SeekFrom::Start(place)).unwrap();
                disk.write_all(&data).unwrap();
                continue;
            }
            lost.unflushed += 1;
            // A whole write is lost, or kept, or torn, alike often.
            let keep = chance.gen_range(0..3);
            for (number, sector) in data.chunks(512).enumerate() {
                if keep == 0 || keep == 2 && chance.next_u32() & 1 == 0 {
                    lost.sectors += 1;
                    continue;
                }
                disk.seek(SeekFrom::Start(place + number as u64 * 512)).unwrap();
                disk.write_all(sector).unwrap();
            }
        }
        lost
    }
}
