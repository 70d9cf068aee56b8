//! Falls below the last peak. Wealth starts at 1 on the opening date, which can be a peak itself.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::dives::Dive;
use super::{EPSILON, ReturnSeries};
use crate::dates::days_between;

/// The deepest fall; of equals the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drawdown {
    /// `wealth / peak - 1`, zero or below.
    pub depth: f64,
    /// The last day at the high.
    pub peak: Option<Date>,
    /// The first day at the depth.
    pub trough: Option<Date>,
    /// The first day back at the peak.
    pub recovery: Option<Date>,
    /// True when it has not recovered.
    pub ongoing: bool,
    /// From peak to recovery, or to the end.
    pub duration_days: i64,
    /// From peak to trough.
    pub decline_days: i64,
}

/// The longest time below a peak; not always the deepest fall.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Underwater {
    /// From the peak to the day back at it, or to the end.
    pub days: i64,
    /// The peak.
    pub start: Option<Date>,
    /// The day back at it, or the last day.
    pub end: Option<Date>,
    /// True when it lasts.
    pub ongoing: bool,
}

/// What the dives of a series come to.
#[derive(Debug)]
pub(super) struct Falls {
    pub(super) deepest: Drawdown,
    pub(super) longest: Underwater,
    /// The root mean square of the fall on each day.
    pub(super) ulcer_index: f64,
}

impl Falls {
    /// Of a series with at least one return and its dives, whose days are counted from `start` on.
    pub(super) fn of(series: ReturnSeries<'_>, start: usize, dives: &[Dive]) -> Falls {
        let squares: f64 = dives.iter().map(|dive| dive.squares).sum();
        let series = Dated { series, start };
        Falls {
            deepest: deepest(dives).map_or_else(Drawdown::default, |dive| series.drawdown(dive)),
            longest: longest(dives)
                .map_or_else(Underwater::default, |dive| series.underwater(dive)),
            ulcer_index: (squares / series.series.dates.len() as f64).sqrt(),
        }
    }
}

fn deepest(dives: &[Dive]) -> Option<&Dive> {
    let deeper = |deepest: Option<&Dive>, dive: &Dive| {
        dive.depth < deepest.map_or(0.0, |deepest| deepest.depth) - EPSILON
    };
    let choose = |deepest, dive| {
        if deeper(deepest, dive) {
            Some(dive)
        } else {
            deepest
        }
    };
    dives.iter().fold(None, choose)
}

fn longest(dives: &[Dive]) -> Option<&Dive> {
    let longer =
        |longest: Option<&Dive>, dive: &Dive| dive.days > longest.map_or(0, |longest| longest.days);
    let choose = |longest, dive| {
        if longer(longest, dive) {
            Some(dive)
        } else {
            longest
        }
    };
    dives.iter().fold(None, choose)
}

/// A series whose days are counted from `start` on.
struct Dated<'s> {
    series: ReturnSeries<'s>,
    start: usize,
}

impl Dated<'_> {
    fn date(&self, day: usize) -> Date {
        self.series.dates[day - self.start]
    }

    /// The day before a dive.
    fn peak(&self, dive: &Dive) -> Date {
        if dive.first == self.start {
            self.series.base
        } else {
            self.date(dive.first - 1)
        }
    }

    fn drawdown(&self, dive: &Dive) -> Drawdown {
        let (peak, trough) = (self.peak(dive), self.date(dive.trough));
        Drawdown {
            depth: dive.depth,
            peak: Some(peak),
            trough: Some(trough),
            recovery: dive.back.map(|day| self.date(day)),
            ongoing: dive.back.is_none(),
            duration_days: dive.days,
            decline_days: days_between(peak, trough),
        }
    }

    fn underwater(&self, dive: &Dive) -> Underwater {
        let last = self.start + self.series.dates.len() - 1;
        Underwater {
            days: dive.days,
            start: Some(self.peak(dive)),
            end: Some(self.date(dive.back.unwrap_or(last))),
            ongoing: dive.back.is_none(),
        }
    }
}
