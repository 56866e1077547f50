//! The city helps those who have nothing left, once, and dealers take old cars of whoever can pay.

use crate::stakes::{Pc, server, sound};
use mco_proto::ids::{BrandedPartId, DealerId, SkinId, VehicleId};
use mco_proto::mcots::garage::{AssemblyParts, PurchaseStockCar};
use mco_proto::mcots::{GenericRequest, Message as _, number};

/// Also if its book has been folded since.
#[test]
fn the_city_helps_once_a_day_however_many_lines_are_in_the_ledger() {
    let server = server(1, "");
    sound(&server, async {
        let mut pc = Pc::arrive(&server, 0).await;
        let cars = pc.cars().await;
        // No car that drives: one is scrapped, the other stripped and its parts scrapped.
        pc.mcots.mcots().send_body(GenericRequest::body(number::DESTROY_PART, cars[1].0)).await.unwrap();
        strip(&mut pc, cars[0]).await;
        let mut helped = Vec::new();
        for round in 0..2 {
            spend(&mut pc).await;
            let before = pc.money().await;
            let _ = pc
                .mcots
                .get::<mco_proto::mcots::garage::StockCarInfo>(number::STOCK_CAR_INFO, 8)
                .await
                .unwrap();
            helped.push(pc.money().await - before);
            if round == 0 {
                for _ in 0..600 {
                    trash(&mut pc).await;
                }
            }
        }
        assert_eq!(helped[1], 0, "what the city gave: {helped:?}");
    });
}

async fn strip(pc: &mut Pc, car: VehicleId) {
    let parts: AssemblyParts = pc.mcots.get(number::GET_ASSEMBLY_PARTS, car.0).await.unwrap();
    for part in parts.parts.iter().filter(|part| part.part.parent == car.part()) {
        pc.mcots
            .mcots()
            .send_body(GenericRequest::body(number::DESTROY_PART, part.part.part.0))
            .await
            .unwrap();
    }
}

/// Buys a cheap part and scraps it.
async fn trash(pc: &mut Pc) -> bool {
    buy_and_scrap(pc, 16_001).await
}

async fn buy_and_scrap(pc: &mut Pc, part: u32) -> bool {
    let Ok(bought) = pc.mcots.order(GenericRequest::body(number::BUY_NEW_PART, part)).await else {
        return false;
    };
    let scrap = GenericRequest::body(number::DESTROY_PART, bought.result);
    pc.mcots.mcots().send_body(scrap).await.unwrap();
    true
}

/// Has next to nothing left afterwards.
async fn spend(pc: &mut Pc) {
    for part in [350_001, 130_001, 16_001] {
        while buy_and_scrap(pc, part).await {}
    }
}

/// Who owns a dear car, less one part that lies in the inventory, is helped out.
#[test]
fn nobody_is_helped_out_who_has_a_dear_car_and_takes_a_part_out_of_it() {
    let server = server(1, "");
    sound(&server, async {
        let mut pc = Pc::arrive(&server, 0).await;
        // The Boss 302: trade one coupe in, scrap the other.
        let cars = pc.cars().await;
        let boss = PurchaseStockCar {
            dealer: DealerId(6),
            model: BrandedPartId(111),
            skin: SkinId(0),
            trade_in: cars[0],
        };
        pc.mcots.order(boss.body()).await.unwrap();
        let boss = *pc.cars().await.iter().max().unwrap();
        pc.mcots.mcots().send_body(GenericRequest::body(number::DESTROY_PART, cars[1].0)).await.unwrap();
        let parts: AssemblyParts = pc.mcots.get(number::GET_ASSEMBLY_PARTS, boss.0).await.unwrap();
        let small = parts.parts.iter().find(|part| part.part.parent == boss.part()).unwrap().part.clone();
        spend(&mut pc).await;
        let before = pc.money().await;
        pc.mcots.order(GenericRequest::body(number::REMOVE_PART, small.part.0)).await.unwrap();
        let _ =
            pc.mcots.get::<mco_proto::mcots::garage::StockCarInfo>(number::STOCK_CAR_INFO, 8).await.unwrap();
        let given = pc.money().await - before;
        let back = mco_proto::mcots::garage::InstallPart {
            part: small.part,
            parent: boss.part(),
            point: mco_proto::mcots::garage::AttachmentPoint(small.attachment_point.into()),
        };
        let fitted = pc.mcots.order(back.body()).await.is_ok();
        assert_eq!(given, 0, "to the owner of a Boss 302 of 54,910 dollars; fitted again: {fitted}");
    });
}

/// Near the most that a bank holds, too: the purchase makes it poorer.
#[test]
fn who_is_rich_trades_in_too() {
    let server = server(1, "");
    sound(&server, async {
        let mut pc = Pc::arrive(&server, 0).await;
        let money = pc.money().await;
        server
            .must(&["persona", "give", "Driver 0", &(u32::MAX - money).to_string(), "--reason", "rich"], "");
        assert_eq!(pc.money().await, u32::MAX);
        let old = pc.cars().await[0];
        let deal = PurchaseStockCar {
            dealer: DealerId(6),
            model: BrandedPartId(111),
            skin: SkinId(0),
            trade_in: old,
        };
        let answer = pc.mcots.order(deal.body()).await;
        assert!(
            answer.is_ok(),
            "a Boss 302 of 54,910 for a coupe of 3,805: {:?}",
            answer.map_err(|error| error.to_string())
        );
    });
}
