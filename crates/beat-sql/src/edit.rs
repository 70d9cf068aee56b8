//! Edits, as the command line makes them: rows as Django would write them, and what those cannot express beside them.

use beat::{Entry, ScheduleFile};
use jiff::{SignedDuration, Timestamp};
use protocol::{Map, Value};

use crate::cell::Cell;
use crate::database::Transaction;
use crate::timing::{Place, place};
use crate::{Error, Tables, extras, time};

const TICK: SignedDuration = SignedDuration::from_micros(1);

const WRITE_ROW: &str = "INSERT INTO django_celery_beat_periodictask \
    (name, task, args, kwargs, queue, exchange, routing_key, headers, priority, expires, expire_seconds, \
     one_off, start_time, enabled, total_run_count, date_changed, description, interval_id, crontab_id, solar_id, clocked_id) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9::int, ?10::timestamptz, ?11::int, \
     ?12::int = 1, ?13::timestamptz, ?14::int = 1, 0, ?15::timestamptz, '', ?16::int, ?17::int, ?18::int, ?19::int) \
    ON CONFLICT (name) DO UPDATE SET task = excluded.task, args = excluded.args, kwargs = excluded.kwargs, \
     queue = excluded.queue, exchange = excluded.exchange, routing_key = excluded.routing_key, headers = excluded.headers, \
     priority = excluded.priority, expires = excluded.expires, expire_seconds = excluded.expire_seconds, \
     one_off = excluded.one_off, start_time = excluded.start_time, enabled = excluded.enabled, \
     date_changed = excluded.date_changed, interval_id = excluded.interval_id, crontab_id = excluded.crontab_id, \
     solar_id = excluded.solar_id, clocked_id = excluded.clocked_id, \
     last_run_at = CASE WHEN excluded.enabled THEN django_celery_beat_periodictask.last_run_at ELSE NULL END";

const ENABLE_ROW: &str = "UPDATE django_celery_beat_periodictask SET enabled = (?2::int = 1), date_changed = ?3::timestamptz, \
    last_run_at = CASE WHEN ?2::int = 1 THEN last_run_at ELSE NULL END WHERE name = ?1";

const DELETE_ROW: &str = "DELETE FROM django_celery_beat_periodictask WHERE name = ?1";

const TOUCH: &str = "INSERT INTO django_celery_beat_periodictasks (ident, last_update) VALUES (1, ?1::timestamptz) \
    ON CONFLICT (ident) DO UPDATE SET last_update = excluded.last_update";
const TOUCHED: &str =
    "SELECT CAST(last_update AS text) FROM django_celery_beat_periodictasks WHERE ident = 1";

/// Tells every scheduler on the tables that they have changed. Celery's looks for a later time, whosever clock is behind.
pub(crate) async fn touch(transaction: &mut Transaction<'_>) -> Result<(), Error> {
    let before = transaction.first(TOUCHED, Vec::new()).await?;
    let before = before.as_deref().and_then(time::parse);
    let now = Timestamp::now();
    let at = before.map_or(now, |before| now.max(before + TICK));
    transaction
        .execute(TOUCH, vec![time::text(at).into()])
        .await?;
    Ok(())
}

/// Writes an entry: as a row, or beside the rows when those cannot express its schedule.
pub(crate) async fn put(tables: &Tables, name: &str, definition: &Value) -> Result<(), Error> {
    let entry = understand(tables, name, definition)?;
    let mut extras = definition.as_map().cloned().unwrap_or_default();
    let mut transaction = tables.database().write().await?;
    match place(&entry.timetable.schedule, &entry.timetable.zone_name) {
        Some(place) => {
            write_row(&mut transaction, &entry, &extras, &place).await?;
            take_out_what_rows_express(&mut extras);
        }
        None => {
            transaction.execute(DELETE_ROW, vec![name.into()]).await?;
        }
    }
    extras::store(&mut transaction, name, &extras).await?;
    touch(&mut transaction).await?;
    transaction.commit().await
}

/// Deletes an entry.
pub(crate) async fn delete(tables: &Tables, name: &str) -> Result<(), Error> {
    let mut transaction = tables.database().write().await?;
    let rows = transaction.execute(DELETE_ROW, vec![name.into()]).await?;
    if !extras::delete(&mut transaction, name).await? && rows == 0 {
        return Err(Error::NotFound(name.to_owned()));
    }
    touch(&mut transaction).await?;
    transaction.commit().await
}

/// Enables or disables an entry; a disabled one forgets its last run, as when Django saves it.
pub(crate) async fn enable(tables: &Tables, name: &str, enabled: bool) -> Result<(), Error> {
    let mut transaction = tables.database().write().await?;
    let now = time::text(Timestamp::now());
    let values = vec![name.into(), enabled.into(), now.into()];
    if transaction.execute(ENABLE_ROW, values).await? == 0 {
        let whole = extras::load(&mut transaction, Some(&[name.to_owned()]))
            .await?
            .remove(name);
        let Some(Value::Map(mut entry)) = whole else {
            return Err(Error::NotFound(name.to_owned()));
        };
        entry.insert("enabled", enabled);
        extras::store(&mut transaction, name, &entry).await?;
    }
    touch(&mut transaction).await?;
    transaction.commit().await
}

fn understand(tables: &Tables, name: &str, definition: &Value) -> Result<Entry, Error> {
    let alone = Map::from_iter([(name.to_owned(), definition.clone())]);
    let mut read = ScheduleFile::read(&alone, tables.timezone());
    match read.problems.pop() {
        Some(problem) => Err(problem.into()),
        None => Ok(read.entries.remove(0)),
    }
}

async fn write_row(
    transaction: &mut Transaction<'_>,
    entry: &Entry,
    definition: &Map,
    place: &Place,
) -> Result<(), Error> {
    let id: Option<i64> = schedule_id(transaction, place).await?.parse().ok();
    let key = |kind| Cell::from(id.filter(|_| place.kind == kind));
    let options = &entry.options;
    let (expires, expire_seconds) = expiry(definition);
    let once = place.kind == "clocked" || entry.policy.max_runs == Some(1);
    let values = vec![
        entry.name.as_str().into(),
        (&*entry.task).into(),
        json(&Value::List(entry.args.clone())).into(),
        json(&Value::Map(entry.kwargs.clone())).into(),
        options.queue.clone().into(),
        options.exchange.clone().into(),
        options.routing_key.clone().into(),
        json(&Value::Map(options.headers.clone())).into(),
        options.priority.map(i64::from).into(),
        expires.map(time::text).into(),
        expire_seconds.into(),
        once.into(),
        entry.policy.start.map(time::text).into(),
        entry.enabled.into(),
        time::text(Timestamp::now()).into(),
        key("interval"),
        key("crontab"),
        key("solar"),
        key("clocked"),
    ];
    transaction.execute(WRITE_ROW, values).await?;
    Ok(())
}

/// The row of this schedule, which others may share; a new one when there is none.
async fn schedule_id(transaction: &mut Transaction<'_>, place: &Place) -> Result<String, Error> {
    let table = format!("django_celery_beat_{}schedule", place.kind);
    let columns = || place.columns.iter().zip(1..);
    let join = |parts: Vec<String>, by: &str| parts.join(by);
    let conditions = columns().map(|((name, kind, _), at)| format!("{name} = ?{at}{kind}"));
    let conditions = join(conditions.collect(), " AND ");
    let values = || {
        place
            .columns
            .iter()
            .map(|(.., value)| value.as_str().into())
    };
    let find =
        format!("SELECT CAST(id AS text) FROM {table} WHERE {conditions} ORDER BY id LIMIT 1");
    if let Some(id) = transaction.first(&find, values().collect()).await? {
        return Ok(id);
    }
    let names = join(
        columns()
            .map(|((name, ..), _)| (*name).to_owned())
            .collect(),
        ", ",
    );
    let places = columns().map(|((_, kind, _), at)| format!("?{at}{kind}"));
    let places = join(places.collect(), ", ");
    let insert =
        format!("INSERT INTO {table} ({names}) VALUES ({places}) RETURNING CAST(id AS text)");
    let id = transaction.first(&insert, values().collect()).await?;
    Ok(id.unwrap_or_default())
}

/// When messages run out: at a time, which ends the schedule too, or so many seconds after sending.
fn expiry(definition: &Map) -> (Option<Timestamp>, Option<i64>) {
    let options = definition.get("options").and_then(Value::as_map);
    match options.and_then(|options| options.get("expires")) {
        Some(Value::Str(text)) => (text.parse().ok(), None),
        Some(Value::Int(seconds)) => (None, Some(*seconds)),
        _ => (None, None),
    }
}

/// What is left is what only our own table holds.
fn take_out_what_rows_express(entry: &mut Map) {
    let (expires, expire_seconds) = expiry(entry);
    for field in [
        "task", "schedule", "args", "kwargs", "enabled", "relative", "timezone",
    ] {
        entry.remove(field);
    }
    part(entry, "options", |option, _| match option {
        "queue" | "exchange" | "routing_key" | "priority" | "headers" => false,
        "expires" => expires.is_none() && expire_seconds.is_none(),
        _ => true,
    });
    let end = expires.map(|expires| (expires - TICK).to_string());
    part(entry, "policy", |field, value| match field {
        "start_time" => false,
        "end_time" => value.as_str() != end.as_deref(),
        "max_runs" => value.as_i64() != Some(1),
        _ => true,
    });
}

fn part(entry: &mut Map, name: &str, keep: impl FnMut(&str, &Value) -> bool) {
    let Some(Value::Map(part)) = entry.get_mut(name) else {
        return;
    };
    part.retain(keep);
    if part.is_empty() {
        entry.remove(name);
    }
}

fn json(value: &Value) -> String {
    serde_json::to_string(value).expect("what was read as JSON has a JSON form")
}
