//! The demo of `celeriac up`: a sample portfolio with its settings, one refresh at once, what came of it, and what to
//! try next.

use std::path::Path;
use std::time::{Duration, Instant};

use client::Client;
use jiff::Timestamp;
use jiff::civil::Date;
use portfolio::analytics::{Envelope, Status};
use portfolio::demo::{DemoFiles, install};
use portfolio::store::Store;
use serde::Deserialize;
use service::Settings;
use service::settings::mask_urls;
use tokio::sync::Notify;

use crate::commands::Schedule;
use crate::context::Context;
use crate::error::Error;
use crate::{next_runs, output, summary};

/// The task that is called at once.
const REFRESH: &str = "finflow.core.tasks.refresh_portfolio_analytics";
/// Where it is sent when the settings have no routes.
const REFRESH_QUEUE: &str = "analytics";
/// How long the first refresh may take, the start of the workers included.
const PATIENCE: Duration = Duration::from_secs(180);
/// Before it is called again because another one is running.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the line that the refresh prints may come after its result.
const LAST_LINE: Duration = Duration::from_secs(1);
/// Of how many entries the next run is shown.
const NEXT_RUNS: usize = 5;
/// Commands that show what the demo does.
const TO_TRY: [&str; 3] = ["finance summary", "queues", "schedule next"];
/// The settings file's name in the data folder.
const FILE_NAME: &str = "celeriac.toml";
/// Services, routes and schedule of the finance tasks: a settings file to begin with, and what the demo runs with.
pub(crate) const FINANCE_SETTINGS: &str = include_str!("../../../deploy/celeriac.toml");

/// What is shown of a refresh's result. One that another refresh was ahead of has none of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counts {
    portfolios: usize,
    users: usize,
    transactions: usize,
}

/// A demo that is ready to be shown.
#[derive(Debug)]
pub(crate) struct Demo {
    /// With the settings that the demo runs with.
    pub(crate) context: Context,
    store: Store,
    /// The last day of the sample, which ends in the past: as of today nothing would have moved for years.
    as_of: Option<Date>,
}

impl Demo {
    /// Makes the data folder with the sample portfolio in it, and a settings file where there is none.
    pub(crate) async fn prepare(mut context: Context) -> Result<Self, Error> {
        make_folder(&context.settings)?;
        if context.settings.file().is_none() {
            write_settings(&context.settings)?;
        }
        keep_results(&mut context);
        context.settings = Settings::load(&context.sources)?;
        let store = install_sample(&context).await?;
        let as_of = store.newest_price().await?;
        Ok(Self {
            context,
            store,
            as_of,
        })
    }

    /// Calls the refresh, waits for it and for what it has `printed`, and shows the figures and what runs next.
    pub(crate) async fn refresh(&self, printed: &Notify) -> Result<(), Error> {
        let backends = service::open_once(&self.context.settings).await?;
        let client = self.context.client_on(backends)?;
        let envelope = self.refreshed(&client).await?;
        // It comes by another way than the result, and would be in the midst of the figures.
        let _ = tokio::time::timeout(LAST_LINE, printed.notified()).await;
        let Counts {
            portfolios,
            users,
            transactions,
        } = envelope.data;
        let as_of = self.as_of.map(|date| format!(", as of {date}"));
        output::line(&format!(
            "\n{portfolios} portfolios of {users} people, {transactions} transactions{}, {} ms",
            as_of.unwrap_or_default(),
            envelope.duration_ms
        ));
        summary::show_at_a_glance(&self.store).await?;
        output::line("\nWhat runs next:");
        let schedule = Schedule::read(&self.context, client.backends().clone()).await?;
        next_runs::show_each(&schedule, NEXT_RUNS).await?;
        client.backends().broker.close().await;
        Ok(())
    }

    /// The result of a refresh that has run. Where beat finds that one was due while nothing ran, it sends its own at the
    /// same moment, and of two at once the second is skipped.
    async fn refreshed(&self, client: &Client) -> Result<Envelope<Counts>, Error> {
        let deadline = Instant::now() + PATIENCE;
        let mut waits = false;
        loop {
            let envelope = self.call(client).await?;
            if envelope.status != Status::Skipped {
                return Ok(envelope);
            }
            if Instant::now() >= deadline {
                let patience = PATIENCE.as_secs();
                return Err(Error::NotFound(format!(
                    "there are no figures: another refresh has not ended within {patience} s"
                )));
            }
            if !waits {
                output::line("Another refresh is running; waiting for its end");
                waits = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Calls the refresh and waits for its result.
    async fn call(&self, client: &Client) -> Result<Envelope<Counts>, Error> {
        let mut call = client.task::<Envelope<Counts>>(REFRESH);
        if self.context.settings.map("task_routes").is_empty() {
            call = call.queue(REFRESH_QUEUE);
        }
        if let Some(date) = self.as_of {
            call = call.kwarg("as_of", date);
        }
        Ok(call.send().await?.get(PATIENCE).await?)
    }

    /// Prints commands that work in another terminal while the demo runs.
    pub(crate) fn suggest(&self) {
        output::line(
            "\nTo try in another terminal, in this folder (Ctrl-C here stops everything):",
        );
        for (name, value) in self.context.environment() {
            // A line to be copied; on the screen no password is shown.
            output::line(&format!("  export {name}='{}'", mask_urls(&value)));
        }
        let program = std::env::args().next();
        let program = program.as_deref().unwrap_or("celeriac");
        let arguments = self
            .as_of
            .map(|date| format!(" -k '{{\"as_of\": \"{date}\"}}'"));
        let arguments = arguments.unwrap_or_default();
        output::line(&format!("  {program} call {REFRESH}{arguments} --wait"));
        for command in TO_TRY {
            output::line(&format!("  {program} {command}"));
        }
    }
}

/// Without a place for results Redis keeps none, as in Celery, and the demo would wait in vain.
fn keep_results(context: &mut Context) {
    let broker = context.settings.broker_urls().into_iter().next();
    let broker = broker.filter(|url| !url.starts_with("sqlite:"));
    if let (None, Some(url)) = (context.settings.text("result_backend"), broker) {
        context
            .sources
            .overrides
            .push(("result_backend", "--demo", url));
    }
}

fn make_folder(settings: &Settings) -> Result<(), Error> {
    let folder = settings.data_folder();
    std::fs::create_dir_all(folder).map_err(|source| Error::Io {
        what: format!("cannot make the data folder {folder}"),
        source,
    })
}

/// Where every command looks for it, so that other terminals see the demo's routes and schedule.
fn write_settings(settings: &Settings) -> Result<(), Error> {
    let path = Path::new(settings.data_folder()).join(FILE_NAME);
    std::fs::write(&path, FINANCE_SETTINGS).map_err(|source| {
        // Half a file on a full disk would be taken for the settings the next time.
        let _ = std::fs::remove_file(&path);
        let what = format!("cannot write {}", path.display());
        Error::Io { what, source }
    })?;
    output::line(&format!("The settings are in {}", path.display()));
    Ok(())
}

async fn install_sample(context: &Context) -> Result<Store, Error> {
    let store = Store::create_url(&context.finance_url()).await?;
    install(
        &store,
        &DemoFiles::from_env(),
        Timestamp::now(),
        &mut |_| {},
    )
    .await?;
    output::line(&format!("The sample portfolio is in {}", store.name()));
    Ok(store)
}

/// The shipped settings alone.
#[cfg(test)]
pub(crate) fn shipped_settings() -> Settings {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/celeriac.toml");
    let sources = service::settings::Sources {
        config: Some(file.into()),
        ..Default::default()
    };
    Settings::load(&sources).expect("the shipped settings are right")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_settings_send_the_refresh_by_schedule_to_its_queue() {
        let settings = shipped_settings();
        let json = |name: &str| serde_json::to_value(settings.get(name)).unwrap();
        assert_eq!(
            json("beat_schedule")["refresh-portfolio-analytics-hourly"]["task"],
            REFRESH
        );
        assert_eq!(json("task_routes")[REFRESH]["queue"], REFRESH_QUEUE);
    }
}
