//! A made-up market for demos and load: the same seed, symbol and day give the same bar, in whatever order they are asked.
//!
//! Every symbol walks from the same first day with a share of one common market and noise of its own; dividends come four times a
//! year, and a share that has become dear is split. Only additions and products of floats are used, so that every machine
//! makes the same market. Gaps and failures can be had on request.

mod random;
mod walk;

use async_trait::async_trait;
use calendar::Calendar;
use jiff::Timestamp;
use portfolio::decimal::Decimal;
use portfolio::store::RateRow;
use serde::Deserialize;

use crate::clean::Cleaner;
use crate::error::{Error, Result};
use crate::model::{Daily, Fetched, Info, Limits, Quote, Rates, RatesRequest, Validators, Window};
use crate::provider::{Provider, is_symbol};
use random::Dice;
use walk::{Day, Walk};

/// The provider's name.
pub(crate) const NAME: &str = "simulator";

/// The settings `celeriac_market_data_simulator`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SimulatorSettings {
    /// Another seed is another market.
    seed: u64,
    /// The calendar that all symbols trade by.
    calendar: String,
    /// The share of days without a bar.
    gaps: f64,
    /// The share of requests that fail.
    errors: f64,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            calendar: "XNYS".to_owned(),
            gaps: 0.0,
            errors: 0.0,
        }
    }
}

/// The made-up market.
#[derive(Debug)]
pub(crate) struct Simulator {
    seed: u64,
    calendar: Calendar,
    gaps: f64,
    errors: f64,
}

impl Simulator {
    pub(crate) fn new(settings: &SimulatorSettings) -> Result<Simulator> {
        let wrong = |problem: String| Error::settings("simulator", problem);
        let calendar = Calendar::named(&settings.calendar);
        let share = |value: f64| (0.0..=1.0).contains(&value);
        if !share(settings.gaps) || !share(settings.errors) {
            return Err(wrong("gaps and errors must be between 0 and 1".to_owned()));
        }
        Ok(Simulator {
            seed: settings.seed,
            calendar: calendar.map_err(|error| wrong(error.to_string()))?,
            gaps: settings.gaps,
            errors: settings.errors,
        })
    }

    /// The days of a symbol up to a day.
    fn walk(&self, symbol: &str, window: Window) -> Result<Vec<Day>> {
        if !is_symbol(symbol) {
            return Err(Error::not_found(NAME, symbol));
        }
        let mut dice = Dice::new(self.seed, &format!("errors {symbol} {}", window.to), 0);
        if dice.unit() < self.errors {
            return Err(Error::unavailable(NAME, "a failure on request"));
        }
        let last = self
            .calendar
            .last_completed(Timestamp::now())
            .min(window.to);
        Ok(Walk::new(self.seed, symbol).take(&self.calendar, last))
    }

    fn is_gap(&self, symbol: &str, day: &Day) -> bool {
        self.gaps > 0.0
            && Dice::new(self.seed, &format!("gap {symbol}"), day.number()).unit() < self.gaps
    }
}

#[async_trait]
impl Provider for Simulator {
    fn name(&self) -> &str {
        NAME
    }

    fn limits(&self) -> Limits {
        Limits::default()
    }

    async fn daily(&self, symbol: &str, window: Window, _: &Validators) -> Result<Fetched<Daily>> {
        let mut cleaner = Cleaner::new(window);
        for day in self.walk(symbol, window)? {
            if !window.contains(day.date) {
                continue;
            }
            if !self.is_gap(symbol, &day) {
                cleaner.bar(day.bar());
            }
            cleaner.split(day.date, day.split);
            cleaner.dividend(day.date, day.dividend);
        }
        Ok(Fetched::New(cleaner.finish(false), Validators::default()))
    }

    async fn quote(&self, symbol: &str) -> Result<Quote> {
        let now = Timestamp::now();
        let today = now.to_zoned(self.calendar.zone().clone()).date();
        let days = self.walk(
            symbol,
            Window {
                from: today,
                to: today,
            },
        )?;
        let last = days.last().ok_or_else(|| Error::not_found(NAME, symbol))?;
        let minute = now.as_second() / 60;
        let mut dice = Dice::new(self.seed, symbol, minute.unsigned_abs());
        Ok(Quote {
            price: last.drifted(dice.normal()),
            previous_close: Some(last.close()),
            quoted_at: Timestamp::from_second(minute * 60).unwrap_or(now),
        })
    }

    async fn info(&self, symbol: &str) -> Result<Info> {
        if !is_symbol(symbol) {
            return Err(Error::not_found(NAME, symbol));
        }
        const SECTORS: [&str; 4] = ["Technology", "Health", "Energy", "Finance"];
        let sector = Dice::new(self.seed, symbol, 0).below(SECTORS.len());
        Ok(Info {
            name: Some(format!("Simulated {symbol}")),
            class: Some("equity".to_owned()),
            sector: Some(SECTORS[sector].to_owned()),
            country: Some("US".to_owned()),
            currency: "USD".parse().ok(),
            exchange: Some(self.calendar.mic().to_owned()),
            ..Info::default()
        })
    }

    /// Every currency keeps near a level of its own.
    async fn rates(&self, request: &RatesRequest, _: &Validators) -> Result<Fetched<Rates>> {
        let Window { from, to } = request.window;
        let mut rates = Rates::new();
        let first = from.yesterday().unwrap_or(from);
        for date in self.calendar.sessions(first, to) {
            for currency in &request.quotes {
                let level = 50 + Dice::new(self.seed, currency.as_str(), 0).below(150);
                let noise = Dice::new(self.seed, currency.as_str(), walk::number(date)).below(1000);
                let text = format!("{}.{:02}{noise:03}", level / 100, level % 100);
                let rate: Decimal = text.parse().expect("digits and one point");
                rates.push(RateRow {
                    currency: *currency,
                    date,
                    rate,
                });
            }
        }
        Ok(Fetched::New(rates, Validators::default()))
    }
}

#[cfg(test)]
mod tests;
