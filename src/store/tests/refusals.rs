//! Everything that has to be refused, table by table: the words say why, and not one record changes.

use super::city::{DAY, HOUR, MONDAY, RULES as CLUB_RULES, new_club, plan};
use super::deals::{City, RULES};
use super::whole_city::scene;
use super::*;
use mco_proto::ids::{PartId, RaceId, VehicleId};
use std::fmt::Display;
use std::time::Duration;

/// Who plays which part. Each is of another account, but `twin` is of Ann's.
struct Cast {
    city: City,
    ann: PersonaId,
    bob: PersonaId,
    banned: PersonaId,
    /// With no room for anything.
    full: PersonaId,
    /// Without a dollar.
    poor: PersonaId,
    twin: PersonaId,
    gone: PersonaId,
}

impl Cast {
    fn new() -> Self {
        let city = scene(TempDir::new().unwrap());
        let store = &city.store;
        let id = |at: usize| city.players[at].1;
        let [ann, bob, banned, full, poor, gone] = [0, 1, 2, 3, 4, 5].map(id);
        let _ = store.bans().put(BanTarget::Account(city.players[2].0), "rude", None, city.now).unwrap();
        for _ in 0..2 {
            let _ = store.garage().buy_car(full, fairlane(0), city.now).unwrap();
        }
        for _ in 0..3 {
            deals::loose_part(store, full, city.now);
        }
        let _ = store.personas().grant(poor, -1_000_000, "all of it", city.now).unwrap();
        let _ = store.personas().delete(city.players[5].0, gone, city.now).unwrap();
        let twin = store.personas().create(city.players[0].0, driver("Twin"), city.now).unwrap().value.id;
        Self { city, ann, bob, banned, full, poor, twin, gone }
    }

    fn car(&self, of: PersonaId, at: usize) -> Goods {
        Goods::Car(self.city.store.garage().vehicles(of).unwrap()[at].id)
    }

    fn part(&self, of: PersonaId) -> Goods {
        Goods::Part(self.city.store.garage().loose_parts(of).unwrap()[0].id)
    }

    /// That it is refused with these words, and nothing is changed.
    fn refuses<T, E: Display>(&self, what: &str, why: &str, outcome: impl FnOnce(&City) -> Result<T, E>) {
        let before = records(&self.city.store);
        let Err(error) = outcome(&self.city) else { panic!("{what} was not refused") };
        assert!(error.to_string().contains(why), "{what}: {error}");
        assert_eq!(records(&self.city.store), before, "{what}");
    }

    /// A car of Ann's is in a race that is not over.
    fn race(&self) -> Goods {
        let car = self.city.store.garage().vehicles(self.ann).unwrap()[0].id;
        let entrant = Entrant { persona: self.ann, fee: 0, car: Some(car) };
        let _ = self.city.store.races().start(RaceId(77), &[entrant], false, self.city.now).unwrap();
        Goods::Car(car)
    }
}

const NO_ONE: &str = "no such driver";
const BANNED: &str = "banned or disabled";
const NOT_OWN: &str = "owns no such";
const THEIRS: &str = "another driver made this deal";

#[test]
fn ads_refuse_what_makes_no_sense() {
    let mut cast = Cast::new();
    let place = |city: &City, who, text: &str, days, offer| {
        let category = AdCategory::ForSale;
        city.deals().place_ad(who, NewAd { category, text: text.to_owned(), days, offer }, city.now)
    };
    let (mine, other, part) = (cast.car(cast.ann, 1), cast.car(cast.bob, 0), cast.part(cast.ann));
    let raced = cast.race();
    let Cast { ann, bob, banned, full, poor, twin, gone, .. } = cast;
    let held = {
        let new = NewAuction { goods: part, start: 1, buy_now: None, hours: 1 };
        let _ = cast.city.deals().open_auction(ann, new, cast.city.now).unwrap();
        part
    };
    for (what, who, text, days, offer, why) in [
        ("no text", ann, " ", 1, None, "needs a text"),
        ("too long a text", ann, "x".repeat(101).as_str(), 1, None, "text is too long"),
        ("a hidden letter", ann, "a\u{200b}b", 1, None, "cannot be seen"),
        ("no day", ann, "x", 0, None, "one day or more"),
        ("too many days", ann, "x", 8, None, "days are too many"),
        ("days that overflow", ann, "x", u32::MAX, None, "too many"),
        ("no price", ann, "x", 1, Some((mine, 0)), "at least one dollar"),
        ("somebody else's car", ann, "x", 1, Some((other, 1)), NOT_OWN),
        ("a car that is not there", ann, "x", 1, Some((Goods::Car(VehicleId(999_999)), 1)), NOT_OWN),
        ("a part that is held", ann, "x", 1, Some((held, 1)), NOT_OWN),
        ("a car in a race", ann, "x", 1, Some((raced, 1)), "in a race"),
        ("somebody else's in a race", bob, "x", 1, Some((raced, 1)), NOT_OWN),
        ("nobody's", gone, "x", 1, None, NO_ONE),
        ("banned", banned, "x", 1, None, BANNED),
        ("poor", poor, "x", 1, None, "more than there is in the bank"),
    ] {
        cast.refuses(what, why, |city| place(city, who, text, days, offer));
    }
    let number = place(&cast.city, ann, "x", 1, Some((mine, 10))).unwrap().value;
    let dear = place(&cast.city, bob, "x", 2, Some((other, u32::MAX))).unwrap().value;
    for (what, who, ad, why) in [
        ("its own", ann, number, "own account"),
        ("its own account's", twin, number, "own account"),
        ("no such ad", bob, 999, "is over"),
        ("nobody", gone, number, NO_ONE),
        ("banned", banned, number, BANNED),
        ("poor", poor, number, "more than there is in the bank"),
        ("too dear", ann, dear, "more than there is in the bank"),
        ("full", full, number, "garage has no room"),
    ] {
        cast.refuses(what, why, |city| city.deals().buy(who, ad, city.now));
    }
    cast.refuses("not its own", THEIRS, |city| city.deals().withdraw_ad(bob, number, city.now));
    cast.city.now = cast.city.now.later(Duration::from_hours(24));
    cast.refuses("after its end", "is over", |city| city.deals().buy(bob, number, city.now));
}

#[test]
fn auctions_refuse_what_makes_no_sense() {
    let mut cast = Cast::new();
    let (mine, other) = (cast.car(cast.ann, 1), cast.car(cast.bob, 0));
    let raced = cast.race();
    let Cast { ann, bob, banned, full, poor, twin, gone, .. } = cast;
    let open = |city: &City, who, goods, (start, buy_now, hours)| {
        city.deals().open_auction(who, NewAuction { goods, start, buy_now, hours }, city.now)
    };
    for (what, who, goods, terms, why) in [
        ("no start", ann, mine, (0, None, 1), "one dollar or more"),
        ("sold at once for less", ann, mine, (9, Some(8), 1), "less than the start"),
        ("no hour", ann, mine, (1, None, 0), "1 to 71 hours"),
        ("too many hours", ann, mine, (1, None, 72), "1 to 71 hours"),
        ("hours that overflow", ann, mine, (1, None, u32::MAX), "1 to 71 hours"),
        ("somebody else's", ann, other, (1, None, 1), NOT_OWN),
        ("a car that is not there", ann, Goods::Car(VehicleId(999_999)), (1, None, 1), NOT_OWN),
        ("in a race", ann, raced, (1, None, 1), "in a race"),
        ("somebody else's in a race", bob, raced, (1, None, 1), NOT_OWN),
        ("nobody's", gone, mine, (1, None, 1), NOT_OWN),
        ("banned", banned, cast.car(banned, 0), (1, None, 1), BANNED),
    ] {
        cast.refuses(what, why, |city| open(city, who, goods, terms));
    }
    let number = open(&cast.city, ann, mine, (100, None, 1)).unwrap().value;
    cast.refuses("a second time", NOT_OWN, |city| open(city, ann, mine, (1, None, 1)));
    for (what, who, auction, dollars, why) in [
        ("nothing", bob, number, 0, "at least 100"),
        ("below", bob, number, 99, "at least 100"),
        ("more than there is", bob, number, 1_000_001, "more than there is in the bank"),
        ("what overflows", bob, number, u32::MAX, "more than there is"),
        ("its own", ann, number, 100, "own account"),
        ("its own account's", twin, number, 100, "own account"),
        ("no such auction", bob, 999, 100, "is over"),
        ("nobody", gone, number, 100, NO_ONE),
        ("banned", banned, number, 100, BANNED),
        ("poor", poor, number, 100, "more than there is in the bank"),
        ("full", full, number, 100, "garage has no room"),
    ] {
        cast.refuses(what, why, |city| city.deals().bid(who, auction, dollars, city.now));
    }
    cast.refuses("not its own", THEIRS, |city| city.deals().cancel_auction(bob, number, city.now));
    let _ = cast.city.deals().bid(bob, number, 1000, cast.city.now).unwrap();
    cast.refuses("less than a twentieth more", "at least 1050", |city| {
        city.deals().bid(full, number, 1049, city.now)
    });
    cast.refuses("with bids", "has bid already", |city| city.deals().cancel_auction(ann, number, city.now));
    cast.city.now = cast.city.now.later(Duration::from_hours(1));
    cast.refuses("after its end", "is over", |city| city.deals().bid(bob, number, 5000, city.now));
}

#[test]
fn trades_refuse_what_makes_no_sense() {
    let mut cast = Cast::new();
    let Cast { ann, bob, banned, full, poor, twin, gone, .. } = cast;
    for (what, from, with, why) in [
        ("with itself", ann, ann, "own account"),
        ("with its own account", ann, twin, "own account"),
        ("with nobody", ann, gone, NO_ONE),
        ("from nobody", gone, ann, NO_ONE),
        ("with the banned", ann, banned, BANNED),
        ("from the banned", banned, ann, BANNED),
    ] {
        cast.refuses(what, why, |city| city.deals().open_trade(from, with, city.now));
    }
    let (mine, other) = (cast.car(ann, 1), cast.car(bob, 0));
    let raced = cast.race();
    let number = cast.city.deals().open_trade(ann, bob, cast.city.now).unwrap().value;
    let goods = [mine; 11];
    for (what, who, version, goods, dollars, why) in [
        ("an old version", ann, 7, &goods[..1], 0, "was changed"),
        ("too much", ann, 1, &goods[..], 0, "at most 10"),
        ("the same twice", ann, 1, &goods[..2], 0, "twice"),
        ("more money than there is", ann, 1, &goods[..1], 1_000_001, "more than there is"),
        ("money that overflows", ann, 1, &goods[..1], u32::MAX, "more than there is"),
        ("somebody else's", ann, 1, &[other], 0, NOT_OWN),
        ("a part that is not there", ann, 1, &[Goods::Part(PartId(999_999))], 0, NOT_OWN),
        ("a car in a race", ann, 1, &[raced], 0, "in a race"),
        ("a stranger", poor, 1, &goods[..1], 0, "is over"),
        ("nobody", gone, 1, &goods[..1], 0, "is over"),
    ] {
        cast.refuses(what, why, |city| city.deals().offer(who, (number, version), goods, dollars, city.now));
    }
    cast.refuses("nothing is offered", "nothing is offered", |city| {
        city.deals().accept(ann, (number, 1), city.now)
    });
    let deals = cast.city.deals();
    let _ = deals.offer(ann, (number, 1), &[mine], 10, cast.city.now).unwrap();
    let _ = deals.accept(ann, (number, 2), cast.city.now).unwrap();
    cast.refuses("an old version", "was changed", |city| city.deals().accept(bob, (number, 1), city.now));
    cast.refuses("a stranger", "is over", |city| city.deals().accept(full, (number, 2), city.now));
    // The thing is sold meanwhile.
    let new = NewAuction { goods: mine, start: 1, buy_now: None, hours: 71 };
    let auction = deals.open_auction(ann, new, cast.city.now).unwrap().value;
    let sold = format!("on the other side: the driver {NOT_OWN}");
    cast.refuses("sold meanwhile", &sold, |city| city.deals().accept(bob, (number, 2), city.now));
    let _ = deals.cancel_auction(ann, auction, cast.city.now).unwrap();
    // The garage is full meanwhile.
    for _ in 0..2 {
        let _ = cast.city.store.garage().buy_car(bob, fairlane(0), cast.city.now).unwrap();
    }
    cast.refuses("full", "garage has no room", |city| city.deals().accept(bob, (number, 2), city.now));
    let ban = BanTarget::Account(cast.city.players[1].0);
    let _ = cast.city.store.bans().put(ban, "rude", None, cast.city.now).unwrap();
    cast.refuses("banned", BANNED, |city| city.deals().accept(bob, (number, 2), city.now));
    cast.refuses("banned", BANNED, |city| city.deals().offer(bob, (number, 2), &[], 1, city.now));
    cast.city.now = cast.city.now.later(Duration::from_hours(24));
    cast.refuses("after its end", "is over", |city| city.deals().accept(bob, (number, 2), city.now));
    cast.refuses("nobody's", "is over", |city| city.deals().leave_trade(gone, number, city.now));
}

#[test]
fn clubs_refuse_what_makes_no_sense() {
    let cast = Cast::new();
    let Cast { ann, bob, banned, poor, twin, gone, .. } = cast;
    for (what, who, new, why) in [
        ("nobody", gone, new_club("A"), NO_ONE),
        ("banned", banned, new_club("A"), BANNED),
        ("poor", poor, new_club("A"), "less money"),
        ("a beginner", twin, new_club("A"), "level 10"),
        ("a long acronym", ann, new_club("ABCD"), "1 to 3 letters"),
        ("no description", ann, NewClub { description: String::new(), ..new_club("A") }, "description"),
        ("no colours", ann, NewClub { colours: [u32::MAX; 3], ..new_club("A") }, "six digits"),
    ] {
        cast.refuses(what, why, |city| city.store.clubs().found(who, &new, &CLUB_RULES, city.now));
    }
    let club =
        cast.city.store.clubs().found(ann, &new_club("A"), &CLUB_RULES, cast.city.now).unwrap().value.id;
    cast.refuses("its name", "acronym", |city| {
        city.store.clubs().found(bob, &new_club("A"), &CLUB_RULES, city.now)
    });
    for (what, who, asked, why) in [
        ("nobody", gone, club, NO_ONE),
        ("banned", banned, club, BANNED),
        ("a member", ann, club, "in a club already"),
        ("no such club", bob, 99, "no such club"),
    ] {
        cast.refuses(what, why, |city| city.store.clubs().ask(who, asked, city.now));
    }
    cast.refuses("invites nobody", NO_ONE, |city| city.store.clubs().invite(ann, gone, city.now));
    cast.refuses("a stranger invites", "", |city| city.store.clubs().invite(bob, poor, city.now));
    let _ = cast.city.store.clubs().invite(ann, banned, cast.city.now).unwrap();
    cast.refuses("banned", BANNED, |city| city.store.clubs().accept(banned, club, &CLUB_RULES, city.now));
    let _ = cast.city.store.personas().grant(ann, -600_000, "poor", cast.city.now).unwrap();
    cast.refuses("too dear", "less money", |city| city.store.clubs().register(ann, &CLUB_RULES, city.now));
    cast.refuses("no Captain", "", |city| city.store.clubs().register(bob, &CLUB_RULES, city.now));
}

#[test]
fn race_nights_refuse_what_makes_no_sense() {
    let mut cast = Cast::new();
    let Cast { ann, bob, banned, poor, twin, gone, .. } = cast;
    let base = plan(MONDAY + DAY, HOUR);
    for (what, wrong, why) in [
        ("before now", NightPlan { start: 5, ..base.clone() }, "beginning is over"),
        (
            "in a hundred years",
            NightPlan { start: u32::MAX - 1, end: u32::MAX, ..base.clone() },
            "a year ahead",
        ),
        ("no length", NightPlan { end: base.start, ..base.clone() }, "end before it begins"),
        ("too long", NightPlan { end: u32::MAX, ..base.clone() }, "a week at most"),
        ("a fee that overflows", NightPlan { fee: u32::MAX, ..base.clone() }, "at most $1,000,000"),
        ("a purse that overflows", NightPlan { purse: u32::MAX, ..base.clone() }, "at most $10,000,000"),
        ("for nobody", NightPlan { most: 0, ..base.clone() }, "2 to 64"),
        ("for too many", NightPlan { most: u16::MAX, ..base.clone() }, "2 to 64"),
        ("levels that cross", NightPlan { levels: (9, 3), ..base.clone() }, "lowest level"),
        ("no such season", NightPlan { season: 7, ..base.clone() }, "no such season"),
        ("no name", NightPlan { name: String::new(), ..base.clone() }, "3 to 40"),
    ] {
        cast.refuses(what, why, |city| city.store.nights().plan(Host::Operator, &wrong, city.now));
    }
    let own = NightPlan { purse: 0, ..base.clone() };
    cast.refuses("no Captain", "Captain", |city| {
        city.store.nights().plan(Host::Captain(bob), &own, city.now)
    });
    cast.refuses("banned", BANNED, |city| city.store.nights().plan(Host::Captain(banned), &own, city.now));
    let limited = NightPlan { levels: (20, 0), ..base.clone() };
    let limited = cast.city.store.nights().plan(Host::Operator, &limited, cast.city.now).unwrap().value;
    let night = cast.city.store.nights().plan(Host::Operator, &base, cast.city.now).unwrap().value;
    let _ = cast.city.store.nights().register(night, ann, cast.city.now).unwrap();
    for (what, who, asked, why) in [
        ("nobody", gone, night, NO_ONE),
        ("banned", banned, night, BANNED),
        ("poor", poor, night, "less money"),
        ("twice", ann, night, "registered already"),
        ("its own account", twin, night, "another driver of your account"),
        ("a level too low", bob, limited, "too low"),
        ("no such race night", bob, 99, "no such race night"),
    ] {
        cast.refuses(what, why, |city| city.store.nights().register(asked, who, city.now));
    }
    cast.refuses("not registered", "not registered", |city| {
        city.store.nights().withdraw(night, bob, city.now)
    });
    let (mine, other) = (cast.car(ann, 1), cast.car(bob, 0));
    let raced = cast.race();
    let give = |city: &City, from, goods| {
        city.store.nights().give_prize(&RULES, Host::Operator, (night, from, goods), city.now)
    };
    for (what, from, goods, why) in [
        ("somebody else's", ann, other, NOT_OWN),
        ("a car in a race", ann, raced, "in a race"),
        ("nobody's", gone, mine, NO_ONE),
        ("banned", banned, cast.car(banned, 0), BANNED),
    ] {
        cast.refuses(what, why, |city| give(city, from, goods));
    }
    let _ = give(&cast.city, ann, mine).unwrap();
    cast.refuses("given already", NOT_OWN, |city| give(city, ann, mine));
    cast.refuses("held for a race night", NOT_OWN, |city| {
        city.deals().open_auction(
            ann,
            NewAuction { goods: mine, start: 1, buy_now: None, hours: 1 },
            city.now,
        )
    });
    cast.city.now.unix = MONDAY + DAY;
    cast.refuses("begun", "has begun", |city| city.store.nights().withdraw(night, ann, city.now));
    cast.city.now.unix = MONDAY + DAY + HOUR;
    cast.refuses("over", "is over", |city| city.store.nights().register(night, bob, city.now));
    cast.refuses("why", "why it is cancelled", |city| {
        city.store.nights().cancel(&RULES, Host::Operator, (night, ""), city.now)
    });
}
