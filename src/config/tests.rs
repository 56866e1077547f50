use super::*;
use crate::clock::Zone;
use std::collections::BTreeSet;

const EXAMPLE: &str = include_str!("../../mcos.toml.example");

/// The example with every key switched on.
fn example_switched_on() -> String {
    let is_key = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(key) if is_key(key) => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    EXAMPLE.lines().map(line).collect()
}

fn refusal(text: &str) -> String {
    Config::parse(text).expect_err(text).to_string()
}

#[test]
fn an_empty_file_gives_the_documented_defaults() {
    let config = Config::parse("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.shard.name, "Motor City");
    assert_eq!(config.shard.id, ShardId(44));
    assert_eq!(config.network.bind, ["0.0.0.0".parse::<IpAddr>().unwrap(), "::".parse().unwrap()]);
    assert_eq!((config.network.http, config.network.https), (80, 443));
    assert_eq!((config.network.http_fallback(), config.network.https_fallback()), (Some(8080), Some(8443)));
    assert_eq!(config.network.room_ports(), (9000..=9014).collect::<Vec<u16>>());
    assert_eq!(config.accounts.registration, Registration::Open);
    assert_eq!((config.game.starter_cash, config.game.deletion_day), (20_000, 7));
}

#[test]
fn the_example_is_the_defaults_with_keys_off_and_on() {
    assert_eq!(Config::parse(EXAMPLE).unwrap(), Config::default());
    let mut on = Config::parse(&example_switched_on()).unwrap();
    assert_eq!(on.data_dir.take().unwrap(), Path::new(DEFAULT_DATA_DIR));
    assert!(on.network.http_configured && on.network.https_configured);
    (on.network.http_configured, on.network.https_configured) = (false, false);
    assert_eq!(on, Config::default());
}

#[test]
fn the_example_shows_every_key_that_is_known() {
    let document: toml::Table = example_switched_on().parse().unwrap();
    let mut shown = BTreeSet::new();
    for (name, value) in &document {
        match value.as_table() {
            Some(section) => shown.extend(section.keys().map(|key| format!("{name}.{key}"))),
            None => drop(shown.insert(name.clone())),
        }
    }
    assert_eq!(shown, read::every_key().collect());
}

#[test]
fn every_key_reaches_its_place() {
    let text = r#"
data_dir = "/srv/mcos"
network.http = 8_080
[shard]
name = "Check City"
id = 7
max_personas = 2
description = "Fast [and] furious"
group = "LAN"
time_zone = "Europe/Berlin"
[accounts]
registration = "operator"
[game]
starter_cash = 0
deletion_day = 1
[limits]
connections = 16
connections_per_address = 8
connections_per_second = 4
failed_logins_per_minute = 3
password_checks_per_minute = 7
outbound_bytes = 16384
relay_bytes_per_second = 20000
input_bytes = 65536
idle_seconds = 5
login_seconds = 6
unreachable_seconds = 7
password_workers = 1
context_minutes = 30
[backup]
card = false
stick = ""
folder = "My Town_7"
"#;
    let config = Config::parse(text).unwrap();
    assert_eq!(config.data_dir.as_deref(), Some(Path::new("/srv/mcos")));
    assert_eq!((config.network.http, config.network.http_fallback()), (8080, None));
    assert_eq!((config.network.https, config.network.https_fallback()), (443, Some(8443)));
    assert_eq!((config.shard.id, config.shard.max_personas), (ShardId(7), 2));
    assert_eq!(config.shard.description, "Fast [and] furious");
    assert_eq!(config.shard.time_zone, Zone::named("Europe/Berlin").unwrap());
    assert_eq!(config.accounts.registration, Registration::Operator);
    assert_eq!((config.game.starter_cash, config.game.deletion_day), (0, 1));
    let limits = Limits {
        connections: 16,
        connections_per_address: 8,
        connections_per_second: 4,
        failed_logins_per_minute: 3,
        password_checks_per_minute: 7,
        outbound_bytes: 16_384,
        relay_bytes_per_second: 20_000,
        input_bytes: 65_536,
        idle_seconds: 5,
        login_seconds: 6,
        unreachable_seconds: 7,
        password_workers: 1,
        context_minutes: 30,
    };
    assert_eq!(config.limits, limits);
    let backup = Backup { card: false, stick: String::new(), folder: "My Town_7".to_owned() };
    assert_eq!(config.backup, backup);
    let allow = Config::parse("[network]\nallow = [\"10.8.0.5/24\", \"own-ipv6\"]\n").unwrap().network.allow;
    let words: Vec<String> = allow.iter().map(ToString::to_string).collect();
    assert_eq!(words, ["10.8.0.0/24", "own-ipv6"]);
    let network =
        "[network]\nbind = [\"::1\"]\npublic_host = \"mco.lan\"\nrooms = [0, 0]\nlogin = 0\nmail = 0\n";
    let network = Config::parse(network).unwrap().network;
    assert_eq!(network.public_host, HostName::parse("mco.lan"));
    assert_eq!(network.room_ports(), [0; 15]);
}

#[test]
fn what_is_not_proven_can_be_switched() {
    let text = r#"
[lobby]
rooms = 14
channels = { MCCHAT = 191, LOUNGE = 300 }
[compat]
push_form = "clear"
relay_form = "sealed"
short_relays = false
echo_relays = true
deny_wrong_password = true
deny_unoffered_terms = false
fixed_descriptions = false
race_self_notice = false
chat_self_notice = true
leave_notices = false
ready_notices = false
owner_notices = false
announce_races = false
channel_updates = "data"
server_notices = true
race_list_width = 4
state_changes = true
race_started = "server-info"
race_start_on = "hosts-server"
start_notices = false
car_class = "race"
check_body_class = true
club_in_user_data = true
club_in_player_info = true
bind_context = false
prove_key = false
count_ads = true
mcots_silent = [161]
mcots_success = [391, 338]
game_pages = ["5 /boards"]
"#;
    let config = Config::parse(text).unwrap();
    assert_eq!(config.lobby.rooms, 14);
    assert_eq!(config.lobby.channels.get("LOUNGE"), Some(&300));
    let compat = Compat {
        push_form: PushForm::Clear,
        relay_form: RelayForm::Sealed,
        short_relays: false,
        echo_relays: true,
        deny_wrong_password: true,
        deny_unoffered_terms: false,
        fixed_descriptions: false,
        race_self_notice: false,
        chat_self_notice: true,
        leave_notices: false,
        ready_notices: false,
        owner_notices: false,
        announce_races: false,
        channel_updates: ChannelUpdates::Data,
        server_notices: true,
        race_list_width: 4,
        state_changes: true,
        race_started: RaceStarted::ServerInfo,
        race_start_on: RaceStartOn::HostsServer,
        start_notices: false,
        car_class: ClassForm::Race,
        check_body_class: true,
        club_in_user_data: true,
        club_in_player_info: true,
        bind_context: false,
        prove_key: false,
        count_ads: true,
        mcots_silent: vec![161],
        mcots_success: vec![391, 338],
        game_pages: vec!["5 /boards".to_owned()],
    };
    assert_eq!(config.compat, compat);
}

#[test]
fn a_mistake_is_reported_with_its_line_its_key_and_what_to_do() {
    for (text, message) in [
        (
            "[network]\n\nhttp = \"80\"",
            "mcos.toml:3: network.http: must be a port number from 0 to 65535, where 0 means any free port, not \"80\"",
        ),
        (
            "[network]\nrooms = [9014, 9000]",
            "mcos.toml:2: network.rooms: must be the lowest and the highest room port, at most 100 ports, \
             such as [9000, 9014], not [9014, 9000]",
        ),
        (
            "[network]\nlogin = 8226\nlobby = 8226",
            "mcos.toml:3: network.lobby: port 8226 is also used by network.login; give every service its own port",
        ),
        (
            "[network]\nmail = 9014",
            "mcos.toml:2: network.mail: port 9014 is also used by network.rooms; give every service its own port",
        ),
        (
            "[network]\nrooms = [43299, 43301]",
            "mcos.toml:2: network.rooms: port 43300 is also used by network.mcots; give every service its own port",
        ),
        (
            "[network]\nbind = [\"0.0.0.0\", \"here\"]",
            "mcos.toml:2: network.bind: must be a list of this machine's own IP addresses in quotes, \
             such as [\"0.0.0.0\", \"::\"], not [\"0.0.0.0\", \"here\"]",
        ),
        (
            "[shard]\nname = \"Motor [City]\"",
            "mcos.toml:2: shard.name: must be 1 to 40 characters that one can see, without brackets, line breaks or \
             spaces at the ends, in quotes, not \"Motor [City]\"",
        ),
        (
            "[shard]\nname = \"Motor\u{202e}City\"",
            "mcos.toml:2: shard.name: must be 1 to 40 characters that one can see, without brackets, line breaks or \
             spaces at the ends, in quotes, not \"Motor\\u{202e}City\"",
        ),
        (
            "[compat]\nmcots_silent = [391, 161]\nmcots_success = [12, 161]",
            "mcos.toml:3: compat.mcots_success: message 161 is also in compat.mcots_silent; name it in one of the two",
        ),
        (
            "[compat]\nmcots_success = [161]\nmcots_silent = [161]",
            "mcos.toml:3: compat.mcots_silent: message 161 is also in compat.mcots_success; name it in one of the two",
        ),
        (
            "[accounts]\nregistration = \"closed\"",
            "mcos.toml:2: accounts.registration: must be \"open\" or \"operator\", not \"closed\"",
        ),
        (
            "[backup]\nstick = \"a/b\"",
            "mcos.toml:2: backup.stick: must be at most 16 letters without accents, digits, spaces, hyphens and underscores, not the name of the card itself, in quotes (empty: no stick), not \"a/b\"",
        ),
        (
            "[backup]\nstick = \"mcos data\"",
            "mcos.toml:2: backup.stick: must be at most 16 letters without accents, digits, spaces, hyphens and underscores, not the name of the card itself, in quotes (empty: no stick), not \"mcos data\"",
        ),
        (
            "[backup]\nfolder = \"..\"",
            "mcos.toml:2: backup.folder: must be 1 to 40 letters without accents, digits, spaces, hyphens and underscores, in quotes, not \"..\"",
        ),
        (
            "[limits]\ncontext_minutes = 5",
            "mcos.toml:2: limits.context_minutes: must be a number of minutes from 30 to 10080, not 5",
        ),
        (
            "[accounts]\nregistrations = \"open\"",
            "mcos.toml:2: accounts.registrations: unknown key; the keys of [accounts] are registration",
        ),
        (
            "[network]\n# a comment\nmax_personas = 3",
            "mcos.toml:3: network.max_personas: unknown key here; move it to the section [shard]",
        ),
        (
            "[shard]\ndata_dir = \"/data\"",
            "mcos.toml:2: shard.data_dir: unknown key here; move it to the top of the file, above the first [section]",
        ),
        (
            "[shards]\nname = \"A\"",
            "mcos.toml:1: shards: unknown key; there is data_dir, and there are the sections \
             shard, network, accounts, api, game, rewards, lobby, limits, backup, compat",
        ),
        (
            "shard = 3",
            "mcos.toml:1: shard: is a section; write [shard] on a line of its own and its keys below",
        ),
        ("data_dir = \"\"", "mcos.toml:1: data_dir: must be the name of a folder in quotes, not \"\""),
    ] {
        assert_eq!(refusal(text), message);
    }
}

#[test]
fn broken_text_is_reported_with_its_line_in_one_line() {
    for (text, line) in [
        ("[shard]\nname = \"Motor", 2),
        ("[shard\n", 1),
        ("\n\nhttp == 80", 3),
        ("[shard]\nid = 1\nid = 2", 3),
    ] {
        let error = Config::parse(text).unwrap_err();
        assert_eq!(error.line, Some(line), "{error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

#[test]
fn usual_mistakes_are_told_in_words() {
    for (line, words) in [
        ("registration = \u{201c}operator\u{201d}", "use straight quotation marks"),
        ("registration = \u{2018}operator\u{2019}", "use straight quotation marks"),
        ("allow = [\u{201e}192.168.1.0/24\u{201c}]", "use straight quotation marks"),
        ("enabled = no", "write true or false, in small letters and without quotation marks"),
        ("enabled = Yes # really", "write true or false"),
        ("enabled = False", "write true or false"),
        ("name = Our Town", "a text stands between quotation marks: KEY = \"text\""),
        ("registration = operator", "a text stands between quotation marks"),
        ("name = \"Our Town", "the quotation mark at the end of the text is missing"),
        ("name = 'Our Town", "the quotation mark at the end of the text is missing"),
        ("registration: \"operator\"", "has a colon in place of an equals sign"),
        ("[[", "each line is [section], KEY = VALUE, or begins with #"),
    ] {
        let error = refusal(&format!("[accounts]\n{line}\n"));
        assert!(
            error.starts_with(&format!("mcos.toml:2: {words}")) || error.ends_with(words),
            "{line}: {error}"
        );
        assert!(
            !error.contains("example") && !error.contains("literal") && !error.contains("nan"),
            "{error}"
        );
    }
}

#[test]
fn every_line_end_counts_as_one() {
    for end in ["\n", "\r\n", "\r"] {
        let file = |id: &str| ["[shard]", "name = \"A\"", id, ""].join(end).into_bytes();
        assert_eq!(Config::from_bytes(file("id = 9")).unwrap().shard.id, ShardId(9));
        assert_eq!(Config::from_bytes(file("id = 0")).unwrap_err().line, Some(3));
    }
}

#[test]
fn values_out_of_range_are_refused() {
    for text in [
        "[shard]\nname = \"\"",
        "[shard]\nname = \"two\\nlines\"",
        "[shard]\nname = \" Motor City\"",
        "[shard]\nname = \"M\u{fc}n\\u007fchen\"",
        "[shard]\nname = \"\u{ff3b}brackets of another width\u{ff3d}\"",
        "[shard]\nname = \"\u{a0}no space\"",
        "[shard]\nname = \"\u{301}\"",
        "[shard]\nname = \"thirty-nine letters and one that is two \u{416}\"",
        "[shard]\nticker = \"two\\u0085lines\"",
        "[shard]\nname = 3",
        "[shard]\nid = 0",
        "[shard]\nid = -1",
        "[shard]\nid = 99999999999999999999",
        "[shard]\nmax_personas = 0",
        "[shard]\ndescription = \"two\\r\\nlines\"",
        "[shard]\ndescription = \"hidden\u{200b}\"",
        "[shard]\nticker = \"turned \\u202eround\"",
        "[shard]\nticker = \"two\\u2028lines\"",
        "[shard]\ngroup = \"soft\u{ad}hyphen\"",
        "[network]\nhttp = 65536",
        "[network]\nhttp = 80.0",
        "[network]\nhttp = [80]",
        "[network]\nbind = []",
        "[network]\nbind = \"0.0.0.0\"",
        "[network]\nbind = [\"::\", \"::\"]",
        "[network]\nbind = [\"0.0.0.0:80\"]",
        "[network]\nallow = \"10.0.0.0/8\"",
        "[network]\nallow = [\"10.0.0.0/33\"]",
        "[network]\nallow = [\"home\"]",
        "[network]\nallow = [10]",
        "[network]\nrooms = [9000]",
        "[network]\nrooms = [9000, 9014, 9015]",
        "[network]\nrooms = [9000, 9100]",
        "[network]\nrooms = [0, 9]",
        "[network]\nrooms = 9000",
        "[network]\npublic_host = \"http://mcos.local/\"",
        "[network]\npublic_host = \"mcos.local:80\"",
        "[network]\nlegacy_tls = \"yes\"",
        "[network]\nhttp_configured = true",
        "[game]\nstarter_cash = -1",
        "[game]\ndeletion_day = 0",
        "[game]\nstarter_cash = 4294967296",
        "[lobby]\nrooms = 0",
        "[lobby]\nchannels = { LOBBY = 2 }",
        "[lobby]\nchannels = { A = 5, B = 5 }",
        "[lobby]\nchannels = { \"two words\" = 5 }",
        "[lobby]\nchannels = [191]",
        "[compat]\npush_form = \"both\"",
        "[compat]\nrelay_form = true",
        "[compat]\nrace_list_width = 2",
        "[compat]\ncar_class = 2",
        "[compat]\nmcots_silent = 161",
        "[compat]\nmcots_success = [-1]",
        "[compat]\nmcots_success = [65536]",
        "[compat]\ngame_pages = [5]",
        "[compat]\ngame_pages = [\"5 /nowhere\"]",
        "[compat]\ngame_pages = [\"/boards\"]",
        "[compat]\nmcots_silent = [161, 161]",
        "[compat]\ngame_pages = [\"67 /boards\"]",
        "[compat]\ngame_pages = [\"65535 /boards\"]",
        "[compat]\ngame_pages = [\"5 /boards\", \"5 /news\"]",
        "[api]\ntoken = \"\u{e9}\"",
        "[api]\ntoken = \"two words\"",
        "[limits]\nconnections = 15",
        "[limits]\nconnections_per_address = 7",
        "[limits]\nconnections_per_second = 3",
        "[limits]\noutbound_bytes = 16383",
        "[limits]\ninput_bytes = 1",
        "[limits]\ninput_bytes = 65535",
        "[limits]\npassword_workers = 3",
    ] {
        let error = Config::parse(text).expect_err(text);
        assert_eq!(error.line, Some(2), "{error}");
        assert!(error.key.is_some(), "{error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

#[test]
fn texts_for_players_hold_the_letters_of_their_language() {
    let shard = Config::parse(
        "[shard]\nname = \"M\u{fc}nchner Stra\u{df}en\"\ndescription = \"\u{413}\u{430}\u{440}\u{430}\u{436}\"\n\
         ticker = \"5 \u{20ac} \u{2013} \u{201e}heute\u{201c}\"",
    )
    .unwrap()
    .shard;
    assert_eq!(shard.name, "M\u{fc}nchner Stra\u{df}en");
    assert_eq!(shard.description, "\u{413}\u{430}\u{440}\u{430}\u{436}");
    assert_eq!(shard.ticker, "5 \u{20ac} \u{2013} \u{201e}heute\u{201c}");
}

#[test]
fn the_first_mistake_of_the_file_is_the_one_reported() {
    assert_eq!(
        Config::parse("[shard]\nid = 0\n[game]\nmoney = 1\n[accounts]\nx = 1").unwrap_err().line,
        Some(2)
    );
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_mistake() {
    let text = "\u{feff}[shard]\r\nid = 9\r\n";
    assert_eq!(Config::parse(text).unwrap().shard.id, ShardId(9));
}

#[test]
fn a_named_file_must_exist_and_be_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.toml");
    let error = Config::load(Some(&file)).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: there is no such file", file.display())), "{error}");
    fs::write(&file, b"[shard]\nname = \"M\xfcnchen\"\n").unwrap();
    let error = Config::load(Some(&file)).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}:2: is not UTF-8", file.display())), "{error}");
    fs::write(&file, "[shard]\nid = 0\n").unwrap();
    let error = Config::load(Some(&file)).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}:2: shard.id: must be", file.display())), "{error}");
    fs::write(&file, "[shard]\nid = 5\n").unwrap();
    assert_eq!(Config::load(Some(&file)).unwrap().shard.id, ShardId(5));
}

#[test]
fn the_data_folder_comes_from_the_first_that_names_one() {
    let named = Config::parse("data_dir = \"from-file\"").unwrap();
    let plain = Config::default();
    let systemd = || Some(OsString::from("/var/lib/mcos:/var/lib/other"));
    assert_eq!(named.data_folder_from(Some(Path::new("flag")), systemd(), "mcos-data"), Path::new("flag"));
    assert_eq!(named.data_folder_from(None, systemd(), "mcos-data"), Path::new("from-file"));
    assert_eq!(plain.data_folder_from(None, systemd(), "mcos-data"), Path::new("/var/lib/mcos"));
    assert_eq!(plain.data_folder_from(None, Some(OsString::new()), "mcos-data"), Path::new("mcos-data"));
    assert_eq!(plain.data_folder_from(None, None, "mcos-data"), Path::new("mcos-data"));
}

#[test]
fn text_that_was_cut_or_is_in_an_old_code_page_is_named() {
    let card = tempfile::tempdir().unwrap();
    let file = card.path().join(FILE_NAME);
    for (bytes, wanted) in [
        (&b"\xFF\xFE[\0s"[..], "mcos.toml: is damaged UTF-16 text; save the file as UTF-8"),
        (b"\xFF\xFE\x00\xD8", "mcos.toml: is damaged UTF-16 text; save the file as UTF-8"),
        (
            b"[shard]\r\nname = \"M\xFCnchen\"",
            "mcos.toml, line 2: is not UTF-8 text here; save the file as UTF-8",
        ),
    ] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(Config::load(Some(&file)).unwrap_err().in_words(), wanted);
    }
}

#[test]
fn a_name_for_windows_is_refused_if_windows_could_not_look_for_it() {
    assert_eq!(Config::parse("[network]\nname = \"Garage-2\"").unwrap().network.name, "Garage-2");
    for name in ["sixteen-letters-", "my box", "mcos.local", "localhost"] {
        assert!(Config::parse(&format!("[network]\nname = \"{name}\"")).is_err(), "{name}");
    }
}

#[test]
fn lengths_of_tracks_are_whole_metres_by_the_number_of_the_track() {
    let config = Config::parse("[game]\ntrack_lengths = { 25 = 3200, 7 = 402 }").unwrap();
    let lengths = &config.game.track_lengths;
    assert_eq!((lengths.len(), lengths["25"], lengths["7"]), (2, 3200, 402));
    for wrong in
        ["{ 25 = 0 }", "{ 25 = 3.2 }", "{ 025 = 3200 }", "{ harbor = 3200 }", "{ 25 = 100001 }", "[3200]"]
    {
        let error = Config::parse(&format!("[game]\ntrack_lengths = {wrong}")).unwrap_err();
        assert!(error.to_string().contains("game.track_lengths: must be at most 100 numbers"), "{error}");
    }
}
