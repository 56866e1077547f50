//! `mcos probe`: does everything a Client does, step by step, and says what the Server Operator can do where it fails.

mod advice;
mod report;
mod walk;

use super::nps::Nps;
use super::sitting::FixedPorts;
use super::{Endpoint, Service};
use crate::config::Network;
use std::io::{self, Write};
use std::net::{IpAddr, UdpSocket};
use std::time::Duration;
use zeroize::Zeroizing;

use report::Report;
pub(super) use walk::reach;

/// How long a step may wait for any answer. The Client itself waits longer; an Operator need not.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// The port of Auth, built into the game. A probe asks for a Context on the plain port: it need not trust a certificate.
const SIGN_IN: u16 = 443;

/// The room ports of a server whose configuration is not at hand.
const USUAL_ROOMS: std::ops::RangeInclusive<u16> = 9000..=9014;

/// What to test, and how to report it.
#[derive(Debug)]
pub struct Options {
    /// Name or address, with or without `:PORT` of its web server. `None`: the server of this machine.
    pub host: Option<String>,
    /// The account to sign in with; without one only steps that need none are taken.
    pub account: Option<Credentials>,
    /// Whether to print one JSON document at the end instead of lines.
    pub json: bool,
    /// The configuration of this machine's server: where its ports are, if that is the one to probe.
    pub network: Network,
    /// The longest that any wait may last; usually [`TIMEOUT`].
    pub timeout: Duration,
}

/// Name and password of an account.
pub struct Credentials {
    /// The name of the account.
    pub user: String,
    /// Its password, wiped when dropped.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Whether all steps passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every step passed.
    Passed,
    /// At least one step failed or was skipped.
    Failed,
}

/// A host that is neither a name nor an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError(String);

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "\"{}\" is not a host: write a name or an address, with :PORT if its web port is not 80",
            self.0
        )
    }
}

impl std::error::Error for HostError {}

/// Where to begin, and which ports the shard list will not tell.
#[derive(Debug)]
pub(super) struct Target {
    /// The web server, first choice first.
    pub(super) web: Vec<Endpoint>,
    /// Ports the shard list does not tell.
    pub(super) fixed: FixedPorts,
    rooms: Vec<u16>,
}

/// Splits `host`, `host:port`, `[v6]:port` and bare IPv6 addresses.
fn host_and_port(text: &str) -> Result<(&str, Option<u16>), HostError> {
    let wrong = || HostError(text.to_owned());
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or_else(wrong)?;
        let port = match rest {
            "" => None,
            rest => Some(rest.strip_prefix(':').ok_or_else(wrong)?),
        };
        (host, port)
    } else {
        match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (text, None),
        }
    };
    let port = match port {
        Some(digits) => Some(digits.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?),
        None => None,
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '/';
    if host.is_empty() || host.contains(odd) { Err(wrong()) } else { Ok((host, port)) }
}

impl Target {
    /// What `given` means, where `network` is this machine's configuration.
    pub(super) async fn of(
        given: Option<&str>,
        network: &Network,
        timeout: Duration,
    ) -> Result<Self, HostError> {
        let (host, port) = match given {
            Some(text) => host_and_port(text)?,
            None => ("127.0.0.1", None),
        };
        if given.is_none() || is_this_machine(host, timeout).await {
            let mut ports = vec![port.unwrap_or(network.http)];
            if port.is_none() {
                ports.extend(network.http_fallback());
            }
            let web = ports.into_iter().map(|port| Endpoint::new(host, port)).collect();
            Ok(Self {
                web: answering_first(web, timeout).await,
                fixed: FixedPorts { persona: network.persona, mail: network.mail, mcots: network.mcots },
                rooms: network.room_ports(),
            })
        } else {
            Ok(Self {
                web: vec![Endpoint::new(host, port.unwrap_or(80))],
                fixed: FixedPorts::default(),
                rooms: USUAL_ROOMS.collect(),
            })
        }
    }
}

/// Whether `host` is an address of this machine: only then can a socket be bound to it.
async fn is_this_machine(host: &str, timeout: Duration) -> bool {
    let own = |ip: IpAddr| ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok();
    let resolved = smol::future::or(async { async_net::resolve((host, 0)).await.ok() }, async {
        smol::Timer::after(timeout).await;
        None
    });
    resolved.await.unwrap_or_default().iter().any(|address| own(address.ip()))
}

/// The same, with the first that answers before those that do not.
async fn answering_first(mut web: Vec<Endpoint>, timeout: Duration) -> Vec<Endpoint> {
    let places = if web.len() > 1 { 0..web.len() } else { 0..0 };
    for place in places {
        if let Some(endpoint) = web.get(place)
            && answers(endpoint, timeout).await
        {
            web.rotate_left(place);
            break;
        }
    }
    web
}

/// Whether somebody takes connections there.
async fn answers(at: &Endpoint, timeout: Duration) -> bool {
    Nps::connect(Service::Web, at, timeout).await.is_ok()
}

/// Tests a server step by step and writes the report to `out`.
///
/// # Errors
/// The outer error: the report cannot be written. The inner one: the host is neither a name nor an address.
pub async fn run(options: &Options, out: &mut dyn Write) -> io::Result<Result<Verdict, HostError>> {
    let target = match Target::of(options.host.as_deref(), &options.network, options.timeout).await {
        Ok(target) => target,
        Err(error) => return Ok(Err(error)),
    };
    let title = options.host.clone().or_else(|| target.web.first().map(Endpoint::to_string));
    let mut report = Report::new(out, options.json, &title.unwrap_or_default())?;
    match &options.account {
        Some(account) => walk::with_account(&mut report, &target, account, options.timeout).await?,
        None => walk::without_account(&mut report, &target, options.timeout).await?,
    }
    if let Some(web) = target.web.first()
        && !answers(&web.at(SIGN_IN), options.timeout).await
    {
        report.warn(format!(
            "nothing answers on port {SIGN_IN} of {}, and the game signs in there and nowhere else: give mcos that port (its README says \
             how), or forward it to the HTTPS port of mcos",
            web.host
        ));
    }
    report.close().map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        assert_eq!(host_and_port("mcos.local"), Ok(("mcos.local", None)));
        assert_eq!(host_and_port("mcos.local:8080"), Ok(("mcos.local", Some(8080))));
        assert_eq!(host_and_port("192.168.1.7:80"), Ok(("192.168.1.7", Some(80))));
        assert_eq!(host_and_port("fe80::1"), Ok(("fe80::1", None)));
        assert_eq!(host_and_port("[fe80::1]:8080"), Ok(("fe80::1", Some(8080))));
        for wrong in
            ["", ":80", "host:", "host:0", "host:99999", "[::1", "[::1]x", "http://mcos.local/", "a b"]
        {
            let error = host_and_port(wrong).expect_err(wrong);
            assert!(error.to_string().contains("is not a host"), "{error}");
        }
    }

    #[test]
    fn only_this_machine_is_probed_by_its_own_configuration() {
        let network =
            Network { http: 8081, mcots: 5, rooms: [7, 8], http_configured: true, ..Network::default() };
        let target = |host: Option<&str>| smol::block_on(Target::of(host, &network, TIMEOUT)).unwrap();
        for host in [None, Some("127.0.0.1"), Some("::1")] {
            let own = target(host);
            assert_eq!((own.web[0].port, own.web.len(), own.fixed.mcots), (8081, 1, 5));
            assert_eq!(own.rooms, [7, 8]);
        }
        let other = target(Some("192.0.2.1"));
        assert_eq!((other.web[0].port, other.fixed), (80, FixedPorts::default()));
        assert_eq!(other.rooms.len(), 15);
        assert_eq!(target(Some("127.0.0.1:9")).web[0].port, 9);
    }

    #[test]
    fn the_port_that_answers_is_the_one_that_is_asked_and_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = Endpoint::new("127.0.0.1", listener.local_addr().unwrap().port());
        // Nobody listens on another address of this machine.
        let closed = Endpoint::new("127.0.0.9", open.port);
        let ordered =
            |web: [&Endpoint; 2]| smol::block_on(answering_first(web.map(Endpoint::clone).into(), TIMEOUT));
        assert_eq!(ordered([&closed, &open]), [open.clone(), closed.clone()]);
        assert_eq!(ordered([&open, &closed]), [open, closed]);
    }
}
