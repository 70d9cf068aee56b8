//! A task message read: protocol 1, protocol 2 and the mix of both as one.

use bytes::Bytes;
use jiff::Timestamp;

use super::{Chain, Embed, Protocol};
use crate::accept::Accept;
use crate::codec::Codec;
use crate::compression::Compression;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::json::{self, Reader};
use crate::limits::Limits;
use crate::message::{Headers, Message, Properties, TimeLimit};
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
        Self::take(&mut message.clone(), accept, limits)
    }

    /// Reads a task message and takes the texts of its headers and properties, which are not copied then. After an error the message is as
    /// it was.
    ///
    /// # Errors
    /// As [`TaskRequest::from_message`].
    pub fn take(
        message: &mut Message,
        accept: &Accept,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let (codec, body) = message.open_body(accept, limits)?;
        if let Some(request) = Self::of_plain_json(codec, &body, limits) {
            return request.with_head(message);
        }
        let (rest, chain) = later_steps(codec, &body, limits).unwrap_or((body, None));
        let rest = codec.decode(&rest, limits);
        let mut request = Self::of_body(rest.map_err(|error| error.at("body"))?)?;
        request.embed.chain = chain.or(request.embed.chain);
        request.with_head(message)
    }

    /// Reads a task message whose body is decoded already (a signed one, for example).
    ///
    /// # Errors
    /// When a required field is missing or wrong; the error names the field.
    pub fn from_body(message: &Message, body: Value) -> Result<Self, DecodeError> {
        Self::of_body(body)?.with_head(&mut message.clone())
    }

    /// What a body says.
    fn of_body(body: Value) -> Result<Self, DecodeError> {
        let mut request = Self::default();
        let read = match body {
            Value::List(items) => request.read_protocol2(items),
            Value::Map(map) => request.read_map(map),
            other => {
                let expected = "[args, kwargs, embed] or a map";
                Err(DecodeError::wrong_type(expected, other.type_name()))
            }
        };
        read.map_err(|error| error.at("body"))?;
        Ok(request)
    }

    /// The usual body, of a task that nothing follows, without the values in between. `None` for all others, and where anything is wrong:
    /// [`TaskRequest::of_body`] reads those.
    fn of_plain_json(codec: Codec, body: &[u8], limits: &Limits) -> Option<Self> {
        if codec != Codec::Json {
            return None;
        }
        let mut reader = Reader::new(body, limits).ok()?;
        reader.begin_list().ok()?.then_some(())?;
        let args = list_or_null(reader.value().ok()?).ok()?;
        reader.next_item().ok()?.then_some(())?;
        let kwargs = map_or_null(reader.value().ok()?).ok()?;
        reader.next_item().ok()?.then_some(())?;
        Embed::is_empty_at(&mut reader).ok()?.then_some(())?;
        let is_last = !reader.next_item().ok()?;
        reader.end().ok()?;
        is_last.then(|| Self {
            args,
            kwargs,
            ..Self::default()
        })
    }

    /// Lays headers and properties over what the body said. They are looked at before they are taken.
    fn with_head(mut self, message: &mut Message) -> Result<Self, DecodeError> {
        let headers = &message.headers;
        let is_two = headers.task.is_some();
        let at_headers = |error: DecodeError| error.at("headers");
        if is_two {
            self.apply_times(headers).map_err(at_headers)?;
        }
        self.compression = message.compression()?;
        self.codec = message.codec()?;
        let (said, place) = match is_two {
            true => ((headers.task.as_ref(), headers.id.as_ref()), "headers"),
            false => ((None, None), "body"),
        };
        for (name, value) in [
            ("task", said.0.unwrap_or(&self.task)),
            ("id", said.1.unwrap_or(&self.id)),
        ] {
            if value.is_empty() {
                return Err(DecodeError::missing(name).at(place));
            }
        }
        self.protocol = match is_two {
            true => Protocol::Two,
            false => Protocol::One,
        };
        self.take_properties(&mut message.properties);
        if is_two {
            self.take_headers(std::mem::take(&mut message.headers));
        } else {
            self.extra = message.headers.to_map();
        }
        Ok(self)
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

    fn take_properties(&mut self, properties: &mut Properties) {
        let info = properties.delivery_info.take().unwrap_or_default();
        let reply_to = properties.reply_to.take();
        self.reply_to = reply_to.filter(|queue| !queue.is_empty());
        self.correlation_id = properties.correlation_id.take();
        self.priority = properties.priority;
        self.redelivered = info.redelivered.unwrap_or(false);
        self.exchange = info.exchange;
        self.routing_key = info.routing_key;
        self.properties = std::mem::take(&mut properties.extra);
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

    fn apply_times(&mut self, headers: &Headers) -> Result<(), DecodeError> {
        self.eta = instant(headers.eta.as_ref())
            .map_err(|error| error.at("eta"))?
            .or(self.eta);
        let expires = instant(headers.expires.as_ref()).map_err(|error| error.at("expires"))?;
        self.expires = expires.or(self.expires);
        Ok(())
    }

    fn take_headers(&mut self, headers: Headers) {
        set(&mut self.id, headers.id);
        set(&mut self.task, headers.task);
        set(&mut self.retries, headers.retries);
        set(&mut self.timelimit, headers.timelimit);
        set(
            &mut self.replaced_task_nesting,
            headers.replaced_task_nesting,
        );
        set(&mut self.stamps, headers.stamps);
        self.group = headers.group.or(self.group.take());
        self.group_index = headers.group_index.or(self.group_index);
        self.shadow = headers.shadow.filter(|name| !name.is_empty());
        self.root_id = headers.root_id;
        self.parent_id = headers.parent_id;
        self.origin = headers.origin;
        self.lang = headers.lang;
        self.argsrepr = headers.argsrepr;
        self.kwargsrepr = headers.kwargsrepr;
        self.stamped_headers = headers.stamped_headers;
        self.ignore_result = headers.ignore_result;
        self.extra = headers.extra;
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
