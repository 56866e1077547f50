use super::*;
use tempfile::TempDir;

fn batch(number: u8) -> Changes {
    Changes::from([
        (b"kept".to_vec(), Some(vec![number; usize::from(number)])),
        (vec![b'n', number], Some(Vec::new())),
        (vec![b'n', number.wrapping_sub(1)], None),
    ])
}

/// A batch with its head.
fn encoded(generation: u64, at: u32, changes: &Changes) -> Vec<u8> {
    let mut batch = Vec::new();
    encode(&mut batch, generation, at, changes).unwrap();
    batch
}

/// The batches that there are, and where the journal ends.
fn read(dir: &Path, base: u64, generation: u64, position: u32) -> (Vec<Changes>, Option<End>) {
    let mut all = Vec::new();
    let chain = Chain::behind(dir, base).unwrap();
    let end = chain
        .replay::<io::Error>(generation, position, |changes| {
            all.push(changes);
            Ok(())
        })
        .unwrap();
    (all, end)
}

fn file(dir: &Path, generation: u64) -> PathBuf {
    path(dir, generation)
}

#[test]
fn batches_come_back_in_their_order_behind_the_one_that_is_known() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::create(dir.path(), 7).unwrap();
    let mut places = Vec::new();
    for number in 1..=5 {
        places.push(journal.end());
        journal.append(&batch(number)).unwrap();
    }
    let (all, end) = read(dir.path(), 7, 7, 0);
    assert_eq!(all, (1..=5).map(batch).collect::<Vec<_>>());
    assert_eq!(end.unwrap().length, journal.end());
    for (number, place) in (1..=5).zip(places) {
        let (rest, end) = read(dir.path(), 7, 7, place);
        assert_eq!(rest, (number + 1..=5).map(batch).collect::<Vec<_>>());
        assert!(end.is_some());
    }
    // A place that is not the beginning of a batch, or lies behind the end.
    assert!(read(dir.path(), 7, 7, HEADER + 1).1.is_none());
    assert!(read(dir.path(), 7, 7, journal.end()).1.is_none());
}

#[test]
fn cut_at_any_byte_it_has_every_batch_that_is_whole_and_goes_on_behind_it() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::create(dir.path(), 3).unwrap();
    let mut ends = vec![journal.end()];
    for number in 1..=4 {
        journal.append(&batch(number)).unwrap();
        ends.push(journal.end());
    }
    drop(journal);
    let whole = fs::read(file(dir.path(), 3)).unwrap();
    let end = ends[4] as usize;
    assert_eq!(whole.len(), ends[1] as usize + ROOM as usize);
    // Behind the end there is only room.
    for length in (0..=end + 9).chain([whole.len()]) {
        fs::write(file(dir.path(), 3), &whole[..length]).unwrap();
        let expected = ends.iter().filter(|end| **end as usize <= length).count().saturating_sub(1);
        let (all, end) = read(dir.path(), 3, 3, 0);
        assert_eq!(all, (1..).take(expected).map(batch).collect::<Vec<_>>(), "{length}");
        let mut journal = end.unwrap().go_on(dir.path()).unwrap();
        journal.append(&batch(9)).unwrap();
        let (all, _) = read(dir.path(), 3, 3, 0);
        assert_eq!(all.len(), expected + 1, "{length}");
        assert_eq!(all.last(), Some(&batch(9)), "{length}");
    }
}

#[test]
fn no_flipped_bit_is_taken_for_a_batch() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::create(dir.path(), 3).unwrap();
    journal.append(&batch(1)).unwrap();
    let first = journal.end() as usize;
    journal.append(&batch(2)).unwrap();
    let end = journal.end() as usize;
    let good = fs::read(file(dir.path(), 3)).unwrap();
    for index in (0..end + 12).chain([good.len() - 1]) {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[index] ^= 1 << bit;
            fs::write(file(dir.path(), 3), bad).unwrap();
            let (all, _) = read(dir.path(), 3, 3, 0);
            let expected = if index < first { 0 } else { 1 + usize::from(index >= end) };
            assert_eq!(all, [batch(1), batch(2)][..expected], "byte {index}, bit {bit}");
        }
    }
}

#[test]
fn a_batch_of_another_place_or_another_journal_is_not_taken() {
    let dir = TempDir::new().unwrap();
    for generation in [1, 2] {
        let mut journal = Journal::create(dir.path(), generation).unwrap();
        journal.append(&batch(1)).unwrap();
    }
    let (one, two) = (fs::read(file(dir.path(), 1)).unwrap(), fs::read(file(dir.path(), 2)).unwrap());
    let body = &one[HEADER as usize..];
    fs::write(file(dir.path(), 1), [one.as_slice(), body].concat()).unwrap();
    fs::write(file(dir.path(), 2), [&two[..HEADER as usize], body].concat()).unwrap();
    assert_eq!(read(dir.path(), 1, 1, 0).0, [batch(1)]);
    assert!(read(dir.path(), 2, 2, 0).0.is_empty());
}

#[test]
fn journals_behind_a_gap_are_not_taken() {
    let dir = TempDir::new().unwrap();
    for generation in [4, 5, 7] {
        Journal::create(dir.path(), generation).unwrap().append(&batch(1)).unwrap();
    }
    assert_eq!(Chain::behind(dir.path(), 4).unwrap().len(), 2);
    assert_eq!(Chain::behind(dir.path(), 5).unwrap().len(), 1);
    assert!(Chain::behind(dir.path(), 3).unwrap().is_empty());
    assert_eq!(read(dir.path(), 4, 4, 0).0.len(), 2);
    // A database that is behind or ahead of what there is.
    assert!(read(dir.path(), 5, 4, 0).1.is_none());
    assert!(read(dir.path(), 4, 6, 0).1.is_none());
    assert_eq!(newest(dir.path()).unwrap(), Some(7));
    forget_before(dir.path(), 7).unwrap();
    assert_eq!(all(dir.path()).unwrap().len(), 1);
    // One that is damaged at its beginning, with another behind it.
    Journal::create(dir.path(), 8).unwrap().append(&batch(1)).unwrap();
    fs::write(file(dir.path(), 7), "rubbish").unwrap();
    let (all, end) = read(dir.path(), 7, 7, 0);
    assert!(all.is_empty() && end.is_none());
}

#[test]
fn what_lies_in_the_room_behind_the_last_batch_never_comes_back() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::create(dir.path(), 1).unwrap();
    journal.append(&batch(1)).unwrap();
    let next = encoded(1, journal.end(), &batch(2)).len();
    let places = [journal.end() + u32::try_from(next).unwrap(), 40_000];
    drop(journal);
    // Batches as they were before others were taken back, or wherever a card has put them.
    let whole = fs::read(file(dir.path(), 1)).unwrap();
    for place in places {
        let mut bytes = whole.clone();
        let old = encoded(1, place, &batch(9));
        bytes[place as usize..place as usize + old.len()].copy_from_slice(&old);
        fs::write(file(dir.path(), 1), &bytes).unwrap();
        let mut journal = read(dir.path(), 1, 1, 0).1.unwrap().go_on(dir.path()).unwrap();
        for number in [2, 3] {
            journal.append(&batch(number)).unwrap();
        }
        assert_eq!(read(dir.path(), 1, 1, 0).0, [batch(1), batch(2), batch(3)]);
    }
    // Room is kept.
    fs::write(file(dir.path(), 1), &whole).unwrap();
    drop(read(dir.path(), 1, 1, 0).1.unwrap().go_on(dir.path()).unwrap());
    assert_eq!(fs::read(file(dir.path(), 1)).unwrap(), whole);
}

#[test]
fn what_a_failed_write_left_is_taken_out() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::create(dir.path(), 1).unwrap();
    journal.append(&batch(1)).unwrap();
    let good = journal.end();
    let mut bytes = fs::read(file(dir.path(), 1)).unwrap();
    let failed = encoded(1, good, &batch(2));
    bytes[good as usize..good as usize + failed.len()].copy_from_slice(&failed);
    fs::write(file(dir.path(), 1), &bytes).unwrap();
    journal.mend().unwrap();
    assert_eq!(read(dir.path(), 1, 1, 0).0, [batch(1)]);
    journal.append(&batch(3)).unwrap();
    assert_eq!(read(dir.path(), 1, 1, 0).0, [batch(1), batch(3)]);
}

#[test]
fn in_the_file_of_an_old_journal_a_new_one_holds_nothing_of_the_old() {
    let dir = TempDir::new().unwrap();
    let mut old = Journal::create(dir.path(), 1).unwrap();
    // Of one length, so that the old batches lie where the new ones will: only the generation tells them apart.
    let same = |number: u8| Changes::from([(b"same".to_vec(), Some(vec![number; 300]))]);
    for number in 1..=9 {
        old.append(&same(number)).unwrap();
    }
    let bytes = fs::read(file(dir.path(), 1)).unwrap();
    Journal::create(dir.path(), 2).unwrap().append(&batch(1)).unwrap();
    forget_before(dir.path(), 3).unwrap();
    let spare = dir.path().join(SPARE);
    assert_eq!(fs::read(&spare).unwrap(), bytes, "one is kept");
    assert_eq!(all(dir.path()).unwrap(), []);

    let mut journal = Journal::create(dir.path(), 3).unwrap();
    assert!(!spare.exists());
    assert_eq!(read(dir.path(), 3, 3, 0).0, []);
    let mut ends = vec![journal.end()];
    for number in 11..=13 {
        journal.append(&same(number)).unwrap();
        ends.push(journal.end());
    }
    drop(journal);
    let whole = fs::read(file(dir.path(), 3)).unwrap();
    assert_eq!(whole.len(), bytes.len(), "nothing was written but the batches");
    // A power cut may have left the old content from any byte on.
    for cut in HEADER as usize + 1..ends[3] as usize + 9 {
        let torn = [&whole[..cut], &bytes[cut..]].concat();
        fs::write(file(dir.path(), 3), &torn).unwrap();
        let whole_ones = ends[1..].iter().filter(|end| **end as usize <= cut).count();
        let expected: Vec<_> = (11..).take(whole_ones).map(same).collect();
        let (found, end) = read(dir.path(), 3, 3, 0);
        assert_eq!(found, expected, "{cut}");
        let mut journal = end.unwrap().go_on(dir.path()).unwrap();
        assert_eq!(read(dir.path(), 3, 3, 0).0, expected, "{cut}");
        journal.append(&batch(3)).unwrap();
        assert_eq!(read(dir.path(), 3, 3, 0).0.last(), Some(&batch(3)), "{cut}");
        assert_eq!(read(dir.path(), 3, 3, 0).0.len(), whole_ones + 1, "{cut}");
    }
}

#[test]
fn a_journal_that_is_damaged_before_its_end_is_kept_aside_and_one_that_was_cut_short_is_not() {
    let dir = TempDir::new().unwrap();
    let aside = dir.path().join(DAMAGED);
    let mut journal = Journal::create(dir.path(), 3).unwrap();
    let mut places = Vec::new();
    for number in 1..=3 {
        places.push((journal.end() + HEAD) as usize);
        journal.append(&batch(number)).unwrap();
    }
    let good = fs::read(file(dir.path(), 3)).unwrap();
    for (damaged, left) in [(2, 2), (1, 1), (0, 0)] {
        let mut bad = good.clone();
        bad[places[damaged]] ^= 1;
        fs::write(file(dir.path(), 3), &bad).unwrap();
        let (all, end) = read(dir.path(), 3, 3, 0);
        assert_eq!(all.len(), left);
        assert_eq!(end.unwrap().length as usize, places[damaged] - HEAD as usize);
        // Nothing follows the last batch, so it may be one that a power cut left.
        assert_eq!(fs::read(&aside).ok(), (damaged < 2).then_some(bad));
        let _ = fs::remove_file(&aside);
    }
}
