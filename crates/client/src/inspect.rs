//! Questions to workers, one method per question, answers by node.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::{Map, Value};

use crate::{ClientError, Control};

/// Answers by node name.
pub type Answers = BTreeMap<String, Value>;

/// Asks workers about themselves.
#[derive(Clone, Debug)]
#[must_use = "an inspection asks nothing until a question is put"]
pub struct Inspect {
    control: Control,
    destination: Vec<String>,
    timeout: Duration,
}

macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// When the broker cannot be reached.
        pub async fn $name(&self) -> Result<Answers, ClientError> {
            self.ask(stringify!($name), Map::new()).await
        }
    )*};
}

impl Inspect {
    pub(crate) fn new(control: Control) -> Self {
        Self {
            control,
            destination: Vec::new(),
            timeout: Duration::from_secs(1),
        }
    }

    /// Asks only these nodes.
    pub fn destination(mut self, nodes: Vec<String>) -> Self {
        self.destination = nodes;
        self
    }

    /// How long to wait for each further answer; one second unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    questions! {
        /// Whether they answer.
        ping;
        /// What they run now.
        active;
        /// What they hold and have not started.
        reserved;
        /// What waits for its time.
        scheduled;
        /// The tasks they know.
        registered;
        /// Their numbers.
        stats;
        /// The queues they consume.
        active_queues;
        /// The tasks they will not run.
        revoked;
        /// Their settings.
        conf;
        /// A text for bug reports.
        report;
        /// Their Lamport clocks.
        clock;
    }

    /// Where these tasks are.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub async fn query_task(&self, task_ids: &[String]) -> Result<Answers, ClientError> {
        self.ask("query_task", Map::from_iter([("ids", task_ids.to_vec())]))
            .await
    }

    /// Any question by name.
    ///
    /// # Errors
    /// When an argument cannot be encoded or the broker cannot be reached.
    pub async fn ask(&self, method: &str, arguments: Map) -> Result<Answers, ClientError> {
        let request = self
            .control
            .request(method, arguments)
            .destination(self.destination.clone())
            .timeout(self.timeout);
        let replies = request.collect().await?;
        Ok(replies
            .into_iter()
            .map(|reply| (reply.node, reply.value))
            .collect())
    }
}
