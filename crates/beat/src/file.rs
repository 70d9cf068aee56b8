//! The `beat_schedule` setting, read into entries. A bad entry is named with its field; the others go on.

mod definition;
mod policy;
mod raw;
mod timing;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use client::CallOptions;
use protocol::{Map, Value};

use crate::interned::Interned;
use crate::{Entry, EntryError, Policy, ScheduleError, Timetable, bulk};
pub use definition::Definition;
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
            .map(|(name, value)| (name.to_owned(), value.clone()));
        Self::read_each(definitions.collect(), timezone)
    }

    /// Reads definitions by name.
    pub fn read_each<T: Into<Definition> + Send>(
        definitions: Vec<(String, T)>,
        timezone: &str,
    ) -> Self {
        let read = bulk::map(definitions, |(name, definition)| {
            Self::understand(&name, definition.into(), timezone)
        });
        let mut file = Self::default();
        for entry in read {
            file.add(entry);
        }
        file
    }

    /// Reads one definition.
    pub(crate) fn understand(
        name: &str,
        definition: Definition,
        timezone: &str,
    ) -> Result<Entry, EntryError> {
        read_entry(name, definition, timezone).map_err(|(field, source)| EntryError {
            entry: name.to_owned(),
            field,
            source: source.into(),
        })
    }

    /// Adds what was read of one definition.
    pub(crate) fn add(&mut self, entry: Result<Entry, EntryError>) {
        match entry {
            Ok(entry) => self.entries.push(entry),
            Err(problem) => self.problems.push(problem),
        }
    }
}

/// Field and fault.
type Problem = (String, Box<dyn std::error::Error + Send + Sync>);

fn read_entry(name: &str, definition: Definition, timezone: &str) -> Result<Entry, Problem> {
    static TASKS: Interned<str> = Interned::new();
    let raw = definition.read().map_err(|error| {
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
    let zone_name = timing.timezone.or(raw.timezone);
    let timetable = Timetable::of(timing.schedule, zone_name.as_deref().unwrap_or(timezone))
        .map_err(|error| ("timezone".to_owned(), error.into()))?;
    let kwargs = read_kwargs(raw.kwargs).map_err(at("kwargs"))?;
    Ok(Entry {
        name: name.to_owned(),
        task: TASKS.text(&raw.task),
        timetable,
        args: raw.args,
        kwargs,
        options: shared_options(raw.options.read().map_err(at("options"))?),
        enabled: raw.enabled,
        policy: shared_policy(raw.policy.read().map_err(at("policy"))?),
        kept: None,
    })
}

fn shared_options(options: CallOptions) -> Arc<CallOptions> {
    static PLAIN: LazyLock<Arc<CallOptions>> = LazyLock::new(Arc::default);
    shared(&PLAIN, options)
}

fn shared_policy(policy: Policy) -> Arc<Policy> {
    static PLAIN: LazyLock<Arc<Policy>> = LazyLock::new(Arc::default);
    shared(&PLAIN, policy)
}

/// The plain value if it is that.
fn shared<T: PartialEq>(plain: &Arc<T>, value: T) -> Arc<T> {
    if value == **plain {
        return Arc::clone(plain);
    }
    Arc::new(value)
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
