//! What everybody sees of the city.

use super::*;

#[test]
fn a_race_is_seen_in_lists_records_boards_and_news_and_its_money_by_the_racer_alone() {
    let city = City::new();
    let (mut nobody, mut bob) = (city.browser(), city.signed_in("bob"));
    let link = format!("/races/{RACE}");
    for (path, parts) in [
        ("/races", vec![link.as_str(), "Bob", "circuit race", "1:23.45"]),
        (&link, vec!["Bob", "1:23.45", "1957 Ford Fairlane 500", "shoebox", "record", "2 laps", "new level"]),
        ("/records", vec!["1:23.45", "Bob", "2 laps", "shoebox", &link]),
        ("/records?lobby=10001", vec!["1:23.45", "1:30.00"]),
        ("/boards?board=wins&period=week", vec!["/players/Bob"]),
        ("/boards?board=winnings&class=shoebox", vec!["$1,234"]),
        ("/boards?board=distance", vec!["4.0 miles (6.4 km)", "Harbor Loop (track 25)"]),
        ("/boards?board=distance&period=week", vec!["4.0 miles (6.4 km)"]),
        ("/boards?board=distance&class=shoebox", vec!["4.0 miles (6.4 km)"]),
        ("/boards?board=distance&class=muscle", vec!["Nobody is on this board yet"]),
        ("/players", vec!["/players/Bob", "&#60;b&#62;&#38;&#34;&#39;x"]),
        ("/players?q=BO", vec!["/players/Bob"]),
        ("/players/bob", vec!["<h1>Bob</h1>", "4.0 miles", "1:23.45", &link, "Fairlane"]),
        (
            "/news",
            vec!["Record! Bob needs 1:23.45", "Bob reaches level 5", "Bob beats &#60;b&#62;", "#FEF7E5"],
        ),
    ] {
        let page = nobody.look(path);
        for part in parts {
            assert!(page.contains(part), "{path}: {part}: {page}");
        }
    }
    assert!(!nobody.look("/players?q=BO").contains("&#60;b"));
    assert!(!nobody.look(&link).contains("won $"));
    assert!(bob.look(&link).contains("won $1,234"));
    assert_eq!(nobody.get(&link).cache, CachePolicy::Revalidate);
    assert_eq!(bob.get(&link).cache, CachePolicy::NoStore);
    assert_eq!(header(&nobody.get("/news"), "pragma"), Some("no-cache"));
    assert_eq!(header(&nobody.get(&format!("/races?q=+{RACE}")), "location"), Some(link.as_str()));
}

#[test]
fn lists_are_paged_and_never_whole() {
    let city = City::new();
    for number in 1..60 {
        city.race(RACE + number);
    }
    let mut nobody = city.browser();
    let races = |page: &str| page.matches("<tr><td").count();
    let first = nobody.look("/races");
    assert!(
        first.contains("Page 1 of 3, 60 in all") && first.contains("/races?page=2") && races(&first) == 25
    );
    assert!(first.contains(&format!("/races/{}", RACE + 59)), "the newest is first");
    let last = nobody.look("/races?page=3");
    assert!(races(&last) == 10 && last.contains(&format!("/races/{RACE}\"")), "{last}");
    assert_eq!(races(&nobody.look("/races?page=77")), 10);
    let runs = nobody.look("/players/Bob");
    assert!(runs.len() < 20_000, "{}", runs.len());
}
