//! The pages that the game opens by number, as the Operator chooses them.

use super::*;
use crate::config::{Choice as _, GamePage};

#[test]
fn a_page_of_the_game_is_counted_chosen_over_the_configuration_and_taken_back() {
    let mut scene = Scene::new();
    scene.game.config.compat.game_pages = vec!["7 /news".to_owned()];
    let mut operator = scene.operator();
    scene.game.world.game_pages.visit(5);
    let page = operator.look("/operator/pages");
    assert!(page.contains(">5</td>") && page.contains("<a href=\"/news\">/news</a>"), "{page}");
    let mut send = |fields: &str| {
        let reply = operator.fill_in("/operator/pages", "/operator/pages", fields);
        assert_eq!((reply.status, reply.location.as_deref()), (303, Some("/operator/pages")));
        operator.look("/operator/pages")
    };
    for (fields, said) in [
        ("number=67&page=/boards", "no page of this number"),
        ("number=-1&page=/boards", "no page of this number"),
        ("number=5&page=//evil", "Choose one of the pages"),
        ("number=5&page=/boards", "Number 5 opens /boards from now on"),
        ("number=7&page=/live", "Number 7 opens /live from now on"),
    ] {
        let page = send(fields);
        assert!(page.contains(said), "{fields}: {page}");
    }
    let word = |number| scene.game.game_page(number).map(GamePage::word);
    assert_eq!([word(5), word(7), word(6)], [Some("/boards"), Some("/live"), None]);
    assert!(send("number=7&page=default").contains("what mcos.toml says"));
    assert_eq!(scene.game.game_page(7).map(GamePage::word), Some("/news"));
}
