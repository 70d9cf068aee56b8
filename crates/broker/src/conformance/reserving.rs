//! Which messages a consumer gets, in which order, and how it waits for them.

use std::collections::BTreeMap;

use super::fixture::{Fixture, Member, borrowed, id, ids, prioritised, publish};
use super::runner::cases;
use crate::{ErrorKind, QueueOrder, Verdict};

cases![
    first_in_first_out,
    priorities_are_served_in_order,
    priorities_of_one_step_are_first_in_first_out,
    priority_comes_before_queue,
    round_robin_is_fair_one_by_one,
    round_robin_is_fair_in_batches,
    strict_order_empties_the_first_queue_first,
    sorted_order_is_alphabetical,
    batch_is_bounded,
    batch_takes_what_is_there_without_waiting_for_more,
    waiting_reserve_wakes_up,
    a_waiting_reserve_that_was_dropped_takes_nothing,
    only_its_own_queues,
    set_queues_reaches_a_waiting_reserve,
    closed_consumer_refuses,
];

async fn first_in_first_out(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    for id in ["a", "b", "c"] {
        fixture.publish("q", &[id]).await;
    }
    assert_eq!(member.take_ids(3).await, ["a", "b", "c"]);
}

/// Publishes one message of each priority; its id is the priority.
async fn publish_priorities(fixture: &Fixture, priorities: &[i64]) {
    let messages = priorities
        .iter()
        .map(|priority| publish("q", prioritised(&priority.to_string(), *priority)));
    fixture.publish_all(messages.collect()).await;
}

async fn priorities_are_served_in_order(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    publish_priorities(&fixture, &[6, 0, 9, 3]).await;
    let mut expected = ["0", "3", "6", "9"];
    if !fixture.broker().capabilities().low_priority_number_first {
        expected.reverse();
    }
    for expected in expected {
        assert_eq!(id(&member.take_one().await), expected);
    }
}

async fn priorities_of_one_step_are_first_in_first_out(fixture: Fixture) {
    if !fixture.broker().capabilities().low_priority_number_first {
        return;
    }
    let member = fixture.consumer(&["q"]).await;
    publish_priorities(&fixture, &[2, 5, 1, 8, 0, 3, 7]).await;
    assert_eq!(
        member.take_ids(7).await,
        ["2", "1", "0", "5", "3", "8", "7"]
    );
}

async fn priority_comes_before_queue(fixture: Fixture) {
    let low_first = fixture.broker().capabilities().low_priority_number_first;
    let (urgent, lazy) = if low_first { (0, 9) } else { (9, 0) };
    let member = fixture.consumer(&["a", "b"]).await;
    let lazy = publish("a", prioritised("lazy", lazy));
    fixture
        .publish_all(vec![lazy, publish("b", prioritised("urgent", urgent))])
        .await;
    assert_eq!(member.take_ids(2).await, ["urgent", "lazy"]);
}

/// Three queues; the first is long, the others are short.
async fn fill_unevenly(fixture: &Fixture) {
    for (queue, count) in [("a", 50), ("b", 4), ("c", 4)] {
        fixture.publish(queue, &borrowed(&ids(queue, count))).await;
    }
}

async fn count_by_queue(member: &Member, takes: &[usize]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for count in takes {
        for delivery in member.take(*count).await {
            *counts.entry(delivery.queue.to_string()).or_default() += 1;
        }
    }
    counts
}

fn even(count: usize) -> BTreeMap<String, usize> {
    ["a", "b", "c"]
        .map(|queue| (queue.to_owned(), count))
        .into()
}

async fn round_robin_is_fair_one_by_one(fixture: Fixture) {
    fill_unevenly(&fixture).await;
    let member = fixture.consumer(&["a", "b", "c"]).await;
    assert_eq!(count_by_queue(&member, &[1; 12]).await, even(4));
}

async fn round_robin_is_fair_in_batches(fixture: Fixture) {
    fill_unevenly(&fixture).await;
    let member = fixture.consumer(&["a", "b", "c"]).await;
    assert_eq!(count_by_queue(&member, &[6, 6]).await, even(4));
    assert_eq!(
        member.take(46).await.len(),
        46,
        "a short queue leaves its share to the others"
    );
}

async fn strict_order_empties_the_first_queue_first(fixture: Fixture) {
    let member = fixture
        .ordered_consumer(&["b", "a"], QueueOrder::Strict)
        .await;
    fixture.publish("a", &["a0", "a1"]).await;
    fixture.publish("b", &["b0", "b1", "b2"]).await;
    assert_eq!(member.take_ids(1).await, ["b0"]);
    assert_eq!(member.take_ids(4).await, ["b1", "b2", "a0", "a1"]);
}

async fn sorted_order_is_alphabetical(fixture: Fixture) {
    let member = fixture
        .ordered_consumer(&["b", "c", "a"], QueueOrder::Sorted)
        .await;
    for queue in ["c", "b", "a"] {
        fixture.publish(queue, &[queue]).await;
    }
    assert_eq!(member.take_ids(3).await, ["a", "b", "c"]);
}

async fn batch_is_bounded(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &borrowed(&ids("m", 10))).await;
    let taken = member.consumer.reserve(4).await.expect("reserving works");
    assert!((1..=4).contains(&taken.len()), "{} taken", taken.len());
    assert_eq!(
        fixture.ready("q").await,
        10 - taken.len() as u64,
        "the rest is left for others"
    );
}

async fn batch_takes_what_is_there_without_waiting_for_more(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b"]).await;
    assert_eq!(member.take(2).await.len(), 2);
    fixture.publish("q", &["c"]).await;
    let taken =
        super::fixture::within("a batch that is not full", member.consumer.reserve(100)).await;
    assert_eq!(taken.expect("reserving works").len(), 1);
}

async fn waiting_reserve_wakes_up(fixture: Fixture) {
    let member = fixture.consumer(&["a", "b"]).await;
    for queue in ["a", "b", "a"] {
        let publish = async {
            tokio::time::sleep(super::fixture::QUIET).await;
            fixture.publish(queue, &["m"]).await;
        };
        let (delivery, ()) = tokio::join!(member.take_one(), publish);
        assert_eq!(&*delivery.queue, queue);
        member.give(&delivery, Verdict::Ack).await;
    }
}

/// A worker that stops has asked before and waits no more: what comes then is for others.
async fn a_waiting_reserve_that_was_dropped_takes_nothing(fixture: Fixture) {
    let stopping = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["before"]).await;
    let held = stopping.take_one().await;
    stopping.assert_quiet().await;
    // Whatever was asked before this has reached the server when it is answered.
    stopping.give(&held, Verdict::Ack).await;
    fixture.publish("q", &["m"]).await;
    tokio::time::sleep(super::fixture::QUIET).await;
    assert_eq!(fixture.ready("q").await, 1);
}

async fn only_its_own_queues(fixture: Fixture) {
    let member = fixture.consumer(&["mine"]).await;
    fixture.publish("other", &["a"]).await;
    member.assert_quiet().await;
    assert_eq!(fixture.ready("other").await, 1);
}

async fn set_queues_reaches_a_waiting_reserve(fixture: Fixture) {
    let member = fixture.consumer(&["a"]).await;
    fixture.publish("b", &["m"]).await;
    let change = async {
        tokio::time::sleep(super::fixture::QUIET).await;
        member
            .consumer
            .set_queues(vec!["b".to_owned()])
            .await
            .expect("queues change");
    };
    let (delivery, ()) = tokio::join!(member.take_one(), change);
    assert_eq!(&*delivery.queue, "b");
    fixture.publish("a", &["m"]).await;
    member.assert_quiet().await;
}

async fn closed_consumer_refuses(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    member.close().await;
    fixture.publish("q", &["a"]).await;
    let refused = member
        .consumer
        .reserve(1)
        .await
        .expect_err("a closed consumer takes nothing");
    assert_eq!(refused.kind(), ErrorKind::Closed);
    assert_eq!(fixture.ready("q").await, 1);
}
