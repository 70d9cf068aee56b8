//! `health_check` by name.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use beat::{Beat, BeatParams, Role, ScheduleFile, SystemClock};
use portfolio::store::Store;
use tasks::App;
use testkit::MailServer;
use tokio_util::sync::CancellationToken;

use crate::support::System;
use crate::telling::mail;

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

#[tokio::test]
async fn the_administrator_is_told_after_three_bad_reports_and_not_again_soon() {
    let server = MailServer::with_tls().await;
    // The data folder is not there, so the disk cannot be looked at.
    let app = |folder: &Path| {
        App::new(folder.join("gone")).with_database(folder.join("finance.db").display().to_string())
    };
    let system = System::of(app, &mail(&server), Some("admin@example.com")).await;
    let store = system.database("ada@example.com").await;
    let now = jiff::Timestamp::now();
    // Reports of a system that has just been repaired do not count.
    for status in ["unhealthy", "healthy", "unhealthy"] {
        store.add_health_sample(now, status, "{}", 3).await.unwrap();
    }
    for mails in [0, 1, 1] {
        let result = system
            .run(system.call(NAME).kwarg("checks", ["disk", "broker"]))
            .await;
        assert_eq!(result["data"]["status"], "unhealthy", "{result}");
        assert_eq!(result["status"], "success");
        assert_eq!(server.mails_when(mails).await.len(), mails);
    }
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, "admin@example.com");
    let text = mails[0].content["text"].as_str().unwrap();
    assert!(text.contains("disk: unhealthy: "), "{text}");
    assert!(!text.contains("broker"), "{text}");
}

#[tokio::test]
async fn the_beat_that_leads_is_named() {
    let system = System::start().await;
    let beat = Arc::new(Beat::new(BeatParams {
        client: system.client.clone(),
        source: Arc::new(ScheduleFile::default()),
        name: "celerybeat@here".to_owned(),
        lease: Duration::from_secs(60),
        cron_starting_deadline: None,
        clock: Arc::new(SystemClock::default()),
    }));
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (beat, stop) = (Arc::clone(&beat), stop.clone());
        async move { beat.run(stop).await }
    });
    beat.wait_for(Role::Leader).await;
    let checked = async || {
        let result = system
            .run(system.call(NAME).kwarg("checks", ["beat"]))
            .await;
        result["data"]["checks"]["beat"].clone()
    };
    let check = checked().await;
    let said = (check["status"].as_str(), check["detail"].as_str());
    let active = "active: celerybeat@here, 0 entries";
    assert_eq!(said, (Some("healthy"), Some(active)));
    stop.cancel();
    running.await.unwrap();
    assert_eq!(
        checked().await["status"],
        "degraded",
        "it gave its lease up"
    );
}

#[tokio::test]
async fn the_longest_wait_is_told_and_grows() {
    let system = System::start().await;
    let waiting = system.call("nobody.takes.this").queue("idle");
    waiting.send().await.unwrap();
    testkit::wait_until(Duration::from_secs(60), async || {
        let call = system.call(NAME).kwarg("checks", ["queues"]);
        let result = system.run(call).await;
        let check = &result["data"]["checks"]["queues"];
        let detail = check["detail"].as_str().unwrap().to_owned();
        let wait = detail.split("the oldest in idle for ").nth(1);
        let wait = wait.unwrap_or_else(|| panic!("{detail}")).split(' ').next();
        wait.unwrap().parse::<u64>().unwrap() >= 1
    })
    .await;
}
