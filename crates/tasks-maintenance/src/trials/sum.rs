//! `finflow.core.tasks.test_task`.

use serde::{Deserialize, Serialize};
use tasks::catalogue::{Spec, TEST_TASK};
use tasks::{Answer, FinanceTask, Run, invalid};
use worker::Outcome;

/// Adds two numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestTask {
    /// One number.
    pub x: i64,
    /// The other.
    pub y: i64,
}

/// The sum, and a sentence for people.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sum {
    sum: i64,
    message: String,
}

impl FinanceTask for TestTask {
    const SPEC: Spec = TEST_TASK;
    type Data = Sum;

    async fn run(self, _: &mut Run<'_>) -> Result<Answer<Sum>, Outcome> {
        let Self { x, y } = self;
        let sum = x
            .checked_add(y)
            .ok_or_else(|| invalid("y", y, "the sum must fit in 64 bits"))?;
        let message = format!("{x} + {y} = {sum}");
        Ok(Answer::Done(Sum { sum, message }))
    }
}
