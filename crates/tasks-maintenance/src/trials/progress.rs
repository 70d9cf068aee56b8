//! `finflow.core.tasks.test_progress`.

use std::time::Duration;

use portfolio::analytics::Envelope;
use portfolio::progress::Progress;
use serde::{Deserialize, Serialize};
use tasks::{Reporter, Run, invalid};
use worker::{Context, Outcome, Task, TaskOptions};

/// Takes steps and reports them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestProgress {
    /// How many, 1 to 10000.
    #[serde(default = "ten")]
    pub steps: i64,
    /// Milliseconds for each, 0 to 60000.
    #[serde(default = "fifty")]
    pub delay_ms: i64,
}

fn ten() -> i64 {
    10
}

fn fifty() -> i64 {
    50
}

/// How many steps were taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Steps {
    steps: u64,
}

impl Task for TestProgress {
    const NAME: &'static str = "finflow.core.tasks.test_progress";
    type Output = Envelope<Steps>;

    fn options() -> TaskOptions {
        super::options()
    }

    async fn run(self, ctx: &Context) -> Result<Self::Output, Outcome> {
        let run = Run::start(ctx);
        let steps = within("steps", self.steps, 1, 10_000)?;
        let delay = Duration::from_millis(within("delay_ms", self.delay_ms, 0, 60_000)?);
        Reporter::around(ctx, async |reporter| {
            for current in 0..=steps {
                reporter.report(Progress {
                    phase: "step",
                    current,
                    total: steps,
                });
                tokio::time::sleep(if current < steps {
                    delay
                } else {
                    Duration::ZERO
                })
                .await;
            }
        })
        .await;
        Ok(run.end(Steps { steps }))
    }
}

fn within(field: &str, value: i64, min: i64, max: i64) -> Result<u64, Outcome> {
    let inside = (min..=max)
        .contains(&value)
        .then(|| u64::try_from(value).ok())
        .flatten();
    inside.ok_or_else(|| invalid(field, value, &format!("must be from {min} to {max}")))
}
