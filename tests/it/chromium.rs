//! The form for a new account in a browser of today: headless Chromium, driven by its WebDriver.

use crate::support::{PATIENCE, Server, skipped};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A browser with one window. It ends with this value.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // This ends the browser itself; the driver alone would leave it behind.
        let _ = call(self.port, "DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// A headless Chromium; `None` if its driver is not installed.
    fn start(profile: &str) -> Option<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        let Some(port) = port else {
            let _ = driver.kill();
            panic!("chromedriver does not say its port");
        };
        let mut browser = Self { driver, port, session: String::new() };
        let arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
        let mut arguments = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={profile}"));
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}});
        let made = call(port, "POST", "/session", &wanted);
        made["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("no session: {made}"))
            .clone_into(&mut browser.session);
        Some(browser)
    }

    fn post(&self, what: &str, value: &Value) -> Value {
        call(self.port, "POST", &format!("/session/{}/{what}", self.session), value)
    }

    fn open(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    fn element(&self, css: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": css}));
        let id = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("no {css}: {found}")).to_owned()
    }

    fn fill(&self, css: &str, text: &str) {
        let done = self.post(&format!("element/{}/value", self.element(css)), &json!({"text": text}));
        assert_eq!(done, Value::Null, "{css}");
    }

    fn click(&self, css: &str) {
        let done = self.post(&format!("element/{}/click", self.element(css)), &json!({}));
        assert_eq!(done, Value::Null, "{css}");
    }

    /// What a reader sees of the page. Nothing between two pages.
    fn text(&self) -> Option<String> {
        let found = self.post("element", &json!({"using": "css selector", "value": "body"}));
        let body = found.as_object()?.values().next()?.as_str()?.to_owned();
        let path = format!("/session/{}/element/{body}/text", self.session);
        call(self.port, "GET", &path, &Value::Null).as_str().map(str::to_owned)
    }

    /// Waits until a reader sees this.
    fn shows(&self, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text().unwrap_or_default();
            if text.contains(wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "it does not show {wanted:?} but: {text}");
            sleep(Duration::from_millis(20));
        }
    }
}

/// One request to the driver; its `value`.
fn call(port: u16, method: &str, path: &str, value: &Value) -> Value {
    let body = if value.is_null() { String::new() } else { value.to_string() };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    // In one piece, and without asking for the end of the connection: the driver resets one that it closes too early.
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).unwrap();
    serde_json::from_slice::<Value>(&answer).unwrap()["value"].clone()
}

#[test]
fn who_fills_in_the_form_in_chromium_may_sign_in() {
    let server = Server::started();
    let profile = server.path().join("browser");
    let Some(browser) = Browser::start(profile.to_str().unwrap()) else {
        skipped("chromedriver is not installed; run scripts/install-test-peers");
        return;
    };
    let site = format!("http://127.0.0.1:{}", server.port("http"));
    browser.open(&site);
    browser.shows("Three steps to the starting line");
    browser.click("p.next a.button");
    browser.shows("Account name");
    browser.fill("#name", "marty");
    browser.fill("#password", "Roadster-57!");
    browser.fill("#again", "Roadster-58!");
    browser.click("input[type=submit]");
    browser.shows("The two passwords are not the same");
    // The name is still there.
    browser.fill("#password", "Roadster-57!");
    browser.fill("#again", "Roadster-57!");
    browser.click("input[type=submit]");
    browser.shows("The account is made");
    smol::block_on(async {
        server.web().auth("marty", "Roadster-57!").await.unwrap();
    });
    browser.open(&format!("{site}/diagnose"));
    browser.shows("The password was right; the list of shards was not fetched");
}
