//! Handshakes per second of the HTTPS port, beside OpenSSL's own server with the same keys: `cargo bench --bench tls`.
//!
//! `openssl s_time` drives both in turns, one connection after the other, so that what it costs the client weighs on both
//! alike. `MCOS_BENCH_SECONDS` (default 3) is the length of a turn. Without OpenSSL there is nothing to compare with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that fails has nothing to say"
)]

use futures_lite::AsyncReadExt as _;
use mcos::server::tls::{self, Leaf, Tls};
use rsa::pkcs8::LineEnding;
use rsa::pkcs8::der::pem::encode_string;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const TURNS: u32 = 3;

/// A way to shake hands: what to call it, how OpenSSL is told to do it, and with which of the two certificates.
struct Way {
    name: &'static str,
    options: &'static [&'static str],
    legacy: bool,
}

const WAYS: [Way; 4] = [
    Way { name: "TLS 1.3, ECDSA P-256", options: &["-tls1_3"], legacy: false },
    Way {
        name: "TLS 1.2, ECDHE-ECDSA-AES128-GCM",
        options: &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
        legacy: false,
    },
    Way {
        name: "TLS 1.0, RSA-2048, AES128-SHA",
        options: &["-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"],
        legacy: true,
    },
    Way {
        name: "TLS 1.0, RSA-2048, AES256-SHA",
        options: &["-tls1", "-cipher", "AES256-SHA:@SECLEVEL=0"],
        legacy: true,
    },
];

fn main() {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        println!("SKIPPED: openssl is not installed");
        return;
    }
    let seconds: u32 =
        std::env::var("MCOS_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let data = tempfile::tempdir().unwrap();
    let tls = Tls::open(data.path(), None, true).unwrap();
    let ours = serve(&tls);
    println!("{:<34}{:>12}{:>12}{:>8}", "handshakes per second", "mcos", "s_server", "ratio");
    for way in WAYS {
        let leaves = tls.authority().leaves();
        let theirs =
            SServer::start(data.path(), if way.legacy { &leaves.legacy } else { &leaves.modern }, &way);
        let mut rates = [0.0; 2];
        for _ in 0..TURNS {
            for (rate, address) in rates.iter_mut().zip([ours, theirs.address]) {
                *rate += handshakes(address, &way, seconds) / f64::from(TURNS);
            }
        }
        let [ours, theirs] = rates;
        println!("{:<34}{ours:>12.1}{theirs:>12.1}{:>8.2}", way.name, ours / theirs);
    }
}

/// Our server, on as many threads as the machine has cores. It reads until the client leaves.
fn serve(tls: &Tls) -> SocketAddr {
    static EXECUTOR: smol::Executor<'_> = smol::Executor::new();
    let listener = smol::block_on(async_net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
        thread::spawn(|| smol::block_on(EXECUTOR.run(std::future::pending::<()>())));
    }
    let tls = tls.clone();
    let accept = async move {
        while let Ok((stream, peer)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let tls = tls.clone();
            let converse = async move {
                if let Ok(mut secured) = tls::accept(&tls, stream, peer).await {
                    let _ = secured.stream.read(&mut [0; 100]).await;
                }
            };
            EXECUTOR.spawn(converse).detach();
        }
    };
    EXECUTOR.spawn(accept).detach();
    address
}

/// OpenSSL's server, ended when dropped.
struct SServer {
    address: SocketAddr,
    process: Child,
}

impl SServer {
    fn start(folder: &Path, leaf: &Leaf, way: &Way) -> Self {
        let pem = |name: &str, label: &str, der: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, encode_string(label, LineEnding::LF, der).unwrap()).unwrap();
            path
        };
        let [certificate, authority, ..] = leaf.chain.as_slice() else { panic!("a chain of two") };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let process = Command::new("openssl")
            .args(["s_server", "-quiet", "-accept", &address.to_string()])
            .arg("-cert")
            .arg(pem("leaf.pem", "CERTIFICATE", certificate))
            .arg("-cert_chain")
            .arg(pem("ca.pem", "CERTIFICATE", authority))
            .arg("-key")
            .arg(pem("leaf.key", "PRIVATE KEY", leaf.key.secret_pkcs8_der()))
            .args(way.options)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "openssl s_server does not start");
            thread::sleep(Duration::from_millis(20));
        }
        Self { address, process }
    }
}

impl Drop for SServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Handshakes per second, by the clock on the wall.
fn handshakes(address: SocketAddr, way: &Way, seconds: u32) -> f64 {
    let started = Instant::now();
    let output = Command::new("openssl")
        .args(["s_time", "-new", "-connect", &address.to_string(), "-time", &seconds.to_string()])
        .args(way.options)
        .output()
        .unwrap();
    let elapsed = started.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&output.stdout);
    let count =
        text.lines().find_map(|line| line.split_once(" connections in ")?.0.trim().parse::<f64>().ok());
    let count =
        count.unwrap_or_else(|| panic!("{}: {text}{}", way.name, String::from_utf8_lossy(&output.stderr)));
    count / elapsed
}
