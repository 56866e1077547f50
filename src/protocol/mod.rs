//! Wire formats and ciphers. Nothing in here does I/O or knows a service.

pub mod ids;
