//! A worker with all maintenance tasks on a memory broker and a data folder of its own.

use std::path::Path;
use std::time::Duration;

use broker::MemoryBroker;
use client::{Call, Client, ClientOptions, TaskError};
use portfolio::store::{NewUser, Store};
use serde_json::Value;
use tasks::App;
use tasks_maintenance::Notifier;
use tempfile::TempDir;
use worker::{Shutdown, Worker, WorkerParams, WorkerSettings};

pub const DEADLINE: Duration = Duration::from_secs(30);

pub struct System {
    pub data: TempDir,
    pub client: Client,
    shutdown: Shutdown,
}

impl System {
    pub async fn start() -> Self {
        Self::telling(&notify::Settings::default(), None).await
    }

    /// With these ways to tell people.
    pub async fn telling(settings: &notify::Settings, admin: Option<&str>) -> Self {
        Self::of(|data| App::new(data), settings, admin).await
    }

    /// With an application made for a temporary folder.
    pub async fn of(
        app: impl FnOnce(&Path) -> App,
        settings: &notify::Settings,
        admin: Option<&str>,
    ) -> Self {
        let notifier = Notifier::new(settings, admin.map(str::to_owned)).unwrap();
        let data = TempDir::new().unwrap();
        let client = Client::new(MemoryBroker::new().backends(), ClientOptions::default());
        let (ready, started) = tokio::sync::oneshot::channel();
        let worker = Worker::new(WorkerParams {
            client: client.clone(),
            registry: tasks_maintenance::registry(app(data.path()), notifier),
            settings: WorkerSettings::default(),
            hooks: Vec::new(),
            ready: Some(Box::new(move || ready.send(()).unwrap())),
        });
        let shutdown = Shutdown::new();
        tokio::spawn(worker.unwrap().run(shutdown.clone()));
        started.await.unwrap();
        Self {
            data,
            client,
            shutdown,
        }
    }

    /// The finance database, with one user.
    pub async fn database(&self, email: &str) -> Store {
        let store = Store::create(self.data.path().join("finance.db"))
            .await
            .unwrap();
        add_user(&store, email).await;
        store
    }

    /// A call by name on the queue that the worker consumes.
    pub fn call(&self, task: &str) -> Call<Value> {
        self.client.task(task).queue("celery")
    }

    pub async fn run(&self, call: Call<Value>) -> Value {
        let result = call.send().await.unwrap();
        result.get(DEADLINE).await.unwrap()
    }

    /// The exception's type and text of a call that must fail.
    pub async fn fails(&self, call: Call<Value>) -> (String, String) {
        let result = call.send().await.unwrap();
        match result.get(DEADLINE).await {
            Err(TaskError::Failed { exception, .. }) => {
                (exception.0.exc_type.clone(), exception.to_string())
            }
            other => panic!("{other:?} is no failure"),
        }
    }
}

pub async fn add_user(store: &Store, email: &str) {
    let user = NewUser {
        email,
        display_name: "Ada",
        base_currency: "USD".parse().unwrap(),
    };
    store.put_user(&user, jiff::Timestamp::now()).await.unwrap();
}

impl Drop for System {
    fn drop(&mut self) {
        self.shutdown.cold.cancel();
    }
}
