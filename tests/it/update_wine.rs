//! The player kit's `update.bat`, run by Wine: what it fetches, what it never does, and that `undo.bat` takes it back.

use crate::full_card::Mounted;
use crate::kit_wine::{INSTALLED, Pc};
use crate::support::Server;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Every file below a folder with its content, by path.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.push((path.clone(), Vec::new()));
            found.extend(tree(&path));
        } else {
            let content = fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}

fn read_only(path: &Path) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions).unwrap();
}

#[test]
fn what_the_server_offers_comes_whole_and_undo_puts_everything_back() {
    let Some(pc) = Pc::new() else { return };
    let server = Server::started();
    // More than one piece, with every byte.
    let database: Vec<u8> = (0..=255).cycle().take(600_000).collect();
    let offer = |path: &str, content: &[u8]| {
        let file = server.path().join("offered");
        fs::write(&file, content).unwrap();
        server.must(&["patch", "add", file.to_str().unwrap(), path, "--note", "for all of us"], "");
    };
    offer("Data/DB/Online.mdb", &database);
    offer("MCity.exe", b"a better program");
    offer("New & 100%/a b (1).txt", b"a new file");

    pc.install_game();
    let game = pc.path(INSTALLED);
    fs::create_dir_all(game.join("Data/DB")).unwrap();
    fs::write(game.join("Data/DB/Online.mdb"), b"the player's own").unwrap();
    read_only(&game.join("Data/DB/Online.mdb"));
    let before = tree(&game);
    let kit = "kit of A & B!";
    pc.unpack_for(kit, "127.0.0.1", server.port("http"));

    // No is no, and so is what only looks like a command.
    for answer in ["n", "x & echo y>C:\\ran.txt", ""] {
        assert_eq!(pc.run(kit, "update.bat", "", &[answer]), 0, "{}", pc.said());
        assert!(pc.said().contains("Nothing was changed"), "{}", pc.said());
        assert_eq!(tree(&game), before);
    }
    assert!(pc.said().contains("replace MCity.exe, 1 KB   ** A PROGRAM"), "{}", pc.said());
    assert!(pc.said().contains("add     New & 100%\\a b (1).txt"), "{}", pc.said());
    assert!(!pc.path("ran.txt").exists());

    assert_eq!(pc.run(kit, "update.bat", "", &["y"]), 0, "{}", pc.said());
    assert!(fs::read(game.join("Data/DB/Online.mdb")).unwrap() == database, "{}", pc.said());
    assert_eq!(fs::read(game.join("MCity.exe")).unwrap(), b"a better program");
    assert_eq!(fs::read(game.join("New & 100%/a b (1).txt")).unwrap(), b"a new file");
    assert_eq!(fs::read(game.join("Data/DB/Online.mdb.before-mcos")).unwrap(), b"the player's own");
    assert_eq!(pc.run(kit, "update.bat", "/q", &[]), 0, "{}", pc.said());
    assert!(pc.said().contains("All 3 files are as the server has them"), "{}", pc.said());

    // A second version does not replace what the player had at first.
    offer("MCity.exe", b"an even better program");
    assert_eq!(pc.run(kit, "update.bat", "/q", &[]), 0, "{}", pc.said());
    assert_eq!(fs::read(game.join("MCity.exe")).unwrap(), b"an even better program");
    assert_eq!(fs::read(game.join("MCity.exe.before-mcos")).unwrap(), b"a program");
    assert_eq!(pc.run(kit, "undo.bat", "/q", &[]), 0, "{}", pc.said());
    assert_eq!(tree(&game), before);
    assert!(!pc.path("windows/mcos-kit").exists());

    what_somebody_else_wrote_since_stays(&pc, kit);
    assert_eq!(tree(&game), before);
    what_a_hostile_server_sends_is_refused(&pc, &before);
    a_full_disk_leaves_the_old_file(&pc, &server, kit);
}

/// The game's setup program, for example, after update.bat.
fn what_somebody_else_wrote_since_stays(pc: &Pc, kit: &str) {
    let game = pc.path(INSTALLED);
    let (database, added) = (game.join("Data/DB/Online.mdb"), game.join("New & 100%/a b (1).txt"));
    assert_eq!(pc.run(kit, "update.bat", "/q", &[]), 0, "{}", pc.said());
    fs::write(&database, b"the database of an update of the game").unwrap();
    fs::write(&added, b"somebody else's file").unwrap();
    assert_eq!(pc.run(kit, "undo.bat", "/q", &[]), 0, "{}", pc.said());
    let said = pc.said();
    assert!(
        said.contains("Online.mdb since update.bat; it stays") && said.contains("Online.mdb.before-mcos"),
        "{said}"
    );
    assert_eq!(fs::read(&database).unwrap(), b"the database of an update of the game");
    assert_eq!(fs::read(&added).unwrap(), b"somebody else's file");
    assert_eq!(fs::read(game.join("MCity.exe")).unwrap(), b"a program", "what nobody else wrote is put back");
    // As the player had it.
    fs::remove_dir_all(game.join("New & 100%")).unwrap();
    fs::rename(game.join("Data/DB/Online.mdb.before-mcos"), &database).unwrap();
}

/// What a server answers to the first line of a request, with the head.
type Answers = fn(&str) -> Vec<u8>;

fn answer(more: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n{more}Connection: close\r\n\r\n{body}")
        .into_bytes()
}

fn list(line: &str) -> Vec<u8> {
    answer("", &format!("mcos patch set 1\r\n{line}\r\n"))
}

/// A server of its own, as long as the process runs; its port.
fn hostile(answers: Answers) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { continue };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && connection.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let _ = connection.write_all(&answers(head.lines().next().unwrap_or_default()));
        }
    });
    port
}

/// A transfer that stops halfway, another file than the listed one, and paths that lead out of the game's folder.
fn what_a_hostile_server_sends_is_refused(pc: &Pc, before: &[(PathBuf, Vec<u8>)]) {
    let stops_halfway: Answers = |line| {
        if line.contains("manifest") {
            return list(&format!("{HASH}\t600000\tMCity.exe\t"));
        }
        let whole = answer(&format!("ETag: \"{HASH}\"\r\n"), &"00".repeat(524_288));
        whole[..whole.len() / 2].to_vec()
    };
    let another_file: Answers = |line| {
        if line.contains("manifest") {
            list(&format!("{HASH}\t3\tMCity.exe\t"))
        } else {
            answer("ETag: \"x\"\r\n", "616263")
        }
    };
    let too_short: Answers = |line| {
        if line.contains("manifest") {
            list(&format!("{HASH}\t3\tMCity.exe\t"))
        } else {
            answer(&format!("ETag: \"{HASH}\"\r\n"), "6162")
        }
    };
    for (number, (answers, said)) in [
        (stops_halfway, "COULD NOT CHANGE MCity.exe"),
        (another_file, "another one now"),
        (too_short, "cut off"),
    ]
    .into_iter()
    .enumerate()
    {
        let kit = format!("kit {number}");
        pc.unpack_for(&kit, "127.0.0.1", hostile(answers));
        assert_eq!(pc.run(&kit, "update.bat", "/q", &[]), 1, "{}", pc.said());
        assert!(pc.said().contains(said), "{}", pc.said());
        assert_eq!(tree(&pc.path(INSTALLED)), before, "{said}");
    }
    let leads_out: Answers = |_| list(&format!("{HASH}\t3\t../../../windows/evil.exe\t"));
    let device: Answers = |_| list(&format!("{HASH}\t3\tData/NUL.txt\t"));
    let drive: Answers = |_| list(&format!("{HASH}\t3\tC:/evil.exe\t"));
    let no_list: Answers = |_| answer("", "<html>a router</html>");
    for (number, answers) in [leads_out, device, drive, no_list].into_iter().enumerate() {
        let kit = format!("out {number}");
        pc.unpack_for(&kit, "127.0.0.1", hostile(answers));
        assert_eq!(pc.run(&kit, "update.bat", "/q", &[]), 1, "{}", pc.said());
        assert!(pc.said().contains("cannot be read"), "{}", pc.said());
        assert_eq!(tree(&pc.path(INSTALLED)), before);
    }
    assert!(!pc.path("windows/evil.exe").exists() && !pc.path("evil.exe").exists());
}

fn a_full_disk_leaves_the_old_file(pc: &Pc, server: &Server, kit: &str) {
    let game = pc.path(INSTALLED);
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=256k", "mcos-test"], &game) else {
        return;
    };
    fs::write(game.join("MCity.exe"), b"a program").unwrap();
    server.must(&["patch", "remove", "MCity.exe"], "");
    let before = fs::read(game.join("MCity.exe")).unwrap();
    assert_eq!(pc.run(kit, "update.bat", "/q", &[]), 1, "{}", pc.said());
    assert!(pc.said().contains("COULD NOT CHANGE Data\\DB\\Online.mdb"), "{}", pc.said());
    assert_eq!(fs::read(game.join("MCity.exe")).unwrap(), before);
    assert!(!game.join("Data/DB/Online.mdb").exists() && !game.join("Data/DB/Online.mdb.mcos-new").exists());
    assert_eq!(pc.run(kit, "undo.bat", "/q", &[]), 0, "{}", pc.said());
    assert_eq!(tree(&game).len(), 1, "the folders are gone as well");
}
