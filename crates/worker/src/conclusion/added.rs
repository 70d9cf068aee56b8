//! Signatures that a run has added to the chord that it is a member of.

use client::canvas::{apply, members_of};
use protocol::{Canvas, Signature, TaskRequest};

use super::next;
use super::sequel::{Sequel, cannot_send, malformed};
use crate::Failure;
use crate::engine::Engine;

/// What they stand for, and by how much the chord grows.
pub(super) fn expand(
    engine: &Engine,
    request: &TaskRequest,
    added: Vec<Signature>,
) -> Result<Sequel, Failure> {
    let mut sequel = Sequel::default();
    let Some((group_id, chord)) = request.group.as_ref().zip(request.embed.chord.as_ref()) else {
        return Ok(sequel);
    };
    let lineage = next::lineage(engine, request);
    for signature in singles(added)? {
        let mut signature = signature
            .option("group_id", group_id.as_str())
            .option("chord", chord.clone());
        if let Some(index) = request.group_index {
            signature.options.insert("group_index", index);
        }
        let members = members_of(&signature).map_err(cannot_send)?;
        let applied = apply(signature, &[], Vec::new(), &lineage).map_err(cannot_send)?;
        sequel.add(engine, applied)?;
        sequel.effects.grow.push((group_id.clone(), members));
    }
    Ok(sequel)
}

/// The tasks of a group are added one by one: as a group they would count for themselves.
fn singles(added: Vec<Signature>) -> Result<Vec<Signature>, Failure> {
    let mut singles = Vec::with_capacity(added.len());
    for signature in added {
        match signature.canvas().map_err(malformed)? {
            Canvas::Group(tasks) => singles.extend(self::singles(tasks)?),
            _ => singles.push(signature),
        }
    }
    Ok(singles)
}
