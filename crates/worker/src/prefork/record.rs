//! What worker and child tell each other. Values are dynamic and travel as JSON within fixed records.

use std::time::Duration;

use broker::Settled;
use jiff::Timestamp;
use protocol::{
    Codec, DecodeError, DecodeErrorKind, EncodeError, ExceptionInfo, Limits, ResultTuple,
    Signature, Value, compact,
};
use serde::{Deserialize, Serialize};

use crate::conclusion::RunEnd;
use crate::context::Sent;
use crate::{Failure, Outcome, Retry};

/// The format of the frames. Worker and child are the same program, so it never changes between them.
const FORMAT: u8 = 1;
/// The largest frame that can be read whatever the settings say.
const LARGEST: usize = 1 << 30;

/// One frame.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Frame {
    /// The child is ready for work.
    Ready,
    /// Work for the child.
    Start(Start),
    /// The child has begun with it.
    Accepted,
    /// The run is asked to end: its soft limit.
    Cancel,
    /// The run is terminated: the signal that comes with this is meant.
    Terminate,
    /// A state that the task stores, as a meta in JSON.
    Keep(Vec<u8>),
    /// What came of it; nothing when the worker cannot settle any more.
    Kept(Option<u8>),
    /// The run has ended.
    Ended(Box<Ended>),
    /// The child cannot run anything.
    Unable(String),
}

/// A message to run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) envelope: Vec<u8>,
    pub(super) queue: String,
    pub(super) redelivered: bool,
}

/// How a run ended, with what it has sent and wants to be sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ended {
    end: End,
    children: Packed,
    added: Packed,
}

/// A [`Value`] as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Packed(Vec<u8>);

#[derive(Debug, Serialize, Deserialize)]
enum End {
    Returned(Packed),
    Retry {
        countdown: Option<Duration>,
        eta: Option<i128>,
        max_retries: Option<Option<u32>>,
        cause: Option<Cause>,
        args: Option<Packed>,
        kwargs: Option<Packed>,
    },
    Reject {
        reason: String,
        requeue: bool,
    },
    Ignore,
    Replace(Packed),
    Fail(Cause),
    Panicked(String),
    SoftTimeLimit,
}

#[derive(Debug, Serialize, Deserialize)]
struct Cause {
    exception: Packed,
    traceback: Option<String>,
}

pub(super) fn encode(frame: &Frame) -> Result<Vec<u8>, EncodeError> {
    compact::encode::<LARGEST, _>(FORMAT, frame)
}

pub(super) fn decode(bytes: &[u8]) -> Result<Frame, DecodeError> {
    compact::decode::<LARGEST, _>(FORMAT, bytes)
}

/// What came of a settlement, as a number.
pub(super) fn settled_code(settled: Settled) -> u8 {
    match settled {
        Settled::Done => 0,
        Settled::Uncertain => 1,
        _ => 2,
    }
}

/// The reverse of [`settled_code`].
pub(super) fn settled(code: u8) -> Settled {
    match code {
        0 => Settled::Done,
        1 => Settled::Uncertain,
        _ => Settled::Refused,
    }
}

impl Ended {
    /// The record of a run's end.
    ///
    /// # Errors
    /// When a value has no form in JSON.
    pub(super) fn new(end: RunEnd, sent: Sent) -> Result<Self, EncodeError> {
        let children = Value::List(sent.children.iter().map(Value::from).collect());
        let added = Value::List(sent.added.into_iter().map(Value::from).collect());
        Ok(Self {
            end: End::new(end)?,
            children: Packed::new(&children)?,
            added: Packed::new(&added)?,
        })
    }

    /// What the record says.
    ///
    /// # Errors
    /// When it is not sound.
    pub(super) fn read(self, limits: &Limits) -> Result<(RunEnd, Sent), DecodeError> {
        let sent = Sent {
            children: each(self.children.read(limits)?, ResultTuple::from_value)?,
            added: each(self.added.read(limits)?, Signature::from_value)?,
        };
        Ok((self.end.read(limits)?, sent))
    }
}

fn each<T>(list: Value, read: fn(Value) -> Result<T, DecodeError>) -> Result<Vec<T>, DecodeError> {
    match list {
        Value::List(items) => items.into_iter().map(read).collect(),
        _ => Ok(Vec::new()),
    }
}

impl End {
    fn new(end: RunEnd) -> Result<Self, EncodeError> {
        Ok(match end {
            RunEnd::Returned(value) => Self::Returned(Packed::new(&value)?),
            RunEnd::Raised(outcome) => Self::of_outcome(outcome)?,
            RunEnd::Panicked(text) => Self::Panicked(text),
            // The rest are the worker's own words; in a child there is only one of them.
            _ => Self::SoftTimeLimit,
        })
    }

    fn of_outcome(outcome: Outcome) -> Result<Self, EncodeError> {
        Ok(match outcome {
            Outcome::Retry(retry) => Self::of_retry(*retry)?,
            Outcome::Reject { reason, requeue } => Self::Reject { reason, requeue },
            Outcome::Ignore => Self::Ignore,
            Outcome::Replace(signature) => Self::Replace(Packed::new(&signature.into_value())?),
            Outcome::Fail(failure) => Self::Fail(Cause::new(*failure)?),
        })
    }

    fn of_retry(retry: Retry) -> Result<Self, EncodeError> {
        let args = retry.args.map(Value::List);
        let kwargs = retry.kwargs.map(Value::Map);
        Ok(Self::Retry {
            countdown: retry.countdown,
            eta: retry.eta.map(Timestamp::as_nanosecond),
            max_retries: retry.max_retries,
            cause: retry.cause.map(Cause::new).transpose()?,
            args: args.as_ref().map(Packed::new).transpose()?,
            kwargs: kwargs.as_ref().map(Packed::new).transpose()?,
        })
    }

    fn read(self, limits: &Limits) -> Result<RunEnd, DecodeError> {
        let outcome = match self {
            Self::Returned(value) => return Ok(RunEnd::Returned(value.read(limits)?)),
            Self::Panicked(text) => return Ok(RunEnd::Panicked(text)),
            Self::SoftTimeLimit => return Ok(RunEnd::SoftTimeLimit),
            Self::Retry {
                countdown,
                eta,
                max_retries,
                cause,
                args,
                kwargs,
            } => Outcome::from(Retry {
                countdown,
                eta: eta.and_then(|eta| Timestamp::from_nanosecond(eta).ok()),
                max_retries,
                cause: cause.map(|cause| cause.read(limits)).transpose()?,
                args: match args.map(|args| args.read(limits)).transpose()? {
                    Some(Value::List(args)) => Some(args),
                    _ => None,
                },
                kwargs: match kwargs.map(|kwargs| kwargs.read(limits)).transpose()? {
                    Some(Value::Map(kwargs)) => Some(kwargs),
                    _ => None,
                },
            }),
            Self::Reject { reason, requeue } => Outcome::Reject { reason, requeue },
            Self::Ignore => Outcome::Ignore,
            Self::Replace(signature) => {
                let signature = Signature::from_value(signature.read(limits)?)?;
                Outcome::Replace(Box::new(signature))
            }
            Self::Fail(cause) => Outcome::Fail(Box::new(cause.read(limits)?)),
        };
        Ok(RunEnd::Raised(outcome))
    }
}

impl Cause {
    fn new(failure: Failure) -> Result<Self, EncodeError> {
        Ok(Self {
            exception: Packed::new(&Value::from(&failure.exception))?,
            traceback: failure.traceback,
        })
    }

    fn read(self, limits: &Limits) -> Result<Failure, DecodeError> {
        let exception = self.exception.read(limits)?;
        let exception = ExceptionInfo::from_value(&exception)
            .ok_or_else(|| DecodeError::new(DecodeErrorKind::Value, "not an exception"))?;
        Ok(Failure {
            exception,
            traceback: self.traceback,
        })
    }
}

impl Packed {
    fn new(value: &Value) -> Result<Self, EncodeError> {
        Codec::Json.encode(value).map(Self)
    }

    fn read(self, limits: &Limits) -> Result<Value, DecodeError> {
        Codec::Json.decode(&self.0, limits)
    }
}
