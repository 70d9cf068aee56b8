//! A worker on a memory broker, and waiting for conditions.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use broker::{Admin, Backends, MemoryBroker};
use client::{AsyncResult, Client, ClientOptions};
use protocol::{State, TaskMeta};
use tokio::task::JoinHandle;
use worker::{
    Health, Hook, Registry, SendTask, Shutdown, Task, Worker, WorkerError, WorkerParams,
    WorkerSettings,
};

/// Far longer than anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A broker, a client and any number of workers.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) broker: MemoryBroker,
    pub(crate) client: Client,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(ClientOptions::default())
    }

    pub(crate) fn with(options: ClientOptions) -> Self {
        let broker = MemoryBroker::new();
        let client = Client::new(broker.backends(), options);
        Self { broker, client }
    }

    /// A bench on which a claim on a chord lasts only so long.
    pub(crate) fn with_claims(chord_claim: Duration) -> Self {
        let broker = MemoryBroker::with_policy(broker::ResultPolicy {
            chord_claim,
            ..broker::ResultPolicy::default()
        });
        let client = Client::new(broker.backends(), ClientOptions::default());
        Self { broker, client }
    }

    pub(crate) fn backends(&self) -> &Backends {
        self.client.backends()
    }

    /// Starts a worker with all test tasks, and returns when it consumes.
    pub(crate) async fn worker(&self, settings: WorkerSettings) -> Running {
        self.worker_with(crate::tasks::registry(), settings).await
    }

    pub(crate) async fn worker_with(
        &self,
        registry: Registry,
        settings: WorkerSettings,
    ) -> Running {
        let client = Client::new(self.broker.backends(), self.client.options().clone());
        launch(client, registry, settings, Vec::new()).await
    }

    /// Sends a task and waits for its output.
    pub(crate) async fn run<T: Task>(&self, task: T) -> T::Output {
        let result = self.client.send(task).await.unwrap();
        result.get(DEADLINE).await.unwrap()
    }

    /// Waits for the number that a task returns.
    pub(crate) async fn number(&self, task_id: &str) -> i64 {
        self.client.result(task_id).get(DEADLINE).await.unwrap()
    }

    /// Messages ready in the queue.
    pub(crate) async fn ready(&self, queue: &str) -> u64 {
        let depths = self.broker.depth(&[queue.to_owned()]).await.unwrap();
        depths[0].ready()
    }
}

/// Starts a worker with all test tasks on this client.
pub(crate) async fn start(
    client: Client,
    settings: WorkerSettings,
    hooks: Vec<Arc<dyn Hook>>,
) -> Running {
    launch(client, crate::tasks::registry(), settings, hooks).await
}

/// Starts a worker and returns when it consumes.
async fn launch(
    client: Client,
    registry: Registry,
    settings: WorkerSettings,
    hooks: Vec<Arc<dyn Hook>>,
) -> Running {
    let (ready, started) = tokio::sync::oneshot::channel();
    let ready: Box<dyn FnOnce() + Send> = Box::new(move || ready.send(()).expect("the test waits"));
    let params = WorkerParams {
        client,
        registry,
        settings,
        hooks,
        ready: Some(ready),
    };
    let worker = Worker::new(params).expect("the settings make sense");
    let (health, shutdown) = (worker.health(), Shutdown::new());
    let running = tokio::spawn(worker.run(shutdown.clone()));
    started.await.expect("the worker starts");
    Running {
        health,
        shutdown,
        running,
    }
}

/// A worker that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) health: Health,
    pub(crate) shutdown: Shutdown,
    running: JoinHandle<Result<(), WorkerError>>,
}

impl Running {
    /// Stops it warm and waits for its end.
    pub(crate) async fn stop(self) {
        self.shutdown.warm.cancel();
        self.ended().await;
    }

    /// Stops it cold and waits for its end.
    pub(crate) async fn kill(self) {
        self.shutdown.cold.cancel();
        self.ended().await;
    }

    /// Waits for its end.
    pub(crate) async fn ended(self) {
        tokio::time::timeout(DEADLINE, self.running)
            .await
            .expect("the worker ends in time")
            .unwrap()
            .unwrap();
    }
}

/// Settings with few slots, so that tests see what waits.
pub(crate) fn settings(concurrency: usize) -> WorkerSettings {
    WorkerSettings {
        hostname: "w1@test".to_owned(),
        worker_concurrency: concurrency,
        ..WorkerSettings::default()
    }
}

/// Asks again until the answer is there.
pub(crate) async fn eventually<T, F, Fut>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asking)
        .await
        .unwrap_or_else(|_| panic!("not within {DEADLINE:?}: {what}"))
}

/// Waits until the stored state is this one.
pub(crate) async fn state<O>(result: &AsyncResult<O>, wanted: &State) -> TaskMeta {
    eventually(&format!("state {wanted}"), || async {
        result
            .meta()
            .await
            .unwrap()
            .filter(|meta| meta.status == *wanted)
    })
    .await
}

/// The exception type and first message of a stored failure.
pub(crate) fn exception(meta: &TaskMeta) -> (String, String) {
    let exception = meta.exception().expect("an exception is stored");
    let message = exception
        .exc_message
        .first()
        .and_then(|value| value.as_str())
        .unwrap_or_default()
        .to_owned();
    (exception.exc_type, message)
}
