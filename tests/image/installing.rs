//! The server on a Debian that runs already, with `scripts/install`.

use super::machine::Machine;
use super::{Bench, given, players};
use smol::block_on;
use std::path::Path;
use std::process::Command;

/// A file or folder of this project, or another, comes onto the stick.
fn put(stick: &Path, path: &Path) {
    let copied = Command::new("mcopy").arg("-s").arg("-i").arg(stick).arg(path).arg("::").output().unwrap();
    assert!(copied.status.success(), "mcopy: {}", String::from_utf8_lossy(&copied.stderr));
}

#[test]
fn a_debian_that_runs_takes_the_server_in_and_gives_it_up_again_but_for_its_data() {
    let Some(bench) = Bench::new() else { return };
    let stick = bench.stick("MCOS");
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in ["scripts", "systemd", "mcos.toml.example"] {
        put(&stick, &project.join(path));
    }
    put(&stick, &given("MCOS_PROGRAM"));
    let mut machine = Machine::start_debian(&bench.board, &bench.debian(), Some(&stick));
    machine.ask("systemctl is-system-running --wait");
    // What is written to the read-only system goes elsewhere.
    for folder in ["etc", "usr"] {
        machine.ask(&format!(
            "mkdir -p /run/up/{folder} /run/work/{folder}; mount -t overlay overlay \
             -o lowerdir=/{folder},upperdir=/run/up/{folder},workdir=/run/work/{folder} /{folder}"
        ));
    }
    // Its devices come when they come.
    machine.ask("until ip link set eth0 up; do sleep 1; done; ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2");
    machine.ask("until mount -o ro -L MCOS /mnt; do sleep 1; done");

    let said = machine.ask("bash /mnt/scripts/install /mnt/mcos");
    assert!(said.contains("mcos runs, and will after every start"), "{said}");
    machine.await_pages();
    players::make_account("marty").unwrap();
    let reserved = machine.ask("cat /proc/sys/net/ipv4/ip_local_reserved_ports");
    assert_eq!(reserved, "43300");
    assert_eq!(machine.ask("systemctl is-enabled mcos"), "enabled");

    let said = machine.ask("bash /mnt/scripts/install --remove");
    assert!(said.contains("Accounts and cars are still in /var/lib/mcos"), "{said}");
    // From the files themselves: the manager, which reads them all for this, takes longer than systemctl waits on a busy machine.
    let left = machine.ask(
        "systemctl is-active mcos; ls /usr/local/bin; systemctl --root=/ list-unit-files | grep -c mcos",
    );
    assert_eq!(left, "inactive\n0");

    machine.ask("bash /mnt/scripts/install /mnt/mcos");
    machine.await_pages();
    block_on(players::make_driver("marty")).unwrap();
    eprintln!("{}", machine.ask("systemd-analyze security mcos.service --no-pager | tail -n 1"));
    machine.pull_the_plug();
}
