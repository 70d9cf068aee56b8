//! Autoscaling: more slots at once while messages wait and every slot is busy, fewer when some have been idle for a while.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::engine::Engine;

/// How often the pool is looked at.
const TICK: Duration = Duration::from_secs(1);

/// The actor that changes the size of an autoscaled pool.
#[derive(Debug)]
pub(crate) struct Autoscaler<W> {
    engine: Arc<Engine>,
    /// How many slots the runs that are here have or want.
    wanted: W,
    /// When every slot was busy last.
    busy: Instant,
}

impl<W: Fn() -> usize> Autoscaler<W> {
    pub(crate) fn new(engine: Arc<Engine>, wanted: W) -> Self {
        Self {
            engine,
            wanted,
            busy: Instant::now(),
        }
    }

    /// Runs until it is told to end.
    pub(crate) async fn run(mut self, end: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while end.run_until_cancelled(ticks.tick()).await.is_some() {
            self.look().await;
        }
    }

    async fn look(&mut self) {
        let Some(bounds) = self.engine.pool.bounds() else {
            return;
        };
        let (size, wanted) = (self.engine.pool.slots().size(), (self.wanted)());
        if wanted >= size {
            self.busy = Instant::now();
            if size < bounds.max {
                self.engine
                    .pool
                    .scale(size.saturating_add(self.waiting().await));
            }
        } else if self.busy.elapsed() >= self.engine.settings.autoscale_keepalive {
            self.engine.pool.scale(wanted);
        }
    }

    /// Messages that are ready in the queues and could run here.
    async fn waiting(&self) -> usize {
        let admin = &self.engine.client.backends().admin;
        match admin.depth(&self.engine.queues.names()).await {
            Ok(depths) => {
                let ready = depths.iter().map(|depth| depth.ready()).sum::<u64>();
                usize::try_from(ready).unwrap_or(usize::MAX)
            }
            Err(error) => {
                warn!(%error, "cannot ask how many messages wait; the pool keeps its size");
                0
            }
        }
    }
}
