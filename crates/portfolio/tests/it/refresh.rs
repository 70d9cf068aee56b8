//! Refreshing through a real store.

mod retired;
mod trouble;
mod unchanged;

use portfolio::analytics::{Envelope, RefreshData, RefreshRequest, Status, refresh, summary};
use portfolio::store::Store;
use serde_json::Value;

use crate::world::{Server, World, now, on_both_servers};

/// A ledger whose figures the specification quotes.
const GROWTH: &str = "\
account,date,type,symbol,quantity,price,amount,fee,tax,currency
Growth,2000-03-01,deposit,,,,100000,,,USD
Growth,2000-03-02,buy,AAPL,200,122,,19.95,,USD
Growth,2000-03-02,buy,IBM,500,103.12,,19.95,,USD
Growth,2002-10-09,deposit,,,,25000,,,USD
Growth,2002-10-10,buy,AAPL,1500,14.11,,19.95,,USD
Growth,2004-08-20,buy,GOOG,60,108.31,,19.95,,USD
Growth,2007-10-09,sell,AAPL,800,167.86,,19.95,2.06,USD
Growth,2007-10-10,withdrawal,,,,90000,,,USD
Growth,2009-03-09,buy,IBM,300,83.48,,19.95,,USD
Growth,2012-09-19,sell,AAPL,500,702.1,,9.95,7.86,USD
";

const OVERSOLD: &str = "\
account,date,type,symbol,quantity,price,amount,currency
Broken,2010-03-01,deposit,,,,1000,USD
Broken,2010-03-02,sell,IBM,1,127.4,,USD
";

const CASH: &str = "account,date,type,amount,currency\nCash,2010-03-01,deposit,500,USD\n";

fn request() -> RefreshRequest {
    RefreshRequest {
        clock: now,
        ..RefreshRequest::new("task-1")
    }
}

/// A worker moves its tasks between threads.
fn movable<F: Future + Send>(future: F) -> F {
    future
}

async fn run(store: &Store, request: &RefreshRequest) -> portfolio::Result<Envelope<RefreshData>> {
    movable(refresh(store, request, &mut |_| {}, &|| false)).await
}

/// Growth and cash of one user.
async fn world(server: Server) -> (World, i64, i64, i64) {
    let world = World::with_market(server).await;
    let user = world.user("ada@example.org").await;
    let growth = world.portfolio(user, "Growth", true, GROWTH).await;
    let cash = world.portfolio(user, "Cash", false, CASH).await;
    (world, user, growth, cash)
}

on_both_servers!(figures_are_those_of_the_specification_and_stored);

async fn figures_are_those_of_the_specification_and_stored(server: Server) {
    let (world, user, growth, _) = world(server).await;
    let result = run(&world.store, &request()).await.unwrap();
    let data = &result.data;
    assert_eq!(
        (
            result.status,
            data.portfolios,
            data.users,
            data.investments,
            data.transactions
        ),
        (Status::Success, 2, 1, 3, 11)
    );
    assert_eq!(data.totals["USD"].nav.to_string(), "1713385.23");
    assert_eq!(data.totals["USD"].unrealised.to_string(), "1186057.825");
    assert_eq!(
        (data.top[0].portfolio_id, data.top[0].symbol.as_str()),
        (growth, "AAPL")
    );
    assert!((data.top[0].contribution - 12.26813).abs() < 1e-5);
    assert!(
        data.bottom
            .iter()
            .all(|entry| entry.contribution < 0.0 && entry.portfolio_id == growth)
    );
    assert_eq!(data.cache_keys, 8);
    assert_eq!(result.as_of, Some("2013-03-01".parse().unwrap()));

    let rows = summary(&world.store, result.as_of).await.unwrap();
    assert_eq!(rows.len(), 16);
    let max = rows
        .iter()
        .find(|row| row.portfolio_id == growth && row.period == "max")
        .unwrap();
    assert_eq!(max.nav.unwrap().to_string(), "1712885.23");
    let user_summary: Value = serde_json::from_str(
        &world
            .store
            .cached(&format!("user:{user}:summary"))
            .await
            .unwrap()
            .unwrap(),
    )
    .unwrap();
    assert_eq!(user_summary["nav"], "1713385.23");
    let overview: Value = serde_json::from_str(
        &world
            .store
            .figures("global", 0, "max")
            .await
            .unwrap()
            .unwrap(),
    )
    .unwrap();
    let shares: f64 = overview["allocation"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_f64)
        .sum();
    assert!((shares - 1.0).abs() < 1e-9);
}

on_both_servers!(the_envelope_has_the_documented_fields);

async fn the_envelope_has_the_documented_fields(server: Server) {
    let (world, ..) = world(server).await;
    let result = serde_json::to_value(run(&world.store, &request()).await.unwrap()).unwrap();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sorted(keys(&result)),
        [
            "as_of",
            "data",
            "duration_ms",
            "errors",
            "status",
            "task",
            "warnings"
        ]
    );
    let data = [
        "bottom",
        "cache_keys",
        "investments",
        "portfolios",
        "portfolios_failed",
        "portfolios_skipped",
        "top",
        "totals",
        "transactions",
        "users",
    ];
    assert_eq!(sorted(keys(&result["data"])), data);
    assert_eq!(result["status"], "success");
    assert_eq!(
        result["task"],
        "finflow.core.tasks.refresh_portfolio_analytics"
    );
    assert_eq!(
        sorted(keys(&result["data"]["totals"]["USD"])),
        ["nav", "unrealised"]
    );
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

on_both_servers!(a_portfolio_without_rows_has_empty_results);

async fn a_portfolio_without_rows_has_empty_results(server: Server) {
    let world = World::empty(server).await;
    let user = world.user("ada@example.org").await;
    world
        .portfolio(user, "New", false, "account,date,type,amount,currency\n")
        .await;
    let result = run(&world.store, &request()).await.unwrap();
    assert_eq!(
        (result.status, result.data.totals["USD"].nav.is_zero()),
        (Status::Success, true)
    );
    assert_eq!(
        run(&world.store, &request())
            .await
            .unwrap()
            .data
            .portfolios_skipped,
        1
    );
    let again = world.open_again().await;
    assert_eq!(again.summary(None).await.unwrap().len(), 8);
}
