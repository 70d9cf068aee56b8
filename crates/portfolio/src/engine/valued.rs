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
    /// Net asset value, money that came in and money that went out, by day of the grid.
    pub(super) nav: Vec<f64>,
    pub(super) inflow: Vec<f64>,
    pub(super) outflow: Vec<f64>,
    /// The return of every day after the first.
    pub(super) gains: Vec<f64>,
    pub(super) earned: OnceLock<Earned>,
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
        valued.gains = valued.equities().map(gain).collect();
        valued
    })
}

impl<'c, 'm> Valued<'c, 'm> {
    fn new(columns: &'c Columns, outline: Outline<'m>) -> Valued<'c, 'm> {
        let days = columns.dates().len();
        let (mut inflow, mut outflow) = (vec![0.0; days], vec![0.0; days]);
        for flow in outline.end.ledger.flows() {
            let day = columns.day(flow.date);
            inflow[day] += flow.inflow.to_f64();
            outflow[day] += flow.outflow.to_f64();
        }
        let mut nav = vec![0.0; days];
        let series = outline.series.as_ref();
        let tail = series.and_then(|series| series.fill(columns, &mut nav));
        Valued {
            pieces: Pieces::of(&outline, columns),
            first: after(columns, &outline.openings[0]),
            tail: tail.unwrap_or_default(),
            outline,
            columns,
            nav,
            inflow,
            outflow,
            gains: Vec::new(),
            earned: OnceLock::new(),
        }
    }

    /// Adds up what was held: together what was held for as long, which most of it often was.
    fn add_pieces(&mut self) {
        let stretch = |piece: &Piece<'_>| (piece.from, piece.to);
        self.pieces.held.sort_by_key(stretch);
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
        let exact = self.outline.end.closing.nav.to_f64();
        let last = self.nav[self.nav.len() - 1];
        let known = (last - exact).abs() <= AGREEMENT * exact.abs();
        known
            && self.equities().all(is_sound)
            && self.spans().all(|span| is_sound(span.first_equity()))
    }

    /// Equity at the start and at the end of every day after the first.
    pub(super) fn equities(&self) -> impl Iterator<Item = (f64, f64)> {
        let before = self.nav[self.first..]
            .iter()
            .zip(&self.inflow[self.first + 1..]);
        let after = self.nav[self.first + 1..]
            .iter()
            .zip(&self.outflow[self.first + 1..]);
        before
            .zip(after)
            .map(|((before, inflow), (nav, outflow))| (before + inflow, nav + outflow))
    }

    /// What is known of the days before the tail.
    pub(super) fn kept_series(&self) -> Option<&KeptSeries> {
        let series = self.outline.series.as_ref();
        series.filter(|_| self.tail > 0)
    }

    /// The returns of the days after another one.
    pub(super) fn gains_after(&self, day: usize) -> &[f64] {
        &self.gains[day - self.first..]
    }

    /// The return of a day after the first.
    pub(super) fn gain(&self, day: usize) -> f64 {
        self.gains[day - self.first - 1]
    }

    /// Equity at the start and at the end of a day after the first.
    pub(super) fn equity(&self, day: usize) -> (f64, f64) {
        (
            self.nav[day - 1] + self.inflow[day],
            self.nav[day] + self.outflow[day],
        )
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

/// The first day of the grid after an opening day.
pub(super) fn after(columns: &Columns, opening: &Opening) -> usize {
    columns.dates().partition_point(|day| *day <= opening.date)
}
