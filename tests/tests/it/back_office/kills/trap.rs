//! Holding a task in the middle of what it does: a trigger that counts for ever, in the transaction of the task itself.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use testkit::wait_until;

use super::scenes::Moment;
use crate::back_office::system::PATIENCE;

/// Longer than the transactions before the endless one: who holds the file for so long is in the trap.
const LASTING: Duration = Duration::from_millis(300);
/// No task writes for so long in one transaction.
const ENDLESSLY: Duration = Duration::from_secs(5);
const ENDLESS: &str = "CREATE VIEW IF NOT EXISTS endless AS
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted) SELECT n FROM counted";

/// A trap for one task.
pub struct Trap<'t> {
    folder: &'t Path,
    task_id: &'t str,
    moment: Moment,
}

impl<'t> Trap<'t> {
    /// Set before the task is sent; `folder` is the data folder.
    pub async fn set(folder: &'t Path, task_id: &'t str, moment: Moment) -> Self {
        let trap = Self {
            folder,
            task_id,
            moment,
        };
        let mut connection = trap.connect(PATIENCE).await;
        for statement in triggers(moment) {
            run(&mut connection, &statement).await;
        }
        connection.close().await.unwrap();
        trap
    }

    /// Waits until the task is in it. On a slow machine a run may go unrecorded; a transaction that does not end gives it away too.
    pub async fn sprung(&self) {
        let writing_since = Mutex::new(None);
        wait_until(PATIENCE, async || {
            let writes = self.somebody_writes().await;
            let lasts = {
                let mut kept = writing_since.lock().unwrap();
                let since: Instant = kept.filter(|_| writes).unwrap_or_else(Instant::now);
                *kept = Some(since);
                since.elapsed()
            };
            match self.moment {
                Moment::Changing(_) => {
                    lasts > ENDLESSLY || lasts > LASTING && self.has_started().await
                }
                Moment::Ending => lasts > LASTING && self.has_started().await,
                Moment::Running => self.has_started().await,
                Moment::Wrote(folder, ending) => has_file(&self.folder.join(folder), ending),
            }
        })
        .await;
    }

    /// Takes it away after the kill.
    pub async fn remove(self) {
        let mut connection = self.connect(PATIENCE).await;
        for event in EVENTS {
            run(
                &mut connection,
                &format!("DROP TRIGGER IF EXISTS trap_{event}"),
            )
            .await;
        }
        run(&mut connection, "DROP VIEW IF EXISTS endless").await;
        connection.close().await.unwrap();
    }

    async fn has_started(&self) -> bool {
        let mut connection = self.connect(PATIENCE).await;
        let state: Option<String> =
            sqlx::query_scalar("SELECT state FROM task_runs WHERE task_id = ?")
                .bind(self.task_id)
                .fetch_optional(&mut connection)
                .await
                .unwrap();
        state.as_deref() == Some("STARTED")
    }

    /// True while a transaction that writes is open: the endless one, or one before it.
    async fn somebody_writes(&self) -> bool {
        let mut connection = self.connect(Duration::ZERO).await;
        let began = sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut connection)
            .await;
        began.is_err()
    }

    async fn connect(&self, patience: Duration) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(self.folder.join("finance.db"))
            .busy_timeout(patience);
        options.connect().await.unwrap()
    }
}

const EVENTS: [&str; 3] = ["insert", "update", "delete"];

fn triggers(moment: Moment) -> Vec<String> {
    let (table, events, when) = match moment {
        Moment::Changing(table) => (table, &EVENTS[..], ""),
        Moment::Ending => ("task_runs", &EVENTS[1..2], "WHEN NEW.state <> 'STARTED'"),
        Moment::Running | Moment::Wrote(..) => return Vec::new(),
    };
    let trigger = |event: &&str| {
        format!(
            "CREATE TRIGGER trap_{event} BEFORE {event} ON {table} {when} BEGIN SELECT count(*) FROM endless; END"
        )
    };
    let view = [ENDLESS.to_owned()].into_iter();
    view.chain(events.iter().map(trigger)).collect()
}

async fn run(connection: &mut SqliteConnection, statement: &str) {
    let query = sqlx::query(AssertSqlSafe(statement));
    query.execute(connection).await.unwrap();
}

fn has_file(folder: &Path, ending: &str) -> bool {
    let mut entries = std::fs::read_dir(folder).unwrap();
    entries.any(|entry| {
        entry
            .unwrap()
            .path()
            .extension()
            .is_some_and(|found| found == ending)
    })
}
