//! What the Operator writes for others holds nothing that one cannot see.

use super::*;
use crate::store::{NewPersona, Password, records};

#[test]
fn whatever_the_operator_writes_for_others_has_no_letter_that_is_hidden_or_turns_others_round() {
    let scene = Scene::new();
    let game = &scene.game;
    let password = Password::new("Roadster-57").unwrap();
    let customer =
        game.store.accounts().create("doc", &password, None, Now::read()).unwrap().value.customer_id;
    let (shard, name) = (game.config.shard.id, "Doc".to_owned());
    let new = NewPersona { name, shard, id: None, starter_cash: 5000, max_per_customer: 4 };
    let _ = game.store.personas().create(customer, new, Now::read()).unwrap();
    let mut operator = scene.operator();
    let moment = |at| crate::clock::moment(at).replace(' ', "+");
    let start = Now::read().unix + 86_400;
    let plan = format!("do=plan&lobby=10001&most=8&start={}&end={}", moment(start), moment(start + 60));
    let before = records(&game.store);
    for (path, fields) in [
        ("/operator/message", "text="),
        ("/operator/ban", "address=8.8.8.8&length=1+day&reason="),
        ("/operator/mail", "title=x&text="),
        ("/operator/mail", "text=x&title="),
        ("/operator/persona/give", "name=Doc&dollars=5&reason="),
        ("/operator/persona/give-car", "name=Doc&model=104&reason="),
        ("/operator/persona/rename", "name=Doc&new_name="),
        ("/operator/account/rename", "name=doc&new_name="),
        ("/operator/accounts/add", "password=s3cret-1&name="),
        ("/operator/deals", "do=ad&number=1&why="),
        ("/operator/deals", "do=auction&number=1&why="),
        ("/operator/events", "do=begin&name="),
        ("/operator/events", &format!("{plan}&text=x&name=")),
        ("/operator/events", &format!("{plan}&name=Friday&text=")),
        ("/operator/events", "do=cancel&night=1&why="),
        ("/operator/events", "do=close&acronym=NR&why="),
    ] {
        for odd in ["%E2%80%8B", "%E2%80%AE", "%07", "%C2%AD", "%EF%BB%BF", "%E2%81%A6"] {
            let reply = operator.fill_in("/operator/health", path, &format!("{fields}abc{odd}def"));
            let page = operator.look(&reply.location.unwrap());
            assert!(page.contains("<p class=\"bad\">"), "{path} {fields}{odd}: {page}");
        }
    }
    assert!(records(&game.store) == before, "nothing was changed");
}
