//! Clubs, race nights and what belongs to them, on the pages.

use super::*;
use crate::catalog::Catalog;
use crate::clock::moment;
use crate::services::deals::CityRules;
use crate::store::{ClubRules, Host, NewClub, NightPlan, RewardTable};

const RULES: ClubRules = ClubRules {
    founding_cost: 0,
    founding_level: 1,
    officer_level: 1,
    most_members: 50,
    cooldown_days: 7,
    registration_cost: 1000,
    re_registration_cost: 100,
};

/// A city in which there is one of everything: Bob's club, a race night that runs, one that is over, a season and a settled week.
pub(super) fn lively() -> City {
    let city = City::new();
    let (store, bob, ann) = (&city.game.store, city.bob.1, city.ann.1);
    let now = Now::read();
    let before = |seconds| Now { unix: now.unix - seconds, ..now };
    let last_week = before(7 * 86_400);
    let new = NewClub {
        name: "Night Riders".to_owned(),
        acronym: "NR".to_owned(),
        description: "<i>We ride".to_owned(),
        colours: [0x00ff_ffff, 0, 0x00ab_cdef],
    };
    let _ = store.clubs().found(bob, &new, &RULES, last_week).unwrap();
    let _ = store.clubs().register(bob, &RULES, last_week).unwrap();
    let season = store.seasons().begin("Summer").unwrap().value;
    let moment = |at: u64| u32::try_from(at).unwrap();
    for (ago, length) in [(5000, 1000), (3600, 7200)] {
        let plan = NightPlan {
            name: "Friday <b>".to_owned(),
            text: "Bring a coupe.".to_owned(),
            lobby: 10_001,
            start: moment(now.unix - ago),
            end: moment(now.unix - ago + length),
            purse: 300,
            most: 8,
            season,
            weekly: length > 5000,
            ..NightPlan::default()
        };
        let id = store.nights().plan(Host::Operator, &plan, before(6000)).unwrap().value;
        for who in [ann, bob] {
            let _ = store.nights().register(id, who, before(6000)).unwrap();
        }
    }
    city.race_at(RACE + 3, last_week);
    city.race_at(RACE + 1, before(4500));
    city.race_at(RACE + 2, now);
    let _ = store.nights().turn(&CityRules(&Catalog::builtin()), now).unwrap();
    let rewards = RewardTable { top_dog: &[100], trials: &[50, 25], kind: |_| "circuit race" };
    let next_week = Now { unix: now.unix + 7 * 86_400, ..now };
    let _ = store.rewards().settle(&rewards, next_week).unwrap();
    let _ = store.turfs().settle(10, &|_| "Harbor".to_owned(), now).unwrap();
    city
}

#[test]
fn everybody_sees_clubs_turfs_race_nights_seasons_rewards_and_badges() {
    let city = lively();
    let mut nobody = city.browser();
    for (path, parts) in [
        ("/clubs", vec!["Night Riders", "[NR]", "/players/Bob"]),
        ("/clubs/nr", vec!["&#60;i&#62;We ride", "Captain", "/logo.svg?club=NR", "ABCDEF", "takes part"]),
        ("/turfs", vec!["Harbor Loop", "[NR]", "$30,000"]),
        ("/events", vec!["Friday &#60;b&#62;", "running", "over", "/events.ics", "Calendar", "2 of 8"]),
        ("/events/1", vec!["Bring a coupe.", "$210", "$90", "over", "points by place"]),
        ("/events/2", vec!["running", "every week", "/seasons/1", "http-equiv=\"refresh\""]),
        ("/seasons", vec!["Summer", "goes on", "/players/Bob"]),
        ("/seasons/1", vec!["25", "18", "/players/Bob"]),
        ("/rewards", vec!["Top Dog, week of", "Trials: circuit race", "$100", "$10,000"]),
        ("/players", vec!["Night Riders", "NR"]),
        ("/players?sort=club", vec!["Night Riders"]),
        (
            "/players/Bob",
            vec![
                "Night Riders [NR]",
                "/badge.svg?kind=top-dog",
                "Won Friday &#60;b&#62;",
                "Holds a record",
                "kind=turf",
            ],
        ),
        (
            "/news",
            vec![
                "Bob wins the race night Friday &#60;b&#62;",
                "/events/1",
                "wins the turf Harbor",
                "Bob beats",
            ],
        ),
    ] {
        let page = nobody.look(path);
        tags(&page);
        for part in parts {
            assert!(page.contains(part), "{path}: {part}: {page}");
        }
    }
    for path in ["/clubs/none", "/events/77", "/events/x", "/seasons/9", "/seasons/-1"] {
        assert_eq!(nobody.get(path).status, 404, "{path}");
    }
    for path in ["/logo.svg?club=none", "/badge.svg?kind=none", "/badge.svg"] {
        assert!(nobody.ask(path, None).is_none(), "{path}");
    }
    assert_eq!(nobody.get("/logo.svg?club=nr").content_type, "image/svg+xml");
    let calendar = text(&nobody.get("/events.ics"));
    assert!(
        calendar.starts_with("BEGIN:VCALENDAR\r\n") && calendar.ends_with("END:VCALENDAR\r\n"),
        "{calendar}"
    );
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 1, "those that are over are not in it");
    assert!(
        calendar.contains("RRULE:FREQ=WEEKLY\r\n") && calendar.contains("SUMMARY:Friday <b>\r\n"),
        "{calendar}"
    );
    let ticker = text(&nobody.get("/ticker"));
    assert!(ticker.ends_with("\n\t\tRace night Friday <b> is on: Harbor Loop!"), "{ticker}");
}

#[test]
fn the_ticker_tells_of_a_race_night_a_day_an_hour_and_five_minutes_before() {
    let city = City::new();
    let now = Now::read();
    let start = now.unix + 10 * 86_400;
    let short = |at: u64| u32::try_from(at).unwrap();
    let plan = NightPlan {
        name: "Friday".to_owned(),
        lobby: 10_001,
        start: short(start),
        end: short(start + 3600),
        most: 8,
        ..NightPlan::default()
    };
    let _ = city.game.store.nights().plan(Host::Operator, &plan, now).unwrap();
    let host = HostName::parse("mcos.local").unwrap();
    let ticker = |at: u64| {
        let (query, cookies, known, authorization, secure) = ("", "", "", "", false);
        let request = PageRequest {
            path: "/ticker",
            query,
            host: &host,
            peer: HOME,
            local: HOME,
            cookies,
            secure,
            known,
            authorization,
        };
        text(&read(&Site { now: Now { unix: at, ..now }, ..city.site() }, &request).unwrap())
    };
    for (before, told) in [
        (86_401, ""),
        (86_400, "begins at 20"),
        (3600, "within the hour"),
        (300, "in five minutes"),
        (0, "is on"),
    ] {
        let text = ticker(start - before);
        assert!(
            text.contains("Race night Friday") != told.is_empty() && text.contains(told),
            "{before}: {text}"
        );
    }
    assert!(!ticker(start + 3600).contains("Race night"));
}

#[test]
fn players_found_a_club_invite_ask_and_lead_on_the_page() {
    let city = City::new();
    let (ann, bob) = (city.ann.1, city.bob.1);
    let (mut a, mut b) = (city.signed_in("ann"), city.signed_in("bob"));
    let send = |browser: &mut Browser<'_>, who: PersonaId, fields: &str| {
        let answer = browser.fill_in("/me/club", "/me/club", &format!("persona={who}&{fields}"));
        assert_eq!(header(&answer, "location"), Some(format!("/me/club?persona={who}").as_str()));
        browser.look("/me/club")
    };
    let found =
        "do=found&name=Night+Riders&acronym=nr&description=We+ride&front=ffffff&back=000000&third=abcdef";
    for (fields, said) in [
        (found, "It takes level 10"),
        ("do=nothing", "no such form"),
        ("do=leave", "Tick the box"),
        ("do=leave&sure=yes", "in no club"),
        ("do=register", "in no club"),
        ("do=ask&club=1", "no such club"),
        ("do=ask&club=-7", "no such club"),
    ] {
        assert!(send(&mut b, bob, fields).contains(said), "{fields}");
    }
    let _ = city.game.store.personas().update(bob, |persona| persona.level = 10).unwrap();
    let before = city.balance(bob);
    assert!(send(&mut b, bob, &found.replace("abcdef", "red")).contains("six digits"));
    assert!(send(&mut b, bob, found).contains("The club is founded"));
    assert_eq!(city.balance(bob), before - 5000);
    assert!(send(&mut a, ann, "do=ask&club=1").contains("The club is asked"));
    assert!(b.look("/me/club").contains("&#60;b&#62;"));
    assert!(send(&mut b, bob, &format!("do=member&who={ann}&answer=admit")).contains("is in the club"));
    assert!(a.look("/me/club").contains("Your rank"));
    assert!(send(&mut a, ann, "do=disband&sure=yes").contains("Only the Captain"));
    assert!(
        send(&mut b, bob, &format!("do=member&who={ann}&answer=title&title=%3Cb%3E"))
            .contains("The title is given")
    );
    assert!(send(&mut b, bob, &format!("do=member&who={ann}&answer=captain")).contains("new Captain"));
    assert!(send(&mut b, bob, "do=leave&sure=yes").contains("You have left"));
    assert!(send(&mut a, ann, "do=invite&name=Bob").contains("is invited"));
    assert!(send(&mut b, bob, "do=answer&answer=accept&club=1").contains("may be in another one in 7 days"));
    assert!(send(&mut b, bob, "do=decline&club=1").contains("That is settled"));
    assert!(send(&mut a, ann, "do=disband&sure=yes").contains("The club is closed"));
    assert!(city.game.store.clubs().list().unwrap().is_empty());
    assert!(city.game.store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn players_register_withdraw_and_plan_for_their_club() {
    let mut city = lively();
    let (ann, bob) = (city.ann.1, city.bob.1);
    let tomorrow = (Now::read().unix / 86_400 + 1) * 86_400;
    let plan = |fee: &str, start: &str| {
        format!(
            "do=plan&name=Club+night&lobby=10001&start={start}&end={}&fee={fee}&most=8",
            moment(tomorrow + 3600).replace(' ', "+")
        )
    };
    let start = moment(tomorrow).replace(' ', "+");
    {
        let (mut a, mut b) = (city.signed_in("ann"), city.signed_in("bob"));
        let send = |browser: &mut Browser<'_>, who: PersonaId, fields: &str| {
            let _ = browser.fill_in("/me/events", "/me/events", &format!("persona={who}&{fields}"));
            browser.look("/me/events")
        };
        for (fields, said) in [
            (plan("100", "tomorrow"), "is no moment"),
            (plan("-1", &start), "no whole number"),
            (plan("9999999999999", &start), "no whole number"),
            (plan("100", &start).replace("10001", "77"), "Choose a track"),
            (plan("100", &start) + "&purse=5", "fees alone"),
            ("do=register&night=77".to_owned(), "no such race night"),
            ("do=withdraw&night=2".to_owned(), "has begun"),
            ("do=cancel&night=2&why=x".to_owned(), "not a race night of your club"),
        ] {
            let page = send(&mut b, bob, &fields);
            assert!(page.contains(said), "{fields}: {page}");
        }
        assert!(send(&mut a, ann, &plan("100", &start)).contains("nly the Captain of a club"));
        let night = city.game.store.nights().open().unwrap().last().unwrap().id + 1;
        assert!(send(&mut b, bob, &plan("100", &start)).contains(&format!("Race night {night} is planned")));
        let before = city.balance(ann);
        assert!(send(&mut a, ann, &format!("do=register&night={night}")).contains("You are registered"));
        assert_eq!(city.balance(ann), before - 100);
        let money = a.look(&format!("/me/money?persona={ann}"));
        let line = format!("<a href=\"/events/{night}\">Fee of the race night Club night</a>");
        assert!(money.contains(&line), "{money}");
        assert!(send(&mut a, ann, &format!("do=withdraw&night={night}")).contains("The fee is back"));
        assert!(send(&mut a, ann, &format!("do=register&night={night}")).contains("You are registered"));
        assert!(send(&mut b, bob, &format!("do=cancel&night={night}&why=rain")).contains("is cancelled"));
        assert_eq!(city.balance(ann), before);
    }
    captains_prize_and_question(&city, &plan("0", &start));
    city.game.config.game.club_race_nights = false;
    let mut b = city.signed_in("bob");
    assert!(!b.look("/me/events").contains("Plan a race night"));
    let _ = b.fill_in("/me/events", "/me/events", &format!("persona={bob}&{}", plan("100", &start)));
    assert!(b.look("/me/events").contains("only the operator"));
}

/// Bob, a Captain, plans a race night, gives a prize to it, and is asked before it is cancelled.
fn captains_prize_and_question(city: &City, plan: &str) {
    let (bob, part) = (city.bob.1, city.part_of(city.bob.1));
    let (mut b, mut a) = (city.signed_in("bob"), city.signed_in("ann"));
    let mut send = |fields: &str| {
        let answer = b.fill_in("/me/events", "/me/events", &format!("persona={bob}&{fields}"));
        b.look(header(&answer, "location").unwrap())
    };
    let page = send(plan);
    let night = city.game.store.nights().open().unwrap().into_iter().max_by_key(|night| night.id).unwrap();
    let (id, link) = (night.id, format!("/me/events?persona={bob}&#38;cancel={}", night.id));
    assert!(page.contains("Give a prize") && page.contains(&format!("href=\"{link}\"")), "{page}");
    for (fields, said) in [
        (format!("do=prize&night={id}&goods="), "Choose a car or a part"),
        (format!("do=prize&night={id}&goods=c999"), "owns no such car"),
        ("do=prize&night=2&goods=c1".to_owned(), "not a race night of your club"),
        (format!("do=prize&night={id}&goods=p{part}"), "is held for the winner"),
        (format!("do=cancel&night={id}&why="), &format!("Yes, cancel race night {id} (Club night")),
    ] {
        let page = send(&fields);
        assert!(page.contains(said), "{fields}: {page}");
    }
    let answer = a.fill_in(
        "/me/events",
        "/me/events",
        &format!("persona={}&do=prize&night={id}&goods=c2", city.ann.1),
    );
    assert!(a.look(header(&answer, "location").unwrap()).contains("nly the Captain of a club"));
    assert!(!a.look(&format!("/me/events?persona={}&cancel={id}", city.ann.1)).contains("Yes, cancel"));
    let page = b.look(&format!("/me/events?persona={bob}&cancel={id}"));
    assert!(
        page.contains(&format!("Cancel race night {id} (Club night")) && page.contains("No, back"),
        "{page}"
    );
    let answer =
        b.fill_in("/me/events", "/me/events", &format!("persona={bob}&do=cancel&night={id}&why=rain"));
    assert!(b.look(header(&answer, "location").unwrap()).contains("is cancelled"));
    let back = city.game.store.garage().loose_parts(bob).unwrap();
    assert!(back.iter().any(|loose| loose.id == part), "the prize comes back: {back:?}");
}

#[test]
fn a_forged_plan_of_a_race_night_is_refused_field_by_field() {
    let city = lively();
    let bob = city.bob.1;
    let mut browser = city.signed_in("bob");
    let at = |seconds: u64| moment(Now::read().unix + seconds).replace(' ', "+");
    let good = format!("name=Friday&lobby=10001&start={}&end={}&most=8", at(86_400), at(90_000));
    let before = city.game.store.nights().open().unwrap();
    let long = "x".repeat(300);
    for (field, value, said) in [
        ("name", "x", "3 to 40 characters"),
        ("name", &long, "3 to 40 characters"),
        ("text", &long, "at most 255 characters"),
        ("lobby", "", "Choose a track"),
        ("lobby", "2", "Choose a track"),
        ("lobby", "4294967296", "no whole number"),
        ("class", "4", "1, 2 and 3"),
        ("class", "99999", "1, 2 and 3"),
        ("class", "-1", "no whole number"),
        ("laps", "9", "1 to 8 laps"),
        ("laps", "300", "1 to 8 laps"),
        ("laps", "two", "no whole number"),
        ("least", "99999", "No driver gets above"),
        ("highest", "4294967295", "No driver gets above"),
        ("least", "5&highest=4", "above the highest"),
        ("backward", "sideways", "no choice of the form"),
        ("nitrous", "perhaps", "no choice of the form"),
        ("weekly", "daily", "no choice of the form"),
        ("by", "luck", "decides nothing"),
        ("start", "2001-01-01+00:00", "beginning is over"),
        ("start", "2105-01-01+00:00", "year ahead"),
        ("start", "2030-13-01+00:00", "no moment"),
        ("end", "2001-01-01+00:00", "before it begins"),
        ("end", &at(9 * 86_400), "a week at most"),
        ("most", "1", "2 to 64"),
        ("most", "70000", "2 to 64"),
        ("fee", "1000001", "at most $1,000,000"),
        ("purse", "5", "fees alone"),
        ("season", "1", "fees alone"),
    ] {
        // The first field of a name counts.
        let fields = format!("persona={bob}&do=plan&{field}={value}&{good}");
        browser.fill_in("/me/events", "/me/events", &fields);
        let page = browser.look("/me/events");
        assert!(page.contains(said), "{field}={value}: {page}");
    }
    assert_eq!(city.game.store.nights().open().unwrap(), before);
}
