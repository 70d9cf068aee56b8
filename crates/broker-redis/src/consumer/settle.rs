//! Settling: every batch is one round trip of scripts, each of which carries out up to 256 settlements. Most of them only acknowledge
//! and store results, which has a script of its own: it is the hot path.
//!
//! What is requeued or parked is read first, because it is rewritten here; a script that cannot find it any more refuses. A batch that
//! was under way when the connection broke is sent again: tags make that harmless.

mod item;

use std::collections::HashMap;
use std::sync::Arc;

use broker::{BrokerError, Result, Settled, Settlement, Verdict};
use jiff::Timestamp;
use protocol::Codec;
use redis::{Cmd, Pipeline, Value};
use uuid::Uuid;

pub(super) use self::item::{Item, Verb};
use super::shared::Shared;
use super::tag;
use crate::envelope::{self, Held};
use crate::error::invalid;
use crate::parked;
use crate::results::{ResultWriter, StoreItem};
use crate::script;

/// Settlements of one script; bounds how long it occupies the server.
const CHUNK: usize = 256;
/// Bytes of one round trip, but for a single settlement that has more: a server closes a connection that sends it a gigabyte at once,
/// and one that takes long to read what was sent seems to be gone.
const MOST_BYTES: usize = 16 << 20;
/// Longest pause of a message that is due by the server's clock and not by the worker's.
const LONGEST_PAUSE_MS: i64 = 1_000;

/// Carries out a worker's settlements.
pub(super) async fn settle(shared: &Shared, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
    let records = rewritten(shared, &batch).await?;
    let mut outcome = vec![Settled::Refused; batch.len()];
    let (mut items, mut places) = (
        Vec::with_capacity(batch.len()),
        Vec::with_capacity(batch.len()),
    );
    for (place, settlement) in batch.into_iter().enumerate() {
        let Some(verb) = verb(shared, &settlement, &records)? else {
            continue;
        };
        let store = settlement.store;
        let store = store
            .map(|meta| writer(shared)?.encode(&meta))
            .transpose()?;
        let effects = settlement.effects;
        let effects = effects
            .map(|effects| writer(shared)?.effects_item(*effects).map(Box::new))
            .transpose()?;
        let mut publish = match settlement.publish.is_empty() {
            true => Vec::new(),
            false => shared.router.resolve(settlement.publish).await?,
        };
        for call in settlement.calls {
            publish.extend(shared.router.resolve_call(call).await?);
        }
        items.push(Item {
            tag: settlement.tag.0,
            verb,
            store,
            publish,
            effects,
        });
        places.push(place);
    }
    let settled = carry_out(shared, &mut items).await?;
    for ((place, item), settled) in places.into_iter().zip(&items).zip(settled) {
        outcome[place] = settled;
        note(shared, item, settled);
    }
    Ok(outcome)
}

fn writer(shared: &Shared) -> Result<&ResultWriter> {
    shared.results.as_deref().ok_or_else(|| {
        invalid("this broker was opened without results, so a settlement cannot write any")
    })
}

/// The records of the messages that are rewritten, by tag.
async fn rewritten(shared: &Shared, batch: &[Settlement]) -> Result<HashMap<Arc<str>, Vec<u8>>> {
    let is_rewritten = |settlement: &&Settlement| {
        matches!(
            settlement.verdict,
            Verdict::Return | Verdict::Requeue { .. } | Verdict::Died | Verdict::Park { .. }
        )
    };
    let tags: Vec<Arc<str>> = batch
        .iter()
        .filter(is_rewritten)
        .map(|settlement| Arc::clone(&settlement.tag.0))
        .collect();
    let records = if tags.is_empty() {
        Vec::new()
    } else {
        shared.records(&shared.hot, &tags).await?
    };
    Ok(tags
        .into_iter()
        .zip(records)
        .filter_map(|(tag, record)| Some((tag, record?)))
        .collect())
}

/// The verdict in the script's terms; `None` when it must be refused because the message is gone.
fn verb(
    shared: &Shared,
    settlement: &Settlement,
    records: &HashMap<Arc<str>, Vec<u8>>,
) -> Result<Option<Verb>> {
    let tag = settlement.tag.as_str();
    let held = || envelope::read_own(records.get(tag)?);
    Ok(match &settlement.verdict {
        Verdict::Ack => Some(Verb::Ack),
        Verdict::Keep => Some(Verb::Keep),
        Verdict::AckEarly { lost } => Some(Verb::Early {
            lost: lost.encode(Codec::Json, None)?,
        }),
        Verdict::Defer { until } => Some(defer(*until)),
        Verdict::Return => {
            held().and_then(|held| requeue(shared, tag, &held, "RPUSH", <[u8]>::to_vec))
        }
        Verdict::Requeue { front } => {
            let push = if *front { "RPUSH" } else { "LPUSH" };
            held().and_then(|held| requeue(shared, tag, &held, push, envelope::redelivered))
        }
        Verdict::Died => {
            held().and_then(|held| requeue(shared, tag, &held, "RPUSH", envelope::died))
        }
        Verdict::Park { reason } => held().map(|held| park(shared, &held, reason)),
    })
}

fn defer(until: Timestamp) -> Verb {
    let due_ms = until.as_millisecond();
    let left = due_ms - Timestamp::now().as_millisecond();
    Verb::Defer {
        due_ms,
        left_ms: left.clamp(0, LONGEST_PAUSE_MS),
    }
}

fn requeue(
    shared: &Shared,
    tag: &str,
    held: &Held<'_>,
    push: &'static str,
    mark: envelope::Mark,
) -> Option<Verb> {
    let list = shared.keys.list(&held.routing_key, tag::read(tag)?.step);
    Some(Verb::Move {
        push,
        list,
        envelope: mark(held.envelope),
    })
}

fn park(shared: &Shared, held: &Held<'_>, reason: &str) -> Verb {
    let at_ms = Timestamp::now().as_millisecond();
    let record = parked::write(
        &held.routing_key,
        reason,
        &shared.params.node,
        at_ms,
        held.envelope,
    );
    Verb::Park {
        id: Uuid::now_v7().to_string(),
        record,
        at_ms,
    }
}

/// What the consumer remembers of a settled tag.
fn note(shared: &Shared, item: &Item, settled: Settled) {
    if matches!(
        settled,
        Settled::Complete | Settled::Claimed | Settled::Impossible
    ) {
        return;
    }
    if !matches!(item.verb, Verb::Keep) || settled != Settled::Done {
        shared.holds.remove(&item.tag);
    }
    if matches!(item.verb, Verb::Defer { .. }) {
        shared.deferred.notify_one();
    }
}

/// Carries out the items. A stored meta that is compressed is looked at here, and its item is sent again with what was found.
pub(super) async fn carry_out(shared: &Shared, items: &mut [Item]) -> Result<Vec<Settled>> {
    let mut outcome = vec![Settled::Refused; items.len()];
    let mut open: Vec<usize> = (0..items.len()).collect();
    while !open.is_empty() {
        let mut again = Vec::new();
        for (place, answer, repeated) in send(shared, items, &open).await? {
            match answer {
                Value::Int(1) => outcome[place] = Settled::Done,
                Value::Int(0) if repeated => outcome[place] = Settled::Uncertain,
                Value::Int(0) => {}
                Value::Int(2) => again.push(place),
                Value::Int(3) => outcome[place] = Settled::Complete,
                Value::Int(4) => outcome[place] = Settled::Claimed,
                reason if items.len() == 1 => return Err(impossible(shared, reason)?),
                _ => outcome[place] = Settled::Impossible,
            }
        }
        for place in &again {
            look_at_stored(shared, &mut items[*place]).await?;
        }
        open = again;
    }
    Ok(outcome)
}

/// Why a settlement cannot be carried out, as the script tells it.
fn impossible(shared: &Shared, reason: Value) -> Result<BrokerError> {
    let reason: String = super::shared::decode(&shared.hot, "settle", reason)?;
    Ok(invalid(format!("cannot settle: {reason}")))
}

async fn send(
    shared: &Shared,
    items: &[Item],
    open: &[usize],
) -> Result<Vec<(usize, Value, bool)>> {
    let keys = &shared.keys;
    let names = [
        &keys.unacked,
        &keys.unacked_index,
        &keys.poison,
        &keys.eta,
        &keys.parked,
        &keys.parked_index,
    ];
    let mut answers = Vec::with_capacity(open.len());
    for trip in round_trips(items, open) {
        let mut pipeline = Pipeline::new();
        for chunk in trip.chunks(CHUNK) {
            pipeline.add_command(command(shared, &names, items, chunk));
        }
        let sent = shared.hot.send("settle", &pipeline).await?;
        for (chunk, answer) in trip.chunks(CHUNK).zip(sent.answers) {
            let codes = codes(shared, answer, chunk.len())?;
            let settled = chunk.iter().zip(codes);
            answers.extend(settled.map(|(place, code)| (*place, code, sent.repeated)));
        }
    }
    Ok(answers)
}

/// What is sent at once, in order.
fn round_trips<'o>(items: &[Item], open: &'o [usize]) -> impl Iterator<Item = &'o [usize]> {
    let mut bytes = 0;
    open.chunk_by(move |place, next| {
        bytes += items[*place].size();
        let fits = bytes + items[*next].size() <= MOST_BYTES;
        if !fits {
            bytes = 0;
        }
        fits
    })
}

/// The answers for each settlement of a chunk; a single number stands for as many.
fn codes(shared: &Shared, answer: Value, count: usize) -> Result<Vec<Value>> {
    match answer {
        Value::Int(code) => Ok(vec![Value::Int(code); count]),
        codes => super::shared::decode(&shared.hot, "settle", codes),
    }
}

fn command(shared: &Shared, names: &[&String], items: &[Item], chunk: &[usize]) -> Cmd {
    let started = &shared.keys.started;
    let items = || chunk.iter().map(|place| &items[*place]);
    if let Some(ttl) = item::finishing_ttl(items()) {
        let mut command = script::FINISH.on(&names[..3]);
        command.arg(started).arg(chunk.len()).arg(ttl);
        for item in items() {
            command.arg(&*item.tag);
        }
        if items().any(|item| item.store.is_some()) {
            items().for_each(|item| item.add_entry_to(&mut command));
        }
        return command;
    }
    let mut command = script::SETTLE.on(names);
    command.arg(started).arg(chunk.len());
    for item in items() {
        command.arg(&*item.tag);
    }
    items().for_each(|item| item.add_to(&mut command));
    command
}

/// Decodes the metas that are stored: a SUCCESS stays, anything else may be overwritten as long as it is still this.
async fn look_at_stored(shared: &Shared, item: &mut Item) -> Result<()> {
    let writer = writer(shared)?;
    let others = item
        .effects
        .iter_mut()
        .flat_map(|effects| &mut effects.metas);
    let metas: Vec<&mut StoreItem> = item.store.iter_mut().chain(others).collect();
    let mut kept = writer.look_at_stored(&shared.hot, metas).await?.into_iter();
    let mut is_kept = |_: &mut StoreItem| kept.next().unwrap_or_default();
    item.store.take_if(&mut is_kept);
    if let Some(effects) = &mut item.effects {
        effects.metas.retain_mut(|meta| !is_kept(meta));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(sizes: &[usize]) -> Vec<usize> {
        let item = |size: &usize| Item {
            verb: Verb::Early {
                lost: vec![0; *size],
            },
            ..Item::ack("tag", None)
        };
        let items: Vec<Item> = sizes.iter().map(item).collect();
        let open: Vec<usize> = (0..items.len()).collect();
        round_trips(&items, &open).map(<[usize]>::len).collect()
    }

    #[test]
    fn small_settlements_travel_together_and_big_ones_apart() {
        assert_eq!(lengths(&[10; 512]), [512]);
        let third = MOST_BYTES / 3;
        assert_eq!(lengths(&[third; 7]), [3, 3, 1]);
        assert_eq!(lengths(&[10, 2 * MOST_BYTES, 10, 10]), [1, 1, 2]);
    }
}
