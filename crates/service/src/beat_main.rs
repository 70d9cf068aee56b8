//! The scheduler: from settings to a running beat, as a program of its own or within a worker's (`worker -B`).

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use beat::{Beat, BeatParams, SystemClock};
use client::Client;
use jiff::SignedDuration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::schedule::Schedule;
use crate::watching::{Watch, Watched, routes};
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
    /// Answer /livez, /readyz and /metrics here, e.g. 127.0.0.1:9100 or unix:/run/beat.sock
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
    /// For drills: a clock that is so many seconds off
    #[arg(
        long,
        value_name = "SECONDS",
        hide = true,
        allow_negative_numbers = true,
        default_value_t = 0
    )]
    clock_offset: i64,
}

impl Args {
    fn overrides(&self) -> Vec<(&'static str, &'static str, String)> {
        let http = self.http.clone();
        let http = http.map(|address| ("celeriac_http_address", "--http", address));
        self.log.overrides().into_iter().chain(http).collect()
    }
}

/// Runs the scheduler's program; the whole of its `main`.
pub fn beat_main(name: &'static str) -> ExitCode {
    let args = match parse::<Args>(name) {
        Ok(args) => args,
        Err(exit) => return exit.into(),
    };
    let watched = Watched::default();
    let program = Program::new(name, &args.common, args.overrides());
    let program = program.map(|program| Program {
        routes: Some(routes(Watched::clone(&watched))),
        ..program
    });
    let clock = SystemClock {
        offset: SignedDuration::from_secs(args.clock_offset),
    };
    run(program, move |service| schedule(service, clock, watched))
}

/// Runs until the program is asked to end.
async fn schedule(service: Service, clock: SystemClock, watched: Watched) -> Result<(), Error> {
    let scheduling = Scheduling::start(&service, clock)?;
    let beat = Arc::clone(&scheduling.beat);
    // Nobody else sets it.
    let _ = watched.set(vec![Arc::clone(&beat) as Arc<dyn Watch>]);
    let announced = announce(Arc::clone(&beat));
    tokio::spawn(scheduling.stop.clone().run_until_cancelled_owned(announced));
    tokio::spawn(watch(beat, scheduling.stop.clone()));
    scheduling.ended().await;
    Ok(())
}

/// A beat that runs until the program is asked to end.
#[derive(Debug)]
pub(crate) struct Scheduling {
    pub(crate) beat: Arc<Beat>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Scheduling {
    /// Starts it.
    ///
    /// # Errors
    /// When a setting of the producer's side is wrong.
    pub(crate) fn start(service: &Service, clock: SystemClock) -> Result<Self, Error> {
        let params = params(&service.settings, service.client()?, clock)?;
        let beat = Arc::new(Beat::new(params));
        let stop = CancellationToken::new();
        let (shutdown, asked) = (service.shutdown.clone(), stop.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
            shutdown.requested().await;
            asked.cancel();
        }));
        let running = tokio::spawn({
            let (beat, stop) = (Arc::clone(&beat), stop.clone());
            async move { beat.run(stop).await }
        });
        Ok(Self {
            beat,
            stop,
            running,
        })
    }

    /// Ends it: another beat may lead at once.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.ended().await;
    }

    async fn ended(self) {
        if let Err(error) = self.running.await {
            tracing::error!(%error, "beat has broken down");
        }
    }
}

fn params(settings: &Settings, client: Client, clock: SystemClock) -> Result<BeatParams, Error> {
    Ok(BeatParams {
        source: Schedule::open(settings, client.backends())?.source,
        name: unique_name(&client),
        lease: settings
            .seconds("celeriac_beat_lease_seconds")
            .unwrap_or(DEFAULT_LEASE),
        cron_starting_deadline: settings.seconds("beat_cron_starting_deadline"),
        clock: Arc::new(clock),
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
