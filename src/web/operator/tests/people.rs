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
