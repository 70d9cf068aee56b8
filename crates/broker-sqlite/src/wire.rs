//! Between the seam's values and what lies in the file.

pub(crate) mod effects;

use std::sync::Arc;
use std::time::Duration;

use broker::{
    BrokerError, ChordCall, Delivery, ErrorKind, Publish, ResultPolicy, Route, Settlement, Tag,
    Verdict,
};
use bytes::Bytes;
use protocol::{BodyEncoding, Codec, DecodeError, Limits, Message, State, TaskMeta, redis};

use crate::clock::wall_ms;
use crate::error::{Result, SqliteError};
use crate::operations::publish::{Call, Outgoing};
use crate::operations::reserve::Taken;
use crate::operations::results::EncodedMeta;
use crate::operations::settle::{Fate, Hold, Order, Past};

/// Encodes messages and fills in what a transport adds.
pub(crate) fn outgoing(batch: Vec<Publish>) -> Result<Vec<Outgoing>> {
    batch.into_iter().map(encode_publish).collect()
}

fn encode_publish(publish: Publish) -> Result<Outgoing> {
    let Publish { mut message, route } = publish;
    let step = step_of(message.properties.priority.unwrap_or_default());
    let properties = &mut message.properties;
    properties.delivery_tag = Some(broker::random_id().to_string());
    properties.body_encoding.get_or_insert(BodyEncoding::Base64);
    let info = properties.delivery_info.get_or_insert_default();
    info.exchange = route.exchange().to_owned();
    info.routing_key = route.routing_key().to_owned();
    check_name(&route)?;
    Ok(Outgoing {
        step,
        envelope: message.to_envelope()?.into(),
        route,
    })
}

/// Encodes a message that is told to all who listen.
pub(crate) fn encode_broadcast(mut message: Message) -> Result<Bytes> {
    message
        .properties
        .body_encoding
        .get_or_insert(BodyEncoding::Base64);
    Ok(message.to_envelope()?.into())
}

/// kombu's priority steps: clamped to 9, rounded down to 0, 3, 6 or 9.
fn step_of(priority: i64) -> u8 {
    let priority = u8::try_from(priority.clamp(0, 9)).expect("a clamped priority is one digit");
    priority / 3 * 3
}

/// SQLite's text ends at a zero character, so such a name would silently become another.
fn check_name(route: &Route) -> Result<()> {
    match route.routing_key().contains('\0') || route.exchange().contains('\0') {
        true => Err(SqliteError::Invalid(format!(
            "{route:?} has a zero character in its name"
        ))),
        false => Ok(()),
    }
}

/// Whether a binding key of a topic exchange matches, by kombu's rule.
pub(crate) fn topic_matches(binding_key: &str, routing_key: &str) -> bool {
    // All by far the most common; saves the regular expression.
    binding_key == "#" || redis::topic_matches(&redis::topic_pattern(binding_key), routing_key)
}

/// A message that this consumer holds, under a tag that names the incarnation.
pub(crate) fn delivery(incarnation: &str, taken: Taken, limits: &Limits) -> Delivery {
    let Taken {
        worker,
        id,
        queue,
        hold,
        redelivered,
        deaths,
        envelope,
        asked,
    } = taken;
    Delivery {
        tag: Tag(format!("{incarnation}:{worker}:{id}:{hold}").into()),
        queue: Arc::from(queue),
        message: decode(&envelope, redelivered, limits).into(),
        redelivered,
        deaths: u32::try_from(deaths).unwrap_or(u32::MAX),
        asked,
    }
}

fn decode(envelope: &[u8], redelivered: bool, limits: &Limits) -> Result<Message, DecodeError> {
    let mut message = Message::from_envelope(envelope, limits)?;
    if redelivered {
        // Celery looks at both places.
        message.headers.extra.insert("redelivered", true);
        message
            .properties
            .delivery_info
            .get_or_insert_default()
            .redelivered = Some(true);
    }
    Ok(message)
}

/// The hold that a tag of this incarnation names.
fn hold_of(incarnation: &str, tag: &Tag) -> Option<Hold> {
    let numbers = tag.as_str().strip_prefix(incarnation)?.strip_prefix(':')?;
    let mut numbers = numbers.split(':').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Hold {
        worker: next()?,
        id: next()?,
        hold: next()?,
    })
}

/// Encodes a settlement, so that nothing in it can fail any more but the file.
pub(crate) fn order(
    incarnation: &str,
    settlement: Settlement,
    policy: Option<&ResultPolicy>,
) -> Result<Order, BrokerError> {
    let Settlement {
        tag,
        verdict,
        store,
        publish,
        calls,
        effects,
    } = settlement;
    let policy = || {
        let why = "a settlement writes results, but this broker was opened without a result policy";
        policy.ok_or_else(|| BrokerError::new(ErrorKind::Invalid, why))
    };
    let store = store.map(|meta| Ok::<_, BrokerError>(encode_meta(&meta, policy()?)?));
    let effects = effects.map(|effects| {
        let encoded = effects::encode_effects(&tag, *effects, policy()?)?;
        Ok::<_, BrokerError>(Box::new(encoded))
    });
    Ok(Order {
        hold: hold_of(incarnation, &tag),
        verdict: fate(verdict)?,
        store: store.transpose()?,
        publish: outgoing(publish)?,
        calls: calls.into_iter().map(encode_call).collect::<Result<_>>()?,
        effects: effects.transpose()?,
    })
}

fn encode_call(call: ChordCall) -> Result<Call> {
    Ok(Call {
        once: call.once,
        publish: outgoing(call.publish)?,
    })
}

fn again(deaths: i64) -> Past {
    Past {
        redelivered: true,
        deaths,
    }
}

fn fate(verdict: Verdict) -> Result<Fate> {
    Ok(match verdict {
        Verdict::Ack => Fate::Ack,
        Verdict::Keep => Fate::Keep,
        Verdict::AckEarly { lost } => Fate::AckEarly(lost.encode(Codec::Json, None)?.into()),
        Verdict::Return => Fate::RequeueFront(Past::default()),
        Verdict::Requeue { front: true } => Fate::RequeueFront(again(0)),
        Verdict::Died => Fate::RequeueFront(again(1)),
        Verdict::Requeue { front: false } => Fate::RequeueBack,
        Verdict::Defer { until } => Fate::Defer(ceiling_ms(until)),
        Verdict::Park { reason } => Fate::Park(reason),
    })
}

/// Never before its time: parts of a millisecond are rounded up.
fn ceiling_ms(time: jiff::Timestamp) -> i64 {
    let ms = time.as_millisecond();
    if crate::clock::timestamp(ms) < time {
        ms + 1
    } else {
        ms
    }
}

/// The meta of a run that was acknowledged early; one that cannot be read is only logged, so that it holds nobody up.
pub(crate) fn decode_lost(body: &[u8]) -> Option<TaskMeta> {
    let decoded = TaskMeta::decode(body, &Codec::Json, &Limits::default());
    decoded
        .inspect_err(|error| tracing::error!(%error, "the record of a lost run cannot be read"))
        .ok()
}

/// Encodes a meta as the policy says.
pub(crate) fn encode_meta(meta: &TaskMeta, policy: &ResultPolicy) -> Result<EncodedMeta> {
    Ok(EncodedMeta {
        task_id: meta.task_id.clone(),
        status: meta.status.as_str().to_owned(),
        meta: meta.encode(policy.codec, policy.packing())?.into(),
        expires_at: expires_at(match meta.status {
            State::Failure => policy.failure_expires.or(policy.expires),
            _ => policy.expires,
        }),
    })
}

/// When something stored now expires; Celery's zero means never.
pub(crate) fn expires_at(expires: Option<Duration>) -> Option<i64> {
    let expires = expires.filter(|expires| !expires.is_zero())?;
    Some(wall_ms().saturating_add(i64::try_from(expires.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_tag_names_its_hold_for_its_own_incarnation_only() {
        let taken = Taken {
            worker: 7,
            id: 12,
            queue: "q".into(),
            hold: 2,
            redelivered: false,
            deaths: 0,
            envelope: b"?".to_vec(),
            asked: std::time::Instant::now(),
        };
        let tag = delivery("abc", taken, &Limits::default()).tag;
        assert_eq!(
            hold_of("abc", &tag),
            Some(Hold {
                worker: 7,
                id: 12,
                hold: 2
            })
        );
        assert_eq!(hold_of("ab", &tag), None);
        assert_eq!(hold_of("abcd", &tag), None);
        assert_eq!(hold_of("abc", &Tag("abc:7:x:2".into())), None);
    }

    #[test]
    fn a_time_within_a_millisecond_is_not_due_before_it() {
        let time = jiff::Timestamp::from_nanosecond(1_000_001).unwrap();
        assert_eq!(ceiling_ms(time), 2);
        assert_eq!(ceiling_ms(jiff::Timestamp::from_millisecond(2).unwrap()), 2);
    }

    #[test]
    fn priorities_round_down_to_their_step() {
        let steps: Vec<u8> = (-1..=11).map(step_of).collect();
        assert_eq!(steps, [0, 0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9]);
    }
}
