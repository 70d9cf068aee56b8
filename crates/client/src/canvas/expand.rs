//! Sending a tree: which calls start it, and what its results are. Celery's `apply_async` of each kind of signature.

use broker::NewChord;
use protocol::{Chain, Map, ResultTuple, Signature, Value};

use super::freeze::{Path, Place};
use super::lineage::Lineage;
use super::node::{
    MAX_NESTING, Node, Parts, extend_option, given, items, malformed, take, take_text,
};
use super::steps::Prepared;
use crate::signature::call_of;
use crate::{ClientError, TaskCall};

/// What has come of an expansion so far.
pub(super) struct Expansion<'a> {
    pub(super) lineage: &'a Lineage,
    pub(super) calls: Vec<TaskCall>,
    pub(super) chords: Vec<NewChord>,
    depth: usize,
}

/// What `apply_async` is given besides the signature.
#[derive(Clone, Copy)]
pub(super) struct With<'a> {
    /// Come in front of the signature's own, unless it is immutable.
    pub(super) args: &'a [Value],
    pub(super) kwargs: &'a Map,
    /// Win over the signature's own, except its group and its stamps.
    pub(super) options: &'a Map,
}

/// What was sent.
pub(super) struct Sent {
    pub(super) path: Path,
    /// What the sending task counts among its children.
    pub(super) child: ResultTuple,
}

impl Sent {
    pub(super) fn one(result: ResultTuple) -> Self {
        Self {
            path: vec![result.clone()],
            child: result,
        }
    }
}

impl<'a> Expansion<'a> {
    pub(super) fn new(lineage: &'a Lineage) -> Self {
        Self {
            lineage,
            calls: Vec::new(),
            chords: Vec::new(),
            depth: 0,
        }
    }

    /// Runs a step one level further down; chains of groups nest while they are expanded.
    pub(super) fn nested<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        if self.depth >= 2 * MAX_NESTING {
            return Err(ClientError::CanvasTooDeep);
        }
        self.depth += 1;
        let result = step(self);
        self.depth -= 1;
        result
    }

    pub(super) fn send(&mut self, node: Node, with: With<'_>) -> Result<Sent, ClientError> {
        let Node { head, parts } = node;
        match parts {
            Parts::Task => self.send_task(head, with),
            Parts::Chain(tasks) => self.nested(|this| this.send_chain(head, tasks, with)),
            Parts::Group(members) => self.nested(|this| this.send_group(head, members, with)),
            Parts::Chord(chord) => self.nested(|this| this.send_chord(head, *chord, with)),
        }
    }

    fn send_task(&mut self, mut head: Signature, with: With<'_>) -> Result<Sent, ClientError> {
        merge(&mut head, &with);
        merge_options(&mut head.options, with.options, Nulls::Dropped);
        self.call(head, Chain::default()).map(Sent::one)
    }

    /// Adds the call of a plain signature with what follows it and what it inherits.
    pub(super) fn call(
        &mut self,
        signature: Signature,
        chain: Chain,
    ) -> Result<ResultTuple, ClientError> {
        let route_name = route_name(&signature);
        let mut call = call_of(signature).map_err(malformed)?;
        call.options.route_name = route_name.or(call.options.route_name);
        if !chain.is_empty() {
            call.options.embed.chain = Some(chain);
        }
        let id = self.lineage.give_to(&mut call.options);
        self.calls.push(call);
        Ok(ResultTuple::task(id))
    }

    /// The first step is sent with the others behind it.
    fn send_chain(
        &mut self,
        head: Signature,
        tasks: Vec<Node>,
        with: With<'_>,
    ) -> Result<Sent, ClientError> {
        let args = merged_args(&head, with.args);
        let mut options = head.options;
        options.extend(with.options.clone());
        let link = take(&mut options, "link");
        let rest = take(&mut options, "chain");
        let first = With {
            args: &args,
            kwargs: with.kwargs,
            options: &Map::new(),
        };
        let mut prepared = self.prepare_placed(tasks, first, &mut options)?;
        let Some(last) = prepared.tasks.first_mut() else {
            return self.send_rest(rest, &args, with.kwargs, options);
        };
        if let Some(link) = link {
            extend_option(&mut last.head.options, "link", items(Some(link)));
        }
        let first = prepared.tasks.pop().expect("there is a first task");
        let single = prepared.tasks.is_empty();
        let mut chain = items(rest);
        chain.extend(prepared.tasks.into_iter().map(Node::close_value));
        if !chain.is_empty() {
            options.insert("chain", chain);
        }
        let sent = self.send(first, With::options(&options))?;
        Ok(match single {
            true => sent,
            false => Sent {
                path: prepared.path,
                child: sent.child,
            },
        })
    }

    /// Prepares the steps with what the chain's options say about the whole chain, which leaves the options.
    fn prepare_placed(
        &mut self,
        tasks: Vec<Node>,
        first: With<'_>,
        options: &mut Map,
    ) -> Result<Prepared, ClientError> {
        let errbacks = items(take(options, "link_error"));
        let group_id = take_text(options, "group_id");
        let root_id = take_text(options, "root_id");
        let chord = take(options, "chord");
        options.remove("parent_id");
        let place = Place {
            id: take_text(options, "task_id"),
            group_id: group_id.as_deref(),
            chord: chord.as_ref(),
            root_id: root_id.as_deref(),
            parent_id: None,
            group_index: options
                .remove("group_index")
                .and_then(|index| index.as_i64()),
        };
        self.prepare_steps(tasks, first, &errbacks, place)
    }

    /// A chain in which nothing is to be done: what follows it is next.
    fn send_rest(
        &mut self,
        rest: Option<Value>,
        args: &[Value],
        kwargs: &Map,
        mut options: Map,
    ) -> Result<Sent, ClientError> {
        let mut rest = items(rest);
        let next = rest.pop().ok_or(ClientError::EmptyChain)?;
        if !rest.is_empty() {
            options.insert("chain", rest);
        }
        let options = &options;
        self.send(
            Node::open_value(next)?,
            With {
                args,
                kwargs,
                options,
            },
        )
    }

    /// Every member gets the arguments and the options. A group that something follows is a chord.
    pub(super) fn send_group(
        &mut self,
        mut head: Signature,
        members: Vec<Node>,
        with: With<'_>,
    ) -> Result<Sent, ClientError> {
        let mut options = head.options.clone();
        merge_options(&mut options, with.options, Nulls::Kept);
        if let Some(Value::List(mut chain)) = take(&mut options, "chain")
            && let Some(next) = chain.pop()
        {
            // What follows is told by the chord from here on.
            head.options.remove("chain");
            let mut group = Node {
                head,
                parts: Parts::Group(members),
            };
            if let Some(group_id) = take_text(&mut group.head.options, "group_id") {
                group.leave_group(&group_id);
            }
            return self.send_upgraded(group, Node::open_value(next)?, chain, with);
        }
        let group_id = take_text(&mut options, "task_id").unwrap_or_else(crate::prepare::new_id);
        if members.is_empty() {
            return Ok(Sent::one(ResultTuple::group(group_id, Vec::new())));
        }
        let root_id = given(&options, "root_id")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let mut frozen = Vec::with_capacity(members.len());
        let mut children = Vec::with_capacity(members.len());
        self.prepare_members(
            members,
            &group_id,
            root_id.as_deref(),
            &mut frozen,
            &mut children,
        )?;
        options.insert("group_id", group_id.as_str());
        options.insert("add_to_parent", false);
        options.remove("group_index");
        let args = merged_args(&head, with.args);
        for member in frozen {
            let (args, kwargs, options) = (&args, with.kwargs, &options);
            self.send(
                member,
                With {
                    args,
                    kwargs,
                    options,
                },
            )?;
        }
        let only_group = children.len() == 1 && children[0].children.is_some();
        let result = match only_group {
            true => children.remove(0),
            false => ResultTuple::group(group_id, children),
        };
        Ok(Sent::one(result))
    }

    fn send_upgraded(
        &mut self,
        group: Node,
        body: Node,
        rest: Vec<Value>,
        with: With<'_>,
    ) -> Result<Sent, ClientError> {
        let mut options = with.options.clone();
        options.insert("chain", rest);
        let options = &options;
        self.send(Node::chord(group, body), With { options, ..with })
    }

    /// Freezes the members in the order of sending, those of nested groups in the place of these groups.
    fn prepare_members(
        &mut self,
        members: Vec<Node>,
        group_id: &str,
        root_id: Option<&str>,
        frozen: &mut Vec<Node>,
        children: &mut Vec<ResultTuple>,
    ) -> Result<(), ClientError> {
        for (index, mut member) in members.into_iter().enumerate() {
            match member.parts {
                Parts::Group(inner) => {
                    self.nested(|this| {
                        this.prepare_members(inner, group_id, root_id, frozen, children)
                    })?;
                }
                _ if member.is_empty_chain() => {}
                _ => {
                    let place = Place {
                        group_id: Some(group_id),
                        root_id,
                        group_index: i64::try_from(index).ok(),
                        ..Place::default()
                    };
                    children.extend(self.freeze(&mut member, place)?.pop());
                    frozen.push(member);
                }
            }
        }
        Ok(())
    }
}

impl<'a> With<'a> {
    /// Options alone.
    pub(super) fn options(options: &'a Map) -> Self {
        static NONE: Map = Map::new();
        Self {
            args: &[],
            kwargs: &NONE,
            options,
        }
    }
}

/// What becomes of options that are null.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Nulls {
    Dropped,
    Kept,
}

/// Puts given options over a signature's own; the group and the stamps that it has already stay.
pub(super) fn merge_options(own: &mut Map, more: &Map, nulls: Nulls) {
    let stamped = items(own.get("stamped_headers").cloned());
    for (name, value) in more {
        let fixed = name == "group_id"
            || name == "stamped_headers"
            || stamped.iter().any(|stamp| stamp.as_str() == Some(name));
        let dropped = value.is_null() && nulls == Nulls::Dropped;
        let kept = fixed && own.contains_key(name);
        if !dropped && !kept {
            own.insert(name, value.clone());
        }
    }
}

/// Puts arguments in front, and keyword arguments over the signature's own.
pub(super) fn merge(signature: &mut Signature, with: &With<'_>) {
    if signature.immutable {
        return;
    }
    signature.prepend(with.args.iter().cloned());
    signature.kwargs.extend(with.kwargs.clone());
}

pub(super) fn merged_args(signature: &Signature, args: &[Value]) -> Vec<Value> {
    let given = if signature.immutable { &[] } else { args };
    given.iter().chain(&signature.args).cloned().collect()
}

/// Celery routes `celery.map` and `celery.starmap` as the task that they call.
fn route_name(signature: &Signature) -> Option<String> {
    let task = match signature.subtask_type.as_deref() {
        Some("xmap" | "xstarmap") => signature.kwargs.get("task")?.get("task")?,
        _ => return None,
    };
    task.as_str().map(str::to_owned)
}
