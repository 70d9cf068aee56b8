//! Remote control: requests to workers and their replies, as messages.

mod matching;
mod reply;
mod request;

pub use matching::{glob_matches, pattern_matches};
pub use reply::Reply;
pub(crate) use request::properties;
pub use request::{ReplyTo, Request};

/// The fanout exchange requests go to.
pub const EXCHANGE: &str = "celery.pidbox";
/// The direct exchange replies go to.
pub const REPLY_EXCHANGE: &str = "reply.celery.pidbox";

/// The queue a worker listens on for requests.
pub fn node_queue(node: &str) -> String {
    format!("{node}.{EXCHANGE}")
}

/// The queue a controller collects replies from.
pub fn reply_queue(oid: &str) -> String {
    format!("{oid}.{REPLY_EXCHANGE}")
}
