//! The daily series of a portfolio: values, external flows and what each asset earned, day by day.
//!
//! A [`Walk`] applies the ledger once and stops at the sessions of the portfolio's calendar and at the first day of
//! every period asked for. A [`Window`] of it is the series of one period. Values are exact; returns are floats.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use calendar::Calendar;
use jiff::civil::Date;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::dates::plus_days;
use crate::decimal::{Decimal, MONEY};
use crate::ledger::{Entry, Ledger, LedgerError, Rules, Totals};
use crate::market::{AssetIx, Market};
use crate::returns::{Part, Returns};
use crate::valuation::Valuation;

/// One stop of a walk.
#[derive(Clone, Debug)]
struct Step {
    date: Date,
    on_grid: bool,
    nav: Decimal,
    inflow: Decimal,
    outflow: Decimal,
    /// Profit by asset since the stop before, for assets held or traded.
    profits: Vec<(AssetIx, Decimal)>,
    /// The part of the profits that exchange rates made on what was held at the stop before; only foreign assets.
    currency_gains: Vec<(AssetIx, Decimal)>,
    /// Value by asset.
    values: Vec<(AssetIx, Decimal)>,
    mark: Mark,
}

/// How much had been recorded at a stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Totals since inception.
    pub totals: Totals,
    /// Gains recorded.
    pub realised: usize,
    /// Dividends recorded.
    pub income: usize,
    /// External flows recorded.
    pub flows: usize,
}

impl Mark {
    pub(crate) fn of(ledger: &Ledger<'_>) -> Mark {
        Mark {
            totals: ledger.totals(),
            realised: ledger.realised().len(),
            income: ledger.income().len(),
            flows: ledger.flows().len(),
        }
    }
}

/// Where a ledger stands on its last day.
#[derive(Debug)]
pub struct Walked<'m> {
    /// The ledger after the last event.
    pub ledger: Ledger<'m>,
    /// Its value on the last day.
    pub closing: Valuation,
    /// The day before the first row.
    pub inception: Date,
}

/// A ledger walked to its last day, with every day on the way.
#[derive(Debug)]
pub struct Walk<'m> {
    end: Walked<'m>,
    steps: Vec<Step>,
}

/// The daily series of one period, as figures need it.
pub trait Series {
    /// The opening day, exclusive.
    fn from(&self) -> Date;
    /// The value on it.
    fn opening(&self) -> Decimal;
    /// What had been recorded at the opening.
    fn mark(&self) -> Mark;
    /// The return of every day.
    fn returns(&self) -> Returns<'_>;
    /// What each part added to the time-weighted return of `returns`; `None` after a total loss.
    fn contributions(&self, returns: &[f64]) -> Option<LiteMap<Part, f64>>;
}

/// One day of a window.
#[derive(Clone, Debug)]
pub struct Day {
    /// The session, or the period's last day.
    pub date: Date,
    /// Net asset value at the end of the day.
    pub nav: Decimal,
    /// Money that came in since the day before.
    pub inflow: Decimal,
    /// Money that went out since the day before.
    pub outflow: Decimal,
    /// Profit by asset since the day before.
    pub profits: BTreeMap<AssetIx, Decimal>,
    /// The part of the profits that exchange rates made on what was held the day before; only foreign assets.
    pub currency_gains: BTreeMap<AssetIx, Decimal>,
}

/// The series of one period; `from` is exclusive and holds the opening value.
#[derive(Clone, Debug)]
pub struct Window {
    /// The opening day.
    pub from: Date,
    /// The value on it.
    pub opening: Decimal,
    /// Its days.
    pub days: Vec<Day>,
    /// What had been recorded at the opening.
    pub mark: Mark,
}

/// What to walk: rows with the rules, calendar and period starts.
#[derive(Debug)]
pub struct WalkRequest<'m> {
    /// Prices and rates.
    pub market: &'m Market,
    /// How to book.
    pub rules: Rules,
    /// The ledger.
    pub entries: Arc<[Entry]>,
    /// Whose sessions make the grid.
    pub calendar: &'m Calendar,
    /// Opening days of periods; those before inception start at inception.
    pub starts: Vec<Date>,
    /// The last day.
    pub to: Date,
}

impl<'m> Walk<'m> {
    /// Walks the ledger; `None` when nothing has happened until the last day.
    pub fn run(request: WalkRequest<'m>) -> Result<Option<Walk<'m>>, LedgerError> {
        let (ledger, mut events) =
            Ledger::prepare(request.market, request.rules, request.entries, request.to);
        let Some(inception) = inception(&ledger, request.to) else {
            return Ok(None);
        };
        let stops = stops(request.calendar, inception, request.to, &request.starts);
        let mut walker = Walker::new(ledger);
        let mut steps = Vec::with_capacity(stops.len());
        for (date, on_grid) in stops {
            events.apply_until(&mut walker.ledger, date)?;
            steps.push(walker.step(date, on_grid)?);
        }
        let end = Walked {
            ledger: walker.ledger,
            closing: walker.last,
            inception,
        };
        Ok(Some(Walk { end, steps }))
    }

    /// The series from one of the requested starts (or inception, where that is later) to the last day.
    pub fn window(&self, from: Date) -> Window {
        let from = from.clamp(self.inception, self.closing.date);
        let open = self.steps.partition_point(|step| step.date < from);
        let opening = &self.steps[open];
        let mut days: Vec<Day> = Vec::new();
        let mut pending = Day::empty(from);
        for step in &self.steps[open + 1..] {
            pending.absorb(step);
            if step.on_grid {
                days.push(std::mem::replace(&mut pending, Day::empty(step.date)));
            }
        }
        Window {
            from,
            opening: opening.nav,
            days,
            mark: opening.mark,
        }
    }
}

impl Walk<'_> {
    /// What each asset was worth on a day of a window, or on the day that it opens; nothing on other days.
    pub(crate) fn values(&self, date: Date) -> &[(AssetIx, Decimal)] {
        let found = self.steps.binary_search_by_key(&date, |step| step.date);
        found.map_or(&[], |index| &self.steps[index].values)
    }
}

impl<'m> Deref for Walk<'m> {
    type Target = Walked<'m>;

    fn deref(&self) -> &Walked<'m> {
        &self.end
    }
}

impl Series for Window {
    fn from(&self) -> Date {
        self.from
    }

    fn opening(&self) -> Decimal {
        self.opening
    }

    fn mark(&self) -> Mark {
        self.mark
    }

    fn returns(&self) -> Returns<'_> {
        Returns::of(self)
    }

    fn contributions(&self, returns: &[f64]) -> Option<LiteMap<Part, f64>> {
        crate::returns::contributions(self, returns)
    }
}

/// The day before the first row; `None` when nothing has happened until `to`.
pub(crate) fn inception(ledger: &Ledger<'_>, to: Date) -> Option<Date> {
    let first = ledger.entries().iter().map(|entry| entry.date).min();
    first
        .filter(|first| *first <= to)
        .map(|first| plus_days(first, -1))
}

/// Grid days of `(inception, to]`, `to` itself, inception and the starts within, in order.
fn stops(calendar: &Calendar, inception: Date, to: Date, starts: &[Date]) -> BTreeMap<Date, bool> {
    let mut stops = BTreeMap::new();
    let inside = starts
        .iter()
        .filter(|start| **start > inception && **start < to);
    stops.extend(inside.map(|start| (*start, false)));
    stops.extend(
        calendar
            .sessions(inception, to)
            .into_iter()
            .map(|day| (day, true)),
    );
    stops.insert(inception, false);
    stops.insert(to, true);
    stops
}

impl Day {
    fn empty(date: Date) -> Day {
        Day {
            date,
            nav: Decimal::ZERO,
            inflow: Decimal::ZERO,
            outflow: Decimal::ZERO,
            profits: BTreeMap::new(),
            currency_gains: BTreeMap::new(),
        }
    }

    fn absorb(&mut self, step: &Step) {
        self.date = step.date;
        self.nav = step.nav;
        self.inflow += step.inflow;
        self.outflow += step.outflow;
        for (asset, profit) in &step.profits {
            *self.profits.entry(*asset).or_default() += *profit;
        }
        for (asset, gain) in &step.currency_gains {
            *self.currency_gains.entry(*asset).or_default() += *gain;
        }
    }
}

/// The ledger with what was known at the stop before.
struct Walker<'m> {
    ledger: Ledger<'m>,
    last: Valuation,
    flows: usize,
}

impl<'m> Walker<'m> {
    fn new(ledger: Ledger<'m>) -> Walker<'m> {
        let last = Valuation {
            date: Date::MIN,
            positions: LiteMap::new(),
            cash: BTreeMap::new(),
            nav: Decimal::ZERO,
        };
        Walker {
            ledger,
            last,
            flows: 0,
        }
    }

    fn step(&mut self, date: Date, on_grid: bool) -> Result<Step, LedgerError> {
        let valuation = Valuation::of(&self.ledger, date)?;
        let new_flows = &self.ledger.flows()[self.flows..];
        let inflow = new_flows.iter().map(|flow| flow.inflow).sum();
        let outflow = new_flows.iter().map(|flow| flow.outflow).sum();
        self.flows = self.ledger.flows().len();
        let profits = self.profits(&valuation);
        let currency_gains = self.currency_gains(date)?;
        self.last = valuation;
        Ok(Step {
            date,
            on_grid,
            nav: self.last.nav,
            inflow,
            outflow,
            profits,
            currency_gains,
            values: self.last.values().collect(),
            mark: Mark::of(&self.ledger),
        })
    }

    /// What was held at the stop before, at the new rate less at the old one.
    fn currency_gains(&self, date: Date) -> Result<Vec<(AssetIx, Decimal)>, LedgerError> {
        let base = self.ledger.rules().base;
        let foreign = self.last.positions.iter();
        let foreign = foreign.filter(|(_, position)| position.currency != base);
        let gains = foreign.map(|(asset, position)| {
            let rate = self.ledger.rate(position.currency, date)?;
            Ok((
                *asset,
                position.value.mul(rate, MONEY)? - position.value_base,
            ))
        });
        gains.collect()
    }

    /// Change in value less what was spent on the asset, for assets held before or now, or traded.
    fn profits(&mut self, now: &Valuation) -> Vec<(AssetIx, Decimal)> {
        let mut profits: BTreeMap<AssetIx, Decimal> = BTreeMap::new();
        for (asset, position) in now.positions.iter() {
            *profits.entry(*asset).or_default() += position.value_base;
        }
        for (asset, position) in self.last.positions.iter() {
            *profits.entry(*asset).or_default() -= position.value_base;
        }
        for (asset, spent) in self.ledger.take_spent() {
            *profits.entry(asset).or_default() -= spent;
        }
        profits.into_iter().collect()
    }
}
