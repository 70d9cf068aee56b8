//! One portfolio, walked and named: what every export and report is made of.

use std::collections::BTreeMap;

use jiff::civil::Date;
use portfolio::figures::{Closing, PeriodFigures, ReturnSettings};
use portfolio::series::{Walk, Window};

use crate::error::Result;

/// What people call things; the walk knows ids and symbols only.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The portfolio.
    pub portfolio: String,
    /// Its owner.
    pub owner: String,
    /// Assets by symbol; those without a name are shown by their symbol.
    pub assets: BTreeMap<String, String>,
    /// Remarks by transaction.
    pub notes: BTreeMap<i64, String>,
}

/// A portfolio over a range of days.
#[derive(Debug)]
pub struct Subject<'w> {
    /// What things are called.
    pub names: Names,
    /// The ledger, walked to the range's last day.
    pub walk: &'w Walk<'w>,
    /// The range's days.
    pub window: Window,
    /// The range's figures.
    pub figures: PeriodFigures,
    /// What is there on the last day.
    pub closing: Closing,
}

impl<'w> Subject<'w> {
    /// A portfolio from `from` (exclusive; it must be one of the walk's starts, or inception is meant) to the walk's end.
    ///
    /// # Errors
    /// When a product of the ledger is too large.
    pub fn of(
        names: Names,
        walk: &'w Walk<'w>,
        from: Option<Date>,
        settings: ReturnSettings<'_>,
    ) -> Result<Subject<'w>> {
        let window = walk.window(from.unwrap_or(walk.inception));
        Ok(Subject {
            names,
            figures: PeriodFigures::of(walk, &window, settings)?,
            closing: Closing::of(walk)?,
            window,
            walk,
        })
    }

    /// An asset's name, or its symbol.
    pub fn asset_name<'n>(&'n self, symbol: &'n str) -> &'n str {
        self.names.assets.get(symbol).map_or(symbol, String::as_str)
    }
}
