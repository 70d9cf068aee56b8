//! Members of chords whose messages cannot be read: they count, and their chord fails.

use broker::{Admin, Broker};
use bytes::Bytes;
use protocol::{Accept, Codec, Limits, Message, Signature, Value};

use crate::chords::{failure, id, start};
use crate::flows::{chord, collect, sum};
use crate::support::{Bench, settings};

/// Starts a chord of these members, of which only the message of task `m` is sent, and that is spoilt. Gives back the others.
async fn start_spoilt(
    bench: &Bench,
    members: Vec<Signature>,
    spoil: impl Fn(&mut Message),
) -> Vec<Message> {
    let count = members.len();
    start(bench, chord(members, collect("body"))).await;
    let envelopes = bench.broker.peek("celery", count).await.unwrap();
    bench.broker.purge("celery").await.unwrap();
    let messages = envelopes
        .iter()
        .map(|raw| Message::from_envelope(raw, &Limits::default()).unwrap());
    let is_spoilt = |message: &Message| message.headers.id.as_deref() == Some("m");
    let (mut spoilt, others): (Vec<_>, Vec<_>) = messages.partition(is_spoilt);
    spoil(&mut spoilt[0]);
    publish(bench, spoilt).await;
    others
}

async fn publish(bench: &Bench, messages: Vec<Message>) {
    let batch = messages.into_iter().map(|message| broker::Publish {
        message,
        route: broker::Route::queue("celery"),
    });
    bench.broker.publish(batch.collect()).await.unwrap();
}

/// Changes the three parts of a message's body.
fn change(message: &mut Message, change: impl Fn(&mut Vec<Value>)) {
    let body = message.decode_body(&Accept::default(), &Limits::default());
    let Value::List(mut parts) = body.unwrap() else {
        panic!("protocol 2")
    };
    change(&mut parts);
    let body = Codec::Json.encode(&Value::List(parts)).unwrap();
    message.body = body.into();
}

fn spoil_arguments(message: &mut Message) {
    change(message, |parts| {
        parts[1] = "these are no keyword arguments".into()
    });
}

/// The name of the chord's body becomes a number.
fn spoil_chord(message: &mut Message) {
    change(message, |parts| {
        let Value::Map(embed) = &mut parts[2] else {
            panic!("an embed")
        };
        let Some(Value::Map(body)) = embed.get_mut("chord") else {
            panic!("a chord's body")
        };
        body.insert("task", 5_i64);
    });
}

fn spoil_all(message: &mut Message) {
    message.body = Bytes::from_static(b"no JSON");
}

async fn assert_failed(bench: &Bench) {
    let (kind, message) = failure(bench, "body").await;
    assert_eq!(kind, "ChordError");
    assert!(
        message.starts_with("Dependency m raised DecodeError("),
        "{message}"
    );
}

#[tokio::test]
async fn a_chord_of_a_member_that_cannot_be_read_fails() {
    for spoil in [spoil_arguments, spoil_chord] {
        let bench = Bench::new();
        start_spoilt(&bench, vec![id(sum(1, 1), "m")], spoil).await;
        let worker = bench.worker(settings(1)).await;
        assert_failed(&bench).await;
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_member_of_which_nothing_can_be_read_counts_as_well() {
    let bench = Bench::new();
    let members = vec![sum(1, 1), id(sum(2, 2), "m")];
    let others = start_spoilt(&bench, members, spoil_all).await;
    let worker = bench.worker(settings(1)).await;
    assert_eq!(failure(&bench, "m").await.0, "DecodeError");
    assert_eq!(bench.broker.parked(2).await.unwrap().len(), 1);
    publish(&bench, others).await;
    assert_failed(&bench).await;
    worker.stop().await;
}
