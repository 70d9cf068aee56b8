//! Runs whose process died, and runs for which there was none.

use std::time::Duration;

use broker::Verdict;
use jiff::Timestamp;
use protocol::{State, Value};
use tracing::{error, warn};

use super::sequel::Sequel;
use super::{Conclusion, Ended};
use crate::{Failure, Retry, events};

/// How long a message waits on the broker when no child process can be started.
const PAUSE: Duration = Duration::from_secs(5);

impl Ended<'_> {
    /// The process that ran the task is gone. The message runs again where it may, until too many have died with it; else
    /// the loss is its failure.
    pub(super) fn lost(&self, text: String) -> Conclusion {
        let policy = &self.run.policy;
        let deaths = self.run.held.deaths.saturating_add(1);
        let most = self.engine.settings.max_worker_deaths;
        let reason = format!("{deaths} workers have died with this task; the last: {text}");
        let module = "billiard.exceptions";
        let failure = Failure::new("WorkerLostError", module, vec![Value::Str(text)]);
        if deaths >= most {
            return self.failed(failure, Verdict::Park { reason });
        }
        if policy.retries_lost {
            return self.retry(Retry {
                cause: Some(failure),
                ..Retry::default()
            });
        }
        if !policy.requeues_lost {
            return self.fail(failure);
        }
        warn!(deaths, most, "the message goes back to its queue");
        let request = &self.run.held.request;
        let event = self.event(|| events::rejected(self.engine, request, true));
        let died = Verdict::Died;
        self.conclusion(State::Rejected, died, None, Sequel::default(), event)
    }

    /// Nothing has run: the message waits a moment on the broker, for here or elsewhere. One that has left the broker already cannot.
    pub(super) fn no_child(&self, why: &str) -> Conclusion {
        if self.run.policy.acks_early {
            return self.lost(format!("no child process could be started: {why}"));
        }
        error!(
            why,
            "no child process to run the task in; it waits for {PAUSE:?}"
        );
        let until = Timestamp::now()
            .checked_add(PAUSE)
            .unwrap_or(Timestamp::MAX);
        self.quiet(Verdict::Defer { until }, State::Pending)
    }
}
