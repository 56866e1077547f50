//! mcos: the Motor City Online server, as a library.
//!
//! The floors of the house, each standing only on those below it:
//!
//! | module | what lives there |
//! |---|---|
//! | [`cli`] | the commands of the `mcos` program |
//! | [`server`] | sockets, and nothing else |
//! | [`web`] | pages and files for people |
//! | [`services`] | one room per service; plain functions from a message to its answers |
//! | [`world`] | what the shard knows while it runs |
//! | [`catalog`] | cars, parts and lobbies: facts built in |
//! | [`store`] | what survives a reboot; the only place that knows sled |
//! | [`recording`] | the lines of a recording |
//! | [`appliance`] | the box: its two slots and the bundles that update them; the only place that touches block devices |
//! | [`atomic_file`] | files that are replaced whole |
//! | [`clock`] | moments as people read them |
//! | [`log_ring`] | the last lines of the log, for the Operator |
//! | [`client`] | a simulated Client, for `mcos probe`, the tests and the benchmarks |
//!
//! The wire formats are described in `docs/protocol/`.

pub mod admin;
pub mod appliance;
pub mod atomic_file;
pub mod catalog;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod log_ring;
pub mod netbios;
pub mod recording;
pub mod server;
pub mod services;
pub mod store;
pub mod web;
pub mod world;
