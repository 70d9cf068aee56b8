//! `celery.chord_unlock`: looks again and again whether a chord's members have ended, where they cannot count themselves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use protocol::{ResultTuple, Signature, TaskMeta, Value};

use super::signature;
use crate::bind::by_name;
use crate::conclusion::chord::{ChordFailure, call_body, ends_well, fail_body};
use crate::{Arguments, Context, Failure, Outcome, Retry};

/// `result_chord_retry_interval`.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn chord_unlock(
    arguments: Arguments,
    ctx: Arc<Context>,
) -> BoxFuture<'static, Result<Value, Outcome>> {
    Box::pin(async move {
        let unlock = Unlock::bind(arguments)?;
        let metas = unlock.metas(&ctx).await?;
        let sequel = match unlock.results(&metas) {
            Ok(Some(results)) => {
                let lineage = ctx.lineage();
                call_body(ctx.engine(), &unlock.body, results, &lineage)
            }
            Ok(None) => match unlock.look_again(&ctx) {
                Some(retry) => return Err(retry.into()),
                None => Err(exhausted()),
            },
            Err(failure) => Err(failure),
        };
        ctx.follow(sequel.unwrap_or_else(|failure| {
            fail_body(
                ctx.engine(),
                &unlock.body,
                &failure,
                &Arc::new(ctx.lineage()),
            )
        }));
        Ok(Value::Null)
    })
}

struct Unlock {
    body: Signature,
    header: Vec<ResultTuple>,
    interval: Duration,
    max_retries: Option<u32>,
}

impl Unlock {
    /// `unlock_chord(group_id, callback, interval=None, max_retries=None, result=None, **kwargs)`.
    fn bind(mut arguments: Arguments) -> Result<Self, Outcome> {
        const NAMES: [&str; 5] = ["group_id", "callback", "interval", "max_retries", "result"];
        arguments.kwargs.retain(|name, _| NAMES.contains(&name));
        let (required, optional) = NAMES.split_at(2);
        let mut bound = by_name("unlock_chord", required, optional, arguments)?;
        let Some(Value::List(header)) = bound.remove("result") else {
            let text = "result must be a list of results";
            return Err(Outcome::fail("TypeError", text));
        };
        let interval = bound.get("interval").and_then(Value::as_f64);
        let max_retries = bound.get("max_retries").and_then(Value::as_i64);
        Ok(Self {
            body: signature(bound.remove("callback").unwrap_or_default())?,
            header: header
                .into_iter()
                .map(ResultTuple::from_value)
                .collect::<Result<_, _>>()?,
            interval: interval
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .unwrap_or(INTERVAL),
            max_retries: max_retries.and_then(|max| u32::try_from(max).ok()),
        })
    }

    async fn metas(&self, ctx: &Context) -> Result<HashMap<String, TaskMeta>, Outcome> {
        let Some(results) = &ctx.client().backends().results else {
            let text = "chord_unlock needs a result backend";
            return Err(Outcome::fail("NotImplementedError", text));
        };
        let mut ids = Vec::new();
        self.header.iter().for_each(|tuple| leaves(tuple, &mut ids));
        let metas = results.fetch(&ids).await?;
        let ready = metas
            .into_iter()
            .flatten()
            .filter(|meta| meta.status.is_ready());
        Ok(ready.map(|meta| (meta.task_id.clone(), meta)).collect())
    }

    /// The header's results; `None` while one is missing.
    fn results(
        &self,
        metas: &HashMap<String, TaskMeta>,
    ) -> Result<Option<Vec<Value>>, ChordFailure> {
        let results = self.header.iter().map(|tuple| result(tuple, metas));
        let results: Vec<Option<Result<Value, ChordFailure>>> = results.collect();
        if results.iter().any(Option::is_none) {
            return Ok(None);
        }
        results
            .into_iter()
            .flatten()
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn look_again(&self, ctx: &Context) -> Option<Retry> {
        let allowed = self.max_retries.is_none_or(|max| ctx.retries() < max);
        allowed.then(|| {
            ctx.retry()
                .countdown(self.interval)
                .max_retries(self.max_retries)
        })
    }
}

fn exhausted() -> ChordFailure {
    let cause = Failure::celery("MaxRetriesExceededError", Vec::new());
    let text = format!(
        "chord_unlock could not be retried: {}",
        cause.exception.repr()
    );
    ChordFailure::of(text)
}

fn leaves(tuple: &ResultTuple, ids: &mut Vec<String>) {
    match &tuple.children {
        None => ids.push(tuple.id.clone()),
        Some(children) => children.iter().for_each(|child| leaves(child, ids)),
    }
}

/// One result of the header, as nested as it is there; `None` while it is not complete.
fn result(
    tuple: &ResultTuple,
    metas: &HashMap<String, TaskMeta>,
) -> Option<Result<Value, ChordFailure>> {
    if let Some(children) = &tuple.children {
        let results: Option<Vec<_>> = children.iter().map(|child| result(child, metas)).collect();
        return results.map(|results| {
            results
                .into_iter()
                .collect::<Result<_, _>>()
                .map(Value::List)
        });
    }
    let meta = metas.get(&tuple.id)?;
    Some(match ends_well(&meta.status) {
        true => Ok(meta.result.clone()),
        false => Err(ChordFailure::dependency(&tuple.id, &meta.result)),
    })
}
