use super::*;
use std::net::{Ipv4Addr, Ipv6Addr};

const FRIEND: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));
const SELF: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn limits(connections: usize, connections_per_address: usize) -> Arc<Limits> {
    let limits = config::Limits { connections, connections_per_address, ..Default::default() };
    Limits::new(&config::Limits { connections_per_second: 1_000_000, ..limits })
}

fn admit(limits: &Arc<Limits>, purpose: Purpose, address: IpAddr) -> Result<Permit, TooMany> {
    limits.admit(purpose, address, Now::read()).map_err(|crowded| crowded.what)
}

fn host(n: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 + n).into()
}

/// All the places that a crowd of hosts can get for one purpose.
fn flood(limits: &Arc<Limits>, purpose: Purpose) -> Vec<Permit> {
    (0..10_000).filter_map(|n| admit(limits, purpose, host(n)).ok()).collect()
}

#[test]
fn one_address_cannot_take_all_places_and_gives_them_back() {
    let limits = limits(100, 2);
    let places: Vec<_> = (0..2).map(|_| admit(&limits, Purpose::Web, FRIEND).unwrap()).collect();
    assert_eq!(admit(&limits, Purpose::Web, FRIEND).unwrap_err(), TooMany::OfAddress);
    drop(places);
    assert!(admit(&limits, Purpose::Web, FRIEND).is_ok());
    assert!(limits.counts().by_source.is_empty(), "an address without connections is forgotten");
}

#[test]
fn one_ipv6_host_with_all_its_addresses_is_one_address() {
    let limits = limits(8192, 64);
    let own = |n: u32| IpAddr::from(Ipv6Addr::from_bits((0xfd00_u128 << 112) + u128::from(n)));
    let places: Vec<_> = (0..10_000).filter_map(|n| admit(&limits, Purpose::Play, own(n)).ok()).collect();
    assert_eq!(places.len(), 64);
    assert!(admit(&limits, Purpose::Play, FRIEND).is_ok());
}

#[test]
fn this_machine_is_limited_by_the_whole_only() {
    let limits = limits(3, 1);
    let places: Vec<_> = (0..3).map(|_| admit(&limits, Purpose::Web, SELF).unwrap()).collect();
    assert_eq!(admit(&limits, Purpose::Web, SELF).unwrap_err(), TooMany::InAll);
    drop(places);
    smol::block_on(limits.all_gone());
}

#[test]
fn whatever_one_service_is_flooded_with_the_others_have_places_left() {
    let purposes = [Purpose::Web, Purpose::SignIn, Purpose::Play];
    for flooded in purposes {
        let limits = limits(160, 64);
        let places = flood(&limits, flooded);
        // All but ten for each of two other purposes, and twenty for players.
        assert_eq!(places.len(), 120, "{flooded:?}");
        for other in purposes.into_iter().filter(|other| *other != flooded) {
            let friends = (0..10).map(|n| host(20_000 + n / 5));
            let kept: Vec<_> = friends.map(|friend| admit(&limits, other, friend).unwrap()).collect();
            assert_eq!(admit(&limits, other, FRIEND).unwrap_err(), TooMany::InAll);
            drop(kept);
        }
    }
}

#[test]
fn who_plays_already_has_places_when_all_others_are_taken() {
    let limits = limits(160, 4);
    let mut lobby = admit(&limits, Purpose::Play, FRIEND).unwrap();
    lobby.signed_in();
    let _flood = [Purpose::Web, Purpose::SignIn, Purpose::Play].map(|purpose| flood(&limits, purpose));
    assert_eq!(limits.count(), 141, "nobody else gets the last places");
    for purpose in [Purpose::Web, Purpose::SignIn, Purpose::Play] {
        assert_eq!(admit(&limits, purpose, host(70_000)).unwrap_err(), TooMany::InAll);
    }
    let mut places = Vec::new();
    while let Ok(mut place) = admit(&limits, Purpose::Play, FRIEND) {
        place.signed_in();
        places.push(place);
    }
    // Eight signed in, the lobby among them, and four that have not.
    assert_eq!(places.len(), 11);
    drop((lobby, places));
    assert_eq!(admit(&limits, Purpose::Play, FRIEND).unwrap_err(), TooMany::InAll, "nobody plays there now");
}

#[test]
fn an_operator_who_is_logged_in_has_places_when_all_others_are_taken() {
    let limits = limits(160, 4);
    let _flood = [Purpose::Web, Purpose::SignIn, Purpose::Play].map(|purpose| flood(&limits, purpose));
    assert_eq!(admit(&limits, Purpose::Web, FRIEND).unwrap_err(), TooMany::InAll);
    let now = Now::read();
    limits.vouch_for(FRIEND, now);
    assert!(admit(&limits, Purpose::Web, FRIEND).is_ok());
    assert_eq!(limits.admit(Purpose::Web, FRIEND, now.later(VOUCHED)).unwrap_err().what, TooMany::InAll);
    (0..1000).for_each(|n| limits.vouch_for(host(n), now));
    assert_eq!(limits.counts().vouched.len(), MOST_VOUCHED);
}

#[test]
fn who_has_signed_in_leaves_the_place_of_its_address_to_another() {
    let limits = limits(1000, 2);
    let mut players: Vec<_> = (0..2).map(|_| admit(&limits, Purpose::Play, FRIEND).unwrap()).collect();
    assert_eq!(admit(&limits, Purpose::Play, FRIEND).unwrap_err(), TooMany::OfAddress);
    players.iter_mut().for_each(Permit::signed_in);
    players.iter_mut().for_each(Permit::signed_in);
    let strangers: Vec<_> = (0..2).map(|_| admit(&limits, Purpose::Play, FRIEND).unwrap()).collect();
    assert_eq!(admit(&limits, Purpose::Play, FRIEND).unwrap_err(), TooMany::OfAddress);
    drop((players, strangers));
    let counts = limits.counts();
    assert!(counts.by_source.is_empty() && counts.by_purpose == [0; 3] && counts.players == 0);
}

#[test]
fn new_connections_of_an_address_are_bounded_by_the_second_and_told_once_a_minute() {
    let limits = Limits::new(&config::Limits { connections_per_second: 16, ..Default::default() });
    let start = Now::read();
    let come = |from, now| limits.admit(Purpose::Web, from, now).map(drop);
    let admitted = |from, now| (0..1000).filter(|_| come(from, now).is_ok()).count();
    assert_eq!(admitted(FRIEND, start), 96);
    let crowded = come(FRIEND, start).unwrap_err();
    assert_eq!(crowded, Crowded { what: TooMany::New, to_log: None });
    let refused = |reason| limits.refused().find(|(word, _)| *word == reason).unwrap().1;
    assert_eq!((refused("new_of_address"), refused("all_places")), (905, 0));
    assert_eq!(admitted(host(1), start), 96, "others come as they like");
    assert_eq!(
        admitted(FRIEND, start.later(Duration::from_secs(2))),
        16,
        "nothing was saved up when it began to flood, then 8 a second"
    );
    assert_eq!((0..1000).filter(|_| come(SELF, start).is_ok()).count(), 1000, "this machine is exempt");
    let later = start.later(Duration::from_mins(2));
    assert_eq!(admitted(FRIEND, later), 96);
    assert_eq!(limits.admit(Purpose::Web, FRIEND, later).unwrap_err().to_log, None, "told a moment ago");
    let much_later = start.later(Duration::from_mins(3));
    let mut lobby = limits.admit(Purpose::Play, FRIEND, much_later).unwrap();
    lobby.signed_in();
    assert_eq!(admitted(FRIEND, much_later), 190, "twice as many where somebody plays");
}

#[test]
fn who_floods_is_turned_away_and_comes_back_with_nothing_saved_up() {
    let limits = Limits::new(&config::Limits { connections_per_second: 16, ..Default::default() });
    let start = Now::read();
    let come = |from, now| limits.admit(Purpose::Web, from, now).is_ok();
    let admitted = |from, count, now| (0..count).filter(|_| come(from, now)).count();
    assert_eq!(admitted(FRIEND, 96 + 80, start), 96);
    assert!(limits.turned_away(start).is_empty(), "80 are refused one by one");
    assert!(!come(FRIEND, start));
    assert_eq!(limits.turned_away(start), [Source::of(FRIEND)]);
    smol::block_on(limits.somebody_floods());
    let at = |second| start.later(Duration::from_secs(second));
    assert!(limits.turned_away(at(1)).is_empty());
    assert_eq!(admitted(FRIEND, 8 + 81, at(1)), 8, "as many as within one second");
    assert_eq!((limits.turned_away(at(2)).len(), limits.turned_away(at(3)).len()), (1, 0));
    assert_eq!(admitted(FRIEND, 8 + 81, at(3)), 8, "and no more after longer");
    for _ in 0..81 {
        limits.refused_to(host(1), at(4));
        limits.refused_to(SELF, at(4));
    }
    assert_eq!(limits.turned_away(at(4)), [Source::of(host(1)), Source::of(FRIEND)]);
}

#[test]
fn who_asks_once_a_second_is_served_beside_who_asks_in_bursts_behind_the_same_address() {
    let limits = Limits::new(&config::Limits::default());
    let start = Now::read();
    let come = |now| limits.turned_away(now).is_empty() && limits.admit(Purpose::Web, FRIEND, now).is_ok();
    let mut served = 0;
    // For a minute, in steps of ten milliseconds: ninety at once, as soon as it is answered, but not more often than every 350.
    let mut next = 30;
    for step in 0..6000 {
        let now = start.later(Duration::from_millis(step * 10));
        served += usize::from(step % 100 == 50 && come(now));
        if step >= next {
            let count = if step == 30 { 600 } else { 90 };
            for _ in 0..count {
                come(now);
            }
            next = step + 35;
        }
    }
    assert!(served >= 45, "{served} of 60");
}

#[test]
fn a_crowd_that_plays_is_no_flood_if_it_has_too_few_places_and_a_flood_from_there_is_one() {
    let few = config::Limits { connections_per_address: 8, ..Default::default() };
    let (limits, start) = (Limits::new(&few), Now::read());
    let come = |now| limits.admit(Purpose::Play, FRIEND, now);
    let mut player = come(start).unwrap();
    player.signed_in();
    let _strangers: Vec<_> = (0..8).map(|_| come(start).unwrap()).collect();
    for second in 1..60 {
        for _ in 0..64 {
            let refused = come(start.later(Duration::from_secs(second))).unwrap_err();
            assert_eq!(refused.what, TooMany::OfAddress);
        }
    }
    let now = start.later(Duration::from_mins(1));
    assert!(limits.turned_away(now).is_empty());
    (0..2000).for_each(|_| drop(come(now)));
    assert_eq!(limits.turned_away(now), [Source::of(FRIEND)]);
}

#[test]
fn nobody_floods_who_comes_when_all_places_are_taken() {
    let few = config::Limits { connections: 16, connections_per_second: 16, ..Default::default() };
    let (limits, start) = (Limits::new(&few), Now::read());
    let _places = flood(&limits, Purpose::Play);
    for _ in 0..1000 {
        assert_eq!(limits.admit(Purpose::Play, FRIEND, start).unwrap_err().what, TooMany::InAll);
    }
    assert!(limits.turned_away(start).is_empty());
}

#[test]
fn sixty_addresses_that_keep_all_they_can_get_leave_places_for_who_comes_later() {
    let limits = limits(8192, 128);
    let purposes = [Purpose::Web, Purpose::SignIn, Purpose::Play];
    let turns = (0..128).flat_map(|_| 0..60).zip(purposes.into_iter().cycle());
    let kept: Vec<_> = turns.filter_map(|(n, purpose)| admit(&limits, purpose, host(n)).ok()).collect();
    assert!(kept.len() >= 8192 / PART_TO_SHARE - 60, "nobody is refused an even share: {}", kept.len());
    let mut players = Vec::new();
    for n in 1000..1060 {
        for purpose in purposes.into_iter().cycle().take(LEAST_SHARE) {
            players.push(admit(&limits, purpose, host(n)).unwrap());
        }
    }
    assert_eq!(admit(&limits, Purpose::Web, host(0)).unwrap_err(), TooMany::OfAddress);
    // Where most places are free, everybody has all that an address may have.
    drop(kept);
    let all = (0..200).filter_map(|_| admit(&limits, Purpose::Web, FRIEND).ok()).collect::<Vec<_>>();
    assert_eq!(all.len(), 128);
}
