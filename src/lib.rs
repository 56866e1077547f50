//! mcos: the Motor City Online server, as a library.
//!
//! The modules, the upper layers first. None imports from a layer above its own (`docs/architecture.md`).
//!
//! | module | what is in it |
//! |---|---|
//! | [`cli`] | the commands of the `mcos` program |
//! | [`server`] | sockets, and nothing else |
//! | [`web`] | pages and files for people |
//! | [`admin`] | accounts as people make them, the player kit, what the Server Operator asks for, status |
//! | [`services`] | one module for each service; plain functions from a message to its answers |
//! | [`world`] | what the shard knows while it runs |
//! | [`appliance`] | the box: its two slots and the bundles that update them; the only place that touches block devices |
//! | [`catalog`] | cars, parts and lobbies: facts built in, or imported |
//! | [`client`] | a simulated Client, for `mcos probe`, the tests and the benchmarks |
//! | [`config`] | `mcos.toml` |
//! | [`store`] | what survives a restart; the only place that knows sled |
//! | [`atomic_file`] | files that are replaced whole |
//! | [`clock`] | the time, and moments as people read them |
//! | [`log_ring`] | the last lines of the log, for the Server Operator |
//! | [`look_alike`] | names that people take for each other |
//! | [`netbios`] | messages of the NetBIOS name service |
//! | [`public_text`] | texts that somebody writes and others read |
//! | [`recording`] | the lines of a recording |
//! | [`text_encoding`] | text as the editors of Windows save it |
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
pub mod look_alike;
pub mod netbios;
pub mod public_text;
pub mod recording;
pub mod server;
pub mod services;
pub mod store;
pub mod text_encoding;
pub mod web;
pub mod world;

// In the library, so that the tests and the benchmarks measure with what the program has. A fuzzer brings its own.
#[cfg(not(fuzzing))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
