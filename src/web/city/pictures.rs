//! Small pictures as SVG: the logos of clubs and the badges of players.

use crate::store::StoreError;
use crate::web::fields::Fields;
use crate::web::page::{PageResponse, Site};
use crate::web::plot::TYPE;

/// The badges that there are, each with its colour and its sign.
const BADGES: [(&str, &str, &str); 7] = [
    ("champion", "#b8860b", "M24 8l5 10 11 1-8 8 2 11-10-5-10 5 2-11-8-8 11-1z"),
    ("race-night", "#22447a", "M14 10h20v6c0 8-4 12-8 13v5h6v4H16v-4h6v-5c-4-1-8-5-8-13z"),
    ("top-dog", "#8a4b20", "M14 34l10-24 10 24h-5l-2-6h-6l-2 6z"),
    ("turf", "#2f6b33", "M15 9h3v30h-3zM18 10l16 6-16 6z"),
    ("record", "#b3202a", "M24 9a15 15 0 100 30 15 15 0 000-30zm2 5v9l6 5-3 3-7-6V14z"),
    ("club", "#5a3a7a", "M24 9l13 5v9c0 8-6 13-13 16-7-3-13-8-13-16v-9z"),
    ("years", "#555555", "M12 12h24v4H12zM12 20h24v4H12zM12 28h24v4H12z"),
];

fn picture(text: String) -> PageResponse {
    PageResponse { content_type: TYPE, ..PageResponse::text(text) }
}

/// The picture of a kind of badge; `None` if there is no such kind.
pub(super) fn badge(query: &Fields) -> Option<PageResponse> {
    let asked = query.text("kind");
    let (_, colour, path) = BADGES.iter().find(|(kind, ..)| *kind == asked)?;
    Some(picture(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"48\" height=\"48\" viewBox=\"0 0 48 48\"><circle cx=\"24\" cy=\"24\" r=\"23\" \
         fill=\"{colour}\"/><path d=\"{path}\" fill=\"#fffaf0\"/></svg>\n"
    )))
}

/// The logo of a club: its acronym in its three colours; `None` if there is no such club.
pub(super) fn logo(site: &Site<'_>, query: &Fields) -> Result<Option<PageResponse>, StoreError> {
    let Some(club) = site.game.store.clubs().by_acronym(query.text("club"))? else { return Ok(None) };
    let [front, back, third] = club.colours;
    // An acronym is letters from A to Z, so it needs no escape.
    Ok(Some(picture(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"48\" height=\"48\" viewBox=\"0 0 48 48\"><rect width=\"48\" height=\"48\" rx=\"6\" \
         fill=\"#{third:06x}\"/><rect x=\"4\" y=\"4\" width=\"40\" height=\"40\" rx=\"4\" fill=\"#{back:06x}\"/><text x=\"24\" y=\"30\" \
         text-anchor=\"middle\" font-family=\"Verdana, sans-serif\" font-weight=\"bold\" font-size=\"16\" fill=\"#{front:06x}\">{}</text></svg>\n",
        club.acronym
    ))))
}
