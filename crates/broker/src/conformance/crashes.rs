//! Chords exactly once with results on another server: settlements that are broken off between the two, and whoever comes after.
//!
//! Results go through the decorator that fails on command, and the instance's broker through [`SplitResults`].

use std::sync::Arc;

use super::chords::{briefly_claimed, chord, part};
use super::fixture::{Fixture, Member, eventually, id, message, publish};
use super::runner::cases;
use crate::faults::{Call, Faults, inject};
use crate::{
    Backends, ChordCall, Counted, Delivery, ErrorKind, MemoryBroker, Settled, Settlement,
    SplitResults, Tag, Verdict,
};

cases![
    call_with_a_name_is_published_once,
    call_without_a_name_is_always_published,
    body_is_called_once_though_its_chord_was_not_ended,
    body_that_is_a_chord_is_opened_once,
    chord_that_is_opened_again_calls_again,
    growth_that_was_broken_off_is_repeated,
    growth_that_was_broken_off_is_taken_back,
];

/// The server side with results behind a switch: its own, or some in memory where they are split off already.
async fn split(fixture: &Fixture) -> (Fixture, Faults) {
    let fixture = fixture.under(briefly_claimed()).await;
    let backends = fixture.backends();
    let results = match backends.broker.capabilities().results_with_settlement {
        true => backends.clone(),
        false => MemoryBroker::with_policy(briefly_claimed()).backends(),
    };
    let (faulty, faults) = inject(results.clone());
    let store = faulty.results.expect("a conformance instance has results");
    let split = Backends {
        broker: Arc::new(SplitResults::new(backends.broker.clone(), store)),
        results: results.results,
        ..backends
    };
    (fixture.through(split), faults)
}

fn member_of(group_id: &str, task_id: &str) -> crate::Publish {
    let mut member = message(task_id);
    member.headers.group = Some(group_id.to_owned());
    publish("q", member)
}

fn call(group_id: &str, once: Option<&str>) -> ChordCall {
    ChordCall {
        group_id: group_id.to_owned(),
        publish: vec![
            publish("next", message("b1")),
            publish("next", message("b2")),
        ],
        once: once.map(str::to_owned),
    }
}

fn ack(tag: &Tag) -> Settlement {
    Settlement::new(tag.clone(), Verdict::Ack)
}

fn counting(delivery: &Delivery) -> Settlement {
    let mut settlement = ack(&delivery.tag);
    settlement.effects_mut().count = Some(part("g", &id(delivery), None));
    settlement
}

fn adding(delivery: &Delivery, members: u32) -> Settlement {
    let mut settlement = counting(delivery);
    settlement.effects_mut().grow = vec![("g".to_owned(), members)];
    settlement
}

/// Ends the chord whose last member this is; its body is a chord `h`.
async fn join(member: &Member, delivery: &Delivery) {
    let counted = || async {
        match member.settle_one(counting(delivery)).await {
            Settled::Complete => true,
            Settled::Claimed => false,
            other => panic!("the last member was {other:?}"),
        }
    };
    eventually("the claim", counted).await;
    let mut ending = ack(&delivery.tag);
    ending.publish = vec![publish("callbacks", message("callback"))];
    ending.calls = vec![call("g", None)];
    ending.effects_mut().finish = vec!["g".to_owned()];
    ending.effects_mut().open = vec![chord("h", 1)];
    assert_eq!(member.settle_one(ending).await, Settled::Done);
}

async fn settle_calls(fixture: Fixture, once: Option<&str>) -> u64 {
    fixture.publish("q", &["a", "b"]).await;
    let member = fixture.consumer(&["q"]).await;
    for delivery in member.take(2).await {
        let mut settlement = ack(&delivery.tag);
        settlement.publish = vec![publish("callbacks", message("callback"))];
        settlement.calls = vec![call("g", once), call("h", None)];
        assert_eq!(member.settle_one(settlement).await, Settled::Done);
    }
    assert_eq!(fixture.ready("callbacks").await, 2);
    fixture.ready("next").await
}

async fn call_with_a_name_is_published_once(fixture: Fixture) {
    assert_eq!(settle_calls(fixture, Some("g:1")).await, 2 + 2 * 2);
}

async fn call_without_a_name_is_always_published(fixture: Fixture) {
    assert_eq!(settle_calls(fixture, None).await, 2 * 2 + 2 * 2);
}

/// The last member has published the body, and the chord could not be ended; the output has another member, delivered again.
async fn broken_end(fixture: &Fixture, faults: &Faults) -> (Member, Delivery) {
    fixture.open_chord(chord("g", 2)).await;
    fixture.publish_all(vec![member_of("g", "a")]).await;
    let dead = fixture.consumer(&["q"]).await;
    let first = dead.take_one().await;
    faults.fail_next(Call::OpenChords, 1, ErrorKind::Denied);
    let mut broken = counting(&first);
    broken.effects_mut().open = vec![chord("x", 1)];
    let broken = dead.consumer.settle(vec![broken]).await;
    broken.expect_err("it was counted, and its message is still held");
    fixture.publish_all(vec![member_of("g", "b")]).await;
    let last = dead.take_one().await;
    faults.fail_next(Call::FinishChord, 1, ErrorKind::Denied);
    join(&dead, &last).await;
    assert_eq!(fixture.ready("next").await, 2);
    drop(dead);
    let heir = fixture.consumer(&["q"]).await;
    let again = heir.take_one().await;
    (heir, again)
}

async fn body_is_called_once_though_its_chord_was_not_ended(fixture: Fixture) {
    let (fixture, faults) = split(&fixture).await;
    let (heir, again) = broken_end(&fixture, &faults).await;
    join(&heir, &again).await;
    assert_eq!(fixture.ready("next").await, 2, "the body is called once");
    assert_eq!(
        fixture.ready("callbacks").await,
        2,
        "the member's own go out"
    );
    let late = fixture.count(part("g", "late", None), "late").await;
    assert_eq!(late, Counted::Over);
}

async fn body_that_is_a_chord_is_opened_once(fixture: Fixture) {
    let (fixture, faults) = split(&fixture).await;
    let (heir, again) = broken_end(&fixture, &faults).await;
    let count = fixture.count(part("h", "c", None), "first").await;
    assert_eq!(count, Counted::Complete);
    let hold = async |token| {
        let held = fixture.results().hold_chord("h", token).await;
        held.expect("a claim is held or not")
    };
    assert_eq!(hold("first").await.as_deref(), Some("first"));
    join(&heir, &again).await;
    eventually("the claim on the inner chord", || async {
        hold("second").await.as_deref() == Some("first")
    })
    .await;
}

async fn chord_that_is_opened_again_calls_again(fixture: Fixture) {
    let (fixture, _) = split(&fixture).await;
    let member = fixture.consumer(&["q"]).await;
    for round in 1..=2 {
        fixture.open_chord(chord("g", 1)).await;
        fixture.publish_all(vec![member_of("g", "a")]).await;
        join(&member, &member.take_one().await).await;
        assert_eq!(fixture.ready("next").await, 2 * round);
    }
}

/// A chord whose only member has added two, and died before it could publish them; the output has that member again.
async fn broken_growth(fixture: &Fixture, faults: &Faults) -> (Member, Delivery) {
    fixture.open_chord(chord("g", 1)).await;
    fixture.publish_all(vec![member_of("g", "a")]).await;
    let dead = fixture.consumer(&["q"]).await;
    let held = dead.take_one().await;
    faults.fail_next(Call::CountPart, 1, ErrorKind::Denied);
    let broken = dead.consumer.settle(vec![adding(&held, 2)]).await;
    broken.expect_err("its growth was written, and nothing else");
    assert_eq!(faults.calls(Call::GrowChord), 1);
    drop(dead);
    let heir = fixture.consumer(&["q"]).await;
    let again = heir.take_one().await;
    (heir, again)
}

async fn growth_that_was_broken_off_is_repeated(fixture: Fixture) {
    let (fixture, faults) = split(&fixture).await;
    let (heir, again) = broken_growth(&fixture, &faults).await;
    assert_eq!(heir.settle_one(adding(&again, 2)).await, Settled::Done);
    let count = async |task| fixture.count(part("g", task, None), task).await;
    assert_eq!(count("b").await, Counted::Open);
    assert_eq!(count("c").await, Counted::Complete, "it grew once");
}

async fn growth_that_was_broken_off_is_taken_back(fixture: Fixture) {
    let (fixture, faults) = split(&fixture).await;
    let (heir, again) = broken_growth(&fixture, &faults).await;
    join(&heir, &again).await;
    assert_eq!(fixture.ready("next").await, 2, "nobody waits for the two");
}
