//! What becomes of a held message, and what is written in the same step.

use std::time::Duration;

use jiff::Timestamp;
use protocol::State;

use super::fixture::{Fixture, borrowed, eventually, id, ids, message, meta, prioritised, publish};
use super::runner::cases;
use crate::{ParkedAction, Settled, Settlement, Tag, Verdict};

cases![
    requeue_at_the_front,
    requeue_at_the_back,
    requeue_keeps_the_priority,
    redelivered_message_says_so,
    returned_message_is_as_it_came,
    deaths_are_counted_until_somebody_else_decides,
    keep_leaves_it_held,
    close_gives_back_in_order,
    deferred_message_waits_for_its_time,
    deferred_messages_come_soonest_first,
    deferred_message_survives_its_consumer,
    deferred_to_the_past_is_ready_at_once,
    ack_stores_and_publishes,
    keep_stores,
    success_is_not_overwritten_by_a_settlement,
    refused_settlement_writes_nothing,
    unknown_tag_is_refused,
    batch_is_answered_in_order,
    large_batch_is_carried_out,
];

async fn requeue_at_the_front(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b"]).await;
    let first = member.take_one().await;
    member.give(&first, Verdict::Requeue { front: true }).await;
    assert_eq!(
        member.settle(&first.tag, Verdict::Ack).await,
        Settled::Refused,
        "it is no longer held"
    );
    assert_eq!(member.take_ids(2).await, ["a", "b"]);
}

async fn requeue_at_the_back(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b"]).await;
    let first = member.take_one().await;
    member.give(&first, Verdict::Requeue { front: false }).await;
    assert_eq!(member.take_ids(2).await, ["b", "a"]);
}

async fn requeue_keeps_the_priority(fixture: Fixture) {
    let low_first = fixture.broker().capabilities().low_priority_number_first;
    let (urgent, lazy) = if low_first { (0, 9) } else { (9, 0) };
    let member = fixture.consumer(&["q"]).await;
    fixture
        .publish_all(vec![publish("q", prioritised("lazy", lazy))])
        .await;
    let delivery = member.take_one().await;
    fixture
        .publish_all(vec![publish("q", prioritised("urgent", urgent))])
        .await;
    member
        .give(&delivery, Verdict::Requeue { front: true })
        .await;
    assert_eq!(member.take_ids(2).await, ["urgent", "lazy"]);
}

async fn returned_message_is_as_it_came(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b", "c"]).await;
    let first = member.take_one().await;
    let [died, second] = &member.take(2).await[..] else {
        unreachable!("two were taken");
    };
    member.give(died, Verdict::Died).await;
    let died = member.take_one().await;
    for delivery in [second, &died, &first] {
        member.give(delivery, Verdict::Return).await;
    }
    let again = member.take(3).await;
    let told: Vec<_> = again
        .iter()
        .map(|delivery| (id(delivery), delivery.redelivered, delivery.deaths))
        .collect();
    let expected = [("a", false, 0), ("b", true, 1), ("c", false, 0)];
    assert_eq!(
        told,
        expected.map(|(id, redelivered, deaths)| (id.to_owned(), redelivered, deaths))
    );
    assert_eq!(
        member.settle(&first.tag, Verdict::Return).await,
        Settled::Refused,
        "it was given back before"
    );
}

async fn redelivered_message_says_so(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let first = member.take_one().await;
    assert!(!first.redelivered);
    member.give(&first, Verdict::Requeue { front: true }).await;
    let second = member.take_one().await;
    assert!(second.redelivered);
    let message = second.message.as_ref().expect("it can be understood");
    let info = message
        .properties
        .delivery_info
        .as_ref()
        .expect("delivery info is filled in");
    assert_eq!(
        info.redelivered,
        Some(true),
        "Python's workers read it from the delivery info"
    );
    assert_eq!(info.routing_key, "q");
}

async fn deaths_are_counted_until_somebody_else_decides(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b"]).await;
    for deaths in 0..3 {
        let delivery = member.take_one().await;
        assert_eq!((id(&delivery).as_str(), delivery.deaths), ("a", deaths));
        assert_eq!(delivery.redelivered, deaths > 0);
        member.give(&delivery, Verdict::Died).await;
    }
    let delivery = member.take_one().await;
    assert_eq!(delivery.deaths, 3);
    member
        .give(&delivery, Verdict::Requeue { front: true })
        .await;
    let delivery = member.take_one().await;
    assert_eq!(delivery.deaths, 3, "who gives back has not died");
    let reason = "it kills".to_owned();
    member.give(&delivery, Verdict::Park { reason }).await;
    let admin = fixture.admin();
    let parked = admin.parked(10).await.expect("the broker answers");
    let requeued = admin.settle_parked(&parked[0].id, ParkedAction::Requeue);
    assert!(requeued.await.expect("the broker answers"));
    assert_eq!(member.take_ids(1).await, ["b"]);
    let delivery = member.take_one().await;
    assert_eq!(delivery.deaths, 0, "an operator gives it another chance");
}

async fn keep_leaves_it_held(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let delivery = member.take_one().await;
    member.give(&delivery, Verdict::Keep).await;
    member.assert_quiet().await;
    member.ack(&delivery).await;
    assert_eq!(
        member.settle(&delivery.tag, Verdict::Keep).await,
        Settled::Refused
    );
}

async fn close_gives_back_in_order(fixture: Fixture) {
    let sent = ids("m", 8);
    fixture.publish("q", &borrowed(&sent)).await;
    let member = fixture.consumer(&["q"]).await;
    let held = member.take(5).await;
    member.ack(&held[1]).await;
    assert_eq!(member.close().await, 4);
    let other = fixture.consumer(&["q"]).await;
    let taken = other.take(7).await;
    assert_eq!(
        taken.iter().map(id).collect::<Vec<_>>(),
        ["m0", "m2", "m3", "m4", "m5", "m6", "m7"]
    );
    let redelivered: Vec<bool> = taken.iter().map(|delivery| delivery.redelivered).collect();
    assert_eq!(redelivered, [true, true, true, true, false, false, false]);
}

fn in_millis(millis: i64) -> Timestamp {
    Timestamp::now() + jiff::SignedDuration::from_millis(millis)
}

async fn deferred_message_waits_for_its_time(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let delivery = member.take_one().await;
    let due = in_millis(1_200);
    member.give(&delivery, Verdict::Defer { until: due }).await;
    assert_eq!(
        member.settle(&delivery.tag, Verdict::Ack).await,
        Settled::Refused,
        "nobody holds it now"
    );
    let again = member.take_one().await;
    // Servers may keep times in whole milliseconds.
    assert!(
        Timestamp::now() >= due - Duration::from_millis(2),
        "it came before its time"
    );
    assert_eq!(id(&again), "a");
    member.ack(&again).await;
}

async fn deferred_messages_come_soonest_first(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["late", "soon"]).await;
    let held = member.take(2).await;
    let start = Timestamp::now();
    let after = |millis| start + Duration::from_millis(millis);
    member
        .give(
            &held[0],
            Verdict::Defer {
                until: after(1_500),
            },
        )
        .await;
    member
        .give(&held[1], Verdict::Defer { until: after(500) })
        .await;
    let listed = fixture
        .admin()
        .deferred(10)
        .await
        .expect("deferred messages are listed");
    assert!(
        listed.len() == 2 && listed[0].due < listed[1].due,
        "{listed:?}"
    );
    assert_eq!(member.take_ids(2).await, ["soon", "late"]);
}

async fn deferred_message_survives_its_consumer(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let delivery = member.take_one().await;
    member
        .give(
            &delivery,
            Verdict::Defer {
                until: in_millis(1_000),
            },
        )
        .await;
    assert_eq!(member.close().await, 0, "a deferred message is not held");
    let other = fixture.consumer(&["q"]).await;
    let again = other.take_one().await;
    assert_eq!(id(&again), "a");
    other.ack(&again).await;
    other.assert_quiet().await;
}

async fn deferred_to_the_past_is_ready_at_once(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b"]).await;
    let delivery = member.take_one().await;
    member
        .give(
            &delivery,
            Verdict::Defer {
                until: in_millis(-60_000),
            },
        )
        .await;
    let mut got = member.take_ids(2).await;
    got.sort();
    assert_eq!(got, ["a", "b"]);
}

/// An acknowledgement that stores SUCCESS and publishes a follow-up in queue `next`.
fn finish(tag: &Tag, task_id: &str) -> Settlement {
    Settlement {
        store: Some(meta(task_id, State::Success, 42)),
        publish: vec![publish("next", message("follow-up"))],
        ..Settlement::new(tag.clone(), Verdict::Ack)
    }
}

async fn ack_stores_and_publishes(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let delivery = member.take_one().await;
    assert_eq!(
        member.settle_one(finish(&delivery.tag, "a")).await,
        Settled::Done
    );
    assert_eq!(fixture.stored("a").await, Some(State::Success));
    let next = fixture.consumer(&["next"]).await;
    assert_eq!(next.take_ids(1).await, ["follow-up"]);
}

async fn keep_stores(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let delivery = member.take_one().await;
    for status in [State::Started, State::Custom("PROGRESS".to_owned())] {
        let store = Some(meta("a", status.clone(), 1));
        let settlement = Settlement {
            store,
            ..Settlement::new(delivery.tag.clone(), Verdict::Keep)
        };
        assert_eq!(member.settle_one(settlement).await, Settled::Done);
        assert_eq!(fixture.stored("a").await, Some(status));
    }
    member.ack(&delivery).await;
}

async fn success_is_not_overwritten_by_a_settlement(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture
        .results()
        .store(vec![meta("a", State::Success, 1)])
        .await
        .expect("a meta is stored");
    fixture.publish("q", &["a"]).await;
    let delivery = member.take_one().await;
    let store = Some(meta("a", State::Failure, "late"));
    let settlement = Settlement {
        store,
        ..Settlement::new(delivery.tag.clone(), Verdict::Ack)
    };
    assert_eq!(
        member.settle_one(settlement).await,
        Settled::Done,
        "the message is done all the same"
    );
    assert_eq!(fixture.stored("a").await, Some(State::Success));
}

async fn refused_settlement_writes_nothing(fixture: Fixture) {
    let dead = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let stale = dead.take_one().await;
    drop(dead);
    let member = fixture.consumer(&["q"]).await;
    let current = member.take_one().await;
    assert_ne!(stale.tag, current.tag, "each hold has a tag of its own");
    assert_eq!(
        member.settle_one(finish(&stale.tag, "a")).await,
        Settled::Refused
    );
    assert_eq!(fixture.stored("a").await, None, "nothing was stored");
    assert_eq!(fixture.ready("next").await, 0, "nothing was published");
    member.ack(&current).await;
}

async fn unknown_tag_is_refused(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    for text in ["", "nobody:0:1", "no tag at all"] {
        assert_eq!(
            member.settle_one(finish(&Tag(text.into()), "a")).await,
            Settled::Refused,
            "tag {text:?}"
        );
    }
    assert_eq!(fixture.stored("a").await, None);
}

async fn batch_is_answered_in_order(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b", "c"]).await;
    let held = member.take(3).await;
    member.ack(&held[1]).await;
    let batch = vec![
        finish(&held[0].tag, "a"),
        finish(&held[1].tag, "b"),
        Settlement::new(held[2].tag.clone(), Verdict::Requeue { front: true }),
        Settlement::new(held[0].tag.clone(), Verdict::Keep),
    ];
    let expected = [
        Settled::Done,
        Settled::Refused,
        Settled::Done,
        Settled::Refused,
    ];
    assert_eq!(member.settle_all(batch).await, expected);
    assert_eq!(
        (fixture.stored("a").await, fixture.stored("b").await),
        (Some(State::Success), None)
    );
    assert_eq!(member.take_ids(1).await, ["c"]);
}

async fn large_batch_is_carried_out(fixture: Fixture) {
    const MESSAGES: usize = 1_500;
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &borrowed(&ids("m", MESSAGES))).await;
    let batch = member
        .take(MESSAGES)
        .await
        .iter()
        .map(|taken| finish(&taken.tag, &id(taken)))
        .collect();
    assert!(
        member
            .settle_all(batch)
            .await
            .iter()
            .all(|settled| *settled == Settled::Done)
    );
    let fixture = &fixture;
    eventually("every follow-up to be ready", || async move {
        fixture.ready("next").await == MESSAGES as u64
    })
    .await;
    assert_eq!(
        fixture.stored(&format!("m{}", MESSAGES - 1)).await,
        Some(State::Success)
    );
    assert_eq!(member.close().await, 0);
}
