//! Banks that have no room for what comes: nothing is said to be there that is not, and the ledger adds up.

use super::*;
use crate::store::tests::city::{plan, race};

/// What a full bank lacks.
const ROOM: u32 = 10;

impl City {
    /// Fills a player's bank up to [`ROOM`].
    fn fill(&self, at: usize) {
        let dollars = i64::from(u32::MAX - ROOM - self.money(at));
        let _ = self.store.personas().grant(self.id(at), dollars, "luck", self.now).unwrap();
    }

    /// The texts of the newest mails of a player, the newest first.
    fn told(&self, at: usize) -> Vec<String> {
        let mails = self.store.mails();
        let list = mails.list(self.id(at), self.now).unwrap();
        let text = |number| mails.get(self.id(at), number, self.now).unwrap().unwrap().0.text;
        list.iter().rev().map(|mail| text(mail.number)).collect()
    }

    /// The bank is full to the last dollar, its owner knows of how many there was no room for, and the ledger adds up.
    fn is_full(&self, at: usize, due: u32, says: &str) {
        assert_eq!(self.money(at), u32::MAX, "{says}");
        let told = self.told(at);
        let full = format!("You were to get {due} dollars, and your bank had room for {ROOM} of them.");
        assert!(told.iter().take(2).any(|text| text.starts_with(&full)), "{told:?}");
        assert!(told.iter().take(2).any(|text| text.contains(says)), "{says}: {told:?}");
        self.check();
    }
}

#[test]
fn who_is_outbid_hears_how_much_is_back_and_who_raises_an_own_bid_loses_nothing() {
    let city = City::new();
    let number = city.auction(0, Goods::Car(city.cars(0)[0]));
    let bid = |at: usize, dollars| city.deals().bid(city.id(at), number, dollars, city.now).unwrap();
    let _ = bid(1, 1000);
    city.fill(1);
    let _ = bid(1, 1500);
    assert_eq!(city.money(1), u32::MAX - ROOM - 500, "only what is more");
    city.fill(1);
    let _ = bid(2, 2000);
    city.is_full(1, 1500, "Your 10 dollars are back in the bank");
}

#[test]
fn a_seller_and_who_had_the_bid_of_a_removed_auction_or_a_removed_ad_hear_the_truth() {
    let mut city = City::new();
    let number = city.auction(0, Goods::Car(city.cars(0)[0]));
    let _ = city.deals().bid(city.id(1), number, 1000, city.now).unwrap();
    city.fill(0);
    city.now = city.now.later(HOUR * 2);
    assert_eq!(city.end_due(), 1);
    city.is_full(0, 1000, "you get 10 dollars");
    let number = city.auction(2, Goods::Car(city.cars(2)[0]));
    let _ = city.deals().bid(city.id(1), number, 1200, city.now).unwrap();
    city.fill(1);
    let _ = city.deals().remove_auction(number, "rude", city.now).unwrap();
    city.is_full(1, 1200, "Your 10 dollars are back");
    let ad = NewAd { category: AdCategory::Wanted, text: "a".repeat(50), days: 3, offer: None };
    let ad = city.deals().place_ad(city.id(2), ad, city.now).unwrap().value;
    city.fill(2);
    let _ = city.deals().remove_ad(ad, "rude", city.now).unwrap();
    city.is_full(2, 150, "10 dollars for the days that were left");
}

#[test]
fn fees_prizes_and_salaries_are_told_as_they_are() {
    let city = City::new();
    let nights = || city.store.nights();
    let fees = |at: usize| {
        let plan = NightPlan { fee: 1000, ..plan(city.now.unix + 1000, 1000) };
        let night = nights().plan(Host::Operator, &plan, city.now).unwrap().value;
        let _ = nights().register(night, city.id(at), city.now).unwrap();
        city.fill(at);
        night
    };
    let night = fees(0);
    let refused = nights().withdraw(night, city.id(0), city.now).unwrap_err();
    assert!(refused.to_string().contains("your bank is full"), "nobody gives a fee away unasked: {refused}");
    let night = fees(1);
    let _ = nights().cancel(&RULES, Host::Operator, (night, "rain"), city.now).unwrap();
    city.is_full(1, 1000, "Your fee is back: 10 dollars.");
    let night = fees(2);
    let later = Now { unix: city.now.unix + 1001, ..city.now };
    race(&city.store, plan(0, 0).lobby, &[city.id(2), city.id(0)], later);
    let over = Now { unix: city.now.unix + 2000, ..city.now };
    let ended = nights().turn(&RULES, over).unwrap();
    let night = ended.into_iter().find(|ended| ended.value.night.id == night).unwrap().value.night;
    assert_eq!(night.outcome.unwrap().prizes, [(city.id(2), ROOM)]);
    city.is_full(2, 1500, "The prize of 10 dollars is in the bank");
    // A bank that is quite full gets nothing, and its owner is told.
    let next_week = Now { unix: city.now.unix + 7 * 86_400, ..city.now };
    let paid = city.store.personas().pay_salary(city.id(2), &|_| 100, next_week).unwrap().unwrap();
    assert_eq!((paid.value, city.money(2)), (0, u32::MAX));
    assert!(city.told(2)[0].starts_with("You were to get 100 dollars, and your bank had room for 0"));
    city.check();
}
