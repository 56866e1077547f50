//! How long pages of the city take, as somebody sees them who has not signed in.

use mcos::clock::Now;
use mcos::config::HostName;
use mcos::services::Game;
use mcos::web::{self, PageRequest, Site};
use mcos::world::FailureLimit;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

/// How often each page is asked for.
const TIMES: usize = 11;
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Prints for each path the median and the worst time, in milliseconds.
pub(crate) fn time(game: &Game, paths: &[&str], now: Now) {
    let (registrations, host) = (FailureLimit::new(1), HostName::parse("mcos.local").expect("host"));
    for path in paths {
        let site = Site::new(game, None, &registrations, now);
        let (page, query) = path.split_once('?').unwrap_or((path, ""));
        let request = PageRequest {
            path: page,
            query,
            host: &host,
            peer: HOME,
            local: HOME,
            cookies: "",
            secure: false,
            known: "",
            authorization: "",
        };
        let mut times = [0.0; TIMES];
        for time in &mut times {
            let began = Instant::now();
            let answer = web::read(&site, &request).expect("a page");
            assert!(answer.status < 500 && answer.body.len() < 60_000, "{path}: {}", answer.status);
            *time = began.elapsed().as_secs_f64() * 1e3;
        }
        say(path, &mut times);
    }
}

/// Prints the median and the worst of some times, in milliseconds.
pub(crate) fn say(what: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let worst = times.last().copied().unwrap_or_default();
    println!("  {what:<44} {median:>10.2} ms (worst of {}: {worst:.2})", times.len());
}
