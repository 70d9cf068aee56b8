//! What every task is doing, for the log: who asks has a worker that seems to hang.

use std::fs;

use tracing::warn;

use crate::activity::Held;
use crate::engine::{Engine, epoch};

/// Writes one line for each task that this worker holds, those that run longest first.
pub(super) fn report(engine: &Engine) {
    let mut held = engine.activity.held();
    held.sort_by(|one, other| start(one).total_cmp(&start(other)));
    let running = held.iter().filter(|held| held.is_active()).count();
    warn!(
        running,
        waiting = held.len() - running,
        slots = engine.pool.concurrency(),
        processed = engine.activity.processed(),
        "report of what every task is doing"
    );
    let now = epoch();
    held.iter().for_each(|held| report_task(held, now));
}

/// What has not started comes last.
fn start(held: &Held) -> f64 {
    held.time_start.get().copied().unwrap_or(f64::INFINITY)
}

fn report_task(held: &Held, now: f64) {
    let request = &held.request;
    let (progress, progress_age) = held.progress().unzip();
    warn!(
        task_id = request.id,
        task_name = request.task,
        queue = &*held.queue,
        process = held.process.get(),
        pool = held.pool.name(),
        age = held.time_start.get().map(|start| now - start),
        held = held.received.elapsed().as_secs_f64(),
        progress,
        progress_age = progress_age.map(|age| age.as_secs_f64()),
        thread = held.thread.get().map(|thread| thread_state(*thread)),
        "{}",
        if held.is_active() {
            "task runs"
        } else {
            "task waits for a slot"
        }
    );
}

/// A thread as the system sees it: its number, its state (R runs, S sleeps, D waits for a disk), and in which call of the kernel it waits.
fn thread_state(thread: i32) -> String {
    let folder = format!("/proc/self/task/{thread}");
    let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).unwrap_or_default();
    let stat = read("stat");
    // The name, in parentheses, may hold anything.
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    let state = state.unwrap_or('?');
    match read("wchan").as_str() {
        "" | "0" => format!("{thread} {state}"),
        waits => format!("{thread} {state} in {waits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_s_state_is_read_from_the_system() {
        let thread = nix::unistd::gettid().as_raw();
        assert_eq!(
            thread_state(thread).split(' ').nth(1),
            Some("R"),
            "the thread that asks runs"
        );
        assert!(thread_state(-1).ends_with('?'));
    }
}
