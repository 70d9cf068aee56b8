//! What a portfolio held, as stretches of days on which the quantity did not change.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::columns::Columns;
use super::kernel::Product;
use super::outline::{EventDay, Outline};
use crate::market::AssetIx;
use crate::money::Currency;

/// One quantity over the days `from..to` of the grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'c> {
    /// None for cash.
    pub(super) asset: Option<AssetIx>,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) value: Product<'c>,
}

/// Base money spent on an asset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spending {
    pub(super) asset: AssetIx,
    pub(super) date: Date,
    pub(super) day: usize,
    pub(super) amount: f64,
}

/// Everything that a portfolio held and spent.
#[derive(Debug)]
pub(super) struct Pieces<'c> {
    pub(super) held: Vec<Piece<'c>>,
    pub(super) spent: Vec<Spending>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Asset(AssetIx),
    Cash(Currency),
}

impl<'c> Pieces<'c> {
    pub(super) fn of(outline: &Outline<'_>, columns: &'c Columns) -> Pieces<'c> {
        let mut open: BTreeMap<What, (usize, f64)> = BTreeMap::new();
        let mut pieces = Pieces {
            held: Vec::with_capacity(outline.days.len() * 2),
            spent: Vec::new(),
        };
        let piece = |what, from, to, quantity| cut(outline, columns, what, from..to, quantity);
        for events in &outline.days {
            let day = columns.day(events.date);
            for (what, quantity) in left_behind(events) {
                match open.insert(what, (day, quantity)) {
                    Some((from, before)) if before == quantity => {
                        open.insert(what, (from, before));
                    }
                    Some((from, before)) => pieces.held.extend(piece(what, from, day, before)),
                    None => {}
                }
            }
            let spent = events.spent.iter().map(|(asset, amount)| Spending {
                asset: *asset,
                date: events.date,
                day,
                amount: amount.to_f64(),
            });
            pieces.spent.extend(spent);
        }
        let days = columns.dates().len();
        for (what, (from, quantity)) in open {
            pieces.held.extend(piece(what, from, days, quantity));
        }
        pieces
    }
}

/// What is held from a day of events on, of that which they changed.
fn left_behind(day: &EventDay) -> impl Iterator<Item = (What, f64)> {
    let units = day.units.iter();
    let units = units.map(|(asset, units)| (What::Asset(*asset), units.to_f64()));
    let cash = day.cash.iter();
    units.chain(cash.map(|(currency, amount)| (What::Cash(*currency), amount.to_f64())))
}

/// A piece; `None` when it is worth nothing or lasts no day.
fn cut<'c>(
    outline: &Outline<'_>,
    columns: &'c Columns,
    what: What,
    days: std::ops::Range<usize>,
    quantity: f64,
) -> Option<Piece<'c>> {
    let ledger = &outline.end.ledger;
    let (asset, currency) = match what {
        What::Asset(asset) => (Some(asset), ledger.market().currency(asset)),
        What::Cash(currency) => (None, currency),
    };
    let column = match asset {
        Some(asset) => Some(columns.closes(asset, currency)),
        None => columns.rates(currency),
    };
    (quantity != 0.0 && !days.is_empty()).then_some(Piece {
        asset,
        from: days.start,
        to: days.end,
        value: Product::new(quantity, column),
    })
}
