//! The tasks that the test workers run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use protocol::{Map, State};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use worker::{Context, Failure, Outcome, Pool, Registry, RetryPolicy, Task, TaskOptions};

use crate::support::DEADLINE;

/// How often each key was run, over all workers of this process; keys are random, so tests do not meet.
static RUNS: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

pub(crate) fn runs(key: &str) -> u32 {
    RUNS.lock().unwrap().get(key).copied().unwrap_or(0)
}

fn count(key: &str) -> u32 {
    let mut runs = RUNS.lock().unwrap();
    let count = runs.entry(key.to_owned()).or_default();
    *count += 1;
    *count
}

pub(crate) fn registry() -> Registry {
    crate::flows::register(Registry::new())
        .task::<Add>()
        .alias("old.add")
        .task::<Price>()
        .task::<Sleep>()
        .task::<Gather>()
        .task::<crate::hazards::WhichProcess>()
        .task::<crate::hazards::Spin>()
        .task::<crate::hazards::Hog>()
        .task::<crate::hazards::Hoard>()
        .task::<crate::hazards::Devour>()
        .task::<crate::hazards::Crash>()
        .task::<WhichThread>()
        .blocking::<Block>()
        .task::<Fail>()
        .task::<Flaky>()
        .task::<Parse>()
        .task::<Panic>()
        .task::<Progress>()
        .task::<Patient>()
        .task::<Decide>()
        .task::<Spawn>()
        .task::<Count>()
        .task::<Redelivered>()
        .task::<Speak>()
        .task::<Tell>()
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Add {
    pub(crate) x: i64,
    pub(crate) y: i64,
}

impl Task for Add {
    const NAME: &'static str = "demo.add";
    type Output = i64;
    async fn run(self, _: &Context) -> Result<i64, Outcome> {
        Ok(self.x + self.y)
    }
}

/// Sends back what it got, to show that exact types survive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Price {
    #[serde(with = "protocol::typed::decimal")]
    pub(crate) amount: Decimal,
    #[serde(with = "protocol::typed::datetime")]
    pub(crate) at: Timestamp,
}

impl Task for Price {
    const NAME: &'static str = "demo.price";
    type Output = Self;
    async fn run(self, _: &Context) -> Result<Self, Outcome> {
        Ok(self)
    }
}

/// Waits on the async runtime; counts its starts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sleep {
    pub(crate) key: String,
    pub(crate) seconds: f64,
}

impl Task for Sleep {
    const NAME: &'static str = "demo.sleep";
    type Output = u32;
    async fn run(self, _: &Context) -> Result<u32, Outcome> {
        let run = count(&self.key);
        tokio::time::sleep(Duration::from_secs_f64(self.seconds)).await;
        Ok(run)
    }
}

/// Blocks a thread until it is asked to end or its time is over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) key: String,
    pub(crate) seconds: f64,
    pub(crate) asks: bool,
}

impl Task for Block {
    const NAME: &'static str = "demo.block";
    type Output = String;
    async fn run(self, ctx: &Context) -> Result<String, Outcome> {
        count(&self.key);
        let end = std::time::Instant::now() + Duration::from_secs_f64(self.seconds);
        while std::time::Instant::now() < end {
            if self.asks {
                ctx.check()?;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(std::thread::current().name().unwrap_or_default().to_owned())
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fail {
    pub(crate) exc_type: String,
    pub(crate) message: String,
}

impl Task for Fail {
    const NAME: &'static str = "demo.fail";
    type Output = ();
    async fn run(self, _: &Context) -> Result<(), Outcome> {
        Err(Outcome::fail(self.exc_type, self.message))
    }
}

/// Fails until its nth run; errors of type `OSError` are retried by themselves.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Flaky {
    pub(crate) key: String,
    pub(crate) succeeds_at: u32,
    pub(crate) exc_type: String,
}

impl Task for Flaky {
    const NAME: &'static str = "demo.flaky";
    type Output = u32;
    fn options() -> TaskOptions {
        TaskOptions {
            autoretry_for: vec!["OSError".to_owned()],
            retry: RetryPolicy {
                max_retries: Some(2),
                default_retry_delay: 0,
                ..RetryPolicy::default()
            },
            ..TaskOptions::default()
        }
    }
    async fn run(self, _: &Context) -> Result<u32, Outcome> {
        match count(&self.key) {
            run if run >= self.succeeds_at => Ok(run),
            run => Err(Outcome::fail(self.exc_type, format!("run {run}"))),
        }
    }
}

/// Fails through `?`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Parse {
    pub(crate) text: String,
}

impl Task for Parse {
    const NAME: &'static str = "demo.parse";
    type Output = i64;
    async fn run(self, _: &Context) -> Result<i64, Outcome> {
        Ok(self.text.parse::<i64>()?)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Panic;

impl Task for Panic {
    const NAME: &'static str = "demo.panic";
    type Output = ();
    async fn run(self, _: &Context) -> Result<(), Outcome> {
        panic!("on purpose");
    }
}

/// Shows progress and waits until the test lets it go.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) go: String,
}

impl Task for Progress {
    const NAME: &'static str = "demo.progress";
    type Output = String;
    async fn run(self, ctx: &Context) -> Result<String, Outcome> {
        ctx.progress(HashMap::from([("current", 1), ("total", 2)]))
            .await?;
        while runs(&self.go) == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        ctx.update_state(State::Custom("NEARLY".to_owned()), "almost")
            .await?;
        while runs(&self.go) == 1 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok("done".to_owned())
    }
}

/// Waits to be asked to end, and then ends well.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Patient;

impl Task for Patient {
    const NAME: &'static str = "demo.patient";
    type Output = String;
    async fn run(self, ctx: &Context) -> Result<String, Outcome> {
        ctx.cancelled().await;
        Ok("cleaned up".to_owned())
    }
}

/// Ends in the way it is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Decide {
    pub(crate) key: String,
    pub(crate) outcome: String,
}

impl Task for Decide {
    const NAME: &'static str = "demo.decide";
    type Output = String;
    async fn run(self, ctx: &Context) -> Result<String, Outcome> {
        let first = count(&self.key) == 1;
        match self.outcome.as_str() {
            "ignore" => Err(Outcome::Ignore),
            "reject" => Err(Outcome::reject("no thanks", false)),
            "requeue" if first => Err(Outcome::reject("later", true)),
            "retry" if first => Err(ctx.retry().countdown(Duration::ZERO).into()),
            "retry_never" => Err(ctx.retry().countdown(Duration::MAX).into()),
            "retry_for_ever" => {
                let failure = Failure::builtin("ConnectionError", vec!["gone".into()]);
                Err(ctx
                    .retry()
                    .countdown(Duration::ZERO)
                    .max_retries(Some(2))
                    .failure(failure)
                    .into())
            }
            "retry_without_cause" => Err(ctx
                .retry()
                .countdown(Duration::ZERO)
                .max_retries(Some(0))
                .into()),
            "replace" => Err(Outcome::Replace(Box::new(
                protocol::Signature::new("demo.add").args(vec![20_i64.into(), 22_i64.into()]),
            ))),
            _ => Ok("redelivered".to_owned()),
        }
    }
}

/// Sends another task as its child.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Spawn {
    pub(crate) x: i64,
}

impl Task for Spawn {
    const NAME: &'static str = "demo.spawn";
    type Output = String;
    async fn run(self, ctx: &Context) -> Result<String, Outcome> {
        let child = ctx.send(Add { x: self.x, y: 1 }).await?;
        Ok(child.id().to_owned())
    }
}

/// Counts how often it was run with this key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) key: String,
}

impl Task for Count {
    const NAME: &'static str = "demo.count";
    type Output = u32;
    fn options() -> TaskOptions {
        TaskOptions {
            pool: Some(Pool::Async),
            ..TaskOptions::default()
        }
    }
    async fn run(self, _: &Context) -> Result<u32, Outcome> {
        Ok(count(&self.key))
    }
}

/// Tells whether its message was delivered before, and how many of its kind have begun.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Redelivered {}

impl Task for Redelivered {
    const NAME: &'static str = "demo.redelivered";
    type Output = (bool, usize);
    async fn run(self, ctx: &Context) -> Result<(bool, usize), Outcome> {
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        Ok((ctx.redelivered(), BEGUN.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Ends when as many as are wanted run at once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Gather {
    pub(crate) key: String,
    pub(crate) wanted: usize,
    /// Waits without ever awaiting.
    pub(crate) in_place: bool,
}

impl Task for Gather {
    const NAME: &'static str = "demo.gather";
    type Output = usize;
    async fn run(self, _: &Context) -> Result<usize, Outcome> {
        count(&self.key);
        let gathered = || (runs(&self.key) as usize).min(self.wanted);
        if self.in_place {
            let began = Instant::now();
            tokio::task::block_in_place(|| {
                while gathered() < self.wanted && began.elapsed() < DEADLINE {
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
        } else {
            while gathered() < self.wanted {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        Ok(gathered())
    }
}

/// Tells the name of the thread that it runs on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WhichThread {}

impl Task for WhichThread {
    const NAME: &'static str = "demo.which_thread";
    type Output = String;
    async fn run(self, _: &Context) -> Result<String, Outcome> {
        Ok(std::thread::current().name().unwrap_or_default().to_owned())
    }
}

/// Logs a line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Speak;

impl Task for Speak {
    const NAME: &'static str = "demo.speak";
    type Output = ();
    async fn run(self, _: &Context) -> Result<(), Outcome> {
        tracing::info!("spoken");
        Ok(())
    }
}

/// Sends an event of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tell;

impl Task for Tell {
    const NAME: &'static str = "demo.tell";
    type Output = ();
    async fn run(self, ctx: &Context) -> Result<(), Outcome> {
        let fields = Map::from_iter([("percent", 50_i64)]);
        Ok(ctx.send_event("task-half-done", fields).await?)
    }
}

/// Lets a [`Progress`] go on.
pub(crate) fn go(key: &str) {
    count(key);
}

/// A key that no other test has.
pub(crate) fn key() -> String {
    uuid::Uuid::new_v4().to_string()
}
