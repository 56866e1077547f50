//! The body of each MCOTS message (`crates/mco-proto/src/mcots`).
//!
//! Input: the message; whether a body follows or a value is made from what follows; that.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use mco_proto::Wire;
use mco_proto::mcots::{Body, GenericReply, GenericRequest, Message, garage, lists, player, race, session};
use mcos_fuzz::{Input, plant};
use std::fmt::Debug;

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let message = usize::from(input.byte());
    let made = input.byte() & 1 != 0;
    MESSAGES[message % MESSAGES.len()](made, input.rest());
});

/// A message with its check.
type Check = fn(bool, &[u8]);

macro_rules! checks {
    ($($message:ty),* $(,)?) => { [$(|made, bytes| check::<$message>(<$message>::NUMBER, made, bytes)),*] };
}

#[rustfmt::skip]
const MESSAGES: [Check; 37] = checks![
    session::ClientConnect, session::Login, session::LoginComplete, session::Tracking,
    player::PlayerInfo, player::PlayerPhysicalInfo, player::UpdatePlayerPhysical, player::SetOptions,
    player::SetPersonaDescription, player::PlayerRacingHistory, player::PlayerName,
    lists::Lobbies, lists::EntryFeePurses, lists::ArcadeCars, lists::GameUrls, lists::Tunables,
    garage::OwnedVehicles, garage::OwnedParts, garage::AssemblyParts, garage::VehicleInfo, garage::StockCarInfo,
    garage::PurchaseStockCar, garage::InstallPart,
    race::CreateRace, race::RaceCreated, race::JoinRace, race::RaceJoined, race::StartRace, race::RaceStarted,
    race::CrcPreRaceData, race::CrcPreRaceDataTestDrive, race::CrcPostRaceData, race::InRaceDamage,
    race::PostRaceDamage, race::UpdateBodyDamage, race::RacerCompleted, race::FinalResults,
];

/// Decoding, encoding and decoding again gives the same record, and so does encoding first.
fn check<R: Wire + Debug + for<'a> Arbitrary<'a>>(number: u16, made: bool, bytes: &[u8]) {
    let record: R = if made {
        let Ok(record) = R::arbitrary_take_rest(Unstructured::new(bytes)) else { return };
        record
    } else {
        let body = Body([&number.to_le_bytes(), bytes].concat());
        // Whatever it is, it can be read as what has no layout of its own.
        assert_eq!(body.number(), Some(number));
        let _ = (body.read::<GenericRequest>(), body.read::<GenericReply>());
        match body.read() {
            Ok(record) => record,
            Err(malformed) => return assert!(malformed.offset <= bytes.len() + 2, "{malformed}"),
        }
    };
    let body = Body::carrying(number, &record);
    let again: R = body.read().unwrap();
    // Not by value: numbers with a floating point may not equal themselves.
    assert_eq!(format!("{again:?}"), format!("{record:?}"));
    assert_eq!(Body::carrying(number, &again), body);
}

/// Zeros, which most messages can be read from, and a made-up value of each.
fn seeds() -> Vec<Vec<u8>> {
    let value: Vec<u8> = (1..=255).collect();
    let messages = (0..MESSAGES.len() as u8).flat_map(|message| {
        [[&[message, 0][..], &[0; 600]].concat(), [&[message, 1][..], &value, &value].concat()]
    });
    messages.collect()
}
