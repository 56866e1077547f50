//! The box is found by its name, on a cable without a router, and over Wi-Fi.

use super::home::{ALONE, Home};
use super::machine::Machine;
use super::support::skipped;
use super::{Bench, Card};

/// Two radios that hear each other.
const RADIOS: &str = "modules_load=mac80211_hwsim";

#[test]
fn a_pc_finds_the_box_by_every_name_where_nobody_gives_out_addresses() {
    let Some(bench) = Bench::new() else { return };
    let Some(home) = Home::awaiting_a_board() else {
        return skipped("the box's names: this user may not make networks (util-linux, iproute2)");
    };
    let card = Card::flashed(&bench.image, bench.place("card.img"));
    bench.tell_the_kernel(&card, &bench.board.shell());
    let mut machine = Machine::start_at_home(&bench.board, &card, &home);
    let asker = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/multicast_name.py");
    let ask = |how: &str, name: &str| {
        let output = home.on_pc(&format!("python3 {asker} {how} {name} {ALONE}"));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    machine.await_that("somebody answers to mcos.local", |_| !ask("mdns", "mcos.local").is_empty());
    let address = ask("mdns", "mcos.local");
    assert!(address.starts_with("169.254."), "it gave itself an address: {address}");
    assert_eq!(ask("llmnr", "mcos"), address, "Windows from Vista on");
    assert_eq!(ask("mdns", "somebody.local"), "", "not to every name");
    machine.await_that("the page answers", |_| home.page_at(&address, "/").contains("200 OK"));
    let netbios = home.on_pc("nmblookup -B 169.254.255.255 mcos");
    let found = String::from_utf8_lossy(&netbios.stdout).into_owned();
    assert!(found.contains(&format!("{address} mcos<00>")), "Windows XP: {found}");
    let probe = home.on_pc(&format!("{} probe {address}", env!("CARGO_BIN_EXE_mcos")));
    assert!(probe.status.success(), "{}", String::from_utf8_lossy(&probe.stdout));
    machine.await_that("the address is on the card", |_| {
        card.get("mcos-status.txt").is_some_and(|status| status.contains(&address))
    });

    // Somebody else has that name when the box asks who has.
    let owner = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/multicast_owner.py");
    let owner = home.on_pc(&format!("python3 {owner} mcos.local {ALONE} 600 >/dev/null 2>&1 & echo $!"));
    machine.ask("systemctl restart systemd-resolved");
    machine.await_that("the real name is on the card", |_| other_name(&card).is_some());
    let name = other_name(&card).unwrap();
    assert_eq!(ask("mdns", &name), address);
    home.on_pc(&format!("kill {}", String::from_utf8_lossy(&owner.stdout)));
    machine.pull_the_plug();
}

/// The name that ends in `.local` on the card, if it is not that of the image.
fn other_name(card: &Card) -> Option<String> {
    let status = card.get("mcos-status.txt")?;
    let mut hosts =
        status.split_whitespace().filter_map(|word| word.strip_prefix("http://")?.strip_suffix('/'));
    let local = |host: &&str| host.strip_suffix(".local").is_some_and(|name| name != "mcos");
    hosts.find(local).map(str::to_owned)
}

#[test]
fn the_box_joins_the_wi_fi_that_a_file_on_the_card_names() {
    let Some(bench) = Bench::new() else { return };
    let card = bench.flashed();
    card.put("wifi.txt", b"country=DE\r\nnetwork=Gar\xc3\xa4ge #57\r\npassword=burn \"rubber\" 57\r\n");
    bench.tell_the_kernel(&card, &format!("{} {RADIOS}", bench.board.shell()));
    let mut machine = bench.start(&card);
    machine.await_pages();
    // The box tries every radio that it has, and this one is to be the router's.
    machine.ask("systemctl stop mcos-wifi@wlan1.service");
    // It learns name and password from nobody but us.
    let router = "ctrl_interface=/run/router\\nnetwork={\\nssid=\"Gar\\303\\244ge #57\"\\nmode=2\\nfrequency=2412\\nkey_mgmt=WPA-PSK\\nproto=RSN\\n\
                  pairwise=CCMP\\npsk=\"burn \\042rubber\\042 57\"\\n}\\n";
    machine.ask(&format!("printf '{router}' >/run/router.conf"));
    machine.ask("wpa_supplicant -B -i wlan1 -c /run/router.conf");
    let mut joined = String::new();
    for _ in 0..60 {
        joined = machine.ask("wpa_cli -p /run/wpa_supplicant -i wlan0 status; sleep 2");
        if joined.contains("wpa_state=COMPLETED") {
            break;
        }
    }
    assert!(joined.contains("wpa_state=COMPLETED") && joined.contains("key_mgmt=WPA2-PSK"), "{joined}");
    // Another router, which speaks WPA3 only.
    machine.ask("wpa_cli -p /run/router -i wlan1 terminate; sleep 2");
    let router = "sae_pwe=2\\nnetwork={\\nssid=\"Gar\\303\\244ge #57\"\\nmode=2\\nfrequency=2412\\nkey_mgmt=SAE\\nproto=RSN\\n\
                  pairwise=CCMP\\nieee80211w=2\\nsae_password=\"burn \\042rubber\\042 57\"\\n}\\n";
    machine.ask(&format!("printf '{router}' >/run/router.conf"));
    machine.ask("wpa_supplicant -B -i wlan1 -c /run/router.conf");
    for _ in 0..60 {
        joined = machine.ask("wpa_cli -p /run/wpa_supplicant -i wlan0 status; sleep 2");
        if joined.contains("wpa_state=COMPLETED") && joined.contains("key_mgmt=SAE") {
            break;
        }
    }
    assert!(joined.contains("wpa_state=COMPLETED") && joined.contains("key_mgmt=SAE"), "{joined}");
    // This board has no light; but if it had one, it could shine and blink.
    let patterns = machine.ask("ls /sys/module | grep -c -e ledtrig_default_on -e ledtrig_timer");
    assert_eq!(patterns, "2");
    machine.pull_the_plug();
}
