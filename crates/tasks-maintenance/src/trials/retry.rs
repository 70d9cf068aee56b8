//! `finflow.core.tasks.test_retry`.

use portfolio::analytics::Envelope;
use serde::{Deserialize, Serialize};
use tasks::{Run, invalid};
use worker::{Context, Outcome, RetryPolicy, Task, TaskOptions};

const MAX_FAILURES: u32 = 10;

/// Fails the first times that it runs, then succeeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestRetry {
    /// How often it fails, 0 to 10.
    #[serde(default = "twice")]
    pub fail_times: i64,
}

fn twice() -> i64 {
    2
}

/// How often it ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempts {
    attempts: u32,
}

impl Task for TestRetry {
    const NAME: &'static str = "finflow.core.tasks.test_retry";
    type Output = Envelope<Attempts>;

    fn options() -> TaskOptions {
        let retry = RetryPolicy {
            max_retries: Some(MAX_FAILURES),
            retry_backoff: Some(1),
            retry_backoff_max: 10,
            retry_jitter: false,
            ..RetryPolicy::default()
        };
        TaskOptions {
            retry,
            autoretry_for: vec!["ConnectionError".to_owned()],
            ..super::options()
        }
    }

    async fn run(self, ctx: &Context) -> Result<Self::Output, Outcome> {
        if !(0..=i64::from(MAX_FAILURES)).contains(&self.fail_times) {
            return Err(invalid(
                "fail_times",
                self.fail_times,
                "must be from 0 to 10",
            ));
        }
        if i64::from(ctx.retries()) < self.fail_times {
            let text = format!("attempt {} fails on purpose", ctx.retries() + 1);
            return Err(Outcome::fail("ConnectionError", text));
        }
        Ok(Run::start(ctx).end(Attempts {
            attempts: ctx.retries() + 1,
        }))
    }
}
