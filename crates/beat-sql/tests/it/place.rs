//! A database of either kind, what Django does there, and beats that run on it.

use std::sync::Arc;
use std::time::Duration;

use beat::{Beat, BeatParams, EntryState, Source, SystemClock};
use beat_sql::Tables;
use broker::{Backends, MemoryBroker};
use client::{Client, ClientOptions};
use protocol::{Limits, Message};
use testkit::{Postgres, Python, TempDir};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(120);

/// What every script begins with; `DATABASE` is set before.
const DJANGO: &str = r#"
import datetime, json, django
from django.conf import settings
settings.configure(INSTALLED_APPS=["django_celery_beat"], DATABASES={"default": DATABASE}, USE_TZ=True,
                   DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()
from django_celery_beat.models import *
"#;

/// A database.
pub(crate) struct Place {
    folder: TempDir,
    postgres: Option<Postgres>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            postgres: None,
        }
    }

    pub(crate) fn postgres() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            postgres: Some(Postgres::start()),
        }
    }

    pub(crate) fn url(&self) -> String {
        match &self.postgres {
            Some(server) => server.url(),
            None => self.file(),
        }
    }

    fn file(&self) -> String {
        self.folder.path().join("beat.db").display().to_string()
    }

    /// The tables, which Django's migrations or we have made.
    pub(crate) fn tables(&self) -> Tables {
        Tables::open(&self.url(), "UTC").unwrap()
    }

    pub(crate) async fn created(self) -> Self {
        Tables::create(&self.url()).await.unwrap();
        self
    }

    pub(crate) async fn migrated(self) -> Self {
        let script =
            "from django.core.management import call_command\ncall_command('migrate', verbosity=0)";
        self.django(script).await;
        self
    }

    /// Runs a script with django-celery-beat's models at hand, and returns what it printed.
    pub(crate) async fn django(&self, script: &str) -> String {
        let script = format!("{}\n{DJANGO}\n{script}", self.python_database());
        self.python(script).await
    }

    /// Runs SQL that nobody checks.
    pub(crate) async fn sql(&self, statements: &str) {
        if let Some(server) = &self.postgres {
            server.sql(statements);
            return;
        }
        let script = format!(
            "import sqlite3\ndb = sqlite3.connect({:?}, timeout=30)\ndb.executescript('''{statements}\n''')\ndb.commit()",
            self.file()
        );
        self.python(script).await;
    }

    async fn python(&self, script: String) -> String {
        let folder = self.folder.path().to_owned();
        let run = move || Python::find().run(&folder, &script);
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    fn python_database(&self) -> String {
        let Some(server) = &self.postgres else {
            return format!(
                "DATABASE = {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': {:?}, \
                 'OPTIONS': {{'timeout': 30, 'transaction_mode': 'IMMEDIATE'}}}}",
                self.file()
            );
        };
        let url = server.url();
        let port = url.rsplit(':').next().unwrap();
        let port = port.split('/').next().unwrap();
        format!(
            "DATABASE = {{'ENGINE': 'django.db.backends.postgresql', 'NAME': 'postgres', 'USER': 'celeriac', \
             'HOST': '127.0.0.1', 'PORT': '{port}'}}"
        )
    }
}

/// A beat on the tables and a broker of its own.
pub(crate) struct Running {
    backends: Backends,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(place: &Place) -> Self {
        Self::start_on(place, MemoryBroker::new().backends())
    }

    pub(crate) fn start_on(place: &Place, backends: Backends) -> Self {
        Self::follow(place.tables(), backends)
    }

    pub(crate) fn follow(tables: Tables, backends: Backends) -> Self {
        let beat = Beat::new(BeatParams {
            client: Client::new(backends.clone(), ClientOptions::default()),
            source: Arc::new(tables),
            name: "beat".to_owned(),
            lease: Duration::from_secs(10),
            cron_starting_deadline: None,
            clock: Arc::new(SystemClock::default()),
        });
        let stop = CancellationToken::new();
        let until = stop.clone();
        let task = tokio::spawn(async move { beat.run(until).await });
        Self {
            backends,
            stop,
            task,
        }
    }

    /// Ends it as a signal does, and gives its broker back.
    pub(crate) async fn stop(self) -> Backends {
        self.stop.cancel();
        self.task.await.unwrap();
        self.backends
    }

    pub(crate) async fn sent(&self) -> Vec<Message> {
        sent(&self.backends).await
    }

    /// What the broker remembers of an entry.
    pub(crate) async fn state(&self, name: &str) -> Option<EntryState> {
        state(&self.backends, name).await
    }
}

pub(crate) async fn state(backends: &Backends, name: &str) -> Option<EntryState> {
    let key = [format!("entry:{name}")];
    let record = backends.coordinator.fetch(beat::SPACE, &key).await.unwrap();
    let record = record.into_iter().next().flatten()?;
    Some(serde_json::from_slice(&record).unwrap())
}

async fn sent(backends: &Backends) -> Vec<Message> {
    let raws = backends.admin.peek("celery", usize::MAX).await.unwrap();
    raws.iter()
        .map(|raw| Message::from_envelope(raw, &Limits::default()).unwrap())
        .collect()
}

/// Waits for a condition.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let patience = tokio::time::Instant::now() + DEADLINE;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < patience, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The entry's row as its source reads it.
pub(crate) async fn entry(place: &Place, name: &str) -> beat::Entry {
    let schedule = place.tables().load().await.unwrap();
    let found = schedule
        .entries
        .into_iter()
        .find(|entry| entry.name == name);
    found.unwrap_or_else(|| panic!("{name} is among {:?}", schedule.problems))
}
