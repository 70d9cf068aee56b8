//! Worker processes that are killed and replaced.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use testkit::{Process, Signal, TempDir, bin, wait_until};

use super::journal::Journal;

/// What every worker of a drill gets.
pub struct Fleet {
    pub folder: TempDir,
    pub broker: String,
    settings: Vec<(&'static str, String)>,
    workers: Vec<Process>,
    /// When each killed process was killed, in milliseconds since the epoch.
    pub killed: HashMap<u32, u64>,
    /// Stopped by the system, until they are thawed.
    frozen: Vec<Process>,
    /// The processes that were frozen at some time.
    pub thawed: HashSet<u32>,
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
            frozen: Vec::new(),
            thawed: HashSet::new(),
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
        self.start_worker_with(super::SLOTS);
    }

    pub fn start_worker_with(&mut self, slots: usize) {
        let mut command = self.command("drill-worker");
        let worker = Process::spawn(command.args([
            "-Q",
            "celery",
            "-c",
            &slots.to_string(),
            "--without-heartbeat",
        ]));
        self.workers.push(worker);
    }

    fn take_one(&mut self) -> Process {
        let index = usize::try_from(millis()).unwrap() % self.workers.len();
        self.workers.swap_remove(index)
    }

    /// Stops a random worker in its tracks, starts another in its place, and returns its process's number.
    pub async fn freeze_one(&mut self) -> u32 {
        let mut worker = self.take_one();
        let pid = worker.pid();
        while !stop_between_writes(&mut worker).await {}
        self.frozen.push(worker);
        self.thawed.insert(pid);
        self.start_worker();
        pid
    }

    /// Lets all frozen workers go on.
    pub fn thaw(&mut self) {
        for mut worker in self.frozen.drain(..) {
            worker.signal(Signal::SIGCONT);
            self.workers.push(worker);
        }
    }

    /// Whether this process was killed or frozen at some time.
    pub fn was_disturbed(&self, pid: u32) -> bool {
        self.killed.contains_key(&pid) || self.thawed.contains(&pid)
    }

    /// Sends this signal to the first worker and waits for its end; returns its process's number and the time of its end.
    pub async fn end_first(&mut self, signal: Signal, deadline: Duration) -> (u32, u64) {
        let mut worker = self.workers.remove(0);
        worker.signal(signal);
        let status = worker.wait_exit(deadline).await;
        let ended = millis();
        assert!(
            status.success(),
            "a worker ended with {status}:\n{}",
            worker.output()
        );
        (worker.pid(), ended)
    }

    /// Kills a random worker and starts another in its place.
    pub fn kill_one(&mut self) {
        let mut worker = self.take_one();
        self.killed.insert(worker.pid(), millis());
        worker.kill();
        self.start_worker();
    }

    /// Kills a worker so often amid as many tasks. A kill counts while there is work: the next one waits until some more tasks have started.
    pub async fn kill_amid(&mut self, tasks: usize, kills: usize) {
        for kill in 0..kills {
            let until = (kill + 1) * tasks / (kills + 2);
            wait_until(super::PATIENCE, async || {
                Journal::read(&self.journal()).0.len() >= until
            })
            .await;
            self.kill_one();
        }
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

    /// What the worker of this process has written, if it is still there.
    pub fn output_of(&self, pid: u32) -> String {
        let worker = self.workers.iter().find(|worker| worker.pid() == pid);
        worker.map(Process::output).unwrap_or_default()
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

    /// Sends this many chains, groups and chords; returns how many tasks they are.
    pub fn send_flows(&self, count: usize, milliseconds: u64) -> usize {
        let journal = self.journal();
        let sent = self.client(&[
            "flows",
            journal.to_str().unwrap(),
            &count.to_string(),
            &milliseconds.to_string(),
        ]);
        sent.trim().parse().unwrap()
    }

    /// Sends drill.record `count` times in one batch, numbered from `first` on.
    pub fn send_from(&self, first: usize, count: usize, milliseconds: u64) {
        self.send_as(&["send-from", &first.to_string()], count, milliseconds);
    }

    /// Sends `count` tasks of the client's `command` in one batch.
    pub fn send_as(&self, command: &[&str], count: usize, milliseconds: u64) {
        let journal = self.journal();
        let rest = [
            journal.to_str().unwrap(),
            &count.to_string(),
            &milliseconds.to_string(),
        ];
        self.client(&[command, &rest].concat());
    }

    /// Sends drill.record `count` times in one batch; the tasks' ids are `drill-<number>`.
    pub fn send(&self, count: usize, milliseconds: u64) {
        self.send_from(0, count, milliseconds);
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

/// Stops the worker; whether it has stopped between two writes to a file. One that is stopped in the middle of a write keeps the
/// SQLite file locked for everybody until it goes on: no other process can do anything about that, so this one goes on.
async fn stop_between_writes(worker: &mut Process) -> bool {
    worker.signal(Signal::SIGSTOP);
    let stat = PathBuf::from(format!("/proc/{}/stat", worker.pid()));
    let is_stopped = async || std::fs::read_to_string(&stat).unwrap().contains(") T ");
    wait_until(Duration::from_secs(30), is_stopped).await;
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let pid = worker.pid().to_string();
    let writes = locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.contains(&"POSIX") && words.contains(&"WRITE") && words.contains(&pid.as_str())
    });
    if writes {
        worker.signal(Signal::SIGCONT);
    }
    !writes
}

pub fn millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// A SQLite broker's URL in this folder.
pub fn sqlite_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("broker.db").display())
}
