//! Portfolios that are computed together while those before are saved and the next are loaded.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_blocking};

use super::batch::{Engine, Making};
use super::compute::Job;
use super::envelope::Issue;
use super::load::Changed;
use crate::error::Result;
use crate::ledger::AccountId;
use crate::store::Store;

/// Portfolios that are loaded, computed and saved together.
pub(super) const PORTION: usize = 256;

/// Portfolios that are computed together.
pub(super) struct Portion<M> {
    /// How many there are, with those for which nothing is to be computed.
    pub(super) size: usize,
    pub(super) making: M,
    pub(super) jobs: Vec<Job>,
}

/// A portion with what came of each job; `None` where its rows are needed.
pub(super) type Computed<M> = (Portion<M>, Vec<Option<Result<<M as Making>::Item, Issue>>>);

impl<M: Making + Send + 'static> Portion<M> {
    /// What is to be computed; the engine then knows all assets of it.
    pub(super) async fn ready(
        store: &Store,
        engine: &mut Arc<Engine>,
        shorts: &BTreeSet<AccountId>,
        changed: Vec<Changed>,
        making: M,
        size: usize,
    ) -> Result<Portion<M>> {
        let named = changed
            .iter()
            .flat_map(|changed| changed.assets.iter().copied());
        let new = engine.unknown(named);
        *engine = std::mem::take(engine).knowing(store, new).await?;
        let index = engine.asset_index();
        let jobs = changed
            .into_iter()
            .map(|changed| changed.job(index, shorts));
        let jobs = jobs.collect();
        Ok(Portion { size, making, jobs })
    }

    /// Begins to compute it, on threads of its own.
    pub(super) fn begin(self, engine: &Arc<Engine>) -> JoinHandle<Computed<M>> {
        let engine = Arc::clone(engine);
        spawn_blocking(move || {
            let outcomes = engine.make_all(&self.making, &self.jobs);
            (self, outcomes)
        })
    }
}
