//! A browser of today: headless Chromium, driven by its WebDriver.

use super::{PATIENCE, skipped};
use data_encoding::BASE64;
use futures_lite::{FutureExt as _, future};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use serde_json::{Value, json};
use smol::net::TcpStream;
use smol::{Timer, block_on};
use smol_hyper::rt::FuturesIo;
use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Under this name WebDriver says which element it has found. An error has other names.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window. It ends with this value.
pub(crate) struct Chromium {
    driver: Child,
    port: u16,
    session: String,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // This ends the browser itself; the driver alone would leave it behind.
        let _ = call(self.port, "DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// How often the driver is started: it takes a free port for IPv4 and then wants the same for IPv6, and ends if another program has
/// got it in between.
const DRIVER_STARTS: usize = 20;

/// The driver and its port; `None` if it is not installed.
fn started_driver() -> Option<(Child, u16)> {
    for _ in 0..DRIVER_STARTS {
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
        if let Some(port) = port {
            return Some((driver, port));
        }
        let _ = driver.kill();
        let _ = driver.wait();
    }
    panic!("chromedriver does not say its port");
}

impl Chromium {
    /// A headless Chromium that keeps its files in this folder; `None`, and it is said, if its driver is not installed.
    pub(crate) fn start(profile: &Path) -> Option<Self> {
        let Some((driver, port)) = started_driver() else {
            skipped("chromedriver is not installed; run scripts/install-test-peers");
            return None;
        };
        let mut browser = Self { driver, port, session: String::new() };
        let arguments =
            ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"];
        let mut arguments = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "acceptInsecureCerts": true,
            "goog:chromeOptions": {"args": arguments}
        }}});
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

    pub(crate) fn open(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    /// What a script of one expression comes to on the page.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script comes to that calls its last argument when it is done.
    pub(crate) fn wait_for(&self, script: &str) -> Value {
        self.post("execute/async", &json!({"script": script, "args": []}))
    }

    /// Asks the browser itself for something, by its own protocol.
    pub(crate) fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }

    /// Makes the window so wide and high, in pixels, as a telephone or a PC has it.
    pub(crate) fn size(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What is in the window, as PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let answer = call(self.port, "GET", &format!("/session/{}/screenshot", self.session), &Value::Null);
        BASE64.decode(answer.as_str().unwrap().as_bytes()).unwrap()
    }

    /// Chooses between light and dark colours.
    pub(crate) fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.command("Emulation.setEmulatedMedia", &features);
    }

    fn element(&self, css: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": css}));
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("no {css}: {found}")).to_owned()
    }

    pub(crate) fn fill(&self, css: &str, text: &str) {
        let done = self.post(&format!("element/{}/value", self.element(css)), &json!({"text": text}));
        assert_eq!(done, Value::Null, "{css}");
    }

    /// Empties a field.
    pub(crate) fn clear(&self, css: &str) {
        let done = self.post(&format!("element/{}/clear", self.element(css)), &json!({}));
        assert_eq!(done, Value::Null, "{css}");
    }

    pub(crate) fn click(&self, css: &str) {
        let done = self.post(&format!("element/{}/click", self.element(css)), &json!({}));
        assert_eq!(done, Value::Null, "{css}");
    }

    /// What a reader sees of the page. Nothing between two pages.
    pub(crate) fn text(&self) -> Option<String> {
        let found = self.post("element", &json!({"using": "css selector", "value": "body"}));
        let body = found[ELEMENT].as_str()?;
        let path = format!("/session/{}/element/{body}/text", self.session);
        call(self.port, "GET", &path, &Value::Null).as_str().map(str::to_owned)
    }

    /// Waits until a reader sees this.
    pub(crate) fn shows(&self, wanted: &str) {
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
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Host", format!("127.0.0.1:{port}"))
        .header("Content-Type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let answered = async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut sender, connection) = http1::handshake(FuturesIo::new(stream)).await.unwrap();
        let answer = async {
            let response = sender.send_request(request).await.unwrap();
            response.into_body().collect().await.unwrap().to_bytes()
        };
        // The connection has to be driven while the answer is waited for.
        let driven = async {
            connection.await.unwrap();
            future::pending().await
        };
        answer.or(driven).await
    };
    let late = async {
        Timer::after(PATIENCE).await;
        panic!("chromedriver does not answer {method} {path}")
    };
    let answer = block_on(answered.or(late));
    let text = String::from_utf8_lossy(&answer);
    let answer: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{method} {path}: {error}: {text:?}"));
    answer["value"].clone()
}

/// Where scripts/install-test-peers puts what no distribution has.
pub(crate) fn test_peers() -> PathBuf {
    let own = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/test-peers");
    env::var_os("MCOS_TEST_PEERS").map_or_else(own, PathBuf::from)
}
