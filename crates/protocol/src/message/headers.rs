//! The message headers: Celery's own ones typed, all others kept as they are.

use crate::codec::Sink as _;
use crate::error::{DecodeError, EncodeError};
use crate::json::{Reader, Writer};
use crate::take::{self, Field, Fields};
use crate::value::{DateTime, Map, Value};

/// Time limits of one call, in seconds. The wire form is `[hard, soft]`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TimeLimit {
    /// After this the task is killed.
    pub hard: Option<f64>,
    /// After this the task is told to stop.
    pub soft: Option<f64>,
}

impl TimeLimit {
    /// Reads `[hard, soft]`; null means no limits.
    pub(crate) fn read(value: Value) -> Result<Option<Self>, DecodeError> {
        let items = match value {
            Value::Null => return Ok(None),
            value => take::list(value)?,
        };
        let [hard, soft] = items.as_slice() else {
            let found = format!("{} items", items.len());
            return Err(DecodeError::wrong_type("a list [hard, soft]", &found));
        };
        Ok(Some(Self {
            hard: take::seconds(hard).map_err(|error| error.at_index(0))?,
            soft: take::seconds(soft).map_err(|error| error.at_index(1))?,
        }))
    }

    pub(crate) fn to_value(self) -> Value {
        let number = |limit: Option<f64>| limit.map_or(Value::Null, Value::number);
        Value::List(vec![number(self.hard), number(self.soft)])
    }
}

/// Headers of a message. The typed fields are protocol 2's; `None` is null or absent.
///
/// When `task` is set, writing puts down every header that Python may send as null; other
/// messages (events, control, protocol 1) get only what is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Headers {
    /// Language of the sender; `py` for Python.
    pub lang: Option<String>,
    /// Registered task name; its presence marks protocol 2.
    pub task: Option<String>,
    /// Task id.
    pub id: Option<String>,
    /// Name shown in logs and events instead of `task`.
    pub shadow: Option<String>,
    /// Earliest run time.
    pub eta: Option<DateTime>,
    /// Latest start time.
    pub expires: Option<DateTime>,
    /// Group id.
    pub group: Option<String>,
    /// Position in the group.
    pub group_index: Option<i64>,
    /// How often the task was retried before.
    pub retries: Option<u32>,
    /// Hard and soft time limit.
    pub timelimit: Option<TimeLimit>,
    /// First task of the work-flow.
    pub root_id: Option<String>,
    /// The task that sent this one.
    pub parent_id: Option<String>,
    /// The positional arguments for people.
    pub argsrepr: Option<String>,
    /// The keyword arguments for people.
    pub kwargsrepr: Option<String>,
    /// `gen‹pid›@‹host›` of the sender.
    pub origin: Option<String>,
    /// Per-call override of the task's own setting.
    pub ignore_result: Option<bool>,
    /// Depth of task replacement.
    pub replaced_task_nesting: Option<u32>,
    /// Names of the stamps.
    pub stamped_headers: Option<Vec<String>>,
    /// Stamp name to value.
    pub stamps: Option<Map>,
    /// Mime type of the body's compression.
    pub compression: Option<String>,
    /// Every other header.
    pub extra: Map,
}

/// The typed headers in the order they are written.
const NAMES: [&str; 20] = [
    "lang",
    "task",
    "id",
    "shadow",
    "eta",
    "expires",
    "group",
    "group_index",
    "retries",
    "timelimit",
    "root_id",
    "parent_id",
    "argsrepr",
    "kwargsrepr",
    "origin",
    "ignore_result",
    "replaced_task_nesting",
    "stamped_headers",
    "stamps",
    "compression",
];

impl Headers {
    /// Reads a header map that some transport has decoded already.
    ///
    /// # Errors
    /// When a known header has the wrong type; the error names it.
    pub fn from_map(map: Map) -> Result<Self, DecodeError> {
        Self::build(Value::Map(map))
    }

    /// Reads the map the reader stands at, without building it first.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::build(reader)
    }

    fn build(map: impl Field) -> Result<Self, DecodeError> {
        let read = take::fields::<Self>(map)?;
        read.map(|(headers, _)| headers)
            .unwrap_or_default()
            .checked()
    }

    /// The headers as a plain map, in the order they are written.
    pub fn to_map(&self) -> Map {
        let mut map = Map::new();
        self.visit(|key, value| {
            map.insert(key, value);
        });
        let extra = self.extra.iter();
        map.extend(extra.map(|(key, value)| (key, value.clone())));
        map
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        let mut result = Ok(());
        writer.open_map();
        self.visit(|key, value| {
            if result.is_ok() {
                result = writer.entry(key, &value);
            }
        });
        result?;
        writer.entries(&self.extra)?;
        writer.end_map();
        Ok(())
    }

    /// Hands every typed header that is written to `put`, in order.
    fn visit(&self, mut put: impl FnMut(&'static str, Value)) {
        let nulls = self.task.is_some();
        let text = |field: &Option<String>| field.as_deref().map(Value::from);
        let time = |field: &Option<DateTime>| field.as_ref().map(|at| Value::from(at.as_str()));
        let stamped = self.stamped_headers.as_ref();
        let limits = self.timelimit.or(nulls.then(TimeLimit::default));
        let fields: [(Option<Value>, bool); NAMES.len()] = [
            (text(&self.lang), false),
            (text(&self.task), false),
            (text(&self.id), false),
            (text(&self.shadow), nulls),
            (time(&self.eta), nulls),
            (time(&self.expires), nulls),
            (text(&self.group), nulls),
            (self.group_index.map(Value::Int), nulls),
            (self.retries.map(Value::from), false),
            (limits.map(TimeLimit::to_value), nulls),
            (text(&self.root_id), nulls),
            (text(&self.parent_id), nulls),
            (text(&self.argsrepr), false),
            (text(&self.kwargsrepr), false),
            (text(&self.origin), false),
            (self.ignore_result.map(Value::Bool), nulls),
            (self.replaced_task_nesting.map(Value::from), false),
            (stamped.map(|names| Value::from(names.clone())), nulls),
            (self.stamps.clone().map(Value::Map), false),
            (text(&self.compression), false),
        ];
        for (name, (value, null)) in NAMES.into_iter().zip(fields) {
            match value {
                Some(value) => put(name, value),
                None if null => put(name, Value::Null),
                None => {}
            }
        }
    }
}

impl Fields for Headers {
    const NAMES: &'static [&'static str] = &NAMES;

    fn known(&mut self, name: &str, field: impl Field) -> Result<(), DecodeError> {
        match name {
            "lang" => self.lang = field.text()?,
            "task" => self.task = field.text()?,
            "id" => self.id = field.text()?,
            "shadow" => self.shadow = field.text()?,
            "eta" => self.eta = take::datetime(field.value()?)?,
            "expires" => self.expires(field.value()?)?,
            "group" => self.group = field.text()?,
            "group_index" => self.group_index = take::integer(field.value()?)?,
            "retries" => self.retries = take::count(field.value()?)?,
            "timelimit" => self.timelimit = TimeLimit::read(field.value()?)?,
            "root_id" => self.root_id = field.text()?,
            "parent_id" => self.parent_id = field.text()?,
            "argsrepr" => self.argsrepr = field.text()?,
            "kwargsrepr" => self.kwargsrepr = field.text()?,
            "origin" => self.origin = field.text()?,
            "ignore_result" => self.ignore_result = take::boolean(field.value()?)?,
            "replaced_task_nesting" => {
                self.replaced_task_nesting = take::count(field.value()?)?;
            }
            "stamped_headers" => self.stamped_headers = take::texts(field.value()?)?,
            "stamps" => self.stamps = stamps(field.value()?)?,
            _ => self.compression = field.text()?,
        }
        Ok(())
    }

    fn extra(&mut self) -> &mut Map {
        &mut self.extra
    }
}

impl Headers {
    fn expires(&mut self, value: Value) -> Result<(), DecodeError> {
        if is_epoch(&value) {
            return take::other(&mut self.extra, "expires", value);
        }
        self.expires = take::datetime(value)?;
        Ok(())
    }

    /// A control request says `expires` in epoch seconds; a task must not.
    fn checked(self) -> Result<Self, DecodeError> {
        if self.task.is_some() && self.extra.contains_key("expires") {
            let error = DecodeError::wrong_type("an ISO 8601 time or null", "a number");
            return Err(error.at("expires"));
        }
        Ok(self)
    }
}

fn stamps(value: Value) -> Result<Option<Map>, DecodeError> {
    match value {
        Value::Null => Ok(None),
        value => take::map(value).map(Some),
    }
}

fn is_epoch(value: &Value) -> bool {
    value.as_f64().is_some()
}
