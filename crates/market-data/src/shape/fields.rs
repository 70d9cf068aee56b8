//! Where in a document things are: paths of keys with `/` between them. The settings file uses the same names.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::json::Json;
use crate::model::Info;

/// All paths of one shape.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Fields {
    pub(crate) daily: RowFields,
    pub(crate) quote: QuoteFields,
    pub(crate) info: InfoFields,
    /// The object of days, each an object of currencies.
    pub(crate) rates: String,
    /// Fields that are there only when the quota is used up.
    pub(crate) quota: Vec<String>,
    /// Seconds to wait then.
    pub(crate) quota_wait: u64,
    /// Fields that are there only when the symbol is unknown.
    pub(crate) missing: Vec<String>,
}

/// Daily rows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RowFields {
    /// The list of days, or the object whose keys are the days.
    pub(crate) rows: String,
    /// The day within a row; empty when it is the row's key.
    pub(crate) date: String,
    pub(crate) open: String,
    pub(crate) high: String,
    pub(crate) low: String,
    pub(crate) close: String,
    pub(crate) volume: String,
    pub(crate) dividend: String,
    pub(crate) split: String,
    /// True when prices are adjusted for later splits.
    pub(crate) adjusted: bool,
}

/// A quote.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct QuoteFields {
    pub(crate) price: String,
    pub(crate) previous_close: String,
    pub(crate) at: String,
}

/// Facts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InfoFields {
    pub(crate) name: String,
    pub(crate) class: String,
    pub(crate) sector: String,
    pub(crate) country: String,
    pub(crate) currency: String,
    pub(crate) exchange: String,
    pub(crate) isin: String,
    pub(crate) figi: String,
}

impl Fields {
    pub(crate) fn quota_wait(&self) -> Duration {
        Duration::from_secs(self.quota_wait)
    }
}

impl InfoFields {
    pub(super) fn read(&self, document: Json<'_>) -> Info {
        let text = |path: &String| {
            let found = document.text_at(path);
            found.filter(|text| !text.is_empty() && text != "None")
        };
        Info {
            name: text(&self.name),
            class: text(&self.class).map(|class| class_of(&class).to_owned()),
            sector: text(&self.sector),
            country: text(&self.country),
            currency: text(&self.currency).and_then(|code| code.parse().ok()),
            exchange: text(&self.exchange),
            isin: text(&self.isin),
            figi: text(&self.figi),
        }
    }
}

/// A provider's word for a class in the store's words.
fn class_of(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "equity" | "common stock" | "stock" => "equity",
        "etf" => "etf",
        "fund" | "mutualfund" | "mutual fund" => "fund",
        "bond" => "bond",
        "crypto" | "cryptocurrency" => "crypto",
        "fx" | "currency" | "forex" => "fx",
        "commodity" | "future" => "commodity",
        "index" => "index",
        "cash" => "cash",
        _ => "other",
    }
}

/// A time: seconds since 1970, RFC 3339, or a day (its midnight, UTC).
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    let day = || Some(day(text)?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    text.parse().ok().or_else(day)
}

/// The day that a date or an RFC 3339 time begins with.
pub(super) fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}
