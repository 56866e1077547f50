use super::*;
use crate::admin::kit::Certificate;
use crate::clock::Now;
use crate::config::HostName;
use crate::config::{Choice as _, GamePage};
use crate::services::Game;
use crate::world::FailureLimit;
use crate::world::{SignInStep, Tested};
use hyper::header::LOCATION;
use std::net::{IpAddr, Ipv4Addr};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));
const BOX: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 5));

/// Every page that answers a plain GET.
const PAGES: [&str; 9] = [
    "",
    "/account",
    "/subscribeentry.jsp",
    "/password",
    "/transfertocamhelpservlet",
    "/kit",
    "/help",
    "/diagnose",
    "/index.html",
];

/// A request without TLS.
fn request<'a>(path: &'a str, query: &'a str, host: &'a HostName, cookies: &'a str) -> PageRequest<'a> {
    PageRequest {
        path,
        query,
        host,
        peer: HOME,
        local: BOX,
        cookies,
        secure: false,
        known: "",
        authorization: "",
    }
}

struct TestSite {
    game: Game,
    certificate: Option<Certificate>,
    registrations: FailureLimit,
    _folder: tempfile::TempDir,
}

impl TestSite {
    fn new() -> Self {
        let (game, folder) = Game::for_tests();
        let certificate = Some(Certificate::from_der(b"a certificate"));
        Self { game, certificate, registrations: FailureLimit::new(10), _folder: folder }
    }

    fn site(&self) -> Site<'_> {
        let Self { game, certificate, registrations, .. } = self;
        Site::new(game, certificate.as_ref(), registrations, Now::read())
    }

    fn get_from(&self, host: &str, path: &str, query: &str) -> Option<PageResponse> {
        if is_patch(path) {
            return match patch_answer(&self.site(), path) {
                PatchAnswer::Page(page) => Some(page),
                PatchAnswer::File(_) => None,
            };
        }
        let host = HostName::from_header(host).unwrap();
        read(&self.site(), &request(path, query, &host, ""))
    }

    fn get(&self, path: &str) -> PageResponse {
        self.get_from("mcos.local", path, "").expect(path)
    }

    fn post(&self, path: &str, body: &str) -> PageResponse {
        let host = HostName::parse("mcos.local").unwrap();
        submit(&self.site(), &request(path, "", &host, ""), body.as_bytes())
    }

    fn may_log_in(&self, name: &str, password: &str) -> bool {
        self.game.store.accounts().check_password(name, password, Now::read()).unwrap().is_some()
    }
}

pub(super) fn html(answer: &PageResponse) -> String {
    assert_eq!(answer.content_type, "text/html; charset=utf-8");
    String::from_utf8(answer.body.clone()).unwrap()
}

/// The tags of a page with their attributes; fails where one is not closed or closed in the wrong place.
pub(super) fn tags(page: &str) -> Vec<String> {
    const ALONE: [&str; 7] = ["meta", "link", "input", "br", "!DOCTYPE", "hr", "img"];
    let mut open = Vec::new();
    let mut all = Vec::new();
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect(piece);
        assert!(!text.contains('>'), "a stray > behind <{tag}>: {text}");
        let name = tag.split_whitespace().next().unwrap();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "</{closed}> in {page}");
        } else if !ALONE.contains(&name) {
            open.push(name);
        }
        all.push(tag.to_owned());
    }
    assert!(open.is_empty(), "{open:?} in {page}");
    all
}

fn is_plain(page: &str) {
    assert!(page.is_ascii(), "an old browser may take it for another charset");
    for tag in tags(page) {
        let lower = tag.to_ascii_lowercase();
        assert!(!lower.starts_with("script"), "<{tag}>");
        for outside in ["style=", "onclick", "onload", "src=", "iframe", "http://", "https://"] {
            assert!(!lower.contains(outside), "<{tag}>");
        }
    }
}

#[test]
fn every_page_is_whole_plain_and_without_anything_from_elsewhere() {
    for registration in ["open", "operator"] {
        let mut site = TestSite::new();
        site.game.config =
            crate::config::Config::parse(&format!("[accounts]\nregistration = \"{registration}\"")).unwrap();
        for path in PAGES {
            let answer = site.get(path);
            assert_eq!(answer.status, 200, "{path}");
            is_plain(&html(&answer));
        }
        site.certificate = None;
        is_plain(&html(&site.get("/kit")));
        is_plain(&html(&not_found(&site.site())));
        is_plain(&html(&busy(&site.site())));
        for problem in [FormProblem::TooLong, FormProblem::Incomplete, FormProblem::TooSlow] {
            is_plain(&html(&unread_form(&site.site(), problem)));
        }
        is_plain(&html(&banned(&site.site(), "<b>&")));
    }
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let site = TestSite::new();
    for path in PAGES {
        for tag in tags(&html(&site.get(path))) {
            let target = tag.split_once("href=\"").and_then(|(_, rest)| rest.split('"').next());
            let Some(target) = target.filter(|target| !target.starts_with('#')) else { continue };
            let (found, query) = target.split_once('?').unwrap_or((target, ""));
            let found = found.strip_suffix('/').unwrap_or(found);
            assert!(site.get_from("mcos.local", found, query).is_some(), "{path}: {target}");
        }
    }
}

#[test]
fn the_front_page_says_what_this_is_who_is_there_and_what_comes_next() {
    let site = TestSite::new();
    let page = html(&site.get(""));
    for part in
        ["Motor City Online", "Motor City</td>", "Players online</th><td>0<", "mcos.local", "/account"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn the_front_page_names_a_mistake_in_the_configuration() {
    let mut site = TestSite::new();
    assert!(!html(&site.get("")).contains("For the operator of this server"));
    let error = crate::config::Config::parse("[shard]\nname = \"[<b>]\"").unwrap_err();
    site.game.config.mistakes = vec![crate::config::Mistake { error, instead: "it is ignored".to_owned() }];
    let page = html(&site.get(""));
    is_plain(&page);
    assert!(page.contains("For the operator of this server:</b> mcos.toml, line 2, shard.name: "), "{page}");
    assert!(!page.contains("[<b>"), "{page}");
}

#[test]
fn the_front_page_says_what_an_import_of_the_games_database_adds_until_it_was_done() {
    let mut site = TestSite::new();
    let page = html(&site.get(""));
    is_plain(&page);
    assert!(page.contains("<tt>Online.mdb</tt>") && page.contains("the real parts of 80 cars"), "{page}");
    site.game.catalog = crate::catalog::Catalog::of(crate::catalog::sample::catalogue());
    assert!(!html(&site.get("")).contains("Online.mdb"));
}

#[test]
fn browsers_get_the_picture_that_they_ask_for_by_themselves() {
    let icon = TestSite::new().get("/favicon.ico");
    assert_eq!((icon.status, icon.content_type), (200, "image/x-icon"));
    assert!(icon.body.starts_with(&[0, 0, 1, 0, 1, 0, 16, 16]), "an icon of 16 by 16");
}

#[test]
fn text_of_the_operator_and_of_visitors_is_escaped() {
    let mut site = TestSite::new();
    site.game.config.shard.name = "<b>&\"'City".to_owned();
    site.game.config.shard.description = "<script>alert(1)</script>".to_owned();
    for path in PAGES {
        let page = html(&site.get(path));
        assert!(!page.contains("<b>&") && !page.contains("<script"), "{path}: {page}");
        is_plain(&page);
    }
    let page = html(&site.post("/account", "name=%22%3E%3Cscript%3Ealert(1)&password=s3cret&again=s3cret"));
    assert!(!page.contains("<script") && page.contains("value=\"&#34;&#62;&#60;script"), "{page}");
    is_plain(&page);
}

#[test]
fn an_account_is_made_with_a_form_and_nothing_else() {
    let site = TestSite::new();
    let answer = site.post("/account", "name=marty&password=Roadster-57%21&again=Roadster-57%21");
    assert_eq!((answer.status, answer.cache), (200, CachePolicy::NoStore));
    let page = html(&answer);
    assert!(page.contains("sign in to the game as <b>marty</b>"), "{page}");
    assert!(site.may_log_in("marty", "Roadster-57!"));
}

#[test]
fn a_form_that_will_not_do_comes_back_with_the_reason_and_the_name_but_no_password() {
    let site = TestSite::new();
    assert!(html(&site.post("/account", "name=doc&password=s3cret&again=s3cret")).contains("is created"));
    for (form, reason) in [
        ("name=marty&password=abc&again=abc", "too short"),
        ("name=marty&password=s3cret%20x&again=s3cret%20x", "the game cannot send this password"),
        ("name=marty&password=s3cret&again=s3cret2", "not the same"),
        ("name=m%20y&password=s3cret&again=s3cret", "cannot be used"),
        ("name=&password=s3cret&again=s3cret", "use 1 to 32 characters"),
        ("name=DOC&password=s3cret2&again=s3cret2", "already"),
        ("", "too short"),
    ] {
        let page = html(&site.post("/account", form)).to_lowercase();
        assert!(page.contains(reason) && page.contains("<form"), "{form}: {page}");
        assert!(!page.contains("s3cret"), "{form}");
        if form.starts_with("name=marty") {
            assert!(page.contains("value=\"marty\""), "{form}: {page}");
        }
    }
    assert_eq!(site.game.store.accounts().list().unwrap().len(), 1);
}

#[test]
fn where_the_operator_makes_accounts_there_is_no_form_and_none_is_taken() {
    let mut site = TestSite::new();
    site.game.config.accounts.registration = crate::config::Registration::Operator;
    assert!(!html(&site.get("/account")).contains("<form"));
    let answer = site.post("/account", "name=marty&password=s3cret&again=s3cret");
    assert_eq!(answer.status, 403);
    assert!(site.game.store.accounts().list().unwrap().is_empty());
}

#[test]
fn too_many_accounts_or_wrong_passwords_of_one_address_are_refused() {
    let mut site = TestSite::new();
    site.registrations = FailureLimit::new(1);
    site.game.world.page_failures = FailureLimit::new(1);
    site.post("/account", "name=one&password=s3cret&again=s3cret");
    assert_eq!(site.post("/account", "name=two&password=s3cret&again=s3cret").status, 429);
    let guess = "name=one&old=guess&password=n3w-one&again=n3w-one";
    assert_eq!(site.post("/password", guess).status, 200);
    assert_eq!(site.post("/password", guess).status, 429);
    let right = "name=one&old=s3cret&password=n3w-one&again=n3w-one";
    assert_eq!(site.post("/password", right).status, 429);
    assert!(site.may_log_in("one", "s3cret"));
}

#[test]
fn a_password_is_changed_with_the_old_one() {
    let site = TestSite::new();
    site.post("/account", "name=marty&password=s3cret&again=s3cret");
    let page = html(&site.post("/password", "name=marty&old=guess&password=n3w-one&again=n3w-one"));
    assert!(page.contains("is wrong") && page.contains("value=\"marty\""), "{page}");
    let page = html(&site.post("/password", "name=marty&old=s3cret&password=n3w-one&again=n3w-one"));
    assert!(page.contains("The password is changed"), "{page}");
    assert!(site.may_log_in("marty", "n3w-one"));
}

#[test]
fn diagnose_shows_what_was_seen_from_this_address_only() {
    let site = TestSite::new();
    site.game.world.sign_in_trace.passed(Ipv4Addr::LOCALHOST.into(), SignInStep::Password, Now::read());
    let page = html(&site.get("/diagnose"));
    assert!(
        page.contains("192.168.1.20") && page.contains("The game has not tried to sign in yet"),
        "{page}"
    );
    assert_eq!(page.matches("<b>not yet</b>").count(), SignInStep::ALL.len());
    site.game.world.sign_in_trace.passed(HOME, SignInStep::Password, Now::read());
    site.game.world.sign_in_trace.passed(HOME, SignInStep::ShardList, Now::read());
    site.game.world.sign_in_trace.refused(HOME, SignInStep::Login, Now::read());
    let answer = site.get("/diagnose");
    let page = html(&answer);
    assert_eq!(page.matches("<b>yes</b>").count(), 2);
    assert!(page.contains("<td>8226</td><td><b>refused</b></td><td>just now</td>"), "{page}");
    assert!(page.contains("pub.key in the game"), "{page}");
    assert_eq!(answer.cache, CachePolicy::NoStore);
}

#[test]
fn each_page_that_the_game_opens_by_number_is_there_and_no_other() {
    let site = TestSite::new();
    for (id, path) in site.game.catalog.game_pages() {
        let (path, query) = path.split_once('?').unwrap();
        let answer = site.get_from("mcos.local", &format!("/{path}"), query).expect("a page");
        let page = html(&answer);
        is_plain(&page);
        assert!(page.contains(&format!("Page {id} of the game")), "{page}");
        for link in ["/news", "/players", "/races", "/records", "/boards", "/live", "/me", "/help"] {
            assert!(page.contains(&format!("<li><a href=\"{link}\">")), "{link}");
        }
    }
    let visits = site.game.world.game_pages.visits();
    assert!(
        visits.len() == site.game.catalog.game_pages().count() && visits.iter().all(|(_, count)| *count == 1)
    );
    site.game.pages.choose(5, GamePage::from_word("/boards")).unwrap();
    let chosen = site.get_from("mcos.local", "/urls", "id=5").unwrap();
    let to = chosen.headers.iter().find(|(name, _)| name == LOCATION).map(|(_, to)| to.as_str());
    assert_eq!((chosen.status, to), (303, Some("/boards")));
    for page in GamePage::ALL {
        assert!(site.get_from("mcos.local", page.word().trim_end_matches('/'), "").is_some(), "{page:?}");
    }
    for query in ["", "id=", "id=67", "id=-1", "id=4294967296", "id=x", "x=1", "id=%31", "id=1%00"] {
        assert_eq!(site.get_from("mcos.local", "/urls", query), None, "{query}");
    }
}

#[test]
fn the_ticker_welcomes_or_says_what_the_operator_wrote() {
    let mut site = TestSite::new();
    let text = |site: &TestSite| String::from_utf8(site.get("/ticker").body).unwrap();
    assert_eq!(text(&site), "/color=0xFFFF00\n\t\tWelcome to Motor City! 0 players are online.");
    site.game.config.shard.ticker = "Race night on Friday".to_owned();
    assert_eq!(text(&site), "/color=0xFFFF00\n\t\tRace night on Friday");
    assert_eq!(site.get("/ticker").content_type, "text/plain");
    let _ = site.game.store.operator().set_message("„Über“ 5 € – Łódź").unwrap();
    assert_eq!(site.get("/ticker").body, b"/color=0xFFFF00\n\t\t\x84\xdcber\x93 5 \x80 \x96 L\xf3dz");
}

#[test]
fn pages_are_utf_8_and_say_so_twice() {
    let mut site = TestSite::new();
    site.game.config.shard.name = "Łódź – „heute“".to_owned();
    let error = crate::config::Config::parse("[shard]\nname = \"[München]\"").unwrap_err();
    site.game.config.mistakes = vec![crate::config::Mistake { error, instead: "it is ignored".to_owned() }];
    let page = html(&site.get(""));
    assert!(
        page.contains("content=\"text/html; charset=utf-8\"") && page.contains("Łódź – „heute“"),
        "{page}"
    );
    assert!(page.contains("[München]"), "{page}");
}

#[test]
fn files_have_their_names_and_may_be_saved_by_old_browsers() {
    let site = TestSite::new();
    for (paths, name) in [
        (["/cert", "/download/certificate"], "mcos-ca.crt"),
        (["/key", "/download/key"], "pub.key"),
        (["/registry", "/download/registry"], "mcos.reg"),
        (["/kit.zip", "/download/kit"], "mcos-player-kit.zip"),
    ] {
        for path in paths {
            let answer = site.get(path);
            assert_eq!(answer.file_name, Some(name), "{path}");
            assert!(!answer.cache.header().contains("no-"), "{path}");
            assert_eq!(answer, site.get(path), "the same each time");
        }
    }
    let registry = String::from_utf8(site.get("/registry").body).unwrap();
    assert!(registry.contains("\\WOW6432Node\\") && registry.contains("SOFTWARE\\EACom"), "{registry}");
    assert!(registry.contains("http://mcos.local/ShardList/"), "{registry}");
}

#[test]
fn without_a_certificate_that_is_said() {
    let mut site = TestSite::new();
    site.certificate = None;
    let answer = site.get("/cert");
    assert_eq!(answer.status, 404);
    assert!(html(&answer).contains("no certificate for players"));
    assert!(html(&site.get("/kit")).contains("no certificate yet"));
}

#[test]
fn the_kit_page_warns_of_addresses_that_serve_nobody_else() {
    let site = TestSite::new();
    let kit = |host| html(&site.get_from(host, "/kit", "").unwrap());
    for host in ["localhost", "127.0.0.1", "LOCALHOST:8080"] {
        assert!(kit(host).contains("this PC itself"), "{host}");
    }
    assert!(!kit("192.168.1.5").contains("this PC itself"));
    assert!(kit("[fd00::1]").contains("IPv6") && !kit("[fd00::1]").contains("kit.zip"));
    for file in ["/kit.zip", "/registry"] {
        assert_eq!(site.get_from("[fd00::1]", file, "").unwrap().status, 409, "{file}");
    }
    assert_eq!(HostName::from_header("0.0.0.0"), None, "no kit is made for it");
}

#[test]
fn the_kit_page_says_where_older_windows_get_theirs() {
    let mut site = TestSite::new();
    site.game.config.network.name = "garage".to_owned();
    let kit = |host| html(&site.get_from(host, "/kit", "").unwrap());
    for host in ["mcos.local", "MCOS.local."] {
        let page = kit(host);
        assert!(page.contains("Not for Windows XP") && page.contains("http://GARAGE/kit"), "{page}");
    }
    for host in ["MCOS", "MCOS.", "192.168.1.5", "mco.example.org"] {
        assert!(!kit(host).contains("Not for Windows XP"), "{host}");
    }
    let registry = site.get_from("MCOS.", "/registry", "").unwrap().body;
    assert!(String::from_utf8(registry).unwrap().contains("\"AuthLoginServer\"=\"MCOS\""));
}

#[test]
fn the_front_page_and_the_kit_page_say_that_nobody_can_sign_in_without_port_443() {
    let mut site = TestSite::new();
    for (https, said) in [(443, false), (8443, true)] {
        site.game.ports.https = https;
        for path in ["", "/kit", "/diagnose"] {
            let page = html(&site.get(path));
            is_plain(&page);
            assert_eq!(page.contains("the game knows only 443 and cannot sign in"), said, "{path}: {page}");
        }
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let site = TestSite::new();
    for path in [
        "/../etc/passwd",
        "/style.css/..",
        "/kit.zip/x",
        "/%00",
        "/templates/base.html",
        "//",
        "/.",
        "/key/..",
        "*",
    ] {
        assert_eq!(site.get_from("mcos.local", path, ""), None, "{path}");
    }
}

#[test]
fn the_test_of_a_kit_is_told_what_arrived_and_diagnose_shows_it() {
    let site = TestSite::new();
    let text = |path: &str| {
        let answer = site.get(path);
        assert_eq!((answer.content_type, answer.cache), ("text/plain", CachePolicy::NoStore), "{path}");
        String::from_utf8(answer.body).unwrap()
    };
    assert!(text("/kit/test/result").starts_with("failed\r\nThe server has not seen this test begin."));
    assert!(html(&site.get("/diagnose")).contains("No test of the player kit has come from your address"));
    assert_eq!(text("/kit/test/begin"), "mcos self-test 1\r\nipv4\r\n");
    assert_eq!(text("/kit/test/auth"), "no\r\n");
    let tests = &site.game.world.self_tests;
    for tested in [Tested::Auth, Tested::Login, Tested::Persona, Tested::Lobby, Tested::Mcots, Tested::Room] {
        tests.reached(HOME, tested, Now::read());
    }
    assert_eq!(text("/kit/test/auth"), "yes\r\n");
    // Without TLS nothing is known of the certificate.
    assert_eq!(text("/kit/test/secure"), "no\r\n");
    let told = text("/kit/test/result");
    assert!(told.starts_with("failed\r\n") && told.contains("\r\nNO   Windows trusts"), "{told}");
    let page = html(&site.get("/diagnose"));
    assert!(page.contains("Run setup.bat of a new kit") && page.contains("<td><b>no</b></td>"), "{page}");
    tags(&page);
    let host = HostName::parse("mcos.local").unwrap();
    let secure = PageRequest { secure: true, ..request("/kit/test/secure", "0.5", &host, "") };
    assert_eq!(read(&site.site(), &secure).unwrap().body, b"yes\r\n");
    assert!(text("/kit/test/result").starts_with("passed\r\n"));
    assert!(html(&site.get("/diagnose")).contains("This PC reaches everything that the game needs."));
    let ipv6 = PageRequest { peer: "fd00::7".parse().unwrap(), ..request("/kit/test/begin", "", &host, "") };
    assert_eq!(read(&site.site(), &ipv6).unwrap().body, b"mcos self-test 1\r\nipv6\r\n");
    assert!(site.get_from("mcos.local", "/kit/test/nothing", "").is_none());
}
