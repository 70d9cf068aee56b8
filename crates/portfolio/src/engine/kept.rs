//! What is kept of an outline for later days, and an outline made of it: the ledger is not applied again, but what it comes to
//! is valued anew with the prices and rates of the market.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::outline::{EventDay, Opening, Outline, opening_days};
use super::valued::Valued;
use crate::decimal::Decimal;
use crate::ledger::{Ledger, LedgerError, LedgerState, Rules};
use crate::market::{AssetIx, Market};
use crate::money::Currency;
use crate::returns::Part;
use crate::series::{Mark, Walked};
use crate::valuation::{Valuation, Worth};

/// An outline without what prices and rates of days make of it, but for the values of the days until it was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptOutline {
    #[serde(with = "crate::packed::day")]
    inception: Date,
    /// The first day on which something is known to happen.
    #[serde(with = "crate::packed::maybe_day")]
    next_event: Option<Date>,
    ledger: LedgerState,
    days: Vec<EventDay>,
    series: Option<KeptSeries>,
}

/// What floats made of the days of a grid, right while the prices and rates of these days are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptSeries {
    /// The first day after inception.
    #[serde(with = "crate::packed::day")]
    first: Date,
    #[serde(with = "crate::packed::day")]
    last: Date,
    /// Net asset value by day.
    #[serde(with = "crate::packed::floats")]
    nav: Vec<f64>,
    /// What each part earned since inception, weighted so that it links to the time-weighted return; not yet divided by the
    /// link of the whole.
    pub(super) earned: Vec<(Part, f64)>,
}

impl KeptSeries {
    /// The values of a portfolio until its last day; `None` when there is no return yet, or what was earned is undefined.
    fn of(valued: &Valued<'_, '_>) -> Option<KeptSeries> {
        let dates = valued.columns.dates();
        let earned = valued.span(Date::MIN).numerators()?;
        Some(KeptSeries {
            first: *dates.get(valued.first)?,
            last: *dates.last()?,
            nav: valued.nav[valued.first..].to_vec(),
            earned: earned.into_iter().collect(),
        })
    }

    /// Copies the values to their days and returns the first day after them; `None` when the grid has other days.
    pub(super) fn fill(&self, columns: &Columns, nav: &mut [f64]) -> Option<usize> {
        let (start, dates) = (columns.day(self.first), columns.dates());
        let end = start + self.nav.len();
        let same = dates.get(start) == Some(&self.first)
            && dates.get(end.checked_sub(1)?) == Some(&self.last);
        same.then(|| {
            nav[start..end].copy_from_slice(&self.nav);
            end
        })
    }
}

impl KeptOutline {
    /// What is to be kept of a valued portfolio.
    pub(crate) fn of(valued: &Valued<'_, '_>) -> KeptOutline {
        let outline = &valued.outline;
        KeptOutline {
            inception: outline.end.inception,
            next_event: outline.next_event,
            ledger: outline.end.ledger.state(),
            days: outline.days.clone(),
            series: KeptSeries::of(valued),
        }
    }

    /// The same for prices of earlier days that have changed.
    pub(crate) fn without_series(self) -> KeptOutline {
        KeptOutline {
            series: None,
            ..self
        }
    }

    /// The same with other indices for its assets.
    pub(crate) fn relabelled(mut self, label: impl Fn(AssetIx) -> AssetIx) -> KeptOutline {
        for day in &mut self.days {
            for (asset, _) in day.units.iter_mut().chain(&mut day.spent) {
                *asset = label(*asset);
            }
        }
        for (part, _) in self.series.iter_mut().flat_map(|series| &mut series.earned) {
            if let Part::Asset(asset) = part {
                *asset = label(*asset);
            }
        }
        KeptOutline {
            ledger: self.ledger.relabelled(label),
            ..self
        }
    }
}

impl<'m> Outline<'m> {
    /// The first day after the last one on which something is known to happen: what is kept is of no use from there on.
    pub(crate) fn next_event(&self) -> Option<Date> {
        self.next_event
    }

    /// The last day whose value is kept.
    pub(crate) fn kept_until(&self) -> Option<Date> {
        self.series.as_ref().map(|series| series.last)
    }

    /// The outline that ends on `to`, not before what was kept ended, if nothing has happened since. `None` when the market
    /// has no price where a period opens.
    pub(crate) fn resumed(
        market: &'m Market,
        rules: Rules,
        kept: KeptOutline,
        starts: Vec<Date>,
        to: Date,
    ) -> Result<Option<Outline<'m>>, LedgerError> {
        market.keep_days(starts.iter().copied().chain([to]));
        let mut replay = Replay::new(market, rules.base);
        let mut openings = Vec::with_capacity(starts.len() + 1);
        for start in opening_days(starts, kept.inception, to) {
            replay.go_on(&kept.days, start);
            let Some(opening) = replay.opening(start)? else {
                return Ok(None);
            };
            openings.push(opening);
        }
        let Some(ledger) = Ledger::resumed(market, rules, kept.ledger, to) else {
            return Ok(None);
        };
        let closing = Valuation::of(&ledger, to)?;
        Ok(Some(Outline {
            end: Walked {
                ledger,
                closing,
                inception: kept.inception,
            },
            openings,
            days: kept.days,
            next_event: kept.next_event,
            series: kept.series,
        }))
    }
}

/// What was held, from one event to the next.
struct Replay<'m> {
    market: &'m Market,
    base: Currency,
    /// How many days of events lie behind.
    done: usize,
    units: BTreeMap<AssetIx, Decimal>,
    cash: BTreeMap<Currency, Decimal>,
    mark: Mark,
}

impl<'m> Replay<'m> {
    fn new(market: &'m Market, base: Currency) -> Replay<'m> {
        Replay {
            market,
            base,
            done: 0,
            units: BTreeMap::new(),
            cash: BTreeMap::new(),
            mark: Mark::default(),
        }
    }

    /// Goes on to the end of a day.
    fn go_on(&mut self, days: &[EventDay], date: Date) {
        let new = days[self.done..].iter().take_while(|day| day.date <= date);
        for day in new {
            self.done += 1;
            self.units.extend(day.units.iter().copied());
            self.cash.extend(day.cash.iter().copied());
            self.mark = day.mark;
        }
    }

    fn opening(&self, date: Date) -> Result<Option<Opening>, LedgerError> {
        let worth = Worth::of_units(self.market, self.base, &self.units, &self.cash, date)?;
        Ok(worth.map(|worth| Opening::new(date, self.mark, worth)))
    }
}
