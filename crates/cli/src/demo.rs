//! The demo of `celeriac up`: a sample portfolio, a schedule, one refresh at once, and what came of it.

use std::time::Duration;

use jiff::Timestamp;
use portfolio::analytics::{Envelope, RefreshData};
use portfolio::demo::{DemoFiles, install};
use portfolio::store::Store;
use service::Settings;
use service::settings::parse_toml;

use crate::context::Context;
use crate::error::Error;
use crate::{next_runs, output, summary};

/// The task that is called at once.
const REFRESH: &str = "finflow.core.tasks.refresh_portfolio_analytics";
/// How long the first refresh may take, the start of the workers included.
const PATIENCE: Duration = Duration::from_secs(180);
/// Of how many entries the next run is shown.
const NEXT_RUNS: usize = 5;
/// Routes and schedule of the finance tasks: a settings file to begin with, and what the demo runs with.
pub(crate) const FINANCE_SETTINGS: &str = include_str!("../../../deploy/celeriac.toml");

/// A demo that is ready to be shown.
#[derive(Debug)]
pub(crate) struct Demo {
    context: Context,
    store: Store,
    overrides: Vec<(&'static str, &'static str, String)>,
}

impl Demo {
    /// Installs the sample portfolio in the data folder and completes the settings.
    pub(crate) async fn prepare(mut context: Context) -> Result<Self, Error> {
        let overrides = missing_settings(&context.settings)?;
        context.sources.overrides.extend(overrides.iter().cloned());
        context.settings = Settings::load(&context.sources)?;
        let store = install_sample(&context).await?;
        Ok(Self {
            context,
            store,
            overrides,
        })
    }

    /// The settings that the demo adds: setting, origin, value.
    pub(crate) fn overrides(&self) -> Vec<(&'static str, &'static str, String)> {
        self.overrides.clone()
    }

    /// Calls the refresh, waits for it, and shows the figures and what runs next.
    pub(crate) async fn refresh(&self) -> Result<(), Error> {
        let client = self.context.client().await?;
        let mut call = client.task::<Envelope<RefreshData>>(REFRESH);
        if let Some(newest) = self.store.newest_price().await? {
            // The sample ends in the past; figures as of today would show years in which nothing moved.
            call = call.kwarg("as_of", newest);
        }
        let envelope = call.send().await?.get(PATIENCE).await?;
        let RefreshData {
            portfolios,
            users,
            transactions,
            ..
        } = envelope.data;
        output::line(&format!(
            "\n{portfolios} portfolios of {users} people, {transactions} transactions, {} ms",
            envelope.duration_ms
        ));
        summary::show_at_a_glance(&self.store).await?;
        output::line("\nWhat runs next:");
        next_runs::show_each(&self.context, client.backends(), NEXT_RUNS).await?;
        client.backends().broker.close().await;
        Ok(())
    }
}

/// What the demo needs and nobody has set: a place for results, the finance tasks' routes and their schedule.
fn missing_settings(
    settings: &Settings,
) -> Result<Vec<(&'static str, &'static str, String)>, Error> {
    let mut missing = Vec::new();
    let broker = settings
        .broker_urls()
        .into_iter()
        .next()
        .unwrap_or_default();
    // Without this Redis keeps no results, as in Celery.
    if settings.text("result_backend").is_none() && !broker.starts_with("sqlite:") {
        missing.push(("result_backend", "--demo", broker));
    }
    let finance = parse_toml(FINANCE_SETTINGS).map_err(service::Error::program)?;
    for name in ["task_routes", "beat_schedule"] {
        let is_set = settings
            .get(name)
            .as_map()
            .is_some_and(|table| !table.is_empty());
        if let Some(table) = finance.get(name).filter(|_| !is_set) {
            let text = serde_json::to_string(table).map_err(service::Error::program)?;
            missing.push((name, "--demo", text));
        }
    }
    Ok(missing)
}

async fn install_sample(context: &Context) -> Result<Store, Error> {
    let folder = context.settings.data_folder();
    std::fs::create_dir_all(folder).map_err(|source| Error::Io {
        what: format!("cannot make the data folder {folder}"),
        source,
    })?;
    let store = Store::create(context.finance_database()).await?;
    install(
        &store,
        &DemoFiles::from_env(),
        Timestamp::now(),
        &mut |_| {},
    )
    .await?;
    output::line(&format!(
        "The sample portfolio is in {}",
        store.path().display()
    ));
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_settings_send_the_refresh_by_schedule_to_its_queue() {
        let settings = parse_toml(FINANCE_SETTINGS).unwrap();
        let text = |name: &str| serde_json::to_value(settings.get(name)).unwrap();
        assert_eq!(
            text("beat_schedule")["refresh-portfolio-analytics-hourly"]["task"],
            REFRESH
        );
        assert_eq!(text("task_routes")[REFRESH]["queue"], "analytics");
    }
}
