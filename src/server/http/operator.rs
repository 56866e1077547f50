//! The way to the Operator's pages: from HTTP to a plain question and back.

mod bundle;

use super::Deadline;
use crate::appliance::Appliance;
use crate::clock::Now;
use crate::config::HostName;
use crate::server::connections::Connections;
use crate::server::counters::Counters;
use crate::server::limits::Limits;
use crate::server::tls::{Security, Tls};
use crate::services::Game;
use crate::services::Verdict;
use crate::web::operator::{self, Ask, Form, Intake, OperatorSite, Reply, Sent, Vitals};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Buf as _, Bytes};
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use smol::channel::Sender;
use smol::lock::{Semaphore, SemaphoreGuardArc};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// One after the other: each may check a password or write a whole backup.
const AT_ONCE: usize = 1;
/// How many may wait for that.
const WAITING: usize = 8;

/// How long a large form may take, so that 64 MiB come through a slow network.
const UPLOAD_TIME: Duration = Duration::from_mins(10);
/// A large form is written in pieces of so many bytes.
const PIECE: usize = 256 * 1024;
/// So many bytes of a form that is too long are still read and thrown away: a browser shows no answer before it has sent all.
const PATIENTLY: u64 = 256 * 1024 * 1024;

/// No script, nothing from elsewhere, no frame around it.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Where the Operator comes in.
pub(crate) struct OperatorHttp {
    inner: Arc<Inner>,
    turns: Arc<Semaphore>,
    line: Semaphore,
    /// Large forms on the card at the same time: one.
    large: Arc<Semaphore>,
    /// A bundle may arrive.
    bundles: Arc<Semaphore>,
}

/// A form that came.
enum Upload {
    Short(Zeroizing<Vec<u8>>),
    Large(
        Arc<File>,
        #[expect(dead_code, reason = "its place is free when the form is dropped")] SemaphoreGuardArc,
    ),
}

impl Upload {
    fn sent(&self) -> Sent<'_> {
        match self {
            Self::Short(form) => Sent::Memory(form),
            Self::Large(form, _) => Sent::File(form),
        }
    }
}

struct Inner {
    desk: OperatorSite,
    game: Arc<Game>,
    connections: Arc<Connections>,
    limits: Arc<Limits>,
    tls: Tls,
    restart: Sender<()>,
    started: Instant,
    counters: Arc<Counters>,
}

impl OperatorHttp {
    pub(crate) fn new(
        game: Arc<Game>,
        connections: Arc<Connections>,
        limits: Arc<Limits>,
        tls: Tls,
        restart: Sender<()>,
        appliance: Option<Appliance>,
        counters: Arc<Counters>,
    ) -> Self {
        let (desk, started) = (OperatorSite::on(appliance), Instant::now());
        Self {
            inner: Arc::new(Inner { desk, game, connections, limits, tls, restart, started, counters }),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            line: Semaphore::new(AT_ONCE + WAITING),
            large: Arc::new(Semaphore::new(1)),
            bundles: Arc::new(Semaphore::new(1)),
        }
    }

    /// Answers a request to one of the Operator's paths. `long` is set where the answer may take its time.
    pub(crate) async fn respond<B: Body + Unpin>(
        &self,
        request: Request<B>,
        path: &str,
        peer: SocketAddr,
        security: Security,
        host: &HostName,
        deadline: &Deadline,
    ) -> Response<Full<Bytes>> {
        let game = &self.inner.game;
        if security != Security::Modern {
            log::info!("operator: refused {}: it comes without TLS 1.2 or newer", peer.ip());
            let link = host.operator_page(game.ports.https);
            return response(operator::refusal(&game.config.shard.name, Some(&link)));
        }
        if request.method() == Method::POST && path == operator::BUNDLE {
            return self.take_bundle(request, peer, deadline).await;
        }
        let cookies = header(request.headers(), &COOKIE);
        let form = if request.method() == Method::POST {
            let content_type = header(request.headers(), &CONTENT_TYPE);
            let came = match self.inner.desk.intake(path, &cookies) {
                Intake::Memory(most) => read(request.into_body(), most).await.map(Upload::Short),
                Intake::File(most) => {
                    deadline.extend(UPLOAD_TIME);
                    self.keep(request.into_body(), most).await
                }
            };
            match came {
                Ok(came) => Some((content_type, came)),
                Err(refused) => return refused.response(),
            }
        } else {
            None
        };
        // Whoever sends slowly keeps nobody waiting: the line begins behind the form.
        let Some(_place) = self.line.try_acquire() else {
            return UploadError::Busy.response();
        };
        let turn = self.turns.acquire_arc().await;
        let (inner, path) = (Arc::clone(&self.inner), path.to_owned());
        let reply = smol::unblock(move || {
            // Given back when the work is done, even if the browser has gone meanwhile.
            let _turn = turn;
            let form = form.as_ref().map(|(content_type, came)| Form { content_type, sent: came.sent() });
            let ask = Ask { path: &path, cookies: &cookies, peer: peer.ip(), now: Now::read(), form };
            let mut reply = inner.desk.answer(&inner.game, &inner.vitals(), &ask);
            inner.connections.deliver(std::mem::take(&mut reply.pushes));
            if reply.restart {
                // Full: somebody has asked already.
                let _ = inner.restart.try_send(());
            }
            reply
        });
        response(reply.await)
    }

    /// Writes a large form into a file that has no name and is gone with the last who has it.
    async fn keep<B: Body + Unpin>(&self, mut body: B, most: u64) -> Result<Upload, UploadError> {
        let place = self.large.try_acquire_arc().ok_or(UploadError::Busy)?;
        let cannot = |error: io::Error| {
            log::error!("operator: a file that was sent cannot be kept: {error}");
            UploadError::NotKept
        };
        let folder = self.inner.game.data.clone();
        let file = Arc::new(smol::unblock(move || nameless_file(&folder)).await.map_err(cannot)?);
        let (mut length, mut piece) = (0, Vec::with_capacity(PIECE));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| UploadError::BrokeOff)?;
            let Ok(mut data) = frame.into_data() else { continue };
            while data.has_remaining() {
                let chunk = data.chunk();
                let count = chunk.len();
                length += count as u64;
                if length <= most {
                    piece.extend_from_slice(chunk);
                } else if length > most + PATIENTLY {
                    return Err(UploadError::LargeFile);
                }
                data.advance(count);
            }
            if piece.len() >= PIECE {
                write(&file, std::mem::replace(&mut piece, Vec::with_capacity(PIECE)))
                    .await
                    .map_err(cannot)?;
            }
        }
        if length > most {
            return Err(UploadError::LargeFile);
        }
        write(&file, piece).await.map_err(cannot)?;
        Ok(Upload::Large(file, place))
    }
}

/// Why a form was not taken.
enum UploadError {
    Long,
    LargeFile,
    BrokeOff,
    NotKept,
    Busy,
}

impl UploadError {
    fn response(self) -> Response<Full<Bytes>> {
        let (status, text) = match self {
            Self::Long => (StatusCode::PAYLOAD_TOO_LARGE, "That is too long. Nothing was changed."),
            Self::LargeFile => (StatusCode::PAYLOAD_TOO_LARGE, operator::DATABASE_TOO_LARGE),
            Self::BrokeOff => (StatusCode::BAD_REQUEST, "The form broke off. Nothing was changed."),
            Self::NotKept => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The server cannot keep that file; its log says why. Nothing was changed.",
            ),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "The server is busy. Please try again."),
        };
        plain(status, text)
    }
}

/// A file in `folder` that nobody else can open.
fn nameless_file(folder: &Path) -> io::Result<File> {
    let path = folder.join("upload.form");
    // One that a power cut left behind.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

async fn write(file: &Arc<File>, bytes: Vec<u8>) -> io::Result<()> {
    let file = Arc::clone(file);
    smol::unblock(move || (&*file).write_all(&bytes)).await
}

impl Inner {
    fn vitals(&self) -> Vitals {
        Vitals {
            connections: self.limits.count(),
            uptime: self.started.elapsed().as_secs(),
            memory: resident_memory(),
            certificate_names: self.tls.certified_names(),
            messages_answered: self.counters.sum(Verdict::Answered),
            messages_unusual: self.counters.unusual(),
        }
    }
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

/// Reads a form to its end.
async fn read<B: Body + Unpin>(mut body: B, limit: usize) -> Result<Zeroizing<Vec<u8>>, UploadError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(UploadError::Long);
    }
    // Made in one piece where its length is known, so that growing leaves no copy of a password behind.
    let mut form = Zeroizing::new(Vec::with_capacity(announced));
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(|_| UploadError::BrokeOff)?.into_data() else { continue };
        while data.has_remaining() {
            let piece = data.chunk();
            if form.len() + piece.len() > limit {
                return Err(UploadError::Long);
            }
            form.extend_from_slice(piece);
            let length = piece.len();
            data.advance(length);
        }
    }
    Ok(form)
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
