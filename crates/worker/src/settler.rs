//! Settles what takes more than one step: members of chords, and failures whose errbacks are called here.
//!
//! A member is counted in the step that settles it. Was it the last, nothing else was done: the message is still held, and the claim
//! on the chord is the tag's. Then the chord is joined, and the settlement asked for again with what follows from the join. A worker
//! that dies in between loses the claim after a while; the message runs again, counts once, claims and joins. So a body is called
//! exactly once, or its errors are told exactly once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use broker::{BrokerError, ChordCall, ErrorKind, Settled, Settlement, Verdict};
use protocol::TaskMeta;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use crate::Failure;
use crate::acknowledger::{Completion, parked, stored, unwritable};
use crate::conclusion::{self, Member, Sequel};
use crate::engine::Engine;
use crate::errback::ErrbackCall;

/// How many ends may be followed up at once.
const FOLLOWED: usize = 4_096;
/// The first and the longest wait before a chord that somebody else joins is asked about again.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What makes an end more than one step.
#[derive(Debug, Default)]
pub(crate) struct FollowUp {
    /// Members of chords that end with the task: itself, or later steps that will not run.
    pub(crate) members: Vec<Member>,
    /// Errbacks to call here.
    pub(crate) errbacks: Vec<ErrbackCall>,
}

impl FollowUp {
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.errbacks.is_empty()
    }
}

/// The ends that are being followed up.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) tracker: TaskTracker,
    permits: Arc<Semaphore>,
}

/// Allows one end to be followed up.
pub(crate) type Permit = OwnedSemaphorePermit;

impl Following {
    /// Waits while too many ends are followed up: a broker that does not answer must make those wait who run tasks.
    pub(crate) async fn permit(&self) -> Permit {
        Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed")
    }

    /// Waits until nothing is followed up any more. Call it when no run is left.
    pub(crate) async fn drain(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl Default for Following {
    fn default() -> Self {
        Self {
            tracker: TaskTracker::new(),
            permits: Arc::new(Semaphore::new(FOLLOWED)),
        }
    }
}

/// Settles a completion that has a follow-up. If its end cannot be written, its fallback is settled instead, then its failure, and if that
/// cannot be written either, the message is put aside.
pub(crate) async fn settle(engine: &Arc<Engine>, mut completion: Completion) {
    let mut is_last = false;
    loop {
        let (run, fallback) = (completion.run.take(), completion.fallback.take());
        let tag = completion.settlement.tag.clone();
        let task_id = stored(&completion.settlement);
        let acks = matches!(completion.settlement.verdict, Verdict::Ack);
        let ending = Ending {
            engine,
            settlement: completion.settlement,
            follow_up: completion.follow_up.unwrap_or_default(),
        };
        let error = match ending.settle().await {
            Ok(Settled::Done | Settled::Uncertain) => {
                return completion
                    .event
                    .into_iter()
                    .for_each(|event| engine.events.send(event));
            }
            Ok(settled) => {
                return warn!(%tag, ?settled, "settlement refused: this worker no longer held the message");
            }
            Err(error) if error.kind() == ErrorKind::Closed => {
                return warn!(%tag, %error, "cannot settle; the message runs again when the lease has run out");
            }
            Err(error) => error,
        };
        error!(%tag, error = &error as &dyn std::error::Error, "a settlement cannot be carried out");
        completion = match (fallback, run) {
            (Some(fallback), _) => *fallback,
            (None, Some(run)) => conclusion::unwritten(engine, &run, &error),
            (None, None) if is_last => {
                return error!(%tag, "nor can the message be put aside; it runs again when this worker has ended");
            }
            (None, None) => {
                is_last = true;
                // A message that was acknowledged early cannot be put aside; whoever waits is told all the same.
                let verdict = if acks {
                    Verdict::Ack
                } else {
                    unwritable(&error)
                };
                let parked = parked(tag, task_id, verdict, &error);
                barest(parked, ending)
            }
        };
    }
}

/// The last way out, with what others wait for: the rest of a chain ends, and chords count their members. Errbacks that cannot be sent and
/// arguments that cannot be stored are left out.
fn barest(mut parked: Settlement, failed: Ending<'_>) -> Completion {
    if let Some(effects) = failed.settlement.effects {
        let bare = |meta| TaskMeta {
            extended: None,
            ..meta
        };
        parked.effects_mut().metas = effects.metas.into_iter().map(bare).collect();
    }
    let follow_up = FollowUp {
        members: failed.follow_up.members,
        ..FollowUp::default()
    };
    Completion {
        follow_up: Some(Box::new(follow_up)),
        ..parked.into()
    }
}

/// One end that is being settled.
struct Ending<'a> {
    engine: &'a Arc<Engine>,
    settlement: Settlement,
    follow_up: Box<FollowUp>,
}

/// What came of one attempt.
enum Attempt {
    Settled(Settled),
    /// A chord is claimed by somebody else.
    Claimed,
    /// The chords were joined, and the broker does not take what follows from it.
    Unsent(BrokerError),
}

impl Ending<'_> {
    async fn settle(&self) -> Result<Settled, BrokerError> {
        if !self.follow_up.errbacks.is_empty() {
            let settled = self.is_held().await?;
            if settled != Settled::Done {
                return Ok(settled);
            }
            self.call(&self.follow_up.errbacks).await;
        }
        self.settle_members().await
    }

    /// Tries until no chord is claimed by somebody else.
    async fn settle_members(&self) -> Result<Settled, BrokerError> {
        let mut pause = FIRST_PAUSE;
        let mut unsent: Option<Failure> = None;
        loop {
            match self.attempt(unsent.as_ref()).await? {
                Attempt::Settled(settled) => return Ok(settled),
                Attempt::Claimed => {
                    debug!(tag = %self.settlement.tag, "somebody else joins the chord; asking again");
                    tokio::time::sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
                Attempt::Unsent(error) if unsent.is_some() => return Err(error),
                Attempt::Unsent(error) => {
                    error!(
                        error = &error as &dyn std::error::Error,
                        "a chord's body cannot be sent"
                    );
                    unsent = Some(Failure::from_error(&error));
                }
            }
        }
    }

    /// Counts each member, joins what is complete, and settles all that follows in one step with the last count.
    async fn attempt(&self, unsent: Option<&Failure>) -> Result<Attempt, BrokerError> {
        let mut members = VecDeque::from(self.follow_up.members.clone());
        let mut settlement = self.settlement.clone();
        let mut joined = false;
        loop {
            let member = members.pop_front();
            let is_last = members.is_empty();
            let step = match &member {
                None => settlement.clone(),
                Some(member) if is_last => counting(settlement.clone(), member),
                Some(member) => counting(self.own_meta(), member),
            };
            let settled = match self.engine.try_settle(step).await {
                Err(error) if joined => return Ok(Attempt::Unsent(error)),
                settled => settled?,
            };
            match (settled, &member) {
                (Settled::Complete, Some(member)) => {
                    let Some(sequel) = self.join(member, unsent).await? else {
                        return Ok(Attempt::Claimed);
                    };
                    members.extend(sequel.members.iter().cloned());
                    absorb(&mut settlement, member, sequel);
                    joined = true;
                }
                (Settled::Claimed, _) => return Ok(Attempt::Claimed),
                (Settled::Done, Some(_)) if !is_last => {}
                (settled, _) => return Ok(Attempt::Settled(settled)),
            }
        }
    }

    /// What follows from the end of a chord; `None` when the claim on it was lost meanwhile.
    async fn join(
        &self,
        member: &Member,
        unsent: Option<&Failure>,
    ) -> Result<Option<Sequel>, BrokerError> {
        let sequel = conclusion::join(self.engine, member, unsent).await?;
        if sequel.errbacks.is_empty() {
            return Ok(Some(sequel));
        }
        let token = self.settlement.tag.as_str();
        let held = match &self.engine.client.backends().results {
            Some(results) => results.hold_chord(&member.part.group_id, token).await?,
            None => None,
        };
        if held.is_none() {
            return Ok(None);
        }
        self.call(&sequel.errbacks).await;
        Ok(Some(sequel))
    }

    async fn call(&self, errbacks: &[ErrbackCall]) {
        for errback in errbacks {
            errback.call(self.engine).await;
        }
    }

    async fn is_held(&self) -> Result<Settled, BrokerError> {
        let question = Settlement::new(self.settlement.tag.clone(), Verdict::Keep);
        self.engine.try_settle(question).await
    }

    /// The task's own meta, and nothing else yet.
    fn own_meta(&self) -> Settlement {
        Settlement {
            store: self.settlement.store.clone(),
            ..Settlement::new(self.settlement.tag.clone(), Verdict::Keep)
        }
    }
}

fn counting(mut settlement: Settlement, member: &Member) -> Settlement {
    settlement.effects_mut().count = Some(member.part.clone());
    settlement
}

/// The settlement also ends the chord, and does what follows from its end.
fn absorb(settlement: &mut Settlement, member: &Member, sequel: Sequel) {
    settlement.calls.push(ChordCall {
        group_id: member.part.group_id.clone(),
        publish: sequel.publish,
        once: None,
    });
    let effects = settlement.effects_mut();
    effects.metas.extend(sequel.effects.metas);
    effects.open.extend(sequel.effects.open);
    effects.keep_parts |= sequel.effects.keep_parts;
    effects.finish.push(member.part.group_id.clone());
}
