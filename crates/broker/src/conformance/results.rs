//! Task metas and groups, by Celery's rules.

use protocol::{ExceptionInfo, Map, ResultTuple, State, TaskMeta, Value};
use tokio::time::timeout;

use super::fixture::{BRIEF, Fixture, QUIET, eventually, ids, meta, within};
use super::runner::cases;
use crate::{ResultPolicy, ResultStream, Stored};

cases![
    pending_task_has_no_meta,
    meta_comes_back_as_it_was_stored,
    failure_comes_back_as_it_was_stored,
    fetch_keeps_order_and_gaps,
    success_is_never_overwritten,
    other_states_are_overwritten,
    watch_begins_with_what_is_stored,
    watch_sees_what_is_stored_later,
    watch_sees_every_state_in_order,
    watch_sees_no_other_tasks,
    many_watchers_of_one_task,
    a_thousand_tasks_at_once,
    metas_expire,
    failures_expire_by_their_own_rule,
    forgotten_task_is_pending_again,
    groups_are_saved_and_restored,
    forgotten_group_is_gone,
    large_result,
];

impl Fixture {
    async fn store(&self, metas: Vec<TaskMeta>) -> Vec<Stored> {
        self.results().store(metas).await.expect("metas are stored")
    }

    async fn fetch(&self, task_ids: &[&str]) -> Vec<Option<TaskMeta>> {
        let task_ids: Vec<String> = task_ids.iter().map(ToString::to_string).collect();
        self.results()
            .fetch(&task_ids)
            .await
            .expect("metas are fetched")
    }

    async fn save_group(&self, group_id: &str) {
        let saved = self.results().save_group(group_id, group()).await;
        saved.expect("a group is saved");
    }

    async fn watch(&self, task_ids: &[&str]) -> ResultStream {
        let task_ids = task_ids.iter().map(ToString::to_string).collect();
        self.results()
            .watch(task_ids)
            .await
            .expect("watching begins")
    }
}

async fn next(stream: &mut ResultStream) -> TaskMeta {
    within("a meta", stream.next())
        .await
        .expect("the stream goes on")
}

fn progress(step: i64) -> TaskMeta {
    meta("a", State::Custom("PROGRESS".to_owned()), step)
}

async fn pending_task_has_no_meta(fixture: Fixture) {
    assert_eq!(fixture.fetch(&["never-sent"]).await, [None]);
    assert!(fixture.fetch(&[]).await.is_empty());
}

async fn meta_comes_back_as_it_was_stored(fixture: Fixture) {
    let result = Map::from_iter([
        ("number", Value::from(130)),
        ("text", Value::from("zażółć 😀 \"quoted\"\n")),
        (
            "nested",
            Value::List(vec![Value::Null, Value::Bool(true), Value::from(1.5)]),
        ),
        ("empty", Value::List(Vec::new())),
    ]);
    let stored = TaskMeta {
        children: Some(vec![ResultTuple::task("child")]),
        date_done: Some(jiff::Timestamp::UNIX_EPOCH.into()),
        group_id: Some("group".to_owned()),
        parent_id: Some("parent".to_owned()),
        ..meta("ünï-1", State::Success, result)
    };
    assert_eq!(fixture.store(vec![stored.clone()]).await, [Stored::Written]);
    assert_eq!(fixture.fetch(&["ünï-1"]).await, [Some(stored)]);
}

async fn failure_comes_back_as_it_was_stored(fixture: Fixture) {
    let error = ExceptionInfo::new("builtins", "ValueError", "bad: é");
    let traceback = Some("Traceback (most recent call last):\n  ValueError: bad: é".to_owned());
    let stored = TaskMeta {
        traceback,
        ..meta("a", State::Failure, &error)
    };
    fixture.store(vec![stored.clone()]).await;
    let fetched = fixture.fetch(&["a"]).await.remove(0).expect("it is stored");
    assert_eq!(fetched.exception(), Some(error));
    assert_eq!(fetched, stored);
}

async fn fetch_keeps_order_and_gaps(fixture: Fixture) {
    fixture
        .store(vec![
            meta("a", State::Success, 1),
            meta("c", State::Success, 3),
        ])
        .await;
    let fetched = fixture.fetch(&["c", "b", "a", "c"]).await;
    let results: Vec<_> = fetched
        .into_iter()
        .map(|meta| meta.map(|meta| meta.result))
        .collect();
    assert_eq!(
        results,
        [Some(3.into()), None, Some(1.into()), Some(3.into())]
    );
}

async fn success_is_never_overwritten(fixture: Fixture) {
    fixture.store(vec![meta("a", State::Success, 1)]).await;
    for status in [
        State::Failure,
        State::Retry,
        State::Started,
        State::Revoked,
        State::Success,
    ] {
        assert_eq!(
            fixture.store(vec![meta("a", status, 2)]).await,
            [Stored::KeptSuccess]
        );
    }
    let kept = fixture.fetch(&["a"]).await.remove(0).expect("it is stored");
    assert_eq!((kept.status, kept.result), (State::Success, 1.into()));
}

async fn other_states_are_overwritten(fixture: Fixture) {
    let states = [
        State::Started,
        State::Custom("SUCCESSFUL".to_owned()),
        State::Retry,
        State::Failure,
        State::Success,
    ];
    for status in states {
        assert_eq!(
            fixture
                .store(vec![meta("a", status.clone(), "SUCCESS")])
                .await,
            [Stored::Written]
        );
        assert_eq!(fixture.stored("a").await, Some(status));
    }
}

async fn watch_begins_with_what_is_stored(fixture: Fixture) {
    fixture.store(vec![meta("a", State::Success, 1)]).await;
    let mut stream = fixture.watch(&["b", "a"]).await;
    assert_eq!(next(&mut stream).await.task_id, "a");
}

async fn watch_sees_what_is_stored_later(fixture: Fixture) {
    let mut stream = fixture.watch(&["a", "b"]).await;
    fixture.store(vec![meta("b", State::Success, 1)]).await;
    assert_eq!(next(&mut stream).await.task_id, "b");
    fixture.store(vec![meta("a", State::Failure, 1)]).await;
    assert_eq!(next(&mut stream).await.task_id, "a");
}

/// A meta that is stored while the watch begins may come twice; none is missing and the last is the last.
async fn watch_sees_every_state_in_order(fixture: Fixture) {
    let mut stream = fixture.watch(&["a"]).await;
    for step in 0..20 {
        fixture.store(vec![progress(step)]).await;
    }
    fixture.store(vec![meta("a", State::Success, 20)]).await;
    for step in 0..=20 {
        assert_eq!(next(&mut stream).await.result, step.into());
    }
}

async fn watch_sees_no_other_tasks(fixture: Fixture) {
    let mut stream = fixture.watch(&["a"]).await;
    fixture
        .store(vec![
            meta("b", State::Success, 1),
            meta("a2", State::Success, 1),
        ])
        .await;
    let unexpected = timeout(QUIET, stream.next()).await;
    assert!(unexpected.is_err(), "{unexpected:?}");
}

async fn many_watchers_of_one_task(fixture: Fixture) {
    let mut first = fixture.watch(&["a"]).await;
    let mut second = fixture.watch(&["a", "b"]).await;
    drop(fixture.watch(&["a"]).await);
    fixture.store(vec![meta("a", State::Success, 1)]).await;
    assert_eq!(next(&mut first).await.task_id, "a");
    assert_eq!(next(&mut second).await.task_id, "a");
    drop(first);
    fixture.store(vec![meta("b", State::Success, 1)]).await;
    assert_eq!(
        next(&mut second).await.task_id,
        "b",
        "another's end does not end this one"
    );
}

async fn a_thousand_tasks_at_once(fixture: Fixture) {
    let task_ids = ids("task-", 1_000);
    let mut stream = fixture
        .results()
        .watch(task_ids.clone())
        .await
        .expect("watching begins");
    let metas = task_ids
        .iter()
        .map(|id| meta(id, State::Success, id.as_str()))
        .collect();
    assert!(
        fixture
            .store(metas)
            .await
            .iter()
            .all(|stored| *stored == Stored::Written)
    );
    let fetched = fixture
        .results()
        .fetch(&task_ids)
        .await
        .expect("metas are fetched");
    let results: Vec<_> = fetched
        .into_iter()
        .map(|meta| meta.expect("it is stored").result)
        .collect();
    assert_eq!(
        results,
        task_ids
            .iter()
            .map(|id| Value::from(id.as_str()))
            .collect::<Vec<_>>()
    );
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < task_ids.len() {
        seen.insert(next(&mut stream).await.task_id);
    }
}

async fn until_pending(fixture: &Fixture, task_id: &str) {
    eventually("the meta to expire", || async move {
        fixture.stored(task_id).await.is_none()
    })
    .await;
}

async fn metas_expire(fixture: Fixture) {
    let fixture = fixture
        .under(ResultPolicy {
            expires: BRIEF,
            ..ResultPolicy::default()
        })
        .await;
    fixture.save_group("g").await;
    fixture.store(vec![meta("a", State::Success, 1)]).await;
    until_pending(&fixture, "a").await;
    let fixture = &fixture;
    eventually("the group to expire", || async move {
        fixture.restored_group("g").await.is_none()
    })
    .await;
    fixture.clean_up().await;
    assert_eq!(
        fixture.store(vec![meta("a", State::Failure, 2)]).await,
        [Stored::Written],
        "it may be used again"
    );
}

async fn failures_expire_by_their_own_rule(fixture: Fixture) {
    let fixture = fixture
        .under(ResultPolicy {
            failure_expires: BRIEF,
            ..ResultPolicy::default()
        })
        .await;
    fixture
        .store(vec![
            meta("good", State::Success, 1),
            meta("bad", State::Failure, 1),
        ])
        .await;
    until_pending(&fixture, "bad").await;
    fixture.clean_up().await;
    assert_eq!(fixture.stored("good").await, Some(State::Success));
}

async fn forgotten_task_is_pending_again(fixture: Fixture) {
    fixture
        .store(vec![
            meta("a", State::Success, 1),
            meta("b", State::Success, 1),
        ])
        .await;
    let forgotten = ["a".to_owned(), "never-sent".to_owned()];
    fixture
        .results()
        .forget(&forgotten)
        .await
        .expect("forgetting works");
    assert_eq!(
        (fixture.stored("a").await, fixture.stored("b").await),
        (None, Some(State::Success))
    );
    assert_eq!(
        fixture.store(vec![meta("a", State::Started, 1)]).await,
        [Stored::Written]
    );
}

fn group() -> Value {
    Value::from(&ResultTuple::group(
        "g",
        vec![ResultTuple::task("a"), ResultTuple::task("b")],
    ))
}

async fn groups_are_saved_and_restored(fixture: Fixture) {
    assert_eq!(fixture.restored_group("g").await, None);
    fixture.save_group("g").await;
    assert_eq!(fixture.restored_group("g").await, Some(group()));
    assert_eq!(fixture.stored("g").await, None, "a group is no task");
}

async fn forgotten_group_is_gone(fixture: Fixture) {
    for group_id in ["g", "h"] {
        fixture.save_group(group_id).await;
    }
    fixture.store(vec![meta("a", State::Success, 1)]).await;
    for group_id in ["g", "never-saved"] {
        let forgotten = fixture.results().forget_group(group_id).await;
        forgotten.expect("a group is forgotten");
    }
    assert_eq!(fixture.restored_group("g").await, None);
    assert_eq!(fixture.restored_group("h").await, Some(group()));
    assert_eq!(
        fixture.stored("a").await,
        Some(State::Success),
        "its members stay"
    );
}

async fn large_result(fixture: Fixture) {
    let text = "x".repeat(1 << 20);
    fixture
        .store(vec![meta("a", State::Success, text.as_str())])
        .await;
    let fetched = fixture.fetch(&["a"]).await.remove(0).expect("it is stored");
    assert!(fetched.result.as_str() == Some(&text));
}
