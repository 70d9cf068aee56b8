//! What was measured, as it is written down.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::load::Size;

/// One measurement of ours: seconds, and memory where it was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) seconds: f64,
    /// The high-water mark of the process, in bytes.
    pub(crate) peak: u64,
}

impl Figure {
    /// The time since `started`, and the memory that the process has had.
    pub(crate) fn since(started: Instant) -> anyhow::Result<Figure> {
        Ok(Figure {
            seconds: started.elapsed().as_secs_f64(),
            peak: peak_memory()?,
        })
    }
}

/// Milliseconds per portfolio on one core; `None` where a peer is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Peers {
    #[serde(default)]
    pub(crate) quantstats: Option<f64>,
    #[serde(default)]
    pub(crate) numpy: Option<f64>,
    #[serde(default)]
    pub(crate) batch: Option<f64>,
    /// The loop in C.
    #[serde(default)]
    pub(crate) limit: Option<f64>,
}

/// One run of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) size: Size,
    pub(crate) cores: usize,
    pub(crate) repetitions: usize,
    pub(crate) peers: Peers,
    /// In the order of the table.
    pub(crate) ours: Vec<(Measure, Figure)>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measure {
    /// Prices into columns, from memory
    Columns,
    /// Figures of every portfolio since inception, from memory
    Figures,
    /// The whole task: read, compute everything, store
    Refresh,
    /// The whole task after one new day
    NewDay,
    /// The whole task when nothing has changed
    Nothing,
}

impl Measure {
    pub(crate) const ALL: [Measure; 5] = [
        Measure::Columns,
        Measure::Figures,
        Measure::Refresh,
        Measure::NewDay,
        Measure::Nothing,
    ];

    /// The row's name.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Measure::Columns => "prices into columns",
            Measure::Figures => "figures from memory",
            Measure::Refresh => "whole task",
            Measure::NewDay => "whole task, one new day",
            Measure::Nothing => "whole task, nothing changed",
        }
    }

    /// Seconds that are aimed at, for the reference load.
    pub(crate) fn aim(self) -> f64 {
        match self {
            Measure::Columns => 3.0,
            Measure::Figures => 1.2,
            Measure::Refresh => 5.0,
            Measure::NewDay => 0.7,
            Measure::Nothing => 0.2,
        }
    }
}

/// The high-water mark of resident memory.
fn peak_memory() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    let kilobytes: u64 = kilobytes
        .ok_or_else(|| anyhow::anyhow!("the system does not tell VmHWM"))?
        .parse()?;
    Ok(kilobytes * 1024)
}
