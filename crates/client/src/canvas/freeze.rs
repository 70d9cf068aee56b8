//! Freezing: every task of a tree gets its id and its place in groups and chords, before anything is sent.
//!
//! Ids that are there already are kept, so that a tree which was frozen by its sender and sent on by a worker keeps
//! the results that the sender waits for.

use std::collections::VecDeque;

use protocol::{Map, ResultTuple, Value};

use super::expand::Expansion;
use super::lineage::Chords;
use super::node::{Chord, Node, Parts, given};
use crate::ClientError;
use crate::prepare::new_id;

/// Results in the order in which they come; the last one is the tree's own.
pub(super) type Path = Vec<ResultTuple>;

/// Where a part stands in what surrounds it.
#[derive(Clone, Debug, Default)]
pub(super) struct Place<'a> {
    /// The id of a task that has none yet.
    pub(super) id: Option<String>,
    pub(super) group_id: Option<&'a str>,
    /// The body of the chord that the part is a member of.
    pub(super) chord: Option<&'a Value>,
    pub(super) root_id: Option<&'a str>,
    pub(super) parent_id: Option<&'a str>,
    pub(super) group_index: Option<i64>,
}

impl Expansion<'_> {
    pub(super) fn freeze(
        &mut self,
        node: &mut Node,
        place: Place<'_>,
    ) -> Result<Path, ClientError> {
        match &node.parts {
            Parts::Task => Ok(vec![self.freeze_task(node, place)]),
            Parts::Chain(_) => self.nested(|this| this.freeze_chain(node, place)),
            Parts::Group(_) => {
                let group = self.nested(|this| this.freeze_group(node, &place))?;
                Ok(vec![group])
            }
            Parts::Chord(_) => self.nested(|this| this.freeze_chord(node, place)),
        }
    }

    fn freeze_task(&self, node: &mut Node, place: Place<'_>) -> ResultTuple {
        let options = &mut node.head.options;
        let id = id_in(options, place.id.clone());
        for (name, value) in [("root_id", place.root_id), ("parent_id", place.parent_id)] {
            if let Some(value) = value {
                options.insert(name, value);
            }
        }
        if let Some(reply_to) = &self.lineage.rules.reply_to
            && !options.contains_key("reply_to")
        {
            options.insert("reply_to", reply_to.as_str());
        }
        if !options.contains_key("group_id") {
            put_group(options, &place);
        }
        put_position(options, &place);
        ResultTuple::task(id)
    }

    /// Freezes the members, after nested groups were flattened into this one.
    pub(super) fn freeze_group(
        &mut self,
        node: &mut Node,
        place: &Place<'_>,
    ) -> Result<ResultTuple, ClientError> {
        let options = &mut node.head.options;
        let id = id_in(options, None);
        put_group(options, place);
        put_position(options, place);
        let root_id = known_or(options, "root_id", place.root_id);
        let parent_id = known_or(options, "parent_id", place.parent_id);
        let Parts::Group(members) = &mut node.parts else {
            return Ok(ResultTuple::group(id, Vec::new()));
        };
        *members = flattened(std::mem::take(members));
        let mut children = Vec::with_capacity(members.len());
        for (index, member) in members.iter_mut().enumerate() {
            let place = Place {
                id: None,
                root_id: root_id.as_deref(),
                parent_id: parent_id.as_deref(),
                group_index: i64::try_from(index).ok(),
                ..*place
            };
            children.extend(self.freeze(member, place)?.pop());
        }
        Ok(ResultTuple::group(id, children))
    }

    /// Only the last step belongs to the surrounding group and chord.
    fn freeze_chain(&mut self, node: &mut Node, place: Place<'_>) -> Result<Path, ClientError> {
        let Parts::Chain(tasks) = &mut node.parts else {
            return Ok(Path::new());
        };
        let mut steps = Vec::with_capacity(tasks.len());
        splice(tasks, &mut steps);
        let any = steps.iter().any(|step| !step.is_empty_group());
        let mut paths = Vec::with_capacity(steps.len());
        let root_id = place.root_id;
        let mut last = Some(place);
        for (position, step) in steps.into_iter().enumerate().rev() {
            if step.is_empty_group() && (any || position > 0) {
                continue;
            }
            let place = last.take().unwrap_or(Place {
                root_id,
                ..Place::default()
            });
            paths.push(self.freeze(step, place)?);
        }
        let path: Path = paths.into_iter().rev().flatten().collect();
        if let Some(result) = path.last() {
            node.head.options.insert("task_id", result.id.as_str());
        }
        Ok(path)
    }

    /// The body has the chord's place; the members get the body when the header is sent, not before: copies of it in a header
    /// that waits for its turn would only make messages long.
    fn freeze_chord(&mut self, node: &mut Node, place: Place<'_>) -> Result<Path, ClientError> {
        if self.lineage.rules.chords == Chords::Refused {
            return Err(ClientError::ChordsNeedResults);
        }
        let Parts::Chord(chord) = &mut node.parts else {
            return Ok(Path::new());
        };
        let Chord { header, body, .. } = &mut **chord;
        let options = &mut node.head.options;
        if let Some(id) = given(options, "task_id")
            && !header.head.options.contains_key("task_id")
        {
            header.head.options.insert("task_id", id.clone());
        }
        let header_place = Place {
            root_id: place.root_id,
            parent_id: place.parent_id,
            ..Place::default()
        };
        let result = self.freeze_group(header, &header_place)?;
        options.insert("task_id", result.id.as_str());
        let body_place = Place {
            parent_id: None,
            ..place
        };
        let mut path = vec![result];
        path.extend(self.freeze(body, body_place)?);
        Ok(path)
    }
}

/// The id in the options; if there is none yet, this one or a new one.
fn id_in(options: &mut Map, id: Option<String>) -> String {
    if let Some(id) = given(options, "task_id").and_then(Value::as_str) {
        return id.to_owned();
    }
    let id = id.unwrap_or_else(new_id);
    options.insert("task_id", id.as_str());
    id
}

fn put_group(options: &mut Map, place: &Place<'_>) {
    if let Some(group_id) = place.group_id {
        options.insert("group_id", group_id);
    }
}

fn put_position(options: &mut Map, place: &Place<'_>) {
    if let Some(chord) = place.chord {
        options.insert("chord", chord.clone());
    }
    if let Some(index) = place.group_index {
        options.insert("group_index", index);
    }
}

/// A group's own id of this kind; one without gets this, or null, as Celery notes it.
fn known_or(options: &mut Map, name: &str, id: Option<&str>) -> Option<String> {
    if !options.contains_key(name) {
        options.insert(name, id.map(str::to_owned));
    }
    given(options, name)?.as_str().map(str::to_owned)
}

/// The members of nested groups in the place of these groups, in the order in which Celery puts them there: last first. Empty
/// chains are left out.
fn flattened(members: Vec<Node>) -> Vec<Node> {
    let mut waiting = VecDeque::from(members);
    let mut flat = Vec::with_capacity(waiting.len());
    while let Some(member) = waiting.pop_front() {
        match member.parts {
            Parts::Group(members) => members
                .into_iter()
                .for_each(|member| waiting.push_front(member)),
            _ if member.is_empty_chain() => {}
            _ => flat.push(member),
        }
    }
    flat
}

/// The steps of a chain with those of nested chains in their place; a group of one is that one.
fn splice<'a>(tasks: &'a mut [Node], steps: &mut Vec<&'a mut Node>) {
    for task in tasks {
        let spliced = match &task.parts {
            Parts::Chain(_) => true,
            Parts::Group(members) => members.len() == 1,
            Parts::Task | Parts::Chord(_) => false,
        };
        if !spliced {
            steps.push(task);
        } else if let Parts::Chain(inner) | Parts::Group(inner) = &mut task.parts {
            splice(inner, steps);
        }
    }
}
