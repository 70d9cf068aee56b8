//! `celeriac finance test-celery`, `test-tasks` and `run`: sends finance tasks, waits for them, and shows how each ended.

use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use broker::MemoryBroker;
use client::{Call, Client, ClientOptions, TaskError};
use protocol::Value;
use serde::Serialize;
use service::Exit;
use tasks::catalogue::{
    CLEANUP_OLD_DATA, DEBUG_TASK, EXPORT_DASHBOARD_DATA, HEALTH_CHECK, PERFORMANCE_ANALYSIS,
    REFRESH_DASHBOARD_CACHE, REFRESH_PORTFOLIO_ANALYTICS, SEND_NOTIFICATION, Spec, TEST_TASK,
    WARM_DASHBOARD_CACHE,
};
use worker::{Shutdown, Worker, WorkerParams, WorkerSettings};

use crate::context::{Context, seconds};
use crate::error::Error;
use crate::output;

/// Which of portfolio_site's tasks are tried.
#[derive(Debug, clap::Args)]
pub(crate) struct CeleryArgs {
    /// What is tried
    #[arg(long, value_name = "WHAT", default_value = "all", value_parser = ["notification", "analytics", "all"])]
    task: String,
    #[command(flatten)]
    common: Common,
}

/// Which of the dashboard's tasks are tried.
#[derive(Debug, clap::Args)]
pub(crate) struct TasksArgs {
    /// What is tried
    #[arg(long, value_name = "WHAT", default_value = "all",
        value_parser = ["refresh", "warm", "analysis", "export", "notification", "cleanup", "debug", "all"])]
    task: String,
    /// Run them in this process, without broker and workers
    #[arg(long)]
    sync: bool,
    #[command(flatten)]
    common: Common,
}

/// Which job is run now.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The job
    #[arg(value_parser = ["analytics"])]
    job: String,
    /// Seconds to wait for its end
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    timeout: Duration,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// The user whom the tasks are about
    #[arg(long = "user-id", value_name = "ID", default_value = "1")]
    user_id: i64,
    /// Seconds to wait for each task
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,
}

/// A task that is tried, and what for.
struct Trial {
    spec: Spec,
    what: &'static str,
    call: fn(Call<Value>, i64) -> Call<Value>,
}

const fn trial(what: &'static str, spec: Spec, call: fn(Call<Value>, i64) -> Call<Value>) -> Trial {
    Trial { spec, what, call }
}

/// How long workers are given to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Of `test-celery`.
const CELERY: [Trial; 4] = [
    trial("all", TEST_TASK, |call, _| call.kwarg("x", 2).kwarg("y", 2)),
    trial("all", HEALTH_CHECK, |call, _| call),
    trial("notification", SEND_NOTIFICATION, notify),
    trial("analytics", REFRESH_PORTFOLIO_ANALYTICS, |call, user| {
        call.kwarg("user_id", user)
    }),
];

/// Of `test-tasks`.
const TASKS: [Trial; 7] = [
    trial("debug", DEBUG_TASK, |call, _| call),
    trial("refresh", REFRESH_DASHBOARD_CACHE, |call, user| {
        call.kwarg("user_id", user)
    }),
    trial("warm", WARM_DASHBOARD_CACHE, |call, user| {
        call.kwarg("user_id", user)
    }),
    trial("analysis", PERFORMANCE_ANALYSIS, |call, _| call),
    trial("export", EXPORT_DASHBOARD_DATA, |call, user| {
        call.kwarg("user_id", user)
    }),
    trial("notification", SEND_NOTIFICATION, notify),
    trial("cleanup", CLEANUP_OLD_DATA, |call, _| {
        call.kwarg("dry_run", true)
    }),
];

fn notify(call: Call<Value>, user: i64) -> Call<Value> {
    let call = call
        .kwarg("user_id", user)
        .kwarg("message", "This is a test.");
    call.kwarg("channels", ["in_app"])
}

/// How a task ended.
#[derive(Debug, Serialize)]
struct Ended {
    task: &'static str,
    task_id: String,
    state: &'static str,
    seconds: f64,
    detail: String,
}

pub(super) async fn celery(args: CeleryArgs, context: &Context) -> Result<Exit, Error> {
    let client = context.client().await?;
    each(&client, &CELERY, &args.task, &args.common, context).await
}

pub(super) async fn tasks(args: TasksArgs, context: &Context) -> Result<Exit, Error> {
    if !args.sync {
        let client = context.client().await?;
        return each(&client, &TASKS, &args.task, &args.common, context).await;
    }
    let (client, stop) = worker_in_this_process(context)?;
    let exit = each(&client, &TASKS, &args.task, &args.common, context).await;
    stop.warm.cancel();
    exit
}

pub(super) async fn run(args: RunArgs, context: &Context) -> Result<Exit, Error> {
    let client = context.client().await?;
    let spec = match args.job.as_str() {
        "analytics" => REFRESH_PORTFOLIO_ANALYTICS,
        other => return Err(Error::Usage(format!("there is no job {other}"))),
    };
    let sent = client
        .task::<Value>(spec.name)
        .queue(spec.queue)
        .send()
        .await?;
    let shown = super::super::call::show_result(&sent, args.timeout, context);
    saying_whether_workers_answer(&client, shown).await
}

/// Goes on waiting where no worker answers, but says so.
async fn saying_whether_workers_answer<T>(client: &Client, waiting: impl Future<Output = T>) -> T {
    let mut waiting = pin!(waiting);
    let ping = client.control().ping().timeout(ANSWER).collect();
    tokio::select! {
        biased;
        done = &mut waiting => return done,
        answers = ping => if answers.is_ok_and(|answers| answers.is_empty()) {
            eprintln!("note: no worker answers on this broker; what was sent waits for one (celeriac up starts them)");
        },
    }
    waiting.await
}

/// Runs the trials one after the other; the exit code says whether all succeeded.
async fn each(
    client: &Client,
    trials: &[Trial],
    wanted: &str,
    common: &Common,
    context: &Context,
) -> Result<Exit, Error> {
    let wanted = trials
        .iter()
        .filter(|trial| wanted == "all" || trial.what == wanted);
    let tried = async {
        let mut ended = Vec::new();
        for trial in wanted {
            ended.push(one(client, trial, common).await?);
        }
        Ok::<_, Error>(ended)
    };
    let ended = saying_whether_workers_answer(client, tried).await?;
    show(&ended, context.json);
    let good = ended.iter().all(|ended| ended.state == "SUCCESS");
    Ok(if good { Exit::Ok } else { Exit::Failure })
}

async fn one(client: &Client, trial: &Trial, common: &Common) -> Result<Ended, Error> {
    let call = client
        .task::<Value>(trial.spec.name)
        .queue(trial.spec.queue);
    let started = Instant::now();
    let sent = (trial.call)(call, common.user_id).send().await?;
    let (state, detail) = match sent.get(common.timeout).await {
        Ok(result) => ("SUCCESS", summary(&result)),
        Err(TaskError::Timeout { .. }) => (
            "PENDING",
            "no answer in time; is a worker running?".to_owned(),
        ),
        Err(error @ TaskError::Failed { .. }) => ("FAILURE", error.to_string()),
        Err(error) => return Err(error.into()),
    };
    Ok(Ended {
        task: trial.spec.name,
        task_id: sent.id().to_owned(),
        state,
        seconds: started.elapsed().as_secs_f64(),
        detail,
    })
}

/// The status of an envelope and how many errors it lists.
fn summary(result: &Value) -> String {
    let status = result
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or("done");
    let errors = result
        .get("errors")
        .and_then(Value::as_list)
        .unwrap_or_default();
    match errors.len() {
        0 => status.to_owned(),
        count => format!("{status}, {count} errors"),
    }
}

fn show(ended: &[Ended], json: bool) {
    if json {
        return output::json(&ended);
    }
    let row = |ended: &Ended| {
        let time = format!("{:.2} s", ended.seconds);
        vec![
            ended.task.to_owned(),
            ended.state.to_owned(),
            time,
            ended.detail.clone(),
        ]
    };
    output::table(
        &["task", "state", "time", "result"],
        ended.iter().map(row).collect(),
        "nothing was tried",
    );
}

/// A worker with every finance task on a broker in memory, and the finance database of the settings.
fn worker_in_this_process(context: &Context) -> Result<(Client, Shutdown), Error> {
    let client = Client::new(MemoryBroker::new().backends(), ClientOptions::default());
    let settings = &context.settings;
    let values = serde_json::json!(settings.section(""));
    let data = Path::new(settings.data_folder());
    let registry = tasks_maintenance::from_settings(data, settings.finance_url(), &values);
    let registry = registry.map_err(|error| Error::Usage(error.to_string()))?;
    let queues = TASKS.map(|trial| trial.spec.queue.to_owned()).to_vec();
    let worker = Worker::new(WorkerParams {
        client: client.clone(),
        registry,
        settings: WorkerSettings {
            queues,
            ..WorkerSettings::default()
        },
        hooks: Vec::new(),
        ready: None,
    });
    let worker = worker.map_err(|error| Error::Usage(error.to_string()))?;
    let stop = Shutdown::new();
    tokio::spawn(worker.run(stop.clone()));
    Ok((client, stop))
}
