//! What can be asked and changed, and what is no request at all.

use super::*;
use crate::clock::Now;
use crate::store::{AdCategory, NewAd};
use mco_proto::mcots::Number;

#[test]
fn a_dealers_list_is_for_everybody_in_clear_and_for_players_encrypted() {
    let mut scene = Scene::fresh();
    let outcome = scene.send(CLEAR, GenericRequest::body(number::STOCK_CAR_INFO, 8));
    assert!(!outcome.replies[0].encrypted);
    let stock: StockCarInfo = outcome.replies[0].body.read().unwrap();
    assert_eq!((stock.starter_cash, stock.dealer, stock.brand), (20_000, DealerId(8), 0));
    assert!(stock.cars.iter().any(|car| car.model == BrandedPartId(104)));

    let mut scene = Scene::connected();
    let all: StockCarInfo = scene.get(number::STOCK_CAR_INFO, 8);
    assert_eq!(all.cars.iter().filter(|car| car.deal_of_the_day.0).count(), 1);
    let affordable = all.cars.iter().filter(|car| car.price <= all.starter_cash);
    assert!(affordable.eq(stock.cars.iter()), "who makes a persona sees what its money buys");
    assert!(scene.get::<StockCarInfo>(number::STOCK_CAR_INFO, 9).cars.is_empty());
}

#[test]
fn a_change_is_told_when_it_is_on_the_card() {
    let mut scene = Scene::connected();
    assert_eq!(scene.change(options().body()), success(number::SET_OPTIONS));
    let brown = scene.brown.persona;
    assert_eq!(scene.change(looks(brown).body()), success(number::UPDATE_PLAYER_PHYSICAL));
    assert_eq!(scene.change(looks(PersonaId(0)).body()), success(number::UPDATE_PLAYER_PHYSICAL));
    assert_eq!(scene.change(words("Great Scott!")), success(number::SET_PERSONA_DESCRIPTION));
}

#[test]
fn the_looks_of_somebody_else_cannot_be_changed() {
    let mut scene = Scene::connected();
    let strange = scene.game.player("strange", "Stranger", peer());
    assert_eq!(scene.ask(looks(strange.persona).body()), failed(number::UPDATE_PLAYER_PHYSICAL));
    assert_eq!(scene.get::<PlayerPhysicalInfo>(Number(264), strange.persona.0).physical.body_type, 0);
}

#[test]
fn a_plate_or_description_that_is_no_text_is_rejected() {
    let mut scene = Scene::connected();
    let rejected = scene.ask(words("bell \x07"));
    assert_eq!(rejected.number(), Some(number::FILTHY_TEXT));
    assert_eq!(rejected.record::<GenericReply>().unwrap().request, number::SET_PERSONA_DESCRIPTION);
    let plate = SetOptions { plate_text: Chars::new("A\nB").unwrap(), ..options() };
    assert_eq!(scene.ask(plate.body()), failed(number::SET_OPTIONS));
    let info = scene.info();
    assert_eq!((info.description.to_string(), info.plate_text.to_string()), (String::new(), String::new()));
}

#[test]
fn what_a_player_writes_is_kept_as_text_and_comes_back_byte_for_byte() {
    let mut scene = Scene::connected();
    // Every byte of Windows-1252 that is a character.
    let wire: Vec<u8> = (0x20..=0xff).filter(|byte| !b"\x7f\x81\x8d\x8f\x90\x9d".contains(byte)).collect();
    let mut body = words("");
    body.0[2..][..wire.len()].copy_from_slice(&wire);
    assert_eq!(scene.change(body), success(number::SET_PERSONA_DESCRIPTION));
    let plate = SetOptions { plate_text: Chars::constant(b"\x80-\xc4\xd6"), ..options() };
    assert_eq!(scene.change(plate.body()), success(number::SET_OPTIONS));
    let stored = scene.game.store.personas().by_id(scene.brown.persona).unwrap().unwrap();
    assert!(
        stored.description.contains("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ") && stored.description.ends_with("ýþÿ")
    );
    assert_eq!(stored.plate.text, "€-ÄÖ");
    let info = scene.info();
    assert_eq!((info.description.as_bytes(), info.plate_text.as_bytes()), (&wire[..], &b"\x80-\xc4\xd6"[..]));
}

#[test]
fn fields_that_came_without_their_nul_are_cut_and_not_refused() {
    let mut scene = Scene::connected();
    let mut body = options().body();
    body.0[4..12].copy_from_slice(b"ABCDEFGH");
    body.0[16..34].copy_from_slice(b"123456789abcdefghi");
    assert_eq!(scene.change(body), success(number::SET_OPTIONS));
    let mut body = words("");
    body.0[2..].fill(0xff);
    assert_eq!(scene.change(body), success(number::SET_PERSONA_DESCRIPTION));
    let info = scene.info();
    assert_eq!(info.plate_text.to_string(), "ABCDEFG");
    assert_eq!(info.car_numbers.0[5].to_string(), "gh");
    assert_eq!(info.description.to_string().chars().count(), 255);
}

#[test]
fn the_lobbies_come_with_the_purses() {
    let mut scene = Scene::connected();
    let outcome = scene.send(SEALED, GenericRequest::body(number::GET_LOBBIES, 0));
    let [lobbies, purses] = &outcome.replies[..] else { panic!("not two answers") };
    assert_eq!((lobbies.sequence, purses.sequence), (12, 12));
    assert_eq!((lobbies.body.number(), purses.body.number()), (Some(Number(325)), Some(Number(408))));
    let lobbies = lobbies.body.read::<Lobbies>().unwrap().lobbies;
    let seen: Vec<_> = lobbies.iter().map(|lobby| (lobby.lobby, lobby.race_type, lobby.element)).collect();
    assert_eq!(seen, [(2, 14, 25), (10_001, 17, 25), (10_002, 16, 25), (10_003, 18, 25)]);
    assert_eq!(lobbies[0].name.to_string(), "MCC10");
    assert!(purses.body.read::<EntryFeePurses>().unwrap().purses.iter().any(|row| row.purse == 1100));
}

#[test]
fn the_lists_of_the_way_to_the_home_screen_are_answered() {
    let mut scene = Scene::connected();
    assert_eq!(scene.get::<ArcadeCars>(Number(322), 0).cars[0].model, BrandedPartId(113));
    let tunables: Tunables = scene.get(Number(389), 0);
    let factors = [tunables.repair_cost_modifier, tunables.scrap_value_modifier, tunables.trade_in_modifier];
    assert!(factors.iter().zip([1.0, 0.5, 0.5]).all(|(found, meant)| (found - meant).abs() < 1e-9));
    assert!(scene.get::<OwnedParts>(Number(174), 0).parts.is_empty());
    let brown = scene.brown.persona;
    let history: PlayerRacingHistory = scene.get(Number(361), brown.0);
    assert!(history.player == brown && history.races.is_empty());
    assert_eq!(scene.ask(GenericRequest::body(number::LOGOUT, 0)), success(number::LOGOUT));
}

#[test]
fn the_pages_lie_where_this_client_reached_us() {
    let first = |scene: &mut Scene| {
        let urls = scene.get::<GameUrls>(Number(363), 0).urls;
        assert_eq!((urls.len(), urls[66].id), (67, 66));
        urls[1].url.to_string()
    };
    let mut scene = Scene::connected();
    assert_eq!(first(&mut scene), "http://10.10.5.1/urls?id=1");
    scene.game.ports.http = 8080;
    assert_eq!(first(&mut scene), "http://10.10.5.1:8080/urls?id=1");
    scene.game.config.network.public_host = crate::config::HostName::parse("mcos.local");
    assert_eq!(first(&mut scene), "http://mcos.local:8080/urls?id=1");
}

#[test]
fn everybody_may_be_asked_for_and_nobody_is_refused() {
    let mut scene = Scene::connected();
    let strange = scene.game.player("strange", "Stranger", peer());
    let info: PlayerInfo = scene.get(Number(108), strange.persona.0);
    assert_eq!((info.player, info.name.to_string().as_str()), (strange.persona, "Stranger"));
    assert!(!info.is_logged_on.0 && info.current_level == 1 && info.points_to_next_level == 100);
    assert_eq!(scene.get::<PlayerName>(Number(164), strange.persona.0).name.to_string(), "Stranger");
    assert_eq!(scene.get::<PlayerName>(Number(164), 9).name.to_string(), "Junkyard");
    assert!(scene.get::<OwnedVehicles>(Number(172), strange.persona.0).vehicles.is_empty());
    for asked in [108, 164, 172, 264, 361] {
        assert_eq!(scene.ask(GenericRequest::body(Number(asked), 4711)), failed(Number(asked)));
    }
}

#[test]
fn cars_of_others_can_be_seen_and_cars_of_nobody_not() {
    let mut scene = Scene::connected();
    let strange = scene.game.player("strange", "Stranger", peer());
    let purchase = CarPurchase {
        model: BrandedPartId(113),
        skin: SkinId(1),
        flags: 0,
        car_class: 2,
        price: 1,
        parts: Vec::new(),
        first_car: true,
    };
    let car = scene.game.store.garage().buy_car(strange.persona, purchase, Now::read()).unwrap().value;
    let seen: VehicleInfo = scene.get(Number(145), car.0);
    assert!(seen.owner == strange.persona && seen.parts.is_empty());
    let assembly: AssemblyParts = scene.get(Number(183), car.0);
    assert_eq!((assembly.owner, assembly.parts.len()), (strange.persona, 1));
    for asked in [145, 183] {
        for id in [0, car.0 + 1, u32::MAX] {
            let refused = GenericReply::failed(Number(asked), Some(number::INVALID_VEHICLE));
            assert_eq!(scene.ask(GenericRequest::body(Number(asked), id)), refused);
        }
    }
}

#[test]
fn the_parts_of_a_car_are_listed_from_the_root_down() {
    let mut scene = Scene::connected();
    let body = scene.login(8, 104, 0);
    scene.change(body);
    let (car, model) = scene.cars()[0];
    let parts = scene.get::<AssemblyParts>(Number(183), car.0).parts;
    assert_eq!(parts.len(), 41);
    assert_eq!(
        (parts[0].part.part, parts[0].part.parent.0, parts[0].part.branded_part),
        (car.part(), 0, model)
    );
    for (at, part) in parts.iter().enumerate().skip(1) {
        assert!(parts[..at].iter().any(|earlier| earlier.part.part == part.part.parent));
    }
    let muffler = parts.iter().find(|part| part.part.branded_part == BrandedPartId(300_001)).unwrap();
    assert_eq!((muffler.retail_price, muffler.max_wear, muffler.part.junk_price), (49, 30_000, 24));
}

#[test]
fn what_is_not_offered_gets_its_documented_default() {
    let mut scene = Scene::connected();
    // 161, trade window, events, badges, clubs, advertisements, seasons: all that is known by name or range only.
    let ranges = [161..=161, 215..=215, 243..=263, 267..=276, 311..=313, 338..=351, 365..=388, 391..=407];
    let more = [409..=433, 436..=437, 441..=447, 449..=454, 456..=477, 478..=489, 491..=491, 1080..=1127];
    let malformed_or_unheard_of = [218, 230, 0, 4711, u16::MAX];
    for asked in ranges.into_iter().chain(more).flatten().chain(malformed_or_unheard_of) {
        assert_eq!(scene.ask(GenericRequest::body(Number(asked), 1)), failed(Number(asked)));
    }
    assert_eq!(scene.ask(GenericRequest::body(Number(490), 0)), GenericReply::value(Number(490), 0));
    assert_eq!(scene.ask(GenericRequest::body(Number(448), 88)), success(Number(448)));
    for silent in [163, 202, 240, 241, 434, 435, 440] {
        let outcome = scene.send(SEALED, GenericRequest::body(Number(silent), 1));
        assert!(outcome.replies.is_empty() && !outcome.close, "{silent}");
    }
}

#[test]
fn the_true_number_of_ads_is_told_only_where_that_is_switched_on() {
    let mut scene = Scene::connected();
    let persona = scene.game.store.personas().list().unwrap()[0].id;
    let text = "a Hemi".to_owned();
    let ad = NewAd { category: AdCategory::Wanted, text, days: 1, offer: None };
    let placed = crate::services::deals::with(&scene.game, |deals| deals.place_ad(persona, ad, Now::read()));
    let _ = placed.unwrap();
    for (count_ads, told) in [(false, 0), (true, 1)] {
        scene.game.config.compat.count_ads = count_ads;
        assert_eq!(scene.ask(GenericRequest::body(Number(490), 0)), GenericReply::value(Number(490), told));
    }
}

#[test]
fn another_default_answer_can_be_chosen_for_what_is_not_offered_and_for_nothing_else() {
    let mut scene = Scene::connected();
    scene.game.config.compat.mcots_silent = vec![161, 108];
    scene.game.config.compat.mcots_success = vec![391, 176];
    assert!(scene.send(SEALED, GenericRequest::body(Number(161), 1)).replies.is_empty());
    assert_eq!(scene.ask(GenericRequest::body(Number(391), 0)), success(Number(391)));
    assert_eq!(scene.ask(GenericRequest::body(Number(392), 0)), failed(Number(392)));
    assert_eq!(scene.info().name.to_string(), "Dr Brown");
    assert_eq!(scene.ask(GenericRequest::body(Number(176), 0)), failed(Number(176)), "nothing is given away");
}

#[test]
fn signs_of_life_get_no_answer() {
    let mut scene = Scene::connected();
    for (flags, body) in [(0, vec![]), (Flags::ENCRYPTED, vec![1, 2, 3]), (Flags::COMPRESSED, vec![])] {
        let outcome = scene.send(Flags(Flags::HEARTBEAT | flags), Body(body));
        assert!(outcome.replies.is_empty() && !outcome.close);
    }
}

#[test]
fn what_cannot_be_read_is_refused_so_that_nobody_waits_for_an_answer() {
    let mut scene = Scene::connected();
    for (flags, body) in [
        (Flags(Flags::COMPRESSED | Flags::ENCRYPTED), GenericRequest::body(Number(108), 1).0),
        (Flags(Flags::COMPRESSED), vec![]),
        (SEALED, vec![]),
        (SEALED, vec![108]),
    ] {
        let outcome = scene.send(flags, Body(body));
        let [reply] = <[Outgoing; 1]>::try_from(outcome.replies).unwrap();
        assert_eq!((reply.sequence, reply.encrypted), (12, flags.has(Flags::ENCRYPTED)));
        assert_eq!((reply.body, outcome.verdict), (failed(Number(0)), Verdict::Malformed));
        assert!(!outcome.close);
    }
}

#[test]
fn a_body_cut_anywhere_is_refused_and_changes_nothing() {
    let mut scene = Scene::connected();
    let whole = [
        scene.login(8, 101, 0),
        options().body(),
        looks(scene.brown.persona).body(),
        words("hello"),
        GenericRequest::body(Number(320), scene.brown.persona.0),
        GenericRequest::body(Number(108), scene.brown.persona.0),
        GenericRequest::body(Number(164), scene.brown.persona.0),
        GenericRequest::body(Number(145), 1),
        GenericRequest::body(Number(183), 1),
        GenericRequest::body(Number(141), 8),
        GenericRequest::body(Number(172), scene.brown.persona.0),
        GenericRequest::body(Number(174), 0),
    ];
    let before = scene.game.store.personas().by_id(scene.brown.persona).unwrap();
    for body in whole {
        for length in 2..body.0.len() {
            let cut = Body(body.0[..length].to_vec());
            assert_eq!(scene.ask(cut), failed(body.number().unwrap()));
        }
    }
    assert_eq!(scene.game.store.personas().by_id(scene.brown.persona).unwrap(), before);
    let mut fresh = Scene::fresh();
    let body = connect(fresh.brown.customer, fresh.brown.persona);
    for length in 2..body.0.len() {
        let outcome = fresh.send(CLEAR, Body(body.0[..length].to_vec()));
        assert_eq!(outcome.replies[0].body, failed(Number(438)));
        assert!(!fresh.caller.signed_in());
    }
}

#[test]
fn no_bytes_at_all_upset_it() {
    let mut scene = Scene::connected();
    let mut fresh = new_caller(&scene.game);
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    let numbers = prop_oneof![any::<u16>(), 100_u16..500];
    let mut runner = proptest::test_runner::TestRunner::default();
    let game = &scene.game;
    let signed_in = std::cell::RefCell::new(&mut scene.caller);
    let stranger = std::cell::RefCell::new(&mut fresh);
    runner
        .run(&(numbers, bytes, any::<u8>(), any::<u32>()), |(number, bytes, flags, sequence)| {
            let mut body = Vec::new();
            body.extend_from_slice(&number.to_le_bytes());
            body.extend_from_slice(&bytes);
            for (flags, body) in [(Flags(flags), bytes.clone()), (SEALED, body.clone()), (CLEAR, body)] {
                let incoming = Incoming { sequence, flags, body: Body(body) };
                for caller in [&signed_in, &stranger] {
                    let outcome = answer(game, &mut caller.borrow_mut(), &incoming, Now::read());
                    prop_assert!(outcome.replies.len() <= 2);
                    for reply in outcome.replies {
                        prop_assert_eq!(
                            (reply.sequence, reply.encrypted),
                            (sequence, flags.has(Flags::ENCRYPTED))
                        );
                        prop_assert!(reply.body.number().is_some());
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    assert!(!stranger.borrow().signed_in());
}

#[test]
fn records_longer_than_expected_are_read_as_far_as_they_are_known() {
    let mut scene = Scene::connected();
    let mut body = looks(scene.brown.persona).body();
    body.0.extend_from_slice(&[0; 4]);
    assert_eq!(scene.change(body), success(number::UPDATE_PLAYER_PHYSICAL));
    let mut writer = mco_proto::Writer::little();
    number::GET_PLAYER_INFO.write(&mut writer);
    scene.brown.persona.write(&mut writer);
    writer.zeros(100);
    assert_eq!(scene.ask(Body(writer.into_bytes())).number(), Some(Number(108)));
}
