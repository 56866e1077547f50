//! Texts that others read hold nothing that one cannot see, wherever they are written.

use super::clubs::lively;
use super::*;

/// An invisible letter, one that turns the letters round, a control character, and a hyphen that shows only at the end of a line.
const ODD: [&str; 6] = ["%E2%80%8B", "%E2%80%AE", "%07", "%C2%AD", "%EF%BB%BF", "%E2%81%A6"];
/// How each place says so.
const SAID: [&str; 2] = ["cannot be seen", "that one can see"];

#[test]
fn whatever_others_read_has_no_letter_that_is_hidden_or_turns_others_round() {
    let mut city = lively();
    city.game.world.page_mail = FailureLimit::new(1000);
    let start = Now::read().unix + 86_400;
    let moment = |at| crate::clock::moment(at).replace(' ', "+");
    let when = format!("start={}&end={}", moment(start), moment(start + 3600));
    let plan = |fields: &str| format!("do=plan&lobby=10001&most=8&{when}&{fields}");
    let found = |fields: &str| format!("do=found&acronym=XY&front=ffffff&back=000000&third=abcdef&{fields}");
    let (bob, ann) = (city.bob.1, city.ann.1);
    let member = format!("do=member&who={ann}&answer=title&title=");
    let night = city.game.store.nights().open().unwrap()[0].id;
    let cases = [
        (bob, "/market/place", "category=w&days=1&text=".to_owned()),
        (bob, "/me/mail/write", "to=Bob&title=x&text=".to_owned()),
        (bob, "/me/mail/write", "to=Bob&text=x&title=".to_owned()),
        (ann, "/me/club", found("name=Riders&description=")),
        (ann, "/me/club", found("description=We+ride&name=")),
        (bob, "/me/club", "do=describe&front=ffffff&back=000000&third=abcdef&description=".to_owned()),
        (bob, "/me/club", "do=write&title=x&text=".to_owned()),
        (bob, "/me/club", "do=write&text=x&title=".to_owned()),
        (bob, "/me/club", member),
        (bob, "/me/events", plan("name=Friday&text=")),
        (bob, "/me/events", plan("text=x&name=")),
        (bob, "/me/events", format!("do=cancel&night={night}&why=")),
    ];
    let before = city.game.store.ledger().of(bob).unwrap().len();
    let _ = city.game.store.personas().update(ann, |persona| persona.level = 10).unwrap();
    for (who, path, fields) in cases {
        let mut browser = city.signed_in(if who == bob { "bob" } else { "ann" });
        for odd in ODD {
            let answer = browser.fill_in("/me", path, &format!("persona={who}&{fields}abc{odd}def"));
            let page = browser.look(header(&answer, "location").unwrap());
            assert!(SAID.iter().any(|said| page.contains(said)), "{path} {fields}{odd}: {page}");
        }
    }
    assert_eq!(city.game.store.ledger().of(bob).unwrap().len(), before);
}
