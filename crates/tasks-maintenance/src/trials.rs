//! The test tasks: a sum, a retry, progress, a failure, a sleep. Operators run them to see that a system works.

mod failure;
mod progress;
mod retry;
mod sleep;
mod sum;

use worker::{RetryPolicy, TaskOptions};

pub use failure::TestFailure;
pub use progress::TestProgress;
pub use retry::TestRetry;
pub use sleep::TestSleep;
pub use sum::TestTask;

/// What all test tasks have in common.
fn options() -> TaskOptions {
    TaskOptions {
        queue: Some("default".to_owned()),
        time_limit: Some(60.0),
        soft_time_limit: Some(50.0),
        retry: RetryPolicy {
            max_retries: Some(0),
            ..RetryPolicy::default()
        },
        ..TaskOptions::default()
    }
}
