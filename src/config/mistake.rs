//! Mistakes in a configuration, told in one line.

use std::fmt;
use std::path::Path;

/// A mistake in a configuration. Displayed in one line with file, line and key, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// The key with its section, such as `network.http`.
    pub key: Option<String>,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// The same for a person who has the file open in an editor and does not care in which folder it is.
    pub fn in_words(&self) -> String {
        let file = Path::new(&self.file)
            .file_name()
            .map_or_else(|| self.file.as_str().into(), |name| name.to_string_lossy());
        let line = self.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let key = self.key.as_ref().map(|key| format!(", {key}")).unwrap_or_default();
        format!("{file}{line}{key}: {}", self.problem)
    }
}

/// Why a box, which starts in any case, does not do what its configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub error: ConfigError,
    /// What counts because of the mistake, such as "the default is used".
    pub instead: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (error, instead) = (self.error.in_words(), &self.instead);
        write!(f, "{error}. Until that is corrected and the server started again, {instead}")
    }
}
