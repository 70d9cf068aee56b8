//! `celeriac call`.

use std::time::Duration;

use client::{AsyncResult, Call, ClientError, Expires};
use jiff::Timestamp;
use protocol::{Codec, Limits, Value};
use serde::Serialize;
use service::Exit;

use crate::context::{Context, seconds};
use crate::error::Error;
use crate::{output, registered};

/// How long what waits in the outbox is tried before the command ends.
const FLUSH: Duration = Duration::from_secs(2);
/// How times are written.
const A_TIME: &str = "a time with its zone, like 2026-11-20T12:00:00Z";

/// Send a task by name
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac call proj.refresh --queue analytics --wait
  celeriac call proj.add -a '[2, 3]' --countdown 60
  celeriac call proj.report -k '{\"user_id\": 1}' --expires 300 --priority 3")]
pub(crate) struct Args {
    /// The task's name
    name: String,
    /// Positional arguments, a JSON list
    #[arg(short, long, value_name = "JSON", value_parser = list)]
    args: Option<Value>,
    /// Keyword arguments, a JSON object
    #[arg(short, long, value_name = "JSON", value_parser = map)]
    kwargs: Option<Value>,
    /// Headers of the message besides Celery's own, a JSON object
    #[arg(long, value_name = "JSON", value_parser = map)]
    headers: Option<Value>,
    /// Run not before this time (2026-11-20T12:00:00Z)
    #[arg(long, value_name = "TIME", conflicts_with = "countdown", value_parser = time)]
    eta: Option<Timestamp>,
    /// Run in this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    countdown: Option<Duration>,
    /// Do not start after this many seconds, or after this time
    #[arg(long, value_name = "SECONDS|TIME", value_parser = expires)]
    expires: Option<Expires>,
    /// The queue [default: by task_routes]
    #[arg(long)]
    queue: Option<String>,
    /// The exchange
    #[arg(long)]
    exchange: Option<String>,
    /// The routing key
    #[arg(long)]
    routing_key: Option<String>,
    /// 0 to 9
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: Option<u8>,
    /// json, msgpack or yaml
    #[arg(long, value_parser = codec)]
    serializer: Option<Codec>,
    /// The task's id [default: random]
    #[arg(long)]
    task_id: Option<String>,
    /// Wait for the result and print it
    #[arg(short, long)]
    wait: bool,
    /// How long to wait
    #[arg(short, long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,
}

#[derive(Debug, Serialize)]
struct Sent<'a> {
    task_id: &'a str,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let producer = context.producer().await?;
    let client = context.client_on(producer.backends.clone())?;
    if args.wait && client.backends().results.is_none() {
        // Said before the task is sent rather than after.
        return Err(ClientError::NoResultBackend.into());
    }
    let call = prepare(client.task(&args.name), &args);
    let sent = call.send().await?;
    if !producer.flush(FLUSH).await && !context.quiet {
        eprintln!(
            "note: the broker does not answer; the call waits in the outbox (celeriac outbox list)"
        );
    }
    if args.wait {
        let shown = show_result(&sent, args.timeout, context).await;
        return match shown {
            Err(error) if registered::is_missing(&error) => {
                Err(registered::explain(&client, &args.name).await)
            }
            shown => shown,
        };
    }
    if context.json {
        output::json(&Sent { task_id: sent.id() });
    } else {
        output::line(sent.id());
    }
    Ok(Exit::Ok)
}

fn prepare(call: Call<Value>, args: &Args) -> Call<Value> {
    let positional = args
        .args
        .as_ref()
        .and_then(Value::as_list)
        .unwrap_or_default();
    let entries = |given: &Option<Value>| {
        let map = given.as_ref().and_then(Value::as_map);
        map.cloned().unwrap_or_default()
    };
    let call = positional
        .iter()
        .fold(call, |call, value| call.arg(value))
        .kwargs(&entries(&args.kwargs))
        .headers(entries(&args.headers));
    let call = set(call, args.eta, Call::eta);
    let call = set(call, args.countdown, Call::countdown);
    let call = set(call, args.expires, Call::expires);
    let call = set(call, args.queue.clone(), Call::queue);
    let call = set(call, args.exchange.clone(), Call::exchange);
    let call = set(call, args.routing_key.clone(), Call::routing_key);
    let call = set(call, args.priority, Call::priority);
    let call = set(call, args.serializer, Call::serializer);
    set(call, args.task_id.clone(), Call::task_id)
}

fn set<C, T>(call: C, value: Option<T>, setter: impl FnOnce(C, T) -> C) -> C {
    match value {
        Some(value) => setter(call, value),
        None => call,
    }
}

/// Waits for a result and prints it.
pub(super) async fn show_result(
    result: &AsyncResult<Value>,
    timeout: Duration,
    context: &Context,
) -> Result<Exit, Error> {
    if context.json {
        let meta = result.wait(timeout).await?;
        output::json(&Value::Map(meta.to_map()));
        return Ok(if meta.status.is_exception() {
            Exit::Failure
        } else {
            Exit::Ok
        });
    }
    let value = result.get(timeout).await?;
    match value {
        Value::Str(text) => output::line(&text),
        other => output::json(&other),
    }
    Ok(Exit::Ok)
}

fn json(text: &str) -> Result<Value, String> {
    Codec::Json
        .decode(text.as_bytes(), &Limits::default())
        .map_err(|error| format!("is not JSON: {error}"))
}

fn list(text: &str) -> Result<Value, String> {
    match json(text)? {
        list @ Value::List(_) => Ok(list),
        other => Err(format!("must be a JSON list, not {}", other.type_name())),
    }
}

fn map(text: &str) -> Result<Value, String> {
    match json(text)? {
        map @ Value::Map(_) => Ok(map),
        other => Err(format!("must be a JSON object, not {}", other.type_name())),
    }
}

fn expires(text: &str) -> Result<Expires, String> {
    if let Ok(after) = seconds(text) {
        return Ok(Expires::After(after));
    }
    time(text)
        .map(Expires::At)
        .map_err(|_| format!("must be a number of seconds or {A_TIME}"))
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("must be {A_TIME}"))
}

fn codec(text: &str) -> Result<Codec, String> {
    match text {
        "json" | "msgpack" | "yaml" => {
            Codec::from_name_or_content_type(text).map_err(|error| error.to_string())
        }
        _ => Err("must be json, msgpack or yaml".to_owned()),
    }
}
