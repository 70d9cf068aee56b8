//! A ledger applied once: exact values where periods open and where it ends, and between them every change of what is held.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::decimal::Decimal;
use crate::ledger::{AccountId, Events, Ledger, LedgerError};
use crate::market::AssetIx;
use crate::money::Currency;
use crate::series::{Mark, WalkRequest, Walked, inception};
use crate::valuation::{Valuation, Worth};

/// The exact skeleton of a portfolio.
#[derive(Debug)]
pub struct Outline<'m> {
    /// Where the ledger stands on the last day.
    pub end: Walked<'m>,
    /// Inception and the opening days of periods after it, in order.
    pub(super) openings: Vec<Opening>,
    /// In order of their days.
    pub(super) changes: Vec<Change>,
}

/// The state on the opening day of a period.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) date: Date,
    pub(super) nav: Decimal,
    pub(super) mark: Mark,
    /// Values of positions in base currency.
    pub(super) values: Vec<(AssetIx, f64)>,
}

/// What a day's events left behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) date: Date,
    pub(super) what: Changed,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Changed {
    /// Units held from this day on.
    Units(AssetIx, f64),
    /// Cash from this day on, in its own currency.
    Cash(Currency, f64),
    /// Base money spent on an asset on this day.
    Spent(AssetIx, f64),
}

impl<'m> Outline<'m> {
    /// Applies a ledger; `None` when nothing has happened until the last day.
    pub fn of(request: WalkRequest<'m>) -> Result<Option<Outline<'m>>, LedgerError> {
        let (ledger, events) =
            Ledger::prepare(request.market, request.rules, request.entries, request.to);
        let Some(inception) = inception(&ledger, request.to) else {
            return Ok(None);
        };
        let shared = request.starts.iter().copied().chain([request.to]);
        request.market.keep_days(shared);
        let within = |start: &Date| *start > inception && *start < request.to;
        let mut starts: BTreeSet<Date> = request.starts.into_iter().filter(within).collect();
        starts.insert(inception);
        let mut pen = Pen::new(ledger, events);
        let mut openings = Vec::with_capacity(starts.len());
        for start in starts {
            pen.draw_until(start)?;
            openings.push(pen.opening(start)?);
        }
        pen.draw_until(request.to)?;
        let closing = Valuation::of(&pen.ledger, request.to)?;
        Ok(Some(Outline {
            end: Walked {
                ledger: pen.ledger,
                closing,
                inception,
            },
            openings,
            changes: pen.changes,
        }))
    }
}

struct Pen<'m> {
    ledger: Ledger<'m>,
    events: Events,
    accounts: BTreeSet<AccountId>,
    changes: Vec<Change>,
}

impl<'m> Pen<'m> {
    fn new(ledger: Ledger<'m>, events: Events) -> Pen<'m> {
        let accounts = ledger.entries().iter().map(|entry| entry.account);
        Pen {
            accounts: accounts.collect(),
            changes: Vec::with_capacity(ledger.entries().len() * 3),
            ledger,
            events,
        }
    }

    fn draw_until(&mut self, date: Date) -> Result<(), LedgerError> {
        while let Some(day) = self.events.next_day().filter(|day| *day <= date) {
            let assets = self.events.next_assets(&self.ledger);
            self.events.apply_until(&mut self.ledger, day)?;
            self.note(day, assets);
        }
        Ok(())
    }

    fn note(&mut self, date: Date, assets: BTreeSet<AssetIx>) {
        for asset in assets {
            let units = Changed::Units(asset, self.units(asset).to_f64());
            self.changes.push(Change { date, what: units });
        }
        for (currency, amount) in self.ledger.cash_by_currency() {
            let cash = Changed::Cash(currency, amount.to_f64());
            self.changes.push(Change { date, what: cash });
        }
        for (asset, spent) in self.ledger.take_spent() {
            let spent = Changed::Spent(asset, spent.to_f64());
            self.changes.push(Change { date, what: spent });
        }
    }

    fn units(&self, asset: AssetIx) -> Decimal {
        let books = self
            .accounts
            .iter()
            .filter_map(|account| self.ledger.books().get(&(*account, asset)));
        books.map(|book| book.quantity()).sum()
    }

    fn opening(&self, date: Date) -> Result<Opening, LedgerError> {
        let Worth { positions, nav } = Worth::of(&self.ledger, date)?;
        let values = positions.into_iter();
        Ok(Opening {
            date,
            nav,
            mark: Mark::of(&self.ledger),
            values: values
                .map(|(asset, value)| (asset, value.to_f64()))
                .collect(),
        })
    }
}
