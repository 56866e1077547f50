//! The program as it runs on a box: in a network of its own, with its real ports, where nobody sees its console.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod card;
mod growing;
#[path = "../home/mod.rs"]
mod home;
mod name;
mod netbios;
mod on_a_box;
mod programs;
mod radio;
mod stick;
#[path = "../support/mod.rs"]
mod support;
