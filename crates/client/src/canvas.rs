//! Canvas: chains, groups and chords. Building them, and what is sent to start them.
//!
//! [`apply`] is what a worker does with callbacks and chain steps, and a client with a work-flow of its own: it turns a signature into
//! the calls that start it, with the chords to be opened before. Its rules are those of Celery's `canvas.py`. Nothing is sent here.

mod chord;
mod compose;
mod expand;
mod freeze;
mod lineage;
mod links;
mod node;
mod stamp;
mod steps;
pub mod typed;

use broker::NewChord;
use protocol::{Chain, Map, ResultTuple, Signature, Value};

use self::expand::{Expansion, Sent, With};
use self::node::{Node, malformed};
use crate::{ClientError, TaskCall};

pub use self::compose::{chain, chord, chunks, group, linked, linked_error, map, starmap};
pub use self::lineage::{Chords, Lineage, Rules};
pub use self::node::MAX_NESTING;
pub use self::stamp::{StampingVisitor, stamp};
pub use self::typed::{
    Anything, FirstArgument, Follows, Group, Input, Nothing, Start, Step, Takes,
};

/// What a signature stands for: calls to send, chords to open before, and the handle on the result.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What to send.
    pub calls: Vec<TaskCall>,
    /// What to open at the result backend before.
    pub chords: Vec<NewChord>,
    /// The result: the last step's of a chain, the body's of a chord, all members' of a group.
    pub result: ResultTuple,
    /// The results that come before it, the first one first: those of a chain's earlier steps, the header's of a chord.
    pub ancestors: Vec<ResultTuple>,
    /// What the task that sends this counts among its children: the first step of a chain, the header of a chord.
    pub child: ResultTuple,
}

impl Applied {
    /// The result with those before it as its parents, as Celery writes it: `as_tuple`.
    pub fn handle(&self) -> ResultTuple {
        let mut handle: Option<ResultTuple> = None;
        for result in self.ancestors.iter().chain([&self.result]) {
            let mut result = result.clone();
            result.parent = handle.map(Box::new);
            handle = Some(result);
        }
        handle.expect("the result itself is the last one")
    }
}

/// How many members a signature is to the chord that it is added to: the tasks whose end is its own.
///
/// # Errors
/// When the signature is malformed or nested too deep.
pub fn members_of(signature: &Signature) -> Result<u32, ClientError> {
    let members = Node::open(signature.clone())?.chord_size();
    Ok(u32::try_from(members).unwrap_or(u32::MAX))
}

/// Expands a signature, with `args` put in front of its own (unless it is immutable) and `chain`, the remaining steps
/// with the next one last, to follow it.
///
/// # Errors
/// When the signature or an option is malformed, a chain is empty, canvas is nested too deep, or there is a chord and no result backend.
pub fn apply(
    mut signature: Signature,
    args: &[Value],
    chain: impl Into<Chain>,
    lineage: &Lineage,
) -> Result<Applied, ClientError> {
    let chain: Chain = chain.into();
    let mut expansion = Expansion::new(lineage);
    let sent = match signature.subtask_type.as_deref() {
        None | Some("") => {
            signature.prepend(args.iter().cloned());
            Sent::one(expansion.call(signature, chain)?)
        }
        Some(_) => {
            let mut options = lineage.options();
            if !chain.is_empty() {
                options.insert("chain", Value::try_from(chain).map_err(malformed)?);
            }
            let (kwargs, options) = (&Map::new(), &options);
            expansion.send(
                Node::open(signature)?,
                With {
                    args,
                    kwargs,
                    options,
                },
            )?
        }
    };
    Ok(applied(expansion, sent))
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
) -> Result<Applied, ClientError> {
    let members = members.into_iter().map(Node::open);
    let mut group = Node::group(members.collect::<Result<_, _>>()?);
    group.head.options.insert("task_id", group_id);
    let mut expansion = Expansion::new(lineage);
    let (kwargs, options) = (&Map::new(), &lineage.options());
    let with = With {
        args,
        kwargs,
        options,
    };
    let sent = expansion.send(group, with)?;
    Ok(applied(expansion, sent))
}

fn applied(expansion: Expansion<'_>, sent: Sent) -> Applied {
    let mut ancestors = sent.path;
    let result = ancestors
        .pop()
        .expect("whatever was sent has a result of its own");
    Applied {
        calls: expansion.calls,
        chords: expansion.chords,
        result,
        ancestors,
        child: sent.child,
    }
}

#[cfg(test)]
mod tests;
