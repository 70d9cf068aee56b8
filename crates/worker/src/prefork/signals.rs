//! Signals of a child. Whoever stops a whole service signals all of its processes, and a terminal's Ctrl-C reaches them too: the
//! worker decides what that means for what runs, so its children do not die of it. A signal that the worker announces is meant.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

const SIGNALLED: u8 = 1;
const ANNOUNCED: u8 = 2;

/// Dies when both a signal and its announcement have come, in whichever order.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals(Arc<AtomicU8>);

impl Signals {
    /// Outlives the signals that a service manager sends, from now on.
    ///
    /// # Errors
    /// When the system gives no signal handlers.
    pub(super) fn listen(&self) -> std::io::Result<()> {
        for kind in [
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::quit(),
            SignalKind::hangup(),
        ] {
            let mut signals = signal(kind)?;
            let own = self.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    own.mark(SIGNALLED);
                }
            });
        }
        Ok(())
    }

    /// The worker says that a signal is meant.
    pub(super) fn announced(&self) {
        self.mark(ANNOUNCED);
    }

    fn mark(&self, what: u8) {
        let before = self.0.fetch_or(what, Ordering::AcqRel);
        if before | what == SIGNALLED | ANNOUNCED {
            die();
        }
    }
}

/// Ends the process at once: a task that computes on the main thread cannot be asked.
pub(super) fn die() {
    // Nothing can be done about a process that cannot kill itself.
    let _ = kill(Pid::this(), Signal::SIGKILL);
}
