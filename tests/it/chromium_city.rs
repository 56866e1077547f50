//! Two players in two browsers of today: they trade, bid against each other, found a club and run a race night, while the game, which
//! simulated Clients play, shows at once whose car it is.

use crate::races::{MINUTE, Racer, server, start};
use crate::support::browser::Browser as Wire;
use crate::support::chromium::Chromium;
use crate::support::{PASSWORD, Server};
use mco_proto::ids::{BrandedPartId, DealerId, SkinId, VehicleId};
use mco_proto::mcots::Message as _;
use mco_proto::mcots::garage::PurchaseStockCar;
use mco_proto::mcots::race::FinalResults;
use mcos::catalog::Catalog;
use mcos::clock::{Now, moment};
use mcos::services::deals::CityRules;
use mcos::store::Store;
use smol::block_on;
use std::thread::sleep;
use std::time::Duration;

/// What is done with a field of a form.
enum Field<'a> {
    Text(&'a str, String),
    Choose(&'a str, String),
    Tick(&'a str, String),
}
use Field::{Choose, Text, Tick};

/// A player at a browser.
struct Player {
    browser: Chromium,
    site: String,
    persona: u32,
}

impl Player {
    fn sign_in(server: &Server, racer: &Racer, number: usize) -> Option<Self> {
        let profile = server.path().join(format!("browser{number}"));
        let browser = Chromium::start(&profile)?;
        let site = format!("http://127.0.0.1:{}", server.port("http"));
        let player = Self { browser, site, persona: racer.driver.persona.0 };
        player.sees("/me/sign-in", "Account name");
        player.browser.fill("[name=name]", &format!("driver{number}"));
        player.browser.fill("[name=password]", PASSWORD);
        player.browser.click("form[action='/me/sign-in'] [type=submit]");
        player.browser.shows(&format!("Driver {number}"));
        Some(player)
    }

    fn open(&self, path: &str) {
        let sign = if path.contains('?') { '&' } else { '?' };
        self.browser.open(&format!("{}{path}{sign}persona={}", self.site, self.persona));
    }

    /// Opens a page, on which this is to be read.
    fn sees(&self, path: &str, wanted: &str) {
        self.open(path);
        self.browser.shows(wanted);
    }

    /// Fills in the form of a page and sends it; then this is to be read.
    fn sends(&self, page: &str, form: &str, fields: &[Field<'_>], wanted: &str) {
        self.open(page);
        for field in fields {
            match field {
                Text(name, text) => {
                    let css = format!("{form} [name={name}]");
                    self.browser.clear(&css);
                    self.browser.fill(&css, text);
                }
                Choose(name, value) => {
                    self.browser.click(&format!("{form} [name={name}] option[value='{value}']"));
                }
                Tick(name, value) => self.browser.click(&format!("{form} [name={name}][value='{value}']")),
            }
        }
        self.browser.click(&format!("{form} [type=submit]"));
        self.browser.shows(wanted);
    }
}

/// The form that goes there.
fn to(action: &str) -> String {
    format!("form[action='{action}']")
}

/// The form of a page with several that does this.
fn does(what: &str) -> String {
    format!("form:has(input[name=do][value={what}])")
}

async fn buys(racer: &mut Racer) -> VehicleId {
    let (dealer, model, skin) = (DealerId(8), BrandedPartId(101), SkinId(0));
    let wish = PurchaseStockCar { dealer, model, skin, trade_in: VehicleId(0) };
    VehicleId(racer.mcots.order(wish.body()).await.unwrap().data)
}

async fn cars(racer: &mut Racer) -> Vec<VehicleId> {
    racer.mcots.cars().await.unwrap().iter().map(|car| car.vehicle).collect()
}

/// Three players of level 10 who can pay.
fn come(server: &mut Server) -> Vec<Racer> {
    block_on(async {
        for racer in crate::races::arrive(server, 3).await {
            racer.mcots.logout().await.unwrap();
        }
    });
    assert!(server.stop().success());
    let store = Store::open(&server.data()).unwrap();
    for persona in store.personas().list().unwrap() {
        let _ = store.personas().update(persona.id, |persona| persona.level = 10).unwrap();
        let _ = store.personas().grant(persona.id, 100_000, "to begin with", Now::read()).unwrap();
    }
    drop(store);
    server.start();
    block_on(async {
        let mut racers = Vec::new();
        for number in 0..3 {
            racers.push(Racer::come_back(server, number).await);
        }
        racers
    })
}

/// Plans a race night of the club that begins soon, however slow the machine is: when it ends.
fn plan(captain: &Player) -> u64 {
    for lead in [5, 20, 80, 320] {
        let begin = Now::read().unix + lead;
        let end = begin + 3600;
        let fields = [
            Text("name", "Club night".to_owned()),
            Choose("lobby", "10001".to_owned()),
            Text("start", moment(begin)),
            Text("end", moment(end)),
            Text("fee", "500".to_owned()),
        ];
        captain.sends("/me/events", &does("plan"), &fields, "Race nights of");
        let page = captain.browser.text().unwrap();
        if page.contains("is planned") {
            while Now::read().unix <= begin {
                sleep(Duration::from_millis(100));
            }
            return end;
        }
        assert!(page.contains("beginning is over"), "{page}");
    }
    panic!("the machine is too slow to plan anything");
}

#[test]
fn two_browsers_trade_bid_found_a_club_and_run_a_race_night_and_the_winner_drives_the_car_that_was_won() {
    let mut server = server(3);
    let mut racers = come(&mut server);
    let Some(ann) = Player::sign_in(&server, &racers[0], 0) else { return };
    let bob = Player::sign_in(&server, &racers[1], 1).expect("a second one");
    let end = block_on(async {
        // A trade: Ann's second car for 700 dollars.
        let traded = buys(&mut racers[0]).await;
        ann.sends(
            "/trades",
            &to("/trades/open"),
            &[Text("with", "Driver 1".to_owned())],
            "Driver 1 is told by mail",
        );
        ann.sends("/trades/1", &to("/trades/offer"), &[Tick("goods", format!("c{traded}"))], "is changed");
        bob.sends("/trades/1", &to("/trades/offer"), &[Text("dollars", "700".to_owned())], "is changed");
        bob.sends("/trades/1", &to("/trades/accept"), &[], "You have accepted");
        ann.sends("/trades/1", &to("/trades/accept"), &[], "The trade is done");
        assert!(cars(&mut racers[1]).await.contains(&traded), "172");

        // An auction of a third player, in which both bid until one of them buys.
        let prize = buys(&mut racers[2]).await;
        let mut third = Wire::new(&server);
        let form = format!("name=driver2&password={PASSWORD}");
        assert_eq!(third.fill_in("/me/sign-in", "/me/sign-in", &form).status, 303);
        let form =
            format!("persona={}&goods=c{prize}&start=50&buy_now=300&hours=1", racers[2].driver.persona);
        assert_eq!(third.fill_in("/auctions", "/auctions/open", &form).status, 303);
        let number = 2;
        let page = format!("/auctions/{number}");
        let bid = |dollars: &str| [Text("dollars", dollars.to_owned())];
        let form = format!("{}:has([type=text])", to("/auctions/bid"));
        ann.sends(&page, &form, &bid("60"), "$60 are held");
        bob.sends(&page, &form, &bid("61"), "at least 63 dollars");
        bob.sends(&page, &form, &bid("70"), "$70 are held");
        ann.sees("/me/mail", "You were outbid");
        ann.sends(&page, &form, &bid("300"), "It is yours for $300");
        assert!(cars(&mut racers[0]).await.contains(&prize), "172");
        bob.sees(&page, "This deal is over");

        // A club: Ann founds it, Bob asks, Ann lets him in.
        let club = [
            Text("name", "Night Riders".to_owned()),
            Text("acronym", "NR".to_owned()),
            Text("description", "We race.".to_owned()),
        ];
        ann.sends("/me/club", &does("found"), &club, "Night Riders");
        bob.sends("/me/club", &does("ask"), &[], "Night Riders");
        let answer = format!("{}:has(option[value=admit])", does("member"));
        ann.sends("/me/club", &answer, &[Choose("answer", "admit".to_owned())], "Driver 1");
        bob.sees("/clubs/NR", "Driver 1");

        // Its race night, which Ann wins with the car that she has won.
        let end = plan(&ann);
        for player in [&ann, &bob] {
            player.sends("/me/events", &does("register"), &[], "You are registered");
        }
        racers[0].car = prize;
        racers[1].car = traded;
        racers.truncate(2);
        let race = start(&mut racers).await;
        for (racer, time) in racers.iter_mut().zip([MINUTE * 2, MINUTE * 3]) {
            racer.drive(race, time).await;
        }
        for racer in &mut racers {
            let results: FinalResults = racer.pushed().await;
            assert_eq!(results.race, race);
        }
        bob.sees("/events/1", "2:00.00");
        for racer in racers {
            racer.mcots.logout().await.unwrap();
        }
        end
    });
    drop((ann, bob));
    // The time until the end passes while the server is off.
    assert!(server.stop().success());
    let store = Store::open(&server.data()).unwrap();
    let catalog = Catalog::builtin();
    let turned = store.nights().turn(&CityRules(&catalog), Now { unix: end, ..Now::read() }).unwrap();
    let prizes: Vec<u32> =
        turned[0].value.night.outcome.as_ref().unwrap().prizes.iter().map(|(_, dollars)| *dollars).collect();
    assert_eq!(prizes, [700, 300], "70 and 30 percent of two fees");
    drop(turned);
    drop(store);
    assert!(server.must(&["ledger", "check"], "").contains("the ledger is right"));
}
