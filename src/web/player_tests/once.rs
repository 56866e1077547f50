//! A form that is sent twice counts once, each of them.

use super::*;
use crate::catalog::sample;
use crate::services::mcots::whole_car;
use crate::store::records;
use std::collections::BTreeSet;

/// The browser of Ann or of Bob, the path of a form, and its fields, which are right.
type Case = (bool, &'static str, String);

/// One case for each form but painting, in an order in which all of them can be done.
fn cases(city: &City) -> Vec<Case> {
    let (ann, bob) = (true, false);
    let (auction, ad) = city.deal();
    let (car, spare) = (city.car_of(city.bob.1), city.car_of(city.bob.1));
    let part = city.game.store.garage().parts_of(city.car).unwrap()[0].id;
    let damage = [(part, 40, 10)];
    let _ = city.game.store.races().damage((RaceId(1), false), city.bob.1, city.car, &damage).unwrap();
    let mut all: Vec<Case> = vec![
        (bob, "/auctions/open", format!("goods=c{car}&start=10&hours=2")),
        (ann, "/auctions/bid", format!("auction={auction}&dollars=200")),
        (bob, "/auctions/cancel", "auction=4".to_owned()),
        (bob, "/market/place", "category=w&text=a+Hemi&days=1".to_owned()),
        (ann, "/market/buy", format!("ad={ad}")),
        (bob, "/market/withdraw", "ad=5".to_owned()),
        (ann, "/trades/open", "with=Bob".to_owned()),
        (ann, "/trades/offer", "trade=7&version=1&dollars=5".to_owned()),
        (ann, "/trades/accept", "trade=7&version=2".to_owned()),
        (ann, "/trades/leave", "trade=7".to_owned()),
        (ann, "/trades/mute", "whom=Bob&muted=yes".to_owned()),
        (bob, "/me/garage/repair", format!("part={}&all=yes", city.car)),
        (bob, "/me/garage/scrap", format!("part={spare}&sure=yes")),
        (ann, "/me/mail/write", "to=Bob&title=x&text=hello".to_owned()),
        (bob, "/me/mail/delete", "mail=2".to_owned()),
        (
            bob,
            "/me/club",
            "do=found&name=Riders&acronym=nr&description=We+ride&front=ffffff&back=000000&third=abcdef"
                .to_owned(),
        ),
    ];
    let _ = city.game.store.personas().update(city.bob.1, |persona| persona.level = 10).unwrap();
    let start = Now::read().unix + 86_400;
    let moment = |at| crate::clock::moment(at).replace(' ', "+");
    let plan =
        format!("do=plan&name=Friday&lobby=10001&start={}&end={}&most=8", moment(start), moment(start + 60));
    all.push((bob, "/me/events", plan));
    all
}

/// Where the paints of the game are known, a car is painted.
fn painting(city: &City) -> Case {
    city.game.catalog.replace(sample::catalogue());
    let model = city.game.catalog.car(BrandedPartId(113)).unwrap();
    let purchase = whole_car(&city.game.catalog, &model, SkinId(0));
    let car = city.game.store.garage().buy_car(city.bob.1, purchase, Now::read()).unwrap().value;
    let paint = city.game.catalog.paints_for_sale(BrandedPartId(113)).last().unwrap().id;
    (false, "/me/garage/paint", format!("car={car}&paint={paint}"))
}

/// Sends a form three times from one page, and once more from the page as it is then.
fn send_again_and_again(city: &City, browser: &mut Browser<'_>, who: PersonaId, path: &str, fields: &str) {
    let form = format!("form={}&persona={who}&{fields}", browser.token("/me"));
    let answer = browser.ask(path, Some(&form)).unwrap();
    let there = header(&answer, "location").unwrap().to_owned();
    let page = browser.look(&there);
    assert!(page.contains("<p class=\"fine\">"), "{path}: {page}");
    let before = records(&city.game.store);
    for _ in 0..2 {
        let again = browser.ask(path, Some(&form)).unwrap();
        assert_eq!((again.status, header(&again, "location")), (303, Some(there.as_str())), "{path}");
        assert!(records(&city.game.store) == before, "{path} has changed something");
        assert!(browser.look(&there).contains("Already done, once: "), "{path}");
    }
    let anew = format!("form={}&persona={who}&{fields}", browser.token("/me"));
    browser.ask(path, Some(&anew)).unwrap();
    assert!(
        !browser.look(&there).contains("Already done"),
        "{path}: a page that is loaded anew has new forms"
    );
}

#[test]
fn whatever_is_sent_twice_is_done_once_and_the_same_page_says_so() {
    let city = City::new();
    let cases = cases(&city);
    let known = cases.iter().map(|(_, path, _)| *path).chain(["/me/garage/paint"]).collect::<BTreeSet<_>>();
    let forms = me::FORMS.iter().chain(&super::super::deals::FORMS).map(|(path, _)| *path);
    assert_eq!(known, forms.collect(), "each form that there is has a case here");
    let (mut ann, mut bob) = (city.signed_in("ann"), city.signed_in("bob"));
    for (of_ann, path, fields) in cases {
        let (browser, who) = if of_ann { (&mut ann, city.ann.1) } else { (&mut bob, city.bob.1) };
        send_again_and_again(&city, browser, who, path, &fields);
    }
    let (_, path, fields) = painting(&city);
    send_again_and_again(&city, &mut bob, city.bob.1, path, &fields);
    city.is_right();
}

#[test]
fn two_forms_of_one_page_are_two_and_a_form_that_was_refused_can_be_sent_again() {
    let city = City::new();
    let _ = city.deal();
    let mut bob = city.signed_in("bob");
    let start = format!("form={}&persona={}&", bob.token("/market"), city.bob.1);
    let mut place = |fields: &str| {
        bob.ask("/market/place", Some(&format!("{start}{fields}"))).unwrap();
        bob.look("/market")
    };
    assert!(place("category=w&text=one&days=9").contains("he days are too many"));
    assert!(place("category=w&text=one&days=9").contains("he days are too many"));
    assert!(place("category=w&text=one&days=1").contains("Ad 4 is placed"));
    assert!(place("category=w&text=two&days=1").contains("Ad 5 is placed"), "typed anew after going back");
    assert!(place("category=w&text=one&days=1").contains("Already done, once: Ad 4 is placed"));
    assert!(place("category=w&text=one&days=9").contains("he days are too many"));
}
