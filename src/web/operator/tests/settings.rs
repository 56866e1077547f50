//! The settings on a page: what is typed stands in the file, which keeps its comments, and can be taken back.

use super::*;
use crate::config::{self, Config};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

const FILE: &str = "# mine\r\n[game]\r\nstarter_cash = 5 # poor\r\n";
const PAGE: &str = "/operator/settings";

fn scene() -> (Scene, PathBuf) {
    let mut scene = Scene::new();
    let file = scene.folder.path().join("mcos.toml");
    fs::write(&file, FILE).unwrap();
    scene.game.config = Config { file: Some(file.clone()), ..Config::parse(FILE).unwrap() };
    (scene, file)
}

/// What the form of a page says of the file that it shows.
fn mark(page: &str) -> String {
    page.split_once("name=\"file\" value=\"").unwrap().1[..8].to_owned()
}

/// Sends a form, and returns the page that follows.
fn send(operator: &mut Browser<'_>, fields: &str) -> String {
    let reply = operator.fill_in(PAGE, PAGE, fields);
    assert_eq!(reply.status, 303, "{fields}");
    operator.look(&reply.location.unwrap())
}

#[test]
fn what_is_typed_stands_in_the_file_waits_for_a_start_and_can_be_taken_back() {
    let (scene, file) = scene();
    let mut operator = scene.operator();
    let page = operator.look("/operator/settings?section=game");
    assert!(page.contains("name=\"starter_cash\"") && page.contains("value=\"5\""), "{page}");
    assert!(
        page.contains("What a new persona has in the bank") && !page.contains("can be taken back"),
        "{page}"
    );
    assert!(!page.contains("than what counts now"), "{page}");
    for cash in 6..=10 {
        let page =
            send(&mut operator, &format!("do=change&section=game&starter_cash={cash}&check_race_times=true"));
        assert!(
            page.contains("counts from the next start") && page.contains("than what counts now"),
            "{page}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), FILE.replace("= 5 #", &format!("= {cash} #")));
    }
    assert!(send(&mut operator, "do=change&section=game&starter_cash=10").contains("nothing was changed"));
    for (cash, left) in [(9, "2 changes"), (8, "One change"), (7, "is taken back")] {
        let page = send(&mut operator, "do=undo&section=game");
        assert!(page.contains(left), "{page}");
        assert_eq!(fs::read_to_string(&file).unwrap(), FILE.replace("= 5 #", &format!("= {cash} #")));
    }
    assert!(send(&mut operator, "do=undo").contains("No earlier settings are kept"));
    assert!(
        scene
            .game
            .store
            .audit()
            .newest(0, 50)
            .unwrap()
            .iter()
            .any(|entry| entry.what.contains("settings of [game]"))
    );
}

#[test]
fn the_time_zone_is_chosen_from_a_list_and_no_other_name_is_taken() {
    let (scene, file) = scene();
    let mut operator = scene.operator();
    for page in ["/operator/settings?section=shard", "/operator/welcome"] {
        let page = operator.look(page);
        let list = page.split_once("name=\"time_zone\"").unwrap().1.split_once("</select>").unwrap().0;
        assert!(list.contains("Europe/Berlin") && list.contains("America/New_York"), "{list}");
        assert!(list.contains("value=\"UTC\" selected"), "{list}");
    }
    let page = send(&mut operator, "do=change&section=shard&time_zone=Europe/Berlim");
    assert!(page.contains("Time zone must be the name of a time zone"), "{page}");
    assert_eq!(fs::read_to_string(&file).unwrap(), FILE);
    assert!(send(&mut operator, "do=change&section=shard&time_zone=Europe/Berlin").contains("Saved"));
    let text = fs::read_to_string(&file).unwrap();
    let zone = Config::parse(&text).unwrap().shard.time_zone;
    assert_eq!((text.lines().next(), zone.title().as_str()), (Some("# mine"), "Europe/Berlin"));
    assert!(operator.look("/operator/settings?section=shard").contains("value=\"Europe/Berlin\" selected"));
}

#[test]
fn every_section_takes_its_own_form_and_what_cannot_be_is_refused_with_what_was_typed() {
    let (scene, file) = scene();
    let mut operator = scene.operator();
    let of_a_box = operator.look("/operator/settings?section=backup");
    assert!(
        !of_a_box.contains("name=\"stick\"") && !of_a_box.contains("section=backup"),
        "only a box has it"
    );
    for (section, title) in config::SECTIONS.into_iter().filter(|(section, _)| *section != config::BACKUP) {
        let page = operator.look(&format!("{PAGE}?section={section}"));
        assert!(page.contains(&format!("<h2>{title}</h2>")), "{page}");
        let settings = config::settings(FILE, section).unwrap();
        let mut body = format!("do=change&section={section}&file={}", mark(&page));
        for setting in &settings {
            let _ = write!(body, "&{}={}", setting.name, setting.value.replace(' ', "+"));
        }
        // The last key would be lost if a form had more fields than are read.
        assert!(send(&mut operator, &body).contains("nothing was changed"), "{section}");
        if let Some(last) = settings.iter().rev().find(|setting| setting.choices.len() > 1) {
            let other = last.choices.iter().find(|choice| **choice != last.value).unwrap();
            let body = format!("{body}&end=").replace(&format!("&{}={}", last.name, last.value), "");
            let page = send(&mut operator, &format!("{body}&{}={other}", last.name));
            assert!(page.contains("Saved"), "{section}.{}: {page}", last.name);
        }
    }
    let before = fs::read_to_string(&file).unwrap();
    for (fields, said) in [
        ("section=game&starter_cash=much", "Starter cash must be a whole number"),
        ("section=shard&name=", "Name must be 1 to 40 characters"),
        ("section=network&allow=10.0.0.0/8", "your own address, 192.168.1.9"),
        ("section=network&allow=", "your own address, 192.168.1.9"),
        ("section=nothing&name=a%0Ab", "Name must be"),
    ] {
        let page = send(&mut operator, &format!("do=change&{fields}"));
        assert!(page.contains(said) && page.contains("Nothing was changed"), "{fields}: {page}");
        assert_eq!(fs::read_to_string(&file).unwrap(), before, "{fields}");
    }
    let file_shown = mark(&operator.look("/operator/settings?section=game"));
    let page = send(&mut operator, &format!("do=change&section=game&starter_cash=much&file={file_shown}"));
    assert!(page.contains("value=\"much\""), "{page}");
    for fields in ["do=nothing", "do=power&power=off&sure=yes", "do=power&power=sideways"] {
        assert!(send(&mut operator, fields).contains("class=\"bad\""), "{fields}");
    }
    assert!(!scene.folder.path().join("power.staged").exists());
    fs::write(&file, "[game]\nstarter_cash = much\n").unwrap();
    let page = send(&mut operator, "do=change&section=shard&name=x");
    assert!(page.contains("Correct the file by hand"), "{page}");
}

#[test]
fn on_a_box_the_card_is_written_by_the_boxs_own_program_and_the_power_is_asked_for() {
    let (mut scene, file) = scene();
    scene.game.config.box_folder = Some(scene.folder.path().to_owned());
    let mut operator = scene.operator();
    let staged = scene.folder.path().join("mcos.toml.staged");
    let program = {
        let (staged, file) = (staged.clone(), file.clone());
        thread::spawn(move || {
            while !staged.exists() {
                thread::sleep(Duration::from_millis(5));
            }
            fs::rename(&staged, &file).unwrap();
        })
    };
    let page = send(&mut operator, "do=change&section=game&starter_cash=6");
    assert!(page.contains("Saved"), "{page}");
    program.join().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), FILE.replace("= 5 #", "= 6 #"));
    let page = operator.look("/operator/settings?section=backup");
    assert!(page.contains("name=\"stick\"") && page.contains("value=\"MCOS-BACKUP\""), "{page}");
    let page = send(&mut operator, "do=change&section=backup&stick=a/b");
    assert!(page.contains("Stick must be at most 16 letters"), "{page}");
    let refusing = thread::spawn(move || {
        while !staged.exists() {
            thread::sleep(Duration::from_millis(5));
        }
        fs::remove_file(&staged).unwrap();
    });
    let page = send(&mut operator, "do=change&section=game&starter_cash=7");
    assert!(page.contains("could not write its card"), "{page}");
    refusing.join().unwrap();
    assert!(send(&mut operator, "do=power&power=off").contains("Tick the box"));
    assert!(send(&mut operator, "do=power&power=off&sure=yes").contains("switches itself off"));
    assert_eq!(fs::read_to_string(scene.folder.path().join("power.staged")).unwrap(), "off\n");
}

#[test]
fn the_first_steps_lead_from_the_password_to_the_kit() {
    let (scene, file) = scene();
    let mut operator = scene.operator();
    let page = operator.look("/operator/welcome");
    assert!(page.contains("name=\"registration\"") && page.contains("href=\"/kit\""), "{page}");
    assert!(!page.contains("Restart the server"), "{page}");
    let page = send(&mut operator, "do=change&section=shard&page=/operator/welcome&name=Elm+Street");
    assert!(page.contains("The first steps") && page.contains("Restart the server"), "{page}");
    let page = send(&mut operator, "do=change&section=accounts&page=/operator/welcome&registration=operator");
    assert!(page.contains("The first steps"), "{page}");
    let config = Config::parse(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((config.shard.name.as_str(), config.game.starter_cash), ("Elm Street", 5));
    assert_eq!(config.accounts.registration, config::Registration::Operator);
}

#[test]
fn what_was_changed_by_hand_or_by_another_page_is_not_lost() {
    let (scene, file) = scene();
    let mut operator = scene.operator();
    let old = mark(&operator.look("/operator/settings?section=game"));
    let page = send(&mut operator, "do=change&section=game&starter_cash=70000");
    // A page from before that shows the old cash, and would write it again.
    let stale = format!("do=change&section=game&starter_cash=5&deletion_day=3&file={old}");
    let refused = send(&mut operator, &stale);
    assert!(refused.contains("changed meanwhile") && refused.contains("value=\"70000\""), "{refused}");
    assert!(!refused.contains("value=\"3\""), "what was typed would undo the other change: {refused}");
    let fresh = format!("do=change&section=game&starter_cash=70000&deletion_day=3&file={}", mark(&page));
    assert!(send(&mut operator, &fresh).contains("Saved"));
    assert!(send(&mut operator, "do=undo&section=game").contains("One change can be taken back"));
    let by_hand = fs::read_to_string(&file).unwrap() + "[api]\ntoken = \"handmade\"\n";
    fs::write(&file, &by_hand).unwrap();
    assert!(!operator.look("/operator/settings?section=game").contains("can be taken back"));
    assert!(send(&mut operator, "do=undo&section=game").contains("changed meanwhile"));
    assert_eq!(fs::read_to_string(&file).unwrap(), by_hand);
    // What was kept before the edit does not come back by two steps either.
    let page = send(&mut operator, "do=change&section=game&deletion_day=9");
    assert!(page.contains("One change can be taken back"), "{page}");
    assert!(send(&mut operator, "do=undo&section=game").contains("is taken back"));
    assert_eq!(Config::parse(&fs::read_to_string(&file).unwrap()).unwrap(), Config::parse(&by_hand).unwrap());
    assert!(send(&mut operator, "do=undo&section=game").contains("No earlier settings"));
}

#[test]
fn a_server_that_would_not_start_again_is_not_restarted() {
    let (mut scene, file) = scene();
    fs::write(&file, "[gamee]\nx = 1\n").unwrap();
    {
        let mut operator = scene.operator();
        let reply = operator.fill_in("/operator", "/operator/backup/restart", "");
        assert!(!reply.restart);
        let page = operator.look("/operator/settings");
        assert!(page.contains("would not start again") && page.contains("mcos.toml, line 1"), "{page}");
        assert!(operator.look("/operator/welcome").contains("cannot be shown here"));
    }
    // A box starts whatever is in it.
    scene.game.config.box_folder = Some(scene.folder.path().to_owned());
    let mut operator = scene.browser(HOME);
    operator.fill_in("/operator", "/operator/login", &format!("password={PASSWORD}"));
    assert!(operator.fill_in("/operator", "/operator/backup/restart", "").restart);
}

#[test]
fn a_file_that_is_a_link_stays_one_and_is_read_by_whom_it_was() {
    let (scene, file) = scene();
    let real = scene.folder.path().join("real.toml");
    fs::rename(&file, &real).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    let mode = |file: &std::path::Path| {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).unwrap().permissions()) & 0o777
    };
    let mut operator = scene.operator();
    for secret in [0o600, 0o644] {
        fs::set_permissions(&real, std::os::unix::fs::PermissionsExt::from_mode(secret)).unwrap();
        assert!(
            send(&mut operator, &format!("do=change&section=game&starter_cash={secret}")).contains("Saved")
        );
        assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
        assert_eq!(mode(&real) & 0o044 != 0, secret == 0o644, "{secret:o}");
        assert!(fs::read_to_string(&real).unwrap().contains(&secret.to_string()));
    }
}
