//! Holding a task in the middle of what it does: a trigger that does not end, in the transaction of the task itself.

mod file;
pub(super) mod server;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use testkit::wait_until;

use super::scenes::Moment;
use crate::back_office::database::Database;
use crate::back_office::system::{PATIENCE, System};

/// Longer than the transactions before the endless one: who holds the file for so long is in the trap.
const LASTING: Duration = Duration::from_millis(300);

/// A trap for one task.
pub struct Trap {
    database: Database,
    /// The data folder.
    folder: PathBuf,
    task_id: &'static str,
    moment: Moment,
}

impl Trap {
    /// Set before the task is sent. Whatever the moment, the task cannot end before it is killed.
    pub async fn set(system: &System, task_id: &'static str, moment: Moment) -> Self {
        let trigger = match moment {
            Moment::Changing(table) => Trigger {
                table,
                events: &EVENTS,
                when: String::new(),
            },
            Moment::Ending | Moment::Running | Moment::Wrote(..) => Trigger {
                table: "task_runs",
                events: &EVENTS[1..2],
                when: format!("WHEN (NEW.task_id = '{task_id}' AND NEW.state <> 'STARTED')"),
            },
        };
        let statements = match &system.database {
            Database::File(_) => file::setting(&trigger),
            Database::Server(..) => server::setting(&trigger),
        };
        system.database.run(&statements).await;
        Self {
            database: system.database.clone(),
            folder: system.data(),
            task_id,
            moment,
        }
    }

    /// Waits until the task is in it.
    pub async fn sprung(&self) {
        let held_since = Mutex::new(None);
        wait_until(PATIENCE, async || match self.moment {
            Moment::Running => self.has_started().await,
            Moment::Wrote(folder, ending) => has_file(&self.folder.join(folder), ending),
            Moment::Changing(_) | Moment::Ending => {
                let holds = self.holds().await;
                let lasts = {
                    let mut kept = held_since.lock().unwrap();
                    let since: Instant = kept.filter(|_| holds).unwrap_or_else(Instant::now);
                    *kept = Some(since);
                    since.elapsed()
                };
                lasts > LASTING && self.has_started().await
            }
        })
        .await;
    }

    /// Takes it away after the kill.
    pub async fn remove(self) {
        match &self.database {
            Database::File(_) => self.database.run(&file::removing()).await,
            Database::Server(server, name) => server::remove(server, name).await,
        }
    }

    async fn has_started(&self) -> bool {
        match &self.database {
            Database::File(file) => file::state_of(file, self.task_id).await == "STARTED",
            Database::Server(server, name) => server::runs_alone(server, name, self.task_id),
        }
    }

    /// True while a transaction that writes is open: the endless one, or in a file one before it.
    async fn holds(&self) -> bool {
        match &self.database {
            Database::File(file) => file::somebody_writes(file).await,
            Database::Server(server, name) => server::somebody_sleeps(server, name),
        }
    }
}

/// What a trap waits for.
struct Trigger {
    table: &'static str,
    events: &'static [&'static str],
    /// Which rows, or nothing.
    when: String,
}

impl Trigger {
    /// What makes it, one statement for each event; `action` is what it does.
    fn made(&self, action: &str) -> impl Iterator<Item = String> {
        let Self { table, when, .. } = self;
        self.events.iter().map(move |event| {
            format!(
                "CREATE TRIGGER trap_{event} BEFORE {event} ON {table} FOR EACH ROW {when} {action}"
            )
        })
    }
}

const EVENTS: [&str; 3] = ["insert", "update", "delete"];

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
