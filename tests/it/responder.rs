//! A small HTTPS server around `server::tls::accept`, for foreign TLS stacks to talk to.

use crate::support::PATIENCE;
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use mcos::server::tls::{self, Security, Tls};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// What every stack has to fetch: more than two records full, so that continuation is seen.
pub(crate) fn body() -> Vec<u8> {
    (0..40_000_u32).map(|at| b"0123456789abcdef"[(at * 7 + at / 16) as usize % 16]).collect()
}

/// A running server.
pub(crate) struct Responder {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Tls,
    pub(crate) data: TempDir,
    /// What each connection came to, in words.
    pub(crate) outcomes: Receiver<String>,
}

impl Responder {
    pub(crate) fn start() -> Self {
        Self::start_with(true, PATIENCE)
    }

    pub(crate) fn start_with(legacy_allowed: bool, patience: Duration) -> Self {
        let data = tempfile::tempdir().unwrap();
        let tls = Tls::open(data.path(), None, legacy_allowed).unwrap().with_patience(patience);
        let listener = smol::block_on(async_net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, outcomes) = mpsc::channel();
        let shared = tls.clone();
        thread::spawn(move || {
            let executor = smol::LocalExecutor::new();
            smol::block_on(executor.run(async {
                while let Ok((stream, peer)) = listener.accept().await {
                    let (shared, tell) = (shared.clone(), tell.clone());
                    executor
                        .spawn(async move {
                            let outcome = match tls::accept(&shared, stream, peer).await {
                                Ok(secured) => answer(secured).await,
                                Err(error) => format!("{error:?}"),
                            };
                            let _ = tell.send(outcome);
                        })
                        .detach();
                }
            }));
        });
        Self { address, tls, data, outcomes }
    }

    /// The authority's certificate in a file.
    pub(crate) fn ca_file(&self) -> PathBuf {
        let path = self.data.path().join("ca.crt");
        std::fs::write(&path, self.tls.authority().certificate_pem()).unwrap();
        path
    }

    /// What the next connection came to.
    pub(crate) fn outcome(&self) -> String {
        self.outcomes.recv_timeout(PATIENCE).unwrap_or_else(|_| "nothing".to_owned())
    }
}

async fn answer(mut secured: tls::Secured) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 1000];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match secured.stream.read(&mut chunk).await {
            Ok(0) => return "closed".to_owned(),
            Ok(count) => request.extend_from_slice(&chunk[..count]),
            Err(error) => return format!("{error:?}"),
        }
    }
    let security = secured.security;
    let body = body();
    let head =
        format!("HTTP/1.0 200 OK\r\nX-Security: {security:?}\r\nContent-Length: {}\r\n\r\n", body.len());
    let wrote = async {
        secured.stream.write_all(head.as_bytes()).await?;
        secured.stream.write_all(&body).await?;
        secured.stream.flush().await?;
        secured.stream.close().await
    };
    match wrote.await {
        Ok(()) => name(security).to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

pub(crate) fn name(security: Security) -> &'static str {
    match security {
        Security::Plain => "plain",
        Security::Legacy => "legacy",
        Security::Modern => "modern",
    }
}

/// Whether `output` is the whole answer of the responder over a connection of that kind.
pub(crate) fn is_whole_answer(output: &[u8], security: Security) -> bool {
    let head = format!("HTTP/1.0 200 OK\r\nX-Security: {security:?}\r\nContent-Length: 40000\r\n\r\n");
    output.strip_prefix(head.as_bytes()) == Some(&body()[..])
}
