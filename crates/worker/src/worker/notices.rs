//! What the consumer tells of itself: logged, counted, and acted on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use broker::Notice;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::beside;
use crate::engine::Engine;

/// Runs until the consumers are gone.
pub(super) async fn follow(engine: Arc<Engine>, mut notices: mpsc::Receiver<Notice>) {
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Disconnected { error } => disconnected(&engine, &error),
            Notice::Reconnected => {
                engine.vitals.connected(true);
                info!("the connection to the broker is back");
                // Requests that were broadcast meanwhile are gone; what they revoked is remembered.
                beside::recall(&engine).await;
            }
            Notice::Reclaimed { from, messages } => {
                engine.metrics.reclaimed(messages);
                warn!(from, messages, "messages of a lost worker are ready again");
            }
            Notice::Lost { meta } => {
                engine.metrics.lost();
                error!(
                    task_id = meta.task_id,
                    "a run was lost with its worker after an early acknowledgement"
                );
            }
            Notice::Fenced => {
                engine.metrics.fenced();
                warn!(
                    "this worker was declared dead while it was cut off; what it held runs elsewhere"
                );
            }
        }
    }
}

fn disconnected(engine: &Engine, error: &str) {
    engine.vitals.connected(false);
    engine.metrics.disconnected();
    warn!(
        error,
        "the connection to the broker is lost; it is being rebuilt"
    );
    if engine
        .settings
        .worker_cancel_long_running_tasks_on_connection_loss
    {
        cancel_runs(engine);
    }
}

/// Ends what will run again because it was not acknowledged yet. A thread cannot be ended, and what runs on one goes on.
fn cancel_runs(engine: &Engine) {
    for held in engine.activity.held() {
        if !held.is_active() || held.acknowledged.load(Ordering::Relaxed) {
            continue;
        }
        let (task_id, task_name) = (&held.request.id, &held.request.task);
        if held.thread.get().is_some() {
            warn!(
                task_id,
                task_name, "a task on a thread goes on without the broker"
            );
            continue;
        }
        warn!(
            task_id,
            task_name, "ending a task because the connection to the broker is lost"
        );
        held.disconnected.store(true, Ordering::Relaxed);
        held.stop.raise();
    }
}
