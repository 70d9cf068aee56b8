//! A symbol's way from the first day on.

use calendar::Calendar;
use jiff::civil::Date;
use portfolio::decimal::Decimal;

use super::random::Dice;
use crate::clean::RawBar;

/// No symbol is older.
const FIRST: Date = Date::constant(1999, 12, 31);
/// A share dearer than this is split.
const DEAR: f64 = 500.0;
/// Shares are never cheaper.
const CHEAPEST: f64 = 1.0;
/// The market's daily drift and deviation.
const MARKET: (f64, f64) = (0.0003, 0.010);

/// One day of a symbol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Day {
    pub(super) date: Date,
    open: f64,
    close: f64,
    spread: f64,
    volume: u32,
    /// New shares per old one; one on most days.
    pub(super) split: Decimal,
    /// Cash per share; zero on most days.
    pub(super) dividend: Decimal,
}

/// What makes a symbol differ from others.
#[derive(Debug)]
pub(super) struct Walk {
    seed: u64,
    symbol: String,
    start: f64,
    /// The share of the market's moves.
    beta: f64,
    noise: f64,
    /// Dividends a year per price; many symbols pay none.
    income: f64,
    /// The day of the month from which a dividend is due.
    due: i8,
}

impl Walk {
    pub(super) fn new(seed: u64, symbol: &str) -> Walk {
        let mut dice = Dice::new(seed, symbol, 0);
        Walk {
            seed,
            symbol: symbol.to_owned(),
            start: 20.0 + 180.0 * dice.unit(),
            beta: 0.5 + dice.unit(),
            noise: 0.005 + 0.015 * dice.unit(),
            income: (dice.unit() - 0.4).max(0.0) * 0.06,
            due: 5 + dice.below(15) as i8,
        }
    }

    /// All days up to `last`.
    pub(super) fn take(&self, calendar: &Calendar, last: Date) -> Vec<Day> {
        let mut price = self.start;
        let mut paid = FIRST;
        let mut days = Vec::new();
        for date in calendar.sessions(FIRST, last) {
            let day = self.step(date, price, paid);
            if day.dividend.is_positive() {
                paid = date;
            }
            price = day.close;
            days.push(day);
        }
        days
    }

    /// The day after one that closed at `price`.
    fn step(&self, date: Date, price: f64, paid: Date) -> Day {
        let market = Dice::new(self.seed, "the market", number(date)).normal();
        let mut own = Dice::new(self.seed, &self.symbol, number(date));
        let ratio = if price > DEAR { 4 } else { 1 };
        let price = price / f64::from(ratio);
        let income = if self.is_due(date, paid) {
            price * self.income / 4.0
        } else {
            0.0
        };
        let moved = self.beta * (MARKET.0 + MARKET.1 * market) + self.noise * own.normal();
        let open = (price - income) * (1.0 + 0.2 * self.noise * own.normal());
        let close = (price - income) * (1.0 + moved.clamp(-0.35, 0.35));
        Day {
            date,
            open: open.max(CHEAPEST),
            close: close.max(CHEAPEST),
            spread: 0.01 * own.unit(),
            volume: 100_000 + (5_000_000.0 * own.unit()) as u32,
            split: Decimal::from_int(ratio.into()),
            dividend: cents(income),
        }
    }

    /// In February, May, August and November, once.
    fn is_due(&self, date: Date, paid: Date) -> bool {
        let this_month = (paid.year(), paid.month()) == (date.year(), date.month());
        self.income > 0.0 && date.month() % 3 == 2 && date.day() >= self.due && !this_month
    }
}

impl Day {
    pub(super) fn number(&self) -> u64 {
        number(self.date)
    }

    pub(super) fn close(&self) -> Decimal {
        cents(self.close)
    }

    /// The close moved by so many deviations of a minute.
    pub(super) fn drifted(&self, deviations: f64) -> Decimal {
        cents((self.close * (1.0 + 0.001 * deviations)).max(CHEAPEST))
    }

    pub(super) fn bar(&self) -> RawBar {
        let (low, high) = (self.open.min(self.close), self.open.max(self.close));
        RawBar {
            date: self.date,
            open: Some(cents(self.open)),
            high: Some(cents(high * (1.0 + self.spread))),
            low: Some(cents(low * (1.0 - self.spread))),
            close: Some(self.close()),
            volume: Some(Decimal::from_int(self.volume.into())),
        }
    }
}

/// A number of its own for every day.
pub(super) fn number(date: Date) -> u64 {
    let days = date
        .since(FIRST)
        .map(|span| span.get_days())
        .unwrap_or_default();
    u64::from(days.unsigned_abs())
}

/// An amount to the cent, exactly.
fn cents(amount: f64) -> Decimal {
    let cents = (amount * 100.0).round() as i64;
    Decimal::from_int(cents)
        .div(Decimal::from_int(100), 2)
        .expect("an amount of a made-up market is far below the limit")
}
