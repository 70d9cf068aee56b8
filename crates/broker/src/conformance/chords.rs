//! Chords: every member counts once, and one at a time may call the body.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use protocol::{ExceptionInfo, ResultTuple, State, Value};

use super::fixture::{BRIEF, Fixture, eventually, ids};
use super::runner::cases;
use crate::{ChordPart, ChordParts, Counted, NewChord, ResultPolicy};

cases![
    last_member_completes_the_chord,
    member_counts_once,
    task_with_two_places_counts_twice,
    members_may_end_before_the_chord_is_opened,
    chord_that_is_not_open_is_never_complete,
    added_members_are_waited_for,
    members_may_be_added_before_the_chord_is_opened,
    what_is_added_again_replaces_what_was_added,
    growth_ends_with_the_chord,
    claim_belongs_to_one_token,
    claim_that_runs_out_passes_on,
    call_keeps_the_name_of_its_first_claim,
    finished_chord_is_over,
    only_the_claims_owner_finishes,
    chord_that_is_opened_again_begins_anew,
    parts_come_in_the_headers_order,
    header_is_saved_with_the_chord,
    chords_are_apart,
    chords_expire,
    many_rivals_one_claim,
    many_chords_at_a_time,
    ten_thousand_members,
];

/// A claim that runs out while a case waits for it.
const BRIEF_CLAIM: Duration = Duration::from_millis(300);

/// A member that ended well.
pub(super) fn part(group_id: &str, task_id: &str, group_index: Option<i64>) -> ChordPart {
    ChordPart {
        group_id: group_id.to_owned(),
        task_id: task_id.to_owned(),
        group_index,
        state: State::Success,
        result: Value::from(task_id),
    }
}

pub(super) fn chord(group_id: &str, size: u64) -> NewChord {
    NewChord {
        group_id: group_id.to_owned(),
        size,
        header: None,
    }
}

pub(super) fn briefly_claimed() -> ResultPolicy {
    ResultPolicy {
        chord_claim: BRIEF_CLAIM,
        ..ResultPolicy::default()
    }
}

impl Fixture {
    pub(super) async fn open_chord(&self, chord: NewChord) {
        self.results()
            .open_chords(vec![chord])
            .await
            .expect("a chord is opened");
    }

    pub(super) async fn count(&self, part: ChordPart, token: &str) -> Counted {
        self.results()
            .count_part(part, token)
            .await
            .expect("a member is counted")
    }

    /// Counts a member of chord `g`.
    async fn count_task(&self, task_id: &str, token: &str) -> Counted {
        self.count(part("g", task_id, Some(0)), token).await
    }

    pub(super) async fn parts(&self, group_id: &str) -> ChordParts {
        self.results()
            .chord_parts(group_id)
            .await
            .expect("a chord is read")
    }

    async fn grow(&self, members: u32, by: &str) {
        self.results()
            .grow_chord("g", members, by)
            .await
            .expect("a chord grows");
    }

    async fn holds(&self, token: &str) -> bool {
        self.call_name(token).await.is_some()
    }

    /// The name of the call that ends chord `g`, if the token holds it.
    async fn call_name(&self, token: &str) -> Option<String> {
        self.results()
            .hold_chord("g", token)
            .await
            .expect("a claim is held or not")
    }

    async fn finish(&self, token: &str) -> bool {
        self.results()
            .finish_chord("g", token)
            .await
            .expect("a chord is finished or not")
    }
}

async fn last_member_completes_the_chord(fixture: Fixture) {
    assert!(fixture.results().joins_chords());
    fixture.open_chord(chord("g", 3)).await;
    assert_eq!(fixture.count_task("a", "1").await, Counted::Open);
    assert_eq!(fixture.count_task("b", "2").await, Counted::Open);
    assert_eq!(fixture.count_task("c", "3").await, Counted::Complete);
}

async fn member_counts_once(fixture: Fixture) {
    fixture.open_chord(chord("g", 2)).await;
    let failed = ChordPart {
        state: State::Failure,
        result: Value::from(&ExceptionInfo::new("builtins", "ValueError", "first")),
        ..part("g", "a", Some(0))
    };
    assert_eq!(fixture.count(failed.clone(), "1").await, Counted::Open);
    assert_eq!(fixture.count_task("a", "2").await, Counted::Open);
    assert_eq!(
        fixture.parts("g").await.parts,
        [failed],
        "the first end counts"
    );
    assert_eq!(fixture.count_task("b", "3").await, Counted::Complete);
}

async fn task_with_two_places_counts_twice(fixture: Fixture) {
    fixture.open_chord(chord("g", 2)).await;
    assert_eq!(
        fixture.count(part("g", "a", Some(0)), "1").await,
        Counted::Open
    );
    // Another result: Celery's sorted set on Redis keeps two that are the same as one.
    let again = ChordPart {
        result: Value::from("again"),
        ..part("g", "a", Some(1))
    };
    assert_eq!(fixture.count(again, "2").await, Counted::Complete);
    assert_eq!(fixture.parts("g").await.parts.len(), 2);
}

async fn members_may_end_before_the_chord_is_opened(fixture: Fixture) {
    for task_id in ["a", "b"] {
        assert_eq!(fixture.count_task(task_id, task_id).await, Counted::Open);
    }
    fixture.open_chord(chord("g", 3)).await;
    assert_eq!(fixture.count_task("c", "c").await, Counted::Complete);
}

async fn chord_that_is_not_open_is_never_complete(fixture: Fixture) {
    assert_eq!(fixture.count_task("a", "1").await, Counted::Open);
    assert!(!fixture.holds("1").await);
    assert!(!fixture.finish("1").await);
}

async fn added_members_are_waited_for(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    fixture.grow(2, "a").await;
    assert_eq!(fixture.count_task("a", "1").await, Counted::Open);
    fixture.grow(1, "b").await;
    assert_eq!(fixture.count_task("b", "2").await, Counted::Open);
    assert_eq!(fixture.count_task("c", "3").await, Counted::Open);
    assert_eq!(fixture.count_task("d", "4").await, Counted::Complete);
}

async fn members_may_be_added_before_the_chord_is_opened(fixture: Fixture) {
    fixture.grow(1, "x").await;
    fixture.open_chord(chord("g", 1)).await;
    assert_eq!(fixture.count_task("a", "1").await, Counted::Open);
    assert_eq!(fixture.count_task("b", "2").await, Counted::Complete);
}

async fn what_is_added_again_replaces_what_was_added(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    for members in [3, 1, 1] {
        fixture.grow(members, "first").await;
    }
    fixture.grow(2, "second").await;
    fixture.grow(0, "second").await;
    fixture.grow(0, "third").await;
    assert_eq!(fixture.count_task("a", "1").await, Counted::Open);
    assert_eq!(fixture.count_task("b", "2").await, Counted::Complete);
}

async fn growth_ends_with_the_chord(fixture: Fixture) {
    for round in ["1", "2"] {
        fixture.open_chord(chord("g", 1)).await;
        fixture.grow(1, "a").await;
        assert_eq!(fixture.count_task("a", round).await, Counted::Open);
        assert_eq!(fixture.count_task("b", round).await, Counted::Complete);
        assert!(fixture.finish(round).await);
    }
}

async fn call_keeps_the_name_of_its_first_claim(fixture: Fixture) {
    let fixture = &fixture.under(briefly_claimed()).await;
    for round in ["1", "2"] {
        fixture.open_chord(chord("g", 1)).await;
        let (dead, heir) = (format!("dead-{round}"), format!("heir-{round}"));
        let named = Some(dead.clone());
        assert_eq!(fixture.count_task("a", &dead).await, Counted::Complete);
        assert_eq!(fixture.call_name(&dead).await, named);
        eventually("the claim to run out", || async {
            fixture.call_name(&heir).await == named
        })
        .await;
        assert!(fixture.finish(&heir).await);
        assert_eq!(fixture.call_name(&heir).await, None, "it is over");
    }
}

async fn claim_belongs_to_one_token(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    assert_eq!(fixture.count_task("a", "mine").await, Counted::Complete);
    assert_eq!(fixture.count_task("a", "yours").await, Counted::Claimed);
    assert!(!fixture.holds("yours").await);
    assert_eq!(
        fixture.count_task("a", "mine").await,
        Counted::Complete,
        "asking again changes nothing"
    );
    assert!(fixture.holds("mine").await);
}

async fn claim_that_runs_out_passes_on(fixture: Fixture) {
    let fixture = &fixture.under(briefly_claimed()).await;
    fixture.open_chord(chord("g", 1)).await;
    assert_eq!(fixture.count_task("a", "dead").await, Counted::Complete);
    // The heir's claim is renewed by every look, so it does not run out in between.
    eventually("the claim to run out", || async move {
        fixture.count_task("a", "heir").await == Counted::Complete
    })
    .await;
    eventually("the heir's claim to run out", || async move {
        fixture.holds("third").await
    })
    .await;
    eventually("the third's claim to run out", || async move {
        fixture.finish("fourth").await
    })
    .await;
    assert_eq!(fixture.count_task("a", "dead").await, Counted::Over);
}

async fn finished_chord_is_over(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    assert_eq!(fixture.count_task("a", "1").await, Counted::Complete);
    assert!(fixture.finish("1").await);
    assert!(fixture.parts("g").await.parts.is_empty());
    assert_eq!(fixture.count_task("a", "1").await, Counted::Over);
    assert_eq!(fixture.count_task("late", "2").await, Counted::Over);
    assert!(
        fixture.parts("g").await.parts.is_empty(),
        "a late member leaves nothing"
    );
    assert!(!fixture.holds("1").await);
    assert!(!fixture.finish("1").await, "it ends once");
}

async fn only_the_claims_owner_finishes(fixture: Fixture) {
    fixture.open_chord(chord("g", 1)).await;
    assert_eq!(fixture.count_task("a", "owner").await, Counted::Complete);
    assert!(!fixture.finish("other").await);
    assert_eq!(fixture.parts("g").await.parts.len(), 1);
    assert!(fixture.finish("owner").await);
}

async fn chord_that_is_opened_again_begins_anew(fixture: Fixture) {
    for round in ["1", "2"] {
        fixture.open_chord(chord("g", 1)).await;
        assert_eq!(fixture.count_task("a", round).await, Counted::Complete);
        assert!(fixture.finish(round).await);
    }
    fixture.open_chord(chord("g", 2)).await;
    assert_eq!(fixture.count_task("a", "3").await, Counted::Open);
}

async fn parts_come_in_the_headers_order(fixture: Fixture) {
    let error = ExceptionInfo::new("builtins", "ValueError", "bad: é");
    let parts = [
        part("g", "a", Some(0)),
        ChordPart {
            state: State::Failure,
            result: Value::from(&error),
            ..part("g", "b", Some(1))
        },
        ChordPart {
            result: Value::List(vec![Value::Null, 1.5.into()]),
            ..part("g", "ünï-1", Some(2))
        },
        part("g", "d", Some(10)),
        part("g", "e", None),
    ];
    for place in [3, 4, 1, 0, 2] {
        fixture.count(parts[place].clone(), "1").await;
    }
    assert_eq!(fixture.parts("g").await.parts, parts);
}

async fn header_is_saved_with_the_chord(fixture: Fixture) {
    let inner = ResultTuple::group(
        "inner",
        vec![ResultTuple::task("a"), ResultTuple::task("b")],
    );
    let header = Value::from(&ResultTuple::group(
        "g",
        vec![inner, ResultTuple::task("c")],
    ));
    let nested = NewChord {
        header: Some(header.clone()),
        ..chord("g", 3)
    };
    fixture.open_chord(nested).await;
    assert_eq!(
        fixture.parts("g").await,
        ChordParts {
            parts: Vec::new(),
            header: Some(header.clone())
        }
    );
    assert_eq!(fixture.restored_group("g").await, Some(header));
    fixture.open_chord(chord("plain", 1)).await;
    assert_eq!(fixture.parts("plain").await.header, None);
}

async fn chords_are_apart(fixture: Fixture) {
    let both = vec![chord("g", 1), chord("h", 2)];
    fixture
        .results()
        .open_chords(both)
        .await
        .expect("chords are opened");
    assert_eq!(
        fixture.count(part("h", "a", Some(0)), "1").await,
        Counted::Open
    );
    assert!(fixture.parts("g").await.parts.is_empty());
    assert_eq!(fixture.count_task("a", "1").await, Counted::Complete);
    assert!(fixture.finish("1").await);
    assert_eq!(
        fixture.count(part("h", "b", Some(1)), "2").await,
        Counted::Complete
    );
}

async fn chords_expire(fixture: Fixture) {
    let policy = ResultPolicy {
        chord_expires: BRIEF,
        ..ResultPolicy::default()
    };
    let fixture = &fixture.under(policy).await;
    fixture.open_chord(chord("g", 2)).await;
    assert_eq!(fixture.count_task("a", "1").await, Counted::Open);
    eventually("the chord to expire", || async move {
        fixture.parts("g").await.parts.is_empty()
    })
    .await;
    fixture.clean_up().await;
    fixture.open_chord(chord("g", 2)).await;
    assert_eq!(fixture.count_task("b", "2").await, Counted::Open);
}

/// Counts members all at once, each under a token of its own; returns how many were told what.
async fn count_all(fixture: &Fixture, members: usize) -> (usize, usize) {
    let answers: Vec<Counted> = stream::iter(ids("task-", members).into_iter().enumerate())
        .map(|(index, task_id)| async move {
            let index = i64::try_from(index).expect("an index is small");
            let token = format!("token-{index}");
            fixture
                .count(part("g", &task_id, Some(index)), &token)
                .await
        })
        .buffer_unordered(256)
        .collect()
        .await;
    let told = |counted| answers.iter().filter(|answer| **answer == counted).count();
    (told(Counted::Open), told(Counted::Complete))
}

async fn many_rivals_one_claim(fixture: Fixture) {
    fixture.open_chord(chord("g", 32)).await;
    assert_eq!(count_all(&fixture, 32).await, (31, 1));
}

async fn many_chords_at_a_time(fixture: Fixture) {
    const CHORDS: usize = 50;
    const MEMBERS: usize = 10;
    let groups = ids("group-", CHORDS);
    let chords = groups.iter().map(|group| chord(group, MEMBERS as u64));
    let opened = fixture.results().open_chords(chords.collect()).await;
    opened.expect("chords are opened");
    // Members of one place of all chords, then those of the next.
    let members: Vec<(String, String)> = ids("task-", MEMBERS)
        .into_iter()
        .flat_map(|task_id| {
            groups
                .iter()
                .map(move |group| (group.clone(), task_id.clone()))
        })
        .collect();
    let fixture = &fixture;
    let counted: Vec<(String, Counted)> = stream::iter(members)
        .map(|(group, task_id)| async move {
            let counted = fixture.count(part(&group, &task_id, None), &task_id).await;
            (group, counted)
        })
        .buffer_unordered(64)
        .collect()
        .await;
    let mut complete: Vec<String> = counted
        .into_iter()
        .filter(|(_, counted)| *counted == Counted::Complete)
        .map(|(group, _)| group)
        .collect();
    complete.sort();
    let mut groups = groups.clone();
    groups.sort();
    assert_eq!(complete, groups, "each is complete once");
}

async fn ten_thousand_members(fixture: Fixture) {
    const MEMBERS: usize = 10_000;
    fixture.open_chord(chord("g", MEMBERS as u64)).await;
    assert_eq!(count_all(&fixture, MEMBERS).await, (MEMBERS - 1, 1));
    let parts = fixture.parts("g").await.parts;
    let results: Vec<_> = parts.into_iter().map(|part| part.task_id).collect();
    assert_eq!(results, ids("task-", MEMBERS));
}
