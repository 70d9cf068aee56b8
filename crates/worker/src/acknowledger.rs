//! Settles what has ended. Takes everything that waits and settles it in one call, so the size of a batch follows the load.
//!
//! It does not decide what becomes of a message; that is `conclusion`.

use std::sync::Arc;
use std::time::Duration;

use broker::{BrokerError, Consumer, ErrorKind, Settled, Settlement, Tag, Verdict};
use protocol::{Event, State, TaskMeta, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::admission::Run;
use crate::conclusion;
use crate::conclusion::meta::finished;
use crate::engine::Engine;
use crate::settler::FollowUp;

/// What an impossible settlement is told as that was settled alone, and so should have been an error.
const NO_REASON: &str = "a settlement cannot be carried out, and the broker does not say why";

/// How many settlements one call carries at most.
const BATCH: usize = 512;

/// Wait before settling again after an outage that the broker did not wait through itself.
const PAUSE: Duration = Duration::from_millis(500);

/// Something to settle, and what follows from it.
#[derive(Debug)]
pub(crate) struct Completion {
    /// The settlement.
    pub(crate) settlement: Settlement,
    /// Told to the world when the settlement was carried out.
    pub(crate) event: Option<Event>,
    /// The run that has ended with it: if its end cannot be written, it has failed.
    pub(crate) run: Option<Run>,
    /// What is settled instead if the broker does not take it: the same end with less to send.
    pub(crate) fallback: Option<Box<Completion>>,
    /// What makes it more than one step.
    pub(crate) follow_up: Option<Box<FollowUp>>,
    /// Who waits for the outcome, and then looks after what follows from it.
    pub(crate) reply: Option<Reply>,
}

/// Where the outcome of a settlement goes.
pub(crate) type Reply = oneshot::Sender<Result<Settled, BrokerError>>;

impl From<Settlement> for Completion {
    fn from(settlement: Settlement) -> Self {
        Self {
            settlement,
            event: None,
            run: None,
            fallback: None,
            follow_up: None,
            reply: None,
        }
    }
}

/// What an [`Acknowledger`] needs.
#[derive(Debug)]
pub(crate) struct AcknowledgerParams {
    pub(crate) engine: Arc<Engine>,
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) completions: mpsc::Receiver<Box<Completion>>,
}

/// The actor that settles.
#[derive(Debug)]
pub(crate) struct Acknowledger {
    params: AcknowledgerParams,
}

#[expect(
    clippy::vec_box,
    reason = "ends come boxed through the channel, and are not moved before they are settled"
)]
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
                    _ => {
                        self.gather(&mut batch).await;
                        self.settle(&mut batch).await;
                    }
                },
                () = complete.cancelled() => self.params.completions.close(),
            }
        }
    }

    /// Adds what ends at the same time: it costs one round through the runtime's queue and saves round trips.
    async fn gather(&mut self, batch: &mut Vec<Box<Completion>>) {
        tokio::task::yield_now().await;
        while batch.len() < BATCH
            && let Ok(completion) = self.params.completions.try_recv()
        {
            batch.push(completion);
        }
    }

    async fn settle(&self, batch: &mut Vec<Box<Completion>>) {
        let mut settlements = Vec::with_capacity(batch.len());
        let mut followers = Vec::with_capacity(batch.len());
        for completion in batch.drain(..) {
            followers.push(Follower {
                tag: completion.settlement.tag.clone(),
                task_id: stored(&completion.settlement),
                event: completion.event,
                run: completion.run,
                fallback: completion.fallback,
                reply: completion.reply,
            });
            settlements.push(completion.settlement);
        }
        let settled = self.carry_out(settlements).await;
        let ends = settled.len();
        for (follower, settled) in followers.into_iter().zip(settled) {
            let metrics = &self.params.engine.metrics;
            metrics.settled(settled.as_ref().ok().copied());
            match settled {
                Ok(settled) => self.follow(follower, settled),
                Err(error) => self.refused(follower, error).await,
            }
        }
        self.params.engine.handover.settled(ends);
    }

    /// Settles the batch; if the broker refuses it as a whole, one by one, so that one settlement that cannot be carried out
    /// does not hold up the others.
    async fn carry_out(&self, settlements: Vec<Settlement>) -> Vec<Result<Settled, BrokerError>> {
        let error = match self.call(&settlements).await {
            Ok(settled) => return self.explained(&settlements, settled).await,
            Err(error) => error,
        };
        if error.kind() != ErrorKind::Closed && settlements.len() > 1 {
            warn!(%error, messages = settlements.len(), "a batch of settlements was refused; settling one by one");
            let mut settled = Vec::with_capacity(settlements.len());
            for settlement in settlements {
                settled.push(self.settle_single(&settlement).await);
            }
            return settled;
        }
        let again = |_: &Settlement| Err(BrokerError::new(error.kind(), error.to_string()));
        let mut settled: Vec<_> = settlements.iter().skip(1).map(again).collect();
        settled.push(Err(error));
        settled
    }

    /// The answers to a batch, with the error of each settlement that the broker cannot carry out.
    async fn explained(
        &self,
        settlements: &[Settlement],
        settled: Vec<Settled>,
    ) -> Vec<Result<Settled, BrokerError>> {
        let mut explained = Vec::with_capacity(settled.len());
        for (settlement, settled) in settlements.iter().zip(settled) {
            explained.push(match settled {
                Settled::Impossible => self.settle_single(settlement).await,
                settled => Ok(settled),
            });
        }
        explained
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

    fn follow(&self, follower: Follower, settled: Settled) {
        if let Some(reply) = follower.reply {
            // Whoever waited may have been cancelled.
            let _ = reply.send(Ok(settled));
            return;
        }
        match settled {
            Settled::Refused => {
                warn!(tag = %follower.tag, "settlement refused: this worker no longer held the message, nothing was stored")
            }
            Settled::Done | Settled::Uncertain => follower
                .event
                .into_iter()
                .for_each(|event| self.params.engine.events.send(event)),
            Settled::Complete | Settled::Claimed => {
                error!(tag = %follower.tag, "a chord's member was settled without anybody to join the chord")
            }
            Settled::Impossible => error!(tag = %follower.tag, "{NO_REASON}"),
        }
    }

    /// An end that cannot be written is a failure of its run. What has no run, or fails again, is parked: it must neither be lost nor
    /// run for ever.
    async fn refused(&self, follower: Follower, error: BrokerError) {
        let Follower {
            tag,
            task_id,
            run,
            fallback,
            reply,
            ..
        } = follower;
        if let Some(reply) = reply {
            // As above.
            let _ = reply.send(Err(error));
            return;
        }
        if error.kind() == ErrorKind::Closed {
            return error!(%error, %tag, "cannot settle; the message runs again when the lease has run out");
        }
        error!(%tag, error = &error as &dyn std::error::Error, "a settlement cannot be carried out");
        let engine = &self.params.engine;
        match (fallback, run) {
            (Some(fallback), _) => engine.follow(fallback, None),
            (None, Some(run)) => {
                engine.follow(Box::new(conclusion::unwritten(engine, &run, &error)), None)
            }
            (None, None) => {
                self.park(parked(tag, task_id, unwritable(&error), &error))
                    .await
            }
        }
    }

    async fn park(&self, parked: Settlement) {
        if let Err(error) = self.settle_single(&parked).await {
            error!(%error, "the message cannot be parked either; it runs again when this worker has ended");
        }
    }
}

/// What remains of a completion while its settlement is under way.
#[derive(Debug)]
struct Follower {
    tag: Tag,
    /// The task whose meta is stored.
    task_id: Option<String>,
    event: Option<Event>,
    run: Option<Run>,
    fallback: Option<Box<Completion>>,
    reply: Option<Reply>,
}

/// The task whose meta the settlement stores.
pub(crate) fn stored(settlement: &Settlement) -> Option<String> {
    settlement.store.as_ref().map(|meta| meta.task_id.clone())
}

/// The last way out for a message whose end the broker does not take: it is put aside, unless it has left the broker, and whoever waits for the task is told.
pub(crate) fn parked(
    tag: Tag,
    task_id: Option<String>,
    verdict: Verdict,
    error: &BrokerError,
) -> Settlement {
    let failure = conclusion::cannot_write(error);
    let exception = Value::from(&failure.exception);
    let store = task_id.map(|id| finished(TaskMeta::new(id, State::Failure, exception)));
    Settlement {
        store,
        ..Settlement::new(tag, verdict)
    }
}

/// What becomes of a message whose end the broker does not take.
pub(crate) fn unwritable(error: &BrokerError) -> Verdict {
    Verdict::Park {
        reason: format!("the end of the run cannot be written: {error}"),
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
