//! What stands beside the way of a task: remote control, gossip, heartbeats, and the state that outlasts the worker.

use std::sync::Arc;

use broker::Consumer;
use tokio_util::sync::CancellationToken;

use crate::control::{Control, Panel, Samples};
use crate::engine::Engine;
use crate::gossip::{Gossip, mingle};
use crate::heartbeat::Pulse;
use crate::revocations::remembered;
use crate::revocations::state_file::StateFile;
use crate::waiting::hasten_revoked;
use crate::{Shutdown, WorkerError};

/// Takes over what was revoked before this worker was there. Before the first message is reserved.
pub(super) async fn restore(engine: &Engine) -> Result<Option<StateFile>, WorkerError> {
    recall(engine).await;
    let file = engine.settings.worker_state_db.clone().map(StateFile::new);
    if let Some(file) = &file {
        file.load(engine)?;
    }
    Ok(file)
}

/// Takes over what the broker remembers as revoked.
pub(super) async fn recall(engine: &Engine) {
    let client = &engine.client;
    if client.options().revokes_on_broker {
        let coordinator = &*client.backends().coordinator;
        remembered::load(&engine.revocations, coordinator).await;
    }
}

/// Starts all of it; it ends when `settled` is cancelled.
pub(super) async fn start(
    engine: &Arc<Engine>,
    consumer: &Arc<dyn Consumer>,
    shutdown: &Shutdown,
    settled: &CancellationToken,
) -> Result<(), WorkerError> {
    let gossip = start_gossip(engine, settled).await?;
    if engine.settings.worker_enable_remote_control {
        let control = Control::open(Panel {
            engine: Arc::clone(engine),
            consumer: Arc::clone(consumer),
            gossip,
            shutdown: shutdown.clone(),
            samples: Samples::default(),
        })
        .await?;
        tokio::spawn(settled.clone().run_until_cancelled_owned(control.run()));
    }
    if engine.settings.mingle {
        let mingling = mingle::mingle(Arc::clone(engine));
        tokio::spawn(settled.clone().run_until_cancelled_owned(mingling));
    }
    let hastening = hasten_revoked(Arc::clone(engine));
    tokio::spawn(settled.clone().run_until_cancelled_owned(hastening));
    tokio::spawn(Pulse::new(Arc::clone(engine)).run(settled.clone()));
    Ok(())
}

async fn start_gossip(
    engine: &Arc<Engine>,
    settled: &CancellationToken,
) -> Result<Option<Arc<Gossip>>, WorkerError> {
    if !engine.settings.gossip {
        return Ok(None);
    }
    let gossip = Arc::new(Gossip::new(Arc::clone(engine)));
    let events = gossip.listen().await?;
    tokio::spawn(Arc::clone(&gossip).run(events, settled.clone()));
    Ok(Some(gossip))
}
