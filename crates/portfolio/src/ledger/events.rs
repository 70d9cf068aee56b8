//! The order of events: date, corporate actions before rows, time of execution, id.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use super::entry::Entry;
use super::error::LedgerError;
use super::state::{Ledger, Rules, Totals};
use super::warning::{look_alikes, without_repeats};
use crate::decimal::Decimal;
use crate::market::{AssetIx, Market};

/// One event, by index into the ledger's rows or an asset's actions.
#[derive(Clone, Copy, Debug)]
enum Event {
    Action(AssetIx, usize),
    Row(usize),
}

/// Events in order, and how far they have been applied.
#[derive(Debug)]
pub(crate) struct Events {
    queue: Vec<(Date, Event)>,
    next: usize,
}

impl<'m> Ledger<'m> {
    /// An empty state over these rows and the events in order. `horizon` is the day of the report: what is expected
    /// later is not missed yet.
    pub(crate) fn prepare(
        market: &'m Market,
        rules: Rules,
        entries: Arc<[Entry]>,
        horizon: Date,
    ) -> (Ledger<'m>, Events) {
        let (entries, mut warnings) = without_repeats(entries);
        warnings.extend(look_alikes(&entries));
        let events = Events::new(market, &entries);
        let ledger = Ledger {
            market,
            rules,
            entries,
            horizon,
            books: Default::default(),
            cash: Default::default(),
            cash_at_cost: Decimal::ZERO,
            movements: 0,
            realised: Vec::new(),
            income: Vec::new(),
            flows: Vec::new(),
            totals: Totals::default(),
            warnings,
            spent: Default::default(),
            last_trades: Default::default(),
            next_due: None,
            resumed: false,
        };
        (ledger, events)
    }

    /// Everything up to and including `as_of`.
    pub fn run(
        market: &'m Market,
        rules: Rules,
        entries: impl Into<Arc<[Entry]>>,
        as_of: Date,
    ) -> Result<Ledger<'m>, LedgerError> {
        let (mut ledger, mut events) = Ledger::prepare(market, rules, entries.into(), as_of);
        events.apply_until(&mut ledger, as_of)?;
        Ok(ledger)
    }
}

impl Events {
    fn new(market: &Market, entries: &[Entry]) -> Events {
        let mut queue: Vec<(Date, Event)> = actions(market, entries);
        queue.sort_by_key(|(date, _)| *date);
        let mut rows: Vec<usize> = (0..entries.len()).collect();
        rows.sort_by_key(|row| {
            (
                entries[*row].date,
                entries[*row].executed_at,
                entries[*row].id,
            )
        });
        queue.extend(
            rows.into_iter()
                .map(|row| (entries[row].date, Event::Row(row))),
        );
        queue.sort_by_key(|(date, event)| (*date, matches!(event, Event::Row(_))));
        Events { queue, next: 0 }
    }

    /// The day of the next event.
    pub(crate) fn next_day(&self) -> Option<Date> {
        self.queue.get(self.next).map(|(day, _)| *day)
    }

    /// The assets that the events of the next day name.
    pub(crate) fn next_assets(&self, ledger: &Ledger<'_>) -> BTreeSet<AssetIx> {
        let today = self.next_day();
        let events = self.queue[self.next..]
            .iter()
            .take_while(|(day, _)| Some(*day) == today);
        let named = events.flat_map(|(_, event)| match *event {
            Event::Action(asset, _) => [Some(asset), None],
            Event::Row(row) => [ledger.entries[row].asset, ledger.entries[row].to_asset],
        });
        named.flatten().collect()
    }

    /// Applies the events up to and including `date`.
    pub(crate) fn apply_until(
        &mut self,
        ledger: &mut Ledger<'_>,
        date: Date,
    ) -> Result<(), LedgerError> {
        while let Some((day, event)) = self
            .queue
            .get(self.next)
            .copied()
            .filter(|(day, _)| *day <= date)
        {
            self.next += 1;
            match event {
                Event::Action(asset, index) => ledger.apply_action(asset, index, day)?,
                Event::Row(row) => ledger.apply_row(row)?,
            }
        }
        Ok(())
    }
}

/// Actions of every asset that the rows name.
fn actions(market: &Market, entries: &[Entry]) -> Vec<(Date, Event)> {
    let named: BTreeSet<AssetIx> = entries
        .iter()
        .flat_map(|entry| [entry.asset, entry.to_asset])
        .flatten()
        .collect();
    let mut found = Vec::new();
    for asset in named {
        for (index, action) in market.asset(asset).actions.iter().enumerate() {
            found.push((action.ex_date, Event::Action(asset, index)));
        }
    }
    found
}
