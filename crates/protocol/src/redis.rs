//! Names of things in Redis, as kombu writes them: keys, binding members, channels, patterns.
//!
//! Knows no commands and no connection; those belong to the Redis broker.

mod binding;
mod fanout;
mod topic;

pub use binding::{Binding, destinations};
pub use fanout::{channel_exchange, fanout_channel, fanout_pattern, fanout_prefix};
pub use topic::{topic_matches, topic_pattern};

/// Separator between a queue and its priority step, and between the parts of a binding.
pub const SEP: &str = "\x06\x16";
/// The default priority steps; step 0 is served first.
pub const PRIORITY_STEPS: [u8; 4] = [0, 3, 6, 9];
/// Highest priority.
pub const MAX_PRIORITY: i64 = 9;
/// Hash of delivered, unacknowledged messages.
pub const UNACKED: &str = "unacked";
/// Sorted set of delivery tags by time of delivery.
pub const UNACKED_INDEX: &str = "unacked_index";
/// Lock of the sweep that restores old messages.
pub const UNACKED_MUTEX: &str = "unacked_mutex";
/// Sorted set of exchanges whose binding tables may be swept.
pub const BINDING_DEADLINES: &str = "_kombu.binding_deadlines";

/// Key of the binding table of an exchange.
pub fn binding_table(exchange: &str) -> String {
    format!("_kombu.binding.{exchange}")
}

/// Key of the table of bindings whose queues do not expire.
pub fn permanent_binding_table(exchange: &str) -> String {
    format!("_kombu.binding_permanent.{exchange}")
}

/// The step a priority is served in: clamped to 0 … 9, then rounded down. `steps` is ascending.
pub fn priority_step(priority: i64, steps: &[u8]) -> u8 {
    let clamped = priority.clamp(0, MAX_PRIORITY);
    steps
        .iter()
        .copied()
        .rev()
        .find(|step| i64::from(*step) <= clamped)
        .unwrap_or(0)
}

/// Key of the list that holds a queue's messages of one step.
pub fn queue_key(queue: &str, step: u8) -> String {
    queue_key_with(SEP, queue, step)
}

/// [`queue_key`] with another separator (the transport option `sep`).
pub fn queue_key_with(sep: &str, queue: &str, step: u8) -> String {
    match step {
        0 => queue.to_owned(),
        step => format!("{queue}{sep}{step}"),
    }
}

/// Keys of all lists of a queue, the one served first in front.
pub fn queue_keys(queue: &str, steps: &[u8]) -> Vec<String> {
    steps.iter().map(|step| queue_key(queue, *step)).collect()
}

/// The queue a list key belongs to: what stands before the last separator.
pub fn key_queue(key: &str) -> &str {
    key_queue_with(SEP, key)
}

/// [`key_queue`] with another separator (the transport option `sep`).
pub fn key_queue_with<'a>(sep: &str, key: &'a str) -> &'a str {
    key.rsplit_once(sep).map_or(key, |(queue, _)| queue)
}
