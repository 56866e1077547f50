#![doc = include_str!("../README.md")]

mod alert;
pub mod hello;
pub mod keys;
pub mod legacy;
mod queue;
mod reader;
pub mod record;
pub mod server_key;
mod suite;

pub use alert::Alert;
pub use reader::Malformed;
pub(crate) use suite::MacHash;
pub use suite::{Suite, Version};
