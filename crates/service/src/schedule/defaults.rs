//! The entry that every schedule has unless it has one of that name, as in Celery: results that expire are deleted once a day, where
//! their server does not do so itself.

use beat::ScheduleFile;
use broker::Backends;
use protocol::{Map, Value};

use crate::Settings;

const NAME: &str = "celery.backend_cleanup";
const DAILY: &str = "0 4 * * *";
/// A clean-up that waited for half a day is not worth while: the next one is near.
const EXPIRES: i64 = 43_200;

pub(super) fn defaults(settings: &Settings, backends: &Backends) -> ScheduleFile {
    let expire = settings.result_policy().expires.is_some();
    let stay = backends
        .results
        .as_ref()
        .is_some_and(|results| !results.supports_autoexpire());
    if !(expire && stay) {
        return ScheduleFile::default();
    }
    let options = Map::from_iter([("expires".to_owned(), Value::Int(EXPIRES))]);
    let mut entry = Map::new();
    entry.insert("task", NAME);
    entry.insert("schedule", DAILY);
    entry.insert("options", Value::Map(options));
    let entries = Map::from_iter([(NAME.to_owned(), Value::Map(entry))]);
    ScheduleFile::read(&entries, settings.timezone())
}
