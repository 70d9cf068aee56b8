//! Worker processes that are killed and replaced.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use testkit::{Process, TempDir, bin};

/// What every worker of a drill gets.
pub struct Fleet {
    pub folder: TempDir,
    pub broker: String,
    settings: Vec<(&'static str, String)>,
    workers: Vec<Process>,
    /// When each killed process was killed, in milliseconds since the epoch.
    pub killed: HashMap<u32, u64>,
}

impl Fleet {
    pub fn new(
        broker: impl Into<String>,
        folder: TempDir,
        settings: &[(&'static str, String)],
    ) -> Self {
        Self {
            folder,
            broker: broker.into(),
            settings: settings.to_vec(),
            workers: Vec::new(),
            killed: HashMap::new(),
        }
    }

    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// A program of ours with the drill's environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(bin(program));
        command.current_dir(self.folder.path());
        command
            .env("CELERY_BROKER_URL", &self.broker)
            .env("CELERY_RESULT_BACKEND", &self.broker);
        command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
        command
    }

    pub fn start_worker(&mut self) {
        let mut command = self.command("drill-worker");
        let worker = Process::spawn(command.args([
            "-Q",
            "celery",
            "-c",
            &super::SLOTS.to_string(),
            "--without-heartbeat",
        ]));
        self.workers.push(worker);
    }

    /// Kills a random worker and starts another in its place.
    pub fn kill_one(&mut self) {
        let index = usize::try_from(millis()).unwrap() % self.workers.len();
        let mut worker = self.workers.swap_remove(index);
        self.killed.insert(worker.pid(), millis());
        worker.kill();
        self.start_worker();
    }

    /// Kills all workers and starts no others.
    pub fn kill_all(&mut self) {
        for mut worker in self.workers.drain(..) {
            self.killed.insert(worker.pid(), millis());
            worker.kill();
        }
    }

    /// The process of the worker that was started last.
    pub fn newest(&self) -> u32 {
        self.workers.last().expect("a worker was started").pid()
    }

    /// Asks the worker that was started last to stop and waits until it has.
    pub async fn stop_newest(&mut self) {
        let mut worker = self.workers.pop().expect("a worker was started");
        worker.terminate();
        let status = worker.wait_exit(Duration::from_secs(30)).await;
        assert!(
            status.success(),
            "the worker ended with {status}:\n{}",
            worker.output()
        );
    }

    /// Waits until the worker that was started last has died by itself.
    pub async fn bury_newest(&mut self) {
        let mut worker = self.workers.pop().expect("a worker was started");
        worker.wait_exit(Duration::from_secs(60)).await;
    }

    /// Whether this process was one of the workers.
    pub fn has_run(&self, pid: u32) -> bool {
        self.killed.contains_key(&pid) || self.workers.iter().any(|worker| worker.pid() == pid)
    }

    /// What the workers that are still there have written.
    pub fn output(&self) -> String {
        self.workers.iter().map(Process::output).collect()
    }

    pub fn is_running(&mut self) -> bool {
        self.workers.iter_mut().all(Process::is_running)
    }

    /// Asks all workers to stop and waits until they have.
    pub async fn stop(&mut self) {
        for worker in &mut self.workers {
            worker.terminate();
        }
        for worker in &mut self.workers {
            let status = worker.wait_exit(Duration::from_secs(30)).await;
            assert!(
                status.success(),
                "a worker ended with {status}:\n{}",
                worker.output()
            );
        }
    }

    /// Sends drill.record `count` times in one batch; the tasks' ids are `drill-<number>`.
    pub fn send(&self, count: usize, milliseconds: u64) {
        let journal = self.journal();
        self.client(&[
            "send",
            journal.to_str().unwrap(),
            &count.to_string(),
            &milliseconds.to_string(),
        ]);
    }

    /// Runs the drill's client and returns what it prints.
    pub fn client(&self, arguments: &[&str]) -> String {
        let output = self
            .command("drill-client")
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?} failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

pub fn millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// A SQLite broker's URL in this folder.
pub fn sqlite_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("broker.db").display())
}
