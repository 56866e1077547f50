//! Keeps `status.txt` and systemd's line about us true, as far as there is somebody to read them.

use super::addresses;
use super::netbios::NameService;
use super::systemd;
use crate::admin::status::{self, HostInfo};
use crate::atomic_file::{self, Access};
use crate::clock::Now;
use crate::config::Network;
use crate::services::Game;
use smol::Timer;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often we look whether something has changed: a router may give the box another address at any time.
const LOOK: Duration = Duration::from_secs(3);
/// More addresses than any home's box has.
const MOST_ADDRESSES: usize = 8;

/// What hangs there now.
#[derive(Default)]
struct Posted {
    file: String,
    line: String,
}

/// Where things are while the server runs; the addresses are looked up each time.
pub(super) fn host_info(names: &[NameService], password_forgotten: bool) -> HostInfo {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    HostInfo {
        addresses: Vec::new(),
        host: host.split('.').next().unwrap_or_default().to_owned(),
        netbios: names.first().map(|service| service.name().as_str().to_owned()),
        ready_since: Now::read().unix,
        password_forgotten,
    }
}

/// Posts what is true, for ever.
pub(super) async fn keep(game: Arc<Game>, place: HostInfo, file: Option<PathBuf>) {
    let mut posted = Posted::default();
    loop {
        let (game, place, file) = (Arc::clone(&game), place.clone(), file.clone());
        posted = smol::unblock(move || {
            let addresses = addresses(&game.config.network);
            post(&game, &HostInfo { addresses, ..place }, file.as_deref(), posted)
        })
        .await;
        Timer::after(LOOK).await;
    }
}

/// Posts what differs from what is there.
fn post(game: &Game, place: &HostInfo, file: Option<&Path>, mut posted: Posted) -> Posted {
    let line = status::line(game, place, Now::read());
    if line != posted.line {
        systemd::status(&line);
        posted.line = line;
    }
    if let Some(path) = file {
        let text = status::file(game, place);
        if text != posted.file {
            write(path, &text);
            // Also if that failed: the next try is for the next change, not for every look.
            posted.file = text;
        }
    }
    posted
}

/// Writes `status.txt`. Not synced: it lies in memory on a box, and is written anew at each start.
pub(crate) fn write(path: &Path, text: &str) {
    let written = atomic_file::replace_unsynced(path, Access::Everyone, |new| new.write_all(text.as_bytes()));
    if let Err(error) = written {
        log::warn!("{} cannot be written: {error}", path.display());
    }
}

/// The addresses by which others may reach us: those of this machine, as far as the server listens there.
pub(super) fn addresses(network: &Network) -> Vec<IpAddr> {
    let everywhere = network.bind.iter().any(|bound| bound.is_unspecified() && bound.is_ipv4());
    let found = addresses::own().into_iter().map(IpAddr::V4);
    found.filter(|address| everywhere || network.bind.contains(address)).take(MOST_ADDRESSES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_file_is_written_when_its_text_changes_and_not_otherwise() {
        let (game, folder) = Game::for_tests();
        let path = folder.path().join("status.txt");
        let mut place = HostInfo { host: "mcos".to_owned(), ..HostInfo::default() };
        let posted = post(&game, &place, Some(&path), Posted::default());
        assert!(fs::read_to_string(&path).unwrap().contains("no address yet"));
        fs::remove_file(&path).unwrap();
        let posted = post(&game, &place, Some(&path), posted);
        assert!(!path.exists(), "nothing has changed, so nothing is written");
        place.addresses.push("10.0.0.7".parse().unwrap());
        post(&game, &place, Some(&path), posted);
        assert!(fs::read_to_string(&path).unwrap().contains("http://10.0.0.7/"));
        assert!(!path.with_extension("txt.new").exists());
    }
}
