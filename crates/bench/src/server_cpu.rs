//! The CPU time of a Redis server, as it tells of it itself.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;

/// The CPU time that a server tells of in `INFO cpu`.
pub(crate) fn cpu_of(info: &str) -> anyhow::Result<Duration> {
    let fields: HashMap<&str, &str> = info
        .lines()
        .filter_map(|line| line.split_once(':'))
        .collect();
    let seconds = |name| fields.get(name).and_then(|value| value.parse::<f64>().ok());
    let used = seconds("used_cpu_sys").zip(seconds("used_cpu_user"));
    let (system, user) = used.context("INFO cpu does not tell the server's CPU time")?;
    Ok(Duration::from_secs_f64(system + user))
}
