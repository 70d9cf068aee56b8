//! What was measured, as it is written down.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::load::Size;

/// One measurement of ours: seconds, those of the processors, and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) seconds: f64,
    /// Seconds of all processors together; these hardly change when others use the machine too.
    pub(crate) cpu: f64,
    /// The high-water mark of the process, in bytes.
    pub(crate) peak: u64,
}

/// When a measurement began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    time: Instant,
    cpu: f64,
}

impl Began {
    pub(crate) fn now() -> anyhow::Result<Began> {
        Ok(Began {
            time: Instant::now(),
            cpu: cpu_seconds()?,
        })
    }

    /// What it took until now, and the memory that the process has had.
    pub(crate) fn figure(self) -> anyhow::Result<Figure> {
        Ok(Figure {
            seconds: self.time.elapsed().as_secs_f64(),
            cpu: cpu_seconds()? - self.cpu,
            peak: peak_memory()?,
        })
    }
}

/// Milliseconds of a processor per portfolio; `None` where a peer is not there.
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
    /// The same with contributions of assets, months and years
    Breakdowns,
    /// All prices, from the database
    Prices,
    /// The whole task: read, compute everything, store
    Refresh,
    /// The whole task after one new day
    NewDay,
    /// The whole task when nothing has changed
    Nothing,
    /// A snapshot of every portfolio
    Snapshots,
    /// An account's ledger beside a statement of 100,000 lines, from memory
    Reconcile,
}

/// Each with the row's name and the seconds that are aimed at for the reference load, if any.
const MEASURES: [(Measure, &str, Option<f64>); 9] = [
    (Measure::Columns, "prices into columns", Some(3.0)),
    (Measure::Figures, "figures from memory", Some(1.2)),
    (
        Measure::Breakdowns,
        "the same with contributions, months and years",
        None,
    ),
    (Measure::Prices, "prices from the database", Some(3.0)),
    (Measure::Refresh, "whole task", Some(5.0)),
    (Measure::NewDay, "whole task, one new day", Some(0.7)),
    (Measure::Nothing, "whole task, nothing changed", Some(0.2)),
    (Measure::Snapshots, "snapshots", Some(2.0)),
    (
        Measure::Reconcile,
        "account of 100,000 lines reconciled",
        Some(2.0),
    ),
];

impl Measure {
    /// In the order of the table.
    pub(crate) fn all() -> impl Iterator<Item = Measure> {
        MEASURES.iter().map(|(measure, ..)| *measure)
    }

    /// The row's name.
    pub(crate) fn title(self) -> &'static str {
        self.row().1
    }

    /// Seconds that are aimed at for the reference load, if any.
    pub(crate) fn aim(self) -> Option<f64> {
        self.row().2
    }

    fn row(self) -> &'static (Measure, &'static str, Option<f64>) {
        let row = MEASURES.iter().find(|(measure, ..)| *measure == self);
        row.expect("every measure has a row")
    }
}

/// What all threads of this process have used of the processors, to a hundredth of a second.
fn cpu_seconds() -> anyhow::Result<f64> {
    const TICKS: f64 = 100.0;
    let status = std::fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = status.rsplit_once(')').unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: Result<Vec<f64>, _> = ticks.map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / TICKS)
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
