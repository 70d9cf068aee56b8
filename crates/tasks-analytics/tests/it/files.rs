//! Reports and exports as files of tasks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use client::{Call, Client};
use serde_json::Value;
use tempfile::TempDir;

use super::{fails, run, sample, start};

const REPORT: &str = "generate_portfolio_report";
const EXPORT: &str = "dashboard.tasks.export_dashboard_data";

fn call(client: &Client, name: &str) -> Call<Value> {
    client.task(name).queue("celery")
}

fn report(client: &Client, name: &str) -> Call<Value> {
    let call = call(client, name).kwarg("user_id", 1);
    let call = call.kwarg("end", "2013-03-01").kwarg("portfolio_id", 1);
    call.kwarg("formats", ["pdf", "json", "csv", "html", "pdf"])
}

fn paths(result: &Value) -> BTreeSet<PathBuf> {
    let artifacts = result["data"]["artifacts"].as_array().unwrap();
    let paths = artifacts
        .iter()
        .map(|artifact| artifact["path"].as_str().unwrap());
    paths.map(PathBuf::from).collect()
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_filed_once_and_made_again_when_it_was_damaged() {
    let data = TempDir::new().unwrap();
    let store = sample(&data).await;
    let client = start(&data).await;

    let first = run(report(&client, REPORT).kwarg("start", "2012-01-01")).await;
    assert_eq!(first["status"], "success", "{first}");
    assert_eq!(first["data"]["from"], "2011-12-31");
    assert_eq!(first["data"]["to"], "2013-03-01");
    assert_eq!(paths(&first).len(), 4);
    assert_eq!(files(&data.path().join("reports/user-1")), paths(&first));
    assert_eq!(store.artefact_paths().await.unwrap().len(), 4);
    let admin = &client.backends().admin;
    let told = admin.depth(&["high_priority".to_owned()]).await.unwrap();
    assert_eq!(told[0].ready(), 1);

    let again = || {
        let call = report(&client, "finflow.core.tasks.generate_portfolio_report");
        call.kwarg("start", "2012-01-01").kwarg("notify", false)
    };
    let second = run(again()).await;
    assert_eq!(second["data"], first["data"]);

    let damaged = paths(&first).pop_first().unwrap();
    let whole = fs::read(&damaged).unwrap();
    fs::write(&damaged, b"half").unwrap();
    let third = run(again()).await;
    assert_eq!(fs::read(&damaged).unwrap(), whole);
    assert_eq!(paths(&third), paths(&first));
    assert_eq!(store.artefact_paths().await.unwrap().len(), 4);

    let other = run(report(&client, REPORT).kwarg("report_type", "tax")).await;
    assert!(paths(&other).is_disjoint(&paths(&first)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_the_same_file_for_the_same_input() {
    let data = TempDir::new().unwrap();
    sample(&data).await;
    let client = start(&data).await;
    for format in ["json", "csv", "pdf"] {
        let range = serde_json::json!({"start": "2012-01-01", "end": "2013-03-01"});
        let export = || call(&client, EXPORT).arg(1).arg(format).arg(range.clone());
        let first = run(export()).await;
        assert_eq!(first["status"], "success", "{first}");
        assert_eq!(first["data"]["format"], format);
        let path = Path::new(first["data"]["artifact"].as_str().unwrap());
        let bytes = fs::read(path).unwrap();
        assert_eq!(bytes.len() as u64, first["data"]["bytes"].as_u64().unwrap());
        assert!(first["data"]["rows"].as_u64().unwrap() > 200, "{first}");
        assert_eq!(run(export()).await["data"], first["data"]);
        fs::remove_file(path).unwrap();
        run(export()).await;
        assert_eq!(fs::read(path).unwrap(), bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_sees_its_own_user_only() {
    let data = TempDir::new().unwrap();
    sample(&data).await;
    let client = start(&data).await;
    let (kind, _) = fails(call(&client, EXPORT).arg(99)).await;
    assert_eq!(kind, "NotFound");
    let foreign = call(&client, REPORT).kwarg("user_id", 2);
    let (kind, _) = fails(foreign.kwarg("portfolio_id", 1)).await;
    assert_eq!(kind, "Forbidden");
    let late = report(&client, REPORT).kwarg("end", Value::Null);
    let (kind, text) = fails(late.kwarg("start", "2999-01-01")).await;
    assert_eq!(kind, "InvalidArgument", "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analysis_is_kept_as_a_file_for_each_call() {
    let data = TempDir::new().unwrap();
    let store = sample(&data).await;
    let client = start(&data).await;
    let folder = data.path().join("reports/system");
    for count in 1..=2 {
        let name = "dashboard.tasks.performance_analysis";
        let id = format!("analysis-{count}");
        let result = run(call(&client, name).task_id(id)).await;
        let kept = files(&folder);
        assert_eq!(kept.len(), count);
        assert_eq!(store.artefact_paths().await.unwrap().len(), count);
        let same = kept.iter().any(|path| {
            let text = fs::read(path).unwrap();
            serde_json::from_slice::<Value>(&text).unwrap() == result["data"]
        });
        assert!(same, "{result}");
    }
}
