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

/// A fall, by the places of its days; the opening day is before the first place.
#[derive(Clone, Copy)]
struct Fall {
    depth: f64,
    peak: Option<usize>,
    trough: usize,
    recovery: Option<usize>,
}

pub(super) fn falls(series: ReturnSeries<'_>) -> Falls {
    let Some(last) = series.dates.len().checked_sub(1) else {
        return Falls {
            deepest: Drawdown::default(),
            longest: Underwater::default(),
            ulcer_index: None,
        };
    };
    let mut longest = Underwater::default();
    let mut deepest: Option<Fall> = None;
    // The last peak, the least wealth that counts as back at it, and the least fall that is deeper than the deepest.
    let (mut peak, mut peak_at) = (1.0_f64, None);
    let (mut back, mut deeper) = (1.0 - EPSILON, -EPSILON);
    let (mut wealth, mut submerged, mut squares) = (1.0, false, 0.0);
    for (place, value) in series.returns.iter().enumerate() {
        wealth *= 1.0 + value;
        if wealth >= back {
            if submerged {
                note_underwater(&mut longest, series, peak_at, place, false);
                deepest.iter_mut().for_each(|fall| {
                    fall.recovery = fall.recovery.or(Some(place));
                });
            }
            submerged = false;
            peak = peak.max(wealth);
            back = peak * (1.0 - EPSILON);
            peak_at = Some(place);
        } else {
            submerged = true;
        }
        let depth = wealth / peak - 1.0;
        squares += depth * depth;
        if submerged && depth < deeper {
            deeper = depth - EPSILON;
            deepest = Some(Fall {
                depth,
                peak: peak_at,
                trough: place,
                recovery: None,
            });
        }
    }
    if submerged {
        note_underwater(&mut longest, series, peak_at, last, true);
    }
    Falls {
        deepest: deepest.map_or_else(Drawdown::default, |fall| fall.dated(series)),
        longest,
        ulcer_index: Some((squares / series.dates.len() as f64).sqrt()),
    }
}

/// The date of a peak.
fn peak_date(series: ReturnSeries<'_>, peak: Option<usize>) -> Date {
    peak.map_or(series.base, |place| series.dates[place])
}

fn note_underwater(
    longest: &mut Underwater,
    series: ReturnSeries<'_>,
    peak: Option<usize>,
    end: usize,
    ongoing: bool,
) {
    let (start, end) = (peak_date(series, peak), series.dates[end]);
    let days = days_between(start, end);
    if days > longest.days {
        *longest = Underwater {
            days,
            start: Some(start),
            end: Some(end),
            ongoing,
        };
    }
}

impl Fall {
    fn dated(&self, series: ReturnSeries<'_>) -> Drawdown {
        let dates = series.dates;
        let (peak, trough) = (peak_date(series, self.peak), dates[self.trough]);
        let recovery = self.recovery.map(|place| dates[place]);
        Drawdown {
            depth: self.depth,
            peak: Some(peak),
            trough: Some(trough),
            recovery,
            ongoing: recovery.is_none(),
            duration_days: days_between(peak, recovery.unwrap_or(dates[dates.len() - 1])),
            decline_days: days_between(peak, trough),
        }
    }
}
