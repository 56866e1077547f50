//! A card that is full, and one that the kernel has made read-only: players still come in and look around, nothing can be
//! changed, everybody is told why, and nothing acknowledged is lost. With real file systems; where mounting is not
//! permitted the tests say so and do nothing.

use crate::import::{game, writer};
use crate::support::browser::{Browser, FORM};
use crate::support::{Server, refused, skipped, wait_until};
use jet_reader::Version;
use mco_proto::ids::{BrandedPartId, DealerId, SkinId};
use mco_proto::mcots::{GenericReply, GenericRequest, number};
use mcos::client::Error;
use mcos::client::sitting::{FirstCar, Transactions};
use smol::block_on;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A part that the built-in catalogue sells.
const MUFFLER: u32 = 300_001;
/// A car it fits.
const FAIRLANE: BrandedPartId = BrandedPartId(104);
const MIB: usize = 1024 * 1024;

/// Something mounted, until this is dropped.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// `None`, with a word for the summary, where it is not permitted.
    pub(crate) fn new(arguments: &[&str], at: &Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mount = Command::new("mount").args(arguments).arg(at).output();
        match mount {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                skipped(&format!("mount {arguments:?} is not possible here ({why}): full cards not tried"));
                None
            }
            Err(error) => {
                skipped(&format!("there is no mount command ({error}): full cards not tried"));
                None
            }
        }
    }

    fn unmount(self) {
        assert!(Command::new("umount").arg(&self.0).status().unwrap().success());
        std::mem::forget(self);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a server may still be about to die.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Fills the file system with the data folder until `left` bytes are left, or none.
fn fill(server: &Server, left: usize) -> PathBuf {
    let path = server.data().join("holiday-pictures");
    let mut file = File::create(&path).unwrap();
    let block = vec![0xa5; 64 * 1024];
    while file.write_all(&block).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(left as u64)).unwrap();
    path
}

/// What "Dr Brown" has: cars, loose parts, money.
pub(crate) type Belongings = (usize, usize, u32);

pub(crate) async fn look(mcots: &mut Transactions) -> Belongings {
    let (cars, parts) = (mcots.cars().await.unwrap(), mcots.loose_parts().await.unwrap());
    (cars.len(), parts.parts.len(), mcots.player_info().await.unwrap().bank_balance)
}

pub(crate) async fn buy(mcots: &mut Transactions) -> Result<GenericReply, Error> {
    mcots.order(GenericRequest::body(number::BUY_NEW_PART, MUFFLER)).await
}

/// Signs "Dr Brown" in on connections of his own, and says what he has.
pub(crate) fn sign_in_and_look(server: &Server) -> (Transactions, Belongings) {
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(None).await.unwrap();
        mcots.home().await.unwrap();
        let has = look(&mut mcots).await;
        (mcots, has)
    })
}

/// The same for a persona who has no car yet and takes one and buys a part.
pub(crate) fn take_first_car(server: &Server) -> (Transactions, Belongings) {
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let first = FirstCar { dealer: DealerId(8), model: FAIRLANE, skin: SkinId(47) };
        let mut mcots = Transactions::connect(&driver).await.unwrap();
        mcots.sign_in(Some(first)).await.unwrap();
        buy(&mut mcots).await.unwrap();
        let has = look(&mut mcots).await;
        assert_eq!((has.0, has.1), (1, 1));
        (mcots, has)
    })
}

/// A server with "Dr Brown", a car, a part, and an Operator, whose data folder is what `mount` says.
fn furnished(mount: &[&str]) -> Option<(Mounted, Server, Transactions, Belongings, Browser)> {
    let mut server = Server::prepare();
    let mounted = Mounted::new(mount, &server.data())?;
    server.account("doc");
    server.persona("doc", "Dr Brown");
    server.start();
    let (mcots, has) = take_first_car(&server);
    let mut operator = server.operator();
    assert!(!operator.look("/operator/health").contains("nothing can be changed"));
    Some((mounted, server, mcots, has, operator))
}

#[test]
fn on_a_full_card_players_look_around_and_buy_again_once_there_is_room() {
    let Some((_mounted, mut server, mut mcots, before, mut operator)) =
        furnished(&["-t", "tmpfs", "-o", "size=32m", "tmpfs"])
    else {
        return;
    };
    // Some room, but less than the reserve; and none at all.
    for left in [4 * MIB, 0] {
        let pictures = fill(&server, left);
        refused(block_on(buy(&mut mcots)));
        assert_eq!(block_on(look(&mut mcots)), before);
        assert!(operator.look("/operator/health").contains("is full"));
        let (again, has) = sign_in_and_look(&server);
        assert_eq!(has, before, "a full card keeps nobody out");
        mcots = again;
        block_on(async {
            refused(server.sign_in("doc").await.create_persona("Marty").await);
        });
        let form = b"name=einstein&password=Roadster-57&again=Roadster-57";
        assert!(operator.send("/account", Some((FORM, form))).text().contains("its card is full"));
        let output = server.cli(&["account", "add", "einstein", "--password-stdin"], "Roadster-57\n");
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("delete what it need not hold"));
        fs::remove_file(pictures).unwrap();
    }
    assert!(server.log().contains("NO CHANGE IS ACCEPTED: the card with the data folder is full"));
    block_on(buy(&mut mcots)).unwrap();
    let after = block_on(look(&mut mcots));
    assert_eq!(after.1, before.1 + 1);
    assert!(server.log().contains("the card takes changes again"));
    assert!(!operator.look("/operator/health").contains("nothing can be changed"));
    // The power goes while the card is full to the last byte, and comes back.
    let pictures = fill(&server, 0);
    server.kill();
    server.start();
    let (mut mcots, has) = sign_in_and_look(&server);
    assert_eq!(has, after, "what was acknowledged is there");
    refused(block_on(buy(&mut mcots)));
    // With room again the server helps itself.
    fs::remove_file(pictures).unwrap();
    server.await_log("the data folder can be written now", 1);
    server.stop();
    server.start();
    let (mut mcots, has) = sign_in_and_look(&server);
    assert_eq!(has, after);
    block_on(buy(&mut mcots)).unwrap();
    assert!(server.stop().success());
}

#[test]
fn a_recording_ends_when_the_card_is_full_and_none_begins() {
    const ON: &str = "Recording is on";
    let Some((_mounted, server, mut mcots, before, mut operator)) =
        furnished(&["-t", "tmpfs", "-o", "size=96m", "tmpfs"])
    else {
        return;
    };
    let start = |operator: &mut Browser| {
        operator.fill_in("/operator/wire", "/operator/wire/start", "minutes=60");
        operator.look("/operator/wire")
    };
    assert!(start(&mut operator).contains(ON));
    assert_eq!(block_on(look(&mut mcots)), before);
    // Less than changes need is left: the recording, which is not worth a player's car, ends.
    let pictures = fill(&server, 4 * MIB);
    server.await_log("recording ends: the card is full", 1);
    assert!(!operator.look("/operator/wire").contains(ON));
    let page = start(&mut operator);
    assert!(
        !page.contains(ON) && page.contains("Nothing can be recorded: the card with the data folder is full"),
        "{page}"
    );
    // What was recorded until then can be had.
    let zip = operator.fill_in("/operator/wire", "/operator/wire/download", "name=recording-000001");
    assert!(zip.body.starts_with(b"PK"));
    fs::remove_file(pictures).unwrap();
    assert!(start(&mut operator).contains(ON));
}

#[test]
fn on_a_card_that_the_kernel_made_read_only_players_look_around() {
    let image = tempfile::NamedTempFile::new().unwrap();
    image.as_file().set_len(64 * MIB as u64).unwrap();
    let path = image.path().to_str().unwrap();
    if !Command::new("mkfs.ext4").args(["-q", path]).status().is_ok_and(|status| status.success()) {
        skipped("there is no mkfs.ext4: cards made read-only not tried");
        return;
    }
    let mount = ["-o", "loop,errors=remount-ro", path];
    let Some((mounted, mut server, mut mcots, before, mut operator)) = furnished(&mount) else { return };
    let found = Command::new("findmnt").args(["-n", "-o", "SOURCE"]).arg(server.data()).output().unwrap();
    let device = String::from_utf8(found.stdout).unwrap();
    let device = device.trim().rsplit('/').next().unwrap();
    // What ext4 does when it meets damage on the card.
    if fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "a test").is_err() {
        skipped("ext4 cannot be told to give up: cards made read-only not tried");
        return;
    }
    refused(block_on(buy(&mut mcots)));
    assert_eq!(block_on(look(&mut mcots)), before);
    let (mut mcots, has) = sign_in_and_look(&server);
    assert_eq!(has, before, "a read-only card keeps nobody out");
    refused(block_on(buy(&mut mcots)));
    assert!(operator.look("/operator/health").contains("cannot be written"));
    assert!(server.log().contains("NO CHANGE IS ACCEPTED: the card with the data folder cannot be written"));
    // It also starts on such a card.
    server.kill();
    server.start();
    let (mut mcots, has) = sign_in_and_look(&server);
    assert_eq!(has, before);
    refused(block_on(buy(&mut mcots)));
    drop(mcots);
    server.kill();
    // The same card after a repair.
    mounted.unmount();
    // A process in a namespace of its own that was made meanwhile has it mounted still, as it was.
    let in_use = || Command::new("losetup").args(["-j", path]).output().unwrap().stdout;
    wait_until(in_use, Vec::is_empty);
    Command::new("e2fsck").args(["-p", "-f", path]).status().unwrap();
    let _mounted = Mounted::new(&mount, &server.data()).expect("it could be mounted before");
    server.start();
    let (mut mcots, has) = sign_in_and_look(&server);
    assert_eq!(has, before, "what was acknowledged is there");
    block_on(buy(&mut mcots)).unwrap();
    assert!(server.stop().success());
}

#[test]
fn a_kit_and_a_catalogue_take_the_place_of_the_old_ones_whole_or_not_at_all() {
    let mut server = Server::started();
    assert!(server.stop().success());
    let disk = server.path().join("disk");
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], &disk) else { return };
    let game = server.path().join("game.mdb");
    fs::write(&game, writer::database(Version::Jet3, 0, &game::tables())).unwrap();
    let data = disk.join("data");
    let catalog = |command: &[&str]| {
        let mut mcos = Command::new(env!("CARGO_BIN_EXE_mcos"));
        mcos.arg("catalog").args(command).arg("--data").arg(&data).output().unwrap()
    };
    let import = || catalog(&["import", game.to_str().unwrap()]);
    assert!(import().status.success());
    let kept = fs::read(data.join("catalog.mcos")).unwrap();
    let kit = disk.join("kit.zip");
    fs::write(&kit, "the old kit").unwrap();
    let mut file = File::create(disk.join("holiday-pictures")).unwrap();
    while file.write_all(&[0xa5; 4096]).is_ok() {}

    let refused = [import(), server.cli(&["kit", kit.to_str().unwrap(), "--host", "garage.lan"], "")];
    for output in &refused {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("the disk is full; delete what it need not hold"), "{said}");
    }
    assert_eq!(fs::read(data.join("catalog.mcos")).unwrap(), kept);
    assert_eq!(fs::read(&kit).unwrap(), b"the old kit");
    for folder in [&disk, &data] {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(
            !names.into_iter().any(|name| name.to_string_lossy().ends_with(".new")),
            "{}",
            folder.display()
        );
    }
    assert!(String::from_utf8_lossy(&catalog(&["show"]).stdout).contains("game.mdb"));
}
