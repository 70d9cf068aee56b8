//! What an operator asks and does.

use std::time::Duration;

use jiff::Timestamp;
use protocol::{Limits, Message};

use super::fixture::{Fixture, Member, borrowed, id, ids, message, prioritised, publish};
use super::runner::cases;
use crate::{Binding, ErrorKind, ExchangeKind, ParkedAction, Publish, Route, Source, Verdict};

cases![
    server_answers,
    queues_are_listed,
    bindings_are_listed_but_for_mailboxes,
    a_queue_can_be_bound_to_any_exchange_that_stores,
    depth_counts_by_priority,
    purge_deletes_what_is_ready,
    purge_leaves_held_messages_alone,
    peek_takes_nothing,
    deferred_messages_are_listed,
    a_deferred_message_can_be_hastened,
    parked_message_is_listed_with_its_reason,
    parked_message_goes_back_to_its_queue,
    parked_message_is_deleted,
    parked_messages_are_listed_oldest_first,
    unknown_parked_message,
    held_messages_are_counted_where_known,
    server_is_diagnosed,
];

async fn server_answers(fixture: Fixture) {
    assert!(fixture.admin().ping().await.expect("the server answers") < Duration::from_secs(30));
}

async fn queues_are_listed(fixture: Fixture) {
    fixture.publish("published", &["a"]).await;
    let _member = fixture.consumer(&["consumed"]).await;
    let queues = fixture.admin().queues().await.expect("queues are listed");
    for queue in ["published", "consumed"] {
        assert_eq!(
            queues.iter().filter(|name| *name == queue).count(),
            1,
            "{queue} in {queues:?}"
        );
    }
}

async fn bindings_are_listed_but_for_mailboxes(fixture: Fixture) {
    let _members = [
        fixture.consumer(&["b"]).await,
        fixture.consumer(&["a"]).await,
    ];
    let exchange = "reply.celery.pidbox".to_owned();
    let mailbox = Source::Mailbox {
        queue: format!("oid.{exchange}"),
        exchange,
        kind: ExchangeKind::Direct,
        routing_key: "oid".to_owned(),
        expires: Duration::from_secs(60),
    };
    let subscribed = fixture.broker().subscribe(mailbox).await;
    let _mailbox = subscribed.expect("a mailbox opens");
    let bindings = fixture.admin().bindings().await;
    let own = |name: &str| Binding {
        queue: name.to_owned(),
        exchange: name.to_owned(),
        routing_key: name.to_owned(),
    };
    assert_eq!(bindings.expect("bindings are listed"), [own("a"), own("b")]);
    let queues = fixture.admin().queues().await;
    assert_eq!(queues.expect("queues are listed"), ["a", "b"]);
}

async fn a_queue_can_be_bound_to_any_exchange_that_stores(fixture: Fixture) {
    let binding = |exchange: &str, routing_key: &str| Binding {
        queue: "q".to_owned(),
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
    };
    let bindings = [
        (binding("plain", "key"), ExchangeKind::Direct),
        (binding("talk", "a.*"), ExchangeKind::Topic),
    ];
    for (binding, kind) in bindings.clone() {
        // Twice is as once.
        for _ in 0..2 {
            let bound = fixture.broker().bind(binding.clone(), kind).await;
            bound.expect("the queue is bound");
        }
    }
    let listed = fixture.admin().bindings().await.expect("they are listed");
    assert_eq!(listed, bindings.map(|(binding, _)| binding));
    let sent = [
        ("plain", ExchangeKind::Direct, "key"),
        ("plain", ExchangeKind::Direct, "other"),
        ("talk", ExchangeKind::Topic, "a.b"),
    ];
    for (name, kind, routing_key) in sent {
        let route = Route::Exchange {
            name: name.to_owned(),
            kind,
            routing_key: routing_key.to_owned(),
        };
        let message = message(routing_key);
        let published = fixture.broker().publish(vec![Publish { message, route }]);
        published.await.expect("it is published");
    }
    let depth = fixture.admin().depth(&["q".to_owned()]).await;
    assert_eq!(depth.expect("the depth is told")[0].ready(), 2);
    let fanout = fixture
        .broker()
        .bind(binding("f", ""), ExchangeKind::Fanout);
    let refused = fanout.await.expect_err("it stores nothing");
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

async fn depth_counts_by_priority(fixture: Fixture) {
    let messages = [(0, 3), (3, 2), (9, 1)]
        .into_iter()
        .flat_map(|(priority, count)| {
            (0..count).map(move |number| {
                publish("q", prioritised(&format!("{priority}-{number}"), priority))
            })
        });
    fixture.publish_all(messages.collect()).await;
    let depth = fixture
        .admin()
        .depth(&["none".to_owned(), "q".to_owned()])
        .await
        .expect("depth is known");
    assert_eq!((depth[0].queue.as_str(), depth[0].ready()), ("none", 0));
    assert_eq!((depth[1].queue.as_str(), depth[1].ready()), ("q", 6));
    assert_eq!(depth[1].by_priority, [(0, 3), (3, 2), (9, 1)]);
}

async fn purge_deletes_what_is_ready(fixture: Fixture) {
    fixture.publish("q", &borrowed(&ids("m", 7))).await;
    fixture
        .publish_all(vec![publish("q", prioritised("lazy", 9))])
        .await;
    fixture.publish("other", &["a"]).await;
    assert_eq!(fixture.admin().purge("q").await.expect("purging works"), 8);
    assert_eq!(
        (fixture.ready("q").await, fixture.ready("other").await),
        (0, 1)
    );
    assert_eq!(fixture.admin().purge("q").await.expect("purging works"), 0);
}

async fn purge_leaves_held_messages_alone(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["held", "ready"]).await;
    let held = member.take_one().await;
    assert_eq!(fixture.admin().purge("q").await.expect("purging works"), 1);
    member.ack(&held).await;
}

async fn peek_takes_nothing(fixture: Fixture) {
    fixture.publish("q", &["a", "b", "c"]).await;
    let raws = fixture.admin().peek("q", 2).await.expect("peeking works");
    let ids: Vec<_> = raws.iter().map(|raw| message_id(raw)).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(fixture.ready("q").await, 3);
}

fn message_id(raw: &[u8]) -> String {
    let message =
        Message::from_envelope(raw, &Limits::default()).expect("it is stored as an envelope");
    message.headers.id.expect("conformance messages have an id")
}

async fn a_deferred_message_can_be_hastened(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b"]).await;
    let until = Timestamp::now() + Duration::from_secs(3_600);
    for delivery in member.take(2).await {
        member.give(&delivery, Verdict::Defer { until }).await;
    }
    let waiting = fixture.admin().deferred(10).await.expect("they are listed");
    let second = [waiting[1].id.clone(), "unknown".to_owned()];
    let hastened = fixture.admin().hasten(&second).await;
    assert_eq!(hastened.expect("it is hastened"), 1);
    assert_eq!(id(&member.take(1).await[0]), "b");
    let again = fixture.admin().hasten(&second).await;
    assert_eq!(again.expect("nothing is hastened"), 0);
    let waiting = fixture.admin().deferred(10).await.expect("they are listed");
    assert_eq!(waiting.len(), 1);
}

async fn deferred_messages_are_listed(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b", "c"]).await;
    let now = Timestamp::now();
    for (delivery, hours) in member.take(3).await.iter().zip([3, 1, 2]) {
        member
            .give(
                delivery,
                Verdict::Defer {
                    until: now + Duration::from_secs(hours * 3600),
                },
            )
            .await;
    }
    let deferred = fixture
        .admin()
        .deferred(2)
        .await
        .expect("deferred messages are listed");
    let ids: Vec<_> = deferred
        .iter()
        .map(|deferred| message_id(&deferred.raw))
        .collect();
    assert_eq!(ids, ["b", "c"]);
    assert!(
        deferred
            .iter()
            .all(|deferred| deferred.queue == "q" && deferred.due > now)
    );
    assert_eq!(fixture.ready("q").await, 0);
}

/// Parks one message and returns the id it is parked under.
async fn park(fixture: &Fixture, member: &Member, reason: &str) -> String {
    let known = parked_ids(fixture).await;
    let delivery = member.take_one().await;
    member
        .give(
            &delivery,
            Verdict::Park {
                reason: reason.to_owned(),
            },
        )
        .await;
    let new = parked_ids(fixture)
        .await
        .into_iter()
        .find(|id| !known.contains(id));
    new.expect("the parked message is listed")
}

async fn parked_ids(fixture: &Fixture) -> Vec<String> {
    let parked = fixture
        .admin()
        .parked(100)
        .await
        .expect("parked messages are listed");
    parked.into_iter().map(|parked| parked.id).collect()
}

async fn parked_message_is_listed_with_its_reason(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    park(&fixture, &member, "unknown task: \"prüfen\"").await;
    let parked = fixture
        .admin()
        .parked(10)
        .await
        .expect("parked messages are listed");
    let [parked] = parked.as_slice() else {
        panic!("one message is parked, not {parked:?}")
    };
    assert_eq!(parked.reason, "unknown task: \"prüfen\"");
    assert_eq!(
        (parked.queue.as_str(), parked.node.as_str()),
        ("q", "conformance@host")
    );
    assert_eq!(message_id(&parked.raw), "a");
    assert_eq!(fixture.ready("q").await, 0);
    assert_eq!(member.close().await, 0, "a parked message is not held");
}

async fn parked_message_goes_back_to_its_queue(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let parked = park(&fixture, &member, "for a test").await;
    let done = fixture
        .admin()
        .settle_parked(&parked, ParkedAction::Requeue)
        .await;
    assert!(done.expect("requeueing works"));
    let again = member.take_one().await;
    assert_eq!(id(&again), "a");
    member.ack(&again).await;
    assert!(parked_ids(&fixture).await.is_empty());
}

async fn parked_message_is_deleted(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    let parked = park(&fixture, &member, "for a test").await;
    for expected in [true, false] {
        let done = fixture
            .admin()
            .settle_parked(&parked, ParkedAction::Delete)
            .await;
        assert_eq!(done.expect("deleting works"), expected);
    }
    assert!(parked_ids(&fixture).await.is_empty());
    assert_eq!(fixture.ready("q").await, 0);
}

async fn parked_messages_are_listed_oldest_first(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b", "c"]).await;
    for reason in ["first", "second", "third"] {
        park(&fixture, &member, reason).await;
        // Servers may keep times in whole milliseconds.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let parked = fixture
        .admin()
        .parked(2)
        .await
        .expect("parked messages are listed");
    let reasons: Vec<_> = parked.iter().map(|parked| parked.reason.as_str()).collect();
    assert_eq!(reasons, ["first", "second"]);
}

async fn unknown_parked_message(fixture: Fixture) {
    for id in ["", "none", "12345678"] {
        let done = fixture
            .admin()
            .settle_parked(id, ParkedAction::Requeue)
            .await;
        assert!(!done.expect("the question is answered"), "id {id:?}");
    }
}

async fn held_messages_are_counted_where_known(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a", "b"]).await;
    let held = member.take(2).await;
    let workers = fixture.admin().workers().await.expect("workers are listed");
    assert_eq!(workers.len(), 1);
    assert!(
        workers[0]
            .held
            .is_none_or(|count| count == held.len() as u64),
        "{workers:?}"
    );
}

async fn server_is_diagnosed(fixture: Fixture) {
    let advice = fixture
        .admin()
        .diagnose()
        .await
        .expect("the server is diagnosed");
    assert!(!advice.is_empty());
    for advice in advice {
        let has_remedy = !advice.remedy.is_empty();
        assert_eq!(
            has_remedy,
            advice.severity != crate::Severity::Fine,
            "{advice:?}"
        );
    }
}
