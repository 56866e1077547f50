//! Writes the manual pages and the completions for bash, fish and zsh, as the program defines its commands:
//! `cargo run --example manual -- FOLDER`. A tool of its own, so that the program need not carry what writes them.

use clap_complete::{Shell, generate_to};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(folder), None) = (arguments.next(), arguments.next()) else {
        return failed(2, "write the folder that is to get man1 and completions");
    };
    match write(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(1, &error.to_string()),
    }
}

/// `man1/mcos.1`, `man1/mcos-account.1` and so on, and `completions/` with a file for each shell.
fn write(folder: OsString) -> io::Result<()> {
    let folder = PathBuf::from(folder);
    let [manual, completions] = ["man1", "completions"].map(|name| folder.join(name));
    fs::create_dir_all(&manual)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(mcos::cli::definition(), manual)?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        generate_to(shell, &mut mcos::cli::definition(), "mcos", &completions)?;
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a failure is told there")]
fn failed(code: u8, why: &str) -> ExitCode {
    eprintln!("manual: {why}");
    ExitCode::from(code)
}
