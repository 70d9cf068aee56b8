//! What is published arrives, unchanged, where it was sent.

use bytes::Bytes;

use super::fixture::{Fixture, borrowed, id, ids, message, publish};
use super::runner::cases;
use crate::{ExchangeKind, Publish, Route, Settled, Verdict};

cases![
    published_message_is_reserved_and_acknowledged,
    message_arrives_unchanged,
    batch_keeps_its_order,
    megabyte_payload,
    unicode_everywhere,
    odd_queue_names_stay_apart,
    direct_exchange_of_the_queues_name,
    what_cannot_be_decoded_ends_up_parked,
];

async fn published_message_is_reserved_and_acknowledged(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    fixture.publish("q", &["a"]).await;
    assert_eq!(fixture.ready("q").await, 1);
    let delivery = member.take_one().await;
    assert_eq!(
        (
            id(&delivery).as_str(),
            &*delivery.queue,
            delivery.redelivered
        ),
        ("a", "q", false)
    );
    assert_eq!(fixture.ready("q").await, 0);
    member.ack(&delivery).await;
    assert_eq!(
        member.settle(&delivery.tag, Verdict::Ack).await,
        Settled::Refused,
        "an ack counts once"
    );
    assert_eq!(member.close().await, 0, "nothing was held");
    assert_eq!(fixture.ready("q").await, 0);
}

async fn message_arrives_unchanged(fixture: Fixture) {
    let mut sent = message("a");
    sent.headers.extra.insert("x-trace", "00-ab-cd-01");
    sent.headers.retries = Some(3);
    sent.properties.reply_to = Some("reply-queue".to_owned());
    sent.properties.priority = Some(4);
    sent.properties.expiration = Some("60000".to_owned());
    sent.body = Bytes::from_static(b"[[1.10, 12345678901234567890123], {\"a\": NaN}, {}]");
    let member = fixture.consumer(&["q"]).await;
    fixture.publish_all(vec![publish("q", sent.clone())]).await;
    let got = member
        .take_one()
        .await
        .message
        .into_message()
        .expect("it can be understood");
    assert_eq!(got.body, sent.body, "the body's bytes");
    assert_eq!(got.headers, sent.headers);
    assert_eq!(got.content_type, sent.content_type);
    assert_eq!(got.properties.reply_to, sent.properties.reply_to);
    assert_eq!(got.properties.priority, sent.properties.priority);
    assert_eq!(got.properties.expiration, sent.properties.expiration);
    assert_eq!(
        got.properties.correlation_id,
        sent.properties.correlation_id
    );
}

async fn batch_keeps_its_order(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    let sent = ids("m", 1_000);
    fixture.publish("q", &borrowed(&sent)).await;
    assert_eq!(member.take_ids(1_000).await, sent);
}

async fn megabyte_payload(fixture: Fixture) {
    let mut sent = message("big");
    sent.body = format!("[[\"{}\"], {{}}, {{}}]", "x".repeat(1 << 20)).into();
    let member = fixture.consumer(&["q"]).await;
    fixture.publish_all(vec![publish("q", sent.clone())]).await;
    let delivery = member.take_one().await;
    assert!(
        delivery
            .message
            .as_ref()
            .is_ok_and(|got| got.body == sent.body)
    );
    member.ack(&delivery).await;
}

async fn unicode_everywhere(fixture: Fixture) {
    let mut sent = message("ünïcode-☃-😀");
    sent.headers.task = Some("aufgaben.prüfen".to_owned());
    sent.body = "[[\"zażółć 😀\\u0000\"], {\"ключ\": \"值\"}, {}]".into();
    let member = fixture.consumer(&["очередь-☃"]).await;
    fixture
        .publish_all(vec![publish("очередь-☃", sent.clone())])
        .await;
    let delivery = member.take_one().await;
    assert_eq!(&*delivery.queue, "очередь-☃");
    let got = delivery.message.as_ref().expect("it can be understood");
    assert_eq!((&got.headers, &got.body), (&sent.headers, &sent.body));
    member.ack(&delivery).await;
}

async fn odd_queue_names_stay_apart(fixture: Fixture) {
    let names = [
        "q",
        "q ",
        "Q",
        "q:3",
        "q.*",
        "q[a]?",
        "a/b\\c",
        "{q}",
        "quo\"te'",
        "q%20",
        "-",
        "celery.pidbox",
    ];
    for name in names {
        fixture.publish(name, &[name]).await;
    }
    for name in names {
        let member = fixture.consumer(&[name]).await;
        let delivery = member.take_one().await;
        assert_eq!((id(&delivery).as_str(), &*delivery.queue), (name, name));
        member.ack(&delivery).await;
        member.assert_quiet().await;
        member.close().await;
    }
}

async fn direct_exchange_of_the_queues_name(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    let route = Route::Exchange {
        name: "q".to_owned(),
        kind: ExchangeKind::Direct,
        routing_key: "q".to_owned(),
    };
    fixture
        .publish_all(vec![Publish {
            message: message("a"),
            route,
        }])
        .await;
    assert_eq!(id(&member.take_one().await), "a");
}

/// Whether the broker parks such bytes itself or hands them out to be parked, they stand in nobody's way.
async fn what_cannot_be_decoded_ends_up_parked(fixture: Fixture) {
    let poison: [&[u8]; 3] = [b"not json", b"{\"body\": 1}", b"[\xff\xfe"];
    for raw in poison {
        fixture
            .instance
            .publish_raw("q", Bytes::from_static(raw))
            .await;
    }
    fixture.publish("q", &["good"]).await;
    let member = fixture.consumer(&["q"]).await;
    loop {
        let delivery = member.take_one().await;
        match &*delivery.message {
            Ok(_) => break member.ack(&delivery).await,
            Err(error) => {
                member
                    .give(
                        &delivery,
                        Verdict::Park {
                            reason: error.to_string(),
                        },
                    )
                    .await
            }
        }
    }
    let parked = fixture
        .admin()
        .parked(10)
        .await
        .expect("parked messages are listed");
    let mut raws: Vec<&[u8]> = parked.iter().map(|parked| &*parked.raw).collect();
    let mut expected = poison.to_vec();
    raws.sort_unstable();
    expected.sort_unstable();
    assert_eq!(raws, expected);
    assert!(
        parked
            .iter()
            .all(|parked| parked.queue == "q" && !parked.reason.is_empty())
    );
}
