//! Why the server ends to begin anew.

/// Who has the server begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestartedBy {
    /// The Server Operator: on the page, or by a command.
    Operator,
    /// The server itself, for a reason that was logged.
    Itself,
}
