//! `finflow.core.tasks.test_sleep`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tasks::catalogue::{Spec, TEST_SLEEP};
use tasks::{Answer, FinanceTask, Run};
use worker::Outcome;

/// Sleeps; the task's time limits end a sleep of more than 50 seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestSleep {
    /// How long.
    pub seconds: f64,
}

/// How long it slept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slept {
    slept_s: f64,
}

impl FinanceTask for TestSleep {
    const SPEC: Spec = TEST_SLEEP;
    type Data = Slept;

    async fn run(self, _: &mut Run<'_>) -> Result<Answer<Slept>, Outcome> {
        tokio::time::sleep(Duration::from_secs_f64(self.seconds)).await;
        Ok(Answer::Done(Slept {
            slept_s: self.seconds,
        }))
    }
}
