//! The measurements by name: which there are, and which figures each one fills.

use clap::Subcommand;

use crate::figures::Figures;
use crate::lab::Lab;
use crate::size::Size;
use crate::{
    allocations, beat, canvas, control, depth, drain, eta, instructions, latency, memory, micro,
    peers, publish, spin, start,
};

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum Measurement {
    /// From the start of a worker to its first task
    Start,
    /// From publishing to the start of a single task
    Latency,
    /// Memory of a worker
    Memory,
    /// How fast a full queue is emptied
    Drain,
    /// How fast a producer publishes
    Publish,
    /// Whether a long queue is emptied as fast as a short one
    Depth,
    /// Very many tasks that wait for their time
    Eta,
    /// Tasks that compute
    Spin,
    /// Chords and chains
    Canvas,
    /// Answers of a worker, and what events cost it
    Control,
    /// Other task queues beside ours, where they are installed (make bench-peers)
    Peers,
    /// Messages, arguments and crontabs alone (criterion), and Celery's code for the same
    Micro,
    /// Calls of the allocator for a task: by the worker, and by a producer
    Allocations,
    /// Instructions of the worker for a task and where they are, counted by callgrind (needs valgrind)
    Instructions,
    /// A scheduler with very many entries: start, tasks sent a second, memory, failover
    Beat,
    /// All about the embedded broker: drain, latency, publish and memory on SQLite
    Sqlite,
}

impl Measurement {
    /// What is measured when nothing is named.
    pub(crate) const ALL: [Self; 15] = [
        Self::Start,
        Self::Latency,
        Self::Memory,
        Self::Drain,
        Self::Publish,
        Self::Depth,
        Self::Eta,
        Self::Spin,
        Self::Canvas,
        Self::Control,
        Self::Beat,
        Self::Peers,
        Self::Micro,
        Self::Allocations,
        Self::Instructions,
    ];

    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Measures, and notes the figures.
    ///
    /// # Errors
    /// When it cannot begin; a row that fails says so in the figures.
    pub(crate) async fn run(
        self,
        lab: &Lab,
        size: &Size,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        match self {
            Self::Start => figures.start = start::run(lab, size).await,
            Self::Latency => figures.latency = latency::run(lab, size).await,
            Self::Memory => figures.memory = memory::run(lab, size).await,
            Self::Drain => figures.drain = drain::run(lab, size).await,
            Self::Publish => figures.publish = publish::run(lab, size).await,
            Self::Depth => figures.depth = depth::run(lab, size).await,
            Self::Eta => figures.eta = eta::run(lab, size).await,
            Self::Spin => figures.spin = spin::run(lab, size).await,
            Self::Canvas => figures.canvas = canvas::run(lab, size).await,
            Self::Control => figures.control = control::run(lab, size).await,
            Self::Peers => figures.peers = peers::run(lab, size).await,
            Self::Micro => figures.micro = micro::run(lab)?,
            Self::Allocations => figures.allocations = allocations::run(lab, size).await?,
            Self::Instructions => figures.instructions = instructions::run(lab, size).await,
            Self::Beat => figures.beat = beat::run(lab, size).await,
            Self::Sqlite => {
                let only = Some("SQLite".to_owned());
                let size = &Size {
                    only,
                    ..size.clone()
                };
                figures.drain = drain::run(lab, size).await;
                figures.latency = latency::run(lab, size).await;
                figures.publish = publish::run(lab, size).await;
                figures.memory = memory::run(lab, size).await;
            }
        }
        Ok(())
    }
}
