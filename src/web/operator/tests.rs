mod audit;
mod deals;
mod game_pages;
mod nights;
mod no_switch;
mod once;
mod people;
mod sealed;
mod settings;
mod texts;
mod wifi;

use super::login::TOKEN_COOKIE;
use super::site::{FAILURES_PER_MINUTE, MAX_BACKUP, MAX_DATABASE, MAX_FORM, SESSION_COOKIE};
use super::*;
use crate::admin::history::{History, Sample};
use crate::appliance::Appliance;
use crate::clock::Now;
use crate::services::{Game, Push};
use crate::store::BanTarget;
use mco_proto::ids::CustomerId;
use no_switch::NoSwitch;
use std::io::{Seek as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 9));
const ABROAD: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));
const PASSWORD: &str = "cold start 57";
const FORM: &str = "application/x-www-form-urlencoded";

/// A browser with its cookies, in front of the pages.
struct Browser<'a> {
    site: &'a OperatorSite,
    game: &'a Game,
    peer: IpAddr,
    cookies: Vec<(String, String)>,
}

impl Browser<'_> {
    fn send(&mut self, path: &str, form: Option<(&str, &[u8])>) -> OperatorResponse {
        let form = form.map(|(content_type, body)| Form::read(content_type, body).unwrap());
        self.ask(path, form.as_ref())
    }

    /// Sends a form whose file was put into a file.
    fn send_file(&mut self, path: &str, content_type: &str, form: &[u8]) -> OperatorResponse {
        let (mut upload, mut bytes) = (MultipartUpload::new(content_type).unwrap(), Vec::new());
        upload.feed(form, &mut bytes).unwrap();
        let name = upload.file_name().unwrap().to_owned();
        let mut content = tempfile::tempfile().unwrap();
        content.write_all(&bytes).unwrap();
        content.rewind().unwrap();
        let file = Some(UploadedFile { name, content, length: bytes.len() as u64 });
        self.ask(path, Some(&Form { fields: upload.finish().unwrap(), file }))
    }

    fn cookies(&self) -> String {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        cookies.join("; ")
    }

    fn ask(&mut self, path: &str, form: Option<&Form>) -> OperatorResponse {
        let cookies = self.cookies();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request =
            OperatorRequest { path, query, cookies: &cookies, peer: self.peer, now: Now::read(), form };
        let reply = self.site.respond(self.game, &ServerFigures::default(), &request);
        for cookie in &reply.cookies {
            let (pair, rest) = cookie.split_once("; ").unwrap();
            assert_eq!(rest.trim_end_matches("; Max-Age=0"), "Path=/; Secure; HttpOnly; SameSite=Strict");
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        reply
    }

    fn look(&mut self, path: &str) -> String {
        let reply = self.send(path, None);
        assert_eq!(reply.status, 200, "{path}");
        String::from_utf8(reply.body).unwrap()
    }

    /// Sends a form with the token of the page at `from`.
    fn fill_in(&mut self, from: &str, path: &str, fields: &str) -> OperatorResponse {
        let token = token(&self.look(from));
        self.send(path, Some((FORM, format!("form={token}&{fields}").as_bytes())))
    }
}

fn token(page: &str) -> String {
    page.split_once("name=\"form\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

fn text(reply: &OperatorResponse) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

struct Scene {
    site: OperatorSite,
    history: Arc<History>,
    game: Game,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let (game, folder) = Game::for_tests();
        let history = Arc::new(History::open(folder.path()));
        let site = OperatorSite::new(None, Arc::new(NoSwitch), Arc::clone(&history));
        Self { site, history, game, folder }
    }

    fn browser(&self, peer: IpAddr) -> Browser<'_> {
        Browser { site: &self.site, game: &self.game, peer, cookies: Vec::new() }
    }

    /// Somebody who has set the password and is in.
    fn operator(&self) -> Browser<'_> {
        let mut browser = self.browser(HOME);
        let fields = format!("password={PASSWORD}&again={PASSWORD}");
        let reply = browser.fill_in("/operator", "/operator/first", &fields);
        assert_eq!(
            (reply.status, reply.location.as_deref()),
            (303, Some("/operator/welcome")),
            "{}",
            text(&reply)
        );
        browser
    }
}

#[test]
fn the_first_visit_from_home_sets_the_password_and_the_next_one_has_to_know_it() {
    let scene = Scene::new();
    assert!(scene.browser(ABROAD).look("/operator").contains("can be set only from"));
    let mut abroad = scene.browser(ABROAD);
    abroad.cookies.push((TOKEN_COOKIE.to_owned(), "a".repeat(32)));
    let fields = format!("form={}&password={PASSWORD}&again={PASSWORD}", "a".repeat(32));
    assert_eq!(abroad.send("/operator/first", Some((FORM, fields.as_bytes()))).status, 403);
    let mut first = scene.operator();
    assert!(first.look("/operator").contains("No player is online"));
    let mut second = scene.browser(HOME);
    assert!(second.look("/operator").contains("Operator's password"));
    let token = token(&second.look("/operator"));
    let fields = format!("form={token}&password=another+one&again=another+one");
    assert_eq!(second.send("/operator/first", Some((FORM, fields.as_bytes()))).status, 403);
    assert_eq!(second.fill_in("/operator", "/operator/login", "password=another+one").status, 403);
    let right = format!("password={PASSWORD}");
    assert_eq!(second.fill_in("/operator", "/operator/login", &right).status, 303);
    assert!(second.look("/operator/health").contains("Running for"));
}

#[test]
fn whoever_is_not_logged_in_sees_and_changes_nothing() {
    let scene = Scene::new();
    scene.operator();
    let mut stranger = scene.browser(HOME);
    for path in
        ["", "/accounts", "/bans", "/message", "/log", "/catalog", "/backup", "/update", "/health", "/none"]
    {
        let reply = stranger.send(&format!("/operator{path}"), None);
        assert!(path.is_empty() || reply.location.as_deref() == Some("/operator"), "{path}");
    }
    for path in ["/kick", "/accounts/add", "/ban", "/message", "/backup/download", "/backup/restart"] {
        let path = format!("/operator{path}");
        let reply = stranger.fill_in("/operator", &path, "name=eve&password=s3cret&text=hello");
        assert_eq!((reply.status, reply.restart, reply.file_name), (403, false, None), "{path}");
    }
    assert!(scene.game.store.accounts().list().unwrap().is_empty());
    assert_eq!(scene.game.store.operator().message().unwrap(), "");
}

#[test]
fn a_form_without_the_token_of_its_session_does_nothing() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    let other_session = {
        let mut other = scene.browser(HOME);
        other.fill_in("/operator", "/operator/login", &format!("password={PASSWORD}"));
        token(&other.look("/operator"))
    };
    let secret = operator.cookies.iter().find(|(name, _)| name == SESSION_COOKIE).unwrap().1.clone();
    for token in ["", "form=", &format!("form={other_session}"), &format!("form={secret}")] {
        let fields = format!("{token}&text=hello");
        let reply = operator.send("/operator/message", Some((FORM, fields.as_bytes())));
        assert_eq!(reply.status, 403, "{token}");
    }
    let mut stranger = scene.browser(HOME);
    stranger.look("/operator");
    let fields = format!("form={}&password={PASSWORD}", "a".repeat(32));
    assert_eq!(stranger.send("/operator/login", Some((FORM, fields.as_bytes()))).status, 403);
    assert_eq!(scene.game.store.operator().message().unwrap(), "");
    assert_eq!(operator.fill_in("/operator/message", "/operator/message", "text=hello").status, 303);
    assert_eq!(scene.game.store.operator().message().unwrap(), "hello");
}

#[test]
fn an_address_that_guesses_is_locked_out_even_with_the_right_password() {
    let scene = Scene::new();
    scene.operator();
    for peer in [HOME, IpAddr::V4(Ipv4Addr::LOCALHOST)] {
        let mut guesser = scene.browser(peer);
        for _ in 0..FAILURES_PER_MINUTE {
            assert_eq!(guesser.fill_in("/operator", "/operator/login", "password=guess").status, 403);
        }
        let right = format!("password={PASSWORD}");
        assert_eq!(guesser.fill_in("/operator", "/operator/login", &right).status, 429);
    }
    let mut friend = scene.browser(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 10)));
    assert_eq!(friend.fill_in("/operator", "/operator/login", &format!("password={PASSWORD}")).status, 303);
}

#[test]
fn logging_out_and_a_new_password_end_sessions() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    let before = operator.cookies.clone();
    let change = "old=wrong&password=new+password&again=new+password";
    operator.fill_in("/operator/health", "/operator/password", change);
    assert!(operator.look("/operator/health").contains("The old password is wrong"));
    let change = format!("old={PASSWORD}&password=new+password&again=new+password");
    operator.fill_in("/operator/health", "/operator/password", &change);
    operator.cookies = before;
    assert!(operator.look("/operator").contains("Operator's password"), "the old cookie opens nothing");
    operator.cookies.clear();
    operator.fill_in("/operator", "/operator/login", "password=new+password");
    let before = operator.cookies.clone();
    operator.fill_in("/operator", "/operator/logout", "");
    operator.cookies = before;
    assert!(operator.look("/operator").contains("Operator's password"));
}

#[test]
fn accounts_are_made_disabled_and_given_passwords_and_what_people_typed_is_escaped() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    operator.fill_in("/operator/accounts", "/operator/accounts/add", "name=marty&password=s3cret");
    assert!(operator.look("/operator/accounts").contains("The account marty is created"));
    assert!(!operator.look("/operator/accounts").contains("is created"), "told once");
    operator.fill_in("/operator/accounts", "/operator/accounts/disable", "name=marty");
    assert!(scene.game.store.accounts().by_name("marty").unwrap().unwrap().disabled);
    operator.fill_in("/operator/accounts", "/operator/accounts/enable", "name=marty");
    operator.fill_in("/operator/accounts", "/operator/accounts/password", "name=marty&password=n3w-pass");
    assert!(scene.game.store.accounts().check_password("marty", "n3w-pass", Now::read()).unwrap().is_some());
    operator.fill_in("/operator/message", "/operator/message", "text=%3Cscript%3E%22");
    let page = operator.look("/operator/message");
    assert!(!page.contains("<script>") && page.contains("script"), "{page}");
}

#[test]
fn a_player_is_seen_kicked_and_banned() {
    let scene = Scene::new();
    let there: IpAddr = "192.168.1.20".parse().unwrap();
    let doc = scene.game.player("doc", "Dr Brown", there);
    let connection = scene.game.world.new_connection();
    scene.game.world.presence.arrive(doc.persona, connection, doc.session, Now::read()).unwrap();
    let mut operator = scene.operator();
    let page = operator.look("/operator");
    for word in ["Dr Brown", "doc", "192.168.1.20", "MCOTS"] {
        assert!(page.contains(word), "{word}");
    }
    let reply = operator.fill_in("/operator", "/operator/kick", &format!("customer={}", doc.customer));
    let dismissed =
        |reply: &OperatorResponse| matches!(&reply.pushes[..], [Push::Dismiss(all)] if *all == [connection]);
    assert!(dismissed(&reply));
    assert!(!scene.game.world.sessions.signed_in_from(doc.customer, there, Now::read()));
    scene
        .game
        .world
        .sessions
        .begin(doc.customer, doc.key.clone(), there, &std::collections::BTreeSet::new(), Now::read())
        .unwrap();
    let fields = "account=doc&address=192.168.1.20&reason=rams+people&length=1+day";
    let reply = operator.fill_in("/operator/bans", "/operator/ban", fields);
    assert!(
        !reply.pushes.is_empty()
            && !scene.game.world.sessions.signed_in_from(doc.customer, there, Now::read())
    );
    let page = operator.look("/operator/bans");
    for word in ["account doc", "address 192.168.1.20", "rams people"] {
        assert!(page.contains(word), "{word}");
    }
    operator.fill_in("/operator/bans", "/operator/unban", &format!("customer={}", doc.customer));
    operator.fill_in("/operator/bans", "/operator/unban", "address=192.168.1.20");
    assert!(operator.look("/operator/bans").contains("Nobody is banned"));
}

#[test]
fn the_operator_cannot_ban_the_address_it_comes_from_nor_this_machine_nor_without_a_reason() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    for fields in [
        "address=192.168.1.9&reason=x&length=for+ever",
        "address=127.0.0.1&reason=x&length=for+ever",
        "address=nonsense&reason=x&length=for+ever",
        "account=nobody&reason=x&length=for+ever",
        "reason=x&length=for+ever",
        "address=10.0.0.7&reason=&length=for+ever",
        "address=10.0.0.7&reason=x&length=a+minute",
    ] {
        operator.fill_in("/operator/bans", "/operator/ban", fields);
        assert!(operator.look("/operator/bans").contains("class=\"bad\""), "{fields}");
    }
    assert!(scene.game.store.bans().list().unwrap().is_empty());
}

fn upload(token: &str, file: &[u8]) -> Vec<u8> {
    let part = |name: &str, value: &str| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let head = "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.mcos\"\r\n\r\n";
    [part("form", token).as_bytes(), part("sure", "yes").as_bytes(), head.as_bytes(), file, b"\r\n--XX--\r\n"]
        .concat()
}

#[test]
fn a_backup_is_downloaded_and_restored_by_a_restart_and_nothing_else_is_taken() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    let _ = scene.game.store.bans().put(BanTarget::Account(CustomerId(7)), "x", None, Now::read()).unwrap();
    let backup = operator.fill_in("/operator/backup", "/operator/backup/download", "").body;
    assert_eq!(&backup[..7], b"mcosbak");
    let staged = scene.folder.path().join("restore.mcos");
    let mut newer = backup.clone();
    newer[7] = 3;
    let multipart = "multipart/form-data; boundary=XX";
    for bad in [&b"PK\x03\x04"[..], b"", &backup[..backup.len() - 1], &newer] {
        let token = token(&operator.look("/operator/backup"));
        let reply = operator.send_file("/operator/backup/restore", multipart, &upload(&token, bad));
        assert!(!reply.restart && !staged.exists());
        assert!(operator.look("/operator/backup").contains("class=\"bad\""));
    }
    let token = token(&operator.look("/operator/backup"));
    let reply = operator.send_file("/operator/backup/restore", multipart, &upload(&token, &backup));
    assert!(reply.restart && staged.exists(), "{}", text(&reply));
    let left = std::fs::read_dir(scene.folder.path()).unwrap().flatten();
    assert!(
        left.into_iter().all(|file| file.file_name() != "upload.mcos" && file.file_name() != "download.mcos")
    );
}

#[test]
fn a_database_that_is_none_or_comes_without_a_token_leaves_the_catalogue_as_it_was() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    let multipart = "multipart/form-data; boundary=XX";
    let page = operator.look("/operator/catalog");
    assert!(page.contains("the real parts of 80 cars") && page.contains("Online.mdb"), "{page}");
    assert!(operator.look("/operator/health").contains("the real parts of 80 cars"));
    for (bad, why) in [
        (&b"MZ no database"[..], "Nothing was changed. This is no Jet (Access) database"),
        (b"", "Choose the file of the game&#39;s database first"),
    ] {
        let token = token(&operator.look("/operator/catalog"));
        let reply = operator.send_file("/operator/catalog/import", multipart, &upload(&token, bad));
        assert_eq!((reply.status, reply.location.as_deref()), (303, Some("/operator/catalog")));
        let page = operator.look("/operator/catalog");
        assert!(page.contains(why) && page.contains("class=\"bad\""), "{page}");
    }
    for token in ["", "0123456789abcdef0123456789abcdef"] {
        let reply = operator.send_file("/operator/catalog/import", multipart, &upload(token, b"MZ"));
        assert_eq!(reply.status, 403);
    }
    // A form without a file brings no database.
    operator.fill_in("/operator/catalog", "/operator/catalog/import", "file=MZ");
    assert!(operator.look("/operator/catalog").contains("class=\"bad\""));
    assert!(!scene.folder.path().join("catalog.mcos").exists());
    assert_eq!(scene.game.catalog.origin(), None);
}

#[test]
fn much_is_read_only_from_who_is_logged_in() {
    let scene = Scene::new();
    let operator = scene.operator();
    let secret = &operator.cookies.iter().find(|(name, _)| name == SESSION_COOKIE).unwrap().1;
    let cookies = format!("a=b; {SESSION_COOKIE}={secret}");
    let storage = |path, cookies| scene.site.form_storage(path, cookies, Now::read());
    assert_eq!(storage(backups::RESTORE, &cookies), FormStorage::File(MAX_BACKUP));
    assert_eq!(storage(actions::CATALOG, &cookies), FormStorage::File(MAX_DATABASE + 8192));
    for (path, cookies) in
        [(backups::RESTORE, "a=b"), (actions::CATALOG, "a=b"), ("/operator/login", &cookies)]
    {
        assert_eq!(storage(path, cookies), FormStorage::Memory(MAX_FORM));
    }
    for (path, size) in [(actions::CATALOG, "64 MiB"), (backups::RESTORE, "16 MiB")] {
        let reply = OperatorSite::file_too_large(path);
        assert!(reply.status == 413 && text(&reply).contains(size), "{}", text(&reply));
    }
}

#[test]
fn an_update_is_offered_on_a_box_and_explained_elsewhere() {
    let scene = Scene::new();
    let page = scene.operator().look("/operator/update");
    assert!(page.contains("does not run on a box") && !page.contains("type=\"file\""), "{page}");
    let key = crate::appliance::bundle::tests::Signer::new().key;
    let outcome = scene.folder.path().join("outcome");
    let appliance = Appliance { board: "rpi".to_owned(), key, outcome: outcome.clone() };
    let history = Arc::clone(&scene.history);
    let scene = Scene { site: OperatorSite::new(Some(appliance), Arc::new(NoSwitch), history), ..scene };
    let mut operator = scene.browser(HOME);
    operator.fill_in("/operator", "/operator/login", &format!("password={PASSWORD}"));
    let page = operator.look("/operator/update");
    for word in ["mcos-VERSION-rpi.update", "type=\"file\"", BUNDLE, env!("CARGO_PKG_VERSION")] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(!page.contains("is being installed") && !page.contains("The last update"));
    std::fs::write(outcome, "mcos 0.2 is in slot B; <tried> next\r\n\r\nIt works.\r\n").unwrap();
    let page = operator.look("/operator/update");
    assert!(page.contains("The last update"), "{page}");
    assert!(!page.contains("<tried>") && page.contains("next<br>\nIt works.</p>"), "{page}");
    std::fs::write(scene.folder.path().join("update.staged"), "x").unwrap();
    assert!(operator.look("/operator/update").contains("is being installed"));
}

#[test]
fn files_are_added_to_the_patch_set_and_removed() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    let send = |operator: &mut Browser<'_>, path: &str, content: &[u8]| {
        let token = token(&operator.look("/operator/patch"));
        let field = |name: &str, value: &str| {
            format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let head = [field("form", &token), field("path", path), field("note", "<i>"), field("backup", "yes")]
            .concat()
            + "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n";
        let body = [head.as_bytes(), content, b"\r\n--XX--\r\n"].concat();
        let reply = operator.send_file("/operator/patch/add", "multipart/form-data; boundary=XX", &body);
        assert_eq!((reply.status, reply.location.as_deref()), (303, Some("/operator/patch")));
        operator.look("/operator/patch")
    };
    for (path, content, why) in [
        ("", &b"x"[..], "Nothing was changed. This is no path"),
        ("../a", b"x", "Nothing was changed. This is no path"),
        ("a", b"", "Choose the file first."),
    ] {
        let page = send(&mut operator, path, content);
        assert!(page.contains(why) && page.contains("class=\"bad\""), "{page}");
    }
    let page = send(&mut operator, "Data\\fix.DLL", b"abc");
    assert!(page.contains("Data/fix.DLL <b>(program)</b>") && page.contains("&#60;i&#62;"), "{page}");

    // It comes back with a backup, on a new card.
    let backup = operator.fill_in("/operator/backup", "/operator/backup/download", "").body;
    let other = tempfile::tempdir().unwrap();
    let file = other.path().join("b.mcos");
    std::fs::write(&file, backup).unwrap();
    crate::store::Store::restore(&other.path().join("data"), &file, None).unwrap();
    let set = crate::store::PatchSet::of(&other.path().join("data"));
    let listed = set.list().unwrap();
    assert!(listed.len() == 1 && listed[0].size == 3 && set.open(&listed[0]).is_ok());

    operator.fill_in("/operator/patch", "/operator/patch/remove", "path=data/FIX.dll");
    let page = operator.look("/operator/patch");
    assert!(page.contains("is not in the patch set any more") && !page.contains("(program)"), "{page}");
}

#[test]
fn health_has_plots_of_a_day_and_a_month_and_the_same_numbers_as_a_table() {
    let scene = Scene::new();
    let mut operator = scene.operator();
    assert!(operator.look("/operator/health").contains("no plots yet"));
    assert!(operator.look("/operator/history").contains("nothing yet"));
    for (minute, players) in [(0, 4), (1, 17), (2, 3)] {
        let at = 1_700_006_400 + minute * 60;
        scene.history.add(Sample { at, players, changes: 2, memory: 20_480, ..Sample::default() });
    }
    let health = operator.look("/operator/health");
    for told in ["/operator/history/players-day.svg", "/operator/history/memory-month.svg"] {
        assert!(health.contains(told), "{health}");
    }
    // No board told its temperature.
    assert!(!health.contains("temperature-day"), "{health}");
    let table = operator.look("/operator/history");
    assert!(table.contains(">17<") && table.contains(">6<") && table.contains(">20480<"), "{table}");
    let plot = operator.look("/operator/history/players-month.svg");
    assert!(plot.starts_with("<svg ") && plot.contains(">17<"), "{plot}");
    for odd in [
        "/operator/history/",
        "/operator/history/players.svg",
        "/operator/history/x-day.svg",
        "/operator/history/players-year.svg",
    ] {
        assert_eq!(operator.send(odd, None).status, 404, "{odd}");
    }
    let stranger = scene.browser(HOME).send("/operator/history/players-day.svg", None);
    assert!(!String::from_utf8(stranger.body).unwrap().contains("<svg"));
}
