//! What a ledger has come to, taken out of it and put into another one later, so that rows need not be applied again. The rows
//! themselves stay behind: whoever keeps a state must know that they are the same still.

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::book::Book;
use super::entry::AccountId;
use super::state::{Flow, IncomeItem, Ledger, Realised, Rules, Totals};
use super::warning::Warning;
use crate::decimal::Decimal;
use crate::market::{AssetIx, Market, Price};
use crate::money::Currency;

/// Everything that a ledger has recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LedgerState {
    books: Vec<((AccountId, AssetIx), Book)>,
    cash: Vec<((AccountId, Currency), Decimal)>,
    cash_at_cost: Decimal,
    movements: usize,
    realised: Vec<Realised>,
    income: Vec<IncomeItem>,
    flows: Vec<Flow>,
    totals: Totals,
    /// As JSON, because their shape says what they are; empty without any.
    warnings: String,
    last_trades: Vec<(AssetIx, Price)>,
}

impl LedgerState {
    /// The same with other indices for its assets.
    pub(crate) fn relabelled(mut self, label: impl Fn(AssetIx) -> AssetIx) -> LedgerState {
        for ((_, asset), _) in &mut self.books {
            *asset = label(*asset);
        }
        for gain in &mut self.realised {
            gain.asset = label(gain.asset);
        }
        for item in &mut self.income {
            item.asset = item.asset.map(&label);
        }
        for (asset, _) in &mut self.last_trades {
            *asset = label(*asset);
        }
        self
    }
}

impl<'m> Ledger<'m> {
    /// What it has come to.
    pub(crate) fn state(&self) -> LedgerState {
        let warnings = match self.warnings.as_slice() {
            [] => String::new(),
            some => serde_json::to_string(some).expect("warnings are plain data"),
        };
        LedgerState {
            books: pairs(&self.books),
            cash: pairs(&self.cash),
            cash_at_cost: self.cash_at_cost,
            movements: self.movements,
            realised: self.realised.clone(),
            income: self.income.clone(),
            flows: self.flows.clone(),
            totals: self.totals,
            warnings,
            last_trades: pairs(&self.last_trades),
        }
    }

    /// A ledger that stands where another one stood, without its rows. `None` when the state cannot be read.
    pub(crate) fn resumed(
        market: &'m Market,
        rules: Rules,
        state: LedgerState,
        horizon: Date,
    ) -> Option<Ledger<'m>> {
        let warnings: Vec<Warning> = match state.warnings.as_str() {
            "" => Vec::new(),
            text => serde_json::from_str(text).ok()?,
        };
        Some(Ledger {
            market,
            rules,
            entries: Arc::default(),
            horizon,
            books: state.books.into_iter().collect(),
            cash: state.cash.into_iter().collect(),
            cash_at_cost: state.cash_at_cost,
            movements: state.movements,
            realised: state.realised,
            income: state.income,
            flows: state.flows,
            totals: state.totals,
            warnings,
            spent: Default::default(),
            last_trades: state.last_trades.into_iter().collect(),
            next_due: None,
            resumed: true,
        })
    }

    /// True when it goes on from a state, and has no rows.
    pub(crate) fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// The first day after the horizon on which a dividend that no row records yet is missed.
    pub(crate) fn next_due(&self) -> Option<Date> {
        self.next_due
    }
}

fn pairs<K: Copy, V: Clone>(map: &std::collections::BTreeMap<K, V>) -> Vec<(K, V)> {
    map.iter()
        .map(|(key, value)| (*key, value.clone()))
        .collect()
}
