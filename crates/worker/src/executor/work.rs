//! One run under its limits: the task's future or thread on one side, time limits and requests to stop on the other.

use std::any::Any;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument, Span, warn};

use super::Permits;
use crate::activity::Held;
use crate::admission::Run;
use crate::bind::Arguments;
use crate::conclusion::RunEnd;
use crate::context::Context;
use crate::engine::Engine;
use crate::policy::Limit;
use crate::pools::{Threads, observed};
use crate::{Outcome, Pool};

/// Runs the task until it ends, or until a limit or a request to stop ends it. A thread that is given up goes on by itself;
/// whatever it returns is ignored.
pub(super) async fn work(
    engine: &Arc<Engine>,
    threads: &Threads,
    run: &Run,
    ctx: &Arc<Context>,
    permits: Permits,
) -> RunEnd {
    let request = &run.held.request;
    let arguments = Arguments {
        args: request.args.clone(),
        kwargs: request.kwargs.clone(),
    };
    let task = caught(run.task.run(arguments, Arc::clone(ctx)));
    // Asked now: while it waited for its slot, its like may have shown that they keep a thread to themselves.
    let blocking = engine.hogs.pool_of(&run.task.name, run.policy.pool) == Pool::Blocking;
    let mut task = if blocking {
        on_thread(threads, task, &run.held, permits)
    } else {
        observed(task, Arc::clone(&run.held))
    };
    let started = Instant::now();
    let mut soft = run.policy.soft_time_limit;
    loop {
        tokio::select! {
            biased;
            end = &mut task => return end,
            () = run.held.stop.raised() => return stopped(engine, run, ctx),
            () = passed(started, run.policy.time_limit) => {
                ctx.cancel();
                let over = |limit| RunEnd::TimeLimit { limit, found: None };
                return run.policy.time_limit.map_or(RunEnd::SoftTimeLimit, over);
            }
            () = passed(started, soft) => {
                warn!(seconds = soft.map(|limit| limit.0), "soft time limit exceeded");
                soft = None;
                ctx.cancel();
                if !blocking && !ctx.observes_cancellation() {
                    return RunEnd::SoftTimeLimit;
                }
            }
        }
    }
}

pub(crate) fn stopped(engine: &Engine, run: &Run, ctx: &Context) -> RunEnd {
    ctx.cancel();
    match run.held.terminated.get() {
        Some(signal) => {
            engine.revocations.add([run.held.request.id.as_str()]);
            RunEnd::Terminated(signal.clone())
        }
        None => RunEnd::Cancelled,
    }
}

pub(crate) async fn passed(started: Instant, limit: Option<Limit>) {
    match limit.and_then(|limit| started.checked_add(limit.duration())) {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// The task's end, panics included.
pub(crate) fn caught(
    task: BoxFuture<'static, Result<protocol::Value, Outcome>>,
) -> impl Future<Output = RunEnd> + Send + Unpin + 'static {
    AssertUnwindSafe(task).catch_unwind().map(|end| match end {
        Ok(Ok(value)) => RunEnd::Returned(value),
        Ok(Err(outcome)) => RunEnd::Raised(outcome),
        Err(panic) => RunEnd::Panicked(panic_text(&*panic)),
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned())
}

/// Moves the task to a thread, which keeps the permits until it ends.
fn on_thread(
    pool: &Threads,
    task: impl Future<Output = RunEnd> + Send + 'static,
    held: &Arc<Held>,
    permits: Permits,
) -> BoxFuture<'static, RunEnd> {
    let (runtime, span) = (Handle::current(), Span::current());
    let held = Arc::clone(held);
    let job = move || {
        // A held message runs at most once, so nobody has set it before.
        let _ = held.thread.set(nix::unistd::gettid().as_raw());
        let end = runtime.block_on(task.instrument(span));
        drop(permits);
        end
    };
    match pool.run(job) {
        Ok(end) => end
            .map(|end| end.unwrap_or_else(|_| RunEnd::Panicked("the thread ended".to_owned())))
            .boxed(),
        Err(error) => async move { RunEnd::Raised(Outcome::from(error)) }.boxed(),
    }
}
