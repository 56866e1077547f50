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
    let (box_folder, file) = (Some(on_box.card.path().to_owned()), Some(on_box.card.path().join(FILE_NAME)));
    assert_eq!(on_box.load(), Config { box_folder, file, ..Config::default() });
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
    for text in [
        "unkM\0= 0X",
        "\"a\\u0007\\nb\" = 1",
        "[shard]\nname = \"a\\u0007b[\"",
        "x = \u{1}",
        "[shard]\nname = \"a\u{202e}b\"",
    ] {
        let config = super::salvage(text, Config::parse(text).unwrap_err(), None);
        assert!(!config.mistakes.is_empty());
        for mistake in config.mistakes {
            assert!(
                !mistake.to_string().contains(|c: char| c.is_control() || c == '\u{202e}'),
                "{mistake:?}"
            );
        }
    }
}

#[test]
fn of_two_answers_to_one_message_the_one_that_was_just_written_does_not_count() {
    let both = "[compat]\nmcots_silent = [161]\nmcots_success = [161, 391]";
    let config = super::salvage(both, Config::parse(both).unwrap_err(), None);
    assert_eq!((config.compat.mcots_silent, config.compat.mcots_success), (vec![161], vec![]));
    assert_eq!(config.mistakes.len(), 1);
    // What the file leaves out stays as it was before, so the clash may be with that.
    let (last, now) = ("[compat]\nmcots_silent = [161]", "[compat]\nmcots_success = [161]\nunknown = 1");
    let config = super::salvage(now, Config::parse(now).unwrap_err(), Some(last));
    assert_eq!((config.compat.mcots_silent, config.compat.mcots_success), (vec![161], vec![]));
    assert_eq!(config.mistakes.len(), 2);
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

/// Every key, with a value that may not stand for it and one that is as open as can be; `None`: it opens nothing.
const OPENING: [(&str, &str, &str, &str); 22] = [
    ("network.bind", "[\"127.0.0.1\", \"192.168.77\"]", "[\"0.0.0.0\"]", "[\"127.0.0.1\"]"),
    ("network.allow", "[\"192.168.1.0/24\", \"192.168.2\"]", "[\"0.0.0.0/0\"]", "[\"192.168.1.0/24\"]"),
    ("network.legacy_tls", "\"no\"", "true", "false"),
    ("network.netbios", "0", "true", "false"),
    ("accounts.registration", "\"oprator\"", "\"open\"", "\"operator\""),
    ("api.enabled", "\"false\"", "true", "false"),
    ("game.check_race_times", "1", "false", "true"),
    ("limits.connections", "\"9\"", "1_000_000", "8192"),
    ("limits.connections_per_address", "\"9\"", "1_000_000", "128"),
    ("limits.connections_per_second", "\"9\"", "1_000_000", "64"),
    ("limits.failed_logins_per_minute", "\"9\"", "1_000_000", "20"),
    ("limits.password_checks_per_minute", "\"9\"", "1_000_000", "120"),
    ("limits.outbound_bytes", "\"9\"", "67_108_864", "262_144"),
    ("limits.input_bytes", "\"9\"", "1_099_511_627_776", "0"),
    ("limits.idle_seconds", "\"9\"", "86_400", "60"),
    ("limits.login_seconds", "\"9\"", "86_400", "30"),
    ("limits.unreachable_seconds", "\"9\"", "3600", "60"),
    ("limits.relay_bytes_per_second", "\"9\"", "1_000_000_000", "32_768"),
    ("limits.context_minutes", "\"9\"", "10_080", "60"),
    ("compat.bind_context", "\"true\"", "false", "true"),
    ("compat.prove_key", "\"true\"", "false", "true"),
    ("compat.deny_wrong_password", "\"true\"", "false", "true"),
];

/// The keys that open nothing, whatever they say. `limits.password_workers` has no larger value than its default.
const HARMLESS: [&str; 39] = [
    "data_dir",
    "shard.name",
    "shard.id",
    "shard.max_personas",
    "shard.description",
    "shard.ticker",
    "shard.group",
    "network.public_host",
    "network.http",
    "network.https",
    "network.login",
    "network.persona",
    "network.mail",
    "network.lobby",
    "network.rooms",
    "network.mcots",
    "network.name",
    "game.starter_cash",
    "game.deletion_day",
    "lobby.rooms",
    "lobby.channels",
    "limits.password_workers",
    "compat.push_form",
    "compat.relay_form",
    "compat.short_relays",
    "compat.echo_relays",
    "compat.deny_unoffered_terms",
    "compat.fixed_descriptions",
    "compat.race_self_notice",
    "compat.chat_self_notice",
    "compat.leave_notices",
    "compat.ready_notices",
    "compat.owner_notices",
    "compat.announce_races",
    "compat.channel_updates",
    "compat.server_notices",
    "compat.race_list_width",
    "compat.state_changes",
    "compat.race_started",
];
const HARMLESS_TOO: [&str; 19] = [
    "shard.time_zone",
    "backup.card",
    "backup.stick",
    "backup.folder",
    "game.track_lengths",
    "game.club_race_nights",
    "rewards.top_dog",
    "rewards.trials",
    "rewards.turf",
    "compat.club_in_user_data",
    "compat.club_in_player_info",
    "compat.count_ads",
    "compat.race_start_on",
    "compat.start_notices",
    "compat.car_class",
    "compat.check_body_class",
    "compat.mcots_silent",
    "compat.mcots_success",
    "compat.game_pages",
];

fn alone(name: &str, value: &str) -> String {
    let (section, key) = name.split_once('.').unwrap();
    format!("[{section}]\n{key} = {value}\n")
}

/// What counts, without what is said about it.
fn counts(config: Config) -> Config {
    Config { mistakes: Vec::new(), box_folder: None, file: None, ..config }
}

#[test]
fn each_key_that_opens_something_is_closed_by_a_mistake_in_it() {
    let opening = OPENING.iter().map(|(name, ..)| *name).chain(["api.token"]);
    let mut every: Vec<&str> = opening.chain(HARMLESS).chain(HARMLESS_TOO).collect();
    let mut known: Vec<String> = crate::config::read::every_key().collect();
    every.sort_unstable();
    known.sort_unstable();
    assert_eq!(every, known, "a new key has to be in one of the lists");
    for (name, wrong, open, least) in OPENING {
        let least = Config::parse(&alone(name, least)).unwrap();
        for before in [None, Some(alone(name, open))] {
            let on_box = OnBox::new();
            if let Some(before) = &before {
                assert_eq!(on_box.start(before).mistakes, [], "{before}");
            }
            let config = on_box.start(alone(name, wrong));
            let said = words(&config);
            assert_eq!(counts(config), least, "{name} after {before:?}: {said}");
            assert!(said.contains(name), "{said}");
        }
        // What was less open before counts again.
        if name.starts_with("limits.") && name != "limits.input_bytes" {
            let few = if name.ends_with("outbound_bytes") || name.ends_with("relay_bytes_per_second") {
                "16384"
            } else if name.contains("connections") {
                "16"
            } else if name.ends_with("minutes") {
                "30"
            } else if name.ends_with("unreachable_seconds") {
                "6"
            } else {
                "2"
            };
            let on_box = OnBox::new();
            on_box.start(alone(name, few));
            assert_eq!(counts(on_box.start(alone(name, wrong))), Config::parse(&alone(name, few)).unwrap());
        }
    }
}

#[test]
fn a_token_that_is_wrong_or_lost_opens_the_api_to_nobody() {
    for text in [
        "[api]\ntoken = 12345\n",
        "[api]\ntoken = s3cret\n",
        "[api]\nenabled = true\ntokken = \"abc\"\n",
        "[appi]\ntoken = \"abc\"\n",
        "[api]\nenabled = no\n",
        "[api]\nenabled = true\n[network\n",
        "\u{0}\u{0}",
    ] {
        let on_box = OnBox::new();
        let config = on_box.start(text);
        assert!(
            !config.api.enabled && words(&config).contains("api.enabled = false"),
            "{text}: {}",
            words(&config)
        );
        // The one of before guards as well as ever.
        on_box.start("[api]\nenabled = true\ntoken = \"before\"\n");
        let api = on_box.start(text).api;
        assert!(!api.enabled || api.token == "before", "{text}: {api:?}");
    }
    let config = OnBox::new().start("[api]\nenabled = true\n[game]\nstarter_cash = \"much\"\n");
    assert!(config.api.enabled, "{}", words(&config));
}

#[test]
fn a_network_that_cannot_be_read_lets_in_nobody_else() {
    let home = Config::default().network.allow;
    for (text, wanted) in [
        ("[network]\nallow = \"192.168.1.0/24\"\n", Some("192.168.1.0/24")),
        ("[netwerk]\nallow = [\"192.168.1.0/24\"]\n", Some("192.168.1.0/24")),
        ("allow = [\"192.168.1.0/24\"]\n", Some("192.168.1.0/24")),
        ("[network]\nallow = [\"192.168.2\"]\n", None),
        ("[network]\nalow = [\"192.168.1.0/24\"]\n", None),
        ("[network]\nallow = [\"192.168.1.0/24\" \"2.0.0.0/8\"]\n", None),
        ("[network]\nallow = [\"0.0.0.0/0\"]\nallow = [\"192.168.1.0/24\"]\n", None),
        ("[network\n", None),
        ("\u{0}\u{0}", None),
    ] {
        for open in
            ["", "[network]\nallow = [\"0.0.0.0/0\"]\n", "[network]\nallow = [\"10.0.0.0/8\", \"::/0\"]\n"]
        {
            let on_box = OnBox::new();
            on_box.start(open);
            let config = on_box.start(text);
            let wanted =
                wanted.map_or_else(|| home.clone(), |one| vec![super::super::Allowed::parse(one).unwrap()]);
            assert_eq!(config.network.allow, wanted, "{text}: {}", words(&config));
        }
        // A narrower one of before counts.
        let on_box = OnBox::new();
        on_box.start("[network]\nallow = [\"10.1.0.0/16\"]\nbind = [\"192.168.77.5\"]\n");
        let network = on_box.start(text).network;
        let narrow = wanted.unwrap_or("10.1.0.0/16");
        assert_eq!(network.allow, [super::super::Allowed::parse(narrow).unwrap()], "{text}");
        assert_eq!(network.bind, ["192.168.77.5".parse::<std::net::IpAddr>().unwrap()], "{text}");
    }
    let config = OnBox::new().start("[netwerk]\nbind = [\"127.0.0.1\"]\n");
    assert_eq!(config.network.bind, ["127.0.0.1".parse::<std::net::IpAddr>().unwrap()]);
}
