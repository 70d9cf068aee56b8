//! `canvas`: how long chords and chains take, from before they are sent until their result is there.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use client::canvas;
use protocol::Signature;
use serde::{Deserialize, Serialize};
use worker::Task as _;

use crate::lab::Lab;
use crate::row::Row;
use crate::setup::{Engine, Setup, Store};
use crate::size::Size;
use crate::tasks::Noop;
use crate::trial::Trial;

/// Members of chords, and steps of chains.
const CHORDS: [usize; 3] = [100, 1_000, 10_000];
const CHAINS: [usize; 2] = [100, 1_000];
/// A larger chord of Celery's takes minutes.
const CELERYS_LARGEST: usize = 1_000;
/// Our worker's slots.
const SLOTS: usize = 100;
/// How long one work-flow may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Flow {
    /// Tasks side by side, and a body.
    Chord,
    /// Tasks one after the other.
    Chain,
}

impl Flow {
    /// `chord` or `chain`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chord => "chord",
            Self::Chain => "chain",
        }
    }
}

/// One work-flow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CanvasRun {
    /// Its kind.
    pub(crate) flow: Flow,
    /// Members of its header, or steps.
    pub(crate) tasks: usize,
    /// From before it is sent until its result is there.
    pub(crate) seconds: f64,
}

impl CanvasRun {
    /// Tasks a second.
    pub(crate) fn per_s(&self) -> f64 {
        self.tasks as f64 / self.seconds
    }
}

/// Tasks a second in an engine's flow of this kind whose size is nearest.
pub(crate) fn per_s(
    rows: &[Row<CanvasRun>],
    engine: Engine,
    flow: Flow,
    tasks: usize,
) -> Option<f64> {
    let of_kind = rows.iter().filter(|row| {
        let run = row.runs.first().map(|run| &run.figures);
        row.setup.engine == engine && run.is_some_and(|run| run.flow == flow)
    });
    let nearest = of_kind.min_by_key(|row| row.runs[0].figures.tasks.abs_diff(tasks))?;
    nearest.median(CanvasRun::per_s)
}

/// Chords and chains of several sizes, ours and, up to a size, Celery's.
pub(crate) async fn run(lab: &Lab, size: &Size) -> Vec<Row<CanvasRun>> {
    let ours = Setup::celeriac(Store::Redis).with_concurrency(SLOTS);
    let chords = CHORDS.map(|tasks| (Flow::Chord, tasks));
    let chains = CHAINS.map(|tasks| (Flow::Chain, tasks));
    let setups = size.chosen([ours, Setup::celery()]).into_iter();
    let cases = setups.flat_map(|setup| {
        let largest = match setup.engine {
            Engine::Celeriac => usize::MAX,
            Engine::Celery => CELERYS_LARGEST,
        };
        let flows = chords.into_iter().chain(chains);
        let flows = flows.filter(move |(_, tasks)| *tasks <= largest);
        flows.map(move |flow| (setup, flow))
    });
    let once =
        async |trial: &Trial<'_>, (flow, tasks): &(Flow, usize)| once(trial, *flow, *tasks).await;
    lab.in_turn("canvas", cases, size.reps, once).await
}

async fn once(trial: &Trial<'_>, flow: Flow, tasks: usize) -> anyhow::Result<CanvasRun> {
    let worker = trial.start_worker()?;
    // Its start is not measured.
    trial.send_stamps(1, Duration::ZERO).await?;
    trial.stamps.wait_for(1, PATIENCE).await?;
    let seconds = match trial.setup.engine {
        Engine::Celeriac => ours(trial, flow, tasks).await?,
        Engine::Celery => celerys(trial, flow, tasks)?,
    };
    worker.stop()?;
    Ok(CanvasRun {
        flow,
        tasks,
        seconds,
    })
}

async fn ours(trial: &Trial<'_>, flow: Flow, tasks: usize) -> anyhow::Result<f64> {
    let noop = || {
        let mut signature = Signature::new(Noop::NAME);
        signature.immutable = true;
        signature
    };
    let begin = Instant::now();
    let members = (0..tasks).map(|_| noop());
    let signature = match flow {
        Flow::Chord => canvas::chord(members, noop())?,
        Flow::Chain => canvas::chain(members)?,
    };
    let result = trial.client().apply(signature).await?;
    let last = result.into_task().context("it does not end in one task")?;
    last.wait(PATIENCE).await?;
    Ok(begin.elapsed().as_secs_f64())
}

fn celerys(trial: &Trial<'_>, flow: Flow, tasks: usize) -> anyhow::Result<f64> {
    let options = [flow.name().to_owned(), tasks.to_string()];
    let seconds = trial.celery_script("bench_canvas.py", &options)?;
    seconds
        .trim()
        .parse()
        .context("the script prints its seconds")
}
