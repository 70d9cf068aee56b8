//! Stretches of days below a peak. Days in blocks, counted from the end, are passed at once where all of a block lies below;
//! and a series goes on as a longer one does from the first day on which both are at a peak.

use jiff::civil::Date;

use super::nest::{Nest, Window};
use super::{EPSILON, ReturnSeries};
use crate::dates::days_between;

/// Days of a block.
const BLOCK: usize = 8;

/// The days from a peak to the first one back at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dive {
    /// The first day below the peak, which is the day before.
    pub(super) first: usize,
    /// The first day at the depth.
    pub(super) trough: usize,
    /// The day back at the peak; `None` while it lasts.
    pub(super) back: Option<usize>,
    /// `wealth / peak - 1`, below zero.
    pub(super) depth: f64,
    /// The sum of the squares of the fall on each day.
    pub(super) squares: f64,
    /// Calendar days from the peak to the day back at it, or to the last one.
    pub(super) days: i64,
}

/// What the returns of some days make of one at the start of the first.
#[derive(Clone, Copy, Debug)]
struct Block {
    high: f64,
    low: f64,
    /// The first day of the low.
    lowest: usize,
    end: f64,
    /// Of what is above one on each day.
    sum: f64,
    squares: f64,
}

impl Block {
    fn of(returns: &[f64; BLOCK]) -> Block {
        let mut block = Block {
            high: f64::NEG_INFINITY,
            low: f64::INFINITY,
            lowest: 0,
            end: 1.0,
            sum: 0.0,
            squares: 0.0,
        };
        for (day, value) in returns.iter().enumerate() {
            block.end *= 1.0 + value;
            let is_lower = block.end < block.low;
            block.lowest = if is_lower { day } else { block.lowest };
            block.low = if is_lower { block.end } else { block.low };
            block.high = if block.end > block.high {
                block.end
            } else {
                block.high
            };
            let above = block.end - 1.0;
            block.sum += above;
            block.squares += above * above;
        }
        block
    }
}

/// The dives of each window of a nest. Its series are those of the windows, with equal dates where they have days in common; days are
/// counted from the first of the longest.
pub(super) fn dives(nest: &Nest<'_>, series: &[ReturnSeries<'_>]) -> Vec<Vec<Dive>> {
    let (_, blocks) = nest.whole().as_rchunks::<BLOCK>();
    let blocks: Vec<Block> = blocks.iter().map(Block::of).collect();
    let mut all: Vec<Vec<Dive>> = Vec::with_capacity(nest.windows().len());
    for window in nest.windows() {
        let longer = all.last().map_or(&[][..], Vec::as_slice);
        let pass = Pass {
            returns: nest.whole(),
            window,
            series: series[window.turn],
            wealth: 1.0,
            open: None,
            dives: Vec::new(),
            longer: (!all.is_empty()).then_some(longer),
        };
        all.push(pass.through(&blocks));
    }
    all
}

struct Pass<'n> {
    returns: &'n [f64],
    window: &'n Window,
    series: ReturnSeries<'n>,
    /// Over the last peak.
    wealth: f64,
    open: Option<Dive>,
    dives: Vec<Dive>,
    /// The dives of a longer window from the days on that are not behind.
    longer: Option<&'n [Dive]>,
}

impl Pass<'_> {
    fn through(mut self, blocks: &[Block]) -> Vec<Dive> {
        let days = self.returns.len();
        let mut day = self.window.start;
        let mut joined = self.day(day, self.window.first());
        day += 1;
        while day < days && !joined {
            let left = days - day;
            let block = left
                .is_multiple_of(BLOCK)
                .then(|| &blocks[blocks.len() - left / BLOCK]);
            if block.is_some_and(|block| self.pass(day, block)) {
                day += BLOCK;
            } else {
                let end = days - (left - 1) / BLOCK * BLOCK;
                while day < end && !joined {
                    joined = self.day(day, self.returns[day]);
                    day += 1;
                }
            }
        }
        if let Some(dive) = self.open.take() {
            self.close(dive, None);
        }
        self.dives
    }

    /// Goes through a block if it lies below the peak.
    fn pass(&mut self, day: usize, block: &Block) -> bool {
        let is_below = self.wealth * block.high < 1.0 - EPSILON;
        if is_below {
            let (wealth, fall) = (self.wealth, self.wealth - 1.0);
            let dive = self.open.get_or_insert(Dive::new(day));
            dive.deepen(day + block.lowest, wealth * block.low - 1.0);
            dive.squares += BLOCK as f64 * fall * fall
                + 2.0 * wealth * fall * block.sum
                + wealth * wealth * block.squares;
            self.wealth *= block.end;
        }
        is_below
    }

    /// Goes through a day; true when all that follows is known from a longer window. A day back at the peak, or as good as, is one itself.
    fn day(&mut self, day: usize, value: f64) -> bool {
        self.wealth *= 1.0 + value;
        if self.wealth >= 1.0 - EPSILON {
            self.wealth = 1.0;
            if let Some(dive) = self.open.take() {
                self.close(dive, Some(day));
            }
            return self.join(day);
        }
        let fall = self.wealth - 1.0;
        let dive = self.open.get_or_insert(Dive::new(day));
        dive.deepen(day, fall);
        dive.squares += fall * fall;
        false
    }

    fn close(&mut self, dive: Dive, back: Option<usize>) {
        let (start, dates) = (self.window.start, self.series.dates);
        let peak = match dive.first - start {
            0 => self.series.base,
            days => dates[days - 1],
        };
        let end: Date = back.map_or(dates[dates.len() - 1], |day| dates[day - start]);
        self.dives.push(Dive {
            back,
            days: days_between(peak, end),
            ..dive
        });
    }

    /// On a day at a peak: if a longer window is at one too, its later dives are those of this one.
    fn join(&mut self, day: usize) -> bool {
        let Some(longer) = self.longer else {
            return false;
        };
        let is_behind = |dive: &&Dive| dive.back.is_some_and(|back| back <= day);
        let later = &longer[longer.iter().take_while(is_behind).count()..];
        self.longer = Some(later);
        let is_at_peak = later.first().is_none_or(|dive| dive.first > day);
        if is_at_peak {
            self.dives.extend_from_slice(later);
        }
        is_at_peak
    }
}

impl Dive {
    fn new(day: usize) -> Dive {
        Dive {
            first: day,
            trough: day,
            back: None,
            depth: 0.0,
            squares: 0.0,
            days: 0,
        }
    }

    fn deepen(&mut self, day: usize, depth: f64) {
        if depth < self.depth - EPSILON {
            (self.depth, self.trough) = (depth, day);
        }
    }
}
