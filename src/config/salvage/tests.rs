//! What a box makes of a file with mistakes.

use crate::config::{Config, FILE_NAME, Registration};
use mco_proto::ids::ShardId;
use std::fs;

/// A box with a card and a data folder.
struct OnBox {
    card: tempfile::TempDir,
    data: tempfile::TempDir,
}

impl OnBox {
    fn new() -> Self {
        Self { card: tempfile::tempdir().unwrap(), data: tempfile::tempdir().unwrap() }
    }

    /// The server starts with this file on the card.
    fn start(&self, text: impl AsRef<[u8]>) -> Config {
        fs::write(self.card.path().join(FILE_NAME), text).unwrap();
        let config = self.load();
        Config::remember_on_box(None, self.card.path(), self.data.path()).unwrap();
        config
    }

    fn load(&self) -> Config {
        Config::load_on_box(None, self.card.path(), self.data.path())
    }
}

fn words(config: &Config) -> String {
    config.mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_box_without_a_file_has_the_defaults() {
    let on_box = OnBox::new();
    let box_folder = Some(on_box.card.path().to_owned());
    assert_eq!(on_box.load(), Config { box_folder, ..Config::default() });
    assert_eq!(on_box.start("[shard]\nname = \"Our Town\"\n").shard.name, "Our Town");
    let none = on_box.card.path().join("none.toml");
    let named = Config::load_on_box(Some(&none), on_box.card.path(), on_box.card.path());
    assert!(words(&named).starts_with("none.toml: there is no such file"), "{named:?}");
}

#[test]
fn a_box_keeps_what_is_right_in_its_file_and_names_every_mistake() {
    let on_box = OnBox::new();
    let config = on_box.start(
        "[shard]\nname = \"Our Town\"\nid = 0\n[network]\nlobby = 7004\nmcots = 7004\nhttp = 8080\n\
         [game]\nstarter_cash = \"much\"\n[limits]\nconnections = 100\n",
    );
    assert_eq!(config.shard.name, "Our Town");
    assert_eq!(config.shard.id, ShardId(44));
    assert_eq!((config.network.lobby, config.network.mcots, config.network.http), (7004, 43300, 8080));
    assert!(config.network.http_configured && !config.network.https_configured);
    assert_eq!((config.game.starter_cash, config.limits.connections), (20_000, 100));
    // None of these can have been meant as the key that says who may make accounts.
    assert_eq!(config.accounts.registration, Registration::Open);
    let lines: Vec<Option<usize>> = config.mistakes.iter().map(|mistake| mistake.error.line).collect();
    assert_eq!(lines, [Some(3), Some(6), Some(9)]);
    let words = words(&config);
    assert!(words.starts_with("mcos.toml, line 3, shard.id: must be a whole number"), "{words}");
    assert!(words.contains("the default counts in its place"), "{words}");
}

#[test]
fn a_mistake_on_a_box_opens_nothing_that_was_closed() {
    const GOOD: &str = "[shard]\nid = 7\nname = \"Our Town\"\n[accounts]\nregistration = \"operator\"\n";
    let broken: [&[u8]; 10] = [
        b"[shard]\nid = 7\n[accounts]\nregistration = \"open\"\nregistration = \"operator\"\n",
        b"[shard]\nid = 7\n[accounts]\nregistration = \"oprator\"\n",
        b"[shard]\nid = 7\n[accounts]\nregistratoin = \"operator\"\n",
        b"[shard]\nid = 7\n[acounts]\nregistration = \"operator\"\n",
        b"[shard]\nid = 7\n[accounts\nregistration = \"operator\"\n",
        b"[shard]\nid = 7\n[accounts]\nregistration = operator\n",
        b"[shard]\nid = 7\nregistration = \"operator\"\n",
        b"[shard]\nid = 7\nname = \"M\xFCnchen\"\n[accounts]\nregistration = \"operator\"\n",
        b"\xFF\xFE[\0s",
        b"[shard]\nid = seven\n[accounts]\nregistration = \"operator\"\n",
    ];
    for text in broken {
        let on_box = OnBox::new();
        let config = on_box.start(text);
        assert_eq!(config.accounts.registration, Registration::Operator, "{}", words(&config));
        assert!(!config.mistakes.is_empty());

        let on_box = OnBox::new();
        assert_eq!(on_box.start(GOOD).mistakes, []);
        for _ in 0..2 {
            let config = on_box.start(text);
            assert_eq!(config.accounts.registration, Registration::Operator, "{}", words(&config));
            assert_eq!(
                (config.shard.id, config.shard.name.as_str()),
                (ShardId(7), "Our Town"),
                "{}",
                words(&config)
            );
            assert!(words(&config).contains("last start without a mistake"), "{}", words(&config));
        }
        // What it said before is no reason to be open, if the change may have been to close it.
        let on_box = OnBox::new();
        assert_eq!(on_box.start("[shard]\nid = 7\n[accounts]\nregistration = \"open\"\n").mistakes, []);
        let config = on_box.start(text);
        assert_eq!(config.accounts.registration, Registration::Operator, "{}", words(&config));
        assert_eq!(config.shard.id, ShardId(7));
        // Corrected, the file counts alone.
        let config = on_box.start("[shard]\nid = 8\n");
        assert_eq!((config.shard.id, config.accounts.registration), (ShardId(8), Registration::Open));
        assert_eq!((config.shard.name.as_str(), config.mistakes), ("Motor City", vec![]));
    }
}

#[test]
fn whatever_is_cut_off_a_file_on_a_box_it_starts_and_stays_closed() {
    let good =
        "[shard]\nid = 7\nname = \"Our Town\"\n[accounts]\nregistration = \"operator\"\n[lobby]\nrooms = 3\n";
    for (cut, _) in good.char_indices() {
        let on_box = OnBox::new();
        on_box.start(good);
        let config = on_box.start(&good[..cut]);
        if !config.mistakes.is_empty() {
            assert_eq!(config.accounts.registration, Registration::Operator, "{cut}: {}", words(&config));
            assert_eq!(config.shard.id, ShardId(7), "{cut}: {}", words(&config));
        }
    }
}

#[test]
fn what_a_mistake_shows_of_the_file_is_in_one_line() {
    for text in ["unkM\0= 0X", "\"a\\u0007\\nb\" = 1", "[shard]\nname = \"a\\u0007b[\"", "x = \u{1}"] {
        let config = super::salvage(text, Config::parse(text).unwrap_err(), None);
        assert!(!config.mistakes.is_empty());
        for mistake in config.mistakes {
            assert!(!mistake.to_string().contains(char::is_control), "{mistake:?}");
        }
    }
}

#[test]
fn a_box_that_does_not_know_its_shard_says_which_it_is() {
    const OTHER: &str = "shard.id is 44: personas of a shard with another number are not shown";
    let unknown: [&[u8]; 5] = [
        b"[shard]\nid = seven\n",
        b"[shard]\nid = 0\n",
        b"[shard]\nidd = 7\n",
        b"[shard\nid = 7\n",
        b"\xFF\xFE[\0s",
    ];
    for text in unknown {
        let on_box = OnBox::new();
        let config = on_box.start(text);
        assert!(config.shard.id == ShardId(44) && words(&config).contains(OTHER), "{}", words(&config));
        // Where it is known from before, there is nothing to say.
        let on_box = OnBox::new();
        on_box.start("[shard]\nid = 7\n");
        let config = on_box.start(text);
        assert!(
            config.shard.id == ShardId(7) && !words(&config).contains("shard.id is"),
            "{}",
            words(&config)
        );
    }
    for text in ["[shard]\nid = 7\n[game]\nstarter_cash = \"much\"\n", "[game]\nstarter_cash = \"much\"\n"] {
        let config = OnBox::new().start(text);
        assert!(!config.mistakes.is_empty() && !words(&config).contains("shard.id is"), "{}", words(&config));
    }
}
