//! Answers Windows versions that look for this machine by its NetBIOS name, on UDP port 137.
//!
//! Newer systems ask by multicast DNS, which is the business of the operating system we run on.

use super::token_bucket::TokenBuckets;
use crate::admin::kit::netbios_name;
use crate::clock::Now;
use crate::config::Network;
use crate::netbios::{MAX_DATAGRAM, MachineName, PORT, Query};
use crate::services::Game;
use crate::world::Source;
use futures_lite::future;
use smol::{Async, Timer};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// How many bytes are sent to one address in a second. Anybody can write another's address on a question, and an answer is larger.
const BYTES_PER_SECOND: u64 = 1024;
/// How many at once: Windows asks three times.
const BURST: u64 = 4096;

/// How long after an error of the socket it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// One open socket.
pub(super) struct NameService {
    socket: Async<UdpSocket>,
}

/// Opens the sockets, on the IPv4 addresses of `network.bind`. Only that of 0.0.0.0 hears what is asked of everybody. A
/// server that cannot be found by this name is still a server, so what can't be had is only reported.
pub(super) fn open(network: &Network, own: &str) -> Vec<NameService> {
    if !network.netbios {
        return Vec::new();
    }
    let Some(name) = netbios_name(network, own) else {
        log::info!("the host name is no name for Windows, so NetBIOS is off; see network.name in mcos.toml");
        return Vec::new();
    };
    let addresses = network.bind.iter().filter(|address| address.is_ipv4());
    addresses.filter_map(|address| open_one(*address, name)).collect()
}

fn open_one(address: IpAddr, name: MachineName) -> Option<NameService> {
    match UdpSocket::bind((address, PORT)).and_then(Async::new) {
        Ok(socket) => {
            log::info!("old Windows versions find this machine as {}", name.as_str());
            Some(NameService { socket })
        }
        Err(error) => {
            let why = match error.kind() {
                ErrorKind::PermissionDenied => "this user may not use UDP port 137".to_owned(),
                ErrorKind::AddrInUse => "another program, probably Samba, has UDP port 137".to_owned(),
                _ => format!("UDP port 137 on {address} cannot be had: {error}"),
            };
            log::info!("old Windows versions do not find this machine by name: {why}");
            None
        }
    }
}

impl NameService {
    /// Answers for ever, whoever may connect. The name may be another one from one moment to the next.
    pub(super) async fn serve(self, game: Arc<Game>) {
        let mut datagram = [0; MAX_DATAGRAM];
        let mut bytes = TokenBuckets::new(BYTES_PER_SECOND, BURST);
        loop {
            match self.socket.recv_from(&mut datagram).await {
                Ok((length, SocketAddr::V4(peer))) => {
                    let datagram = datagram.get(..length).unwrap_or_default();
                    if let Some(answer) = game
                        .world
                        .access_list
                        .admits((*peer.ip()).into())
                        .then(|| {
                            let name = netbios_name(&game.config.network, &game.world.own_name.read())?;
                            Query::read(datagram)?.answer(name, self.address_for(peer.into()).ok()?)
                        })
                        .flatten()
                        .filter(|answer| {
                            bytes.take(Source::of((*peer.ip()).into()), answer.len() as u64, Now::read())
                        })
                        && let Err(error) = self.send(&answer, peer)
                    {
                        log::debug!("netbios: {peer} cannot be answered: {error}");
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    log::warn!("netbios: no question can be received: {error}");
                    Timer::after(PAUSE).await;
                }
            }
            // However many ask, others have their turn.
            future::yield_now().await;
        }
    }

    /// Sends without waiting. While the system looks for a machine that does not exist it keeps what is for it, and who writes such
    /// senders on many questions could make all others wait until there is room again. Who gets no answer asks again.
    fn send(&self, answer: &[u8], peer: SocketAddrV4) -> io::Result<usize> {
        self.socket.get_ref().send_to(answer, peer)
    }

    /// By which address `peer` reaches us: the one from which the system would write to it.
    fn address_for(&self, peer: SocketAddr) -> io::Result<Ipv4Addr> {
        let socket = UdpSocket::bind((self.socket.get_ref().local_addr()?.ip(), 0))?;
        // Sends nothing: for UDP this only chooses the way.
        socket.connect(peer)?;
        match socket.local_addr()?.ip() {
            IpAddr::V4(address) => Ok(address),
            IpAddr::V6(_) => Err(ErrorKind::Unsupported.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_name_wins_over_the_host_name() {
        let named = Network { name: "Garage".to_owned(), ..Network::default() };
        assert_eq!(netbios_name(&named, "mcos").unwrap().as_str(), "GARAGE");
        assert_eq!(netbios_name(&Network::default(), "mcos3.lan"), MachineName::from_host("MCOS3"));
    }
}
