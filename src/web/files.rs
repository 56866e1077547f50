//! The files that a player's PC needs: kit, certificate, key and registry settings.

use super::page::{CachePolicy, PageRequest, PageResponse, Site, message};
use crate::admin::kit::{self, Kit, KitError, View, netbios_name};
use log::error;
use std::net::{IpAddr, Ipv4Addr};

const BYTES: &str = "application/octet-stream";

/// The whole kit, made for the name or address that the browser used.
pub(super) fn kit(site: &Site<'_>, request: &PageRequest<'_>) -> PageResponse {
    let Some(public_key) = public_key(site) else { return no_key(site) };
    let kit = Kit {
        host: request.host.clone(),
        address: lan_address(request.local),
        netbios: netbios_name(&site.game.config.network, &site.game.world.own_name.read()),
        ports: site.game.ports.clone(),
        public_key,
        certificate: site.certificate.cloned(),
    };
    match kit.zip() {
        Ok(zip) => PageResponse::file("mcos-player-kit.zip", "application/zip", zip),
        Err(KitError::Ipv6) => message(site, 409, "No kit for this address", NO_IPV6),
        Err(e @ KitError::Zip(_)) => {
            error!("http: {e}");
            message(site, 500, "No kit", "The server could not make the kit. Its log says why.")
        }
    }
}

const NO_IPV6: &str = "The game cannot use IPv6 addresses. Open the page with the server's name or its IPv4 address, and try \
                       again there.";

/// The server's address that the browser used, if another PC could use it too.
pub(super) fn lan_address(local: IpAddr) -> Option<Ipv4Addr> {
    match local.to_canonical() {
        IpAddr::V4(address) if !address.is_loopback() => Some(address),
        _ => None,
    }
}

/// The certificate of the server's own authority. `.crt`, because the shell of Windows XP knows no `.pem`.
pub(super) fn certificate(site: &Site<'_>) -> PageResponse {
    match site.certificate {
        Some(certificate) => {
            PageResponse::file("mcos-ca.crt", "application/x-x509-ca-cert", certificate.pem().into_bytes())
        }
        None => message(
            site,
            404,
            "No certificate",
            "This server has no certificate for players. Tell the operator.",
        ),
    }
}

/// The file `pub.key` for the Client's folder.
pub(super) fn key(site: &Site<'_>) -> PageResponse {
    match public_key(site) {
        Some(key) => PageResponse::file("pub.key", BYTES, key.into_bytes()),
        None => no_key(site),
    }
}

fn public_key(site: &Site<'_>) -> Option<String> {
    let key = site.game.login_key().public_hex();
    key.inspect_err(|e| error!("http: the login key cannot be served: {e}")).ok()
}

fn no_key(site: &Site<'_>) -> PageResponse {
    message(site, 500, "No key", "The server cannot read its login key. Its log says why.")
}

/// The settings for both halves of a 64-bit registry; the one half that a 32-bit Windows has no use for does no harm there.
pub(super) fn registry(site: &Site<'_>, request: &PageRequest<'_>) -> PageResponse {
    if request.host.is_ipv6() {
        return message(site, 409, "No settings for this address", NO_IPV6);
    }
    let text = kit::registry(&[View::Native, View::Wow64], request.host, &site.game.ports);
    PageResponse::file("mcos.reg", BYTES, text.into_bytes())
}

pub(super) fn style() -> PageResponse {
    kept("text/css; charset=utf-8", include_bytes!("../../templates/style.css"))
}

/// The picture beside the title, for which every browser asks by itself: a chequered flag.
pub(super) fn icon() -> PageResponse {
    kept("image/x-icon", include_bytes!("../../templates/favicon.ico"))
}

/// A file that browsers need not ask for with every page.
fn kept(content_type: &'static str, body: &[u8]) -> PageResponse {
    PageResponse {
        status: 200,
        content_type,
        file_name: None,
        cache: CachePolicy::OneDay,
        headers: Vec::new(),
        body: body.to_vec(),
    }
}
