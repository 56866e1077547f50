//! Two players race with the game, and look at the pages afterwards: result, record, board and money are there, and nobody sees what the
//! other has.

use crate::races::{FEE, MINUTE, Racer, arrive, server, start};
use crate::support::browser::{Answer, Browser};
use crate::support::{PASSWORD, Raw, Server};
use mco_proto::ids::RaceId;
use mco_proto::mcots::race::{Damage, Damages, FinalResults, PostRaceDamage};
use mcos::catalog::rules;
use smol::block_on;

/// What a browser without TLS and without cookies sees.
fn look(server: &Server, path: &str, status: &str) -> String {
    let mut raw = Raw::connect(server.port("http"));
    raw.send(format!("GET {path} HTTP/1.0\r\nHost: mcos.local\r\n\r\n").as_bytes());
    let answer = String::from_utf8(raw.receive_all()).unwrap();
    assert!(answer.starts_with(&format!("HTTP/1.0 {status}")), "{path}: {answer}");
    answer
}

fn browser(server: &Server, user: &str) -> Browser {
    let mut browser = Browser::new(server);
    let answer: Answer =
        browser.fill_in("/me/sign-in", "/me/sign-in", &format!("name={user}&password={PASSWORD}"));
    assert_eq!((answer.status, answer.header("location").next()), (303, Some("/me")), "{}", answer.text());
    assert!(answer.header("set-cookie").all(
        |cookie| cookie.starts_with("__Host-") && cookie.contains("; Secure; HttpOnly; SameSite=Strict")
    ));
    browser
}

/// A racer says how bad a part of its car is.
async fn damaged(racer: &mut Racer, race: RaceId, percent: u8) {
    let part = racer.mcots.car(racer.car).await.unwrap().parts[0].part;
    let report = PostRaceDamage { race, parts: Damages::new(vec![Damage::new(part, percent, 100)]).unwrap() };
    racer.mcots.mcots().send(&report).await.unwrap();
}

/// Both race, and the second wins. The race, and what each has in the bank afterwards.
async fn race(racers: &mut [Racer]) -> (RaceId, Vec<u32>) {
    let race = start(racers).await;
    racers[1].drive(race, MINUTE * 2).await;
    damaged(&mut racers[1], race, 37).await;
    racers[0].drive(race, MINUTE * 3).await;
    for racer in racers.iter_mut() {
        let results: FinalResults = racer.mcots.pushed().await.unwrap();
        assert_eq!((results.race, results.flags), (race, FinalResults::AGAIN));
    }
    damaged(&mut racers[0], race, 62).await;
    let mut money = Vec::new();
    for racer in racers.iter_mut() {
        money.push(racer.mcots.player_info().await.unwrap().bank_balance);
    }
    (race, money)
}

/// Dollars as the pages write them.
fn dollars(sum: u32) -> String {
    assert!((1000..1_000_000).contains(&sum), "{sum}");
    format!("${},{:03}", sum / 1000, sum % 1000)
}

#[test]
fn two_players_race_and_see_result_record_board_and_their_own_money_on_the_pages() {
    let mut server = server(2);
    let (id, money, personas) = block_on(async {
        let mut racers = arrive(&server, 2).await;
        let live = look(&server, "/live", "200");
        assert!(
            live.contains("Players online: 2") && live.contains("Driver 1") && live.contains("garage"),
            "{live}"
        );
        let (race, money) = race(&mut racers).await;
        let live = look(&server, "/live", "200");
        assert!(
            live.contains("No race is driven") && live.contains("fee $250"),
            "the pit waits for the next run: {live}"
        );
        let personas = racers.iter().map(|racer| racer.driver.persona).collect::<Vec<_>>();
        for racer in racers {
            racer.mcots.logout().await.unwrap();
        }
        (race.0, money, personas)
    });
    assert_ne!(money[0], money[1]);
    for restarted in [false, true] {
        let race = format!("/races/{id}");
        for (path, parts) in [
            ("/races", vec![race.as_str(), "Driver 1", "2:00.00"]),
            (
                &race,
                vec!["Driver 1", "2:00.00", "1:00.00", "37 %", "62 %", "record", "V-8 Coupe", "fee $250"],
            ),
            ("/records", vec!["Driver 1", "2:00.00", "fat fender"]),
            ("/boards", vec!["Driver 1"]),
            ("/boards?board=winnings", vec![&*dollars(rules::share(rules::purse(FEE, 2), 2, 0))]),
            ("/players/driver%201", vec!["Driver 1", "2:00.00", &race]),
            ("/news", vec!["Driver 1 beats Driver 0"]),
            ("/api/v1/records", vec!["\"name\":\"Driver 1\"", "\"time_ms\":120000"]),
            (&*format!("/api/v1/races/{id}"), vec!["\"damage\":62", "\"place\":1"]),
        ] {
            let page = look(&server, path, "200");
            for part in parts {
                assert!(page.contains(part), "{path}: {part}: {page}");
            }
            for money in &money {
                assert!(
                    !page.contains(&dollars(*money)) && !page.contains(&money.to_string()),
                    "{path}: {page}"
                );
            }
        }
        let mut browsers = [browser(&server, "driver0"), browser(&server, "driver1")];
        for (own, browser) in browsers.iter_mut().enumerate() {
            let other = 1 - own;
            for path in [
                "/me",
                "/me/money",
                "/me/garage",
                "/me/mail",
                "/me/money.svg",
                &race,
                "/players",
                "/boards?board=winnings",
            ] {
                let page = browser.look(path);
                // After the fee the winner had as much as the loser has now, and sees that in its own ledger.
                assert!(own == 1 || !page.contains(&dollars(money[other])), "{path}: {page}");
            }
            let page = browser.look("/me/money");
            assert!(
                page.contains(&dollars(money[own]))
                    && page.contains(&format!("Entry fee of the race at Harbor Loop (race {id})")),
                "{page}"
            );
            assert_eq!(
                page.contains(&format!("Prize money of the race at Harbor Loop (race {id})")),
                own == 1,
                "{page}"
            );
            assert!(browser.look(&race).contains("paid $250"));
            for path in ["money", "garage", "mail", "money.svg"] {
                let theirs = browser.send(&format!("/me/{path}?persona={}", personas[other]), None);
                assert_eq!(theirs.status, 404, "{path}");
            }
        }
        if !restarted {
            assert!(server.stop().success());
            server.start();
        }
    }
    let (mut racers, before) = (block_on(arrive_again(&server)), id);
    let (next, _) = block_on(race(&mut racers));
    assert!(next.0 > before, "the number of a race is not given out twice: {next} after {before}");
}

/// The same two come back.
async fn arrive_again(server: &Server) -> Vec<Racer> {
    let mut racers = Vec::new();
    for number in 0..2 {
        racers.push(Racer::come_back(server, number).await);
    }
    racers
}
