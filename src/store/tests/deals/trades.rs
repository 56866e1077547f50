//! Trades of two.

use super::*;

#[test]
fn a_trade_is_done_when_both_accept_the_same_and_not_otherwise() {
    let city = City::new();
    let (ann, bob) = (city.id(0), city.id(1));
    let (car, part) = (city.cars(0)[0], city.parts(1)[0]);
    let deals = city.deals();
    let now = city.now;
    let number = deals.open_trade(ann, bob, now).unwrap().value;
    assert_eq!(city.mails(1), ["Somebody wants to trade"]);
    let accept = |who, version| deals.accept(who, (number, version), now).map(|done| done.value);
    let offer = |who, version, goods: &[Goods], dollars| {
        deals.offer(who, (number, version), goods, dollars, now).map(|version| version.value)
    };
    assert!(matches!(accept(ann, 1), Err(DealError::BadTerms(_))), "nothing is offered");
    assert_eq!(offer(ann, 1, &[Goods::Car(car)], 0), Ok(2));
    assert_eq!(offer(bob, 1, &[], 5), Err(DealError::Changed));
    assert_eq!(offer(bob, 2, &[Goods::Part(part)], 5001), Err(DealError::InsufficientFunds));
    assert!(matches!(offer(bob, 2, &[Goods::Part(part), Goods::Part(part)], 1), Err(DealError::BadTerms(_))));
    assert!(matches!(offer(bob, 2, &[Goods::Part(part); 11], 1), Err(DealError::BadTerms(_))));
    assert_eq!(offer(bob, 2, &[Goods::Part(part)], 1000), Ok(3));
    assert_eq!(accept(city.id(2), 3), Err(DealError::Over), "it is not Cid's");
    assert_eq!(accept(ann, 2), Err(DealError::Changed));
    assert_eq!(accept(ann, 3), Ok(false));
    assert_eq!(accept(ann, 3), Ok(false), "twice is not both");
    assert_eq!(offer(bob, 3, &[Goods::Part(part)], 900), Ok(4), "what was accepted counts no more");
    assert_eq!((accept(bob, 4), accept(ann, 3)), (Ok(false), Err(DealError::Changed)));
    // Meanwhile Bob spends his money.
    let _ = city.store.garage().buy_car(bob, fairlane(4500), now).unwrap();
    assert_eq!(accept(ann, 4), Err(DealError::Partner(Box::new(DealError::InsufficientFunds))));
    assert_eq!(offer(bob, 4, &[Goods::Part(part)], 400), Ok(5));
    assert_eq!((accept(bob, 5), accept(ann, 5)), (Ok(false), Ok(true)));
    assert_eq!((city.money(0), city.money(1)), (5400, 100));
    assert!(city.cars(1).contains(&car) && city.parts(0).contains(&part) && city.parts(1).is_empty());
    assert_eq!(city.mails(0).last().unwrap(), "The trade is done");
    assert_eq!(accept(ann, 5), Err(DealError::Over));
    city.check();
    // The last car can be swapped, but not given away.
    let number = deals.open_trade(ann, city.id(2), now).unwrap().value;
    let last = city.cars(0)[0];
    let other = city.cars(2);
    let _ = deals.offer(ann, (number, 1), &[Goods::Car(last)], 0, now).unwrap();
    let _ = deals.accept(city.id(2), (number, 2), now).unwrap();
    assert_eq!(deals.accept(ann, (number, 2), now).err(), Some(DealError::LastCar));
    let _ =
        deals.offer(city.id(2), (number, 2), &[Goods::Car(other[0]), Goods::Car(other[1])], 0, now).unwrap();
    let _ = deals.accept(ann, (number, 3), now).unwrap();
    assert!(deals.accept(city.id(2), (number, 3), now).unwrap().value);
    assert_eq!((city.cars(0), city.cars(2)), (other, vec![last]));
    assert_eq!(city.store.personas().by_id(city.id(2)).unwrap().unwrap().vehicle, Some(last));
    city.check();
}

#[test]
fn a_trade_ends_by_leaving_by_muting_and_by_waiting() {
    let mut city = City::new();
    let (ann, bob, cid) = (city.id(0), city.id(1), city.id(2));
    let number = city.deals().open_trade(ann, bob, city.now).unwrap().value;
    city.refused(&DealError::Over, |deals| deals.leave_trade(cid, number, city.now));
    let _ = city.deals().mute(bob, ann, true).unwrap();
    city.refused(&DealError::Muted, |deals| deals.offer(ann, (number, 1), &[], 5, city.now));
    city.refused(&DealError::Muted, |deals| deals.offer(bob, (number, 1), &[], 5, city.now));
    city.refused(&DealError::Muted, |deals| deals.open_trade(ann, bob, city.now));
    city.refused(&DealError::NoSuchPersona, |deals| deals.mute(bob, PersonaId(77), true));
    city.refused(&DealError::NoSuchPersona, |deals| deals.mute(bob, bob, true));
    assert_eq!(city.deals().muted_by(bob).unwrap(), [ann]);
    let _ = city.deals().mute(bob, ann, false).unwrap();
    let _ = city.deals().offer(ann, (number, 1), &[], 5, city.now).unwrap();
    let _ = city.deals().leave_trade(bob, number, city.now).unwrap();
    assert_eq!(city.mails(0), ["A trade is over"]);
    city.refused(&DealError::OwnDeal, |deals| deals.open_trade(ann, ann, city.now));
    for _ in 0..MOST_TRADES_EACH {
        let _ = city.deals().open_trade(ann, cid, city.now).unwrap();
    }
    city.refused(&DealError::TooMany("trades of this driver"), |deals| deals.open_trade(ann, bob, city.now));
    city.refused(&DealError::TooMany("trades of the other driver"), |deals| {
        deals.open_trade(bob, ann, city.now)
    });
    city.now = city.now.later(HOUR * 24);
    assert_eq!(city.end_due(), MOST_TRADES_EACH);
    assert_eq!(city.deals().of(ann).unwrap(), OwnDeals::default());
    city.check();
}
