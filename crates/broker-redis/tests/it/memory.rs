//! Short memory on the server: publishing says so, what is there stays, and settling goes on.

use std::time::Duration;

use broker::{
    Admin, Broker, ChordPart, Consumer, ConsumerParams, Delivery, ErrorKind, NewChord, Settled,
    Settlement, Verdict,
};
use protocol::{State, TaskMeta};
use testkit::RedisServer;

use crate::support::{eventually, id, open, params, take, to_queue};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_refuses_new_messages_and_loses_none() {
    let server = RedisServer::builder().maxmemory(8 << 20).start();
    let broker = open(&server).await;
    let (params, _notices) = params(&["q"]);
    let lease = Duration::from_millis(800);
    let consumer = broker
        .consumer(ConsumerParams {
            lease,
            visibility_timeout: lease,
            ..params
        })
        .await
        .unwrap();
    broker.publish(vec![to_queue("q", "held")]).await.unwrap();
    let held = take(&*consumer, 1).await;
    let mut published = 0;
    let error = loop {
        let mut publish = to_queue("q", &published.to_string());
        publish.message.body = vec![b'x'; 50_000].into();
        match broker.publish(vec![publish]).await {
            Ok(()) => published += 1,
            Err(error) => break error,
        }
        assert!(published < 10_000, "the server is never full");
    };
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert!(
        error.is_transient() && error.to_string().contains("maxmemory"),
        "{error}"
    );
    assert_eq!(
        broker.depth(&["q".to_owned()]).await.unwrap()[0].ready(),
        published
    );

    // Far beyond its bound, so that not even the smallest write has room.
    server.cli(&["CONFIG", "SET", "maxmemory", "1mb"]);
    assert!(server.cli(&["SET", "small", "x"]).starts_with("OOM"));
    // A full server is no reason to count as dead: leases and holds are renewed.
    let (ends, since) = (lease_end(&server), held_since(&server));
    eventually(async || lease_end(&server) > ends + 2_000.0 && held_since(&server) > since + 2.0)
        .await;
    finish(&*consumer, &held).await;
    let last = take(&*consumer, 1).await;
    published -= 1;
    end_chord(&*consumer, &last[0]).await;
    for _ in 0..published {
        let taken = take(&*consumer, 1).await;
        finish(&*consumer, &taken).await;
    }
    assert_eq!(server.cli(&["HLEN", "unacked"]), "0");
}

fn lease_end(server: &RedisServer) -> f64 {
    first_score(server, "celeriac.workers")
}

fn held_since(server: &RedisServer) -> f64 {
    first_score(server, "unacked_index")
}

fn first_score(server: &RedisServer, key: &str) -> f64 {
    let range = server.cli(&["ZRANGE", key, "0", "0", "WITHSCORES"]);
    range
        .lines()
        .nth(1)
        .and_then(|score| score.parse().ok())
        .unwrap_or(0.0)
}

/// A task that is the only member of a chord is counted, and ends it.
async fn end_chord(consumer: &dyn Consumer, last: &Delivery) {
    let mut counting = Settlement::new(last.tag.clone(), Verdict::Ack);
    let mut finishing = counting.clone();
    let mut opening = Settlement::new(last.tag.clone(), Verdict::Keep);
    opening.effects_mut().open.push(NewChord {
        group_id: "g".to_owned(),
        size: 1,
        header: None,
    });
    counting.effects_mut().count = Some(ChordPart {
        group_id: "g".to_owned(),
        task_id: id(last),
        group_index: None,
        state: State::Success,
        result: 1_i64.into(),
    });
    finishing.effects_mut().finish.push("g".to_owned());
    for (settlement, expected) in [
        (opening, Settled::Done),
        (counting, Settled::Complete),
        (finishing, Settled::Done),
    ] {
        let settled = consumer.settle(vec![settlement]).await.unwrap();
        assert_eq!(settled, [expected]);
    }
}

async fn finish(consumer: &dyn Consumer, taken: &[Delivery]) {
    let settlement = |delivery: &Delivery| Settlement {
        store: Some(TaskMeta::new(id(delivery), State::Success, 1_i64.into())),
        ..Settlement::new(delivery.tag.clone(), Verdict::Ack)
    };
    let settled = consumer
        .settle(taken.iter().map(settlement).collect())
        .await
        .unwrap();
    assert!(
        settled.iter().all(|settled| *settled == Settled::Done),
        "{settled:?}"
    );
}
