//! The steps of a chain, made ready to be carried by the message of the first.

use std::collections::VecDeque;

use protocol::Value;

use super::expand::{Expansion, Nulls, With, merge, merge_options};
use super::freeze::{Path, Place};
use super::lineage::Rules;
use super::links::{link, link_error};
use super::node::{Chord, Node, Parts, items};
use crate::ClientError;

/// Options of a chain that concern the chain; the others go to its first task.
const CHAIN_OPTIONS: [&str; 8] = [
    "chord",
    "group_id",
    "group_index",
    "link",
    "link_error",
    "parent_id",
    "root_id",
    "task_id",
];

/// The steps with their results.
pub(super) struct Prepared {
    /// In reverse order: the first step is the last item.
    pub(super) tasks: Vec<Node>,
    /// In order.
    pub(super) path: Path,
}

impl Expansion<'_> {
    /// Splices nested chains, makes chords of groups that something follows, and freezes every step. The first one gets
    /// the arguments, the last one the place.
    pub(super) fn prepare_steps(
        &mut self,
        tasks: Vec<Node>,
        first: With<'_>,
        errbacks: &[Value],
        place: Place<'_>,
    ) -> Result<Prepared, ClientError> {
        let mut steps = with_a_task_in_front(tasks);
        let root_id = place.root_id;
        let mut last = Some(place);
        let mut ready: Vec<(Node, Path)> = Vec::with_capacity(steps.len());
        while let Some(step) = steps.pop_back() {
            let step = step.unroll_single();
            if step.is_empty_group() && !(steps.is_empty() && ready.is_empty()) {
                continue;
            }
            let mut step = match unroll(step) {
                Unrolled::Not(step) => step,
                Unrolled::Steps(unrolled) => {
                    steps.extend(unrolled);
                    continue;
                }
            };
            if steps.is_empty() {
                give_arguments(&mut step, &first);
            }
            if step.is_group()
                && let Some((body, _)) = ready.pop()
            {
                step = Node::chord(step, body);
            }
            let place = last.take().unwrap_or(Place {
                root_id,
                ..Place::default()
            });
            let path = self.freeze(&mut step, place)?;
            self.link_errbacks(&mut step, errbacks);
            ready.push((step, path));
        }
        let (tasks, paths): (Vec<_>, Vec<_>) = ready.into_iter().unzip();
        let path = paths.into_iter().rev().flatten().collect();
        Ok(Prepared { tasks, path })
    }

    /// The errbacks of a chain are those of each of its steps.
    fn link_errbacks(&self, step: &mut Node, errbacks: &[Value]) {
        let rules = &self.lineage.rules;
        for errback in errbacks {
            link_error(step, errback, rules);
            if let Parts::Chord(chord) = &mut step.parts {
                link_error(&mut chord.body, errback, rules);
            }
        }
    }
}

/// The step that gets the arguments must be a task: nested chains in front are spliced, empty groups left out unless
/// there is nothing else.
fn with_a_task_in_front(tasks: Vec<Node>) -> VecDeque<Node> {
    let mut steps = VecDeque::from(tasks);
    let mut left_out = None;
    while let Some(head) = steps.pop_front() {
        let head = head.unroll_single();
        match head.parts {
            Parts::Chain(tasks) => tasks
                .into_iter()
                .rev()
                .for_each(|task| steps.push_front(task)),
            _ if head.is_empty_group() && !steps.is_empty() => left_out = Some(head),
            _ => {
                steps.push_front(head);
                break;
            }
        }
    }
    if steps.is_empty() {
        steps.extend(left_out);
    }
    steps
}

/// A step, or the steps in its place.
enum Unrolled {
    Not(Node),
    Steps(Vec<Node>),
}

/// The steps of a nested chain, or of a chord whose body is one.
fn unroll(step: Node) -> Unrolled {
    match step.parts {
        Parts::Chain(tasks) => Unrolled::Steps(tasks),
        _ => unroll_body(step),
    }
}

/// `chord(header, chain(a, b, c))` is `chord(header, a), b, c`: every member carries a copy of the body, so what comes after its
/// first task is better carried by the chain. A chain that begins with a group stays: its steps run once for each member.
fn unroll_body(mut step: Node) -> Unrolled {
    let Parts::Chord(chord) = &mut step.parts else {
        return Unrolled::Not(step);
    };
    let led_by_task = matches!(&chord.body.parts, Parts::Chain(tasks)
        if tasks.first().is_some_and(|first| !first.is_group()));
    if !led_by_task {
        return Unrolled::Not(step);
    }
    let body = std::mem::replace(&mut chord.body, Node::group(Vec::new()));
    let mut options = body.head.options.clone();
    options.retain(|name, _| !CHAIN_OPTIONS.contains(&name));
    let mut tasks = unchain(body).into_iter();
    if let Some(mut first) = tasks.next() {
        merge_options(&mut first.head.options, &options, Nulls::Kept);
        chord.body = first;
    }
    let mut steps = vec![step];
    steps.extend(tasks);
    Unrolled::Steps(steps)
}

/// The tasks of a chain, with its callbacks on the last one and its errbacks on each.
pub(super) fn unchain(chain: Node) -> Vec<Node> {
    let Node { mut head, parts } = chain;
    let Parts::Chain(mut tasks) = parts else {
        return Vec::new();
    };
    let rules = Rules::default();
    if let Some(last) = tasks.last_mut() {
        for callback in items(head.options.remove("link")) {
            link(last, &callback);
        }
    }
    for errback in items(head.options.remove("link_error")) {
        for task in &mut tasks {
            link_error(task, &errback, &rules);
        }
    }
    tasks
}

/// Splits chords among the steps of a body, and in the chains among them, as [`unroll_body`] does.
pub(super) fn unroll_chords(body: &mut Node) {
    let Parts::Chain(tasks) = &mut body.parts else {
        return;
    };
    let mut waiting = VecDeque::from(std::mem::take(tasks));
    while let Some(mut task) = waiting.pop_front() {
        unroll_chords(&mut task);
        match unroll_body(task) {
            Unrolled::Not(task) => tasks.push(task),
            Unrolled::Steps(steps) => steps
                .into_iter()
                .rev()
                .for_each(|step| waiting.push_front(step)),
        }
    }
}

fn give_arguments(step: &mut Node, with: &With<'_>) {
    match &mut step.parts {
        Parts::Chord(chord) if !step.head.immutable => {
            let Chord { kwargs, .. } = &mut **chord;
            kwargs.extend(with.kwargs.clone());
            step.head.prepend(with.args.iter().cloned());
        }
        Parts::Chord(_) => {}
        _ => merge(&mut step.head, with),
    }
}
