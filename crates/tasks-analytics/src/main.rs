//! The worker of the analytics queues.

use std::path::Path;
use std::process::ExitCode;

use market_data::Providers;
use tasks::App;

/// Portfolios are made of very many small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    service::worker_main("celeriac-worker-analytics", |settings| {
        let data = Path::new(settings.data_folder());
        let providers = serde_json::json!(settings.section("celeriac_market_data_"));
        let providers = Providers::from_settings(providers, data)?;
        let app = App::new(data)
            .with_database(settings.finance_url())
            .with_settings(&serde_json::json!(settings.section("")));
        Ok::<_, market_data::Error>(tasks_analytics::registry(app.with_providers(providers)))
    })
}
