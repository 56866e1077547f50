//! The SSL server: Patch, Auth and Shard over HTTP, and the pages and files for people.

mod body;
mod bundle;
mod counted;
mod deadline;
mod download;
mod operator;
mod origin;
mod response;
mod too_large;
mod upload;

pub(crate) use operator::OperatorHttp;

use crate::admin::account;
use crate::admin::kit::Certificate;
use crate::clock::Now;
use crate::config::HostName;
use crate::server::lingering_close::{AFTER_ANSWER, lingering_close};
use crate::server::memory_budget::Share;
use crate::server::metrics::{self, Metrics};
use crate::server::slow_work::SlowWork;
use crate::server::tls::{Secured, Security};
use crate::server::turns::Work;
use crate::services::http::{self, Route, Verb};
use crate::services::{Game, patch, shard};
use crate::web::operator::OperatorResponse;
use crate::web::{self, FormProblem, PageRequest, PageResponse, PatchAnswer, Site};
use crate::world::{FailureLimit, Source};
use body::{BodyError, BodyReader};
use counted::Counted;
pub(super) use counted::LEAST;
use deadline::Deadline;
use futures_lite::{AsyncRead, AsyncWrite, AsyncWriteExt as _, future};
use hyper::body::{Body, Bytes};
use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, IF_NONE_MATCH};
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request};
use log::debug;
use response::{BYTES, HttpResponse, TEXT, operator_page, page, response};
use smol::Timer;
use smol::net::TcpStream;
use smol_hyper::rt::{FuturesIo, SmolTimer};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use too_large::TooLarge;
use zeroize::Zeroizing;

/// How long a Client may take to send the head of its request.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a Client may take to send its whole request.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// How long it may take to answer it after that, and to send the answer.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// How long a file of the patch set or of the operator may take, so that 64 MiB come through a slow network.
const DOWNLOAD_TIME: Duration = Duration::from_mins(10);

/// The most bytes of a request's head. Browsers send the cookies of all services that have the same name, whatever their port.
const MAX_HEAD: usize = 32 * 1024;
/// The most lines of a request's head.
const MAX_HEADERS: usize = 256;
/// The longest body of a Patch question, in bytes. It is read, because some Clients get no answer before they have sent it
/// all, and forgotten.
const MAX_BODY: u64 = 64 * 1024;

/// What all connections to the SSL server share.
pub(super) struct SslServer {
    game: Arc<Game>,
    /// What players' PCs are to trust.
    certificate: Option<Certificate>,
    /// Counts requests for accounts.
    registrations: FailureLimit,
    /// Passwords are checked and hashed there.
    slow: SlowWork,
    metrics: Metrics,
    operator: OperatorHttp,
}

/// What the Operator reads whose form another site seems to have sent.
const FOREIGN_FORM: &str = "This form comes from a page elsewhere. Nothing was changed. Open the operator's page itself and fill in the form \
     there. If you have, open it by the server's IP address, or set network.public_host in mcos.toml to the name you used.";

#[derive(Clone, Copy)]
struct Connection<'a> {
    peer: SocketAddr,
    local: SocketAddr,
    security: Security,
    /// Why the address is banned, if it is: the answer to everything.
    ban: Option<&'a str>,
}

impl SslServer {
    /// An SSL server for this game, with the certificate that it gives to players.
    pub(super) fn new(
        game: Arc<Game>,
        certificate: Option<Certificate>,
        operator: OperatorHttp,
        slow: SlowWork,
        metrics: Metrics,
    ) -> Arc<Self> {
        Arc::new(Self {
            certificate,
            registrations: FailureLimit::new(account::PER_MINUTE),
            slow,
            metrics,
            game,
            operator,
        })
    }

    /// Serves one connection without TLS, from `peer` to our address `local`, until it ends. `ban` says why the address is
    /// banned, if it is. What it holds of a request counts into `share`.
    pub(super) async fn serve_connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        local: SocketAddr,
        ban: Option<&str>,
        share: Share,
    ) {
        let socket = stream.clone();
        let connection = Connection { peer, local, security: Security::Plain, ban };
        self.serve_stream(stream, socket, connection, share).await;
    }

    /// Serves one connection whose TLS handshake is done, on `socket`.
    pub(super) async fn serve_secured(
        self: Arc<Self>,
        secured: Secured,
        socket: TcpStream,
        peer: SocketAddr,
        local: SocketAddr,
        share: Share,
    ) {
        let Secured { security, stream } = secured;
        self.serve_stream(stream, socket, Connection { peer, local, security, ban: None }, share).await;
    }

    /// Serves one connection whose bytes pass through `stream`, and at its end closes `socket` below that, so that the
    /// answer arrives even at who is still sending.
    async fn serve_stream(
        self: Arc<Self>,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        socket: TcpStream,
        connection: Connection<'_>,
        mut share: Share,
    ) {
        let deadline = Deadline::after(REQUEST_TIME);
        let answer = AtomicUsize::new(0);
        let service = service_fn(|request| {
            let server = Arc::clone(&self);
            let (deadline, answer) = (&deadline, &answer);
            async move {
                let response = server.respond(request, connection, deadline).await;
                let held = response.body().size_hint().exact().unwrap_or(download::PIECE);
                answer.store(usize::try_from(held).unwrap_or(usize::MAX), Ordering::Relaxed);
                Ok::<_, Infallible>(response)
            }
        });
        let late = async {
            deadline.passed().await;
            Timer::after(ANSWER_TIME).await;
            debug!("http: {} took too long", connection.peer);
            false
        };
        let served = async {
            let counted = Counted::around(&mut stream, &mut share, &answer);
            let served = http1::Builder::new()
                .timer(SmolTimer::new())
                .header_read_timeout(HEAD_TIME)
                .max_buf_size(MAX_HEAD)
                .max_headers(MAX_HEADERS)
                .keep_alive(false)
                // A Client may close its sending side behind the request and still wait for the answer.
                .half_close(true)
                .title_case_headers(true)
                .serve_connection(FuturesIo::new(TooLarge::around(counted)), service);
            if let Err(error) = served.await {
                debug!("http: connection of {} ended early: {error}", connection.peer);
            }
            // Sends what is still buffered, and the goodbye of TLS. It fails when nobody is there any more.
            stream.close().await.is_ok()
        };
        if future::or(served, late).await {
            drop(stream);
            share.set(LEAST);
            lingering_close(socket, AFTER_ANSWER).await;
        }
    }

    async fn respond<B: Body<Data = Bytes> + Unpin>(
        self: Arc<Self>,
        request: Request<B>,
        connection: Connection<'_>,
        deadline: &Deadline,
    ) -> HttpResponse {
        let Connection { peer, security, ban, .. } = connection;
        if let Some(reason) = ban {
            return page(web::banned(&self.site(), reason));
        }
        let path = request.uri().path().to_ascii_lowercase();
        let path = path.strip_suffix('/').unwrap_or(&path);
        let host = self.host(&request, connection);
        debug!("http: {peer} asks for {path} over {security:?}");
        if web::operator::is_here(path) {
            if request.method() == Method::POST && self.is_foreign(&request) {
                log::warn!("operator: a form of {} was refused: a page of another site sent it", peer.ip());
                return operator_page(OperatorResponse::plain(403, FOREIGN_FORM));
            }
            return self.operator.respond(request, path, peer, security, &host, deadline).await;
        }
        let verb = match *request.method() {
            Method::GET | Method::HEAD => Verb::Read,
            Method::POST => Verb::Post,
            _ => Verb::Other,
        };
        match (http::route(verb, path), verb) {
            (Some(Route::Auth), _)
                if origin::is_foreign(request.headers(), asked_for(&request).unwrap_or_default()) =>
            {
                log::info!("auth: a sign-in of {} was refused: a page of another site sent it", peer.ip());
                response(403, TEXT, "A page of another site may not sign anybody in")
            }
            (Some(Route::Auth), _) => {
                let query = Zeroizing::new(request.uri().query().unwrap_or_default().to_owned());
                response(200, TEXT, deadline.hold(self.log_in(query, peer, host)).await)
            }
            (Some(Route::Shard), _) => {
                response(200, TEXT, http::shard_list(&self.game, peer.ip(), &host, Now::read()))
            }
            (Some(Route::Patch), _) => {
                match BodyReader::new(request.into_body(), deadline).discard(MAX_BODY).await {
                    Ok(()) => response(200, BYTES, patch::NOTHING_TO_UPDATE.as_slice()),
                    Err(_) => response(413, TEXT, "The request is too large"),
                }
            }
            (None, Verb::Post) if web::takes_forms(path) && self.is_foreign(&request) => {
                log::info!("http: a form of {} was refused: a page of another site sent it", peer.ip());
                page(web::unread_form(&self.site(), FormProblem::Foreign))
            }
            (None, Verb::Post) if web::takes_forms(path) => {
                let asked = Asked::of(&request, path, host, connection);
                match BodyReader::new(request.into_body(), deadline).read_to_end(web::MAX_FORM).await {
                    Ok(form) => page(deadline.hold(self.submit(asked, form)).await),
                    Err(error) => page(web::unread_form(&self.site(), problem(error))),
                }
            }
            (None, Verb::Read) if *request.method() == Method::HEAD && web::is_self_test(path) => {
                page(web::not_taken(&self.site(), path))
            }
            (None, Verb::Read)
                if path == "/metrics"
                    && Source::of(peer.ip()).is_this_machine()
                    && self.is_own_name(&request) =>
            {
                response(200, metrics::CONTENT_TYPE, self.metrics.text(Now::read()))
            }
            (None, Verb::Read) if web::is_patch(path) && self.is_own_name(&request) => {
                self.patch(&request, path, deadline).await
            }
            (None, Verb::Read) => {
                // Who comes by a name that is not ours sees that there is a server, and nothing else.
                let path = if self.is_own_name(&request) || web::is_of_game(path) { path } else { "" };
                let asked = Asked::of(&request, path, host, connection);
                if web::may_wait(path) {
                    return page(deadline.hold(self.read_in_turn(asked)).await);
                }
                page(self.read(&asked))
            }
            (None, _) => page(web::not_taken(&self.site(), path)),
        }
    }

    /// Answers about the patch set.
    async fn patch<B>(
        self: Arc<Self>,
        request: &Request<B>,
        path: &str,
        deadline: &Deadline,
    ) -> HttpResponse {
        let path = path.to_owned();
        match smol::unblock(move || web::patch_answer(&self.site(), &path)).await {
            PatchAnswer::Page(answer) => page(answer),
            PatchAnswer::File(file) => {
                deadline.extend(DOWNLOAD_TIME);
                download::respond(file, request.headers(), request.uri().query().unwrap_or_default())
            }
        }
    }

    fn site(&self) -> Site<'_> {
        Site::new(&self.game, self.certificate.as_ref(), &self.registrations, Now::read())
    }

    /// The name by which this Client reaches us.
    fn host<B>(&self, request: &Request<B>, connection: Connection<'_>) -> HostName {
        let public_host = self.game.config.network.public_host.as_ref();
        shard::reached_as(public_host, asked_for(request), connection.local.ip())
    }

    fn is_own_name<B>(&self, request: &Request<B>) -> bool {
        let public_host = self.game.config.network.public_host.iter().map(|host| host.as_str().to_owned());
        let own = public_host.chain([gethostname::gethostname().to_string_lossy().into_owned()]);
        asked_for(request).is_none_or(|asked_for| origin::is_own_name(asked_for, own))
    }

    fn is_foreign<B>(&self, request: &Request<B>) -> bool {
        let host = asked_for(request).unwrap_or_default();
        !self.is_own_name(request) || origin::is_foreign(request.headers(), host)
    }

    /// Has the Auth service answer.
    async fn log_in(self: Arc<Self>, query: Zeroizing<String>, peer: SocketAddr, host: HostName) -> Vec<u8> {
        if let Some(answer) = http::log_in_again(&self.game, &query, peer.ip(), &host, Now::read()) {
            return answer;
        }
        let later = http::log_in_later(&self.game, &host);
        let (slow, server) = (self.slow.clone(), self);
        let answer = slow.run(Work::Password, peer.ip(), move || {
            http::log_in(&server.game, &query, peer.ip(), &host, Now::read())
        });
        answer.await.unwrap_or_else(|| {
            debug!("auth: {} is told to try again: too many logins are waiting", peer.ip());
            later
        })
    }

    /// Answers a request for a page or a file.
    fn read(&self, asked: &Asked) -> PageResponse {
        web::read(&self.site(), &asked.request()).unwrap_or_else(|| web::not_found(&self.site()))
    }

    /// Answers a request for a page or a file that takes long.
    async fn read_in_turn(self: Arc<Self>, asked: Asked) -> PageResponse {
        let server = Arc::clone(&self);
        let answer = self.slow.run(Work::Page, asked.peer, move || server.read(&asked));
        answer.await.unwrap_or_else(|| web::busy(&self.site()))
    }

    /// Has a form answered. Most are about a password, and all wait for the card.
    async fn submit(self: Arc<Self>, asked: Asked, form: Zeroizing<Vec<u8>>) -> PageResponse {
        let server = Arc::clone(&self);
        let answer = self
            .slow
            .run(Work::Password, asked.peer, move || web::submit(&server.site(), &asked.request(), &form));
        answer.await.unwrap_or_else(|| web::busy(&self.site()))
    }
}

/// The name and port that a request is for, if it says that.
fn asked_for<B>(request: &Request<B>) -> Option<&str> {
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    header.or_else(|| request.uri().authority().map(Authority::as_str))
}

/// What is known of a request for a page: it lives as long as a worker thread needs it.
struct Asked {
    path: String,
    query: String,
    host: HostName,
    peer: IpAddr,
    local: IpAddr,
    secure: bool,
    cookies: Zeroizing<String>,
    known: Zeroizing<String>,
    authorization: Zeroizing<String>,
}

impl Asked {
    fn of<B>(request: &Request<B>, path: &str, host: HostName, connection: Connection<'_>) -> Self {
        let header = |name: HeaderName| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            Zeroizing::new(value.unwrap_or_default().to_owned())
        };
        Self {
            path: path.to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            host,
            peer: connection.peer.ip(),
            local: connection.local.ip(),
            secure: connection.security != Security::Plain,
            cookies: header(COOKIE),
            known: header(IF_NONE_MATCH),
            authorization: header(AUTHORIZATION),
        }
    }

    fn request(&self) -> PageRequest<'_> {
        let Self { path, query, host, cookies, known, authorization, .. } = self;
        let (peer, local, secure) = (self.peer, self.local, self.secure);
        PageRequest { path, query, host, peer, local, cookies, secure, known, authorization }
    }
}

const fn problem(error: BodyError) -> FormProblem {
    match error {
        BodyError::TooLong => FormProblem::TooLong,
        BodyError::Incomplete => FormProblem::Incomplete,
        BodyError::TooSlow => FormProblem::TooSlow,
    }
}

#[cfg(test)]
mod tests;
