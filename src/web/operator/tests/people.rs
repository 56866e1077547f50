//! The players as the Operator sees and changes them.

use super::*;
use crate::store::{NewPersona, Password};
use mco_proto::ids::PersonaId;

fn player(game: &Game, account: &str, name: &str) -> (CustomerId, PersonaId) {
    let password = Password::new("Roadster-57").unwrap();
    let customer =
        game.store.accounts().create(account, &password, None, Now::read()).unwrap().value.customer_id;
    let shard = game.config.shard.id;
    let new = NewPersona { name: name.to_owned(), shard, id: None, starter_cash: 5000, max_per_customer: 4 };
    (customer, game.store.personas().create(customer, new, Now::read()).unwrap().value.id)
}

#[test]
fn players_are_found_shown_and_changed_and_the_audit_log_says_what_was_done() {
    let scene = Scene::new();
    let ((_, doc), (customer, _)) =
        (player(&scene.game, "doc", "<Doc>"), player(&scene.game, "marty", "Marty"));
    let mut operator = scene.operator();
    let page = operator.look("/operator/players?q=DO");
    assert!(page.contains("&#60;Doc&#62;") && !page.contains("Marty"), "{page}");
    assert!(operator.look("/operator/players").contains("$5,000"));
    let page = operator.look("/operator/persona?name=%3CDoc%3E");
    assert!(page.contains("Starter cash") && page.contains("/operator/account?name=doc"), "{page}");
    assert!(operator.look("/operator/account?name=doc").contains("&#60;Doc&#62;"));
    for odd in ["/operator/persona", "/operator/persona?name=%00", "/operator/account?name=%3Cb%3E"] {
        assert_eq!(operator.send(odd, None).status, 404, "{odd}");
    }
    assert_eq!(operator.send("/operator/players?page=99&q=%ff", None).status, 200);
    let mut change = |path: &str, fields: &str| {
        let reply = operator.fill_in("/operator/players", path, fields);
        assert_eq!(reply.status, 303);
        let next = reply.location.unwrap();
        let reply = operator.send(&next, None);
        assert!([200, 404].contains(&reply.status), "{next}");
        text(&reply)
    };
    for (path, fields, said) in [
        ("/operator/persona/give", "name=%3Cdoc%3E&dollars=250&reason=show", "has $250 more"),
        ("/operator/persona/give", "name=%3Cdoc%3E&dollars=-5251&reason=show", "has less than that"),
        ("/operator/persona/give", "name=%3Cdoc%3E&dollars=10&reason=", "a reason"),
        ("/operator/persona/give", "name=%3Cdoc%3E&dollars=1e9&reason=x", "not a number"),
        ("/operator/persona/rename", "name=%3Cdoc%3E&new_name=Marty", "taken"),
        ("/operator/persona/rename", "name=%3Cdoc%3E&new_name=Emmett", "is called Emmett now"),
        ("/operator/account/rename", "name=doc&new_name=brown", "is called brown now"),
        ("/operator/account/remove", "name=marty", "Tick the box"),
        ("/operator/account/remove", "name=marty&sure=yes", "is deleted"),
        ("/operator/account/remove", "name=marty&sure=yes", "no account"),
        ("/operator/mail", "title=Friday&text=Race+night", "is sent to all"),
        ("/operator/mail", "title=&text=", "write both"),
        (
            "/operator/mail",
            &format!("title=Friday&text={}", "x".repeat(256)),
            "at most 30 characters and a text 255",
        ),
    ] {
        let page = change(path, fields);
        assert!(page.contains(said), "{path} {fields}: {said}: {page}");
    }
    let persona = scene.game.store.personas().by_id(doc).unwrap().unwrap();
    assert_eq!((persona.name.as_str(), persona.bank_balance), ("Emmett", 5250));
    assert_eq!(scene.game.store.accounts().by_customer(customer).unwrap(), None);
    let audit = operator.look("/operator/audit");
    for act in [
        "persona give",
        "persona rename",
        "account rename &#34;doc&#34; &#34;brown&#34;",
        "account remove",
        "mail to all",
    ] {
        assert!(audit.contains(act), "{act}: {audit}");
    }
    assert_eq!(audit.matches("account remove").count(), 1, "what was refused is not in it");
    assert!(!audit.contains("Roadster"), "{audit}");
}

/// Names move from one to another; an open page is about whom it showed.
#[test]
fn a_form_acts_on_whom_its_page_was_about_or_on_nobody() {
    let scene = Scene::new();
    let ((customer, bob), (other, carl)) =
        (player(&scene.game, "one", "Bob"), player(&scene.game, "two", "Carl"));
    let mut operator = scene.operator();
    let form = |id: PersonaId| format!("name=Bob&number={id}&dollars=1000&reason=prize");
    for (from, to) in [(bob, "Robert"), (carl, "Bob")] {
        let _ = scene.game.store.personas().rename(from, to).unwrap();
    }
    let mut sent = |path: &str, fields: &str| {
        let next = operator.fill_in("/operator/players", path, fields).location.unwrap();
        text(&operator.send(&next, None))
    };
    assert!(sent("/operator/persona/give", &form(bob)).contains("somebody else since"));
    assert!(sent("/operator/persona/give", &form(carl)).contains("has $1,000 more"));
    let account = format!("name=two&number={customer}&new_name=three");
    assert!(sent("/operator/account/rename", &account).contains("somebody else since"));
    assert!(
        sent("/operator/account/rename", &account.replace(&customer.to_string(), &other.to_string()))
            .contains("is called three")
    );
    let money = |id| scene.game.store.personas().by_id(id).unwrap().unwrap().bank_balance;
    assert_eq!((money(bob), money(carl)), (5000, 6000));
    assert!(
        operator.look("/operator/persona?name=Bob").contains(&format!("name=\"number\" value=\"{carl}\""))
    );
}

#[test]
fn nobody_sees_these_pages_without_the_password() {
    let scene = Scene::new();
    player(&scene.game, "doc", "Doc");
    let mut nobody = scene.browser(HOME);
    for path in
        ["/operator/players", "/operator/persona?name=Doc", "/operator/account?name=doc", "/operator/audit"]
    {
        let reply = nobody.send(path, None);
        assert_eq!((reply.status, reply.location.as_deref()), (303, Some("/operator")), "{path}");
    }
    for path in ["/operator/persona/give", "/operator/account/remove", "/operator/mail"] {
        let form = b"name=Doc&dollars=5&reason=x&sure=yes&title=x&text=x".as_slice();
        assert_eq!(nobody.send(path, Some((FORM, form))).status, 403, "{path}");
    }
    assert_eq!(scene.game.store.personas().list().unwrap()[0].bank_balance, 5000);
    assert_eq!(scene.game.store.audit().count().unwrap(), 0);
}

#[test]
fn cars_are_given_and_taken_with_a_reason_and_stand_in_ledger_mail_and_audit_log() {
    let scene = Scene::new();
    let (_, doc) = player(&scene.game, "doc", "Doc");
    let mut operator = scene.operator();
    let mut send = |path: &str, fields: &str| {
        let reply = operator.fill_in("/operator/players", path, &format!("name=Doc&{fields}"));
        assert_eq!((reply.status, reply.location.as_deref()), (303, Some("/operator/persona?name=Doc")));
        operator.look("/operator/persona?name=Doc")
    };
    let garage = || scene.game.store.garage().vehicles(doc).unwrap();
    for (path, fields, said, cars) in [
        ("give-car", "model=104&reason=", "a reason", 0),
        ("give-car", "model=4294967295&reason=prize", "no such car", 0),
        ("give-car", "model=x&reason=prize", "no such car", 0),
        ("give-car", "model=104&reason=prize", "has one car more", 1),
        ("give-car", "model=101&reason=prize", "has one car more", 2),
        ("take-car", "car=0&reason=error", "no such car", 2),
    ] {
        let page = send(&format!("/operator/persona/{path}"), fields);
        assert!(page.contains(said), "{path} {fields}: {page}");
        assert_eq!(garage().len(), cars, "{path} {fields}");
    }
    let first = garage()[0].clone();
    assert_eq!(garage()[0].model.0, 104);
    assert!(!scene.game.store.garage().parts_of(first.id).unwrap().is_empty(), "with all its parts");
    let take = format!("car={}&reason=a+mistake", first.id);
    let page = send("/operator/persona/take-car", &take);
    assert!(
        page.contains("is taken from the driver Doc") && page.contains("taken by the operator"),
        "{page}"
    );
    let last = format!("car={}&reason=x", garage()[0].id);
    assert!(send("/operator/persona/take-car", &last).contains("last car"));
    let persona = scene.game.store.personas().by_id(doc).unwrap().unwrap();
    assert_eq!((persona.vehicle, persona.bank_balance), (Some(garage()[0].id), 5000));
    let mails = scene.game.store.mails();
    let newest = mails.list(doc, Now::read()).unwrap().last().unwrap().number;
    assert!(mails.get(doc, newest, Now::read()).unwrap().unwrap().0.text.contains("a mistake"));
    assert!(scene.game.store.ledger().check().unwrap().differences.is_empty());
    for _ in 0..20 {
        send("/operator/persona/give-car", "model=101&reason=x");
    }
    assert!(send("/operator/persona/give-car", "model=101&reason=x").contains("garage is full"));
    let audit = operator.look("/operator/audit?page=2");
    assert!(audit.contains("give-car &#34;Doc&#34; model 104") && audit.contains("take-car"), "{audit}");
}

#[test]
fn players_results_and_ledgers_come_as_csv_and_json() {
    let scene = Scene::new();
    player(&scene.game, "doc", "=Doc,\"1\"");
    let mut operator = scene.operator();
    let page = operator.look("/operator/players");
    for table in ["players", "results", "ledger"] {
        for format in ["csv", "json"] {
            let link = format!("/operator/export?table={table}&format={format}&part=1");
            assert!(page.contains(&link.replace('&', "&#38;")), "{page}");
            let reply = operator.send(&link, None);
            let name = reply.file_name.clone().unwrap();
            assert!(name.starts_with(&format!("mcos-{table}-1-")) && name.ends_with(format), "{name}");
            let text = text(&reply);
            let doc = if format == "csv" { "\"'=Doc,\"\"1\"\"\"" } else { "'=Doc,\\\"1\\\"" };
            assert_eq!(text.contains(doc), table != "results", "{text}");
            assert_eq!(text.contains("Starter cash"), table == "ledger", "in words: {text}");
        }
    }
    for odd in [
        "",
        "?table=accounts&format=csv&part=1",
        "?table=ledger&format=csv&part=0",
        "?table=ledger&format=exe&part=1",
    ] {
        assert_eq!(operator.send(&format!("/operator/export{odd}"), None).status, 404, "{odd}");
    }
    let stranger = scene.browser(HOME).send("/operator/export?table=players&format=csv&part=1", None);
    assert_eq!(stranger.status, 303);
}

/// Every page of the Operator, with `{}` for what can be anything.
const PATHS: [&str; 20] = [
    "/operator",
    "/operator/players?q={}&page={}",
    "/operator/account?name={}",
    "/operator/persona?name={}",
    "/operator/accounts",
    "/operator/bans",
    "/operator/events?cancel={}",
    "/operator/events?close={}",
    "/operator/message",
    "/operator/audit?page={}",
    "/operator/log",
    "/operator/wire",
    "/operator/pages",
    "/operator/catalog",
    "/operator/patch",
    "/operator/backup",
    "/operator/update",
    "/operator/health",
    "/operator/export?table={}&format=csv&part={}",
    "/operator/{}",
];

#[test]
fn whatever_the_operator_asks_for_there_is_an_answer_and_nobody_else_gets_any() {
    let scene = Scene::new();
    player(&scene.game, "doc", "Very Secret");
    let (mut operator, mut nobody) = (scene.operator(), scene.browser(HOME));
    let long = "x".repeat(3000);
    let odd = [
        "",
        "0",
        "1",
        "-1",
        "4294967296",
        "%00",
        "%ff%fe",
        "%zz",
        "a/b",
        "Very%20Secret",
        "players",
        "%3Cb%3E",
        &long,
    ];
    for path in PATHS {
        for value in odd {
            let path = path.replace("{}", value);
            let answer = operator.send(&path, None);
            assert!([200, 404].contains(&answer.status), "{path}: {}", answer.status);
            let refused = nobody.send(&path, None);
            assert!([200, 303].contains(&refused.status), "{path}: {}", refused.status);
            assert!(!text(&refused).contains("Very Secret"), "{path}");
            assert!(refused.file_name.is_none(), "{path}");
        }
    }
}
