//! Applying signatures: what a worker does with callbacks and chain steps, and a client with `apply`.
//!
//! Plain tasks, chains and groups. A chord needs its members counted at the result backend, which is not built yet:
//! it is refused, never half done.

use protocol::{DecodeError, DecodeErrorKind, Map, ResultTuple, Signature, Value};

use crate::TaskCall;
use crate::prepare::new_id;
use crate::signature::call_of;

/// What a new task inherits from the one that sends it.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// The task that sends.
    pub parent_id: Option<String>,
    /// The first task of the work-flow.
    pub root_id: Option<String>,
    /// Its priority, with `task_inherit_parent_priority`.
    pub priority: Option<u8>,
    /// Headers that travel with the work-flow, such as `traceparent`.
    pub headers: Map,
}

/// The calls that a signature stands for, and the handle on their result.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What to send.
    pub calls: Vec<TaskCall>,
    /// The result.
    pub result: ResultTuple,
}

/// Expands a signature, with `args` put in front of its own (unless it is immutable) and `chain`, the remaining steps
/// with the next one last, to follow it.
///
/// # Errors
/// When an option is malformed, or the signature is of a kind that cannot be applied here.
pub fn apply(
    signature: Signature,
    args: &[Value],
    chain: Vec<Signature>,
    lineage: &Lineage,
) -> Result<Applied, DecodeError> {
    match signature.subtask_type.as_deref() {
        Some("chain") => apply_chain(signature, args, chain, lineage),
        Some("group") => apply_group(signature, args, chain, lineage),
        Some("chord") => Err(unsupported("chord")),
        Some("chunks") => Err(unsupported("chunks")),
        _ => apply_task(signature, args, chain, lineage),
    }
}

fn apply_task(
    mut signature: Signature,
    args: &[Value],
    chain: Vec<Signature>,
    lineage: &Lineage,
) -> Result<Applied, DecodeError> {
    signature.prepend(args.iter().cloned());
    let mut call = call_of(signature)?;
    let options = &mut call.options;
    let id = options.task_id.get_or_insert_with(new_id).clone();
    if !chain.is_empty() {
        options.embed.chain = Some(chain);
    }
    options.parent_id = lineage.parent_id.clone().or(options.parent_id.take());
    options.root_id = lineage.root_id.clone().or(options.root_id.take());
    options.priority = options.priority.or(lineage.priority);
    for (name, value) in &lineage.headers {
        if !options.headers.contains_key(name) {
            options.headers.insert(name.clone(), value.clone());
        }
    }
    Ok(Applied {
        calls: vec![call],
        result: ResultTuple::task(id),
    })
}

/// The first step runs now and carries the others, which come before what followed the chain as a whole.
fn apply_chain(
    signature: Signature,
    args: &[Value],
    rest: Vec<Signature>,
    lineage: &Lineage,
) -> Result<Applied, DecodeError> {
    let mut steps = members(&signature)?;
    if steps.is_empty() {
        return Err(DecodeError::new(
            DecodeErrorKind::Value,
            "a chain without tasks",
        ));
    }
    inherit(&mut steps, &signature, "link_error");
    if let (Some(last), Some(link)) = (steps.last_mut(), signature.options.get("link")) {
        last.options.insert("link", link.clone());
    }
    let first = steps.remove(0);
    let chain = rest.into_iter().chain(steps.into_iter().rev()).collect();
    apply(first, args, chain, lineage)
}

/// Every member gets the arguments. A group that something follows is a chord.
fn apply_group(
    signature: Signature,
    args: &[Value],
    chain: Vec<Signature>,
    lineage: &Lineage,
) -> Result<Applied, DecodeError> {
    if !chain.is_empty() {
        return Err(unsupported("chord (a group with a step after it)"));
    }
    let mut members = members(&signature)?;
    inherit(&mut members, &signature, "link_error");
    let group_id = signature
        .text_option("task_id")
        .map_or_else(new_id, str::to_owned);
    group_of(members, args, &group_id, lineage)
}

/// Sends these signatures side by side as one group.
///
/// # Errors
/// As [`apply`].
pub fn group_of(
    members: Vec<Signature>,
    args: &[Value],
    group_id: &str,
    lineage: &Lineage,
) -> Result<Applied, DecodeError> {
    let mut calls = Vec::with_capacity(members.len());
    let mut children = Vec::with_capacity(members.len());
    for (index, member) in members.into_iter().enumerate() {
        let applied = apply(member, args, Vec::new(), lineage)?;
        children.push(applied.result);
        calls.extend(applied.calls.into_iter().map(|mut call| {
            call.options
                .group_id
                .get_or_insert_with(|| group_id.to_owned());
            call.options
                .group_index
                .get_or_insert(i64::try_from(index).unwrap_or(i64::MAX));
            call
        }));
    }
    Ok(Applied {
        calls,
        result: ResultTuple::group(group_id, children),
    })
}

/// The tasks of a chain or group; a composite itself may carry them as a list or as one signature.
fn members(signature: &Signature) -> Result<Vec<Signature>, DecodeError> {
    let tasks = signature.kwargs.get("tasks").cloned().unwrap_or_default();
    let Value::List(tasks) = tasks else {
        let detail = format!("expected a list, found {}", tasks.type_name());
        return Err(DecodeError::new(DecodeErrorKind::Type, detail)
            .at("tasks")
            .at("kwargs")
            .at(&signature.task));
    };
    tasks.into_iter().map(Signature::from_value).collect()
}

fn inherit(members: &mut [Signature], from: &Signature, option: &str) {
    let Some(value) = from.options.get(option) else {
        return;
    };
    for member in members {
        if !member.options.contains_key(option) {
            member.options.insert(option, value.clone());
        }
    }
}

fn unsupported(what: &str) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::Value,
        format!("{what}: not supported by this version"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composite(kind: &str, tasks: Vec<Signature>) -> Signature {
        let tasks = Value::List(tasks.into_iter().map(Value::from).collect());
        let mut signature = Signature::new(format!("celery.{kind}")).kwarg("tasks", tasks);
        signature.subtask_type = Some(kind.to_owned());
        signature
    }

    fn names(chain: Option<&Vec<Signature>>) -> Vec<&str> {
        chain
            .map(|steps| steps.iter().map(|step| step.task.as_str()).collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_chain_sends_its_first_step_with_the_others_in_reverse() {
        let chain = composite(
            "chain",
            vec![
                Signature::new("a"),
                Signature::new("b"),
                Signature::new("c"),
            ],
        );
        let applied = apply(
            chain,
            &[Value::Int(7)],
            vec![Signature::new("z")],
            &Lineage::default(),
        )
        .expect("sound");
        let call = &applied.calls[0];
        assert_eq!(
            (call.task.as_str(), &call.args),
            ("a", &vec![Value::Int(7)])
        );
        assert_eq!(names(call.options.embed.chain.as_ref()), ["z", "c", "b"]);
    }

    #[test]
    fn a_group_sends_every_member_with_its_position() {
        let group = composite("group", vec![Signature::new("a"), Signature::new("b")]);
        let lineage = Lineage {
            root_id: Some("root".to_owned()),
            ..Lineage::default()
        };
        let applied = apply(group, &[Value::Int(7)], Vec::new(), &lineage).expect("sound");
        let positions: Vec<_> = applied
            .calls
            .iter()
            .map(|call| call.options.group_index)
            .collect();
        assert_eq!(positions, [Some(0), Some(1)]);
        assert!(
            applied
                .calls
                .iter()
                .all(|call| call.options.group_id.as_deref() == Some(applied.result.id.as_str()))
        );
        assert!(
            applied
                .calls
                .iter()
                .all(|call| call.options.root_id.as_deref() == Some("root"))
        );
    }

    #[test]
    fn an_immutable_signature_takes_no_arguments() {
        let signature = Signature {
            immutable: true,
            ..Signature::new("a").args(vec![Value::Int(1)])
        };
        let applied =
            apply(signature, &[Value::Int(7)], Vec::new(), &Lineage::default()).expect("sound");
        assert_eq!(applied.calls[0].args, [Value::Int(1)]);
    }

    #[test]
    fn a_chord_is_refused_by_name() {
        let mut chord = Signature::new("celery.chord");
        chord.subtask_type = Some("chord".to_owned());
        let error = apply(chord, &[], Vec::new(), &Lineage::default()).expect_err("not built yet");
        assert!(error.to_string().contains("chord"), "{error}");
    }
}
