//! What the head of an HTTP request says: the host, the path, the query and the cookies (`src/config/host.rs`, `src/services/http.rs`,
//! `src/web`).
//!
//! Input: choices; the value of `Host`; the path; the query; the rest is the value of `Cookie`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcos::admin::history::History;
use mcos::config::HostName;
use mcos::services::Game;
use mcos::services::http::{Route, Verb, route};
use mcos::store::OperatorPassword;
use mcos::web::operator::{self, Form, OperatorRequest, OperatorResponse, OperatorSite, ServerFigures};
use mcos::web::{self, PageRequest, Site};
use mcos::world::FailureLimit;
use mcos_fuzz::game::{START, folder, new_game};
use mcos_fuzz::{Input, plant};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));

static GAME: LazyLock<Game> = LazyLock::new(|| new_game(&folder("web")));
static REGISTRATIONS: LazyLock<FailureLimit> = LazyLock::new(|| FailureLimit::new(1000));
/// Nothing is ever recorded.
struct NoSwitch;

impl mcos::admin::recordings::RecordingSwitch for NoSwitch {
    fn start(&self, _: mcos::admin::recordings::Whom, _: u64, _: mcos::clock::Now) -> Result<(), String> {
        Err(String::new())
    }
    fn stop(&self) -> bool {
        false
    }
    fn running(&self) -> Option<mcos::admin::recordings::Running> {
        None
    }
    fn ended(&self) -> Option<String> {
        None
    }
}

/// The Operator's pages, and the cookie of somebody who has logged in.
static OPERATOR: LazyLock<(OperatorSite, String)> = LazyLock::new(|| {
    const PASSWORD: &str = "Mechanic-1957.x";
    let changed = GAME.store.operator().set_password(&OperatorPassword::new(PASSWORD).unwrap()).unwrap();
    changed.ticket.wait().unwrap();
    let site = OperatorSite::new(
        None,
        std::sync::Arc::new(NoSwitch),
        std::sync::Arc::new(History::open(&GAME.data)),
    );
    let first = |response: OperatorResponse| response.cookies[0].split(';').next().unwrap().to_owned();
    let cookie = first(ask(&site, "/operator", "", None));
    let token = cookie.split_once('=').unwrap().1;
    let form = format!("form={token}&password={PASSWORD}");
    let form = Form::read("application/x-www-form-urlencoded", form.as_bytes()).unwrap();
    let session = first(ask(&site, "/operator/login", &cookie, Some(&form)));
    assert!(site.is_logged_in(&session, *START));
    (site, session)
});

fn ask(site: &OperatorSite, path: &str, cookies: &str, form: Option<&Form>) -> OperatorResponse {
    let query = "name=x&page=2&q=%ff";
    let request = OperatorRequest { path, query, cookies, peer: HOME, now: *START, form };
    site.respond(&GAME, &ServerFigures::default(), &request)
}

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let choices = input.byte();
    let [host, path, query] = [(); 3].map(|()| String::from_utf8_lossy(input.counted()).into_owned());
    let cookies = String::from_utf8_lossy(input.rest());

    let header = HostName::from_header(&host);
    if let Some(host) = &header {
        host_is_harmless(host);
    }
    let host = header.unwrap_or_else(|| HostName::from_address(HOME));

    // As the server hands it on.
    let path = path.to_ascii_lowercase();
    let path = path.strip_suffix('/').unwrap_or(&path);
    let verb = [Verb::Read, Verb::Post, Verb::Other][usize::from(choices % 3)];
    let service = route(verb, path);
    assert!(service.is_none() || (verb != Verb::Other && !operator::is_here(path)));
    assert!(service != Some(Route::Auth) || path == "/authlogin");

    if operator::is_here(path) {
        let (site, session) = &*OPERATOR;
        let cookies = if choices & 0x80 == 0 { cookies.into_owned() } else { format!("{cookies}; {session}") };
        let OperatorResponse { status, content_type, body, location, cookies, file_name, restart, .. } =
            ask(site, path, &cookies, None);
        assert!(!restart, "nothing happens without a form");
        let set = cookies.iter().map(String::as_str).chain(location.as_deref()).chain(file_name.as_deref());
        assert!(set.chain([content_type]).all(is_one_line));
        answer(status, content_type, &body);
    } else {
        let game = &*GAME;
        let site = Site::new(game, None, &REGISTRATIONS, *START);
        let request = PageRequest {
            path,
            query: &query,
            host: &host,
            peer: HOME,
            local: HOME,
            cookies: &cookies,
            secure: choices & 0x40 != 0,
            known: &cookies,
            authorization: &cookies,
        };
        if let Some(page) = web::read(&site, &request) {
            assert!(page.file_name.is_none_or(is_one_line));
            assert!(page.headers.iter().all(|(_, value)| is_one_line(value)));
            answer(page.status, page.content_type, &page.body);
        }
    }
});

fn host_is_harmless(host: &HostName) {
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || ".-_:".contains(letter);
    assert!((1..=64).contains(&host.as_str().len()) && host.as_str().chars().all(harmless), "{host}");
    for address in [host.front_page(80), host.front_page(8080), host.operator_page(443)] {
        assert!(is_one_line(&address) && address.starts_with("http") && !address.contains(' '));
    }
}

fn is_one_line(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// A page is text, and shows what it was asked with escaped.
fn answer(status: u16, content_type: &str, body: &[u8]) {
    assert!((200..600).contains(&status));
    if content_type.starts_with("text/html") {
        let page = std::str::from_utf8(body).unwrap();
        assert!(!page.contains("<q7"), "{page}");
    }
}

/// The paths of the Client and of all pages, with what they are asked with.
fn seeds() -> Vec<Vec<u8>> {
    let seed = |choices: u8, host: &str, path: &str, query: &str, cookies: &str| {
        let counted = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        [vec![choices], counted(host), counted(path), counted(query), cookies.as_bytes().to_vec()].concat()
    };
    let public = [
        "/",
        "/account",
        "/password",
        "/transfertocamhelpservlet",
        "/kit",
        "/help",
        "/diagnose",
        "/urls",
        "/ticker",
        "/kit.zip",
        "/cert",
        "/key",
        "/registry",
        "/style.css",
        "/shardlist/",
        "/AuthLogin",
        "/games/ea_seattle/motorcity/nps",
    ];
    let pages = [
        "",
        "/health",
        "/players",
        "/accounts",
        "/bans",
        "/backup",
        "/catalog",
        "/update",
        "/message",
        "/log",
        "/races",
        "/settings",
        "/password",
        "/restart",
        "/update/send",
    ];
    let query = "name=%3Cq7%3E<q7>&number=7&page=2";
    let public = public.iter().map(|path| seed(0, "mcos.local:8080", path, query, ""));
    let pages = pages.iter().flat_map(|page| {
        let path = format!("/operator{page}");
        [
            seed(0x80, "[::1]:443", &path, query, ""),
            seed(0, "192.168.1.5", &path, query, "__Host-mcos-operator=00; a=<q7>"),
        ]
    });
    public.chain(pages).collect()
}
