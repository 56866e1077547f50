//! Serves the Operator's pages over HTTP: reads forms and uploads, and has the pages answer on a worker thread.

use super::DOWNLOAD_TIME;
use super::body::{BodyError, BodyReader};
use super::bundle::BundleIntake;
use super::deadline::Deadline;
use super::response::{HttpResponse, operator_page};
use super::upload::{self, Received, Sink, UploadError};
use crate::clock::Now;
use crate::config::HostName;
use crate::server::connections::Connections;
use crate::server::counters::Counters;
use crate::server::limits::Limits;
use crate::server::metrics::resident_memory;
use crate::server::restart::RestartedBy;
use crate::server::slow_work::SlowWork;
use crate::server::tls::{Security, Tls};
use crate::server::turns::Work;
use crate::services::Game;
use crate::services::Verdict;
use crate::web::Fields;
use crate::web::multipart;
use crate::web::operator::{
    self, Form, FormStorage, OperatorRequest, OperatorResponse, OperatorSite, ServerFigures, UploadedFile,
};
use hyper::body::{Body, Bytes};
use hyper::header::{CONTENT_DISPOSITION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName};
use hyper::{Method, Request};
use smol::channel::Sender;
use smol::lock::{Semaphore, SemaphoreGuardArc};
use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How many requests of Operators who are logged in are answered at the same time: each may write a whole backup. Who is not
/// logged in has no part in this, but takes turns with all who wait for a password.
const AT_ONCE: usize = 1;
/// How many more may wait for that.
const WAITING: usize = 8;

/// How long a form with a file may take, so that 64 MiB come through a slow network.
const UPLOAD_TIME: Duration = Duration::from_mins(10);
/// The longest form of a file's page that brings no file, in bytes.
const MAX_FORM: usize = 8 * 1024;
/// So many bytes of a refused upload of the Operator's are still read and thrown away before the answer: a browser shows none
/// before it has sent all.
const DISCARDED: u64 = 256 * 1024 * 1024;

/// Serves the Operator's pages over HTTP.
pub(crate) struct OperatorHttp {
    inner: Arc<Inner>,
    /// One permit per request that may be answered at the same time.
    workers: Arc<Semaphore>,
    /// One permit per request that may be answered or wait for it.
    queue: Semaphore,
    /// One permit per file that may arrive at the same time.
    uploads: Arc<Semaphore>,
    bundles: BundleIntake,
    /// For who is not logged in.
    slow: SlowWork,
}

struct Inner {
    site: OperatorSite,
    game: Arc<Game>,
    connections: Arc<Connections>,
    limits: Arc<Limits>,
    tls: Tls,
    restart: Sender<RestartedBy>,
    started: Instant,
    counters: Arc<Counters>,
}

/// A request without its body, as far as the Operator's pages look at it.
struct Head {
    path: String,
    query: String,
    peer: SocketAddr,
    cookies: Zeroizing<String>,
    content_type: Zeroizing<String>,
    now: Now,
}

/// A file that is arriving in one without a name, which is gone with the last who has it.
struct Unnamed {
    file: File,
    permit: SemaphoreGuardArc,
}

impl Sink for Unnamed {
    fn write(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        self.file.write_all(bytes).map_err(UploadError::NotKept)
    }
}

/// A form that has arrived. The next file may come when this one is worked on to its end, even if the browser has gone.
struct ReceivedForm {
    form: Form,
    _permit: Option<SemaphoreGuardArc>,
}

impl From<Form> for ReceivedForm {
    fn from(form: Form) -> Self {
        Self { form, _permit: None }
    }
}

impl OperatorHttp {
    pub(crate) fn new(
        slow: SlowWork,
        connections: Arc<Connections>,
        limits: Arc<Limits>,
        tls: Tls,
        restart: Sender<RestartedBy>,
        site: OperatorSite,
        counters: Arc<Counters>,
    ) -> Self {
        let game = Arc::clone(&slow.game);
        let bundles = BundleIntake::new(game.data.clone(), site.appliance().cloned());
        let started = Instant::now();
        Self {
            inner: Arc::new(Inner { site, game, connections, limits, tls, restart, started, counters }),
            workers: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Semaphore::new(AT_ONCE + WAITING),
            uploads: Arc::new(Semaphore::new(1)),
            bundles,
            slow,
        }
    }

    /// Answers a request to one of the Operator's paths. `deadline` is put off for large files.
    pub(super) async fn respond<B: Body<Data = Bytes> + Unpin>(
        &self,
        request: Request<B>,
        path: &str,
        peer: SocketAddr,
        security: Security,
        host: &HostName,
        deadline: &Deadline,
    ) -> HttpResponse {
        let game = &self.inner.game;
        if security != Security::Modern {
            log::info!("operator: refused {}: it comes without TLS 1.2 or newer", peer.ip());
            let link = host.operator_page(game.ports.https);
            return operator_page(operator::refusal(&game.config.shard.name, Some(&link)));
        }
        let head = Head {
            path: path.to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            peer,
            cookies: header(request.headers(), &COOKIE),
            content_type: header(request.headers(), &CONTENT_TYPE),
            now: Now::read(),
        };
        if request.method() != Method::POST {
            return self.answer_in_time(head, None, deadline).await;
        }
        let mut body = BodyReader::new(request.into_body(), deadline);
        if head.path == operator::BUNDLE {
            return self.take_bundle(&head, body, deadline).await;
        }
        let storage = self.inner.site.form_storage(&head.path, &head.cookies, head.now);
        let form = match storage {
            FormStorage::File(limit) if multipart::is_multipart(&head.content_type) => {
                deadline.extend(UPLOAD_TIME);
                let received = self.take_file(&head, &mut body, limit).await;
                if received.is_err() {
                    // The Operator reads the answer all the same if this fails.
                    let _ = body.discard(DISCARDED).await;
                }
                received
            }
            FormStorage::File(_) => read_form(&head, body, MAX_FORM).await,
            FormStorage::Memory(limit) => read_form(&head, body, limit).await,
        };
        match form {
            Ok(form) => self.answer_in_time(head, Some(form), deadline).await,
            Err(error) => operator_page(self.refusal(&head, &error)),
        }
    }

    /// The answer, however long the server takes for it. A backup or a recording may be large, and the network slow.
    async fn answer_in_time(
        &self,
        head: Head,
        form: Option<ReceivedForm>,
        deadline: &Deadline,
    ) -> HttpResponse {
        let answer = deadline.hold(self.answer(head, form)).await;
        if answer.headers().contains_key(CONTENT_DISPOSITION) {
            deadline.extend(DOWNLOAD_TIME);
        }
        answer
    }

    /// Has the pages answer, on a thread that may wait.
    async fn answer(&self, head: Head, form: Option<ReceivedForm>) -> HttpResponse {
        let inner = Arc::clone(&self.inner);
        let (from, is_logged_in) = (head.peer.ip(), inner.site.is_logged_in(&head.cookies, head.now));
        if is_logged_in {
            inner.limits.vouch_for(from, head.now);
        }
        let work = move || {
            let Head { path, query, peer, cookies, now, .. } = head;
            let request = OperatorRequest {
                path: &path,
                query: &query,
                cookies: &cookies,
                peer: peer.ip(),
                now,
                form: form.as_ref().map(|received| &received.form),
            };
            let mut response = inner.site.respond(&inner.game, &inner.figures(), &request);
            inner.connections.deliver(std::mem::take(&mut response.pushes));
            if response.restart {
                // Full: somebody has asked already.
                let _ = inner.restart.try_send(RestartedBy::Operator);
            }
            response
        };
        if !is_logged_in {
            let answered = self.slow.run(Work::Password, from, work).await;
            return operator_page(answered.unwrap_or_else(busy));
        }
        // Whoever sends slowly keeps nobody waiting: the queue begins behind the form.
        let Some(_place) = self.queue.try_acquire() else {
            return operator_page(busy());
        };
        let worker = self.workers.acquire_arc().await;
        let answered = smol::unblock(move || {
            // Given back when the work is done, even if the browser has gone meanwhile.
            let _worker = worker;
            work()
        });
        operator_page(answered.await)
    }

    /// Reads a form with a file into memory and a file without a name.
    async fn take_file<B: Body<Data = Bytes> + Unpin>(
        &self,
        head: &Head,
        body: &mut BodyReader<'_, B>,
        limit: u64,
    ) -> Result<ReceivedForm, UploadError> {
        let open = async |fields: &Fields| {
            if !self.is_ours(head, fields) {
                return Err(UploadError::Expired);
            }
            let permit = self.uploads.try_acquire_arc().ok_or(UploadError::Busy)?;
            let folder = self.inner.game.data.clone();
            smol::unblock(move || {
                // One that an older version or a power cut has left.
                let _ = fs::remove_file(folder.join("upload.mcos"));
                let file = tempfile::tempfile_in(folder).map_err(UploadError::NotKept)?;
                Ok(Unnamed { file, permit })
            })
            .await
        };
        let Received { fields, file } = upload::receive(body, &head.content_type, limit, open).await?;
        let Some((name, length, Unnamed { mut file, permit })) = file else {
            return Ok(Form { fields, file: None }.into());
        };
        let content = smol::unblock(move || file.rewind().map(|()| file)).await;
        let content = content.map_err(UploadError::NotKept)?;
        let form = Form { fields, file: Some(UploadedFile { name, content, length }) };
        Ok(ReceivedForm { form, _permit: Some(permit) })
    }

    async fn take_bundle<B: Body<Data = Bytes> + Unpin>(
        &self,
        head: &Head,
        mut body: BodyReader<'_, B>,
        deadline: &Deadline,
    ) -> HttpResponse {
        let Inner { site, .. } = &*self.inner;
        if !site.is_logged_in(&head.cookies, head.now) {
            return operator_page(OperatorSite::redirect_to_login());
        }
        log::info!("operator: {} sends an update bundle", head.peer.ip());
        let is_ours = |fields: &Fields| self.is_ours(head, fields);
        let received = self.bundles.receive(&mut body, &head.content_type, deadline, is_ours).await;
        let outcome = match received {
            Ok(manifest) => Ok(manifest),
            Err(error @ UploadError::TooLarge) => return operator_page(self.refusal(head, &error)),
            Err(error) => {
                // Its length was looked at before. The Operator reads the answer all the same if this fails.
                let _ = body.discard(u64::MAX).await;
                if matches!(error, UploadError::Expired | UploadError::Busy) {
                    return operator_page(self.refusal(head, &error));
                }
                Err(error)
            }
        };
        if let Err(why) = &outcome {
            log::warn!("operator: the update bundle is refused: {why}");
        }
        let (inner, cookies, now) = (Arc::clone(&self.inner), head.cookies.clone(), head.now);
        let noted = smol::unblock(move || inner.site.after_bundle(&inner.game, &cookies, outcome, now));
        operator_page(noted.await)
    }

    fn is_ours(&self, head: &Head, fields: &Fields) -> bool {
        self.inner.site.is_form_token(&head.cookies, fields.text("form"), head.now)
    }

    /// The answer to a form that was not taken.
    fn refusal(&self, head: &Head, error: &UploadError) -> OperatorResponse {
        let Inner { site, game, .. } = &*self.inner;
        match error {
            UploadError::TooLarge if head.path == operator::BUNDLE || !self.takes_file(head) => {
                OperatorResponse::plain(413, "This is too much data for this form. Nothing was changed.")
            }
            UploadError::TooLarge => OperatorSite::file_too_large(&head.path),
            UploadError::Body(BodyError::TooSlow) => OperatorResponse::plain(
                408,
                "Sending the form took too long. Nothing was changed. Try again.",
            ),
            UploadError::Body(_) => incomplete(),
            UploadError::Form(error) => {
                log::info!("operator: a form of {} cannot be read: {error}", head.peer.ip());
                incomplete()
            }
            UploadError::Expired => site.expired_form(game, &head.cookies, head.peer.ip(), head.now),
            UploadError::Busy => busy(),
            UploadError::NotKept(_) | UploadError::NoFile | UploadError::NotABox | UploadError::Bundle(_) => {
                log::error!("operator: {error}");
                OperatorResponse::plain(
                    500,
                    "The server could not store this file; its log says why. Nothing was changed.",
                )
            }
        }
    }

    fn takes_file(&self, head: &Head) -> bool {
        let storage = self.inner.site.form_storage(&head.path, &head.cookies, head.now);
        matches!(storage, FormStorage::File(_))
    }
}

fn busy() -> OperatorResponse {
    OperatorResponse::plain(503, "The server is busy. Please try again in a moment.")
}

fn incomplete() -> OperatorResponse {
    OperatorResponse::plain(400, "The form did not arrive as a whole. Nothing was changed. Try again.")
}

/// Reads a form without a file into memory.
async fn read_form<B: Body<Data = Bytes> + Unpin>(
    head: &Head,
    body: BodyReader<'_, B>,
    limit: usize,
) -> Result<ReceivedForm, UploadError> {
    let bytes = body.read_to_end(limit).await?;
    Ok(Form::read(&head.content_type, &bytes)?.into())
}

impl Inner {
    fn figures(&self) -> ServerFigures {
        ServerFigures {
            connections: self.limits.count(),
            uptime: self.started.elapsed().as_secs(),
            memory: resident_memory(),
            certificate_names: self.tls.certified_names(),
            saving: self.counters.saving.in_words(),
            messages_answered: self.counters.sum(Verdict::Answered),
            messages_unusual: self.counters.unusual(),
        }
    }
}

/// The value of a header; empty if there is none.
fn header(headers: &HeaderMap, name: &HeaderName) -> Zeroizing<String> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    Zeroizing::new(value.unwrap_or_default().to_owned())
}
