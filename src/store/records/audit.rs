//! The record of what the Server Operator did.

use crate::store::record::Record;
use serde::{Deserialize, Serialize};

/// Something that the Server Operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, in seconds since 1970 by the Server's clock.
    pub at: u32,
    /// What, without secrets; at most 300 characters.
    pub what: String,
}

impl Record for AuditEntry {
    const WHAT: &'static str = "entry of the audit log";
}
