use super::super::bundle::tests::Signer;
use super::*;
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::slice;

const MIB: usize = 1024 * 1024;
const A: Partition = Partition { first: 4096, sectors: 2048 };
const B: Partition = Partition { first: 6144, sectors: 2048 };
const SIZE: usize = 4 * MIB;

/// A card with a cache of its own: what was not synced when the power failed is on it, or not, or in part.
struct Card {
    kept: RefCell<Vec<u8>>,
    cached: RefCell<Vec<(usize, Vec<u8>)>>,
    /// So many more writes and syncs until the power fails.
    steps: Cell<usize>,
}

impl Card {
    fn step(&self) -> io::Result<()> {
        let steps = self.steps.get().checked_sub(1).ok_or_else(|| io::Error::other("no power"))?;
        self.steps.set(steps);
        Ok(())
    }

    fn put(&self, place: usize, bytes: &[u8]) {
        self.kept.borrow_mut()[place..place + bytes.len()].copy_from_slice(bytes);
    }

    /// The power fails. The cache wrote in any order, and stopped anywhere: after `fates[i]` bytes of the i-th write.
    fn fail(&self, fates: &[u16]) {
        let cached = self.cached.take();
        for ((place, bytes), fate) in cached.iter().zip(fates.iter().cycle()) {
            let share = match fate % 3 {
                0 => 0,
                1 => bytes.len(),
                _ => usize::from(*fate) % bytes.len(),
            };
            self.put(*place, &bytes[..share]);
        }
        self.steps.set(usize::MAX);
    }
}

impl Medium for &Card {
    fn read_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()> {
        let begin = usize::try_from(place).unwrap();
        let end = begin + bytes.len();
        bytes.copy_from_slice(&self.kept.borrow()[begin..end]);
        for (place, written) in &*self.cached.borrow() {
            let (from, to) = (begin.max(*place), end.min(place + written.len()));
            if from < to {
                bytes[from - begin..to - begin].copy_from_slice(&written[from - place..to - place]);
            }
        }
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], place: u64) -> io::Result<()> {
        self.step()?;
        self.cached.borrow_mut().push((usize::try_from(place).unwrap(), bytes.to_vec()));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.step()?;
        for (place, bytes) in self.cached.take() {
            self.put(place, &bytes);
        }
        Ok(())
    }

    fn forget(&self, _place: u64, _length: NonZeroU64) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(SIZE as u64)
    }
}

fn table(partitions: [Partition; 4]) -> [u8; SECTOR] {
    let mut sector = [0; SECTOR];
    for (number, partition) in partitions.iter().enumerate() {
        let entry = &mut sector[446 + 16 * number..][..16];
        entry[8..12].copy_from_slice(&partition.first.to_le_bytes());
        entry[12..].copy_from_slice(&partition.sectors.to_le_bytes());
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

const NONE: Partition = Partition { first: 0, sectors: 0 };

/// A card as it is flashed: a system in slot A, nothing in slot B.
fn card() -> Card {
    let card =
        Card { kept: RefCell::new(vec![0; SIZE]), cached: RefCell::default(), steps: Cell::new(usize::MAX) };
    card.put(0, &table([NONE, A, B, NONE]));
    for place in PLACES {
        card.put(usize::try_from(place).unwrap(), &flashed().bytes());
    }
    card.put(2 * MIB, &vec![0xaa; MIB]);
    card
}

fn flashed() -> SlotSector {
    SlotSector {
        committed: Slot::A,
        tries: 0,
        a: BootScript { first: A.first + 8, sectors: 2 },
        b: BootScript::default(),
    }
}

fn disk(card: &Card) -> Disk<&Card> {
    Disk::new(Path::new("card"), card).unwrap()
}

/// An update to the slot that may be written, if one may.
fn update(card: &Card, signer: &Signer, bundle: &[u8]) -> Result<Slot, UpdateError> {
    let (disk, bundle) = (disk(card), signer.open(bundle)?);
    let slot = disk.target(None, bundle.manifest())?;
    disk.install(slot, bundle, |_| {})?;
    Ok(slot)
}

proptest! {
    #[test]
    fn power_cuts_at_any_moment_leave_the_committed_slot_and_a_sound_sector(
        cuts in prop::collection::vec((0_usize..16, prop::collection::vec(any::<u16>(), 1..6)), 1..4),
    ) {
        let (card, signer) = (card(), Signer::new());
        let (system, image) = (vec![0xaa; MIB], vec![0xbb; 700 * 1024]);
        let bundle = signer.bundle(&image);
        for (steps, fates) in cuts {
            card.steps.set(steps);
            let done = update(&card, &signer, &bundle);
            card.fail(&fates);
            prop_assert!(card.kept.borrow()[2 * MIB..3 * MIB] == system, "the committed slot has changed");
            let sector = disk(&card).slot_sector().expect("a sound sector");
            prop_assert_eq!(sector.committed, Slot::A);
            if sector == flashed() {
                prop_assert!(done.is_err(), "what was done is not forgotten");
            } else {
                let script = BootScript { first: B.first + 1, sectors: 1 };
                prop_assert_eq!(sector, flashed().with_trial(Slot::B, script, TRIES));
                prop_assert!(card.kept.borrow()[3 * MIB..][..image.len()] == image, "half a system is on trial");
            }
        }
        // Whatever happened before, the next one succeeds.
        if disk(&card).slot_sector().unwrap().tries == 0 {
            prop_assert_eq!(update(&card, &signer, &bundle).unwrap(), Slot::B);
        }
    }

    #[test]
    fn a_power_cut_while_a_start_is_begun_costs_a_try_at_most(
        steps in 0_usize..6, fates in prop::collection::vec(any::<u16>(), 1..6),
    ) {
        let (card, signer) = (card(), Signer::new());
        update(&card, &signer, &signer.bundle(&[0xbb; 1024])).unwrap();
        let on_trial = disk(&card).slot_sector().unwrap();
        card.steps.set(steps);
        let begun = disk(&card).begin_start();
        card.fail(&fates);
        let sector = disk(&card).slot_sector().unwrap();
        let begun_once = SlotSector { tries: TRIES - 1, ..on_trial };
        prop_assert!(sector == begun_once || (sector == on_trial && begun.is_err()));
    }

    #[test]
    fn a_power_cut_while_a_trial_is_confirmed_leaves_it_on_trial_or_committed(
        steps in 0_usize..6, fates in prop::collection::vec(any::<u16>(), 1..6),
    ) {
        let (card, signer) = (card(), Signer::new());
        update(&card, &signer, &signer.bundle(&[0xbb; 1024])).unwrap();
        let on_trial = disk(&card).slot_sector().unwrap();
        card.steps.set(steps);
        let done = disk(&card).confirm(Some(Slot::B));
        card.fail(&fates);
        let sector = disk(&card).slot_sector().unwrap();
        prop_assert!(sector == on_trial.committed_to(Slot::B) || (sector == on_trial && done.is_err()));
    }
}

#[test]
fn a_version_on_trial_is_begun_first_as_often_as_it_has_tries_and_the_old_one_afterwards() {
    let (card, signer) = (card(), Signer::new());
    let old = (Slot::A, flashed().a);
    assert_eq!(disk(&card).begin_start().unwrap(), [old], "slot B is empty");
    update(&card, &signer, &signer.bundle(&[0xbb; 1024])).unwrap();
    let new = (Slot::B, BootScript { first: B.first + 1, sectors: 1 });
    for left in (0..TRIES).rev() {
        assert_eq!(disk(&card).begin_start().unwrap(), [new, old]);
        assert_eq!(disk(&card).slot_sector().unwrap().tries, left);
    }
    assert_eq!(disk(&card).begin_start().unwrap(), [old, new], "the other is better than none");
    // What cannot be written down is not begun: it would be begun for ever.
    disk(&card).set_slot_sector(&flashed().with_trial(Slot::B, new.1, TRIES)).unwrap();
    card.steps.set(0);
    assert!(disk(&card).begin_start().is_err());
}

#[test]
fn a_card_that_forgets_what_it_is_told_is_noticed() {
    struct Forgetful(Card);
    impl Medium for &Forgetful {
        fn read_at(&self, bytes: &mut [u8], place: u64) -> io::Result<()> {
            (&self.0).read_at(bytes, place)
        }
        fn write_at(&self, bytes: &[u8], place: u64) -> io::Result<()> {
            // The last piece goes nowhere.
            if place == B.start() + 512 * 1024 { Ok(()) } else { (&self.0).write_at(bytes, place) }
        }
        fn sync(&self) -> io::Result<()> {
            (&self.0).sync()
        }
        fn forget(&self, place: u64, length: NonZeroU64) -> io::Result<()> {
            (&self.0).forget(place, length)
        }
        fn size(&self) -> io::Result<u64> {
            (&self.0).size()
        }
    }
    let (card, signer) = (Forgetful(card()), Signer::new());
    let disk = Disk::new(Path::new("card"), &card).unwrap();
    let bundle = signer.open(&signer.bundle(&vec![0xbb; 700 * 1024])).unwrap();
    assert!(matches!(disk.install(Slot::B, bundle, |_| {}), Err(UpdateError::NotKept { .. })));
    assert_eq!(disk.slot_sector().unwrap(), flashed());
}

#[test]
fn nothing_is_written_while_one_of_the_two_systems_is_on_trial() {
    let (card, signer) = (card(), Signer::new());
    let bundle = signer.bundle(&[0xbb; 1024]);
    let manifest = signer.open(&bundle).unwrap().manifest().clone();
    let target = |running| disk(&card).target(running, &manifest);
    assert!(matches!(target(Some(Slot::A)), Ok(Slot::B)));
    assert!(matches!(target(Some(Slot::B)), Err(UpdateError::OnTrial { slot: Slot::B })));
    update(&card, &signer, &bundle).unwrap();
    assert!(matches!(target(Some(Slot::A)), Err(UpdateError::TrialWaits { slot: Slot::B })));
    // The boot loader has taken the last try, and the system of slot B runs by it.
    disk(&card).set_slot_sector(&SlotSector { tries: 0, ..disk(&card).slot_sector().unwrap() }).unwrap();
    assert!(matches!(target(Some(Slot::B)), Err(UpdateError::OnTrial { slot: Slot::B })));
    assert_eq!(disk(&card).confirm(Some(Slot::B)).unwrap(), Some(Slot::B));
    assert_eq!(disk(&card).confirm(Some(Slot::B)).unwrap(), None);
    assert!(matches!(target(Some(Slot::B)), Ok(Slot::A)));
}

#[test]
fn a_table_without_sound_places_for_the_slots_is_refused() {
    let part = |first, sectors| Partition { first, sectors };
    for (partitions, why) in [
        ([NONE, A, NONE, NONE], "missing"),
        ([NONE, A, part(2000, 2048), NONE], "over the slot sector"),
        ([NONE, A, part(6144, 2049), NONE], "beyond the end"),
        ([NONE, A, part(5000, 2048), NONE], "over another"),
        ([NONE, A, B, part(8191, 1)], "over another"),
        ([part(6143, 2), A, B, NONE], "over another"),
        ([NONE, A, part(u32::MAX, u32::MAX), NONE], "beyond the end"),
    ] {
        let card = card();
        card.put(0, &table(partitions));
        let error = disk(&card).partition(Slot::B).expect_err(why).to_string();
        assert!(error.contains(why) && error.contains("no slot B"), "{error}");
    }
    let card = card();
    card.put(510, &[0, 0]);
    assert!(disk(&card).partition(Slot::A).is_err(), "no table at all");
}

#[test]
fn the_running_slot_is_told_by_the_number_of_the_partition() {
    let folder = tempfile::tempdir().unwrap();
    let sysfs = |name: &str| folder.path().join(name);
    for (number, slot) in [("1", None), ("2", Some(Slot::A)), ("3", Some(Slot::B)), ("4", None)] {
        let device = format!("devices/mmc0/block/mmcblk0/mmcblk0p{number}");
        fs::create_dir_all(sysfs(&device)).unwrap();
        fs::write(sysfs(&device).join("partition"), format!("{number}\n")).unwrap();
        let link = sysfs(&format!("179:{number}"));
        std::os::unix::fs::symlink(sysfs(&device), &link).unwrap();
        assert_eq!(slot_of(&link), slot.map(|slot| (PathBuf::from("/dev/mmcblk0"), slot)), "{number}");
    }
    assert_eq!(slot_of(&sysfs("0:31")), None, "no partition at all");
}

#[test]
fn a_start_begins_from_the_only_disk_of_a_box_and_from_none_if_there_are_two() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let (short, other) = (write("short", b"MCOSSLOT"), write("other", &vec![0; SIZE]));
    let gone = folder.path().join("gone");
    let others = [short, other, gone];
    assert!(matches!(only_of(&others), Err(UpdateError::NoBoxDisk)));
    let of_box = write("box", &card().kept.take());
    let with_one = [&others[..], slice::from_ref(&of_box)].concat();
    assert_eq!(only_of(&with_one).unwrap(), of_box);
    let twin = write("twin", &card().kept.take());
    let both = [slice::from_ref(&twin), &with_one[..]].concat();
    let error = only_of(&both).unwrap_err();
    assert!(matches!(&error, UpdateError::TwoBoxDisks { one, other } if *one == twin && *other == of_box));
    assert!(error.to_string().ends_with("take one of them out"), "{error}");
}
