//! The state of the server in words for the person who runs a box: the file `status.txt`, and the line that systemd shows.
//!
//! The file is for the Notepad of any Windows, and for people who know no Linux: plain ASCII, lines that end with CR LF
//! and need no scrolling. It says what is wrong and what to do, and holds no secret.

use super::health;
use crate::clock::Now;
use crate::config::HostName;
use crate::services::{AUTH_PORT, Game, Ports};
use mco_proto::windows_1252;
use std::fmt::Write as _;
use std::net::IpAddr;

/// The longest line, in letters.
const WIDTH: usize = 76;

/// How this machine is reached, and what happened at this start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostInfo {
    /// The addresses by which others reach this machine.
    pub addresses: Vec<IpAddr>,
    /// The host name, up to its first dot.
    pub host: String,
    /// The name that Windows XP finds, if it does.
    pub netbios: Option<String>,
    /// When all ports answered, in seconds since 1970, by the Server's clock.
    pub ready_since: u64,
    /// Whether the operator's password was removed at this start, as a file on the card asked.
    pub password_forgotten: bool,
}

/// The text of `status.txt` of a server that runs. The same as long as nothing has changed.
pub fn file(game: &Game, host_info: &HostInfo) -> String {
    file_while(game, host_info, game.store.is_being_checked())
}

/// The same, while the database is being checked or not.
fn file_while(game: &Game, host_info: &HostInfo, is_being_checked: bool) -> String {
    let mut text = String::new();
    heading(&mut text, "READY");
    let _ = write!(
        text,
        "Ready since {}, by the clock of the box.\nThe shard is called \"{}\".\n\n",
        game.zone().stamp(host_info.ready_since),
        game.config.shard.name
    );
    text.push_str("FOR PLAYERS: open one of these in a browser, on a PC in the same network\n\n");
    let pages = pages(game, host_info);
    for (page, whom) in &pages {
        let _ = writeln!(text, "    {page:<32} {whom}");
    }
    if host_info.addresses.is_empty() {
        paragraph(
            &mut text,
            "    ",
            "The box has no address yet. Is the network cable plugged in, and is the router switched on? This file \
             changes as soon as there is an address.",
        );
    }
    text.push_str("\nFOR YOU, who run the server: your own pages\n\n");
    let _ = writeln!(text, "    {}", operators_page(game, host_info));
    paragraph(
        &mut text,
        "    ",
        "The browser will warn of an unknown certificate. It is the certificate of the box: continue.",
    );
    if !game.store.operator().has_password().unwrap_or(true) {
        let forgotten = if host_info.password_forgotten {
            "The old password was removed at this start, as you asked. "
        } else {
            ""
        };
        text.push('\n');
        paragraph(
            &mut text,
            "    ",
            &format!(
                "{forgotten}There is no password yet. The first person who opens that page from the home network chooses it: \
                 do it now."
            ),
        );
    }
    if is_being_checked {
        text.push('\n');
        paragraph(
            &mut text,
            "",
            "The database is being checked, as at each start. What is changed meanwhile is saved when that is done.",
        );
    }
    text.push_str("\nWHAT IS WRONG\n\n");
    let troubles = health::troubles(game);
    if troubles.is_empty() {
        text.push_str("    Nothing.\n");
    }
    for (number, trouble) in (1..).zip(&troubles) {
        paragraph(&mut text, "    ", &format!("{number}. {trouble}."));
    }
    for_notepad(&text)
}

/// The text of `status.txt` of a server that could not start, or had to end.
pub fn file_of_failure(why: &str) -> String {
    let mut text = String::new();
    heading(&mut text, "NOT RUNNING");
    text.push_str("WHAT IS WRONG\n\n");
    paragraph(&mut text, "    ", &format!("{why}."));
    text.push_str("\nWHAT TO DO\n\n");
    paragraph(
        &mut text,
        "    ",
        "Correct the problem above. The box tries again every few seconds, and this file changes when the server runs. If it \
         never does, switch the box off and on once. If that does not help, write the image to another card and \
         restore your last backup there.",
    );
    for_notepad(&text)
}

/// One line about a server that runs. It begins with "ready" in any case.
pub fn line(game: &Game, host_info: &HostInfo, now: Now) -> String {
    let players = match game.world.population(now) {
        0 => "no players online".to_owned(),
        1 => "1 player online".to_owned(),
        players => format!("{players} players online"),
    };
    let page =
        pages(game, host_info).first().map_or_else(|| "no address yet".to_owned(), |(page, _)| page.clone());
    match health::troubles(game).as_slice() {
        [] => format!("ready: {page}, {players}"),
        [first, ..] => format!("ready, but something is wrong: {page}, {players}; {first}"),
    }
}

/// What a terminal shows at the start: the page for players, the Operator's page, and what is open, a line each; and one line
/// more if ports below 1024 are not permitted. `listeners` is the number of sockets.
pub fn at_start(game: &Game, host_info: &HostInfo, listeners: usize) -> String {
    let here = || HostName::parse("localhost");
    let configured = game.config.network.public_host.clone();
    let address = host_info.addresses.first().map(|address| HostName::from_address(*address));
    let players = configured.or_else(|| address.clone()).or_else(here);
    let operator = address.or_else(here);
    let [players, operator] = [
        players.map(|host| host.front_page(game.ports.http)),
        operator.map(|host| host.operator_page(game.ports.https)),
    ]
    .map(Option::unwrap_or_default);
    let Ports { http, https, login, persona, mail, lobby, rooms, mcots } = &game.ports;
    let rooms = match rooms.as_slice() {
        [first, .., last] => format!("{first} to {last}"),
        [only] => only.to_string(),
        [] => "no rooms".to_owned(),
    };
    let mut text = format!(
        "page for players:   {players}\npage for operator:  {operator}\n\
         shard \"{}\" is open on {listeners} sockets, ports {http}, {https}, {login}, {persona}, {mail}, {lobby}, {rooms}, {mcots}; \
         Ctrl-C stops it\n",
        game.config.shard.name
    );
    let network = &game.config.network;
    let denied = network.http_fallback() == Some(game.ports.http)
        || network.https_fallback() == Some(game.ports.https);
    if denied {
        let _ = writeln!(
            text,
            "use sudo or setcap for ports {} and {}: the game cannot sign in without {AUTH_PORT}",
            network.http, network.https
        );
    }
    text
}

/// Every front page, and for whom it is.
fn pages(game: &Game, host_info: &HostInfo) -> Vec<(String, &'static str)> {
    let http = game.ports.http;
    let configured = game.config.network.public_host.as_ref();
    let names = configured.map(|host| (host.clone(), "")).into_iter();
    let addresses =
        host_info.addresses.iter().map(|address| (HostName::from_address(*address), "on every system"));
    let local = HostName::parse(&format!("{}.local", host_info.host));
    let local = local.map(|host| (host, "Windows 10 and 11, Mac, Linux, phones")).into_iter();
    let netbios = host_info.netbios.as_deref().and_then(HostName::parse);
    let netbios = netbios.map(|host| (host, "Windows XP to 8")).into_iter();
    names
        .chain(addresses)
        .chain(local)
        .chain(netbios)
        .map(|(host, whom)| (host.front_page(http), whom))
        .collect()
}

fn operators_page(game: &Game, host_info: &HostInfo) -> String {
    let address = host_info.addresses.first().map(|address| HostName::from_address(*address));
    let host = address.or_else(|| HostName::parse(&format!("{}.local", host_info.host)));
    host.map_or_else(
        || "there is no address for it yet".to_owned(),
        |host| host.operator_page(game.ports.https),
    )
}

fn heading(text: &mut String, state: &str) {
    let line = format!("Motor City Online server, mcos {}: {state}", env!("CARGO_PKG_VERSION"));
    let _ = write!(text, "{line}\n{}\n\n", "=".repeat(line.len()));
}

/// Adds text in lines of at most [`WIDTH`] letters. A word that is longer has a line of its own.
fn paragraph(text: &mut String, indent: &str, words: &str) {
    let mut length = 0;
    for word in words.split_whitespace() {
        let letters = word.chars().count();
        if length == 0 {
            text.push_str(indent);
            length = indent.len();
        } else if length + 1 + letters > WIDTH {
            text.push('\n');
            text.push_str(indent);
            length = indent.len();
        } else {
            text.push(' ');
            length += 1;
        }
        text.push_str(word);
        length += letters;
    }
    text.push('\n');
}

/// Plain ASCII with the line ends that every Notepad knows.
fn for_notepad(text: &str) -> String {
    let plain = |letter: char| if letter == '\n' || (' '..='~').contains(&letter) { letter } else { '?' };
    windows_1252::in_ascii(text).chars().map(plain).collect::<String>().replace('\n', "\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Mistake};
    use crate::store::OperatorPassword;

    fn somewhere() -> HostInfo {
        HostInfo {
            addresses: vec!["192.168.1.5".parse().unwrap()],
            host: "mcos".to_owned(),
            netbios: Some("MCOS".to_owned()),
            ready_since: 1_000_000_000,
            password_forgotten: false,
        }
    }

    /// What Notepad has to cope with.
    fn is_plain(text: &str) {
        let lines = text.strip_suffix("\r\n").unwrap().split("\r\n");
        for line in lines {
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
            assert!(line.len() <= WIDTH || !line.trim().contains(' '), "{line:?}");
        }
    }

    #[test]
    fn a_person_reads_where_the_pages_are_and_that_all_is_well() {
        let (game, _folder) = Game::for_tests();
        let text = file(&game, &somewhere());
        is_plain(&text);
        for part in [
            ": READY\r\n",
            "Ready since 2001-09-09",
            "\"Motor City\"",
            "http://192.168.1.5/ ",
            "http://mcos.local/ ",
            "http://MCOS/ ",
            "https://192.168.1.5/operator\r\n",
            "There is no password yet",
            "WHAT IS WRONG\r\n\r\n    Nothing.\r\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(line(&game, &somewhere(), Now::read()), "ready: http://192.168.1.5/, no players online");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_line_and_in_letters_that_notepad_has() {
        let (mut game, _folder) = Game::for_tests();
        let error = Config::parse("[shard]\nname = \"[M\u{fc}nchen]\"").unwrap_err();
        game.config.mistakes = vec![Mistake { error, instead: "it is ignored".to_owned() }];
        game.ports.http = 8080;
        game.config.shard.name = "Stra\u{df}en \u{2013} Жук".to_owned();
        let text = file(&game, &somewhere());
        is_plain(&text);
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("The shard is called \"Strassen - Zhuk\"."), "{flat}");
        assert!(flat.contains("1. mcos.toml, line 2, shard.name: must be 1 to 40 characters"), "{flat}");
        assert!(flat.contains("not \"[Munchen]\". Until that is corrected"), "{flat}");
        assert!(
            flat.contains("2. Patch is on port 8080") && flat.contains("http://192.168.1.5:8080/"),
            "{flat}"
        );
        assert!(
            line(&game, &somewhere(), Now::read())
                .starts_with("ready, but something is wrong: http://192.168.1.5:8080/")
        );
    }

    #[test]
    fn that_the_database_is_being_checked_is_said_and_is_no_trouble() {
        let (game, _folder) = Game::for_tests();
        let (checking, checked) =
            (file_while(&game, &somewhere(), true), file_while(&game, &somewhere(), false));
        is_plain(&checking);
        assert!(checking.contains("The database is being checked, as at each start."), "{checking}");
        assert!(checking.contains("    Nothing.\r\n"), "{checking}");
        assert!(!checked.contains("being checked"), "{checked}");
        assert_eq!(file(&game, &somewhere()), checked, "a store in a test is checked when it is opened");
    }

    #[test]
    fn moments_are_in_the_zone_of_the_city() {
        let (mut game, _folder) = Game::for_tests();
        let info = HostInfo { ready_since: 1_909_094_400, ..somewhere() };
        assert!(file(&game, &info).contains("Ready since 2030-07-01 00:00 UTC, by the clock of the box."));
        game.config.shard.time_zone = crate::clock::Zone::named("America/New_York").unwrap();
        assert!(file(&game, &info).contains("Ready since 2030-06-30 20:00 EDT, by the clock of the box."));
    }

    #[test]
    fn a_terminal_shows_the_pages_in_two_lines_and_the_rest_in_one() {
        let (mut game, _folder) = Game::for_tests();
        let text = at_start(&game, &somewhere(), 44);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].ends_with("players:   http://192.168.1.5/"), "{text}");
        assert!(lines[1].ends_with("operator:  https://192.168.1.5/operator"), "{text}");
        assert!(
            lines[2].starts_with("shard \"Motor City\" is open on 44 sockets, ports 80, 443, "),
            "{text}"
        );
        let nowhere = at_start(&game, &HostInfo::default(), 22);
        assert!(nowhere.starts_with("page for players:   http://localhost/\n"), "{nowhere}");
        game.ports = Ports { http: 8080, https: 8443, ..game.ports };
        let text = at_start(&game, &somewhere(), 44);
        assert!(text.contains("http://192.168.1.5:8080/\n"), "{text}");
        let denied = "use sudo or setcap for ports 80 and 443: the game cannot sign in without 443\n";
        assert!(text.ends_with(denied), "{text}");
        // Who chose these ports was not denied others.
        game.config.network.http_configured = true;
        game.config.network.https_configured = true;
        assert_eq!(at_start(&game, &somewhere(), 44).lines().count(), 3);
    }

    #[test]
    fn without_a_cable_that_is_said() {
        let (game, _folder) = Game::for_tests();
        let text = file(&game, &HostInfo { addresses: Vec::new(), ..somewhere() });
        is_plain(&text);
        assert!(text.contains("network cable") && text.contains("https://mcos.local/operator"), "{text}");
    }

    #[test]
    fn a_forgotten_password_is_mentioned_until_there_is_another() {
        let (game, _folder) = Game::for_tests();
        let host_info = HostInfo { password_forgotten: true, ..somewhere() };
        assert!(file(&game, &host_info).contains("The old password was removed"));
        let password = OperatorPassword::new("correct horse").unwrap();
        game.store.operator().set_password(&password).unwrap().ticket.wait().unwrap();
        let text = file(&game, &host_info);
        assert!(!text.contains("password") && !text.contains("correct horse"), "{text}");
    }

    #[test]
    fn a_server_that_cannot_start_says_why_and_what_to_do() {
        let text = file_of_failure("port 8226 (login) on 0.0.0.0 is taken by another program");
        is_plain(&text);
        assert!(
            text.contains(": NOT RUNNING\r\n") && text.contains("port 8226") && text.contains("WHAT TO DO")
        );
    }
}
