//! What everybody sees of the city.

use super::*;
use crate::clock::Zone;
use crate::store::{Host, NightPlan};

#[test]
fn a_race_is_seen_in_lists_records_boards_and_news_and_its_money_by_the_racer_alone() {
    let city = City::new();
    let (mut nobody, mut bob) = (city.browser(), city.signed_in("bob"));
    let link = format!("/races/{RACE}");
    for (path, parts) in [
        ("/races", vec![link.as_str(), "Bob", "circuit race", "1:23.45"]),
        (&link, vec!["Bob", "1:23.45", "1957 Ford Fairlane 500", "shoebox", "record", "2 laps", "new level"]),
        ("/records", vec!["1:23.45", "Bob", "2 laps", "shoebox", &link]),
        ("/records?lobby=10001", vec!["1:23.45", "1:30.00"]),
        ("/boards?board=wins&period=week", vec!["/players/Bob"]),
        ("/boards?board=winnings&class=shoebox", vec!["$1,234"]),
        ("/boards?board=distance", vec!["4.0 miles (6.4 km)", "Harbor Loop (track 25)"]),
        ("/boards?board=distance&period=week", vec!["4.0 miles (6.4 km)"]),
        ("/boards?board=distance&class=shoebox", vec!["4.0 miles (6.4 km)"]),
        ("/boards?board=distance&class=muscle", vec!["Nobody is on this board yet"]),
        ("/players", vec!["/players/Bob", "&#60;b&#62;&#38;&#34;&#39;x"]),
        ("/players?q=BO", vec!["/players/Bob"]),
        ("/players/bob", vec!["<h1>Bob</h1>", "4.0 miles", "1:23.45", &link, "Fairlane"]),
        (
            "/news",
            vec![
                "Record! Bob needs 1:23.45",
                "Bob reaches level 5",
                "Bob beats &#60;b&#62;",
                "#FEF7E5",
                "width=\"520\"",
            ],
        ),
    ] {
        let page = nobody.look(path);
        for part in parts {
            assert!(page.contains(part), "{path}: {part}: {page}");
        }
    }
    assert!(!nobody.look("/players?q=BO").contains("&#60;b"));
    assert!(!nobody.look(&link).contains("won $"));
    assert!(bob.look(&link).contains("won $1,234"));
    assert_eq!(nobody.get(&link).cache, CachePolicy::Revalidate);
    assert_eq!(bob.get(&link).cache, CachePolicy::NoStore);
    assert_eq!(header(&nobody.get("/news"), "pragma"), Some("no-cache"));
    assert_eq!(header(&nobody.get(&format!("/races?q=+{RACE}")), "location"), Some(link.as_str()));
}

#[test]
fn lists_are_paged_and_never_whole() {
    let city = City::new();
    for number in 1..60 {
        city.race(RACE + number);
    }
    let mut nobody = city.browser();
    let races = |page: &str| page.matches("<tr><td").count();
    let first = nobody.look("/races");
    assert!(
        first.contains("Page 1 of 3, 60 in all") && first.contains("/races?page=2") && races(&first) == 25
    );
    assert!(first.contains(&format!("/races/{}", RACE + 59)), "the newest is first");
    let last = nobody.look("/races?page=3");
    assert!(races(&last) == 10 && last.contains(&format!("/races/{RACE}\"")), "{last}");
    assert_eq!(races(&nobody.look("/races?page=77")), 10);
    let runs = nobody.look("/players/Bob");
    assert!(runs.len() < 20_000, "{}", runs.len());
}

#[test]
fn all_pages_have_the_same_menus_and_whoever_is_signed_in_signs_out_on_each_of_the_city() {
    let city = clubs::lively();
    let (mut nobody, mut bob) = (city.browser(), city.signed_in("bob"));
    let menus = |page: &str| {
        let (_, menus) = page.split_once("<div id=\"city\">").expect("a menu");
        menus.split_once("<div id=\"page\"").unwrap().0.to_owned()
    };
    let race = format!("/races/{RACE}");
    let front = menus(&nobody.look(""));
    for path in ["/account", "/password", "/kit", "/help", "/diagnose", "/me/sign-in"] {
        assert_eq!(menus(&nobody.look(path)), front, "{path}");
    }
    for path in [
        "/players",
        "/players/Bob",
        "/races",
        &race,
        "/records",
        "/records?lobby=10001",
        "/boards",
        "/live",
        "/news",
        "/clubs",
        "/clubs/NR",
        "/turfs",
        "/events",
        "/events/1",
        "/seasons",
        "/seasons/1",
        "/rewards",
        "/market",
        "/auctions",
    ] {
        assert_eq!(menus(&nobody.look(path)), front, "{path}");
        let own = menus(&bob.look(path));
        assert!(own.starts_with(front.trim_end()), "{path}: {own}");
        assert!(own.contains("Signed in as <b>bob</b>"), "{path}");
        assert_eq!(own.matches("value=\"Sign out\"").count(), 1, "{path}: {own}");
    }
    let me = format!("persona={}", city.bob.1);
    for path in ["/me", "/me/garage", "/me/money", "/me/mail", "/me/club", "/me/events", "/trades"] {
        let page = bob.look(&format!("{path}?{me}"));
        assert!(menus(&page).starts_with(front.trim_end()), "{path}");
        assert_eq!(page.matches("value=\"Sign out\"").count(), 1, "{path}: {page}");
    }
    assert_eq!(header(&bob.fill_in("/news", "/me/sign-out", ""), "location"), Some("/"));
    assert_eq!(menus(&bob.look("/news")), front);
}

#[test]
fn moments_on_the_pages_are_those_of_the_city_and_their_zone_is_named() {
    let mut city = City::new();
    let page = city.browser().look("/races");
    assert!(page.contains("<p>Time zone: UTC. mcos "), "{page}");
    city.game.config.shard.time_zone = Zone::named("America/New_York").unwrap();
    let zone = city.game.zone();
    // One hour before midnight there is another day in UTC.
    let midnight = zone.midnight(Now::read().unix, 3);
    let start = u32::try_from(midnight - 3600).unwrap();
    let plan = NightPlan {
        name: "Late".to_owned(),
        lobby: 10_001,
        start,
        end: start + 1800,
        most: 4,
        ..NightPlan::default()
    };
    let nights = city.game.store.nights().in_zone(zone);
    let _ = nights.plan(Host::Operator, &plan, Now::read()).unwrap();
    let (day, next) = (zone.day(start), zone.day(midnight));
    let page = city.browser().look("/events");
    assert!(page.contains("<p>Time zone: America/New York. mcos "), "{page}");
    assert!(page.contains("<h2>Calendar (America/New York)</h2>"), "{page}");
    assert!(page.contains(&format!("{day}<br><a href=\"/events/1\">Late</a></td>")), "{page}");
    assert!(page.contains(&format!("{day} 23:00")) && !page.contains(&format!("{next} 0")), "{page}");
    let clocks = zone.stamp(start);
    assert!(clocks.ends_with(" EST") || clocks.ends_with(" EDT"), "{clocks}");
    for path in ["/events/1", "/news"] {
        let page = city.browser().look(path);
        assert!(page.contains(&clocks), "{path}: {page}");
    }
    let page = city.browser().look("/races");
    let race = city.game.store.results().newest(0, 1).unwrap().remove(0);
    assert!(page.contains(&zone.minute(race.at)), "{page}");
    // A calendar of a phone has UTC, which it turns into its own.
    let ics = text(&city.browser().get("/events.ics"));
    let utc = crate::clock::moment(start.into()).replace(['-', ':'], "").replace(' ', "T");
    assert!(ics.contains(&format!("DTSTART:{utc}Z")), "{ics}");
}

#[test]
fn a_day_of_the_calendar_has_a_link_for_each_race_night_and_other_days_are_empty() {
    let city = City::new();
    let midnight = (Now::read().unix / 86_400 + 3) * 86_400;
    for (name, hour) in [("Early", 10), ("Late", 20)] {
        let start = u32::try_from(midnight + hour * 3600).unwrap();
        let plan = NightPlan {
            name: name.to_owned(),
            lobby: 10_001,
            start,
            end: start + 3600,
            most: 4,
            ..NightPlan::default()
        };
        let _ = city.game.store.nights().plan(Host::Operator, &plan, Now::read()).unwrap();
    }
    let page = city.browser().look("/events");
    let (_, calendar) = page.split_once("Calendar (UTC)").unwrap();
    let calendar = calendar.split_once("</table>").unwrap().0;
    let day = crate::clock::day(midnight);
    let both = format!("{day}<br><a href=\"/events/1\">Early</a><br><a href=\"/events/2\">Late</a></td>");
    assert!(calendar.contains(&both), "{calendar}");
    assert_eq!(calendar.matches("\"></td>").count(), 6 * 7 - 1, "{calendar}");
    assert_eq!(calendar.matches("data-label=\"Week of\">2").count(), 6, "{calendar}");
}
