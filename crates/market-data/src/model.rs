//! What is asked of a provider and what it answers. Decimals are exact; dates are the exchange's local ones.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use portfolio::decimal::Decimal;
use portfolio::market::Action;
use portfolio::money::Currency;
use portfolio::store::{PriceRow, RateRow};
use serde::{Deserialize, Serialize};

/// A span of days, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl Window {
    /// Whether a day is within.
    pub fn contains(&self, date: Date) -> bool {
        self.from <= date && date <= self.to
    }
}

/// Finished days of one asset.
#[derive(Clone, Debug, Default)]
pub struct Daily {
    /// Bars in the order of their days, each day once.
    pub bars: Vec<PriceRow>,
    /// Splits and dividends within the window, in the order of their days.
    pub actions: Vec<Action>,
    /// True when the bars are adjusted for later splits, and so cannot value a ledger.
    pub adjusted: bool,
    /// Rows without a usable close, which were left out.
    pub dropped: usize,
}

/// Where trading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Session {
    /// Before the open.
    Pre,
    /// Between open and close.
    Regular,
    /// After the close.
    Post,
    /// Neither.
    Closed,
}

impl Session {
    /// Its name in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Session::Pre => "pre",
            Session::Regular => "regular",
            Session::Post => "post",
            Session::Closed => "closed",
        }
    }
}

/// A price during, or after, a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// The newest price.
    pub price: Decimal,
    /// The close before, where the provider tells.
    pub previous_close: Option<Decimal>,
    /// When it was made.
    pub quoted_at: Timestamp,
}

/// Facts of an asset; what the provider does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// The full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `equity`, `etf`, `fund`, `bond`, `crypto`, `fx`, `commodity`, `index`, `cash` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The sector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// The country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The currency that it trades in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The exchange, in the provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    /// The international securities identification number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isin: Option<String>,
    /// The financial instrument global identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figi: Option<String>,
}

/// Which exchange rates: units of each currency in `quotes` for one of `base`.
#[derive(Clone, Debug)]
pub struct RatesRequest {
    /// The currency that one unit is of.
    pub base: Currency,
    /// The others.
    pub quotes: Vec<Currency>,
    /// The days.
    pub window: Window,
}

/// Exchange rates to the request's base, in the order of day and currency.
pub type Rates = Vec<RateRow>;

/// What a provider gave along to recognise an unchanged answer by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// HTTP's `ETag`, or a file's size and time.
    pub etag: Option<String>,
    /// HTTP's `Last-Modified`.
    pub last_modified: Option<String>,
}

/// An answer, or the word that it is still the one of last time.
#[derive(Clone, Debug)]
pub enum Fetched<T> {
    /// The answer is that of last time; there is nothing to write.
    NotModified,
    /// A new answer.
    New(T, Validators),
}

/// What a provider bears.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Requests a second; none for as many as there are.
    pub per_second: Option<f64>,
    /// Requests a day; none for as many as there are.
    pub per_day: Option<u32>,
    /// The longest a request takes.
    pub timeout: Option<Duration>,
}
