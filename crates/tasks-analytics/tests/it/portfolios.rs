//! Snapshots and performance as callers see them: by name, on a worker, with the sample portfolio.

use client::Call;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{fails, run, sample, start};

fn in_default_queue(call: Call<Value>) -> Call<Value> {
    call.queue("celery")
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_are_kept_once_for_each_day() {
    let data = TempDir::new().unwrap();
    let store = sample(&data).await;
    let client = start(&data).await;
    let call = || in_default_queue(client.task("create_portfolio_snapshot"));

    let first = run(call().kwarg("snapshot_date", "2013-03-01")).await;
    assert_eq!(first["status"], "success", "{first}");
    assert_eq!(first["data"]["date"], "2013-03-01");
    assert_eq!(first["data"]["created"], 3);
    assert_eq!(first["data"]["nav_total"]["EUR"], "117497.96153849");
    // Its other name, by position.
    let alias = "backend.tasks.portfolio.create_portfolio_snapshot";
    let again = in_default_queue(client.task(alias));
    let again = run(again.arg(1).arg(1).arg("2013-03-01")).await;
    assert_eq!(
        (&again["data"]["created"], &again["data"]["unchanged"]),
        (&json!(0), &json!(1))
    );
    let day = "2013-03-01".parse().unwrap();
    let kept = store.snapshot(1, day).await.unwrap().unwrap();
    assert_eq!(kept.nav, kept.cash + kept.invested);

    let (kind, text) = fails(call().kwarg("snapshot_date", "2999-01-01")).await;
    assert_eq!(kind, "InvalidArgument");
    assert!(text.contains("snapshot_date"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn performance_is_computed_on_demand() {
    let data = TempDir::new().unwrap();
    sample(&data).await;
    let client = start(&data).await;
    let call = || in_default_queue(client.task("calculate_portfolio_performance"));

    let asked = call().arg(1).arg(365).kwarg("end", "2013-03-01");
    let answer = run(asked).await;
    assert_eq!(answer["status"], "success", "{answer}");
    let fields = &answer["data"];
    assert_eq!(
        (&fields["from"], &fields["to"]),
        (&json!("2012-03-01"), &json!("2013-03-01"))
    );
    assert_eq!(fields["portfolios"].as_array().unwrap().len(), 2);
    let combined = &fields["combined"]["periods"][0];
    assert_eq!(combined["period"], "range");
    assert!(combined["figures"]["twr"].is_f64());
    assert!(combined["gains"]["by_holding"]["IBM"]["dividends"].is_string());

    let periods = call()
        .arg(1)
        .kwarg("periods", json!(["1m", "ytd"]))
        .kwarg("portfolio_id", 1);
    let answer = run(periods.kwarg("end", "2013-03-01")).await;
    let named = answer["data"]["portfolios"][0]["performance"]["periods"]
        .as_array()
        .unwrap();
    assert_eq!(
        (named[0]["period"].as_str(), named[1]["period"].as_str()),
        (Some("1m"), Some("ytd"))
    );
    assert_eq!(answer["data"]["combined"], Value::Null);

    let (kind, _) = fails(call().arg(77)).await;
    assert_eq!(kind, "NotFound");
    let (kind, text) = fails(
        call()
            .arg(1)
            .kwarg("start", "2013-03-01")
            .kwarg("end", "2012-03-01"),
    )
    .await;
    assert_eq!(kind, "InvalidArgument");
    assert!(text.contains("start"), "{text}");
}
