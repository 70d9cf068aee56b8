//! One portfolio, walked and named: what every export and report is made of.

use std::collections::BTreeMap;

use jiff::civil::Date;
use portfolio::figures::{Closing, PeriodFigures, ReturnSettings};
use portfolio::gains::Gains;
use portfolio::series::{Walk, Window};
use portfolio::targets::{Aim, Proposal, TargetPlan};

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
    /// Where the range's profit came from.
    pub gains: Gains,
    /// What is there on the last day.
    pub closing: Closing,
    /// What would bring it back to its targets, when it has some.
    pub targets: Option<Proposal>,
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
            figures: PeriodFigures::of(walk, &window, settings),
            gains: Gains::of(walk, &window),
            closing: Closing::of(walk)?,
            targets: None,
            window,
            walk,
        })
    }

    /// The same beside what it is meant to be.
    ///
    /// # Errors
    /// When an exchange rate is missing or a product is too large.
    pub fn with_targets(mut self, plan: Option<&TargetPlan>) -> Result<Subject<'w>> {
        let proposal = plan.map(|plan| Proposal::of(plan, self.walk, Aim::Rebalance));
        self.targets = proposal.transpose()?;
        Ok(self)
    }

    /// An asset's name, or its symbol.
    pub fn asset_name<'n>(&'n self, symbol: &'n str) -> &'n str {
        self.names.assets.get(symbol).map_or(symbol, String::as_str)
    }
}
