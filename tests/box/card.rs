//! A card that is full or cannot be written: nothing is half written, it is told in words, and what was asked for once is never done at
//! each start.

use crate::programs::{StandIn, furnished, may_mount};
use crate::support::skipped;
use std::fs;
use std::process::Output;
use std::thread;

const FULL: &str = "the card is full; delete from it what it need not hold";
const REFUSED: &str = "the card cannot be written; have a PC check it for errors";

/// Runs the program `$0` of the box with a boot partition that has not one byte left; what it came to lies there afterwards.
const ON_A_FULL_CARD: &str = "\
set -e
boot=$MCOS_BOX_ROOT/boot/mcos kept=$MCOS_BOX_ROOT/kept
tools=$PATH PATH=${PATH#*:}
rm -rf \"$kept\"
cp -a \"$boot\" \"$kept\"
mount -t tmpfs -o size=256k none \"$boot\"
cp -a \"$kept/.\" \"$boot/\"
head -c 1048576 /dev/zero >\"$boot/filler\" 2>/dev/null && exit 77
code=0
PATH=$tools sh \"$0\" || code=$?
rm \"$boot/filler\"
rm -rf \"$kept\"
cp -a \"$boot\" \"$kept\"
umount \"$boot\"
rm -rf \"$boot\"
cp -a \"$kept\" \"$boot\"
exit $code";

fn run_full(stand_in: &StandIn, program: &str) -> Output {
    let way = ["unshare", "--map-root-user", "--mount", "bash", "-c", ON_A_FULL_CARD];
    let output = stand_in.command(&way, program).output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("mount:"), "{output:?}");
    assert_ne!(output.status.code(), Some(77), "the card was not full: {output:?}");
    output
}

/// A box with an account, whose server does not run.
fn quiet() -> StandIn {
    let stand_in = furnished();
    fs::create_dir_all(stand_in.at("dev")).unwrap();
    stand_in.tool("systemctl", "echo \"$@\" >>\"$MCOS_BOX_ROOT/asked\"\necho failed\n");
    stand_in.tool("findmnt", "exit 0\n");
    stand_in.tool("date", "echo 20260701-0000\n");
    stand_in.tool("journalctl", "cat \"$MCOS_BOX_ROOT/said\"\n");
    fs::write(stand_in.at("said"), "the first line\n").unwrap();
    stand_in
}

fn read(stand_in: &StandIn, path: &str) -> String {
    fs::read_to_string(stand_in.at(path)).unwrap_or_default()
}

#[test]
fn what_finds_no_room_on_the_card_leaves_the_old_and_is_told_and_tried_again() {
    if !may_mount() {
        return skipped("a full card: this user may not mount (util-linux)");
    }
    let stand_in = quiet();
    assert!(stand_in.run("box-status").status.success());
    let before = read(&stand_in, "boot/mcos/mcos-status.txt");
    fs::write(stand_in.at("said"), "another line\n").unwrap();
    assert!(run_full(&stand_in, "box-status").status.success());
    assert_eq!(read(&stand_in, "boot/mcos/mcos-status.txt"), before);
    assert_eq!(stand_in.names("boot/mcos"), ["mcos-status.txt"]);
    let said = stand_in.notes();
    assert!(said.starts_with("mcos-status.txt on the card ") && said.contains(FULL), "{said}");
    assert!(read(&stand_in, "dev/console").contains("another line"), "the screen has it");
    // On the screen it stands with the next look.
    assert!(run_full(&stand_in, "box-status").status.success());
    let screen = read(&stand_in, "dev/console").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(screen.contains("the card is full"), "{screen}");
    for _ in 0..2 {
        assert!(stand_in.run("box-status").status.success());
    }
    let status = read(&stand_in, "boot/mcos/mcos-status.txt");
    assert!(status.contains("another line") && !status.contains("the card is full"), "{status}");
    assert_eq!(stand_in.notes(), "");

    stand_in.card("mcos.toml", "[shard]\nname = \"A\"\n");
    assert!(stand_in.run("box-config").status.success());
    fs::write(stand_in.at("var/lib/private/mcos/mcos.toml.staged"), "[shard]\nname = \"B\"\n").unwrap();
    assert!(run_full(&stand_in, "box-request").status.success());
    for path in ["boot/mcos/mcos.toml", "run/mcos-box/mcos.toml"] {
        assert_eq!(read(&stand_in, path), "[shard]\nname = \"A\"\n");
    }
    let said = stand_in.notes();
    assert!(said.starts_with("the settings of the operator's page are not saved: ") && said.contains(FULL));
    fs::write(stand_in.at("var/lib/private/mcos/mcos.toml.staged"), "[shard]\nname = \"B\"\n").unwrap();
    assert!(stand_in.run("box-request").status.success());
    assert_eq!(read(&stand_in, "boot/mcos/mcos.toml"), "[shard]\nname = \"B\"\n");
    assert_eq!(stand_in.notes(), "");

    assert!(stand_in.run("box-backup").status.success());
    let kept = stand_in.names("boot/mcos/backups");
    stand_in.mcos(&["account", "add", "marty", "--password-stdin"], "Roadster-1957.x\n");
    assert_eq!(run_full(&stand_in, "box-backup").status.code(), Some(1));
    assert_eq!(stand_in.names("boot/mcos/backups"), kept);
    let said = stand_in.notes();
    assert!(said.contains("no new backup on the card: ") && said.contains("the disk is full"), "{said}");
    assert!(stand_in.run("box-backup").status.success());
    assert_eq!((stand_in.names("boot/mcos/backups").len(), stand_in.notes().as_str()), (1, ""));
}

#[test]
fn from_a_card_that_cannot_be_written_nothing_is_done_that_would_be_done_at_each_start() {
    let stand_in = quiet();
    let data = "var/lib/private/mcos";
    stand_in.card("restore.mcos", "a backup");
    stand_in.card("reset-operator-password.txt", "");
    stand_in.card("new.update", "a bundle");
    stand_in.tool("mount", "exit 32\n");
    stand_in.tool("mcos", "echo \"$@\" >>\"$MCOS_BOX_ROOT/mcos-asked\"\n");
    assert!(stand_in.run("box-config").status.success());
    assert!(stand_in.run("box-update").status.success());
    for name in ["restore.mcos", "restore.mcos.part", "reset-operator-password"] {
        assert!(!stand_in.at(data).join(name).exists(), "{name}");
    }
    assert_eq!(read(&stand_in, "mcos-asked"), "", "no update is installed");
    assert_eq!(read(&stand_in, "asked"), "", "no restart");
    let said = stand_in.notes();
    for what in [
        "the operator's password is not forgotten, as reset-operator-password.txt would have",
        "restore.mcos is not brought back, as it would be at each start: ",
        "the update new.update is not installed, as it would be at each start: ",
    ] {
        assert!(said.lines().any(|line| line.starts_with(what) && line.contains(REFUSED)), "{said}");
    }
    assert_eq!(stand_in.names("boot/mcos"), ["new.update", "reset-operator-password.txt", "restore.mcos"]);

    // It can be written again.
    stand_in.tool("mount", "exit 0\n");
    assert!(stand_in.run("box-config").status.success());
    assert!(stand_in.run("box-update").status.success());
    assert_eq!(read(&stand_in, &format!("{data}/restore.mcos")), "a backup");
    assert!(stand_in.at(data).join("reset-operator-password").exists());
    let update = format!(
        "--data {} update {}",
        stand_in.at(data).display(),
        stand_in.at("boot/mcos/new.update").display()
    );
    assert_eq!(
        (read(&stand_in, "mcos-asked"), read(&stand_in, "asked").as_str()),
        (update + "\n", "reboot\n")
    );
    assert_eq!(stand_in.names("boot/mcos"), ["new.update.done", "restored.mcos", "update-result.txt"]);
    assert_eq!(stand_in.notes(), "");
}

#[test]
fn an_update_that_stays_on_the_card_after_all_starts_the_box_anew_no_more() {
    let stand_in = quiet();
    stand_in.card("new.update", "a bundle");
    // The card takes nothing more from the moment on in which the update is installed.
    stand_in.tool("mcos", "echo 'it is in slot B'\n: >\"$MCOS_BOX_ROOT/broken\"\n");
    stand_in.tool("mount", "[ ! -e \"$MCOS_BOX_ROOT/broken\" ] || exit 32\n");
    assert!(stand_in.run("box-update").status.success());
    assert_eq!(read(&stand_in, "asked"), "");
    let said = stand_in.notes();
    assert!(said.contains("the update new.update is installed and is tried at the next start"), "{said}");
    assert!(said.contains(REFUSED), "{said}");
    assert_eq!(read(&stand_in, "run/mcos-box/update-result.txt"), "it is in slot B\r\n", "the page says so");
}

#[test]
fn while_one_program_writes_to_the_card_no_other_one_makes_it_read_only() {
    let stand_in = quiet();
    stand_in.tool(
        "mount",
        "case \"$*\" in\n*remount,rw*) echo rw >>\"$MCOS_BOX_ROOT/mounts\"; sleep 0.05 ;;\n\
         *remount,ro*) echo ro >>\"$MCOS_BOX_ROOT/mounts\" ;;\nesac\n",
    );
    thread::scope(|scope| {
        let programs: Vec<_> = (0..8)
            .map(|number| {
                let (stand_in, source) = (&stand_in, stand_in.at(&format!("source{number}")));
                fs::write(&source, "text").unwrap();
                let script = format!(
                    ". \"$0\" && boot_put '{}' file{number} && boot_rename file{number} done{number}",
                    source.display()
                );
                scope.spawn(move || {
                    stand_in.command(&["sh", "-c", &script], "boot-partition").output().unwrap()
                })
            })
            .collect();
        for program in programs {
            let output = program.join().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
    });
    assert_eq!(read(&stand_in, "mounts"), "rw\nro\n".repeat(16));
    assert_eq!(stand_in.names("boot/mcos"), (0..8).map(|number| format!("done{number}")).collect::<Vec<_>>());
}
