//! What is wrong with the server, and which settings the Server Operator may want to change.

use super::machine::Machine;
use crate::appliance;
use crate::clock::Now;
use crate::config::Registration;
use crate::services::{AUTH_PORT, Game, Ports};
use crate::store::{Store, UncountedResults};
use crate::world::{DifferentFiles, RefusedAddress};
use mco_proto::ids::{DealerId, PersonaId};

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
        let lost = if game.store.has_lost_changes() {
            "was rebuilt from the backup beside it, or empty if there was none, so all changes after that backup are lost"
        } else {
            "was rebuilt from the backup and the journal beside it, so nothing is lost"
        };
        troubles.push(format!(
            "the database was found damaged and {lost}; the card may be worn out: download a backup now, and replace \
             the card soon"
        ));
    }
    if Store::waits_for_password(&game.data) {
        troubles.push(
            "a backup waits to be restored, but it is encrypted: give its password on the page Backup, or discard it there".to_owned(),
        );
    }
    troubles.extend(moved_ports(&game.ports));
    if game.ports.http != PATCH {
        troubles.push(format!(
            "Patch is on port {}, but the game knows only {PATCH}: forward that port, or change it back",
            game.ports.http
        ));
    }
    troubles.extend(game.config.box_folder.iter().flat_map(|folder| appliance::notes(folder)));
    troubles
}

/// Ports without which nobody can play, where they differ from those built into the Client: one sentence for each.
pub fn moved_ports(ports: &Ports) -> Vec<String> {
    [
        ("Auth (HTTPS)", ports.https, AUTH_PORT, "cannot sign in without it"),
        ("Persona", ports.persona, PERSONA, "stops after signing in"),
        ("MCOTS", ports.mcots, MCOTS, "stops after signing in"),
    ]
    .into_iter()
    .filter(|(_, port, built_in, _)| port != built_in)
    .map(|(service, port, built_in, effect)| {
        format!(
            "{service} is on port {port}, but the game knows only {built_in} and {effect}: forward port {built_in} to it, or change it back"
        )
    })
    .collect()
}

/// What is wrong and what may be changed: one sentence for each, without a full stop.
pub fn of(game: &Game, now: Now) -> Vec<String> {
    let network = &game.config.network;
    let mut warnings = troubles(game);
    if game.store.is_being_checked() {
        warnings.push(
            "the database is being checked, as at each start; what is changed meanwhile is saved when that is done".to_owned(),
        );
    }
    if game.store.wants_backup_password() {
        warnings.push(
            "a backup that was restored here was encrypted, but this server has no password for backups, so what it makes is in clear: set one \
             on the page Backup, or say there that none is to be encrypted"
                .to_owned(),
        );
    }
    warnings.extend(Machine::here().warnings());
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
    if network.allow.iter().any(|allowed| allowed.is_everybody()) {
        warnings.push(
            "network.allow lets everybody in, so what your router forwards can be reached from the internet: name the networks of your \
             players, or use a VPN"
                .to_owned(),
        );
    }
    warnings.extend(refused_addresses(game));
    warnings.extend(turned_away(game));
    warnings.extend(uncounted(game, now));
    warnings.extend(different_files(game, now));
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

/// The most drivers or addresses that are named.
const MOST_NAMES: usize = 5;

/// Addresses that are not let in.
fn refused_addresses(game: &Game) -> Option<String> {
    let all = game.world.access_list.all_refused();
    let more = all.len().saturating_sub(MOST_NAMES);
    let named = all.iter().take(MOST_NAMES).map(|RefusedAddress { address, count, last }| {
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        format!("{address} ({times}, last on {})", game.zone().day(*last))
    });
    let mut named: Vec<String> = named.collect();
    named.extend((more > 0).then(|| format!("{more} more")));
    (!named.is_empty()).then(|| {
        format!(
            "refused since the start, because network.allow does not let them in: {}; if that is a player, add the address or its \
             network to network.allow in mcos.toml, and start the server again",
            named.join(", ")
        )
    })
}

/// Addresses that flood the ports with connections, or did.
fn turned_away(game: &Game) -> Option<String> {
    let (all, now) = (game.world.turned_away.all(), game.world.turned_away.count());
    let more = all.len().saturating_sub(MOST_NAMES);
    let named = all.iter().take(MOST_NAMES).map(|(address, seen)| {
        let times = if seen.count == 1 { "once".to_owned() } else { format!("{} times", seen.count) };
        format!("{address} ({times}, last on {})", game.zone().stamp(seen.last.unix))
    });
    let mut named: Vec<String> = named.collect();
    named.extend((more > 0).then(|| format!("{more} more")));
    (!named.is_empty()).then(|| {
        format!(
            "connections came so fast, since the start, that for 1 to 10 seconds at a time new ones were not answered (addresses \
             for which that is so now: {now}): {}; look what that PC does, ban the address on the page Bans if it is no player, or \
             raise limits.connections_per_second in mcos.toml if many players share it",
            named.join(", ")
        )
    })
}

/// Drivers whose race times were not counted in the last days, those with most of them first.
fn uncounted(game: &Game, now: Now) -> Option<String> {
    // A store that cannot be read is a trouble of its own.
    let mut all = game.store.uncounted_results(now).unwrap_or_default();
    all.sort_by_key(|results| std::cmp::Reverse(results.count));
    let more = all.len().saturating_sub(MOST_NAMES);
    let named = all.iter().take(MOST_NAMES).map(|results| {
        let name = name_of(game, results.persona);
        let UncountedResults { count, race, time, why, last, .. } = results;
        let (seconds, day) = (time / 64, game.zone().day(*last));
        format!("{name} ({count} times, last on {day} in race {race}: {seconds} s is {why})")
    });
    let mut named: Vec<String> = named.collect();
    named.extend((more > 0).then(|| format!("{more} more")));
    (!named.is_empty()).then(|| {
        format!(
            "race times of the last 7 days that were not counted: {}; if they were honest, set game.check_race_times = false",
            named.join(", ")
        )
    })
}

fn name_of(game: &Game, persona: PersonaId) -> String {
    let known = game.store.personas().by_id(persona).ok().flatten();
    known.map_or_else(|| persona.to_string(), |persona| persona.name)
}

/// Drivers who raced with different game files.
fn different_files(game: &Game, now: Now) -> Option<String> {
    let all = game.world.game_files.different(now);
    let more = all.len().saturating_sub(MOST_NAMES);
    let named = all.iter().take(MOST_NAMES).map(|DifferentFiles { racers, last }| {
        let [one, other] = racers.map(|racer| name_of(game, racer));
        format!("{one} and {other} (last on {})", game.zone().day(*last))
    });
    let mut named: Vec<String> = named.collect();
    named.extend((more > 0).then(|| format!("{more} more")));
    (!named.is_empty()).then(|| {
        format!(
            "drivers whose game files differ, so that they may not see the same race: {}; put the right files on the page Patch set, \
             and let both start update.bat of their player kit",
            named.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Mistake};
    use crate::store::{Entrant, Letter, OperatorPassword, Uncounted};
    use crate::world::Source;
    use mco_proto::ids::RaceId;

    #[test]
    fn who_is_turned_away_is_named_with_the_cure_and_when() {
        let (game, _folder) = Game::for_tests();
        let about = || of(&game, Now::read()).into_iter().find(|warning| warning.contains("not answered"));
        assert_eq!(about(), None);
        let now = Now::read();
        let host = |n: u8| Source::of([10, 0, 0, n].into());
        game.world.turned_away.note(host(1), now);
        game.world.turned_away.note(host(1), now);
        game.world.turned_away.set_count(1);
        let told = about().unwrap();
        let last = game.zone().stamp(now.unix);
        assert!(told.contains(&format!("10.0.0.1 (2 times, last on {last});")), "{told}");
        assert!(told.contains("now: 1)") && told.contains("ban the address"), "{told}");
        for n in 2..10 {
            game.world.turned_away.note(host(n), now);
        }
        assert!(about().unwrap().contains(", 4 more;"));
    }

    #[test]
    fn drivers_with_different_game_files_are_named_with_the_cure() {
        let (game, _folder) = Game::for_tests();
        let [doc, marty] = [("doc", "Dr Brown"), ("marty", "Marty")]
            .map(|(account, name)| game.player(account, name, "192.168.1.20".parse().unwrap()).persona);
        let about = || of(&game, Now::read()).into_iter().find(|warning| warning.contains("game files"));
        assert_eq!(about(), None);
        game.world.game_files.compared(marty, doc, false, Now::read());
        let warning = about().unwrap();
        for told in [": Dr Brown and Marty (last on ", "the page Patch set", "update.bat"] {
            assert!(warning.contains(told), "{warning}");
        }
        game.world.game_files.compared(doc, marty, true, Now::read());
        assert_eq!(about(), None);
    }

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
        game.ports = Ports { https: 8443, persona: 8229, mcots: 43301, ..game.ports };
        let warnings = of(&game, Now::read());
        assert!(
            warnings[0]
                .starts_with("Auth (HTTPS) is on port 8443, but the game knows only 443 and cannot sign in")
        );
        assert!(
            warnings[1].starts_with("Persona is on port 8229")
                && warnings[2].starts_with("MCOTS is on port 43301")
        );
    }

    #[test]
    fn who_is_not_let_in_and_that_everybody_is_are_pointed_out() {
        let (mut game, _folder) = Game::for_tests();
        let about =
            |game: &Game| of(game, Now::read()).into_iter().find(|warning| warning.contains("network.allow"));
        assert_eq!(about(&game), None);
        let now = Now { unix: 1_790_000_000, ..Now::read() };
        for _ in 0..3 {
            game.world.access_list.refused("203.0.113.9".parse().unwrap(), now);
        }
        let warning = about(&game).unwrap();
        assert!(
            warning.contains(" in: 203.0.113.9 (3 times, last on 2026-09-21); if that is a player, add"),
            "{warning}"
        );
        for last in 10..16 {
            game.world.access_list.refused(std::net::Ipv4Addr::new(203, 0, 113, last).into(), now);
        }
        assert!(about(&game).unwrap().contains("(once, last on 2026-09-21), 2 more; "));
        assert_eq!(troubles(&game), Vec::<String>::new(), "nothing is wrong with the server");
        game.config.network.allow = vec![crate::config::Allowed::parse("::/0").unwrap()];
        assert!(about(&game).unwrap().starts_with("network.allow lets everybody in"));
    }

    #[test]
    fn drivers_whose_times_were_not_counted_are_named() {
        let (game, _folder) = Game::for_tests();
        let mut drivers = Vec::new();
        for number in 0..7_u8 {
            let peer = "10.10.5.8".parse().unwrap();
            drivers.push(game.player(&format!("player{number}"), &format!("Driver {number}"), peer).persona);
        }
        let not_counted = |persona: PersonaId| {
            let entrant = Entrant { persona, fee: 0, car: None };
            let booking = game.store.races().start(RaceId(88), &[entrant], false, Now::read()).unwrap().value;
            let letter = Letter::city_news("Race: not counted", "text");
            let result = Uncounted { persona, time: 320, why: "too short".to_owned(), letter };
            assert!(game.store.races().refund(booking, &[result], Now::read()).is_ok());
        };
        let about = || of(&game, Now::read()).into_iter().find(|warning| warning.contains("not counted"));
        assert_eq!(about(), None);
        for driver in &drivers {
            not_counted(*driver);
        }
        not_counted(drivers[3]);
        let warning = about().unwrap();
        assert!(warning.contains("not counted: Driver 3 (2 times, last on "), "{warning}");
        assert!(
            warning.contains("in race 88: 5 s is too short)") && warning.contains(", 2 more; "),
            "{warning}"
        );
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
        let said = troubles(&game).remove(0);
        assert!(
            said.starts_with("the database was found damaged") && said.contains("nothing is lost"),
            "{said}"
        );
        game.store = Store::open(&folder.path().join("yet another")).unwrap();
        std::fs::remove_dir_all(data.join("database")).unwrap();
        for entry in std::fs::read_dir(&data).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().contains("journal") {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        game.store = Store::open(&data).unwrap();
        let said = troubles(&game).remove(0);
        assert!(said.contains("all changes after that backup are lost"), "{said}");
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
