//! What an Operator should know: why nothing can be saved, and what about the configuration may be regretted.

use super::Game;
use crate::config::Registration;

/// The port of Persona, built into the Client.
const PERSONA: u16 = 8228;
/// The port of MCOTS, built into the Client.
const MCOTS: u16 = 43_300;
/// The port of Patch, built into the Client.
const PATCH: u16 = 80;

/// One sentence for each.
pub fn of(game: &Game) -> Vec<String> {
    let (network, ports) = (&game.config.network, &game.ports);
    let mut warnings = Vec::new();
    warnings.extend(game.store.trouble().map(|trouble| trouble.to_string()));
    for (service, port, built_in) in
        [("Persona", ports.persona, PERSONA), ("MCOTS", ports.mcots, MCOTS), ("Patch", ports.http, PATCH)]
    {
        if port != built_in {
            warnings.push(format!(
                "{service} is on port {port}, but the game knows only {built_in}: forward that port, or change it back"
            ));
        }
    }
    if network.legacy_tls {
        warnings.push(
            "SSL 3.0 and TLS 1.0 are spoken, for Windows XP to 8; if all players have newer ones, set network.legacy_tls = false"
                .to_owned(),
        );
    }
    if game.config.accounts.registration == Registration::Open {
        warnings.push(
            "everybody who reaches this server can make an account; accounts.registration = \"operator\" changes that".to_owned(),
        );
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_the_client_will_not_find_is_pointed_out() {
        let (mut game, _folder) = Game::for_tests();
        assert!(!of(&game).iter().any(|warning| warning.contains("port")));
        game.ports.http = 8080;
        assert!(of(&game)[0].starts_with("Patch is on port 8080"));
    }
}
