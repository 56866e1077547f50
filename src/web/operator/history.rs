//! The plots of *Health*: players, races, saved changes, memory and temperature over a day and a month, and the numbers in a table.

use super::pages::{self, Frame};
use super::request::OperatorResponse;
use crate::admin::history::{History, Sample, Span};
use crate::clock::moment;
use crate::web::plot::{self, Plot, Shape};
use askama::Template;

/// The table, and before a slash the plots.
pub(super) const PAGE: &str = "/operator/history";
/// Lines of the table.
const ROWS: usize = 48;

/// One of the things that are plotted.
struct Quantity {
    /// In the address of the plot.
    name: &'static str,
    title: &'static str,
    of: fn(&Sample) -> Option<u64>,
}

const QUANTITIES: [Quantity; 5] = [
    Quantity { name: "players", title: "Players on line", of: |sample| Some(sample.players.into()) },
    Quantity { name: "races", title: "Races under way", of: |sample| Some(sample.races.into()) },
    Quantity { name: "changes", title: "Changes saved", of: |sample| Some(sample.changes.into()) },
    Quantity { name: "memory", title: "Memory in KiB", of: |sample| Some(sample.memory.into()) },
    Quantity {
        name: "temperature",
        title: "Temperature in degrees Celsius",
        of: |sample| u64::try_from(sample.temperature?).ok(),
    },
];

const fn word(span: Span) -> &'static str {
    match span {
        Span::Day => "day",
        Span::Month => "month",
    }
}

/// A plot as *Health* shows it.
pub(super) struct Picture {
    pub(super) title: &'static str,
    /// The addresses: of a day and of a month.
    pub(super) pictures: [String; 2],
}

/// The plots that there is something to draw for.
pub(super) fn pictures(history: &History) -> Vec<Picture> {
    let samples = history.samples(Span::Month);
    let told = |quantity: &&Quantity| samples.iter().any(|sample| (quantity.of)(sample).is_some());
    let picture = |quantity: &Quantity| Picture {
        title: quantity.title,
        pictures: Span::ALL.map(|span| format!("{PAGE}/{}-{}.svg", quantity.name, word(span))),
    };
    QUANTITIES.iter().filter(told).map(picture).collect()
}

/// Whether a path is one of these pages.
pub(super) fn is_here(path: &str) -> bool {
    path.strip_prefix(PAGE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[derive(Template)]
#[template(path = "operator/history.html")]
struct HistoryPage<'a> {
    frame: Frame<'a>,
    titles: Vec<&'static str>,
    spans: Vec<(&'static str, Vec<Row>)>,
}

struct Row {
    at: String,
    values: Vec<String>,
}

/// The table, or one of the plots.
pub(super) fn page(history: &History, path: &str, frame: Frame<'_>) -> OperatorResponse {
    let Some(name) = path.strip_prefix(PAGE).and_then(|rest| rest.strip_prefix('/')) else {
        return pages::page(&HistoryPage {
            frame,
            titles: QUANTITIES.iter().map(|quantity| quantity.title).collect(),
            spans: Span::ALL.into_iter().map(|span| (word(span), rows(history, span))).collect(),
        });
    };
    let wanted = name.strip_suffix(".svg").and_then(|name| name.split_once('-'));
    let found = wanted.and_then(|(what, span)| {
        let quantity = QUANTITIES.iter().find(|quantity| quantity.name == what)?;
        Some((quantity, Span::ALL.into_iter().find(|known| word(*known) == span)?))
    });
    let Some((quantity, span)) = found else {
        return OperatorResponse::plain(404, "There is no such plot.");
    };
    let points = points(&history.samples(span), quantity);
    let picture = plot::draw(&Plot { title: quantity.title, points: &points, shape: Shape::Steps });
    OperatorResponse {
        status: 200,
        content_type: plot::TYPE,
        body: picture.into_bytes(),
        ..OperatorResponse::default()
    }
}

fn points(samples: &[Sample], quantity: &Quantity) -> Vec<(u64, u64)> {
    samples.iter().filter_map(|sample| Some((sample.at.into(), (quantity.of)(sample)?))).collect()
}

/// The newest first.
fn rows(history: &History, span: Span) -> Vec<Row> {
    let samples = history.samples(span);
    let value = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let row = |sample: &Sample| Row {
        at: moment(sample.at.into()),
        values: QUANTITIES.iter().map(|quantity| value((quantity.of)(sample))).collect(),
    };
    samples.iter().rev().take(ROWS).map(row).collect()
}
