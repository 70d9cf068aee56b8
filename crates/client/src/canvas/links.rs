//! Callbacks and errbacks: where `link` and `link_error` put them in a tree.

use protocol::{Map, Signature, Value};

use super::lineage::Rules;
use super::node::{Node, Parts, extend_option, items};

/// Links a callback: to a task, to a chain as a whole, to the body of a chord, to the first member of a group.
pub(super) fn link(node: &mut Node, callback: &Value) {
    match &mut node.parts {
        Parts::Task | Parts::Chain(_) => append(&mut node.head.options, "link", callback),
        Parts::Chord(chord) => link(&mut chord.body, callback),
        Parts::Group(members) => {
            if let Some(first) = members.first_mut() {
                link(first, &immutable(callback));
            }
        }
    }
}

/// Links an errback: to a task, to a chain as a whole, to every member of a group, to the body of a chord and to the chords in
/// its header; with `task_allow_error_cb_on_chord_header` to all members of the header.
pub(super) fn link_error(node: &mut Node, errback: &Value, rules: &Rules) {
    match &mut node.parts {
        Parts::Task | Parts::Chain(_) => append(&mut node.head.options, "link_error", errback),
        Parts::Group(members) => {
            for member in members {
                link_error(member, errback, rules);
            }
        }
        Parts::Chord(chord) => {
            if let Parts::Group(members) = &mut chord.header.parts {
                if rules.task_allow_error_cb_on_chord_header {
                    let errback = immutable(errback);
                    for member in members.iter_mut() {
                        link_error(member, &errback, rules);
                    }
                }
                for member in members.iter_mut().filter(|member| member.is_chord()) {
                    link_error(member, errback, rules);
                }
            }
            link_error(&mut chord.body, errback, rules);
        }
    }
}

/// Gives the body of a chord the chord's own callbacks and errbacks, which never reach the header.
pub(super) fn link_body(body: &mut Node, callbacks: Option<Value>, errbacks: Option<Value>) {
    for callback in items(callbacks) {
        match body.is_empty_group() {
            true => append(&mut body.head.options, "link", &callback),
            false => link(body, &callback),
        }
    }
    for errback in items(errbacks) {
        match body.is_group() {
            true => link_error_to_members(body, &errback, true),
            false => append(&mut body.head.options, "link_error", &errback),
        }
    }
}

/// A group with errbacks of its own, which replace those of its members when it runs, gets it there.
fn link_error_to_members(node: &mut Node, errback: &Value, runs_as_group: bool) {
    match &mut node.parts {
        Parts::Group(members) => {
            let own = super::node::given(&node.head.options, "link_error").is_some();
            if runs_as_group && own {
                append(&mut node.head.options, "link_error", errback);
            } else {
                for member in members {
                    link_error_to_members(member, errback, false);
                }
            }
        }
        Parts::Chord(chord) => link_error_to_members(&mut chord.body, errback, true),
        Parts::Task | Parts::Chain(_) => append(&mut node.head.options, "link_error", errback),
    }
}

/// Adds to a list option what is not in it yet.
fn append(options: &mut Map, name: &str, value: &Value) {
    let known = match options.get(name) {
        Some(Value::List(items)) => items.contains(value),
        Some(item) => item == value,
        None => false,
    };
    let more = (!known).then(|| value.clone());
    extend_option(options, name, more);
}

/// The callback as one that takes no result; what is no signature stays as it is, to be refused by its reader.
fn immutable(callback: &Value) -> Value {
    match Signature::from_value(callback.clone()) {
        Ok(signature) => Value::from(Signature {
            immutable: true,
            ..signature
        }),
        Err(_) => callback.clone(),
    }
}
