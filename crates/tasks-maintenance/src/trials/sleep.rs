//! `finflow.core.tasks.test_sleep`.

use std::time::Duration;

use portfolio::analytics::Envelope;
use serde::{Deserialize, Serialize};
use tasks::{Run, invalid};
use worker::{Context, Outcome, Task, TaskOptions};

const MAX_SECONDS: f64 = 3_600.0;

/// Sleeps; the task's time limits end a sleep of more than 50 seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestSleep {
    /// How long, 0 to 3600.
    #[serde(default = "one")]
    pub seconds: f64,
}

fn one() -> f64 {
    1.0
}

/// How long it slept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slept {
    slept_s: f64,
}

impl Task for TestSleep {
    const NAME: &'static str = "finflow.core.tasks.test_sleep";
    type Output = Envelope<Slept>;

    fn options() -> TaskOptions {
        super::options()
    }

    async fn run(self, ctx: &Context) -> Result<Self::Output, Outcome> {
        if !(0.0..=MAX_SECONDS).contains(&self.seconds) {
            return Err(invalid("seconds", self.seconds, "must be from 0 to 3600"));
        }
        let run = Run::start(ctx);
        tokio::time::sleep(Duration::from_secs_f64(self.seconds)).await;
        Ok(run.end(Slept {
            slept_s: self.seconds,
        }))
    }
}
