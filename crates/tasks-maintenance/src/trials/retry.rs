//! `finflow.core.tasks.test_retry`.

use serde::{Deserialize, Serialize};
use tasks::catalogue::{Spec, TEST_RETRY};
use tasks::{Answer, FinanceTask, Run, named};
use worker::Outcome;

/// Fails the first times that it runs, then succeeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestRetry {
    /// How often it fails.
    pub fail_times: u32,
}

/// How often it ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempts {
    attempts: u32,
}

impl FinanceTask for TestRetry {
    const SPEC: Spec = TEST_RETRY;
    type Data = Attempts;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Attempts>, Outcome> {
        let attempts = run.ctx().retries() + 1;
        if attempts <= self.fail_times {
            let text = format!("attempt {attempts} fails on purpose");
            return Err(named("ConnectionError", text));
        }
        Ok(Answer::Done(Attempts { attempts }))
    }
}
