//! `/events.ics`: the race nights as a calendar that a phone subscribes to (RFC 5545).

use crate::store::{Night, StoreError};
use crate::web::page::{PageResponse, Site};
use crate::web::words::{money, track};

/// Lines are at most so long, in bytes.
const LONGEST_LINE: usize = 75;

pub(super) fn file(site: &Site<'_>) -> Result<PageResponse, StoreError> {
    let mut text = String::new();
    let shard = &site.game.config.shard.name;
    for line in [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//mcos//race nights//EN".to_owned(),
        format!("X-WR-CALNAME:{}", escaped(&format!("{shard}: race nights"))),
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H".to_owned(),
    ] {
        push(&mut text, &line);
    }
    for night in site.game.store.nights().open()? {
        for line in event(site, &night) {
            push(&mut text, &line);
        }
    }
    push(&mut text, "END:VCALENDAR");
    Ok(PageResponse { content_type: "text/calendar; charset=utf-8", ..PageResponse::text(text) })
}

fn event(site: &Site<'_>, night: &Night) -> Vec<String> {
    let plan = &night.plan;
    let about = format!(
        "{} Fee {}, purse {}. See /events/{}.",
        plan.text,
        money(plan.fee),
        money(night.purse()),
        night.id
    );
    let mut lines = vec![
        "BEGIN:VEVENT".to_owned(),
        format!("UID:night-{}-shard-{}@mcos", night.id, site.game.config.shard.id),
        format!("DTSTAMP:{}", stamp(site.now.unix)),
        format!("DTSTART:{}", stamp(plan.start.into())),
        format!("DTEND:{}", stamp(plan.end.into())),
        format!("SUMMARY:{}", escaped(&plan.name)),
        format!("LOCATION:{}", escaped(&track(&site.game.catalog, plan.lobby))),
        format!("DESCRIPTION:{}", escaped(about.trim())),
    ];
    // The next one gets a number of its own when this one is over.
    lines.extend(plan.weekly.then(|| "RRULE:FREQ=WEEKLY".to_owned()));
    lines.push("END:VEVENT".to_owned());
    lines
}

/// A moment as `20300701T200000Z`.
fn stamp(unix: u64) -> String {
    let moment = crate::clock::moment(unix).replace(['-', ':'], "").replace(' ', "T");
    format!("{moment}Z")
}

/// A text as a value.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for sign in text.chars().filter(|sign| !sign.is_control()) {
        if matches!(sign, '\\' | ';' | ',') {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    escaped
}

/// Adds a line, folded: what follows begins with a space, and no character is torn.
fn push(text: &mut String, line: &str) {
    let mut length = 0;
    for sign in line.chars() {
        if length + sign.len_utf8() > LONGEST_LINE {
            text.push_str("\r\n ");
            length = 1;
        }
        text.push(sign);
        length += sign.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_without_tearing_a_character_and_values_are_escaped() {
        let mut text = String::new();
        push(&mut text, &format!("SUMMARY:{}", escaped(&"\u{e9}a,;\\\r\n".repeat(40))));
        for line in text.split("\r\n") {
            assert!(line.len() <= LONGEST_LINE, "{line}");
        }
        assert_eq!(text.replace("\r\n ", ""), format!("SUMMARY:{}\r\n", "\u{e9}a\\,\\;\\\\".repeat(40)));
        assert_eq!(stamp(1_909_094_400), "20300701T000000Z");
    }
}
