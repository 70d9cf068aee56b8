//! What a settlement writes besides its own meta and messages, and chords that end by settlements.

use protocol::{State, TaskMeta};

use super::chords::{briefly_claimed, chord, part};
use super::fixture::{Fixture, Member, borrowed, eventually, id, ids, message, meta, publish};
use super::runner::cases;
use crate::{ChordPart, Counted, Delivery, Effects, Settled, Settlement, Verdict};

cases![
    effects_are_written_with_the_settlement,
    success_is_not_overwritten_by_effects,
    refused_settlement_has_no_effects,
    last_member_is_told_and_nothing_else_is_done,
    body_is_published_where_the_chord_ends,
    members_of_one_batch_complete_once,
    lost_claim_leaves_everything_undone,
    chord_that_is_over_does_not_hold_up_its_members,
    redelivered_last_member_waits_for_the_claim_of_the_dead,
    inner_chord_ends_within_the_count_of_the_outer,
    run_that_was_acknowledged_early_counts,
    task_that_adds_members_is_not_the_last,
];

impl Fixture {
    /// A consumer that holds these tasks, from queue `q`.
    async fn holding(&self, task_ids: &[&str]) -> (Member, Vec<Delivery>) {
        self.publish("q", task_ids).await;
        let member = self.consumer(&["q"]).await;
        let held = member.take(task_ids.len()).await;
        (member, held)
    }

    async fn counted(&self, group_id: &str) -> usize {
        self.parts(group_id).await.parts.len()
    }
}

/// The end of a task that publishes in queue `next` and stores a meta of another task.
fn ending(delivery: &Delivery, effects: Effects) -> Settlement {
    let metas = vec![meta("other", State::Failure, "because")];
    Settlement {
        store: Some(meta(&id(delivery), State::Success, 42)),
        publish: vec![publish("next", message("body"))],
        effects: Some(Box::new(Effects { metas, ..effects })),
        ..Settlement::new(delivery.tag.clone(), Verdict::Ack)
    }
}

fn counting(part: ChordPart) -> Effects {
    Effects {
        count: Some(part),
        ..Effects::default()
    }
}

fn finishing(group_id: &str) -> Effects {
    Effects {
        finish: vec![group_id.to_owned()],
        ..Effects::default()
    }
}

/// Nothing but the task's own meta and its count was written, and its message is held.
async fn assert_only_counted(fixture: &Fixture, member: &Member, delivery: &Delivery) {
    assert_eq!(fixture.stored("other").await, None, "no meta of another");
    assert_eq!(fixture.ready("next").await, 0, "nothing was published");
    assert_eq!(fixture.stored(&id(delivery)).await, Some(State::Success));
    assert_eq!(
        member.settle(&delivery.tag, Verdict::Keep).await,
        Settled::Done,
        "it is still held"
    );
}

async fn effects_are_written_with_the_settlement(fixture: Fixture) {
    let (member, held) = fixture.holding(&["a"]).await;
    let many: Vec<TaskMeta> = ids("rest-", 300)
        .iter()
        .map(|id| meta(id, State::Failure, "because"))
        .collect();
    let effects = Effects {
        metas: many,
        open: vec![chord("g", 1), chord("h", 1)],
        grow: vec![("h".to_owned(), 1)],
        count: Some(part("i", "a", None)),
        ..Effects::default()
    };
    let settlement = Settlement {
        effects: Some(Box::new(effects)),
        ..ending(&held[0], Effects::default())
    };
    assert_eq!(member.settle_one(settlement).await, Settled::Done);
    assert_eq!(fixture.stored("a").await, Some(State::Success));
    assert_eq!(fixture.stored("rest-0").await, Some(State::Failure));
    assert_eq!(fixture.stored("rest-299").await, Some(State::Failure));
    assert_eq!(fixture.ready("next").await, 1);
    assert_eq!(fixture.counted("i").await, 1);
    let count = async |group, task| fixture.count(part(group, task, None), task).await;
    assert_eq!(count("g", "b").await, Counted::Complete);
    assert_eq!(count("h", "c").await, Counted::Open);
    assert_eq!(count("h", "d").await, Counted::Complete);
}

async fn success_is_not_overwritten_by_effects(fixture: Fixture) {
    let done = vec![meta("other", State::Success, 1)];
    fixture
        .results()
        .store(done)
        .await
        .expect("a meta is stored");
    let (member, held) = fixture.holding(&["a"]).await;
    let settlement = ending(&held[0], Effects::default());
    assert_eq!(member.settle_one(settlement).await, Settled::Done);
    assert_eq!(fixture.stored("other").await, Some(State::Success));
}

async fn refused_settlement_has_no_effects(fixture: Fixture) {
    let (dead, held) = fixture.holding(&["a"]).await;
    drop(dead);
    let member = fixture.consumer(&["q"]).await;
    let current = member.take_one().await;
    fixture.open_chord(chord("g", 1)).await;
    let effects = Effects {
        open: vec![chord("h", 1)],
        grow: vec![("g".to_owned(), 1)],
        ..counting(part("g", "a", None))
    };
    assert_eq!(
        member.settle_one(ending(&held[0], effects)).await,
        Settled::Refused
    );
    assert_eq!(fixture.stored("a").await, None);
    assert_eq!(fixture.stored("other").await, None);
    assert_eq!(fixture.counted("g").await, 0);
    let opened = fixture.count(part("h", "x", None), "x").await;
    assert_eq!(opened, Counted::Open, "it was not opened");
    let settlement = ending(&current, counting(part("g", "a", None)));
    assert_eq!(
        member.settle_one(settlement).await,
        Settled::Complete,
        "it did not grow"
    );
}

async fn last_member_is_told_and_nothing_else_is_done(fixture: Fixture) {
    fixture.open_chord(chord("g", 2)).await;
    let (member, held) = fixture.holding(&["a", "b"]).await;
    let first = Settlement {
        effects: Some(Box::new(counting(part("g", "a", Some(0))))),
        ..Settlement::new(held[0].tag.clone(), Verdict::Ack)
    };
    assert_eq!(member.settle_one(first).await, Settled::Done);
    let last = ending(&held[1], counting(part("g", "b", Some(1))));
    for _ in 0..2 {
        assert_eq!(member.settle_one(last.clone()).await, Settled::Complete);
        assert_only_counted(&fixture, &member, &held[1]).await;
        assert_eq!(fixture.counted("g").await, 2);
    }
}

async fn body_is_published_where_the_chord_ends(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    let (member, held) = fixture.holding(&["a"]).await;
    let counting = ending(&held[0], counting(part("g", "a", Some(0))));
    assert_eq!(member.settle_one(counting).await, Settled::Complete);
    let finishing = ending(&held[0], finishing("g"));
    assert_eq!(member.settle_one(finishing.clone()).await, Settled::Done);
    assert_eq!(fixture.ready("next").await, 1);
    assert_eq!(fixture.counted("g").await, 0);
    assert_eq!(
        fixture.count(part("g", "a", Some(0)), "late").await,
        Counted::Over
    );
    assert_eq!(member.settle_one(finishing).await, Settled::Refused);
    assert_eq!(fixture.ready("next").await, 1, "the body is called once");
}

async fn members_of_one_batch_complete_once(fixture: Fixture) {
    const MEMBERS: usize = 300;
    fixture.open_chord(chord("g", MEMBERS as u64)).await;
    let task_ids = ids("m", MEMBERS);
    let (member, held) = fixture.holding(&borrowed(&task_ids)).await;
    let settlements = held.iter().zip(0..).map(|(delivery, index)| {
        let part = part("g", &id(delivery), Some(index));
        Settlement {
            publish: Vec::new(),
            ..ending(delivery, counting(part))
        }
    });
    let settled = member.settle_all(settlements.collect()).await;
    let (last, others) = settled.split_last().expect("there are members");
    assert_eq!(*last, Settled::Complete);
    assert!(others.iter().all(|settled| *settled == Settled::Done));
}

async fn lost_claim_leaves_everything_undone(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    fixture.open_chord(chord("outer", 2)).await;
    let (member, held) = fixture.holding(&["a"]).await;
    assert_eq!(
        fixture.count(part("g", "a", None), "rival").await,
        Counted::Complete
    );
    let settlement = ending(&held[0], counting(part("g", "a", None)));
    assert_eq!(member.settle_one(settlement).await, Settled::Claimed);
    assert_only_counted(&fixture, &member, &held[0]).await;
    let effects = Effects {
        open: vec![chord("h", 1)],
        count: Some(part("outer", "inner-body", None)),
        ..finishing("g")
    };
    assert_eq!(
        member.settle_one(ending(&held[0], effects)).await,
        Settled::Claimed
    );
    assert_only_counted(&fixture, &member, &held[0]).await;
    assert_eq!(fixture.counted("outer").await, 0, "nor was it counted");
    let opened = fixture.count(part("h", "x", None), "x").await;
    assert_eq!(opened, Counted::Open, "nor was a chord opened");
    assert_eq!(fixture.counted("g").await, 1, "the chord is as it was");
}

async fn chord_that_is_over_does_not_hold_up_its_members(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    fixture.count(part("g", "a", None), "rival").await;
    let finished = fixture.results().finish_chord("g", "rival").await;
    assert!(finished.expect("a chord is finished"));
    let (member, held) = fixture.holding(&["a"]).await;
    let settlement = ending(&held[0], counting(part("g", "a", None)));
    assert_eq!(member.settle_one(settlement).await, Settled::Done);
    assert_eq!(fixture.ready("next").await, 1);
}

async fn redelivered_last_member_waits_for_the_claim_of_the_dead(fixture: Fixture) {
    let fixture = &fixture.under(briefly_claimed()).await;
    fixture.open_chord(chord("g", 1)).await;
    let (dead, held) = fixture.holding(&["a"]).await;
    let settlement = ending(&held[0], counting(part("g", "a", None)));
    assert_eq!(dead.settle_one(settlement).await, Settled::Complete);
    drop(dead);
    let member = fixture.consumer(&["q"]).await;
    let again = &member.take_one().await;
    let heir = &member;
    eventually("the dead claim to run out", || async move {
        let settlement = ending(again, counting(part("g", "a", None)));
        match heir.settle_one(settlement).await {
            Settled::Complete => true,
            Settled::Claimed => false,
            other => panic!("a member of a complete chord was {other:?}"),
        }
    })
    .await;
    assert_eq!(fixture.counted("g").await, 1, "it counted once");
}

async fn inner_chord_ends_within_the_count_of_the_outer(fixture: Fixture) {
    fixture.open_chord(chord("inner", 1)).await;
    fixture.open_chord(chord("outer", 1)).await;
    let (member, held) = fixture.holding(&["a"]).await;
    let settlement = ending(&held[0], counting(part("inner", "a", None)));
    assert_eq!(member.settle_one(settlement).await, Settled::Complete);
    // The inner body failed, and is the last member of the outer chord.
    let both = Effects {
        count: Some(part("outer", "inner-body", None)),
        ..finishing("inner")
    };
    assert_eq!(
        member.settle_one(ending(&held[0], both)).await,
        Settled::Complete
    );
    assert_only_counted(&fixture, &member, &held[0]).await;
    assert_eq!(fixture.counted("inner").await, 1, "it has not ended");
    let both = Effects {
        finish: vec!["inner".to_owned(), "outer".to_owned()],
        ..Effects::default()
    };
    assert_eq!(
        member.settle_one(ending(&held[0], both)).await,
        Settled::Done
    );
    for group_id in ["inner", "outer"] {
        let late = fixture.count(part(group_id, "late", None), "late").await;
        assert_eq!(late, Counted::Over, "{group_id}");
    }
    assert_eq!(fixture.ready("next").await, 1);
}

async fn run_that_was_acknowledged_early_counts(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    let (member, held) = fixture.holding(&["a"]).await;
    let lost = Box::new(meta("a", State::Failure, "lost"));
    member.give(&held[0], Verdict::AckEarly { lost }).await;
    let counting = ending(&held[0], counting(part("g", "a", None)));
    assert_eq!(member.settle_one(counting).await, Settled::Complete);
    let finishing = ending(&held[0], finishing("g"));
    assert_eq!(member.settle_one(finishing).await, Settled::Done);
    assert_eq!(fixture.ready("next").await, 1);
}

async fn task_that_adds_members_is_not_the_last(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    let (member, held) = fixture.holding(&["a"]).await;
    let adding = Effects {
        grow: vec![
            ("g".to_owned(), 1),
            ("h".to_owned(), 7),
            ("g".to_owned(), 1),
        ],
        ..counting(part("g", "a", None))
    };
    let settlement = ending(&held[0], adding);
    assert_eq!(member.settle_one(settlement.clone()).await, Settled::Done);
    assert_eq!(fixture.ready("next").await, 1);
    assert_eq!(member.settle_one(settlement).await, Settled::Refused);
    let count = async |task| fixture.count(part("g", task, None), task).await;
    assert_eq!(count("b").await, Counted::Open);
    assert_eq!(count("c").await, Counted::Complete, "it grew once");
}
