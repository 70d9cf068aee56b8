//! How the tables say that they have changed, whoever edits them and by what means. While nobody writes to the database nothing is read.
//! Otherwise rows are compared with what was seen before: on PostgreSQL those that were written since, which it keeps with each row, and on
//! SQLite all of them. What had changed is remembered, so that only those entries are read again.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::cell::Cell;
use crate::database::{Database, Transaction};
use crate::mark::Mark;
use crate::seen::{Scan, Seen};
use crate::{Error, extras, row};

/// So many changed names are remembered; who is further behind reads everything.
const REMEMBERED: usize = 10_000;
/// A comparison that takes longer is not made more than half of the time, unless Django says that there is something to find.
const LONG: Duration = Duration::from_millis(200);

/// The row that Django touches with every edit.
const TOUCHED: &str =
    "SELECT CAST(last_update AS text) FROM django_celery_beat_periodictasks WHERE ident = 1";

/// What was seen of the tables, and what has changed in them.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    watched: Mutex<Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    look: Option<Look>,
    rows: Seen,
    extras: Seen,
    /// How many times something had changed.
    version: u64,
    /// The names of the latest changes, with their versions.
    changes: VecDeque<(u64, Vec<String>)>,
}

/// The last comparison.
#[derive(Debug)]
struct Look {
    mark: Mark,
    touched: Option<String>,
    next: Instant,
}

/// One of the tables that entries lie in.
struct Table {
    name: &'static str,
    key: &'static str,
    /// What is asked of all rows.
    all: String,
    /// What is asked of those that were written since a transaction.
    since: String,
}

impl Versions {
    /// A text that changes with the tables.
    pub(crate) async fn ask(&self, database: &Database) -> Result<String, Error> {
        let mut watched = self.watched.lock().await;
        let mut transaction = database.watch().await?;
        watched.look(&mut transaction).await?;
        Ok(watched.version.to_string())
    }

    /// The names that have changed since this version; `None` when that is too long ago to know.
    pub(crate) async fn since(&self, version: &str) -> Option<Vec<String>> {
        self.watched.lock().await.since(version.parse().ok()?)
    }
}

impl Watched {
    async fn look(&mut self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        let mark = transaction.mark().await?;
        if self.look.as_ref().is_some_and(|look| look.mark == mark) {
            return Ok(());
        }
        let touched = transaction.first(TOUCHED, Vec::new()).await?;
        if self
            .look
            .as_ref()
            .is_some_and(|look| look.may_wait(&touched))
        {
            return Ok(());
        }
        let began = Instant::now();
        let since = self
            .look
            .as_ref()
            .and_then(|look| mark.oldest_since(&look.mark));
        let names = match self.compare(transaction, since).await {
            Ok(names) => names,
            Err(error) => {
                self.forget();
                return Err(error);
            }
        };
        let mut next = Instant::now();
        if self.look.is_some() {
            self.note(names);
            next += Some(began.elapsed())
                .filter(|took| *took > LONG)
                .unwrap_or_default();
        }
        self.look = Some(Look {
            mark,
            touched,
            next,
        });
        Ok(())
    }

    async fn compare(
        &mut self,
        transaction: &mut Transaction<'_>,
        since: Option<u32>,
    ) -> Result<Vec<String>, Error> {
        let list = transaction.either("json_array", "json_build_array");
        let (rows, extras) = (Table::rows(list), Table::extras());
        let mut names = rows.compare(transaction, &mut self.rows, since).await?;
        if transaction.has_table(extras::TABLE).await? {
            let more = extras.compare(transaction, &mut self.extras, since);
            names.extend(more.await?);
        }
        Ok(names)
    }

    /// A comparison that broke off has seen changes that nobody heard of: who knows an earlier version reads everything.
    fn forget(&mut self) {
        *self = Self {
            version: self.version + 1,
            ..Self::default()
        };
    }

    fn note(&mut self, names: Vec<String>) {
        if names.is_empty() {
            return;
        }
        self.version += 1;
        self.changes.push_back((self.version, names));
        let mut remembered: usize = self.changes.iter().map(|(_, names)| names.len()).sum();
        while remembered > REMEMBERED {
            let oldest = self.changes.pop_front();
            remembered -= oldest.map_or(0, |(_, names)| names.len());
        }
    }

    fn since(&self, version: u64) -> Option<Vec<String>> {
        let oldest = self.changes.front().map_or(self.version + 1, |(at, _)| *at);
        let later = self.changes.iter().filter(|(at, _)| *at > version);
        (version + 1 >= oldest).then(|| later.flat_map(|(_, names)| names.clone()).collect())
    }
}

impl Look {
    /// Whether it is too early to compare again, for somebody who edits without Django.
    fn may_wait(&self, touched: &Option<String>) -> bool {
        self.touched == *touched && Instant::now() < self.next
    }
}

impl Table {
    fn rows(list: &str) -> Self {
        Self {
            name: row::TABLE,
            key: "id",
            all: row::select_prints(list, "TRUE"),
            since: row::select_prints(list, &row::written(is_recent)),
        }
    }

    fn extras() -> Self {
        Self {
            name: extras::TABLE,
            key: "name",
            all: extras::PRINTS.to_owned(),
            since: format!("{} WHERE {}", extras::PRINTS, is_recent("xmin")),
        }
    }

    /// The names of what is new, another or gone.
    async fn compare(
        &self,
        transaction: &mut Transaction<'_>,
        seen: &mut Seen,
        since: Option<u32>,
    ) -> Result<Vec<String>, Error> {
        let mut scan = Scan::default();
        let Some(since) = since else {
            let meet = |row| seen.meet(row, &mut scan);
            transaction.each(&self.all, Vec::new(), meet).await?;
            return Ok(seen.end(scan));
        };
        let values = vec![Cell::from(since.to_string())];
        let meet = |row| seen.meet(row, &mut scan);
        transaction.each(&self.since, values, meet).await?;
        if self.count(transaction).await? == seen.len() {
            return Ok(scan.names);
        }
        let keys = format!("SELECT CAST({} AS text) FROM {}", self.key, self.name);
        let meet = |key| seen.meet_key(key, &mut scan);
        transaction.each(&keys, Vec::new(), meet).await?;
        Ok(seen.end(scan))
    }

    async fn count(&self, transaction: &mut Transaction<'_>) -> Result<usize, Error> {
        let count = format!("SELECT CAST(count(*) AS text) FROM {}", self.name);
        let count = transaction.first(&count, Vec::new()).await?;
        Ok(count
            .and_then(|count| count.parse().ok())
            .unwrap_or_default())
    }
}

/// That a row was written by this transaction or a later one: its number, of which rows keep the lower half, is no further back.
fn is_recent(writer: &str) -> String {
    format!("age({writer}) BETWEEN 0 AND (SELECT age(CAST(CAST(?1 AS text) AS xid)))")
}

#[cfg(test)]
mod tests {
    use super::Watched;

    #[test]
    fn who_is_not_too_far_behind_hears_of_all_later_changes() {
        let mut watched = Watched::default();
        assert_eq!(watched.since(0), Some(Vec::new()));
        for name in ["a", "b", "c"] {
            watched.note(vec![name.to_owned()]);
        }
        watched.note(Vec::new());
        assert_eq!(watched.version, 3, "nothing is no change");
        assert_eq!(watched.since(1).unwrap(), ["b", "c"]);
        assert_eq!(watched.since(3), Some(Vec::new()));
        watched.note(vec!["d".to_owned(); super::REMEMBERED]);
        assert_eq!(watched.since(2), None);
        assert_eq!(watched.since(3).unwrap().len(), super::REMEMBERED);
        watched.forget();
        assert_eq!(watched.since(4), None);
        assert_eq!(watched.since(5), Some(Vec::new()));
    }
}
