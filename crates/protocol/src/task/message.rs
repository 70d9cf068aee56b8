//! Building task messages, protocol 2 and 1, and the retry of one that came in.

use bytes::Bytes;
use jiff::Timestamp;

use super::{Embed, Protocol, TaskRequest};
use crate::codec::{Codec, Sink as _};
use crate::compression::Packing;
use crate::error::EncodeError;
use crate::json::Writer;
use crate::message::{BodyEncoding, DeliveryInfo, Headers, Message, Properties, TimeLimit};
use crate::saferepr::{saferepr_args, saferepr_kwargs};
use crate::value::{DateTime, Map, Value};

/// Longest `argsrepr` and `kwargsrepr`.
const REPR_MAXLEN: usize = 1_024;
/// Deepest level shown in them.
const REPR_MAXLEVELS: usize = 3;
/// Headers RabbitMQ adds to a dead-lettered message; a retry drops them.
const DEATH_PREFIXES: [&str; 3] = ["x-death", "x-first-death-", "x-last-death-"];

/// A task message about to be sent. [`TaskMessage::new`] gives Python's defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskMessage {
    /// Registered task name.
    pub task: String,
    /// Task id.
    pub id: String,
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Keyword arguments.
    pub kwargs: Map,
    /// What follows the task.
    pub embed: Embed,
    /// Language of the sender.
    pub lang: String,
    /// Name shown instead of `task`.
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
    pub retries: u32,
    /// Hard and soft time limit.
    pub timelimit: TimeLimit,
    /// First task of the work-flow; the task's own id when `None`.
    pub root_id: Option<String>,
    /// The task that sends this one.
    pub parent_id: Option<String>,
    /// Positional arguments for people; computed when `None`.
    pub argsrepr: Option<String>,
    /// Keyword arguments for people; computed when `None`.
    pub kwargsrepr: Option<String>,
    /// `gen‹pid›@‹host›` of the sender.
    pub origin: Option<String>,
    /// Override of the task's own setting.
    pub ignore_result: Option<bool>,
    /// Depth of task replacement.
    pub replaced_task_nesting: u32,
    /// Names of the stamps.
    pub stamped_headers: Option<Vec<String>>,
    /// Stamp name to value.
    pub stamps: Map,
    /// Further headers of the user.
    pub headers: Map,
    /// Where `rpc://` results go.
    pub reply_to: Option<String>,
    /// The task id when `None`.
    pub correlation_id: Option<String>,
    /// Priority, 0 … 9.
    pub priority: i64,
    /// False asks for transient delivery.
    pub persistent: bool,
    /// Milliseconds the broker may keep the message.
    pub expiration_ms: Option<i64>,
    /// Exchange to publish to; empty for the default one.
    pub exchange: String,
    /// Routing key; the queue name on the default exchange.
    pub routing_key: String,
    /// Identity of the delivery; must be unique.
    pub delivery_tag: Option<String>,
    /// Further properties.
    pub properties: Map,
    /// Version of the format.
    pub protocol: Protocol,
}

impl TaskMessage {
    /// A call of `task` with Python's defaults, for the default exchange and no queue yet.
    pub fn new(task: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            task: task.into(),
            id: id.into(),
            args: Vec::new(),
            kwargs: Map::new(),
            embed: Embed::default(),
            lang: "py".to_owned(),
            shadow: None,
            eta: None,
            expires: None,
            group: None,
            group_index: None,
            retries: 0,
            timelimit: TimeLimit::default(),
            root_id: None,
            parent_id: None,
            argsrepr: None,
            kwargsrepr: None,
            origin: None,
            ignore_result: None,
            replaced_task_nesting: 0,
            stamped_headers: None,
            stamps: Map::new(),
            headers: Map::new(),
            reply_to: None,
            correlation_id: None,
            priority: 0,
            persistent: true,
            expiration_ms: None,
            exchange: String::new(),
            routing_key: String::new(),
            delivery_tag: None,
            properties: Map::new(),
            protocol: Protocol::Two,
        }
    }

    /// The next attempt of `request`: everything carried over, `retries` one higher, not before `eta`.
    ///
    /// The parent becomes the task itself if it had none; delivery goes back to where it came from.
    pub fn retry_of(request: &TaskRequest, eta: Option<Timestamp>) -> Self {
        let mut headers = request.extra.clone();
        headers.retain(|name, _| !DEATH_PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
        Self {
            args: request.args.clone(),
            kwargs: request.kwargs.clone(),
            embed: request.embed.clone(),
            lang: request.lang.clone().unwrap_or_else(|| "py".to_owned()),
            shadow: request.shadow.clone(),
            eta: eta.map(DateTime::from),
            expires: request.expires.map(DateTime::from),
            group: request.group.clone(),
            group_index: request.group_index,
            retries: request.retries.saturating_add(1),
            timelimit: request.timelimit,
            root_id: request.root_id.clone(),
            parent_id: request
                .parent_id
                .clone()
                .or_else(|| Some(request.id.clone())),
            argsrepr: request.argsrepr.clone(),
            kwargsrepr: request.kwargsrepr.clone(),
            origin: request.origin.clone(),
            ignore_result: request.ignore_result,
            replaced_task_nesting: request.replaced_task_nesting,
            stamped_headers: request.stamped_headers.clone(),
            stamps: request.stamps.clone(),
            headers,
            reply_to: request.reply_to.clone(),
            correlation_id: request.correlation_id.clone(),
            priority: request.priority.unwrap_or(0),
            exchange: request.exchange.clone(),
            routing_key: request.routing_key.clone(),
            protocol: request.protocol,
            ..Self::new(request.task.clone(), request.id.clone())
        }
    }

    /// Encodes the body with `codec`, compresses it as `packing` says, and puts headers and properties together.
    ///
    /// # Errors
    /// When the codec cannot carry an argument; the error names it.
    pub fn encode(
        mut self,
        codec: Codec,
        packing: impl Into<Packing>,
    ) -> Result<Message, EncodeError> {
        let properties = self.properties();
        let mut headers = match self.protocol {
            Protocol::Two => self.headers_of_protocol2(),
            Protocol::One => Headers {
                extra: std::mem::take(&mut self.headers),
                ..Headers::default()
            },
        };
        let mut body = self.encode_body(codec).map_err(|error| error.at("body"))?;
        if let Some(compression) = packing.into().choose(&body) {
            body = compression.compress(&body)?;
            headers.compression = Some(compression.content_type().to_owned());
        }
        Ok(Message {
            headers,
            properties,
            content_type: codec.content_type().to_owned(),
            content_encoding: codec.content_encoding().to_owned(),
            body: Bytes::from(body),
            extra: Map::new(),
        })
    }

    fn properties(&self) -> Properties {
        Properties {
            correlation_id: Some(
                self.correlation_id
                    .clone()
                    .unwrap_or_else(|| self.id.clone()),
            ),
            reply_to: self.reply_to.clone(),
            delivery_mode: Some(if self.persistent { 2 } else { 1 }),
            expiration: self.expiration_ms.map(|millis| millis.to_string()),
            delivery_info: Some(DeliveryInfo {
                exchange: self.exchange.clone(),
                routing_key: self.routing_key.clone(),
                ..DeliveryInfo::default()
            }),
            priority: Some(self.priority),
            body_encoding: Some(BodyEncoding::Base64),
            delivery_tag: self.delivery_tag.clone(),
            extra: self.properties.clone(),
        }
    }

    /// Moves all that protocol 2 says in headers out of `self`.
    fn headers_of_protocol2(&mut self) -> Headers {
        let argsrepr = self.argsrepr.take();
        let kwargsrepr = self.kwargsrepr.take();
        Headers {
            lang: Some(std::mem::take(&mut self.lang)),
            task: Some(self.task.clone()),
            id: Some(self.id.clone()),
            shadow: self.shadow.take(),
            eta: self.eta.take(),
            expires: self.expires.take(),
            group: self.group.take(),
            group_index: self.group_index,
            retries: Some(self.retries),
            timelimit: Some(self.timelimit),
            root_id: self.root_id.take().or_else(|| Some(self.id.clone())),
            parent_id: self.parent_id.take(),
            argsrepr: argsrepr
                .or_else(|| Some(saferepr_args(&self.args, REPR_MAXLEN, REPR_MAXLEVELS))),
            kwargsrepr: kwargsrepr
                .or_else(|| Some(saferepr_kwargs(&self.kwargs, REPR_MAXLEN, REPR_MAXLEVELS))),
            origin: self.origin.take(),
            ignore_result: self.ignore_result,
            replaced_task_nesting: Some(self.replaced_task_nesting),
            stamped_headers: self.stamped_headers.take(),
            stamps: Some(std::mem::take(&mut self.stamps)),
            compression: None,
            extra: std::mem::take(&mut self.headers),
        }
    }

    fn encode_body(self, codec: Codec) -> Result<Vec<u8>, EncodeError> {
        match (self.protocol, codec) {
            (Protocol::One, _) => codec.encode(&self.into_protocol1()),
            (Protocol::Two, Codec::Json) => self.write_protocol2(),
            (Protocol::Two, _) => {
                let embed = self.embed.into_value();
                let embed = embed.map_err(|error| {
                    EncodeError::unrepresentable(codec.name(), error.to_string()).at("[2]")
                })?;
                let parts = vec![Value::List(self.args), Value::Map(self.kwargs), embed];
                codec.encode(&Value::List(parts))
            }
        }
    }

    /// Later steps of a chain that were not read go into JSON as they came.
    fn write_protocol2(self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Writer::default();
        let at = |place: &'static str| move |error: EncodeError| error.at(place);
        out.begin_list(3)?;
        out.value(&Value::List(self.args)).map_err(at("[0]"))?;
        out.next_item();
        out.value(&Value::Map(self.kwargs)).map_err(at("[1]"))?;
        out.next_item();
        self.embed.write(&mut out).map_err(at("[2]"))?;
        out.end_list();
        Ok(out.into_bytes())
    }

    fn into_protocol1(self) -> Value {
        let time = |at: Option<DateTime>| at.map(DateTime::into_string);
        let mut map = Map::new();
        map.insert("task", self.task);
        map.insert("id", self.id);
        map.insert("args", Value::List(self.args));
        map.insert("kwargs", self.kwargs);
        map.insert("group", self.group.clone());
        map.insert("group_index", self.group_index);
        map.insert("retries", self.retries);
        map.insert("eta", time(self.eta));
        map.insert("expires", time(self.expires));
        map.insert("utc", true);
        map.insert("callbacks", self.embed.callbacks);
        map.insert("errbacks", self.embed.errbacks);
        map.insert("timelimit", self.timelimit.to_value());
        map.insert("taskset", self.group);
        map.insert("chord", self.embed.chord);
        Value::Map(map)
    }
}
