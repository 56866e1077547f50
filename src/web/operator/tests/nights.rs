//! Race nights and seasons as the Operator plans and ends them.

use super::*;
use crate::clock::{Zone, moment};

#[test]
fn race_nights_and_seasons_are_planned_and_ended_and_the_audit_log_says_so() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    let start = (Now::read().unix / 86_400 + 1) * 86_400;
    let plan = format!(
        "do=plan&name=%3CFriday%3E&lobby=10001&start={}&end={}&most=8&purse=5000&weekly=yes&by=time&season=1",
        moment(start).replace(' ', "+"),
        moment(start + 7200).replace(' ', "+")
    );
    let game = &scene.game;
    let mut send = |fields: &str| {
        let reply = operator.fill_in("/operator/events", "/operator/events", fields);
        assert_eq!(reply.status, 303);
        let next = reply.location.unwrap();
        assert!(next.starts_with("/operator/events"), "{next}");
        operator.look(&next)
    };
    for (fields, said) in [
        (plan.as_str(), "There is no such season"),
        ("do=begin&name=x", "3 to 30 characters"),
        ("do=begin&name=Summer", "The season has begun"),
        (&plan.replace("most=8", "most=1"), "2 to 64 can register"),
        (&plan.replace("end=2", "end=1"), "is no moment"),
        (&plan, "The race night is planned"),
        ("do=cancel&night=77&why=x", "There is no such race night"),
        ("do=cancel&night=1&why=", "why it is cancelled"),
        ("do=cancel&night=1&why=storm", "The race night is cancelled"),
        ("do=end&season=1", "Tick the box"),
        ("do=end&season=1&sure=yes", "The season is over"),
        ("do=close&acronym=NR&why=rude", "no club with this acronym"),
        ("do=close&acronym=NR&why=", "why the club is closed"),
        ("do=dance", "There is no such form"),
    ] {
        let page = send(fields);
        assert!(page.contains(said), "{fields}: {page}");
        if said == "The race night is planned" {
            let plan = game.store.nights().open().unwrap().remove(0).plan;
            let fixed = (plan.best_time, plan.laps, plan.backward);
            assert_eq!(fixed, (true, 2, Some(false)), "times are compared over the usual laps, forward");
        }
    }
    assert!(scene.game.store.nights().open().unwrap().is_empty(), "a weekly one ends when it is cancelled");
    let audit = operator.look("/operator/audit");
    for act in ["plan race night", "cancel race night 1", "begin season", "end season 1"] {
        assert!(audit.contains(act), "{act}: {audit}");
    }
    let stranger = scene.browser(HOME).send("/operator/events", Some((FORM, plan.as_bytes())));
    assert_eq!(stranger.status, 403);
}

#[test]
fn what_the_operator_types_is_by_the_clocks_of_the_city() {
    let mut scene = Scene::new();
    scene.game.config.shard.time_zone = Zone::named("Europe/Berlin").unwrap();
    let (game, zone) = (&scene.game, scene.game.zone());
    let mut operator = scene.operator();
    let page = operator.look("/operator/events");
    let tomorrow = zone.day(zone.midnight(Now::read().unix, 1));
    assert!(page.contains("Begins (Europe/Berlin)") && page.contains("Time zone: Europe/Berlin"), "{page}");
    assert!(page.contains(&format!("value=\"{tomorrow} 20:00\"")), "{page}");
    assert!(page.contains(" CET.") || page.contains(" CEST."), "{page}");
    let mut send = |start: &str, end: &str| {
        let plan = format!("do=plan&name=Friday&lobby=10001&start={start}&end={end}&most=8");
        let reply = operator.fill_in("/operator/events", "/operator/events", &plan.replace(' ', "+"));
        operator.look(&reply.location.unwrap())
    };
    let page = send("2031-03-30 02:30", "2031-03-30 04:00");
    assert!(page.contains("the clocks are put forward over it. Choose another hour"), "{page}");
    let page = send(&format!("{tomorrow} 20:00"), &format!("{tomorrow} 22:00"));
    assert!(page.contains("The race night is planned"), "{page}");
    let plan = game.store.nights().open().unwrap().remove(0).plan;
    assert_eq!(zone.moment(plan.start), format!("{tomorrow} 20:00:00"));
    assert_eq!(zone.moment(plan.end), format!("{tomorrow} 22:00:00"));
    let question = operator.look("/operator/events?cancel=1");
    assert!(question.contains(&zone.stamp(plan.start)), "{question}");
}
