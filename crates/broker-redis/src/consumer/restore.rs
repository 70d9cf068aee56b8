//! Giving held messages back: at the front of their lists, in their old order, marked as redelivered.

use std::sync::Arc;

use broker::Result;
use redis::{Pipeline, Value};

use super::shared::{Shared, decode};
use super::{suspects, tag};
use crate::envelope;
use crate::link::Link;
use crate::script;

/// Messages of one step; bounds the memory of a big restore.
const CHUNK: usize = 64;

/// One message to put back.
#[derive(Debug)]
pub(super) struct Return {
    pub(super) tag: Arc<str>,
    pub(super) envelope: Vec<u8>,
    pub(super) lists: Vec<String>,
}

/// Puts messages back in the given order, each only if it is still held; the last one ends up foremost.
pub(super) async fn put_back(shared: &Shared, link: &Link, returns: &[Return]) -> Result<usize> {
    if returns.is_empty() {
        return Ok(0);
    }
    let keys = &shared.keys;
    let mut command = script::RESTORE.on(&[&keys.unacked, &keys.unacked_index, &keys.poison]);
    for Return {
        tag,
        envelope,
        lists,
    } in returns
    {
        command
            .arg(&**tag)
            .arg(envelope)
            .arg(lists.len())
            .arg(lists);
    }
    let answer = link.persist("give messages back", command).await?;
    decode(link, "give messages back", answer)
}

/// Puts back what an incarnation of ours holds under these tags, marked so.
pub(super) async fn put_back_own(
    shared: &Shared,
    mut tags: Vec<Arc<str>>,
    mark: envelope::Mark,
) -> Result<usize> {
    tag::sort_newest_first(&mut tags);
    let mut restored = 0;
    for chunk in tags.chunks(CHUNK) {
        let records = shared.records(&shared.keep, chunk).await?;
        let returns: Vec<Return> = chunk
            .iter()
            .zip(records)
            .filter_map(|(tag, record)| own(shared, tag, record.as_deref()?, mark))
            .collect();
        restored += put_back(shared, &shared.keep, &returns).await?;
    }
    Ok(restored)
}

fn own(shared: &Shared, tag: &Arc<str>, record: &[u8], mark: envelope::Mark) -> Option<Return> {
    let held = envelope::read_own(record)?;
    let step = tag::read(tag)?.step;
    let lists = vec![shared.keys.list(&held.routing_key, step)];
    Some(Return {
        tag: Arc::clone(tag),
        envelope: mark(held.envelope),
        lists,
    })
}

/// The end of a consumer: everything back, and the lease given up.
pub(super) async fn give_back(shared: &Arc<Shared>) -> Result<usize> {
    let mut turn = shared.requests.turn().await;
    let _stopped = shared.requests.stop_asking().await;
    while let Some(answered) = shared.next_answer(&mut turn).await {
        if let Err(error) = answered {
            tracing::warn!(%error, "a reservation that was under way has failed");
            *turn = None;
        }
    }
    suspects::recover(shared).await?;
    let tags = shared.holds.tags();
    let held = tags.len();
    let restored = put_back_own(shared, tags, envelope::redelivered).await?;
    retire(shared, restored < held).await?;
    shared.holds.clear();
    shared.hot.hang_up().await;
    shared.keep.hang_up().await;
    Ok(restored)
}

async fn retire(shared: &Shared, incomplete: bool) -> Result<Value> {
    let (keys, incarnation) = (&shared.keys, shared.lease.current());
    let started = keys.started_by(&incarnation);
    let mut command = script::RETIRE.on(&[&keys.workers, &keys.nodes, &keys.dead, &started]);
    command
        .arg(&*incarnation)
        .arg(if incomplete { "1" } else { "0" });
    let mut pipeline = Pipeline::new();
    pipeline.add_command(command);
    let answers = shared.keep.send("end the lease", &pipeline).await?.answers;
    decode(
        &shared.keep,
        "end the lease",
        answers.into_iter().next().unwrap_or(Value::Nil),
    )
}
