//! What the server did over the last day and the last month: a table, and the plots of it.

use super::pages::{self, Frame};
use super::plots::{self, PAGE, QUANTITIES, word};
use super::request::OperatorResponse;
use crate::admin::history::{History, Sample, Span};
use crate::clock::Zone;
use crate::web::plot;
use askama::Template;

/// Lines of the table.
const ROWS: usize = 48;

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

/// The table.
pub(super) fn page(history: &History, zone: &Zone, frame: Frame<'_>) -> OperatorResponse {
    pages::page(&HistoryPage {
        frame,
        titles: QUANTITIES.iter().map(|quantity| quantity.title).collect(),
        spans: Span::ALL.into_iter().map(|span| (word(span), rows(history, zone, span))).collect(),
    })
}

/// One of the plots, if `path` is that of one, or looks like it.
pub(super) fn picture(history: &History, zone: &Zone, path: &str) -> Option<OperatorResponse> {
    let name = path.strip_prefix(PAGE)?.strip_prefix('/')?;
    let Some(picture) = plots::drawn(history, zone, name) else {
        return Some(OperatorResponse::plain(404, "There is no such plot."));
    };
    Some(OperatorResponse {
        status: 200,
        content_type: plot::TYPE,
        body: picture.into_bytes(),
        ..OperatorResponse::default()
    })
}

/// The newest first.
fn rows(history: &History, zone: &Zone, span: Span) -> Vec<Row> {
    let samples = history.samples(span);
    let value = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let row = |sample: &Sample| Row {
        at: zone.moment(sample.at),
        values: QUANTITIES.iter().map(|quantity| value((quantity.of)(sample))).collect(),
    };
    samples.iter().rev().take(ROWS).map(row).collect()
}
