//! How a client sends: Celery's producer settings, with their defaults.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Accept, Codec, Compression, Limits, Map};

use crate::Routes;

/// Celery's producer settings.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The sender's name in events and `origin`; `gen<pid>@<host>` unless set.
    pub origin: String,
    /// `task_default_queue`.
    pub task_default_queue: String,
    /// `task_default_exchange`; `None` for the default queue's name.
    pub task_default_exchange: Option<String>,
    /// `task_default_routing_key`; `None` for the default queue's name.
    pub task_default_routing_key: Option<String>,
    /// `task_default_priority`.
    pub task_default_priority: Option<u8>,
    /// `task_routes`.
    pub task_routes: Routes,
    /// `task_serializer`.
    pub task_serializer: Codec,
    /// `task_compression`.
    pub task_compression: Option<Compression>,
    /// `celeriac_task_compression_threshold`: bodies with fewer bytes are sent as they are, unless the call itself says a compression.
    pub task_compression_threshold: usize,
    /// `task_publish_retry`: with `false`, a lost connection is an error at once.
    pub task_publish_retry: bool,
    /// `task_publish_retry_policy`.
    pub task_publish_retry_policy: PublishRetryPolicy,
    /// `celeriac_publish_limit`: how many publications may be under way at once. Further ones wait for their turn.
    pub publish_limit: usize,
    /// `celeriac_publish_patience`: how long one waits for its turn before it fails.
    pub publish_patience: Duration,
    /// `task_send_sent_event`.
    pub task_send_sent_event: bool,
    /// `task_allow_error_cb_on_chord_header`: errbacks of a chord are also linked to the tasks of its header.
    pub task_allow_error_cb_on_chord_header: bool,
    /// `control_exchange`: prefix of the exchanges for control requests and replies.
    pub control_exchange: String,
    /// `event_exchange`.
    pub event_exchange: String,
    /// `event_serializer`.
    pub event_serializer: Codec,
    /// `accept_content`.
    pub accept_content: Accept,
    /// Bounds for what is decoded.
    pub limits: Limits,
    /// `celeriac_revokes_on_broker`: the broker remembers what is revoked, for workers that are not there yet.
    pub revokes_on_broker: bool,
    /// Adds the current trace context to the headers of what is sent.
    pub propagator: Option<Arc<dyn Propagator>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            origin: format!("gen{}@{}", std::process::id(), crate::origin::host()),
            task_default_queue: "celery".to_owned(),
            task_default_exchange: None,
            task_default_routing_key: None,
            task_default_priority: None,
            task_routes: Routes::default(),
            task_serializer: Codec::Json,
            task_compression: None,
            task_compression_threshold: 0,
            task_publish_retry: true,
            task_publish_retry_policy: PublishRetryPolicy::default(),
            publish_limit: 10_000,
            publish_patience: Duration::from_secs(30),
            task_send_sent_event: false,
            task_allow_error_cb_on_chord_header: false,
            control_exchange: "celery".to_owned(),
            event_exchange: "celeryev".to_owned(),
            event_serializer: Codec::Json,
            accept_content: Accept::default(),
            limits: Limits::default(),
            revokes_on_broker: true,
            propagator: None,
        }
    }
}

/// Puts the trace context of the current span into the headers of an outgoing message (`traceparent`, `tracestate`).
pub trait Propagator: Send + Sync + fmt::Debug {
    /// Adds its headers; called within the span that sends.
    fn inject(&self, headers: &mut Map);
}

/// `task_publish_retry_policy`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishRetryPolicy {
    /// Attempts after the first one; `None` for ever.
    pub max_retries: Option<u32>,
    /// Wait before the first retry.
    pub interval_start: Duration,
    /// How much longer each further wait is.
    pub interval_step: Duration,
    /// The longest wait.
    pub interval_max: Duration,
}

impl Default for PublishRetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: Some(3),
            interval_start: Duration::ZERO,
            interval_step: Duration::from_millis(200),
            interval_max: Duration::from_secs(1),
        }
    }
}

impl PublishRetryPolicy {
    /// The wait before this retry (0 is the first); `None` when there is none left.
    pub fn wait(&self, retry: u32) -> Option<Duration> {
        let allowed = self.max_retries.is_none_or(|max| retry < max);
        let wait = self
            .interval_start
            .saturating_add(self.interval_step.saturating_mul(retry));
        allowed.then(|| wait.min(self.interval_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_waits_as_celery_does() {
        let policy = PublishRetryPolicy::default();
        let waits: Vec<_> = (0..4)
            .map(|retry| policy.wait(retry).map(|wait| wait.as_millis()))
            .collect();
        assert_eq!(waits, [Some(0), Some(200), Some(400), None]);
    }

    #[test]
    fn waits_are_capped() {
        let policy = PublishRetryPolicy {
            max_retries: None,
            ..PublishRetryPolicy::default()
        };
        assert_eq!(policy.wait(1_000), Some(Duration::from_secs(1)));
    }
}
