//! Many portfolios over the machine's cores, on prices in columns; see [`crate::engine`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::compute::{Computed, Job, figures, request, starts};
use super::envelope::Issue;
use super::load::Target;
use crate::cores::on_every_core;
use crate::engine::{Columns, Outline, Valued, value};
use crate::market::Market;
use crate::money::Currency;
use crate::series::Walk;

/// Portfolios that one core values together: enough for every price to be used several times while it is near.
const BATCH: usize = 256;

/// Prices of a run, in columns for each grid of days that its portfolios have.
#[derive(Debug)]
pub(super) struct Engine {
    market: Market,
    grids: BTreeMap<(String, Date), Columns>,
}

impl Engine {
    pub(super) fn new(market: Market, targets: &[Target]) -> Engine {
        let bases: BTreeSet<Currency> = targets
            .iter()
            .map(|target| target.row.base_currency)
            .collect();
        let mut grids = BTreeMap::new();
        for target in targets {
            grids.entry(grid_of(target)).or_insert_with(|| {
                Columns::build(
                    &market,
                    &target.calendar,
                    target.as_of,
                    bases.iter().copied(),
                )
            });
        }
        Engine { market, grids }
    }

    /// Computes all jobs; results come in the order of the jobs.
    pub(super) fn compute_all(&self, jobs: &[Job]) -> Vec<Result<Computed, Issue>> {
        let batches: Vec<&[Job]> = jobs.chunks(BATCH).collect();
        let results = on_every_core(&batches, |batch| self.compute_batch(batch));
        results.into_iter().flatten().collect()
    }

    fn compute_batch(&self, jobs: &[Job]) -> Vec<Result<Computed, Issue>> {
        let mut results: Vec<Option<Result<Computed, Issue>>> = jobs.iter().map(|_| None).collect();
        let mut outlined: BTreeMap<(String, Date), (Vec<usize>, Vec<Outline<'_>>)> =
            BTreeMap::new();
        for (turn, job) in jobs.iter().enumerate() {
            match Outline::of(request(&self.market, job, starts(job))) {
                Err(error) => results[turn] = Some(Err(job.failed(error))),
                Ok(None) => results[turn] = Some(Ok(Computed::empty(job))),
                Ok(Some(outline)) => {
                    let (turns, outlines) = outlined.entry(grid_of(&job.target)).or_default();
                    turns.push(turn);
                    outlines.push(outline);
                }
            }
        }
        for (grid, (turns, outlines)) in outlined {
            for (turn, valued) in turns.into_iter().zip(value(&self.grids[&grid], outlines)) {
                results[turn] = Some(self.finish(&jobs[turn], &valued));
            }
        }
        results.into_iter().flatten().collect()
    }

    fn finish(&self, job: &Job, valued: &Valued<'_, '_>) -> Result<Computed, Issue> {
        if valued.is_sound() {
            let end = &valued.outline.end;
            return figures(&self.market, job, end, |from| valued.span(from));
        }
        match Walk::run(request(&self.market, job, starts(job))) {
            Err(error) => Err(job.failed(error)),
            Ok(None) => Ok(Computed::empty(job)),
            Ok(Some(walk)) => figures(&self.market, job, &walk, |from| walk.window(from)),
        }
    }
}

fn grid_of(target: &Target) -> (String, Date) {
    (target.calendar.mic().to_owned(), target.as_of)
}
