//! The suite that defines what a broker, a result backend, a coordinator and an admin side are.
//!
//! Every implementation runs it from its integration tests through a [`Harness`]. A case is a named function; all cases
//! run, several at once, and the names of those that failed are in the final panic. A case begins on an empty server side,
//! waits for conditions with a generous deadline, and measures no speed.

mod admin;
mod broadcasts;
mod chords;
mod coordination;
mod crashes;
mod early_acks;
mod effects;
mod fixture;
mod leases;
mod overlapping;
mod payloads;
mod remembering;
mod reserving;
mod results;
mod runner;
mod settling;
mod sharing;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Backends, ResultPolicy};
use runner::{Case, run};

/// Makes the server sides that the cases run on.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// An empty server side of its own: nothing that another case does shows in it. Results follow the policy.
    async fn fresh(&self, policy: ResultPolicy) -> Box<dyn Instance>;

    /// The consumers' lease: short, so that the suite is, but longer than a busy machine may hold a task up.
    fn lease(&self) -> Duration {
        Duration::from_millis(800)
    }

    /// How many cases run at once.
    fn parallel(&self) -> usize {
        4
    }
}

/// One server side. It is dropped when its case has ended.
#[async_trait]
pub trait Instance: Send + Sync {
    /// What the implementation opens on it. Must have results.
    fn backends(&self) -> Backends;

    /// Puts bytes in a queue as they are, as a faulty producer would.
    async fn publish_raw(&self, queue: &str, raw: Bytes);

    /// Declares a living incarnation dead, as if it had been frozen for longer than its lease. After this
    /// returns it counts as dead, and what it held may be given to others.
    async fn expire_lease(&self, incarnation: &str);
}

/// Publishing, reserving, settling, leases, broadcasts and mailboxes.
pub async fn exercise_broker(harness: impl Harness) {
    let cases: Vec<Case> = [
        payloads::CASES,
        reserving::CASES,
        overlapping::CASES,
        sharing::CASES,
        settling::CASES,
        effects::CASES,
        crashes::CASES,
        early_acks::CASES,
        leases::CASES,
        broadcasts::CASES,
    ]
    .concat();
    run("broker", Arc::new(harness), cases).await;
}

/// Task metas, groups and chords.
pub async fn exercise_results(harness: impl Harness) {
    let cases = [results::CASES, chords::CASES].concat();
    run("results", Arc::new(harness), cases).await;
}

/// Leases with fences, commits, and what is remembered.
pub async fn exercise_coordinator(harness: impl Harness) {
    let cases = [coordination::CASES, remembering::CASES].concat();
    run("coordinator", Arc::new(harness), cases).await;
}

/// What an operator asks.
pub async fn exercise_admin(harness: impl Harness) {
    run("admin", Arc::new(harness), admin::CASES.to_vec()).await;
}
