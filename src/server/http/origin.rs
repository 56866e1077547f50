//! Whether a form comes from a page of this server, and whether a name is one of its own: other sites, which a player has open at the
//! same time, must not make accounts here or lock anybody out.

use hyper::header::{HeaderMap, HeaderName, ORIGIN, REFERER};
use std::net::IpAddr;

/// What a browser of today says about who sends a request.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// How the names end that routers and machines of a home give out, and that nobody can have in the internet. Of ".box", which is sold there, only
/// the name that FRITZ!Box routers give themselves.
const HOME_NAMES: [&str; 8] =
    [".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain", ".fritz.box", ".localhost"];

/// Whether a form was sent by a page of another site. `host` is the name and port by which the browser reached us. What says nothing
/// of where it comes from is no browser of today; those of old say at least which page they were on.
pub(super) fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text(&SEC_FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return true;
    }
    let from = text(&ORIGIN).or_else(|| text(&REFERER));
    from.is_some_and(|from| !authority(from).is_some_and(|from| from.eq_ignore_ascii_case(host)))
}

/// Name and port in an address such as `http://mcos.local:8080/account`.
fn authority(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    rest.split(['/', '?', '#']).next()
}

/// Whether `host`, with or without a port, is a name by which this server can be meant: an address, a name without dots, one of a home
/// network, or one of `own`. Any other belongs to a stranger who lets it point here, so that pages of his own count as ours.
pub(super) fn is_own_name(host: &str, mut own: impl Iterator<Item = String>) -> bool {
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = without_port.trim_end_matches('.').to_ascii_lowercase();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || HOME_NAMES.iter().any(|end| name.ends_with(end))
        || own.any(|own| own.eq_ignore_ascii_case(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn foreign(host: &str, said: &[(&'static str, &'static str)]) -> bool {
        let headers =
            said.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_foreign(&headers.collect(), host)
    }

    #[test]
    fn a_form_of_another_site_is_told_by_whatever_the_browser_says() {
        for ours in [
            &[("origin", "http://mcos.local:8080"), ("sec-fetch-site", "same-origin")][..],
            &[("origin", "http://MCOS.local:8080")],
            &[("referer", "http://mcos.local:8080/account?again")],
            &[],
        ] {
            assert!(!foreign("mcos.local:8080", ours), "{ours:?}");
        }
        for theirs in [
            &[("origin", "http://evil.example")][..],
            &[("origin", "http://mcos.local")],
            &[("origin", "null")],
            &[("origin", "http://mcos.local:8080.evil.example")],
            &[("referer", "http://evil.example/http://mcos.local:8080/")],
            &[("origin", "http://mcos.local:8080"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(foreign("mcos.local:8080", theirs), "{theirs:?}");
        }
    }

    #[test]
    fn names_of_the_home_are_ours_and_names_of_the_internet_only_if_we_have_them() {
        let own = || ["play.example.org".to_owned()].into_iter();
        for ours in [
            "192.168.1.2",
            "192.168.1.2:8080",
            "[fd00::1]:8080",
            "mcos",
            "MCOS:80",
            "mcos.local",
            "mcos.local.",
            "mcos.fritz.box",
            "mcos.lan:8080",
            "localhost",
            "Play.example.org:80",
        ] {
            assert!(is_own_name(ours, own()), "{ours}");
        }
        for theirs in [
            "evil.box",
            "evil-fritz.box",
            "evil.example",
            "192.168.1.2.evil.example:80",
            "local.evil.example",
            "example.org",
        ] {
            assert!(!is_own_name(theirs, own()), "{theirs}");
        }
    }
}
