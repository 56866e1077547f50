//! The HTTPS port: one port for every Windows from XP to 11.
//!
//! The first message of a connection is read before anybody answers it. Then the connection goes, with that message
//! untouched, to rustls (TLS 1.2 and 1.3) or to [`legacy_tls`] (TLS 1.0 and SSL 3.0), and the
//! caller learns which it was: what came over the old protocols can be read and changed by anybody on the way who cares
//! to, so it may reach the Client's own paths and public pages, and nothing of the Operator's.
//!
//! ```no_run
//! use mcos::server::tls::{self, Authority, Security, Tls};
//! use std::path::Path;
//!
//! # async fn example(listener: async_net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
//! let tls = Tls::open(Path::new("mcos-data"), Some("mco.example.org"), true)?;
//! loop {
//!     let (stream, peer) = listener.accept().await?;
//!     match tls::accept(&tls, stream, peer).await {
//!         Ok(secured) if secured.security == Security::Modern => { /* all pages over secured.stream */ }
//!         Ok(secured) => { /* the Client's paths and public pages over secured.stream */ }
//!         Err(error) => log::info!("https: {peer}: {error}"),
//!     }
//! }
//! # }
//! ```

mod authority;
mod error;
mod files;
mod legacy_stream;
mod names;
mod replay;

pub use authority::{Authority, Leaf, Leaves};
pub use error::AuthorityError;
pub use names::Names;

use super::lingering_close::{AFTER_ANSWER, Bounds, lingering_close};
use super::slow_work;
use super::turns::{Turns, Work};
use async_net::TcpStream;
use futures_lite::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, FutureExt as _, future};
use futures_rustls::server::TlsStream;
use futures_rustls::{Accept, LazyConfigAcceptor};
use legacy_stream::LegacyStream;
use legacy_tls::Version;
use legacy_tls::hello::{self, HelloError, Progress, Refusal, Route};
use legacy_tls::legacy::{Entropy, Failure, Identity, LegacyServer};
use legacy_tls::server_key::ServerKey;
use replay::Replay;
use rustls::crypto::ring;
use rustls::server::Acceptor;
use rustls::{HandshakeKind, ServerConfig};
use smol::{Async, Timer};
use std::fmt;
use std::io;
use std::net::{self, IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Within this the hello must be there, and within once more this the handshake be over.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a Client that is turned away may take to receive why.
const FAREWELL: Duration = Duration::from_secs(1);
/// What is read after an alert: the rest of a handshake.
const AFTER_ALERT: Bounds =
    Bounds { bytes: 1024 * 1024, pause: Duration::from_secs(1), time: Duration::from_secs(2) };
/// In how many parts what follows a second hello may come: waiting for turns is not the Client's time, so its time alone bounds them not.
const MOST_ROUNDS: u32 = 16;
/// Bytes read from the socket at once.
const CHUNK: usize = 4096;

/// How well a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all: the HTTP port.
    Plain,
    /// By SSL 3.0 or TLS 1.0, which is not much better.
    Legacy,
    /// By TLS 1.2 or 1.3.
    Modern,
}

/// A stream that can be read and written.
pub trait AsyncReadWrite: AsyncRead + AsyncWrite {}
impl<T: AsyncRead + AsyncWrite> AsyncReadWrite for T {}

/// A connection after its handshake.
pub struct Secured {
    /// How well it is protected.
    pub security: Security,
    /// What passes on it. Over the old protocols, what is written goes out with the next flush.
    pub stream: Pin<Box<dyn AsyncReadWrite + Send>>,
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").field("security", &self.security).finish_non_exhaustive()
    }
}

/// Why a connection on the HTTPS port came to nothing. The Client has been told, as far as it could be.
#[derive(Debug)]
pub enum TlsError {
    /// It began with nothing that can be answered.
    Hello(HelloError),
    /// It offered nothing that is served.
    Refused(Refusal),
    /// It spoke HTTP without TLS.
    PlainHttp,
    /// It took too long.
    TimedOut,
    /// The handshake of an old protocol failed.
    Legacy(Failure),
    /// The connection broke, or the handshake of TLS 1.2 or 1.3 failed.
    Io(io::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello(error) => error.fmt(f),
            Self::Refused(refusal @ Refusal::LegacyOff) => {
                write!(f, "{refusal}; set network.legacy_tls = true to let it in")
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::PlainHttp => {
                f.write_str("it speaks HTTP on the HTTPS port; its address should begin with https://")
            }
            Self::TimedOut => f.write_str("it takes too long to say hello"),
            Self::Legacy(failure @ Failure::Alert(42 | 45 | 46)) => {
                write!(f, "{failure}; check the name it connects to, and the date of that PC")
            }
            Self::Legacy(failure @ Failure::Alert(48)) => {
                write!(f, "{failure}; install the certificate from /cert on that PC")
            }
            Self::Legacy(failure) => failure.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TlsError {}

impl TlsError {
    /// Whether the Client only says that it does not trust our certificate, as every browser does that was not told to.
    pub(super) fn is_distrust(&self) -> bool {
        use rustls::AlertDescription as Alert;
        let Self::Io(error) = self else { return false };
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        matches!(cause, Some(rustls::Error::AlertReceived(Alert::CertificateUnknown | Alert::UnknownCA)))
    }
}

impl From<io::Error> for TlsError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What connections on the HTTPS port share. Clones are the same.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Shared>);

struct Shared {
    authority: Authority,
    public_host: Option<String>,
    legacy_allowed: bool,
    deadline: Duration,
    serving: RwLock<Serving>,
    /// Handshakes are slow on a small board; those who sign in must not take all cores from those who play.
    turns: Arc<Turns>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("legacy_allowed", &self.legacy_allowed).finish_non_exhaustive()
    }
}

/// The certificates in use.
#[derive(Clone)]
struct Serving {
    leaves: Arc<Leaves>,
    modern: Arc<ServerConfig>,
    legacy: Arc<Identity>,
}

impl Serving {
    fn new(leaves: Arc<Leaves>) -> Result<Self, AuthorityError> {
        let crypto = |error: &dyn fmt::Display| AuthorityError::Crypto(error.to_string());
        let mut modern = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| crypto(&error))?
            .with_no_client_auth()
            .with_single_cert(leaves.modern.chain.clone(), leaves.modern.key.clone_key().into())
            .map_err(|error| crypto(&error))?;
        modern.alpn_protocols = vec![b"http/1.1".to_vec()];
        let key = ServerKey::from_pkcs8_der(leaves.legacy.key.secret_pkcs8_der())
            .map_err(|error| crypto(&error))?;
        let chain = leaves.legacy.chain.iter().map(|certificate| certificate.to_vec()).collect();
        Ok(Self { leaves, modern: Arc::new(modern), legacy: Arc::new(Identity { chain, key }) })
    }
}

impl Tls {
    /// Opens the authority in the data directory, or makes it, with certificates for this machine as it is now.
    /// May take seconds at the first start; blocks.
    pub fn open(
        data: &Path,
        public_host: Option<&str>,
        legacy_allowed: bool,
    ) -> Result<Self, AuthorityError> {
        let authority = Authority::open(data, &Names::of_this_machine(public_host))?;
        let serving = RwLock::new(Serving::new(authority.leaves())?);
        Ok(Self(Arc::new(Shared {
            authority,
            public_host: public_host.map(str::to_owned),
            legacy_allowed,
            deadline: HANDSHAKE_TIME,
            serving,
            turns: Turns::new(1),
        })))
    }

    /// With another time limit than ten seconds for each of hello and handshake.
    #[must_use]
    pub fn with_patience(self, deadline: Duration) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(shared) => Self(Arc::new(Shared { deadline, ..shared })),
            Err(shared) => Self(shared),
        }
    }

    /// The turns of who does RSA, which all slow work shares.
    pub(super) fn turns(&self) -> &Arc<Turns> {
        &self.0.turns
    }

    /// The authority, for `/cert` and the player kit.
    pub fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// The names and addresses that the certificates are for.
    pub fn certified_names(&self) -> Vec<String> {
        let names = &self.serving().leaves.names;
        names.hosts().map(str::to_owned).chain(names.addresses().map(|address| address.to_string())).collect()
    }

    /// Makes the certificates anew if the names or addresses of this machine have changed, and returns whether that was
    /// so. Blocks.
    pub fn refresh(&self) -> Result<bool, AuthorityError> {
        self.refresh_for(&Names::of_this_machine(self.0.public_host.as_deref()))
    }

    fn refresh_for(&self, names: &Names) -> Result<bool, AuthorityError> {
        let changed = self.0.authority.refresh(names)?;
        if changed {
            let serving = Serving::new(self.0.authority.leaves())?;
            *self.0.serving.write().unwrap_or_else(PoisonError::into_inner) = serving;
        }
        Ok(changed)
    }

    fn serving(&self) -> Serving {
        self.0.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What to serve a Client with that reached us by `local`. If that address is new since the last look, by DHCP or a
    /// VPN, the certificates are made anew first: the Client compares them with the address it used.
    async fn serving_at(&self, local: IpAddr) -> Serving {
        let serving = self.serving();
        if serving.leaves.names.has_address(local) {
            return serving;
        }
        let tls = self.clone();
        let refreshed = smol::unblock(move || {
            let mut names = Names::of_this_machine(tls.0.public_host.as_deref());
            names.add_address(local);
            tls.refresh_for(&names)
        });
        if let Err(error) = refreshed.await {
            log::warn!("the certificates stay as they are, without {local}: {error}");
        }
        self.serving()
    }
}

/// Takes a new connection on the HTTPS port through its handshake.
pub async fn accept(tls: &Tls, mut stream: TcpStream, peer: SocketAddr) -> Result<Secured, TlsError> {
    let local = stream.local_addr()?.ip();
    let mut beginning = Vec::new();
    let routed = within(tls.0.deadline, read_hello(tls, &mut stream, &mut beginning)).await;
    let route = match routed {
        Ok(route) => route,
        Err(error) => {
            if let TlsError::Hello(error) = error
                && let Some(alert) = error.alert()
            {
                farewell(stream, &alert.record(Version::Tls10), AFTER_ALERT).await;
            }
            return Err(error);
        }
    };
    match route {
        Route::Modern => {
            let config = tls.serving_at(local).await.modern;
            let stream = modern_handshake(tls, config, (stream, peer), beginning).await?;
            log::debug!("https: {peer}: {:?}", stream.get_ref().1.protocol_version());
            Ok(Secured { security: Security::Modern, stream: Box::pin(stream) })
        }
        Route::Legacy(version, suite) => {
            let identity = tls.serving_at(local).await.legacy;
            let machine = Box::new(LegacyServer::new(identity, Entropy::fresh()));
            let stream = legacy_handshake(tls, (stream, peer), machine, beginning).await?;
            log::debug!("https: {peer}: {version} with {suite}");
            Ok(Secured { security: Security::Legacy, stream: Box::pin(stream) })
        }
        Route::PlainHttp => {
            farewell(stream, plain_http_answer().as_bytes(), AFTER_ANSWER).await;
            Err(TlsError::PlainHttp)
        }
        Route::Refuse(refusal) => {
            farewell(stream, &refusal.alert().record(Version::Tls10), AFTER_ALERT).await;
            Err(TlsError::Refused(refusal))
        }
    }
}

/// Takes a connection with TLS 1.2 or 1.3 through its handshake. The server's part of it is done when it is the turn of this address; the
/// time that it waits for that is not the Client's.
async fn modern_handshake(
    tls: &Tls,
    config: Arc<ServerConfig>,
    (stream, peer): (TcpStream, SocketAddr),
    beginning: Vec<u8>,
) -> Result<TlsStream<Replay>, TlsError> {
    let socket: Arc<Async<net::TcpStream>> = stream.clone().into();
    let mut left = tls.0.deadline;
    let hello = LazyConfigAcceptor::new(Acceptor::default(), Replay::new(beginning, stream));
    let hello = within_left(&mut left, async { Ok(hello.await?) }).await?;
    let turn = tls.0.turns.wait(Work::Handshake, peer.ip()).await;
    let (mut accepted, retried) = slow_work::run(move || {
        let _turn = turn;
        let mut kind = None;
        let accept = hello.into_stream_with(config, |connection| kind = connection.handshake_kind());
        (poll_here(Box::new(accept)), kind == Some(HandshakeKind::FullWithHelloRetryRequest))
    })
    .await;
    // Who has to say hello once more has the rest of the work done with what comes next.
    let mut rounds = 0;
    while retried && let Err(accept) = accepted {
        rounds += 1;
        if rounds > MOST_ROUNDS {
            return Err(TlsError::TimedOut);
        }
        within_left(&mut left, async { Ok(socket.readable().await?) }).await?;
        let turn = tls.0.turns.wait(Work::Handshake, peer.ip()).await;
        accepted = slow_work::run(move || {
            let _turn = turn;
            poll_here(accept)
        })
        .await;
    }
    match accepted {
        Ok(stream) => Ok(stream?),
        Err(accept) => within_left(&mut left, async { Ok(accept.await?) }).await,
    }
}

/// Goes on with a handshake as far as it can without waiting: its outcome, or the handshake.
fn poll_here(mut accept: Box<Accept<Replay>>) -> Result<io::Result<TlsStream<Replay>>, Box<Accept<Replay>>> {
    smol::block_on(future::poll_once(&mut accept)).ok_or(accept)
}

/// What a browser shows that came without TLS.
fn plain_http_answer() -> String {
    const PAGE: &str = "<html><head><title>https, please</title></head><body><p>This port speaks HTTPS only. Begin the \
        address with <b>https://</b> instead of http://, or leave out the port number to reach the ordinary pages.</p>\
        </body></html>\n";
    format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
        PAGE.len()
    )
}

/// Reads until it is clear who answers; what was read is in `beginning`.
async fn read_hello(tls: &Tls, stream: &mut TcpStream, beginning: &mut Vec<u8>) -> Result<Route, TlsError> {
    let mut wanted = 1;
    loop {
        while beginning.len() < wanted {
            let mut chunk = [0; CHUNK];
            let count = stream.read(&mut chunk).await?;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            beginning.extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
        match hello::route(beginning, tls.0.legacy_allowed).map_err(TlsError::Hello)? {
            Progress::Done(route) => return Ok(route),
            Progress::More(bytes) => wanted = bytes,
        }
    }
}

/// Takes a connection with an old protocol through its handshake. For the message that is decrypted with RSA it waits for its turn, and
/// that time is not the Client's.
async fn legacy_handshake(
    tls: &Tls,
    (mut stream, peer): (TcpStream, SocketAddr),
    mut machine: Box<LegacyServer>,
    mut inbound: Vec<u8>,
) -> Result<LegacyStream, TlsError> {
    let mut left = tls.0.deadline;
    loop {
        let fed;
        let slow = machine.awaits_key_exchange();
        if slow {
            let turn = tls.0.turns.wait(Work::Handshake, peer.ip()).await;
            (machine, fed) = slow_work::run(move || {
                let _turn = turn;
                let fed = machine.feed(&inbound);
                (machine, fed)
            })
            .await;
        } else {
            fed = machine.feed_before_key_exchange(&inbound);
        }
        if let Err(failure) = fed {
            farewell(stream, machine.outbound(), AFTER_ALERT).await;
            return Err(TlsError::Legacy(failure));
        }
        let exchanged = async {
            stream.write_all(machine.outbound()).await?;
            machine.sent(machine.outbound().len());
            // What came along with the hello is to be looked at again, in a turn.
            let more = !slow && machine.awaits_key_exchange() && machine.has_unprocessed();
            if machine.is_open() || machine.is_finished() || more {
                return Ok((Vec::new(), more));
            }
            let mut arrived = vec![0; CHUNK];
            let count = stream.read(&mut arrived).await?;
            arrived.truncate(count);
            Ok((arrived, false))
        };
        let again;
        (inbound, again) = within_left(&mut left, exchanged).await?;
        if machine.is_open() {
            return Ok(LegacyStream::new(stream, *machine));
        }
        if inbound.is_empty() && !again {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// Last words to a Client that is turned away, which may go on sending within these bounds.
async fn farewell(mut stream: TcpStream, words: &[u8], bounds: Bounds) {
    let late = async {
        Timer::after(FAREWELL).await;
        Err(io::Error::from(io::ErrorKind::TimedOut))
    };
    // Who does not listen misses it.
    if stream.write_all(words).or(late).await.is_ok() {
        lingering_close(stream, bounds).await;
    }
}

/// The outcome of `future`, if it comes in what is `left` of the time, which gets less by what it takes.
async fn within_left<T>(
    left: &mut Duration,
    future: impl Future<Output = Result<T, TlsError>>,
) -> Result<T, TlsError> {
    let began = Instant::now();
    let outcome = within(*left, future).await;
    *left = left.saturating_sub(began.elapsed());
    outcome
}

/// The outcome of `future`, if it comes in time.
async fn within<T>(
    deadline: Duration,
    future: impl Future<Output = Result<T, TlsError>>,
) -> Result<T, TlsError> {
    future
        .or(async {
            Timer::after(deadline).await;
            Err(TlsError::TimedOut)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_be_helped_is_told_what_to_do() {
        for (error, help) in [
            (TlsError::Legacy(Failure::Alert(48)), "/cert"),
            (TlsError::Legacy(Failure::Alert(45)), "the date of that PC"),
            (TlsError::Refused(Refusal::LegacyOff), "network.legacy_tls = true"),
            (TlsError::PlainHttp, "https://"),
        ] {
            assert!(error.to_string().contains(help), "{error}");
        }
    }
}
