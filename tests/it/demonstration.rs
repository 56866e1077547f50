//! A city in which something of everything has happened: three weeks of races, clubs, deals and race nights. The pages are looked at and
//! photographed with it.

use crate::races::{MINUTE, Racer, start, wish};
use crate::support::browser::Browser;
use crate::support::chromium::Chromium;
use crate::support::{OPERATOR, PASSWORD, Server};
use mco_proto::ids::{BrandedPartId, PersonaId, RaceId, SkinId, VehicleId};
use mco_proto::mcots::race::{FinalResults, RaceCreated};
use mcos::catalog::{Catalog, rules};
use mcos::clock::{Now, moment};
use mcos::store::{
    CarPurchase, Entrant, Letter, NewPart, Payout, RaceTerms, RacerResult, Settlement, Sheet, Store,
};
use smol::block_on;
use std::collections::BTreeMap;

/// Accounts, drivers and the models of their cars.
const PEOPLE: [(&str, &str, [u32; 2]); 4] = [
    ("ann", "Ann Marlowe", [101, 104]),
    ("bob", "Big Bob", [113, 102]),
    ("cat", "Cat Chrome", [104, 101]),
    ("dan", "Dusty Dan", [102, 113]),
];
const DAY: u64 = 86_400;
/// For how many days they have raced.
const DAYS: u64 = 20;
const LOBBIES: [(u32, u32); 3] = [(10_001, 17), (10_002, 16), (10_003, 18)];

/// The city. It ends with this value.
pub(crate) struct City {
    pub(crate) server: Server,
    /// The number of each driver.
    pub(crate) personas: BTreeMap<&'static str, PersonaId>,
    cars: BTreeMap<&'static str, Vec<VehicleId>>,
    /// The race that was driven last.
    pub(crate) race: RaceId,
    operator: Browser,
    /// Those who are on line.
    _racers: Vec<Racer>,
}

impl City {
    pub(crate) fn new() -> Self {
        let mut server = Server::with("[game]\ncheck_race_times = false\nstarter_cash = 800000\n");
        for (account, name, _) in PEOPLE {
            server.account(account);
            server.persona(account, name);
        }
        let (personas, cars) = history(&server);
        server.start();
        let (racers, race) = block_on(evening(&server));
        let operator = server.operator();
        let mut city = Self { server, personas, cars, race, operator, _racers: racers };
        city.clubs();
        city.nights();
        city.deals();
        city
    }

    fn browser(&self, account: &str) -> Browser {
        let mut browser = Browser::new(&self.server);
        let form = format!("name={account}&password={PASSWORD}");
        assert_eq!(browser.fill_in("/me/sign-in", "/me/sign-in", &form).status, 303);
        browser
    }

    /// Sends a form for somebody; it must have been done.
    fn send(&self, account: &str, path: &str, fields: &str) {
        let (mut browser, persona) = (self.browser(account), self.personas[account]);
        let answer = browser.fill_in("/me", path, &format!("persona={persona}&{fields}"));
        let next = answer.header("location").next().expect("another page").to_owned();
        let page = browser.look(&next);
        assert!(page.contains("class=\"fine\""), "{path} {fields}: {page}");
    }

    fn clubs(&self) {
        for (captain, member, name, colours) in [
            ("ann", "cat", "name=Night+Riders&acronym=NR", "front=FFCC00&back=202040&third=B3202A"),
            ("bob", "dan", "name=Harbor+Hot+Rods&acronym=HHR", "front=FFFFFF&back=0E6B75&third=2B2520"),
        ] {
            let about = "description=We+meet+on+Fridays+at+the+harbor";
            self.send(captain, "/me/club", &format!("do=found&{name}&{colours}&{about}"));
            let club = if captain == "ann" { 1 } else { 2 };
            self.send(member, "/me/club", &format!("do=ask&club={club}"));
            let who = self.personas[member];
            self.send(captain, "/me/club", &format!("do=member&who={who}&answer=admit"));
            self.send(captain, "/me/club", "do=register");
        }
    }

    fn nights(&mut self) {
        let at = |days: u64, hour: u64| {
            let begins = (Now::read().unix / DAY + days) * DAY + hour * 3600;
            let [start, end] = [begins, begins + 7200].map(|at| moment(at).replace(' ', "+"));
            format!("start={start}&end={end}")
        };
        let plans = [
            format!(
                "name=Friday+at+the+harbor&lobby=10001&laps=2&by=points&weekly=yes&fee=100&purse=5000&most=16&season=1&{}",
                at(2, 20)
            ),
            format!("name=Quarter+mile+shoot-out&lobby=10003&by=time&fee=50&purse=2000&most=8&{}", at(5, 19)),
        ];
        let season = "do=begin&name=Winter+2026".to_owned();
        for fields in std::iter::once(season).chain(plans.iter().map(|plan| format!("do=plan&{plan}"))) {
            let answer = self.operator.fill_in("/operator/events", "/operator/events", &fields);
            let page = self.operator.look(answer.header("location").next().unwrap());
            assert!(page.contains("class=\"fine\""), "{fields}: {page}");
        }
        for account in ["ann", "bob", "cat"] {
            self.send(account, "/me/events", "do=register&night=1");
        }
    }

    fn deals(&self) {
        let car = |account: &str| self.cars[account][1];
        self.send("bob", "/auctions/open", &format!("goods=c{}&start=500&buy_now=4000&hours=24", car("bob")));
        self.send("ann", "/auctions/bid", "auction=1&dollars=650");
        self.send("cat", "/auctions/open", &format!("goods=c{}&start=900&hours=48", car("cat")));
        let text = "text=Well+kept,+one+careful+owner,+ready+for+Friday";
        let sale = format!("category=s&{text}&days=5&goods=c{}&price=1450", car("dan"));
        self.send("dan", "/market/place", &sale);
        self.send("ann", "/market/place", "category=c&text=Night+Riders+look+for+two+drivers&days=3");
        self.send("cat", "/market/place", "category=w&text=Wanted:+a+blower+for+a+small+block&days=2");
        self.send("ann", "/trades/open", "with=Cat+Chrome");
        let [one, other] = [car("ann"), self.cars["ann"][0]];
        self.send(
            "ann",
            "/trades/offer",
            &format!("trade=6&version=1&dollars=250&goods=c{one}&goods=c{other}"),
        );
        self.send("dan", "/me/mail/write", "to=Ann+Marlowe&title=Friday&text=Do+you+race+on+Friday%3F");
    }

    /// Signs Ann in.
    pub(crate) fn sign_in(&self, chromium: &Chromium) {
        chromium.open(&self.address("/me/sign-in"));
        chromium.fill("#name", "ann");
        chromium.fill("#password", PASSWORD);
        chromium.click("#page form input[type=submit]");
        chromium.shows("My drivers");
    }

    /// Signs the operator in.
    pub(crate) fn sign_operator_in(&self, chromium: &Chromium) {
        chromium.open(&self.address("/operator"));
        chromium.fill("#password", &OPERATOR.replace('+', " "));
        chromium.click("#page form input[type=submit]");
        chromium.shows("Players online");
    }

    /// The whole address of a page.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.server.port("https"))
    }

    /// Every page that there is, for players and for the operator.
    pub(crate) fn paths(&self) -> Vec<String> {
        let (ann, race) = (self.personas["ann"], self.race);
        let mut all: Vec<String> = [
            "/",
            "/account",
            "/password",
            "/kit",
            "/patch",
            "/help",
            "/diagnose",
            "/urls?id=1",
            "/players",
            "/players?sort=name&q=a",
            "/players/Ann%20Marlowe",
            "/races",
            "/records",
            "/records?lobby=10001",
            "/boards",
            "/boards?board=rate",
            "/boards?board=winnings&period=week",
            "/live",
            "/news",
            "/clubs",
            "/clubs/NR",
            "/turfs",
            "/events",
            "/events/1",
            "/events/2",
            "/seasons",
            "/seasons/1",
            "/rewards",
            "/market",
            "/market/3",
            "/market/4",
            "/auctions",
            "/auctions?kind=car",
            "/auctions/1",
            "/auctions/2",
            "/trades",
            "/trades/6",
            "/me",
        ]
        .map(str::to_owned)
        .into();
        for page in ["garage", "money", "mail", "mail?mail=1", "club", "events"] {
            let link = format!("/me/{page}");
            all.push(format!("{link}{}persona={ann}", if link.contains('?') { '&' } else { '?' }));
        }
        all.push(format!("/me/garage?persona={ann}&car={}", self.cars["ann"][0]));
        all.push(format!("/races/{race}"));
        let operator = [
            "",
            "/players",
            "/account?name=ann",
            "/persona?name=Ann%20Marlowe",
            "/accounts",
            "/bans",
            "/events",
            "/events?cancel=1",
            "/events?close=NR",
            "/message",
            "/audit",
            "/log",
            "/wire",
            "/pages",
            "/catalog",
            "/patch",
            "/backup",
            "/update",
            "/settings",
            "/settings?section=network",
            "/settings?section=compat",
            "/welcome",
            "/health",
        ];
        all.extend(operator.map(|page| format!("/operator{page}")));
        all
    }
}

/// What happened before: cars, and races on each of the last days. The drivers and their cars.
fn history(server: &Server) -> (BTreeMap<&'static str, PersonaId>, BTreeMap<&'static str, Vec<VehicleId>>) {
    let store = Store::open(&server.data()).unwrap();
    let catalog = Catalog::builtin();
    let all = store.personas().list().unwrap();
    let (mut personas, mut cars) = (BTreeMap::new(), BTreeMap::<&str, Vec<VehicleId>>::new());
    let began = Now::read().unix - DAYS * DAY;
    let at = |seconds: u64| Now { unix: began + seconds, ..Now::read() };
    for (account, name, models) in PEOPLE {
        let persona = all.iter().find(|persona| persona.name == name).expect("it was made").id;
        personas.insert(account, persona);
        for model in models.map(BrandedPartId) {
            let parts = catalog.stock_parts(model).unwrap().into_iter().map(|part| NewPart {
                branded_part: part.branded_part,
                parent: part.parent,
                attachment_point: part.attachment_point,
            });
            let purchase = CarPurchase {
                model,
                skin: SkinId(0),
                flags: 0,
                car_class: catalog.car(model).unwrap().class.number(),
                price: 900,
                parts: parts.collect(),
                first_car: false,
            };
            cars.entry(account)
                .or_default()
                .push(store.garage().buy_car(persona, purchase, at(0)).unwrap().value);
        }
    }
    for number in 0..u32::try_from(DAYS * 3).unwrap() {
        let (lobby, race_type) = LOBBIES[(number % 3) as usize];
        let first = (number / 3 * 7 + number % 3 * 2) as usize;
        let order: Vec<usize> = (0..PEOPLE.len()).map(|place| (first + place * 3) % PEOPLE.len()).collect();
        let drivers: Vec<PersonaId> = order.iter().map(|at| personas[PEOPLE[*at].0]).collect();
        let entrants: Vec<Entrant> =
            drivers.iter().map(|&persona| Entrant { persona, fee: 100, car: None }).collect();
        let now = at(u64::from(number) * DAY / 3 + 3600);
        let booking = store.races().start(RaceId(0x10_0001 + number), &entrants, false, now).unwrap().value;
        let racers = (1..).zip(&order).map(|(place, at)| RacerResult {
            persona: personas[PEOPLE[*at].0],
            place: Some(place),
            time: 64 * 96 - number * 7 + u32::from(place) * 61 + number % 5 * 40,
            best_lap: 64 * 45 + number % 7 * 13,
            car: Some(cars[PEOPLE[*at].0][0]),
            model: BrandedPartId(PEOPLE[*at].2[0]),
            class: 2,
            damage: Some(place * 4),
            ..RacerResult::default()
        });
        let payouts = drivers.iter().enumerate().map(|(place, &persona)| Payout {
            persona,
            cash: [320, 80, 0, 0][place],
            points: [80, 40, 20, 10][place],
            place: Some(place),
        });
        let settlement = Settlement {
            race_type,
            racers: 4,
            payouts: payouts.collect(),
            cars_lost: Vec::new(),
            uncounted: Vec::new(),
            sheet: Sheet {
                lobby,
                terms: RaceTerms { entry_fee: 100, laps: 2, ..RaceTerms::default() },
                metres: 8000,
                racers: racers.collect(),
            },
            standing: |points| (rules::level(points), rules::rank(points)),
            letter: |_, _, _| Letter::city_news("Race", "The results are on the page Races."),
        };
        drop(store.races().settle(booking, &settlement, now).unwrap());
    }
    for persona in personas.values() {
        let more = store.personas().update(*persona, |record| {
            record.points += 8000;
            (record.level, record.rank) = (rules::level(record.points), rules::rank(record.points));
        });
        more.unwrap().ticket.wait().unwrap();
    }
    store.flush().unwrap();
    (personas, cars)
}

/// Tonight: all are on line, two have raced, and one waits in a pit for others.
async fn evening(server: &Server) -> (Vec<Racer>, RaceId) {
    let mut racers = Vec::new();
    for (account, name, _) in PEOPLE {
        racers.push(Racer::sign_in(server, account, name).await);
    }
    let race = start(&mut racers[..2]).await;
    for (racer, time) in racers.iter_mut().zip([MINUTE * 3 / 2, MINUTE * 8 / 5]) {
        racer.drive(race, time).await;
    }
    for racer in &mut racers[..2] {
        let results: FinalResults = racer.pushed().await;
        assert_eq!(results.race, race);
    }
    let _: RaceCreated = racers[2].mcots.mcots().ask(&wish()).await.unwrap();
    (racers, race)
}
