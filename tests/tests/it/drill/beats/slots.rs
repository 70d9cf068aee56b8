//! What was sent beside what the schedule says.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use beat::{Entry, ScheduleFile};
use jiff::{SignedDuration, Timestamp};
use protocol::{Map, from_value, to_value};

/// After a takeover a leader sends what passed before; so soon it has done so.
const CATCHING_UP: SignedDuration = SignedDuration::from_secs(1);
/// An entry whose next slot is longer ago than this when all ends has fallen silent.
const SILENT: SignedDuration = SignedDuration::from_secs(5);

/// One message that the worker took.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// When it ran, by the clock of this machine, which is the broker's too.
    at: Timestamp,
    /// Who sent it: a process.
    sender: u32,
}

/// Reads the journal: what was sent by task id.
///
/// # Panics
/// When a task id comes twice.
pub fn sent(journal: &str) -> HashMap<String, Sent> {
    let mut all = HashMap::new();
    for line in journal.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [task_id, origin, millis] = words[..] else {
            panic!("not a line of the journal: {line:?}")
        };
        // As Celery's: gen<process>@<host>.
        let (generator, _) = origin.split_once('@').expect(origin);
        let sent = Sent {
            at: Timestamp::from_millisecond(millis.parse().unwrap()).unwrap(),
            sender: generator.trim_start_matches("gen").parse().expect(origin),
        };
        let before = all.insert(task_id.to_owned(), sent);
        assert!(before.is_none(), "sent twice: {before:?} and {line}");
    }
    all
}

/// Every slot, sent once.
pub struct Slots {
    /// Who sent any.
    senders: BTreeSet<u32>,
    /// How late each one was, in rising order.
    outside: Vec<Duration>,
    /// The same of those that were due or sent while one leader followed another.
    in_failovers: Vec<Duration>,
}

impl Slots {
    /// # Panics
    /// When a slot between the first and the last one of an entry was not sent, an entry fell silent, or a message belongs to no slot.
    pub fn compare(
        schedule: &serde_json::Value,
        first: Timestamp,
        mut sent: HashMap<String, Sent>,
    ) -> Self {
        let takeovers = takeovers(&sent);
        let end = sent.values().map(|sent| sent.at).max();
        let end = end.expect("something was sent");
        let mut slots = Self {
            senders: sent.values().map(|sent| sent.sender).collect(),
            outside: Vec::new(),
            in_failovers: Vec::new(),
        };
        for entry in entries(schedule) {
            slots.take_entry(&entry, first, end, &mut sent, &takeovers);
        }
        assert!(sent.is_empty(), "no slots of any entry: {sent:?}");
        slots.outside.sort();
        slots.in_failovers.sort();
        slots
    }

    pub fn count(&self) -> usize {
        self.outside.len() + self.in_failovers.len()
    }

    /// How many beats sent any.
    pub fn senders(&self) -> usize {
        self.senders.len()
    }

    pub fn late_p99(&self) -> Duration {
        at_percent(&self.outside, 99)
    }

    pub fn lateness(&self) -> String {
        let text = |late: &[Duration]| {
            let [median, p99, all] = [50, 99, 100].map(|percent| at_percent(late, percent));
            let count = late.len();
            format!("{count} late by {median:?} (median), {p99:?} (p99), {all:?} (all)")
        };
        let (outside, inside) = (text(&self.outside), text(&self.in_failovers));
        format!("outside failovers {outside}; in failovers {inside}")
    }

    /// Takes out what belongs to the entry.
    fn take_entry(
        &mut self,
        entry: &Entry,
        first: Timestamp,
        end: Timestamp,
        sent: &mut HashMap<String, Sent>,
        takeovers: &[Takeover],
    ) {
        let mut missing = Vec::new();
        let mut last = first - SignedDuration::from_secs(1);
        loop {
            let slot = entry
                .next_after(last)
                .expect("every entry goes on for ever");
            if slot > end {
                break;
            }
            last = slot;
            let Some(sent) = sent.remove(&entry.task_id(slot)) else {
                missing.push(slot);
                continue;
            };
            assert!(
                missing.is_empty(),
                "{}: {missing:?} not sent, but {slot}",
                entry.name
            );
            self.note(sent, slot, takeovers);
        }
        let silent = missing.first().is_some_and(|slot| *slot < end - SILENT);
        assert!(!silent, "{}: nothing from {missing:?} on", entry.name);
    }

    fn note(&mut self, sent: Sent, slot: Timestamp, takeovers: &[Takeover]) {
        let early = slot.duration_since(sent.at);
        assert!(early < SignedDuration::from_millis(100), "{early:?} early");
        let late = sent.at.duration_since(slot).max(SignedDuration::ZERO);
        let late = Duration::try_from(late).unwrap();
        if takeovers.iter().any(|takeover| takeover.met(sent, slot)) {
            self.in_failovers.push(late);
        } else {
            self.outside.push(late);
        }
    }
}

fn at_percent(late: &[Duration], percent: usize) -> Duration {
    let place = (late.len() * percent / 100).min(late.len().saturating_sub(1));
    late.get(place).copied().unwrap_or_default()
}

fn entries(schedule: &serde_json::Value) -> Vec<Entry> {
    let map: Map = from_value(to_value(schedule).unwrap()).unwrap();
    let file = ScheduleFile::read(&map, "UTC");
    assert!(file.problems.is_empty(), "{:?}", file.problems);
    file.entries
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

impl Takeover {
    /// Whether it happened between the due time and the sending, or hardly before.
    fn met(&self, sent: Sent, slot: Timestamp) -> bool {
        slot <= self.to + CATCHING_UP && sent.at >= self.from
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
        let sent = sent(&journal);
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
