//! One peer under measurement: its producer fills the queue or sends stamps, its worker is watched from outside.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;
use redis::aio::MultiplexedConnection;
use tokio::time::sleep;

use super::PeerRun;
use crate::lab::Lab;
use crate::server_cpu::cpu_of;
use crate::size::Size;
use crate::stamps::{self, Stamps};
use crate::stats::{percentile, sorted};
use crate::worker_process::WorkerProcess;

/// Where the peers are installed, if not in the target folder.
const HOME_VARIABLE: &str = "PEERS_HOME";
/// Time between two looks at the server.
const LOOK: Duration = Duration::from_millis(20);
/// The parts of the tasks that are done before the clock starts, and that may be missing when it stops.
const LEAD: f64 = 0.02;
const SLACK: f64 = 0.001;
/// How long nothing may move, and how long a series of single tasks may take.
const STALL: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(90);
/// From the first task to the look at the memory.
const REST: Duration = Duration::from_secs(2);

/// How it is started, and which keys tell how far it is. In commands `{home}` is where the peers are installed, `{url}` the server.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// The folder of its sources, in which its programs run; none for a program that needs no folder.
    pub(super) sources: Option<&'static str>,
    /// What is there when it is installed.
    pub(super) needs: &'static str,
    pub(super) worker: &'static [&'static str],
    /// `noop COUNT` or `stamp COUNT` are added.
    pub(super) producer: &'static [&'static str],
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// How one sees what is done with results; without, it is what is not left.
    pub(super) with_results: Progress,
    /// Commands of the server whose answers add up to what is left.
    pub(super) left: &'static [&'static [&'static str]],
    /// A sorted set whose members are moved to a list before the worker starts.
    pub(super) promote: Option<(&'static str, &'static str)>,
    /// Tasks in a queue to be drained.
    pub(super) tasks: usize,
}

/// How one sees how far it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Progress {
    /// By commands whose answers add up to what is done.
    Done(&'static [&'static [&'static str]]),
    /// By what is left.
    Left,
}

/// One drain.
#[derive(Clone, Copy, Debug)]
struct Drain {
    per_s: f64,
    worker_cpu_us: f64,
    server_cpu_us: f64,
    pss_mib: f64,
}

/// One look.
struct Sample {
    at: Instant,
    done: u64,
    worker_cpu: Duration,
    server_cpu: Duration,
}

impl Peer {
    /// What is said when it is not installed.
    pub(super) fn missing(&self) -> Option<String> {
        let installed = home().join(self.needs).exists();
        (!installed).then(|| "not installed: make bench-peers".to_owned())
    }

    /// Where its programs run: what npm installs lies beside the sources that it is for.
    fn folder(&self, sources: &Path, home: &Path) -> PathBuf {
        match self.sources {
            Some(name) if self.needs.starts_with(name) => home.join(name),
            Some(name) => sources.join(name),
            None => home.to_owned(),
        }
    }

    /// Measures once.
    pub(super) async fn measure(&self, lab: &Lab, size: &Size) -> anyhow::Result<PeerRun> {
        let with = Trial::open(self, lab, true).await?.drain().await?;
        let without = Trial::open(self, lab, false).await?.drain().await?;
        let trial = Trial::open(self, lab, true).await?;
        let (late, idle_mib) = trial.latency(size.samples).await?;
        Ok(PeerRun {
            per_s: Some(with.per_s),
            without_per_s: Some(without.per_s),
            worker_cpu_us: Some(with.worker_cpu_us),
            server_cpu_us: Some(with.server_cpu_us),
            p50_ms: Some(percentile(&late, 50)),
            p99_ms: Some(percentile(&late, 99)),
            idle_mib: Some(idle_mib),
            drained_mib: Some(with.pss_mib),
            reference: None,
        })
    }
}

/// Where the peers are installed.
fn home() -> PathBuf {
    let folder = std::env::var_os(HOME_VARIABLE).map(PathBuf::from);
    folder.unwrap_or_else(|| testkit::workspace_root().join("target/peers"))
}

/// A peer on an empty server.
struct Trial<'a> {
    peer: &'a Peer,
    lab: &'a Lab,
    results: bool,
    folder: PathBuf,
    stamps: Stamps,
    connection: MultiplexedConnection,
}

impl<'a> Trial<'a> {
    async fn open(peer: &'a Peer, lab: &'a Lab, results: bool) -> anyhow::Result<Self> {
        let folder = lab.new_folder()?;
        let emptied = lab.redis().cli(&["FLUSHALL"]);
        ensure!(emptied == "OK", "cannot empty the server: {emptied}");
        let client = redis::Client::open(lab.redis().url())?;
        Ok(Self {
            connection: client.get_multiplexed_async_connection().await?,
            peer,
            lab,
            results,
            stamps: Stamps::in_folder(&folder),
            folder,
        })
    }

    async fn drain(&self) -> anyhow::Result<Drain> {
        let tasks = self.peer.tasks;
        let filled = self.producer("noop", tasks).status()?;
        ensure!(filled.success(), "its producer failed");
        self.promote()?;
        let left = self.count(self.peer.left).await?;
        ensure!(left >= tasks as u64, "{left} of {tasks} tasks are queued");
        let base = match self.progress() {
            Progress::Done(commands) => self.count(commands).await?,
            Progress::Left => 0,
        };
        let mut worker = self.start()?;
        let begin = self.until(&mut worker, base, tasks as f64 * LEAD).await?;
        let all = tasks as f64 - (tasks as f64 * SLACK).max(6.0);
        let end = self.until(&mut worker, base, all).await?;
        let pss_mib = worker.memory().pss_mib;
        worker.kill();
        ensure!(end.done > begin.done, "all were done between two looks");
        let done = (end.done - begin.done) as f64;
        let each = |end: Duration, begin| end.saturating_sub(begin).as_secs_f64() * 1e6 / done;
        Ok(Drain {
            per_s: done / (end.at - begin.at).as_secs_f64(),
            worker_cpu_us: each(end.worker_cpu, begin.worker_cpu),
            server_cpu_us: each(end.server_cpu, begin.server_cpu),
            pss_mib,
        })
    }

    /// Milliseconds from publishing to the first statement, sorted; and the memory of the idle worker.
    async fn latency(&self, tasks: usize) -> anyhow::Result<(Vec<f64>, f64)> {
        let worker = self.start()?;
        self.send_stamps(1).await?;
        self.stamps.wait_for(1, PATIENCE).await?;
        sleep(REST).await;
        let idle_mib = worker.memory().pss_mib;
        self.stamps.clear()?;
        self.send_stamps(tasks).await?;
        let stamps = self.stamps.wait_for(tasks, PATIENCE).await?;
        worker.kill();
        let late = stamps
            .iter()
            .map(|stamp| (stamp.started - stamp.sent) * 1e3);
        Ok((sorted(late), idle_mib))
    }

    async fn send_stamps(&self, count: usize) -> anyhow::Result<()> {
        let mut producer = Producer(self.producer("stamp", count).spawn()?);
        loop {
            if let Some(status) = producer.0.try_wait()? {
                ensure!(status.success(), "its producer failed");
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }

    async fn until(
        &self,
        worker: &mut WorkerProcess,
        base: u64,
        target: f64,
    ) -> anyhow::Result<Sample> {
        let (mut moved, mut before) = (Instant::now(), 0);
        loop {
            let done = self.done(base).await?;
            if done as f64 >= target {
                let info = self.lab.redis().cli(&["INFO", "cpu"]);
                return Ok(Sample {
                    at: Instant::now(),
                    done,
                    worker_cpu: worker.cpu(),
                    server_cpu: cpu_of(&info)?,
                });
            }
            worker.check()?;
            if done != before {
                (moved, before) = (Instant::now(), done);
            }
            ensure!(
                moved.elapsed() < STALL,
                "nothing moved for {STALL:?} after {done} tasks"
            );
            sleep(LOOK).await;
        }
    }

    async fn done(&self, base: u64) -> anyhow::Result<u64> {
        match self.progress() {
            Progress::Done(commands) => Ok(self.count(commands).await?.saturating_sub(base)),
            Progress::Left => {
                Ok((self.peer.tasks as u64).saturating_sub(self.count(self.peer.left).await?))
            }
        }
    }

    fn progress(&self) -> Progress {
        if self.results {
            self.peer.with_results
        } else {
            Progress::Left
        }
    }

    async fn count(&self, commands: &[&[&str]]) -> anyhow::Result<u64> {
        let mut pipe = redis::pipe();
        for command in commands {
            pipe.cmd(command[0]).arg(&command[1..]);
        }
        let counts: Vec<u64> = pipe.query_async(&mut self.connection.clone()).await?;
        Ok(counts.iter().sum())
    }

    fn promote(&self) -> anyhow::Result<()> {
        let Some((from, to)) = self.peer.promote else {
            return Ok(());
        };
        let script = "local ids = redis.call('ZRANGE', KEYS[1], 0, -1)
            for _, id in ipairs(ids) do redis.call('RPUSH', KEYS[2], id) end
            return redis.call('DEL', KEYS[1])";
        let moved = self.lab.redis().cli(&["EVAL", script, "2", from, to]);
        ensure!(moved == "1", "its schedule cannot be moved: {moved}");
        Ok(())
    }

    fn start(&self) -> anyhow::Result<WorkerProcess> {
        WorkerProcess::spawn(
            self.command(self.peer.worker),
            self.folder.join("worker.log"),
        )
    }

    fn producer(&self, task: &str, count: usize) -> Command {
        let mut command = self.command(self.peer.producer);
        command.args([task, &count.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn command(&self, words: &[&str]) -> Command {
        let home = home();
        let fill = |word: &str| {
            word.replace("{home}", &home.display().to_string())
                .replace("{url}", &self.lab.redis().url())
        };
        let sources = testkit::workspace_root().join("crates/bench/peers");
        let mut command = Command::new(fill(words[0]));
        command.args(words[1..].iter().map(|word| fill(word)));
        command
            .current_dir(self.peer.folder(&sources, &home))
            .env("PYTHONPATH", &sources)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("BENCH_BROKER_URL", self.lab.redis().url())
            .env("BENCH_RESULTS", if self.results { "1" } else { "0" })
            .env(stamps::VARIABLE, self.stamps.path())
            .envs(self.peer.environment.iter().copied());
        command
    }
}

/// A producer under way; it ends with its measurement.
struct Producer(Child);

impl Drop for Producer {
    fn drop(&mut self) {
        // It has ended already, unless something failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
