//! Keeps `status.txt` and systemd's line about us true, as far as there is somebody to read them.

use super::addresses;
use super::published_name::published_name;
use super::systemd;
use super::tls::Tls;
use crate::admin::kit::netbios_name;
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
/// Each time after so many looks the system is asked for our name, as long as that stays the same.
const LOOKS_PER_NAME: u32 = 5;
/// So often it may become another one without being asked for less often: that of the system, that of the network, and again.
const USUAL_NAMES: u32 = 4;
/// At most so often the pause is doubled: to about an hour.
const MOST_DOUBLINGS: u32 = 8;
/// More addresses than any home's box has.
const MOST_ADDRESSES: usize = 8;

/// What hangs there now.
#[derive(Default)]
struct Posted {
    file: String,
    line: String,
}

/// Where things are while the server runs; the addresses and the names are looked up each time. `netbios`: whether Windows XP is
/// answered.
pub(super) fn host_info(game: &Game, netbios: bool, password_forgotten: bool) -> HostInfo {
    let place = HostInfo { ready_since: Now::read().unix, password_forgotten, ..HostInfo::default() };
    named(game, place, netbios)
}

/// The same under the name that this machine has now.
fn named(game: &Game, place: HostInfo, netbios: bool) -> HostInfo {
    let host = game.world.own_name.read();
    let name = netbios_name(&game.config.network, &host).filter(|_| netbios);
    HostInfo { host, netbios: name.map(|name| name.as_str().to_owned()), ..place }
}

/// Posts what is true, for ever.
pub(super) async fn keep(game: Arc<Game>, tls: Tls, place: HostInfo, file: Option<PathBuf>) {
    let mut posted = Posted::default();
    let (mut pause, mut changes) = (0_u32, 0_u32);
    loop {
        let (game, tls, place, file) = (Arc::clone(&game), tls.clone(), place.clone(), file.clone());
        let is_renamed;
        (posted, is_renamed) = smol::unblock(move || {
            let is_renamed = pause == 0 && look_for_name(&game, &tls);
            let netbios = place.netbios.is_some();
            let place = HostInfo { addresses: addresses(&game.config.network), ..place };
            (post(&game, &named(&game, place, netbios), file.as_deref(), posted), is_renamed)
        })
        .await;
        changes += u32::from(is_renamed);
        pause = pause.checked_sub(1).unwrap_or_else(|| looks_per_name(changes) - 1);
        Timer::after(LOOK).await;
    }
}

/// How many looks it is from one question for our name to the next, after so many changes: who takes every name from us must not have
/// certificates written all day.
fn looks_per_name(changes: u32) -> u32 {
    LOOKS_PER_NAME << changes.saturating_sub(USUAL_NAMES).min(MOST_DOUBLINGS)
}

/// Another machine in the network may have our name, which this one then gives up. Whether that has happened.
fn look_for_name(game: &Game, tls: &Tls) -> bool {
    let Some(name) = published_name().filter(|name| game.world.own_name.set(name)) else { return false };
    log::info!("the network knows this machine as {name}.local");
    // Otherwise browsers that come by that name warn, and the kit's test fails.
    if let Err(error) = tls.refresh() {
        log::warn!("the certificates stay as they are, without the new name: {error}");
    }
    true
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
    fn who_takes_every_name_from_us_is_followed_more_and_more_slowly() {
        let looks: Vec<u32> = (0..20).map(looks_per_name).collect();
        assert!(looks[..5].iter().all(|looks| *looks == LOOKS_PER_NAME) && looks.is_sorted(), "{looks:?}");
        assert_eq!(u64::from(*looks.last().unwrap()) * LOOK.as_secs() / 60, 64, "minutes");
        assert_eq!(looks_per_name(u32::MAX), *looks.last().unwrap());
    }

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
