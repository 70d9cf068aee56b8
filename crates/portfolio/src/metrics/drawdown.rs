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

/// Everything that the times below a peak tell.
#[derive(Debug)]
pub(super) struct Falls {
    pub(super) deepest: Drawdown,
    pub(super) longest: Underwater,
    /// The root mean square of the fall on each day; `None` without returns.
    pub(super) ulcer_index: Option<f64>,
}

/// A time below a peak. Places count days from 0 on, which is the opening.
#[derive(Clone, Copy, Debug)]
struct Dive {
    /// The last place at the high.
    peak: usize,
    /// The first place at the depth.
    trough: usize,
    depth: f64,
    /// The sum of the squared falls of its days.
    squares: f64,
    /// The place back at the peak, or the last one.
    end: usize,
    recovered: bool,
    /// Calendar days from peak to end.
    days: i64,
}

/// The dives of the longest of some series that end alike: the others have the same from the first high on that they share.
///
/// Wealth is told by what one comes to from the end of a day until the last one, which is the same in all of them. The less that
/// is, the higher is wealth.
#[derive(Debug)]
pub(super) struct Dives {
    /// The bits of the first return.
    first: Option<u64>,
    growth: Growth,
    dives: Vec<Dive>,
}

/// What one comes to until the last day.
#[derive(Debug)]
struct Growth {
    opening: f64,
    /// From the end of each day.
    by_day: Vec<f64>,
    /// False when it is counted from elsewhere, which only its own series can use.
    until_last: bool,
}

/// The falls of `series`.
pub(super) fn falls(series: ReturnSeries<'_>) -> Falls {
    Dives::of(series).falls(series)
}

impl Dives {
    /// By the longest series.
    pub(super) fn of(series: ReturnSeries<'_>) -> Dives {
        let growth = Growth::of(series.returns);
        let (dives, _) = dives(series, growth.opening, &growth.by_day, |_| false);
        Dives {
            first: first_of(series),
            growth,
            dives,
        }
    }

    /// The falls of a series that ends like the longest one.
    pub(super) fn falls(&self, series: ReturnSeries<'_>) -> Falls {
        let skipped = self.growth.by_day.len() - series.returns.len();
        if skipped == 0 && self.first == first_of(series) {
            return Falls::of(self.dives.iter().copied(), series);
        }
        let growth = &self.growth.by_day[skipped..];
        let opening = growth[0] * (1.0 + series.returns[0]);
        if !self.growth.until_last || !is_plain(opening) {
            return falls(series);
        }
        let high = |place| self.is_high(skipped + place);
        let (own, met) = dives(series, opening, growth, high);
        let met = met.map_or(usize::MAX, |place| skipped + place);
        let known = self.dives.partition_point(|dive| dive.peak < met);
        let known = self.dives[known..].iter();
        let known = known.map(|dive| dive.counted_from(skipped));
        Falls::of(own.into_iter().chain(known), series)
    }

    /// True when wealth is at its high there.
    fn is_high(&self, place: usize) -> bool {
        let past = self.dives.partition_point(|dive| dive.end <= place);
        let next = self.dives.get(past);
        next.is_none_or(|dive| dive.peak >= place)
    }
}

fn first_of(series: ReturnSeries<'_>) -> Option<u64> {
    series.returns.first().map(|value| value.to_bits())
}

impl Growth {
    fn of(returns: &[f64]) -> Growth {
        let mut by_day = vec![1.0; returns.len()];
        let mut product = 1.0;
        for (growth, value) in by_day.iter_mut().zip(returns).rev() {
            *growth = product;
            product *= 1.0 + value;
        }
        let until_last = is_plain(product);
        if until_last {
            let opening = product;
            return Growth {
                opening,
                by_day,
                until_last,
            };
        }
        // A total loss hides what was before it. Counted from the opening it does not.
        let mut wealth = 1.0_f64;
        for (growth, value) in by_day.iter_mut().zip(returns) {
            wealth *= 1.0 + value;
            *growth = wealth.recip();
        }
        Growth {
            opening: 1.0,
            by_day,
            until_last,
        }
    }
}

fn is_plain(growth: f64) -> bool {
    growth.is_normal() && growth > 0.0
}

/// True when wealth is back at its high, or above.
fn surfaces(growth: f64, high: f64) -> bool {
    growth * (1.0 - EPSILON) <= high
}

/// The dives of a series until the first place at a high of which `known` says that what follows is known, and that place.
fn dives(
    series: ReturnSeries<'_>,
    opening: f64,
    growth: &[f64],
    known: impl Fn(usize) -> bool,
) -> (Vec<Dive>, Option<usize>) {
    let mut dives = Vec::new();
    let (mut high, mut place) = (opening, 0);
    while place < growth.len() {
        if !surfaces(growth[place], high) {
            let dive = Dive::of(series, high, place, &growth[place..]);
            dives.push(dive);
            if !dive.recovered {
                break;
            }
            place = dive.end - 1;
        }
        high = high.min(growth[place]);
        place += 1;
        if known(place) {
            return (dives, Some(place));
        }
    }
    (dives, None)
}

impl Dive {
    /// The one that begins after a place at a high; of `later` days, the first is below it.
    fn of(series: ReturnSeries<'_>, high: f64, peak: usize, later: &[f64]) -> Dive {
        let (mut depth, mut trough, mut squares) = (0.0, peak, 0.0);
        let below = later
            .iter()
            .take_while(|growth| !surfaces(**growth, high))
            .enumerate();
        let mut days = 0;
        for (day, growth) in below {
            let fall = high / growth - 1.0;
            if fall < depth - EPSILON {
                (depth, trough) = (fall, peak + day + 1);
            }
            squares += fall * fall;
            days += 1;
        }
        let recovered = days < later.len();
        let end = peak + days + usize::from(recovered);
        Dive {
            peak,
            trough,
            depth,
            squares,
            end,
            recovered,
            days: days_between(date_of(series, peak), date_of(series, end)),
        }
    }

    /// The same with its places counted from a later one.
    fn counted_from(self, first: usize) -> Dive {
        Dive {
            peak: self.peak - first,
            trough: self.trough - first,
            end: self.end - first,
            ..self
        }
    }
}

fn date_of(series: ReturnSeries<'_>, place: usize) -> Date {
    match place.checked_sub(1) {
        Some(day) => series.dates[day],
        None => series.base,
    }
}

impl Falls {
    fn of(dives: impl Iterator<Item = Dive>, series: ReturnSeries<'_>) -> Falls {
        let (mut deepest, mut longest, mut squares) = (None::<Dive>, None::<Dive>, 0.0);
        for dive in dives {
            squares += dive.squares;
            let depth = deepest.map_or(0.0, |deepest| deepest.depth);
            if dive.depth < depth - EPSILON {
                deepest = Some(dive);
            }
            if dive.days > longest.map_or(0, |longest| longest.days) {
                longest = Some(dive);
            }
        }
        let days = series.returns.len();
        Falls {
            deepest: deepest.map_or_else(Drawdown::default, |dive| Drawdown::of(dive, series)),
            longest: longest.map_or_else(Underwater::default, |dive| Underwater::of(dive, series)),
            ulcer_index: (days > 0).then(|| (squares / days as f64).sqrt()),
        }
    }
}

impl Drawdown {
    fn of(dive: Dive, series: ReturnSeries<'_>) -> Drawdown {
        let (peak, trough) = (date_of(series, dive.peak), date_of(series, dive.trough));
        Drawdown {
            depth: dive.depth,
            peak: Some(peak),
            trough: Some(trough),
            recovery: dive.recovered.then(|| date_of(series, dive.end)),
            ongoing: !dive.recovered,
            duration_days: dive.days,
            decline_days: days_between(peak, trough),
        }
    }
}

impl Underwater {
    fn of(dive: Dive, series: ReturnSeries<'_>) -> Underwater {
        Underwater {
            days: dive.days,
            start: Some(date_of(series, dive.peak)),
            end: Some(date_of(series, dive.end)),
            ongoing: !dive.recovered,
        }
    }
}
