//! `celeriac message`.

use std::io::Read;

use protocol::{
    Accept, CLAIM_CONTENT_TYPE, Codec, DecodeError, Limits, Map, Message, Protocol, TaskRequest,
    Value,
};
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What stands in place of a body that cannot be decoded.
const BODY_ERROR: &str = "body_error";

/// Raw broker messages
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  redis-cli LINDEX celery -1 | celeriac message decode -
  celeriac message decode --queue celery -n 3
  celeriac message decode envelope.json
Exit code 1 when the envelope or a body cannot be decoded.")]
pub(crate) enum Args {
    /// Turn messages into readable JSON: properties, headers, args, kwargs, embedded callbacks
    Decode(Decode),
}

/// Where the messages are.
#[derive(Debug, clap::Args)]
pub(crate) struct Decode {
    /// A file with one envelope, or - for standard input
    #[arg(required_unless_present = "queue", conflicts_with = "queue")]
    file: Option<String>,
    /// The oldest ready messages of this queue, which stay there
    #[arg(long)]
    queue: Option<String>,
    /// How many of the queue's messages
    #[arg(short = 'n', long, default_value = "1")]
    max: usize,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let Args::Decode(decode) = args;
    let raws = match (&decode.queue, &decode.file) {
        (Some(queue), _) => peek(queue, decode.max, context).await?,
        (None, file) => vec![read(
            file.as_deref().unwrap_or("-"),
            &context.settings.limits(),
        )?],
    };
    let mut exit = Exit::Ok;
    for raw in &raws {
        let message = readable(raw, &context.settings.limits())?;
        if message.contains_key(BODY_ERROR) {
            exit = Exit::Failure;
        }
        output::json(&Value::Map(message));
    }
    Ok(exit)
}

async fn peek(queue: &str, max: usize, context: &Context) -> Result<Vec<Vec<u8>>, Error> {
    let messages = context.backends().await?.admin.peek(queue, max).await?;
    if messages.is_empty() {
        return Err(Error::NotFound(format!("queue {queue} is empty")));
    }
    Ok(messages.into_iter().map(Vec::from).collect())
}

/// Reads at most one byte more than is allowed, so that too much is told as such.
fn read(file: &str, limits: &Limits) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Io {
        what: format!("cannot read {file}"),
        source,
    };
    let source: Box<dyn Read> = match file {
        "-" => Box::new(std::io::stdin()),
        path => Box::new(std::fs::File::open(path).map_err(failed)?),
    };
    let mut raw = Vec::new();
    source
        .take(limits.payload as u64 + 1)
        .read_to_end(&mut raw)
        .map_err(failed)?;
    Ok(raw)
}

/// A message as a person reads it: the body decoded, whatever its serializer and compression, or why it cannot be.
pub(super) fn readable(raw: &[u8], limits: &Limits) -> Result<Map, Error> {
    let undecodable = |why: String| Error::Decode {
        what: "the envelope".to_owned(),
        why,
    };
    let raw = raw.trim_ascii();
    if raw.is_empty() {
        return Err(undecodable("there is nothing to read".to_owned()));
    }
    let message =
        Message::from_envelope(raw, limits).map_err(|error| undecodable(error.to_string()))?;
    let mut shown = Map::new();
    shown.insert("content_type", message.content_type.clone());
    shown.insert("content_encoding", message.content_encoding.clone());
    shown.insert("properties", message.properties.to_map());
    shown.insert("headers", message.headers.to_map());
    match body(&message, limits) {
        Ok(body) => shown.insert("body", body),
        Err(error) => shown.insert(BODY_ERROR, error.to_string()),
    };
    Ok(shown)
}

/// The arguments of a task in protocol 2; the reference to a payload that lies beside the message; anything else as it is, with protocol 1 the name and id in it.
fn body(message: &Message, limits: &Limits) -> Result<Value, DecodeError> {
    if message.content_type == CLAIM_CONTENT_TYPE {
        return Ok(Value::from(
            String::from_utf8_lossy(&message.body).into_owned(),
        ));
    }
    let accept = Accept::new([Codec::Json, Codec::Msgpack, Codec::Yaml]);
    match TaskRequest::from_message(message, &accept, limits) {
        Ok(request) if request.protocol == Protocol::Two => task(request),
        _ => match message.decode_body(&accept, limits)? {
            Value::Bytes(bytes) => Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned())),
            other => Ok(other),
        },
    }
}

fn task(request: TaskRequest) -> Result<Value, DecodeError> {
    let mut shown = Map::new();
    shown.insert("args", request.args);
    shown.insert("kwargs", request.kwargs);
    shown.insert("embed", request.embed.into_value()?);
    Ok(Value::Map(shown))
}
