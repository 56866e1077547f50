//! A question before something that cannot be taken back.

use super::CliError;
use std::io::{self, BufRead, Write as _};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 100;

/// Asks on stderr, and waits for a line on standard input. Only a yes is no error.
pub(super) fn confirm(question: &str) -> Result<(), CliError> {
    ask(question, io::stdin().lock())
}

fn ask(question: &str, answers: impl BufRead) -> Result<(), CliError> {
    // Where nobody sees the question, nobody answers it.
    let _ = write!(io::stderr(), "{question}");
    let mut answer = String::new();
    let read = answers.take(MAX_ANSWER).read_line(&mut answer);
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        "" if !matches!(read, Ok(1..)) => Err(CliError::Failed(
            "nothing was changed, because nobody answered; scripts add --yes to the command".to_owned(),
        )),
        _ => Err(CliError::Failed("nothing was changed, because the answer was not yes".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for yes in ["y\n", "yes\n", "Y\r\n", " YES"] {
            assert_eq!(ask("", yes.as_bytes()), Ok(()), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "no\ny\n", "yesterday\n", &"y".repeat(200)] {
            let CliError::Failed(why) = ask("", no.as_bytes()).unwrap_err() else { panic!("{no:?}") };
            assert!(why.starts_with("nothing was changed"), "{why}");
            assert_eq!(why.contains("--yes"), no.is_empty(), "{no:?}");
        }
    }
}
