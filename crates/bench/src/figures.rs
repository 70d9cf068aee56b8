//! The figures of a run as data: what the measurements return, what `--json` writes, and what the tables are made from.

use serde::{Deserialize, Serialize};

use crate::allocations::AllocationsRun;
use crate::beat::BeatRun;
use crate::canvas::CanvasRun;
use crate::control::ControlRun;
use crate::depth::DepthRun;
use crate::drain::DrainRun;
use crate::eta::EtaRun;
use crate::instructions::InstructionsRun;
use crate::latency::LatencyRun;
use crate::machine::Machine;
use crate::memory::MemoryRun;
use crate::micro::MicroRow;
use crate::peers::PeerRow;
use crate::publish::PublishRun;
use crate::row::Row;
use crate::spin::SpinRun;
use crate::start::StartRun;

/// Everything that was measured in one run of the program; what was not measured is empty.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Where it was measured.
    pub(crate) machine: Machine,
    /// How the run went.
    #[serde(default)]
    pub(crate) parts: Vec<Part>,
    /// Draining a full queue.
    #[serde(default)]
    pub(crate) drain: Vec<Row<DrainRun>>,
    /// One task at a time.
    #[serde(default)]
    pub(crate) latency: Vec<Row<LatencyRun>>,
    /// Memory of the worker.
    #[serde(default)]
    pub(crate) memory: Vec<Row<MemoryRun>>,
    /// From `exec` to the first task.
    #[serde(default)]
    pub(crate) start: Vec<Row<StartRun>>,
    /// Publishing.
    #[serde(default)]
    pub(crate) publish: Vec<Row<PublishRun>>,
    /// Short and long queues.
    #[serde(default)]
    pub(crate) depth: Vec<Row<DepthRun>>,
    /// Tasks that wait for their time.
    #[serde(default)]
    pub(crate) eta: Vec<Row<EtaRun>>,
    /// Tasks that compute.
    #[serde(default)]
    pub(crate) spin: Vec<Row<SpinRun>>,
    /// Chords and chains.
    #[serde(default)]
    pub(crate) canvas: Vec<Row<CanvasRun>>,
    /// Answers and events.
    #[serde(default)]
    pub(crate) control: Vec<Row<ControlRun>>,
    /// Other task queues.
    #[serde(default)]
    pub(crate) peers: Vec<PeerRow>,
    /// The pure parts.
    #[serde(default)]
    pub(crate) micro: Vec<MicroRow>,
    /// Allocations of the worker and of a producer.
    #[serde(default)]
    pub(crate) allocations: Vec<Row<AllocationsRun>>,
    /// Instructions of the worker.
    #[serde(default)]
    pub(crate) instructions: Vec<Row<InstructionsRun>>,
    /// Schedulers.
    #[serde(default)]
    pub(crate) beat: Vec<Row<BeatRun>>,
}

impl Figures {
    /// No figures yet.
    pub(crate) fn new(machine: Machine) -> Self {
        Self {
            machine,
            parts: Vec::new(),
            drain: Vec::new(),
            latency: Vec::new(),
            memory: Vec::new(),
            start: Vec::new(),
            publish: Vec::new(),
            depth: Vec::new(),
            eta: Vec::new(),
            spin: Vec::new(),
            canvas: Vec::new(),
            control: Vec::new(),
            peers: Vec::new(),
            micro: Vec::new(),
            allocations: Vec::new(),
            instructions: Vec::new(),
            beat: Vec::new(),
        }
    }

    /// Names what could not be measured.
    ///
    /// # Errors
    /// When a measurement has no figures.
    pub(crate) fn failure(&self) -> anyhow::Result<()> {
        let failed: Vec<String> = self
            .parts
            .iter()
            .filter_map(|part| Some(format!("{}: {}", part.what, part.error.as_ref()?)))
            .collect();
        anyhow::ensure!(failed.is_empty(), "not measured: {}", failed.join("; "));
        Ok(())
    }

    /// What was measured now, and of an earlier run what was not.
    #[must_use]
    pub(crate) fn or_before(self, before: Self) -> Self {
        Self {
            machine: self.machine,
            parts: parts(self.parts, before.parts),
            drain: either(self.drain, before.drain),
            latency: either(self.latency, before.latency),
            memory: either(self.memory, before.memory),
            start: either(self.start, before.start),
            publish: either(self.publish, before.publish),
            depth: either(self.depth, before.depth),
            eta: either(self.eta, before.eta),
            spin: either(self.spin, before.spin),
            canvas: either(self.canvas, before.canvas),
            control: either(self.control, before.control),
            peers: either(self.peers, before.peers),
            micro: either(self.micro, before.micro),
            allocations: either(self.allocations, before.allocations),
            instructions: either(self.instructions, before.instructions),
            beat: either(self.beat, before.beat),
        }
    }
}

fn either<R>(now: Vec<R>, before: Vec<R>) -> Vec<R> {
    if now.is_empty() { before } else { now }
}

fn parts(now: Vec<Part>, before: Vec<Part>) -> Vec<Part> {
    let again = |part: &Part| now.iter().any(|new| new.what == part.what);
    let kept = before.into_iter().filter(|part| !again(part)).collect();
    [kept, now].concat()
}

/// One measurement of a run: what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Its name on the command line.
    pub(crate) what: String,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Why there are no figures of it.
    pub(crate) error: Option<String>,
}
