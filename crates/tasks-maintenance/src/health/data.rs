//! The finance database and how fresh it is.

use std::error::Error;

use calendar::Calendars;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use portfolio::store::Store;
use protocol::Value;
use tasks::app;
use worker::{Context, Outcome};

use super::CheckStatus::{Degraded, Healthy};
use super::probe::Finding;

type Found = Result<Finding, Box<dyn Error + Send + Sync>>;

/// Rates are published on working days; a long week-end is no fault.
const OLDEST_RATE_DAYS: i32 = 4;
/// The calendar that prices are held against.
const CALENDAR: &str = "XNYS";

pub(super) async fn database(ctx: &Context) -> Found {
    let users = store(ctx).await?.users().await?;
    Ok((Healthy, format!("{} users", users.len())))
}

pub(super) async fn prices(ctx: &Context) -> Found {
    let Some(newest) = store(ctx).await?.newest_price().await? else {
        return Ok((Degraded, "there are no prices".to_owned()));
    };
    let calendar = Calendars::embedded().get(CALENDAR)?;
    let last = calendar.last_completed(jiff::Timestamp::now());
    let missed = calendar.sessions(newest, last).len();
    Ok(judge(
        missed <= 1,
        format!("newest price {newest}, {missed} completed sessions since"),
    ))
}

pub(super) async fn rates(ctx: &Context) -> Found {
    let Some(newest) = store(ctx).await?.newest_rate().await? else {
        return Ok((Degraded, "there are no exchange rates".to_owned()));
    };
    let days = today().since(newest)?.get_days();
    Ok(judge(
        days <= OLDEST_RATE_DAYS,
        format!("newest rate {newest}, {days} days old"),
    ))
}

fn judge(fresh: bool, detail: String) -> Finding {
    (if fresh { Healthy } else { Degraded }, detail)
}

fn today() -> Date {
    jiff::Timestamp::now().to_zoned(TimeZone::UTC).date()
}

async fn store(ctx: &Context) -> Result<&Store, Box<dyn Error + Send + Sync>> {
    let opened = async { app(ctx)?.store().await }.await;
    opened.map_err(|outcome| text(&outcome).into())
}

fn text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Fail(failure) => failure
            .exception
            .exc_message
            .first()
            .map_or_else(String::new, shown),
        other => format!("{other:?}"),
    }
}

fn shown(value: &Value) -> String {
    if let Value::Str(text) = value {
        text.clone()
    } else {
        format!("{value:?}")
    }
}
