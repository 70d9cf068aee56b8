//! Falls below the last peak. Wealth starts at 1 on the opening date, which can be a peak itself.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

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

/// Everything one pass over the returns tells.
#[derive(Debug)]
pub(super) struct Falls {
    pub(super) deepest: Drawdown,
    pub(super) longest: Underwater,
    /// The root mean square of the fall on each day; `None` without returns.
    pub(super) ulcer_index: Option<f64>,
}

struct Pass {
    wealth: f64,
    peak: f64,
    peak_date: Date,
    submerged: bool,
    squares: f64,
    deepest: Drawdown,
    /// The peak that the deepest fall is measured from, while it has not been reached again.
    deepest_peak: Option<f64>,
    longest: Underwater,
}

pub(super) fn falls(series: ReturnSeries<'_>) -> Falls {
    let mut pass = Pass::new(series.base);
    for (date, value) in series.dates.iter().zip(series.returns) {
        pass.day(*date, *value);
    }
    pass.finish(series.dates)
}

impl Pass {
    fn new(base: Date) -> Pass {
        Pass {
            wealth: 1.0,
            peak: 1.0,
            peak_date: base,
            submerged: false,
            squares: 0.0,
            deepest: Drawdown::default(),
            deepest_peak: None,
            longest: Underwater::default(),
        }
    }

    fn day(&mut self, date: Date, value: f64) {
        self.wealth *= 1.0 + value;
        if self.wealth >= self.peak * (1.0 - EPSILON) {
            self.surface(date);
        } else {
            self.submerged = true;
        }
        let depth = self.wealth / self.peak - 1.0;
        self.deepen(date, depth);
        self.recover(date);
        self.squares += depth * depth;
    }

    fn surface(&mut self, date: Date) {
        if self.submerged {
            self.note_underwater(date, false);
        }
        self.submerged = false;
        self.peak = self.peak.max(self.wealth);
        self.peak_date = date;
    }

    fn deepen(&mut self, date: Date, depth: f64) {
        if self.submerged && depth < self.deepest.depth - EPSILON {
            self.deepest = Drawdown {
                depth,
                peak: Some(self.peak_date),
                trough: Some(date),
                ..Drawdown::default()
            };
            self.deepest_peak = Some(self.peak);
        }
    }

    fn recover(&mut self, date: Date) {
        let back = self
            .deepest_peak
            .is_some_and(|peak| self.wealth >= peak * (1.0 - EPSILON));
        if back {
            self.deepest.recovery = Some(date);
            self.deepest_peak = None;
        }
    }

    fn note_underwater(&mut self, end: Date, ongoing: bool) {
        let days = days_between(self.peak_date, end);
        if days > self.longest.days {
            self.longest = Underwater {
                days,
                start: Some(self.peak_date),
                end: Some(end),
                ongoing,
            };
        }
    }

    fn finish(mut self, dates: &[Date]) -> Falls {
        let Some(last) = dates.last().copied() else {
            return Falls {
                deepest: self.deepest,
                longest: self.longest,
                ulcer_index: None,
            };
        };
        if self.submerged {
            self.note_underwater(last, true);
        }
        if let (Some(peak), Some(trough)) = (self.deepest.peak, self.deepest.trough) {
            self.deepest.ongoing = self.deepest.recovery.is_none();
            self.deepest.duration_days = days_between(peak, self.deepest.recovery.unwrap_or(last));
            self.deepest.decline_days = days_between(peak, trough);
        }
        let ulcer_index = Some((self.squares / dates.len() as f64).sqrt());
        Falls {
            deepest: self.deepest,
            longest: self.longest,
            ulcer_index,
        }
    }
}
