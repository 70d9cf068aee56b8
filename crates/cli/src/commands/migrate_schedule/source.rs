//! Where the other scheduler's entries are: a settings file, or redbeat's server.

use std::path::Path;

use protocol::{Map, Value};
use service::Settings;
use service::settings::read_file;

use super::{Found, definition, redbeat};
use crate::error::Error;

/// The names under which Celery knows the setting, now and formerly.
const NAMES: [&str; 4] = [
    "beat_schedule",
    "BEAT_SCHEDULE",
    "CELERY_BEAT_SCHEDULE",
    "CELERYBEAT_SCHEDULE",
];

/// All entries of a file, or of the server that a URL names.
pub(super) async fn read(
    source: &str,
    prefix: &str,
    settings: &Settings,
) -> Result<Vec<Found>, Error> {
    if !source.contains("://") {
        let settings = read_file(Path::new(source))?;
        return Ok(schedule_of(&settings).iter().map(entry).collect());
    }
    let entries = service::read_redbeat(settings, source, prefix).await?;
    let found = entries
        .into_iter()
        .map(|entry| redbeat::read(entry.name, &entry.definition, entry.meta.as_deref()));
    Ok(found.collect())
}

/// A file without the setting is the schedule itself.
fn schedule_of(settings: &Map) -> &Map {
    let setting = NAMES.iter().find_map(|name| settings.get(name));
    setting.and_then(Value::as_map).unwrap_or(settings)
}

fn entry((name, value): (&str, &Value)) -> Found {
    let definition = match value {
        Value::Map(entry) => definition::convert(entry),
        other => Err(format!("it is {}, not a table", other.type_name())),
    };
    Found {
        name: name.to_owned(),
        definition,
        ran: None,
    }
}
