//! Two players deal with each other on the pages, and the game shows at once whose car it is: it is in the lists, comes whole, and drives.

use crate::races::{MINUTE, Racer, arrive, server, start};
use crate::support::browser::Browser;
use crate::support::{PASSWORD, Server, wait_until};
use mco_proto::ids::{BrandedPartId, DealerId, SkinId, VehicleId};
use mco_proto::mcots::Message as _;
use mco_proto::mcots::garage::PurchaseStockCar;
use mco_proto::mcots::race::FinalResults;
use smol::block_on;

fn browser(server: &Server, user: &str) -> Browser {
    let mut browser = Browser::new(server);
    let form = format!("name={user}&password={PASSWORD}");
    assert_eq!(browser.fill_in("/me/sign-in", "/me/sign-in", &form).status, 303);
    browser
}

/// Sends a form, and shows the page that comes next.
fn send(browser: &mut Browser, racer: &Racer, page: &str, path: &str, fields: &str) -> String {
    let persona = racer.driver.persona;
    let answer = browser.fill_in(page, path, &format!("persona={persona}&{fields}"));
    let to = answer.header("location").next().expect("another page").to_owned();
    assert_eq!(answer.status, 303);
    browser.look(&to)
}

/// Races to the end; the first comes in first.
async fn race(racers: &mut [Racer]) {
    let race = start(racers).await;
    for (racer, time) in racers.iter_mut().zip([MINUTE * 2, MINUTE * 3]) {
        racer.drive(race, time).await;
    }
    for racer in racers.iter_mut() {
        let results: FinalResults = racer.pushed().await;
        assert_eq!(results.race, race);
    }
}

#[test]
fn two_players_trade_their_cars_on_the_pages_and_each_drives_the_others_in_the_game() {
    let mut server = server(2);
    let (cars, money) = block_on(async {
        let mut racers = arrive(&server, 2).await;
        let cars = [racers[0].car, racers[1].car];
        let (mut ann, mut bob) = (browser(&server, "driver0"), browser(&server, "driver1"));
        let before = racers[0].mcots.player_info().await.unwrap().bank_balance;
        let page = send(&mut ann, &racers[0], "/trades", "/trades/open", "with=Driver+1");
        assert!(page.contains("Driver 1 is told by mail"), "{page}");
        let offer = format!("trade=1&version=1&dollars=100&goods=c{}", cars[0]);
        assert!(send(&mut ann, &racers[0], "/trades/1", "/trades/offer", &offer).contains("$100"));
        let offer = format!("trade=1&version=2&dollars=0&goods=c{}", cars[1]);
        assert!(send(&mut bob, &racers[1], "/trades/1", "/trades/offer", &offer).contains("is changed"));
        let accept = "trade=1&version=3";
        assert!(
            send(&mut bob, &racers[1], "/trades/1", "/trades/accept", accept).contains("You have accepted")
        );
        // While one of them races with it, nothing changes hands.
        let number = start(&mut racers).await;
        let page = send(&mut ann, &racers[0], "/trades/1", "/trades/accept", accept);
        assert!(page.contains("The car is in a race"), "{page}");
        for (racer, time) in racers.iter_mut().zip([MINUTE * 2, MINUTE * 3]) {
            racer.drive(number, time).await;
        }
        for racer in &mut racers {
            let _: FinalResults = racer.pushed().await;
        }
        let page = send(&mut ann, &racers[0], "/trades/1", "/trades/accept", accept);
        assert!(page.contains("The trade is done"), "{page}");
        for (racer, car) in racers.iter_mut().zip([cars[1], cars[0]]) {
            let listed: Vec<_> = racer.mcots.cars().await.unwrap().iter().map(|car| car.vehicle).collect();
            assert_eq!(listed, [car], "172");
            let whole = racer.mcots.car(car).await.unwrap();
            assert!(whole.vehicle == car && !whole.parts.is_empty(), "145");
            assert_eq!(racer.mcots.player_info().await.unwrap().vehicle, car);
            racer.car = car;
        }
        race(&mut racers).await;
        let mut money = Vec::new();
        for racer in &mut racers {
            money.push(racer.mcots.player_info().await.unwrap().bank_balance);
        }
        assert!(money[0] > before, "the races paid more than the trade cost");
        for racer in racers {
            racer.mcots.logout().await.unwrap();
        }
        (cars, money)
    });
    assert!(server.stop().success());
    assert!(server.must(&["ledger", "check"], "").contains("the ledger is right"));
    server.start();
    block_on(async {
        for (number, car) in [(0, cars[1]), (1, cars[0])] {
            let mut racer = Racer::come_back(&server, number).await;
            assert_eq!(racer.car, car, "after a restart");
            let info = racer.mcots.player_info().await.unwrap();
            // The salary of a new week may have come.
            assert!(info.bank_balance >= money[number]);
        }
    });
}

#[test]
fn an_auction_that_is_bought_out_moves_the_car_and_the_money_and_one_that_is_killed_goes_on() {
    let mut server = server(2);
    let (car, seller) = block_on(async {
        let mut racers = arrive(&server, 2).await;
        let [first, second] = &mut racers[..] else { unreachable!() };
        let mut ann = browser(&server, "driver0");
        // The last car stays.
        let sell = |car| format!("goods=c{car}&start=50&buy_now=150&hours=1");
        let page = send(&mut ann, first, "/auctions", "/auctions/open", &sell(first.car));
        assert!(page.contains("It is the last car"), "{page}");
        server.must(&["persona", "give", "Driver 0", "60000", "--reason", "for a second car"], "");
        let (dealer, model, skin) = (DealerId(8), BrandedPartId(101), SkinId(0));
        let wish = PurchaseStockCar { dealer, model, skin, trade_in: VehicleId(0) };
        let bought = VehicleId(first.mcots.order(wish.body()).await.unwrap().data);
        let page = send(&mut ann, first, "/auctions", "/auctions/open", &sell(bought));
        assert!(page.contains("Auction 1 is open"), "{page}");
        let info = first.mcots.player_info().await.unwrap();
        assert_eq!((info.vehicles, info.inventory_on_auction), (1, 1));
        let mut bob = browser(&server, "driver1");
        let page = send(&mut bob, second, "/auctions/1", "/auctions/bid", "auction=1&dollars=60");
        assert!(page.contains("$60 are held"), "{page}");
        assert_eq!(second.mcots.player_info().await.unwrap().highest_bids, 60);
        (bought, first.driver.persona)
    });
    server.kill();
    assert!(server.must(&["ledger", "check"], "").contains("60 held for bids"));
    server.start();
    block_on(async {
        let racer = Racer::come_back(&server, 1).await;
        let mut bob = browser(&server, "driver1");
        let page = send(&mut bob, &racer, "/auctions/1", "/auctions/bid", "auction=1&dollars=150");
        assert!(page.contains("It is yours for $150"), "{page}");
        let mut mcots = racer.mcots;
        let cars: Vec<_> = mcots.cars().await.unwrap().iter().map(|car| car.vehicle).collect();
        assert!(cars.contains(&car), "{cars:?}");
        assert_ne!(seller, racer.driver.persona);
    });
    let said =
        wait_until(|| server.must(&["ledger", "check"], ""), |said| said.contains("the ledger is right"));
    assert!(!said.contains("held"), "{said}");
}
