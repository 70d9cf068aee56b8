//! Redelivered messages of tasks that have succeeded already: `worker_deduplicate_successful_tasks`.

use broker::Verdict;
use protocol::{State, TaskMeta};
use tracing::{error, info};

use super::{Conclusion, Ended, Sequel, chord, next};

impl Ended<'_> {
    /// The task is not run again. What was to follow is sent unless the stored result shows that it was; a result that is stored in
    /// a step of its own, before the message is settled, shows nothing.
    pub(crate) fn duplicate(&self, stored: TaskMeta) -> Conclusion {
        info!("the task has already completed successfully");
        let request = &self.run.held.request;
        let broker = &self.engine.client.backends().broker;
        let in_one_step = broker.capabilities().results_with_settlement;
        let was_sent = in_one_step
            && stored
                .children
                .as_ref()
                .is_some_and(|sent| !sent.is_empty());
        let followed = match was_sent {
            true => Ok(Sequel::default()),
            false => next::after_success(self.engine, request, &stored.result),
        };
        let (verdict, mut sequel) = match followed {
            Ok(sequel) => (Verdict::Ack, sequel),
            Err(failure) => {
                let reason = failure.exception.repr();
                error!(reason, "what follows a completed task cannot be sent");
                (Verdict::Park { reason }, Sequel::default())
            }
        };
        let member = chord::member(self.engine, request, State::Success, || stored.result);
        sequel.members.extend(member);
        self.conclusion(State::Success, verdict, None, sequel, None)
    }
}
