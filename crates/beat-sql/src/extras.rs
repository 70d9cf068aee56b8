//! The table of ours beside django-celery-beat's: what those cannot express, as JSON in the form of the setting `beat_schedule`.
//!
//! For an entry that has a row there, what that row says comes first. An entry whose schedule has no place there (cron expressions,
//! market sessions, relative intervals) lies here whole: a row without a schedule would end Celery's scheduler.

use std::collections::HashMap;

use protocol::{Map, Value};

use crate::Error;
use crate::database::Transaction;
use crate::{row, time};

pub(crate) const TABLE: &str = "celeriac_beat_entry";

/// Key, name and what matters of all rows.
pub(crate) const PRINTS: &str = "SELECT CAST(name AS text), CAST(name AS text), CAST(definition AS text) FROM celeriac_beat_entry";

/// Extras by name.
pub(crate) type Extras = HashMap<String, Value>;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS celeriac_beat_entry \
    (name varchar(200) NOT NULL PRIMARY KEY, definition text NOT NULL, date_changed TIME NOT NULL)";

/// Creates the table if it is not there.
pub(crate) async fn create(transaction: &mut Transaction<'_>) -> Result<(), Error> {
    let time = transaction.either("datetime", "timestamp with time zone");
    transaction
        .execute(&CREATE.replace("TIME", time), Vec::new())
        .await?;
    Ok(())
}

/// All extras by name, or those of some names; none while there is no table.
pub(crate) async fn load(
    transaction: &mut Transaction<'_>,
    names: Option<&[String]>,
) -> Result<Extras, Error> {
    if !transaction.has_table(TABLE).await? {
        return Ok(HashMap::new());
    }
    let all = "SELECT CAST(name AS text), CAST(definition AS text) FROM celeriac_beat_entry";
    let some = "SELECT CAST(name AS text), CAST(definition AS text) FROM celeriac_beat_entry \
                WHERE name IN (SELECT value->>'name' FROM json_each(?1::jsonb))";
    let text = if names.is_some() { some } else { all };
    let rows = transaction.rows(text, row::names(names)).await?;
    let extras = rows.into_iter().filter_map(|row| {
        let [name, definition] = <[_; 2]>::try_from(row).ok()?;
        let definition = definition.unwrap_or_default();
        let value = serde_json::from_str(&definition).unwrap_or(Value::Str(definition));
        Some((name?, value))
    });
    Ok(extras.collect())
}

/// Writes an entry's extras; deletes them when there are none.
pub(crate) async fn store(
    transaction: &mut Transaction<'_>,
    name: &str,
    extras: &Map,
) -> Result<(), Error> {
    if extras.is_empty() {
        return delete(transaction, name).await.map(|_| ());
    }
    create(transaction).await?;
    let text = "INSERT INTO celeriac_beat_entry (name, definition, date_changed) VALUES (?1, ?2, ?3::timestamptz) \
                ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, date_changed = excluded.date_changed";
    let definition = serde_json::to_string(extras).expect("maps of values have a JSON form");
    let now = time::text(jiff::Timestamp::now());
    let values = vec![name.into(), definition.into(), now.into()];
    transaction.execute(text, values).await?;
    Ok(())
}

/// Deletes an entry's extras; whether there were any.
pub(crate) async fn delete(transaction: &mut Transaction<'_>, name: &str) -> Result<bool, Error> {
    if !transaction.has_table(TABLE).await? {
        return Ok(false);
    }
    let text = "DELETE FROM celeriac_beat_entry WHERE name = ?1";
    Ok(transaction.execute(text, vec![name.into()]).await? > 0)
}

/// Whether extras are an entry of their own.
pub(crate) fn is_whole(extras: &Value) -> bool {
    extras.as_map().is_none_or(|map| map.contains_key("task"))
}

/// Adds to a row's definition what it does not say itself.
pub(crate) fn add(definition: &mut Map, extras: &Map) {
    for (key, value) in extras.iter() {
        match (definition.get_mut(key), value) {
            (Some(Value::Map(own)), Value::Map(more)) => add(own, more),
            (Some(_), _) => {}
            (None, value) => {
                definition.insert(key, value.clone());
            }
        }
    }
}
