//! The machine's two clocks. All processes on one file share them, so they are the server's time here.

use jiff::Timestamp;
use nix::time::{ClockId, clock_gettime};

/// Milliseconds since 1970, for what must outlive a restart of the machine.
pub(crate) fn wall_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Milliseconds of the monotonic clock, the same in every process: leases do not move when somebody sets the clock,
/// and stand still while the machine sleeps.
pub(crate) fn steady_ms() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Unix has a monotonic clock");
    now.tv_sec() * 1_000 + now.tv_nsec() / 1_000_000
}

/// Names this run of the machine; monotonic times of another run mean nothing.
pub(crate) fn boot_id() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    read.map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned())
}

/// A time of the wall clock from its milliseconds.
pub(crate) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

/// When something of the monotonic clock was, by the wall clock.
pub(crate) fn wall_time_of(steady: i64) -> Timestamp {
    timestamp(wall_ms() - (steady_ms() - steady))
}
