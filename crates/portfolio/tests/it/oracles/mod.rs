//! Every oracle case of the families of this crate, in memory and through both databases: decimals, dates, counts and nulls exactly, floats within 1e-12 + 1e-8 |b|.

mod attribution;
mod compare;
mod lots;
mod market;
mod metrics;
mod portfolios;
mod reconcile;
mod reconcile_stored;
mod stored;
mod stored_attribution;
mod stored_case;
mod stored_series;
mod xirr;

use serde_json::Value;

use crate::fixtures;
use crate::world::Server;
use compare::Comparison;

/// Compares every case of a family with what `actual` gave for it through a server.
async fn run_stored(file: &str, server: Server, actual: impl AsyncFnMut(&str, &Value) -> Value) {
    let place = match server {
        Server::Sqlite => "on SQLite",
        Server::Postgres => "on PostgreSQL",
    };
    compare(file, place, actual).await;
}

/// Compares every case of a family with what `actual` computes.
async fn run(file: &str, actual: impl Fn(&Value) -> Value) {
    compare(file, "in memory", async |_: &str, input: &Value| {
        actual(input)
    })
    .await;
}

/// The line that is printed is read by `make oracles`.
async fn compare(file: &str, place: &str, mut actual: impl AsyncFnMut(&str, &Value) -> Value) {
    let family: Value = serde_json::from_str(&fixtures::oracle(file)).unwrap();
    let cases = family["cases"].as_array().unwrap();
    assert!(!cases.is_empty(), "{file} holds no cases");
    let mut comparison = Comparison::default();
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let found = actual(id, &case["input"]).await;
        comparison.case(id, &case["expected"], &found);
    }
    println!(
        "oracle {file} {place}: {} cases, {} values compared",
        cases.len(),
        comparison.compared()
    );
    comparison.assert_equal();
}

#[tokio::test]
async fn metrics_oracles() {
    run("metrics.json", metrics::actual).await;
}

#[tokio::test]
async fn xirr_oracles() {
    run("xirr.json", xirr::actual).await;
}

#[tokio::test]
async fn lots_oracles() {
    run("lots.json", lots::actual).await;
}

#[tokio::test]
async fn portfolios_oracles() {
    run("portfolios.json", portfolios::actual).await;
}

#[tokio::test]
async fn attribution_oracles() {
    run("attribution.json", attribution::actual).await;
}

#[tokio::test]
async fn reconcile_oracles() {
    run("reconcile.json", reconcile::actual).await;
}
