//! The index of messages in `docs/protocol/README.md` is what the message tables and the services' tables say.
//! `MCOS_UPDATE_DOCS=1 cargo test --test it messages` writes it anew.

use mco_proto::table::{Layout, Sender};
use mco_proto::{mcots, nps};
use mcos::services::{Listed, Reply, Who, lobby, login, mail, mcots as transactions, persona};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- The tables below are written by tests/it/messages.rs -->\n";
const END: &str = "<!-- The tables above are written by tests/it/messages.rs -->\n";

/// Where messages are described: the pages, and how a heading names a number.
const GAME_PAGES: [&str; 2] = ["login-persona-mail.md", "lobby-rooms.md"];
const TRANSACTION_PAGES: [&str; 1] = ["mcots-messages.md"];
/// What [races](races.md) is about, as a whole.
const RACES: [u16; 18] =
    [202, 218, 223, 224, 230, 232, 233, 234, 235, 237, 240, 241, 434, 435, 448, 455, 231, 236];

/// The anchor that a page's reader gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c))
        .collect::<String>();
    kept.replace(' ', "-")
}

/// Links to the headings that `numbers_of` finds numbers in.
fn links(docs: &Path, pages: &[&str], numbers_of: fn(&str) -> Vec<u16>) -> BTreeMap<u16, String> {
    let mut links = BTreeMap::new();
    for page in pages {
        let text = fs::read_to_string(docs.join(page)).unwrap();
        for heading in text.lines().filter(|line| line.starts_with('#')) {
            let heading = heading.trim_start_matches('#').trim();
            for number in numbers_of(heading) {
                let link = format!("[{}]({page}#{})", page.trim_end_matches(".md"), anchor(heading));
                links.entry(number).or_insert(link);
            }
        }
    }
    links
}

fn game_numbers(heading: &str) -> Vec<u16> {
    let words = heading.split(|c: char| !c.is_ascii_alphanumeric());
    let numbers: Vec<u16> =
        words.filter_map(|word| u16::from_str_radix(word.strip_prefix("0x")?, 16).ok()).collect();
    match numbers[..] {
        [first, last] if heading.contains(" to ") => (first..=last).collect(),
        _ => numbers,
    }
}

fn transaction_numbers(heading: &str) -> Vec<u16> {
    let words = heading.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.len() == 3).filter_map(|word| word.parse().ok()).collect()
}

fn bodies(layouts: &[Layout], sender: Sender) -> String {
    let of = layouts.iter().filter(|layout| layout.sender == sender);
    of.map(|layout| format!("`{}`", layout.name.replace(' ', ""))).collect::<Vec<_>>().join(", ")
}

fn rule(rows: &[Listed], number: u16) -> (&'static str, &'static str) {
    let Some(row) = rows.iter().find(|row| (row.first..=row.last).contains(&number)) else { return ("", "") };
    let who = match row.who {
        Who::Anyone => "anyone",
        Who::SignedIn => "signed in",
        Who::Encrypted => "encrypted",
    };
    (who, if row.reply == Reply::Expected { "yes" } else { "never" })
}

fn row(
    out: &mut String,
    number: &str,
    name: &str,
    about: &str,
    layouts: &[Layout],
    rule: (&str, &str),
    link: &str,
) {
    let (client, server) = (bodies(layouts, Sender::Client), bodies(layouts, Sender::Server));
    // Links to items of the code mean nothing on a page.
    let about = about.trim().replace(['[', ']'], "");
    let (who, reply) = rule;
    writeln!(out, "| {number} | {name} | {about} | {client} | {who} | {reply} | {server} | {link} |")
        .unwrap();
}

fn written(docs: &Path) -> String {
    let head = "| number | name | what it is | body from the Client | who may send it | answered | body from the Server | page |\n\
                |---|---|---|---|---|---|---|---|\n";
    let mut out = String::from(BEGIN);
    write!(out, "\n### NPS\n\n{head}").unwrap();
    let rules = [login::listed(), persona::listed(), mail::listed(), lobby::listed()].concat();
    let pages = links(docs, &GAME_PAGES, game_numbers);
    for message in nps::id::TABLE {
        let number = message.id.0;
        let link = pages.get(&number).map(String::as_str).unwrap_or_default();
        let shown = format!("{number:04X}");
        row(&mut out, &shown, message.name, message.about, message.layouts, rule(&rules, number), link);
    }
    write!(out, "\n### MCOTS\n\n{head}").unwrap();
    let (rules, pages) = (transactions::listed(), links(docs, &TRANSACTION_PAGES, transaction_numbers));
    for message in mcots::number::TABLE {
        let number = message.number.0;
        let races = if RACES.contains(&number) { "[races](races.md)" } else { "" };
        let link = pages.get(&number).map_or(races, String::as_str);
        row(
            &mut out,
            &number.to_string(),
            message.name,
            message.about,
            message.layouts,
            rule(&rules, number),
            link,
        );
    }
    out.push('\n');
    out.push_str(END);
    out
}

#[test]
fn the_index_of_messages_is_what_the_tables_say() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol");
    let page = docs.join("README.md");
    let text = fs::read_to_string(&page).unwrap();
    let (start, end) = (text.find(BEGIN).unwrap(), text.find(END).unwrap() + END.len());
    let written = written(&docs);
    if std::env::var_os("MCOS_UPDATE_DOCS").is_some() {
        let text = format!("{}{written}{}", &text[..start], &text[end..]);
        fs::write(&page, text).unwrap();
        return;
    }
    assert!(
        text[start..end] == written,
        "docs/protocol/README.md is out of date; run: MCOS_UPDATE_DOCS=1 cargo test --test it messages"
    );
}
