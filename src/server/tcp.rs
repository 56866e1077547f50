//! The accept loop of every port.

use super::bind::{Listener, Service};
use super::connection::Origin;
use super::conversation::Conversation;
use super::limits::{Crowded, Permit, Purpose};
use super::memory_budget::Eviction;
use super::shared::{EXECUTOR, Shared};
use super::{connection, http, syn_filter, tls};
use crate::clock::Now;
use crate::services::bans;
use crate::world::{Source, Tested};
use async_net::TcpStream;
use futures_lite::{FutureExt as _, future};
use smol::{Async, Timer};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::{self, IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// The pause after a failed accept: most likely we are out of file descriptors, and trying on would burn the CPU.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often the system looks for a Client that says nothing, before its time is over: as often again in the second half of the time.
const KEEPALIVE_RETRIES: u32 = 3;
/// For how long the system looks for a browser that says nothing.
const BROWSER_UNREACHABLE: Duration = Duration::from_mins(2);
/// What the system may hold of what a game connection has written, in bytes (Linux doubles it for its own use). Left to
/// itself it grows to megabytes for a Client that does not read, beside `limits.outbound_bytes`.
const SEND_BUFFER: usize = 64 * 1024;

/// Accepts connections on one port for ever.
pub(super) async fn accept(shared: Arc<Shared>, listener: Listener) {
    let Listener { service, socket, .. } = listener;
    let unreachable = Duration::from_secs(shared.game.config.limits.unreachable_seconds.into());
    if let Err(error) = prepare(service, &socket, unreachable) {
        log::warn!("{service}: who goes away without a word is noticed late, or not at all: {error}");
    }
    loop {
        // Most connections of a flood are refused, so this is not yet one that the executor watches: that would cost more than the rest.
        match socket.read_with(net::TcpListener::accept).await {
            Ok((stream, peer)) => {
                admit(&shared, service, stream, peer);
                // However many come, those who are there have their turn.
                future::yield_now().await;
            }
            Err(error) => {
                log::warn!("{service}: cannot accept a connection: {error}");
                Timer::after(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Gives a connection a task of its own, if there is room for it.
fn admit(shared: &Arc<Shared>, service: Service, stream: net::TcpStream, peer: SocketAddr) {
    let now = Now::read();
    if !is_allowed(shared, service, peer.ip(), now) {
        shared.counters.unwelcome.count("not_let_in");
        shared.limits.refused_to(peer.ip(), now);
        return;
    }
    let place = match shared.limits.admit(Purpose::of(service), peer.ip(), now) {
        Ok(place) => place,
        Err(Crowded { what, to_log }) => {
            if let Some(times) = to_log {
                let from = Source::of(peer.ip());
                log::warn!("{service}: refused {times} connections of {from}: {what}");
            }
            return;
        }
    };
    // It has that of its port if somebody floods or did, which takes kilobytes for as long as it lasts.
    syn_filter::forget(&stream);
    let ban = bans::of_address(&shared.game.store, peer.ip(), now).map(|ban| bans::explanation(&ban, now));
    if ban.is_some() {
        shared.counters.unwelcome.count("banned");
        log::info!("{service}: refused {peer}: its address is banned");
        // A browser shows the reason; nothing else could.
        if service != Service::Http {
            shared.limits.refused_to(peer.ip(), now);
            return;
        }
    }
    if let Some(tested) = tested(service) {
        shared.game.world.self_tests.reached(peer.ip(), tested, now);
    }
    let (stream, local) =
        match Async::new(stream).and_then(|stream| Ok((stream.get_ref().local_addr()?, stream))) {
            Ok((local, stream)) => (TcpStream::from(stream), local),
            Err(error) => {
                log::debug!("{service}: {peer} is gone already: {error}");
                return;
            }
        };
    let shared = Arc::clone(shared);
    let connection = shared.game.world.new_connection();
    let task = async move {
        if let Some(conversation) = Conversation::new(service, connection, peer, local) {
            let from = Origin { connection, service, peer, place };
            connection::converse(&shared, from, stream, conversation).await;
        } else {
            // Boxed: a task is as large as its largest branch, and a handshake would weigh on every idle game connection.
            Box::pin(browse(&shared, service, stream, (peer, place), local, ban)).await;
        }
    };
    // A mistake of ours in one connection must not end the others.
    let task = async move {
        if AssertUnwindSafe(task).catch_unwind().await.is_err() {
            log::error!(
                "{service}: the connection of {peer} ended in a bug of the server; please report the lines above"
            );
        }
    };
    EXECUTOR.spawn(task).detach();
}

/// What the self-test of a player kit has reached by a connection to this service.
const fn tested(service: Service) -> Option<Tested> {
    match service {
        Service::Https => Some(Tested::Auth),
        Service::Login => Some(Tested::Login),
        Service::Persona => Some(Tested::Persona),
        Service::Lobby => Some(Tested::Lobby),
        Service::Room(_) => Some(Tested::Room),
        Service::Mcots => Some(Tested::Mcots),
        // The pages say themselves when a test begins, and the game goes without Mail.
        Service::Http | Service::Mail => None,
    }
}

/// Whether a connection from this address is let in by `network.allow`. If not, that is logged, for one address not too often.
fn is_allowed(shared: &Shared, service: Service, peer: IpAddr, now: Now) -> bool {
    let list = &shared.game.world.access_list;
    if list.admits(peer) {
        return true;
    }
    match list.refused(peer, now) {
        Some(1) => log::warn!(
            "{service}: refused {}: network.allow in mcos.toml does not let it in",
            peer.to_canonical()
        ),
        Some(times) => log::warn!(
            "{service}: refused {} {times} times since this was last said: network.allow in mcos.toml does not let it in",
            peer.to_canonical()
        ),
        None => {}
    }
    false
}

/// A connection to the SSL server. `ban` says why the address is banned, if it is.
async fn browse(
    shared: &Shared,
    service: Service,
    stream: TcpStream,
    (peer, place): (SocketAddr, Permit),
    local: SocketAddr,
    ban: Option<String>,
) {
    let eviction = Arc::new(Eviction::default());
    let mut share = shared.input.share(peer.ip(), place.is_of_player(), Arc::clone(&eviction) as _);
    let served = async {
        if service == Service::Https {
            let socket = stream.clone();
            share.set(http::LEAST);
            match tls::accept(&shared.tls, stream, peer).await {
                Ok(secured) => {
                    Arc::clone(&shared.ssl).serve_secured(secured, socket, peer, local, share).await;
                }
                Err(error) if error.is_distrust() => log::debug!("https: {peer}: {error}"),
                Err(error) => log::info!("https: {peer}: {error}"),
            }
        } else {
            Arc::clone(&shared.ssl).serve_connection(stream, peer, local, ban.as_deref(), share).await;
        }
    };
    let evicted = async {
        eviction.wait().await;
        log::info!(
            "{service}: {peer} closed, it holds most of what all connections may have in memory; see limits.input_bytes"
        );
    };
    served.or(evicted).await;
}

/// Says how the connections of a port are to be, which have all of it from the socket that listens.
///
/// Game traffic is many small packets, and a connection without traffic is normal. A Client that the network does not reach is given up
/// after the time `unreachable`: the system looks for it by itself while nothing is under way to it, and else waits for its receipt so long.
fn prepare(service: Service, listener: &Async<net::TcpListener>, unreachable: Duration) -> io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_tcp_nodelay(true)?;
    let browser = matches!(service, Service::Http | Service::Https);
    let unreachable = if browser { BROWSER_UNREACHABLE } else { unreachable };
    if !browser {
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.set_tcp_user_timeout(Some(unreachable))?;
    }
    let keepalive = TcpKeepalive::new()
        .with_time(unreachable / 2)
        .with_interval(unreachable / 2 / KEEPALIVE_RETRIES)
        .with_retries(KEEPALIVE_RETRIES);
    socket.set_tcp_keepalive(&keepalive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::health;
    use crate::services::Game;
    use std::io::Read as _;
    use std::net::{TcpListener, TcpStream as Socket};

    #[test]
    fn connections_have_from_their_port_how_they_are_to_be() {
        for (service, gone) in [(Service::Lobby, 20), (Service::Http, 120)] {
            let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0)).unwrap();
            prepare(service, &listener, Duration::from_secs(20)).unwrap();
            let _client = Socket::connect(listener.get_ref().local_addr().unwrap()).unwrap();
            let (stream, _) = smol::block_on(listener.read_with(TcpListener::accept)).unwrap();
            let socket = SockRef::from(&stream);
            assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), gone / 2);
            assert_eq!(socket.tcp_keepalive_interval().unwrap().as_secs(), gone / 6);
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), KEEPALIVE_RETRIES);
            if service == Service::Lobby {
                assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(gone)));
                assert_eq!(socket.send_buffer_size().unwrap(), 2 * SEND_BUFFER);
            }
        }
    }

    #[test]
    fn the_self_test_of_a_kit_has_reached_the_services_that_were_connected_to() {
        let (game, _folder) = Game::for_tests();
        let shared = Arc::new(Shared::for_tests(game));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (pc, other) =
            (SocketAddr::from(([192, 168, 0, 7], 40_000)), SocketAddr::from(([192, 168, 0, 8], 1)));
        shared.game.world.self_tests.begin(pc.ip(), Now::read());
        let connect = |service, peer| {
            let ours = Socket::connect(listener.local_addr().unwrap()).unwrap();
            admit(&shared, service, listener.accept().unwrap().0, peer);
            ours
        };
        let _ours = [connect(Service::Https, pc), connect(Service::Room(3), pc), connect(Service::Mail, pc)];
        let _others = connect(Service::Lobby, other);
        let test = shared.game.world.self_tests.of(pc.ip()).unwrap();
        let reached = Tested::ALL.into_iter().filter(|tested| test.has_reached(*tested));
        assert_eq!(reached.collect::<Vec<_>>(), [Tested::Pages, Tested::Auth, Tested::Room]);
    }

    #[test]
    fn a_connection_keeps_no_memory_for_the_filter_of_its_port() {
        let (game, _folder) = Game::for_tests();
        let shared = Arc::new(Shared::for_tests(game));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // A filter that keeps everything.
        let keep = [socket2::SockFilter::new(0x06, 0, 0, u32::MAX)];
        SockRef::from(&listener).attach_filter(&keep).unwrap();
        let _ours = Socket::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        let same = stream.try_clone().unwrap();
        admit(&shared, Service::Lobby, stream, peer);
        assert!(SockRef::from(&same).detach_filter().is_err(), "it has none");
        assert!(SockRef::from(&listener).detach_filter().is_ok(), "its port has");
    }

    #[test]
    fn who_is_not_let_in_is_cut_off_before_anything_is_read_and_is_seen_on_health() {
        let (game, _folder) = Game::for_tests();
        let shared = Arc::new(Shared::for_tests(game));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = |peer: &str| {
            let mut ours = Socket::connect(listener.local_addr().unwrap()).unwrap();
            let stream = listener.accept().unwrap().0;
            let peer = SocketAddr::new(peer.parse().unwrap(), 40_000);
            let before = shared.limits.count();
            admit(&shared, Service::Lobby, stream, peer);
            let is_served = shared.limits.count() > before;
            if !is_served {
                assert_eq!(ours.read(&mut [0]).unwrap(), 0, "the end and nothing else");
            }
            (is_served, ours)
        };
        for near in
            ["127.0.0.1", "192.168.0.7", "26.1.2.3", "25.1.2.3", "100.64.9.9", "::ffff:10.1.1.1", "fe80::7"]
        {
            assert!(connect(near).0, "{near}");
        }
        for far in ["203.0.113.9", "::ffff:203.0.113.9", "2001:db8::9"] {
            assert!(!connect(far).0, "{far}");
        }
        let warnings = health::of(&shared.game, Now::read());
        let warning = warnings.iter().find(|warning| warning.contains("network.allow")).unwrap();
        assert!(
            warning.contains("203.0.113.9 (2 times, ") && warning.contains("2001:db8::/64 (once, "),
            "{warning}"
        );
    }
}
