//! Those who watch a worker: systemd, probes and Prometheus, and whoever sends USR1. All of them are told by the same [`Health`].

mod routes;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use worker::{Health, Readiness};

use crate::notify::{self, IsAlive};
pub(crate) use routes::{Watch, Watched, routes};

/// Starts telling them, until what it returns is dropped. Probes and Prometheus are answered by [`routes`], from before on.
pub(crate) fn watch(health: &Health, asked: Arc<Notify>) -> DropGuard {
    let over = CancellationToken::new();
    tokio::spawn(notify::watchdog(is_alive(health.clone()), over.clone()));
    let end = || over.clone();
    tokio::spawn(end().run_until_cancelled_owned(tell_status(health.clone())));
    tokio::spawn(end().run_until_cancelled_owned(report(health.clone(), asked)));
    over.drop_guard()
}

fn is_alive(health: Health) -> IsAlive {
    Arc::new(move |within: Duration| health.age() < within)
}

/// Tells systemd whether the worker consumes, whenever that changes. That it is ready at all is told when it is.
async fn tell_status(health: Health) {
    let mut readiness = Readiness::Starting;
    while let Some(now) = health.changed(readiness).await {
        readiness = now;
        notify::status(&format!("{}: {readiness}", health.description()));
    }
}

/// Writes to the log what the worker is doing whenever somebody asks.
async fn report(health: Health, asked: Arc<Notify>) {
    loop {
        asked.notified().await;
        health.report();
    }
}
