//! Waiting through a file that refuses: a full disk, a lock held by another process.

use std::time::Duration;

use broker::{BrokerError, Notice};
use tokio::sync::mpsc;
use tokio::time::sleep;

const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// One call's outage: told when it begins and when it is over, each once.
#[derive(Debug)]
pub(crate) struct Outage<'n> {
    notices: &'n mpsc::Sender<Notice>,
    wait: Option<Duration>,
}

impl<'n> Outage<'n> {
    pub(crate) fn new(notices: &'n mpsc::Sender<Notice>) -> Self {
        Self {
            notices,
            wait: None,
        }
    }

    /// Whether something failed before.
    pub(crate) fn was_there(&self) -> bool {
        self.wait.is_some()
    }

    /// Waits longer each time.
    pub(crate) async fn wait(&mut self, error: &BrokerError) {
        let wait = match self.wait {
            Some(last) => (last * 2).min(LONGEST_WAIT),
            None => {
                tracing::warn!(%error, "the broker's file refuses; trying until it accepts again");
                notify(
                    self.notices,
                    Notice::Disconnected {
                        error: error.to_string(),
                    },
                );
                FIRST_WAIT
            }
        };
        self.wait = Some(wait);
        sleep(wait).await;
    }

    /// It works again.
    pub(crate) fn over(&mut self) {
        if self.wait.take().is_some() {
            tracing::info!("the broker's file accepts again");
            notify(self.notices, Notice::Reconnected);
        }
    }
}

/// Tells of something; a full channel drops the notice.
pub(crate) fn notify(notices: &mpsc::Sender<Notice>, notice: Notice) {
    if let Err(mpsc::error::TrySendError::Full(notice)) = notices.try_send(notice) {
        tracing::warn!(
            ?notice,
            "a notice was dropped: nobody reads the notices fast enough"
        );
    }
}
