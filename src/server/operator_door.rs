//! The way to the Operator's pages: from HTTP to a plain question and back.

mod bundle;

use super::limits::Limits;
use super::switchboard::Switchboard;
use super::tls::{Security, Tls};
use crate::appliance::Appliance;
use crate::config::HostName;
use crate::services::Game;
use crate::web::operator::{self, Ask, Desk, Reply, Vitals};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Buf as _, Bytes};
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use smol::channel::Sender;
use smol::lock::Semaphore;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use zeroize::Zeroizing;

/// One after the other: each may check a password or write a whole backup.
const AT_ONCE: usize = 1;
/// How many may wait for that.
const WAITING: usize = 8;

/// No script, nothing from elsewhere, no frame around it.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Where the Operator comes in.
pub(super) struct OperatorDoor {
    inner: Arc<Inner>,
    turns: Arc<Semaphore>,
    line: Semaphore,
    /// A bundle may arrive.
    bundles: Arc<Semaphore>,
}

struct Inner {
    desk: Desk,
    game: Arc<Game>,
    switchboard: Arc<Switchboard>,
    limits: Arc<Limits>,
    tls: Tls,
    restart: Sender<()>,
    started: Instant,
}

impl OperatorDoor {
    pub(super) fn new(
        game: Arc<Game>,
        switchboard: Arc<Switchboard>,
        limits: Arc<Limits>,
        tls: Tls,
        restart: Sender<()>,
        appliance: Option<Appliance>,
    ) -> Self {
        let (desk, started) = (Desk::on(appliance), Instant::now());
        Self {
            inner: Arc::new(Inner { desk, game, switchboard, limits, tls, restart, started }),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            line: Semaphore::new(AT_ONCE + WAITING),
            bundles: Arc::new(Semaphore::new(1)),
        }
    }

    /// Answers a request to one of the Operator's paths. `long` is set where the answer may take its time.
    pub(super) async fn respond<B: Body + Unpin>(
        &self,
        request: Request<B>,
        path: &str,
        peer: SocketAddr,
        security: Security,
        host: &HostName,
        long: &AtomicBool,
    ) -> Response<Full<Bytes>> {
        let game = &self.inner.game;
        if security != Security::Modern {
            log::info!("operator: refused {}: it comes without TLS 1.2 or newer", peer.ip());
            let link = link(host, game.ports.https);
            return response(operator::refusal(&game.config.shard.name, Some(&link)));
        }
        if request.method() == Method::POST && path == operator::BUNDLE {
            return self.take_bundle(request, peer, long).await;
        }
        let cookies = header(request.headers(), &COOKIE);
        let form = if request.method() == Method::POST {
            let content_type = header(request.headers(), &CONTENT_TYPE);
            let limit = self.inner.desk.body_limit(path, &cookies);
            let Some(body) = read(request.into_body(), limit).await else {
                return plain(StatusCode::PAYLOAD_TOO_LARGE, "That is too long. Nothing was changed.");
            };
            Some((content_type, body))
        } else {
            None
        };
        // Whoever sends slowly keeps nobody waiting: the line begins behind the form.
        let Some(_place) = self.line.try_acquire() else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "The server is busy. Please try again.");
        };
        let turn = self.turns.acquire_arc().await;
        let (inner, path) = (Arc::clone(&self.inner), path.to_owned());
        let reply = smol::unblock(move || {
            // Given back when the work is done, even if the browser has gone meanwhile.
            let _turn = turn;
            let form = form.as_ref().map(|(content_type, body)| (content_type.as_str(), body.as_slice()));
            let ask = Ask { path: &path, cookies: &cookies, peer: peer.ip(), form };
            let mut reply = inner.desk.answer(&inner.game, &inner.vitals(), &ask);
            inner.switchboard.deliver(std::mem::take(&mut reply.pushes));
            if reply.restart {
                // Full: somebody has asked already.
                let _ = inner.restart.try_send(());
            }
            reply
        });
        response(reply.await)
    }
}

impl Inner {
    fn vitals(&self) -> Vitals {
        Vitals {
            connections: self.limits.count(),
            uptime: self.started.elapsed().as_secs(),
            memory: resident_memory(),
            certificate_names: self.tls.certified_names(),
        }
    }
}

/// The same page over HTTPS.
fn link(host: &HostName, port: u16) -> String {
    let name = host.as_str();
    let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    if port == 443 { format!("https://{name}/operator") } else { format!("https://{name}:{port}/operator") }
}

/// What the system says that this process has in memory, in bytes.
fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// A header as text; empty if there is none.
fn header(headers: &HeaderMap, name: &HeaderName) -> Zeroizing<String> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    Zeroizing::new(value.unwrap_or_default().to_owned())
}

/// Reads a form to its end. `None` if it is too long or breaks off.
async fn read<B: Body + Unpin>(mut body: B, limit: usize) -> Option<Zeroizing<Vec<u8>>> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return None;
    }
    // Made in one piece where its length is known, so that growing leaves no copy of a password behind.
    let mut form = Zeroizing::new(Vec::with_capacity(announced));
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.ok()?.into_data() else { continue };
        while data.has_remaining() {
            let piece = data.chunk();
            if form.len() + piece.len() > limit {
                return None;
            }
            form.extend_from_slice(piece);
            let length = piece.len();
            data.advance(length);
        }
    }
    Some(form)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let content_type = "text/plain";
    response(Reply {
        status: status.as_u16(),
        content_type,
        body: text.as_bytes().to_vec(),
        ..Reply::default()
    })
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let Reply { status, content_type, body, location, cookies, file_name, .. } = reply;
    let length = body.len();
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CONNECTION, "close"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_LENGTH, length.into());
    if let Some(location) = location {
        headers.insert(LOCATION, HeaderValue::from_static(location));
    }
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }
    if let Some(Ok(value)) =
        file_name.map(|name| HeaderValue::try_from(format!("attachment; filename=\"{name}\"")))
    {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}
