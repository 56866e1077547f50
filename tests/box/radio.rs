//! Another Wi-Fi by the operator's page (`image/overlay/usr/lib/mcos/box-radio`), with a stand-in for the radio.

use crate::programs::StandIn;
use std::fs;
use std::os::unix::fs::symlink;

const OLD: &str = "country=DE\r\nnetwork=Garage\r\npassword=longpass12\r\n";
const NEW: &str = "network=\"Track\"\r\npassword=\"otherpass34\"\r\n";
const SETTINGS: &str = "run/mcos-wifi/wpa_supplicant.conf";
const STAGED: &str = "var/lib/private/mcos/wifi.staged";

/// A box with a Wi-Fi chip, in the Wi-Fi of its card. The stand-in lets it into the networks whose passwords the file `right` has.
fn in_garage() -> StandIn {
    let stand_in = StandIn::new();
    fs::create_dir_all(stand_in.at("sys/class/net/wlan0/phy80211")).unwrap();
    stand_in.card("wifi.txt", OLD);
    assert!(stand_in.run("box-config").status.success());
    fs::create_dir_all(stand_in.at("var/lib/private/mcos")).unwrap();
    stand_in.tool("sleep", "exit 0\n");
    stand_in.tool("systemctl", "echo \"$@\" >>\"$MCOS_BOX_ROOT/asked\"\n");
    stand_in.tool(
        "wpa_cli",
        "case \"$*\" in\n\
         *'wlan0 status') if grep -q -f \"$MCOS_BOX_ROOT/right\" \"$MCOS_BOX_ROOT/run/mcos-wifi/wpa_supplicant.conf\"; then\n\
         printf 'ssid=Somewhere\\nwpa_state=COMPLETED\\n'; cat \"$MCOS_BOX_ROOT/address\"; else echo wpa_state=SCANNING; fi ;;\n\
         *'wlan0 scan_results') printf '02:00:00:00:00:01\\t2412\\t-60\\t[WPA2-PSK-CCMP][ESS]\\tTrack\\n' ;;\n\
         *'wlan0 list_networks') printf '0\\tTrack\\tany\\t[TEMP-DISABLED]\\n' ;;\n\
         esac\n",
    );
    fs::write(stand_in.at("right"), "longpass12\n").unwrap();
    fs::write(stand_in.at("address"), "ip_address=192.168.1.9\n").unwrap();
    stand_in
}

/// Has the box try what the server has left; what came of it.
fn wish(stand_in: &StandIn, file: &str) -> String {
    fs::write(stand_in.at(STAGED), file).unwrap();
    let output = stand_in.run("box-radio");
    assert!(output.status.success(), "{output:?}");
    let log = format!("{output:?}");
    assert!(!log.contains("longpass12") && !log.contains("otherpass34"), "{log}");
    assert!(!stand_in.at(STAGED).exists());
    let left: Vec<_> =
        fs::read_dir(stand_in.at("run/mcos-wifi")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(left.len() <= 1, "what was tried is gone: {left:?}");
    fs::read_to_string(stand_in.at("run/mcos-box/wifi-outcome")).unwrap()
}

#[test]
fn a_wifi_that_lets_the_box_in_stands_on_the_card_and_another_one_leaves_all_as_it_was() {
    let stand_in = in_garage();
    let read = |path: &str| fs::read_to_string(stand_in.at(path)).unwrap_or_default();
    let before = read(SETTINGS);
    let said = wish(&stand_in, NEW);
    assert!(
        said.contains("it refuses the password") && said.contains("goes back into the Wi-Fi before"),
        "{said}"
    );
    assert_eq!((read("boot/mcos/wifi.txt").as_str(), read(SETTINGS)), (OLD, before.clone()));
    assert_eq!(
        read("asked"),
        "restart mcos-wifi@wlan0.service\n".repeat(2),
        "once with the new one, once back"
    );

    fs::write(stand_in.at("right"), "longpass12\notherpass34\n").unwrap();
    fs::rename(stand_in.at("boot/mcos/wifi.txt"), stand_in.at("boot/mcos/wifi.txt.txt")).unwrap();
    let said = wish(&stand_in, NEW);
    assert!(said.contains("the box is in this Wi-Fi, and its card names it"), "{said}");
    assert_eq!(read("boot/mcos/wifi.txt.txt"), NEW, "the file keeps the name that a person gave it");
    assert!(!stand_in.at("boot/mcos/wifi.txt").exists());
    assert!(read(SETTINGS).contains("psk=\"otherpass34\""));
    assert!(read("run/mcos-box/wifi-heard").contains("ssid=Somewhere\nwpa_state=COMPLETED\n"));
    // What the next start makes of the card is what the box has now.
    let now = read(SETTINGS);
    assert!(stand_in.run("box-config").status.success());
    assert_eq!(read(SETTINGS), now);

    // A card that cannot be written is told, and the box stays where it is let in.
    stand_in.tool("mount", "exit 32\n");
    let said = wish(&stand_in, OLD);
    assert!(said.contains("only until its next start: the card cannot be written"), "{said}");
    assert_eq!(read("boot/mcos/wifi.txt.txt"), NEW);
    assert!(read(SETTINGS).contains("psk=\"longpass12\""));
}

#[test]
fn a_wifi_in_which_the_box_gets_no_address_is_left_again() {
    let stand_in = in_garage();
    let before = fs::read_to_string(stand_in.at(SETTINGS)).unwrap();
    fs::write(stand_in.at("right"), "longpass12\notherpass34\n").unwrap();
    for address in ["", "ip_address=169.254.3.4\n"] {
        fs::write(stand_in.at("address"), address).unwrap();
        let said = wish(&stand_in, NEW);
        assert!(said.contains("goes back into the Wi-Fi before"), "{said}");
        assert_eq!(fs::read_to_string(stand_in.at("boot/mcos/wifi.txt")).unwrap(), OLD);
        assert_eq!(fs::read_to_string(stand_in.at(SETTINGS)).unwrap(), before);
    }
    fs::write(stand_in.at("address"), "ip_address=10.0.0.7\n").unwrap();
    assert!(wish(&stand_in, NEW).contains("its card names it"));
}

#[test]
fn a_wish_that_comes_while_another_one_is_tried_is_the_next_one() {
    let stand_in = in_garage();
    fs::write(stand_in.at("later"), OLD).unwrap();
    // While the first one is tried.
    stand_in.tool("sleep", &format!("cp \"$MCOS_BOX_ROOT/later\" \"$MCOS_BOX_ROOT/{STAGED}\"\n"));
    fs::write(stand_in.at(STAGED), NEW).unwrap();
    assert!(stand_in.run("box-radio").status.success());
    assert_eq!(fs::read_to_string(stand_in.at(STAGED)).unwrap(), OLD);
}

#[test]
fn a_box_that_was_in_no_wifi_goes_back_to_none_and_what_is_no_wifi_txt_is_never_tried() {
    let stand_in = in_garage();
    fs::remove_file(stand_in.at("boot/mcos/wifi.txt")).unwrap();
    fs::remove_file(stand_in.at(SETTINGS)).unwrap();
    let said = wish(&stand_in, NEW);
    assert!(said.contains("goes back to no Wi-Fi"), "{said}");
    assert!(!stand_in.at(SETTINGS).exists() && !stand_in.at("boot/mcos/wifi.txt").exists());
    let asked = fs::read_to_string(stand_in.at("asked")).unwrap();
    assert_eq!(asked, "restart mcos-wifi@wlan0.service\nstop mcos-wifi@wlan0.service\n");
    let said = wish(&stand_in, "network=Track\r\npassword=short\r\n");
    assert!(said.contains("8 to 63 letters"), "{said}");
    assert_eq!(fs::read_to_string(stand_in.at("asked")).unwrap(), asked, "the radio was left alone");

    // A link of the server's to what only root may read.
    let secret = stand_in.at("secret");
    fs::write(&secret, NEW).unwrap();
    symlink(&secret, stand_in.at(STAGED)).unwrap();
    symlink(&secret, stand_in.at("var/lib/private/mcos/wifi-look.staged")).unwrap();
    assert!(stand_in.run("box-radio").status.success());
    assert_eq!(fs::read_to_string(&secret).unwrap(), NEW);
    assert!(!stand_in.at(STAGED).is_symlink() && !stand_in.at("boot/mcos/wifi.txt").exists());

    fs::remove_dir_all(stand_in.at("sys/class/net/wlan0")).unwrap();
    assert!(wish(&stand_in, NEW).contains("this board has no Wi-Fi"));
}

#[test]
fn a_look_at_what_is_in_reach_changes_nothing_on_a_box_with_a_wifi_and_without() {
    let stand_in = in_garage();
    for settings in [
        fs::read_to_string(stand_in.at(SETTINGS)).unwrap(),
        "ctrl_interface=/run/wpa_supplicant\n".to_owned(),
    ] {
        fs::write(stand_in.at("var/lib/private/mcos/wifi-look.staged"), "").unwrap();
        assert!(stand_in.run("box-radio").status.success());
        assert!(!stand_in.at("var/lib/private/mcos/wifi-look.staged").exists());
        let heard = fs::read_to_string(stand_in.at("run/mcos-box/wifi-heard")).unwrap();
        assert!(heard.contains("wpa_state=") && heard.contains("\tTrack\n"), "{heard}");
        assert_eq!(fs::read_to_string(stand_in.at(SETTINGS)).unwrap(), settings);
        assert_eq!(fs::read_to_string(stand_in.at("boot/mcos/wifi.txt")).unwrap(), OLD);
        assert_eq!(stand_in.notes(), "");
        // For the second turn there is no Wi-Fi yet.
        fs::remove_file(stand_in.at(SETTINGS)).unwrap();
    }
}
