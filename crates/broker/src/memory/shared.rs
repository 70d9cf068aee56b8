//! The state behind its lock, and how waiters learn of changes.

use std::sync::{Mutex, PoisonError};

use protocol::Message;
use tokio::sync::{Notify, broadcast};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::state::State;
use crate::{BrokerError, ErrorKind, Result, ResultPolicy};

/// How many broadcasts a slow listener may lag behind before the oldest are dropped for it.
const BROADCAST_BUFFER: usize = 4096;

/// One broadcast on its way to those who listen now.
#[derive(Clone, Debug)]
pub(super) struct Broadcast {
    pub(super) exchange: String,
    pub(super) routing_key: String,
    pub(super) message: Message,
}

/// What every clone of the broker and every consumer shares.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Notify,
    pub(super) broadcasts: broadcast::Sender<Broadcast>,
    pub(super) closed: CancellationToken,
}

impl Default for Shared {
    fn default() -> Self {
        Self::new(ResultPolicy::default())
    }
}

impl Shared {
    pub(super) fn new(policy: ResultPolicy) -> Self {
        Self {
            state: Mutex::new(State::new(policy)),
            changed: Notify::new(),
            broadcasts: broadcast::Sender::new(BROADCAST_BUFFER),
            closed: CancellationToken::new(),
        }
    }

    /// Looks at the state as it is now.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advance();
        look(&mut state)
    }

    /// Changes the state and wakes everybody who waits for a change.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = self.look(change);
        self.changed.notify_waiters();
        outcome
    }

    /// Tries until there is something, once after every change and whenever time alone may have brought it. A `Notified` hears
    /// of changes from its creation on, so nothing is missed between a try and the wait, and a try's outcome is returned in the same poll, so dropping the future loses nothing.
    pub(super) async fn wait_for<T>(&self, mut attempt: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            let (found, next) = self.look(|state| (attempt(state), state.next_event()));
            if let Some(found) = found {
                return found;
            }
            tokio::select! {
                () = changed => {}
                () = sleep_to(next) => {}
            }
        }
    }

    /// An error once the broker was closed.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.is_cancelled() {
            return Err(BrokerError::new(
                ErrorKind::Closed,
                "the memory broker was closed",
            ));
        }
        Ok(())
    }
}

async fn sleep_to(next: Option<Instant>) {
    match next {
        Some(next) => sleep_until(next).await,
        None => std::future::pending().await,
    }
}
