//! A row of `django_celery_beat_periodictask` with its schedule, read as an entry in the form of the setting `beat_schedule`.

use beat::Kept;
use jiff::SignedDuration;
use protocol::{Map, Value};
use serde_json::json;

use crate::cell::Cell;
use crate::database::Cells;
use crate::time;
use crate::timing::TimingCells;

/// The table of entries.
pub(crate) const TABLE: &str = "django_celery_beat_periodictask";

/// What an entry is, each column as text, in the order of [`Row::read`].
const WHAT: &str = "CAST(p.name AS text), CAST(p.task AS text), CAST(p.args AS text), CAST(p.kwargs AS text), CAST(p.queue AS text), \
    CAST(p.exchange AS text), CAST(p.routing_key AS text), CAST(p.headers AS text), CAST(p.priority AS text), \
    CAST(p.expires AS text), CAST(p.expire_seconds AS text), CAST(p.one_off AS text), CAST(p.start_time AS text), \
    CAST(p.enabled AS text), CAST(p.date_changed AS text), \
    CAST(p.interval_id AS text), CAST(p.crontab_id AS text), CAST(p.solar_id AS text), CAST(p.clocked_id AS text), \
    CAST(i.every AS text), CAST(i.period AS text), CAST(c.minute AS text), CAST(c.hour AS text), \
    CAST(c.day_of_week AS text), CAST(c.day_of_month AS text), CAST(c.month_of_year AS text), CAST(c.timezone AS text), \
    CAST(s.event AS text), CAST(s.latitude AS text), CAST(s.longitude AS text), CAST(k.clocked_time AS text)";
/// What changes with every run.
const RUNS: &str = "CAST(p.last_run_at AS text), CAST(p.total_run_count AS text)";
const FROM: &str = "FROM django_celery_beat_periodictask p \
    LEFT JOIN django_celery_beat_intervalschedule i ON i.id = p.interval_id \
    LEFT JOIN django_celery_beat_crontabschedule c ON c.id = p.crontab_id \
    LEFT JOIN django_celery_beat_solarschedule s ON s.id = p.solar_id \
    LEFT JOIN django_celery_beat_clockedschedule k ON k.id = p.clocked_id";
/// Schedules that rows of `p` refer to, by the ends of column and table.
const SCHEDULES: [&str; 4] = ["interval", "crontab", "solar", "clocked"];

/// All rows, or those whose names are among the items of a JSON list (`name` of each).
pub(crate) fn select(named: bool) -> String {
    let names = "WHERE p.name IN (SELECT value->>'name' FROM json_each(?1::jsonb))";
    format!(
        "SELECT {WHAT}, {RUNS} {FROM} {}",
        if named { names } else { "" }
    )
}

/// The value of a statement that asks for some: a list of objects, whose items both servers take apart in the same words.
pub(crate) fn names(names: Option<&[String]>) -> Vec<Cell> {
    let list = |names: &[String]| {
        let items: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
        serde_json::Value::from(items).to_string()
    };
    names.map(list).into_iter().map(Cell::from).collect()
}

/// Key, name and a text that changes with what an entry is, of all rows that fit the condition.
pub(crate) fn select_prints(list: &str, condition: &str) -> String {
    format!(
        "SELECT CAST(p.id AS text), CAST(p.name AS text), CAST({list}({WHAT}) AS text) {FROM} WHERE {condition}"
    )
}

/// That a row or the schedule it refers to fits a condition on the transaction that wrote it.
pub(crate) fn written(fits: impl Fn(&str) -> String) -> String {
    let schedules = SCHEDULES.map(|kind| {
        let fits = fits("xmin");
        format!("p.{kind}_id IN (SELECT id FROM django_celery_beat_{kind}schedule WHERE {fits})")
    });
    format!("{} OR {}", fits("p.xmin"), schedules.join(" OR "))
}

/// Priorities above are cut, as kombu does.
const HIGHEST_PRIORITY: i64 = 9;
/// A slot exactly at the end is no slot any more.
const TICK: SignedDuration = SignedDuration::from_micros(1);

/// Field and fault.
pub(crate) type Problem = (&'static str, String);

/// One row.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    task: Option<String>,
    args: Option<String>,
    kwargs: Option<String>,
    routing: [(&'static str, Option<String>); 3],
    headers: Option<String>,
    priority: Option<String>,
    expires: Option<String>,
    expire_seconds: Option<String>,
    one_off: Option<String>,
    start_time: Option<String>,
    enabled: Option<String>,
    date_changed: Option<String>,
    timing: TimingCells,
    last_run_at: Option<String>,
    total_run_count: Option<String>,
}

impl Row {
    /// The cells of [`select`].
    pub(crate) fn read(cells: Cells) -> Self {
        let mut cells = cells.into_iter();
        let mut next = || cells.next().flatten();
        Self {
            name: next().unwrap_or_default(),
            task: next(),
            args: next(),
            kwargs: next(),
            routing: ["queue", "exchange", "routing_key"].map(|option| (option, next())),
            headers: next(),
            priority: next(),
            expires: next(),
            expire_seconds: next(),
            one_off: next(),
            start_time: next(),
            enabled: next(),
            date_changed: next(),
            timing: TimingCells {
                interval_id: next(),
                crontab_id: next(),
                solar_id: next(),
                clocked_id: next(),
                every: next(),
                period: next(),
                minute: next(),
                hour: next(),
                day_of_week: next(),
                day_of_month: next(),
                month_of_year: next(),
                timezone: next(),
                event: next(),
                latitude: next(),
                longitude: next(),
                clocked_time: next(),
            },
            last_run_at: next(),
            total_run_count: next(),
        }
    }

    /// What is known of its runs.
    pub(crate) fn kept(&self) -> Result<Kept, Problem> {
        let count = self.total_run_count.as_deref().unwrap_or("0");
        Ok(Kept {
            changed_at: moment("date_changed", self.date_changed.as_deref())?
                .ok_or(("date_changed", "there is no time".to_owned()))?,
            last_run_at: moment("last_run_at", self.last_run_at.as_deref())?,
            total_run_count: number("total_run_count", count)?,
        })
    }

    /// The entry.
    pub(crate) fn definition(self) -> Result<Map, Problem> {
        let mut entry = Map::new();
        let options = self.options()?;
        let policy = self.policy()?;
        entry.insert("task", self.task.unwrap_or_default());
        entry.insert("args", parsed("args", self.args, "[]")?);
        entry.insert("kwargs", parsed("kwargs", self.kwargs, "{}")?);
        entry.insert("options", Value::Map(options));
        entry.insert("policy", Value::Map(policy));
        entry.insert("enabled", flag("enabled", self.enabled.as_deref())?);
        if let Some(zone) = &self.timing.timezone {
            entry.insert("timezone", zone.as_str());
        }
        let schedule = self.timing.schedule().map_err(|text| ("schedule", text))?;
        entry.insert("schedule", schedule);
        Ok(entry)
    }

    /// Empty texts count as not set, as when Django saves them.
    fn options(&self) -> Result<Map, Problem> {
        let mut options = Map::new();
        for (option, text) in &self.routing {
            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                options.insert(*option, text.as_str());
            }
        }
        if let Some(text) = &self.priority {
            let priority: i64 = number("priority", text)?;
            options.insert("priority", priority.min(HIGHEST_PRIORITY));
        }
        if let Some(at) = moment("expires", self.expires.as_deref())? {
            options.insert("expires", at.to_string());
        } else if let Some(text) = &self.expire_seconds {
            let seconds: i64 = number("expire_seconds", text)?;
            if seconds > 0 {
                options.insert("expires", seconds);
            }
        }
        let headers = parsed("headers", self.headers.clone(), "{}")?;
        options.insert("headers", headers);
        Ok(options)
    }

    fn policy(&self) -> Result<Map, Problem> {
        let mut policy = Map::new();
        if let Some(start) = moment("start_time", self.start_time.as_deref())? {
            policy.insert("start_time", start.to_string());
        }
        if let Some(expires) = moment("expires", self.expires.as_deref())? {
            policy.insert("end_time", (expires - TICK).to_string());
        }
        if flag("one_off", self.one_off.as_deref())? {
            policy.insert("max_runs", 1);
        }
        Ok(policy)
    }
}

/// An empty text counts as none, as for Celery's scheduler.
fn parsed(field: &'static str, text: Option<String>, none: &str) -> Result<Value, Problem> {
    let text = text.filter(|text| !text.is_empty());
    let text = text.as_deref().unwrap_or(none);
    serde_json::from_str(text).map_err(|error| (field, format!("{text:?} is no JSON: {error}")))
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<jiff::Timestamp>, Problem> {
    let parse = |text| time::parse(text).ok_or_else(|| (field, format!("{text:?} is no time")));
    text.map(parse).transpose()
}

fn number<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|_| (field, format!("{text:?} is no number that fits")))
}

fn flag(field: &'static str, text: Option<&str>) -> Result<bool, Problem> {
    match text {
        Some("1" | "true") => Ok(true),
        Some("0" | "false") => Ok(false),
        other => Err((
            field,
            format!("{:?} is neither true nor false", other.unwrap_or("")),
        )),
    }
}
