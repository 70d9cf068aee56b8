//! `finflow.core.tasks.test_progress`.

use std::time::Duration;

use portfolio::progress::Progress;
use serde::{Deserialize, Serialize};
use tasks::catalogue::{Spec, TEST_PROGRESS};
use tasks::{Answer, FinanceTask, Reporter, Run};
use worker::Outcome;

/// Takes steps and reports them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestProgress {
    /// How many.
    pub steps: u64,
    /// Milliseconds for each.
    pub delay_ms: u64,
}

/// How many steps were taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Steps {
    steps: u64,
}

impl FinanceTask for TestProgress {
    const SPEC: Spec = TEST_PROGRESS;
    type Data = Steps;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Steps>, Outcome> {
        let Self { steps, delay_ms } = self;
        Reporter::around(run.ctx(), async |reporter| {
            for current in 0..=steps {
                reporter.report(Progress {
                    phase: "step",
                    current,
                    total: steps,
                });
                let last = current == steps;
                let pause = if last { 0 } else { delay_ms };
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        })
        .await;
        Ok(Answer::Done(Steps { steps }))
    }
}
