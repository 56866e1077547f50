//! How the pages of the city look: headings, tables whose columns sort by a link, and links to further pages.

use crate::web::fields::Fields;
use crate::web::page::{Frame, PageResponse, Site, page};
use askama::Template;

/// How many rows of a table are on one page.
pub(super) const ROWS: usize = 25;

/// A page of the city.
#[derive(Default)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) intro: Vec<String>,
    pub(super) search: Option<Search>,
    /// Pictures below the title: their addresses, and what is said where they cannot be shown.
    pub(super) pictures: Vec<(String, String)>,
    pub(super) sections: Vec<Section>,
    /// The sections below the forms, on a page that has forms: what is long.
    pub(super) below: Vec<Section>,
    /// Whether the browser is to ask again.
    pub(super) refresh: Option<Refresh>,
}

/// How a page is asked for again.
pub(super) struct Refresh {
    /// After how many seconds.
    pub(super) seconds: u32,
    /// The address of the page that stays as it is.
    pub(super) without: String,
}

/// That the page at `path` is asked for again, unless its reader does not want that.
pub(super) fn refresh(seconds: u32, path: &str, query: &Fields) -> Option<Refresh> {
    (query.text("refresh") != "no").then(|| Refresh { seconds, without: format!("{path}?refresh=no") })
}

/// A field to search with.
pub(super) struct Search {
    pub(super) action: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
}

/// A part of a page.
#[derive(Default)]
pub(super) struct Section {
    pub(super) heading: String,
    /// Links to other views of it, each with whether it is the one that is shown; in lines.
    pub(super) choices: Vec<Vec<(String, String, bool)>>,
    pub(super) facts: Vec<(&'static str, Cell)>,
    /// Pictures of what the table below them says: their addresses, and what is said where they cannot be shown.
    pub(super) plots: Vec<(String, String)>,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// What is said instead of a table without rows.
    pub(super) empty: &'static str,
    pub(super) pager: Option<Pager>,
}

/// The head of a column.
pub(super) struct Column {
    pub(super) label: &'static str,
    /// The page on which the table is sorted by it.
    pub(super) link: Option<String>,
}

impl Column {
    /// Columns by which nothing is sorted.
    pub(super) fn plain(labels: &[&'static str]) -> Vec<Self> {
        labels.iter().map(|label| Self { label, link: None }).collect()
    }
}

/// A text, perhaps with a link, and further links below it.
#[derive(Clone, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) link: Option<String>,
    /// Texts and where they lead.
    pub(super) more: Vec<(String, String)>,
}

impl Cell {
    pub(super) fn linked(text: impl Into<String>, link: impl Into<String>) -> Self {
        Self { text: text.into(), link: Some(link.into()), more: Vec::new() }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.to_string(), link: None, more: Vec::new() }
    }
}

/// Where one is among the pages of a table.
pub(super) struct Pager {
    pub(super) text: String,
    pub(super) back: Option<String>,
    pub(super) on: Option<String>,
}

/// Which rows of a table are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// From 1.
    pub(super) page: usize,
    pub(super) pages: usize,
    pub(super) total: usize,
}

impl Window {
    /// The page that is asked for: one that makes no sense is the first, one behind the end the last.
    pub(super) fn of(asked: &str, total: usize) -> Self {
        let pages = total.div_ceil(ROWS).max(1);
        let page = asked.parse::<usize>().unwrap_or(1).clamp(1, pages);
        Self { page, pages, total }
    }

    /// How many rows stand before it.
    pub(super) const fn skipped(self) -> usize {
        (self.page - 1) * ROWS
    }

    /// The rows of it, of all.
    pub(super) fn cut<T>(self, mut all: Vec<T>) -> Vec<T> {
        all.drain(..self.skipped().min(all.len()));
        all.truncate(ROWS);
        all
    }

    /// The links before and behind it; `link` is that of a page without its number.
    pub(super) fn pager(self, link: &str) -> Option<Pager> {
        let Self { page, pages, total } = self;
        let to = |page: usize| format!("{link}{}page={page}", if link.contains('?') { '&' } else { '?' });
        (pages > 1).then(|| Pager {
            text: format!("Page {page} of {pages}, {total} in all"),
            back: (page > 1).then(|| to(page - 1)),
            on: (page < pages).then(|| to(page + 1)),
        })
    }
}

#[derive(Template)]
#[template(path = "city/page.html")]
struct Rendered<'a> {
    frame: Frame<'a>,
    page: &'a Page,
}

impl Page {
    /// The finished page.
    pub(super) fn render(&self, site: &Site<'_>) -> PageResponse {
        page(&Rendered { frame: Frame::of(site), page: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_page_is_asked_for_one_is_shown() {
        for (asked, total, shown) in [
            ("", 0, (1, 1)),
            ("1", 25, (1, 1)),
            ("2", 26, (2, 2)),
            ("99", 26, (2, 2)),
            ("0", 26, (1, 2)),
            ("-1", 26, (1, 2)),
            ("1e9", 26, (1, 2)),
            ("99999999999999999999999", 26, (1, 2)),
            ("<b>", 1_000_000, (1, 40_000)),
        ] {
            let window = Window::of(asked, total);
            assert_eq!((window.page, window.pages), shown, "{asked} of {total}");
            assert!(window.cut((0..total).collect()).len() <= ROWS);
        }
        assert_eq!(Window::of("2", 26).cut((0..26).collect()), [25]);
    }
}
