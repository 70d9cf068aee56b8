//! The lots of one (account, asset): opening, choosing, closing.

use std::cmp::Ordering;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::entry::LotMethod;
use crate::decimal::{Decimal, MONEY, OutOfRange, QUANTITY};

/// Units bought (or, when negative, sold short) together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// The row that opened it.
    pub id: i64,
    /// The date of purchase, which decides the term of a gain.
    #[serde(with = "crate::packed::day")]
    pub date: Date,
    /// Units; negative when short.
    pub quantity: Decimal,
    /// Cost in the asset's currency; negative when short.
    pub cost: Decimal,
    /// Cost in base currency at the rate of the purchase date.
    pub cost_base: Decimal,
}

/// A lot chosen by the seller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// The row that opened the lot.
    pub lot: i64,
    /// Units to take from it.
    pub quantity: Decimal,
}

/// What one lot gave to a closing trade.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    pub(super) lot: i64,
    pub(super) opened: Option<Date>,
    pub(super) quantity: Decimal,
    pub(super) proceeds: Decimal,
    pub(super) cost: Decimal,
    pub(super) cost_base: Decimal,
}

/// Why lots could not be closed.
#[derive(Debug)]
pub(super) enum CloseError {
    UnknownLot(i64),
    TooFew,
    OutOfRange,
}

impl From<OutOfRange> for CloseError {
    fn from(_: OutOfRange) -> Self {
        CloseError::OutOfRange
    }
}

/// Lots of one account and asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    lots: Vec<Lot>,
    method: LotMethod,
    /// The position counted without lots, and how far rounding at splits may part the two.
    tally: Decimal,
    slack: Decimal,
}

impl Book {
    pub(super) fn new(method: LotMethod) -> Book {
        Book {
            method,
            ..Book::default()
        }
    }

    /// Open lots, oldest row first.
    pub fn lots(&self) -> &[Lot] {
        &self.lots
    }

    /// Units held: the sum of the lots.
    pub fn quantity(&self) -> Decimal {
        self.lots.iter().map(|lot| lot.quantity).sum()
    }

    /// Cost in the asset's currency.
    pub fn cost(&self) -> Decimal {
        self.lots.iter().map(|lot| lot.cost).sum()
    }

    /// Cost in base currency.
    pub fn cost_base(&self) -> Decimal {
        self.lots.iter().map(|lot| lot.cost_base).sum()
    }

    /// True when the lots add up to the position counted independently.
    pub fn is_consistent(&self) -> bool {
        (self.quantity() - self.tally).abs() <= self.slack
    }

    /// The position counted independently of lots.
    pub fn tally(&self) -> Decimal {
        self.tally
    }

    pub(super) fn is_pool(&self) -> bool {
        self.method == LotMethod::Avg
    }

    pub(super) fn open(&mut self, lot: Lot) {
        self.tally += lot.quantity;
        match self.lots.first_mut() {
            Some(pool) if self.method == LotMethod::Avg => {
                pool.quantity += lot.quantity;
                pool.cost += lot.cost;
                pool.cost_base += lot.cost_base;
            }
            _ => self.lots.push(lot),
        }
    }

    pub(super) fn split(&mut self, ratio: Decimal) -> Result<(), OutOfRange> {
        let unit = Decimal::ONE.div(Decimal::from_int(10_000_000_000), QUANTITY)?;
        self.tally = self.tally.mul(ratio, QUANTITY)?;
        self.slack = self.slack.mul(ratio, QUANTITY)? + unit;
        for lot in &mut self.lots {
            lot.quantity = lot.quantity.mul(ratio, QUANTITY)?;
            self.slack += unit;
        }
        Ok(())
    }

    /// Takes all lots out, as a symbol change does.
    pub(super) fn drain(&mut self) -> Vec<Lot> {
        self.tally = Decimal::ZERO;
        self.slack = Decimal::ZERO;
        std::mem::take(&mut self.lots)
    }

    pub(super) fn lots_mut(&mut self) -> &mut [Lot] {
        &mut self.lots
    }

    /// Closes `quantity` (negative closes shorts) for signed net `proceeds`, shared by quantity; the last lot takes the rest.
    pub(super) fn close(
        &mut self,
        quantity: Decimal,
        proceeds: Decimal,
        picks: &[Pick],
    ) -> Result<Vec<Slice>, CloseError> {
        let parts = self.choose(quantity, picks)?;
        let mut slices = Vec::with_capacity(parts.len());
        let mut left = proceeds;
        for (turn, (index, take)) in parts.iter().enumerate() {
            let last = turn + 1 == parts.len();
            let share = if last {
                left
            } else {
                proceeds.mul_div(*take, quantity, MONEY)?
            };
            left -= share;
            slices.push(self.reduce(*index, *take, share)?);
        }
        self.tally -= quantity;
        self.lots.retain(|lot| !lot.quantity.is_zero());
        Ok(slices)
    }

    fn reduce(
        &mut self,
        index: usize,
        take: Decimal,
        proceeds: Decimal,
    ) -> Result<Slice, OutOfRange> {
        let pooled = self.is_pool();
        let lot = &mut self.lots[index];
        let (cost, cost_base) = if take == lot.quantity {
            (lot.cost, lot.cost_base)
        } else {
            (
                lot.cost.mul_div(take, lot.quantity, MONEY)?,
                lot.cost_base.mul_div(take, lot.quantity, MONEY)?,
            )
        };
        lot.quantity -= take;
        lot.cost -= cost;
        lot.cost_base -= cost_base;
        let opened = (!pooled).then_some(lot.date);
        Ok(Slice {
            lot: lot.id,
            opened,
            quantity: take,
            proceeds,
            cost,
            cost_base,
        })
    }

    /// Which lots give how much, in closing order.
    fn choose(
        &self,
        quantity: Decimal,
        picks: &[Pick],
    ) -> Result<Vec<(usize, Decimal)>, CloseError> {
        let mut todo = quantity;
        let mut parts = Vec::new();
        for (index, wanted) in self.candidates(picks)? {
            if todo.is_zero() {
                break;
            }
            let size = todo
                .abs()
                .min(self.lots[index].quantity.abs())
                .min(wanted.unwrap_or(Decimal::LIMIT));
            let take = if todo.is_negative() { -size } else { size };
            parts.push((index, take));
            todo -= take;
        }
        if todo.is_zero() {
            Ok(parts)
        } else {
            Err(CloseError::TooFew)
        }
    }

    fn candidates(&self, picks: &[Pick]) -> Result<Vec<(usize, Option<Decimal>)>, CloseError> {
        if !picks.is_empty() {
            return picks.iter().map(|pick| self.find(pick)).collect();
        }
        let mut order: Vec<usize> = (0..self.lots.len()).collect();
        match self.method {
            LotMethod::Lifo => order.reverse(),
            LotMethod::Hifo => order.sort_by(|a, b| dearest_first(&self.lots[*a], &self.lots[*b])),
            LotMethod::Fifo | LotMethod::Avg | LotMethod::Specific => {}
        }
        Ok(order.into_iter().map(|index| (index, None)).collect())
    }

    fn find(&self, pick: &Pick) -> Result<(usize, Option<Decimal>), CloseError> {
        let index = self
            .lots
            .iter()
            .position(|lot| lot.id == pick.lot)
            .ok_or(CloseError::UnknownLot(pick.lot))?;
        Ok((index, Some(pick.quantity)))
    }
}

fn dearest_first(a: &Lot, b: &Lot) -> Ordering {
    b.cost
        .cmp_ratio(b.quantity, a.cost, a.quantity)
        .then(a.date.cmp(&b.date))
        .then(a.id.cmp(&b.id))
}
