//! Reads passwords: from a terminal without echo, or from standard input. Never from the command line.

use super::CliError;
use crate::admin::requests::Secret;
use std::io::{IsTerminal, Read, stdin};
use zeroize::Zeroizing;

/// The most bytes that are read as a password, far beyond what an account may have.
const MAX_BYTES: usize = 1024;

/// Reads a new password: on a terminal it is asked for twice.
pub(super) fn new(from_stdin: bool, prompt: &str) -> Result<Secret, CliError> {
    if from_stdin {
        return read(stdin().lock());
    }
    if !stdin().is_terminal() {
        return Err(no_terminal());
    }
    let (first, second) = (ask(prompt)?, ask("Repeat the password")?);
    if first == second {
        Ok(Secret::new(String::clone(&first)))
    } else {
        Err(CliError::Failed("the two passwords differ; nothing was changed, try again".to_owned()))
    }
}

/// Reads a password that the server knows already: on a terminal it is asked for once.
pub(super) fn existing(from_stdin: bool, prompt: &str) -> Result<Secret, CliError> {
    if from_stdin {
        return read(stdin().lock());
    }
    if !stdin().is_terminal() {
        return Err(no_terminal());
    }
    Ok(Secret::new(String::clone(&*ask(prompt)?)))
}

/// Reads several passwords that the server knows: each is asked for, or stands on a line of its own.
pub(super) fn existing_of(from_stdin: bool, users: &[String]) -> Result<Vec<Secret>, CliError> {
    if from_stdin {
        return lines(stdin().lock(), users.len());
    }
    users.iter().map(|user| existing(false, &format!("Password of {user}"))).collect()
}

fn no_terminal() -> CliError {
    let problem =
        "there is no terminal to ask for the password; use --password-stdin and write it to standard input";
    CliError::Usage(problem.to_owned())
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    let answer = rpassword::prompt_password(format!("{prompt}: "));
    answer.map(Zeroizing::new).map_err(|e| CliError::Failed(format!("cannot ask for the password: {e}")))
}

/// Everything up to the end of the input, without the line end behind it.
fn read(input: impl Read) -> Result<Secret, CliError> {
    let text = text(input, MAX_BYTES)?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(CliError::Failed("standard input has no password; write one line to it".to_owned()));
    }
    if text.len() > MAX_BYTES || password.contains('\n') {
        return Err(CliError::Failed(
            "standard input has more than one line; write only the password to it".to_owned(),
        ));
    }
    Ok(Secret::new(password.to_owned()))
}

/// So many lines, each a password.
fn lines(input: impl Read, count: usize) -> Result<Vec<Secret>, CliError> {
    let text = text(input, MAX_BYTES.saturating_mul(count))?;
    let passwords: Vec<&str> = text.lines().collect();
    if passwords.len() != count || passwords.iter().any(|word| word.is_empty() || word.len() > MAX_BYTES) {
        return Err(CliError::Failed(format!(
            "standard input must hold {count} lines, each with the password of one --user, in their order"
        )));
    }
    Ok(passwords.into_iter().map(|password| Secret::new(password.to_owned())).collect())
}

/// The input, or one byte more than `most`.
fn text(input: impl Read, most: usize) -> Result<Zeroizing<String>, CliError> {
    let mut text = Zeroizing::new(String::with_capacity(most.saturating_add(1)));
    let read = input.take(most as u64 + 1).read_to_string(&mut text);
    read.map_err(|e| CliError::Failed(format!("cannot read the password: {e}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_end_is_no_part_of_the_password() {
        for text in ["s3cret", "s3cret\n", "s3cret\r\n"] {
            assert_eq!(read(text.as_bytes()).unwrap().expose(), "s3cret");
        }
        assert_eq!(read(" two words \n".as_bytes()).unwrap().expose(), " two words ");
    }

    #[test]
    fn several_passwords_stand_on_a_line_each() {
        let words = lines("one\r\n two \n".as_bytes(), 2).unwrap();
        assert_eq!(words.iter().map(Secret::expose).collect::<Vec<_>>(), ["one", " two "]);
        for text in
            ["one", "one\n", "one\n\n", "\none", "one\ntwo\nthree", &format!("one\n{}", "x".repeat(2000))]
        {
            assert!(matches!(lines(text.as_bytes(), 2), Err(CliError::Failed(_))), "{text:?}");
        }
    }

    #[test]
    fn no_password_and_more_than_one_line_are_refused() {
        for text in ["", "\n", "\r\n", "one\ntwo\n", &"x".repeat(1025)] {
            assert!(matches!(read(text.as_bytes()), Err(CliError::Failed(_))), "{text:?}");
        }
        assert!(read(&b"\xff\n"[..]).is_err());
    }
}
