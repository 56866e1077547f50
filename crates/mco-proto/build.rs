//! Writes the table by which `src/windows_1252.rs` spells what the code page lacks, from the crate `deunicode`. Taken whole, that crate
//! would add 480 KB to a program of 8 MB, most of them for Chinese characters.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::path::Path;
use std::{env, fs, io};

/// Blocks of 256 characters: alphabets, signs, kana and emoji. What is left out is written as `?`.
const BLOCKS: [RangeInclusive<u32>; 5] = [0x00..=0x11, 0x1E..=0x27, 0x30..=0x30, 0xFB..=0xFF, 0x1F3..=0x1F6];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut table = String::from("&[\n");
    for block in BLOCKS.into_iter().flatten() {
        let spelt: Vec<_> = (block << 8..(block + 1) << 8).map(spelt).collect();
        let _ = writeln!(table, "    ({block:#x}, {:?}),", spelt.join("\t"));
    }
    table.push_str("]\n");
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&folder).join("spelt.rs"), table)
}

/// A character in ASCII: empty for marks that belong to the letter before them, `?` for what nobody can spell.
fn spelt(number: u32) -> String {
    let spelt = char::from_u32(number).and_then(deunicode::deunicode_char).unwrap_or("?");
    let line: String = spelt.chars().map(|c| if c.is_ascii_control() { ' ' } else { c }).collect();
    // A word ends with a space there, to stand apart from the next one.
    if line.len() > 1 { line.trim_end().to_owned() } else { line }
}
