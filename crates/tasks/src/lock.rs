//! One run at a time: a lock that is renewed for as long as the run takes.

use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portfolio::error::Result;
use portfolio::store::{Lock, LockAttempt, Store};
use tracing::warn;
use worker::Outcome;

use crate::catalogue::Limits;
use crate::failure::failure;

/// Seconds for which a lock outlives the hard limit of the run that holds it.
const MARGIN: u32 = 30;

/// What asking for the lock gave.
pub(crate) enum Attempt<'s> {
    /// It is ours.
    Taken(Held<'s>),
    /// This task holds it.
    HeldBy(String),
}

/// A lock that this run holds.
pub(crate) struct Held<'s> {
    store: &'s Store,
    lock: Lock,
    lease_s: u32,
}

impl<'s> Held<'s> {
    /// Asks for the lock once.
    pub(crate) async fn take(
        store: &'s Store,
        key: &str,
        owner: &str,
        limits: Limits,
    ) -> Result<Attempt<'s>> {
        let lease_s = limits.hard_s + MARGIN;
        let lease = SignedDuration::from_secs(lease_s.into());
        Ok(
            match store.lock(key, owner, Timestamp::now(), lease).await? {
                LockAttempt::Acquired(lock) => Attempt::Taken(Self {
                    store,
                    lock,
                    lease_s,
                }),
                LockAttempt::Held { owner } => Attempt::HeldBy(owner),
            },
        )
    }

    /// Runs `work` and gives the lock back. The run fails when its lock is taken by another one meanwhile.
    pub(crate) async fn during<T>(
        self,
        work: impl Future<Output = Result<T, Outcome>>,
    ) -> Result<T, Outcome> {
        let ended = tokio::select! {
            ended = work => ended,
            lost = self.renew() => Err(failure(lost)),
        };
        if let Err(error) = self.store.unlock(&self.lock).await {
            warn!(%error, "the lock is not given back; it runs out by itself");
        }
        ended
    }

    /// Renews the lease until that fails.
    async fn renew(&self) -> portfolio::Error {
        let lease = SignedDuration::from_secs(self.lease_s.into());
        loop {
            tokio::time::sleep(Duration::from_secs(u64::from(self.lease_s) / 3)).await;
            if let Err(error) = self.store.renew(&self.lock, Timestamp::now(), lease).await {
                return error;
            }
        }
    }
}
