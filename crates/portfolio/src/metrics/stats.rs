//! The figures of one return series.

use std::ops::Range;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::drawdown::{Drawdown, Falls, Underwater, falls};
use super::ends::{Ends, ends_with};
use super::relative::{CommonEnds, Relative, relative};
use super::spread::{Extreme, Spread};
use super::tail::{Outer, Tail, tail};
use super::{Benchmark, EPSILON, ReturnSeries, Settings};
use crate::dates::days_between;

/// A return and its day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatedReturn {
    pub date: Date,
    pub value: f64,
}

/// All figures; `None` where one is undefined.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The number of returns.
    pub n_returns: usize,
    /// The opening date.
    pub start: Option<Date>,
    /// The last date.
    pub end: Option<Date>,
    /// Calendar days from start to end.
    pub days: Option<i64>,
    /// True under 365 days, where annual figures mislead.
    pub short_period: Option<bool>,
    /// The compounded return.
    pub total_return: Option<f64>,
    /// The compound annual growth rate over calendar days.
    pub cagr: Option<f64>,
    /// The annualised sample deviation.
    pub volatility: Option<f64>,
    /// The annualised deviation below the minimum return.
    pub downside_deviation: Option<f64>,
    /// The annualised excess return over volatility.
    pub sharpe: Option<f64>,
    /// The annualised excess return over downside deviation.
    pub sortino: Option<f64>,
    /// Growth rate over the deepest fall.
    pub calmar: Option<f64>,
    /// The deepest fall.
    pub max_drawdown: Option<Drawdown>,
    /// The longest time below a peak.
    pub longest_underwater: Option<Underwater>,
    /// The root mean square fall.
    pub ulcer_index: Option<f64>,
    /// Historical value at risk, a positive loss.
    pub var: Option<f64>,
    /// The mean loss at or beyond the value at risk.
    pub cvar: Option<f64>,
    /// The 95 % quantile over the 5 % quantile, signs left out.
    pub tail_ratio: Option<f64>,
    /// Bias-corrected.
    pub skewness: Option<f64>,
    /// Bias-corrected, excess.
    pub kurtosis: Option<f64>,
    /// The best day; of equals the first.
    pub best: Option<DatedReturn>,
    /// The worst day; of equals the first.
    pub worst: Option<DatedReturn>,
    /// The share of returns above zero.
    pub positive_ratio: Option<f64>,
    /// Gains over losses around the minimum return.
    pub omega: Option<f64>,
    /// Figures against the benchmark, when there is one.
    pub benchmark: Option<Relative>,
}

/// Computes every figure of `series`. A return below -1 leaves compounding figures undefined, not the others.
pub fn stats(
    series: ReturnSeries<'_>,
    settings: Settings,
    benchmark: Option<&Benchmark<'_>>,
) -> Stats {
    Endings::of(series, settings, benchmark).stats(series, benchmark)
}

/// What is computed once for several series that end alike: on the same day and with the same returns, but for the first
/// return of each.
#[derive(Debug)]
pub(crate) struct Endings<'r> {
    returns: &'r [f64],
    settings: Settings,
    minimum: f64,
    spreads: Ends<Spread>,
    outer: Outer,
    common: Option<CommonEnds<'r>>,
}

impl<'r> Endings<'r> {
    /// By the longest of the series.
    pub(crate) fn of(
        longest: ReturnSeries<'r>,
        settings: Settings,
        benchmark: Option<&'r Benchmark<'_>>,
    ) -> Endings<'r> {
        let (returns, minimum) = (longest.returns, settings.period_minimum());
        let spread = |part: Range<usize>| Spread::of(&returns[part], minimum);
        let spreads = Ends::of(returns.len(), spread);
        let outer = match returns {
            [] => Outer::default(),
            _ => Outer::of(returns, &spreads.whole(returns.len(), spread).moments),
        };
        Endings {
            returns,
            settings,
            minimum,
            spreads,
            outer,
            common: benchmark.map(|benchmark| CommonEnds::of(longest, benchmark)),
        }
    }

    /// As [`stats`]. Of a series that does not end like the others nothing is known before; a benchmark is looked at if the longest
    /// series had one.
    pub(crate) fn stats(
        &self,
        series: ReturnSeries<'_>,
        benchmark: Option<&Benchmark<'_>>,
    ) -> Stats {
        let mut figures = Stats {
            n_returns: series.returns.len(),
            ..Stats::default()
        };
        let Some(last) = series.dates.last().copied() else {
            return figures;
        };
        if !ends_with(self.returns, series.returns) {
            return stats(series, self.settings, benchmark);
        }
        let spread = self.spreads.whole(series.returns.len(), |part| {
            Spread::of(&series.returns[part], self.minimum)
        });
        span(&mut figures, series.base, last);
        self.spread(&mut figures, series.returns, &spread);
        if spread.least.value >= -1.0 {
            compounding(&mut figures, series, spread.wealth - 1.0);
        }
        extremes(&mut figures, series, &spread);
        let common = self.common.as_ref().zip(benchmark);
        figures.benchmark =
            common.map(|(common, benchmark)| relative(common, series, benchmark, self.settings));
        figures
    }

    fn spread(&self, figures: &mut Stats, returns: &[f64], spread: &Spread) {
        let (settings, moments) = (&self.settings, &spread.moments);
        let annual = settings.periods_per_year.sqrt();
        let deviation = moments.deviation();
        let excess = moments.mean - settings.period_risk_free();
        figures.volatility = deviation.map(|deviation| deviation * annual);
        figures.sharpe = deviation
            .filter(|deviation| *deviation > EPSILON)
            .map(|deviation| excess / deviation * annual);
        figures.omega = (spread.losses > EPSILON).then(|| spread.gains / spread.losses);
        if returns.len() > 1 {
            let downside = (spread.below / returns.len() as f64).sqrt();
            figures.downside_deviation = Some(downside * annual);
            figures.sortino =
                (downside > EPSILON).then(|| (moments.mean - self.minimum) / downside * annual);
        }
        let Tail { var, cvar, ratio } = tail(returns, settings.confidence, &self.outer);
        (figures.var, figures.cvar, figures.tail_ratio) = (var, cvar, ratio);
        figures.skewness = moments.skewness();
        figures.kurtosis = moments.kurtosis();
    }
}

fn span(figures: &mut Stats, start: Date, end: Date) {
    let days = days_between(start, end);
    figures.start = Some(start);
    figures.end = Some(end);
    figures.days = Some(days);
    figures.short_period = Some(days < 365);
}

fn compounding(figures: &mut Stats, series: ReturnSeries<'_>, total: f64) {
    let days = days_between(series.base, series.dates[series.dates.len() - 1]);
    let cagr = (days > 0).then(|| (1.0 + total).powf(365.0 / days as f64) - 1.0);
    // A large gain within days can leave the range of floats when it is annualised.
    let cagr = cagr.filter(|cagr| cagr.is_finite());
    let Falls {
        deepest,
        longest,
        ulcer_index,
    } = falls(series);
    figures.total_return = Some(total);
    figures.cagr = cagr;
    figures.calmar = cagr
        .filter(|_| deepest.depth != 0.0)
        .map(|cagr| cagr / deepest.depth.abs());
    figures.max_drawdown = Some(deepest);
    figures.longest_underwater = Some(longest);
    figures.ulcer_index = ulcer_index;
}

fn extremes(figures: &mut Stats, series: ReturnSeries<'_>, spread: &Spread) {
    let dated = |extreme: Extreme| DatedReturn {
        date: series.dates[extreme.place(series.returns)],
        value: extreme.value,
    };
    figures.best = Some(dated(spread.most));
    figures.worst = Some(dated(spread.least));
    figures.positive_ratio = Some(spread.positive / series.returns.len() as f64);
}
