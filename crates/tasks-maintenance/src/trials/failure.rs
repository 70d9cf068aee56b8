//! `finflow.core.tasks.test_failure`.

use serde::{Deserialize, Serialize};
use tasks::catalogue::{Spec, TEST_FAILURE};
use tasks::{Answer, FinanceTask, Run};
use worker::Outcome;

/// Fails with `ValueError`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestFailure {
    /// The error's text.
    pub message: String,
}

impl FinanceTask for TestFailure {
    const SPEC: Spec = TEST_FAILURE;
    type Data = ();

    async fn run(self, _: &mut Run<'_>) -> Result<Answer<()>, Outcome> {
        Err(Outcome::fail("ValueError", self.message))
    }
}
