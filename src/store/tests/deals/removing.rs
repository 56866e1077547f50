//! Ads and auctions that the Server Operator removes.

use super::*;
use crate::public_text;

#[test]
fn an_ad_that_is_removed_gives_back_its_thing_and_the_days_that_were_left() {
    let mut city = City::new();
    let part = city.parts(0)[0];
    let offer = Some((Goods::Part(part), 10));
    let new = NewAd { category: AdCategory::ForSale, text: "rude words".to_owned(), days: 7, offer };
    let number = city.deals().place_ad(city.id(0), new, city.now).unwrap().value;
    assert_eq!(city.money(0), 5000 - 70);
    for why in ["", " ", &"x".repeat(101)] {
        let bad = DealError::BadTerms("say in 1 to 100 characters why it is removed");
        city.refused(&bad, |deals| deals.remove_ad(number, why, city.now));
        city.refused(&bad, |deals| deals.remove_auction(number, why, city.now));
    }
    let odd = DealError::BadTerms(public_text::ODD_LETTERS);
    city.refused(&odd, |deals| deals.remove_ad(number, "a\u{7}b", city.now));
    city.refused(&odd, |deals| deals.remove_auction(number, "a\u{202e}b", city.now));
    city.refused(&DealError::Over, |deals| deals.remove_ad(number + 1, "rude", city.now));
    city.refused(&DealError::Over, |deals| deals.remove_auction(number, "rude", city.now));
    city.now = city.now.later(HOUR * 30);
    let _ = city.deals().remove_ad(number, "rude", city.now).unwrap();
    assert_eq!((city.parts(0), city.money(0)), (vec![part], 5000 - 20), "five whole days were left");
    assert_eq!(city.mails(0), ["Your ad was removed"]);
    city.refused(&DealError::Over, |deals| deals.buy(city.id(1), number, city.now));
    city.refused(&DealError::Over, |deals| deals.remove_ad(number, "rude", city.now));
    city.now = city.now.later(HOUR * 200);
    assert_eq!(city.end_due(), 0);
    city.check();
}

#[test]
fn an_auction_that_is_removed_gives_thing_and_bid_back() {
    let city = City::new();
    let car = city.cars(0)[0];
    let number = city.auction(0, Goods::Car(car));
    let _ = city.deals().bid(city.id(1), number, 700, city.now).unwrap();
    let _ = city.deals().remove_auction(number, "rude.", city.now).unwrap();
    assert_eq!((city.money(0), city.money(1)), (5000, 5000));
    assert!(city.cars(0).contains(&car));
    assert_eq!(
        (city.mails(0), city.mails(1)),
        (vec!["Your auction was removed".to_owned()], vec!["An auction was removed".to_owned()])
    );
    city.refused(&DealError::Over, |deals| deals.bid(city.id(1), number, 800, city.now));
    assert_eq!(city.deals().of(city.id(1)).unwrap(), OwnDeals::default());
    // Nobody has bid.
    let number = city.auction(0, Goods::Car(car));
    let _ = city.deals().remove_auction(number, "rude", city.now).unwrap();
    assert!(city.cars(0).contains(&car));
    assert_eq!(city.store.ledger().check().unwrap().held, 0);
    city.check();
}
