//! Runs are told to the tables after they were sent, so that Celery's DatabaseScheduler could go on from there. What is over is put away as it
//! does: expired entries and one-off ones that ran.

use beat::Ran;
use jiff::Timestamp;
use protocol::{Map, Value};

use crate::Error;
use crate::database::Transaction;
use crate::edit::touch;
use crate::time;

/// So many runs are told at once.
const BATCH: usize = 1_000;

/// A leader that lost its lease may tell late, so time only goes forward. What was disabled since stays without a last run.
const TELL: &str = "UPDATE django_celery_beat_periodictask \
    SET last_run_at = run.sent_at::timestamptz, total_run_count = run.runs::int \
    FROM (SELECT value->>'name' AS name, value->>'at' AS sent_at, value->>'runs' AS runs FROM json_each(?1::jsonb)) AS run \
    WHERE django_celery_beat_periodictask.name = run.name AND enabled \
    AND (last_run_at IS NULL OR last_run_at < run.sent_at::timestamptz)";

/// As when Django saves a disabled entry: its last run is forgotten. A one-off entry may run once more when it is enabled again.
const PUT_AWAY: &str = "UPDATE django_celery_beat_periodictask \
    SET enabled = FALSE, last_run_at = NULL, date_changed = ?1::timestamptz, \
    total_run_count = CASE WHEN one_off AND total_run_count > 0 THEN 0 ELSE total_run_count END \
    WHERE enabled AND ((one_off AND total_run_count > 0) OR expires <= ?1::timestamptz)";

/// Tells the tables of runs.
pub(crate) async fn tell(transaction: &mut Transaction<'_>, runs: &[Ran]) -> Result<(), Error> {
    for runs in runs.chunks(BATCH) {
        let items: Vec<Value> = runs.iter().map(item).collect();
        let list = serde_json::to_string(&items).expect("texts and numbers have a JSON form");
        transaction.execute(TELL, vec![list.into()]).await?;
    }
    Ok(())
}

/// Disables what is over.
pub(crate) async fn put_away(
    transaction: &mut Transaction<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    let values = vec![time::text(now).into()];
    if transaction.execute(PUT_AWAY, values).await? > 0 {
        touch(transaction).await?;
    }
    Ok(())
}

fn item(ran: &Ran) -> Value {
    let mut item = Map::new();
    item.insert("name", ran.name.as_str());
    item.insert("at", time::text(ran.last_run_at));
    // The column holds 31 bits.
    let most = u64::from(i32::MAX.unsigned_abs());
    item.insert("runs", ran.total_run_count.min(most).cast_signed());
    Value::Map(item)
}
