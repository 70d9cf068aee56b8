//! Payloads that lie beside their messages, while workers are killed: every task finds its own, and none is left for good.

use sqlx::{Connection, SqliteConnection};
use testkit::{RedisServer, TempDir, wait_until};

use super::fleet::{Fleet, sqlite_in};
use super::{PATIENCE, SLOTS};

const TASKS: usize = 400;
const MILLISECONDS: u64 = 50;
const KILLS: usize = 12;
/// Payloads are kept for so long if nobody deletes them, in seconds.
const EXPIRES: i64 = 3_600;

fn settings() -> Vec<(&'static str, String)> {
    vec![
        ("CELERIAC_LEASE_SECONDS", "3".to_owned()),
        ("CELERIAC_MAX_WORKER_DEATHS", "1000".to_owned()),
        ("CELERIAC_CLAIM_CHECK_THRESHOLD", "1000".to_owned()),
        ("CELERY_RESULT_EXPIRES", EXPIRES.to_string()),
    ]
}

/// Kills workers amid the tasks, until every task has succeeded.
async fn drill(broker: String, folder: TempDir) -> Fleet {
    let mut fleet = Fleet::new(broker, folder, &settings());
    fleet.send_as(&["large"], TASKS, MILLISECONDS);
    fleet.start_worker();
    fleet.kill_amid(TASKS, KILLS).await;
    let all = TASKS.to_string();
    wait_until(PATIENCE, async || {
        fleet.client(&["unsuccessful", &all]).is_empty()
    })
    .await;
    fleet.stop().await;
    fleet
}

/// A worker that is killed after it has settled and before it has deleted the payloads leaves those of one batch.
fn are_few_and_expire(lifetimes: &[i64]) {
    println!(
        "{KILLS} kills have left {} of {TASKS} payloads",
        lifetimes.len()
    );
    assert!(lifetimes.len() <= KILLS * SLOTS, "{}", lifetimes.len());
    for lifetime in lifetimes {
        assert!((1..=EXPIRES).contains(lifetime), "{lifetime} seconds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_survive_kills_on_redis() {
    const CLAIMS: &str = "celery-task-meta-celery-claim-*";
    let redis = RedisServer::start();
    drill(redis.url(), TempDir::new().unwrap()).await;
    let left = redis.cli(&["KEYS", CLAIMS]);
    let lifetime = |key: &str| redis.cli(&["TTL", key]).trim().parse().unwrap();
    let left: Vec<i64> = left.split_whitespace().map(lifetime).collect();
    are_few_and_expire(&left);
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_survive_kills_on_sqlite() {
    const CLAIMS: &str =
        "SELECT expires_at / 1000 - unixepoch() FROM results WHERE task_id LIKE 'celery-claim-%'";
    let folder = TempDir::new().unwrap();
    let url = sqlite_in(folder.path());
    let _fleet = drill(url.clone(), folder).await;
    let mut file = SqliteConnection::connect(&url).await.unwrap();
    let left: Vec<i64> = sqlx::query_scalar(CLAIMS)
        .fetch_all(&mut file)
        .await
        .unwrap();
    are_few_and_expire(&left);
}
