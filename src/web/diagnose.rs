//! How far the game came from the visitor's address, and what to do where it stopped.

use super::{Answer, Frame, Site, Visit, page};
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

struct Advice {
    heading: &'static str,
    lines: &'static [&'static str],
}

pub(super) fn show(site: &Site<'_>, visit: &Visit<'_>) -> Answer {
    let address = visit.peer.to_canonical();
    let trail = site.game.world.sign_in_trace.of(address);
    let rows = SignInStep::ALL.map(|step| {
        let seen = trail.step(step);
        Row {
            what: what(step),
            port: port(step, &site.game.ports),
            state: state(seen),
            ago: seen.map(|seen| ago(site.now.since(seen.at).as_secs())).unwrap_or_default(),
        }
    });
    let (address, rows) = (address.to_string(), rows.into());
    page(&DiagnosePage { frame: Frame::of(site), address, rows, advice: advice(&trail) }).private()
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
        SignInStep::Password => "Name and password checked",
        SignInStep::ShardList => "List of shards fetched",
        SignInStep::Login => "Signed in to the game",
        SignInStep::PersonaList => "List of drivers fetched",
        SignInStep::Persona => "Driver chosen",
        SignInStep::Lobby => "Reached the lobby",
        SignInStep::Mcots => "Reached garage and races",
        SignInStep::Room => "Reached a room",
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

/// What to do about the first step that was refused or is still to come.
fn advice(trail: &Trace) -> Advice {
    let stopped = SignInStep::ALL.into_iter().find(|step| state(trail.step(*step)) != State::Passed);
    let Some(step) = stopped else {
        return Advice { heading: "All is well", lines: &["The game came all the way. Have a good race."] };
    };
    let refused = state(trail.step(step)) == State::Refused;
    let (heading, lines): (_, &[&str]) = match (step, refused) {
        (SignInStep::Password, false) => (
            "The game has not asked yet",
            &[
                "Start the game, sign in, and look here again.",
                "If you just did: the game on this PC asks another server, or does not get through. Run the player kit's setup again, as an administrator.",
                "If it has worked before: is this server's address still the one the kit was made for? Get a new kit.",
                "Windows refuses in silence if it does not trust the certificate or shares no kind of encryption: run the kit's setup as an administrator, and on Windows XP tick \"Use TLS 1.0\" (see Help).",
                "A firewall on this PC must let the game out to that step's port.",
            ],
        ),
        (SignInStep::Password, true) => (
            "Name or password was refused",
            &[
                "Type both again; capitals count in the password.",
                "No account yet? Make one here, under Account.",
                "After many wrong tries, the server refuses everything from your address for a minute: wait.",
                "The Operator may have disabled the account.",
            ],
        ),
        (SignInStep::ShardList, _) => (
            "The password was right; the list of shards was not fetched",
            &[
                "The registry of this PC names another place for the list: run the player kit's setup again, as an administrator.",
                "A firewall on this PC must let the game out to that step's port.",
            ],
        ),
        (SignInStep::Login, false) => (
            "The list was fetched; the game did not sign in",
            &[
                "Pick the shard in the game's list, if it shows one.",
                "A firewall on this PC must let the game out to that step's port.",
            ],
        ),
        (SignInStep::Login, true) => (
            "The game's own login was refused",
            &[
                "Most likely the file pub.key in the game's folder is not this server's: run the player kit's setup again, or copy the file there by hand.",
                "If the game waited on its screens for long, leave it and start it again.",
            ],
        ),
        (SignInStep::PersonaList | SignInStep::Persona, true) => (
            "The list of drivers was refused",
            &[
                "The game must ask from the address it signed in from: switch off a VPN or a proxy that only some programs use, and start the game again.",
            ],
        ),
        (SignInStep::PersonaList, false) => (
            "Signed in; the drivers were not asked for",
            &["A firewall on this PC must let the game out to that step's port."],
        ),
        (SignInStep::Persona, false) => (
            "Waiting for a driver",
            &["Choose or make a driver in the game.", "If you just did, start the game again."],
        ),
        (SignInStep::Lobby, false) => (
            "A driver is chosen; the lobby was not reached",
            &["A firewall on this PC must let the game out to that step's port."],
        ),
        (SignInStep::Lobby | SignInStep::Room, true) => (
            "The lobby refused the game",
            &["The game still had an old session: leave it, start it again and sign in."],
        ),
        (SignInStep::Mcots, false) => (
            "In the lobby; garage and races were not reached",
            &["A firewall on this PC must let the game out to that step's port."],
        ),
        (SignInStep::Mcots, true) => (
            "Garage and races refused the game",
            &["Sign in again from the start, and leave no second copy of the game running."],
        ),
        (SignInStep::Room, false) => (
            "All is well so far",
            &[
                "The game is in. Enter a chat room or a race for the last step.",
                "If entering one fails, a firewall on this PC must let the game out to that step's ports.",
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
        assert_eq!(heading(), "The game has not asked yet");
        sign_in_trace.refused(HOME, SignInStep::Password, Now::read());
        assert_eq!(heading(), "Name or password was refused");
        sign_in_trace.passed(HOME, SignInStep::Password, Now::read());
        sign_in_trace.passed(HOME, SignInStep::ShardList, Now::read());
        sign_in_trace.refused(HOME, SignInStep::Login, Now::read());
        assert_eq!(heading(), "The game's own login was refused");
        for step in [
            SignInStep::Login,
            SignInStep::PersonaList,
            SignInStep::Persona,
            SignInStep::Lobby,
            SignInStep::Mcots,
        ] {
            sign_in_trace.passed(HOME, step, Now::read());
        }
        assert_eq!(heading(), "All is well so far");
        sign_in_trace.passed(HOME, SignInStep::Room, Now::read());
        assert_eq!(heading(), "All is well");
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
