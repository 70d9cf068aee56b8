//! What becomes of the tasks that will not run because of a failure: none of them may stay pending for ever, nor may a chord
//! that counts on one of them.

use std::sync::Arc;

use broker::ChordPart;
use client::canvas::Lineage;
use protocol::{Chain, Signature, State, TaskMeta, TaskRequest, Value};
use tracing::error;

use super::chord::Member;
use super::meta::finished;
use super::next;
use super::sequel::Sequel;
use crate::Failure;
use crate::engine::Engine;

/// The end of every later step of the request's chain.
pub(crate) fn fail_rest(engine: &Engine, request: &TaskRequest, failure: &Failure) -> Sequel {
    let steps = request.embed.chain.as_ref().map(Chain::steps);
    let steps = steps.transpose().unwrap_or_else(|error| {
        error!(%error, "the later steps of a chain cannot be read; their results stay pending");
        None
    });
    fail_steps(engine, &steps.unwrap_or_default(), failure, || {
        Arc::new(next::lineage(engine, request))
    })
}

/// The end of these signatures, none of which was sent.
pub(super) fn fail_steps(
    engine: &Engine,
    steps: &[Signature],
    failure: &Failure,
    lineage: impl FnOnce() -> Arc<Lineage>,
) -> Sequel {
    let mut sequel = Sequel::default();
    if steps.is_empty() || !engine.stores_results {
        return sequel;
    }
    let lineage = lineage();
    let mut fallout = Fallout {
        failure,
        lineage: &lineage,
        sequel: &mut sequel,
    };
    for step in steps {
        fallout.step(step, Membership::None);
    }
    if !engine.counts_chords {
        sequel.members.clear();
    }
    sequel
}

/// Walks through signatures and notes the end of each task in them.
struct Fallout<'a> {
    failure: &'a Failure,
    lineage: &'a Arc<Lineage>,
    sequel: &'a mut Sequel,
}

/// The chord that a task's end counts for.
#[derive(Clone, Copy)]
enum Membership<'a> {
    /// Whichever the task itself names.
    None,
    /// That of the signature around it, unless it names one itself.
    Of(&'a Signature),
    /// The task belongs to the header of a chord that was never opened.
    Unopened,
}

impl<'a> Membership<'a> {
    /// What holds for the parts of this signature that end it.
    fn within(self, step: &'a Signature) -> Self {
        match self {
            Self::Unopened => self,
            Self::None | Self::Of(_) if has_chord(step) => Self::Of(step),
            outer => outer,
        }
    }

    /// What holds for the parts that do not end it.
    fn inside(self) -> Self {
        match self {
            Self::Unopened => self,
            Self::None | Self::Of(_) => Self::None,
        }
    }
}

fn has_chord(step: &Signature) -> bool {
    step.options
        .get("chord")
        .is_some_and(|chord| !chord.is_null())
}

impl Fallout<'_> {
    fn step(&mut self, step: &Signature, membership: Membership<'_>) {
        self.meta(step);
        let membership = membership.within(step);
        match step.subtask_type.as_deref() {
            Some("group") => self.each(list(step, "tasks"), membership),
            Some("chain") => {
                if let [earlier @ .., last] = list(step, "tasks") {
                    self.each(earlier, membership.inside());
                    self.part(last, membership);
                }
            }
            Some("chord") => {
                self.header(step);
                if let Some(body) = step.kwargs.get("body") {
                    self.part(body, membership);
                }
            }
            _ => self.member(step, membership),
        }
        if let Some(chain) = step.options.get("chain").and_then(Value::as_list) {
            self.each(chain, membership.inside());
        }
    }

    fn header(&mut self, chord: &Signature) {
        match chord.kwargs.get("header") {
            Some(Value::List(members)) => self.each(members, Membership::Unopened),
            Some(group @ Value::Map(_)) => self.part(group, Membership::Unopened),
            _ => {}
        }
    }

    fn each(&mut self, parts: &[Value], membership: Membership<'_>) {
        for part in parts {
            self.part(part, membership);
        }
    }

    fn part(&mut self, part: &Value, membership: Membership<'_>) {
        match Signature::from_value(part.clone()) {
            Ok(step) => self.step(&step, membership),
            Err(error) => {
                error!(%error, "a later step of the work-flow cannot be read; its result stays pending")
            }
        }
    }

    fn meta(&mut self, step: &Signature) {
        let Some(id) = step.text_option("task_id") else {
            return;
        };
        let mut meta = TaskMeta::new(id, State::Failure, Value::from(&self.failure.exception));
        meta.traceback.clone_from(&self.failure.traceback);
        meta.group_id = step.text_option("group_id").map(str::to_owned);
        self.sequel.effects.metas.push(finished(meta));
    }

    fn member(&mut self, step: &Signature, membership: Membership<'_>) {
        let Membership::Of(place) = membership else {
            return;
        };
        let (Some(id), Some(group_id)) = (
            step.text_option("task_id"),
            step.text_option("group_id")
                .or_else(|| place.text_option("group_id")),
        ) else {
            return error!(
                task = step.task,
                "a later step belongs to a chord and has no id; the chord cannot count it"
            );
        };
        let index = |step: &Signature| step.options.get("group_index").and_then(Value::as_i64);
        let part = ChordPart {
            group_id: group_id.to_owned(),
            task_id: id.to_owned(),
            group_index: index(step).or_else(|| index(place)),
            state: State::Failure,
            result: Value::from(&self.failure.exception),
        };
        let body = place.options.get("chord").cloned();
        self.sequel.members.push(Member {
            part,
            body: body.and_then(|body| Signature::from_value(body).ok()),
            lineage: Arc::clone(self.lineage),
        });
    }
}

fn list<'a>(step: &'a Signature, name: &str) -> &'a [Value] {
    step.kwargs
        .get(name)
        .and_then(Value::as_list)
        .unwrap_or_default()
}
