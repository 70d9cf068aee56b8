//! The tables as a whole: opening, creating, and what beat asks of a source and of a store.

mod ddl;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use beat::{EntryError, Kept, Ran, ScheduleFile, Source, SourceError, Store};
use jiff::Timestamp;
use protocol::{Map, Value};
use tokio::task::spawn_blocking;

use crate::database::{Cells, Database};
use crate::extras::Extras;
use crate::row::{self, Row};
use crate::version::Versions;
use crate::{Error, edit, extras, runs};

/// The tables of django-celery-beat in one database.
#[derive(Debug)]
pub struct Tables {
    database: Database,
    timezone: String,
    versions: Versions,
}

/// What was read of the tables.
#[derive(Debug, Default)]
struct Read {
    definitions: Vec<(String, Value)>,
    kept: HashMap<String, Kept>,
    problems: Vec<EntryError>,
}

impl Tables {
    /// The tables at an address: `postgresql://…`, or the path of a SQLite file. Nothing is asked yet. `timezone` is the zone of entries
    /// whose row has none.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn open(url: &str, timezone: impl Into<String>) -> Result<Self, Error> {
        Ok(Self {
            database: Database::open(url, false)?,
            timezone: timezone.into(),
            versions: Versions::default(),
        })
    }

    /// Creates the tables as django-celery-beat's migrations do, and marks those as applied. Tables that are there stay as they are.
    ///
    /// # Errors
    /// When the database cannot be reached or written.
    pub async fn create(url: &str) -> Result<(), Error> {
        let database = Database::open(url, true)?;
        let mut transaction = database.write().await?;
        ddl::create(&mut transaction).await?;
        extras::create(&mut transaction).await?;
        transaction.commit().await
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn timezone(&self) -> &str {
        &self.timezone
    }

    /// The rows and the extras at one point in time, of all entries or of some.
    async fn ask(&self, names: Option<&[String]>) -> Result<(Vec<Cells>, Extras), Error> {
        let mut transaction = self.database.read().await?;
        let text = row::select(names.is_some());
        let rows = transaction.rows(&text, row::names(names)).await?;
        Ok((rows, extras::load(&mut transaction, names).await?))
    }

    /// A large schedule takes seconds to understand, which must not hold up what else runs.
    async fn understand(&self, names: Option<&[String]>) -> Result<ScheduleFile, SourceError> {
        let (rows, extras) = self.ask(names).await?;
        let timezone = self.timezone.clone();
        let understand = move || Read::of(rows, extras).schedule(&timezone);
        Ok(spawn_blocking(understand).await?)
    }
}

impl Read {
    fn of(rows: Vec<Cells>, mut extras: Extras) -> Self {
        let mut read = Self::default();
        for row in rows.into_iter().map(Row::read) {
            let more = extras.remove(&row.name);
            read.add(row, more);
        }
        let whole = extras
            .into_iter()
            .filter(|(_, extras)| extras::is_whole(extras));
        read.definitions.extend(whole);
        read
    }

    fn add(&mut self, row: Row, extras: Option<Value>) {
        let name = row.name.clone();
        let read = row.kept().and_then(|kept| Ok((kept, row.definition()?)));
        match read {
            Ok((kept, mut definition)) => {
                if let Some(Value::Map(extras)) = &extras {
                    extras::add(&mut definition, extras);
                }
                self.kept.insert(name.clone(), kept);
                self.definitions.push((name, Value::Map(definition)));
            }
            Err((field, text)) => self.problems.push(EntryError {
                entry: name,
                field: field.to_owned(),
                source: Arc::from(SourceError::from(text)),
            }),
        }
    }

    fn schedule(mut self, timezone: &str) -> ScheduleFile {
        let mut schedule = ScheduleFile::read_each(self.definitions, timezone);
        for entry in &mut schedule.entries {
            entry.kept = self.kept.remove(&entry.name).map(Box::new);
        }
        schedule.problems.extend(self.problems);
        schedule
    }
}

#[async_trait]
impl Source for Tables {
    async fn version(&self) -> Result<String, SourceError> {
        Ok(self.versions.ask(&self.database).await?)
    }

    async fn load(&self) -> Result<ScheduleFile, SourceError> {
        self.understand(None).await
    }

    async fn changed(&self, from: &str, _to: &str) -> Result<Option<Vec<String>>, SourceError> {
        Ok(self.versions.since(from).await)
    }

    async fn load_named(&self, names: &[String]) -> Result<ScheduleFile, SourceError> {
        self.understand(Some(names)).await
    }

    fn keeps_runs(&self) -> bool {
        true
    }

    async fn keep_runs(&self, ran: &[Ran], now: Timestamp) -> Result<(), SourceError> {
        if !ran.is_empty() {
            let mut transaction = self.database.write_unnoticed().await?;
            runs::tell(&mut transaction, ran).await?;
            transaction.commit().await?;
        }
        let mut transaction = self.database.write().await?;
        runs::put_away(&mut transaction, now).await?;
        Ok(transaction.commit().await?)
    }
}

#[async_trait]
impl Store for Tables {
    fn place(&self) -> String {
        format!("the tables in {}", self.database.name())
    }

    async fn definition(&self, name: &str) -> Result<Option<Value>, SourceError> {
        let (rows, extras) = self.ask(Some(&[name.to_owned()])).await?;
        let mut read = Read::of(rows, extras);
        let wrong = !read.problems.is_empty();
        let definition = read.definitions.pop().map(|(_, definition)| definition);
        // A row that cannot be understood is there all the same: it is edited anew.
        Ok(definition.or_else(|| wrong.then(|| Value::Map(Map::new()))))
    }

    async fn put(&self, name: &str, entry: &Value) -> Result<(), SourceError> {
        Ok(edit::put(self, name, entry).await?)
    }

    async fn delete(&self, name: &str) -> Result<(), SourceError> {
        Ok(edit::delete(self, name).await?)
    }

    async fn enable(&self, name: &str, enabled: bool) -> Result<(), SourceError> {
        Ok(edit::enable(self, name, enabled).await?)
    }
}
