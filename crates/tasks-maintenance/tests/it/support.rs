//! A worker with all maintenance tasks on a memory broker and a data folder of its own.

use std::time::Duration;

use broker::MemoryBroker;
use client::{Call, Client, ClientOptions, TaskError};
use serde_json::Value;
use tempfile::TempDir;
use worker::{Shutdown, Worker, WorkerParams, WorkerSettings};

const DEADLINE: Duration = Duration::from_secs(30);

pub struct System {
    pub data: TempDir,
    pub client: Client,
    shutdown: Shutdown,
}

impl System {
    pub async fn start() -> Self {
        let data = TempDir::new().unwrap();
        let client = Client::new(MemoryBroker::new().backends(), ClientOptions::default());
        let (ready, started) = tokio::sync::oneshot::channel();
        let worker = Worker::new(WorkerParams {
            client: client.clone(),
            registry: tasks_maintenance::registry(tasks::App::new(data.path())),
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

impl Drop for System {
    fn drop(&mut self) {
        self.shutdown.cold.cancel();
    }
}
