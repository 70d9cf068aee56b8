//! The wire: everything Celery puts into messages and results, as plain data.
//!
//! Pure: no I/O, no clock, no randomness; times, ids and host names are arguments. The way of a task
//! message: [`Message::from_envelope`] reads what a broker holds, [`TaskRequest::from_message`] what it
//! means; [`TaskMessage`] and [`Message::to_envelope`] go the other way.

mod accept;
#[cfg(feature = "auth")]
pub mod auth;
mod canvas;
mod codec;
pub mod compact;
mod compression;
pub mod control;
mod error;
pub mod event;
mod json;
mod limits;
mod message;
mod meta;
mod node;
mod put;
pub mod redis;
mod saferepr;
mod signature;
mod state;
mod take;
mod task;
mod timing;
pub mod typed;
mod value;

pub use accept::Accept;
pub use canvas::Canvas;
pub use codec::{CLAIM_CONTENT_TYPE, Codec};
pub use compression::{Compression, Packing};
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use event::{Event, LamportClock};
pub use limits::{Limits, MAX_DEPTH, SERDE_DEPTH};
pub use message::{BodyEncoding, DeliveryInfo, Headers, Message, Properties, TimeLimit};
pub use meta::{
    ChordMember, ExceptionInfo, Extended, ResultTuple, TaskMeta, decode_group, encode_group,
    is_success,
};
pub use node::{NodeParts, node_format, node_split};
pub use saferepr::exact::{python_set, repr as python_repr};
pub use saferepr::{saferepr, saferepr_args, saferepr_kwargs};
pub use signature::Signature;
pub use state::State;
pub use task::{Chain, Embed, Protocol, TaskMessage, TaskRequest};
pub use timing::{backoff, delayed_routing_key, rate};
pub use value::{
    BigInt, Date, DateTime, Decimal, Key, Map, MapIntoIter, MapIter, Time, Value, from_value,
    timestamp_text, to_value,
};
