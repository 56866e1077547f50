//! What the server did over the last day and the last month: a table, and the plots of it.

use super::pages::{self, Frame};
use super::plots::{self, PAGE, QUANTITIES, word};
use super::request::OperatorResponse;
use crate::admin::history::{History, Sample, Span};
use crate::clock::moment;
use crate::web::plot;
use askama::Template;

/// Lines of the table.
const ROWS: usize = 48;

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
    let Some(picture) = plots::drawn(history, name) else {
        return OperatorResponse::plain(404, "There is no such plot.");
    };
    OperatorResponse {
        status: 200,
        content_type: plot::TYPE,
        body: picture.into_bytes(),
        ..OperatorResponse::default()
    }
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
