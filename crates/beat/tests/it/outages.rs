//! Brokers that go away, leaders that freeze, answers that are lost: no slot twice, none lost in silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use beat::{Clock, Role};
use broker::faults::inject;
use broker::{
    Backends, BrokerError, Commit, Coordinator, CoordinatorLayer, ErrorKind, Publish, Result,
};
use jiff::{SignedDuration, Timestamp};
use protocol::Value;
use serde_json::json;

use super::stage::{Running, Stage, TestClock, pass, schedule_file};

fn every_ten_seconds() -> serde_json::Value {
    json!({"tick": {"task": "t", "schedule": 10}})
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_caught_up_once_and_counted() {
    let stage = Stage::new();
    let (backends, faults) = inject(stage.backends.clone());
    let running = stage.start_on(backends, "beat", &every_ten_seconds());
    pass(25).await;
    assert_eq!(stage.sent_once_each().await, 2);
    faults.go_down();
    pass(60).await;
    assert_eq!(running.beat.role(), Role::Connecting);
    assert_eq!(stage.sent_once_each().await, 2);
    faults.come_back();
    running.beat.wait_for(Role::Leader).await;
    pass(1).await;
    assert_eq!(
        stage.sent_once_each().await,
        3,
        "once for all that was missed"
    );
    let row = stage.first_row(&every_ten_seconds()).await;
    assert_eq!(
        (row.total_run_count, row.total_run_count + row.missed),
        (3, 8),
        "every slot was sent or counted"
    );
    pass(60).await;
    assert_eq!(
        stage.sent_once_each().await,
        9,
        "and on it goes on the same grid"
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_without_a_broker_waits_for_it() {
    let stage = Stage::new();
    let (backends, faults) = inject(stage.backends.clone());
    faults.go_down();
    let running = stage.start_on(backends, "beat", &every_ten_seconds());
    pass(100).await;
    assert_eq!(running.beat.role(), Role::Connecting);
    assert!(
        running.beat.is_alive(Duration::from_secs(10)),
        "it keeps trying"
    );
    faults.come_back();
    running.beat.wait_for(Role::Leader).await;
    pass(11).await;
    assert_eq!(stage.sent_once_each().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_leader_is_fenced() {
    let stage = Stage::new();
    let (backends, faults) = inject(stage.backends.clone());
    let frozen = stage.start_on(backends, "frozen", &every_ten_seconds());
    frozen.beat.wait_for(Role::Leader).await;
    let other = stage.start("other", &every_ten_seconds());
    pass(35).await;
    faults.stall();
    other.beat.wait_for(Role::Leader).await;
    pass(60).await;
    faults.resume();
    frozen.beat.wait_for(Role::Standby).await;
    pass(60).await;
    assert_eq!(
        (frozen.beat.role(), other.beat.role()),
        (Role::Standby, Role::Leader)
    );
    let sent = stage.sent_once_each().await as u64;
    let row = stage.first_row(&every_ten_seconds()).await;
    assert_eq!(
        row.total_run_count, sent,
        "what the frozen leader had in hand was refused"
    );
}

/// A coordinator with a fault of its own: what happens to a commit.
type Fault = fn(number: usize, commit: &Commit) -> Option<(Outcome, ErrorKind)>;

/// Whether a commit that fails was carried out.
enum Outcome {
    CarriedOut,
    Refused,
}

#[derive(Debug)]
struct FaultyCommits {
    coordinator: Arc<dyn Coordinator>,
    commits: AtomicUsize,
    fault: Fault,
}

impl FaultyCommits {
    fn on(stage: &Stage, fault: Fault) -> (Backends, Arc<Self>) {
        let coordinator = stage.backends.coordinator.clone();
        let faulty = Arc::new(Self {
            coordinator,
            commits: AtomicUsize::new(0),
            fault,
        });
        (
            Backends {
                coordinator: faulty.clone(),
                ..stage.backends.clone()
            },
            faulty,
        )
    }
}

#[async_trait]
impl CoordinatorLayer for FaultyCommits {
    fn below(&self) -> &dyn Coordinator {
        &*self.coordinator
    }

    async fn commit(&self, commit: Commit) -> Result<bool> {
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        let Some((outcome, kind)) = (self.fault)(number, &commit) else {
            return self.coordinator.commit(commit).await;
        };
        if matches!(outcome, Outcome::CarriedOut) {
            self.coordinator.commit(commit).await?;
        }
        Err(BrokerError::new(kind, "a fault of this test"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_doubles_nothing() {
    let stage = Stage::new();
    let (backends, faulty) = FaultyCommits::on(&stage, |number, _| {
        (number % 3 == 2).then_some((Outcome::CarriedOut, ErrorKind::Unreachable))
    });
    let _running = stage.start_on(backends, "beat", &every_ten_seconds());
    pass(605).await;
    assert!(faulty.commits.load(Ordering::Relaxed) > 60);
    assert_eq!(stage.sent_once_each().await, 60, "each slot once");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_broker_refuses_does_not_hold_up_the_others() {
    let stage = Stage::new();
    let (backends, _) = FaultyCommits::on(&stage, |_, commit| {
        let is_big = |publish: &Publish| publish.message.headers.task.as_deref() == Some("too.big");
        commit
            .publish
            .iter()
            .any(is_big)
            .then_some((Outcome::Refused, ErrorKind::Invalid))
    });
    let schedule = json!({
        "big": {"task": "too.big", "schedule": 10},
        "one": {"task": "t", "schedule": 10},
        "two": {"task": "t", "schedule": 10},
    });
    let running = stage.start_on(backends, "beat", &schedule);
    pass(105).await;
    assert_eq!(running.beat.role(), Role::Leader);
    assert_eq!(
        stage.counts().await,
        [("one".to_owned(), 10), ("two".to_owned(), 10)].into()
    );
    let big = json!({"big": schedule["big"]});
    let row = stage.first_row(&big).await;
    assert_eq!((row.total_run_count, row.missed), (0, 10), "it is counted");
    let problem = row.problem.unwrap();
    assert!(problem.contains("a fault of this test"), "{problem}");
    let all_skipped = |slot: &beat::Slot| slot.skipped == Some(beat::Skipped::Unsendable);
    assert!(row.history.iter().all(all_skipped), "{:?}", row.history);
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

#[tokio::test(start_paused = true)]
async fn a_broker_whose_clock_is_set_back_doubles_nothing_and_goes_on() {
    let stage = Stage::new();
    let running = stage.start("beat", &every_ten_seconds());
    pass(605).await;
    assert_eq!(stage.sent_once_each().await, 60);
    stage.broker.set_clock(stage.clock.now() - hours(1));
    pass(3_590).await;
    assert_eq!(running.beat.role(), Role::Leader);
    assert_eq!(
        stage.sent_once_each().await,
        60,
        "the slots of this hour were sent"
    );
    pass(60).await;
    assert_eq!(stage.sent_once_each().await, 65, "and on it goes");
    stage.broker.set_clock(stage.clock.now());
    pass(60).await;
    let row = stage.first_row(&every_ten_seconds()).await;
    let sent = stage.sent_once_each().await as u64;
    assert_eq!(row.total_run_count, sent);
    assert!(
        row.missed >= 358,
        "the skipped hour is counted: {}",
        row.missed
    );
}

#[tokio::test(start_paused = true)]
async fn arguments_that_have_no_form_on_the_wire_are_told_of_and_hold_nobody_up() {
    let stage = Stage::new();
    let schedule = json!({
        "deep": {"task": "t", "schedule": 10},
        "good": {"task": "t", "schedule": 10},
    });
    let mut file = schedule_file(&schedule);
    let entries = file.entries.iter_mut();
    let deep = entries.filter(|entry| entry.name == "deep");
    let nested = (0..2_000).fold(Value::from(1), |inner, _| Value::List(vec![inner]));
    deep.for_each(|entry| entry.args = vec![nested.clone()]);
    let running = stage.follow(stage.backends.clone(), "beat", Arc::new(file));
    pass(35).await;
    assert_eq!(running.beat.role(), Role::Leader);
    assert_eq!(stage.counts().await, [("good".to_owned(), 3)].into());
    let row = stage.first_row(&json!({"deep": schedule["deep"]})).await;
    assert_eq!((row.total_run_count, row.missed), (0, 3));
    let problem = row.problem.unwrap();
    assert!(problem.contains("nested deeper"), "{problem}");
    assert_eq!(row.next.len(), 1, "it is tried again");
}

/// A machine's clock that somebody sets.
#[derive(Debug)]
struct SetClock {
    clock: TestClock,
    offset: AtomicI64,
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(self.offset.load(Ordering::Relaxed))
    }
}

#[tokio::test(start_paused = true)]
async fn the_clock_of_a_beats_own_machine_changes_nothing_and_is_told_of() {
    let stage = Stage::new();
    let clock = Arc::new(SetClock {
        clock: stage.clock.clone(),
        offset: AtomicI64::new(5),
    });
    let source = Arc::new(schedule_file(&every_ten_seconds()));
    let running = stage.follow_by(clock.clone(), stage.backends.clone(), "beat", source);
    pass(605).await;
    assert_eq!(stage.sent_once_each().await, 60);
    let skew = |running: &Running, seconds: &str| {
        let text = running.beat.metrics_text();
        text.contains(&format!("celeriac_beat_clock_skew_seconds {seconds}\n"))
    };
    assert!(skew(&running, "5.0"), "{}", running.beat.metrics_text());
    for (seconds, shown) in [(-3_600, "-3600.0"), (3_600, "3600.0"), (0, "0.0")] {
        clock.offset.store(seconds, Ordering::Relaxed);
        let before = stage.sent_once_each().await;
        pass(600).await;
        assert_eq!(stage.sent_once_each().await, before + 60, "{seconds}");
        assert!(skew(&running, shown), "{}", running.beat.metrics_text());
    }
    let row = stage.first_row(&every_ten_seconds()).await;
    assert_eq!(row.missed, 0);
}
