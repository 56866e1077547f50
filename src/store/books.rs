//! How the books of the ledger lie in records: many lines in one, and few bytes to write for a new one.
//!
//! The lines of a book are numbered without gaps. A page holds a block of them: 16 at first, of which the last block is the one that grows,
//! so a new line costs 8 others on average. When a block of 64, or of 256, is full, its pages become one. So each line is
//! written twice more in its life, and a book of 1,000 lines has 4 to 11 pages. Which page a line lies in follows
//! from its number and from how many lines the book ever had.

use super::error::StoreError;
use super::key;
use super::record::Record as _;
use super::records::ledger::{Kind, Line, Page};
use super::records::persona::PersonaRecord;
use super::table::{Table, Transaction};
use mco_proto::ids::PersonaId;
use std::collections::BTreeMap;

/// The sizes of a block, in lines.
const SMALL: u32 = 16;
const MIDDLE: u32 = 64;
const LARGE: u32 = 256;
/// A migration of more personas than this says how far it is.
const MANY: usize = 500;

/// The number in the key of the page that holds a line of a book which ever had so many lines.
const fn page_of(number: u32, lines: u32) -> u32 {
    if number < lines - lines % LARGE {
        number - number % LARGE
    } else if number < lines - lines % MIDDLE {
        number - number % MIDDLE
    } else {
        number - number % SMALL
    }
}

/// The distance of a line from the number in its page's key.
fn distance(number: u32, page: u32) -> Result<u8, StoreError> {
    u8::try_from(number.wrapping_sub(page)).map_err(|_| StoreError::Damaged { what: Page::WHAT })
}

/// Adds the line of this number, which is as many as the book ever had.
pub(super) fn append(tx: &Transaction<'_>, id: PersonaId, number: u32, line: Line) -> Result<(), StoreError> {
    let last = number - number % SMALL;
    let mut page: Page = tx.get(&key::line(id, last))?.unwrap_or_default();
    page.lines.push((distance(number, last)?, line));
    let lines = number.checked_add(1).ok_or(StoreError::NoMoreIds)?;
    let full = [LARGE, MIDDLE].into_iter().find(|size| lines % size == 0);
    let Some(size) = full else { return tx.put(&key::line(id, last), &page) };
    let first = lines - size;
    let mut whole = Page::default();
    let mut at = first;
    while at < last {
        let part: Page = tx.get(&key::line(id, at))?.unwrap_or_default();
        for (distance, line) in part.lines {
            whole.lines.push((self::distance(at + u32::from(distance), first)?, line));
        }
        tx.remove(&key::line(id, at))?;
        at += if at < number - number % MIDDLE { MIDDLE } else { SMALL };
    }
    for (distance, line) in page.lines {
        whole.lines.push((self::distance(last + u32::from(distance), first)?, line));
    }
    tx.remove(&key::line(id, last))?;
    tx.put(&key::line(id, first), &whole)
}

/// Takes out the lines from `first` on that precede the line `last`, which lies in a large block, and has that say what they came to.
pub(super) fn fold(tx: &Transaction<'_>, id: PersonaId, first: u32, last: u32) -> Result<(), StoreError> {
    let at = last - last % LARGE;
    let mut page: Page = tx.get(&key::line(id, at))?.unwrap_or_default();
    page.lines.retain(|(distance, _)| at + u32::from(*distance) >= last);
    match page.lines.first_mut() {
        Some((distance, line)) if at + u32::from(*distance) == last => {
            *line = Line { kind: Kind::Carried, amount: line.balance.into(), reference: 0, ..*line };
        }
        _ => return Err(StoreError::Damaged { what: Page::WHAT }),
    }
    for old in (first - first % LARGE..at).step_by(LARGE as usize) {
        tx.remove(&key::line(id, old))?;
    }
    tx.put(&key::line(id, at), &page)
}

/// The lines of a page, which lies under this key, with the persona and their numbers.
pub(super) fn lines(key: &[u8], page: Page) -> impl Iterator<Item = (PersonaId, u32, Line)> + use<> {
    let place = key::line_parts(key);
    let lines = place.map(|(persona, first)| {
        let number = move |(distance, line)| (persona, first.saturating_add(u32::from(distance)), line);
        page.lines.into_iter().map(number)
    });
    lines.into_iter().flatten()
}

/// Puts books in which each line is a record, as older programs wrote them, into pages. Interrupted, it goes on with the books that are
/// left: a line that is a record is a page of one line as well.
pub(super) fn put_into_pages(table: &Table, personas: &[PersonaRecord]) -> Result<(), StoreError> {
    for (done, record) in (0..).zip(personas) {
        if personas.len() > MANY && done % (personas.len() / 10) == 0 {
            let percent = done * 100 / personas.len();
            log::info!(
                "the ledger is put into pages, once: {percent} %; do not switch off, but if you do nothing is lost"
            );
        }
        let id = record.persona.id;
        let rows = table.scan_rows::<Page>(&key::lines_of(id))?;
        let mut pages: BTreeMap<Vec<u8>, Page> = BTreeMap::new();
        for (_, number, line) in rows.iter().flat_map(|(key, page)| lines(key, page.clone())) {
            let at = page_of(number, record.lines.max(number));
            pages.entry(key::line(id, at)).or_default().lines.push((distance(number, at)?, line));
        }
        if !rows.iter().map(|(key, _)| key).eq(pages.keys()) {
            table.transact(|tx| {
                rows.iter().try_for_each(|(key, _)| tx.remove(key))?;
                pages.iter().try_for_each(|(key, page)| tx.put(key, page))
            })?;
            table.hand_over()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Engine;
    use crate::store::record::{MAX_RECORD, encode};
    use crate::store::records::persona::Persona;
    use crate::store::table::Opened;
    use tempfile::TempDir;

    const ID: PersonaId = PersonaId(7);

    fn line(number: u32) -> Line {
        Line { time: u32::MAX, kind: Kind::Paint, amount: -1, balance: number, reference: 0 }
    }

    fn table() -> (TempDir, Table) {
        let dir = TempDir::new().unwrap();
        let engine = Engine::open(dir.path()).unwrap();
        (dir, Table::new(Opened { engine, sum: 0, journal: None, checked: true }).unwrap())
    }

    fn rows(table: &Table) -> Vec<(Vec<u8>, Page)> {
        table.scan_rows::<Page>(&key::lines_of(ID)).unwrap()
    }

    fn numbers(table: &Table) -> Vec<(u32, Line)> {
        rows(table)
            .into_iter()
            .flat_map(|(key, page)| lines(&key, page))
            .map(|(_, n, line)| (n, line))
            .collect()
    }

    #[test]
    fn every_line_lies_where_its_number_says_and_pages_are_few() {
        let (_dir, table) = table();
        let mut most = 0;
        for number in 0..1000 {
            table.transact(|tx| append(tx, ID, number, line(number))).unwrap();
            if number % 7 == 0 || number % 16 == 15 {
                assert_eq!(numbers(&table), (0..=number).map(|n| (n, line(n))).collect::<Vec<_>>());
                for (key, page) in rows(&table) {
                    let (_, at) = key::line_parts(&key).unwrap();
                    assert!(lines(&key, page).all(|(_, n, _)| page_of(n, number + 1) == at), "{number}");
                }
                most = most.max(rows(&table).len());
            }
        }
        assert!(most <= 3 + 3 + 4, "{most}");
    }

    #[test]
    fn a_new_line_writes_few_bytes() {
        let (_dir, table) = table();
        let mut bytes = 0;
        for number in 0..1024 {
            let line = Line {
                time: 1_800_000_000,
                kind: Kind::Purse,
                amount: 500,
                balance: 90_000,
                reference: 77_000,
            };
            let tx = Transaction::on(&table);
            append(&tx, ID, number, line).unwrap();
            let changed = tx.end();
            bytes += changed.bytes;
            let put = |tx: &Transaction<'_>| {
                changed.changes.iter().try_for_each(|(key, value)| match value {
                    Some(value) => tx.insert(key, value.clone()),
                    None => tx.remove(key),
                })
            };
            table.transact(put).unwrap();
        }
        // The line with those before it in its small block, and once more in each of two larger ones.
        assert!(bytes / 1024 < 200, "{} bytes a line", bytes / 1024);
    }

    #[test]
    fn the_longest_page_is_a_record() {
        let longest = Line {
            time: u32::MAX,
            kind: Kind::Paint,
            amount: i64::from(u32::MAX),
            balance: u32::MAX,
            reference: u32::MAX,
        };
        let page = Page { lines: (0..=u8::MAX).map(|distance| (distance, longest)).collect() };
        assert!(encode(&page).unwrap().len() < MAX_RECORD);
    }

    #[test]
    fn a_book_of_records_becomes_one_of_pages_wherever_it_begins_and_whatever_is_missing() {
        for (first, count, missing) in [(0, 1, 0), (0, 300, 0), (500, 1003, 0), (500, 512, 0), (0, 90, 40)] {
            let (_dir, table) = table();
            let old = |number: u32| {
                let fields = postcard::to_extend(&line(number), vec![1]).unwrap();
                (key::line(ID, number), fields)
            };
            let kept = |n: &u32| missing == 0 || *n != missing;
            table.fill(&(first..count).filter(kept).map(old).collect::<Vec<_>>()).unwrap();
            let all: Vec<_> = (first..count).filter(kept).map(|n| (n, line(n))).collect();
            assert_eq!(numbers(&table), all, "a record is a page of one line");
            let mut record = PersonaRecord { serial: 0, lines: count, aided: 0, persona: Persona::default() };
            record.persona.id = ID;
            for _ in 0..2 {
                put_into_pages(&table, &[record.clone()]).unwrap();
                assert_eq!(numbers(&table), all);
                assert!(rows(&table).len() <= 10);
            }
            for number in count..count + 300 {
                table.transact(|tx| append(tx, ID, number, line(number))).unwrap();
            }
            let longer: Vec<_> = (first..count + 300).filter(kept).map(|n| (n, line(n))).collect();
            assert_eq!(numbers(&table), longer);
        }
    }
}
