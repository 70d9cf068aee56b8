#![allow(clippy::unwrap_used)]

use jiff::Timestamp;
use testkit::Postgres;

use super::Store;
use crate::analytics::{RefreshRequest, refresh};
use crate::decimal::Decimal;
use crate::import::{PriceImport, Source, TransactionImport, import_prices, import_transactions};
use crate::store::{NewAccount, NewAsset, NewPortfolio, NewUser};

const ROWS: &str = "\
account,date,type,symbol,quantity,price,amount,currency
Main,2013-02-01,deposit,,,,100000,USD
Main,2013-02-04,buy,AAA,200,50,,USD
";
const PRICES: &str = "date,close\n2013-02-04,50\n2013-02-27,51.125\n";

fn now() -> Timestamp {
    "2013-02-27T22:00:00Z".parse().unwrap()
}

fn source(text: &str) -> Source<'_> {
    Source {
        name: "test",
        bytes: text.as_bytes(),
        now: now(),
    }
}

/// Makes a portfolio of one asset, and returns its id.
async fn fill(store: &Store) -> i64 {
    let usd = "USD".parse().unwrap();
    let user = NewUser {
        email: "ada@example.org",
        display_name: "Ada",
        base_currency: usd,
    };
    let user_id = store.put_user(&user, now()).await.unwrap();
    let asset = NewAsset::share("AAA", usd);
    let asset_id = store.put_asset(&asset).await.unwrap();
    let account = NewAccount {
        user_id,
        name: "Main",
        currency: usd,
        allow_short: false,
    };
    let account = store.put_account(&account, now()).await.unwrap();
    let portfolio = NewPortfolio {
        user_id,
        name: "Main",
        base_currency: usd,
        calendar: "XNYS",
        lot_method: "fifo",
        automatic_income: false,
        risk_free_rate: Decimal::ZERO,
        benchmark_asset_id: None,
    };
    let portfolio = store.put_portfolio(&portfolio, now()).await.unwrap();
    store.link_account(portfolio, account).await.unwrap();
    let prices = PriceImport {
        asset_id,
        source: "test",
    };
    let read = import_prices(store, source(PRICES), prices, &mut |_| {}).await;
    assert_eq!(read.unwrap().bad_rows, []);
    let rows = TransactionImport {
        user_id,
        source: "test",
    };
    let read = import_transactions(store, source(ROWS), rows, &mut |_| {}).await;
    assert_eq!(read.unwrap().bad_rows, []);
    portfolio
}

/// How many portfolios a refresh skips.
async fn skipped(store: &Store, full: bool) -> usize {
    let request = RefreshRequest {
        full,
        clock: now,
        ..RefreshRequest::new("task-1")
    };
    let done = refresh(store, &request, &mut |_| {}, &|| false).await;
    done.unwrap().data.portfolios_skipped
}

/// Stores the row of a portfolio as an earlier version did, and forgets what the last refresh gave.
async fn as_text(store: &Store, id: i64, text: String) {
    let update = "UPDATE analytics SET payload = ?1::jsonb, packed = NULL WHERE scope = 'portfolio' AND scope_id = ?2";
    let changed = store.sql(update).bind(text).bind(id).execute().await;
    assert_eq!(changed.unwrap(), 1);
    store.sql("DELETE FROM refreshes").execute().await.unwrap();
}

async fn rows_that_are_text_are_read_as_packed_ones(store: &Store) {
    let id = fill(store).await;
    assert_eq!(skipped(store, false).await, 0);
    let text = store.figures("portfolio", id, "all").await.unwrap();
    let text = text.unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed["closing"]["positions"]["rows"][0][3], "51.125");
    let shown = store.summary(None).await.unwrap();
    assert_eq!((shown.len(), shown[0].nav), (8, "100225".parse().ok()));

    as_text(store, id, text.clone()).await;
    assert_eq!(skipped(store, false).await, 1);
    let again = store.figures("portfolio", id, "all").await.unwrap();
    let again: serde_json::Value = serde_json::from_str(&again.unwrap()).unwrap();
    assert_eq!(again, parsed);
    assert_eq!(store.summary(None).await.unwrap(), shown);

    assert_eq!(skipped(store, true).await, 0);
    let packed = store.figures("portfolio", id, "all").await.unwrap();
    assert_eq!(packed.unwrap(), text);
}

#[tokio::test]
async fn rows_that_are_text_are_read_as_packed_ones_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("p.db")).await.unwrap();
    rows_that_are_text_are_read_as_packed_ones(&store).await;
}

#[tokio::test]
async fn rows_that_are_text_are_read_as_packed_ones_on_postgres() {
    let server = Postgres::start();
    let store = Store::open_url(&server.url()).await.unwrap();
    rows_that_are_text_are_read_as_packed_ones(&store).await;
}

#[tokio::test]
async fn an_entry_lives_as_long_as_its_row_and_its_portfolio() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("p.db")).await.unwrap();
    let id = fill(&store).await;
    let key = format!("portfolio:{id}:summary");
    for statement in [
        "DELETE FROM portfolio_caches",
        "DELETE FROM analytics WHERE scope = 'portfolio'",
        "DELETE FROM portfolios",
    ] {
        skipped(&store, true).await;
        assert!(store.cached(&key).await.unwrap().is_some());
        store.sql(statement).execute().await.unwrap();
        assert_eq!(store.cached(&key).await.unwrap(), None, "{statement}");
    }
}

#[tokio::test]
async fn entries_of_portfolios_are_counted_and_deleted_with_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("p.db")).await.unwrap();
    let id = fill(&store).await;
    skipped(&store, true).await;
    // With the user's summary and the overview.
    assert_eq!(store.cache_use().await.unwrap(), (0, 5));
    assert_eq!(store.expire_overviews(&[id], now()).await.unwrap(), 5);
    let later = now() + jiff::SignedDuration::from_secs(1);
    for dry_run in [true, false] {
        let found = store.delete_expired_cache(later, dry_run).await;
        assert_eq!(found.unwrap(), 5);
    }
    assert_eq!(store.cache_use().await.unwrap(), (0, 0));
}
