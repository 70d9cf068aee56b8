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
        /// How much memory they use now.
        memsample;
    }

    /// The last samples that `memsample` has taken, as text.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub async fn memdump(&self, samples: u32) -> Result<Answers, ClientError> {
        self.ask("memdump", Map::from_iter([("samples", samples)]))
            .await
    }

    /// What they run now; with `safe`, arguments as texts for people.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub async fn active_safe(&self, safe: bool) -> Result<Answers, ClientError> {
        self.ask("active", Map::from_iter([("safe", safe)])).await
    }

    /// The tasks they know with these options, such as `rate_limit`; Celery's own tasks too if wanted.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub async fn registered_with(
        &self,
        options: &[String],
        builtins: bool,
    ) -> Result<Answers, ClientError> {
        let mut arguments = Map::from_iter([("taskinfoitems", options.to_vec())]);
        arguments.insert("builtins", builtins);
        self.ask("registered", arguments).await
    }

    /// Their settings, those that nobody has set too.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub async fn conf_with_defaults(&self) -> Result<Answers, ClientError> {
        self.ask("conf", Map::from_iter([("with_defaults", true)]))
            .await
    }

    /// Introduces a node: each worker takes over the revoked ids and answers with its own and its clock.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub async fn hello(
        &self,
        from_node: &str,
        revoked: Vec<String>,
    ) -> Result<Answers, ClientError> {
        let mut arguments = Map::from_iter([("from_node", from_node)]);
        arguments.insert("revoked", revoked);
        self.ask("hello", arguments).await
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
