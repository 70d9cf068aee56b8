//! Which tasks are listed, and in which order. While somebody chooses among them the list stands still.

use super::super::state::{Cluster, Task};

/// What tasks are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    #[default]
    Time,
    State,
    Name,
    Runtime,
    Worker,
}

impl Sort {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Time => Self::State,
            Self::State => Self::Name,
            Self::Name => Self::Runtime,
            Self::Runtime => Self::Worker,
            Self::Worker => Self::Time,
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::State => "state",
            Self::Name => "task",
            Self::Runtime => "runtime",
            Self::Worker => "worker",
        }
    }
}

/// How tasks are listed.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) sort: Sort,
    /// The other way round.
    pub(super) reversed: bool,
    pub(super) filter: String,
    /// The ids on a list that stands still.
    held: Option<Vec<String>>,
    /// The chosen row; only on a list that stands still.
    pub(super) selected: usize,
    /// Whether workers and queues get most of the screen.
    pub(super) wide_top: bool,
}

impl View {
    /// The tasks in order.
    pub(super) fn tasks<'a>(&self, cluster: &'a Cluster) -> Vec<&'a Task> {
        match &self.held {
            Some(ids) => ids.iter().filter_map(|id| cluster.tasks.get(id)).collect(),
            None => self.live(cluster),
        }
    }

    fn live<'a>(&self, cluster: &'a Cluster) -> Vec<&'a Task> {
        let tasks = cluster.tasks.iter();
        let mut tasks: Vec<_> = tasks
            .filter(|task| self.filter.is_empty() || task.contains(&self.filter))
            .collect();
        // Each sort is stable, so that ties stay newest first.
        match self.sort {
            Sort::Time => {}
            Sort::State => tasks.sort_by(|one, other| one.state.cmp(&other.state)),
            Sort::Name => tasks.sort_by(|one, other| one.name.cmp(&other.name)),
            Sort::Worker => tasks.sort_by(|one, other| one.worker.cmp(&other.worker)),
            Sort::Runtime => {
                let runtime = |task: &Task| task.runtime.unwrap_or(-1.0);
                tasks.sort_by(|one, other| runtime(other).total_cmp(&runtime(one)));
            }
        }
        if self.reversed {
            tasks.reverse();
        }
        tasks
    }

    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Holds the list as it is now.
    pub(super) fn hold(&mut self, cluster: &Cluster) {
        if self.held.is_none() {
            let tasks = self.live(cluster);
            self.held = Some(tasks.iter().map(|task| task.id.clone()).collect());
            self.selected = 0;
        }
    }

    /// Lets the list run again.
    pub(super) fn release(&mut self) {
        self.held = None;
    }

    /// Moves the choice by so many rows. The first move only holds the list.
    pub(super) fn step(&mut self, cluster: &Cluster, rows: isize) {
        if !self.is_held() {
            return self.hold(cluster);
        }
        let last = self.tasks(cluster).len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(rows).min(last);
    }

    /// The chosen task; on a running list there is none.
    pub(super) fn chosen<'a>(&self, cluster: &'a Cluster) -> Option<&'a Task> {
        self.held.as_ref()?;
        self.tasks(cluster).get(self.selected).copied()
    }
}
