//! Reconciliation as callers see it: one account, and all of them through a chord.

use client::{Call, Client};
use portfolio::store::Store;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{fails, run, sample, start};

const STATEMENT: &str = "kind,date,type,symbol,quantity,amount,currency,external_id
header,2013-02-28,,,,,,DEPOT-1
position,2013-02-28,,IBM,1,,,
";

fn call(client: &Client, name: &str) -> Call<Value> {
    let name = format!("app.tasks.reconciliation.{name}");
    client.task(&name).queue("celery")
}

/// The sample with a custodian's number for Bruno's account; returns its id and his.
async fn numbered(data: &TempDir) -> (Store, i64, i64) {
    let store = sample(data).await;
    let accounts = store.active_accounts().await.unwrap();
    let depot = accounts
        .iter()
        .find(|account| account.name == "Depot")
        .unwrap();
    store
        .set_custodian(depot.id, "Bank", "DEPOT-1")
        .await
        .unwrap();
    (store, depot.id, depot.user_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_accounts_are_reconciled_side_by_side_and_counted() {
    let data = TempDir::new().unwrap();
    let (store, account, user) = numbered(&data).await;
    let folder = data.path().join("statements");
    std::fs::create_dir(&folder).unwrap();
    let client = start(&data).await;

    let none = run(call(&client, "reconcile_all_accounts")).await;
    assert_eq!(none["status"], "empty", "{none}");
    assert_eq!(none["data"]["no_statement"], 3);

    std::fs::write(folder.join("depot.csv"), STATEMENT).unwrap();
    std::fs::write(folder.join("broken.csv"), "kind,date\nposition").unwrap();
    let all = run(call(&client, "reconcile_all_accounts")).await;
    assert_eq!(all["status"], "partial", "{all}");
    assert_eq!(all["errors"][0]["id"], "broken.csv");
    let fields = &all["data"];
    let counts = ["accounts", "breaks", "errors", "no_statement"].map(|field| &fields[field]);
    assert_eq!(
        counts,
        [&json!(3), &json!(1), &json!(0), &json!(2)],
        "{all}"
    );
    assert!(fields["group_id"].is_string());
    assert!(store.open_breaks(account).await.unwrap() > 0);

    // The same input gives the stored result.
    let one = call(&client, "reconcile_account").kwarg("account_id", account);
    let one = run(one.kwarg("user_id", user)).await;
    assert_eq!(
        (&one["data"]["opened"], &one["data"]["status"]),
        (&json!(0), &json!("breaks"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_is_reconciled_for_its_owner_only() {
    let data = TempDir::new().unwrap();
    let (_, account, user) = numbered(&data).await;
    let client = start(&data).await;
    let one = || call(&client, "reconcile_account").kwarg("account_id", account);

    let nothing = run(one().kwarg("user_id", user)).await;
    assert_eq!(
        (&nothing["status"], &nothing["data"]["reason"]),
        (&json!("skipped"), &json!("no_statement"))
    );
    let (kind, _) = fails(one().kwarg("user_id", user + 1)).await;
    assert_eq!(kind, "Forbidden");
    let (kind, text) = fails(
        one()
            .kwarg("user_id", user)
            .kwarg("tolerances", json!({"amount_abs": "-1"})),
    )
    .await;
    assert_eq!(kind, "InvalidArgument");
    assert!(text.contains("tolerances.amount_abs"), "{text}");
    let (_, text) = fails(one()).await;
    assert!(text.contains("user_id"), "{text}");
}
