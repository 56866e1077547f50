//! A simulated Client: the other end of every wire this server speaks.
//!
//! It makes the same requests in the same order as the recorded Client, with the same messages and
//! [links](mco_proto) as the server, and looks at each answer as the Client does. `mcos probe`, the tests and the
//! load generator are made of it. One of it is small: no thread, no buffer while it waits, so thousands fit one process.
//!
//! | module | what it is |
//! |---|---|
//! | [`web`] | AuthLogin, the shard list and `/key` over HTTP |
//! | [`nps`] | a connection for Game Packets: Login, Persona, Mail, Lobby, rooms |
//! | [`mcots`] | a connection for Transaction Packets |
//! | [`sitting`] | the steps of a sitting: who may do what after what |
//! | [`racing`] | races, with an account of every byte the racers say to each other |
//! | [`probe`] | `mcos probe` |
//! | [`replay`] | `mcos replay` |
//! | [`load`] | `mcos load` |

mod error;
mod http;
mod latency;
pub mod load;
pub mod mcots;
pub mod nps;
mod peer;
pub mod probe;
pub mod racing;
pub mod replay;
mod shard_list;
pub mod sitting;
mod socket;
mod wanted;
pub mod web;

pub use error::{Error, ShardListError};
pub use http::Response;
pub use latency::{Latency, Percentiles};
pub use peer::{Endpoint, Service};
pub use shard_list::ShardEntry;

#[cfg(test)]
mod tests;
