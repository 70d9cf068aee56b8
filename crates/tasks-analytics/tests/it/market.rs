//! The market data tasks as Python calls them: by name, over a real Redis, on the real worker program.

use std::process::Command;

use portfolio::store::{NewAsset, Store};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{Process, Python, RedisServer};

/// Calls every task, positional and by keyword, and prints each result, or its exception's type and text.
const PRODUCER: &str = r#"
import json, os
from celery import Celery

app = Celery(broker=os.environ["BROKER"], backend=os.environ["BROKER"])

def call(name, *args, **kwargs):
    result = app.send_task(name, args, kwargs, queue="market_data")
    try:
        return result.get(timeout=60)
    except Exception as error:
        return {"failed": type(error).__name__, "text": str(error)}

window = dict(start="2005-02-01", end="2005-03-02")
print(json.dumps([
    call("fetch_market_data", ["aapl", "NONE", "AAPL"], **window),
    call("backend.tasks.market_data.fetch_market_data", symbols=["AAPL"], force=True, **window),
    call("fetch_market_data", ["NONE"]),
    call("fetch_market_data", ["../etc"]),
    call("fetch_market_data", ["AAPL"], provider="nobody"),
    call("update_portfolio_prices", symbols=["AAPL"]),
    call("update_portfolio_prices", [7]),
    call("backend.tasks.market_data.update_portfolio_prices"),
    call("fetch_asset_info", "AAPL"),
    call("fetch_asset_info", "AAPL", max_age_hours=1),
    call("fetch_asset_info", "NONE"),
    call("app.tasks.reconciliation.sync_market_data", ["AAPL"], full=True),
]))
"#;

async fn prepare(data: &TempDir) {
    let store = Store::create(data.path().join("finance.db")).await.unwrap();
    let asset = NewAsset::share("AAPL", "USD".parse().unwrap());
    store.put_asset(&asset).await.unwrap();
    store.close().await;
    let folder = data.path().join("market");
    std::fs::create_dir_all(folder.join("fx")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write(
        "AAPL.csv",
        "date,close\n2005-02-25,88.99\n2005-02-28,44.86\n2005-03-01,0\n",
    );
    write(
        "corporate_actions.csv",
        "symbol,ex_date,type,value,currency\nAAPL,2005-02-28,split,2,\n",
    );
    write("fx/ecb.csv", "date,USD\n2005-02-28,1.3257\n");
    write("assets.csv", "symbol,currency,name\nAAPL,USD,Apple Inc.\n");
}

fn start(data: &TempDir, redis: &RedisServer) -> Process {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_celeriac-worker-analytics"));
    let worker = worker
        .args(["-Q", "market_data", "-l", "INFO"])
        .current_dir(data.path())
        .env("CELERY_BROKER_URL", redis.url())
        .env("CELERY_RESULT_BACKEND", redis.url())
        .env("CELERIAC_DATA_FOLDER", data.path());
    Process::spawn(worker)
}

#[tokio::test]
async fn python_calls_every_task_by_its_names() {
    let (data, redis) = (TempDir::new().unwrap(), RedisServer::start());
    prepare(&data).await;
    let _worker = start(&data, &redis);
    let python = Python::find().env("BROKER", redis.url());
    let output = python.run(data.path(), PRODUCER);
    let results: Vec<Value> = serde_json::from_str(&output).unwrap();
    let [
        first,
        again,
        none,
        path,
        nobody,
        quotes,
        foreign,
        held,
        facts,
        cached,
        unknown,
        synced,
    ] = results.try_into().unwrap();

    assert_eq!(first["status"], "partial", "{first}");
    assert_eq!(first["data"]["failed"], serde_json::json!(["NONE"]));
    assert_eq!(
        (&first["data"]["rows_inserted"], &first["data"]["actions"]),
        (&2.into(), &1.into())
    );
    assert_eq!(first["data"]["symbols"]["AAPL"]["dropped"], 1);
    assert_eq!(
        (&first["errors"][0]["scope"], &first["errors"][0]["code"]),
        (&"asset".into(), &"not_found".into())
    );
    assert_eq!(
        (&again["status"], &again["data"]["rows_unchanged"]),
        (&"success".into(), &2.into())
    );
    assert_eq!(again["task"], "backend.tasks.market_data.fetch_market_data");
    assert_eq!(none["failed"], "NotFound", "{none}");
    assert_eq!(path["failed"], "InvalidArgument", "{path}");
    assert!(
        path["text"].as_str().unwrap().contains("symbols[0]"),
        "{path}"
    );
    assert!(
        nobody["text"].as_str().unwrap().contains("provider"),
        "{nobody}"
    );

    assert_eq!(
        (&quotes["data"]["assets"], &quotes["data"]["updated"]),
        (&1.into(), &1.into())
    );
    assert_eq!(foreign["failed"], "NotFound", "{foreign}");
    assert_eq!(held["status"], "empty", "{held}");
    assert_eq!(
        (&facts["data"]["cached"], &facts["data"]["info"]["name"]),
        (&false.into(), &"Apple Inc.".into())
    );
    assert_eq!(
        (&cached["data"]["cached"], &cached["data"]["source"]),
        (&true.into(), &"folder".into())
    );
    assert_eq!(unknown["failed"], "NotFound", "{unknown}");
    assert_eq!(
        (&synced["data"]["assets"], &synced["data"]["fx_rows"]),
        (&1.into(), &1.into())
    );
}

#[tokio::test]
async fn a_lock_lets_one_of_two_price_updates_skip() {
    let (data, redis) = (TempDir::new().unwrap(), RedisServer::start());
    prepare(&data).await;
    let store = Store::open(data.path().join("finance.db")).await.unwrap();
    let (now, minute) = (jiff::Timestamp::now(), jiff::SignedDuration::from_mins(5));
    let lock = store.lock("update_portfolio_prices", "another", now, minute);
    lock.await.unwrap();
    let _worker = start(&data, &redis);
    let script = r#"
import json, os
from celery import Celery
app = Celery(broker=os.environ["BROKER"], backend=os.environ["BROKER"])
print(json.dumps(app.send_task("update_portfolio_prices", queue="market_data").get(timeout=60)))
"#;
    let output = Python::find()
        .env("BROKER", redis.url())
        .run(data.path(), script);
    let result: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(
        (&result["status"], &result["data"]["reason"]),
        (&"skipped".into(), &"already_running".into())
    );
    assert_eq!(result["data"]["holder"], "another");
}
