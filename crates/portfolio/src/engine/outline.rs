//! A ledger applied once: exact values where periods open and where it ends, and between them every change of what is held.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::kept::KeptSeries;
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
    /// The days on which something happened, in order.
    pub(super) days: Vec<EventDay>,
    /// The first day after the last one on which something is known to happen.
    pub(super) next_event: Option<Date>,
    /// What is known of the values of its first days.
    pub(super) series: Option<KeptSeries>,
}

/// The state on the opening day of a period.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) date: Date,
    pub(super) nav: Decimal,
    pub(super) mark: Mark,
    /// Values of positions in base currency.
    pub(super) values: Vec<(AssetIx, Decimal)>,
}

/// What a day's events left behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct EventDay {
    #[serde(with = "crate::packed::day")]
    pub(super) date: Date,
    /// Units held from this day on, of the assets that the events named.
    pub(super) units: Vec<(AssetIx, Decimal)>,
    /// Cash from this day on, in its own currency.
    pub(super) cash: Vec<(Currency, Decimal)>,
    /// Base money spent on assets on this day.
    pub(super) spent: Vec<(AssetIx, Decimal)>,
    /// What had been recorded at its end.
    pub(super) mark: Mark,
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
        let starts = opening_days(request.starts, inception, request.to);
        let mut pen = Pen::new(ledger, events);
        let mut openings = Vec::with_capacity(starts.len());
        for start in starts {
            pen.draw_until(start)?;
            openings.push(pen.opening(start)?);
        }
        pen.draw_until(request.to)?;
        let closing = Valuation::of(&pen.ledger, request.to)?;
        Ok(Some(Outline {
            next_event: pen.next_event(),
            end: Walked {
                ledger: pen.ledger,
                closing,
                inception,
            },
            openings,
            days: pen.days,
            series: None,
        }))
    }
}

/// Inception, and the days after it and before the last one on which periods open.
pub(super) fn opening_days(starts: Vec<Date>, inception: Date, to: Date) -> BTreeSet<Date> {
    let within = |start: &Date| *start > inception && *start < to;
    let mut days: BTreeSet<Date> = starts.into_iter().filter(within).collect();
    days.insert(inception);
    days
}

impl Opening {
    pub(super) fn new(date: Date, mark: Mark, worth: Worth) -> Opening {
        Opening {
            date,
            nav: worth.nav,
            mark,
            values: worth.positions,
        }
    }
}

struct Pen<'m> {
    ledger: Ledger<'m>,
    events: Events,
    accounts: BTreeSet<AccountId>,
    days: Vec<EventDay>,
}

impl<'m> Pen<'m> {
    fn new(ledger: Ledger<'m>, events: Events) -> Pen<'m> {
        let accounts = ledger.entries().iter().map(|entry| entry.account);
        Pen {
            accounts: accounts.collect(),
            days: Vec::new(),
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
        let units = assets.into_iter().map(|asset| (asset, self.units(asset)));
        let day = EventDay {
            date,
            units: units.collect(),
            cash: self.ledger.cash_by_currency().into_iter().collect(),
            spent: self.ledger.take_spent().into_iter().collect(),
            mark: Mark::of(&self.ledger),
        };
        self.days.push(day);
    }

    fn units(&self, asset: AssetIx) -> Decimal {
        let books = self
            .accounts
            .iter()
            .filter_map(|account| self.ledger.books().get(&(*account, asset)));
        books.map(|book| book.quantity()).sum()
    }

    fn opening(&self, date: Date) -> Result<Opening, LedgerError> {
        let worth = Worth::of(&self.ledger, date)?;
        Ok(Opening::new(date, Mark::of(&self.ledger), worth))
    }

    /// The next row or corporate action, or the day on which a dividend is missed.
    fn next_event(&self) -> Option<Date> {
        let next = self.events.next_day().into_iter();
        next.chain(self.ledger.next_due()).min()
    }
}
