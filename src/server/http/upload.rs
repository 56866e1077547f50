//! A form with a large file on its way from the Operator's browser to the card: the file is never in memory as a whole.

use super::body::{BodyError, BodyReader};
use crate::web::Fields;
use crate::web::multipart::MultipartError;
use crate::web::operator::MultipartUpload;
use hyper::body::{Body, Bytes};

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
    /// A reason for the Operator, in words.
    Refused(String),
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

impl From<String> for UploadError {
    fn from(why: String) -> Self {
        Self::Refused(why)
    }
}

/// Where the file of an upload is written to.
pub(super) trait Sink: Send + Sized + 'static {
    /// Writes the next bytes; blocks.
    ///
    /// # Errors
    /// What to tell the Operator.
    fn write(&mut self, bytes: &[u8]) -> Result<(), String>;
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
