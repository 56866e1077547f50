//! By which name the system announces this machine with multicast DNS. That is not always its host name: of two machines with one name
//! in one network one takes another (`mcos` becomes `mcos3`), and who reads `mcos.local` in a status of that one reaches the other.
//!
//! systemd-resolved tells it on its socket, in the Varlink protocol: it answers for an address of the loopback network, which it
//! never asks anybody else about, with the names that it has for this machine (*seen in use* with systemd 252 and 257).

use crate::config::HostName;
use serde::Deserialize;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Where systemd-resolved listens.
const SOCKET: &str = "/run/systemd/resolve/io.systemd.Resolve";
/// Asks for the names of 127.0.0.2. A message ends with a zero byte.
const QUESTION: &[u8] =
    b"{\"method\":\"io.systemd.Resolve.ResolveAddress\",\"parameters\":{\"family\":2,\"address\":[127,0,0,2]}}\0";
/// It answers at once, or not at all.
const PATIENCE: Duration = Duration::from_secs(1);
/// A longer answer is none, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;
/// The end of a name that is announced.
const END: &str = ".local";

#[derive(Deserialize)]
struct Answer {
    parameters: Names,
}

#[derive(Deserialize)]
struct Names {
    names: Vec<Name>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// The name, without `.local`; `None` where nobody tells. Blocks, for a second or two at most.
pub(super) fn published_name() -> Option<String> {
    ask(Path::new(SOCKET))
}

fn ask(socket: &Path) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(QUESTION).ok()?;
    let mut answer = Vec::new();
    BufReader::new(stream.take(MAX_ANSWER)).read_until(0, &mut answer).ok()?;
    let answer: Answer = serde_json::from_slice(answer.strip_suffix(b"\0")?).ok()?;
    answer.parameters.names.iter().find_map(|Name { name }| {
        let host = name.trim_end_matches('.').strip_suffix(END)?;
        // What can be no name of a machine must not reach a certificate.
        HostName::parse(host).filter(|_| !host.contains('.')).map(|_| host.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::thread;

    /// What is made of an answer, and what was asked.
    fn told(answer: &[u8]) -> (Option<String>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        thread::scope(|scope| {
            let resolver = scope.spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = Vec::new();
                BufReader::new(&stream).read_until(0, &mut asked).unwrap();
                stream.write_all(answer).unwrap();
                asked
            });
            (ask(&path), resolver.join().unwrap())
        })
    }

    #[test]
    fn the_name_that_is_announced_is_told_from_the_others() {
        let answer = b"{\"parameters\":{\"names\":[{\"ifindex\":1,\"name\":\"mcos\"},{\"ifindex\":1,\"name\":\"mcos3\"},\
            {\"ifindex\":1,\"name\":\"mcos3.local\"},{\"ifindex\":1,\"name\":\"localhost\"}],\"flags\":786945}}\0";
        let (name, asked) = told(answer);
        assert_eq!(name.as_deref(), Some("mcos3"));
        let asked: serde_json::Value = serde_json::from_slice(asked.strip_suffix(b"\0").unwrap()).unwrap();
        assert_eq!(asked["method"], "io.systemd.Resolve.ResolveAddress");
        assert_eq!(asked["parameters"]["address"], serde_json::json!([127, 0, 0, 2]));
    }

    #[test]
    fn who_does_not_answer_so_has_told_no_name() {
        let named =
            |name: &str| format!("{{\"parameters\":{{\"names\":[{{\"name\":\"{name}\"}}]}}}}\0").into_bytes();
        for answer in [
            b"{\"error\":\"io.systemd.Resolve.NoSuchResourceRecord\",\"parameters\":{}}\0".to_vec(),
            b"{\"parameters\":{\"names\":[]}}\0".to_vec(),
            b"{\"parameters\":{\"names\":[{\"name\":\"mcos.local\"}]}}".to_vec(),
            named("mcos"),
            named(".local"),
            named("a.b.local"),
            named("a b.local"),
            Vec::new(),
        ] {
            assert_eq!(told(&answer).0, None, "{}", String::from_utf8_lossy(&answer));
        }
        assert_eq!(told(&named("mcos.local.")).0.as_deref(), Some("mcos"));
        assert_eq!(ask(Path::new("/nowhere/at/all")), None);
    }
}
