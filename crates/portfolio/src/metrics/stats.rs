//! The figures of one return series.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::drawdown::{Drawdown, Falls, Underwater, falls};
use super::moments::Moments;
use super::relative::{Relative, relative};
use super::tail::{Tail, tail};
use super::{Benchmark, EPSILON, ReturnSeries, Settings, compound};
use crate::dates::days_between;
use crate::lanes::{outermost, sums};

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
    let mut figures = Stats {
        n_returns: series.returns.len(),
        ..Stats::default()
    };
    let Some(last) = series.dates.last().copied() else {
        return figures;
    };
    span(&mut figures, series.base, last);
    spread(&mut figures, series.returns, settings);
    let possible = series.returns.iter().filter(|value| **value >= -1.0);
    if possible.count() == series.returns.len() {
        compounding(&mut figures, series);
    }
    extremes(&mut figures, series);
    figures.benchmark = benchmark.map(|benchmark| relative(series, benchmark, settings));
    figures
}

fn span(figures: &mut Stats, start: Date, end: Date) {
    let days = days_between(start, end);
    figures.start = Some(start);
    figures.end = Some(end);
    figures.days = Some(days);
    figures.short_period = Some(days < 365);
}

fn compounding(figures: &mut Stats, series: ReturnSeries<'_>) {
    let total = compound(series.returns);
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

fn spread(figures: &mut Stats, returns: &[f64], settings: Settings) {
    let annual = settings.periods_per_year.sqrt();
    let minimum = settings.period_minimum();
    let moments = Moments::of(returns);
    let deviation = moments.deviation();
    let excess = moments.mean - settings.period_risk_free();
    figures.volatility = deviation.map(|deviation| deviation * annual);
    figures.sharpe = deviation
        .filter(|deviation| *deviation > EPSILON)
        .map(|deviation| excess / deviation * annual);
    let [below, gains, losses] = sums(returns, |value| {
        let short = (value - minimum).min(0.0);
        [short * short, (value - minimum).max(0.0), -short]
    });
    figures.omega = (losses > EPSILON).then(|| gains / losses);
    if returns.len() > 1 {
        let downside = (below / returns.len() as f64).sqrt();
        figures.downside_deviation = Some(downside * annual);
        figures.sortino =
            (downside > EPSILON).then(|| (moments.mean - minimum) / downside * annual);
    }
    let Tail { var, cvar, ratio } = tail(returns, settings.confidence, &moments);
    (figures.var, figures.cvar, figures.tail_ratio) = (var, cvar, ratio);
    figures.skewness = moments.skewness();
    figures.kurtosis = moments.kurtosis();
}

fn extremes(figures: &mut Stats, series: ReturnSeries<'_>) {
    let returns = series.returns;
    figures.best = first_extreme(series, f64::max);
    figures.worst = first_extreme(series, f64::min);
    let positive = returns.iter().filter(|value| **value > 0.0).count();
    figures.positive_ratio = Some(positive as f64 / returns.len() as f64);
}

/// The first return that is what `outer` leaves of all of them.
fn first_extreme(series: ReturnSeries<'_>, outer: impl Fn(f64, f64) -> f64) -> Option<DatedReturn> {
    let extreme = outermost(series.returns, *series.returns.first()?, outer);
    let at = series.returns.iter().position(|value| *value == extreme)?;
    Some(DatedReturn {
        date: series.dates[at],
        value: series.returns[at],
    })
}
