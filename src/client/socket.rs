//! One TCP connection of a simulated Client, with an end to every wait.

use super::error::{Error, Wanted};
use smol::{Async, Timer, future};
use std::fmt;
use std::future::Future;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A host, by name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address; an IPv6 address without brackets.
    pub host: Arc<str>,
    /// TCP port.
    pub port: u16,
}

impl Endpoint {
    /// `host` at `port`.
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// The same host at another port.
    #[must_use]
    pub fn at(&self, port: u16) -> Self {
        Self { host: self.host.clone(), port }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What a Client wants from a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// AuthLogin, shard list, key.
    Web,
    /// 8226.
    Login,
    /// 8228.
    Persona,
    /// 8227.
    Mail,
    /// 7003.
    Lobby,
    /// 9000-9014.
    Room,
    /// 43300.
    Mcots,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Web => "HTTP",
            Self::Login => "Login",
            Self::Persona => "Persona",
            Self::Mail => "Mail",
            Self::Lobby => "Lobby",
            Self::Room => "Room",
            Self::Mcots => "MCOTS",
        })
    }
}

/// The other end of a connection, for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    service: Service,
    endpoint: Endpoint,
}

impl Peer {
    /// The service at `endpoint`.
    pub(super) const fn new(service: Service, endpoint: Endpoint) -> Self {
        Self { service, endpoint }
    }

    /// Its service.
    pub const fn service(&self) -> Service {
        self.service
    }

    /// Its host, by name or address.
    pub fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.endpoint.port
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.service, self.endpoint)
    }
}

/// `work`, if it ends before `deadline`.
async fn before<T>(deadline: Instant, work: impl Future<Output = T>) -> Option<T> {
    future::or(async { Some(work.await) }, async {
        Timer::at(deadline).await;
        None
    })
    .await
}

/// A connection. It holds no buffer while it waits.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Arc<Async<TcpStream>>,
    peer: Peer,
    patience: Duration,
}

impl Socket {
    /// Connects to the first address of the host that answers, all within `patience`.
    pub(super) async fn connect(peer: Peer, patience: Duration) -> Result<Self, Error> {
        let deadline = Instant::now() + patience;
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        let resolving = async_net::resolve((peer.host(), peer.port()));
        let addresses = match before(deadline, resolving).await.unwrap_or_else(|| Err(late())) {
            Ok(addresses) => addresses,
            Err(why) => return Err(Error::Unresolved { peer, why }),
        };
        let connecting = async_net::TcpStream::connect(addresses.as_slice());
        match before(deadline, connecting).await.unwrap_or_else(|| Err(late())) {
            Ok(stream) => {
                // A Client's messages are small and each is awaited by somebody.
                let _ = stream.set_nodelay(true);
                Ok(Self { stream: stream.into(), peer, patience })
            }
            Err(why) => Err(Error::Unreachable { peer, why }),
        }
    }

    /// The other end.
    pub(super) const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The address of this end, if the system knows it.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.stream.get_ref().local_addr().ok()
    }

    /// When a wait that begins now has to end.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.patience
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
