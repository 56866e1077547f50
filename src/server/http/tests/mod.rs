use super::*;
use crate::clock::Now;
use crate::config::Config;
use crate::store::Password;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use smol::net::TcpListener;

mod bundle;

struct TestServer {
    _folder: tempfile::TempDir,
    server: Arc<SslServer>,
}

fn server(config: &str) -> TestServer {
    let (mut game, folder) = Game::for_tests();
    game.config = Config::parse(config).unwrap();
    game.store
        .accounts()
        .create("alice", &Password::new("s3cret").unwrap(), None, Now::read())
        .unwrap()
        .ticket
        .wait()
        .unwrap();
    let shared = crate::server::shared::Shared::for_tests(game);
    TestServer { _folder: folder, server: shared.ssl }
}

impl TestServer {
    /// Sends these bytes over loopback, and gives back all that comes until the connection ends.
    fn raw(&self, request: &[u8]) -> String {
        self.raw_banned(request, None)
    }

    /// The same from an address that is banned for this reason.
    fn raw_banned(&self, request: &[u8], ban: Option<&str>) -> String {
        smol::block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, peer) = listener.accept().await.unwrap();
            let local = stream.local_addr().unwrap();
            let served =
                Arc::clone(&self.server).serve_connection(stream, peer, local, ban, Share::for_tests());
            // The server waits for the end of the client, which comes with this block.
            let asked = async move {
                client.write_all(request).await.unwrap();
                let mut answer = Vec::new();
                client.read_to_end(&mut answer).await.unwrap();
                String::from_utf8_lossy(&answer).into_owned()
            };
            future::zip(served, asked).await.1
        })
    }

    fn get(&self, target: &str) -> (String, String) {
        let answer = self.raw(format!("GET {target} HTTP/1.1\r\nHost: mcos.local\r\n\r\n").as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
        (head.to_owned(), body.to_owned())
    }
}

#[test]
fn an_answer_is_as_plain_as_http_can_be() {
    let (head, body) = server("").get("/ShardList/");
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("HTTP/1.1 200 OK"));
    let mut names: Vec<&str> = lines.map(|line| line.split(": ").next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Connection", "Content-Length", "Content-Type", "Date"]);
    for line in ["Connection: close", "Content-Type: text/plain", &format!("Content-Length: {}", body.len())]
    {
        assert!(head.lines().any(|l| l == line), "{head}");
    }
    assert!(body.starts_with("[Motor City]\n      Description=Motor City\n      ShardId=44\n"), "{body}");
    assert!(body.contains("\n      LoginServerIP=mcos.local\n"), "{body}");
    assert!(body.ends_with("\n      DiagnosticServerPort=80"), "{body}");
}

#[test]
fn http_1_0_without_a_host_is_told_the_address_it_came_in_on() {
    let answer = server("").raw(b"GET /ShardList HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\n      LobbyServerIP=127.0.0.1\n"), "{answer}");
    assert!(answer.to_lowercase().matches("connection: close").count() == 1, "{answer}");
}

#[test]
fn a_hostile_host_header_never_reaches_the_list() {
    let test = server("");
    for host in ["[Evil]", "a/../b", "x y", "<b>", "a=b", &"a".repeat(65), "\u{e4}"] {
        let answer = test.raw(format!("GET /ShardList/ HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert!(answer.contains("\n      MCOTSServerIP=127.0.0.1\n"), "{host}: {answer}");
    }
}

#[test]
fn the_configured_name_is_told_whatever_the_client_says() {
    let (_, body) = server("[network]\npublic_host = \"play.example\"").get("/shardlist");
    assert!(body.contains("\n      LoginServerIP=play.example\n"), "{body}");
}

#[test]
fn a_login_answers_byte_for_byte_and_failures_are_identical() {
    let test = server("");
    let (head, body) = test.get("/AuthLogin?username=alice&password=s3cret&serviceID=2176&version=3.3.0.6");
    assert!(head.contains("Content-Type: text/plain"), "{head}");
    let context = body.strip_prefix("Valid=TRUE\nTicket=").expect(&body);
    assert!(context.len() == 32 && context.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')), "{body}");
    let failure = "Valid=FALSE\nreasoncode=INV-100\nreasontext=The user name or password is wrong.\n\
                   reasonurl=http://mcos.local/";
    for query in
        ["username=alice&password=wrong", "username=nobody&password=s3cret", "x=y", "%00=%zz&username=%"]
    {
        let (head, body) = test.get(&format!("/authlogin/?{query}"));
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        assert_eq!(body, failure, "{query}");
    }
}

#[test]
fn every_character_a_password_may_have_arrives_plain_and_encoded() {
    let test = server("");
    let allowed: Vec<char> = (' '..='~').filter(|c| Password::new(&format!("abc{c}")).is_ok()).collect();
    // These three cannot stand in a URL as they are: hyper takes `#` for the end of it and refuses the others.
    let allowed: Vec<char> = allowed.into_iter().filter(|c| !"#<>".contains(*c)).collect();
    assert!(allowed.len() > 62);
    for password in allowed.chunks(32) {
        let plain: String = password.iter().chain(&['x'; 4]).take(32).collect();
        let encoded: String =
            plain.bytes().flat_map(|c| format!("%{c:02X}").into_bytes()).map(char::from).collect();
        let accounts = test.server.game.store.accounts();
        accounts.set_password("alice", &Password::new(&plain).unwrap()).unwrap().ticket.wait().unwrap();
        for password in [plain, encoded] {
            let (_, body) = test.get(&format!("/AuthLogin?username=alice&password={password}"));
            assert!(body.starts_with("Valid=TRUE\n"), "{password}: {body}");
        }
    }
}

#[test]
fn passwords_are_checked_in_turns_the_line_is_bounded_and_who_has_just_signed_in_need_not_wait() {
    let test = server("[limits]\npassword_workers = 1");
    let here = "127.0.0.1".parse().unwrap();
    let mut taken: Vec<_> =
        (0..1000).map(|_| Box::pin(test.server.slow.turn(Work::Password, here))).collect();
    let answers: Vec<_> = taken.iter_mut().map(|one| smol::block_on(future::poll_once(one))).collect();
    let (working, waiting) = (answers.iter().flatten().flatten(), answers.iter().filter(|one| one.is_none()));
    assert_eq!((working.count(), waiting.count()), (1, 256));
    let (_, body) = test.get("/AuthLogin?username=alice&password=s3cret");
    assert!(body.starts_with("Valid=FALSE\nreasoncode=INV-200\nreasontext=The server is busy."), "{body}");
    drop((answers, taken));
    let (_, body) = test.get("/AuthLogin?username=alice&password=s3cret");
    assert!(body.starts_with("Valid=TRUE\n"), "{body}");
    let turn = smol::block_on(test.server.slow.turn(Work::Password, here));
    assert!(turn.is_some());
    let (_, body) = test.get("/AuthLogin?username=alice&password=s3cret");
    assert!(body.starts_with("Valid=TRUE\n"), "{body}");
}

#[test]
fn patch_questions_get_the_eleven_bytes_and_their_bodies_are_forgotten() {
    let folder = "/games/EA_Seattle/MotorCity";
    let test = server("");
    let mut expected = b"\r\n\r\n".to_vec();
    expected.extend_from_slice(&patch::NOTHING_TO_UPDATE);
    let expected = String::from_utf8_lossy(&expected).into_owned();
    for channel in ["UpdateInfo", "NPS", "MCO", "NPS/", "nps2"] {
        let body = vec![0xff; 65536];
        let head = format!("POST {folder}/{channel} HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len());
        let answer = test.raw(&[head.as_bytes(), &body].concat());
        assert!(answer.ends_with(&expected), "{channel}: {answer}");
        assert!(answer.contains("Content-Type: application/octet-stream\r\n"), "{answer}");
        assert!(test.raw(format!("GET {folder}/{channel} HTTP/1.1\r\n\r\n").as_bytes()).ends_with(&expected));
    }
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert!(test.raw(format!("POST {folder}/MCO HTTP/1.1\r\n{chunked}").as_bytes()).ends_with(&expected));
    let large = test.raw(format!("POST {folder}/MCO HTTP/1.1\r\nContent-Length: 65537\r\n\r\n").as_bytes());
    assert!(large.starts_with("HTTP/1.1 413 "), "{large}");
}

#[test]
fn the_key_is_served_as_a_file_named_pub_key() {
    let test = server("");
    let (head, body) = test.get("/key");
    assert!(head.contains("Content-Disposition: attachment; filename=pub.key"), "{head}");
    assert!(head.contains("Content-Type: application/octet-stream"), "{head}");
    assert_eq!(body, test.server.game.login_key().public_hex().unwrap());
    assert_eq!(body.len(), 324);
}

#[test]
fn the_front_page_says_what_this_is() {
    let (head, body) = server("").get("/");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(body.contains("Motor City Online") && body.contains("<td>mcos.local</td>"), "{body}");
}

#[test]
fn head_gets_the_length_and_no_body() {
    let answer = server("").raw(b"HEAD /key HTTP/1.1\r\n\r\n");
    assert!(answer.contains("Content-Length: 324\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn who_only_looks_whether_there_is_a_self_test_begins_none() {
    let test = server("");
    let answer = test.raw(b"HEAD /kit/test/begin HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    let (_, body) = test.get("/kit/test/result");
    assert!(body.contains("has not seen this test begin"), "{body}");
    assert!(test.get("/kit/test/begin").1.starts_with("mcos self-test 1"));
    test.raw(b"HEAD /kit/test/begin HTTP/1.1\r\n\r\n");
    assert!(test.get("/kit/test/result").1.contains("yes  The pages"));
}

#[test]
fn anything_else_is_not_found() {
    let test = server("");
    for request in [
        "GET /nothing",
        "GET /key/x",
        "POST /AuthLogin",
        "POST /ShardList/",
        "DELETE /key",
        "GET //",
        "OPTIONS *",
    ] {
        let answer = test.raw(format!("{request} HTTP/1.1\r\n\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{request}: {answer}");
        assert!(answer.contains("<h1>Not found</h1>"), "{request}: {answer}");
    }
}

#[test]
fn one_connection_gets_one_answer() {
    let answer =
        server("").raw(b"GET /key HTTP/1.1\r\nConnection: keep-alive\r\n\r\nGET /key HTTP/1.1\r\n\r\n");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}

#[test]
fn heads_without_bounds_are_refused() {
    let test = server("");
    let many = "X: y\r\n".repeat(MAX_HEADERS + 1);
    let long = format!("X: {}\r\n", "y".repeat(2 * MAX_HEAD));
    for headers in [many, long] {
        let answer = test.raw(format!("GET /key HTTP/1.1\r\n{headers}\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(answer.contains("Delete the cookies") && answer.ends_with("</html>\n"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
    assert!(test.raw(b"\x16\x03\x01\x00\x05hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

#[test]
fn the_cookies_of_other_services_on_the_same_name_do_no_harm() {
    let test = server("");
    let many = "Cookie: another=service\r\n".repeat(70);
    let long = format!("Cookie: session={}\r\n", "y".repeat(9 * 1024));
    for headers in [many, long.clone(), long.repeat(3)] {
        let answer = test.raw(format!("GET /key HTTP/1.1\r\n{headers}\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[test]
fn a_banned_address_reads_why_whatever_it_asks_for() {
    let test = server("");
    let form = [b"POST /account HTTP/1.1\r\nContent-Length: 100000\r\n\r\n".as_slice(), &vec![b'x'; 100_000]]
        .concat();
    for request in [b"GET / HTTP/1.0\r\n\r\n", b"GET /operator HTTP/1.0\r\n\r\n".as_slice(), &form] {
        let answer = test.raw_banned(request, Some("This address is banned: rams people"));
        assert!(answer.contains(" 403 Forbidden\r\n") && answer.contains("rams people"), "{answer}");
    }
}

#[test]
fn a_form_that_stops_in_the_middle_is_told_so() {
    let test = server("");
    let request = b"POST /account HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nname\r\nzz\r\n";
    let answer = test.raw(request);
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("did not arrive"), "{answer}");
}

#[test]
fn a_page_of_another_site_makes_no_account_and_sees_nothing() {
    let test = server("");
    let form = "name=marty&password=s3cret&again=s3cret";
    let post = |host: &str, said: &str| {
        let length = form.len();
        let head =
            format!("POST /account HTTP/1.1\r\nHost: {host}\r\n{said}Content-Length: {length}\r\n\r\n{form}");
        test.raw(head.as_bytes())
    };
    for (host, said) in [
        ("mcos.local", "Origin: http://evil.example\r\n"),
        ("mcos.local", "Origin: null\r\n"),
        ("mcos.local", "Referer: http://evil.example/\r\n"),
        ("mcos.local", "Sec-Fetch-Site: cross-site\r\n"),
        // It lets its name point here.
        ("evil.example", "Origin: http://evil.example\r\n"),
    ] {
        let answer = post(host, said);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{host} {said}: {answer}");
    }
    assert!(test.server.game.store.accounts().by_name("marty").unwrap().is_none());
    let sign_in = |said: &str| {
        let head = format!(
            "GET /AuthLogin?username=alice&password=s3cret HTTP/1.1\r\nHost: mcos.local\r\n{said}\r\n"
        );
        test.raw(head.as_bytes())
    };
    for said in ["Referer: http://evil.example/\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        assert!(sign_in(said).starts_with("HTTP/1.1 403 "), "a picture of another page: {said}");
    }
    assert!(sign_in("").contains("Valid=TRUE"));
    let diagnose = test.raw(b"GET /diagnose HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    let front = test.raw(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert_eq!(diagnose, front);
    for path in ["/patch", "/metrics"] {
        let ours = test.raw(format!("GET {path} HTTP/1.1\r\nHost: mcos.local\r\n\r\n").as_bytes());
        let theirs = test.raw(format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n").as_bytes());
        assert!(ours != front && theirs == front, "{path}: {theirs}");
    }
    let ticker = test.raw(b"GET /ticker HTTP/1.1\r\nHost: motorcity.example\r\n\r\n");
    assert_ne!(ticker, front, "the game goes by the name it was told");
    let answer = post("mcos.local", "Origin: http://mcos.local\r\nSec-Fetch-Site: same-origin\r\n");
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    assert!(test.server.game.store.accounts().by_name("marty").unwrap().is_some());
}

#[test]
fn pages_tell_browsers_that_nobody_else_may_do_anything_with_them() {
    let test = server("");
    let (drawing, _) = test.get("/badge.svg?kind=record");
    assert!(
        drawing.contains("Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "),
        "{drawing}"
    );
    for path in ["/", "/account", "/style.css", "/key", "/nothing"] {
        let (head, _) = test.get(path);
        for line in [
            "Content-Security-Policy: default-src 'none'; ",
            "X-Content-Type-Options: nosniff",
            "X-Frame-Options: DENY",
        ] {
            assert!(head.contains(line), "{path}: {head}");
        }
    }
}

#[test]
fn this_machine_may_collect_figures() {
    let test = server("");
    let (head, body) = test.get("/metrics");
    assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
    for line in [
        "# TYPE mcos_players gauge\nmcos_players 0\n",
        "mcos_connections_refused_total{reason=\"new_of_address\"} 0\n",
        "# TYPE mcos_messages_total counter\n",
        "mcos_waiting{work=\"password\"} 0\n",
        "mcos_saving_seconds_bucket{le=\"+Inf\"} 0\n",
        "mcos_unread_bytes 0\n",
    ] {
        assert!(body.contains(line), "{line}: {body}");
    }
    let value = |name: &str| {
        let line = body.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    assert!(value("mcos_memory_bytes ") > 1_000_000 && value("mcos_store_trouble ") == 0);
}
