//! Remote control of workers: one method per command, each a request that is given addressees and sent.

use protocol::{Map, Signature, Value};

use crate::{Broadcast, Client, Inspect};

/// Makes requests to workers. A command's answer is the worker's, often `{"ok": text}`; see [`reply_error`].
#[derive(Clone, Debug)]
pub struct Control {
    client: Client,
}

impl Control {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A request by the command's name.
    pub fn request(&self, method: impl Into<String>, arguments: Map) -> Broadcast {
        Broadcast::new(self.client.clone(), method, arguments)
    }

    /// Questions to workers.
    pub fn inspect(&self) -> Inspect {
        Inspect::new(self.clone())
    }

    /// Which workers are there.
    pub fn ping(&self) -> Broadcast {
        self.request("ping", Map::new())
    }

    /// Not to run these tasks.
    pub fn revoke(&self, task_ids: &[String]) -> Broadcast {
        self.request("revoke", Map::from_iter([("task_id", task_ids.to_vec())]))
    }

    /// Not to run these tasks, and to end those that run with this signal, such as `SIGTERM`.
    pub fn terminate(&self, task_ids: &[String], signal: &str) -> Broadcast {
        let mut arguments = Map::from_iter([("task_id", task_ids.to_vec())]);
        arguments.insert("terminate", true);
        arguments.insert("signal", signal);
        self.request("revoke", arguments)
    }

    /// Not to run the tasks that have one of these stamps: values by header. With a signal, to end those that run too.
    pub fn revoke_by_stamped_headers(&self, headers: Map, signal: Option<&str>) -> Broadcast {
        let mut arguments = Map::from_iter([("headers", headers)]);
        arguments.insert("terminate", signal.is_some());
        arguments.insert("signal", signal.map(str::to_owned));
        self.request("revoke_by_stamped_headers", arguments)
    }

    /// To run tasks of this name at this rate at most, such as `10/m`; `0` for no limit. It holds until the worker ends.
    pub fn rate_limit(&self, task_name: &str, rate_limit: &str) -> Broadcast {
        let arguments = [("task_name", task_name), ("rate_limit", rate_limit)];
        self.request("rate_limit", Map::from_iter(arguments))
    }

    /// To give tasks of this name these limits in seconds; `None` for the worker's own. It holds until the worker ends.
    pub fn time_limit(&self, task_name: &str, soft: Option<f64>, hard: Option<f64>) -> Broadcast {
        let mut arguments = Map::from_iter([("task_name", task_name)]);
        arguments.insert("soft", soft);
        arguments.insert("hard", hard);
        self.request("time_limit", arguments)
    }

    /// To send task events.
    pub fn enable_events(&self) -> Broadcast {
        self.request("enable_events", Map::new())
    }

    /// To send no task events.
    pub fn disable_events(&self) -> Broadcast {
        self.request("disable_events", Map::new())
    }

    /// To send a heartbeat now.
    pub fn heartbeat(&self) -> Broadcast {
        self.request("heartbeat", Map::new())
    }

    /// To run this many more tasks at once.
    pub fn pool_grow(&self, n: u32) -> Broadcast {
        self.request("pool_grow", Map::from_iter([("n", n)]))
    }

    /// To run this many fewer tasks at once.
    pub fn pool_shrink(&self, n: u32) -> Broadcast {
        self.request("pool_shrink", Map::from_iter([("n", n)]))
    }

    /// To replace the pool's processes.
    pub fn pool_restart(&self) -> Broadcast {
        self.request("pool_restart", Map::new())
    }

    /// To run between `min` and `max` tasks at once, as many as there is work for; `None` leaves a bound as it is.
    pub fn autoscale(&self, max: Option<u32>, min: Option<u32>) -> Broadcast {
        self.request("autoscale", Map::from_iter([("max", max), ("min", min)]))
    }

    /// To stop warm. Nobody replies to this.
    pub fn shutdown(&self) -> Broadcast {
        self.request("shutdown", Map::new())
    }

    /// To consume this queue as well.
    pub fn add_consumer(&self, queue: &str) -> Broadcast {
        self.request("add_consumer", Map::from_iter([("queue", queue)]))
    }

    /// To consume this queue no longer.
    pub fn cancel_consumer(&self, queue: &str) -> Broadcast {
        self.request("cancel_consumer", Map::from_iter([("queue", queue)]))
    }

    /// To elect one among the workers, who then runs this task.
    pub fn election(&self, id: &str, task: Signature) -> Broadcast {
        let mut arguments = Map::from_iter([("id", id), ("topic", "task")]);
        arguments.insert("action", task);
        self.request("election", arguments)
    }
}

/// The error in a reply, if it is one.
pub fn reply_error(value: &Value) -> Option<&str> {
    value.get("error").and_then(Value::as_str)
}
