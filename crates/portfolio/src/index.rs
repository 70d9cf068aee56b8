//! An index that portfolios are compared with: its levels, and its returns over the periods of many portfolios, which mostly
//! are the same and made once.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::civil::Date;

use crate::carried::Carried;
use crate::dates::begins_with;
use crate::metrics::{Benchmark, BenchmarkReturns};

/// Periods that are kept: those of all portfolios of some calendars. Further ones are made each time.
const KEPT: usize = 32;

/// Levels, and returns by period.
#[derive(Debug, Default)]
pub struct Index {
    levels: Carried<f64>,
    periods: RwLock<Vec<IndexPeriod>>,
}

/// Returns over the days of a period.
#[derive(Debug)]
struct IndexPeriod {
    from: Date,
    dates: Vec<Date>,
    returns: Arc<BenchmarkReturns>,
}

impl IndexPeriod {
    fn is(&self, from: Date, dates: &[Date]) -> bool {
        self.from == from && self.dates.len() == dates.len() && begins_with(&self.dates, dates)
    }
}

impl Index {
    /// An index by its levels, the last of which holds until the next.
    pub fn new(levels: Carried<f64>) -> Index {
        Index {
            levels,
            periods: RwLock::default(),
        }
    }

    /// Its returns between the days of a period that opens on `from`, its last level carried forward; days before its first
    /// level are left out.
    pub fn returns<'d>(&self, from: Date, dates: &'d [Date]) -> Benchmark<'d> {
        if let Some(returns) = self.kept(from, dates) {
            return Benchmark::shared(dates, returns);
        }
        match BenchmarkReturns::of_days(self.made(from, dates)) {
            Ok(returns) => {
                let returns = Arc::new(returns);
                self.keep(from, dates, &returns);
                Benchmark::shared(dates, returns)
            }
            Err(returns) => Benchmark::of_days(dates, returns),
        }
    }

    fn kept(&self, from: Date, dates: &[Date]) -> Option<Arc<BenchmarkReturns>> {
        let periods = self.periods.read().unwrap_or_else(PoisonError::into_inner);
        let period = periods.iter().find(|period| period.is(from, dates))?;
        Some(Arc::clone(&period.returns))
    }

    fn keep(&self, from: Date, dates: &[Date], returns: &Arc<BenchmarkReturns>) {
        let mut periods = self.periods.write().unwrap_or_else(PoisonError::into_inner);
        if periods.len() < KEPT {
            periods.push(IndexPeriod {
                from,
                dates: dates.to_vec(),
                returns: Arc::clone(returns),
            });
        }
    }

    fn made(&self, from: Date, dates: &[Date]) -> Vec<f64> {
        let opening = self.levels.at(from).map_or(f64::NAN, |(_, level)| *level);
        let carried: Vec<f64>;
        let on_days = match self.levels.on(dates) {
            Some(levels) => levels,
            None => {
                let along = self.levels.along(dates.iter().copied());
                carried = along
                    .map(|level| level.map_or(f64::NAN, |(_, level)| *level))
                    .collect();
                &carried
            }
        };
        let before = std::iter::once(&opening).chain(on_days);
        let returns = on_days.iter().zip(before);
        returns
            .map(|(level, before)| level / before - 1.0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::{Index, KEPT};
    use crate::dates::plus_days;
    use crate::metrics::{ReturnSeries, Settings, stats};

    const START: Date = date(2024, 1, 1);

    fn index() -> Index {
        let level = |day: i64| (plus_days(START, day), 100.0 + (day * 7919 % 31) as f64);
        Index::new((0..200).map(level).collect())
    }

    #[test]
    fn a_period_gives_the_same_every_time() {
        let shared = index();
        for turn in 0..2 * KEPT as i64 {
            let from = plus_days(START, turn % 50 - 3);
            let every = 1 + turn % 2;
            let dates: Vec<Date> = (1..60).map(|day| plus_days(from, day * every)).collect();
            let own: Vec<f64> = (0..dates.len()).map(|day| 0.001 * day as f64).collect();
            let series = ReturnSeries {
                base: from,
                dates: &dates,
                returns: &own,
            };
            let figures = |index: &Index| {
                let compared = || {
                    let benchmark = index.returns(from, &dates);
                    stats(series, Settings::default(), Some(&benchmark)).benchmark
                };
                let first = compared();
                assert_eq!(first, compared());
                first
            };
            assert_eq!(figures(&shared), figures(&index()), "{turn}");
        }
    }
}
