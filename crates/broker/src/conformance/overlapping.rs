//! Reservations that overlap: messages are given out in their order all the same, also when one of them is dropped halfway.

use std::pin::pin;
use std::task::Poll;

use futures_util::future::{self, Either};
use futures_util::poll;
use tokio::task::yield_now;

use super::fixture::{Fixture, Member, borrowed, id, ids, within};
use super::runner::cases;
use crate::{Delivery, Result, Settlement, Verdict};

cases![
    overlapping_reservations_give_messages_in_order,
    overlapping_reservations_that_wait_give_messages_in_order,
    a_dropped_reservation_loses_nothing_and_keeps_the_order,
    as_many_messages_are_held_as_callers_want,
    a_call_behind_one_that_waits_does_not_wait,
    calls_behind_others_give_messages_in_order,
];

/// How often each case is tried: what it looks for depends on who comes first.
const ROUNDS: usize = 20;
/// Messages of one reservation, and of all in a round.
const SHARE: usize = 8;
const ALL: usize = 5 * SHARE;

fn taken(reserved: Result<Vec<Delivery>>) -> Vec<Delivery> {
    reserved.expect("reserving works")
}

/// Takes what is still there, and has everything acknowledged when it came in its order.
async fn finish(member: &Member, mut got: Vec<Delivery>, expected: &[String]) {
    got.extend(member.take(expected.len() - got.len()).await);
    let ids: Vec<String> = got.iter().map(id).collect();
    assert_eq!(ids, expected);
    let ack = |delivery: &Delivery| Settlement::new(delivery.tag.clone(), Verdict::Ack);
    member.settle_all(got.iter().map(ack).collect()).await;
}

async fn overlapping_reservations_give_messages_in_order(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    for round in 0..ROUNDS {
        let expected = ids(&format!("{round}-"), ALL);
        fixture.publish("q", &borrowed(&expected)).await;
        let next = || member.consumer.reserve(SHARE);
        let (mut first, mut second) = (next(), next());
        let mut got = Vec::new();
        // One after the other from here on, and at last the later one before the earlier one.
        while got.len() + 2 * SHARE <= ALL {
            let begun = (poll!(&mut first), poll!(&mut second));
            match begun {
                (first_had, Poll::Ready(had)) => {
                    // Never the second one alone.
                    let Poll::Ready(before) = first_had else {
                        panic!("a later call was answered before an earlier one");
                    };
                    got.extend(taken(before).into_iter().chain(taken(had)));
                    (first, second) = (next(), next());
                }
                (Poll::Ready(had), Poll::Pending) => {
                    got.extend(taken(had));
                    (first, second) = (second, next());
                }
                _ => yield_now().await,
            }
        }
        drop((first, second));
        finish(&member, got, &expected).await;
    }
}

async fn overlapping_reservations_that_wait_give_messages_in_order(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    for round in 0..ROUNDS {
        let expected = ids(&format!("{round}-"), ALL);
        let next = || member.consumer.reserve(SHARE);
        let (mut first, mut second) = (next(), next());
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        let publish = async {
            for id in &expected {
                fixture.publish("q", &[id]).await;
            }
        };
        let both = future::join(second, first);
        let both = within("messages for both", future::join(both, publish));
        let ((second, first), ()) = both.await;
        let mut got = taken(first);
        got.extend(taken(second));
        finish(&member, got, &expected).await;
    }
}

async fn a_dropped_reservation_loses_nothing_and_keeps_the_order(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    for round in 0..ROUNDS {
        let expected = ids(&format!("{round}-"), ALL);
        fixture.publish("q", &borrowed(&expected)).await;
        let mut got = Vec::new();
        {
            let mut first = Box::pin(member.consumer.reserve(SHARE));
            let mut second = pin!(member.consumer.reserve(SHARE));
            let mut begun = (poll!(&mut first), poll!(&mut second));
            for _ in 0..fastrand::usize(0..4) {
                if begun.0.is_pending() && begun.1.is_pending() {
                    yield_now().await;
                    begun = (poll!(&mut first), poll!(&mut second));
                }
            }
            let (first_had, second_had) = begun;
            if let Poll::Ready(had) = first_had {
                got.extend(taken(had));
            }
            drop(first);
            match second_had {
                Poll::Ready(had) => got.extend(taken(had)),
                Poll::Pending if round % 2 == 0 => {
                    got.extend(taken(within("what is left", second).await));
                }
                // Both are dropped.
                Poll::Pending => {}
            }
        }
        finish(&member, got, &expected).await;
    }
    assert_eq!(member.close().await, 0, "nothing was stranded");
}

/// What was asked for calls that were dropped is enough for those that come: no more is held than callers have asked for.
async fn as_many_messages_are_held_as_callers_want(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    let all = 100 * SHARE;
    fixture.publish("q", &borrowed(&ids("m", all))).await;
    let mut given = 0;
    for _ in 0..ROUNDS {
        let mut first = member.consumer.reserve(SHARE);
        let mut second = member.consumer.reserve(SHARE);
        for begun in [poll!(&mut first), poll!(&mut second)] {
            if let Poll::Ready(had) = begun {
                given += taken(had).len();
            }
        }
    }
    given += member.take(SHARE).await.len();
    let ready = fixture.ready("q").await;
    let wanted = given + 2 * SHARE;
    assert!(
        ready >= (all - wanted) as u64,
        "of {all} messages only {ready} are ready, though {given} were given out"
    );
}

async fn a_call_behind_one_that_waits_does_not_wait(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    for round in 0..ROUNDS {
        let expected = ids(&format!("{round}-"), SHARE);
        let mut waiting = member.consumer.reserve(SHARE);
        assert!(poll!(&mut waiting).is_pending());
        for _ in 0..3 {
            let behind = pin!(within("an answer", member.consumer.reserve_behind(SHARE)));
            waiting = match future::select(waiting, behind).await {
                Either::Right((nothing, waiting)) => {
                    assert!(taken(nothing).is_empty(), "in round {round}");
                    waiting
                }
                Either::Left(_) => panic!("nothing is there"),
            };
        }
        fixture.publish("q", &borrowed(&expected)).await;
        let got = taken(within("messages", waiting).await);
        finish(&member, got, &expected).await;
    }
}

async fn calls_behind_others_give_messages_in_order(fixture: Fixture) {
    let member = fixture.consumer(&["q"]).await;
    for round in 0..ROUNDS {
        let expected = ids(&format!("{round}-"), ALL);
        let publish = async {
            for some in expected.chunks(1 + round % (2 * SHARE)) {
                fixture.publish("q", &borrowed(some)).await;
            }
        };
        let take = async {
            let mut got = Vec::new();
            while got.len() < ALL {
                let first = member.consumer.reserve(SHARE);
                let (first, behind) =
                    future::join(first, member.consumer.reserve_behind(SHARE)).await;
                got.extend(taken(first).into_iter().chain(taken(behind)));
            }
            got
        };
        let (got, ()) = within("all messages", future::join(take, publish)).await;
        finish(&member, got, &expected).await;
    }
    assert_eq!(member.close().await, 0, "nothing was stranded");
}
