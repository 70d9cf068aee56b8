//! Figures of a return series: return, risk, drawdown, benchmark. Floats only; definitions follow the field's usual
//! ones, annualised with a fixed number of periods a year. An undefined figure is `None`, never NaN or infinity.

mod benchmark;
mod calendar_returns;
mod drawdown;
mod ends;
mod moments;
mod relative;
mod rolling;
mod spread;
mod stats;
mod tail;

use std::ops::Range;

use jiff::civil::Date;

use self::ends::{Stretch, whole};
use crate::lanes::product;

pub use benchmark::Benchmark;
pub(crate) use benchmark::BenchmarkReturns;
pub use calendar_returns::{monthly, yearly};
pub use drawdown::{Drawdown, Underwater};
pub use relative::Relative;
pub use rolling::{RollingPoint, rolling, rolling_point};
pub(crate) use stats::Endings;
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
    let wealth = |part: Range<usize>| Wealth(product(&returns[part], |value| value + 1.0));
    whole(returns.len(), wealth).0 - 1.0
}

/// What some returns make of one.
#[derive(Clone, Copy)]
struct Wealth(f64);

impl Stretch for Wealth {
    fn and(self, later: Wealth) -> Wealth {
        Wealth(self.0 * later.0)
    }
}

#[cfg(test)]
mod tests;
