//! The test tasks: a sum, a retry, progress, a failure, a sleep. Operators run them to see that a system works.

mod failure;
mod progress;
mod retry;
mod sleep;
mod sum;

pub use failure::TestFailure;
pub use progress::TestProgress;
pub use retry::TestRetry;
pub use sleep::TestSleep;
pub use sum::TestTask;
