//! Exchange rates as an object of days, each an object of currencies.

use portfolio::decimal::RATE;
use portfolio::store::RateRow;

use super::Refusal;
use super::fields::day;
use crate::json::Json;
use crate::model::{Rates, RatesRequest};

/// Reads the rates that were asked for, in the order of day and currency.
pub(super) fn read(
    document: Json<'_>,
    path: &str,
    request: &RatesRequest,
) -> Result<Rates, Refusal> {
    let days = document.at(path).and_then(Json::entries);
    let days = days.ok_or_else(|| format!("no days at {path:?}"))?;
    let mut quotes = request.quotes.clone();
    quotes.sort_unstable();
    quotes.dedup();
    let mut rates = Vec::new();
    for (text, row) in days {
        let date = day(&text).ok_or_else(|| format!("{text:?} is not a day"))?;
        if !request.window.contains(date) {
            continue;
        }
        for currency in &quotes {
            let rate = row.decimal_at(currency.as_str())?;
            // Below the last place that rates have, nothing can be converted.
            let rate = rate
                .map(|rate| rate.round(RATE))
                .filter(|rate| rate.is_positive());
            rates.extend(rate.map(|rate| RateRow {
                currency: *currency,
                date,
                rate,
            }));
        }
    }
    rates.sort_by_key(|row| (row.date, row.currency));
    Ok(rates)
}
