//! A task message read: protocol 1, protocol 2 and the mix of both as one.

use bytes::Bytes;
use jiff::Timestamp;

use super::{Chain, Embed, Protocol};
use crate::accept::Accept;
use crate::codec::Codec;
use crate::compression::Compression;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::json;
use crate::limits::Limits;
use crate::message::{Headers, Message, TimeLimit};
use crate::saferepr::{saferepr_args, saferepr_kwargs};
use crate::signature::{list_or_null, map_or_null};
use crate::take;
use crate::value::{DateTime, Map, Value};

/// Bytes of a body under which its chain is read at once.
const LONG_BODY: usize = 4_096;

/// One call of a task, as a worker sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskRequest {
    /// Task id.
    pub id: String,
    /// Registered task name.
    pub task: String,
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Keyword arguments.
    pub kwargs: Map,
    /// What follows the task.
    pub embed: Embed,
    /// Earliest run time; a time without offset counts as UTC.
    pub eta: Option<Timestamp>,
    /// Latest start time; a time without offset counts as UTC.
    pub expires: Option<Timestamp>,
    /// Group id.
    pub group: Option<String>,
    /// Position in the group.
    pub group_index: Option<i64>,
    /// How often the task was retried before.
    pub retries: u32,
    /// Hard and soft time limit of this call.
    pub timelimit: TimeLimit,
    /// First task of the work-flow; unknown in protocol 1.
    pub root_id: Option<String>,
    /// The task that sent this one.
    pub parent_id: Option<String>,
    /// Name to show instead of `task`; never empty.
    pub shadow: Option<String>,
    /// `gen‹pid›@‹host›` of the sender.
    pub origin: Option<String>,
    /// Per-call override of the task's own setting.
    pub ignore_result: Option<bool>,
    /// Depth of task replacement.
    pub replaced_task_nesting: u32,
    /// Stamp name to value.
    pub stamps: Map,
    /// Names of the stamps.
    pub stamped_headers: Option<Vec<String>>,
    /// Where `rpc://` results go.
    pub reply_to: Option<String>,
    /// The task id again, for `rpc://`.
    pub correlation_id: Option<String>,
    /// Priority as the sender gave it.
    pub priority: Option<i64>,
    /// The positional arguments for people, if the sender said them; see [`TaskRequest::args_repr`].
    pub argsrepr: Option<String>,
    /// The keyword arguments for people, if the sender said them; see [`TaskRequest::kwargs_repr`].
    pub kwargsrepr: Option<String>,
    /// True when the broker says that this delivery is not the first.
    pub redelivered: bool,
    /// Exchange the message was published to; empty for the default one.
    pub exchange: String,
    /// Routing key; the queue name on the default exchange.
    pub routing_key: String,
    /// Language of the sender.
    pub lang: Option<String>,
    /// Headers that Celery does not define.
    pub extra: Map,
    /// Message properties that are no field here, such as `app_id`.
    pub properties: Map,
    /// Which protocol the sender used.
    pub protocol: Protocol,
    /// Codec of the body.
    pub codec: Codec,
    /// Compression of the body.
    pub compression: Option<Compression>,
}

impl TaskRequest {
    /// Reads a task message of any protocol.
    ///
    /// # Errors
    /// When the body cannot be read, is not accepted, or a required field is missing or wrong;
    /// the error names the field.
    pub fn from_message(
        message: &Message,
        accept: &Accept,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let (codec, body) = message.open_body(accept, limits)?;
        let (rest, chain) = later_steps(codec, &body, limits).unwrap_or((body, None));
        let rest = codec.decode(&rest, limits);
        let mut request = Self::from_body(message, rest.map_err(|error| error.at("body"))?)?;
        request.embed.chain = chain.or(request.embed.chain);
        Ok(request)
    }

    /// Reads a task message whose body is decoded already (a signed one, for example).
    ///
    /// # Errors
    /// When a required field is missing or wrong; the error names the field.
    pub fn from_body(message: &Message, body: Value) -> Result<Self, DecodeError> {
        let mut request = Self::from_properties(message);
        let at_body = |error: DecodeError| error.at("body");
        match body {
            Value::List(items) => request.read_protocol2(items).map_err(at_body)?,
            Value::Map(map) => request.read_map(map).map_err(at_body)?,
            other => {
                let expected = "[args, kwargs, embed] or a map";
                return Err(at_body(DecodeError::wrong_type(
                    expected,
                    other.type_name(),
                )));
            }
        }
        if message.headers.task.is_some() {
            request.protocol = Protocol::Two;
            request
                .apply(&message.headers)
                .map_err(|error| error.at("headers"))?;
        } else {
            request.extra = message.headers.to_map();
        }
        request.compression = message.compression()?;
        request.codec = message.codec()?;
        request.require()
    }

    /// `shadow`, or the task's name.
    pub fn display_name(&self) -> &str {
        self.shadow.as_deref().unwrap_or(&self.task)
    }

    /// The positional arguments for people.
    pub fn args_repr(&self) -> String {
        self.argsrepr
            .clone()
            .unwrap_or_else(|| saferepr_args(&self.args, 1_024, 3))
    }

    /// The keyword arguments for people.
    pub fn kwargs_repr(&self) -> String {
        self.kwargsrepr
            .clone()
            .unwrap_or_else(|| saferepr_kwargs(&self.kwargs, 1_024, 3))
    }

    fn from_properties(message: &Message) -> Self {
        let properties = &message.properties;
        let info = properties.delivery_info.clone().unwrap_or_default();
        Self {
            reply_to: properties
                .reply_to
                .clone()
                .filter(|queue| !queue.is_empty()),
            correlation_id: properties.correlation_id.clone(),
            priority: properties.priority,
            redelivered: info.redelivered.unwrap_or(false),
            exchange: info.exchange,
            routing_key: info.routing_key,
            properties: properties.extra.clone(),
            protocol: Protocol::One,
            ..Self::default()
        }
    }

    fn read_protocol2(&mut self, items: Vec<Value>) -> Result<(), DecodeError> {
        let mut items = items.into_iter();
        let mut part = |index: usize| {
            items
                .next()
                .ok_or_else(|| DecodeError::missing(&format!("[{index}]")))
        };
        let (args, kwargs) = (part(0)?, part(1)?);
        self.args = list_or_null(args).map_err(|error| error.at_index(0))?;
        self.kwargs = map_or_null(kwargs).map_err(|error| error.at_index(1))?;
        let embed = items.next().unwrap_or_default();
        self.embed = Embed::from_value(embed).map_err(|error| error.at_index(2))?;
        if items.len() > 0 {
            return Err(DecodeError::wrong_type(
                "[args, kwargs, embed]",
                "more than three items",
            ));
        }
        Ok(())
    }

    /// A protocol 1 body, or the body of a mixed message.
    fn read_map(&mut self, mut map: Map) -> Result<(), DecodeError> {
        let body = &mut map;
        self.args = take::field(body, "args", list_or_null)?;
        self.kwargs = take::field(body, "kwargs", map_or_null)?;
        self.embed = Embed::take_fields(body)?;
        self.id = take::field(body, "id", take::text)?.unwrap_or_default();
        self.task = take::field(body, "task", take::text)?.unwrap_or_default();
        self.retries = take::field(body, "retries", take::count)?.unwrap_or(0);
        self.eta = take::field(body, "eta", time)?;
        self.expires = take::field(body, "expires", time)?;
        self.timelimit = take::field(body, "timelimit", TimeLimit::read)?.unwrap_or_default();
        self.group_index = take::field(body, "group_index", take::integer)?;
        let taskset = take::field(body, "taskset", take::text)?;
        self.group = take::field(body, "group", take::text)?.or(taskset);
        Ok(())
    }

    /// Lays the headers over what the body said.
    fn apply(&mut self, headers: &Headers) -> Result<(), DecodeError> {
        set(&mut self.id, headers.id.clone());
        set(&mut self.task, headers.task.clone());
        set(&mut self.retries, headers.retries);
        set(&mut self.timelimit, headers.timelimit);
        set(
            &mut self.replaced_task_nesting,
            headers.replaced_task_nesting,
        );
        set(&mut self.stamps, headers.stamps.clone());
        self.eta = instant(headers.eta.as_ref())
            .map_err(|error| error.at("eta"))?
            .or(self.eta);
        let expires = instant(headers.expires.as_ref()).map_err(|error| error.at("expires"))?;
        self.expires = expires.or(self.expires);
        self.group = headers.group.clone().or(self.group.take());
        self.group_index = headers.group_index.or(self.group_index);
        self.shadow = headers.shadow.clone().filter(|name| !name.is_empty());
        self.root_id.clone_from(&headers.root_id);
        self.parent_id.clone_from(&headers.parent_id);
        self.origin.clone_from(&headers.origin);
        self.lang.clone_from(&headers.lang);
        self.argsrepr.clone_from(&headers.argsrepr);
        self.kwargsrepr.clone_from(&headers.kwargsrepr);
        self.stamped_headers.clone_from(&headers.stamped_headers);
        self.ignore_result = headers.ignore_result;
        self.extra = headers.extra.clone();
        Ok(())
    }

    fn require(self) -> Result<Self, DecodeError> {
        let place = match self.protocol {
            Protocol::One => "body",
            Protocol::Two => "headers",
        };
        for (name, value) in [("task", &self.task), ("id", &self.id)] {
            if value.is_empty() {
                return Err(DecodeError::missing(name).at(place));
            }
        }
        Ok(self)
    }
}

/// A body with null in place of its chain, and the chain unread. `None` where nothing is gained by that.
fn later_steps(codec: Codec, body: &Bytes, limits: &Limits) -> Option<(Bytes, Option<Chain>)> {
    if codec != Codec::Json || body.len() < LONG_BODY {
        return None;
    }
    let found = json::list_in_third(body, "chain", limits)?;
    let (begin, end) = found.list;
    let rest = [&body[..begin], b"null", &body[end..]].concat();
    let chain = Chain::unread(body.clone(), found.items, *limits);
    Some((rest.into(), Some(chain)))
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

fn time(value: Value) -> Result<Option<Timestamp>, DecodeError> {
    instant(take::datetime(value)?.as_ref())
}

fn instant(value: Option<&DateTime>) -> Result<Option<Timestamp>, DecodeError> {
    value
        .map(|value| {
            let detail = "the time lies outside the supported years";
            value
                .timestamp()
                .ok_or_else(|| DecodeError::new(DecodeErrorKind::Value, detail))
        })
        .transpose()
}
