//! Plots as SVG: lines over a number, bars, and percentiles.
//!
//! Colours come from the page's style sheet: a subject's group has the class of
//! its colour, `c0` and on, and for dashed lines `dash`. So one drawing serves
//! light and dark. Each mark names its figure in a `title`.

use std::fmt::Write as _;

use super::scale::{Scale, tick};
use crate::record::Metric;
use crate::table::amount;

/// Width of a plot; as wide as a phone, so that its letters stay readable there.
const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 230.0;
/// Room for the figures left of the plot and below it.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BELOW: f64 = 38.0;
/// Height of a bar with its room, and room for its subject's name.
const BAR: f64 = 21.0;
const NAMES: f64 = 136.0;
/// Room for the figure behind the longest bar.
const FIGURE: f64 = 66.0;

/// Figures that differ by more than this are shown by their logarithm: lines,
/// which need room between them, and bars, whose figures stand beside them.
const LINE_TIMES: f64 = 40.0;
const BAR_TIMES: f64 = 250.0;

/// A figure with its spread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// Its lower end.
    pub(crate) min: f64,
    /// The middle run.
    pub(crate) median: f64,
    /// Its upper end.
    pub(crate) max: f64,
}

/// A subject on a plot.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its name.
    pub(crate) subject: String,
    /// The classes of its colour and dash.
    pub(crate) class: String,
    /// Its figures: place along the axis, figure.
    pub(crate) points: Vec<(f64, Spread)>,
}

/// Where the points of lines are, and what is written below them.
#[derive(Debug)]
pub(crate) struct Across {
    /// Places along the axis, each with its name.
    pub(crate) marks: Vec<(f64, String)>,
    /// What the axis counts.
    pub(crate) label: String,
    /// The last place.
    pub(crate) end: f64,
}

impl Across {
    /// Equal distances between names.
    pub(crate) fn steps(label: &str, names: impl Iterator<Item = String>) -> Self {
        let marks: Vec<(f64, String)> = names
            .enumerate()
            .map(|(at, name)| (at as f64, name))
            .collect();
        Self {
            end: marks.len().saturating_sub(1) as f64,
            marks,
            label: label.to_owned(),
        }
    }

    /// Milliseconds from 0 to an end.
    pub(crate) fn time(end: f64) -> Self {
        let scale = Scale::Linear { end };
        let nanos = |millis: f64| tick(Metric::TimePerOp, millis * 1e6);
        let marks = scale.ticks(Metric::FreesPerPoll).into_iter();
        Self {
            marks: marks.map(|millis| (millis, nanos(millis))).collect(),
            label: "time".to_owned(),
            end,
        }
    }
}

/// Text in XML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn open(height: f64, label: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">",
        escape(label)
    )
}

/// Lines over a number, or over names.
///
/// Figures that differ by much are shown by their logarithm; a spread is a line
/// through its point.
pub(crate) fn lines(label: &str, metric: Metric, across: &Across, lines: &[Line]) -> String {
    let figures = lines.iter().flat_map(|line| &line.points);
    let scale = Scale::fit(
        figures.flat_map(|(_, spread)| [spread.median, spread.max]),
        LINE_TIMES,
    );
    let width = WIDTH - LEFT - RIGHT;
    let height = HEIGHT - TOP - BELOW;
    let bottom = HEIGHT - BELOW;
    // A single place is in the middle.
    let x = |place: f64| {
        let share = if across.end > 0.0 {
            place / across.end
        } else {
            0.5
        };
        LEFT + 8.0 + share.min(1.0) * (width - 16.0)
    };
    let y = |figure: f64| bottom - scale.place(figure) * height;

    let mut svg = open(HEIGHT, label);
    for figure in scale.ticks(metric) {
        let at = y(figure);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 3.5,
            tick(metric, figure),
        );
    }
    for (place, name) in &across.marks {
        let _ = write!(
            svg,
            "<text class=\"tick mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x(*place),
            bottom + 15.0,
            escape(name),
        );
    }
    let _ = write!(
        svg,
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\
         <text class=\"label mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        WIDTH - RIGHT,
        LEFT + width / 2.0,
        HEIGHT - 6.0,
        escape(&across.label),
    );
    // The first subject is drawn last, above the others.
    for line in lines.iter().rev() {
        let _ = write!(svg, "<g class=\"{}\">", line.class);
        let path: Vec<String> = line
            .points
            .iter()
            .map(|(place, spread)| format!("{:.1},{:.1}", x(*place), y(spread.median)))
            .collect();
        if path.len() > 1 {
            let _ = write!(
                svg,
                "<polyline points=\"{}\"><title>{}</title></polyline>",
                path.join(" "),
                escape(&line.subject)
            );
        }
        // A dense line has no room for single points.
        if line.points.len() <= 16 {
            for (place, spread) in &line.points {
                marker(&mut svg, line, metric, *spread, x(*place), &y);
            }
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

fn marker(
    svg: &mut String,
    line: &Line,
    metric: Metric,
    spread: Spread,
    x: f64,
    y: &impl Fn(f64) -> f64,
) {
    let (low, high) = (y(spread.min), y(spread.max));
    if low - high > 1.0 {
        let _ = write!(
            svg,
            "<line class=\"spread\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{low:.1}\" y2=\"{high:.1}\"/>"
        );
    }
    let _ = write!(
        svg,
        "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3\"><title>{}</title></circle>",
        y(spread.median),
        told(&line.subject, metric, spread),
    );
}

fn told(subject: &str, metric: Metric, spread: Spread) -> String {
    format!(
        "{}: {} ({} … {})",
        escape(subject),
        amount(metric, spread.median),
        amount(metric, spread.min),
        amount(metric, spread.max),
    )
}

/// A bar a subject, from 0; or a point, where figures differ by too much for
/// bars. The spread is a line through its end.
pub(crate) fn bars(label: &str, metric: Metric, lines: &[Line]) -> String {
    let figures = lines.iter().flat_map(|line| &line.points);
    let scale = Scale::fit(
        figures.flat_map(|(_, spread)| [spread.median, spread.max]),
        BAR_TIMES,
    );
    let height = TOP + BAR * lines.len() as f64 + 22.0;
    let bottom = height - 20.0;
    let width = WIDTH - NAMES - FIGURE;
    let x = |figure: f64| NAMES + scale.place(figure) * width;
    let mut svg = open(height, label);
    let ticks = scale.ticks(metric);
    let step = ticks.len().div_ceil(4).max(1);
    for figure in ticks.into_iter().step_by(step) {
        let at = x(figure);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\
             <text class=\"tick mid\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
            height - 6.0,
            tick(metric, figure),
        );
    }
    for (at, line) in lines.iter().enumerate() {
        let Some((_, spread)) = line.points.first().copied() else {
            continue;
        };
        let middle = TOP + BAR * (at as f64 + 0.5);
        let end = x(spread.median);
        let _ = write!(
            svg,
            "<g class=\"{}\"><text class=\"name end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            line.class,
            NAMES - 7.0,
            middle + 4.0,
            escape(&line.subject),
        );
        let title = told(&line.subject, metric, spread);
        let _ = match scale {
            Scale::Linear { .. } => write!(
                svg,
                "<rect x=\"{NAMES}\" y=\"{:.1}\" width=\"{:.1}\" height=\"13\" rx=\"2\">\
                 <title>{title}</title></rect>",
                middle - 6.5,
                (end - NAMES).max(0.5),
            ),
            Scale::Log { .. } => write!(
                svg,
                "<circle cx=\"{end:.1}\" cy=\"{middle:.1}\" r=\"4.5\"><title>{title}</title></circle>"
            ),
        };
        let (low, high) = (x(spread.min), x(spread.max));
        if high - low > 1.0 {
            let _ = write!(
                svg,
                "<line class=\"spread\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle:.1}\" \
                 y2=\"{middle:.1}\"/>"
            );
        }
        let _ = write!(
            svg,
            "<text class=\"figure\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            high.max(end) + 7.0,
            middle + 4.0,
            amount(metric, spread.median),
        );
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(subject: &str, figures: &[f64]) -> Line {
        let spread = |median: f64| Spread {
            min: median * 0.9,
            median,
            max: median * 1.1,
        };
        Line {
            subject: subject.into(),
            class: "c0".into(),
            points: figures
                .iter()
                .enumerate()
                .map(|(at, figure)| (at as f64, spread(*figure)))
                .collect(),
        }
    }

    #[test]
    fn every_figure_has_a_mark_and_stays_inside() {
        let across = Across::steps("threads", ["1", "2", "4"].map(String::from).into_iter());
        let all = [line("a", &[1e6, 2e6, 3e6]), line("b<", &[5e6, 0.0, 1e6])];
        let svg = lines("x & y", Metric::Throughput, &across, &all);
        assert_eq!(svg.matches("<circle").count(), 6);
        assert!(svg.contains("b&lt;: 5.00 M/s"), "{svg}");
        assert!(svg.contains("x &amp; y"));
        for part in svg.split(" cy=\"").skip(1) {
            let y: f64 = part.split('"').next().unwrap().parse().unwrap();
            assert!((TOP..=HEIGHT - BELOW).contains(&y), "{y}");
        }
    }

    #[test]
    fn figures_that_differ_by_much_are_points_and_no_bars() {
        let near = bars(
            "x",
            Metric::TimePerOp,
            &[line("a", &[1.0]), line("b", &[2.0])],
        );
        assert_eq!(near.matches("<rect").count(), 2);
        let far = bars(
            "x",
            Metric::TimePerOp,
            &[line("a", &[1.0]), line("b", &[900.0])],
        );
        assert_eq!(
            (far.matches("<rect").count(), far.matches("<circle").count()),
            (0, 2)
        );
    }
}
