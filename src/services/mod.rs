//! One room per service. A service is a function: it takes the caller's session and one message, may change the world
//! and the store, and returns the replies and the pushes to others. No sockets, no timers, nothing asynchronous: each
//! can be tested with plain values.
//!
//! | port | service | file |
//! |---|---|---|
//! | HTTP | Patch, Auth, Shard | [`http`], [`patch`], [`auth`], [`shard`] |
//! | 8226 | Login | [`login`] |
//! | 8228 | Persona | [`persona`] |
//! | 8227 | Mail | [`mail`] |
//! | 7003, 9000-9014 | Lobby and rooms | [`lobby`] |
//! | 43300 | MCOTS | [`mcots`] |

pub mod auth;
pub mod bans;
mod dispatch;
mod game;
pub mod http;
pub mod lobby;
pub mod login;
pub mod mail;
pub mod mcots;
mod outcome;
pub mod patch;
pub mod persona;
pub mod shard;

pub use dispatch::{Listed, Reply, Who};
#[cfg(test)]
pub(crate) use game::TestPlayer;
pub use game::{Game, Ports};
pub use outcome::{Encryption, Hex, Outcome, Push, Verdict};
