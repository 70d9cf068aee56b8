//! Waiting for work without taking anything away: client-side caching.
//!
//! The connection tells the server which lists it has looked at (`CLIENT TRACKING` in its opt-in form); the server pushes one message
//! when one of them changes. No command blocks on the server, so there is none that could swallow a message after its caller has gone.
//! Where tracking is refused (a proxy, an ACL), lists are looked at 20 times a second instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::Result;
use redis::{Pipeline, PushKind, Value};
use tokio::sync::Notify;

use crate::link::{Link, OnPush};

/// How long to trust in being told. Looking again finds half-open connections.
const RECHECK: Duration = Duration::from_secs(10);
/// How often to look where nobody tells.
const POLL: Duration = Duration::from_millis(50);

/// Wakes the one who waits on a link's lists.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    notify: Notify,
    untold: AtomicBool,
}

impl Wake {
    /// What a link that is waited on says first on every connection. Changes that it makes itself are told too: a worker's own
    /// retries and chains wake it.
    pub(crate) fn greeting() -> Pipeline {
        let mut pipeline = Pipeline::new();
        pipeline
            .cmd("CLIENT")
            .arg("TRACKING")
            .arg("ON")
            .arg("OPTIN");
        pipeline
    }

    /// What a link that is waited on does with the server's own messages. A lost connection wakes too.
    pub(crate) fn on_push(self: &Arc<Self>) -> OnPush {
        let wake = Arc::clone(self);
        Arc::new(move |push| {
            if matches!(push.kind, PushKind::Invalidate | PushKind::Disconnection) {
                wake.now();
            }
        })
    }

    /// Wakes the one who waits, or the next one who would.
    pub(crate) fn now(&self) {
        self.notify.notify_one();
    }

    /// Returns when one of the lists may have something, at once if one has. Cancel-safe; for one caller at a time.
    pub(crate) async fn wait(&self, link: &Link, lists: &[&str]) -> Result<()> {
        if lists.is_empty() {
            self.rest(RECHECK).await;
            return Ok(());
        }
        let mut pipeline = Pipeline::new();
        pipeline.cmd("CLIENT").arg("CACHING").arg("YES");
        pipeline.cmd("EXISTS").arg(lists);
        let answers = link.send("wait for messages", &pipeline).await?.answers;
        if !matches!(answers.get(1), Some(Value::Int(0))) {
            return Ok(());
        }
        let told = !matches!(answers[0], Value::ServerError(_));
        if !told && !self.untold.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the server refuses client tracking (CLIENT TRACKING); looking for messages 20 times a second instead"
            );
        }
        self.rest(if told { RECHECK } else { POLL }).await;
        Ok(())
    }

    async fn rest(&self, longest: Duration) {
        // Running out of time is one of the two ways to stop waiting.
        let _timeout = tokio::time::timeout(longest, self.notify.notified()).await;
    }
}
