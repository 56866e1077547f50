//! Plots as SVG: a line or marks over time, and strips of times; drawn without script, so that a picture is complete by itself. Its colours are those of the
//! light pages; where the reader prefers dark ones, its style says which.

use crate::clock::Zone;
use std::fmt::Write as _;

/// The content type of a plot.
pub(super) const TYPE: &str = "image/svg+xml";

/// Width and height, and the room beside the line: at the left, above and below.
const SIZE: (u64, u64) = (640, 220);
const MARGIN: (u64, u64, u64) = (70, 24, 24);
/// The width of what is drawn.
const ACROSS: u64 = SIZE.0 - MARGIN.0 - 10;

/// What is drawn.
pub(super) struct Plot<'a> {
    /// What the numbers are.
    pub(super) title: &'a str,
    /// Moments in seconds since 1970, and the values from then on.
    pub(super) points: &'a [(u64, u64)],
    pub(super) shape: Shape,
    /// The zone in which the ends of the time are told.
    pub(super) zone: &'a Zone,
}

/// How the numbers are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A line, because a value stays what it was until it changes.
    Steps,
    /// A mark for each, the first place at the top.
    Places,
}

/// The colours where the reader prefers dark pages: those of the style sheet.
const DARK: &str = "<style>@media (prefers-color-scheme: dark) { .ground { fill: #231f1b; } .title { fill: #e9dfca; } \
                    .scale { fill: #a5977f; } .rule { stroke: #4a4034; } .line { stroke: #f0787f; } .mark { fill: #f0787f; } }</style>";

/// In seconds.
const TWO_DAYS: u64 = 2 * 86_400;

/// The most marks that are drawn in one picture: the newest.
pub(super) const MOST_MARKS: usize = 200;

/// So much of `room` as `of` is of `all`, without overflow whatever the numbers are.
fn part(of: u64, all: u64, room: u64) -> u64 {
    u64::try_from(u128::from(of) * u128::from(room) / u128::from(all.max(1))).unwrap_or(room)
}

/// The beginning of a picture: its ground, its title, and a line with a text at each of these heights.
fn ground(title: &str, height: u64, lines: &[(String, u64)]) -> String {
    let ((width, _), (left, ..)) = (SIZE, MARGIN);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"Verdana, sans-serif\" font-size=\"11\">\n{DARK}\n<rect class=\"ground\" width=\"{width}\" height=\"{height}\" fill=\"#fffaf0\"/>\n\
         <text class=\"title\" x=\"{left}\" y=\"15\" fill=\"#2b2520\">{title}</text>\n"
    );
    // Writing to a String cannot fail.
    for (text, at) in lines {
        let _ = writeln!(
            picture,
            "<line class=\"rule\" x1=\"{left}\" y1=\"{at}\" x2=\"{}\" y2=\"{at}\" stroke=\"#d8c9a3\"/><text class=\"scale\" x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#6b5f50\">{text}</text>",
            left + ACROSS,
            left - 6,
            at + 4
        );
    }
    picture
}

/// The end of a picture: a text below each end of its lines.
fn ended(mut picture: String, height: u64, first: &str, last: &str) -> String {
    let left = MARGIN.0;
    let _ = write!(
        picture,
        "<text class=\"scale\" x=\"{left}\" y=\"{0}\" fill=\"#6b5f50\">{first}</text><text class=\"scale\" x=\"{1}\" y=\"{0}\" text-anchor=\"end\" fill=\"#6b5f50\">{last}</text>\n</svg>\n",
        height - 6,
        left + ACROSS
    );
    picture
}

/// The picture. Its size does not depend on how many points there are: of those in one column of it the last counts.
pub(super) fn draw(plot: &Plot<'_>) -> String {
    let ((_, height), (left, above, under)) = (SIZE, MARGIN);
    let down = height - above - under;
    let times = plot.points.iter().map(|(time, _)| *time);
    let (first, last) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
    let places = plot.shape == Shape::Places;
    let most = plot.points.iter().map(|(_, value)| *value).max().unwrap_or(0).max(if places { 2 } else { 1 });
    let lines = if places {
        vec![("1".to_owned(), above), (most.to_string(), above + down)]
    } else {
        [(most, above), (most / 2, above + down / 2), (0, above + down)]
            .map(|(value, at)| (value.to_string(), at))
            .into()
    };
    let x = |time: u64| left + part(time - first, (last - first).max(1), ACROSS);
    let y = |value: u64| {
        if places {
            above + part(value.saturating_sub(1), most - 1, down)
        } else {
            above + down - part(value, most, down)
        }
    };
    let mut sorted = plot.points.to_vec();
    sorted.sort_by_key(|(time, _)| *time);
    let mut picture = ground(plot.title, height, &lines);
    if places {
        for (time, value) in sorted.iter().skip(sorted.len().saturating_sub(MOST_MARKS)) {
            mark(&mut picture, x(*time), y(*value));
        }
        return ended(
            picture,
            height,
            &label(plot.zone, (first, last), first),
            &label(plot.zone, (first, last), last),
        );
    }
    let mut columns: Vec<(u64, u64)> = Vec::new();
    for (time, value) in sorted {
        let at = x(time);
        match columns.last_mut() {
            Some(column) if column.0 == at => column.1 = value,
            _ => columns.push((at, value)),
        }
    }
    let mut path = String::new();
    for (at, value) in &columns {
        let y = y(*value);
        // A balance stays what it was until it changes.
        let _ = if path.is_empty() { write!(path, "M{at} {y}") } else { write!(path, "H{at}V{y}") };
    }
    if columns.len() == 1 {
        // Of a single moment nothing would be seen.
        let _ = write!(path, "H{}", left + ACROSS);
    }
    let _ = writeln!(
        picture,
        "<path class=\"line\" d=\"{path}\" fill=\"none\" stroke=\"#b3202a\" stroke-width=\"2\"/>"
    );
    ended(picture, height, &label(plot.zone, (first, last), first), &label(plot.zone, (first, last), last))
}

/// One end of the axis of time: its day, and the time as well where that says more.
fn label(zone: &Zone, (first, last): (u64, u64), end: u64) -> String {
    if last - first < TWO_DAYS { zone.moment(end) } else { zone.day(end) }
}

fn mark(picture: &mut String, x: u64, y: u64) {
    let _ = writeln!(
        picture,
        "<circle class=\"mark\" cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"#b3202a\" fill-opacity=\"0.6\"/>"
    );
}

/// A strip: a mark for each of some times, the best at the left. `say` writes one of them.
pub(super) fn strip(title: &str, times: &[u32], say: impl Fn(u32) -> String) -> String {
    const HEIGHT: u64 = 80;
    let times = times.get(..times.len().min(MOST_MARKS)).unwrap_or_default();
    let (best, worst) = (times.iter().min().copied().unwrap_or(0), times.iter().max().copied().unwrap_or(0));
    let mut picture = ground(title, HEIGHT, &[(String::new(), HEIGHT / 2)]);
    for time in times {
        let at = MARGIN.0 + part(u64::from(time - best), u64::from(worst - best).max(1), ACROSS);
        mark(&mut picture, at, HEIGHT / 2);
    }
    ended(picture, HEIGHT, &say(best), &say(worst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_is_bounded_whole_and_within_its_frame_whatever_is_drawn() {
        let many: Vec<(u64, u64)> = (0..10_000).map(|at| (1_000_000_000 + at * 977, at * at)).collect();
        for points in [&[][..], &[(0, 0)], &[(5, u64::MAX), (5, 0)], &[(u64::MAX, 1), (0, 2)], &many] {
            let picture = draw(&Plot { title: "Balance", points, shape: Shape::Steps, zone: Zone::utc() });
            assert!(picture.len() < 20_000, "{}", picture.len());
            assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
            let path = picture.split_once(" d=\"").unwrap().1.split_once('"').unwrap().0;
            assert_eq!(path.contains('H'), !points.is_empty(), "a line is seen: {path}");
            for number in path
                .split(|sign: char| !sign.is_ascii_digit())
                .filter_map(|digits| digits.parse::<u64>().ok())
            {
                assert!(number <= SIZE.0, "{path}");
            }
        }
    }

    #[test]
    fn places_have_the_first_at_the_top_and_a_strip_has_the_best_at_the_left() {
        let points: Vec<(u64, u64)> = (0..1000).map(|at| (1_000_000_000 + at, at % 6 + 1)).collect();
        let picture =
            draw(&Plot { title: "Places", points: &points, shape: Shape::Places, zone: Zone::utc() });
        assert_eq!(picture.matches("<circle ").count(), MOST_MARKS);
        let one = draw(&Plot { title: "Places", points: &[(5, 1)], shape: Shape::Places, zone: Zone::utc() });
        assert!(one.contains(&format!("cy=\"{}\"", MARGIN.1)), "{one}");
        let times = strip("Times", &[90, 60, 75], |ticks| format!("{ticks} t"));
        assert!(times.contains(">60 t<") && times.contains(">90 t<"), "{times}");
        for (class, count) in [("ground", 1), ("title", 1), ("rule", 1), ("scale", 3), ("mark", 3)] {
            assert_eq!(times.matches(&format!("class=\"{class}\"")).count(), count, "{class}: {times}");
            assert!(DARK.contains(&format!(".{class} {{")), "{class}");
        }
        let places: Vec<_> = times.match_indices("cx=").map(|(at, _)| &times[at + 4..at + 7]).collect();
        assert_eq!(places, ["630", "70\"", "350"]);
        for odd in [&[][..], &[0], &[u32::MAX, 0], &vec![7; 5000]] {
            assert!(strip("Times", odd, |ticks| ticks.to_string()).len() < 20_000);
        }
    }
}
