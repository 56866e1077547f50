//! The pages and files for people, asked for as curl and as the browsers of 2001 do: without script, cookies or patience.

use crate::support::{PASSWORD, Raw, Server};
use std::io::{Cursor, Read as _};

/// Sends these bytes and gives back all that comes, head and body.
pub(crate) fn ask(server: &Server, request: &str) -> (String, Vec<u8>) {
    let mut raw = Raw::connect(server.port("http"));
    raw.send(request.as_bytes());
    let answer = raw.receive_all();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head, answer[end + 4..].to_vec())
}

pub(crate) fn get(server: &Server, path: &str) -> (String, String) {
    let (head, body) = ask(server, &format!("GET {path} HTTP/1.0\r\nHost: mcos.local\r\n\r\n"));
    (head, String::from_utf8(body).unwrap())
}

fn post(server: &Server, path: &str, form: &str) -> (String, String) {
    let length = form.len();
    let (head, body) = ask(
        server,
        &format!(
            "POST {path} HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        ),
    );
    (head, String::from_utf8(body).unwrap())
}

fn may_log_in(server: &Server, name: &str, password: &str) -> bool {
    get(server, &format!("/AuthLogin?username={name}&password={password}")).1.starts_with("Valid=TRUE\n")
}

#[test]
fn an_account_is_made_used_and_given_another_password_without_script_and_cookies() {
    let mut server = Server::started();
    let (head, page) = get(&server, "/account");
    assert!(
        head.starts_with("HTTP/1.0 200 OK") && page.contains("<form method=\"post\" action=\"/account\">")
    );
    assert!(head.contains("Cache-Control: no-store") && !head.to_lowercase().contains("cookie"), "{head}");
    let (_, page) = post(&server, "/account", "name=marty&password=Roadster-57%21&again=Roadster-58%21");
    assert!(page.contains("not the same") && page.contains("value=\"marty\""), "{page}");
    let (_, page) = post(&server, "/account", "name=marty&password=Roadster-57%21&again=Roadster-57%21");
    assert!(page.contains("The account is created"), "{page}");
    assert!(may_log_in(&server, "marty", "Roadster-57!"));
    let form = "name=marty&old=Roadster-57%21&password=n3w-one&again=n3w-one";
    assert!(post(&server, "/password", form).1.contains("The password is changed"));
    assert!(may_log_in(&server, "marty", "n3w-one") && !may_log_in(&server, "marty", "Roadster-57!"));
    assert!(server.stop().success());
    for secret in ["Roadster", "n3w-one"] {
        assert!(!server.log().contains(secret), "{secret} stands in the log");
    }
    server.start();
    assert!(may_log_in(&server, "marty", "n3w-one"), "it survived the restart");
}

#[test]
fn the_patch_set_is_listed_and_its_files_are_sent_whole_and_in_part() {
    let server = Server::started();
    let content: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let file = server.path().join("offered.mdb");
    std::fs::write(&file, &content).unwrap();
    assert!(get(&server, "/patch").1.contains("offers no files"));
    let add =
        |path: &str| server.cli(&["patch", "add", file.to_str().unwrap(), path, "--note", "<b>ours</b>"], "");
    assert!(add("Data/DB/On line#1.mdb").status.success());
    for bad in ["../evil", "C:/evil", "NUL", "data"] {
        assert!(!add(bad).status.success(), "{bad}");
    }
    let page = get(&server, "/Patch/").1;
    assert!(
        page.contains("href=\"/patch/Data/DB/On%20line%231.mdb\"") && !page.contains("<b>ours"),
        "{page}"
    );
    let (head, list) = get(&server, "/patch/manifest.txt");
    assert!(head.contains("Content-Type: text/plain"), "{head}");
    let line = list.lines().nth(1).unwrap();
    let (hash, rest) = line.split_once('\t').unwrap();
    assert_eq!(rest, "200000\tData/DB/On line#1.mdb\t<b>ours</b>");

    let path = "/patch/data/db/on%20line%231.MDB";
    let part = |more: &str| ask(&server, &format!("GET {path} HTTP/1.0\r\n{more}\r\n"));
    let (head, body) = part("");
    assert!(head.starts_with("HTTP/1.0 200") && head.contains(&format!("Etag: \"{hash}\"")), "{head}");
    assert!(head.contains("Content-Length: 200000") && body == content, "{head}");
    let (head, body) = part("Range: bytes=100000-199999\r\n");
    assert!(
        head.starts_with("HTTP/1.0 206") && head.contains("Content-Range: bytes 100000-199999/200000"),
        "{head}"
    );
    assert!(body == content[100_000..]);
    assert!(part("Range: bytes=200000-\r\n").0.starts_with("HTTP/1.0 416"));
    let (head, body) = part(&format!("If-None-Match: \"{hash}\"\r\n"));
    assert!(head.starts_with("HTTP/1.0 304") && body.is_empty(), "{head}");
    let (_, digits) = ask(&server, &format!("GET {path}?hex=250-252 HTTP/1.0\r\n\r\n"));
    assert_eq!(digits, b"fa0001");
    for missing in ["/patch/set.txt", "/patch/../patch/set.txt", "/patch/%2e%2e/database", "/patch/lock"] {
        assert!(get(&server, missing).0.starts_with("HTTP/1.0 404"), "{missing}");
    }
    // The game itself is told what it was always told.
    let (_, answer) = ask(&server, "GET /games/EA_Seattle/MotorCity/NPS HTTP/1.0\r\n\r\n");
    assert_eq!(answer, mcos::services::patch::NOTHING_TO_UPDATE);
    assert!(server.must(&["patch", "list"], "").contains("On line#1.mdb"));
    server.must(&["patch", "remove", "DATA/db/On line#1.mdb"], "");
    assert!(part("").0.starts_with("HTTP/1.0 404"));
}

#[test]
fn diagnose_tells_a_player_how_far_the_game_came() {
    let server = Server::started();
    assert!(get(&server, "/diagnose").1.contains("The game has not tried to sign in yet"));
    assert!(!may_log_in(&server, "doc", "guess"));
    assert!(get(&server, "/diagnose").1.contains("The name or the password is wrong"));
    server.persona("doc", "Dr Brown");
    smol::block_on(async {
        let _driver = server.driver("doc", "Dr Brown").await;
        let page = get(&server, "/diagnose").1;
        assert!(page.contains("A driver is chosen, but the game did not connect to the lobby"), "{page}");
        assert_eq!(page.matches("<b>yes</b>").count(), 5, "{page}");
        assert!(!page.contains("doc") && !page.contains("Brown") && !page.contains(PASSWORD), "{page}");
    });
}

#[test]
fn the_kit_is_made_for_the_address_by_which_the_visitor_came_and_on_the_command_line() {
    let mut server = Server::started();
    let read = |zip: &[u8], name: &str| {
        let mut archive = zip::ZipArchive::new(Cursor::new(zip.to_vec())).unwrap();
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let (head, zip) = ask(&server, "GET /kit.zip HTTP/1.0\r\nHost: garage.lan:8080\r\n\r\n");
    assert!(head.contains("Content-Disposition: attachment; filename=mcos-player-kit.zip"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}", zip.len())), "{head}");
    let port = server.port("http");
    let shard_url = format!("\"ShardUrl\"=\"http://garage.lan:{port}/ShardList/\"");
    assert!(read(&zip, "mcos-32bit.reg").contains(&shard_url));
    let key = get(&server, "/key").1;
    assert_eq!(read(&zip, "pub.key"), key);

    let file = server.path().join("kit.zip");
    let name = file.to_str().unwrap();
    let said = server.must(&["kit", name, "--host", "garage.lan"], "");
    assert!(said.starts_with("the player kit for garage.lan is in "), "{said}");
    let zip = std::fs::read(&file).unwrap();
    assert!(read(&zip, "mcos-64bit.reg").contains(&shard_url), "the port is the running server's");
    assert_eq!(read(&zip, "pub.key"), key);
    assert!(server.stop().success());
    server.must(&["kit", name, "--host", "garage.lan"], "");
    assert_eq!(read(&std::fs::read(&file).unwrap(), "pub.key"), key, "the same key when no server runs");
}

#[test]
fn hostile_requests_get_an_answer_and_harm_nothing() {
    let mut server = Server::started();
    let many = "X: y\r\n".repeat(10_000);
    let (head, _) = ask(&server, &format!("GET / HTTP/1.0\r\n{many}\r\n"));
    assert!(head.contains(" 431 "), "{head}");
    for path in [
        "/../../etc/passwd",
        "/%2e%2e/mcos.toml",
        "/%00",
        "/key%00",
        "/style.css/../key",
        "/account/%0d%0aX: y",
    ] {
        let (head, page) = get(&server, path);
        assert!(head.contains(" 404 ") || head.contains(" 400 "), "{path}: {head}");
        assert!(!page.contains("root:") && !head.contains("X: y"), "{path}");
    }
    let (head, _) = post(&server, "/account", &"a=b&".repeat(5000));
    assert!(head.contains(" 413 "), "{head}");
    for form in ["", "=&=&==", "name=%", "name=%ff&password=%00&again=%00", "name=a\r\nb", "{\"name\":1}"] {
        let (head, page) = post(&server, "/account", form);
        assert!(head.contains(" 200 ") && page.contains("<form"), "{form}: {head}");
    }
    let (head, _) =
        ask(&server, "POST /account HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    assert!(head.contains(" 413 ") || head.contains(" 400 "), "{head}");
    assert!(server.is_alive());
    assert_eq!(server.must(&["account", "list"], "").lines().count(), 2, "only the one that was there");
}

#[test]
fn what_the_game_itself_opens_is_there() {
    let server = Server::started();
    let (head, ticker) = get(&server, "/ticker");
    assert!(head.contains("Content-Type: text/plain") && ticker.starts_with("/color=0x"), "{head} {ticker}");
    for path in [
        "/urls?id=0",
        "/urls?id=66",
        "/SubscribeEntry.jsp?prodID=REG-MCO",
        "/TransferToCamHelpServlet?sDestinationURL=PASSWORD",
    ] {
        let (head, page) = get(&server, path);
        assert!(head.contains(" 200 ") && head.contains("text/html; charset=utf-8"), "{path}: {head}");
        assert!(page.contains("Test City"), "{path}");
    }
    assert!(get(&server, "/urls?id=67").0.contains(" 404 "));
    let (head, _) = get(&server, "/registry");
    assert!(head.contains("filename=mcos.reg"), "{head}");
}
