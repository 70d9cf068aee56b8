//! Settles what has ended. Takes everything that waits and settles it in one call, so the size of a batch follows the load.
//!
//! It does not decide what becomes of a message; that is `conclusion`.

use std::sync::Arc;

use broker::{Backends, Consumer, ErrorKind, Settled, Settlement};
use protocol::{Event, TaskMeta};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::events::EventSender;

/// How many settlements one call carries at most.
const BATCH: usize = 512;

/// Something to settle, and what follows from it.
#[derive(Debug)]
pub(crate) struct Completion {
    /// The settlement.
    pub(crate) settlement: Settlement,
    /// Metas of other tasks to store first: the rest of a chain that failed.
    pub(crate) also_store: Vec<TaskMeta>,
    /// Told to the world when the settlement was carried out.
    pub(crate) event: Option<Event>,
    /// Who waits for the outcome.
    pub(crate) reply: Option<oneshot::Sender<Settled>>,
}

impl From<Settlement> for Completion {
    fn from(settlement: Settlement) -> Self {
        Self { settlement, also_store: Vec::new(), event: None, reply: None }
    }
}

/// What an [`Acknowledger`] needs.
#[derive(Debug)]
pub(crate) struct AcknowledgerParams {
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) backends: Backends,
    pub(crate) completions: mpsc::Receiver<Completion>,
    pub(crate) events: EventSender,
}

/// The actor that settles.
#[derive(Debug)]
pub(crate) struct Acknowledger {
    params: AcknowledgerParams,
}

impl Acknowledger {
    pub(crate) fn new(params: AcknowledgerParams) -> Self {
        Self { params }
    }

    /// Runs until it is told that nothing more comes, and everything is settled.
    pub(crate) async fn run(mut self, complete: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                received = self.params.completions.recv_many(&mut batch, BATCH) => match received {
                    0 => return,
                    _ => self.settle(&mut batch).await,
                },
                () = complete.cancelled() => self.params.completions.close(),
            }
        }
    }

    async fn settle(&self, batch: &mut Vec<Completion>) {
        self.store_others(batch).await;
        let mut settlements = Vec::with_capacity(batch.len());
        let mut followers = Vec::with_capacity(batch.len());
        for completion in batch.drain(..) {
            followers.push((completion.settlement.tag.clone(), completion.event, completion.reply));
            settlements.push(completion.settlement);
        }
        match self.params.consumer.settle(settlements).await {
            Ok(settled) => {
                for ((tag, event, reply), settled) in followers.into_iter().zip(settled) {
                    self.follow(&tag, settled, event, reply);
                }
            }
            Err(error) if error.kind() == ErrorKind::Closed => warn!(%error, "settlements after the end are left to the lease"),
            Err(error) => error!(error = &error as &dyn std::error::Error, messages = followers.len(), "cannot settle; the messages will run again"),
        }
    }

    fn follow(&self, tag: &broker::Tag, settled: Settled, event: Option<Event>, reply: Option<oneshot::Sender<Settled>>) {
        if settled == Settled::Refused {
            warn!(%tag, "settlement refused: this worker no longer held the message, nothing was stored");
        } else if let Some(event) = event {
            self.params.events.send(event);
        }
        if let Some(reply) = reply {
            // Whoever waited may have been cancelled.
            let _ = reply.send(settled);
        }
    }

    async fn store_others(&self, batch: &mut [Completion]) {
        let metas: Vec<TaskMeta> = batch.iter_mut().flat_map(|completion| completion.also_store.drain(..)).collect();
        let Some(results) = self.params.backends.results.as_ref().filter(|_| !metas.is_empty()) else {
            return;
        };
        if let Err(error) = results.store(metas).await {
            error!(error = &error as &dyn std::error::Error, "cannot store the failure of the rest of a chain");
        }
    }
}
