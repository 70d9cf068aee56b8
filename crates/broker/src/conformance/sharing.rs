//! Many consumers, futures dropped halfway, deaths under load: nothing is lost and nothing is doubled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

use super::fixture::{Fixture, Member, borrowed, eventually, id, ids, within};
use super::runner::cases;
use crate::{Settled, Settlement, Verdict};

cases![
    dropped_reserves_lose_nothing,
    dropped_reserves_leave_the_queue_to_others,
    many_consumers_get_each_message_once,
    deaths_under_load_lose_nothing,
];

/// How often each task was acknowledged.
type Acks = Arc<Mutex<BTreeMap<String, usize>>>;

async fn total(acks: &Acks) -> usize {
    acks.lock().await.len()
}

async fn assert_each_once(acks: &Acks, expected: usize) {
    let acks = acks.lock().await;
    assert_eq!(acks.len(), expected, "every message was run");
    assert!(
        acks.values().all(|count| *count == 1),
        "none was run twice: {acks:?}"
    );
}

/// Acknowledges what was taken, in one batch, and counts what was accepted.
async fn acknowledge(member: &Member, taken: Vec<crate::Delivery>, acks: &Acks) {
    let batch = taken
        .iter()
        .map(|delivery| Settlement::new(delivery.tag.clone(), Verdict::Ack))
        .collect();
    let settled = member.settle_all(batch).await;
    let mut acks = acks.lock().await;
    for delivery in taken
        .iter()
        .zip(settled)
        .filter(|(_, settled)| *settled == Settled::Done)
        .map(|(taken, _)| taken)
    {
        *acks.entry(id(delivery)).or_default() += 1;
    }
}

/// Drops reserve futures after a random number of polls or a random time, while messages come in.
async fn dropped_reserves_lose_nothing(fixture: Fixture) {
    const MESSAGES: usize = 400;
    let member = fixture.consumer(&["a", "b"]).await;
    let acks = Acks::default();
    let publish = async {
        for (number, id) in ids("m", MESSAGES).iter().enumerate() {
            fixture.publish(["a", "b"][number % 2], &[id]).await;
        }
    };
    let consume = async {
        while total(&acks).await < MESSAGES {
            let patience = Duration::from_micros(fastrand::u64(0..1_500));
            if let Ok(taken) =
                timeout(patience, member.consumer.reserve(fastrand::usize(1..8))).await
            {
                acknowledge(&member, taken.expect("reserving works"), &acks).await;
            }
            yield_now().await;
        }
    };
    within("all messages through dropped futures", async {
        tokio::join!(publish, consume)
    })
    .await;
    assert_each_once(&acks, MESSAGES).await;
    assert_eq!(member.close().await, 0, "nothing was stranded");
}

/// What a dropped future had taken is given back when the consumer closes.
async fn dropped_reserves_leave_the_queue_to_others(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    for number in 0..50 {
        timeout(
            Duration::from_micros(number * 40),
            member.consumer.reserve(1),
        )
        .await
        .ok();
        fixture.publish("q", &[&format!("m{number}")]).await;
    }
    member.close().await;
    let other = fixture.consumer(&["q"]).await;
    let mut got = other.take_ids(50).await;
    let mut expected = ids("m", 50);
    got.sort();
    expected.sort();
    assert_eq!(got, expected);
}

async fn many_consumers_get_each_message_once(fixture: Fixture) {
    const MESSAGES: usize = 1_000;
    let acks = Acks::default();
    let mut running = JoinSet::new();
    for _ in 0..8 {
        let (member, acks) = (fixture.consumer(&["q"]).await, acks.clone());
        running.spawn(async move {
            loop {
                let taken = member.consumer.reserve(fastrand::usize(1..6)).await;
                acknowledge(&member, taken.expect("reserving works"), &acks).await;
            }
        });
    }
    for chunk in ids("m", MESSAGES).chunks(50) {
        fixture.publish("q", &borrowed(chunk)).await;
    }
    let acks = &acks;
    eventually("every message to be acknowledged", || async move {
        total(acks).await == MESSAGES
    })
    .await;
    running.shutdown().await;
    assert_each_once(acks, MESSAGES).await;
}

/// Consumers die while they hold messages that they have not started; all run, each once.
async fn deaths_under_load_lose_nothing(fixture: Fixture) {
    const MESSAGES: usize = 200;
    let acks = Acks::default();
    fixture.publish("q", &borrowed(&ids("m", MESSAGES))).await;
    for _ in 0..10 {
        let member = fixture.consumer(&["q"]).await;
        let mut taken = member.consumer.reserve(10).await.expect("reserving works");
        let keep = fastrand::usize(0..=taken.len());
        taken.truncate(keep);
        acknowledge(&member, taken, &acks).await;
        drop(member);
    }
    let survivor = fixture.consumer(&["q"]).await;
    while total(&acks).await < MESSAGES {
        let taken = within("orphans to be ready", survivor.consumer.reserve(20)).await;
        acknowledge(&survivor, taken.expect("reserving works"), &acks).await;
    }
    assert_each_once(&acks, MESSAGES).await;
}
