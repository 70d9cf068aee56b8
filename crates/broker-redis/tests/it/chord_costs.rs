//! What a chord costs the server, in commands: those that clients send and those that scripts call.

use broker::{
    Admin, Broker, ChordPart, ChordStore, Consumer, Delivery, Effects, NewChord, ResultPolicy,
    Settled, Settlement, Verdict,
};
use broker_redis::{RedisBroker, RedisResults};
use protocol::{State, TaskMeta, Value};
use testkit::RedisServer;

use crate::support::{consumer, id, open, options, take, to_queue};

/// Members that are held, and settled, at a time.
const BATCH: u64 = 10;
/// What a renewal of the lease and the like may add to the commands of a member, in hundredths: they follow the clock.
const BESIDES: u64 = 50;

/// A chord's members, from the opening of the chord to the publication of its body.
struct Run {
    server: RedisServer,
    broker: std::sync::Arc<RedisBroker>,
    results: std::sync::Arc<RedisResults>,
    members: u64,
}

impl Run {
    async fn new(members: u64) -> Self {
        let server = RedisServer::start();
        let broker = open(&server).await;
        let connecting = RedisResults::connect(options(&server.url()), ResultPolicy::default());
        Self {
            broker,
            results: connecting.await.unwrap(),
            members,
            server,
        }
    }

    /// All calls so far, as the server counts them.
    fn calls(&self) -> u64 {
        let stats = self.server.cli(&["INFO", "commandstats"]);
        let counts = stats.lines().filter_map(|line| {
            let (_, rest) = line.split_once("calls=")?;
            rest.split(',').next()?.parse::<u64>().ok()
        });
        counts.sum()
    }

    /// The commands of the whole chord.
    async fn commands(&self) -> u64 {
        let consumer = consumer(&self.broker, &["q"]).await;
        let before = self.calls();
        let chord = NewChord {
            group_id: "g".to_owned(),
            size: self.members,
            header: None,
        };
        self.results.open_chords(vec![chord]).await.unwrap();
        for first in (0..self.members).step_by(BATCH as usize) {
            self.batch(&*consumer, first).await;
        }
        let commands = self.calls() - before;
        assert_eq!(self.broker.peek("body", 2).await.unwrap().len(), 1);
        commands
    }

    async fn batch(&self, consumer: &dyn Consumer, first: u64) {
        let messages = (first..first + BATCH).map(|place| to_queue("q", &place.to_string()));
        self.broker.publish(messages.collect()).await.unwrap();
        let held = take(consumer, BATCH as usize).await;
        let settlements = held.iter().map(counting).collect();
        let settled = consumer.settle(settlements).await.unwrap();
        for (delivery, settled) in held.iter().zip(settled) {
            if settled == Settled::Complete {
                self.join(consumer, delivery).await;
            }
        }
    }

    async fn join(&self, consumer: &dyn Consumer, last: &Delivery) {
        let parts = self.results.chord_parts("g").await.unwrap().parts;
        assert_eq!(parts.len() as u64, self.members);
        let effects = Effects {
            finish: vec!["g".to_owned()],
            ..Effects::default()
        };
        let mut joined = settlement(last, effects);
        joined.publish = vec![to_queue("body", "body")];
        let settled = consumer.settle(vec![joined]).await.unwrap();
        assert_eq!(settled, [Settled::Done]);
    }
}

fn counting(delivery: &Delivery) -> Settlement {
    let task_id = id(delivery);
    let part = ChordPart {
        group_id: "g".to_owned(),
        group_index: task_id.parse().ok(),
        task_id,
        state: State::Success,
        result: Value::Null,
    };
    let effects = Effects {
        count: Some(part),
        ..Effects::default()
    };
    settlement(delivery, effects)
}

fn settlement(delivery: &Delivery, effects: Effects) -> Settlement {
    Settlement {
        store: Some(TaskMeta::new(id(delivery), State::Success, Value::Null)),
        effects: Some(Box::new(effects)),
        ..Settlement::new(delivery.tag.clone(), Verdict::Ack)
    }
}

/// Each size is ten times the one before, and what the members cost that it has more is the same for each of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_costs_the_same_however_many_there_are() {
    let (mut smaller, mut series) = ((0, 0), Vec::new());
    for members in [10, 100, 1_000, 10_000] {
        let commands = Run::new(members).await.commands().await;
        let (fewer, less) = std::mem::replace(&mut smaller, (members, commands));
        let hundredths = (commands - less) * 100 / (members - fewer);
        println!("{members} members: {commands} commands, {hundredths} hundredths for each more");
        series.push(hundredths);
    }
    // The first figure holds what a chord costs once.
    let (least, most) = (series[1..].iter().min(), series[1..].iter().max());
    assert!(most.unwrap() - least.unwrap() <= BESIDES, "{series:?}");
    assert!(series.iter().all(|cost| *cost <= 5_000), "{series:?}");
}
