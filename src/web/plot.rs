//! Plots as SVG: one line over time, drawn without script and without styles, so that a picture is complete by itself.

use crate::clock::day;
use std::fmt::Write as _;

/// The content type of a plot.
pub(super) const TYPE: &str = "image/svg+xml";

/// Width and height, and the room beside the line: at the left, above and below.
const SIZE: (u64, u64) = (640, 220);
const MARGIN: (u64, u64, u64) = (70, 24, 24);

/// What is drawn.
pub(super) struct Plot<'a> {
    /// What the numbers are.
    pub(super) title: &'a str,
    /// Moments in seconds since 1970, and the values from then on.
    pub(super) points: &'a [(u64, u64)],
}

/// The picture. Its size does not depend on how many points there are: of those in one column of it the last counts.
pub(super) fn draw(plot: &Plot<'_>) -> String {
    let (width, height) = SIZE;
    let (left, above, under) = MARGIN;
    let (across, down) = (width - left - 10, height - above - under);
    let times = plot.points.iter().map(|(time, _)| *time);
    let (first, last) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
    let most = plot.points.iter().map(|(_, value)| *value).max().unwrap_or(0).max(1);
    let span = (last - first).max(1);
    // Without overflow whatever the numbers are.
    let part = |of: u64, all: u64, room: u64| {
        u64::try_from(u128::from(of) * u128::from(room) / u128::from(all)).unwrap_or(room)
    };
    let x = |time: u64| left + part(time - first, span, across);
    let y = |value: u64| above + down - part(value, most, down);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"Verdana, sans-serif\" font-size=\"11\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fffaf0\"/>\n"
    );
    // Writing to a String cannot fail.
    for (value, at) in [(most, above), (most / 2, above + down / 2), (0, above + down)] {
        let _ = writeln!(
            picture,
            "<line x1=\"{left}\" y1=\"{at}\" x2=\"{}\" y2=\"{at}\" stroke=\"#d8c9a3\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#6b5f50\">{value}</text>",
            left + across,
            left - 6,
            at + 4
        );
    }
    let _ = writeln!(picture, "<text x=\"{left}\" y=\"15\" fill=\"#2b2520\">{}</text>", plot.title);
    let mut columns: Vec<(u64, u64)> = Vec::new();
    let mut sorted = plot.points.to_vec();
    sorted.sort_by_key(|(time, _)| *time);
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
    let _ = write!(
        picture,
        "<path d=\"{path}\" fill=\"none\" stroke=\"#b3202a\" stroke-width=\"2\"/>\n<text x=\"{left}\" y=\"{}\" fill=\"#6b5f50\">{}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#6b5f50\">{}</text>\n</svg>\n",
        height - 6,
        day(first),
        left + across,
        height - 6,
        day(last)
    );
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_is_bounded_whole_and_within_its_frame_whatever_is_drawn() {
        let many: Vec<(u64, u64)> = (0..10_000).map(|at| (1_000_000_000 + at * 977, at * at)).collect();
        for points in [&[][..], &[(0, 0)], &[(5, u64::MAX), (5, 0)], &[(u64::MAX, 1), (0, 2)], &many] {
            let picture = draw(&Plot { title: "Balance", points });
            assert!(picture.len() < 20_000, "{}", picture.len());
            assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
            let path = picture.split_once(" d=\"").unwrap().1.split_once('"').unwrap().0;
            for number in path
                .split(|sign: char| !sign.is_ascii_digit())
                .filter_map(|digits| digits.parse::<u64>().ok())
            {
                assert!(number <= SIZE.0, "{path}");
            }
        }
    }
}
