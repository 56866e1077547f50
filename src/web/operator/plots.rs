//! The plots of *Health*: players, races, saved changes, memory and temperature over a day and a month.

use crate::admin::history::{History, Sample, Span};
use crate::clock::Zone;
use crate::web::plot::{self, Plot, Shape};

/// The table of the same numbers, and before a slash the plots.
pub(super) const PAGE: &str = "/operator/history";

/// One of the things that are plotted.
pub(super) struct Quantity {
    /// In the address of the plot.
    name: &'static str,
    pub(super) title: &'static str,
    pub(super) of: fn(&Sample) -> Option<u64>,
}

pub(super) const QUANTITIES: [Quantity; 5] = [
    Quantity { name: "players", title: "Players online", of: |sample| Some(sample.players.into()) },
    Quantity { name: "races", title: "Races under way", of: |sample| Some(sample.races.into()) },
    Quantity { name: "changes", title: "Changes saved", of: |sample| Some(sample.changes.into()) },
    Quantity { name: "memory", title: "Memory in KiB", of: |sample| Some(sample.memory.into()) },
    Quantity {
        name: "temperature",
        title: "Temperature in degrees Celsius",
        of: |sample| u64::try_from(sample.temperature?).ok(),
    },
];

pub(super) const fn word(span: Span) -> &'static str {
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

/// The plot of this name, such as `players-day.svg`; `None` if there is none.
pub(super) fn drawn(history: &History, zone: &Zone, name: &str) -> Option<String> {
    let (what, wanted) = name.strip_suffix(".svg")?.split_once('-')?;
    let quantity = QUANTITIES.iter().find(|quantity| quantity.name == what)?;
    let span = Span::ALL.into_iter().find(|span| word(*span) == wanted)?;
    let samples = history.samples(span);
    let points: Vec<_> =
        samples.iter().filter_map(|sample| Some((sample.at.into(), (quantity.of)(sample)?))).collect();
    let title = format!("{}, the last {wanted}", quantity.title);
    Some(plot::draw(&Plot { title: &title, points: &points, shape: Shape::Steps, zone }))
}
