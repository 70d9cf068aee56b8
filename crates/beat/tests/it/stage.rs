//! A memory broker, beats on it, and a clock that stands still while nothing waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use beat::{Beat, BeatParams, Clock, Row, ScheduleFile, Source};
use broker::{Backends, MemoryBroker};
use client::{Client, ClientOptions};
use jiff::{SignedDuration, Timestamp};
use protocol::{Limits, Map, Message, from_value, to_value};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) const LEASE: Duration = Duration::from_secs(10);

/// Follows tokio's clock, which tests pause.
#[derive(Clone, Debug)]
pub(crate) struct TestClock {
    start: Timestamp,
    tokio: Instant,
}

impl TestClock {
    pub(crate) fn start() -> Self {
        Self {
            start: "2026-11-20T12:00:00.5Z".parse().unwrap(),
            tokio: Instant::now(),
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.start + SignedDuration::try_from(self.tokio.elapsed()).unwrap()
    }
}

/// One broker and what runs on it.
pub(crate) struct Stage {
    pub(crate) broker: MemoryBroker,
    pub(crate) backends: Backends,
    pub(crate) clock: TestClock,
}

/// A running beat.
pub(crate) struct Running {
    pub(crate) beat: Arc<Beat>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Ends it as a signal does: the lease is given up.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(self) {
        self.task.abort();
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let (broker, clock) = (MemoryBroker::new(), TestClock::start());
        broker.set_clock(clock.now());
        Self {
            backends: broker.backends(),
            broker,
            clock,
        }
    }

    pub(crate) fn start(&self, name: &str, schedule: &serde_json::Value) -> Running {
        self.start_on(self.backends.clone(), name, schedule)
    }

    /// A beat that reaches the broker through a decorator.
    pub(crate) fn start_on(
        &self,
        backends: Backends,
        name: &str,
        schedule: &serde_json::Value,
    ) -> Running {
        self.follow(backends, name, Arc::new(schedule_file(schedule)))
    }

    /// A beat on a schedule that may change.
    pub(crate) fn follow(
        &self,
        backends: Backends,
        name: &str,
        source: Arc<dyn Source>,
    ) -> Running {
        self.follow_by(Arc::new(self.clock.clone()), backends, name, source)
    }

    /// The same by a clock of its own.
    pub(crate) fn follow_by(
        &self,
        clock: Arc<dyn Clock>,
        backends: Backends,
        name: &str,
        source: Arc<dyn Source>,
    ) -> Running {
        let beat = Arc::new(Beat::new(BeatParams {
            client: Client::new(backends, ClientOptions::default()),
            source,
            name: name.to_owned(),
            lease: LEASE,
            cron_starting_deadline: None,
            clock,
        }));
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let (beat, stop) = (beat.clone(), stop.clone());
            async move { beat.run(stop).await }
        });
        Running { beat, stop, task }
    }

    /// Everything that was sent to the default queue, oldest first.
    pub(crate) async fn sent(&self) -> Vec<Message> {
        let raws = self
            .backends
            .admin
            .peek("celery", usize::MAX)
            .await
            .unwrap();
        raws.iter()
            .map(|raw| Message::from_envelope(raw, &Limits::default()).unwrap())
            .collect()
    }

    /// How often each entry was sent.
    pub(crate) async fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for message in self.sent().await {
            let name = message
                .headers
                .extra
                .get("periodic_task_name")
                .and_then(|name| name.as_str())
                .unwrap();
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        counts
    }

    /// The overview's first row.
    pub(crate) async fn first_row(&self, schedule: &serde_json::Value) -> Row {
        let schedule = schedule_file(schedule);
        let rows = beat::rows(&*self.backends.coordinator, &schedule, self.clock.now(), 1).await;
        rows.unwrap().remove(0)
    }

    /// How many messages were sent, and that no two are of one slot.
    pub(crate) async fn sent_once_each(&self) -> usize {
        let ids: Vec<_> = self
            .sent()
            .await
            .into_iter()
            .map(|message| message.headers.id.unwrap())
            .collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "a slot was sent twice");
        ids.len()
    }
}

pub(crate) fn schedule_file(schedule: &serde_json::Value) -> ScheduleFile {
    let map: Map = from_value(to_value(schedule).unwrap()).unwrap();
    ScheduleFile::read(&map, "UTC")
}

/// Leaves the grid of whole seconds, so that no look falls on a slot.
pub(crate) async fn leave_the_grid() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// Lets this much time pass on the paused clock.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
