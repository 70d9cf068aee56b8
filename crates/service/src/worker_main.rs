//! A worker's program: everything around a registry of tasks.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use beat::SystemClock;
use broker::Backends;
use worker::{Registry, Worker, WorkerParams, WorkerSettings};

use crate::beat_main::Scheduling;
use crate::notify;
use crate::pidfile::Pidfile;
use crate::program::{Program, Service, run};
use crate::settings::Environment;
use crate::telemetry::TraceContext;
use crate::watching::{Watch, Watched, routes, watch};
use crate::{Error, Settings, WorkerArgs, node, parse, pool_child};

/// Runs the worker program `name` with the tasks that `registry` gives; the whole of a worker's `main`.
pub fn worker_main<F, E>(name: &'static str, registry: F) -> ExitCode
where
    F: FnOnce(&Settings) -> Result<Registry, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut args = match parse::<WorkerArgs>(name) {
        Ok(args) => args,
        Err(exit) => return exit.into(),
    };
    let watched = Watched::default();
    let prepared = args.celery.apply();
    let program = prepared.and_then(|()| Program::new(name, &args.common, Vec::new()));
    let program = program.map(|mut program| {
        args.fill_from(&program.sources.environment);
        args.log.logfile = args
            .log
            .logfile
            .take()
            .map(|path| node::node_path(&path, &args.node()));
        program.sources.overrides.extend(args.overrides());
        program.routes = Some(routes(Watched::clone(&watched)));
        program
    });
    if args.pool.pool_child {
        return pool_child::main(program, &args, registry);
    }
    let environment = match &program {
        Ok(program) => program.sources.environment.clone(),
        Err(_) => Environment::default(),
    };
    run(program, |service| {
        work(service, args, environment, registry, watched)
    })
}

async fn work<F, E>(
    service: Service,
    args: WorkerArgs,
    environment: Environment,
    registry: F,
    watched: Watched,
) -> Result<(), Error>
where
    F: FnOnce(&Settings) -> Result<Registry, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut registry = registry(&service.settings).map_err(Error::program)?;
    service.settings.annotate(&mut registry)?;
    let settings = worker_settings(&service.settings, &args, &environment)?;
    let _pidfile = args.pidfile().map(Pidfile::write).transpose()?;
    if args.purge {
        purge(&service.backends, &settings.queues).await?;
    }
    let status = format!(
        "{} consumes {}",
        settings.hostname,
        settings.queues.join(",")
    );
    let begins = args
        .beat
        .then(|| Scheduling::start(&service, SystemClock::default()));
    let scheduling = begins.transpose()?;
    let worker = Worker::new(WorkerParams {
        client: service.client()?,
        registry,
        settings,
        hooks: vec![Arc::new(TraceContext)],
        ready: Some(Box::new(move || notify::ready(&status))),
    })?;
    let health = worker.health();
    let _watched = watch(&health, service.report);
    let mut parts: Vec<Arc<dyn Watch>> = vec![Arc::new(health)];
    parts.extend(
        scheduling
            .iter()
            .map(|scheduling| Arc::clone(&scheduling.beat) as _),
    );
    // Nobody else sets it.
    let _ = watched.set(parts);
    let ended = worker.run(service.shutdown).await;
    if let Some(scheduling) = scheduling {
        scheduling.end().await;
    }
    Ok(ended?)
}

/// What the settings say, with what only the command line knows.
pub(crate) fn worker_settings(
    settings: &Settings,
    args: &WorkerArgs,
    environment: &Environment,
) -> Result<WorkerSettings, Error> {
    let configured = settings.worker_settings()?;
    let mut queues = args.chosen_queues(settings.default_queue());
    if settings.is_on("worker_direct") {
        queues.push(format!("{}.dq2", args.node()));
    }
    if queues.is_empty() {
        return Err(Error::Usage(
            "no queue is left: --exclude-queues takes them all".to_owned(),
        ));
    }
    let heartbeat = args
        .heartbeat_interval
        .map(Duration::try_from_secs_f64)
        .transpose();
    let heartbeat = heartbeat
        .map_err(|_| Error::Usage("--heartbeat-interval must be a number of seconds".to_owned()))?;
    let interval = heartbeat
        .or(configured.heartbeat_interval)
        .filter(|_| !args.without_heartbeat);
    let configured = args.pool.apply(configured, environment)?;
    let hostname = args.node();
    let state_db = configured.worker_state_db.as_deref();
    let state_db = state_db.map(|path| node::node_path(&path.to_string_lossy(), &hostname).into());
    Ok(WorkerSettings {
        worker_state_db: state_db,
        gossip: !args.without_gossip,
        mingle: !args.without_mingle,
        revokes_max: args.revokes_max()?.unwrap_or(configured.revokes_max),
        revoke_expires: args.revoke_expires()?.unwrap_or(configured.revoke_expires),
        hostname,
        queues,
        max_tasks: args.max_tasks,
        heartbeat_interval: interval,
        ..configured
    })
}

async fn purge(backends: &Backends, queues: &[String]) -> Result<(), Error> {
    for queue in queues {
        let messages = backends.admin.purge(queue).await?;
        tracing::info!(queue, messages, "purged");
    }
    Ok(())
}
