//! An evening through the wire: a new driver, cars, parts, repairs and mail; then a restart, and everything is as it was.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use mcos::client::Service;
use mcos::client::nps::Nps;
use mcos::client::sitting::{Driver, FirstCar, Transactions};
use mcos::protocol::ids::{BrandedPartId, DealerId, PartId, SkinId, VehicleId};
use mcos::protocol::mcots::garage::{
    AssemblyParts, AttachmentPoint, InstallPart, PricedPart, PurchaseStockCar, VehicleInfo,
};
use mcos::protocol::mcots::player::PlayerInfo;
use mcos::protocol::mcots::{GenericRequest, Message as _, number};
use mcos::protocol::nps::mail::{ListEmails, Mail, MailList, ReceiveEmail};
use smol::block_on;
use support::{PATIENCE, Server, refused};

const MUFFLER: u32 = 300_001;
const EXHAUST: u32 = 37_001;
const FAIRLANE: BrandedPartId = BrandedPartId(104);

/// What a driver has, as the wire tells it.
#[derive(Debug, PartialEq)]
struct Belongings {
    player: PlayerInfo,
    cars: Vec<VehicleInfo>,
    inventory: Vec<PricedPart>,
    mails: MailList,
    mail: Mail,
}

async fn belongings(server: &Server, driver: &Driver, mcots: &mut Transactions) -> Belongings {
    let home = mcots.home().await.unwrap();
    let list = ListEmails { persona: driver.persona, last_known: 0, unknown: 1, filler: 0 };
    let first = ReceiveEmail { persona: driver.persona, mail: 1, header_only: 1 };
    Belongings {
        player: home.player,
        cars: home.cars,
        inventory: mcots.loose_parts().await.unwrap().parts.to_vec(),
        mails: mail(server).await.ask(&list).await.unwrap(),
        mail: mail(server).await.ask(&first).await.unwrap(),
    }
}

async fn mail(server: &Server) -> Nps {
    Nps::connect(Service::Mail, &server.at("mail"), PATIENCE).await.unwrap()
}

async fn parts(mcots: &mut Transactions, car: VehicleId) -> Vec<PricedPart> {
    mcots.get::<AssemblyParts>(number::GET_ASSEMBLY_PARTS, car.0).await.unwrap().parts.to_vec()
}

fn part(parts: &[PricedPart], branded: u32) -> PartId {
    parts.iter().find(|part| part.part.branded_part.0 == branded).expect("the car has it").part.part
}

async fn order(mcots: &mut Transactions, request: u16, data: u32) -> u32 {
    mcots.order(GenericRequest::body(request, data)).await.unwrap().data
}

fn purchase(model: BrandedPartId, trade_in: VehicleId) -> PurchaseStockCar {
    PurchaseStockCar { dealer: DealerId(8), model, skin: SkinId(0), trade_in }
}

#[test]
fn an_evening_in_the_garage_is_all_there_after_a_restart() {
    let mut server = Server::with("[game]\nstarter_cash = 60000\n");
    server.account("doc");
    server.start();
    let before = block_on(evening(&server));
    assert!(server.must(&["ledger", "check"], "").starts_with("the ledger is right"));
    assert!(server.stop().success());
    assert!(server.must(&["ledger", "check"], "").starts_with("the ledger is right"));
    server.start();
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let mut mcots = driver.transactions().await.unwrap();
        mcots.sign_in(None).await.unwrap();
        assert_eq!(belongings(&server, &driver, &mut mcots).await, before);
    });
}

async fn evening(server: &Server) -> Belongings {
    let account = server.sign_in("doc").await;
    account.create_persona("Dr Brown").await.unwrap();
    let driver = server.driver("doc", "Dr Brown").await;
    let mut mcots = driver.transactions().await.unwrap();
    let first_car = FirstCar { dealer: DealerId(8), model: FAIRLANE, skin: SkinId(47) };
    mcots.sign_in(Some(first_car)).await.unwrap();
    let cars = mcots.cars().await.unwrap();
    assert_eq!((cars.len(), cars[0].model), (1, FAIRLANE));
    let car = cars[0].vehicle;
    assert_eq!(mcots.player_info().await.unwrap().vehicle, car);

    // A part is bought, takes the place of the old one, and the old one is scrapped.
    let money = mcots.player_info().await.unwrap().bank_balance;
    let new = PartId(order(&mut mcots, number::BUY_NEW_PART, MUFFLER).await);
    assert_eq!(mcots.player_info().await.unwrap().bank_balance, money - 49);
    let fitted = parts(&mut mcots, car).await;
    let (old, exhaust) = (part(&fitted, MUFFLER), part(&fitted, EXHAUST));
    let install = InstallPart { part: new, parent: exhaust, point: AttachmentPoint(0) };
    refused(mcots.order(install.body()).await);
    order(&mut mcots, number::REMOVE_PART, old.0).await;
    mcots.order(install.body()).await.unwrap();
    assert_eq!(part(&parts(&mut mcots, car).await, MUFFLER), new);
    assert_eq!(mcots.car(car).await.unwrap().delta, 2);
    order(&mut mcots, number::REPAIR_SINGLE_PART, new.0).await;
    order(&mut mcots, number::REPAIR_MULTIPLE_PARTS, car.0).await;
    mcots.mcots().send_body(GenericRequest::body(number::DESTROY_PART, old.0)).await.unwrap();
    assert!(mcots.loose_parts().await.unwrap().parts.is_empty());
    assert_eq!(mcots.player_info().await.unwrap().bank_balance, money - 49 + 24);

    // A second car for the first one.
    let stock = Transactions::stock(&account.place, DealerId(8)).await.unwrap();
    let offer = stock.cars.iter().find(|offer| offer.model == BrandedPartId(113)).unwrap();
    let bought = mcots.order(purchase(offer.model, car).body()).await.unwrap();
    let cars = mcots.cars().await.unwrap();
    assert_eq!((cars.len(), cars[0].vehicle, cars[0].model), (1, VehicleId(bought.data), offer.model));
    refused(mcots.order(purchase(offer.model, car).body()).await);
    let spare = order(&mut mcots, number::BUY_NEW_PART, 22_009).await;
    assert_eq!(mcots.loose_parts().await.unwrap().parts[0].part.part, PartId(spare));

    assert_eq!(driver.mails().await.unwrap(), 1);
    let read = ReceiveEmail { persona: driver.persona, mail: 1, header_only: 0 };
    let welcome: Mail = mail(server).await.ask(&read).await.unwrap();
    assert!(welcome.unread == 1 && welcome.text.to_string().contains("Dr Brown"));

    let all = belongings(server, &driver, &mut mcots).await;
    assert_eq!(all.mail.unread, 0);
    mcots.logout().await.unwrap();
    all
}
