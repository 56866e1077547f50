//! Patch: tells the Client's updater that there is nothing to update.

/// The answer to every patch question: the magic number `0xCAFEBEEF` (big-endian), six zero bytes and a 3, whose
/// meaning is unknown (*seen in use* with real Clients).
pub const NOTHING_TO_UPDATE: [u8; 11] = [0xca, 0xfe, 0xbe, 0xef, 0, 0, 0, 0, 0, 0, 3];

/// Whether a path (lower case, without a slash at the end) is one of the updater's questions. `NPS` is also asked
/// for with something behind it (*seen in use*).
pub fn is_question(path: &str) -> bool {
    path.strip_prefix("/games/ea_seattle/motorcity/")
        .is_some_and(|channel| matches!(channel, "updateinfo" | "mco") || channel.starts_with("nps"))
}

#[cfg(test)]
mod tests {
    use super::is_question;

    #[test]
    fn the_three_channels_are_questions_and_nothing_else_is() {
        for channel in ["updateinfo", "mco", "nps", "nps2", "nps/core"] {
            assert!(is_question(&format!("/games/ea_seattle/motorcity/{channel}")), "{channel}");
        }
        for path in ["/games/ea_seattle/motorcity", "/games/ea_seattle/motorcity/mco2", "/nps", "/"] {
            assert!(!is_question(path), "{path}");
        }
    }
}
