//! An update bundle on its way from the Operator's browser to the card, where it waits to be installed.

use super::body::BodyReader;
use super::deadline::Deadline;
use super::upload::{self, Received, Sink, UploadError};
use crate::appliance::{Appliance, MAX_BUNDLE, Manifest, Staging};
use crate::web::Fields;
use hyper::body::{Body, Bytes};
use smol::lock::{Semaphore, SemaphoreGuardArc};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a bundle may take: a gigabyte over a slow radio.
const UPLOAD_TIME: Duration = Duration::from_hours(1);
/// The most bytes of a form beside its file.
const FIELDS: u64 = 16 * 1024;

/// A bundle as far as it is here.
struct Arriving {
    staging: Staging,
    /// Held until the staging is over, even if the browser leaves meanwhile.
    permit: SemaphoreGuardArc,
}

impl Sink for Arriving {
    fn write(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        Ok(self.staging.write(bytes)?)
    }
}

/// Takes in bundles, one at a time.
pub(super) struct BundleIntake {
    data: PathBuf,
    appliance: Option<Appliance>,
    one: Arc<Semaphore>,
}

impl BundleIntake {
    /// Keeps bundles in the data folder `data`, if this is a box.
    pub(super) fn new(data: PathBuf, appliance: Option<Appliance>) -> Self {
        Self { data, appliance, one: Arc::new(Semaphore::new(1)) }
    }

    /// Reads a form with a bundle, gives it time for that, checks the bundle and has it wait to be installed. `is_ours`
    /// decides by the fields before the file whether the form comes from a page of ours.
    pub(super) async fn receive<B: Body<Data = Bytes> + Unpin>(
        &self,
        body: &mut BodyReader<'_, B>,
        content_type: &str,
        deadline: &Deadline,
        is_ours: impl FnOnce(&Fields) -> bool,
    ) -> Result<Manifest, UploadError> {
        let size = body.length().filter(|size| *size <= MAX_BUNDLE + FIELDS).ok_or(UploadError::TooLarge)?;
        deadline.extend(UPLOAD_TIME);
        let open = async |fields: &Fields| {
            if !is_ours(fields) {
                return Err(UploadError::Expired);
            }
            if self.appliance.is_none() {
                return Err(UploadError::NotABox);
            }
            let permit = self.one.try_acquire_arc().ok_or(UploadError::Busy)?;
            let data = self.data.clone();
            smol::unblock(move || Ok(Arriving { staging: Staging::begin(&data, size)?, permit })).await
        };
        let Received { file, .. } = upload::receive(body, content_type, size, open).await?;
        let (.., arrived) = file.ok_or(UploadError::NoFile)?;
        let appliance = self.appliance.clone().ok_or(UploadError::NotABox)?;
        let checked = smol::unblock(move || {
            let Arriving { staging, permit } = arrived;
            let checked = staging.finish(&appliance);
            drop(permit);
            checked
        });
        Ok(checked.await?)
    }
}
