//! One TCP connection of a simulated Client, with an end to every wait.

use super::error::Error;
use super::peer::Peer;
use super::wanted::Wanted;
use rustix::io::Errno;
use smol::{Async, Timer, future};
use socket2::{Domain, Protocol, Type};
use std::future::Future;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// `work`, if it ends before `deadline`.
async fn before<T>(deadline: Instant, work: impl Future<Output = T>) -> Option<T> {
    future::or(async { Some(work.await) }, async {
        Timer::at(deadline).await;
        None
    })
    .await
}

/// Connects to the first of these addresses that answers; from this address of this machine, if one is chosen.
async fn connect_to_any(addresses: &[SocketAddr], from: Option<IpAddr>) -> io::Result<Async<TcpStream>> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let connected = match from {
            None => Async::<TcpStream>::connect(*address).await,
            Some(from) => connect_from(from, *address).await,
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn connect_from(from: IpAddr, to: SocketAddr) -> io::Result<Async<TcpStream>> {
    let socket = socket2::Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.set_nonblocking(true)?;
    match socket.connect(&to.into()) {
        Err(error) if Errno::from_io_error(&error) != Some(Errno::INPROGRESS) => return Err(error),
        _ => {}
    }
    let stream = Async::new(TcpStream::from(socket))?;
    stream.writable().await?;
    match stream.get_ref().take_error()? {
        Some(error) => Err(error),
        None => Ok(stream),
    }
}

/// A TCP connection. It holds no buffer while it waits.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Arc<Async<TcpStream>>,
    peer: Peer,
    timeout: Duration,
}

impl Socket {
    /// Connects to the first address of the host that answers, all within `timeout`.
    pub(super) async fn connect(peer: Peer, timeout: Duration) -> Result<Self, Error> {
        let deadline = Instant::now() + timeout;
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        let resolving = async_net::resolve((peer.host(), peer.port()));
        let addresses = match before(deadline, resolving).await.unwrap_or_else(|| Err(late())) {
            Ok(addresses) => addresses,
            Err(why) => return Err(Error::Unresolved { peer, why }),
        };
        let from = peer.from();
        let connecting = connect_to_any(&addresses, from);
        match before(deadline, connecting).await.unwrap_or_else(|| Err(late())) {
            Ok(stream) => {
                // A Client's messages are small and each is awaited by somebody.
                let _ = stream.get_ref().set_nodelay(true);
                Ok(Self { stream: Arc::new(stream), peer, timeout })
            }
            Err(why) => Err(Error::Unreachable { peer, why }),
        }
    }

    pub(super) const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The address of this end, if the system knows it.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.stream.get_ref().local_addr().ok()
    }

    /// When a wait that begins now has to end.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Writes all of `bytes`.
    pub(super) async fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        let deadline = self.deadline();
        let mut rest = bytes;
        while !rest.is_empty() {
            let writing = self.stream.write_with(|mut stream| stream.write(rest));
            match before(deadline, writing).await {
                Some(Ok(0)) => return Err(self.lost(io::ErrorKind::WriteZero.into())),
                Some(Ok(written)) => rest = rest.get(written..).unwrap_or_default(),
                Some(Err(why)) => return Err(self.lost(why)),
                None => return Err(self.lost(io::ErrorKind::TimedOut.into())),
            }
        }
        Ok(())
    }

    /// Hands what arrives next to `take`. `Ok(false)`: nothing arrived before `deadline`.
    pub(super) async fn read(
        &self,
        deadline: Instant,
        wanted: Wanted,
        mut take: impl FnMut(&[u8]),
    ) -> Result<bool, Error> {
        let reading = self.stream.read_with(|mut stream| {
            let mut buffer = [0; 8192];
            let count = stream.read(&mut buffer)?;
            take(buffer.get(..count).unwrap_or_default());
            Ok(count)
        });
        match before(deadline, reading).await {
            Some(Ok(0)) => Err(self.closed(wanted)),
            Some(Ok(_)) => Ok(true),
            Some(Err(why)) if is_hangup(&why) => Err(self.closed(wanted)),
            Some(Err(why)) => Err(self.lost(why)),
            None => Ok(false),
        }
    }

    fn closed(&self, wanted: Wanted) -> Error {
        Error::Closed { peer: self.peer.clone(), wanted }
    }

    fn lost(&self, why: io::Error) -> Error {
        Error::Lost { peer: self.peer.clone(), why }
    }
}

/// A server that closes with unread input in its buffers is seen as a reset.
fn is_hangup(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe
    )
}
