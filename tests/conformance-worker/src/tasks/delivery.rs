//! Tasks that hand their message back.

use worker::{Outcome, TaskOptions};

use crate::task::task;

task! {
    /// Puts its first delivery back into the queue.
    [TaskOptions { acks_late: Some(true), ..TaskOptions::default() }]
    fn reject_then_succeed(ctx) -> String {
        if ctx.redelivered() {
            Ok("second-pass".to_owned())
        } else {
            Err(Outcome::reject("None", true))
        }
    }
}

task! {
    /// Rejects its message for good.
    fn reject_without_requeue(_) -> () { Err(Outcome::reject("rejected", false)) }
}
