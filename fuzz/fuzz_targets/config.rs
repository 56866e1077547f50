//! The text of `mcos.toml` (`src/config`).
//!
//! Input: the bytes of the file. One with mistakes is also read as a box reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mco_proto::windows_1252::encode;
use mcos::config::Config;
use mcos_fuzz::game::folder;
use mcos_fuzz::plant;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

/// The folder of a box.
static BOX: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = folder("box");
    fs::create_dir_all(&folder).unwrap();
    folder
});

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    match Config::from_bytes(bytes.to_vec()) {
        Ok(config) => {
            within_bounds(&config);
            assert!(config.mistakes.is_empty());
        }
        Err(error) => {
            // Bytes of all that ends a line, in UTF-8 and in UTF-16, or may be something else: there are no more lines than that.
            let ends = |byte: &&u8| b"\n\r\x0b\x0c\x85\xa8\xa9\x28\x29".contains(byte);
            let lines = bytes.iter().filter(ends).count() + 1;
            assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{error}");
            // It goes into the log, to the terminal and onto a page: one line without control characters.
            assert!(!error.to_string().contains(char::is_control), "{error}");
            // A box starts all the same.
            fs::write(BOX.join("mcos.toml"), bytes).unwrap();
            let config = Config::load_on_box(None, &BOX, &BOX);
            within_bounds(&config);
            assert!(!config.mistakes.is_empty());
            for mistake in &config.mistakes {
                assert!(!mistake.to_string().contains(char::is_control), "{mistake}");
            }
        }
    }
});

fn within_bounds(config: &Config) {
    assert!((1..=100).contains(&config.network.room_ports().len()));
    assert!((1..=16).contains(&config.network.bind.len()));
    let name = encode(&config.shard.name);
    assert!((1..=40).contains(&name.len()) && !name.iter().any(|byte| b"[]\r\n".contains(byte)));
}

/// The example, whole and by sections, as Windows' editors save it, and some mistakes.
fn seeds() -> Vec<Vec<u8>> {
    const EXAMPLE: &str = include_str!("../../mcos.toml.example");
    let uncommented: String =
        EXAMPLE.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
    let mut keys = String::new();
    for line in EXAMPLE.lines() {
        let line = line.trim_start_matches(['#', ' ']);
        if line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) {
            keys.push_str(line);
            keys.push('\n');
        }
    }
    let wide = |text: &str| {
        [&[0xFF, 0xFE][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat()
    };
    let mistakes = [
        "[network]\nhttp = 99999\n",
        "[shard]\nname = \"[x]\"\n",
        "unknown = 1\n",
        "a = \n",
        "[network]\r\nbind = [\"1.2.3.4\"]",
        "unkM\0= 0X",
        "[shard]\rname = 5\r",
        "\"a\\u0007b\" = 1",
    ];
    let texts = [EXAMPLE, &uncommented, &keys].into_iter().chain(mistakes);
    texts.map(|text| text.as_bytes().to_vec()).chain([wide("[game]\r\nstarter_cash = 5\r\n")]).collect()
}
