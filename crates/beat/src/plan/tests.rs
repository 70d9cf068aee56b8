use jiff::ToSpan;
use jiff::tz::TimeZone;
use protocol::Map;

use super::*;
use crate::Slot;
use crate::schedule::{Crontab, CrontabSpec, Interval, Schedule};

fn entry(name: &str, schedule: Schedule) -> Entry {
    Entry {
        name: name.to_owned(),
        task: "tests.task".to_owned(),
        schedule,
        zone: TimeZone::UTC,
        zone_name: "UTC".to_owned(),
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

fn adopt(entries: &[Entry], stored: Vec<(String, Bytes)>, now: Timestamp) -> (Plan, Writes) {
    let entries = entries.iter().cloned().map(Arc::new).collect();
    Plan::begin(entries, read_states(stored), now, None)
}

fn sent(plan: &Plan, run: &Run, at: Timestamp) -> EntryState {
    let slot = Slot {
        slot: run.slot,
        at,
        by: "beat".to_owned(),
        skipped: None,
    };
    plan.state(run).clone().after(slot, run.missed, HISTORY)
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

#[test]
fn a_new_entry_is_not_due_at_once_and_is_remembered() {
    let (mut plan, writes) = adopt(&[hourly("a")], Vec::new(), noon());
    assert_eq!(writes.len(), 1);
    assert!(plan.take_due(noon(), 10).is_empty());
    assert_eq!(plan.next_due(), Some(noon() + 1.hour()));
}

#[test]
fn a_known_entry_goes_on_where_it_was() {
    let (_, writes) = adopt(&[hourly("a")], Vec::new(), noon());
    let stored = writes
        .into_iter()
        .map(|(key, record)| (key, record.expect("a record")))
        .collect();
    let (mut plan, writes) = adopt(&[hourly("a")], stored, noon() + 210.minutes());
    assert!(writes.is_empty());
    let runs = plan.take_due(noon() + 210.minutes(), 10);
    assert_eq!(
        runs,
        [Run {
            index: 0,
            slot: noon() + 3.hours(),
            missed: 2,
            is_late: false,
        }],
        "once, for the latest of three slots"
    );
    let state = sent(&plan, &runs[0], noon() + 210.minutes());
    assert_eq!((state.total_run_count, state.missed), (1, 2));
    plan.record(&runs[0], state);
    assert_eq!(plan.next_due(), Some(noon() + 4.hours()));
}

#[test]
fn intervals_keep_their_grid_after_an_outage() {
    let (mut plan, _) = adopt(&[every_ten_seconds("a")], Vec::new(), noon());
    let runs = plan.take_due(noon() + 47.seconds(), 10);
    assert_eq!(
        runs,
        [Run {
            index: 0,
            slot: noon() + 40.seconds(),
            missed: 3,
            is_late: false,
        }]
    );
}

#[test]
fn a_changed_schedule_begins_now() {
    let (_, writes) = adopt(&[hourly("a")], Vec::new(), noon());
    let stored = writes
        .into_iter()
        .map(|(key, record)| (key, record.expect("a record")))
        .collect();
    let later = noon() + 5.hours() + 1.second();
    let (mut plan, writes) = adopt(&[every_ten_seconds("a")], stored, later);
    assert_eq!(writes.len(), 1);
    assert!(
        plan.take_due(later, 10).is_empty(),
        "no slot of the new schedule has passed yet"
    );
}

#[test]
fn removed_entries_are_forgotten_and_disabled_ones_are_not_sent() {
    let (_, writes) = adopt(&[hourly("a"), hourly("b"), hourly("c")], Vec::new(), noon());
    let stored = writes
        .into_iter()
        .map(|(key, record)| (key, record.expect("a record")))
        .collect();
    let disabled = Entry {
        enabled: false,
        ..hourly("b")
    };
    let (plan, mut writes) = adopt(&[hourly("a"), disabled], stored, noon() + 2.hours());
    writes.sort();
    let [(disabled, Some(_)), (removed, None)] = writes.as_slice() else {
        panic!("{writes:?}");
    };
    assert_eq!(
        (disabled.as_str(), removed.as_str()),
        ("entry:b", "entry:c")
    );
    assert_eq!(plan.len(), 1);
}

#[test]
fn an_unreadable_record_is_begun_anew() {
    let stored = vec![("entry:a".to_owned(), Bytes::from_static(b"nonsense"))];
    let (plan, writes) = adopt(&[hourly("a")], stored, noon());
    assert_eq!((plan.len(), writes.len()), (1, 1));
}

#[test]
fn batches_are_bounded() {
    let entries: Vec<Entry> = (0..10)
        .map(|number| every_ten_seconds(&number.to_string()))
        .collect();
    let (mut plan, _) = adopt(&entries, Vec::new(), noon());
    assert_eq!(plan.take_due(noon() + 10.seconds(), 7).len(), 7);
    assert_eq!(plan.take_due(noon() + 10.seconds(), 7).len(), 3);
}

fn with(policy: crate::Policy) -> Entry {
    Entry {
        policy,
        ..every_ten_seconds("a")
    }
}

/// Slots that are sent, by second after noon, when beat comes back after this many seconds.
fn caught_up(policy: crate::Policy, seconds: i64) -> (Vec<i64>, u64) {
    let (mut plan, _) = adopt(&[with(policy)], Vec::new(), noon());
    let now = noon() + seconds.seconds();
    let mut slots = Vec::new();
    let mut missed = 0;
    while let [run] = plan.take_due(now, 1).as_slice() {
        let slot = Slot {
            slot: run.slot,
            at: now,
            by: String::new(),
            skipped: run.is_late.then_some(crate::Skipped::Late),
        };
        if slot.skipped.is_none() {
            slots.push(run.slot.duration_since(noon()).as_secs());
        }
        let state = plan.state(run).clone().after(slot, run.missed, HISTORY);
        missed = state.missed;
        plan.record(run, state);
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
    let (mut plan, _) = adopt(&[with(policy)], Vec::new(), noon());
    let mut delays = std::collections::BTreeSet::new();
    for slot in 1..=50 {
        let slot = noon() + (slot * 10).seconds();
        let due = plan.next_due().expect("it goes on");
        let delay = due.duration_since(slot);
        assert!(
            delay >= SignedDuration::ZERO && delay.unsigned_abs() < jitter,
            "{delay}"
        );
        delays.insert(delay);
        let runs = plan.take_due(due, 9);
        assert_eq!((runs.len(), runs[0].slot, runs[0].missed), (1, slot, 0));
        let state = sent(&plan, &runs[0], due);
        plan.record(&runs[0], state);
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
        let (mut plan, _) = adopt(&[disabled], Vec::new(), noon());
        assert_eq!(plan.len(), 0);
        let later = noon() + 95.seconds();
        let written = plan.change(Change::Put(Arc::new(with(policy))), later);
        assert!(written.is_some(), "that it is enabled is remembered");
        assert_eq!(plan.take_due(later, 9).len(), slots);
    }
}

#[test]
fn a_postponed_run_is_looked_at_again() {
    let (mut plan, _) = adopt(&[every_ten_seconds("a")], Vec::new(), noon());
    let run = plan.take_due(noon() + 10.seconds(), 9).remove(0);
    plan.postpone(&run, noon() + 25.seconds());
    assert!(plan.take_due(noon() + 24.seconds(), 9).is_empty());
    let run = plan.take_due(noon() + 25.seconds(), 9).remove(0);
    assert_eq!((run.slot, run.missed), (noon() + 20.seconds(), 1));
}

#[test]
fn changes_are_followed_one_by_one() {
    let (mut plan, _) = adopt(
        &[every_ten_seconds("a"), every_ten_seconds("b")],
        Vec::new(),
        noon(),
    );
    let later = noon() + 5.seconds();
    let put = |plan: &mut Plan, entry| plan.change(Change::Put(Arc::new(entry)), later);
    assert!(
        put(&mut plan, every_ten_seconds("b")).is_none(),
        "nothing about its runs has changed"
    );
    assert!(put(&mut plan, hourly("a")).is_some());
    assert!(put(&mut plan, every_ten_seconds("c")).is_some());
    let gone = plan.change(Change::Gone("b".to_owned()), later);
    assert_eq!(gone, Some((entry_key("b"), None)));
    assert!(plan.change(Change::Gone("b".to_owned()), later).is_none());
    let runs = plan.take_due(noon() + 60.seconds(), 9);
    let names: Vec<&str> = runs.iter().map(|run| &*plan.entry(run).name).collect();
    assert_eq!((names, plan.len()), (vec!["c"], 2));
}

#[test]
fn an_entry_that_is_changed_for_ever_fills_nothing() {
    let (mut plan, _) = adopt(&[hourly("a")], Vec::new(), noon());
    for _ in 0..1_000 {
        plan.change(Change::Put(Arc::new(hourly("a"))), noon());
    }
    assert!(plan.due.len() <= 4, "{} in the heap", plan.due.len());
    assert_eq!(plan.take_due(noon() + 1.hour(), 9).len(), 1, "due once");
}

#[test]
fn a_record_remembers_few_slots() {
    let (plan, _) = adopt(&[every_ten_seconds("a")], Vec::new(), noon());
    assert_eq!(plan.history(), HISTORY);
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
