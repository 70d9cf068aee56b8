//! `finflow.core.tasks.test_task`.

use portfolio::analytics::Envelope;
use serde::{Deserialize, Serialize};
use tasks::{Run, invalid};
use worker::{Context, Outcome, Task, TaskOptions};

/// Adds two numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestTask {
    /// One number.
    #[serde(default = "two")]
    pub x: i64,
    /// The other.
    #[serde(default = "two")]
    pub y: i64,
}

fn two() -> i64 {
    2
}

/// The sum, and a sentence for people.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sum {
    sum: i64,
    message: String,
}

impl Task for TestTask {
    const NAME: &'static str = "finflow.core.tasks.test_task";
    type Output = Envelope<Sum>;

    fn options() -> TaskOptions {
        super::options()
    }

    async fn run(self, ctx: &Context) -> Result<Self::Output, Outcome> {
        let Self { x, y } = self;
        let run = Run::start(ctx);
        let sum = x
            .checked_add(y)
            .ok_or_else(|| invalid("y", y, "the sum must fit in 64 bits"))?;
        Ok(run.end(Sum {
            sum,
            message: format!("{x} + {y} = {sum}"),
        }))
    }
}
