//! Why the server ends to begin anew, and when it does not.

use crate::admin::settings;
use crate::services::Game;

/// Who has the server begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestartedBy {
    /// The Server Operator: on the page, or by a command.
    Operator,
    /// The server itself, for a reason that was logged.
    Itself,
}

/// Whether a server that wants to begin anew by itself would run then. If not, it goes on as it is, because nobody could play on one that does
/// not come back: that is logged, if it is not what was `told` before. Returned is what is told by now.
pub(super) fn may_restart(game: &Game, told: Option<&str>) -> (Option<String>, bool) {
    let Some(error) = settings::keeps_from_starting(game).map(|error| error.to_string()) else {
        return (None, true);
    };
    if told != Some(&*error) {
        log::error!(
            "the server would restart by itself, but could not start again: {error}; correct it, and it restarts"
        );
    }
    (Some(error), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_would_not_come_back_goes_on_as_it_is() {
        let (mut game, folder) = Game::for_tests();
        let file = folder.path().join("mcos.toml");
        game.config.file = Some(file.clone());
        assert_eq!(may_restart(&game, None), (None, true), "no file is needed");
        std::fs::write(&file, "[shard]\nname = 7\n").unwrap();
        let (told, may) = may_restart(&game, None);
        assert!(!may && told.as_ref().is_some_and(|why| why.contains("line 2")), "{told:?}");
        assert_eq!(may_restart(&game, told.as_deref()), (told.clone(), false));
        // A box starts whatever the file says.
        game.config.box_folder = Some(folder.path().to_owned());
        assert_eq!(may_restart(&game, None), (None, true));
        game.config.box_folder = None;
        std::fs::write(&file, "[shard]\nname = \"Seven\"\n").unwrap();
        assert_eq!(may_restart(&game, told.as_deref()), (None, true));
    }
}
