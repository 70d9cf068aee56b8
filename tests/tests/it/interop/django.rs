//! A scheduler that lives in Django: its messages run here, and keep the header that it adds.

use serde_json::Value;
use testkit::{RedisServer, TempDir, wait_until};

use super::conformance::worker;
use super::{PATIENCE, python, scripts};

/// It is retried once, and gives back the headers that it is run with.
const TASK: &str = "t.integration.tasks.retry_once_headers";

/// How many tasks have ended well with the scheduler's header.
fn named(redis: &RedisServer) -> usize {
    let keys = redis.cli(&["KEYS", "celery-task-meta-*"]);
    let metas = keys.lines().map(|key| redis.cli(&["GET", key]));
    let metas = metas.filter_map(|meta| serde_json::from_str::<Value>(&meta).ok());
    metas
        .filter(|meta| meta["status"] == "SUCCESS")
        .filter(|meta| meta["result"]["periodic_task_name"] == "every second")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_django_celery_beat_sends_runs_and_keeps_its_header() {
    let (redis, folder) = (RedisServer::start(), TempDir::new().unwrap());
    let worker = worker(&redis);
    let django = python(&redis.url()).env("DJANGO_DATABASE", folder.path().join("db.sqlite3"));
    let made = django.run_file(&scripts().join("schedule_in_django.py"), &[TASK, "[]"]);
    assert!(made.ends_with("ok\n"), "{made}");
    let arguments = ["-A", "djproj", "beat", "-S", "django", "--pidfile="];
    let beat = django.spawn_module(&scripts(), "celery", &arguments);
    wait_until(PATIENCE, async || named(&redis) >= 3).await;
    drop((beat, worker));
}
