//! Canvas sent by the client.

use broker::{Admin, ChordStore, MemoryBroker};
use client::canvas::{chain, chord, group};
use client::{Client, ClientError, ClientOptions};
use protocol::{Limits, Message, Signature, Value};

fn open() -> (MemoryBroker, Client) {
    let broker = MemoryBroker::new();
    let client = Client::new(broker.backends(), ClientOptions::default());
    (broker, client)
}

#[tokio::test]
async fn a_chord_is_open_before_its_members_are_there() {
    let (broker, client) = open();
    let header = (0..3).map(|n: i64| Signature::new("a").args(vec![n.into()]));
    let result = client
        .apply(chord(header, Signature::new("sum")).unwrap())
        .await
        .unwrap();
    let header = result.parent().unwrap().into_group().unwrap();
    assert_eq!(header.len(), 3);
    assert_eq!(broker.peek("celery", 10).await.unwrap().len(), 3);
    for (index, id) in header.task_ids().into_iter().enumerate() {
        let part = broker::ChordPart {
            group_id: header.id().to_owned(),
            task_id: id,
            group_index: i64::try_from(index).ok(),
            state: protocol::State::Success,
            result: Value::Null,
        };
        let last = index == 2;
        let counted = broker.count_part(part, "token").await.unwrap();
        assert_eq!(counted == broker::Counted::Complete, last);
    }
}

#[tokio::test]
async fn a_chord_without_a_result_backend_is_refused_wherever_it_stands() {
    let broker = MemoryBroker::new();
    let mut backends = broker.backends();
    backends.results = None;
    let client = Client::new(backends, ClientOptions::default());
    let members = || group([Signature::new("a"), Signature::new("b")]).unwrap();
    let now = chord([Signature::new("a")], Signature::new("sum")).unwrap();
    let later = chain([Signature::new("first"), members(), Signature::new("sum")]).unwrap();
    for canvas in [now, later] {
        let error = client.apply(canvas).await.unwrap_err();
        assert!(matches!(error, ClientError::ChordsNeedResults), "{error}");
    }
    assert!(broker.peek("celery", 10).await.unwrap().is_empty());
    client.apply(members()).await.unwrap();
}

#[tokio::test]
async fn a_chord_of_many_members_is_sent_whole() {
    a_chord_of(5_000).await;
}

#[tokio::test]
#[ignore = "a minute in a debug build"]
async fn a_chord_of_a_hundred_thousand_members_is_sent_whole() {
    a_chord_of(100_000).await;
}

async fn a_chord_of(members: usize) {
    let (broker, client) = open();
    let header = (0..members).map(|_| Signature::new("a"));
    let canvas = chord(header, Signature::new("sum")).unwrap();
    let result = client.apply(canvas).await.unwrap();
    let header = result.parent().unwrap().into_group().unwrap();
    assert_eq!(header.len(), members);
    let sent = broker.peek("celery", members + 1).await.unwrap();
    assert_eq!(sent.len(), members);
    let last = Message::from_envelope(&sent[members - 1], &Limits::default()).unwrap();
    assert_eq!(
        last.headers.group_index,
        Some(i64::try_from(members - 1).unwrap())
    );
}

#[tokio::test]
async fn what_is_malformed_sends_nothing() {
    let (broker, client) = open();
    let malformed = Signature::new("b").option("link", 7_i64);
    let canvas = group([Signature::new("a"), malformed]).unwrap();
    let error = client.apply(canvas).await.unwrap_err();
    assert!(matches!(error, ClientError::Decode { .. }));
    assert!(broker.peek("celery", 10).await.unwrap().is_empty());
}
