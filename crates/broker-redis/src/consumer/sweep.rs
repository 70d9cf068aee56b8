//! The sweep: what dead incarnations held is ready again before two leases have passed.
//!
//! A lease that has ended is taken from `celeriac.workers` by one script, so that one sweeper gets it; from then on the dead
//! incarnation can take nothing more. It stays in `celeriac.dead` until all it held is back, so that another sweeper finishes what one
//! that died left. After an outage of the server, in which nobody could renew, everybody has a lease's time to come back. Each message is put back only if it is still held: a late acknowledgement that comes first wins.

use std::sync::Arc;
use std::time::Duration;

use broker::{Notice, Result, Settled};
use protocol::{Codec, TaskMeta};
use redis::{Cmd, Pipeline, Value};

use super::lease::millis;
use super::restore::put_back_own;
use super::settle::{Item, carry_out};
use super::shared::{Shared, decode};
use super::tag::consumer_of;
use crate::envelope;
use crate::results::StoreItem;
use crate::script;

/// Incarnations of one round.
const MOST: usize = 32;
/// Elements that the server looks at in one step of a scan.
const SCAN_STEP: usize = 1_000;

/// Sweeps at the start, since whoever starts may follow one that died, and then four times in every lease.
pub(super) async fn run(shared: Arc<Shared>) {
    let quarter = shared.params.lease / 4;
    loop {
        if let Err(error) = sweep(&shared).await {
            tracing::error!(%error, "cannot sweep what dead workers held");
        }
        tokio::time::sleep(jittered(quarter)).await;
    }
}

/// A little less than the time, so that many sweepers do not come at once and none comes late.
pub(super) fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.8 + fastrand::f64() * 0.2)
}

async fn sweep(shared: &Shared) -> Result<()> {
    let mut command =
        script::CLAIM.on(&[&shared.keys.workers, &shared.keys.dead, &shared.keys.pulse]);
    // A sweeper that dies with its claim is followed by another in time: one lease until its end, a quarter until the first
    // sweep, this, and a quarter until the next are well below two. Two sweepers at once do no harm.
    let claim = shared.params.lease / 8;
    command
        .arg(millis(shared.params.lease))
        .arg(millis(claim))
        .arg(MOST);
    let answer = shared.keep.persist("sweep", command).await?;
    let claimed: Vec<String> = decode(&shared.keep, "sweep", answer)?;
    for incarnation in claimed {
        // One that cannot be dealt with must not keep the others waiting.
        if let Err(error) = reclaim(shared, &incarnation).await {
            tracing::error!(%error, incarnation, "cannot give back all that a dead worker held");
        }
    }
    Ok(())
}

async fn reclaim(shared: &Shared, incarnation: &str) -> Result<()> {
    let pattern = format!("{incarnation}:*");
    let mut tags = scan(shared, "ZSCAN", &shared.keys.unacked_index, &pattern).await?;
    tags.extend(scan(shared, "HSCAN", &shared.keys.poison, &pattern).await?);
    let messages = put_back_own(shared, tags, envelope::died).await?;
    report_lost(shared, incarnation).await?;
    forget(shared, incarnation).await?;
    tracing::info!(
        incarnation,
        messages,
        "a dead worker's messages are ready again"
    );
    if messages > 0 {
        shared.notify(Notice::Reclaimed {
            from: consumer_of(incarnation).to_owned(),
            messages,
        });
    }
    Ok(())
}

/// The fields or members that match, in bounded steps. Each comes with a value or score, which is left out.
async fn scan(shared: &Shared, verb: &str, key: &str, pattern: &str) -> Result<Vec<Arc<str>>> {
    let mut tags = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let mut command = redis::cmd(verb);
        command
            .arg(key)
            .arg(&cursor)
            .arg("MATCH")
            .arg(pattern)
            .arg("COUNT")
            .arg(SCAN_STEP);
        let answer = shared.keep.persist("scan held messages", command).await?;
        let (next, found): (String, Vec<Value>) =
            decode(&shared.keep, "scan held messages", answer)?;
        for tag in found.into_iter().step_by(2) {
            tags.push(decode::<String>(&shared.keep, "scan held messages", tag)?.into());
        }
        if next == "0" {
            return Ok(tags);
        }
        cursor = next;
    }
}

/// Runs that were acknowledged early and not finished: their metas are stored, and the worker is told.
async fn report_lost(shared: &Shared, incarnation: &str) -> Result<()> {
    let mut command = redis::cmd("HGETALL");
    command.arg(shared.keys.started_by(incarnation));
    let answer = shared
        .keep
        .persist("read early acknowledgements", command)
        .await?;
    let started: Vec<(String, Vec<u8>)> =
        decode(&shared.keep, "read early acknowledgements", answer)?;
    for (tag, meta) in started {
        let meta = TaskMeta::decode(&meta, &Codec::Json, &shared.params.limits)
            .inspect_err(|error| tracing::error!(%tag, %error, "a task was lost, and the record of it cannot be read"))
            .ok();
        let store = match &meta {
            Some(meta) => loss(shared, meta).await?,
            None => None,
        };
        let settled = carry_out(shared, &mut [Item::ack(&tag, store)]).await?;
        if let (Some(meta), [Settled::Done]) = (meta, settled.as_slice()) {
            shared.notify(Notice::Lost {
                meta: Box::new(meta),
            });
        }
    }
    Ok(())
}

/// What is to be stored of a lost run: nothing where results are not ours to store, or when the task has ended after all.
async fn loss(shared: &Shared, meta: &TaskMeta) -> Result<Option<StoreItem>> {
    match &shared.results {
        Some(writer) if !writer.is_ready(&shared.keep, &meta.task_id).await? => {
            Ok(Some(writer.encode(meta)?))
        }
        _ => Ok(None),
    }
}

/// The incarnation has nothing left.
async fn forget(shared: &Shared, incarnation: &str) -> Result<()> {
    let mut pipeline = Pipeline::new();
    for (verb, key) in [("ZREM", &shared.keys.dead), ("HDEL", &shared.keys.nodes)] {
        let mut command = Cmd::new();
        command.arg(verb).arg(key).arg(incarnation);
        pipeline.add_command(command);
    }
    shared.keep.send("forget a dead worker", &pipeline).await?;
    Ok(())
}
