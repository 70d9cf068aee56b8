//! A user's dashboard: what is shown of figures, activity and alerts, kept ready as cache entries.
//!
//! The figures are those that a refresh stores; here they are only put together. An entry that has expired is still served
//! until a new one is written, and an equal one keeps its version.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::period::Period;
use crate::error::Result;
use crate::store::{ALL_PERIODS, CacheRow, Freshness, Store};

/// The parts of a dashboard.
pub const PARTS: [&str; 7] = [
    "summary",
    "holdings",
    "allocation",
    "performance",
    "income",
    "activity",
    "alerts",
];

/// How many entries of a user were written, and how many had not changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// With a new value.
    pub written: usize,
    /// With the value that they had.
    pub unchanged: usize,
}

/// The cache key of a part.
pub fn dashboard_key(user_id: i64, part: &str) -> String {
    format!("dashboard:{user_id}:{part}")
}

/// Puts together and stores those parts of a user's dashboard that are asked for.
///
/// # Errors
/// When the database fails.
pub async fn refresh_dashboard(
    store: &Store,
    user_id: i64,
    wanted: &[&str],
    now: Timestamp,
    life: SignedDuration,
) -> Result<Refreshed> {
    let values = parts(store, user_id).await?;
    let expires = now.saturating_add(life).unwrap_or(Timestamp::MAX);
    let mut refreshed = Refreshed::default();
    for (part, value) in PARTS.iter().zip(values) {
        if !wanted.contains(part) {
            continue;
        }
        let entry = CacheRow {
            key: dashboard_key(user_id, part),
            value: value.to_string(),
            user_id: Some(user_id),
        };
        match store.refresh_cache(&entry, now, expires).await? {
            true => refreshed.written += 1,
            false => refreshed.unchanged += 1,
        }
    }
    Ok(refreshed)
}

/// The parts that are missing or have less than a quarter of their life left.
///
/// # Errors
/// When the database fails.
pub async fn expiring_parts(
    store: &Store,
    user_id: i64,
    now: Timestamp,
) -> Result<Vec<&'static str>> {
    let cached: HashMap<String, Freshness> = store.cache_of(user_id).await?;
    let needed = |part: &&str| {
        let entry = cached.get(&dashboard_key(user_id, part));
        entry.is_none_or(|entry| entry.is_expiring(now))
    };
    Ok(PARTS.into_iter().filter(needed).collect())
}

/// The values of [`PARTS`], in that order.
async fn parts(store: &Store, user_id: i64) -> Result<[Value; 7]> {
    let max = Period::Max.as_str();
    let summary = stored(store, "user", user_id, max).await?;
    let (mut closings, mut performances) = (Map::new(), Map::new());
    for id in portfolio_ids(&summary) {
        let row = store.stored_figures("portfolio", id, ALL_PERIODS).await?;
        let closing = row.and_then(|payload| super::stored::closing(&payload));
        closings.insert(id.to_string(), serde_json::to_value(closing)?);
        performances.insert(id.to_string(), performance(store, id).await?);
    }
    let activity = json!(store.recent_activity(user_id).await?);
    let mut alerts = json!(store.alerts(user_id).await?);
    if let Value::Array(alerts) = &mut alerts {
        alerts.extend(stale_prices(&closings));
    }
    Ok([
        summary,
        of_each(&closings, "positions"),
        of_each(&closings, "allocation"),
        Value::Object(performances),
        of_each(&closings, "income"),
        activity,
        alerts,
    ])
}

/// A stored payload; null when there is none.
async fn stored(store: &Store, scope: &str, id: i64, period: &str) -> Result<Value> {
    let text = store.figures(scope, id, period).await?;
    Ok(match text {
        Some(text) => serde_json::from_str(&text)?,
        None => Value::Null,
    })
}

fn portfolio_ids(summary: &Value) -> Vec<i64> {
    let lines = summary["portfolios"].as_array();
    let ids = lines.into_iter().flatten();
    ids.filter_map(|line| line["portfolio_id"].as_i64())
        .collect()
}

/// The headline figures of a portfolio, by period.
async fn performance(store: &Store, id: i64) -> Result<Value> {
    let key = format!("portfolio:{id}:performance");
    Ok(match store.cached(&key).await? {
        Some(text) => serde_json::from_str(&text)?,
        None => Value::Null,
    })
}

fn of_each(closings: &Map<String, Value>, field: &str) -> Value {
    let fields = closings
        .iter()
        .map(|(id, closing)| (id.clone(), closing[field].clone()));
    Value::Object(fields.collect())
}

/// Positions whose last price is old.
fn stale_prices(closings: &Map<String, Value>) -> Vec<Value> {
    let mut found = Vec::new();
    for (id, closing) in closings {
        let positions = closing["positions"].as_object();
        for (symbol, position) in positions.into_iter().flatten() {
            if let Some(days) = position["stale_days"].as_i64() {
                let message = format!("the last price of {symbol} is {days} days old");
                found.push(json!({"kind": "stale_price", "portfolio_id": id, "what": symbol, "message": message}));
            }
        }
    }
    found
}
