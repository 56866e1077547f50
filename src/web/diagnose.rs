//! The page Diagnose: which steps of signing in were seen from the browser's address, and what to do about the first that is missing.

use super::fields::Fields;
use super::layout::{Refresh, refresh};
use super::page::{Frame, PageRequest, PageResponse, Site, page};
use super::self_test::{self, Step};
use crate::admin::health;
use crate::services::Ports;
use crate::world::{Seen, SignInStep, Trace};
use askama::Template;

#[derive(Template)]
#[template(path = "diagnose.html")]
struct DiagnosePage<'a> {
    frame: Frame<'a>,
    address: String,
    rows: Vec<Row>,
    advice: Advice,
    /// The last test of the player kit.
    test: Option<TestView>,
    /// Ports on which the game does not find this server.
    moved: Vec<String>,
    refresh: Option<Refresh>,
}

struct Row {
    what: &'static str,
    port: String,
    state: State,
    ago: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Passed,
    Refused,
    Waiting,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Passed => "yes",
            Self::Refused => "refused",
            Self::Waiting => "not yet",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::Waiting => "waiting",
        }
    }
}

/// A test of the player kit as it is shown.
struct TestView {
    ago: String,
    steps: Vec<Step>,
    advice: &'static [&'static str],
}

struct Advice {
    heading: &'static str,
    lines: &'static [&'static str],
}

pub(super) fn show(site: &Site<'_>, request: &PageRequest<'_>) -> PageResponse {
    let address = request.peer.to_canonical();
    let trace = site.game.world.sign_in_trace.of(address);
    let rows = SignInStep::ALL.map(|step| {
        let seen = trace.step(step);
        Row {
            what: what(step),
            port: port(step, &site.game.ports),
            state: state(seen),
            ago: seen.map(|seen| ago(site.now.since(seen.at).as_secs())).unwrap_or_default(),
        }
    });
    let test = site.game.world.self_tests.of(address).map(|test| TestView {
        ago: ago(site.now.since(test.begun).as_secs()),
        steps: self_test::steps(&test, &site.game.ports),
        advice: self_test::advice(&test),
    });
    let (address, rows) = (address.to_string(), rows.into());
    let moved = health::moved_ports(&site.game.ports);
    let refresh = refresh(20, "/diagnose", &Fields::urlencoded(request.query.as_bytes()));
    let (frame, advice) = (Frame::of(site), advice(&trace));
    page(&DiagnosePage { frame, address, rows, advice, test, moved, refresh }).not_stored()
}

fn state(seen: Option<Seen>) -> State {
    match seen {
        None => State::Waiting,
        Some(Seen { passed: true, .. }) => State::Passed,
        Some(Seen { passed: false, .. }) => State::Refused,
    }
}

const fn what(step: SignInStep) -> &'static str {
    match step {
        SignInStep::Password => "Name and password are right",
        SignInStep::ShardList => "List of servers received",
        SignInStep::Login => "Signed in to the game",
        SignInStep::PersonaList => "List of drivers received",
        SignInStep::Persona => "Driver chosen",
        SignInStep::Lobby => "Connected to the lobby",
        SignInStep::Mcots => "Connected to garage and races",
        SignInStep::Room => "Connected to a room",
    }
}

fn port(step: SignInStep, ports: &Ports) -> String {
    match step {
        SignInStep::Password => "443".to_owned(),
        SignInStep::ShardList => ports.http.to_string(),
        SignInStep::Login => ports.login.to_string(),
        SignInStep::PersonaList | SignInStep::Persona => ports.persona.to_string(),
        SignInStep::Lobby => ports.lobby.to_string(),
        SignInStep::Mcots => ports.mcots.to_string(),
        SignInStep::Room => match (ports.rooms.iter().min(), ports.rooms.iter().max()) {
            (Some(lowest), Some(highest)) if lowest < highest => format!("{lowest}-{highest}"),
            (lowest, _) => lowest.map(u16::to_string).unwrap_or_default(),
        },
    }
}

fn ago(seconds: u64) -> String {
    let some = |number: u64, unit: &str| format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" });
    match seconds {
        0..=1 => "just now".to_owned(),
        2..=119 => some(seconds, "second"),
        120..=7199 => some(seconds / 60, "minute"),
        7200..=172_799 => some(seconds / 3600, "hour"),
        _ => some(seconds / 86_400, "day"),
    }
}

/// Advice about the first step that was refused or is still to come.
fn advice(trace: &Trace) -> Advice {
    let stopped = SignInStep::ALL.into_iter().find(|step| state(trace.step(*step)) != State::Passed);
    let Some(step) = stopped else {
        return Advice {
            heading: "All steps of signing in are done",
            lines: &["The game has reached everything that it needs. You can play."],
        };
    };
    let refused = state(trace.step(step)) == State::Refused;
    let (heading, lines): (_, &[&str]) = match (step, refused) {
        (SignInStep::Password, false) => (
            "The game has not tried to sign in yet",
            &[
                "Start the game, sign in, and come back to this page.",
                "If you have just tried: the game on this PC uses another server, or cannot reach this one. Run the player kit's setup again, as an administrator.",
                "If it worked before: the address of this server may have changed. Download a new kit and run its setup.",
                "If Windows does not trust the certificate, or has no common encryption with the server, it refuses without a message: run the kit's setup as an administrator, and on Windows XP tick \"Use TLS 1.0\" (see Help).",
                "The firewall of this PC must allow the game to connect to the port of this step.",
            ],
        ),
        (SignInStep::Password, true) => (
            "The name or the password is wrong",
            &[
                "Type both again. Capital and small letters are different in the password.",
                "If you have no account yet, create one on the page Account.",
                "After many wrong tries the server refuses your address for one minute. Wait, then try again.",
                "The operator may have disabled or banned the account.",
            ],
        ),
        (SignInStep::ShardList, _) => (
            "The password is right, but the list of servers was not requested",
            &[
                "The registry of this PC has another address for this list. Run the player kit's setup again, as an administrator.",
                "The firewall of this PC must allow the game to connect to the port of this step.",
            ],
        ),
        (SignInStep::Login, false) => (
            "The game has the list of servers, but did not sign in",
            &[
                "If the game shows a list of servers, choose one.",
                "The firewall of this PC must allow the game to connect to the port of this step.",
            ],
        ),
        (SignInStep::Login, true) => (
            "The server refused the sign-in of the game",
            &[
                "The file pub.key in the game's folder probably belongs to another server. Run the player kit's setup again, or copy the file by hand (see Help).",
                "If the game was left waiting for a long time, close it and start it again.",
            ],
        ),
        (SignInStep::PersonaList | SignInStep::Persona, true) => (
            "The server refused the list of drivers",
            &[
                "The address of this PC changed after the sign-in. Switch off a VPN or proxy that only some programs use, and start the game again.",
            ],
        ),
        (SignInStep::PersonaList, false) => (
            "The game is signed in, but did not request the list of drivers",
            &["The firewall of this PC must allow the game to connect to the port of this step."],
        ),
        (SignInStep::Persona, false) => (
            "No driver is chosen yet",
            &["Choose or create a driver in the game.", "If you have just done that, start the game again."],
        ),
        (SignInStep::Lobby, false) => (
            "A driver is chosen, but the game did not connect to the lobby",
            &["The firewall of this PC must allow the game to connect to the port of this step."],
        ),
        (SignInStep::Lobby | SignInStep::Room, true) => (
            "The server refused the connection to the lobby or a room",
            &["The sign-in has expired. Close the game, start it again and sign in."],
        ),
        (SignInStep::Mcots, false) => (
            "The game is in the lobby, but did not connect to garage and races",
            &["The firewall of this PC must allow the game to connect to the port of this step."],
        ),
        (SignInStep::Mcots, true) => (
            "The server refused the connection to garage and races",
            &["Close all copies of the game, start it once, and sign in again."],
        ),
        (SignInStep::Room, false) => (
            "All steps but the last are done",
            &[
                "For the last step, enter a chat room or a race in the game.",
                "If that fails: the firewall of this PC must allow the game to connect to the ports of this step.",
            ],
        ),
    };
    Advice { heading, lines }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Now;
    use crate::world::SignInTrace;
    use std::net::{IpAddr, Ipv4Addr};

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn advice_is_about_the_first_step_that_is_missing_or_was_refused() {
        let sign_in_trace = SignInTrace::default();
        let heading = || advice(&sign_in_trace.of(HOME)).heading;
        assert_eq!(heading(), "The game has not tried to sign in yet");
        sign_in_trace.refused(HOME, SignInStep::Password, Now::read());
        assert_eq!(heading(), "The name or the password is wrong");
        sign_in_trace.passed(HOME, SignInStep::Password, Now::read());
        sign_in_trace.passed(HOME, SignInStep::ShardList, Now::read());
        sign_in_trace.refused(HOME, SignInStep::Login, Now::read());
        assert_eq!(heading(), "The server refused the sign-in of the game");
        for step in [
            SignInStep::Login,
            SignInStep::PersonaList,
            SignInStep::Persona,
            SignInStep::Lobby,
            SignInStep::Mcots,
        ] {
            sign_in_trace.passed(HOME, step, Now::read());
        }
        assert_eq!(heading(), "All steps but the last are done");
        sign_in_trace.passed(HOME, SignInStep::Room, Now::read());
        assert_eq!(heading(), "All steps of signing in are done");
    }

    #[test]
    fn every_step_has_advice_whether_refused_or_still_to_come() {
        for stopped in SignInStep::ALL {
            for refused in [false, true] {
                let sign_in_trace = SignInTrace::default();
                for step in SignInStep::ALL.into_iter().take_while(|step| *step != stopped) {
                    sign_in_trace.passed(HOME, step, Now::read());
                }
                if refused {
                    sign_in_trace.refused(HOME, stopped, Now::read());
                }
                assert!(!advice(&sign_in_trace.of(HOME)).lines.is_empty());
            }
        }
    }

    #[test]
    fn times_are_told_in_words() {
        for (seconds, words) in [
            (0, "just now"),
            (2, "2 seconds ago"),
            (119, "119 seconds ago"),
            (120, "2 minutes ago"),
            (7200, "2 hours ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(seconds), words);
        }
    }
}
