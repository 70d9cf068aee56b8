//! From a [`TaskCall`] to a message with its destination. Nothing is sent here.

use std::time::Duration;

use broker::{ExchangeKind, Publish, Route, random_id};
use jiff::Timestamp;
use protocol::event::TaskSent;
use protocol::{DateTime, Packing, TaskMessage, TimeLimit};

use crate::sent::described;
use crate::{CallOptions, ClientError, ClientOptions, Expires, RouteOptions, TaskCall};

/// A call ready to be published.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The task's id.
    pub task_id: String,
    /// The message and where it goes.
    pub publish: Publish,
    /// What the `task-sent` event says, if one is wanted.
    pub(crate) sent: Option<Box<TaskSent>>,
}

/// A random task id.
pub(crate) fn new_id() -> String {
    random_id().to_string()
}

pub(crate) fn prepare(
    options: &ClientOptions,
    reply_to: &str,
    call: TaskCall,
) -> Result<Prepared, ClientError> {
    let task = call.task.clone();
    let routed = options
        .task_routes
        .find(call.options.route_name.as_ref().unwrap_or(&task));
    let route = destination(options, routed, &call.options);
    let codec = call.options.serializer.unwrap_or(options.task_serializer);
    let packing = packing(options, &call.options);
    let priority = priority(options, routed, &call.options);
    let mut message = message_of(call)?;
    message.priority = priority;
    message.origin = Some(options.origin.clone());
    message.reply_to.get_or_insert_with(|| reply_to.to_owned());
    message.exchange = route.exchange().to_owned();
    message.routing_key = route.routing_key().to_owned();
    if let Some(propagator) = &options.propagator {
        propagator.inject(&mut message.headers);
    }
    let task_id = message.id.clone();
    let message = message
        .encode(codec, packing)
        .map_err(|source| ClientError::Encode { task, source })?;
    let sent = options
        .task_send_sent_event
        .then(|| Box::new(described(&message.headers, &route)));
    Ok(Prepared {
        task_id,
        publish: Publish { message, route },
        sent,
    })
}

/// What the call alone says.
fn message_of(call: TaskCall) -> Result<TaskMessage, ClientError> {
    let TaskCall {
        task,
        args,
        kwargs,
        options,
    } = call;
    let times = Times::of(&options, &task)?;
    let stamped_headers = options.stamps.keys().map(str::to_owned).collect::<Vec<_>>();
    Ok(TaskMessage {
        args,
        kwargs,
        embed: options.embed,
        shadow: options.shadow,
        eta: times.eta.map(DateTime::from),
        expires: times.expires.map(DateTime::from),
        expiration_ms: times.expiration_ms,
        group: options.group_id,
        group_index: options.group_index,
        retries: options.retries,
        timelimit: TimeLimit {
            hard: options.time_limit,
            soft: options.soft_time_limit,
        },
        root_id: options.root_id,
        parent_id: options.parent_id,
        ignore_result: options.ignore_result,
        replaced_task_nesting: options.replaced_task_nesting,
        stamped_headers: (!stamped_headers.is_empty()).then_some(stamped_headers),
        stamps: options.stamps,
        headers: options.headers,
        reply_to: options.reply_to,
        ..TaskMessage::new(task, options.task_id.unwrap_or_else(new_id))
    })
}

/// A call that says how it is compressed is compressed, however short it is.
fn packing(options: &ClientOptions, wanted: &CallOptions) -> Packing {
    match wanted.compression {
        Some(compression) => Some(compression).into(),
        None => Packing {
            compression: options.task_compression,
            threshold: options.task_compression_threshold,
        },
    }
}

fn priority(options: &ClientOptions, routed: Option<&RouteOptions>, wanted: &CallOptions) -> i64 {
    let routed = routed.and_then(|route| route.priority);
    wanted
        .priority
        .or(routed)
        .or(options.task_default_priority)
        .map_or(0, i64::from)
}

/// Celery's rule: what the call says wins over its route, the route over the defaults; a queue without an exchange
/// or a routing key is reached through the default exchange.
fn destination(
    options: &ClientOptions,
    routed: Option<&RouteOptions>,
    wanted: &CallOptions,
) -> Route {
    let none = RouteOptions::default();
    let routed = routed.unwrap_or(&none);
    let exchange = wanted.exchange.as_ref().or(routed.exchange.as_ref());
    let routing_key = wanted.routing_key.as_ref().or(routed.routing_key.as_ref());
    let queue = wanted.queue.as_ref().or(routed.queue.as_ref());
    if exchange.is_none() && routing_key.is_none() {
        return Route::queue(queue.unwrap_or(&options.task_default_queue));
    }
    let fallback = options
        .task_default_exchange
        .as_ref()
        .unwrap_or(&options.task_default_queue);
    let name = exchange.or(queue).unwrap_or(fallback).clone();
    let default_key = options
        .task_default_routing_key
        .as_ref()
        .unwrap_or(&options.task_default_queue);
    let routing_key = routing_key.or(queue).unwrap_or(default_key).clone();
    let kind = wanted
        .exchange_type
        .or(routed.exchange_type)
        .unwrap_or(ExchangeKind::Direct);
    Route::Exchange {
        name,
        kind,
        routing_key,
    }
}

/// The times of a call, made absolute.
struct Times {
    eta: Option<Timestamp>,
    expires: Option<Timestamp>,
    expiration_ms: Option<i64>,
}

impl Times {
    fn of(wanted: &CallOptions, task: &str) -> Result<Self, ClientError> {
        let now = Timestamp::now();
        let countdown = wanted.countdown.filter(|wait| !wait.is_zero());
        let eta = countdown
            .map(|wait| after(now, wait, "countdown", task))
            .transpose()?
            .or(wanted.eta);
        let expires = match wanted.expires {
            None => None,
            Some(Expires::At(at)) => Some(at),
            Some(Expires::After(wait)) => Some(after(now, wait, "expires", task)?),
        };
        let expiration_ms = expires.map(|at| (at.as_millisecond() - now.as_millisecond()).max(0));
        Ok(Self {
            eta,
            expires,
            expiration_ms,
        })
    }
}

fn after(
    now: Timestamp,
    wait: Duration,
    option: &'static str,
    task: &str,
) -> Result<Timestamp, ClientError> {
    now.checked_add(wait)
        .map_err(|_| ClientError::TimeOutOfRange {
            option,
            task: task.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> ClientOptions {
        let route = |queue: &str| RouteOptions {
            queue: Some(queue.to_owned()),
            priority: Some(3),
            ..RouteOptions::default()
        };
        ClientOptions {
            task_routes: [("app.*", route("routed"))].into_iter().collect(),
            ..ClientOptions::default()
        }
    }

    fn prepared(task: &str, wanted: CallOptions) -> Prepared {
        let call = TaskCall {
            options: wanted,
            ..TaskCall::new(task)
        };
        prepare(&options(), "reply", call).expect("can be encoded")
    }

    #[test]
    fn the_call_wins_over_its_route_and_the_route_over_the_default() {
        let to = |task: &str, queue: Option<&str>| {
            let wanted = CallOptions {
                queue: queue.map(str::to_owned),
                ..CallOptions::default()
            };
            prepared(task, wanted).publish.route
        };
        assert_eq!(to("app.add", Some("mine")), Route::queue("mine"));
        assert_eq!(to("app.add", None), Route::queue("routed"));
        assert_eq!(to("other.add", None), Route::queue("celery"));
    }

    #[test]
    fn an_exchange_takes_its_routing_key_from_the_call() {
        let wanted = CallOptions {
            exchange: Some("media".to_owned()),
            exchange_type: Some(ExchangeKind::Topic),
            routing_key: Some("video.hd".to_owned()),
            ..CallOptions::default()
        };
        let route = prepared("other.add", wanted).publish.route;
        let topic = ExchangeKind::Topic;
        assert_eq!(
            route,
            Route::Exchange {
                name: "media".to_owned(),
                kind: topic,
                routing_key: "video.hd".to_owned()
            }
        );
    }

    #[test]
    fn priority_comes_from_the_route_unless_the_call_says_one() {
        let wanted = CallOptions {
            priority: Some(9),
            ..CallOptions::default()
        };
        assert_eq!(
            prepared("app.add", wanted)
                .publish
                .message
                .properties
                .priority,
            Some(9)
        );
        assert_eq!(
            prepared("app.add", CallOptions::default())
                .publish
                .message
                .properties
                .priority,
            Some(3)
        );
        assert_eq!(
            prepared("add", CallOptions::default())
                .publish
                .message
                .properties
                .priority,
            Some(0)
        );
    }

    #[test]
    fn a_countdown_becomes_an_eta_and_zero_counts_as_none() {
        let eta = |seconds| {
            let wanted = CallOptions {
                countdown: Some(Duration::from_secs(seconds)),
                ..CallOptions::default()
            };
            prepared("add", wanted).publish.message.headers.eta
        };
        assert!(eta(0).is_none());
        assert!(
            eta(60)
                .and_then(|eta| eta.timestamp())
                .is_some_and(|at| at > Timestamp::now())
        );
    }

    #[test]
    fn a_time_beyond_the_calendar_is_refused() {
        let wanted = CallOptions {
            countdown: Some(Duration::from_secs(u64::MAX / 4)),
            ..CallOptions::default()
        };
        let call = TaskCall {
            options: wanted,
            ..TaskCall::new("add")
        };
        let error = prepare(&options(), "reply", call).expect_err("no such time");
        assert_eq!(error.to_string(), "countdown of add is out of range");
    }
}
