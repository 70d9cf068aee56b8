//! What is called when another task has failed.

use protocol::Value;

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
