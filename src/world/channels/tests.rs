//! Bounds of the channels that no single player reaches.

use super::*;

const HOUSE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 21));

/// Persona and connection `number` come from `peer`, and ask for a race of their own.
fn make(channels: &Channels, number: u32, peer: IpAddr) -> Result<Opened, Denied> {
    let (persona, connection) = (PersonaId(number), ConnectionId(number.into()));
    let person = Person { persona, name: format!("Driver {number}"), user_data: [0; 64] };
    channels.enter(connection, NpsServer::Room(0), person, (peer, Ipv4Addr::LOCALHOST));
    let riff = ChannelInfo {
        channel: CommId(0),
        name: "race".to_owned(),
        race: true,
        channel_type: 0,
        flags: 0,
        most: 6,
        data: Box::new([0; 256]),
    };
    let request = OpenRequest { riff, password: String::new(), strict: true };
    channels.open(connection, request, |_, _| Ok(Admission::ByPassword))
}

#[test]
fn one_address_makes_a_share_of_all_races_and_leaves_room_for_others() {
    let channels = Channels::default();
    let share = u32::try_from(Channels::MOST_RACES_OF_ADDRESS).unwrap();
    assert!((1..=share).all(|number| make(&channels, number, HOUSE).is_ok()));
    let mapped = IpAddr::V6(Ipv4Addr::new(192, 168, 1, 20).to_ipv6_mapped());
    assert_eq!(make(&channels, 1001, HOUSE).unwrap_err(), Denied::TooMany);
    assert_eq!(make(&channels, 1002, mapped).unwrap_err(), Denied::TooMany);
    assert!(make(&channels, 1003, OTHER).is_ok());
    channels.leave(ConnectionId(7));
    assert!(make(&channels, 1004, HOUSE).is_ok());
}
