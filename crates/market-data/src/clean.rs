//! A provider's rows made into days that can be stored: the rules that hold for every shape.

use std::collections::BTreeMap;

use jiff::civil::Date;
use portfolio::decimal::{Decimal, MONEY};
use portfolio::market::{Action, ActionKind};
use portfolio::store::PriceRow;

use crate::model::{Daily, Window};

/// A row as a provider tells it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawBar {
    pub(crate) date: Date,
    pub(crate) open: Option<Decimal>,
    pub(crate) high: Option<Decimal>,
    pub(crate) low: Option<Decimal>,
    pub(crate) close: Option<Decimal>,
    pub(crate) volume: Option<Decimal>,
}

/// Gathers rows and actions of one window.
#[derive(Debug)]
pub(crate) struct Cleaner {
    window: Window,
    bars: BTreeMap<Date, PriceRow>,
    actions: BTreeMap<(Date, bool), Action>,
    dropped: usize,
}

impl Cleaner {
    pub(crate) fn new(window: Window) -> Cleaner {
        Cleaner {
            window,
            bars: BTreeMap::new(),
            actions: BTreeMap::new(),
            dropped: 0,
        }
    }

    /// Takes a row: outside the window it is ignored, without a positive close dropped; of a day twice the last counts, and
    /// where the high is below the low only the close is kept.
    pub(crate) fn bar(&mut self, raw: RawBar) {
        if !self.window.contains(raw.date) {
            return;
        }
        let Some(close) = price(raw.close) else {
            self.dropped += 1;
            return;
        };
        let mut row = PriceRow {
            date: raw.date,
            open: price(raw.open),
            high: price(raw.high),
            low: price(raw.low),
            close,
            volume: raw.volume.and_then(count),
        };
        if row.high.zip(row.low).is_some_and(|(high, low)| high < low) {
            (row.open, row.high, row.low) = (None, None, None);
        }
        self.bars.insert(row.date, row);
    }

    /// Takes a split of `ratio` new shares per old one; a ratio of one is none.
    pub(crate) fn split(&mut self, ex_date: Date, ratio: Decimal) {
        if ratio != Decimal::ONE {
            self.action(ex_date, ActionKind::Split, ratio);
        }
    }

    /// Takes a dividend per share; zero is none.
    pub(crate) fn dividend(&mut self, ex_date: Date, amount: Decimal) {
        self.action(ex_date, ActionKind::Dividend, amount);
    }

    fn action(&mut self, ex_date: Date, kind: ActionKind, value: Decimal) {
        if value.is_positive() && self.window.contains(ex_date) {
            let action = Action {
                ex_date,
                kind,
                value,
                currency: None,
            };
            self.actions
                .insert((ex_date, kind == ActionKind::Dividend), action);
        }
    }

    /// Everything, in the order of days.
    pub(crate) fn finish(self, adjusted: bool) -> Daily {
        Daily {
            bars: self.bars.into_values().collect(),
            actions: self.actions.into_values().collect(),
            adjusted,
            dropped: self.dropped,
        }
    }
}

/// A price above zero, with money's places.
fn price(value: Option<Decimal>) -> Option<Decimal> {
    value
        .map(|value| value.round(MONEY))
        .filter(|value| value.is_positive())
}

/// A whole number of shares.
fn count(value: Decimal) -> Option<i64> {
    let whole: i64 = value.round(0).to_string().parse().ok()?;
    (whole >= 0).then_some(whole)
}
