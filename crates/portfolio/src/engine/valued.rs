//! The value series of many portfolios.

use std::sync::OnceLock;

use super::columns::Columns;
use super::earned::Earned;
use super::kept::KeptSeries;
use super::kernel::add_all;
use super::outline::{Opening, Outline};
use super::pieces::{Piece, Pieces};
use super::span::Span;

/// Below this equity, the rounding of money could show in a return.
const LEAST_EQUITY: f64 = 1_000.0;
/// By how much, relatively, the float sum may differ from the exact value of the last day.
const AGREEMENT: f64 = 1e-9;

/// A portfolio with the values of its days.
#[derive(Debug)]
pub struct Valued<'c, 'm> {
    /// Its exact side.
    pub outline: Outline<'m>,
    pub(super) columns: &'c Columns,
    pub(super) pieces: Pieces<'c>,
    /// The first day after inception.
    pub(super) first: usize,
    /// The first day whose values were not kept.
    pub(super) tail: usize,
    /// False when prices of earlier days are needed than the columns have.
    has_prices: bool,
    /// Net asset value by day of the grid.
    pub(super) nav: Vec<f64>,
    /// The days after the first on which money came in or went out, in order.
    flows: Vec<FlowDay>,
    /// The returns since inception.
    pub(super) gains: Vec<f64>,
    pub(super) earned: OnceLock<Earned>,
}

/// The money that came in and went out on a day of the grid.
#[derive(Clone, Copy, Debug)]
struct FlowDay {
    day: usize,
    inflow: f64,
    outflow: f64,
}

/// Values portfolios over the whole grid, which must end on their last day; each when it is asked for, so that its numbers
/// are still near when figures are made of them.
pub fn value<'c, 'm>(
    columns: &'c Columns,
    outlines: Vec<Outline<'m>>,
) -> impl Iterator<Item = Valued<'c, 'm>> {
    outlines.into_iter().map(|outline| {
        let mut valued = Valued::new(columns, outline);
        valued.add_pieces();
        valued.gains = valued.all_gains();
        valued
    })
}

impl<'c, 'm> Valued<'c, 'm> {
    fn new(columns: &'c Columns, outline: Outline<'m>) -> Valued<'c, 'm> {
        let days = columns.dates().len();
        let first = after(columns, &outline.openings[0]);
        let mut nav = vec![0.0; days];
        let series = outline.series.as_ref();
        let tail = series.and_then(|series| series.fill(columns, &mut nav));
        let tail = tail.unwrap_or_default();
        let has_prices = columns.first() == 0 || columns.first() < tail;
        Valued {
            pieces: Pieces::of(&outline, columns),
            flows: flow_days(columns, &outline, first),
            first,
            tail: if has_prices { tail } else { days },
            has_prices,
            outline,
            columns,
            nav,
            gains: Vec::new(),
            earned: OnceLock::new(),
        }
    }

    /// Adds up what was held: together what was held for as long, which most of it often was.
    fn add_pieces(&mut self) {
        let stretch = |piece: &Piece<'_>| (piece.from, piece.to);
        let held = &mut self.pieces.held;
        held.sort_by_key(|piece| (stretch(piece), piece.value.is_whole()));
        let mut products = Vec::with_capacity(self.pieces.held.len());
        for pieces in self.pieces.held.chunk_by(|a, b| stretch(a) == stretch(b)) {
            products.clear();
            products.extend(pieces.iter().map(|piece| piece.value));
            let (from, to) = stretch(&pieces[0]);
            let from = from.max(self.tail);
            if from < to {
                add_all(&products, &mut self.nav[from..to], from);
            }
        }
    }

    /// True when floats say what the exact walk would: equity well above zero on every day (or nothing there at all),
    /// every price and rate known, and the exact value reached at the end.
    pub fn is_sound(&self) -> bool {
        self.has_prices && self.has_sound_values()
    }

    fn has_sound_values(&self) -> bool {
        let exact = self.outline.end.closing.nav.to_f64();
        let last = self.nav[self.nav.len() - 1];
        let known = (last - exact).abs() <= AGREEMENT * exact.abs();
        known && self.has_sound_days() && self.spans().all(|span| is_sound(span.first_equity()))
    }

    /// True when every day after the first is sound: as many days as there are without a thought of flows, but for those that
    /// have some and are sound with them.
    fn has_sound_days(&self) -> bool {
        let nav = &self.nav[self.first..];
        let pairs = nav.iter().zip(&nav[1..]);
        let unsound = pairs.filter(|(before, nav)| !is_sound((**before, **nav)));
        let excused = self.flows.iter().filter(|flow| {
            let plain = (self.nav[flow.day - 1], self.nav[flow.day]);
            !is_sound(plain) && is_sound(self.equity_with(flow))
        });
        let are_sound = |flow: &FlowDay| is_sound(self.equity_with(flow));
        self.flows.iter().all(are_sound) && unsound.count() == excused.count()
    }

    /// The returns since inception.
    fn all_gains(&self) -> Vec<f64> {
        let nav = &self.nav[self.first..];
        let mut gains = Vec::with_capacity(nav.len());
        gains.push(Span::new(self, 0).first_gain());
        let pairs = nav.iter().zip(&nav[1..]);
        gains.extend(pairs.map(|(before, nav)| gain((*before, *nav))));
        for flow in &self.flows {
            gains[flow.day - self.first] = gain(self.equity_with(flow));
        }
        gains
    }

    fn equity_with(&self, flow: &FlowDay) -> (f64, f64) {
        (
            self.nav[flow.day - 1] + flow.inflow,
            self.nav[flow.day] + flow.outflow,
        )
    }

    /// Equity at the start of each day from one on, which is after the first.
    pub(super) fn starting_equity(&self, from: usize) -> Vec<f64> {
        let mut equity = self.nav[from - 1..self.nav.len() - 1].to_vec();
        let past = self.flows.partition_point(|flow| flow.day < from);
        for flow in &self.flows[past..] {
            (equity[flow.day - from], _) = self.equity_with(flow);
        }
        equity
    }

    /// What is known of the days before the tail.
    pub(super) fn kept_series(&self) -> Option<&KeptSeries> {
        let series = self.outline.series.as_ref();
        series.filter(|_| self.tail > 0)
    }

    /// The returns of the days after another one.
    pub(super) fn gains_after(&self, day: usize) -> &[f64] {
        &self.gains[day + 1 - self.first..]
    }

    /// A series for each opening day, the longest first.
    fn spans(&self) -> impl Iterator<Item = Span<'_>> {
        (0..self.outline.openings.len()).map(|opening| Span::new(self, opening))
    }

    /// The series that opens on `from`, or at inception where that is later.
    pub fn span(&self, from: jiff::civil::Date) -> Span<'_> {
        let openings = &self.outline.openings;
        let opening = openings.partition_point(|opening| opening.date < from);
        Span::new(self, opening.min(openings.len() - 1))
    }
}

/// The return of a day by equity at its start and end.
pub(super) fn gain((start, end): (f64, f64)) -> f64 {
    if start == 0.0 { 0.0 } else { end / start - 1.0 }
}

fn is_sound((start, end): (f64, f64)) -> bool {
    (start >= LEAST_EQUITY && end >= 0.0) || (start == 0.0 && end == 0.0)
}

/// The flows of a ledger by day of the grid, without those until its first day after inception.
fn flow_days(columns: &Columns, outline: &Outline<'_>, first: usize) -> Vec<FlowDay> {
    let mut days: Vec<FlowDay> = Vec::new();
    for flow in outline.end.ledger.flows() {
        let day = columns.day(flow.date);
        if day <= first {
            continue;
        }
        if days.last().is_none_or(|last| last.day != day) {
            let (inflow, outflow) = (0.0, 0.0);
            days.push(FlowDay {
                day,
                inflow,
                outflow,
            });
        }
        let last = days.len() - 1;
        days[last].inflow += flow.inflow.to_f64();
        days[last].outflow += flow.outflow.to_f64();
    }
    days
}

/// The first day of the grid after an opening day.
pub(super) fn after(columns: &Columns, opening: &Opening) -> usize {
    columns.dates().partition_point(|day| *day <= opening.date)
}
