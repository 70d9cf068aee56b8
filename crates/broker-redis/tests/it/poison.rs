//! Payloads that are no messages: they are held, given out as undecodable, parked, and never in a Python sweep's way.

use broker::{Admin, Broker, ParkedAction, Settled, Settlement, Verdict};
use testkit::RedisServer;

use crate::support::{consumer, eventually, open, take};
use crate::{raw, support};

const ODD: [&[u8]; 6] = [
    b"",
    b"null",
    b"[]",
    b"nonsense",
    b"{\"body\": ",
    b"\xff\xfe{}\x00",
];

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_parked_and_comes_back_unchanged() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    for payload in ODD {
        raw::push(&server, "q", payload).await;
    }
    let consumer = consumer(&broker, &["q"]).await;
    let taken = take(&*consumer, ODD.len()).await;
    assert!(taken.iter().all(|delivery| delivery.message.is_err()));
    python_can_read_every_hold(&server).await;
    let park = |delivery: &broker::Delivery| {
        let reason = delivery.message.as_ref().unwrap_err().to_string();
        Settlement::new(delivery.tag.clone(), Verdict::Park { reason })
    };
    let settled = consumer
        .settle(taken.iter().map(park).collect())
        .await
        .unwrap();
    assert!(settled.iter().all(|settled| *settled == Settled::Done));
    let parked = broker.parked(100).await.unwrap();
    let payloads: Vec<&[u8]> = parked.iter().map(|parked| &parked.raw[..]).collect();
    let mut expected = ODD.to_vec();
    expected.sort_unstable();
    let mut found = payloads.clone();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert!(parked.iter().all(|parked| parked.queue == "q"
        && parked.node == "test@host"
        && !parked.reason.is_empty()));
    for message in &parked {
        assert!(
            broker
                .settle_parked(&message.id, ParkedAction::Requeue)
                .await
                .unwrap()
        );
    }
    assert_eq!(take(&*consumer, ODD.len()).await.len(), ODD.len());
}

async fn python_can_read_every_hold(server: &RedisServer) {
    let records: Vec<Vec<u8>> = raw::call(server, &[b"HVALS", b"unacked"]).await;
    for record in records {
        let read = serde_json::from_slice::<(serde_json::Value, String, String)>(&record);
        assert!(
            read.is_ok(),
            "{} would break a Python sweep",
            String::from_utf8_lossy(&record)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_of_a_dead_worker_is_ready_again() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    raw::push(&server, "q", b"nonsense").await;
    let dead = consumer(&broker, &["q"]).await;
    take(&*dead, 1).await;
    assert_eq!(server.cli(&["HLEN", "celeriac.poison"]), "1");
    drop(dead);
    let heir = broker.consumer(support::params(&["q"]).0).await.unwrap();
    let again = take(&*heir, 1).await;
    assert!(again[0].message.is_err());
    eventually(async || server.cli(&["HLEN", "celeriac.poison"]) == "1").await;
}
