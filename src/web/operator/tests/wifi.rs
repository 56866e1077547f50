//! The page Wi-Fi, which only a box has: what was heard, and what is asked of the box's own program.

use super::*;
use std::fs;

const PAGE: &str = "/operator/wifi";

/// Sends a form, and returns the page that follows.
fn send(operator: &mut Browser<'_>, fields: &str) -> String {
    let reply = operator.fill_in(PAGE, PAGE, fields);
    assert_eq!((reply.status, reply.location.as_deref()), (303, Some(PAGE)), "{fields}");
    operator.look(PAGE)
}

#[test]
fn a_box_shows_what_is_in_reach_and_is_asked_for_what_could_stand_in_wifi_txt() {
    let mut scene = Scene::new();
    let folder = scene.folder.path().join("box");
    fs::create_dir_all(&folder).unwrap();
    scene.game.config.box_folder = Some(folder.clone());
    let (look, join) =
        (scene.folder.path().join("wifi-look.staged"), scene.folder.path().join("wifi.staged"));
    let mut operator = scene.operator();
    assert!(operator.look("/operator/settings").contains("href=\"/operator/wifi\""));
    let page = operator.look(PAGE);
    assert!(page.contains("Nobody has looked") && !page.contains("name=\"network\""), "{page}");
    let page = send(&mut operator, "do=look");
    assert!(page.contains("is about to look") && look.exists(), "{page}");
    fs::remove_file(&look).unwrap();
    let heard = "ssid=Garage\nwpa_state=COMPLETED\n\
        02:00:00:00:00:01\t2412\t-50\t[WPA2-PSK-CCMP][ESS]\tTom <i>& Jerry\n\
        02:00:00:00:00:02\t2412\t-90\t[WPA2-SAE-CCMP][ESS]\tNew\n";
    fs::write(folder.join("wifi-heard"), heard).unwrap();
    fs::write(folder.join("wifi-outcome"), "the box is in this Wi-Fi\n").unwrap();
    let page = operator.look(PAGE);
    for part in ["Garage", "The box is in this Wi-Fi.", "does not speak", "strong", "weak"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("<option value=\"Tom &#60;i&#62;&#38; Jerry\"") && !page.contains("<i>"), "{page}");
    assert!(!page.contains("<option value=\"New\""), "what the box cannot join is not offered: {page}");

    for (fields, why) in [
        ("do=join&network=&name=&password=longpass12", "Choose the Wi-Fi"),
        ("do=join&network=Garage&password=short", "8 to 63 letters"),
        ("do=join&network=Garage&password=longpass12&country=XX", "two letters of the country"),
        ("do=join&network=&name=a%0Anetwork=b&password=longpass12", "cannot be typed"),
        ("do=nothing", "no such form"),
    ] {
        let page = send(&mut operator, fields);
        assert!(page.contains(why) && !join.exists(), "{fields}: {page}");
        assert!(!page.contains("longpass12"), "{page}");
    }
    let page = send(&mut operator, "do=join&network=&name=Other&password=longpass12&country=de");
    assert!(page.contains("The box tries this Wi-Fi") && !page.contains("longpass12"), "{page}");
    assert_eq!(
        fs::read_to_string(&join).unwrap(),
        "country=\"de\"\r\nnetwork=\"Other\"\r\npassword=\"longpass12\"\r\n"
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&join).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "a password is in it");
    let page = send(&mut operator, "do=join&network=Garage&name=Other&password=&country=");
    assert!(page.contains("another name is typed"), "{page}");
    assert!(fs::read_to_string(&join).unwrap().contains("Other"), "neither of two counts");
    send(&mut operator, "do=join&network=Garage&name=Garage&password=&country=");
    assert_eq!(fs::read_to_string(&join).unwrap(), "network=\"Garage\"\r\n", "both say the same");
    let noted: Vec<String> =
        scene.game.store.audit().newest(0, 50).unwrap().into_iter().map(|entry| entry.what).collect();
    for what in ["Wi-Fi: look what is in reach", "Wi-Fi: try \"Other\"", "Wi-Fi: try \"Garage\""] {
        assert_eq!(noted.iter().filter(|noted| *noted == what).count(), 1, "{noted:?}");
    }
    assert!(noted.iter().all(|what| !what.contains("longpass12")), "{noted:?}");
}

#[test]
fn a_server_on_a_computer_has_no_such_page() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    assert!(!operator.look("/operator/settings").contains(PAGE));
    let reply = operator.send(PAGE, None);
    assert!(text(&reply).contains("runs on no box"), "{}", text(&reply));
    let reply = operator.fill_in("/operator", PAGE, "do=join&network=Garage");
    assert_eq!(reply.location.as_deref(), Some(PAGE));
    assert!(!scene.folder.path().join("wifi.staged").exists());
}
