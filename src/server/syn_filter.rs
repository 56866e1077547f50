//! Has Linux throw away the first packet (SYN) of new connections from addresses that flood the ports, before there is a connection:
//! a socket filter on each socket that listens (classic BPF; Linux, Documentation/networking/filter.rst). Connections that are there
//! are not touched.

use super::flooders::TURNED_AWAY;
use super::limits::Limits;
use crate::clock::Now;
use crate::world::{Refusals, Source};
use smol::{Async, Timer};
use socket2::{SockFilter, SockRef};
use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// How soon others who flood are turned away too, and who has been is let in again.
const LOOK: Duration = Duration::from_millis(250);

/// Instructions of classic BPF (linux/bpf_common.h).
mod code {
    /// Load the 32 bits, in network byte order, at a position in the packet.
    pub(super) const LOAD_WORD: u16 = 0x20;
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
pub(super) async fn keep(limits: Arc<Limits>, listeners: Vec<Arc<Async<TcpListener>>>) {
    let mut turned_away = Vec::new();
    let mut told = Refusals::default();
    loop {
        if turned_away.is_empty() {
            limits.somebody_floods().await;
        } else {
            Timer::after(LOOK).await;
        }
        let time = Now::read();
        let now = limits.turned_away(time);
        if now == turned_away {
            continue;
        }
        for source in now.iter().filter(|source| !turned_away.contains(source)) {
            if let Some(times) = told.note(*source, time) {
                log::warn!(
                    "{source} goes on and on though it is refused: for {} s its new connections are not answered ({times} \
                     times since this was last said); see limits.connections_per_second in mcos.toml",
                    TURNED_AWAY.as_secs()
                );
            }
        }
        for listener in &listeners {
            if let Err(error) = turn_away(listener, &now) {
                log::warn!(
                    "the system does not turn floods of connections away, so each is refused alone: {error}"
                );
                return;
            }
        }
        turned_away = now;
    }
}

/// Nobody but these is turned away from a port from now on.
fn turn_away(listener: &Async<TcpListener>, sources: &[Source]) -> io::Result<()> {
    let of_ipv6 = listener.get_ref().local_addr()?.is_ipv6();
    let program = program(sources, of_ipv6);
    let socket = SockRef::from(listener);
    if program.is_empty() {
        // It may have none.
        let _ = socket.detach_filter();
        return Ok(());
    }
    socket.attach_filter(&program)
}

/// The filter of a port of IPv6 or of IPv4; empty if nobody is turned away there.
fn program(sources: &[Source], of_ipv6: bool) -> Vec<SockFilter> {
    let instruction = |code, then, or_else, operand| SockFilter::new(code, then, or_else, operand);
    let mut program = vec![
        instruction(code::LOAD_BYTE, 0, 0, TCP_FLAGS),
        instruction(code::IF_BITS, 1, 0, SYN),
        instruction(code::KEEP, 0, 0, u32::MAX),
    ];
    let beginning = program.len();
    for source in sources {
        match source.address() {
            IpAddr::V4(address) if !of_ipv6 => program.extend([
                instruction(code::LOAD_WORD, 0, 0, IPV4_SOURCE),
                instruction(code::IF_EQUAL, 0, 1, address.to_bits()),
                instruction(code::KEEP, 0, 0, 0),
            ]),
            IpAddr::V6(network) if of_ipv6 => {
                // The first 64 bits, as two words.
                let half =
                    |shift: u32| u32::try_from(network.to_bits() >> shift & 0xffff_ffff).unwrap_or_default();
                program.extend([
                    instruction(code::LOAD_WORD, 0, 0, IPV6_SOURCE),
                    instruction(code::IF_EQUAL, 0, 3, half(96)),
                    instruction(code::LOAD_WORD, 0, 0, IPV6_SOURCE + 4),
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
        turn_away(&listener, &all).unwrap();
        let error = connect("127.0.0.1", at).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(connect("127.0.0.2", at).is_ok(), "others come as they like");
        theirs.write_all(b"on").unwrap();
        let mut read = [0; 2];
        ours.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"on", "who is there stays");

        turn_away(&listener, &[source("127.0.0.3")]).unwrap();
        assert!(connect("127.0.0.1", at).is_ok());
        assert!(connect("127.0.0.3", at).is_err());
        turn_away(&listener, &[]).unwrap();
        assert!(connect("127.0.0.3", at).is_ok());
        turn_away(&listener, &[]).unwrap();
    }

    #[test]
    fn an_ipv6_network_is_turned_away_as_a_whole() {
        let Some((listener, at, ..)) = port("::1") else { return };
        let networks: Vec<_> = (1..128).map(|n| source(&format!("fd00:{n:x}::1"))).collect();
        turn_away(&listener, &networks).unwrap();
        assert!(connect("::1", at).is_ok());
        // As a network of 64 bits, in which the address of this machine is.
        turn_away(&listener, &[source("::2"), source("10.0.0.1")]).unwrap();
        assert_eq!(connect("::1", at).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_port_of_one_family_has_no_filter_for_the_other() {
        assert!(program(&[], false).is_empty());
        assert!(program(&[source("fd00::1")], false).is_empty());
        assert!(program(&[source("10.0.0.1")], true).is_empty());
        assert_eq!(program(&[source("10.0.0.1"), source("10.0.0.2")], false).len(), 3 + 2 * 3 + 1);
    }
}
