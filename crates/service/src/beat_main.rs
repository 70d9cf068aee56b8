//! The scheduler's program: from settings to a running beat, and what systemd hears of it.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use beat::{Beat, BeatParams, SystemClock};
use client::Client;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::schedule::Schedule;
use crate::{CommonArgs, Error, LogArgs, Program, Service, Settings, notify, parse, run};

/// A dead leader is followed within two seconds.
const DEFAULT_LEASE: Duration = Duration::from_millis(1_500);

/// Sends the tasks of the setting beat_schedule when they are due. Any number may run on one broker; one of them sends.
#[derive(Debug, clap::Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// Runs the scheduler's program; the whole of its `main`.
pub fn beat_main(name: &'static str) -> ExitCode {
    match parse::<Args>(name) {
        Ok(args) => run(
            Program::new(name, &args.common, args.log.overrides()),
            schedule,
        ),
        Err(exit) => exit.into(),
    }
}

/// Runs until the program is asked to end.
async fn schedule(service: Service) -> Result<(), Error> {
    let beat = Arc::new(Beat::new(params(&service.settings, service.client()?)?));
    let stop = CancellationToken::new();
    tokio::spawn(
        stop.clone()
            .run_until_cancelled_owned(announce(beat.clone())),
    );
    tokio::spawn(watch(beat.clone(), stop.clone()));
    tokio::spawn({
        let stop = stop.clone();
        async move {
            service.shutdown.requested().await;
            stop.cancel();
        }
    });
    beat.run(stop).await;
    Ok(())
}

fn params(settings: &Settings, client: Client) -> Result<BeatParams, Error> {
    let coordinator = client.backends().coordinator.clone();
    Ok(BeatParams {
        source: Schedule::open(settings, coordinator)?.source,
        name: unique_name(&client),
        lease: settings
            .seconds("celeriac_beat_lease_seconds")
            .unwrap_or(DEFAULT_LEASE),
        cron_starting_deadline: settings.seconds("beat_cron_starting_deadline"),
        clock: Arc::new(SystemClock),
        client,
    })
}

/// A process number is not enough: in containers every beat has the same one.
fn unique_name(client: &Client) -> String {
    let origin = &client.options().origin;
    let host = origin
        .split_once('@')
        .map_or(origin.as_str(), |(_, host)| host);
    format!("celerybeat@{host}.{}", Uuid::new_v4().simple())
}

async fn announce(beat: Arc<Beat>) {
    beat.wait_until_ready().await;
    notify::ready("scheduling");
}

async fn watch(beat: Arc<Beat>, stop: CancellationToken) {
    notify::watchdog(Arc::new(move |within| beat.is_alive(within)), stop).await;
}
