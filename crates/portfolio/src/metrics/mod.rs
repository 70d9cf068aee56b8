//! Figures of a return series: return, risk, drawdown, benchmark. Floats only; definitions follow the field's usual
//! ones, annualised with a fixed number of periods a year. An undefined figure is `None`, never NaN or infinity.

mod calendar_returns;
mod drawdown;
mod moments;
mod relative;
mod rolling;
mod stats;
mod tail;

use std::borrow::Cow;

use jiff::civil::Date;

use crate::dates::begins_with;
use crate::lanes::products_of_pairs;

pub use calendar_returns::{monthly, yearly};
pub use drawdown::{Drawdown, Underwater};
pub use relative::{Relative, relative};
pub use rolling::{RollingPoint, rolling, rolling_point};
pub use stats::{DatedReturn, Stats, stats};

/// A deviation not above this counts as zero.
pub(crate) const EPSILON: f64 = 1e-12;

/// Returns on dates, after an opening date.
#[derive(Clone, Copy, Debug)]
pub struct ReturnSeries<'a> {
    /// The day before the first return's period ends: wealth is 1 here.
    pub base: Date,
    /// The dates of the returns, ascending.
    pub dates: &'a [Date],
    /// One simple return for each date.
    pub returns: &'a [f64],
}

/// Benchmark returns by date; dates that the portfolio does not have are left out.
#[derive(Clone, Debug, Default)]
pub struct Benchmark<'d> {
    /// In order.
    dates: Cow<'d, [Date]>,
    /// One for each date.
    returns: Vec<f64>,
}

impl FromIterator<(Date, f64)> for Benchmark<'_> {
    fn from_iter<I: IntoIterator<Item = (Date, f64)>>(days: I) -> Self {
        let mut days: Vec<(Date, f64)> = days.into_iter().collect();
        days.sort_by_key(|(date, _)| *date);
        let (dates, returns): (Vec<Date>, Vec<f64>) = days.into_iter().unzip();
        Benchmark {
            dates: Cow::Owned(dates),
            returns,
        }
    }
}

/// Equally long lists of returns, day by day.
pub(crate) struct Common<'r> {
    own: Cow<'r, [f64]>,
    other: Cow<'r, [f64]>,
}

impl Common<'_> {
    pub(crate) fn own(&self) -> &[f64] {
        &self.own
    }

    pub(crate) fn other(&self) -> &[f64] {
        &self.other
    }
}

impl<'d> Benchmark<'d> {
    /// Returns of days in order, without those that are not finite: mostly none, or those before the first level.
    pub(crate) fn of_days(dates: &'d [Date], mut returns: Vec<f64>) -> Benchmark<'d> {
        let without = returns.iter().take_while(|value| !value.is_finite());
        let first = without.count();
        if returns[first..].iter().all(|value| value.is_finite()) {
            returns.drain(..first);
            return Benchmark {
                dates: Cow::Borrowed(&dates[first..]),
                returns,
            };
        }
        let days = dates.iter().copied().zip(returns);
        days.filter(|(_, value)| value.is_finite()).collect()
    }

    /// The returns of a series and of the benchmark on the days that both have.
    pub(crate) fn common<'r>(&'r self, series: ReturnSeries<'r>) -> Common<'r> {
        let first = self.dates.first().max(series.dates.first());
        let skip = |dates: &[Date]| dates.partition_point(|date| Some(date) < first);
        let (skipped, own_skipped) = (skip(&self.dates), skip(series.dates));
        let (dates, returns) = (&self.dates[skipped..], &self.returns[skipped..]);
        let (own_dates, own) = (&series.dates[own_skipped..], &series.returns[own_skipped..]);
        if begins_with(dates, own_dates) {
            return Common {
                own: Cow::Borrowed(own),
                other: Cow::Borrowed(&returns[..own.len()]),
            };
        }
        let mut days = dates.iter().zip(returns).peekable();
        let pairs = own_dates.iter().zip(own);
        let shared = pairs.filter_map(|(date, own)| {
            while days.next_if(|(day, _)| *day < date).is_some() {}
            let (_, other) = days.next_if(|(day, _)| *day == date)?;
            Some((*own, *other))
        });
        let (own, other): (Vec<f64>, Vec<f64>) = shared.unzip();
        Common {
            own: Cow::Owned(own),
            other: Cow::Owned(other),
        }
    }
}

/// How to annualise and what to compare with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Periods a year: 252, 365 or 12.
    pub periods_per_year: f64,
    /// The annual risk-free rate.
    pub risk_free: f64,
    /// The annual minimum acceptable return; none means the risk-free rate.
    pub minimum_return: Option<f64>,
    /// The confidence of value at risk, such as 0.95.
    pub confidence: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            periods_per_year: 252.0,
            risk_free: 0.0,
            minimum_return: None,
            confidence: 0.95,
        }
    }
}

impl Settings {
    /// The risk-free rate of one period.
    pub(crate) fn period_risk_free(&self) -> f64 {
        self.per_period(self.risk_free)
    }

    /// The minimum acceptable return of one period.
    pub(crate) fn period_minimum(&self) -> f64 {
        self.per_period(self.minimum_return.unwrap_or(self.risk_free))
    }

    fn per_period(&self, annual: f64) -> f64 {
        (1.0 + annual).powf(1.0 / self.periods_per_year) - 1.0
    }
}

/// Returns joined: `(1+a)(1+b)… - 1`.
pub fn compound(returns: &[f64]) -> f64 {
    let [wealth] = products_of_pairs(returns, returns, |value, _| [1.0 + value]);
    wealth - 1.0
}

#[cfg(test)]
mod tests;
