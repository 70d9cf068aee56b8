//! Every oracle case of the families of this crate, and those of ledgers and accounts through both databases too: decimals, dates, counts and nulls exactly, floats within 1e-12 + 1e-8 |b|.

mod attribution;
mod compare;
mod lots;
mod market;
mod metrics;
mod portfolios;
mod reconcile;
mod reconcile_stored;
mod xirr;

use serde_json::Value;

use crate::fixtures;
use compare::Comparison;

/// Compares every case of a family with what [`actual`] gave for it.
async fn run_stored(file: &str, actual: impl AsyncFn(&str, &Value) -> Value) {
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
        "{file} through the store: {} cases, {} values compared",
        cases.len(),
        comparison.compared()
    );
    comparison.assert_equal();
}

/// Runs every case of a family through `actual` and compares with what is expected.
fn run(file: &str, actual: impl Fn(&Value) -> Value) {
    let family: Value = serde_json::from_str(&fixtures::oracle(file)).unwrap();
    let cases = family["cases"].as_array().unwrap();
    assert!(!cases.is_empty(), "{file} holds no cases");
    let mut comparison = Comparison::default();
    for case in cases {
        comparison.case(
            case["id"].as_str().unwrap(),
            &case["expected"],
            &actual(&case["input"]),
        );
    }
    println!(
        "{file}: {} cases, {} values compared",
        cases.len(),
        comparison.compared()
    );
    comparison.assert_equal();
}

#[test]
fn metrics_oracles() {
    run("metrics.json", metrics::actual);
}

#[test]
fn xirr_oracles() {
    run("xirr.json", xirr::actual);
}

#[test]
fn lots_oracles() {
    run("lots.json", lots::actual);
}

#[test]
fn portfolios_oracles() {
    run("portfolios.json", portfolios::actual);
}

#[test]
fn attribution_oracles() {
    run("attribution.json", attribution::actual);
}

#[test]
fn reconcile_oracles() {
    run("reconcile.json", reconcile::actual);
}
