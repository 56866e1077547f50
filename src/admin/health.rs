//! What is wrong with the server, and which settings the Server Operator may want to change.

use crate::appliance;
use crate::clock::Now;
use crate::config::Registration;
use crate::services::Game;
use mco_proto::ids::DealerId;

/// The port of Persona, built into the Client.
const PERSONA: u16 = 8228;
/// The port of MCOTS, built into the Client.
const MCOTS: u16 = 43_300;
/// The port of Patch, built into the Client.
const PATCH: u16 = 80;

/// The dealer that the Client asks for a new persona (*seen in use*).
const FIRST_DEALER: DealerId = DealerId(8);

/// What is wrong and what to do: one sentence for each, without a full stop.
pub fn troubles(game: &Game) -> Vec<String> {
    let mut troubles = Vec::new();
    troubles.extend(game.config.mistakes.iter().map(ToString::to_string));
    troubles.extend(game.store.trouble().map(|trouble| trouble.to_string()));
    if game.store.was_repaired() {
        troubles.push(
            "the database was damaged at this start and was rebuilt from the backup beside it, or empty if there was none, so all \
             changes after that backup are lost; the card may be worn out: download a backup now, and replace the card soon"
                .to_owned(),
        );
    }
    troubles.extend(moved_ports(game));
    troubles.extend(game.config.box_folder.iter().flat_map(|folder| appliance::notes(folder)));
    troubles
}

/// Ports that differ from those built into the Client.
fn moved_ports(game: &Game) -> Vec<String> {
    let ports = &game.ports;
    let mut warnings = Vec::new();
    for (service, port, built_in) in
        [("Persona", ports.persona, PERSONA), ("MCOTS", ports.mcots, MCOTS), ("Patch", ports.http, PATCH)]
    {
        if port != built_in {
            warnings.push(format!(
                "{service} is on port {port}, but the game knows only {built_in}: forward that port, or change it back"
            ));
        }
    }
    warnings
}

/// What is wrong and what may be changed: one sentence for each, without a full stop.
pub fn of(game: &Game, now: Now) -> Vec<String> {
    let network = &game.config.network;
    let mut warnings = troubles(game);
    if network.legacy_tls {
        warnings.push(
            "SSL 3.0 and TLS 1.0 are on, for Windows XP to 8; if all players have a newer Windows, set network.legacy_tls = false"
                .to_owned(),
        );
    }
    if game.config.accounts.registration == Registration::Open {
        warnings.push(
            "anybody who can reach this server can make an account; to change that, set accounts.registration = \"operator\"".to_owned(),
        );
    }
    let cash = game.config.game.starter_cash;
    let offers = game.catalog.offers(FIRST_DEALER, 0, now.day());
    if let Some(cheapest) = offers.iter().map(|offer| offer.price).min().filter(|price| *price > cash) {
        warnings.push(format!(
            "a new driver has {cash} dollars, but the cheapest car of the first dealer costs {cheapest}, so the city adds the rest: \
             raise game.starter_cash to let them choose"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Mistake};
    use crate::store::{OperatorPassword, Store};

    #[test]
    fn starter_cash_that_buys_no_car_is_pointed_out() {
        let (mut game, _folder) = Game::for_tests();
        let about_cash =
            |game: &Game| of(game, Now::read()).iter().any(|warning| warning.contains("starter_cash"));
        assert!(!about_cash(&game));
        game.config.game.starter_cash = 5000;
        assert!(about_cash(&game));
    }

    #[test]
    fn a_port_that_the_client_will_not_find_is_pointed_out() {
        let (mut game, _folder) = Game::for_tests();
        assert!(!of(&game, Now::read()).iter().any(|warning| warning.contains("port")));
        game.ports.http = 8080;
        assert!(of(&game, Now::read())[0].starts_with("Patch is on port 8080"));
    }

    #[test]
    fn a_database_that_had_to_be_repaired_is_pointed_out() {
        let (mut game, folder) = Game::for_tests();
        let data = folder.path().join("another");
        let store = Store::open(&data).unwrap();
        let password = OperatorPassword::new("correct horse").unwrap();
        store.operator().set_password(&password).unwrap().ticket.wait().unwrap();
        drop(store);
        std::fs::remove_dir_all(data.join("database")).unwrap();
        game.store = Store::open(&data).unwrap();
        assert!(troubles(&game)[0].starts_with("the database was damaged at this start"));
    }

    #[test]
    fn what_the_programs_of_the_box_have_to_say_is_passed_on() {
        let (mut game, folder) = Game::for_tests();
        std::fs::create_dir(folder.path().join("notes")).unwrap();
        std::fs::write(folder.path().join("notes/wifi"), "wifi.txt is not used\r\n\nnor is line 3\n")
            .unwrap();
        std::fs::write(folder.path().join("notes/backup"), "the stick is full\n").unwrap();
        assert_eq!(troubles(&game), Vec::<String>::new(), "this is no box");
        game.config.box_folder = Some(folder.path().to_owned());
        assert_eq!(troubles(&game), ["the stick is full", "wifi.txt is not used", "nor is line 3"]);
    }

    #[test]
    fn a_mistake_in_the_configuration_comes_first() {
        let (mut game, _folder) = Game::for_tests();
        assert_eq!(troubles(&game), Vec::<String>::new());
        let error = Config::parse("[shard]\nnname = 1").unwrap_err();
        game.config.mistakes = vec![Mistake { error, instead: "it is ignored".to_owned() }];
        game.ports.http = 8080;
        assert!(troubles(&game)[0].starts_with("mcos.toml, line 2, shard.nname: unknown key"));
        assert_eq!(of(&game, Now::read())[0], troubles(&game)[0]);
    }
}
