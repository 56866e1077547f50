//! An update bundle on its way from the Operator's browser to the card: never in memory as a whole.

use super::{Deadline, OperatorHttp, header, plain, response};
use crate::appliance::{MAX_BUNDLE, Manifest, Staging};
use crate::web::operator::MultipartUpload;
use futures_lite::FutureExt as _;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Buf as _, Bytes};
use hyper::header::{CONTENT_TYPE, COOKIE};
use hyper::{Request, Response, StatusCode};
use smol::Timer;
use smol::lock::SemaphoreGuardArc;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// So much is gathered before it is written, in bytes.
const BATCH: usize = 256 * 1024;
/// How long a bundle may take: a gigabyte over a slow radio.
const LONG_TIME: Duration = Duration::from_hours(1);
/// How long the browser may pause.
const PAUSE: Duration = Duration::from_secs(30);
/// More than the fields beside the file have, in bytes.
const FIELDS: u64 = 16 * 1024;

/// Why a bundle was not kept.
enum Refused {
    /// It was not sent by a page of this session.
    Stale,
    /// What to tell the Operator.
    Because(String),
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self::Because(why)
    }
}

/// The bundle as far as it is here; one at a time.
struct Intake {
    staging: Staging,
    _place: SemaphoreGuardArc,
}

impl OperatorHttp {
    /// Takes a bundle in from who is logged in, who gets the time for it.
    pub(super) async fn take_bundle<B: Body + Unpin>(
        &self,
        request: Request<B>,
        peer: SocketAddr,
        deadline: &Deadline,
    ) -> Response<Full<Bytes>> {
        let desk = &self.inner.desk;
        let cookies = header(request.headers(), &COOKIE);
        let content_type = header(request.headers(), &CONTENT_TYPE);
        if !desk.knows(&cookies) {
            return response(desk.send_away());
        }
        let mut body = request.into_body();
        let Some(size) = body.size_hint().exact().filter(|size| *size <= MAX_BUNDLE + FIELDS) else {
            return plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "That is too long for a bundle. Nothing was changed.",
            );
        };
        let Some(place) = self.bundles.try_acquire_arc() else {
            return plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "Another bundle is arriving. Please try again later.",
            );
        };
        deadline.extend(LONG_TIME);
        log::info!("operator: {} sends an update bundle", peer.ip());
        let kept = self.keep_bundle(&mut body, &content_type, &cookies, size, place).await;
        if kept.is_err() {
            // A browser that is still sending would not read the answer.
            while let Ok(Some(_)) = next(&mut body).await {}
        }
        let outcome = match kept {
            Ok(manifest) => Ok(manifest),
            Err(Refused::Stale) => return response(desk.stale(&self.inner.game, &cookies, peer.ip())),
            Err(Refused::Because(why)) => {
                log::warn!("operator: the update bundle is refused: {why}");
                Err(why)
            }
        };
        response(desk.took_bundle(&cookies, outcome))
    }

    async fn keep_bundle<B: Body + Unpin>(
        &self,
        body: &mut B,
        content_type: &str,
        cookies: &str,
        size: u64,
        place: SemaphoreGuardArc,
    ) -> Result<Manifest, Refused> {
        let bad_form = |_| "The form is not from this server's page, or broke off.".to_owned();
        let mut place = Some(place);
        let mut upload = MultipartUpload::new(content_type).map_err(bad_form)?;
        let (mut intake, mut pieces): (Option<Intake>, Vec<u8>) = (None, Vec::with_capacity(2 * BATCH));
        while let Some(mut data) = next(body).await? {
            while data.has_remaining() {
                let piece = data.chunk();
                upload.feed(piece, &mut pieces).map_err(bad_form)?;
                let length = piece.len();
                data.advance(length);
            }
            if let Some(token) = upload.token()
                && let Some(place) = place.take()
            {
                if !self.inner.desk.is_token(cookies, token) {
                    return Err(Refused::Stale);
                }
                let data = self.data_folder()?;
                let staging = smol::unblock(move || Staging::begin(&data, size)).await?;
                intake = Some(Intake { staging, _place: place });
            }
            if pieces.len() >= BATCH {
                let (filled, rest) = written(intake.take(), pieces).await?;
                (intake, pieces) = (Some(filled), rest);
            }
        }
        upload.finish(&mut pieces).map_err(bad_form)?;
        let (intake, _) = written(intake, pieces).await?;
        let inner = Arc::clone(&self.inner);
        let checked = smol::unblock(move || {
            let Intake { staging, _place } = intake;
            let appliance = inner.desk.appliance().ok_or("This server is no box.")?;
            staging.finish(appliance)
        });
        Ok(checked.await?)
    }

    fn data_folder(&self) -> Result<PathBuf, String> {
        if self.inner.desk.appliance().is_none() {
            return Err("This server does not run on a box; see below.".to_owned());
        }
        Ok(self.inner.game.data.clone())
    }
}

/// Writes what was gathered, and gives back the empty buffer.
async fn written(intake: Option<Intake>, mut pieces: Vec<u8>) -> Result<(Intake, Vec<u8>), String> {
    let mut intake = intake.ok_or("Choose the file of a bundle first.")?;
    smol::unblock(move || {
        intake.staging.write(&pieces)?;
        pieces.clear();
        Ok((intake, pieces))
    })
    .await
}

/// The next bytes; `None` at the end.
async fn next<B: Body + Unpin>(body: &mut B) -> Result<Option<B::Data>, String> {
    loop {
        let paused = async {
            Timer::after(PAUSE).await;
            Some(Err(()))
        };
        let frame = async { body.frame().await.map(|frame| frame.map_err(|_| ())) };
        match frame.or(paused).await {
            None => return Ok(None),
            Some(Err(())) => return Err("The upload broke off.".to_owned()),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
