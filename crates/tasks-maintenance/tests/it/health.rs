//! `health_check` by name.

use portfolio::store::Store;

use crate::support::System;

const NAME: &str = "finflow.core.tasks.health_check";

#[tokio::test]
async fn everything_is_looked_at_and_the_sample_is_kept() {
    let system = System::start().await;
    let database = system.data.path().join("finance.db");
    let store = Store::create(&database).await.unwrap();
    let result = system.run(system.call(NAME)).await;
    assert_eq!(result["status"], "success");
    let checks = result["data"]["checks"].as_object().unwrap();
    assert_eq!(checks.len(), 10, "{checks:#?}");
    for name in ["broker", "result_backend", "database", "workers", "queues"] {
        assert_eq!(checks[name]["status"], "healthy", "{name}: {checks:#?}");
    }
    // Nobody schedules here, and there are no prices.
    for name in ["beat", "prices", "fx"] {
        assert_eq!(checks[name]["status"], "degraded", "{name}: {checks:#?}");
    }
    assert!(
        checks["disk"]["detail"]
            .as_str()
            .unwrap()
            .contains("% free")
    );
    let now = jiff::Timestamp::now();
    let recent = store
        .add_health_sample(now, "healthy", "{}", 5)
        .await
        .unwrap();
    assert_eq!(recent.len(), 2, "the task's sample and this one");
}

#[tokio::test]
async fn a_missing_database_is_reported_and_fails_nothing() {
    let system = System::start().await;
    let call = system.call("apps.main.tasks.health_check");
    let result = system
        .run(call.kwarg("checks", ["database", "broker"]))
        .await;
    assert_eq!(result["task"], "apps.main.tasks.health_check");
    assert_eq!(result["data"]["status"], "unhealthy");
    let checks = &result["data"]["checks"];
    assert_eq!(checks["broker"]["status"], "healthy");
    let detail = checks["database"]["detail"].as_str().unwrap();
    assert!(detail.contains("finance.db not found"), "{detail}");
}

#[tokio::test]
async fn an_unknown_check_is_refused_with_the_list() {
    let system = System::start().await;
    let (kind, text) = system
        .fails(system.call(NAME).kwarg("checks", ["weather"]))
        .await;
    assert_eq!(kind, "InvalidArgument");
    assert!(
        text.contains("must be one of broker, result_backend"),
        "{text}"
    );
}
