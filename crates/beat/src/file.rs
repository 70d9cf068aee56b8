//! The `beat_schedule` setting, read into entries. A bad entry is named with its field; the others go on.

mod policy;
mod raw;
mod timing;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use client::CallOptions;
use jiff::tz::TimeZone;
use protocol::{Map, Value, from_value};

use crate::schedule::find_zone;
use crate::{Entry, EntryError, ScheduleError, bulk};
use raw::RawEntry;
pub(crate) use timing::Timing;

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct ScheduleFile {
    /// The entries that can be used, disabled ones included, in the order of the file.
    pub entries: Vec<Entry>,
    /// What is wrong with the others.
    pub problems: Vec<EntryError>,
    /// Whether entries are enabled, by name, whatever they and their source say.
    pub enabled: BTreeMap<String, bool>,
}

impl ScheduleFile {
    /// Reads the map of the setting; `timezone` is the zone of entries that name none.
    pub fn read(beat_schedule: &Map, timezone: &str) -> Self {
        let definitions = beat_schedule
            .iter()
            .map(|(name, value)| (name.clone(), value));
        Self::read_each(definitions.collect(), Value::clone, timezone)
    }

    /// Reads definitions by name, each of which `value` turns into the setting's form.
    pub fn read_each<T: Send>(
        definitions: Vec<(String, T)>,
        value: impl Fn(T) -> Value + Sync,
        timezone: &str,
    ) -> Self {
        let read = bulk::map(definitions, |(name, definition)| {
            read_entry(&name, value(definition), timezone).map_err(|(field, source)| EntryError {
                entry: name,
                field,
                source: source.into(),
            })
        });
        let mut file = Self::default();
        for entry in read {
            match entry {
                Ok(entry) => file.entries.push(entry),
                Err(problem) => file.problems.push(problem),
            }
        }
        file
    }
}

/// Field and fault.
type Problem = (String, Box<dyn std::error::Error + Send + Sync>);

fn read_entry(name: &str, value: Value, timezone: &str) -> Result<Entry, Problem> {
    let raw: RawEntry = from_value(value).map_err(|error| {
        let field = if error.path().is_empty() {
            "(the entry)"
        } else {
            error.path()
        };
        (field.to_owned(), error.into())
    })?;
    let at = |field: &str| {
        let field = field.to_owned();
        move |error: ScheduleError| (field, error.into())
    };
    let timing = Timing::read(&raw.schedule, raw.relative).map_err(at("schedule"))?;
    let zone_name = timing
        .timezone
        .or(raw.timezone)
        .unwrap_or_else(|| timezone.to_owned());
    let zone = read_zone(&zone_name)?;
    let kwargs = read_kwargs(raw.kwargs).map_err(at("kwargs"))?;
    Ok(Entry {
        name: name.to_owned(),
        task: raw.task,
        schedule: timing.schedule,
        zone,
        zone_name,
        args: raw.args,
        kwargs,
        options: shared(raw.options.read().map_err(at("options"))?),
        enabled: raw.enabled,
        policy: raw.policy.read().map_err(at("policy"))?,
        kept: None,
    })
}

fn shared(options: CallOptions) -> Arc<CallOptions> {
    static PLAIN: LazyLock<Arc<CallOptions>> = LazyLock::new(Arc::default);
    if options == **PLAIN {
        return Arc::clone(&PLAIN);
    }
    Arc::new(options)
}

fn read_zone(name: &str) -> Result<TimeZone, Problem> {
    find_zone(name).map_err(|error| ("timezone".to_owned(), error.into()))
}

fn read_kwargs(kwargs: Value) -> Result<Map, ScheduleError> {
    match kwargs {
        Value::Null => Ok(Map::new()),
        Value::Map(map) => Ok(map),
        other => Err(ScheduleError::Form {
            expected: "a table",
            found: other.type_name().to_owned(),
        }),
    }
}
