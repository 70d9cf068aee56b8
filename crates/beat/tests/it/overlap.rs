//! Slots that come while the last run of their entry has not ended.

use broker::{Source, Subscription};
use protocol::{State, TaskMeta, Value};
use serde_json::json;

use super::stage::{Running, Stage, pass};

async fn start(stage: &Stage, overlap: &str) -> Running {
    let policy = json!({"overlap": overlap, "overlap_limit": 300});
    let schedule = json!({"tick": {"task": "t", "schedule": 10, "policy": policy}});
    stage.start("beat", &schedule)
}

/// Ends every run that was sent so far.
async fn end_all(stage: &Stage) {
    let sent = stage.sent().await.into_iter();
    let metas =
        sent.map(|message| TaskMeta::new(message.headers.id.unwrap(), State::Success, Value::Null));
    let results = stage.backends.results.as_ref().unwrap();
    results.store(metas.collect()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn slots_are_skipped_while_the_last_run_goes_on() {
    let stage = Stage::new();
    let _running = start(&stage, "skip").await;
    pass(61).await;
    assert_eq!(stage.sent_once_each().await, 1);
    end_all(&stage).await;
    pass(10).await;
    assert_eq!(stage.sent_once_each().await, 2);
    pass(310).await;
    assert_eq!(
        stage.sent_once_each().await,
        3,
        "a run that never ends does not block for ever"
    );
}

#[tokio::test(start_paused = true)]
async fn one_slot_waits_for_the_end_of_the_last_run() {
    let stage = Stage::new();
    let _running = start(&stage, "queue_one").await;
    pass(64).await;
    assert_eq!(stage.sent_once_each().await, 1);
    end_all(&stage).await;
    pass(2).await;
    assert_eq!(
        stage.sent_once_each().await,
        2,
        "at once, not at the next slot"
    );
    pass(60).await;
    assert_eq!(stage.sent_once_each().await, 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_run_is_cancelled() {
    let stage = Stage::new();
    let mut control = listen(&stage).await;
    let _running = start(&stage, "cancel_other").await;
    pass(31).await;
    assert_eq!(stage.sent_once_each().await, 3);
    let body = control.next().await.unwrap().body;
    let first = stage.sent().await[0].headers.id.clone().unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(
        body.contains("\"terminate\": true") && body.contains(&first),
        "{body}"
    );
}

async fn listen(stage: &Stage) -> Subscription {
    let source = Source::Broadcast {
        exchange: "celery.pidbox".to_owned(),
        binding_key: String::new(),
    };
    stage.backends.broker.subscribe(source).await.unwrap()
}
