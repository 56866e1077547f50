//! An evening of a family and its friends, with everything in it that goes wrong: four PCs behind two routers, two personas of one
//! account at once, a host who leaves, a cheat, a cable that is pulled, a server whose power is cut, and a car that is lost in a
//! race. At the end every dollar, every car and every part of everybody is where the test says.

use crate::economy::is_sound;
use crate::replay;
use crate::support::track::{ANY_TIME, drive, traffic};
use crate::support::{PASSWORD, PATIENCE, Server, refused};
use mco_proto::ids::{BrandedPartId, CommId, DealerId, PartId, PersonaId, SkinId, VehicleId};
use mco_proto::mcots::garage::{AssemblyParts, PricedPart, PurchaseStockCar};
use mco_proto::mcots::race::{FinalResults, Placement, SLOTS};
use mco_proto::mcots::{GenericRequest, Message as _, number};
use mcos::catalog::{Catalog, UsedPart, rules};
use mcos::client::racing::{Grid, Racer, Starter, Terms, line_up};
use mcos::client::sitting::{Account, Transactions};
use mcos::client::web::Web;
use mcos::clock::Now;
use mcos::store::{JUNKYARD, Kind, Store};
use smol::block_on;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The address of each router, as the server sees it.
const ROUTERS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3))];
/// Account and persona at each PC, and its router.
const PEOPLE: [(&str, &str, usize); 4] =
    [("family", "Mum", 0), ("family", "Kid", 0), ("marty", "Marty", 1), ("biff", "Biff", 1)];
const MUM: usize = 0;
const KID: usize = 1;
const MARTY: usize = 2;
const BIFF: usize = 3;
/// A room server by its number in the directory.
const ROOM: CommId = CommId(1);
const STARTER_CASH: u32 = 60_000;
const FEE: u32 = 250;
const MINUTE: u32 = 60 * 64;
const BEL_AIR: BrandedPartId = BrandedPartId(113);
const DEALER: DealerId = DealerId(8);

/// What the test says that everybody has.
#[derive(Default)]
struct Book {
    /// Lines of the ledger: what for, and how many dollars.
    lines: Vec<(Kind, i64)>,
    cars: Vec<VehicleId>,
}

struct Evening {
    server: Server,
    books: [Book; 4],
    personas: Vec<PersonaId>,
    /// Cars given to dealers.
    traded: Vec<VehicleId>,
}

#[test]
fn a_family_evening_with_all_that_goes_wrong_loses_no_dollar_and_no_part() {
    let mut server = Server::with(&format!("{ANY_TIME}starter_cash = {STARTER_CASH}\n"));
    let recorded = replay::prepare_if_recorded(&mut server);
    if recorded {
        assert!(server.stop().success());
    }
    for (user, name, _) in PEOPLE {
        if name != PEOPLE[KID].1 {
            server.account(user);
        }
        server.persona(user, name);
    }
    let personas = experienced(&server);
    server.start();
    let mut evening = Evening { server, books: Default::default(), personas, traded: Vec::new() };
    block_on(evening.play());

    let Evening { mut server, books, personas, traded } = evening;
    assert!(server.stop().success());
    assert!(server.must(&["ledger", "check"], "").starts_with("the ledger is right"));
    accounted_for(&server, &books, &personas, &traded);
    told_of_the_cheat(&server, &personas);
    let log = server.log();
    assert!(ROUTERS.iter().all(|router| log.contains(&format!("from {router}:"))), "two addresses were seen");

    // The same server carries a load and the recorded Client, and its books are right afterwards.
    server.start();
    server.write_ports();
    let load = ["load", "--players", "4", "--seconds", "1", "--rate", "8", "--make-accounts"];
    let printed = server.must(&load, "");
    assert!(printed.contains("4 players heard the results"), "{printed}");
    if recorded {
        replay::play_recorded(&server);
    }
    assert!(server.must(&["ledger", "check"], "").starts_with("the ledger is right"));
    assert!(server.stop().success());
    accounted_for(&server, &books, &personas, &traded);
}

/// Everybody has played before, and may wager a car.
fn experienced(server: &Server) -> Vec<PersonaId> {
    let store = Store::open(&server.data()).unwrap();
    let all = store.personas().list().unwrap();
    let id = |name: &str| all.iter().find(|persona| persona.name == name).expect("it was made").id;
    let personas: Vec<PersonaId> = PEOPLE.iter().map(|(_, name, _)| id(name)).collect();
    for persona in &personas {
        let changed = store.personas().update(*persona, |record| {
            record.points = 1600;
            (record.level, record.rank) = (rules::level(1600), rules::rank(1600));
        });
        changed.unwrap().ticket.wait().unwrap();
    }
    personas
}

/// Everybody has what the books say, in the store and by the ledger; there are no other cars, and each has all its parts.
fn accounted_for(server: &Server, books: &[Book; 4], personas: &[PersonaId], traded: &[VehicleId]) {
    let store = Store::open(&server.data()).unwrap();
    is_sound(&store);
    assert_eq!(store.races().under_way().unwrap(), []);
    let catalog = Catalog::builtin();
    let whole = |car: VehicleId| {
        let model = store.garage().vehicle(car).unwrap().expect("the car exists").model;
        let sold_with = catalog.stock_parts(model).unwrap().len();
        assert_eq!(store.garage().parts_of(car).unwrap().len(), sold_with, "parts of car {car}");
    };
    for (book, persona) in books.iter().zip(personas) {
        let lines = store.ledger().of(*persona).unwrap();
        // A Monday may begin in the middle of the evening.
        let salary = |kind| kind == Kind::Salary;
        let mut booked: Vec<_> = lines.iter().map(|(_, line)| (line.kind, line.amount)).collect();
        let salaries: i64 = booked.iter().filter(|line| salary(line.0)).map(|line| line.1).sum();
        booked.retain(|line| !salary(line.0));
        booked.sort_unstable();
        let mut expected = book.lines.clone();
        expected.sort_unstable();
        assert_eq!(booked, expected, "the lines of persona {persona}");
        let bank = store.personas().by_id(*persona).unwrap().unwrap().bank_balance;
        assert_eq!(i64::from(bank), salaries + expected.iter().map(|line| line.1).sum::<i64>());
        let mut cars: Vec<_> = store.garage().vehicles(*persona).unwrap().iter().map(|car| car.id).collect();
        cars.sort_unstable();
        let mut expected = book.cars.clone();
        expected.sort_unstable();
        assert_eq!(cars, expected, "the cars of persona {persona}");
        cars.into_iter().for_each(whole);
        assert_eq!(store.garage().loose_parts(*persona).unwrap(), []);
    }
    let left: Vec<_> = store.garage().vehicles(JUNKYARD.usual).unwrap().iter().map(|car| car.id).collect();
    assert_eq!(left, traded);
    left.into_iter().for_each(whole);
}

/// Only the cheat has found a mail about a time that does not count.
fn told_of_the_cheat(server: &Server, personas: &[PersonaId]) {
    let store = Store::open(&server.data()).unwrap();
    let told = |persona: &PersonaId| {
        let list = store.mails().list(*persona, Now::read()).unwrap();
        let title = |number| store.mails().get(*persona, number, Now::read()).unwrap().unwrap().0.title;
        list.iter().filter(|mail| title(mail.number) == "Race: not counted").count()
    };
    assert_eq!(personas.iter().map(told).collect::<Vec<_>>(), [0, 0, 0, 1]);
}

async fn parts(mcots: &mut Transactions, car: VehicleId) -> Vec<PricedPart> {
    mcots.get::<AssemblyParts>(number::GET_ASSEMBLY_PARTS, car.0).await.unwrap().parts.to_vec()
}

async fn money(racer: &mut Racer) -> u32 {
    racer.mcots().player_info().await.unwrap().bank_balance
}

fn trade_in(car: VehicleId) -> PurchaseStockCar {
    PurchaseStockCar { dealer: DEALER, model: BEL_AIR, skin: SkinId(0), trade_in: car }
}

impl Evening {
    async fn play(&mut self) {
        let mut racers = Vec::new();
        for who in [MUM, KID, MARTY, BIFF] {
            racers.push(self.arrive(who).await);
        }
        let racers = self.host_leaves(racers).await;
        let racers = self.cheat(racers).await;
        let racers = self.cable(racers).await;
        let mut racers = self.power(racers).await;
        self.trade(&mut racers[MARTY]).await;
        let racers = self.wager(racers).await;
        for racer in racers {
            racer.sign_out().await.unwrap();
        }
        self.server.await_population(0).await;
    }

    fn book(&mut self, who: usize, kind: Kind, dollars: impl Into<i64>) {
        self.books[who].lines.push((kind, dollars.into()));
    }

    /// A PC comes for the first time: its persona gets a car.
    async fn arrive(&mut self, who: usize) -> Racer {
        let mut racer = self.sign_in(who).await;
        let price = STARTER_CASH - money(&mut racer).await;
        assert!(price > 0);
        self.book(who, Kind::StarterCash, STARTER_CASH);
        self.book(who, Kind::CarBought, -i64::from(price));
        self.books[who].cars.push(racer.car());
        racer
    }

    async fn sign_in(&self, who: usize) -> Racer {
        let (user, name, router) = PEOPLE[who];
        let place = Arc::unwrap_or_clone(self.server.place().await).from(ROUTERS[router]);
        let web = Web::new(self.server.at("http").from(ROUTERS[router]), PATIENCE);
        let account = Account::sign_in(&web, &Arc::new(place), user, PASSWORD).await.unwrap();
        Racer::sign_in(Server::pick(&account, name).await, ROOM).await.unwrap()
    }

    async fn terms(host: &mut Racer, entry_fee: u32) -> Terms {
        Terms { lobby: host.circuit().await.unwrap(), entry_fee, pink_slip: false }
    }

    /// Everybody comes in, in this order, `times` apart from a minute on; what each then hears, and what is booked.
    async fn finish(&mut self, mut field: Vec<(usize, Starter)>, order: &[usize], fee: u32) -> Vec<Racer> {
        for (ticks, who) in (MINUTE..).zip(order) {
            let (_, starter) = field.iter_mut().find(|(at, _)| at == who).expect("it drives");
            starter.finish(ticks).await.unwrap();
        }
        self.settled(field, order, fee).await
    }

    /// Everybody of `field` hears the results of a race in which `order` came in, among as many as paid.
    async fn settled(&mut self, field: Vec<(usize, Starter)>, order: &[usize], fee: u32) -> Vec<Racer> {
        let raced = self.paid(fee);
        self.settled_among(raced, field, order, fee).await
    }

    /// The same, if only so many of those who paid have raced: who lies has not.
    async fn settled_among(
        &mut self,
        raced: usize,
        field: Vec<(usize, Starter)>,
        order: &[usize],
        fee: u32,
    ) -> Vec<Racer> {
        let purse = rules::purse_for(fee, self.paid(fee), raced, MINUTE);
        let mut racers = Vec::new();
        for (who, mut starter) in field {
            let results = starter.results().await.unwrap();
            assert_eq!(results.flags, FinalResults::AGAIN);
            let came_in = results.placements.iter().take(order.len()).map(|placement| placement.racer);
            assert!(came_in.eq(order.iter().map(|who| self.personas[*who])));
            if let Some(place) = order.iter().position(|other| *other == who) {
                let won = rules::share(purse, raced, place);
                assert_eq!(results.placements[place].cash, won);
                if won > 0 {
                    self.book(who, Kind::Purse, won);
                }
            }
            racers.push(starter.leave().await.unwrap());
        }
        racers
    }

    /// How many have paid the fee of the last race, which is the last line of their books.
    fn paid(&self, fee: u32) -> usize {
        let line = Some((Kind::EntryFee, -i64::from(fee)));
        self.books.iter().filter(|book| book.lines.last().copied() == line).count()
    }

    /// The host leaves its room, nobody is ready any more, and who came next starts the race without it. One car is damaged, and
    /// repaired.
    async fn host_leaves(&mut self, racers: Vec<Racer>) -> Vec<Racer> {
        let mut racers = racers.into_iter();
        let mut host = racers.next().unwrap();
        let terms = Self::terms(&mut host, FEE).await;
        let mut grid = Grid::gather(host, racers.collect(), terms, 3).await.unwrap();
        grid.ready().await.unwrap();
        let (mut mum, grid) = grid.host_leaves().await.unwrap();
        let mut grid = grid.expect("three are left");
        grid.await_ready(0).await.unwrap();
        grid.ready().await.unwrap();
        let field = grid.start(&traffic([8; SLOTS], 300, 5)).await.unwrap();
        let mut field: Vec<_> = [KID, MARTY, BIFF].into_iter().zip(drive(field).await).collect();
        for who in [KID, MARTY, BIFF] {
            self.book(who, Kind::EntryFee, -i64::from(FEE));
        }
        let car = self.books[KID].cars[0];
        let before = parts(field[0].1.mcots(), car).await;
        let part = before.iter().find(|part| part.retail_price > 0).expect("some part has a price").part.part;
        field[0].1.report_damage(&[(part, 60, 0)]).await.unwrap();
        let mut racers = self.finish(field, &[KID, MARTY, BIFF], FEE).await;
        self.repair(&mut racers[0], car, part).await;
        assert_eq!(parts(racers[0].mcots(), car).await, before);
        let bank: i64 = self.books[MUM].lines.iter().map(|line| line.1).sum();
        assert_eq!(i64::from(money(&mut mum).await), bank, "who left before the start paid nothing");
        racers.insert(0, mum);
        racers
    }

    async fn repair(&mut self, racer: &mut Racer, car: VehicleId, part: PartId) {
        let damaged = parts(racer.mcots(), car).await;
        let damaged = &damaged.iter().find(|other| other.part.part == part).unwrap().part;
        let price = damaged.repair_price;
        assert!(damaged.damage == 60 && price > 0);
        assert_eq!(price, Catalog::builtin().repair_price(damaged.branded_part, 60));
        racer.mcots().order(GenericRequest::body(number::REPAIR_SINGLE_PART, part.0)).await.unwrap();
        self.book(KID, Kind::Repair, -i64::from(price));
    }

    /// All four at the start, with their fees paid.
    async fn start(&mut self, mut racers: Vec<Racer>) -> Vec<(usize, Starter)> {
        let terms = Self::terms(&mut racers[0], FEE).await;
        let field = drive(line_up(racers, terms, &traffic([8; SLOTS], 300, 5)).await.unwrap()).await;
        for who in [MUM, KID, MARTY, BIFF] {
            self.book(who, Kind::EntryFee, -i64::from(FEE));
        }
        [MUM, KID, MARTY, BIFF].into_iter().zip(field).collect()
    }

    /// Biff says that he took less than five seconds: he is named as a cheat and gets nothing, the others are paid.
    async fn cheat(&mut self, racers: Vec<Racer>) -> Vec<Racer> {
        let mut field = self.start(racers).await;
        field[BIFF].1.finish(rules::SHORTEST_TIME - 1).await.unwrap();
        for (ticks, (_, starter)) in (MINUTE..).zip(&mut field[..BIFF]) {
            starter.finish(ticks).await.unwrap();
        }
        let (biff, mut cheat) = field.pop().unwrap();
        let results = cheat.results().await.unwrap();
        let last = &results.placements[3];
        assert_eq!((last.racer, last.cash, last.points), (self.personas[biff], 0, 0));
        assert_eq!(last.flags & Placement::CHEAT_SUSPECTED, Placement::CHEAT_SUSPECTED);
        let mut racers = self.settled_among(3, field, &[MUM, KID, MARTY], FEE).await;
        racers.push(cheat.leave().await.unwrap());
        racers
    }

    /// The cable of Marty's PC is pulled while he drives: the others are paid, and his car is free again.
    async fn cable(&mut self, racers: Vec<Racer>) -> Vec<Racer> {
        let mut field = self.start(racers).await;
        let car = self.books[MARTY].cars[0];
        refused(field[MARTY].1.mcots().order(trade_in(car).body()).await);
        let (marty, starter) = field.remove(MARTY);
        drop(starter);
        let mut racers = self.finish(field, &[BIFF, KID, MUM], FEE).await;
        let mut returned = self.sign_in(marty).await;
        assert_eq!(returned.car(), car);
        let bank: i64 = self.books[MARTY].lines.iter().map(|line| line.1).sum();
        assert_eq!(i64::from(money(&mut returned).await), bank, "the fee is lost and nothing else");
        racers.insert(MARTY, returned);
        racers
    }

    /// The power of the server is cut while all four drive: all fees come back.
    async fn power(&mut self, racers: Vec<Racer>) -> Vec<Racer> {
        let field = self.start(racers).await;
        self.server.kill();
        drop(field);
        assert!(self.server.must(&["ledger", "check"], "").starts_with("the ledger is right"));
        self.server.start();
        let mut racers = Vec::new();
        for who in [MUM, KID, MARTY, BIFF] {
            self.book(who, Kind::Refund, FEE);
            let mut racer = self.sign_in(who).await;
            let bank: i64 = self.books[who].lines.iter().map(|line| line.1).sum();
            assert_eq!((i64::from(money(&mut racer).await), racer.car()), (bank, self.books[who].cars[0]));
            racers.push(racer);
        }
        racers
    }

    /// Marty gives the car in part payment that was booked when his cable was pulled.
    async fn trade(&mut self, marty: &mut Racer) {
        let car = self.books[MARTY].cars[0];
        let old = parts(marty.mcots(), car).await;
        let model = marty.mcots().cars().await.unwrap()[0].model;
        let used: Vec<UsedPart> = old[1..].iter().map(used).collect();
        let worth = Catalog::builtin().trade_in_price(model, &used);
        let (new, price) = self.buy(MARTY, marty, trade_in(car)).await;
        assert!(worth > 0 && price > worth);
        self.book(MARTY, Kind::TradeIn, worth);
        self.books[MARTY].cars = vec![new];
        self.traded.push(car);
        refused(marty.mcots().order(trade_in(car).body()).await);
    }

    /// A car from the dealer, and its price.
    async fn buy(&mut self, who: usize, racer: &mut Racer, purchase: PurchaseStockCar) -> (VehicleId, u32) {
        let place = self.server.place().await;
        let stock = Transactions::stock(&place, DEALER).await.unwrap();
        let price = stock.cars.iter().find(|offer| offer.model == BEL_AIR).unwrap().price;
        let bought = racer.mcots().order(purchase.body()).await.unwrap();
        self.book(who, Kind::CarBought, -i64::from(price));
        (VehicleId(bought.data), price)
    }

    /// Mother and child wager their cars. The child's is bound until the race is settled, and the mother's from then on.
    async fn wager(&mut self, racers: Vec<Racer>) -> Vec<Racer> {
        let mut racers = racers.into_iter();
        let mut pair: Vec<Racer> = racers.by_ref().take(2).collect();
        for who in [MUM, KID] {
            let (second, _) = self.buy(who, &mut pair[who], trade_in(VehicleId(0))).await;
            self.books[who].cars.push(second);
        }
        let terms = Terms { pink_slip: true, ..Self::terms(&mut pair[MUM], FEE).await };
        let field = drive(line_up(pair, terms, &traffic([8; SLOTS], 300, 5)).await.unwrap()).await;
        for who in [MUM, KID] {
            self.book(who, Kind::EntryFee, -i64::from(FEE));
        }
        let mut field: Vec<_> = [MUM, KID].into_iter().zip(field).collect();
        let car = self.books[KID].cars[0];
        let before = parts(field[KID].1.mcots(), car).await;
        refused(field[KID].1.mcots().order(trade_in(car).body()).await);
        for (ticks, (_, starter)) in (MINUTE..).zip(&mut field) {
            starter.finish(ticks).await.unwrap();
        }
        let mut pair = self.settled(field, &[MUM, KID], FEE).await;
        self.book(MUM, Kind::CarWon, 0);
        self.book(KID, Kind::CarLost, 0);
        self.books[KID].cars.remove(0);
        self.books[MUM].cars.push(car);
        refused(pair[KID].mcots().order(trade_in(car).body()).await);
        assert_eq!(parts(pair[MUM].mcots(), car).await, before, "the car came with all its parts");
        pair.extend(racers);
        pair
    }
}

fn used(part: &PricedPart) -> UsedPart {
    UsedPart {
        branded_part: part.part.branded_part,
        attachment_point: part.part.attachment_point,
        damage: part.part.damage,
        wear: part.part.wear,
    }
}
