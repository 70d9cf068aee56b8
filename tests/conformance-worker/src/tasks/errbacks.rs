//! What is called when another task has failed. The new style is called in the worker, with the failed task itself.

use protocol::Value;
use serde::Deserialize;
use worker::{Errback, FailedTask, Outcome};

use crate::store::Store;
use crate::task::task;

task! {
    /// Counts its calls under the failed task's id.
    fn errback_old_style(ctx, request_id: String) -> String {
        Store::of(ctx).increment(&request_id).await?;
        Ok(request_id)
    }
}

task! {
    /// Notes the label under the failed task's id.
    fn errback_old_style_with_args(ctx, request_id: String, label: Value) -> () {
        Store::of(ctx).push(&request_id, &label).await
    }
}

/// Counts its calls under the failed task's id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStyle {}

impl Errback for NewStyle {
    const NAME: &'static str = "t.integration.tasks.errback_new_style";

    async fn run(self, failed: &FailedTask) -> Result<(), Outcome> {
        Store::of_failed(failed)
            .increment(&failed.request().id)
            .await
    }
}

/// Notes the label under the failed task's id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStyleWithArgs {
    label: Value,
}

impl Errback for NewStyleWithArgs {
    const NAME: &'static str = "t.integration.tasks.errback_new_style_with_args";

    async fn run(self, failed: &FailedTask) -> Result<(), Outcome> {
        Store::of_failed(failed)
            .push(&failed.request().id, &self.label)
            .await
    }
}
