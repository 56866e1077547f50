//! A form of the Operator that is sent twice counts once, each of them.

use super::*;
use crate::store::{NewPersona, Password, records};
use std::collections::BTreeSet;

/// Forms that bring or answer with a file, or end the session; and those that nothing is there for in these tests.
const OTHERS: [&str; 14] = [
    "/operator/backup/discard",
    "/operator/backup/download",
    "/operator/backup/open",
    "/operator/backup/restart",
    "/operator/backup/restore",
    "/operator/catalog/import",
    "/operator/kick",
    "/operator/logout",
    "/operator/password",
    "/operator/patch/add",
    "/operator/patch/remove",
    "/operator/update/send",
    "/operator/wire/start",
    "/operator/wire/stop",
];

fn driver(game: &Game, account: &str, name: &str) {
    let password = Password::new("Roadster-57").unwrap();
    let customer =
        game.store.accounts().create(account, &password, None, Now::read()).unwrap().value.customer_id;
    let (shard, name) = (game.config.shard.id, name.to_owned());
    let new = NewPersona { name, shard, id: None, starter_cash: 5000, max_per_customer: 4 };
    let _ = game.store.personas().create(customer, new, Now::read()).unwrap();
}

/// Where the forms of a page are sent to.
fn actions(page: &str) -> impl Iterator<Item = &str> {
    page.split("<form method=\"post\" action=\"").skip(1).filter_map(|rest| rest.split('"').next())
}

#[test]
fn whatever_the_operator_sends_twice_is_done_once_and_the_same_page_says_so() {
    let mut scene = Scene::new();
    scene.game.config.file = Some(scene.folder.path().join("mcos.toml"));
    let game = &scene.game;
    driver(game, "doc", "Doc");
    driver(game, "eve", "Eve");
    let mut operator = scene.operator();
    let moment = |at| crate::clock::moment(at).replace(' ', "+");
    let start = Now::read().unix + 86_400;
    let plan =
        format!("do=plan&name=Friday&lobby=10001&start={}&end={}&most=8", moment(start), moment(start + 60));
    let cases = [
        ("/operator/accounts/add", "name=marty&password=s3cret-1"),
        ("/operator/accounts/disable", "name=marty"),
        ("/operator/accounts/enable", "name=marty"),
        ("/operator/accounts/password", "name=marty&password=s3cret-2"),
        ("/operator/ban", "address=8.8.8.8&reason=rude&length=1+day"),
        ("/operator/unban", "address=8.8.8.8"),
        ("/operator/message", "text=hello"),
        ("/operator/backup/password", "password=lorraine+kept+it&again=lorraine+kept+it"),
        ("/operator/backup/no-password", ""),
        ("/operator/events", &plan),
        ("/operator/events", "do=begin&name=Summer"),
        ("/operator/pages", "number=5&page=/boards"),
        ("/operator/settings", "do=change&section=game&starter_cash=5"),
        ("/operator/settings", "do=change&section=game&starter_cash=6"),
        ("/operator/settings", "do=undo&section=game"),
        ("/operator/mail", "title=x&text=hello"),
        ("/operator/persona/give", "name=Doc&dollars=500&reason=gift"),
        ("/operator/persona/give-car", "name=Doc&model=104&reason=gift"),
        ("/operator/persona/give-car", "name=Doc&model=105&reason=gift"),
        ("/operator/persona/take-car", "name=Doc&car=1&reason=gift"),
        ("/operator/persona/rename", "name=Doc&new_name=Emmett"),
        ("/operator/persona/remove", "name=Eve&sure=yes"),
        ("/operator/account/rename", "name=doc&new_name=brown"),
        ("/operator/account/remove", "name=eve&sure=yes"),
        ("/operator/wire/clear", ""),
        ("/operator/wire/answer", "number=9999&answer=default"),
    ];
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut look = |operator: &mut Browser<'_>| {
        for page in [
            "",
            "/players",
            "/account?name=doc",
            "/persona?name=Doc",
            "/accounts",
            "/bans",
            "/events",
            "/deals",
            "/message",
            "/wire",
            "/pages",
            "/catalog",
            "/patch",
            "/backup",
            "/update",
            "/settings",
            "/welcome",
            "/health",
        ] {
            seen.extend(actions(&text(&operator.send(&format!("/operator{page}"), None))).map(str::to_owned));
        }
    };
    for (path, fields) in &cases {
        look(&mut operator);
        let form = format!("form={}&{fields}", token(&operator.look("/operator/health")));
        let mut send = || operator.send(path, Some((FORM, form.as_bytes()))).location.expect(path);
        let there = send();
        let page = operator.look(&there);
        assert!(page.contains("<p class=\"fine\">"), "{path} {fields}: {page}");
        let before = records(&game.store);
        for _ in 0..2 {
            assert_eq!(
                operator.send(path, Some((FORM, form.as_bytes()))).location.as_ref(),
                Some(&there),
                "{path}"
            );
            assert!(records(&game.store) == before, "{path} {fields} has changed something");
            assert!(operator.look(&there).contains("Already done, once: "), "{path} {fields}");
        }
    }
    let known: BTreeSet<&str> =
        cases.iter().map(|(path, _)| *path).chain(OTHERS).chain(["/operator/deals"]).collect();
    let unknown: Vec<&String> = seen.iter().filter(|path| !known.contains(path.as_str())).collect();
    assert!(seen.len() > 20 && unknown.is_empty(), "each form that there is has a case here: {unknown:?}");
}
