//! `dashboard.tasks.performance_analysis`: how tasks and queues have done, and what to do about it.

mod score;
mod summary;

use std::collections::BTreeMap;

use broker::QueueDepth;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reports::artefact::{hash_of, store};
use reports::files::Format;
use serde::{Deserialize, Serialize};
use tasks::catalogue::{PERFORMANCE_ANALYSIS, Spec};
use tasks::{Answer, FinanceTask, Run, failure};
use worker::{Context, Outcome};

pub use summary::{Slow, TaskSummary, slowest, summed_up};

use summary::QueueSummary;

use crate::files::{Filing, Label};

/// What its files are called, and their rows.
const KIND: &str = "performance_analysis";

/// Looks back over the runs of some hours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PerformanceAnalysis {
    /// How far back.
    pub window_hours: i64,
}

/// What was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Analysis {
    /// From when to when.
    pub window: Window,
    /// By task.
    pub tasks: BTreeMap<String, TaskSummary>,
    /// By queue.
    pub queues: BTreeMap<String, QueueSummary>,
    /// How well the cache serves.
    pub cache: CacheSummary,
    /// The finance database.
    pub database: DatabaseSummary,
    /// The longest runs.
    pub slowest: Vec<Slow>,
    /// What to do.
    pub recommendations: Vec<String>,
    /// From 0 to 100; null without runs.
    pub score: Option<u32>,
}

/// From when to when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
    hours: i64,
}

/// How well the cache serves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CacheSummary {
    hits: i64,
    computed: i64,
    /// Null when nothing was read or computed.
    hit_rate: Option<f64>,
}

/// The finance database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DatabaseSummary {
    bytes: i64,
}

impl FinanceTask for PerformanceAnalysis {
    const SPEC: Spec = PERFORMANCE_ANALYSIS;
    type Data = Analysis;

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Analysis>, Outcome> {
        let store = run.store().await?;
        let end = Timestamp::now();
        let start = end - SignedDuration::from_hours(self.window_hours);
        let runs = store.runs_between(start, end).await.map_err(failure)?;
        let (hits, computed) = store.cache_use().await.map_err(failure)?;
        let tasks = summed_up(&runs);
        let queues = summary::queues(&runs, &depths(run.ctx()).await, self.window_hours);
        let used = hits + computed;
        let analysis = Analysis {
            window: Window {
                start,
                end,
                hours: self.window_hours,
            },
            slowest: slowest(&runs),
            recommendations: score::recommendations(&tasks, &queues),
            score: score::score(&tasks, &queues),
            tasks,
            queues,
            cache: CacheSummary {
                hits,
                computed,
                hit_rate: (used > 0).then(|| hits as f64 / used as f64),
            },
            database: DatabaseSummary {
                bytes: store.database_bytes().await.map_err(failure)?,
            },
        };
        keep(run, &analysis).await?;
        Ok(if runs.is_empty() {
            Answer::Empty(analysis)
        } else {
            Answer::Done(analysis)
        })
    }
}

/// Keeps the analysis as a file, one for each call: a run that is repeated finds what it has written.
async fn keep(run: &Run<'_>, analysis: &Analysis) -> Result<(), Outcome> {
    let filing = Filing::of(run).await?;
    let hash = hash_of([run.ctx().id()]);
    let label = Label {
        user_id: None,
        kind: KIND,
        input_hash: &hash,
    };
    if filing.find(&label, Format::Json).await?.is_some() {
        return Ok(());
    }
    let text = serde_json::to_vec_pretty(analysis)?;
    let name = format!("{KIND}-{}.json", label.tag());
    let written = store(&filing.folder(&label), &name, |output| {
        output.write_all(&text).map_err(reports::Error::Write)
    });
    let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
    let period = (day(analysis.window.start), day(analysis.window.end));
    filing.add(&label, Format::Json, period, written?).await?;
    Ok(())
}

/// How many messages wait in each queue; nothing where the broker does not say.
async fn depths(ctx: &Context) -> BTreeMap<String, u64> {
    let admin = &ctx.client().backends().admin;
    let Ok(names) = admin.queues().await else {
        return BTreeMap::new();
    };
    let depths = admin.depth(&names).await.unwrap_or_default();
    let ready = depths.iter().map(QueueDepth::ready);
    names.into_iter().zip(ready).collect()
}
