//! Messages on their way out: completed with what kombu's transport fills in, encoded once, and resolved to lists and channels.

use std::sync::Arc;

use broker::{CALL_MEMORY, ChordCall, ExchangeKind, Publish, Result, Route, random_id};
use protocol::{BodyEncoding, DeliveryInfo, Message};
use redis::{Cmd, Pipeline};

use crate::keys::Keys;
use crate::link::Link;
use crate::routing::Routing;

/// One write of an encoded message.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    /// `LPUSH` to a list or `PUBLISH` to a channel; in a settlement also `ONCE`, for those that follow.
    pub(crate) verb: &'static str,
    pub(crate) key: String,
    pub(crate) payload: Arc<Vec<u8>>,
}

/// What it takes to find out where a message goes.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    pub(crate) keys: Arc<Keys>,
    pub(crate) routing: Arc<Routing>,
    pub(crate) link: Link,
}

impl Router {
    /// Encodes the messages and finds their destinations. A message that no queue is bound for has none and is dropped, as in kombu.
    pub(crate) async fn resolve(&self, batch: Vec<Publish>) -> Result<Vec<Outgoing>> {
        let mut outgoing = Vec::with_capacity(batch.len());
        for Publish { message, route } in batch {
            let step = self.keys.step(message.properties.priority.unwrap_or(0));
            let payload = Arc::new(encode(message, &route)?);
            let destinations = self.destinations(&route, step).await?;
            if destinations.is_empty() {
                tracing::warn!(
                    exchange = route.exchange(),
                    routing_key = route.routing_key(),
                    "no queue is bound for a message; it is dropped"
                );
            }
            let sends = destinations.into_iter().map(|(verb, key)| Outgoing {
                verb,
                key,
                payload: Arc::clone(&payload),
            });
            outgoing.extend(sends);
        }
        Ok(outgoing)
    }

    /// The messages of a call. Those of one with a name follow what makes the script publish them only once.
    pub(crate) async fn resolve_call(&self, call: ChordCall) -> Result<Vec<Outgoing>> {
        let mut outgoing = self.resolve(call.publish).await?;
        if let Some(name) = call.once {
            let terms = format!("{} {}", outgoing.len(), CALL_MEMORY.as_secs());
            let once = Outgoing {
                verb: "ONCE",
                key: self.keys.called(&name),
                payload: Arc::new(terms.into_bytes()),
            };
            outgoing.insert(0, once);
        }
        Ok(outgoing)
    }

    async fn destinations(&self, route: &Route, step: u8) -> Result<Vec<(&'static str, String)>> {
        match route {
            Route::Queue(queue) => Ok(vec![("LPUSH", self.keys.list(queue, step))]),
            Route::Exchange {
                name, routing_key, ..
            } if name.is_empty() => Ok(vec![("LPUSH", self.keys.list(routing_key, step))]),
            Route::Exchange {
                name,
                kind: ExchangeKind::Fanout,
                routing_key,
            } => Ok(vec![("PUBLISH", self.keys.channel(name, routing_key))]),
            Route::Exchange {
                name, routing_key, ..
            } => {
                let queues = self
                    .routing
                    .queues(&self.link, &self.keys, name, routing_key)
                    .await?;
                Ok(queues
                    .iter()
                    .map(|queue| ("LPUSH", self.keys.list(queue, step)))
                    .collect())
            }
        }
    }
}

/// The envelope as kombu's Redis transport would write it.
pub(crate) fn encode(mut message: Message, route: &Route) -> Result<Vec<u8>> {
    let properties = &mut message.properties;
    properties.delivery_mode.get_or_insert(2);
    properties.priority.get_or_insert(0);
    properties.body_encoding = Some(BodyEncoding::Base64);
    properties.delivery_tag = Some(random_id().to_string());
    properties.delivery_info = Some(DeliveryInfo {
        exchange: route.exchange().to_owned(),
        routing_key: route.routing_key().to_owned(),
        ..DeliveryInfo::default()
    });
    Ok(message.to_envelope()?)
}

/// Adds the writes to a pipeline; neighbours for the same list share one command.
pub(crate) fn add_writes(outgoing: &[Outgoing], pipeline: &mut Pipeline) {
    let mut groups: Vec<Vec<&Outgoing>> = Vec::new();
    for message in outgoing {
        let open = groups.iter_mut().find(|group| {
            let first = group[0];
            first.verb == "LPUSH" && message.verb == "LPUSH" && first.key == message.key
        });
        match open {
            Some(group) => group.push(message),
            None => groups.push(vec![message]),
        }
    }
    for group in groups {
        pipeline.add_command(write(&group));
    }
}

/// The command for messages with the same verb and key. Its room is made at once: it may have megabytes.
fn write(group: &[&Outgoing]) -> Cmd {
    let Outgoing { verb, key, .. } = group[0];
    let payloads = group.iter().map(|message| message.payload.len());
    let size = verb.len() + key.len() + payloads.sum::<usize>();
    let mut command = Cmd::with_capacity(group.len() + 2, size);
    command.arg(verb).arg(key);
    for message in group {
        command.arg(&**message.payload);
    }
    command
}
