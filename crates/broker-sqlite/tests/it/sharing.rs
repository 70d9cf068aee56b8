//! Several openings of one file at once.

use std::collections::HashSet;
use std::time::Duration;

use broker::{
    Admin, Broker, ChordPart, ChordStore, Consumer, Counted, ErrorKind, NewChord, Notice, Settled,
    Settlement, Verdict,
};
use broker_sqlite::SqliteOptions;
use protocol::{State, Value};
use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{
    DEADLINE, consumer, consumer_with, id_of, new_file, open, open_with, publish,
};

const LEASE: Duration = Duration::from_secs(30);

/// The bell wakes; looking every second would take three times as long as the deadline allows.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_consumer_is_woken_by_another_opening_of_the_file() {
    let (_folder, file) = new_file();
    let (ours, theirs) = (open(&file).await, open(&file).await);
    let consumer = consumer(&ours, LEASE).await;
    let rounds = async {
        for round in 0..60 {
            let id = format!("task-{round}");
            let (delivered, published) =
                tokio::join!(consumer.reserve(1), theirs.publish(vec![publish(&id, 10)]));
            published.unwrap();
            assert_eq!(id_of(&delivered.unwrap()[0]), id);
        }
    };
    timeout(Duration::from_secs(20), rounds)
        .await
        .expect("the bell wakes the consumer");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_openings_take_each_message_once() {
    let (_folder, file) = new_file();
    let publisher = open(&file).await;
    let count = 500;
    let mut workers = Vec::new();
    for _ in 0..3 {
        let broker = open(&file).await;
        workers.push(tokio::spawn(async move {
            drain(&*consumer(&broker, LEASE).await).await
        }));
    }
    for batch in 0..count / 10 {
        let messages = (0..10)
            .map(|number| publish(&format!("task-{}", batch * 10 + number), 10))
            .collect();
        publisher.publish(messages).await.unwrap();
    }
    let mut taken = Vec::new();
    publisher
        .publish((0..workers.len()).map(|_| publish("stop", 10)).collect())
        .await
        .unwrap();
    for worker in workers {
        taken.extend(worker.await.unwrap());
    }
    let distinct: HashSet<&String> = taken.iter().collect();
    assert_eq!((taken.len(), distinct.len()), (count, count));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_openings_count_one_chord() {
    const MEMBERS: usize = 300;
    let (_folder, file) = new_file();
    let opener = open(&file).await.results().unwrap();
    let chord = NewChord {
        group_id: "g".to_owned(),
        size: MEMBERS as u64,
        header: None,
    };
    opener.open_chords(vec![chord]).await.unwrap();
    let mut workers = JoinSet::new();
    for worker in 0..3 {
        let results = open(&file).await.results().unwrap();
        workers.spawn(async move {
            let mut answers = Vec::new();
            for member in (worker..MEMBERS).step_by(3) {
                let part = ChordPart {
                    group_id: "g".to_owned(),
                    task_id: member.to_string(),
                    group_index: Some(member as i64),
                    state: State::Success,
                    result: Value::Null,
                };
                answers.push(results.count_part(part, &member.to_string()).await.unwrap());
            }
            answers
        });
    }
    let answers = workers.join_all().await.concat();
    let complete = answers
        .iter()
        .filter(|answer| **answer == Counted::Complete);
    let open = answers.iter().filter(|answer| **answer == Counted::Open);
    assert_eq!((complete.count(), open.count()), (1, MEMBERS - 1));
    assert_eq!(opener.chord_parts("g").await.unwrap().parts.len(), MEMBERS);
}

/// Runs messages until one says stop; returns their ids.
async fn drain(consumer: &dyn Consumer) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let delivery = consumer.reserve(1).await.unwrap().remove(0);
        let id = id_of(&delivery);
        let settled = consumer
            .settle(vec![Settlement::new(delivery.tag, Verdict::Ack)])
            .await
            .unwrap();
        assert_eq!(settled, [Settled::Done]);
        if id == "stop" {
            return ids;
        }
        ids.push(id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_publishes_is_told_of_a_stuck_lock_and_who_settles_waits_it_out() {
    let (_folder, file) = new_file();
    let options = format!("sqlite:{}?busy_timeout=0.05", file.display());
    let broker = open_with(options.parse::<SqliteOptions>().unwrap()).await;
    let consumer = consumer(&broker, LEASE).await;
    broker.publish(vec![publish("task", 10)]).await.unwrap();
    let held = consumer.reserve(1).await.unwrap().remove(0);

    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = broker.publish(vec![publish("late", 10)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(
        error
            .to_string()
            .contains("another process keeps the file locked"),
        "{error}"
    );

    let settle = consumer.settle(vec![Settlement::new(held.tag, Verdict::Ack)]);
    let release = async {
        // A look that must wait behind the settlement's first attempts.
        broker
            .publish(vec![publish("later", 10)])
            .await
            .unwrap_err();
        other.execute_batch("COMMIT").unwrap();
    };
    let (settled, ()) = timeout(DEADLINE, async { tokio::join!(settle, release) })
        .await
        .unwrap();
    assert!(matches!(settled.unwrap()[..], [Settled::Done]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_consumer_tells_of_an_outage_and_of_its_end() {
    let (_folder, file) = new_file();
    let options = format!("sqlite:{}?busy_timeout=0.05", file.display());
    let broker = open_with(options.parse::<SqliteOptions>().unwrap()).await;
    let (sender, mut notices) = mpsc::channel(64);
    let consumer = consumer_with(&broker, LEASE, sender).await;
    broker.publish(vec![publish("task", 10)]).await.unwrap();

    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let watch = async {
        assert!(matches!(
            notices.recv().await,
            Some(Notice::Disconnected { .. })
        ));
        other.execute_batch("COMMIT").unwrap();
        assert!(matches!(notices.recv().await, Some(Notice::Reconnected)));
    };
    let both = async { tokio::join!(consumer.reserve(1), watch) };
    let (taken, ()) = timeout(DEADLINE, both).await.unwrap();
    assert_eq!(id_of(&taken.unwrap()[0]), "task");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_of_five_megabytes_passes() {
    let (_folder, file) = new_file();
    let broker = open(&file).await;
    let consumer = consumer(&broker, LEASE).await;
    broker
        .publish(vec![publish("large", 5_000_000)])
        .await
        .unwrap();
    let delivery = consumer.reserve(1).await.unwrap().remove(0);
    assert_eq!(delivery.message.as_ref().unwrap().body.len(), 5_000_000);
    let settled = consumer
        .settle(vec![Settlement::new(delivery.tag, Verdict::Ack)])
        .await
        .unwrap();
    assert_eq!(settled, [Settled::Done]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_outlives_every_opening() {
    let (_folder, file) = new_file();
    let broker = open(&file).await;
    broker
        .publish(vec![publish("a", 10), publish("b", 10)])
        .await
        .unwrap();
    broker.close().await;
    assert_eq!(
        broker
            .publish(vec![publish("c", 10)])
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Closed
    );
    let broker = open(&file).await;
    assert_eq!(broker.depth(&["q".to_owned()]).await.unwrap()[0].ready(), 2);
    let findings = broker.diagnose().await.unwrap();
    let integrity = findings
        .iter()
        .find(|advice| advice.subject == "integrity")
        .unwrap();
    assert_eq!(integrity.found, "ok");
}
