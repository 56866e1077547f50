//! Has Linux throw away the first packet (SYN) of new connections from addresses that flood the ports, before there is a connection:
//! a socket filter on each socket that listens (classic BPF; Linux, Documentation/networking/filter.rst). Connections that are there
//! are not touched.

use super::shared::Shared;
use crate::clock::Now;
use crate::world::{Refusals, Source};
use futures_lite::FutureExt as _;
use smol::{Async, Timer};
use socket2::{SockFilter, SockRef};
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// How soon who has been turned away is let in again.
const LOOK: Duration = Duration::from_millis(250);
/// How soon others who flood are turned away too.
const NEXT: Duration = Duration::from_millis(10);

/// Instructions of classic BPF (linux/bpf_common.h).
mod code {
    /// Load the 32 bits, in network byte order, at a position in the packet.
    pub(super) const LOAD_WORD: u16 = 0x20;
    /// Store them at a place of the filter, and load them from there: in Linux that takes a twelfth of the memory that loading from the
    /// packet takes.
    pub(super) const REMEMBER: u16 = 0x02;
    pub(super) const RECALL: u16 = 0x60;
    /// Load the byte there.
    pub(super) const LOAD_BYTE: u16 = 0x30;
    /// Skip so many instructions if what is loaded is the operand, and so many if not.
    pub(super) const IF_EQUAL: u16 = 0x15;
    /// The same, by whether it has bits of the operand.
    pub(super) const IF_BITS: u16 = 0x45;
    /// The end: so many bytes of the packet are kept, so 0 throws it away.
    pub(super) const KEEP: u16 = 0x06;
}
/// The position of the IP header; that of 0 is the TCP header (`SKF_NET_OFF` in linux/filter.h, -0x100000).
const IP: u32 = 0xfff0_0000;
/// Position of the flags in the TCP header (RFC 9293, 3.1), and the flag of a first packet.
const TCP_FLAGS: u32 = 13;
const SYN: u32 = 2;
/// Position of the source address in the IPv4 header (RFC 791, 3.1).
const IPV4_SOURCE: u32 = IP + 12;
/// The same for IPv6 (RFC 8200, 3).
const IPV6_SOURCE: u32 = IP + 8;

/// Turns flooders away, for as long as it is polled.
pub(super) async fn keep(shared: Arc<Shared>, listeners: Vec<Arc<Async<TcpListener>>>) {
    let (limits, known) = (&shared.limits, &shared.game.world.turned_away);
    let mut turned_away = Vec::new();
    let mut troubles = Refusals::default();
    loop {
        if turned_away.is_empty() {
            limits.somebody_floods().await;
        } else {
            Timer::after(NEXT).await;
            let look = async {
                Timer::after(LOOK).await;
            };
            limits.somebody_floods().or(look).await;
        }
        let time = Now::read();
        let now = limits.turned_away(time);
        if now == turned_away {
            continue;
        }
        for source in now.iter().filter(|source| !turned_away.contains(source)) {
            if let Some(times) = known.note(*source, time) {
                log::warn!(
                    "{source} goes on and on though it is refused: for some seconds its new connections are not answered ({times} times \
                     since this was last said); see limits.connections_per_second in mcos.toml"
                );
            }
        }
        let (count, error) = turn_away(&listeners, &now);
        known.set_count(count);
        if let Some(error) = error
            // Under one name, so that it is told once a minute.
            && troubles.note(Source::of(Ipv4Addr::UNSPECIFIED.into()), time).is_some()
        {
            log::warn!(
                "the system turns only {count} of {} addresses away that flood, so the connections of the others are refused one by one, which \
                 takes more of the processor: {error}; give its filters more memory (sysctl net.core.optmem_max=131072), and switch off \
                 what floods (mcos_addresses_turned_away tells how many are turned away)",
                now.len()
            );
        }
        turned_away = now;
    }
}

/// Nobody but these is turned away from all these ports from now on; or the first of them alone, or nobody, if the system takes no more.
/// Returns how many are, and if that is not all what the system said.
fn turn_away(listeners: &[Arc<Async<TcpListener>>], sources: &[Source]) -> (usize, Option<io::Error>) {
    let (mut taken, mut trouble) = (sources, None);
    while !taken.is_empty() {
        // At every port the same are turned away.
        match listeners.iter().try_for_each(|listener| attach(listener, taken)) {
            Ok(()) => return (taken.len(), trouble),
            Err(error) => trouble = Some(error),
        }
        taken = taken.get(..taken.len() / 2).unwrap_or_default();
    }
    for listener in listeners {
        forget(listener.get_ref());
    }
    (0, trouble)
}

/// Turns these away from one port, in the place of others.
fn attach(listener: &Async<TcpListener>, sources: &[Source]) -> io::Result<()> {
    let of_ipv6 = listener.get_ref().local_addr()?.is_ipv6();
    let program = program(sources, of_ipv6);
    // First, or the system wants memory for both.
    forget(listener.get_ref());
    if program.is_empty() { Ok(()) } else { SockRef::from(listener).attach_filter(&program) }
}

/// Takes the filter of a socket away and gives its memory back: a connection has that of the port it came to.
pub(super) fn forget<'s>(socket: impl Into<SockRef<'s>>) {
    // It may have none.
    let _ = socket.into().detach_filter();
}

/// The filter of a port of IPv6 or of IPv4; empty if nobody is turned away there.
fn program(sources: &[Source], of_ipv6: bool) -> Vec<SockFilter> {
    let instruction = |code, then, or_else, operand| SockFilter::new(code, then, or_else, operand);
    let mut program = vec![
        instruction(code::LOAD_BYTE, 0, 0, TCP_FLAGS),
        instruction(code::IF_BITS, 1, 0, SYN),
        instruction(code::KEEP, 0, 0, u32::MAX),
    ];
    if of_ipv6 {
        // The first 64 bits, as two words.
        program.extend([
            instruction(code::LOAD_WORD, 0, 0, IPV6_SOURCE),
            instruction(code::REMEMBER, 0, 0, 0),
            instruction(code::LOAD_WORD, 0, 0, IPV6_SOURCE + 4),
            instruction(code::REMEMBER, 0, 0, 1),
        ]);
    } else {
        program.push(instruction(code::LOAD_WORD, 0, 0, IPV4_SOURCE));
    }
    let beginning = program.len();
    for source in sources {
        match source.address() {
            IpAddr::V4(address) if !of_ipv6 => program.extend([
                instruction(code::IF_EQUAL, 0, 1, address.to_bits()),
                instruction(code::KEEP, 0, 0, 0),
            ]),
            IpAddr::V6(network) if of_ipv6 => {
                let half =
                    |shift: u32| u32::try_from(network.to_bits() >> shift & 0xffff_ffff).unwrap_or_default();
                program.extend([
                    instruction(code::RECALL, 0, 0, 0),
                    instruction(code::IF_EQUAL, 0, 3, half(96)),
                    instruction(code::RECALL, 0, 0, 1),
                    instruction(code::IF_EQUAL, 0, 1, half(64)),
                    instruction(code::KEEP, 0, 0, 0),
                ]);
            }
            _ => {}
        }
    }
    if program.len() == beginning {
        return Vec::new();
    }
    program.push(instruction(code::KEEP, 0, 0, u32::MAX));
    program
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, Socket, Type};
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};

    /// Says that an address does not answer: on this machine itself an answer takes no time.
    const SILENCE: Duration = Duration::from_millis(300);

    /// Says that a test could not be done, for the summary of `scripts/test` as well.
    fn skipped(what: &str) {
        let _ = writeln!(io::stderr(), "SKIPPED: {what}");
        if let Some(file) = std::env::var_os("MCOS_SKIPS")
            && let Ok(mut file) = std::fs::File::options().append(true).create(true).open(file)
        {
            let _ = writeln!(file, "{what}");
        }
    }

    fn source(address: &str) -> Source {
        Source::of(address.parse().unwrap())
    }

    fn connect(from: &str, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(from.parse().unwrap(), 0).into())?;
        socket.connect_timeout(&to.into(), SILENCE)?;
        Ok(socket.into())
    }

    /// A port on an address of this machine, with somebody connected from there; `None` if it has no such address.
    fn port(address: &str) -> Option<(Async<TcpListener>, SocketAddr, TcpStream, TcpStream)> {
        let listener = TcpListener::bind(SocketAddr::new(address.parse().unwrap(), 0)).ok()?;
        let at = listener.local_addr().unwrap();
        let theirs = connect(address, at).unwrap();
        let ours = listener.accept().unwrap().0;
        Some((Async::new(listener).unwrap(), at, ours, theirs))
    }

    #[test]
    fn only_new_connections_of_who_is_turned_away_are_not_answered() {
        let (listener, at, mut ours, mut theirs) = port("127.0.0.1").unwrap();
        let others: Vec<_> = (0..127).map(|n| source(&format!("10.0.0.{n}"))).collect();
        let all: Vec<_> = [source("127.0.0.1"), source("fd00::1")].into_iter().chain(others).collect();
        attach(&listener, &all).unwrap();
        let error = connect("127.0.0.1", at).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(connect("127.0.0.2", at).is_ok(), "others come as they like");
        theirs.write_all(b"on").unwrap();
        let mut read = [0; 2];
        ours.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"on", "who is there stays");

        attach(&listener, &[source("127.0.0.3")]).unwrap();
        assert!(connect("127.0.0.1", at).is_ok());
        assert!(connect("127.0.0.3", at).is_err());
        attach(&listener, &[]).unwrap();
        assert!(connect("127.0.0.3", at).is_ok());
        attach(&listener, &[]).unwrap();
    }

    #[test]
    fn an_ipv6_network_is_turned_away_as_a_whole() {
        let Some((listener, at, ..)) = port("::1") else {
            return skipped("no address ::1 here: filters for IPv6 not tried");
        };
        let networks: Vec<_> = (1..128).map(|n| source(&format!("fd00:{n:x}::1"))).collect();
        attach(&listener, &networks).unwrap();
        assert!(connect("::1", at).is_ok());
        // As a network of 64 bits, in which the address of this machine is.
        attach(&listener, &[source("fd00::1"), source("::2"), source("10.0.0.1")]).unwrap();
        assert_eq!(connect("::1", at).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn if_one_port_takes_no_more_all_ports_turn_the_same_fewer_away() {
        let of_ipv4 = |address| port(address).map(|(listener, at, ..)| (Arc::new(listener), at)).unwrap();
        let (first, first_at) = of_ipv4("127.0.0.1");
        let mut listeners = vec![Arc::clone(&first)];
        // No filter has more than 4096 instructions.
        let mut sources = vec![source("127.0.0.3")];
        sources.extend((0..3000_u32).map(|n| Source::of(Ipv4Addr::from_bits(0x0a00_0000 + n).into())));
        sources.push(source("127.0.0.4"));
        let (count, error) = turn_away(&listeners, &sources);
        assert!(error.is_some() && count > 0 && count < sources.len(), "{count}");
        assert!(connect("127.0.0.3", first_at).is_err());
        assert!(connect("127.0.0.4", first_at).is_ok(), "refused one by one");

        if let Some((second, second_at, ..)) = port("::1") {
            // It comes first, and would take all of them.
            listeners.insert(0, Arc::new(second));
            sources.push(source("::2"));
            let (count, error) = turn_away(&listeners, &sources);
            assert!(error.is_some() && count < sources.len());
            assert!(
                connect("::1", second_at).is_ok(),
                "turned away at no port, so it is not locked out for ever"
            );
        }
        let (count, error) = turn_away(&listeners, &[]);
        assert!(error.is_none() && count == 0);
        assert!(connect("127.0.0.3", first_at).is_ok());
    }

    /// What Linux makes of a filter, in bytes (net/core/filter.c, `bpf_convert_filter`): a description and instructions of eight bytes each.
    fn bytes(program: &[SockFilter], of_ipv6: bool, sources: usize) -> usize {
        let loads = if of_ipv6 { 3 } else { 2 };
        let comparisons = if of_ipv6 { 2 * sources } else { sources };
        // A load is a call of a function, with what must be saved before; to compare or to end takes up to two.
        80 + 8 * (3 + loads * 14 + (program.len() - loads) + comparisons + 1 + sources + 2)
    }

    #[test]
    fn the_longest_filters_fit_the_least_memory_that_a_system_gives() {
        // net.core.optmem_max of Linux of 32 bits up to 6.7.
        let least = 10_240;
        let most = crate::server::flooders::MOST_TURNED_AWAY;
        for of_ipv6 in [false, true] {
            // With numbers that take two instructions.
            let address =
                |n: usize| if of_ipv6 { format!("fd00:{n:x}::1") } else { format!("192.168.0.{n}") };
            let sources: Vec<_> = (0..most).map(|n| source(&address(n))).collect();
            let bytes = bytes(&program(&sources, of_ipv6), of_ipv6, most);
            assert!(bytes < least * 9 / 10, "{bytes}");
        }
    }

    #[test]
    fn a_port_of_one_family_has_no_filter_for_the_other() {
        assert!(program(&[], false).is_empty());
        assert!(program(&[source("fd00::1")], false).is_empty());
        assert!(program(&[source("10.0.0.1")], true).is_empty());
        assert_eq!(program(&[source("10.0.0.1"), source("10.0.0.2")], false).len(), 4 + 2 * 2 + 1);
    }
}
