//! From figures to places on a plot, and the figures beside the axes.

use crate::record::Metric;

/// How figures are spread over an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// From 0 to an end.
    Linear {
        /// The last figure.
        end: f64,
    },
    /// By the logarithm, between two ends.
    Log {
        /// The first figure, above 0.
        start: f64,
        /// The last figure.
        end: f64,
    },
}

impl Scale {
    /// A scale that shows all figures: from 0, or by the logarithm when they
    /// differ by more than so many times.
    pub(crate) fn fit(figures: impl Iterator<Item = f64> + Clone, most_times: f64) -> Self {
        let most = figures.clone().fold(0.0, f64::max);
        let above = figures.filter(|figure| *figure > 0.0);
        let least = above.fold(f64::INFINITY, f64::min);
        if least.is_finite() && most / least > most_times {
            Scale::Log {
                start: least / 1.2,
                end: most * 1.2,
            }
        } else {
            let end = if most > 0.0 { most * 1.06 } else { 1.0 };
            Scale::Linear { end }
        }
    }

    /// Where a figure is, from 0 to 1; what is off the scale is at its end.
    pub(crate) fn place(self, figure: f64) -> f64 {
        let share = match self {
            Scale::Linear { end } => figure / end,
            Scale::Log { start, .. } if figure <= start => 0.0,
            Scale::Log { start, end } => (figure / start).ln() / (end / start).ln(),
        };
        share.clamp(0.0, 1.0)
    }

    /// Figures to name beside the axis.
    pub(crate) fn ticks(self, metric: Metric) -> Vec<f64> {
        let binary = metric.unit() == "bytes";
        match self {
            Scale::Linear { end } => {
                let unit = unit(metric, end).0;
                let step = nice(end / unit / 5.0) * unit;
                let count = (end / step) as usize;
                (0..=count).map(|at| at as f64 * step).collect()
            }
            Scale::Log { start, end } => {
                let base: f64 = if binary { 2.0 } else { 10.0 };
                let first = start.log(base).ceil() as i32;
                let last = end.log(base).floor() as i32;
                let step = ((last - first) / 5 + 1) as usize;
                (first..=last)
                    .step_by(step)
                    .map(|at| base.powi(at))
                    .collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, not below the figure.
fn nice(figure: f64) -> f64 {
    let power = 10_f64.powf(figure.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= figure * 0.999);
    factor.unwrap_or(10.0) * power
}

/// The unit that figures up to this one are told in, and its name.
fn unit(metric: Metric, most: f64) -> (f64, &'static str) {
    let units: &[(f64, &str)] = match metric.unit() {
        "ns" => &[(1.0, " ns"), (1e3, " µs"), (1e6, " ms"), (1e9, " s")],
        "operations/s" => &[(1.0, "/s"), (1e3, " k/s"), (1e6, " M/s"), (1e9, " G/s")],
        "bytes" => &[
            (1.0, " B"),
            (1024.0, " KiB"),
            (1_048_576.0, " MiB"),
            (1_073_741_824.0, " GiB"),
        ],
        "ratio" => &[(0.01, "%")],
        _ => &[(1.0, ""), (1e3, " k"), (1e6, " M")],
    };
    let fits = units.iter().rev().find(|(size, _)| most >= *size);
    *fits.unwrap_or(&units[0])
}

/// A figure beside an axis.
pub(crate) fn tick(metric: Metric, figure: f64) -> String {
    if figure == 0.0 {
        return "0".into();
    }
    let (size, name) = unit(metric, figure);
    let scaled = figure / size;
    if (scaled - scaled.round()).abs() < 1e-6 {
        format!("{scaled:.0}{name}")
    } else {
        format!("{}{name}", trimmed(scaled))
    }
}

pub(crate) fn trimmed(figure: f64) -> String {
    let text = format!("{figure:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_starts_at_zero_unless_figures_differ_much() {
        let near = Scale::fit([1.0, 10.0].into_iter(), 40.0);
        assert!(matches!(near, Scale::Linear { .. }));
        assert_eq!(near.place(0.0), 0.0);
        let far = Scale::fit([1.0, 1000.0].into_iter(), 40.0);
        assert!(far.place(1.0) > 0.0 && far.place(1000.0) < 1.0);
        assert!((far.place(31.6) - 0.5).abs() < 0.01);
        assert_eq!(far.place(0.0), 0.0);
    }

    #[test]
    fn ticks_are_round_and_few() {
        let linear = Scale::Linear { end: 87e6 };
        let named: Vec<String> = linear
            .ticks(Metric::Throughput)
            .into_iter()
            .map(|figure| tick(Metric::Throughput, figure))
            .collect();
        assert_eq!(named, ["0", "20 M/s", "40 M/s", "60 M/s", "80 M/s"]);
        let log = Scale::Log {
            start: 900.0,
            end: 4e8,
        };
        let ticks = log.ticks(Metric::OverheadPeak);
        assert!((3..=7).contains(&ticks.len()), "{ticks:?}");
        assert_eq!(tick(Metric::OverheadPeak, ticks[0]), "1 KiB");
        assert_eq!(tick(Metric::TimePerOp, 0.5), "0.5 ns");
    }
}
