//! Where a program joins in: no-op methods around a run.

use std::fmt;
use std::time::Duration;

use protocol::State;
use tracing::Span;

use crate::Context;

/// Called around every run; override what you need. Hooks run on the worker's runtime and must not block.
pub trait Hook: Send + Sync + fmt::Debug {
    /// The run's span was made and not yet entered; a tracing bridge sets its remote parent here from [`Context::headers`].
    fn on_span(&self, ctx: &Context, span: &Span) {
        let _ = (ctx, span);
    }

    /// The run is about to start.
    fn before_run(&self, ctx: &Context) {
        let _ = ctx;
    }

    /// The run has ended in this state, before it is settled.
    fn after_run(&self, ctx: &Context, state: &State, runtime: Duration) {
        let _ = (ctx, state, runtime);
    }
}
