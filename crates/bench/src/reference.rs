//! The reference figure beside each result: how fast the Redis server answered immediately before.

use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use testkit::RedisServer;

/// Number of `SET`s per measurement.
const REQUESTS: &str = "200000";

/// `redis-benchmark -t set -P 16` with 50 clients.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Reference {
    /// Pipelined `SET`s per second.
    pub(crate) per_s: f64,
}

impl Reference {
    /// Measures the server now; takes less than a second.
    pub(crate) fn measure(redis: &RedisServer) -> anyhow::Result<Self> {
        let port = redis.port().to_string();
        let output = Command::new("redis-benchmark")
            .args([
                "-p", &port, "-t", "set", "-n", REQUESTS, "-c", "50", "-P", "16", "--csv",
            ])
            .output()
            .context(
                "cannot start redis-benchmark: run `make setup` or `apt-get install redis-tools`",
            )?;
        ensure!(
            output.status.success(),
            "redis-benchmark: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let per_s = second_field(&String::from_utf8_lossy(&output.stdout));
        Ok(Self {
            per_s: per_s.context("redis-benchmark printed no figure")?,
        })
    }
}

/// The second field of the last line: `"SET","1234567.00",…`.
fn second_field(csv: &str) -> Option<f64> {
    csv.lines()
        .last()?
        .split(',')
        .nth(1)?
        .trim_matches('"')
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_the_second_field() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\"\n\"SET\",\"1234567.50\",\"0.5\"\n";
        assert_eq!(second_field(csv), Some(1_234_567.5));
    }
}
