//! `celery.backend_cleanup`: deletes results that have expired, where the server does not do so itself.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use protocol::Value;
use tracing::info;

use crate::{Arguments, Context, Outcome};

pub(super) fn backend_cleanup(
    _: Arguments,
    ctx: Arc<Context>,
) -> BoxFuture<'static, Result<Value, Outcome>> {
    Box::pin(async move {
        if let Some(results) = &ctx.client().backends().results {
            let deleted = results.cleanup().await?;
            info!(deleted, "expired results are deleted");
        }
        Ok(Value::Null)
    })
}
