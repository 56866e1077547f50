//! The front page, and the pages Player kit and Help.

use super::account;
use super::files::lan_address;
use super::page::{Frame, PageRequest, PageResponse, Site, page};
use crate::admin::health;
use crate::admin::kit::{netbios_name, pages_for_older_windows, port_list};
use askama::Template;

#[derive(Template)]
#[template(path = "front.html")]
struct FrontPage<'a> {
    frame: Frame<'a>,
    description: &'a str,
    host: &'a str,
    players: usize,
    open: bool,
    /// The mistakes in the configuration.
    mistakes: Vec<String>,
    /// What an import of the game's database would add, in words, as long as that was not done.
    missing: Option<String>,
    /// Ports at which the game will not find this server.
    moved: Vec<String>,
}

#[derive(Template)]
#[template(path = "kit.html")]
struct KitPage<'a> {
    frame: Frame<'a>,
    host: &'a str,
    ipv6: bool,
    loopback: bool,
    certificate: bool,
    older_windows: Vec<String>,
    moved: Vec<String>,
}

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage<'a> {
    frame: Frame<'a>,
    host: &'a str,
    ports: String,
}

pub(super) fn front(site: &Site<'_>, request: &PageRequest<'_>) -> PageResponse {
    page(&FrontPage {
        frame: Frame::of(site),
        description: &site.game.config.shard.description,
        host: request.host.as_str(),
        players: site.game.world.population(site.now),
        open: account::open(site),
        mistakes: site.game.config.mistakes.iter().map(ToString::to_string).collect(),
        missing: site.game.catalog.missing(),
        moved: health::moved_ports(&site.game.ports),
    })
}

pub(super) fn kit(site: &Site<'_>, request: &PageRequest<'_>) -> PageResponse {
    let host = request.host.as_str();
    page(&KitPage {
        frame: Frame::of(site),
        host,
        ipv6: request.host.is_ipv6(),
        loopback: request.host.is_loopback(),
        certificate: site.certificate.is_some(),
        older_windows: pages_for_older_windows(
            request.host,
            netbios_name(&site.game.config.network, &site.game.world.own_name.read()),
            lan_address(request.local),
            site.game.ports.http,
        ),
        moved: health::moved_ports(&site.game.ports),
    })
}

pub(super) fn help(site: &Site<'_>, request: &PageRequest<'_>) -> PageResponse {
    let ports = port_list(&site.game.ports);
    page(&HelpPage { frame: Frame::of(site), host: request.host.as_str(), ports })
}
