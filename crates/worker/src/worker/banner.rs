//! What the worker says when it is ready: how it acknowledges, what its limits can do, what it runs.

use tracing::info;

use crate::Pool;
use crate::engine::Engine;

pub(super) fn banner(engine: &Engine) {
    let settings = &engine.settings;
    let acks = if settings.task_acks_late {
        "late: a task is acknowledged when it has ended and runs again if its worker is lost (Celery's default is early)"
    } else {
        "early: a task is acknowledged when it starts and is lost with its worker"
    };
    info!(
        hostname = settings.hostname,
        queues = settings.queues.join(","),
        pool = engine.pool.kind().name(),
        concurrency = engine.pool.concurrency(),
        prefetch = engine.pool.prefetch_count(),
        results = engine.stores_results,
        "worker ready"
    );
    info!("acknowledgement is {acks}");
    info!(
        "time limits: the hard one ends an async task at its next await; it kills a child process; a thread cannot be killed, its failure \
         is stored and its slot is free when it ends. The soft one asks the task, and ends an async task that never asks"
    );
    let names = engine.registry.names_of_application();
    let blocking = names.iter().filter(|name| {
        engine
            .registry
            .options(name)
            .is_some_and(|options| options.pool == Some(Pool::Blocking))
    });
    info!(
        tasks = names.join(","),
        blocking = blocking.copied().collect::<Vec<_>>().join(","),
        "registered tasks"
    );
}
