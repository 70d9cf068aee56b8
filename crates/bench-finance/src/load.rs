//! The reference load: many portfolios of many positions on years of prices. Made anew from a seed, the same each time.

use std::collections::BTreeSet;
use std::sync::Arc;

use calendar::Calendar;
use fastrand::Rng;
use jiff::civil::{Date, date};
use portfolio::carried::Carried;
use portfolio::decimal::Decimal;
use portfolio::fx::RateTable;
use portfolio::ledger::{AccountId, Entry, Kind};
use portfolio::market::{Asset, AssetIx, Market};
use serde::{Deserialize, Serialize};

/// The first session.
const START: Date = date(2009, 1, 2);
/// Whose sessions the days are.
const MIC: &str = "XNYS";
const SEED: u64 = 7;
/// What a portfolio begins with, in dollars; more than its purchases cost.
const OPENING_DEPOSIT: i64 = 50_000_000;

/// How large it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, clap::Args)]
pub(crate) struct Size {
    /// Portfolios
    #[arg(long, default_value_t = 10_000, value_name = "N", global = true)]
    pub(crate) portfolios: usize,
    /// Positions of each
    #[arg(long, default_value_t = 50, value_name = "N", global = true)]
    pub(crate) positions: usize,
    /// Deposits of each, after the first
    #[arg(long, default_value_t = 23, value_name = "N", global = true)]
    pub(crate) deposits: usize,
    /// Sessions with prices
    #[arg(long, default_value_t = 2_520, value_name = "N", global = true)]
    pub(crate) days: usize,
    /// Assets
    #[arg(long, default_value_t = 2_000, value_name = "N", global = true)]
    pub(crate) assets: usize,
}

impl Size {
    /// Rows of all ledgers.
    pub(crate) fn rows(&self) -> usize {
        self.portfolios * (1 + self.positions + self.deposits)
    }

    /// The days with prices.
    pub(crate) fn sessions(&self) -> anyhow::Result<Vec<Date>> {
        let years = i16::try_from(self.days / 250 + 2)?;
        let end = date(START.year() + years, 1, 1);
        let mut days = Calendar::named(MIC)?.sessions(START, end);
        anyhow::ensure!(
            days.len() >= self.days.max(50),
            "between 50 and {} days, please",
            days.len()
        );
        days.truncate(self.days);
        Ok(days)
    }

    /// As options of this program.
    pub(crate) fn options(&self) -> Vec<String> {
        let options = [
            ("--portfolios", self.portfolios),
            ("--positions", self.positions),
            ("--deposits", self.deposits),
            ("--days", self.days),
            ("--assets", self.assets),
        ];
        options
            .iter()
            .flat_map(|(name, value)| [(*name).to_owned(), value.to_string()])
            .collect()
    }
}

/// Portfolios and their market, in memory.
pub(crate) struct Load {
    pub(crate) calendar: Calendar,
    pub(crate) days: Vec<Date>,
    pub(crate) market: Market,
    /// The rows of each portfolio.
    pub(crate) ledgers: Vec<Arc<[Entry]>>,
}

impl Load {
    pub(crate) fn make(size: Size) -> anyhow::Result<Load> {
        let (calendar, days) = (Calendar::named(MIC)?, size.sessions()?);
        let mut rng = Rng::with_seed(SEED);
        let market = market(&size, &days, &mut rng);
        let ledgers = (0..size.portfolios)
            .map(|number| ledger(number, &size, &days, &market, &mut rng).into())
            .collect();
        Ok(Load {
            calendar,
            days,
            market,
            ledgers,
        })
    }

    pub(crate) fn last_day(&self) -> Date {
        self.days[self.days.len() - 1]
    }
}

/// Prices that follow a common market, each with noise of its own, in cents.
fn market(size: &Size, days: &[Date], rng: &mut Rng) -> Market {
    let common: Vec<f64> = days.iter().map(|_| 0.0003 + 0.010 * normal(rng)).collect();
    let assets = (0..size.assets).map(|number| {
        let beta = 0.5 + rng.f64();
        let mut level = 100.0_f64;
        let closes = days.iter().zip(&common).map(|(day, common)| {
            level *= (beta * common + 0.015 * normal(rng)).exp();
            level = level.clamp(1.0, 9_000.0);
            (*day, cents(level))
        });
        Asset {
            id: whole(number) + 1,
            symbol: format!("A{number:04}"),
            currency: usd(),
            class: "equity".to_owned(),
            sector: None,
            country: None,
            closes: closes.collect::<Carried<Decimal>>(),
            actions: Vec::new(),
        }
    });
    Market::new(assets.collect(), RateTable::default())
}

/// A large deposit, purchases on the first day, and deposits through the years.
fn ledger(number: usize, size: &Size, days: &[Date], market: &Market, rng: &mut Rng) -> Vec<Entry> {
    let account = AccountId(whole(number) + 1);
    let rows = 1 + size.positions + size.deposits;
    let mut next = whole(number * rows);
    let mut row = |kind, day| {
        next += 1;
        let mut entry = Entry::new(next, account, kind, day);
        entry.currency = Some(usd());
        entry.source = "bench".to_owned();
        entry.external_id = Some(next.to_string());
        entry
    };
    let mut entries = Vec::with_capacity(rows);
    let mut deposit = row(Kind::Deposit, days[0]);
    deposit.amount = Some(Decimal::from_int(OPENING_DEPOSIT));
    entries.push(deposit);
    for asset in chosen(size, rng) {
        let mut purchase = row(Kind::Buy, days[0]);
        purchase.asset = Some(asset);
        purchase.quantity = Some(Decimal::from_int(rng.i64(1..200)));
        purchase.price = market
            .asset(asset)
            .closes
            .iter()
            .next()
            .map(|(_, close)| *close);
        entries.push(purchase);
    }
    for _ in 0..size.deposits {
        let mut deposit = row(Kind::Deposit, days[rng.usize(20..days.len() - 20)]);
        deposit.amount = Some(Decimal::from_int(rng.i64(100..5_000)));
        entries.push(deposit);
    }
    entries
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).expect("a count fits")
}

fn chosen(size: &Size, rng: &mut Rng) -> BTreeSet<AssetIx> {
    let mut chosen = BTreeSet::new();
    while chosen.len() < size.positions.min(size.assets) {
        chosen.insert(AssetIx(rng.usize(0..size.assets)));
    }
    chosen
}

fn cents(value: f64) -> Decimal {
    let cents = Decimal::from_int((value * 100.0).round() as i64);
    cents
        .div(Decimal::from_int(100), 2)
        .expect("a price divided by a hundred is in range")
}

fn usd() -> portfolio::money::Currency {
    "USD".parse().expect("USD is a currency")
}

/// A standard normal number, by Box and Muller.
fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}
