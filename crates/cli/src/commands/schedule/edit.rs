//! `celeriac schedule add`, `edit`, `enable`, `disable` and `delete`: entries of the stores, which a running beat follows.

use std::sync::Arc;

use beat::{ScheduleFile, Store};
use protocol::{Map, Value};
use service::Exit;

use super::entries::{Schedule, refused};
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What an entry says; what is not given stays as it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Fields {
    /// The entry's name
    name: String,
    /// The task's registered name
    #[arg(long)]
    task: Option<String>,
    /// A crontab line, a number of seconds, or any other form of beat_schedule as JSON
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<String>,
    /// Positional arguments, a JSON list
    #[arg(short, long, value_name = "JSON")]
    args: Option<String>,
    /// Keyword arguments, a JSON object
    #[arg(short, long, value_name = "JSON")]
    kwargs: Option<String>,
    /// The IANA zone of its wall clock [default: the setting timezone]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// How it is sent: queue, priority, expires …, a JSON object
    #[arg(long, value_name = "JSON")]
    options: Option<String>,
    /// Missed slots, overlap, jitter and bounds, a JSON object
    #[arg(long, value_name = "JSON")]
    policy: Option<String>,
}

impl Fields {
    fn write_into(&self, entry: &mut Map) -> Result<(), Error> {
        let texts = [("task", &self.task), ("timezone", &self.timezone)];
        for (field, text) in texts {
            if let Some(text) = text {
                entry.insert(field, text.as_str());
            }
        }
        if let Some(text) = &self.schedule {
            let line = || Value::from(text.as_str());
            entry.insert(
                "schedule",
                serde_json::from_str(text).unwrap_or_else(|_| line()),
            );
        }
        let json = [
            ("args", &self.args),
            ("kwargs", &self.kwargs),
            ("options", &self.options),
            ("policy", &self.policy),
        ];
        for (field, text) in json {
            if let Some(text) = text {
                let value: Value = serde_json::from_str(text)
                    .map_err(|error| Error::Usage(format!("--{field} is no JSON: {error}")))?;
                entry.insert(field, value);
            }
        }
        Ok(())
    }
}

pub(super) async fn add(fields: &Fields, context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    if schedule.is_known(&fields.name) {
        let text = format!(
            "there is an entry {:?} already; celeriac schedule edit changes it",
            fields.name
        );
        return Err(Error::Usage(text));
    }
    let store = &schedule.sources.stores[0];
    put(fields, Map::new(), &**store, context).await
}

pub(super) async fn edit(fields: &Fields, context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    let (store, entry) = stored_entry(&fields.name, &schedule).await?;
    put(fields, entry, &*store, context).await
}

async fn put(
    fields: &Fields,
    mut entry: Map,
    store: &dyn Store,
    context: &Context,
) -> Result<Exit, Error> {
    fields.write_into(&mut entry)?;
    let entry = Value::Map(entry);
    let alone = Map::from_iter([(fields.name.clone(), entry.clone())]);
    let read = ScheduleFile::read(&alone, context.settings.timezone());
    if let Some(problem) = read.problems.first() {
        return Err(Error::Usage(problem.to_string()));
    }
    store.put(&fields.name, &entry).await.map_err(refused)?;
    output::line(&format!(
        "{} is written to {}; a running beat follows within a second",
        fields.name,
        store.place()
    ));
    Ok(Exit::Ok)
}

pub(super) async fn enable(name: &str, enabled: bool, context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    schedule.entry(name)?;
    let store = match schedule.stored(name).await? {
        Some((store, _)) => store,
        None => schedule.sources.broker.clone(),
    };
    store.enable(name, enabled).await.map_err(refused)?;
    let state = if enabled { "enabled" } else { "disabled" };
    output::line(&format!("{name} is {state}"));
    Ok(Exit::Ok)
}

pub(super) async fn delete(name: &str, context: &Context) -> Result<Exit, Error> {
    let schedule = Schedule::open(context).await?;
    let (store, _) = stored_entry(name, &schedule).await?;
    store.delete(name).await.map_err(refused)?;
    output::line(&format!("{name} is deleted"));
    Ok(Exit::Ok)
}

/// An entry of a store as it was written, and the store.
async fn stored_entry(name: &str, schedule: &Schedule) -> Result<(Arc<dyn Store>, Map), Error> {
    match schedule.stored(name).await? {
        Some((store, Value::Map(entry))) => Ok((store, entry)),
        Some((store, _)) => Ok((store, Map::new())),
        None if schedule.is_known(name) => Err(Error::Usage(format!(
            "{name:?} is an entry of the setting beat_schedule: change it there (enable and disable work here too)"
        ))),
        None => Err(schedule.unknown(name)),
    }
}
