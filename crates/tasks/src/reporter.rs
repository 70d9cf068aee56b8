//! Progress of a long run as the state `PROGRESS`.

use std::time::Duration;

use portfolio::progress::Progress;
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;
use worker::Context;

/// At most one update in this time.
const PAUSE: Duration = Duration::from_millis(500);

/// What callers see of a run under way.
#[derive(Debug, Serialize)]
struct Meta {
    current: u64,
    total: u64,
    percent: u64,
    phase: &'static str,
    status: String,
}

impl From<Progress> for Meta {
    fn from(progress: Progress) -> Self {
        let Progress {
            phase,
            current,
            total,
        } = progress;
        Self {
            current,
            total,
            percent: progress.percent(),
            phase,
            status: format!("{phase}: {current} of {total}"),
        }
    }
}

/// Takes progress as it comes and stores it at most twice a second.
#[derive(Debug)]
pub struct Reporter {
    newest: watch::Sender<Option<Progress>>,
    _ended: DropGuard,
}

impl Reporter {
    /// Runs `work` and reports beside it; the last progress is always stored before this returns.
    pub async fn around<T>(ctx: &Context, work: impl AsyncFnOnce(Self) -> T) -> T {
        let (newest, receiver) = watch::channel(None);
        let ended = CancellationToken::new();
        let reporter = Self {
            newest,
            _ended: ended.clone().drop_guard(),
        };
        let (output, ()) = tokio::join!(work(reporter), forward(ctx, receiver, ended));
        output
    }

    /// Takes the newest progress; older ones that were not stored yet are dropped.
    pub fn report(&self, progress: Progress) {
        self.newest.send_replace(Some(progress));
    }
}

/// Ends when the reporter has been dropped and its last progress stored; the end does not wait out the pause.
async fn forward(
    ctx: &Context,
    mut newest: watch::Receiver<Option<Progress>>,
    ended: CancellationToken,
) {
    while newest.changed().await.is_ok() {
        let progress = *newest.borrow_and_update();
        let Some(progress) = progress else { continue };
        if let Err(error) = ctx.progress(Meta::from(progress)).await {
            warn!(%error, "progress is not stored");
        }
        ended.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
    }
}
