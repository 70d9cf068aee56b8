//! `celeriac report`.

use protocol::Map;
use service::Exit;
use service::settings::{Origin, mask_urls};

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Show software, platform and settings, for bug reports; secrets masked
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac report
  celeriac report --json

What running workers say of themselves: celeriac inspect report. What is wrong
with settings and server: celeriac doctor.")]
pub(crate) struct Args {}

pub(crate) async fn run(_: Args, context: &Context) -> Result<Exit, Error> {
    let broker = broker(context).await;
    let changed = changed(context);
    if context.json {
        let mut sections = Map::from_iter([
            ("software", software()),
            ("platform", platform()),
            ("broker", broker),
        ]);
        sections.insert("settings", changed);
        output::json(&sections);
        return Ok(Exit::Ok);
    }
    output::line("");
    for (section, text) in [
        ("software", software()),
        ("platform", platform()),
        ("broker", broker),
        ("settings", urls(context)),
    ] {
        output::line(&format!("{section:<8} -> {text}"));
    }
    output::line("");
    for (name, value) in &changed {
        output::line(&format!("{name}: {}", output::text(value)));
    }
    Ok(Exit::Ok)
}

fn software() -> String {
    format!("celeriac:{} protocol:Celery 5.7", env!("CARGO_PKG_VERSION"))
}

fn platform() -> String {
    let (system, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "system:{system} arch:{arch} kernel:{} processors:{processors}",
        kernel.trim()
    )
}

/// A report must come also when the broker does not answer: that is part of it.
async fn broker(context: &Context) -> String {
    let backends = match service::open_once(&context.settings).await {
        Ok(backends) => backends,
        Err(error) => return format!("cannot be reached: {}", service::error_text(&error)),
    };
    match backends.admin.ping().await {
        Ok(time) => format!("answers within {:.1} ms", time.as_secs_f64() * 1e3),
        Err(error) => format!("does not answer: {error}"),
    }
}

fn urls(context: &Context) -> String {
    let settings = &context.settings;
    let brokers: Vec<_> = settings
        .broker_urls()
        .iter()
        .map(|url| mask_urls(url))
        .collect();
    let results = settings.get("result_backend").as_str().map(mask_urls);
    let results = results.unwrap_or_else(|| "not set".to_owned());
    format!("transport:{} results:{results}", brokers.join(";"))
}

fn changed(context: &Context) -> Map {
    let entries = context.settings.entries().iter();
    let changed = entries.filter(|entry| entry.origin != Origin::Default);
    Map::from_iter(changed.map(|entry| (entry.setting.name, entry.shown())))
}
