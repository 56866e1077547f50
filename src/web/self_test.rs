//! The self-test of the player kit: the server's half. The script asks for these paths and connects to the ports of the game in between; what
//! has arrived, and what to do about the first that has not, is told to the script and on the page Diagnose.

use super::page::{PageRequest, PageResponse, Site};
use crate::services::{AUTH_PORT, Ports};
use crate::world::{SelfTest, Tested};

/// The first line of the answer that begins a test; `templates/kit/selftest.js` knows it.
const FORMAT: &str = "mcos self-test 1";

/// One step of a test.
pub(super) struct Step {
    pub(super) what: &'static str,
    pub(super) port: u16,
    pub(super) passed: bool,
}

/// A part of the test; `None` if there is none at this path.
pub(super) fn answer(site: &Site<'_>, request: &PageRequest<'_>) -> Option<PageResponse> {
    let (tests, from) = (&site.game.world.self_tests, request.peer);
    let lines = match request.path {
        "/kit/test/begin" => {
            tests.begin(from, site.now);
            let family = if from.to_canonical().is_ipv4() { "ipv4" } else { "ipv6" };
            vec![FORMAT.to_owned(), family.to_owned()]
        }
        "/kit/test/auth" => vec![yes(tests.of(from).is_some_and(|test| test.has_reached(Tested::Auth)))],
        "/kit/test/secure" => {
            if request.secure {
                tests.reached(from, Tested::Certificate, site.now);
            }
            vec![yes(request.secure)]
        }
        "/kit/test/result" => match tests.of(from) {
            Some(test) => result(&test, &site.game.ports),
            None => vec!["failed".to_owned(), "The server has not seen this test begin.".to_owned()],
        },
        _ => return None,
    };
    let text: String = lines.into_iter().flat_map(|line| [line, "\r\n".to_owned()]).collect();
    Some(PageResponse::text(text).not_stored())
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// Whether it has passed, then lines for people, short enough for a window of 80 columns.
fn result(test: &SelfTest, ports: &Ports) -> Vec<String> {
    let steps = steps(test, ports);
    let passed = steps.iter().all(|step| step.passed);
    let mut lines = vec![if passed { "passed" } else { "failed" }.to_owned()];
    lines.extend(steps.iter().map(|step| {
        let mark = if step.passed { "yes" } else { "NO " };
        format!("{mark}  {} (port {})", step.what, step.port)
    }));
    lines.extend(advice(test).iter().map(|line| (*line).to_owned()));
    lines
}

/// What a test has reached and what not.
pub(super) fn steps(test: &SelfTest, ports: &Ports) -> Vec<Step> {
    let step = |tested: Tested| {
        let (what, port) = match tested {
            Tested::Pages => ("The pages of the server", ports.http),
            Tested::Auth => ("Where the game signs in", AUTH_PORT),
            Tested::Certificate => ("Windows trusts the server's certificate", AUTH_PORT),
            Tested::Login => ("Login", ports.login),
            Tested::Persona => ("The drivers", ports.persona),
            Tested::Lobby => ("The lobby", ports.lobby),
            Tested::Mcots => ("Garage and races", ports.mcots),
            Tested::Room => ("A room", ports.rooms.iter().min().copied().unwrap_or_default()),
        };
        Step { what, port, passed: test.has_reached(tested) }
    };
    Tested::ALL.map(step).into()
}

/// What to do about the first step that failed.
pub(super) fn advice(test: &SelfTest) -> &'static [&'static str] {
    match Tested::ALL.into_iter().find(|tested| !test.has_reached(*tested)) {
        None => &["This PC reaches everything that the game needs."],
        Some(Tested::Certificate) => &[
            "Windows refuses the certificate of the server, or has no encryption in common with it.",
            "Run setup.bat of a new kit of this server. The clock of the PC must show the right year.",
            "Windows XP needs Service Pack 3 and a tick at \"Use TLS 1.0\": see READ ME.txt.",
        ],
        Some(Tested::Auth) => &[
            "Nothing of this PC arrives at the first port with NO. Without it the game cannot sign in.",
            "Allow the game that port in the firewall and the virus scanner of this PC.",
            "If the server is not in the same network, its router has to forward the port.",
        ],
        Some(_) => &[
            "Nothing of this PC arrives at the first port with NO.",
            "Allow the game that port in the firewall and the virus scanner of this PC.",
            "If the server is not in the same network, its router has to forward the port.",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Now;
    use crate::config::Config;
    use crate::world::SelfTests;
    use std::net::{IpAddr, Ipv4Addr};

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn the_first_step_that_failed_has_its_advice_in_lines_that_a_window_shows() {
        let ports = Ports::from(&Config::default().network);
        for failed in Tested::ALL.into_iter().skip(1) {
            let (tests, now) = (SelfTests::default(), Now::read());
            tests.begin(HOME, now);
            for tested in Tested::ALL.into_iter().filter(|tested| *tested != failed) {
                tests.reached(HOME, tested, now);
            }
            let lines = result(&tests.of(HOME).unwrap(), &ports);
            assert_eq!(lines[0], "failed");
            let wrong: Vec<&String> = lines.iter().filter(|line| line.starts_with("NO ")).collect();
            assert_eq!(wrong.len(), 1, "{failed:?}: {lines:?}");
            assert_eq!(lines.iter().any(|line| line.contains("TLS 1.0")), failed == Tested::Certificate);
            for line in lines {
                assert!(
                    line.len() <= 100 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                    "{line}"
                );
            }
        }
        let (tests, now) = (SelfTests::default(), Now::read());
        tests.begin(HOME, now);
        for tested in Tested::ALL {
            tests.reached(HOME, tested, now);
        }
        let lines = result(&tests.of(HOME).unwrap(), &ports);
        assert_eq!(lines[0], "passed");
        assert_eq!(lines.iter().filter(|line| line.starts_with("yes  ")).count(), Tested::ALL.len());
        assert!(lines.contains(&"yes  Garage and races (port 43300)".to_owned()), "{lines:?}");
    }
}
