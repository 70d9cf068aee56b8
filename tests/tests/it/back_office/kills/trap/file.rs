//! The trap in a SQLite file: a trigger that counts for ever. A killed process leaves nothing behind.

use std::path::Path;
use std::time::Duration;

use super::{EVENTS, Trigger};
use crate::back_office::database::connect;
use crate::back_office::system::PATIENCE;

const ENDLESS: &str = "CREATE VIEW IF NOT EXISTS endless AS
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted) SELECT n FROM counted";

pub(super) fn setting(trigger: &Trigger) -> Vec<String> {
    let made = trigger.made("BEGIN SELECT count(*) FROM endless; END");
    [ENDLESS.to_owned()].into_iter().chain(made).collect()
}

pub(super) fn removing() -> Vec<String> {
    let dropped = EVENTS.map(|event| format!("DROP TRIGGER IF EXISTS trap_{event}"));
    let view = ["DROP VIEW IF EXISTS endless".to_owned()];
    dropped.into_iter().chain(view).collect()
}

/// The state on record of a run; nothing when it is not on record.
pub(super) async fn state_of(file: &Path, task_id: &str) -> String {
    let mut connection = connect(file, PATIENCE).await;
    let state: Option<String> = sqlx::query_scalar("SELECT state FROM task_runs WHERE task_id = ?")
        .bind(task_id)
        .fetch_optional(&mut connection)
        .await
        .unwrap();
    state.unwrap_or_default()
}

pub(super) async fn somebody_writes(file: &Path) -> bool {
    let mut connection = connect(file, Duration::ZERO).await;
    let began = sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut connection)
        .await;
    began.is_err()
}
