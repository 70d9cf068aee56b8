//! One repetition of a measurement: an empty store, a client on it, and the worker under measurement.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use broker::Backends;
use client::{Call, Client};
use service::Settings;
use service::settings::{Environment, Sources};
use tokio::net::UnixDatagram;
use tokio::time::{sleep, timeout};
use worker::SendTask as _;

use crate::lab::Lab;
use crate::setup::{Engine, Setup, Store};
use crate::stamps::{self, Stamps};
use crate::tasks::{Noop, Stamp};
use crate::worker_process::WorkerProcess;

/// The queue that everything is sent to.
pub(crate) const QUEUE: &str = "celery";
/// How long a scheduler may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many messages are published in one round trip.
const BATCH: usize = 1_000;

/// An empty store with a client on it.
#[derive(Debug)]
pub(crate) struct Trial<'a> {
    /// What is measured.
    pub(crate) setup: Setup,
    /// The store's broker and results.
    pub(crate) backends: Backends,
    /// What the stamp task noted.
    pub(crate) stamps: Stamps,
    lab: &'a Lab,
    client: Client,
    folder: PathBuf,
    url: String,
}

impl<'a> Trial<'a> {
    /// Empties the store and opens it.
    pub(crate) async fn open(lab: &'a Lab, setup: Setup) -> anyhow::Result<Self> {
        let folder = lab.new_folder()?;
        let url = match setup.store {
            Store::Redis => lab.redis().url(),
            Store::Sqlite => format!("sqlite:{}/bench.db", folder.display()),
        };
        lab.empty_redis(setup.aof)?;
        let (backends, client) = open(&url, &folder).await?;
        Ok(Self {
            setup,
            backends,
            stamps: Stamps::in_folder(&folder),
            lab,
            client,
            folder,
            url,
        })
    }

    /// Closes the connections.
    pub(crate) async fn close(&self) {
        self.backends.broker.close().await;
    }

    /// The lab that it happens in.
    pub(crate) fn lab(&self) -> &Lab {
        self.lab
    }

    /// The client on the store.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// How many tasks wait in the queue.
    pub(crate) async fn ready(&self) -> anyhow::Result<u64> {
        let depth = self.backends.admin.depth(&[QUEUE.to_owned()]).await?;
        Ok(depth.iter().map(broker::QueueDepth::ready).sum())
    }

    /// How many tasks wait in the queue or are held by workers.
    pub(crate) async fn left(&self) -> anyhow::Result<u64> {
        // In this order, what is taken in between counts twice, and never not at all.
        let ready = self.ready().await?;
        let workers = self.backends.admin.workers().await?;
        let held = workers.iter().filter_map(|worker| worker.held);
        Ok(ready + held.sum::<u64>())
    }

    /// Publishes this many no-op tasks in batches; returns their ids.
    pub(crate) async fn fill(&self, tasks: usize) -> anyhow::Result<Vec<String>> {
        self.fill_with(tasks, || self.client.call(Noop {})).await
    }

    /// Publishes this many calls in batches; returns the tasks' ids.
    pub(crate) async fn fill_with<O>(
        &self,
        tasks: usize,
        call: impl Fn() -> Call<O>,
    ) -> anyhow::Result<Vec<String>> {
        let mut ids = Vec::with_capacity(tasks);
        while ids.len() < tasks {
            let count = BATCH.min(tasks - ids.len());
            let calls = (0..count)
                .map(|_| call().build())
                .collect::<Result<_, _>>()?;
            let sent = self.client.send_all(calls).await?;
            ids.extend(sent.iter().map(|result| result.id().to_owned()));
        }
        Ok(ids)
    }

    /// Sends stamps, one every `gap`, each with its engine's own client.
    pub(crate) async fn send_stamps(&self, count: usize, gap: Duration) -> anyhow::Result<()> {
        if self.setup.engine == Engine::Celery {
            let options = [count.to_string(), gap.as_millis().to_string()];
            return self.celery_script("bench_send.py", &options).map(drop);
        }
        for _ in 0..count {
            self.client
                .send(Stamp {
                    sent: stamps::now(),
                })
                .await?;
            sleep(gap).await;
        }
        Ok(())
    }

    /// Runs a script of `python/` with Celery on the store; returns what it prints.
    pub(crate) fn celery_script(&self, script: &str, options: &[String]) -> anyhow::Result<String> {
        let celery = self.lab.celery().context("Celery is not installed")?;
        celery.script(&self.setup, &self.url, self.lab.folder(), script, options)
    }

    /// Starts the worker.
    pub(crate) fn start_worker(&self) -> anyhow::Result<WorkerProcess> {
        let command = match (self.setup.engine, self.lab.celery()) {
            (Engine::Celery, Some(celery)) => celery.worker(
                &self.setup,
                &self.url,
                self.lab.folder(),
                self.stamps.path(),
            ),
            _ => self.own_worker(self.lab.worker()),
        };
        WorkerProcess::spawn(command, self.folder.join("worker.log"))
    }

    /// Starts another program as our worker; `change` may add to its command.
    pub(crate) fn start_worker_program(
        &self,
        program: &Path,
        change: impl FnOnce(&mut Command),
    ) -> anyhow::Result<WorkerProcess> {
        let mut command = self.own_worker(program);
        change(&mut command);
        WorkerProcess::spawn(command, self.folder.join("worker.log"))
    }

    /// Starts our worker within another program, which gets its own options first.
    pub(crate) fn start_worker_under(
        &self,
        program: &str,
        options: &[&str],
    ) -> anyhow::Result<WorkerProcess> {
        let worker = self.own_worker(self.lab.worker());
        let mut command = Command::new(program);
        command.args(options).arg(worker.get_program());
        command.args(worker.get_args());
        for (name, value) in worker.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(&self.folder);
        WorkerProcess::spawn(command, self.folder.join("worker.log"))
    }

    /// The store's URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The folder of this trial's files.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts our scheduler.
    pub(crate) fn start_beat(&self) -> anyhow::Result<WorkerProcess> {
        let command = self.own(self.lab.beat());
        WorkerProcess::spawn(command, self.folder.join("beat.log"))
    }

    /// Starts one more of our schedulers, and waits until it says that it is ready to follow.
    pub(crate) async fn start_standby(&self) -> anyhow::Result<WorkerProcess> {
        let address = self.folder.join("standby.socket");
        let socket = UnixDatagram::bind(&address)?;
        let mut command = self.own(self.lab.beat());
        command.env("NOTIFY_SOCKET", &address);
        let mut process = WorkerProcess::spawn(command, self.folder.join("standby.log"))?;
        let mut said = [0; 4_096];
        loop {
            process.check()?;
            let length = timeout(PATIENCE, socket.recv(&mut said)).await??;
            if said[..length].starts_with(b"READY=1") {
                return Ok(process);
            }
        }
    }

    /// Starts Celery's scheduler on django-celery-beat's tables, which must be there.
    pub(crate) fn start_celery_beat(&self) -> anyhow::Result<WorkerProcess> {
        let mut command = self.celery_beat("-m")?;
        command.args(["celery", "-A", "bench_beat", "beat", "-l", "WARNING"]);
        command.args(["-S", "django_celery_beat.schedulers:DatabaseScheduler"]);
        command.args(["--pidfile", ""]);
        WorkerProcess::spawn(command, self.folder.join("beat.log"))
    }

    /// Python with what the scheduler's script needs.
    pub(crate) fn celery_beat(&self, argument: &str) -> anyhow::Result<Command> {
        let celery = self.lab.celery().context("Celery is not installed")?;
        let folder = self.lab.folder();
        let mut command = celery.command(&self.setup, &self.url, folder, Path::new(""));
        command.env("BENCH_FOLDER", &self.folder).arg(argument);
        Ok(command)
    }

    /// A program of ours as a worker.
    fn own_worker(&self, program: &Path) -> Command {
        let mut command = self.own(program);
        command.args(["--result-backend", &self.url]);
        command.args(self.setup.worker_options());
        command.env(stamps::VARIABLE, self.stamps.path());
        command.env(
            "CELERY_TASK_IGNORE_RESULT",
            (!self.setup.results).to_string(),
        );
        command
    }

    /// A program of ours on the store, whatever the environment says.
    fn own(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let celery_s =
            |(name, _): &(std::ffi::OsString, _)| name.to_string_lossy().starts_with("CELER");
        for (name, _) in std::env::vars_os().filter(celery_s) {
            command.env_remove(name);
        }
        command.args(["-l", "WARNING", "-b", &self.url]);
        command.current_dir(&self.folder);
        command
    }
}

/// Opens a store with default settings, and a client on it.
pub(crate) async fn open(url: &str, folder: &Path) -> anyhow::Result<(Backends, Client)> {
    let settings = settings(url, folder)?;
    let backends = service::open(&settings)
        .await
        .context("cannot open the store")?;
    let client = Client::new(backends.clone(), settings.client_options()?);
    Ok((backends, client))
}

/// Default settings on this store, whatever the environment says.
fn settings(url: &str, folder: &Path) -> anyhow::Result<Settings> {
    let option = |name, value: &str| (name, "bench", value.to_owned());
    let sources = Sources {
        folder: folder.to_owned(),
        overrides: vec![option("broker_url", url), option("result_backend", url)],
        environment: Environment::default(),
        ..Sources::default()
    };
    Ok(Settings::load(&sources)?)
}
