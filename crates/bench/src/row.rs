//! A row of a table: the repetitions of one measurement under one setup, and their medians.

use serde::{Deserialize, Serialize};

use crate::reference::Reference;
use crate::setup::{Engine, Setup};
use crate::stats::median;

/// The repetitions of one measurement under one setup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row<R> {
    /// What was measured.
    pub(crate) setup: Setup,
    /// The repetitions.
    pub(crate) runs: Vec<Run<R>>,
    /// Why there are fewer repetitions than asked for.
    pub(crate) note: Option<String>,
}

/// One repetition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run<R> {
    /// How fast the server was immediately before.
    pub(crate) reference: Reference,
    /// What was measured.
    #[serde(flatten)]
    pub(crate) figures: R,
}

impl<R> Row<R> {
    /// The median of one figure over the repetitions; `None` when there is none.
    pub(crate) fn median(&self, figure: impl Fn(&R) -> f64) -> Option<f64> {
        median(self.runs.iter().map(|run| figure(&run.figures)))
    }

    /// The median of a figure that not every row has; `None` when a repetition has none.
    pub(crate) fn median_of(&self, figure: impl Fn(&R) -> Option<f64>) -> Option<f64> {
        let figures: Option<Vec<f64>> = self.runs.iter().map(|run| figure(&run.figures)).collect();
        median(figures?)
    }

    /// The median of the reference figure over the repetitions.
    pub(crate) fn reference(&self) -> Option<f64> {
        median(self.runs.iter().map(|run| run.reference.per_s))
    }

    /// How much more of this figure our row has than Celery's of the same kind in `rows`.
    pub(crate) fn ratio_to_celery(&self, rows: &[Self], figure: impl Fn(&R) -> f64) -> Option<f64> {
        if self.setup.engine == Engine::Celery {
            return None;
        }
        let Setup { results, aof, .. } = self.setup;
        let peer = |row: &&Self| {
            row.setup.engine == Engine::Celery
                && row.setup.results == results
                && row.setup.aof == aof
        };
        let celery = rows.iter().find(peer)?.median(&figure)?;
        Some(self.median(figure)? / celery)
    }
}
