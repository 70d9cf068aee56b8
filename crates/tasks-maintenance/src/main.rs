//! The worker of the maintenance and monitoring queues.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use market_data::Providers;
use tasks::App;
use tasks_maintenance::Notifier;

fn main() -> ExitCode {
    service::worker_main("celeriac-worker-maintenance", |settings| {
        let data = Path::new(settings.data_folder());
        let providers = serde_json::json!(settings.section("celeriac_market_data_"));
        let providers = Providers::from_settings(providers, data)?;
        let app = App::new(data).with_database(settings.finance_url());
        let notifier = Notifier::from_settings(settings)?;
        let app = app.with_providers(providers);
        Ok::<_, Box<dyn Error + Send + Sync>>(tasks_maintenance::registry(app, notifier))
    })
}
