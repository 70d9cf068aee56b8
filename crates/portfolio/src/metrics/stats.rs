//! The figures of one return series.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::dives::dives;
use super::drawdown::{Drawdown, Falls, Underwater};
use super::moments::Moments;
use super::nest::Nest;
use super::relative::{Relative, of_common};
use super::tail::tails;
use super::{Benchmark, EPSILON, ReturnSeries, Settings};
use crate::dates::{begins_with, days_between};

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
    let mut figures = stats_of_all(&[series], settings, &[benchmark]);
    figures.pop().expect("one for each")
}

/// As [`stats`] for each series with its benchmark. What series that end alike have in common is gone over once.
pub(crate) fn stats_of_all(
    series: &[ReturnSeries<'_>],
    settings: Settings,
    benchmarks: &[Option<&Benchmark<'_>>],
) -> Vec<Stats> {
    let mut figures: Vec<Stats> = series.iter().map(span).collect();
    let returns: Vec<_> = series
        .iter()
        .map(|series| (series.returns, series.returns))
        .collect();
    let end_alike = |longer: usize, shorter: usize| {
        let (longer, shorter) = (series[longer].dates, series[shorter].dates);
        begins_with(&longer[longer.len() - shorter.len()..], shorter)
    };
    let rates = Rates::of(settings);
    let mut known: Vec<Option<Moments>> = vec![None; series.len()];
    for nest in Nest::all(&returns, end_alike) {
        let moments = Moments::of(&nest);
        spread(&mut figures, &nest, &moments, rates);
        outer(&mut figures, &nest, &moments, settings.confidence, series);
        compounding(&mut figures, &nest, series);
        for (window, moments) in nest.windows().iter().zip(moments) {
            known[window.turn] = Some(moments);
        }
    }
    compare(&mut figures, series, &known, settings, benchmarks);
    figures
}

/// What settings say of one period.
#[derive(Clone, Copy, Debug)]
struct Rates {
    /// The square root of the periods in a year.
    annual: f64,
    risk_free: f64,
    minimum: f64,
}

impl Rates {
    fn of(settings: Settings) -> Rates {
        Rates {
            annual: settings.periods_per_year.sqrt(),
            risk_free: settings.period_risk_free(),
            minimum: settings.period_minimum(),
        }
    }
}

/// The figures that need no return.
fn span(series: &ReturnSeries<'_>) -> Stats {
    let last = series.dates.last().copied();
    let days = last.map(|last| days_between(series.base, last));
    Stats {
        n_returns: series.returns.len(),
        start: last.map(|_| series.base),
        end: last,
        days,
        short_period: days.map(|days| days < 365),
        ..Stats::default()
    }
}

fn compounding(figures: &mut [Stats], nest: &Nest<'_>, series: &[ReturnSeries<'_>]) {
    let wealth = nest.products(|value, _| [1.0 + value]);
    let dives = dives(nest, series);
    for ((window, dives), [wealth]) in nest.windows().iter().zip(dives).zip(wealth) {
        let figures = &mut figures[window.turn];
        if figures
            .worst
            .as_ref()
            .is_none_or(|worst| worst.value < -1.0)
        {
            continue;
        }
        let days = figures.days.filter(|days| *days > 0);
        let cagr = days.map(|days| wealth.powf(365.0 / days as f64) - 1.0);
        // A large gain within days can leave the range of floats when it is annualised.
        figures.cagr = cagr.filter(|cagr| cagr.is_finite());
        let falls = Falls::of(series[window.turn], window.start, &dives);
        figures.total_return = Some(wealth - 1.0);
        figures.calmar = figures
            .cagr
            .filter(|_| falls.deepest.depth != 0.0)
            .map(|cagr| cagr / falls.deepest.depth.abs());
        figures.max_drawdown = Some(falls.deepest);
        figures.longest_underwater = Some(falls.longest);
        figures.ulcer_index = Some(falls.ulcer_index);
    }
}

fn spread(figures: &mut [Stats], nest: &Nest<'_>, moments: &[Moments], rates: Rates) {
    let sums = nest.sums(|value, _| {
        let off = value - rates.minimum;
        let gain = if off > 0.0 { off } else { 0.0 };
        let loss = if off < 0.0 { -off } else { 0.0 };
        let positive = if value > 0.0 { 1.0 } else { 0.0 };
        [loss * loss, gain, loss, positive]
    });
    for ((window, moments), sums) in nest.windows().iter().zip(moments).zip(sums) {
        let (figures, [below, gains, losses, positive]) = (&mut figures[window.turn], sums);
        let count = nest.count(window);
        deviations(figures, moments, rates);
        figures.positive_ratio = Some(positive / count as f64);
        figures.omega = (losses > EPSILON).then(|| gains / losses);
        if count > 1 {
            let downside = (below / count as f64).sqrt();
            figures.downside_deviation = Some(downside * rates.annual);
            let excess = moments.mean - rates.minimum;
            figures.sortino = (downside > EPSILON).then(|| excess / downside * rates.annual);
        }
    }
}

fn deviations(figures: &mut Stats, moments: &Moments, rates: Rates) {
    let deviation = moments.deviation();
    let excess = moments.mean - rates.risk_free;
    figures.volatility = deviation.map(|deviation| deviation * rates.annual);
    figures.sharpe = deviation
        .filter(|deviation| *deviation > EPSILON)
        .map(|deviation| excess / deviation * rates.annual);
    figures.skewness = moments.skewness();
    figures.kurtosis = moments.kurtosis();
}

fn outer(
    figures: &mut [Stats],
    nest: &Nest<'_>,
    moments: &[Moments],
    confidence: f64,
    series: &[ReturnSeries<'_>],
) {
    let tails = tails(nest, confidence, &moments[0]);
    for (window, tail) in nest.windows().iter().zip(tails) {
        let (figures, dates) = (&mut figures[window.turn], series[window.turn].dates);
        let dated = |(day, value): (usize, f64)| DatedReturn {
            date: dates[day - window.start],
            value,
        };
        figures.worst = tail.worst.map(dated);
        figures.best = tail.best.map(dated);
        (figures.var, figures.cvar, figures.tail_ratio) = (tail.var, tail.cvar, tail.ratio);
    }
}

fn compare(
    figures: &mut [Stats],
    series: &[ReturnSeries<'_>],
    moments: &[Option<Moments>],
    settings: Settings,
    benchmarks: &[Option<&Benchmark<'_>>],
) {
    let with_returns = |turn: &usize| !series[*turn].returns.is_empty();
    let turns = (0..series.len()).filter(with_returns);
    let compared = turns.filter_map(|turn| {
        let common = benchmarks[turn]?.common(series[turn]);
        let is_whole = common.own().len() == series[turn].returns.len();
        let moments = moments[turn].filter(|_| is_whole);
        Some((turn, (common, moments)))
    });
    let (turns, common): (Vec<usize>, Vec<_>) = compared.unzip();
    for (turn, relative) in turns.into_iter().zip(of_common(&common, settings)) {
        figures[turn].benchmark = Some(relative);
    }
}
