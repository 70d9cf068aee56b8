//! What the system says of this process.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

/// Zeroes where the system does not say.
#[derive(Debug, Default)]
pub(super) struct Process {
    /// Bytes.
    pub(super) resident: u64,
    pub(super) threads: u64,
    pub(super) cpu: Duration,
}

impl Process {
    pub(super) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.and_then(|word| word.parse::<u64>().ok())
        };
        Self {
            resident: field("VmRSS:").unwrap_or_default() * 1_024,
            threads: field("Threads:").unwrap_or_default(),
            cpu: cpu(),
        }
    }
}

fn cpu() -> Duration {
    let time = |value: TimeVal| {
        Duration::from_micros(u64::try_from(value.num_microseconds()).unwrap_or_default())
    };
    getrusage(UsageWho::RUSAGE_SELF)
        .map(|usage| time(usage.user_time()) + time(usage.system_time()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_how_large_the_process_is() {
        let process = Process::read();
        assert!(process.resident > 100_000, "{process:?}");
        assert!(process.threads >= 1, "{process:?}");
    }
}
