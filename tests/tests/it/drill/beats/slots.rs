//! What was sent beside what the schedule says.

use std::collections::HashMap;
use std::time::Duration;

use beat::{Entry, ScheduleFile};
use jiff::{SignedDuration, Timestamp};
use protocol::{Map, from_value, to_value};

/// After a takeover a leader sends what passed before; so soon it has done so.
const CATCHING_UP: SignedDuration = SignedDuration::from_secs(1);
/// An entry whose next slot is longer ago than this when all ends has fallen silent: the slowest clock is five seconds behind.
const SILENT: SignedDuration = SignedDuration::from_secs(15);

/// One message that the worker took.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// When it ran.
    at: Timestamp,
    /// Who sent it: a process.
    sender: u32,
    /// How far ahead the clock of its sender is.
    clock: SignedDuration,
}

/// Reads the journal: what was sent by task id. `clocks` are those of all beats, by process.
///
/// # Panics
/// When a task id comes twice.
pub fn sent(journal: &str, clocks: &HashMap<u32, i64>) -> HashMap<String, Sent> {
    let mut all = HashMap::new();
    for line in journal.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [task_id, origin, millis] = words[..] else {
            panic!("not a line of the journal: {line:?}")
        };
        // As Celery's: gen<process>@<host>.
        let (generator, _) = origin.split_once('@').expect(origin);
        let process: u32 = generator.trim_start_matches("gen").parse().expect(origin);
        let sent = Sent {
            at: Timestamp::from_millisecond(millis.parse().unwrap()).unwrap(),
            sender: process,
            clock: SignedDuration::from_secs(clocks[&process]),
        };
        let before = all.insert(task_id.to_owned(), sent);
        assert!(before.is_none(), "sent twice: {before:?} and {line}");
    }
    all
}

/// Every slot, sent once.
pub struct Slots {
    count: usize,
    /// How late each one was by its sender's clock, in rising order; without those that were due or sent while one leader followed another.
    late: Vec<Duration>,
}

impl Slots {
    /// # Panics
    /// When a slot between the first and the last one of an entry was not sent, an entry fell silent, or a message belongs to no slot.
    pub fn compare(
        schedule: &serde_json::Value,
        first: Timestamp,
        mut sent: HashMap<String, Sent>,
    ) -> Self {
        let count = sent.len();
        let takeovers = takeovers(&sent);
        let end = sent.values().map(|sent| sent.at).max();
        let end = end.expect("something was sent");
        let mut late = Vec::new();
        for entry in entries(schedule) {
            late.extend(take_entry(&entry, first, end, &mut sent, &takeovers));
        }
        assert!(sent.is_empty(), "no slots of any entry: {sent:?}");
        late.sort();
        Self { count, late }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn late_p99(&self) -> Duration {
        self.late[self.late.len() * 99 / 100]
    }

    pub fn lateness(&self) -> String {
        let of =
            |percent: usize| self.late[(self.late.len() * percent / 100).min(self.late.len() - 1)];
        format!(
            "{} of them outside failovers, late by {:?} (median), {:?} (p99), {:?} (all)",
            self.late.len(),
            of(50),
            of(99),
            of(100)
        )
    }
}

fn entries(schedule: &serde_json::Value) -> Vec<Entry> {
    let map: Map = from_value(to_value(schedule).unwrap()).unwrap();
    let file = ScheduleFile::read(&map, "UTC");
    assert!(file.problems.is_empty(), "{:?}", file.problems);
    file.entries
}

/// Takes out what belongs to the entry; returns how late it was.
fn take_entry(
    entry: &Entry,
    first: Timestamp,
    end: Timestamp,
    sent: &mut HashMap<String, Sent>,
    takeovers: &[Takeover],
) -> Vec<Duration> {
    let mut late = Vec::new();
    let mut missing = Vec::new();
    let mut last = first - SignedDuration::from_secs(1);
    loop {
        let slot = entry
            .next_after(last)
            .expect("every entry goes on for ever");
        // The fastest clock is five seconds ahead.
        if slot > end + SILENT {
            break;
        }
        last = slot;
        match sent.remove(&entry.task_id(slot)) {
            Some(sent) => {
                assert!(
                    missing.is_empty(),
                    "{}: {missing:?} not sent, but {slot}",
                    entry.name
                );
                late.extend(sent.late(slot, takeovers));
            }
            None => missing.push(slot),
        }
    }
    let silent = missing.first().is_some_and(|slot| *slot < end - SILENT);
    assert!(!silent, "{}: nothing from {missing:?} on", entry.name);
    late
}

/// Between the last message of one beat and the first of another. So those are known too that nobody brought about: on a busy machine a
/// leader can lose its lease by itself.
struct Takeover {
    from: Timestamp,
    to: Timestamp,
}

fn takeovers(sent: &HashMap<String, Sent>) -> Vec<Takeover> {
    let mut sent: Vec<&Sent> = sent.values().collect();
    sent.sort_by_key(|sent| sent.at);
    let pairs = sent
        .windows(2)
        .filter(|pair| pair[0].sender != pair[1].sender);
    pairs
        .map(|pair| Takeover {
            from: pair[0].at,
            to: pair[1].at,
        })
        .collect()
}

impl Sent {
    /// How late it is; `None` when somebody took over between its due time and its sending.
    fn late(&self, slot: Timestamp, takeovers: &[Takeover]) -> Option<Duration> {
        let due = slot - self.clock;
        let during =
            |takeover: &Takeover| due <= takeover.to + CATCHING_UP && self.at >= takeover.from;
        let late = self.at.duration_since(due).max(SignedDuration::ZERO);
        (!takeovers.iter().any(during)).then(|| Duration::try_from(late).unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> serde_json::Value {
        serde_json::json!({"tick": {"task": "t", "schedule": 10}})
    }

    /// The journal of a minute of which `lines` makes what the worker wrote.
    fn compare(lines: impl Fn(Vec<String>) -> Vec<String>) -> Slots {
        let first: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let entry = entries(&schedule()).remove(0);
        let slots = (1..=6).map(|step| first + SignedDuration::from_secs(10 * step - 1));
        let journal = slots.map(|slot| {
            let at = slot.as_millisecond() + 250;
            format!("{} gen7@host {at}", entry.task_id(slot))
        });
        let journal = lines(journal.collect()).join("\n");
        let sent = sent(&journal, &HashMap::from([(7, 0)]));
        Slots::compare(&schedule(), first, sent)
    }

    #[test]
    fn what_was_sent_once_each_is_well() {
        let slots = compare(|lines| lines);
        assert_eq!(
            (slots.count(), slots.late_p99()),
            (6, Duration::from_millis(250))
        );
    }

    #[test]
    #[should_panic = "not sent, but"]
    fn a_missing_slot_is_noticed() {
        compare(|mut lines| {
            lines.remove(2);
            lines
        });
    }

    #[test]
    #[should_panic = "sent twice"]
    fn a_doubled_slot_is_noticed() {
        compare(|mut lines| {
            lines.push(lines[3].clone());
            lines
        });
    }
}
