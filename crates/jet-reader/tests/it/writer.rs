//! Writes small Jet databases of both versions, as far as the tests need them: no registry that tests may use has a tool
//! that does, nor a file of version 3. Every file is also read by `mdb-export`, so it is no mirror of our own reader.
//!
//! Each table of more than two rows has one row deleted (a copy), and one moved to another page; that of a table of more than
//! three rows is moved on from there.

use cipher::{KeyInit, StreamCipher};
use jet_reader::Version;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Type {
    Boolean,
    Byte,
    Integer,
    Long,
    Currency,
    Single,
    Double,
    DateTime,
    Text,
    Picture,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Yes(bool),
    Number(i64),
    Real(f64),
    Text(String),
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<(String, Type)>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What `MSysObjects` says it is: 1, a table; 4 and 6, a link to one in another file.
    pub(crate) object: i64,
}

impl Table {
    pub(crate) fn new(name: &str, columns: &[(&str, Type)], rows: Vec<Vec<Cell>>) -> Self {
        let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        Self { name: name.to_owned(), columns, rows, object: 1 }
    }
}

/// A whole file. `key` masks every page but the first, 0 does not.
pub(crate) fn database(version: Version, key: u32, tables: &[Table]) -> Vec<u8> {
    let mut file = File { version, pages: vec![Vec::new(), Vec::new()], maps: Vec::new() };
    let system = |id: u32, name: &str, object: i64, flags: i64| {
        let moment = Cell::Real(37_000.5);
        vec![
            id.into(),
            Cell::Number(0),
            name.into(),
            Cell::Number(object),
            moment.clone(),
            moment,
            Cell::Number(flags),
            Cell::Null,
        ]
    };
    // Each table's definition begins where the ones before have ended, which is not known before: lay out twice.
    let mut at: Vec<u32> = vec![0; tables.len()];
    loop {
        file.pages.truncate(2);
        file.maps.clear();
        let mut rows = vec![system(2, "MSysObjects", 1, -0x8000_0000)];
        rows.extend(tables.iter().zip(&at).map(|(table, page)| system(*page, &table.name, table.object, 0)));
        let objects = Table::new(
            "MSysObjects",
            &[
                ("Id", Type::Long),
                ("ParentId", Type::Long),
                ("Name", Type::Text),
                ("Type", Type::Integer),
                ("DateCreate", Type::DateTime),
                ("DateUpdate", Type::DateTime),
                ("Flags", Type::Long),
                ("LvProp", Type::Picture),
            ],
            rows,
        );
        file.add(&objects);
        let now: Vec<u32> = tables.iter().map(|table| file.add(table)).collect();
        if now == at {
            return file.finish(key);
        }
        at = now;
    }
}

struct File {
    version: Version,
    pages: Vec<Vec<u8>>,
    /// Rows of page 1: which pages a table owns.
    maps: Vec<Vec<u8>>,
}

impl File {
    fn page_size(&self) -> usize {
        if self.version == Version::Jet3 { 2048 } else { 4096 }
    }

    fn next(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap()
    }

    fn word(&self, value: usize) -> Vec<u8> {
        match self.version {
            Version::Jet3 => vec![u8::try_from(value).unwrap()],
            Version::Jet4 => u16::try_from(value).unwrap().to_le_bytes().to_vec(),
        }
    }

    /// Adds definition and rows, and says where the definition begins.
    fn add(&mut self, table: &Table) -> u32 {
        let page = self.next();
        let map = u32::try_from(self.maps.len()).unwrap();
        let definition = self.definition(table, (1 << 8) | map);
        let room = self.page_size() - 8;
        let pieces = definition.chunks(room).count();
        for (at, piece) in definition.chunks(room).enumerate() {
            let next = if at + 1 == pieces { 0 } else { self.next() + 1 };
            let mut bytes = vec![2, 1, b'V', b'C'];
            bytes.extend(next.to_le_bytes());
            bytes.extend(piece);
            bytes.resize(self.page_size(), 0);
            self.pages.push(bytes);
        }
        let first = self.next();
        self.rows(table, page);
        let owned = self.next() - first;
        // Both kinds of maps, in turn.
        let mut bits = vec![0; owned as usize / 8 + 1];
        if map % 2 == 0 {
            (0..owned as usize).for_each(|at| bits[at / 8] |= 1 << (at % 8));
            let mut row = vec![0];
            row.extend(first.to_le_bytes());
            row.extend(bits);
            self.maps.push(row);
        } else {
            let mut bits = vec![0; self.page_size()];
            bits[..2].copy_from_slice(&[5, 1]);
            (first as usize..(first + owned) as usize).for_each(|at| bits[4 + at / 8] |= 1 << (at % 8));
            let mut row = vec![1];
            row.extend(self.next().to_le_bytes());
            row.resize(1 + 4 * 17, 0);
            self.maps.push(row);
            self.pages.push(bits);
        }
        page
    }

    /// Without the first 8 bytes, which every page of it begins with.
    fn definition(&self, table: &Table, map: u32) -> Vec<u8> {
        let jet4 = self.version == Version::Jet4;
        let variable = table.columns.iter().filter(|(_, kind)| length(*kind).is_none()).count();
        let mut out = vec![0; if jet4 { 8 } else { 4 }];
        let count = u32::try_from(table.rows.len()).unwrap();
        out.extend(count.to_le_bytes());
        out.resize(if jet4 { 32 } else { 12 }, 0);
        out.push(0x4E);
        let columns = u16::try_from(table.columns.len()).unwrap();
        out.extend(columns.to_le_bytes());
        out.extend(u16::try_from(variable).unwrap().to_le_bytes());
        out.extend(columns.to_le_bytes());
        out.extend([0; 8]);
        out.extend(map.to_le_bytes());
        out.extend(map.to_le_bytes());
        let (mut fixed, mut variable) = (0_u16, 0_u16);
        for (number, (_, kind)) in table.columns.iter().enumerate() {
            let number = u16::try_from(number).unwrap().to_le_bytes();
            out.push(code(*kind));
            out.extend(vec![0; if jet4 { 4 } else { 0 }]);
            out.extend(number);
            out.extend(if length(*kind).is_none() { variable } else { 0 }.to_le_bytes());
            out.extend(number);
            out.extend([0; 4]);
            out.extend(vec![0; if jet4 { 0 } else { 2 }]);
            out.push(2 | u8::from(length(*kind).is_some()));
            out.extend(if jet4 { vec![1, 0, 0, 0, 0] } else { Vec::new() });
            if let Some(size) = length(*kind) {
                out.extend(fixed.to_le_bytes());
                out.extend(size.to_le_bytes());
                fixed += size;
            } else {
                out.extend([0, 0, 255, 0]);
                variable += 1;
            }
        }
        for (name, _) in &table.columns {
            let name = plain(self.version, name);
            out.extend(self.word(name.len()));
            out.extend(name);
        }
        out.extend([0xFF, 0xFF]);
        let whole = u32::try_from(out.len() + 8).unwrap();
        out[..4].copy_from_slice(&whole.to_le_bytes());
        out
    }

    fn rows(&mut self, table: &Table, owner: u32) {
        const GONE: u16 = 0x8000;
        const ELSEWHERE: u16 = 0x4000;
        let mut page = DataPage::new(self.version, self.page_size());
        for (at, cells) in table.rows.iter().enumerate() {
            let bytes = self.row(table, cells);
            if !page.has_room(bytes.len() + 4 + 8) {
                self.pages.push(
                    std::mem::replace(&mut page, DataPage::new(self.version, self.page_size())).end(owner),
                );
            }
            match at {
                1 if table.rows.len() > 2 => {
                    page.push(0, &bytes);
                    page.push(GONE | ELSEWHERE, &[]);
                }
                2 => {
                    let mut other = DataPage::new(self.version, self.page_size());
                    // Its new place is the first row of the next page.
                    let place = (self.next() + 1) << 8;
                    page.push(ELSEWHERE, &place.to_le_bytes());
                    if table.rows.len() > 3 {
                        other.push(GONE | ELSEWHERE, &(place + 1).to_le_bytes());
                    }
                    other.push(GONE, &bytes);
                    self.pages.push(std::mem::replace(&mut page, other).end(owner));
                }
                _ => page.push(0, &bytes),
            }
        }
        self.pages.push(page.end(owner));
    }

    fn row(&self, table: &Table, cells: &[Cell]) -> Vec<u8> {
        let columns = table.columns.len();
        let mut out = self.word(columns);
        let mut present = vec![0_u8; columns.div_ceil(8)];
        let mut tail = Vec::new();
        for (at, ((_, kind), cell)) in table.columns.iter().zip(cells).enumerate() {
            if !matches!(cell, Cell::Null | Cell::Yes(false)) {
                present[at / 8] |= 1 << (at % 8);
            }
            match length(*kind) {
                Some(size) => {
                    let mut bytes = fixed(*kind, cell);
                    bytes.resize(size.into(), 0);
                    out.extend(bytes);
                }
                None => tail.push(match cell {
                    Cell::Text(text) => squeezed(self.version, text),
                    _ => Vec::new(),
                }),
            }
        }
        if !tail.is_empty() {
            let mut starts = Vec::new();
            for bytes in &tail {
                starts.push(out.len());
                out.extend(bytes);
            }
            starts.push(out.len());
            match self.version {
                Version::Jet4 => starts.iter().rev().for_each(|start| out.extend(self.word(*start))),
                Version::Jet3 => {
                    out.extend(starts.iter().rev().map(|start| u8::try_from(start % 256).unwrap()));
                    let bare = out.len() + 1 + present.len();
                    let jumps = (0..8).find(|jumps| (bare + jumps - 1) / 256 == *jumps).unwrap();
                    let jump =
                        |at: usize| starts.iter().position(|start| *start >= (at + 1) * 256).unwrap_or(255);
                    out.extend((0..jumps).rev().map(|at| u8::try_from(jump(at)).unwrap()));
                }
            }
            out.extend(self.word(tail.len()));
        }
        out.extend(present);
        out
    }

    fn finish(mut self, key: u32) -> Vec<u8> {
        let mut maps = DataPage::new(self.version, self.page_size());
        self.maps.iter().for_each(|map| maps.push(0, map));
        self.pages[1] = maps.end(0);
        let mut header = b"\0\x01\0\0Standard Jet DB\0".to_vec();
        header.push(u8::from(self.version == Version::Jet4));
        header.resize(self.page_size(), 0);
        header[0x3C..0x3E].copy_from_slice(&1252_u16.to_le_bytes());
        header[0x3E..0x42].copy_from_slice(&key.to_le_bytes());
        let masked = if self.version == Version::Jet4 { 128 } else { 126 };
        mask([0xC7, 0xDA, 0x39, 0x6B], &mut header[0x18..0x18 + masked]);
        self.pages[0] = header;
        if key != 0 {
            for (number, page) in (0_u32..).zip(&mut self.pages).skip(1) {
                mask((key ^ number).to_le_bytes(), page);
            }
        }
        self.pages.concat()
    }
}

fn mask(key: [u8; 4], bytes: &mut [u8]) {
    let key: [u8; 32] = std::array::from_fn(|at| key[at % 4]);
    rc4::Rc4::new(&key.into()).apply_keystream(bytes);
}

struct DataPage {
    version: Version,
    size: usize,
    entries: Vec<u16>,
    /// From the end of the page to its front.
    rows: Vec<u8>,
}

impl DataPage {
    fn new(version: Version, size: usize) -> Self {
        Self { version, size, entries: Vec::new(), rows: Vec::new() }
    }

    fn has_room(&self, bytes: usize) -> bool {
        14 + (self.entries.len() + 2) * 2 + self.rows.len() + bytes <= self.size
    }

    fn push(&mut self, flags: u16, row: &[u8]) {
        assert!(self.has_room(row.len()), "a page is full");
        self.rows.splice(0..0, row.iter().copied());
        self.entries.push(flags | u16::try_from(self.size - self.rows.len()).unwrap());
    }

    fn end(self, owner: u32) -> Vec<u8> {
        let mut page = vec![1, 1, 0, 0];
        page.extend(owner.to_le_bytes());
        page.extend(vec![0; if self.version == Version::Jet4 { 4 } else { 0 }]);
        page.extend(u16::try_from(self.entries.len()).unwrap().to_le_bytes());
        self.entries.iter().for_each(|entry| page.extend(entry.to_le_bytes()));
        page.resize(self.size - self.rows.len(), 0);
        page.extend(self.rows);
        page
    }
}

const fn code(kind: Type) -> u8 {
    match kind {
        Type::Boolean => 1,
        Type::Byte => 2,
        Type::Integer => 3,
        Type::Long => 4,
        Type::Currency => 5,
        Type::Single => 6,
        Type::Double => 7,
        Type::DateTime => 8,
        Type::Text => 10,
        Type::Picture => 11,
    }
}

/// `None`: it differs from row to row.
const fn length(kind: Type) -> Option<u16> {
    match kind {
        Type::Boolean => Some(0),
        Type::Byte => Some(1),
        Type::Integer => Some(2),
        Type::Long | Type::Single => Some(4),
        Type::Currency | Type::Double | Type::DateTime => Some(8),
        Type::Text | Type::Picture => None,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::match_same_arms, reason = "values of tests fit")]
fn fixed(kind: Type, cell: &Cell) -> Vec<u8> {
    match (kind, cell) {
        (Type::Single, Cell::Real(value)) => (*value as f32).to_le_bytes().to_vec(),
        (_, Cell::Real(value)) => value.to_le_bytes().to_vec(),
        (Type::Boolean, _) => Vec::new(),
        (kind, Cell::Number(value)) => value.to_le_bytes()[..length(kind).unwrap_or(0).into()].to_vec(),
        _ => Vec::new(),
    }
}

fn plain(version: Version, text: &str) -> Vec<u8> {
    match version {
        // The lower half of code page 1252 and its Latin letters have Unicode's numbers.
        Version::Jet3 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        Version::Jet4 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    }
}

/// Text squeezed where it can be.
fn squeezed(version: Version, text: &str) -> Vec<u8> {
    let latin = text.chars().all(|c| (1..256).contains(&u32::from(c)));
    if version == Version::Jet4 && latin && text.len() > 2 {
        let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap());
        return [0xFF, 0xFE].into_iter().chain(bytes).collect();
    }
    plain(version, text)
}
