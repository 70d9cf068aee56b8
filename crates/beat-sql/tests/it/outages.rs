//! Tables that go away and come back.

use beat::Store;
use beat_sql::Tables;
use broker::MemoryBroker;
use protocol::to_value;
use serde_json::json;
use testkit::Proxy;

use super::place::{Place, Running, entry, until};

#[tokio::test(flavor = "multi_thread")]
async fn beat_goes_on_while_the_tables_are_away_and_tells_them_afterwards() {
    let place = Place::postgres().created().await;
    let tick = to_value(&json!({"task": "proj.tick", "schedule": 1})).unwrap();
    place.tables().put("tick", &tick).await.unwrap();
    let url = place.url();
    let (_, address) = url.split_once('@').unwrap();
    let (server, _) = address.split_once('/').unwrap();
    let mut proxy = Proxy::start(server).await;
    let through = url.replace(server, &proxy.address().to_string());
    let tables = Tables::open(&through, "UTC").unwrap();
    let running = Running::follow(tables, MemoryBroker::new().backends());
    until("it is sent", async || !running.sent().await.is_empty()).await;

    proxy.refuse().await;
    proxy.cut();
    let before = running.sent().await.len();
    until("beat goes on", async || {
        running.sent().await.len() >= before + 3
    })
    .await;
    let kept = entry(&place, "tick").await.kept.unwrap();
    assert!(
        kept.total_run_count < before as u64 + 3,
        "the tables cannot know: {kept:?}"
    );

    proxy.accept().await;
    let count = before as u64 + 3;
    let is_told = async || entry(&place, "tick").await.kept.unwrap().total_run_count >= count;
    until("the tables are told", is_told).await;
    running.stop().await;
}
