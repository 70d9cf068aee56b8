//! Commands of the application.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use protocol::Map;

use super::Answer;
use crate::Failure;

/// What runs a command of the application.
#[derive(Clone)]
pub(crate) struct Handler(Arc<dyn Fn(Map) -> BoxFuture<'static, Answer> + Send + Sync>);

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler")
    }
}

impl Handler {
    pub(crate) fn new<F, Fut>(handler: F) -> Self
    where
        F: Fn(Map) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        Self(Arc::new(move |arguments| handler(arguments).boxed()))
    }

    /// Runs it; a panic is an answer too.
    pub(super) async fn call(&self, arguments: Map) -> Answer {
        let handler = Arc::clone(&self.0);
        let call = async move { handler(arguments).await };
        AssertUnwindSafe(call)
            .catch_unwind()
            .await
            .unwrap_or_else(|_| {
                Err(Failure::builtin(
                    "RuntimeError",
                    vec!["the command panicked".into()],
                ))
            })
    }
}
