//! A small finance database with one account, for tests of what commands do with it.

use portfolio::import::{PriceImport, Source, import_prices};
use portfolio::store::{NewAccount, NewAsset, NewPortfolio, NewUser, Store};

use crate::sandbox::Sandbox;

/// The ledger that most tests import: cash, then two purchases.
pub(crate) const LEDGER: &str =
    "account,date,type,symbol,quantity,price,amount,fee,tax,currency,external_id
Main,2010-03-01,deposit,,,,15000.00,0,0,USD,D-1
Main,2010-03-02,buy,IBM,100,127.40,,9.95,0,USD,B-77
Main,2010-03-09,buy,AAPL,10,223.02,,9.95,0,USD,B-78
";

/// Two users, each with a portfolio of one account; the first one's account has a number at a custodian. Prices of March 2010.
pub(crate) async fn two_users(sandbox: &Sandbox) {
    std::fs::create_dir_all(sandbox.path().join("data")).unwrap();
    let file = sandbox.path().join("data/finance.db");
    let store = Store::create(file).await.unwrap();
    for (symbol, prices) in [
        ("IBM", "date,close\n2010-03-02,127.40\n2010-03-31,128.25\n"),
        ("AAPL", "date,close\n2010-03-09,223.02\n2010-03-31,235\n"),
    ] {
        priced(&store, symbol, prices).await;
    }
    for (email, name) in [("a@b.c", "Main"), ("d@e.f", "Other")] {
        person(&store, email, name).await;
    }
    store.set_custodian(1, "Bank", "ACC-001").await.unwrap();
    store.close().await;
}

async fn priced(store: &Store, symbol: &str, prices: &str) {
    let asset = NewAsset::share(symbol, "USD".parse().unwrap());
    let asset_id = store.put_asset(&asset).await.unwrap();
    let source = Source {
        name: "prices.csv",
        bytes: prices.as_bytes(),
        now: jiff::Timestamp::now(),
    };
    let import = PriceImport {
        asset_id,
        source: "test",
    };
    let imported = import_prices(store, source, import, &mut |_| {}).await;
    assert_eq!(imported.unwrap().bad, 0);
}

async fn person(store: &Store, email: &str, name: &str) {
    let (now, currency) = (jiff::Timestamp::now(), "USD".parse().unwrap());
    let user = NewUser {
        email,
        display_name: name,
        base_currency: currency,
    };
    let user_id = store.put_user(&user, now).await.unwrap();
    let account = NewAccount {
        user_id,
        name,
        currency,
        allow_short: false,
    };
    let account_id = store.put_account(&account, now).await.unwrap();
    let portfolio = NewPortfolio {
        user_id,
        name,
        base_currency: currency,
        calendar: "XNYS",
        lot_method: "fifo",
        automatic_income: false,
        risk_free_rate: Default::default(),
        benchmark_asset_id: None,
    };
    let portfolio_id = store.put_portfolio(&portfolio, now).await.unwrap();
    let linked = store.link_account(portfolio_id, account_id).await;
    linked.unwrap();
}

/// Imports a ledger of the first user's and returns the report.
pub(crate) fn import(sandbox: &Sandbox, text: &str) -> serde_json::Value {
    let file = sandbox.file("ledger.csv", text);
    let file = file.to_str().unwrap();
    sandbox.json(&["finance", "import", "--user", "1", file])
}
