//! The settings of who sends tasks, as the client's options.

use std::sync::Arc;
use std::time::Duration;

use broker::ExchangeKind;
use client::{ClientOptions, PublishRetryPolicy, RouteOptions, Routes};
use outbox::OutboxOptions;
use protocol::{Accept, Map, Value};

use super::Settings;
use crate::Error;
use crate::telemetry::TraceContext;

impl Settings {
    /// How a client of this program sends.
    ///
    /// # Errors
    /// When `task_routes`, `task_publish_retry_policy`, `task_default_priority` or `accept_content` hold what is not theirs.
    pub fn client_options(&self) -> Result<ClientOptions, Error> {
        let text = |name| self.text(name).map(str::to_owned);
        Ok(ClientOptions {
            task_default_queue: self.default_queue(),
            task_default_exchange: text("task_default_exchange"),
            task_default_routing_key: text("task_default_routing_key"),
            task_default_priority: self.default_priority()?,
            task_routes: self.routes()?,
            task_serializer: self.codec("task_serializer"),
            task_compression: self.compression("task_compression"),
            task_compression_threshold: self
                .size("celeriac_task_compression_threshold")
                .unwrap_or_default(),
            task_publish_retry: self.is_on("task_publish_retry"),
            task_publish_retry_policy: self.publish_retry_policy()?,
            publish_limit: self.size("celeriac_publish_limit").unwrap_or_default(),
            publish_patience: self
                .seconds("celeriac_publish_patience")
                .unwrap_or_default(),
            task_send_sent_event: self.is_on("task_send_sent_event"),
            task_allow_error_cb_on_chord_header: self.is_on("task_allow_error_cb_on_chord_header"),
            accept_content: self.accept("accept_content")?,
            limits: self.limits(),
            revokes_on_broker: self.is_on("celeriac_revokes_on_broker"),
            propagator: Some(Arc::new(TraceContext)),
            ..ClientOptions::default()
        })
    }

    /// The outbox of who sends; `None` without `celeriac_outbox_path`.
    pub fn outbox_options(&self) -> Option<OutboxOptions> {
        let defaults = OutboxOptions::new(self.text("celeriac_outbox_path")?);
        Some(OutboxOptions {
            max_messages: self
                .count("celeriac_outbox_max_messages")
                .unwrap_or(defaults.max_messages),
            max_bytes: self
                .count("celeriac_outbox_max_bytes")
                .unwrap_or(defaults.max_bytes),
            timeout: self
                .seconds("celeriac_outbox_timeout")
                .unwrap_or(defaults.timeout),
            path: defaults.path,
        })
    }

    /// `task_default_queue`.
    pub fn default_queue(&self) -> String {
        self.text("task_default_queue")
            .unwrap_or("celery")
            .to_owned()
    }

    fn default_priority(&self) -> Result<Option<u8>, Error> {
        let entry = self.entry("task_default_priority");
        let Some(priority) = entry.value.as_i64() else {
            return Ok(None);
        };
        u8::try_from(priority)
            .map(Some)
            .map_err(|_| entry.refuse("a whole number from 0 to 255"))
    }

    /// The serializers that are read.
    pub(crate) fn accept(&self, name: &str) -> Result<Accept, Error> {
        let Some(names) = self.list(name) else {
            return self.accept("accept_content");
        };
        let accept = Accept::from_names(names.iter().map(String::as_str));
        accept.map_err(|error| {
            self.entry(name)
                .refuse(&format!("a list of serializers ({error})"))
        })
    }

    fn publish_retry_policy(&self) -> Result<PublishRetryPolicy, Error> {
        let entry = self.entry("task_publish_retry_policy");
        let mut policy = PublishRetryPolicy::default();
        for (key, value) in self.map("task_publish_retry_policy").iter() {
            let slot = match key {
                "max_retries" => {
                    policy.max_retries = retries(value).ok_or_else(|| {
                        entry.refuse("a table whose max_retries is a whole number or null")
                    })?;
                    continue;
                }
                "interval_start" => &mut policy.interval_start,
                "interval_step" => &mut policy.interval_step,
                "interval_max" => &mut policy.interval_max,
                other => return Err(entry.refuse(&format!(
                    "a table of max_retries, interval_start, interval_step and interval_max (not {other})"
                ))),
            };
            *slot = seconds(value).ok_or_else(|| {
                entry.refuse(&format!("a table whose {key} is a number of seconds"))
            })?;
        }
        Ok(policy)
    }

    fn routes(&self) -> Result<Routes, Error> {
        let entry = self.entry("task_routes");
        let mut routes = Vec::new();
        collect_routes(&entry.value, &mut routes).map_err(|rule| {
            entry.refuse(&format!("a table of patterns and destinations: {rule}"))
        })?;
        Ok(routes.into_iter().collect())
    }
}

/// `Some(None)` for "for ever", `None` for what is no number of retries.
fn retries(value: &Value) -> Option<Option<u32>> {
    match value {
        Value::Null => Some(None),
        other => Some(Some(u32::try_from(other.as_i64()?).ok()?)),
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(value.as_f64()?).ok()
}

type Found = Vec<(String, RouteOptions)>;

/// Celery's forms: a table, a list of tables, or a list of pairs.
fn collect_routes(value: &Value, found: &mut Found) -> Result<(), String> {
    match value {
        Value::Null => Ok(()),
        Value::Map(map) => map.iter().try_for_each(|(pattern, target)| {
            found.push((pattern.to_owned(), route(pattern, target)?));
            Ok(())
        }),
        Value::List(items) => items.iter().try_for_each(|item| match item.as_list() {
            Some([Value::Str(pattern), target]) => {
                found.push((pattern.clone(), route(pattern, target)?));
                Ok(())
            }
            _ => collect_routes(item, found),
        }),
        other => Err(format!("{} is none", other.type_name())),
    }
}

fn route(pattern: &str, target: &Value) -> Result<RouteOptions, String> {
    match target {
        Value::Str(queue) => Ok(RouteOptions {
            queue: Some(queue.clone()),
            ..RouteOptions::default()
        }),
        Value::Map(options) => route_options(options).map_err(|rule| format!("{pattern}: {rule}")),
        other => Err(format!(
            "{pattern}: the destination is {}",
            other.type_name()
        )),
    }
}

fn route_options(options: &Map) -> Result<RouteOptions, String> {
    let mut route = RouteOptions::default();
    for (key, value) in options.iter() {
        let text = value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("{key} must be text"));
        match key {
            "queue" => route.queue = Some(text?),
            "exchange" => route.exchange = Some(text?),
            "routing_key" => route.routing_key = Some(text?),
            "exchange_type" => route.exchange_type = Some(exchange_kind(&text?)?),
            "priority" => {
                let priority = value.as_i64().and_then(|number| u8::try_from(number).ok());
                route.priority =
                    Some(priority.ok_or("priority must be a whole number from 0 to 255")?);
            }
            other => {
                return Err(format!(
                    "{other} is none of queue, exchange, exchange_type, routing_key, priority"
                ));
            }
        }
    }
    Ok(route)
}

fn exchange_kind(name: &str) -> Result<ExchangeKind, String> {
    match name {
        "direct" => Ok(ExchangeKind::Direct),
        "topic" => Ok(ExchangeKind::Topic),
        "fanout" => Ok(ExchangeKind::Fanout),
        other => Err(format!(
            "exchange_type {other} is none of direct, topic, fanout"
        )),
    }
}
