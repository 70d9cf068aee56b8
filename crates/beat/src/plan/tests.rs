use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::ToSpan;
use protocol::Map;

use super::*;
use crate::adopt::{self, adopt};
use crate::schedule::{Crontab, CrontabSpec, Interval, Schedule};
use crate::state::{Write, encode, entry_key};
use crate::{Slot, Timetable};

/// A plan, and the records beside it.
struct Board {
    plan: Plan,
    records: BTreeMap<String, Bytes>,
}

impl Board {
    fn new(entries: &[Entry], now: Timestamp) -> Self {
        let (plan, records) = (Plan::default(), BTreeMap::new());
        let mut board = Self { plan, records };
        for entry in entries {
            assert!(board.put(entry.clone(), now).is_some(), "it is remembered");
        }
        board
    }

    /// Takes an entry in; what had to be written for it.
    fn put(&mut self, entry: Entry, now: Timestamp) -> Option<Write> {
        let record = self.records.get(&entry_key(&entry.name));
        let (state, write) = adopt(&entry, record, now);
        self.write(&write);
        let due = due(&entry, state.last_slot, state.total_run_count);
        let name = entry.name.clone();
        self.plan.put(Arc::new(entry));
        let place = self.plan.find(&name).expect("it was put there");
        self.plan.look_at(place, due);
        write
    }

    fn write(&mut self, write: &Option<Write>) {
        if let Some((key, Some(record))) = write.clone() {
            self.records.insert(key, record);
        }
    }

    /// What is remembered of an entry.
    fn state(&self, name: &str) -> EntryState {
        adopt::read(name, &self.records[&entry_key(name)])
    }

    fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<Run> {
        let places = self.plan.take_due(now, max).into_iter();
        let run = |place| {
            let entry = self.plan.entry(place)?;
            Run::choose(place, entry, self.state(&entry.name), now, None)
        };
        places.filter_map(run).collect()
    }

    /// Records that a run was dealt with.
    fn record(&mut self, run: &Run, at: Timestamp, skipped: Option<crate::Skipped>) -> EntryState {
        let slot = Slot {
            slot: run.slot,
            at,
            by: "beat".to_owned(),
            skipped,
        };
        let state = run.state.clone().after(slot, run.missed, HISTORY);
        let entry = Arc::clone(self.plan.entry_of(run));
        self.write(&Some((entry_key(&entry.name), Some(encode(&state)))));
        let due = due(&entry, state.last_slot, state.total_run_count);
        self.plan.look_at(run.place, due);
        state
    }
}

fn entry(name: &str, schedule: Schedule) -> Entry {
    Entry {
        name: name.to_owned(),
        task: "tests.task".into(),
        timetable: Timetable::of(schedule, "UTC").expect("a zone"),
        args: Vec::new(),
        kwargs: Map::new(),
        options: Default::default(),
        enabled: true,
        policy: Default::default(),
        kept: None,
    }
}

fn hourly(name: &str) -> Entry {
    let spec = CrontabSpec::from_line("0 * * * *").expect("five fields");
    entry(
        name,
        Schedule::Crontab(Crontab::new(spec).expect("a crontab")),
    )
}

fn every_ten_seconds(name: &str) -> Entry {
    let interval = Interval::new(jiff::SignedDuration::from_secs(10), false).expect("long enough");
    entry(name, Schedule::Interval(interval))
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

#[test]
fn a_new_entry_is_not_due_at_once() {
    let mut board = Board::new(&[hourly("a")], noon());
    assert!(board.take_due(noon(), 10).is_empty());
    assert_eq!(board.plan.next_due(), Some(noon() + 1.hour()));
}

/// The slots of runs, how many were missed before, and whether they are late.
fn shown(runs: &[Run]) -> Vec<(Place, Timestamp, u64, bool)> {
    runs.iter()
        .map(|run| (run.place, run.slot, run.missed, run.is_late))
        .collect()
}

#[test]
fn a_known_entry_goes_on_where_it_was() {
    let Board { records, .. } = Board::new(&[hourly("a")], noon());
    let plan = Plan::default();
    let mut board = Board { plan, records };
    let now = noon() + 210.minutes();
    assert!(board.put(hourly("a"), now).is_none());
    let runs = board.take_due(now, 10);
    assert_eq!(
        shown(&runs),
        [(0, noon() + 3.hours(), 2, false)],
        "once, for the latest of three slots"
    );
    let state = board.record(&runs[0], now, None);
    assert_eq!((state.total_run_count, state.missed), (1, 2));
    assert_eq!(board.plan.next_due(), Some(noon() + 4.hours()));
}

#[test]
fn intervals_keep_their_grid_after_an_outage() {
    let mut board = Board::new(&[every_ten_seconds("a")], noon());
    let runs = board.take_due(noon() + 47.seconds(), 10);
    assert_eq!(shown(&runs), [(0, noon() + 40.seconds(), 3, false)]);
}

#[test]
fn a_changed_schedule_begins_now() {
    let mut board = Board::new(&[hourly("a")], noon());
    let later = noon() + 5.hours() + 1.second();
    assert!(board.put(every_ten_seconds("a"), later).is_some());
    assert!(
        board.take_due(later, 10).is_empty(),
        "no slot of the new schedule has passed yet"
    );
}

#[test]
fn an_unreadable_record_is_begun_anew() {
    let records = [("entry:a".to_owned(), Bytes::from_static(b"nonsense"))].into();
    let plan = Plan::default();
    let mut board = Board { plan, records };
    assert!(board.put(hourly("a"), noon()).is_some());
    assert_eq!(board.state("a").last_slot, noon());
}

#[test]
fn batches_are_bounded() {
    let entries: Vec<Entry> = (0..10)
        .map(|number| every_ten_seconds(&number.to_string()))
        .collect();
    let mut board = Board::new(&entries, noon());
    assert_eq!(board.take_due(noon() + 10.seconds(), 7).len(), 7);
    assert_eq!(board.take_due(noon() + 10.seconds(), 7).len(), 3);
}

fn with(policy: crate::Policy) -> Entry {
    Entry {
        policy: Arc::new(policy),
        ..every_ten_seconds("a")
    }
}

/// Slots that are sent, by second after noon, when beat comes back after this many seconds.
fn caught_up(policy: crate::Policy, seconds: i64) -> (Vec<i64>, u64) {
    let mut board = Board::new(&[with(policy)], noon());
    let now = noon() + seconds.seconds();
    let mut slots = Vec::new();
    let mut missed = 0;
    while let [run] = board.take_due(now, 1).as_slice() {
        let skipped = run.is_late.then_some(crate::Skipped::Late);
        if skipped.is_none() {
            slots.push(run.slot.duration_since(noon()).as_secs());
        }
        missed = board.record(run, now, skipped).missed;
    }
    (slots, missed)
}

#[test]
fn missed_slots_are_dealt_with_as_the_policy_says() {
    use crate::{Misfire, Policy};
    let policy = |misfire, window: Option<u64>| Policy {
        misfire,
        misfire_window: window.map(Duration::from_secs),
        ..Policy::default()
    };
    assert_eq!(caught_up(policy(Misfire::One, None), 47), (vec![40], 3));
    assert_eq!(caught_up(policy(Misfire::One, Some(5)), 47), (vec![], 4));
    assert_eq!(caught_up(policy(Misfire::Skip, Some(8)), 47), (vec![40], 3));
    assert_eq!(
        caught_up(policy(Misfire::All, None), 47),
        (vec![10, 20, 30, 40], 0)
    );
    assert_eq!(
        caught_up(policy(Misfire::All, Some(20)), 47),
        (vec![30, 40], 2)
    );
    assert_eq!(caught_up(policy(Misfire::All, Some(0)), 47), (vec![], 4));
}

#[test]
fn start_end_and_number_of_runs_bound_an_entry() {
    let policy = crate::Policy {
        start: Some(noon() + 15.seconds()),
        end: Some(noon() + 45.seconds()),
        misfire: crate::Misfire::All,
        ..Default::default()
    };
    assert_eq!(caught_up(policy.clone(), 100), (vec![15, 25, 35, 45], 0));
    let twice = crate::Policy {
        max_runs: Some(2),
        ..policy
    };
    assert_eq!(caught_up(twice, 100), (vec![15, 25], 0));
}

#[test]
fn jitter_delays_each_slot_by_less_than_it_and_doubles_none() {
    let jitter = Duration::from_secs(3);
    let policy = crate::Policy {
        jitter,
        ..Default::default()
    };
    let mut board = Board::new(&[with(policy)], noon());
    let mut delays = std::collections::BTreeSet::new();
    for slot in 1..=50 {
        let slot = noon() + (slot * 10).seconds();
        let due = board.plan.next_due().expect("it goes on");
        let delay = due.duration_since(slot);
        assert!(
            delay >= SignedDuration::ZERO && delay.unsigned_abs() < jitter,
            "{delay}"
        );
        delays.insert(delay);
        let runs = board.take_due(due, 9);
        assert_eq!(shown(&runs), [(0, slot, 0, false)]);
        board.record(&runs[0], due, None);
    }
    assert!(delays.len() > 40, "each slot has its own");
}

#[test]
fn an_entry_that_is_enabled_begins_then_unless_it_is_to_catch_up() {
    for (catch_up, slots) in [(false, 0), (true, 1)] {
        let policy = crate::Policy {
            catch_up,
            ..Default::default()
        };
        let disabled = Entry {
            enabled: false,
            ..with(policy.clone())
        };
        let mut board = Board::new(&[disabled], noon());
        assert_eq!(board.plan.len(), 0);
        let later = noon() + 95.seconds();
        let written = board.put(with(policy), later);
        assert!(written.is_some(), "that it is enabled is remembered");
        assert_eq!(board.take_due(later, 9).len(), slots);
    }
}

#[test]
fn a_postponed_run_is_looked_at_again() {
    let mut board = Board::new(&[every_ten_seconds("a")], noon());
    let run = board.take_due(noon() + 10.seconds(), 9).remove(0);
    board.plan.look_at(run.place, Some(noon() + 25.seconds()));
    assert!(board.take_due(noon() + 24.seconds(), 9).is_empty());
    let run = board.take_due(noon() + 25.seconds(), 9).remove(0);
    assert_eq!((run.slot, run.missed), (noon() + 20.seconds(), 1));
}

#[test]
fn what_was_dealt_with_meanwhile_does_not_run() {
    let mut board = Board::new(&[every_ten_seconds("a")], noon());
    let now = noon() + 10.seconds();
    let run = board.take_due(now, 9).remove(0);
    board.record(&run, now, None);
    board.plan.look_at(run.place, Some(now));
    assert!(board.take_due(now, 9).is_empty());
}

#[test]
fn changes_are_followed_one_by_one() {
    let entries = [every_ten_seconds("a"), every_ten_seconds("b")];
    let mut board = Board::new(&entries, noon());
    let later = noon() + 5.seconds();
    assert!(
        board.put(every_ten_seconds("b"), later).is_none(),
        "nothing about its runs has changed"
    );
    assert!(board.put(hourly("a"), later).is_some());
    assert!(board.put(every_ten_seconds("c"), later).is_some());
    board.plan.remove("b");
    assert_eq!((board.plan.find("b"), board.plan.places()), (None, 3));
    board.plan.remove("b");
    let runs = board.take_due(noon() + 60.seconds(), 9);
    let names: Vec<&str> = runs
        .iter()
        .map(|run| &*board.plan.entry_of(run).name)
        .collect();
    assert_eq!((names, board.plan.len()), (vec!["c"], 2));
}

#[test]
fn an_entry_that_is_changed_for_ever_fills_nothing() {
    let mut board = Board::new(&[hourly("a")], noon());
    for _ in 0..1_000 {
        board.put(hourly("a"), noon());
    }
    let due = board.plan.due.len();
    assert!(due <= 4, "{due} in the heap");
    assert_eq!(board.take_due(noon() + 1.hour(), 9).len(), 1, "due once");
}

#[test]
fn a_record_remembers_few_slots() {
    let board = Board::new(&[every_ten_seconds("a")], noon());
    assert_eq!(board.plan.history(), HISTORY);
    let mut state = EntryState::new(&every_ten_seconds("a"), noon());
    for second in 1..=9 {
        let slot = Slot {
            slot: noon() + (second * 10).seconds(),
            at: noon(),
            by: "beat".to_owned(),
            skipped: (second > 1).then_some(crate::Skipped::Overlap),
        };
        state = state.after(slot, 0, 3);
    }
    assert_eq!(state.history.len(), 3);
    let sent = noon() + 10.seconds();
    assert_eq!(
        state.last_sent(),
        Some((sent, noon())),
        "however many slots were skipped since"
    );
}
