//! Yahoo's chart: one list for each column, prices and dividends adjusted for every later split. They are brought back to
//! what was traded.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use portfolio::decimal::{Decimal, MONEY, RATE};

use crate::clean::{Cleaner, RawBar};
use crate::json::{Json, Problem};
use crate::model::{Daily, Window};

/// Places that the noise of the provider's floats is rounded away at.
const PRICE_PLACES: u32 = 4;

/// The columns of bars.
const COLUMNS: [&str; 5] = ["open", "high", "low", "close", "volume"];

pub(super) fn daily(document: Json<'_>, window: Window) -> Result<Daily, Problem> {
    let result = document.at("chart/result/0").ok_or("no chart")?;
    let zone = zone(result)?;
    let splits = splits(result, &zone)?;
    let mut cleaner = Cleaner::new(window);
    for (date, ratio) in &splits {
        cleaner.split(*date, *ratio);
    }
    for event in events(result, "dividends") {
        let date = date(event.decimal_at("date")?, &zone)?;
        let amount = event.decimal_at("amount")?.unwrap_or_default();
        cleaner.dividend(date, traded(amount, date, &splits, MONEY)?);
    }
    let columns = columns(result)?;
    for (row, time) in result
        .at("timestamp")
        .and_then(Json::items)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let date = date(time.decimal()?, &zone)?;
        if window.contains(date) {
            cleaner.bar(bar(date, &columns, row, &splits)?);
        }
    }
    Ok(cleaner.finish(false))
}

fn bar(
    date: Date,
    columns: &[Vec<Json<'_>>; 5],
    row: usize,
    splits: &[(Date, Decimal)],
) -> Result<RawBar, Problem> {
    let cell = |column: usize| {
        columns[column]
            .get(row)
            .map_or(Ok(None), |cell| cell.decimal())
    };
    let price = |column: usize| {
        let adjusted = cell(column)?;
        adjusted
            .map(|price| traded(price, date, splits, PRICE_PLACES))
            .transpose()
    };
    let volume = cell(4)?.map(|volume| volume.div(factor(date, splits)?, 0).map_err(large));
    Ok(RawBar {
        date,
        open: price(0)?,
        high: price(1)?,
        low: price(2)?,
        close: price(3)?,
        volume: volume.transpose()?,
    })
}

fn columns<'d>(result: Json<'d>) -> Result<[Vec<Json<'d>>; 5], Problem> {
    let quote = result
        .at("indicators/quote/0")
        .ok_or("no quotes in the chart")?;
    Ok(COLUMNS.map(|name| quote.at(name).and_then(Json::items).unwrap_or_default()))
}

/// All splits that the chart tells, those after the window too.
fn splits(result: Json<'_>, zone: &TimeZone) -> Result<Vec<(Date, Decimal)>, Problem> {
    let split = |event: Json<'_>| {
        let date = date(event.decimal_at("date")?, zone)?;
        let part = |name: &str| -> Result<Decimal, Problem> {
            let part = event.decimal_at(name)?.filter(|part| part.is_positive());
            part.ok_or_else(|| format!("a split on {date} has no {name}"))
        };
        let ratio = part("numerator")?.div(part("denominator")?, RATE);
        Ok((date, ratio.map_err(large)?))
    };
    events(result, "splits").into_iter().map(split).collect()
}

fn events<'d>(result: Json<'d>, kind: &str) -> Vec<Json<'d>> {
    let events = result.at("events").and_then(|events| events.at(kind));
    let entries = events.and_then(Json::entries).unwrap_or_default();
    entries.into_values().collect()
}

/// What one share of `date` has become by the splits since.
fn factor(date: Date, splits: &[(Date, Decimal)]) -> Result<Decimal, Problem> {
    let later = splits.iter().filter(|(ex_date, _)| date < *ex_date);
    later
        .map(|(_, ratio)| *ratio)
        .try_fold(Decimal::ONE, |product, ratio| {
            product.mul(ratio, RATE).map_err(large)
        })
}

fn traded(
    adjusted: Decimal,
    date: Date,
    splits: &[(Date, Decimal)],
    places: u32,
) -> Result<Decimal, Problem> {
    adjusted.mul(factor(date, splits)?, places).map_err(large)
}

fn large(_: portfolio::decimal::OutOfRange) -> Problem {
    "a number is too large".to_owned()
}

fn zone(result: Json<'_>) -> Result<TimeZone, Problem> {
    let name = result.text_at("meta/exchangeTimezoneName");
    let name = name.ok_or("the chart does not tell its time zone")?;
    TimeZone::get(&name).map_err(|_| format!("time zone {name:?} is unknown"))
}

fn date(seconds: Option<Decimal>, zone: &TimeZone) -> Result<Date, Problem> {
    let seconds: Option<i64> = seconds.and_then(|seconds| seconds.trunc().to_string().parse().ok());
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let time = time.ok_or("a day has no time")?;
    Ok(time.to_zoned(zone.clone()).date())
}
