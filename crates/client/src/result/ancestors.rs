//! The results that come before another one: the earlier steps of its chain and the headers of its chords.
//!
//! Kept as one list however long the chain is; nested only where they are written as Python nests them.

use std::sync::Arc;

use protocol::ResultTuple;

use super::CanvasResult;
use crate::Client;

/// So many parents are written with a saved result; nobody could read a deeper nesting.
const WRITTEN: usize = 64;

/// Earlier results, the first one first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ancestors {
    path: Arc<[ResultTuple]>,
    len: usize,
}

impl Ancestors {
    pub(crate) fn new(path: Vec<ResultTuple>) -> Self {
        let len = path.len();
        let path = path.into();
        Self { path, len }
    }

    /// Takes the parents off a nested tuple.
    pub(crate) fn of(tuple: &mut ResultTuple) -> Self {
        let mut path = Vec::new();
        let mut next = tuple.parent.take();
        while let Some(mut parent) = next {
            next = parent.parent.take();
            path.push(*parent);
        }
        path.reverse();
        Self::new(path)
    }

    pub(super) fn parent(&self, client: &Client) -> Option<CanvasResult> {
        let before = self.len.checked_sub(1)?;
        let ancestors = Self {
            path: Arc::clone(&self.path),
            len: before,
        };
        let tuple = self.path[before].clone();
        Some(CanvasResult::after(client.clone(), tuple, ancestors))
    }

    /// The ids of the tasks among them; members of groups are not.
    pub(super) fn tasks(&self) -> impl Iterator<Item = String> {
        let tasks = self.all().iter().filter(|result| result.children.is_none());
        tasks.map(|task| task.id.clone())
    }

    /// The ids of all tasks, members of groups as well.
    pub(super) fn leaves(&self) -> Vec<String> {
        leaves(self.all())
    }

    /// The last one with its parents in it, as Python nests them.
    pub(super) fn as_parent(&self) -> Option<Box<ResultTuple>> {
        let all = self.all();
        let written = &all[all.len().saturating_sub(WRITTEN)..];
        written.iter().fold(None, |parent, result| {
            Some(Box::new(ResultTuple {
                parent,
                ..result.clone()
            }))
        })
    }

    fn all(&self) -> &[ResultTuple] {
        &self.path[..self.len]
    }
}

/// The ids of the tasks in these results, those of nested groups in the place of the groups.
pub(super) fn leaves(results: &[ResultTuple]) -> Vec<String> {
    let mut ids = Vec::with_capacity(results.len());
    let mut waiting: Vec<&ResultTuple> = results.iter().rev().collect();
    while let Some(result) = waiting.pop() {
        match &result.children {
            None => ids.push(result.id.clone()),
            Some(children) => waiting.extend(children.iter().rev()),
        }
    }
    ids
}
