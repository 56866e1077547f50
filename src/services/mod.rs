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
pub mod deals;
pub mod directory;
mod dispatch;
mod game;
pub mod http;
pub mod lobby;
pub mod login;
pub mod mail;
pub mod mcots;
pub mod nights;
pub mod official_names;
mod outcome;
pub mod patch;
pub mod persona;
mod playtime;
mod ports;
mod send_away;
pub mod shard;

pub use dispatch::{Listed, Reply, Who};
pub use game::Game;
#[cfg(test)]
pub(crate) use game::TestPlayer;
pub use outcome::{Encryption, Hex, Outcome, Push, Verdict};
pub use ports::{AUTH_PORT, Ports};
use send_away::send_away;
