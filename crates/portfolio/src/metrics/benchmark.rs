//! Returns of a benchmark, and what they come to by themselves: the same for every series that is compared with it.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;

use super::relative::Compared;
use super::{ReturnSeries, compound};
use crate::dates::begins_with;

/// Benchmark returns by date; dates that the portfolio does not have are left out.
#[derive(Clone, Debug, Default)]
pub struct Benchmark<'d> {
    /// In order.
    dates: Cow<'d, [Date]>,
    returns: Arc<BenchmarkReturns>,
}

/// Returns of days in order, which many series may share.
#[derive(Debug, Default)]
pub(crate) struct BenchmarkReturns {
    /// How many days before the first return have none.
    skipped: usize,
    /// One for each later day.
    values: Vec<f64>,
    alone: OnceLock<Alone>,
}

/// What returns come to by themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alone {
    /// Compounded.
    pub(super) total: f64,
    pub(super) up: Days,
    pub(super) down: Days,
}

/// Some of the days of a benchmark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Days {
    pub(super) count: usize,
    /// What its returns of these days make of one.
    pub(super) wealth: f64,
}

/// Equally long lists of returns, day by day.
#[derive(Debug)]
pub(crate) struct Common<'r> {
    own: Cow<'r, [f64]>,
    other: Cow<'r, [f64]>,
    /// Where the other list is all returns of the benchmark.
    whole: Option<&'r BenchmarkReturns>,
}

impl FromIterator<(Date, f64)> for Benchmark<'_> {
    fn from_iter<I: IntoIterator<Item = (Date, f64)>>(days: I) -> Self {
        let mut days: Vec<(Date, f64)> = days.into_iter().collect();
        days.sort_by_key(|(date, _)| *date);
        let (dates, values): (Vec<Date>, Vec<f64>) = days.into_iter().unzip();
        Benchmark {
            dates: Cow::Owned(dates),
            returns: Arc::new(BenchmarkReturns::new(0, values)),
        }
    }
}

impl BenchmarkReturns {
    fn new(skipped: usize, values: Vec<f64>) -> BenchmarkReturns {
        BenchmarkReturns {
            skipped,
            values,
            alone: OnceLock::new(),
        }
    }

    /// Returns of days in order, without those before the first that is finite; `None` when another one is not finite.
    pub(crate) fn of_days(mut returns: Vec<f64>) -> Result<BenchmarkReturns, Vec<f64>> {
        let without = returns.iter().take_while(|value| !value.is_finite());
        let first = without.count();
        if !returns[first..].iter().all(|value| value.is_finite()) {
            return Err(returns);
        }
        returns.drain(..first);
        Ok(BenchmarkReturns::new(first, returns))
    }
}

impl Alone {
    fn of(returns: &[f64]) -> Alone {
        let Compared { up, down, .. } = Compared::of_all(returns, returns);
        let days = |chosen: fn(f64) -> bool| returns.iter().filter(|value| chosen(**value)).count();
        Alone {
            total: compound(returns),
            up: Days {
                count: days(|value| value > 0.0),
                wealth: up,
            },
            down: Days {
                count: days(|value| value < 0.0),
                wealth: down,
            },
        }
    }
}

impl Common<'_> {
    pub(crate) fn own(&self) -> &[f64] {
        &self.own
    }

    pub(crate) fn other(&self) -> &[f64] {
        &self.other
    }

    /// What the other list comes to by itself, of which there is at least one return.
    pub(super) fn other_alone(&self) -> Alone {
        match self.whole {
            Some(returns) => *returns.alone.get_or_init(|| Alone::of(&returns.values)),
            None => Alone::of(&self.other),
        }
    }
}

impl<'d> Benchmark<'d> {
    /// Returns of days in order, without those that are not finite: mostly none, or those before the first level.
    pub(crate) fn of_days(dates: &'d [Date], returns: Vec<f64>) -> Benchmark<'d> {
        match BenchmarkReturns::of_days(returns) {
            Ok(returns) => Benchmark::shared(dates, Arc::new(returns)),
            Err(returns) => {
                let days = dates.iter().copied().zip(returns);
                days.filter(|(_, value)| value.is_finite()).collect()
            }
        }
    }

    /// Returns that were made of these days.
    pub(crate) fn shared(dates: &'d [Date], returns: Arc<BenchmarkReturns>) -> Benchmark<'d> {
        Benchmark {
            dates: Cow::Borrowed(&dates[returns.skipped..]),
            returns,
        }
    }

    /// The returns of a series and of the benchmark on the days that both have.
    pub(crate) fn common<'r>(&'r self, series: ReturnSeries<'r>) -> Common<'r> {
        let first = self.dates.first().max(series.dates.first());
        let skip = |dates: &[Date]| dates.partition_point(|date| Some(date) < first);
        let (skipped, own_skipped) = (skip(&self.dates), skip(series.dates));
        let (dates, returns) = (&self.dates[skipped..], &self.returns.values[skipped..]);
        let (own_dates, own) = (&series.dates[own_skipped..], &series.returns[own_skipped..]);
        if begins_with(dates, own_dates) {
            let is_whole = own.len() == self.returns.values.len();
            return Common {
                own: Cow::Borrowed(own),
                other: Cow::Borrowed(&returns[..own.len()]),
                whole: is_whole.then_some(&*self.returns),
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
            whole: None,
        }
    }
}
