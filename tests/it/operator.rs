//! The Operator's pages and commands against the real program, over real sockets and real TLS.

use crate::foreign;
use crate::import::{game, writer};
use crate::support::browser::{Answer, Browser, FORM};
use crate::support::{OPERATOR, PASSWORD, Raw, Server, wait_until};
use jet_reader::Version;
use mco_proto::ids::DealerId;
use mcos::client::Error;
use mcos::client::sitting::Transactions;
use smol::block_on;
use std::fs;
use std::process::Command;

/// A running server whose Operator is logged in.
fn operated() -> (Server, Browser) {
    let server = Server::started();
    let browser = server.operator();
    (server, browser)
}

/// Waits until the command line sees the wanted accounts.
fn await_accounts(server: &Server, wanted: impl Fn(&str) -> bool) {
    wait_until(
        || {
            let output = server.cli(&["account", "list"], "");
            (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
        },
        |(done, listed)| *done && wanted(listed),
    );
}

#[test]
fn the_first_visit_sets_the_password_and_a_wrong_one_is_locked_out() {
    let (server, mut operator) = operated();
    assert!(operator.look("/operator").contains("Players online"));
    let health = operator.look("/operator/health");
    assert!(health.contains("127.0.0.1") && health.contains("Memory"), "{health}");
    assert!(operator.look("/operator/log").contains("has set the operator"));
    let mut guesser = Browser::new(&server);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(guesser.fill_in("/operator", "/operator/login", "password=guess").status);
    }
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429]);
    assert_eq!(guesser.fill_in("/operator", "/operator/login", &format!("password={OPERATOR}")).status, 429);
    assert_eq!(operator.send("/operator", None).status, 200, "who is in stays in");
    let secrets = ["cold start", &operator.cookies[0].1];
    assert!(secrets.iter().all(|secret| !server.log().contains(secret)), "no secret is in the log");
}

#[test]
fn the_password_can_be_set_on_the_box_before_and_while_the_server_runs() {
    let mut server = Server::prepare();
    server.must(&["operator", "passwd", "--password-stdin"], "set before the start\n");
    server.start();
    let mut browser = Browser::new(&server);
    assert_eq!(browser.fill_in("/operator", "/operator/login", "password=set+before+the+start").status, 303);
    server.must(&["operator", "passwd", "--password-stdin"], "set while it runs\n");
    let mut browser = Browser::new(&server);
    assert_eq!(browser.fill_in("/operator", "/operator/login", "password=set+before+the+start").status, 403);
    assert_eq!(browser.fill_in("/operator", "/operator/login", "password=set+while+it+runs").status, 303);
}

#[test]
fn a_form_without_its_token_and_a_page_without_a_session_are_refused() {
    let (server, mut operator) = operated();
    let forged = operator.send("/operator/message", Some((FORM, b"text=forged")));
    assert_eq!(forged.status, 403);
    let mut stranger = Browser::new(&server);
    let away = stranger.send("/operator/accounts", None);
    assert_eq!((away.status, away.header("location").next()), (303, Some("/operator")));
    let big = vec![b'x'; 100_000];
    assert_eq!(stranger.send("/operator/backup/restore", Some((FORM, &big))).status, 413);
    let page = operator.send("/operator", None);
    assert_eq!(page.header("cache-control").next(), Some("no-store"));
    assert!(page.header("content-security-policy").next().unwrap().contains("default-src 'none'"));
    assert!(operator.cookies.iter().all(|(name, _)| name.starts_with("__Host-")));
}

#[test]
fn a_form_that_another_site_sends_changes_nothing_though_cookies_and_token_are_right() {
    let (server, mut operator) = operated();
    let own = format!("https://127.0.0.1:{}", server.port("https"));
    let foreign = [
        "Origin: https://evil.example\r\n".to_owned(),
        "Origin: null\r\n".to_owned(),
        "Referer: https://evil.example/operator\r\n".to_owned(),
        format!("Origin: {own}\r\nSec-Fetch-Site: cross-site\r\n"),
    ];
    for says in foreign {
        operator.says.clone_from(&says);
        let answer = operator.fill_in("/operator", "/operator/message", "text=sent+from+elsewhere");
        assert_eq!(answer.status, 403, "{says}");
        assert!(answer.text().contains("from a page elsewhere. Nothing was changed."), "{}", answer.text());
    }
    let mut stranger = Browser::new(&server);
    for (says, status) in
        [("Origin: https://evil.example\r\n".to_owned(), 403), (format!("Origin: {own}\r\n"), 303)]
    {
        stranger.says = says;
        let form = format!("password={OPERATOR}");
        assert_eq!(stranger.fill_in("/operator", "/operator/login", &form).status, status);
    }
    assert!(!operator.look("/operator/message").contains("sent from elsewhere"));
    operator.says = format!("Origin: {own}\r\nSec-Fetch-Site: same-origin\r\n");
    let answer = operator.fill_in("/operator", "/operator/message", "text=sent+from+here");
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(operator.look("/operator/message").contains("sent from here"));
}

#[test]
fn plain_http_and_legacy_tls_are_told_to_come_by_https() {
    let (server, _operator) = operated();
    for request in ["GET /operator", "GET /operator/accounts", "POST /operator/login"] {
        let mut raw = Raw::connect(server.port("http"));
        let host = format!("{request} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n");
        raw.send(host.as_bytes());
        let answer = Answer::read(&raw.receive_all());
        assert_eq!(answer.status, 403, "{request}");
        assert!(answer.text().contains("TLS 1.2"), "{}", answer.text());
        assert!(answer.text().contains(&format!("https://127.0.0.1:{}/operator", server.port("https"))));
    }
    let address = format!("127.0.0.1:{}", server.port("https"));
    let cipher = ["s_client", "-connect", &address, "-quiet", "-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"];
    match foreign::run("openssl", &cipher, b"GET /operator HTTP/1.0\r\n\r\n") {
        Some(output) if !output.stdout.is_empty() => assert_eq!(Answer::read(&output.stdout).status, 403),
        _ => foreign::skip_missing("OpenSSL with TLS 1.0"),
    }
}

#[test]
fn a_kicked_player_loses_its_connections_and_may_come_back() {
    let (server, mut operator) = operated();
    server.persona("doc", "Dr Brown");
    block_on(async {
        let driver = server.driver("doc", "Dr Brown").await;
        let mut lobby = driver.lobby().await.unwrap();
        let page = operator.look("/operator");
        assert!(page.contains("Dr Brown") && page.contains("lobby"), "{page}");
        let (_, rest) = page.split_once("name=\"customer\" value=\"").unwrap();
        let customer = rest.split_once('"').unwrap().0;
        operator.fill_in("/operator", "/operator/kick", &format!("customer={customer}"));
        while lobby.directory().await.is_ok() {}
        server.await_population(0).await;
        assert!(operator.look("/operator").contains("No player is online"));
        server.driver("doc", "Dr Brown").await.lobby().await.unwrap();
    });
}

#[test]
fn a_banned_account_is_refused_with_the_reason_until_the_ban_is_lifted() {
    let (server, mut operator) = operated();
    let fields = "account=doc&reason=rams+people&length=1+week";
    assert_eq!(operator.fill_in("/operator/bans", "/operator/ban", fields).status, 303);
    block_on(async {
        let refused = server.web().auth("doc", PASSWORD).await;
        let Err(Error::WrongPassword { reason }) = refused else { panic!("{refused:?}") };
        assert_eq!(reason, "This account is banned for 7 more days: rams people");
    });
    assert!(server.must(&["operator", "bans"], "").contains("rams people"));
    server.must(&["operator", "unban", "doc"], "");
    block_on(server.sign_in("doc"));
}

#[test]
fn the_message_of_the_day_runs_through_the_ticker_and_survives_a_restart() {
    let (mut server, mut operator) = operated();
    operator.fill_in("/operator/message", "/operator/message", "text=Race+night+at+8");
    for _ in 0..2 {
        let mut raw = Raw::connect(server.port("http"));
        raw.send(b"GET /ticker HTTP/1.0\r\n\r\n");
        assert!(Answer::read(&raw.receive_all()).text().contains("Race night at 8"));
        assert!(server.stop().success());
        server.start();
    }
}

#[test]
fn a_backup_from_the_page_is_restored_by_the_page_and_nonsense_is_refused() {
    let (mut server, mut operator) = operated();
    let download = operator.fill_in("/operator/backup", "/operator/backup/download", "");
    assert!(download.header("content-disposition").next().unwrap().contains("mcos-backup-"));
    let backup = download.body;
    server.account("late");
    let mut newer = backup.clone();
    newer[7] = 3;
    let mut flipped = backup.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 4;
    for bad in [&b"MZ not ours"[..], &backup[..backup.len() - 1], &flipped, &newer] {
        operator.upload(bad);
        assert!(operator.look("/operator/backup").contains("Nothing was changed"));
    }
    await_accounts(&server, |listed| listed.contains("late"));
    assert!(operator.upload(&backup).text().contains("restarts"));
    server.await_restart();
    await_accounts(&server, |listed| !listed.contains("late") && listed.contains("doc"));
    assert!(server.is_alive(), "it is the same process");
    assert!(server.stop().success());
}

#[test]
fn settings_of_the_page_stand_in_the_file_and_count_after_the_restart_that_it_offers() {
    let (mut server, mut operator) = operated();
    let before = fs::read_to_string(server.config()).unwrap();
    let form = "do=change&section=shard&page=/operator/welcome&name=Elm+Street";
    let saved = operator.fill_in("/operator/welcome", "/operator/settings", form);
    assert_eq!(saved.header("location").next(), Some("/operator/welcome"));
    let page = operator.look("/operator/welcome");
    assert!(
        page.contains("counts from the next start") && page.contains("/operator/backup/restart"),
        "{page}"
    );
    let after = fs::read_to_string(server.config()).unwrap();
    assert!(after.contains("name = \"Elm Street\""), "{after}");
    let mut rest = before.lines().filter(|line| !line.starts_with("name = "));
    assert!(rest.all(|line| after.lines().any(|kept| kept == line)), "{before}\n{after}");
    assert!(!server.log().contains("\"Elm Street\" is open"));
    let restart = operator.fill_in("/operator/welcome", "/operator/backup/restart", "");
    assert!(restart.text().contains("The server restarts"));
    server.await_log("\"Elm Street\" is open", 1);
    assert!(server.must(&["operator", "audit"], "").contains("settings of [shard]"));
    assert!(server.is_alive() && server.stop().success());
}

#[test]
fn the_command_line_backs_up_and_restores_with_and_without_a_running_server() {
    let mut server = Server::prepare();
    server.account("doc");
    let [offline, online, damaged] =
        ["offline.mcos", "online.mcos", "damaged.mcos"].map(|name| server.path().join(name));
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    server.must(&["backup", &text(&offline)], "");
    server.start();
    server.account("marty");
    server.must(&["backup", &text(&online)], "");
    let mut bytes = fs::read(&online).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&damaged, &bytes).unwrap();
    for bad in [damaged, server.config(), server.path().join("none")] {
        let output = server.cli(&["restore", &text(&bad)], "");
        assert_eq!(output.status.code(), Some(1), "{}", bad.display());
    }
    server.must(&["restore", "--yes", &text(&offline)], "");
    server.await_restart();
    await_accounts(&server, |listed| listed.contains("doc") && !listed.contains("marty"));
    assert!(server.stop().success());
    server.must(&["restore", "--yes", &text(&online)], "");
    await_accounts(&server, |listed| listed.contains("marty"));
    assert!(!server.log().contains("ERROR"), "{}", server.log());
    let left: Vec<_> = fs::read_dir(server.data()).unwrap().flatten().map(|file| file.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("exchange-")), "{left:?}");
}

#[test]
fn the_games_database_is_imported_by_the_page_and_a_wrong_one_leaves_the_old_catalogue() {
    let (mut server, mut operator) = operated();
    let starters = |server: &Server| {
        let place = block_on(server.place());
        block_on(Transactions::stock(&place, DealerId(8))).unwrap().cars.len()
    };
    let built_in = starters(&server);
    assert!(
        operator.look("/operator/health").contains("importing Online.mdb from your own copy of the game")
    );
    let good = writer::database(Version::Jet3, 0, &game::tables());
    let other = writer::database(Version::Jet4, 0, &game::tables()[..3]);
    let wrong = [&b"MZ no database"[..], &good[..good.len() / 2], &other];
    for bad in wrong {
        assert_eq!(operator.import(bad).status, 303);
        assert!(operator.look("/operator/catalog").contains("Nothing was changed. "));
    }
    assert_eq!(operator.send_file("/operator/catalog/import", "0123", &good).status, 403, "no token");
    let mut stranger = Browser::new(&server);
    let token = stranger.token("/operator");
    assert_eq!(stranger.send_file("/operator/catalog/import", &token, &good[..4000]).status, 403);
    assert_eq!(starters(&server), built_in);

    fs::write(server.path().join("game.mdb"), &good).unwrap();
    let sum = Command::new("sha256sum").arg(server.path().join("game.mdb")).output().unwrap().stdout;
    let sum = String::from_utf8(sum).unwrap()[..64].to_owned();
    assert_eq!(operator.import(&good).status, 303);
    let page = operator.look("/operator/catalog");
    for told in [
        "Look at what came",
        &format!("This is in game.mdb, SHA-256 <tt>{sum}</tt>"),
        &format!("<td>3</td><td>{}</td><td>cars for sale</td>", 82),
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(operator.look("/operator/audit").contains("catalog read &#34;game.mdb&#34;"));
    assert_eq!(starters(&server), built_in, "not in use yet");
    let shown = format!("catalog={sum}");
    assert_eq!(operator.fill_in("/operator/catalog", "/operator/catalog/discard", &shown).status, 303);
    assert!(!operator.look("/operator/catalog").contains("This is in"));
    operator.fill_in("/operator/catalog", "/operator/catalog/use", &shown);
    assert!(operator.look("/operator/catalog").contains("no catalogue that waits"));
    operator.import(&good);
    // Another operator hands in another file before this one has decided.
    operator.import(&writer::database(Version::Jet4, 0, &game::tables()));
    for form in ["use", "discard"] {
        operator.fill_in("/operator/catalog", &format!("/operator/catalog/{form}"), &shown);
        assert!(
            operator.look("/operator/catalog").contains("Another file was read since this page was shown")
        );
        assert!(operator.look("/operator/catalog").contains("This is in game.mdb"), "it still waits");
    }
    assert_eq!(starters(&server), built_in, "nobody has looked at that one");
    operator.import(&good);
    assert!(operator.look("/operator/catalog").contains(&format!("name=\"catalog\" value=\"{sum}\"")));
    operator.fill_in("/operator/catalog", "/operator/catalog/use", &shown);
    let page = operator.look("/operator/catalog");
    for told in ["The catalogue is in use", "game.mdb", &sum, "<td>3</td><td>cars for sale</td>"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(operator.look("/operator/health").contains(&sum));
    assert!(server.must(&["catalog", "show"], "").contains(&sum));
    assert_eq!(starters(&server), 3);
    for bad in wrong {
        operator.import(bad);
        assert!(operator.look("/operator/catalog").contains(&sum), "the old one stays");
    }
    let left = fs::read_dir(server.data()).unwrap().flatten();
    assert!(left.into_iter().all(|file| !file.file_name().to_string_lossy().starts_with("upload")));
    assert!(server.stop().success());
    server.start();
    assert_eq!(starters(&server), 3);
}

#[test]
fn a_database_of_more_than_64_mib_is_refused_and_the_answer_says_so() {
    let (_server, mut operator) = operated();
    let large = vec![0; (64 << 20) + 9000];
    let answer = operator.import(&large);
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("larger than 64 MiB") && answer.text().contains("Nothing was changed"));
    assert!(operator.look("/operator/catalog").contains("built-in catalogue"));
}
