//! `celeriac message`.

use std::io::Read;

use protocol::{Accept, Codec, Limits, Map, Message, TaskRequest, Value};
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// Raw broker messages
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  redis-cli LINDEX celery -1 | celeriac message decode -
  celeriac message decode --queue celery -n 3
  celeriac message decode envelope.json")]
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
    for raw in &raws {
        output::json(&readable(raw, &context.settings.limits())?);
    }
    Ok(Exit::Ok)
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

/// A message as a person reads it. The body is shown decoded, whatever its serializer and compression.
pub(super) fn readable(raw: &[u8], limits: &Limits) -> Result<Value, Error> {
    let undecodable = |what: &str, error: protocol::DecodeError| Error::Decode {
        what: what.to_owned(),
        why: error.to_string(),
    };
    let message = Message::from_envelope(raw.trim_ascii(), limits)
        .map_err(|error| undecodable("the envelope", error))?;
    let accept = Accept::new([Codec::Json, Codec::Msgpack, Codec::Yaml]);
    let body = match TaskRequest::from_message(&message, &accept, limits) {
        Ok(request) => task(&request),
        Err(_) => message
            .decode_body(&accept, limits)
            .map_err(|error| undecodable("the body", error))?,
    };
    let mut shown = Map::new();
    shown.insert("content_type", message.content_type.clone());
    shown.insert("content_encoding", message.content_encoding.clone());
    shown.insert("properties", message.properties.to_map());
    shown.insert("headers", message.headers.to_map());
    shown.insert("body", body);
    Ok(Value::Map(shown))
}

fn task(request: &TaskRequest) -> Value {
    let mut shown = Map::new();
    shown.insert("args", request.args.clone());
    shown.insert("kwargs", request.kwargs.clone());
    shown.insert("embed", request.embed.clone().into_value());
    Value::Map(shown)
}
