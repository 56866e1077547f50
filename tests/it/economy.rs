//! Eight threads buy, install, remove, repair, scrap, auction, advertise and trade at random on the same few personas. Whatever happens,
//! also `kill -9`: money comes and goes only through the ledger, every part is in exactly one place, and what was
//! acknowledged is there.

use mco_proto::ids::{BrandedPartId, PartId, PersonaId, ShardId, SkinId, VehicleId};
use mcos::clock::Now;
use mcos::store::{
    AdCategory, CarPurchase, Changed, DealError, DealRules, ESCROW, GarageError, Goods, Item, JUNKYARD, Kind,
    NewAd, NewAuction, NewPart, NewPersona, Part, PartPurchase, Password, Persona, Store, StoreError, Terms,
    Ticket,
};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::{HashMap, HashSet};
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

const THREADS: u64 = 8;
const PERSONAS: usize = 4;
const STARTER: u32 = 20_000;
const WORTH: u32 = 300;
const SCRAP: u32 = 7;
/// Tells the child process of the test with `kill -9` where its store is.
const CHILD: &str = "MCOS_ECONOMY_STORE";

fn people(store: &Store) -> Vec<PersonaId> {
    let known = store.personas().list().unwrap();
    if !known.is_empty() {
        return known.iter().map(|persona| persona.id).collect();
    }
    let password = Password::new("garage").unwrap();
    let person = |at| {
        let account = format!("driver{at}");
        let owner =
            store.accounts().create(&account, &password, None, Now::read()).unwrap().value.customer_id;
        let new = NewPersona {
            name: format!("Driver {at}"),
            shard: ShardId(44),
            id: None,
            starter_cash: STARTER,
            max_per_customer: PERSONAS,
        };
        store.personas().create(owner, new, Now::read()).unwrap().value.id
    };
    (0..PERSONAS).map(person).collect()
}

fn parts(random: &mut StdRng, most: usize) -> Vec<NewPart> {
    let count = random.gen_range(0..most);
    let part = |at: usize| NewPart {
        branded_part: BrandedPartId(u32::try_from(at).unwrap()),
        parent: (at > 0).then_some(at / 2),
        attachment_point: 0,
    };
    (0..=count).map(part).collect()
}

/// Some car or part of the persona, or of somebody else, or of nobody.
fn some_part(store: &Store, random: &mut StdRng, owner: PersonaId) -> PartId {
    let garage = store.garage();
    let mut all: Vec<PartId> = garage.loose_parts(owner).unwrap().iter().map(|part| part.id).collect();
    for car in garage.vehicles(owner).unwrap() {
        all.push(car.id.part());
        all.extend(garage.parts_of(car.id).unwrap().iter().map(|part| part.id));
    }
    match random.gen_range(0..20) {
        0 => PartId(random.gen_range(0..500)),
        1 => PartId(u32::MAX),
        _ if all.is_empty() => PartId(1),
        _ => all[random.gen_range(0..all.len())],
    }
}

/// What one operation did: by how much money changed, what to remember of it, and when it is on the card.
type Done = (i64, Option<(Kind, u32)>, Ticket);

fn done<T>(
    changed: Result<Changed<T>, GarageError>,
    money: impl FnOnce(&T) -> i64,
    what: impl FnOnce(&T) -> Option<(Kind, u32)>,
) -> Option<Done> {
    match changed {
        Ok(changed) => Some((money(&changed.value), what(&changed.value), changed.ticket)),
        Err(GarageError::Store(error)) => panic!("{error}"),
        Err(_) => None,
    }
}

fn act(store: &Store, random: &mut StdRng, owner: PersonaId) -> Option<Done> {
    let garage = store.garage();
    let room = |_: &Persona| 12;
    match random.gen_range(0..16) {
        0 | 1 => {
            let price = random.gen_range(0..600);
            let purchase = CarPurchase {
                model: BrandedPartId(104),
                skin: SkinId(1),
                flags: 0,
                car_class: 1,
                price,
                parts: parts(random, 12),
                first_car: false,
            };
            let trade_in = match random.gen_range(0..3) {
                0 => None,
                1 => Some(VehicleId(some_part(store, random, owner).0)),
                _ => garage.vehicles(owner).unwrap().first().map(|car| car.id),
            };
            let terms = Terms { trade_in, worth: &|_, _| WORTH, room: &|_| 4 };
            let gain = trade_in.map_or(0, |_| i64::from(WORTH)) - i64::from(price);
            done(
                garage.buy_from_dealer(owner, &purchase, &terms, Now::read()),
                |_| gain,
                |id| Some((Kind::CarBought, id.0)),
            )
        }
        2 | 3 => {
            let price = random.gen_range(0..60);
            let purchase = PartPurchase { price, parts: parts(random, 5) };
            done(
                garage.buy_part(owner, &purchase, &room, Now::read()),
                |_| -i64::from(price),
                |id| Some((Kind::PartBought, id.0)),
            )
        }
        4 | 5 => {
            let (part, parent) = (some_part(store, random, owner), some_part(store, random, owner));
            done(garage.install(owner, part, parent, 0, &|_, _, _| Ok(())), |()| 0, |()| None)
        }
        6 | 7 => done(garage.remove(owner, some_part(store, random, owner), &room), |()| 0, |()| None),
        8 => done(
            garage.repair_all(owner, some_part(store, random, owner), &|_| 1, Now::read()),
            |cost| -i64::try_from(*cost).unwrap(),
            |_| None,
        ),
        9..=14 => deal(store, random, owner).map(|ticket| (0, None, ticket)),
        _ => {
            let part = some_part(store, random, owner);
            let paid = |paid: &u64| i64::try_from(*paid).unwrap();
            done(garage.scrap(owner, part, &|_| SCRAP, Now::read()), paid, |_| Some((Kind::Scrap, part.0)))
        }
    }
}

/// Rooms as small as the other verbs are told, and ads that cost nothing.
struct SmallCity;

impl DealRules for SmallCity {
    fn name(&self, item: Item) -> String {
        format!("thing {}", item.model)
    }

    fn cars_room(&self, _: &Persona) -> usize {
        4
    }

    fn parts_room(&self, _: &Persona) -> usize {
        12
    }

    fn ad_price(&self, _: usize, _: u32) -> Option<u32> {
        Some(0)
    }

    fn ads_each(&self) -> usize {
        3
    }
}

/// Deals move money among the personas only.
fn deal(store: &Store, random: &mut StdRng, owner: PersonaId) -> Option<Ticket> {
    fn done<T>(changed: Result<Changed<T>, DealError>) -> Option<Ticket> {
        match changed {
            Ok(changed) => Some(changed.ticket),
            Err(DealError::Store(error)) => panic!("{error}"),
            Err(_) => None,
        }
    }
    let (deals, now) = (store.deals(&SmallCity), Now::read());
    let part = some_part(store, random, owner);
    let goods = if random.gen_bool(0.5) { Goods::Part(part) } else { Goods::Car(VehicleId(part.0)) };
    let auctions = deals.auctions(None, None, 20).unwrap().rows;
    let ads = deals.ads(None, None, 20).unwrap().rows;
    let people = people(store);
    let other = people[random.gen_range(0..people.len())];
    let trade = deals.of(owner).unwrap().trades.pop();
    match random.gen_range(0..10) {
        0 => {
            let buy_now = random.gen_bool(0.5).then_some(40);
            done(deals.open_auction(owner, NewAuction { goods, start: 1, buy_now, hours: 1 }, now))
        }
        1..=3 => {
            let auction = auctions.get(random.gen_range(0..auctions.len().max(1)))?;
            done(deals.bid(
                owner,
                auction.number,
                auction.least_bid()?.saturating_add(random.gen_range(0..20)),
                now,
            ))
        }
        4 => {
            let offer = Some((goods, random.gen_range(1..50)));
            let ad = NewAd { category: AdCategory::ForSale, text: "ad".to_owned(), days: 1, offer };
            done(deals.place_ad(owner, ad, now))
        }
        5 => done(deals.buy(owner, ads.first()?.number, now)),
        6 => done(deals.open_trade(owner, other, now)),
        7 => {
            let trade = trade?;
            done(deals.offer(owner, (trade.number, trade.version), &[goods], random.gen_range(0..50), now))
        }
        8 => trade.and_then(|trade| done(deals.accept(owner, (trade.number, trade.version), now))),
        _ => deals
            .end_due(now.later(Duration::from_mins(random.gen_range(0..180))))
            .unwrap()
            .map(|ended| ended.ticket),
    }
}

/// Everything that must hold at any time.
pub(crate) fn is_sound(store: &Store) -> u64 {
    let report = store.ledger().check().unwrap();
    assert_eq!(report.differences, []);
    let mut seen = HashSet::new();
    let people = store.personas().list().unwrap();
    for owner in people.iter().map(|persona| persona.id).chain([JUNKYARD.usual, ESCROW.usual]) {
        let cars = store.garage().vehicles(owner).unwrap();
        for car in &cars {
            assert_eq!(car.owner, owner);
            let parts = store.garage().parts_of(car.id).unwrap();
            hangs_together(&mut seen, owner, Some(car.id), &parts);
        }
        let loose = store.garage().loose_parts(owner).unwrap();
        hangs_together(&mut seen, owner, None, &loose);
    }
    for persona in &people {
        let current = persona.vehicle.map(|id| store.garage().vehicle(id).unwrap().unwrap().owner);
        assert!(current.is_none_or(|owner| owner == persona.id), "the current car is one's own");
    }
    report.money + report.held
}

fn hangs_together(seen: &mut HashSet<PartId>, owner: PersonaId, car: Option<VehicleId>, parts: &[Part]) {
    let mut here: HashSet<PartId> = car.map(VehicleId::part).into_iter().collect();
    for id in &here {
        assert!(seen.insert(*id), "car {id} is in two places");
    }
    for part in parts {
        assert!(seen.insert(part.id), "part {} is in two places", part.id);
        assert_eq!((part.owner, part.vehicle), (owner, car));
        here.insert(part.id);
    }
    let parents: HashMap<PartId, Option<PartId>> = parts.iter().map(|part| (part.id, part.parent)).collect();
    for part in parts {
        assert!(part.parent.is_none_or(|parent| here.contains(&parent)), "part {} hangs in the air", part.id);
        assert!(part.parent.is_some() || car.is_none(), "part {} lies loose in a car", part.id);
        let mut at = Some(part.id);
        for _ in 0..=parts.len() {
            at = at.and_then(|id| parents.get(&id).copied().flatten());
        }
        assert_eq!(at, None, "parts hang on each other in a circle");
    }
}

#[test]
fn money_and_parts_are_conserved_whatever_eight_threads_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let people = people(&store);
    let start = i64::from(STARTER) * i64::try_from(PERSONAS).unwrap();
    let money = AtomicI64::new(start);
    for round in 0..4 {
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (store, people, money) = (&store, &people, &money);
                scope.spawn(move || {
                    let mut random = StdRng::seed_from_u64(round * THREADS + thread);
                    for _ in 0..60 {
                        let owner = people[random.gen_range(0..people.len())];
                        if let Some((gain, _, ticket)) = act(store, &mut random, owner) {
                            money.fetch_add(gain, Ordering::SeqCst);
                            drop(ticket);
                        }
                    }
                });
            }
        });
        assert_eq!(i64::try_from(is_sound(&store)).unwrap(), money.load(Ordering::SeqCst));
    }
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(i64::try_from(is_sound(&store)).unwrap(), money.load(Ordering::SeqCst));
}

/// Not a test: the process that is killed. It says what is on the card.
#[test]
fn child_process_for_the_test_with_kill() {
    let Some(folder) = env::var_os(CHILD) else { return };
    let store = Store::open(Path::new(&folder)).unwrap();
    let people = people(&store);
    store.flush().unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (store, people) = (&store, &people);
            scope.spawn(move || {
                let mut random = StdRng::from_entropy();
                loop {
                    let owner = people[random.gen_range(0..people.len())];
                    let Some((_, what, ticket)) = act(store, &mut random, owner) else { continue };
                    let saved: Result<(), StoreError> = ticket.wait();
                    if let (Ok(()), Some((kind, reference))) = (saved, what) {
                        // In one piece: other threads write too, and the end may come at any moment.
                        let line = format!("done {owner} {kind:?} {reference}\n");
                        std::io::stderr().write_all(line.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_done_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..4 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "economy::child_process_for_the_test_with_kill",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        // Whatever the machine's speed: kill it in the middle of its work.
        let mut told: Vec<String> = lines.by_ref().take(40 + 25 * round).collect();
        thread::sleep(Duration::from_millis(u64::try_from(round).unwrap() * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        told.extend(lines);

        let store = Store::open(folder.path()).unwrap();
        is_sound(&store);
        let names = std::fs::read_dir(folder.path()).unwrap();
        assert!(
            names.into_iter().all(|name| !name.unwrap().file_name().to_string_lossy().contains("damaged"))
        );
        for line in told.iter().filter(|line| line.starts_with("done ")) {
            let words: Vec<&str> = line.split(' ').collect();
            let [_, owner, kind, reference] = words[..] else { continue };
            let (owner, reference) = (PersonaId(owner.parse().unwrap()), reference.parse::<u32>().unwrap());
            let book = store.ledger().of(owner).unwrap();
            let same =
                |line: &mcos::store::Line| line.reference == reference && format!("{:?}", line.kind) == kind;
            let cut = book[0].1.kind == Kind::Carried;
            assert!(cut || book.iter().any(|(_, line)| same(line)), "lost: {line}");
            acknowledged += 1;
        }
    }
    assert!(acknowledged > 100, "{acknowledged}");
}
