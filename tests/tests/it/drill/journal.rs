//! What the drill tasks wrote: one line when a run starts, one when it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One run of one task.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The process that ran it.
    pub pid: u32,
    /// Milliseconds since the epoch.
    pub started: u64,
    /// The same; `None` when the run never ended.
    pub ended: Option<u64>,
}

/// All runs of every task by its number, in the order in which they started.
#[derive(Debug, Default)]
pub struct Journal(pub BTreeMap<usize, Vec<Run>>);

impl Journal {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut journal = Self::default();
        for line in text.lines() {
            journal.line(line);
        }
        journal
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let [word, number, pid, at] = words[..] else {
            panic!("not a line of the journal: {line:?}")
        };
        let (number, pid, at) = (
            number.parse().unwrap(),
            pid.parse().unwrap(),
            at.parse().unwrap(),
        );
        let runs = self.0.entry(number).or_default();
        if word == "start" {
            runs.push(Run {
                pid,
                started: at,
                ended: None,
            });
        } else {
            let run = runs
                .iter_mut()
                .rev()
                .find(|run| run.pid == pid && run.ended.is_none());
            run.expect("a run ends after it starts").ended = Some(at);
        }
    }

    /// The tasks that have ended at least once.
    pub fn finished_numbers(&self) -> BTreeSet<usize> {
        let ended = |runs: &[Run]| runs.iter().any(|run| run.ended.is_some());
        self.0
            .iter()
            .filter(|(_, runs)| ended(runs))
            .map(|(number, _)| *number)
            .collect()
    }

    /// How many tasks have ended at least once.
    pub fn finished(&self) -> usize {
        self.finished_numbers().len()
    }

    /// The tasks that this process has started and not ended.
    pub fn running_on(&self, pid: u32) -> Vec<usize> {
        let running = |runs: &[Run]| runs.iter().any(|run| run.pid == pid && run.ended.is_none());
        self.0
            .iter()
            .filter(|(_, runs)| running(runs))
            .map(|(number, _)| *number)
            .collect()
    }

    /// Runs beyond the first of a task, each with the run before it.
    pub fn repeated(&self) -> impl Iterator<Item = (usize, Run, Run)> {
        self.0
            .iter()
            .flat_map(|(number, runs)| runs.windows(2).map(|pair| (*number, pair[0], pair[1])))
    }
}
