//! Runs tasks: a place from the intake, a slot to run in, and one conclusion at the end. Which run has which slot is `lanes`' business.

mod backlog;
mod ending;
mod lanes;
pub(crate) mod work;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use broker::{Settled, Settlement, Verdict};
use jiff::Timestamp;
use protocol::{Map, State, TaskMeta, TaskRequest, Value};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, info, warn};

use crate::acknowledger::Completion;
use crate::activity::Held;
use crate::admission::{Run, discard};
use crate::conclusion::{Ended, RunEnd, meta};
use crate::context::Context;
use crate::engine::{Engine, epoch};
use crate::pools::{Ending, Place, Threads};
use crate::prefork::{self, Children};
use crate::{Failure, Pool, Shutdown, events};
use backlog::{Backlog, Waiting};
use lanes::{Beginners, Lane};

/// Runs tasks, at most as many at once as the pool has slots.
#[derive(Clone, Debug)]
pub(crate) struct Executor(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Arc<Engine>,
    threads: Threads,
    children: Arc<Children>,
    tracker: TaskTracker,
    shutdown: Shutdown,
    backlog: Backlog,
    beginners: Beginners,
}

/// The place and the slot that a run takes up. A thread that outlives its run keeps them.
#[derive(Debug)]
pub(crate) struct Permits {
    // Dropped before the place: when that is free, nothing is to be had ahead of it any more.
    ending: Option<Arc<Ending>>,
    place: Place,
    _slot: Arc<OwnedSemaphorePermit>,
}

impl Executor {
    pub(crate) fn new(engine: Arc<Engine>, shutdown: Shutdown) -> Self {
        let inner = Arc::new(Inner {
            children: Children::new(Arc::clone(&engine)),
            engine,
            threads: Threads::default(),
            tracker: TaskTracker::new(),
            shutdown,
            backlog: Backlog::default(),
            beginners: Beginners::of_this_runtime(),
        });
        tokio::spawn(lanes::look_after(Arc::clone(&inner)));
        Self(inner)
    }

    /// Starts the run as soon as a slot is free.
    pub(crate) fn start(&self, run: Run, place: Place) {
        let inner = &self.0;
        inner.backlog.push(run, place);
        Lane::call(inner);
    }

    /// How many slots the runs have, or would have if others did not come to them by themselves.
    pub(crate) fn wanted_slots(&self) -> usize {
        let slots = self.0.engine.pool.slots();
        (slots.taken() + self.0.backlog.len()).min(slots.size())
    }

    /// Gives back what was not started, and waits until nothing runs any more. Call it after the last start, when the worker stops.
    pub(crate) async fn drain(&self) {
        self.0.give_back(0).await;
        self.0.tracker.close();
        self.0.tracker.wait().await;
        self.0.children.close().await;
    }
}

impl Inner {
    async fn execute(&self, run: &Run, mut permits: Permits) {
        let began = Instant::now();
        let ctx = Arc::new(Context::new(
            Arc::clone(&self.engine),
            Arc::clone(&run.held),
        ));
        let span = span_of(&run.held.request);
        self.engine
            .hooks
            .iter()
            .for_each(|hook| hook.on_span(&ctx, &span));
        let announced = ending::announced(self.engine.pool.places().pace(), &mut permits);
        let running = self.run_in_slot(run, &ctx, permits).instrument(span);
        tokio::select! {
            biased;
            () = running => {}
            () = announced => {}
        }
        run.task.know();
        self.engine.pool.places().pace().ran(began.elapsed());
        let processed = self.engine.activity.release(&run.held);
        self.stop_after(processed);
    }

    /// Asks the worker to stop when it has run its number of tasks.
    fn stop_after(&self, processed: u64) {
        let most = self.engine.settings.max_tasks;
        if most.is_some_and(|most| processed >= most) && !self.shutdown.is_requested() {
            info!(
                processed,
                "the worker has run its number of tasks and stops"
            );
            self.shutdown.warm.cancel();
        }
    }

    /// Gives back all that wait for a slot but the first so many: others are idle, and what runs here may take hours. The last one
    /// goes first, so that they are in front of the queue in their order.
    async fn give_back(&self, all_but: usize) {
        for Waiting { run, place, .. } in self.backlog.take_back(all_but) {
            let settlement = Settlement::new(run.held.tag.clone(), Verdict::Return);
            self.engine.complete(settlement.into()).await;
            self.engine.activity.release(&run.held);
            drop(place);
        }
    }

    async fn run_in_slot(&self, run: &Run, ctx: &Arc<Context>, permits: Permits) {
        let _turn = match run.policy.pool {
            Pool::Solo => Some(self.engine.pool.solo().take().await),
            _ => None,
        };
        let discarding = discard(&self.engine, run);
        if let Some(discarding) = discarding.map(|discarded| self.engine.complete(discarded)) {
            return discarding.await;
        }
        let repeating = self.succeeded_before(run).await.map(|stored| {
            let ended = self.ended(run, ctx, Duration::ZERO);
            self.engine.complete(ended.duplicate(stored).completion)
        });
        if let Some(repeating) = repeating {
            return repeating.await;
        }
        if !self.begin(run).await {
            return;
        }
        self.engine.activity.start(&run.held, epoch());
        self.engine
            .metrics
            .started(&run.held.queue, waited(&run.held));
        self.engine
            .hooks
            .iter()
            .for_each(|hook| hook.before_run(ctx));
        let started = Instant::now();
        let end = self.run_in_pool(run, ctx, permits).await;
        let completion = self.conclude(run, ctx, started.elapsed(), end);
        self.engine.complete(completion).await;
    }

    /// What becomes of a run that has ended; the hooks and the metrics are told.
    fn conclude(
        &self,
        run: &Run,
        ctx: &Arc<Context>,
        runtime: Duration,
        end: RunEnd,
    ) -> Completion {
        let ended = self.ended(run, ctx, runtime);
        let conclusion = ended.conclude(end);
        self.engine
            .hooks
            .iter()
            .for_each(|hook| hook.after_run(ctx, &conclusion.state, ended.runtime));
        self.engine.metrics.finished(
            &run.task.name,
            &run.held.queue,
            &conclusion.state,
            Some(ended.runtime),
        );
        conclusion.completion
    }

    fn ended<'a>(&'a self, run: &'a Run, ctx: &'a Context, runtime: Duration) -> Ended<'a> {
        Ended {
            engine: &self.engine,
            run,
            ctx,
            runtime,
        }
    }

    /// The meta of a redelivered task that has succeeded, where such tasks are not to be run again. A result that cannot be asked
    /// for does not keep the task from running.
    async fn succeeded_before(&self, run: &Run) -> Option<TaskMeta> {
        if !(run.policy.deduplicates && run.held.redelivered) {
            return None;
        }
        let results = self.engine.client.backends().results.as_deref()?;
        let id = std::slice::from_ref(&run.held.request.id);
        let stored = results
            .fetch(id)
            .await
            .inspect_err(|error| warn!(%error, "cannot see whether the task has succeeded before"))
            .ok()?;
        let stored = stored.into_iter().next().flatten();
        stored.filter(|meta| meta.status == State::Success)
    }

    async fn run_in_pool(&self, run: &Run, ctx: &Arc<Context>, permits: Permits) -> RunEnd {
        let deaths = run.held.deaths;
        if deaths >= self.engine.settings.max_worker_deaths {
            return RunEnd::Lost(format!("{deaths} workers have died with this task"));
        }
        match run.policy.pool {
            // Boxed like all that is large and seldom: every run's future would have room for it.
            Pool::Prefork => Box::pin(prefork::run(&self.engine, &self.children, run, ctx)).await,
            _ => work::work(&self.engine, &self.threads, run, ctx, permits).await,
        }
    }

    /// What must be settled before the run; `false` when the message turns out to be somebody else's.
    async fn begin(&self, run: &Run) -> bool {
        let request = &run.held.request;
        if !self.secure(run).await {
            warn!("the message is no longer held by this worker; the task is not run here");
            return false;
        }
        self.engine
            .events
            .send_task(&run.task.options, || events::started(&self.engine, request));
        if run.policy.tracks_started {
            self.engine.complete(self.started(run)).await;
        }
        true
    }

    /// Tells in which process the run has begun.
    fn started(&self, run: &Run) -> Completion {
        let who = [
            ("pid", Value::from(std::process::id())),
            ("hostname", self.engine.settings.hostname.as_str().into()),
        ];
        let who = Map::from_iter(who).into();
        let meta = meta::meta(&self.engine, &run.held, State::Started, who);
        let settlement = Settlement::new(run.held.tag.clone(), Verdict::Keep);
        Completion::from(Settlement {
            store: Some(meta),
            ..settlement
        })
    }

    /// Whether the message is surely this worker's still. One that was just asked for is; after a part of a lease the worker may have
    /// been frozen and declared dead, and somebody else may run it.
    async fn secure(&self, run: &Run) -> bool {
        if run.policy.acks_early {
            return Box::pin(self.acknowledge_early(run)).await;
        }
        let trusted = self.engine.settings.lease / 3;
        run.held.asked.elapsed() < trusted || Box::pin(self.is_held(run)).await
    }

    async fn is_held(&self, run: &Run) -> bool {
        let question = Settlement::new(run.held.tag.clone(), Verdict::Keep);
        self.engine.settle(question).await == Some(Settled::Done)
    }

    async fn acknowledge_early(&self, run: &Run) -> bool {
        let text = "the worker was lost while the task ran, after an early acknowledgement";
        let failure = Failure::new("WorkerLostError", "billiard.exceptions", vec![text.into()]);
        let lost = Box::new(meta::failure(
            &self.engine,
            &run.held,
            State::Failure,
            &failure,
        ));
        let settlement = Settlement::new(run.held.tag.clone(), Verdict::AckEarly { lost });
        let held = match self.engine.settle(settlement).await {
            // Carried out before the connection broke, or lost with the lease: the record of the run tells.
            Some(Settled::Uncertain) => self.is_held(run).await,
            settled => settled == Some(Settled::Done),
        };
        run.held.acknowledged.store(held, Ordering::Relaxed);
        held
    }
}

/// How long a run could have begun before it did: since its ETA, or else its receipt.
fn waited(held: &Held) -> Duration {
    let since = |eta: Timestamp| Duration::try_from(Timestamp::now().duration_since(eta));
    held.request.eta.map_or_else(
        || held.received.elapsed(),
        |eta| since(eta).unwrap_or_default(),
    )
}

/// The span that every line of a run is logged in.
pub(crate) fn span_of(request: &TaskRequest) -> Span {
    let root = request.root_id.as_deref().unwrap_or(&request.id);
    let trace_id =
        client::trace_id(&request.extra).map_or_else(|| root.replace('-', ""), str::to_owned);
    tracing::info_span!(
        "run",
        task_id = request.id,
        task_name = request.task,
        attempt = request.retries,
        trace_id
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, F>(_: impl FnOnce(A) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_future_of_a_lane_stays_small_for_there_may_be_thousands() {
        let size = size_of_future(Lane::run);
        assert!(size <= 1_536, "{size}");
    }
}
