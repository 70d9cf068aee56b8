//! A back office in a folder of its own: the sample portfolio, a real Redis, the worker with every task, a Python producer.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use service::Settings;
use service::settings::Sources;
use testkit::{Postgres, Process, Python, RedisServer, TempDir, bin, workspace_root};

use super::calls::Call;
use super::database::Database;

/// How long anything may take before a test gives up: much longer than it takes on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// Every queue of the delivered settings.
const QUEUES: &str = "high_priority,low_priority,monitoring,default,celery,maintenance,cache_operations,analytics,market_data,reconciliation";

pub struct System {
    pub redis: RedisServer,
    pub folder: TempDir,
    pub database: Database,
    worker: Option<Process>,
    /// Settings of its own.
    variables: Vec<(&'static str, String)>,
}

impl System {
    /// The sample portfolio is installed and refreshed; no worker runs.
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let database = Database::of_folder(folder.path());
        Self::of(folder, database)
    }

    /// The same with its ledger on a server.
    pub fn start_on(server: &Arc<Postgres>) -> Self {
        Self::of(TempDir::new().unwrap(), Database::on(server))
    }

    fn of(folder: TempDir, database: Database) -> Self {
        let system = Self {
            redis: RedisServer::start(),
            folder,
            database,
            worker: None,
            variables: Vec::new(),
        };
        let output = system
            .command("celeriac")
            .args(["up", "--demo", "--once"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        system
    }

    /// A system with the same files and a Redis of its own. Nothing may run in this one.
    pub fn copy(&self, variables: Vec<(&'static str, String)>) -> Self {
        let folder = TempDir::new().unwrap();
        let everything = self.folder.path().join(".");
        let copied = Command::new("cp")
            .arg("--archive")
            .args([&everything, folder.path()])
            .status();
        assert!(copied.unwrap().success());
        Self {
            redis: RedisServer::start(),
            database: self.database.copy_for(folder.path()),
            folder,
            worker: None,
            variables,
        }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(bin(program));
        command
            .current_dir(self.folder.path())
            .env("CELERY_BROKER_URL", self.redis.url())
            .env("CELERY_RESULT_BACKEND", self.redis.url())
            .env("CELERIAC_MARKET_DATA_PROVIDERS", r#"["simulator"]"#)
            .env("CELERIAC_LEASE_SECONDS", "2")
            .env("CELERIAC_MAX_WORKER_DEATHS", "1000")
            // Rows are compared when the messages are gone: a run waits for its own, however busy the machine is.
            .env("CELERIAC_FINANCE_RECORD_TIMEOUT", "60")
            .envs(self.database.url().map(|url| ("CELERIAC_FINANCE_URL", url)))
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the worker that has every task, on all queues.
    pub async fn start_worker(&mut self) {
        let mut command = self.command("celeriac-worker-maintenance");
        let worker = Process::spawn(command.args(["-Q", QUEUES, "-c", "4", "--without-heartbeat"]));
        worker
            .wait_for_line(|line| line.contains("ready"), PATIENCE)
            .await;
        self.worker = Some(worker);
    }

    /// Kills the worker, as `kill -9` does.
    pub fn kill_worker(&mut self) {
        if let Some(mut worker) = self.worker.take() {
            worker.kill();
        }
    }

    fn python(&self) -> Python {
        Python::find()
            .env("CELERY_BROKER_URL", self.redis.url())
            .env("CELERY_RESULT_BACKEND", self.redis.url())
    }

    fn script(&self, name: &str, arguments: &[&str]) -> String {
        let script = workspace_root().join("tests/python").join(name);
        self.python().run_file(&script, arguments)
    }

    /// Sends the calls from Python and returns what Python got for each.
    pub fn call_from_python(&self, batch: &str, calls: &[Call]) -> Vec<Value> {
        let file = self.write(batch, calls);
        let lines = self.script("back_office.py", &[file.to_str().unwrap()]);
        let lines = lines.lines().filter(|line| line.starts_with('{'));
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn write(&self, batch: &str, calls: &[Call]) -> PathBuf {
        let sent: Vec<Value> = (0..)
            .zip(calls)
            .map(|(number, call)| to_send(batch, number, call))
            .collect();
        let file = self.folder.path().join("calls.json");
        std::fs::write(&file, json!(sent).to_string()).unwrap();
        file
    }

    /// What the data folder and the ledger hold, without what differs from run to run.
    pub fn state(&self) -> Value {
        let (folder, url) = (self.data(), self.database.url());
        let arguments = [folder.to_str(), url.as_deref()];
        let arguments: Vec<&str> = arguments.into_iter().flatten().collect();
        let text = self.script("finance_state.py", &arguments);
        serde_json::from_str(&text).unwrap()
    }

    /// How many messages wait or run; counted at one moment, since they go to and fro.
    pub fn messages(&self) -> usize {
        const COUNT: &str = "local n = redis.call('HLEN', 'unacked') \
            for _, queue in ipairs(KEYS) do n = n + redis.call('LLEN', queue) end \
            return n";
        let queues: Vec<&str> = QUEUES.split(',').collect();
        let number = queues.len().to_string();
        let arguments = [vec!["EVAL", COUNT, &number], queues].concat();
        self.redis.cli(&arguments).trim().parse().unwrap()
    }
}

/// The ids are those of the calls, so that the same calls in another system are the same tasks.
fn to_send(batch: &str, number: usize, call: &Call) -> Value {
    let queue = queue_of(call.task);
    let id = format!("{}-{batch}-{number}", call.task);
    json!({"task": call.task, "args": call.json_args(), "kwargs": call.json_kwargs(), "queue": queue, "id": id})
}

/// The specification's queue of a task.
pub fn queue_of(name: &str) -> String {
    let tasks = specified_tasks();
    let task = tasks.iter().find(|task| super::names(task).contains(name));
    let queue = &task.unwrap_or_else(|| panic!("{name} is not specified"))["queue"];
    queue.as_str().unwrap().to_owned()
}

/// The settings of a client of this system.
pub fn settings(system: &System) -> Settings {
    let url = system.redis.url();
    let sources = Sources {
        overrides: vec![
            ("broker_url", "test", url.clone()),
            ("result_backend", "test", url),
        ],
        ..Sources::default()
    };
    Settings::load(&sources).unwrap()
}

/// The specification's tasks.
pub fn specified_tasks() -> Vec<Value> {
    let file = workspace_root().join("crates/tasks/tests/fixtures/tasks.json.gz");
    let table = flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap());
    let table: Value = serde_json::from_reader(table).unwrap();
    table["tasks"].as_array().unwrap().clone()
}
