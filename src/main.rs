//! The `mcos` program. Everything it does is in the library; see [`mcos::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    mcos::cli::main()
}
