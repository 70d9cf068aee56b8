//! Settles what has ended. Takes everything that waits and settles it in one call, so the size of a batch follows the load.
//!
//! It does not decide what becomes of a message; that is `conclusion`.

use std::sync::Arc;
use std::time::Duration;

use broker::{Backends, BrokerError, Consumer, ErrorKind, Settled, Settlement, Tag, Verdict};
use protocol::{Event, State, TaskMeta, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::Failure;
use crate::conclusion::meta::finished;
use crate::events::EventSender;

/// How many settlements one call carries at most.
const BATCH: usize = 512;

/// Wait before settling again after an outage that the broker did not wait through itself.
const PAUSE: Duration = Duration::from_millis(500);

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
        Self {
            settlement,
            also_store: Vec::new(),
            event: None,
            reply: None,
        }
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
            followers.push((
                completion.settlement.tag.clone(),
                completion.event,
                completion.reply,
            ));
            settlements.push(completion.settlement);
        }
        let settled = self.carry_out(settlements).await;
        for ((tag, event, reply), settled) in followers.into_iter().zip(settled) {
            self.follow(&tag, settled, event, reply);
        }
    }

    /// Settles the batch; if the broker refuses it as a whole, one by one, so that one settlement that cannot be carried out
    /// does not hold up the others. `None` for what could not be settled at all.
    async fn carry_out(&self, settlements: Vec<Settlement>) -> Vec<Option<Settled>> {
        let error = match self.call(&settlements).await {
            Ok(settled) => return settled.into_iter().map(Some).collect(),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::Closed {
            error!(%error, messages = settlements.len(), "cannot settle; the messages run again when the lease has run out");
            return vec![None; settlements.len()];
        }
        warn!(%error, messages = settlements.len(), "a batch of settlements was refused; settling one by one");
        let mut settled = Vec::with_capacity(settlements.len());
        for settlement in settlements {
            settled.push(self.carry_out_one(settlement).await);
        }
        settled
    }

    /// What cannot be written is replaced by a failure that says so, and its message is parked: it must neither be lost nor run
    /// for ever.
    async fn carry_out_one(&self, settlement: Settlement) -> Option<Settled> {
        let error = match self.settle_single(&settlement).await {
            Ok(settled) => return Some(settled),
            Err(error) => error,
        };
        error!(tag = %settlement.tag, error = &error as &dyn std::error::Error, "a settlement cannot be carried out; parking the message");
        let failure = Failure::new(
            "EncodeError",
            "kombu.exceptions",
            vec![error.to_string().into()],
        );
        let store = settlement.store.map(|meta| {
            finished(TaskMeta::new(
                meta.task_id,
                State::Failure,
                Value::from(&failure.exception),
            ))
        });
        let verdict = Verdict::Park {
            reason: format!("the end of the run cannot be written: {error}"),
        };
        let parked = Settlement {
            tag: settlement.tag,
            verdict,
            store,
            publish: Vec::new(),
            effects: None,
        };
        self.settle_single(&parked)
            .await
            .inspect_err(|error| error!(%error, "the message cannot be parked either; it runs again when this worker has ended"))
            .ok()
    }

    async fn settle_single(&self, settlement: &Settlement) -> Result<Settled, BrokerError> {
        self.call(std::slice::from_ref(settlement))
            .await?
            .first()
            .copied()
            .ok_or_else(no_answer)
    }

    /// One call of the broker; outages that it does not wait through itself are waited through here, and so are refused credentials:
    /// an operator mends them, and until then nothing more is run than can wait here.
    async fn call(&self, settlements: &[Settlement]) -> Result<Vec<Settled>, BrokerError> {
        loop {
            match self.params.consumer.settle(settlements.to_vec()).await {
                Err(error) if error.is_transient() || error.kind() == ErrorKind::Denied => {
                    pause(&error).await;
                }
                settled => return settled,
            }
        }
    }

    fn follow(
        &self,
        tag: &Tag,
        settled: Option<Settled>,
        event: Option<Event>,
        reply: Option<oneshot::Sender<Settled>>,
    ) {
        match settled {
            None => return,
            Some(Settled::Refused) => {
                warn!(%tag, "settlement refused: this worker no longer held the message, nothing was stored")
            }
            Some(Settled::Done | Settled::Uncertain | Settled::Complete | Settled::Claimed) => {
                event
                    .into_iter()
                    .for_each(|event| self.params.events.send(event))
            }
        }
        if let (Some(reply), Some(settled)) = (reply, settled) {
            // Whoever waited may have been cancelled.
            let _ = reply.send(settled);
        }
    }

    /// Stores what ends along with a run, before the run's own message is settled, so that a crash in between repeats it; and only
    /// while that message is held, so that a worker that was declared dead changes nothing.
    async fn store_others(&self, batch: &mut [Completion]) {
        let ending: Vec<&mut Completion> = batch
            .iter_mut()
            .filter(|completion| !completion.also_store.is_empty())
            .collect();
        if ending.is_empty() {
            return;
        }
        let keep = |completion: &&mut Completion| {
            Settlement::new(completion.settlement.tag.clone(), Verdict::Keep)
        };
        let kept: Vec<Settlement> = ending.iter().map(keep).collect();
        let held = match self.call(&kept).await {
            Ok(held) => held,
            Err(error) => return error!(%error, "cannot store what ends along with a task"),
        };
        let held = ending
            .into_iter()
            .zip(held)
            .filter(|(_, settled)| *settled == Settled::Done);
        let metas = held.flat_map(|(completion, _)| std::mem::take(&mut completion.also_store));
        self.store(metas.collect()).await;
    }

    async fn store(&self, metas: Vec<TaskMeta>) {
        let Some(results) = &self.params.backends.results else {
            return;
        };
        while let Err(error) = results.store(metas.clone()).await {
            if !error.is_transient() {
                return error!(
                    error = &error as &dyn std::error::Error,
                    "cannot store what ends along with a task"
                );
            }
            pause(&error).await;
        }
    }
}

async fn pause(error: &BrokerError) {
    warn!(%error, "settling failed, trying again");
    tokio::time::sleep(PAUSE).await;
}

fn no_answer() -> BrokerError {
    BrokerError::new(
        ErrorKind::Other,
        "the broker gave no answer for a settlement",
    )
}
