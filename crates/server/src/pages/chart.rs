//! Charts as SVG, drawn here. Whatever stands in them is a number or escaped; each has a table beside it on its page.

use std::fmt::Write as _;

/// Width of a chart, in its own units.
const WIDTH: f64 = 720.0;
/// Height of what is drawn.
const HEIGHT: f64 = 180.0;
/// Room for the scale on the left: for counts, and for shares and times on a chart of half the width.
const COUNTS: f64 = 44.0;
const WORDS: f64 = 100.0;
/// Room for days below.
const BELOW: f64 = 32.0;

/// A column: its name below, its parts from below upwards, and what is said of it.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) parts: Vec<u64>,
    pub(super) says: String,
}

/// A point with what is around it.
pub(super) struct Point {
    pub(super) name: String,
    /// Low, middle and high.
    pub(super) at: Option<(f64, f64, f64)>,
    pub(super) says: String,
}

/// How right something was that was so sure.
pub(super) struct Sure {
    /// 0 to 1.
    pub(super) sure: f64,
    /// Low, middle and high, 0 to 1.
    pub(super) right: (f64, f64, f64),
    pub(super) says: String,
}

/// How right by how sure: on the diagonal both are the same.
pub(super) fn calibration(label: &str, points: &[Sure]) -> String {
    let per_cent = |share: f64| format!("{:.0} %", share * 100.0);
    let mut svg = begin(label, WORDS, 1.0, per_cent);
    let x = |share: f64| WORDS + 12.0 + share.clamp(0.0, 1.0) * (WIDTH - WORDS - 24.0);
    let y = |share: f64| HEIGHT - share.clamp(0.0, 1.0) * HEIGHT;
    let (low, high) = (x(0.0), x(1.0));
    let _infallible =
        write!(svg, "<line class=\"ideal\" x1=\"{low:.1}\" y1=\"{HEIGHT:.1}\" x2=\"{high:.1}\" y2=\"0\"/>");
    for point in points {
        let ((low, middle, high), x) = (point.right, x(point.sure));
        let _infallible = write!(
            svg,
            "<g><title>{}</title><line class=\"span\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
             <circle class=\"dot\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3.5\"/></g>",
            escaped(&point.says),
            y(low),
            y(high),
            y(middle)
        );
    }
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (x, y) = (x(share), HEIGHT + 24.0);
        let text = per_cent(share);
        let _infallible = write!(svg, "<text class=\"name\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
    }
    svg + "</svg>"
}

/// Columns of parts; part `i` has the class `s{i}`. Before each that is marked stands a line, with what is said of it.
pub(super) fn columns(label: &str, columns: &[Column], marks: &[(usize, String)]) -> String {
    let most = columns.iter().map(|column| column.parts.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let top = nice(most as f64);
    let mut svg = begin(label, COUNTS, top, |v| format!("{v:.0}"));
    let step = (WIDTH - COUNTS) / columns.len().max(1) as f64;
    let width = (step * 0.72).min(40.0);
    for (i, column) in columns.iter().enumerate() {
        let x = COUNTS + step * (i as f64 + 0.5) - width / 2.0;
        let _infallible = write!(svg, "<g><title>{}</title>", escaped(&column.says));
        let mut y = HEIGHT;
        for (k, part) in column.parts.iter().enumerate().filter(|(_, part)| **part > 0) {
            let height = *part as f64 / top * HEIGHT;
            y -= height;
            let (drawn, height) = (y + 0.5, (height - 1.0).max(0.8));
            let _infallible = write!(
                svg,
                "<rect class=\"s{k}\" x=\"{x:.1}\" y=\"{drawn:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\"/>"
            );
        }
        svg.push_str("</g>");
        name(&mut svg, (i, columns.len()), (COUNTS, step), &column.name);
    }
    for (i, says) in marks {
        let (x, says) = (COUNTS + step * *i as f64, escaped(says));
        let _infallible = write!(
            svg,
            "<g><title>{says}</title><line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"-6\" y2=\"{HEIGHT}\"/></g>"
        );
    }
    svg + "</svg>"
}

/// Points, each with a line from its low to its high, on a scale that ends at `top`.
pub(super) fn points(label: &str, points: &[Point], top: f64, scale: impl Fn(f64) -> String) -> String {
    let mut svg = begin(label, WORDS, top, scale);
    let step = (WIDTH - WORDS) / points.len().max(1) as f64;
    for (i, point) in points.iter().enumerate() {
        let x = WORDS + step * (i as f64 + 0.5);
        if let Some((low, middle, high)) = point.at {
            let y = |value: f64| HEIGHT - (value / top).clamp(0.0, 1.0) * HEIGHT;
            let _infallible = write!(
                svg,
                "<g><title>{}</title><line class=\"span\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
                 <circle class=\"dot\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3.5\"/></g>",
                escaped(&point.says),
                y(low),
                y(high),
                y(middle)
            );
        }
        name(&mut svg, (i, points.len()), (WORDS, step), &point.name);
    }
    svg + "</svg>"
}

fn begin(label: &str, left: f64, top: f64, scale: impl Fn(f64) -> String) -> String {
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 -8 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">",
        HEIGHT + BELOW + 8.0,
        escaped(label)
    );
    for quarter in [0.0, 0.5, 1.0] {
        let y = HEIGHT - quarter * HEIGHT;
        let _infallible = write!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"scale\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            left - 8.0,
            y + 4.0,
            escaped(&scale(top * quarter))
        );
    }
    svg
}

/// Names that have room: about eight of them.
fn name(svg: &mut String, (i, all): (usize, usize), (left, step): (f64, f64), text: &str) {
    let every = all.div_ceil(8).max(1);
    if i.is_multiple_of(every) {
        let (x, y) = (left + step * (i as f64 + 0.5), HEIGHT + 24.0);
        let _infallible =
            write!(svg, "<text class=\"name\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text));
    }
}

/// The next round number.
pub(super) fn nice(most: f64) -> f64 {
    let mut unit = 1.0;
    while unit * 10.0 < most {
        unit *= 10.0;
    }
    [2.0, 4.0, 6.0, 8.0, 10.0].into_iter().map(|of| of * unit).find(|top| *top >= most).unwrap_or(most)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_chart_is_text() {
        let hostile = "\"><script>'&";
        let column = Column { name: hostile.to_owned(), parts: vec![1, 0, 3], says: hostile.to_owned() };
        let point = Point { name: hostile.to_owned(), at: Some((0.1, 0.5, 0.9)), says: hostile.to_owned() };
        let sure = Sure { sure: 0.5, right: (0.1, 0.2, 0.3), says: hostile.to_owned() };
        let marked = columns(hostile, &[column], &[(0, hostile.to_owned())]);
        for svg in
            [marked, calibration(hostile, &[sure]), points(hostile, &[point], 1.0, |_| hostile.to_owned())]
        {
            assert!(!svg.contains("<script") && !svg.contains("\"\">") && svg.ends_with("</svg>"));
        }
        assert_eq!((nice(1.0), nice(7.0), nice(130.0)), (2.0, 8.0, 200.0));
    }
}
