//! `weekly_portfolio_maintenance` by name: a week's damage is found, repaired, and found no more.

use std::fmt::Write as _;
use std::fs;

use calendar::Calendar;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use portfolio::import::{Source, TransactionImport, import_transactions};
use portfolio::store::{NewAccount, NewAsset, NewPortfolio, NewUser, Store};

use crate::support::System;

const NAME: &str = "weekly_portfolio_maintenance";

/// A portfolio that has held IBM since a day, with a deposit twice.
async fn portfolio(store: &Store, since: Date) {
    let (currency, now) = ("USD".parse().unwrap(), Timestamp::now());
    let asset = NewAsset::share("IBM", currency);
    store.put_asset(&asset).await.unwrap();
    let user = NewUser {
        email: "a@b.c",
        display_name: "",
        base_currency: currency,
    };
    let user_id = store.put_user(&user, now).await.unwrap();
    let account = NewAccount {
        user_id,
        name: "A",
        currency,
        allow_short: false,
    };
    let account = store.put_account(&account, now).await.unwrap();
    let portfolio = NewPortfolio {
        user_id,
        name: "P",
        base_currency: currency,
        calendar: "XNYS",
        lot_method: "fifo",
        automatic_income: true,
        risk_free_rate: Default::default(),
        benchmark_asset_id: None,
    };
    let portfolio = store.put_portfolio(&portfolio, now).await.unwrap();
    store.link_account(portfolio, account).await.unwrap();
    let rows = format!(
        "account,date,type,symbol,quantity,price,amount,currency,external_id\n\
         A,{since},deposit,,,,5000,USD,1\nA,{since},deposit,,,,5000,USD,2\nA,{since},buy,IBM,10,200,,USD,3\n"
    );
    let source = Source {
        name: "rows",
        bytes: rows.as_bytes(),
        now,
    };
    let import = TransactionImport {
        user_id,
        source: "test",
    };
    let report = import_transactions(store, source, import, &mut |_| {}).await;
    assert_eq!(report.unwrap().bad_rows, []);
}

#[tokio::test]
async fn what_a_week_has_left_behind_is_repaired_once() {
    let system = System::start().await;
    let calendar = Calendar::named("XNYS").unwrap();
    let last = calendar.last_completed(Timestamp::now());
    let sessions = calendar.sessions(last.saturating_sub(20.days()), last);
    let store = Store::create(system.data.path().join("finance.db")).await;
    let store = store.unwrap();
    portfolio(&store, sessions[0]).await;
    let mut prices = "date,close\n".to_owned();
    for session in &sessions {
        writeln!(prices, "{session},201").unwrap();
    }
    fs::create_dir(system.data.path().join("market")).unwrap();
    fs::write(system.data.path().join("market/IBM.csv"), prices).unwrap();

    let dry = system.run(system.call(NAME).kwarg("dry_run", true)).await;
    let gaps = &dry["data"]["price_gaps"];
    assert_eq!(gaps, &sessions.len(), "{dry}");
    assert_eq!(
        (&dry["data"]["gaps_filled"], &dry["data"]["vacuumed"]),
        (&0.into(), &false.into())
    );

    let first = system.run(system.call(NAME)).await;
    assert_eq!(first["status"], "success", "{first}");
    let data = &first["data"];
    assert_eq!(
        (&data["gaps_filled"], &data["duplicates_flagged"]),
        (gaps, &1.into())
    );
    assert_eq!(first["warnings"][0]["code"], "possible_duplicate");
    assert!(data["snapshots_rebuilt"].as_u64().unwrap() > 0, "{first}");
    assert_eq!(
        (&data["vacuumed"], &data["ledger_errors"]),
        (&true.into(), &0.into())
    );

    let again = system.run(system.call(NAME)).await;
    let data = &again["data"];
    assert_eq!(
        (&data["price_gaps"], &data["snapshots_rebuilt"]),
        (&0.into(), &0.into()),
        "{again}"
    );
}

#[tokio::test]
async fn a_ledger_that_cannot_be_booked_and_a_missing_file_stop_nothing() {
    let system = System::start().await;
    let store = Store::create(system.data.path().join("finance.db")).await;
    let store = store.unwrap();
    portfolio(&store, "2024-01-02".parse().unwrap()).await;
    let rows = "account,date,type,symbol,quantity,price,amount,currency,external_id\nA,2024-01-03,sell,IBM,11,200,,USD,4\n";
    let source = Source {
        name: "rows",
        bytes: rows.as_bytes(),
        now: Timestamp::now(),
    };
    let import = TransactionImport {
        user_id: 1,
        source: "test",
    };
    import_transactions(&store, source, import, &mut |_| {})
        .await
        .unwrap();
    let result = system.run(system.call(NAME).kwarg("rebuild_days", 0)).await;
    assert_eq!(
        (&result["status"], &result["data"]["ledger_errors"]),
        (&"partial".into(), &1.into()),
        "{result}"
    );
    let errors = result["errors"].as_array().unwrap();
    let codes: Vec<_> = errors
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["not_found", "oversell"]);
    assert_eq!(result["data"]["vacuumed"], true);
}
