//! What a portfolio held, as stretches of days on which the quantity did not change.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::columns::Columns;
use super::kernel::Product;
use super::outline::{Changed, Outline};
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
            held: Vec::with_capacity(outline.changes.len()),
            spent: Vec::new(),
        };
        let piece = |what, from, to, quantity| cut(outline, columns, what, from..to, quantity);
        for change in &outline.changes {
            let day = columns.day(change.date);
            let (what, quantity) = match change.what {
                Changed::Units(asset, units) => (What::Asset(asset), units),
                Changed::Cash(currency, amount) => (What::Cash(currency), amount),
                Changed::Spent(asset, amount) => {
                    pieces.spent.push(Spending {
                        asset,
                        date: change.date,
                        day,
                        amount,
                    });
                    continue;
                }
            };
            match open.insert(what, (day, quantity)) {
                Some((from, before)) if before == quantity => {
                    open.insert(what, (from, before));
                }
                Some((from, before)) => pieces.held.extend(piece(what, from, day, before)),
                None => {}
            }
        }
        let days = columns.dates().len();
        for (what, (from, quantity)) in open {
            pieces.held.extend(piece(what, from, days, quantity));
        }
        pieces
    }
}

/// A piece; `None` when it is worth nothing or lasts no day.
fn cut<'c>(
    outline: &Outline<'_>,
    columns: &'c Columns,
    what: What,
    days: std::ops::Range<usize>,
    factor: f64,
) -> Option<Piece<'c>> {
    let ledger = &outline.end.ledger;
    let (asset, currency) = match what {
        What::Asset(asset) => (Some(asset), ledger.market().asset(asset).currency),
        What::Cash(currency) => (None, currency),
    };
    let value = Product {
        factor,
        closes: asset.map(|asset| columns.closes(asset)),
        rates: columns.rates(currency),
    };
    (factor != 0.0 && !days.is_empty()).then_some(Piece {
        asset,
        from: days.start,
        to: days.end,
        value,
    })
}
