//! The SSL server: Patch, Auth and Shard over HTTP, and the pages and files for people.
//!
//! The Client's web code is that of the Windows it runs on, from 1998 on. So an answer is as plain as HTTP can be:
//! a length, no chunks, no compression, no redirect, and the connection ends with it.

mod operator;

pub(crate) use operator::OperatorHttp;

use crate::admin::account;
use crate::admin::kit::Certificate;
use crate::clock::Now;
use crate::config::HostName;
use crate::server::tls::{Secured, Security};
use crate::services::auth::{self, Attempt};
use crate::services::{Game, patch, shard};
use crate::web::{self, Answer, Site, Visit};
use crate::world::{FailureLimit, SignInStep};
use futures_lite::{AsyncRead, AsyncWrite, future};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Buf as _, Bytes};
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue,
};
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use log::debug;
use smol::Timer;
use smol::lock::Semaphore;
use smol::net::TcpStream;
use smol_hyper::rt::{FuturesIo, SmolTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long a Client may take to send the head of its request.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long a connection may last in all.
const CONNECTION_TIME: Duration = Duration::from_secs(30);

/// The most bytes and lines of a request's head.
const MAX_HEAD: usize = 8 * 1024;
const MAX_HEADERS: usize = 64;

/// The longest body of a Patch question. It is read, because some Clients get no answer before they have sent it
/// all, and forgotten.
const MAX_BODY: u64 = 64 * 1024;

/// How many logins may wait for a worker that checks passwords; later ones are told to try again.
const MAX_WAITING: usize = 64;

const TEXT: &str = "text/plain";
const BYTES: &str = "application/octet-stream";

/// What all connections to the SSL server share.
pub(super) struct SslServer {
    game: Arc<Game>,
    /// What players' PCs are to trust.
    certificate: Option<Certificate>,
    /// Requests for accounts.
    registrations: FailureLimit,
    /// One permit per password that may be checked at the same time.
    workers: Arc<Semaphore>,
    /// One permit per login that may be checked or wait for it.
    line: Arc<Semaphore>,
    /// The Operator's pages.
    operator: OperatorHttp,
}

/// Where a request came from.
#[derive(Clone, Copy)]
struct Ends {
    peer: SocketAddr,
    local: SocketAddr,
    security: Security,
}

/// Until when a connection may last. The Operator may get longer, for a large file over a slow network.
pub(super) struct Deadline(Mutex<Instant>);

impl Deadline {
    fn new() -> Self {
        Self(Mutex::new(Instant::now() + CONNECTION_TIME))
    }

    /// So long from now on at least.
    pub(super) fn extend(&self, time: Duration) {
        let mut end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *end = (*end).max(Instant::now() + time);
    }

    async fn end(&self) {
        loop {
            let end = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if end <= Instant::now() {
                return;
            }
            Timer::at(end).await;
        }
    }
}

impl SslServer {
    /// An SSL server for this game, with the certificate that it gives to players.
    pub(super) fn new(
        game: Arc<Game>,
        certificate: Option<Certificate>,
        operator: OperatorHttp,
    ) -> Arc<Self> {
        let limits = &game.config.limits;
        Arc::new(Self {
            certificate,
            registrations: FailureLimit::new(account::PER_MINUTE),
            workers: Arc::new(Semaphore::new(limits.password_workers)),
            line: Arc::new(Semaphore::new(limits.password_workers + MAX_WAITING)),
            game,
            operator,
        })
    }

    /// Serves one connection without TLS, from `peer` to our address `local`, until it ends.
    pub(super) async fn serve_connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        local: SocketAddr,
    ) {
        self.serve_stream(stream, Ends { peer, local, security: Security::Plain }).await;
    }

    /// Serves one connection whose TLS handshake is done.
    pub(super) async fn serve_secured(
        self: Arc<Self>,
        secured: Secured,
        peer: SocketAddr,
        local: SocketAddr,
    ) {
        let Secured { security, stream } = secured;
        self.serve_stream(stream, Ends { peer, local, security }).await;
    }

    async fn serve_stream(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin, ends: Ends) {
        let deadline = Deadline::new();
        let service = service_fn(|request| {
            let server = Arc::clone(&self);
            let deadline = &deadline;
            async move { Ok::<_, Infallible>(server.respond(request, ends, deadline).await) }
        });
        let connection = http1::Builder::new()
            .timer(SmolTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .keep_alive(false)
            // A Client may close its sending side behind the request and still wait for the answer.
            .half_close(true)
            .title_case_headers(true)
            .serve_connection(FuturesIo::new(stream), service);
        let late = async {
            deadline.end().await;
            debug!("http: {} took too long", ends.peer);
        };
        let served = async {
            if let Err(e) = connection.await {
                debug!("http: connection of {} ended early: {e}", ends.peer);
            }
        };
        future::or(served, late).await;
    }

    async fn respond<B: Body + Unpin>(
        self: Arc<Self>,
        request: Request<B>,
        ends: Ends,
        deadline: &Deadline,
    ) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_ascii_lowercase();
        let path = path.strip_suffix('/').unwrap_or(&path);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let sends = request.method() == Method::POST;
        let host = self.host(&request, ends);
        debug!("http: {} asks for {path} over {:?}", ends.peer, ends.security);
        match path {
            _ if web::operator::is_here(path) => {
                let path = path.to_owned();
                let Ends { peer, security, .. } = ends;
                self.operator.respond(request, &path, peer, security, &host, deadline).await
            }
            "/authlogin" if reads => {
                let query = Zeroizing::new(request.uri().query().unwrap_or_default().to_owned());
                text(self.log_in(query, ends, &host).await)
            }
            "/shardlist" if reads => {
                let Game { config, ports, world, .. } = &*self.game;
                world.sign_in_trace.passed(ends.peer.ip(), SignInStep::ShardList, Now::read());
                text(shard::list(&config.shard, &host, ports, world.population(Now::read())))
            }
            _ if patch::is_question(path) && (reads || sends) => {
                if forget_body(request.into_body()).await {
                    response(StatusCode::OK, BYTES, patch::NOTHING_TO_UPDATE.as_slice())
                } else {
                    response(StatusCode::PAYLOAD_TOO_LARGE, TEXT, "The request is too large".as_bytes())
                }
            }
            _ if sends && web::takes_forms(path) => match read_form(request.into_body()).await {
                Some(form) => page(self.submit(path.to_owned(), form, ends, host).await),
                None => page(web::bad_form(&self.site())),
            },
            _ => {
                let query = request.uri().query().unwrap_or_default();
                let visit = Visit { path, query, host: &host, peer: ends.peer.ip(), local: ends.local.ip() };
                let found = if reads { web::read(&self.site(), &visit) } else { None };
                page(found.unwrap_or_else(|| web::not_found(&self.site())))
            }
        }
    }

    fn site(&self) -> Site<'_> {
        Site {
            game: &self.game,
            certificate: self.certificate.as_ref(),
            registrations: &self.registrations,
            now: Now::read(),
        }
    }

    /// The name by which this Client reaches us.
    fn host<B>(&self, request: &Request<B>, ends: Ends) -> HostName {
        let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
        let asked_for = header.or_else(|| request.uri().authority().map(Authority::as_str));
        shard::reached_as(self.game.config.network.public_host.as_ref(), asked_for, ends.local.ip())
    }

    /// Has the Auth service answer.
    async fn log_in(self: Arc<Self>, query: Zeroizing<String>, ends: Ends, host: &HostName) -> String {
        let help = host.front_page(self.game.ports.http);
        let busy = auth::busy(&help);
        let answer = self.on_a_worker(move |server| {
            let Game { store, world, .. } = &*server.game;
            let now = Now::read();
            let (from, sign_in_trace) = (ends.peer.ip(), &world.sign_in_trace);
            let attempt = Attempt { query: &query, from, help: &help, now, sign_in_trace };
            auth::answer(store, &world.failures, attempt, |customer| {
                world.sessions.issue_context(customer, now)
            })
        });
        answer.await.unwrap_or_else(|| {
            debug!("auth: {} is told to try again: too many logins are waiting", ends.peer.ip());
            busy
        })
    }

    /// Has a form answered that is about a password.
    async fn submit(self: Arc<Self>, path: String, form: Form, ends: Ends, host: HostName) -> Answer {
        let server = Arc::clone(&self);
        let answer = self.on_a_worker(move |server| {
            let visit =
                Visit { path: &path, query: "", host: &host, peer: ends.peer.ip(), local: ends.local.ip() };
            web::submit(&server.site(), &visit, &form)
        });
        answer.await.unwrap_or_else(|| web::busy(&server.site()))
    }

    /// Does something about passwords on a worker thread, because it takes long on purpose. `None` if too many are waiting.
    async fn on_a_worker<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        let place = self.line.try_acquire_arc()?;
        let worker = self.workers.acquire_arc().await;
        let done = smol::unblock(move || {
            // Given back when the work is done, even if the Client has gone meanwhile.
            let _permits = (place, worker);
            work(&self)
        });
        Some(done.await)
    }
}

/// What was sent for a form; it holds passwords.
type Form = Zeroizing<Vec<u8>>;

fn page(answer: Answer) -> Response<Full<Bytes>> {
    let Answer { status, content_type, file_name, keep, body } = answer;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = response(status, content_type, body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep.header()));
    let disposition = file_name.map(|name| HeaderValue::try_from(format!("attachment; filename={name}")));
    if let Some(Ok(disposition)) = disposition {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

/// Reads the body of a form to its end. `None` if it is too long or breaks off.
async fn read_form<B: Body + Unpin>(mut body: B) -> Option<Form> {
    // Made in one piece, so that growing leaves no copy of a password behind.
    let mut form = Zeroizing::new(Vec::with_capacity(web::MAX_FORM));
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.ok()?.into_data() else { continue };
        while data.has_remaining() {
            let piece = data.chunk();
            if form.len() + piece.len() > web::MAX_FORM {
                return None;
            }
            form.extend_from_slice(piece);
            let length = piece.len();
            data.advance(length);
        }
    }
    Some(form)
}

fn text(body: String) -> Response<Full<Bytes>> {
    response(StatusCode::OK, TEXT, body)
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let body = body.into();
    let length = body.len();
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Reads a body to its end. False if it is too long or breaks off.
async fn forget_body<B: Body + Unpin>(mut body: B) -> bool {
    let mut rest = MAX_BODY;
    if body.size_hint().lower() > rest {
        return false;
    }
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let length = frame.data_ref().map_or(0, |data| data.remaining() as u64);
        match rest.checked_sub(length) {
            Some(left) => rest = left,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests;
