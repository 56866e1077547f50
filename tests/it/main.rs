//! The program tested from outside, as one test binary: a file for each subject, and what they share once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod audit;
mod bad_input;
mod cable;
mod chromium;
mod chromium_city;
mod city;
mod city_commands;
mod command_line;
mod deals;
mod demonstration;
mod documents;
mod economy;
mod evening;
mod failing_card;
mod family;
mod family_evening;
mod flood;
mod foreign;
mod full_card;
mod hostile;
mod import;
mod kit_test_wine;
mod kit_wine;
mod layers;
mod messages;
mod moved;
#[path = "../../crates/legacy-tls/tests/old_client/mod.rs"]
mod old_client;
mod opening;
mod operator;
mod own_network;
mod pages;
mod players;
mod probe;
mod race_night;
mod races;
mod racing;
mod recording;
mod refused_early;
mod relief;
mod replay;
mod responder;
mod restore;
mod rooms;
mod sealed_backups;
mod shutdown;
mod sitting;
mod stakes;
#[path = "../support/mod.rs"]
mod support;
mod systemd;
mod terminal;
mod texts;
mod tls_certificates;
mod tls_gnutls;
mod tls_openssl;
mod tls_sign_in;
mod tls_sockets;
mod tls_tlslite;
mod update;
mod update_wine;
mod wire;
