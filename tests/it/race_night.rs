//! A race night from the operator's form to the winner's mail: simulated Clients register on the pages and race with the game.

use crate::races::{MINUTE, Racer, arrive, server, start};
use crate::support::browser::Browser;
use crate::support::{PASSWORD, PATIENCE, Server};
use mco_proto::mcots::race::FinalResults;
use mcos::catalog::Catalog;
use mcos::clock::{Now, moment};
use mcos::services::deals::CityRules;
use mcos::store::Store;
use smol::block_on;
use std::thread;
use std::time::Duration;

fn signed_in(server: &Server, user: &str) -> Browser {
    let mut browser = Browser::new(server);
    let answer = browser.fill_in("/me/sign-in", "/me/sign-in", &format!("name={user}&password={PASSWORD}"));
    assert_eq!(answer.status, 303, "{}", answer.text());
    browser
}

async fn money(racer: &mut Racer) -> u32 {
    racer.mcots.player_info().await.unwrap().bank_balance
}

/// Plans a race night that begins soon, however slow the machine is, and lasts `length` seconds: when it begins and ends.
fn plan(operator: &mut Browser, length: u64, fields: &str) -> (u64, u64) {
    for lead in [5, 20, 80, 320] {
        let begin = Now::read().unix + lead;
        let at = |unix: u64| moment(unix).replace(' ', "+");
        let fields =
            format!("do=plan&lobby=10001&most=8&start={}&end={}&{fields}", at(begin), at(begin + length));
        let answer = operator.fill_in("/operator/events", "/operator/events", &fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
        let page = operator.look("/operator/events");
        if page.contains("The race night is planned") {
            return (begin, begin + length);
        }
        assert!(page.contains("beginning is over"), "{page}");
    }
    panic!("the machine is too slow to plan anything");
}

/// Asks for a page until it says what is wanted.
fn wait_for(browser: &mut Browser, path: &str, wanted: &str, until: u64) {
    while !browser.look(path).contains(wanted) {
        let page = browser.look(path);
        assert!(Now::read().unix < until || page.contains(wanted), "{page}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_operator_plans_a_race_night_and_the_winner_is_paid_and_told() {
    const HOUR: u64 = 3600;
    let mut server = server(2);
    let mut operator = server.operator();
    let patience = PATIENCE.as_secs() + 30;
    let (begin, end) = plan(&mut operator, 6 * HOUR, "name=Friday+night&fee=500&purse=1000");
    let (_, soon) = plan(&mut operator, 1, "name=Nobody+comes");
    let (after, personas) = block_on(async {
        let mut racers = arrive(&server, 2).await;
        for (number, racer) in racers.iter_mut().enumerate() {
            let before = money(racer).await;
            let mut browser = signed_in(&server, &format!("driver{number}"));
            let fields = format!("persona={}&do=register&night=1", racer.driver.persona);
            let _ = browser.fill_in("/me/events", "/me/events", &fields);
            let page = browser.look("/me/events");
            assert!(page.contains("You are registered"), "{page}");
            assert_eq!(money(racer).await, before - 500);
        }
        wait_for(&mut operator, "/events/1", "<td>running</td>", begin + patience);
        let race = start(&mut racers).await;
        racers[1].drive(race, MINUTE * 2).await;
        racers[0].drive(race, MINUTE * 3).await;
        let mut after = Vec::new();
        for racer in &mut racers {
            let results: FinalResults = racer.pushed().await;
            assert_eq!(results.race, race);
            after.push(money(racer).await);
        }
        let table = operator.look("/events/1");
        let place = |name: &str| table.find(&format!(">{name}<")).unwrap();
        assert!(place("Driver 1") < place("Driver 0"), "{table}");
        assert!(table.contains("2:00.00") && table.contains("$2,000"), "{table}");
        let personas: Vec<_> = racers.iter().map(|racer| racer.driver.persona).collect();
        for racer in racers {
            racer.mcots.logout().await.unwrap();
        }
        (after, personas)
    });
    // The server ends by itself what is over: the other one, in which nobody has driven.
    wait_for(&mut operator, "/events/2", "nobody has a result", soon + patience);
    assert!(operator.look("/events/1").contains("<td>running</td>"));
    // The hours until the end pass while the server is off.
    assert!(server.stop().success());
    let store = Store::open(&server.data()).unwrap();
    for again in [false, true] {
        let turned =
            store.nights().turn(&CityRules(&Catalog::builtin()), Now { unix: end, ..Now::read() }).unwrap();
        assert_eq!(turned.is_empty(), again);
    }
    drop(store);
    server.start();
    block_on(async {
        // 70 and 30 percent of the fees and the city's part.
        for (number, (after, prize)) in after.into_iter().zip([600, 1400]).enumerate() {
            let mut racer = Racer::come_back(&server, number).await;
            assert_eq!(money(&mut racer).await, after + prize);
            racer.mcots.logout().await.unwrap();
            let mut browser = signed_in(&server, &format!("driver{number}"));
            let place = format!("place {} of 2. The prize of {prize} dollars", 2 - number);
            let mails = (1..9)
                .map(|mail| browser.look(&format!("/me/mail?persona={}&mail={mail}", personas[number])));
            assert!(mails.into_iter().any(|mail| mail.contains(&place)), "{place}");
            assert!(browser.look("/players/driver%201").contains("Won Friday night"));
            assert!(browser.look("/news").contains("Driver 1 wins the race night Friday night"));
            assert!(browser.look("/events/1").contains("<td>over</td>"));
        }
    });
    server.must(&["ledger", "check"], "");
}
