//! A form with a large file on its way from the Operator's browser to the card: the file is never in memory as a whole.

use super::body::{BodyError, BodyReader};
use crate::appliance::StagingError;
use crate::web::Fields;
use crate::web::multipart::MultipartError;
use crate::web::operator::MultipartUpload;
use hyper::body::{Body, Bytes};
use std::fmt;
use std::io;

/// So many bytes of the file are gathered before they are written.
const BATCH: usize = 256 * 1024;

/// Why an upload was not kept.
#[derive(Debug)]
pub(super) enum UploadError {
    /// The form is larger than allowed.
    TooLarge,
    /// It broke off, or took too long.
    Body(BodyError),
    /// It is not a form of a page of ours.
    Form(MultipartError),
    /// It does not come from a page of this session.
    Expired,
    /// Another upload is arriving.
    Busy,
    /// The card does not take it.
    NotKept(io::Error),
    /// The form brought no file.
    NoFile,
    /// It is an update, and this server does not run on a box.
    NotABox,
    /// The update is not taken.
    Bundle(StagingError),
}

impl From<BodyError> for UploadError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLong => Self::TooLarge,
            BodyError::Incomplete | BodyError::TooSlow => Self::Body(error),
        }
    }
}

impl From<MultipartError> for UploadError {
    fn from(error: MultipartError) -> Self {
        Self::Form(error)
    }
}

impl From<StagingError> for UploadError {
    fn from(error: StagingError) -> Self {
        Self::Bundle(error)
    }
}

/// What the Operator is told of an update that was not taken, and the log of any other file.
impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the form is too large"),
            Self::Body(_) => f.write_str("the file did not arrive as a whole"),
            Self::Form(error) => write!(f, "the form is not from a page of this server ({error})"),
            Self::Expired => f.write_str("the form has expired"),
            Self::Busy => f.write_str("another file is arriving"),
            Self::NotKept(error) => write!(f, "the file cannot be kept: {error}"),
            Self::NoFile => f.write_str("choose the file of an update first"),
            Self::NotABox => f.write_str("this server does not run on a box; see below"),
            Self::Bundle(error) => error.fmt(f),
        }
    }
}

/// Where the file of an upload is written to.
pub(super) trait Sink: Send + Sized + 'static {
    /// Writes the next bytes; blocks.
    ///
    /// # Errors
    /// The file is not taken.
    fn write(&mut self, bytes: &[u8]) -> Result<(), UploadError>;
}

/// A form that has arrived.
pub(super) struct Received<S> {
    pub(super) fields: Fields,
    /// The file's name, its length in bytes, and where it was written to; `None` if the form has no file.
    pub(super) file: Option<(String, u64, S)>,
}

/// Reads a form of at most `limit` bytes to its end. When its file begins, `open` looks at the fields before it, and says
/// where to write the file.
pub(super) async fn receive<B: Body<Data = Bytes> + Unpin, S: Sink>(
    body: &mut BodyReader<'_, B>,
    content_type: &str,
    limit: u64,
    open: impl AsyncFnOnce(&Fields) -> Result<S, UploadError>,
) -> Result<Received<S>, UploadError> {
    if body.length().is_some_and(|length| length > limit) {
        return Err(UploadError::TooLarge);
    }
    let mut upload = MultipartUpload::new(content_type)?;
    let (mut open, mut sink) = (Some(open), None);
    let (mut left, mut length) = (limit, 0);
    let mut batch = Vec::with_capacity(2 * BATCH);
    while let Some(bytes) = body.next().await? {
        left = left.checked_sub(bytes.len() as u64).ok_or(UploadError::TooLarge)?;
        upload.feed(&bytes, &mut batch)?;
        if upload.file_name().is_some()
            && let Some(open) = open.take()
        {
            sink = Some(open(upload.fields()).await?);
        }
        if batch.len() >= BATCH
            && let Some(opened) = sink.take()
        {
            length += batch.len() as u64;
            let (written, empty) = write(opened, batch).await?;
            (sink, batch) = (Some(written), empty);
        }
    }
    let name = upload.file_name().unwrap_or_default().to_owned();
    let fields = upload.finish()?;
    let file = match sink {
        Some(sink) => {
            length += batch.len() as u64;
            Some((name, length, write(sink, batch).await?.0))
        }
        None => None,
    };
    Ok(Received { fields, file })
}

/// Writes a batch, and gives back the empty buffer.
async fn write<S: Sink>(mut sink: S, mut batch: Vec<u8>) -> Result<(S, Vec<u8>), UploadError> {
    smol::unblock(move || {
        sink.write(&batch)?;
        batch.clear();
        Ok((sink, batch))
    })
    .await
}
