//! One run in a child: frames and limits until the run or the child has ended.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use broker::{Settled, Settlement, Verdict};
use nix::sys::signal::Signal;
use protocol::{BodyEncoding, Codec, EncodeError, TaskMeta, saferepr};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::{error, warn};

use super::process::Process;
use super::record::{Ended, Frame, Start, settled_code};
use super::{Children, autopsy};
use crate::admission::Run;
use crate::conclusion::RunEnd;
use crate::context::Context;
use crate::engine::Engine;
use crate::events::signal_of;
use crate::executor::work::{passed, stopped};
use crate::policy::Limit;

/// How often a child's memory is looked at, so that it is capped, and known when the child dies.
const LOOK: Duration = Duration::from_millis(100);
/// How long a terminated child may take to die of its signal.
const MERCY: Duration = Duration::from_secs(1);
/// How many children may die before they have begun with the task.
const TRIES: u32 = 3;

/// Runs the task in a child until it ends, or until a limit, a request to stop or a death ends it.
pub(crate) async fn run(
    engine: &Arc<Engine>,
    children: &Children,
    run: &Run,
    ctx: &Arc<Context>,
) -> RunEnd {
    let start = match start_of(run) {
        Ok(start) => Frame::Start(start),
        Err(error) => return RunEnd::NoChild(format!("the message cannot be handed on: {error}")),
    };
    for _ in 0..TRIES {
        let taken = tokio::select! {
            taken = children.take() => taken,
            () = run.held.stop.raised() => return stopped(engine, run, ctx),
        };
        let process = match taken {
            Ok(process) => process,
            Err(error) => return RunEnd::NoChild(error.to_string()),
        };
        let job = Job::new(engine, run, ctx, children.next_job(), process);
        if let Some(end) = job.supervise(&start, children).await {
            return end;
        }
    }
    RunEnd::NoChild(format!(
        "{TRIES} child processes have died before they began with the task"
    ))
}

fn start_of(run: &Run) -> Result<Start, EncodeError> {
    let message = run.held.message.clone();
    let mut message = message.expect("a run in another process has kept its message");
    message.properties.body_encoding = Some(BodyEncoding::Base64);
    Ok(Start {
        envelope: message.to_envelope()?,
        queue: run.held.queue.to_string(),
        redelivered: run.held.redelivered,
    })
}

struct Job<'a> {
    engine: &'a Arc<Engine>,
    run: &'a Run,
    ctx: &'a Arc<Context>,
    number: u64,
    process: Process,
    accepted: bool,
    /// KiB, when it was looked at last.
    memory: Option<u64>,
    settled: (
        mpsc::Sender<Option<Settled>>,
        mpsc::Receiver<Option<Settled>>,
    ),
}

/// How the supervision ends: with the child as it was, or without it.
enum Over {
    /// The child has told how the run ended, and is ready for more.
    Ended(RunEnd),
    /// The child is dead, or was killed.
    Dead(Option<RunEnd>),
}

impl<'a> Job<'a> {
    fn new(
        engine: &'a Arc<Engine>,
        run: &'a Run,
        ctx: &'a Arc<Context>,
        number: u64,
        process: Process,
    ) -> Self {
        // A second child, when the first has died at once, is not told: nobody asks that soon.
        let _ = run.held.process.set(process.pid());
        Self {
            engine,
            run,
            ctx,
            number,
            process,
            accepted: false,
            memory: None,
            settled: mpsc::channel(1),
        }
    }

    /// `None` when the child died before it began.
    async fn supervise(mut self, start: &Frame, children: &Children) -> Option<RunEnd> {
        if let Err(error) = self.process.sender.send(start).await {
            self.process.kill().await;
            return Some(RunEnd::NoChild(error.to_string()));
        }
        match self.watch().await {
            Over::Ended(end) => {
                children.give_back(self.process);
                Some(end)
            }
            Over::Dead(end) => end,
        }
    }

    async fn watch(&mut self) -> Over {
        let started = Instant::now();
        let policy = &self.run.policy;
        let mut soft = policy.soft_time_limit;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                frame = self.process.receiver.next() => match frame {
                    Ok(Some(frame)) => if let ControlFlow::Break(over) = self.heard(frame).await {
                        return over;
                    },
                    Ok(None) => return self.died().await,
                    Err(error) => return self.broken(&error.to_string()).await,
                },
                Some(settled) = self.settled.1.recv() => {
                    self.tell(Frame::Kept(settled.map(settled_code))).await;
                }
                () = self.run.held.stop.raised() => return self.stop().await,
                () = passed(started, policy.time_limit) => {
                    return self.time_limit(policy.time_limit).await;
                }
                () = passed(started, soft) => {
                    warn!(seconds = soft.map(|limit| limit.0), "soft time limit exceeded");
                    soft = None;
                    self.tell(Frame::Cancel).await;
                }
                _ = looks.tick() => {
                    self.memory = self.process.memory().or(self.memory);
                    if self.is_too_large() {
                        return self.too_large().await;
                    }
                }
            }
        }
    }

    async fn heard(&mut self, frame: Frame) -> ControlFlow<Over> {
        match frame {
            Frame::Accepted => self.accepted = true,
            Frame::Keep(meta) => return self.keep(&meta).await,
            Frame::Ended(ended) => return ControlFlow::Break(self.ended(*ended).await),
            Frame::Unable(why) => {
                self.process.kill().await;
                return ControlFlow::Break(Over::Dead(Some(RunEnd::NoChild(why))));
            }
            other => {
                let what = format!("it says {other:?} during a run");
                return ControlFlow::Break(self.broken(&what).await);
            }
        }
        ControlFlow::Continue(())
    }

    async fn ended(&mut self, ended: Ended) -> Over {
        match ended.read(&self.engine.settings.limits) {
            Ok((end, sent)) => {
                self.ctx.add_sent(sent);
                Over::Ended(end)
            }
            Err(error) => self.broken(&error.to_string()).await,
        }
    }

    /// Settles a state of the task's own, beside everything else: an outage must not keep the limits waiting.
    async fn keep(&mut self, meta: &[u8]) -> ControlFlow<Over> {
        let meta = match TaskMeta::decode(meta, &Codec::Json, &self.engine.settings.limits) {
            Ok(meta) => meta,
            Err(error) => return ControlFlow::Break(self.broken(&error.to_string()).await),
        };
        if meta.task_id != self.run.held.request.id {
            self.tell(Frame::Kept(None)).await;
            return ControlFlow::Continue(());
        }
        let shown = saferepr(&meta.result, 1_024, 3);
        self.run.held.tell(format!("{} {shown}", meta.status));
        let mut settlement = Settlement::new(self.run.held.tag.clone(), Verdict::Keep);
        settlement.store = Some(meta);
        let (engine, reply) = (Arc::clone(self.engine), self.settled.0.clone());
        tokio::spawn(async move {
            // The run may be over.
            let _ = reply.send(engine.settle(settlement).await).await;
        });
        ControlFlow::Continue(())
    }

    /// A frame that cannot be sent goes to a child that is dying, which is noticed by itself.
    async fn tell(&mut self, frame: Frame) {
        let _ = self.process.sender.send(&frame).await;
    }

    fn is_too_large(&self) -> bool {
        let cap = self.engine.settings.max_memory_per_task;
        self.accepted && cap.is_some_and(|cap| self.memory > Some(cap))
    }

    /// Ends the child as the system would if it were out of memory.
    async fn too_large(&mut self) -> Over {
        warn!(
            pid = self.process.pid(),
            memory = self.memory,
            "killing a child process whose task takes too much memory"
        );
        self.process.signal(Signal::SIGKILL);
        self.died().await
    }

    async fn died(&mut self) -> Over {
        let how = self.process.death().await;
        if !self.accepted {
            warn!(
                pid = self.process.pid(),
                how, "a child process died before it began with the task"
            );
            return Over::Dead(None);
        }
        let mut text = format!("Worker exited prematurely: {how} Job: {}.", self.number);
        if let Some(memory) = self.memory {
            text.push_str(&format!(" Memory: {memory} KiB."));
        }
        if let Some(cap) = self
            .engine
            .settings
            .max_memory_per_task
            .filter(|_| self.is_too_large())
        {
            text.push_str(&format!(" A task may have {cap} KiB."));
        }
        let last_line = self.process.last_line();
        error!(pid = self.process.pid(), last_line, "{text}");
        Over::Dead(Some(RunEnd::Lost(text)))
    }

    /// What the child sends makes no sense: nothing it says after that can be believed.
    async fn broken(&mut self, what: &str) -> Over {
        self.process.kill().await;
        let text = format!(
            "Worker exited prematurely: killed, for it is not understood ({what}) Job: {}.",
            self.number
        );
        error!(pid = self.process.pid(), "{text}");
        Over::Dead(Some(RunEnd::Lost(text)))
    }

    async fn stop(&mut self) -> Over {
        if let Some(name) = self.run.held.terminated.get() {
            self.tell(Frame::Terminate).await;
            self.process
                .signal(signal_of(name).unwrap_or(Signal::SIGTERM));
            // Whether it dies of the signal or is killed, it is gone.
            let _ = timeout(MERCY, self.gone()).await;
        }
        self.process.kill().await;
        Over::Dead(Some(stopped(self.engine, self.run, self.ctx)))
    }

    async fn gone(&mut self) {
        while let Ok(Some(_)) = self.process.receiver.next().await {}
    }

    async fn time_limit(&mut self, limit: Option<Limit>) -> Over {
        let found = self.findings();
        warn!(
            pid = self.process.pid(),
            "killing a child process at its hard time limit: {found}"
        );
        self.process.kill().await;
        Over::Dead(limit.map(|limit| RunEnd::TimeLimit {
            limit,
            found: Some(found),
        }))
    }

    /// Where the child hangs, what it said last and how far it was.
    fn findings(&self) -> String {
        let mut text = autopsy::report(self.process.pid());
        let last_line = self.process.last_line();
        if !last_line.is_empty() {
            text.push_str(&format!("\n  last line: {last_line}"));
        }
        if let Some((progress, age)) = self.run.held.progress() {
            text.push_str(&format!("\n  last state, {age:?} ago: {progress}"));
        }
        text
    }
}
