//! Race nights and seasons as the Operator plans and ends them.

use super::*;
use crate::clock::moment;

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
