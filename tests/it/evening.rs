//! An evening through the wire: a new driver, a first car, races against others, parts, damage, repairs, a second car and
//! mail; then a restart, and everything is as it was.

use crate::support::track::{ANY_TIME, drive, traffic};
use crate::support::{PATIENCE, Server, refused};
use mco_proto::ids::{BrandedPartId, CommId, DealerId, PartId, PersonaId, SkinId, VehicleId};
use mco_proto::mcots::Number;
use mco_proto::mcots::garage::{
    AssemblyParts, AttachmentPoint, InstallPart, PricedPart, PurchaseStockCar, VehicleInfo,
};
use mco_proto::mcots::player::{CarNumbers, Physical, PlayerInfo, PlayerRacingHistory, SetOptions};
use mco_proto::mcots::race::{FinalResults, SLOTS};
use mco_proto::mcots::{GenericRequest, Message as _, number};
use mco_proto::nps::mail::{ListEmails, Mail, MailList, ReceiveEmail};
use mco_proto::text::Chars;
use mcos::catalog::{Catalog, UsedPart, rules};
use mcos::client::Service;
use mcos::client::nps::Nps;
use mcos::client::racing::{Racer, Terms, line_up};
use mcos::client::sitting::{FirstCar, PersonaSession, Transactions};
use smol::block_on;

const MUFFLER: u32 = 300_001;
const EXHAUST: u32 = 37_001;
const FAIRLANE: BrandedPartId = BrandedPartId(104);
const BEL_AIR: BrandedPartId = BrandedPartId(113);
/// A room server by its number in the directory.
const ROOM: CommId = CommId(1);
const FEE: u32 = 250;
const MINUTE: u32 = 60 * 64;
const PEOPLE: [(&str, &str); 3] = [("doc", "Dr Brown"), ("marty", "Marty"), ("biff", "Biff")];
const DOC: usize = 0;

/// What a driver has, as the wire tells it.
#[derive(Debug, PartialEq)]
struct Belongings {
    player: PlayerInfo,
    physical: Physical,
    history: PlayerRacingHistory,
    cars: Vec<VehicleInfo>,
    inventory: Vec<PricedPart>,
    mails: Vec<Mail>,
}

async fn belongings(server: &Server, persona: PersonaId, mcots: &mut Transactions) -> Belongings {
    let home = mcots.home().await.unwrap();
    Belongings {
        player: home.player,
        physical: home.physical,
        history: mcots.history().await.unwrap(),
        cars: home.cars,
        inventory: mcots.loose_parts().await.unwrap().parts.to_vec(),
        mails: mails(server, persona).await,
    }
}

async fn mails(server: &Server, persona: PersonaId) -> Vec<Mail> {
    let list = ListEmails::all(persona);
    let MailList { count, first } = mail_service(server).await.ask(&list).await.unwrap();
    let mut mails = Vec::new();
    for mail in first..first + u32::from(count) {
        let header = ReceiveEmail { persona, mail, header_only: 1 };
        mails.push(mail_service(server).await.ask(&header).await.unwrap());
    }
    mails
}

async fn mail_service(server: &Server) -> Nps {
    Nps::connect(Service::Mail, &server.at("mail"), PATIENCE).await.unwrap()
}

async fn parts(mcots: &mut Transactions, car: VehicleId) -> Vec<PricedPart> {
    mcots.get::<AssemblyParts>(number::GET_ASSEMBLY_PARTS, car.0).await.unwrap().parts.to_vec()
}

fn part(parts: &[PricedPart], branded: u32) -> PartId {
    parts.iter().find(|part| part.part.branded_part.0 == branded).expect("the car has it").part.part
}

async fn order(mcots: &mut Transactions, request: Number, data: u32) -> u32 {
    mcots.order(GenericRequest::body(request, data)).await.unwrap().data
}

async fn money(racer: &mut Racer) -> u32 {
    racer.mcots().player_info().await.unwrap().bank_balance
}

fn purchase(model: BrandedPartId, trade_in: VehicleId) -> PurchaseStockCar {
    PurchaseStockCar { dealer: DealerId(8), model, skin: SkinId(0), trade_in }
}

#[test]
fn an_evening_of_races_and_repairs_is_all_there_after_a_restart() {
    let mut server = Server::with(&format!("{ANY_TIME}starter_cash = 60000\n"));
    for (user, _) in PEOPLE {
        server.account(user);
    }
    server.start();
    let before = block_on(evening(&server));
    assert!(server.must(&["ledger", "check"], "").starts_with("the ledger is right"));
    assert!(server.stop().success());
    assert!(server.must(&["ledger", "check"], "").starts_with("the ledger is right"));
    server.start();
    block_on(async {
        for ((user, name), before) in PEOPLE.into_iter().zip(&before) {
            let driver = server.driver(user, name).await;
            let mut mcots = Transactions::connect(&driver).await.unwrap();
            mcots.sign_in(None).await.unwrap();
            assert_eq!(belongings(&server, driver.persona, &mut mcots).await, *before);
        }
    });
    assert!(server.must(&["ledger", "check"], "").starts_with("the ledger is right"));
}

async fn evening(server: &Server) -> Vec<Belongings> {
    let doc = new_driver(server).await;
    let mut racers = vec![Racer::sign_in(doc.clone(), ROOM).await.unwrap()];
    for (user, name) in &PEOPLE[1..] {
        server.sign_in(user).await.create_persona(name).await.unwrap();
        racers.push(Racer::sign_in(server.driver(user, name).await, ROOM).await.unwrap());
    }
    // He wins, comes in second, and comes in last.
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
        racers = race(racers, order, &[]).await;
    }
    let info = racers[DOC].mcots().player_info().await.unwrap();
    assert_eq!((info.races_entered, info.races_completed, info.races_won), (3, 3, 1));
    assert_eq!(info.points, [0, 1, 2].map(|place| rules::points(3, place)).iter().sum::<u32>());

    let (car, new) = tune(&mut racers[DOC]).await;
    // One more race, which does the new part no good.
    racers = race(racers, [1, 2, 0], &[(new, 60, 1500)]).await;
    patch_up(&mut racers[DOC], car, new).await;
    trade(&mut racers[DOC], &doc).await;

    assert_eq!(doc.mails().await.unwrap(), 1 + 4);
    let read = ReceiveEmail { persona: doc.persona, mail: 1, header_only: 0 };
    let welcome: Mail = mail_service(server).await.ask(&read).await.unwrap();
    assert!(welcome.unread == 1 && welcome.text.to_string().contains("Dr Brown"));
    let found = mails(server, doc.persona).await;
    assert_eq!(found.iter().map(|mail| mail.unread).collect::<Vec<_>>(), [0, 1, 1, 1, 1]);
    let titles: Vec<_> = found[1..].iter().map(|mail| mail.title.to_string()).collect();
    assert_eq!(titles, [1, 2, 3, 3].map(|place| format!("Race: place {place} of 3")));

    let mut all = Vec::new();
    for mut racer in racers {
        let persona = racer.persona();
        all.push(belongings(server, persona, racer.mcots()).await);
        racer.sign_out().await.unwrap();
    }
    all
}

/// Makes the persona, with plate and looks, and gets the first car.
async fn new_driver(server: &Server) -> PersonaSession {
    let (user, name) = PEOPLE[DOC];
    server.sign_in(user).await.create_persona(name).await.unwrap();
    let driver = server.driver(user, name).await;
    let mut mcots = Transactions::connect(&driver).await.unwrap();
    let first_car = FirstCar { dealer: DealerId(8), model: FAIRLANE, skin: SkinId(47) };
    mcots.sign_in(Some(first_car)).await.unwrap();
    let options = SetOptions {
        plate_code: 32,
        plate_text: Chars::constant(b"OUTATIM"),
        car_info_setting: 1,
        car_numbers: CarNumbers(["57", "", "", "", "", ""].map(|text| Chars::new(text).unwrap())),
    };
    mcots.set_options(&options).await.unwrap();
    let looks = Physical {
        player: driver.persona,
        body_type: 5,
        hair_color: 0xffff_ffff,
        skin_color: 0xffff_cea5,
        shirt_color: 1,
        pants_color: 2,
    };
    mcots.set_physical(looks).await.unwrap();
    let cars = mcots.cars().await.unwrap();
    assert_eq!((cars.len(), cars[0].model), (1, FAIRLANE));
    let info = mcots.player_info().await.unwrap();
    assert_eq!((info.vehicle, info.plate_text.to_string().as_str()), (cars[0].vehicle, "OUTATIM"));
    mcots.logout().await.unwrap();
    driver
}

/// A race of all, who come in in that order and are paid by the table. `damage` is what it does to the first one's car.
async fn race(mut racers: Vec<Racer>, order: [usize; 3], damage: &[(PartId, u8, u32)]) -> Vec<Racer> {
    let terms = Terms { lobby: racers[DOC].circuit().await.unwrap(), entry_fee: FEE, pink_slip: false };
    let mut before = Vec::new();
    for racer in &mut racers {
        before.push(money(racer).await);
    }
    let personas: Vec<PersonaId> = racers.iter().map(Racer::persona).collect();
    let mut field = drive(line_up(racers, terms, &traffic([8; SLOTS], 300, 5)).await.unwrap()).await;
    for (ticks, who) in (MINUTE..).zip(order) {
        field[who].finish(ticks).await.unwrap();
    }
    let mut racers = Vec::new();
    for (who, mut starter) in field.into_iter().enumerate() {
        let results = starter.results().await.unwrap();
        assert_eq!(results.flags, FinalResults::AGAIN);
        let came_in = results.placements.iter().map(|placement| placement.racer);
        assert!(came_in.take(3).eq(order.map(|who| personas[who])));
        if who == DOC {
            starter.report_damage(damage).await.unwrap();
        }
        let mut racer = starter.leave().await.unwrap();
        let place = order.iter().position(|other| *other == who).unwrap();
        let won = rules::share(rules::purse(FEE, 3), 3, place);
        assert_eq!(results.placements[place].cash, won);
        assert_eq!(money(&mut racer).await, before[who] - FEE + won);
        racers.push(racer);
    }
    racers
}

/// A part is bought and takes the place of the old one, which is scrapped.
async fn tune(racer: &mut Racer) -> (VehicleId, PartId) {
    let car = racer.car();
    let before = money(racer).await;
    let mcots = racer.mcots();
    let new = PartId(order(mcots, number::BUY_NEW_PART, MUFFLER).await);
    let fitted = parts(mcots, car).await;
    let (old, exhaust) = (part(&fitted, MUFFLER), part(&fitted, EXHAUST));
    let install = InstallPart { part: new, parent: exhaust, point: AttachmentPoint(0) };
    refused(mcots.order(install.body()).await);
    order(mcots, number::REMOVE_PART, old.0).await;
    mcots.order(install.body()).await.unwrap();
    assert_eq!(part(&parts(mcots, car).await, MUFFLER), new);
    assert_eq!(mcots.car(car).await.unwrap().delta, 2);
    mcots.mcots().send_body(GenericRequest::body(number::DESTROY_PART, old.0)).await.unwrap();
    assert!(mcots.loose_parts().await.unwrap().parts.is_empty());
    assert_eq!(money(racer).await, before - 49 + 24);
    (car, new)
}

/// The damaged part is repaired, taken out, and scrapped for what its wear has left of it.
async fn patch_up(racer: &mut Racer, car: VehicleId, new: PartId) {
    let before = money(racer).await;
    let mcots = racer.mcots();
    let seen = |parts: &[PricedPart]| {
        let part = &parts.iter().find(|part| part.part.part == new).unwrap().part;
        (part.damage, part.wear, part.repair_price)
    };
    assert_eq!(seen(&parts(mcots, car).await), (60, 1500, 30));
    order(mcots, number::REPAIR_SINGLE_PART, new.0).await;
    assert_eq!(seen(&parts(mcots, car).await), (0, 1500, 0));
    assert_eq!(mcots.player_info().await.unwrap().bank_balance, before - 30);
    order(mcots, number::REPAIR_MULTIPLE_PARTS, car.0).await;
    order(mcots, number::REMOVE_PART, new.0).await;
    mcots.mcots().send_body(GenericRequest::body(number::DESTROY_PART, new.0)).await.unwrap();
    assert!(mcots.loose_parts().await.unwrap().parts.is_empty());
    assert!(parts(mcots, car).await.iter().all(|part| part.part.branded_part.0 != MUFFLER));
    // Half of 49, a twentieth worn.
    assert_eq!(money(racer).await, before - 30 + 23);
}

/// A second car for the first one, and a part to keep.
async fn trade(racer: &mut Racer, doc: &PersonaSession) {
    let car = racer.car();
    let before = money(racer).await;
    let stock = Transactions::stock(&doc.account.endpoints, DealerId(8)).await.unwrap();
    let offer = stock.cars.iter().find(|offer| offer.model == BEL_AIR).unwrap();
    let mcots = racer.mcots();
    let catalog = Catalog::builtin();
    let old = parts(mcots, car).await;
    let old = old[1..].iter().map(|part| UsedPart {
        branded_part: part.part.branded_part,
        attachment_point: part.part.attachment_point,
        damage: part.part.damage,
        wear: part.part.wear,
    });
    let worth = catalog.trade_in_price(FAIRLANE, &old.collect::<Vec<_>>());
    let bought = mcots.order(purchase(BEL_AIR, car).body()).await.unwrap();
    let cars = mcots.cars().await.unwrap();
    assert_eq!((cars.len(), cars[0].vehicle, cars[0].model), (1, VehicleId(bought.data), BEL_AIR));
    assert_eq!(mcots.player_info().await.unwrap().bank_balance, before + worth - offer.price);
    refused(mcots.order(purchase(BEL_AIR, car).body()).await);
    let spare = order(mcots, number::BUY_NEW_PART, 22_009).await;
    assert_eq!(mcots.loose_parts().await.unwrap().parts[0].part.part, PartId(spare));
}
