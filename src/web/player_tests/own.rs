//! What is a player's own: signing in, garage, money and mail.

use super::*;
use crate::catalog::sample;
use crate::services::mcots::whole_car;
use crate::store::{GarageError, Paint};

#[test]
fn forms_change_only_what_is_ones_own_and_only_with_the_token_of_the_page() {
    let city = City::new();
    let before = city.balance(city.bob.1);
    let mut ann = city.signed_in("ann");
    let theirs =
        format!("persona={}&part={}&all=yes&sure=yes&mail=2&to=Bob&title=x&text=x", city.bob.1, city.car);
    let own = format!("persona={}&part={}&all=yes&sure=yes&mail=2", city.ann.1, city.car);
    for path in ["/me/garage/repair", "/me/garage/scrap", "/me/mail/write", "/me/mail/delete"] {
        assert_eq!(
            city.browser().ask(path, Some(&theirs)).unwrap().status,
            303,
            "{path}: nobody has to sign in"
        );
        let without = ann.ask(path, Some(&theirs)).unwrap();
        assert_eq!(without.status, 403, "{path}");
        assert_eq!(ann.fill_in("/me", path, &theirs).status, 303);
        assert!(ann.look("/me").contains("not one of your drivers"), "{path}");
    }
    for path in ["/me/garage/repair", "/me/garage/scrap"] {
        // Bob's car in Ann's name.
        assert_eq!(ann.fill_in("/me", path, &own).status, 303);
        assert!(ann.look("/me").contains("owns no such car or part"), "{path}");
    }
    for value in odd(&city) {
        for path in
            ["/me/garage/repair", "/me/garage/scrap", "/me/mail/write", "/me/mail/delete", "/me/nothing"]
        {
            let fields = format!(
                "persona={}&part={value}&mail={value}&to={value}&text={value}&car={value}&title={value}",
                city.ann.1
            );
            let answer = ann.fill_in("/me", path, &fields);
            assert!([303, 404].contains(&answer.status), "{path} {value}: {}", answer.status);
            assert!(
                header(&answer, "location")
                    .is_none_or(|to| to.starts_with("/me") && !to.contains(char::is_control))
            );
        }
    }
    assert_eq!(city.balance(city.bob.1), before);
    assert!(city.game.store.garage().vehicle(city.car).unwrap().is_some());
    assert_eq!(
        city.game
            .store
            .mails()
            .list(city.bob.1, Now::read())
            .unwrap()
            .iter()
            .filter(|mail| mail.number == 2)
            .count(),
        1
    );
}

#[test]
fn a_player_signs_in_out_and_everywhere_out_with_and_without_tls() {
    let city = City::new();
    for secure in [false, true] {
        let mut browser = Browser { secure, ..city.browser() };
        assert_eq!(header(&browser.get("/me"), "location"), Some("/me/sign-in"));
        let page = browser.look("/me/sign-in");
        assert_eq!(page.contains("https://mcos.local/me/sign-in"), !secure, "{page}");
        assert!(text(&browser.sign_in("bob", "guess")).contains("name or the password is wrong"));
        let expired = browser.ask("/me/sign-in", Some("form=00&name=bob&password=Roadster-57")).unwrap();
        assert_eq!(expired.status, 403);
        assert_eq!(header(&browser.sign_in("BOB", "Roadster-57"), "location"), Some("/me"));
        assert!(browser.look("/me").contains("Signed in as <b>bob</b>"));
        assert_eq!(header(&browser.get("/me/sign-in"), "location"), Some("/me"));
        assert_eq!(header(&browser.fill_in("/me", "/me/sign-out", ""), "location"), Some("/"));
        assert_eq!(browser.get("/me").status, 303);
    }
    let (mut one, mut other) = (city.signed_in("bob"), city.signed_in("bob"));
    assert!(one.look("/me").contains("signed in in 2 browsers"));
    one.fill_in("/me", "/me/sign-out", "everywhere=yes");
    assert_eq!([one.get("/me").status, other.get("/me").status], [303, 303]);
}

#[test]
fn a_session_ends_with_the_password_the_account_and_a_ban() {
    let city = City::new();
    let mut bob = city.signed_in("bob");
    let form = "name=bob&old=Roadster-57&password=n3w-one&again=n3w-one";
    assert!(text(&bob.ask("/password", Some(form)).unwrap()).contains("is changed"));
    assert_eq!(bob.get("/me").status, 303);
    assert_eq!(bob.sign_in("bob", "n3w-one").status, 303);
    let _ = city.game.store.accounts().set_disabled("bob", true).unwrap();
    assert_eq!(bob.get("/me").status, 303);
    assert!(text(&bob.sign_in("bob", "n3w-one")).contains("is wrong"));
    let mut ann = city.browser();
    let ban = city.game.store.bans().put(BanTarget::Account(city.ann.0), "<b>rude", None, Now::read());
    let _ = ban.unwrap();
    let refused = ann.sign_in("ann", "Roadster-57");
    assert_eq!(refused.status, 403);
    assert!(text(&refused).contains("banned: &#60;b&#62;rude"), "{}", text(&refused));
}

#[test]
fn wrong_passwords_are_counted_by_name_and_address_as_on_the_other_pages() {
    let mut city = City::new();
    city.game.world.page_failures = FailureLimit::new(2);
    let mut browser = city.browser();
    for _ in 0..2 {
        assert_eq!(browser.sign_in("bob", "guess").status, 200);
    }
    assert_eq!(browser.sign_in("bob", "Roadster-57").status, 429);
    let form = "name=bob&old=Roadster-57&password=n3w-one&again=n3w-one";
    assert_eq!(browser.ask("/password", Some(form)).unwrap().status, 429, "one count for both forms");
    assert_eq!(browser.sign_in("ann", "Roadster-57").status, 303, "another name");
    let elsewhere = Ipv4Addr::new(192, 168, 1, 21).into();
    assert_eq!(Browser { peer: elsewhere, ..city.browser() }.sign_in("bob", "Roadster-57").status, 303);
}

#[test]
fn a_car_is_repaired_and_scrapped_but_not_in_a_race_nor_unsure() {
    let city = City::new();
    let (persona, part) = (city.bob.1, city.game.store.garage().parts_of(city.car).unwrap()[0].id);
    let _ = city.game.store.races().damage((RaceId(1), false), persona, city.car, &[(part, 40, 10)]).unwrap();
    let mut bob = city.signed_in("bob");
    let garage = bob.look("/me/garage");
    assert!(garage.contains("######....</tt> 60&nbsp;%") && garage.contains("Repair for $"), "{garage}");
    let tree = bob.look(&format!("/me/garage?car={}", city.car));
    assert!(tree.contains("muffler") && tree.contains("bought"), "{tree}");
    let before = city.balance(persona);
    let fields = format!("persona={persona}&part={}&all=yes", city.car);
    let back = bob.fill_in("/me/garage", "/me/garage/repair", &fields);
    assert_eq!(header(&back, "location"), Some(format!("/me/garage?persona={persona}").as_str()));
    assert!(bob.look("/me/garage").contains("Repaired for $"));
    let cost = city.game.catalog.repair_price(MUFFLER, 40);
    assert!(cost > 0 && city.balance(persona) == before - cost);
    let scrap = format!("persona={persona}&part={part}");
    bob.fill_in("/me/garage", "/me/garage/scrap", &scrap);
    assert!(bob.look("/me/garage").contains("Tick the box"));
    bob.fill_in("/me/garage", "/me/garage/scrap", &format!("{scrap}&sure=yes"));
    assert!(bob.look("/me/garage").contains("The junkyard paid"));
    bob.fill_in("/me/garage", "/me/garage/scrap", &format!("persona={persona}&part={}&sure=yes", city.car));
    let refused = bob.look("/me/garage");
    assert!(refused.contains("last car") && refused.contains("buy another car first"), "{refused}");
    assert!(city.game.store.ledger().check().unwrap().differences.is_empty());
}

#[test]
fn players_write_to_each_other_and_the_game_shows_the_same_box() {
    let city = City::new();
    let mut ann = city.signed_in("ann");
    let persona = city.ann.1;
    let send = |browser: &mut Browser<'_>, fields: &str| {
        browser.fill_in("/me/mail", "/me/mail/write", &format!("persona={persona}&{fields}"));
        browser.look("/me/mail")
    };
    for (fields, said) in [
        ("to=Nobody&title=x&text=x", "no player with this name"),
        ("to=Bob&title=x&text=+", "Write a text first"),
        ("to=Bob&title=x&text=%0d%0a", "Write a text first"),
        ("to=bob&title=%3Ci%3E&text=Race+me%0d%0aon+Friday", "The mail to Bob is sent"),
    ] {
        assert!(send(&mut ann, fields).contains(said), "{fields}");
    }
    let long = format!("to=Bob&title=x&text={}", "x".repeat(256));
    assert!(send(&mut ann, &long).contains("at most 30 characters"));
    let mails = city.game.store.mails();
    let newest = mails.list(city.bob.1, Now::read()).unwrap().last().unwrap().number;
    let (mail, read) = mails.get(city.bob.1, newest, Now::read()).unwrap().unwrap();
    assert_eq!(
        (mail.sender, mail.sender_name.as_str(), mail.text.as_str(), read),
        (persona, EVIL, "Race me\non Friday", false)
    );
    let mut bob = city.signed_in("bob");
    let page = bob.look(&format!("/me/mail?mail={newest}"));
    assert!(page.contains("&#60;i&#62;") && page.contains("Race me<br>"), "{page}");
    assert!(
        page.contains("value=\"&#60;b&#62;&#38;&#34;&#39;x\"") && page.contains("value=\"Re: &#60;i&#62;\""),
        "an answer: {page}"
    );
    assert!(mails.get(city.bob.1, newest, Now::read()).unwrap().unwrap().1, "it is read, in the game too");
    bob.fill_in("/me/mail", "/me/mail/delete", &format!("persona={}&mail={newest}", city.bob.1));
    assert!(mails.get(city.bob.1, newest, Now::read()).unwrap().is_none());
    let answers: Vec<String> = (0..12).map(|_| send(&mut ann, "to=Bob&text=again")).collect();
    assert!(answers.last().unwrap().contains("many mails"), "a mailbox is not filled by one player");
}

#[test]
fn what_was_typed_stands_in_the_form_again_after_an_error_and_only_then() {
    let city = City::new();
    let mut ann = city.signed_in("ann");
    let mail = format!("persona={}&to=Nobody&title=Fri+%22day%22&text=Race%0d%0a%3Cb%3Eme", city.ann.1);
    ann.fill_in("/me/mail", "/me/mail/write", &mail);
    let page = ann.look("/me/mail");
    assert!(page.contains("value=\"Nobody\"") && page.contains("value=\"Fri &#34;day&#34;\""), "{page}");
    assert!(page.contains("Race\r\n&#60;b&#62;me</textarea>"), "{page}");
    assert!(!ann.look("/me/mail").contains("Nobody"), "once");
    ann.fill_in("/me/mail", "/me/mail/write", &mail.replace("Nobody", "Bob"));
    assert!(!ann.look("/me/mail").contains("Race\r\n"), "it is sent");
    let club = format!("persona={}&do=found&name=Night+Riders&acronym=NR&description=we+race", city.ann.1);
    ann.fill_in("/me/club", "/me/club", &club);
    let page = ann.look("/me/club");
    assert!(page.contains("value=\"Night Riders\"") && page.contains("value=\"we race\""), "{page}");
    assert!(page.contains("is at level 1: 8,090 points more to level 10"), "{page}");
    let answer = ann.fill_in("/me", "/me/sign-out", "");
    assert_eq!(answer.status, 303);
    let form = "name=ann&old=wr0ng-secret&password=n3w-one&again=n3w-two";
    let page = text(&ann.ask("/password", Some(form)).unwrap());
    assert!(page.contains("value=\"ann\"") && !page.contains("wr0ng") && !page.contains("n3w-"), "{page}");
}

#[test]
fn whoever_is_signed_in_has_the_same_menu_on_all_pages_and_nobody_keeps_them() {
    let city = City::new();
    let new = NewPersona {
        name: "Second".to_owned(),
        shard: city.game.config.shard.id,
        id: None,
        starter_cash: 0,
        max_per_customer: 4,
    };
    let second = city.game.store.personas().create(city.bob.0, new, Now::read()).unwrap().value.id;
    let (mut nobody, mut bob) = (city.browser(), city.signed_in("bob"));
    for path in [
        "/players",
        "/races",
        "/records",
        "/boards",
        "/live",
        "/clubs",
        "/turfs",
        "/events",
        "/market",
        "/auctions",
    ] {
        let page = bob.get(path);
        assert_eq!(page.cache, CachePolicy::NoStore, "{path}");
        let page = text(&page);
        for link in [
            "/me/garage",
            "/me/money",
            "/me/mail",
            "/market",
            "/auctions",
            "/trades",
            "/me/club",
            "/me/events",
        ] {
            assert!(
                page.contains(&format!("href=\"{link}?persona={}\"", city.bob.1)),
                "{path}: {link}: {page}"
            );
        }
        assert!(!nobody.look(path).contains("Signed in as"), "{path}");
    }
    let page = bob.look(&format!("/trades?persona={second}"));
    assert!(
        page.contains("driver <b>Second</b>") && page.contains(&format!("/trades?persona={}", city.bob.1))
    );
    let page = bob.look(&format!("/players?persona={}", city.ann.1));
    assert!(page.contains("driver <b>Bob</b>"), "somebody else's driver is nobody's choice: {page}");
}

#[test]
fn a_car_is_painted_in_a_paint_that_is_made_for_it_and_for_sale() {
    let city = City::new();
    let (persona, garage) = (city.bob.1, city.game.store.garage());
    let page = format!("/me/garage?car={}", city.car);
    assert!(!city.signed_in("bob").look(&page).contains("Paint it"), "no paint is known");
    city.game.catalog.replace(sample::catalogue());
    let model = city.game.catalog.car(BrandedPartId(113)).unwrap();
    let purchase = whole_car(&city.game.catalog, &model, SkinId(0));
    let car = garage.buy_car(persona, purchase, Now::read()).unwrap().value;
    let (mut bob, before) = (city.signed_in("bob"), city.balance(persona));
    let page = format!("/me/garage?car={car}");
    let shown = bob.look(&page);
    let flames = city
        .game
        .catalog
        .paints_for_sale(BrandedPartId(113))
        .into_iter()
        .find(|paint| paint.price == 5000)
        .unwrap();
    assert!(shown.contains("Paint it") && shown.contains(&format!("value=\"{}\"", flames.id)), "{shown}");
    let mut send = |fields: &str| {
        bob.fill_in(&page, "/me/garage/paint", &format!("persona={persona}&car={car}&{fields}"));
        bob.look(&page)
    };
    for odd in ["paint=", "paint=0", "paint=4294967296", "paint=99999"] {
        assert!(send(odd).contains("not made for this car"), "{odd}");
    }
    let told = send(&format!("paint={}", flames.id));
    assert!(told.contains("The car is painted") && told.contains("painted</td>"), "{told}");
    assert_eq!(city.balance(persona), before - 5000);
    let painted = garage.vehicle(car).unwrap().unwrap();
    assert_eq!((painted.skin, painted.delta), (flames.id, 1), "the game asks for it anew");
    send(&format!("paint={}", flames.id));
    assert_eq!(city.balance(persona), before - 5000, "twice");
    let theirs = format!("persona={}&car={car}&paint={}", city.ann.1, flames.id);
    let mut ann = city.signed_in("ann");
    ann.fill_in("/me", "/me/garage/paint", &theirs);
    assert!(ann.look("/me/garage").contains("There is no such car"));
    let races = city.game.store.races();
    let entrants = [Entrant { persona, fee: 0, car: Some(car) }];
    let _ = races.start(RaceId(77), &entrants, false, Now::read()).unwrap();
    let paint = Paint { skin: SkinId(1), flags: 0, price: 1 };
    assert_eq!(garage.paint(persona, car, paint, Now::read()).unwrap_err(), GarageError::InRace);
    assert!(city.game.store.ledger().check().unwrap().differences.is_empty());
}
