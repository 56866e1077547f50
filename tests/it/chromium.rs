//! The pages in a browser of today, as people use and see them.

use crate::demonstration::City;
use crate::support::chromium::{Chromium, test_peers};
use crate::support::{Server, skipped};
use smol::block_on;
use std::collections::BTreeMap;
use std::fs;

#[test]
fn who_fills_in_the_form_in_chromium_may_sign_in() {
    let server = Server::started();
    let Some(browser) = Chromium::start(&server.path().join("browser")) else { return };
    let site = format!("http://127.0.0.1:{}", server.port("http"));
    browser.open(&site);
    browser.shows("How to play: three steps");
    browser.click("p.next a.button");
    browser.shows("Account name");
    browser.fill("#name", "marty");
    browser.fill("#password", "Roadster-57!");
    browser.fill("#again", "Roadster-58!");
    browser.click("input[type=submit]");
    browser.shows("The two passwords are not the same");
    // The name is still there.
    browser.fill("#password", "Roadster-57!");
    browser.fill("#again", "Roadster-57!");
    browser.click("input[type=submit]");
    browser.shows("The account is created");
    block_on(async {
        server.web().auth("marty", "Roadster-57!").await.unwrap();
    });
    browser.open(&format!("{site}/diagnose"));
    browser.shows("The password is right, but the list of servers was not requested");
}

/// A city, and a browser in which Ann and the operator are signed in; `None` if there is no Chromium.
fn looked_at() -> Option<(City, Chromium)> {
    let city = City::new();
    let chromium = Chromium::start(&city.server.path().join("browser"))?;
    city.sign_in(&chromium);
    city.sign_operator_in(&chromium);
    Some((city, chromium))
}

/// Opens a page that there must be.
fn open(city: &City, chromium: &Chromium, path: &str) {
    chromium.open(&city.address(path));
    let title = chromium.run("return document.title");
    let title = title.as_str().unwrap();
    let wrong = ["Not found", "nobody of this name", "Sign in"];
    assert!(!title.is_empty() && wrong.iter().all(|wrong| !title.contains(wrong)), "{path}: {title}");
}

#[test]
fn no_page_is_wider_than_the_window_of_a_telephone() {
    let Some((city, chromium)) = looked_at() else { return };
    let mut wide = Vec::new();
    for width in [390, 1000] {
        chromium.size(width, 900);
        for path in city.paths() {
            open(&city, &chromium, &path);
            let found = chromium.run("return document.documentElement.scrollWidth");
            if found.as_u64().unwrap() > width.into() {
                wide.push(format!("{path} is {found} pixels wide, the window {width}"));
            }
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}

/// The findings of axe on a page that hinder people: which rule, and the first place. Pages that refresh themselves are wanted, and have a link
/// that ends it.
const AXE: &str = "const done = arguments[arguments.length - 1]; \
     axe.run(document, {resultTypes: ['violations'], rules: {'meta-refresh': {enabled: false}}}).then(found => done(found.violations \
     .filter(one => ['serious', 'critical'].includes(one.impact)) \
     .map(one => one.id + ': ' + one.nodes.length + ' x ' + one.nodes[0].html.slice(0, 200) + ' ' + one.nodes[0].failureSummary.slice(0, 300))))";

#[test]
fn axe_finds_nothing_serious_on_any_page_in_light_and_dark() {
    let Ok(axe) = fs::read_to_string(test_peers().join("package/axe.min.js")) else {
        skipped("axe-core is not installed; run scripts/install-test-peers");
        return;
    };
    let Some((city, chromium)) = looked_at() else { return };
    let mut found = BTreeMap::<String, String>::new();
    for dark in [false, true] {
        chromium.dark(dark);
        for path in city.paths() {
            open(&city, &chromium, &path);
            chromium.run(&axe);
            let answer = chromium.wait_for(AXE);
            let findings = answer.as_array().unwrap_or_else(|| panic!("{path}: {answer}"));
            for finding in findings {
                let rule = finding.as_str().unwrap().to_owned();
                found
                    .entry(rule)
                    .or_insert_with(|| format!("{path}{}", if dark { " in the dark" } else { "" }));
            }
        }
    }
    let lines: Vec<String> = found.into_iter().map(|(rule, page)| format!("{page}: {rule}")).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// What is photographed: the name of the picture, the page, and the size of the window. Behind a `#` stands from which heading on.
const PICTURES: [(&str, &str, (u32, u32)); 9] = [
    ("city-player", "/players/Ann%20Marlowe#Points and places", (1000, 820)),
    ("city-boards", "/boards?board=distance", (1000, 640)),
    ("city-live", "/live", (1000, 760)),
    ("city-market", "/market", (1000, 800)),
    ("city-events", "/events", (1000, 820)),
    ("city-records", "/records?lobby=10001", (1000, 700)),
    ("city-garage-phone", "/me/garage", (390, 760)),
    ("city-auction-phone", "/auctions/2", (390, 760)),
    ("city-club-phone", "/clubs/NR", (390, 760)),
];

#[test]
#[ignore = "writes into docs/pictures: scripts/take-pictures runs it"]
fn pictures_of_the_city_are_taken() {
    let Some((city, chromium)) = looked_at() else { return };
    chromium.dark(false);
    for (name, page, (width, height)) in PICTURES {
        chromium.size(width, height);
        let (page, heading) = page.split_once('#').unwrap_or((page, ""));
        open(&city, &chromium, page);
        chromium.run(&format!(
            "for (const one of document.getElementsByTagName('h2')) if (one.innerText == '{heading}') one.scrollIntoView()"
        ));
        let file = format!("{}/docs/pictures/{name}.png", env!("CARGO_MANIFEST_DIR"));
        fs::write(file, chromium.picture()).unwrap();
    }
}
