//! Elections that are under way. All workers see the same candidates and acknowledgements in the same order, so each finds the same leader.

use std::collections::HashMap;

use protocol::{Event, Value};

/// Elections that are kept in mind; the oldest are forgotten.
const MOST: usize = 1_000;

/// A worker that would do what is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    clock: i64,
    /// `hostname.pid`.
    pub(super) name: String,
    pub(super) topic: String,
    pub(super) action: Value,
}

impl Candidate {
    /// The election's id and the candidate of a `worker-elect` event; `None` when something is missing.
    pub(super) fn of(event: &Event) -> Option<(String, Self)> {
        let candidate = Self {
            clock: event.clock?,
            name: format!("{}.{}", event.hostname, event.pid?),
            topic: event.text("topic")?.to_owned(),
            action: event.fields.get("action")?.clone(),
        };
        Some((event.text("id")?.to_owned(), candidate))
    }
}

#[derive(Debug, Default)]
struct Election {
    began: u64,
    /// This worker runs too: it was told of the election by remote control.
    is_open: bool,
    acknowledged: usize,
    candidates: Vec<Candidate>,
}

/// Elections by id.
#[derive(Debug, Default)]
pub(super) struct Elections {
    began: u64,
    elections: HashMap<String, Election>,
}

impl Elections {
    /// This worker runs for it.
    pub(super) fn open(&mut self, id: &str) {
        let election = self.election(id);
        election.is_open = true;
        election.acknowledged = 0;
    }

    /// A worker, this one or another, runs for it.
    pub(super) fn run_for(&mut self, id: &str, candidate: Candidate) {
        let election = self.election(id);
        if election.candidates.len() < MOST {
            election.candidates.push(candidate);
        }
    }

    /// A worker has seen a candidate. The leader, when as many have as other workers are alive: the one with the lowest clock, and among
    /// those with the same clock the one with the smallest name.
    pub(super) fn acknowledge(&mut self, id: &str, alive: usize) -> Option<Candidate> {
        let election = self.elections.get_mut(id).filter(|known| known.is_open)?;
        election.acknowledged += 1;
        if election.acknowledged < alive || election.candidates.is_empty() {
            return None;
        }
        let election = self.elections.remove(id)?;
        let order = |a: &Candidate, b: &Candidate| (a.clock, &a.name).cmp(&(b.clock, &b.name));
        election.candidates.into_iter().min_by(order)
    }

    fn election(&mut self, id: &str) -> &mut Election {
        if self.elections.len() >= MOST && !self.elections.contains_key(id) {
            let oldest = self.elections.iter().min_by_key(|(_, known)| known.began);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.elections.remove(&oldest);
            }
        }
        self.began += 1;
        let began = self.began;
        self.elections
            .entry(id.to_owned())
            .or_insert_with(|| Election {
                began,
                ..Election::default()
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(clock: i64, name: &str) -> Candidate {
        Candidate {
            clock,
            name: name.to_owned(),
            topic: "task".to_owned(),
            action: Value::Null,
        }
    }

    fn leader(elections: &mut Elections, alive: usize) -> Option<String> {
        elections.acknowledge("e", alive).map(|leader| leader.name)
    }

    #[test]
    fn the_lowest_clock_leads_and_the_smallest_name_breaks_ties() {
        let mut elections = Elections::default();
        elections.open("e");
        for (clock, name) in [(5, "a.1"), (4, "c.1"), (4, "b.1")] {
            elections.run_for("e", candidate(clock, name));
        }
        assert_eq!(leader(&mut elections, 2), None, "one has not seen it yet");
        assert_eq!(leader(&mut elections, 2).as_deref(), Some("b.1"));
        assert_eq!(leader(&mut elections, 2), None, "it is over");
    }

    #[test]
    fn an_election_of_which_nobody_told_this_worker_is_not_its_own() {
        let mut elections = Elections::default();
        elections.run_for("e", candidate(1, "a.1"));
        assert_eq!(leader(&mut elections, 0), None);
    }

    #[test]
    fn elections_without_end_are_forgotten() {
        let mut elections = Elections::default();
        (0..2 * MOST).for_each(|number| elections.open(&number.to_string()));
        assert_eq!(elections.elections.len(), MOST);
        assert!(
            elections
                .elections
                .contains_key(&(2 * MOST - 1).to_string())
        );
    }
}
