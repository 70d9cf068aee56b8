//! Replacement: another signature goes on under the same id, with everything that was to follow.

use client::canvas::apply;
use protocol::{Canvas, Chain, Map, Signature, TaskRequest, Value};

use super::next;
use super::sequel::{Sequel, cannot_send, malformed};
use crate::Failure;
use crate::engine::Engine;

/// What replaces the task: the signature as Celery's `Task.replace` makes it, and the rest of the chain after it.
pub(super) fn replacement(
    engine: &Engine,
    request: &TaskRequest,
    signature: Signature,
) -> Result<Sequel, Failure> {
    let mut signature = with_accumulate(checked(signature)?)?;
    link(&mut signature, "link", request.embed.callbacks.as_deref());
    link(
        &mut signature,
        "link_error",
        request.embed.errbacks.as_deref(),
    );
    inherit(&mut signature, request);
    let lineage = next::lineage(engine, request);
    let rest = rest_of_chain(request)?;
    let applied = apply(signature, &[], rest, &lineage).map_err(cannot_send)?;
    let mut sequel = Sequel::default();
    sequel.add(engine, applied)?;
    Ok(sequel)
}

fn checked(signature: Signature) -> Result<Signature, Failure> {
    let wrong = |text: &str| Err(Failure::celery("ImproperlyConfigured", vec![text.into()]));
    if signature.options.contains_key("chord") {
        return wrong("A signature replacing a task must not be part of a chord");
    }
    let is_chain = signature.subtask_type.as_deref() == Some("chain");
    if is_chain && tasks(&signature).is_empty() {
        return wrong("Cannot replace with an empty chain");
    }
    Ok(signature)
}

fn tasks(signature: &Signature) -> &[Value] {
    let tasks = signature.kwargs.get("tasks").and_then(Value::as_list);
    tasks.unwrap_or_default()
}

/// A group has no single result to stand for the task's: it becomes a chord whose body gives the list of its results.
/// So does a group at the end of a chain.
fn with_accumulate(mut signature: Signature) -> Result<Signature, Failure> {
    match signature.subtask_type.as_deref() {
        Some("group") => accumulated(signature),
        Some("chain") => {
            let Some(Value::List(tasks)) = signature.kwargs.get_mut("tasks") else {
                return Ok(signature);
            };
            if let Some(last) = tasks.last_mut() {
                let step = Signature::from_value(last.clone()).map_err(malformed)?;
                if step.subtask_type.as_deref() == Some("group") {
                    *last = accumulated(step)?.into();
                }
            }
            Ok(signature)
        }
        _ => Ok(signature),
    }
}

/// The group's own id and options stay with the header; its links, which wait for the whole, go to the body.
fn accumulated(mut group: Signature) -> Result<Signature, Failure> {
    let mut body = Signature::new("celery.accumulate").kwarg("index", 0_i64);
    for option in ["link", "link_error"] {
        if let Some(linked) = group.options.remove(option) {
            body.options.insert(option, linked);
        }
    }
    let options = std::mem::take(&mut group.options);
    let Canvas::Group(header) = group.canvas().map_err(malformed)? else {
        return Ok(group);
    };
    let chord = Canvas::Chord {
        header,
        body: Box::new(body),
        kwargs: Map::new(),
    };
    let mut chord = chord
        .into_signature()
        .expect("a chord has a composite signature");
    chord.options = options;
    Ok(chord)
}

fn link(signature: &mut Signature, option: &str, inherited: Option<&[Signature]>) {
    let inherited = inherited.unwrap_or_default();
    if inherited.is_empty() {
        return;
    }
    let mut linked = match signature.options.remove(option) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(linked)) => linked,
        Some(single) => vec![single],
    };
    for signature in inherited {
        let signature = Value::from(signature.clone());
        if !linked.contains(&signature) {
            linked.push(signature);
        }
    }
    signature.options.insert(option, linked);
}

/// Under the task's own id, as the same member of the same chord.
fn inherit(signature: &mut Signature, request: &TaskRequest) {
    let options = &mut signature.options;
    options.insert("task_id", request.id.as_str());
    options.insert("replaced_task_nesting", nesting(request));
    if signature.subtask_type.as_deref() == Some("chain") {
        mark_steps(&mut signature.kwargs, nesting(request));
    }
    let options = &mut signature.options;
    if let Some(chord) = &request.embed.chord {
        options.insert("chord", chord.clone());
    }
    if let Some(group) = &request.group {
        options.insert("group_id", group.as_str());
    }
    if let Some(index) = request.group_index {
        options.insert("group_index", index);
    }
    if let Some(root_id) = &request.root_id {
        options.insert("root_id", root_id.as_str());
    }
    stamp(signature, request);
}

/// The request's stamps, unless the replacement has its own of that name.
fn stamp(signature: &mut Signature, request: &TaskRequest) {
    let inherited = request.stamped_headers.iter().flatten();
    let inherited = inherited.filter_map(|name| Some((name, request.stamps.get(name)?)));
    let mut names = match signature.options.remove("stamped_headers") {
        Some(Value::List(names)) => names,
        _ => Vec::new(),
    };
    for (name, stamp) in inherited {
        if !signature.options.contains_key(name) {
            signature.options.insert(name.as_str(), stamp.clone());
            names.push(name.as_str().into());
        }
    }
    if !names.is_empty() {
        signature.options.insert("stamped_headers", names);
    }
}

/// The later steps, marked with how often the chain's task was replaced.
fn rest_of_chain(request: &TaskRequest) -> Result<Vec<Signature>, Failure> {
    let steps = request.embed.chain.as_ref().map(Chain::steps);
    let steps = steps.transpose().map_err(malformed)?.unwrap_or_default();
    let marked = steps
        .into_iter()
        .map(|step| step.option("replaced_task_nesting", nesting(request)));
    Ok(marked.collect())
}

/// The steps of a chain are as deep as the chain, also those that are sent later.
fn mark_steps(kwargs: &mut Map, nesting: i64) {
    let Some(Value::List(steps)) = kwargs.get_mut("tasks") else {
        return;
    };
    for step in steps {
        if let Value::Map(step) = step
            && let Some(Value::Map(options)) = step.get_mut("options")
        {
            options.insert("replaced_task_nesting", nesting);
        }
    }
}

fn nesting(request: &TaskRequest) -> i64 {
    i64::from(request.replaced_task_nesting) + 1
}
