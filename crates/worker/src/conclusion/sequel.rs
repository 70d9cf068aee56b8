//! What follows from an end besides the task's own meta and verdict: messages, chords, the ends of other tasks.

use broker::{Effects, Publish, Settlement};
use client::ClientError;
use client::canvas::Applied;
use protocol::{DecodeError, Event, ResultTuple};

use super::chord::Member;
use crate::Failure;
use crate::acknowledger::Completion;
use crate::engine::Engine;
use crate::errback::ErrbackCall;
use crate::settler::FollowUp;

/// What follows, gathered from its several sources before it is settled in one step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequel {
    /// Messages to publish.
    pub(crate) publish: Vec<Publish>,
    /// The results that the messages stand for.
    pub(crate) children: Vec<ResultTuple>,
    /// Other tasks' metas, and chords to open or to grow.
    pub(crate) effects: Effects,
    /// Members of chords that have ended.
    pub(crate) members: Vec<Member>,
    /// Errbacks to be called here.
    pub(crate) errbacks: Vec<ErrbackCall>,
}

impl Sequel {
    /// Adds what a signature stands for, all of it or nothing.
    pub(crate) fn add(&mut self, engine: &Engine, applied: Applied) -> Result<(), Failure> {
        let prepared = applied.calls.into_iter().map(|call| {
            let prepared = engine.client.prepare(call).map_err(cannot_send)?;
            Ok(prepared.publish)
        });
        let publish: Vec<Publish> = prepared.collect::<Result<_, Failure>>()?;
        self.publish.extend(publish);
        self.effects.open.extend(applied.chords);
        self.children.push(applied.child);
        Ok(())
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.publish.extend(other.publish);
        self.children.extend(other.children);
        self.effects.metas.extend(other.effects.metas);
        self.effects.open.extend(other.effects.open);
        self.effects.grow.extend(other.effects.grow);
        self.members.extend(other.members);
        self.errbacks.extend(other.errbacks);
    }

    /// The settlement with all this in it.
    pub(crate) fn complete(self, mut settlement: Settlement, event: Option<Event>) -> Completion {
        settlement.publish.extend(self.publish);
        if self.effects != Effects::default() {
            settlement.effects = Some(Box::new(self.effects));
        }
        let follow_up = FollowUp {
            members: self.members,
            errbacks: self.errbacks,
        };
        Completion {
            event,
            follow_up: (!follow_up.is_empty()).then(|| Box::new(follow_up)),
            ..settlement.into()
        }
    }
}

/// The failure of a task whose callbacks, chain or replacement cannot be sent.
pub(crate) fn cannot_send(error: ClientError) -> Failure {
    match error {
        ClientError::ChordsNeedResults => {
            Failure::builtin("NotImplementedError", vec![error.to_string().into()])
        }
        ClientError::Encode { .. } => Failure::new(
            "EncodeError",
            "kombu.exceptions",
            vec![explained(&error).into()],
        ),
        error => {
            let text = format!("cannot send what follows the task: {}", explained(&error));
            Failure::builtin("ValueError", vec![text.into()])
        }
    }
}

/// The failure of a task that gives us a signature that is none.
pub(crate) fn malformed(source: DecodeError) -> Failure {
    let what = "the signature";
    cannot_send(ClientError::Decode { what, source })
}

/// The error with what is behind it.
pub(crate) fn explained(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
