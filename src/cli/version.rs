//! `mcos --version`: which program this is.

use super::{CliError, output};
use serde::Serialize;
use std::env::consts::{ARCH, OS};

/// What identifies a program.
#[derive(Serialize)]
struct Identity {
    name: &'static str,
    version: &'static str,
    /// From which it was built, if the build was told (`MCOS_COMMIT`), as those of releases are.
    commit: Option<&'static str>,
    /// What it was built for, by the name that Rust has for it.
    target: String,
}

/// Prints the version in one line, or all as JSON.
pub(super) fn print(json: bool) -> Result<(), CliError> {
    let identity = this();
    if json {
        return output::line(&serde_json::to_string(&identity).map_err(CliError::failed)?);
    }
    output::line(&format!("{} {}", identity.name, identity.version))
}

fn this() -> Identity {
    let library = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    Identity {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("MCOS_COMMIT").filter(|commit| !commit.is_empty()),
        target: format!("{ARCH}-unknown-{OS}-{library}"),
    }
}
