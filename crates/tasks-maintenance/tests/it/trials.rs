//! The test tasks and `debug_task`.

use protocol::State;
use serde_json::json;

use crate::support::System;

#[tokio::test]
async fn the_sum_takes_positions_and_keywords() {
    let system = System::start().await;
    let name = "finflow.core.tasks.test_task";
    let sums = [
        (system.call(name), 4),
        (system.call(name).arg(3).arg(4), 7),
        (system.call(name).arg(3).kwarg("y", -5), -2),
    ];
    for (call, sum) in sums {
        let result = system.run(call).await;
        assert_eq!(result["status"], "success");
        assert_eq!(result["task"], name);
        assert_eq!(result["data"]["sum"], sum);
    }
    let (kind, text) = system.fails(system.call(name).arg(i64::MAX).arg(1)).await;
    assert_eq!(kind, "InvalidArgument");
    assert!(text.contains("y = 1"), "{text}");
}

#[tokio::test]
async fn the_retry_ends_after_as_many_failures_as_asked() {
    let system = System::start().await;
    let name = "finflow.core.tasks.test_retry";
    let result = system.run(system.call(name).kwarg("fail_times", 1)).await;
    assert_eq!(result["data"]["attempts"], 2);
    let (kind, text) = system
        .fails(system.call(name).kwarg("fail_times", 11))
        .await;
    assert_eq!(kind, "InvalidArgument");
    assert!(
        text.contains("fail_times = 11: must be from 0 to 10"),
        "{text}"
    );
}

#[tokio::test]
async fn the_failure_is_a_value_error() {
    let system = System::start().await;
    let failing = system.call("finflow.core.tasks.test_failure");
    let (kind, text) = system.fails(failing.kwarg("message", "on purpose")).await;
    assert_eq!(
        (kind.as_str(), text.as_str()),
        ("ValueError", "ValueError: on purpose")
    );
}

#[tokio::test]
async fn progress_is_stored_at_the_start_and_the_task_ends() {
    let system = System::start().await;
    let call = system.call("finflow.core.tasks.test_progress");
    let call = call
        .kwarg("steps", 20)
        .kwarg("delay_ms", 60)
        .task_id("walk");
    let results = system.client.backends().results.clone().unwrap();
    let mut metas = results.watch(vec!["walk".to_owned()]).await.unwrap();
    let result = call.send().await.unwrap();
    let mut seen = Vec::new();
    loop {
        let meta = metas.next().await.unwrap();
        match meta.status {
            State::Custom(state) => {
                assert_eq!(state, "PROGRESS");
                seen.push(serde_json::to_value(meta.result).unwrap());
            }
            State::Success => break,
            other => panic!("unexpected state {other}"),
        }
    }
    assert_eq!(seen[0]["percent"], 0);
    assert_eq!(seen.last().unwrap()["percent"], 100);
    assert_eq!(seen[0]["total"], 20);
    assert!(
        seen.len() < 20,
        "updates are at least half a second apart: {}",
        seen.len()
    );
    assert!(result.ready().await.unwrap());
}

#[tokio::test]
async fn sleeps_are_checked() {
    let system = System::start().await;
    let name = "finflow.core.tasks.test_sleep";
    let result = system.run(system.call(name).kwarg("seconds", 0.01)).await;
    assert_eq!(result["data"]["slept_s"], 0.01);
    let (kind, _) = system.fails(system.call(name).kwarg("seconds", -1.0)).await;
    assert_eq!(kind, "InvalidArgument");
    let (kind, text) = system
        .fails(system.call(name).kwarg("seconds", "long"))
        .await;
    assert_eq!(kind, "InvalidArgument");
    assert!(text.contains("seconds = 'long'"), "{text}");
}

#[tokio::test]
async fn debug_task_tells_what_it_was_called_with() {
    let system = System::start().await;
    let call = system.call("dashboard.tasks.debug_task");
    let result = system.run(call.task_id("looked-at")).await;
    let facts = &result["data"];
    assert_eq!(facts["task_id"], "looked-at");
    assert_eq!(facts["queue"], "celery");
    assert_eq!(facts["args"], json!([]));
    assert_eq!(facts["kwargs"], json!({}));
    let call = system.call("dashboard.tasks.debug_task").arg(1);
    let (kind, text) = system.fails(call).await;
    assert_eq!(kind, "InvalidArgument");
    assert!(text.contains("too_many_arguments"), "{text}");
}
