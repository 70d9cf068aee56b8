//! Messages as they are stored: encoded, with what the broker must know beside them.

use std::sync::Arc;

use bytes::Bytes;
use protocol::{BodyEncoding, DecodeError, Limits, Message};
use uuid::Uuid;

use super::bindings::Bindings;
use super::queues::step_of;
use crate::{ChordCall, Publish, Result, Route};

/// One stored message.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) queue: Arc<str>,
    pub(super) step: usize,
    pub(super) raw: Bytes,
    pub(super) redelivered: bool,
    pub(super) deaths: u32,
}

impl Item {
    /// Bytes whose meaning is not known.
    pub(super) fn raw(queue: &str, raw: Bytes) -> Self {
        Self {
            queue: queue.into(),
            step: 0,
            raw,
            redelivered: false,
            deaths: 0,
        }
    }

    /// The same, marked as held before.
    pub(super) fn redelivered(self) -> Self {
        Self {
            redelivered: true,
            ..self
        }
    }

    /// The same, held before by one more who has died with it.
    pub(super) fn died(self) -> Self {
        Self {
            deaths: self.deaths.saturating_add(1),
            ..self.redelivered()
        }
    }

    /// The message, with Celery's two marks when it was held before.
    pub(super) fn decode(&self, limits: &Limits) -> Result<Message, DecodeError> {
        let mut message = Message::from_envelope(&self.raw, limits)?;
        if self.redelivered {
            message.headers.extra.insert("redelivered", true);
            message
                .properties
                .delivery_info
                .get_or_insert_default()
                .redelivered = Some(true);
        }
        Ok(message)
    }
}

/// A message on its way in: encoded once, for however many queues it goes to.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) route: Route,
    step: usize,
    raw: Bytes,
}

impl Outgoing {
    pub(super) fn encode(publish: Publish) -> Result<Self> {
        let Publish { mut message, route } = publish;
        let step = step_of(message.properties.priority.unwrap_or_default());
        message.properties.delivery_tag = Some(Uuid::new_v4().to_string());
        message.properties.body_encoding = Some(BodyEncoding::Base64);
        let info = message.properties.delivery_info.get_or_insert_default();
        info.exchange = route.exchange().to_owned();
        info.routing_key = route.routing_key().to_owned();
        Ok(Self {
            raw: message.to_envelope()?.into(),
            step,
            route,
        })
    }

    pub(super) fn encode_all(batch: Vec<Publish>) -> Result<Vec<Self>> {
        batch.into_iter().map(Self::encode).collect()
    }

    /// The queues that it goes to now. A queue that is named directly is declared by that.
    pub(super) fn queues(&self, bindings: &mut Bindings) -> Vec<String> {
        match &self.route {
            Route::Queue(queue) => {
                bindings.declare(queue);
                vec![queue.clone()]
            }
            Route::Exchange {
                name,
                kind,
                routing_key,
            } => bindings
                .matching(name, *kind, routing_key)
                .into_iter()
                .collect(),
        }
    }

    pub(super) fn item(&self, queue: &str) -> Item {
        Item {
            queue: queue.into(),
            step: self.step,
            raw: self.raw.clone(),
            redelivered: false,
            deaths: 0,
        }
    }
}

/// What the end of a chord calls, on its way in.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) once: Option<String>,
    pub(super) publish: Vec<Outgoing>,
}

impl Call {
    pub(super) fn encode(call: ChordCall) -> Result<Self> {
        Ok(Self {
            once: call.once,
            publish: Outgoing::encode_all(call.publish)?,
        })
    }
}
