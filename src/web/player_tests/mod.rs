//! The pages of the city and those of a player: who sees what, and that nothing from outside brings them down.

mod api;
mod city;
mod clubs;
mod deals;
mod once;
mod own;
mod texts;

use super::tests::{html, tags};
use super::*;
use crate::clock::Now;
use crate::config::HostName;
use crate::services::Game;
use crate::store::{
    BanTarget, CarPurchase, Entrant, Letter, NewPart, NewPersona, Password, Payout, RaceTerms, RacerResult,
    Settlement, Sheet,
};
use crate::world::FailureLimit;
use mco_proto::ids::{BrandedPartId, CustomerId, PersonaId, RaceId, SkinId, VehicleId};
use std::net::{IpAddr, Ipv4Addr};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));
/// A part whose price is known.
const MUFFLER: BrandedPartId = BrandedPartId(300_001);
const RACE: u32 = 0x10_0007;
/// What Bob has in the bank, before and after his race, as it could be written.
const SECRETS: [&str; 4] = ["7654321", "7,654,321", "7655555", "7,655,555"];
const EVIL: &str = "<b>&\"'x";

/// A city with two players of different accounts, one race, and a mail.
struct City {
    game: Game,
    registrations: FailureLimit,
    ann: (CustomerId, PersonaId),
    bob: (CustomerId, PersonaId),
    car: VehicleId,
    _folder: tempfile::TempDir,
}

fn player(game: &Game, account: &str, name: &str, cash: u32) -> (CustomerId, PersonaId) {
    let password = Password::new("Roadster-57").unwrap();
    let customer =
        game.store.accounts().create(account, &password, None, Now::read()).unwrap().value.customer_id;
    let (shard, starter_cash) = (game.config.shard.id, cash);
    let new = NewPersona { name: name.to_owned(), shard, id: None, starter_cash, max_per_customer: 4 };
    (customer, game.store.personas().create(customer, new, Now::read()).unwrap().value.id)
}

impl City {
    fn new() -> Self {
        let (game, folder) = Game::for_tests();
        let (ann, bob) = (player(&game, "ann", EVIL, 5000), player(&game, "bob", "Bob", 7_654_321));
        let purchase = CarPurchase {
            model: BrandedPartId(104),
            skin: SkinId(47),
            flags: 0,
            car_class: 2,
            price: 0,
            parts: vec![NewPart { branded_part: MUFFLER, parent: None, attachment_point: 1 }],
            first_car: false,
        };
        let car = game.store.garage().buy_car(bob.1, purchase.clone(), Now::read()).unwrap().value;
        let _ = game.store.garage().buy_car(ann.1, purchase, Now::read()).unwrap();
        let letter = Letter::city_news("For Bob only", "a secret of Bob's");
        let _ = game.store.mails().send(bob.1, &letter, Now::read()).unwrap();
        let city = Self { game, registrations: FailureLimit::new(10), ann, bob, car, _folder: folder };
        city.race(RACE);
        city
    }

    /// Bob wins against Ann.
    fn race(&self, number: u32) {
        self.race_at(number, Now::read());
    }

    fn race_at(&self, number: u32, now: Now) {
        let races = self.game.store.races();
        let fee = |persona, car| Entrant { persona, fee: 0, car };
        let entrants = [fee(self.bob.1, Some(self.car)), fee(self.ann.1, None)];
        let booking = races.start(RaceId(number), &entrants, false, now).unwrap().value;
        let drive = |persona, place, time| RacerResult {
            persona,
            place: Some(place),
            time,
            class: 2,
            model: BrandedPartId(104),
            ..RacerResult::default()
        };
        let settlement = Settlement {
            race_type: 17,
            racers: 2,
            payouts: vec![
                Payout { persona: self.bob.1, cash: 1234, points: 400, place: Some(0) },
                Payout { persona: self.ann.1, cash: 0, points: 10, place: Some(1) },
            ],
            cars_lost: Vec::new(),
            uncounted: Vec::new(),
            sheet: Sheet {
                lobby: 10_001,
                terms: RaceTerms { laps: 2, ..RaceTerms::default() },
                metres: 6437,
                racers: vec![drive(self.bob.1, 1, 64 * 83 + 29), drive(self.ann.1, 2, 64 * 90)],
            },
            standing: |points| (points / 100 + 1, 0),
            letter: |_, _, _| Letter::city_news("race", "over"),
        };
        let _ = races.settle(booking, &settlement, now).unwrap();
    }

    fn site(&self) -> Site<'_> {
        let Self { game, registrations, .. } = self;
        Site::new(game, None, registrations, Now::read())
    }

    fn browser(&self) -> Browser<'_> {
        Browser { city: self, peer: HOME, secure: false, cookies: Vec::new() }
    }

    fn signed_in(&self, account: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.sign_in(account, "Roadster-57");
        assert_eq!(answer.status, 303, "{}", text(&answer));
        browser
    }

    fn balance(&self, persona: PersonaId) -> u32 {
        self.game.store.personas().by_id(persona).unwrap().unwrap().bank_balance
    }
}

/// A browser with its cookies.
struct Browser<'a> {
    city: &'a City,
    peer: IpAddr,
    secure: bool,
    cookies: Vec<(String, String)>,
}

fn text(answer: &PageResponse) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn header<'a>(answer: &'a PageResponse, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value.as_str())
}

impl Browser<'_> {
    fn ask(&mut self, path: &str, form: Option<&str>) -> Option<PageResponse> {
        let host = HostName::parse("mcos.local").unwrap();
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (peer, secure, local) = (self.peer, self.secure, HOME);
        let request = PageRequest {
            path,
            query,
            host: &host,
            peer,
            local,
            cookies: &cookies,
            secure,
            known: "",
            authorization: "",
        };
        let site = self.city.site();
        let answer = match form {
            Some(form) => Some(submit(&site, &request, form.as_bytes())),
            None => read(&site, &request),
        }?;
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name.as_str() == "set-cookie") {
            let (pair, rest) = cookie.split_once("; ").unwrap();
            let flags = if secure {
                "Path=/; Secure; HttpOnly; SameSite=Strict"
            } else {
                "Path=/; HttpOnly; SameSite=Strict"
            };
            assert_eq!(rest.trim_end_matches("; Max-Age=0"), flags);
            let (name, value) = pair.split_once('=').unwrap();
            assert_eq!(name.starts_with("__Host-"), secure, "{name}");
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        Some(answer)
    }

    fn get(&mut self, path: &str) -> PageResponse {
        self.ask(path, None).expect(path)
    }

    fn look(&mut self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", text(&answer));
        html(&answer)
    }

    fn token(&mut self, page: &str) -> String {
        let page = self.look(page);
        let (_, rest) = page.split_once("name=\"form\" value=\"").expect("a form");
        rest.split_once('"').unwrap().0.to_owned()
    }

    fn fill_in(&mut self, page: &str, path: &str, fields: &str) -> PageResponse {
        let form = format!("form={}&{fields}", self.token(page));
        let answer = self.ask(path, Some(&form)).unwrap();
        self.send_again(path, &form, &answer);
        answer
    }

    /// Sends a form once more if it was done: nothing is done again, which the tests of what it does see, and the same page says so.
    fn send_again(&mut self, path: &str, form: &str, answer: &PageResponse) {
        let (sessions, now) = (&self.city.game.world.page_sessions, Now::read());
        let secret = self.cookies.iter().find(|(name, _)| name.ends_with("mcos-player"));
        let Some(secret) = secret.map(|(_, secret)| secret.clone()) else { return };
        let Some(notice) = sessions.take_notice(&secret, now) else { return };
        if notice.good {
            let again = self.ask(path, Some(form)).unwrap();
            assert_eq!(header(&again, "location"), header(answer, "location"), "{path}: {form}");
            let told = sessions.take_notice(&secret, now).expect("a notice");
            assert!(told.text.starts_with(&format!("Already done, once: {}", notice.text)), "{told:?}");
        }
        sessions.leave_notice(&secret, notice, now);
    }

    fn sign_in(&mut self, account: &str, password: &str) -> PageResponse {
        self.fill_in("/me/sign-in", "/me/sign-in", &format!("name={account}&password={password}"))
    }
}

/// Every path of these pages, with `{}` for what can be anything.
const PATHS: [&str; 51] = [
    "/players",
    "/players?q={}",
    "/players?sort={}&page={}",
    "/players/{}",
    "/races",
    "/races?page={}",
    "/races?q={}",
    "/races/{}",
    "/records",
    "/records?class={}&lobby={}",
    "/boards?board={}&period={}&class={}&page={}",
    "/boards?board=winnings&period=week",
    "/live",
    "/news",
    "/api/v1/status",
    "/api/v1/players?q={}&sort={}&page={}",
    "/api/v1/players/{}",
    "/api/v1/races/{}",
    "/api/v1/boards?board={}&page={}",
    "/api/v1/{}",
    "/me",
    "/me/garage?persona={}&car={}",
    "/me/money?persona={}&page={}",
    "/me/money.svg?persona={}",
    "/me/mail?persona={}&mail={}&to={}",
    "/me/{}",
    "/clubs?page={}",
    "/clubs/{}",
    "/turfs",
    "/events?page={}",
    "/events/{}",
    "/events.ics",
    "/seasons/{}",
    "/rewards?week={}",
    "/plot.svg?player={}&what=points",
    "/plot.svg?player=Bob&what={}",
    "/plot.svg?lobby={}",
    "/logo.svg?club={}",
    "/badge.svg?kind={}",
    "/me/club?persona={}",
    "/me/events?persona={}",
    "/market?category={}&from={}&persona={}",
    "/market/{}",
    "/auctions?kind={}&from={}&persona={}",
    "/auctions/{}",
    "/trades?persona={}",
    "/trades/{}",
    "/api/v1/market?category={}&from={}",
    "/api/v1/auctions?kind={}&from={}",
    "/auctions/{}?persona={}",
    "/kit/test/{}",
];

/// What people and programs put there.
fn odd(city: &City) -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        "0",
        "1",
        "-1",
        "4294967295",
        "4294967296",
        "99999999999999999999",
        "1e9",
        "%00",
        "%ff%fe",
        "%3Cscript%3E",
        "..%2F..",
        "%27%20OR%201=1",
        "points",
        "wins",
        "week",
        "shoebox",
        "Bob",
        "bob",
        "%3Cb%3E%26%22%27x",
        "x%0d%0ay",
        "%",
        "%zz",
        "a/b/c",
        "\u{1f3c1}",
    ]
    .map(str::to_owned)
    .into();
    all.extend([city.bob.1.0, city.ann.1.0, city.car.0, RACE].map(|number| number.to_string()));
    all.push("x".repeat(3000));
    all
}

#[test]
fn whatever_is_asked_for_by_whomever_there_is_an_answer_and_it_shows_nobody_elses_money_or_mail() {
    let city = City::new();
    let mut nobody = city.browser();
    let mut ann = city.signed_in("ann");
    let mut operator = city.browser();
    operator.cookies.push(("__Host-mcos-operator".to_owned(), "0".repeat(32)));
    operator.cookies.push(("mcos-player".to_owned(), "0".repeat(32)));
    let mut asked = 0;
    for browser in [&mut nobody, &mut ann, &mut operator] {
        for path in PATHS {
            for value in odd(&city) {
                let path = path.replace("{}", &value);
                asked += 1;
                let Some(answer) = browser.ask(&path, None) else { continue };
                assert!([200, 303, 404].contains(&answer.status), "{path}: {}", answer.status);
                let page = text(&answer);
                for secret in SECRETS.into_iter().chain(["For Bob only", "a secret of Bob"]) {
                    assert!(!page.contains(secret), "{path} tells {secret}: {page}");
                }
                for (_, value) in &answer.headers {
                    assert!(!value.contains(char::is_control), "{path}: {value:?}");
                }
                if answer.content_type.starts_with("text/html") {
                    tags(&page);
                    assert!(!page.contains("<b>&\"") && !page.contains("<script"), "{path}: {page}");
                }
            }
        }
    }
    assert!(asked > 2000, "{asked}");
    let mut bob = city.signed_in("bob");
    let money = bob.look(&format!("/me/money?persona={}", city.bob.1));
    assert!(
        money.contains("$7,655,555")
            && money.contains("Prize money of the race at Harbor Loop (race 1048583)")
            && money.contains("<a href=\"/races/1048583\">"),
        "{money}"
    );
    assert!(bob.look("/me").contains("$7,655,555"));
    assert!(bob.look(&format!("/me/mail?persona={}&mail=2", city.bob.1)).contains("a secret of Bob"));
}
