//! `finflow.core.tasks.test_failure`.

use serde::{Deserialize, Serialize};
use worker::{Context, Outcome, Task, TaskOptions};

/// Fails with `ValueError`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFailure {
    /// The error's text.
    #[serde(default = "boom")]
    pub message: String,
}

fn boom() -> String {
    "boom".to_owned()
}

impl Task for TestFailure {
    const NAME: &'static str = "finflow.core.tasks.test_failure";
    type Output = ();

    fn options() -> TaskOptions {
        super::options()
    }

    async fn run(self, _: &Context) -> Result<(), Outcome> {
        Err(Outcome::fail("ValueError", self.message))
    }
}
