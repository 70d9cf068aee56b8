//! The reference load as a SQLite database, written with plain statements in large portions.

use std::path::Path;

use anyhow::Context as _;
use jiff::civil::Date;
use portfolio::store::Store;
use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::load::Load;

/// Rows of one statement.
const PORTION: usize = 20_000;
/// Portfolios of one user.
const PER_USER: usize = 100;

#[derive(Serialize)]
struct Person {
    id: i64,
}

#[derive(Serialize)]
struct Portfolio {
    id: i64,
    user: i64,
}

#[derive(Serialize)]
struct Asset<'a> {
    id: i64,
    symbol: &'a str,
}

#[derive(Serialize)]
struct Price {
    asset: i64,
    date: String,
    close: String,
}

#[derive(Serialize)]
struct Transaction<'a> {
    id: i64,
    account: i64,
    asset: Option<i64>,
    kind: &'a str,
    date: String,
    quantity: Option<String>,
    price: Option<String>,
    amount: Option<String>,
    external: Option<&'a str>,
}

/// Writes the load to a new database.
pub(crate) async fn write(load: &Load, path: &Path) -> anyhow::Result<()> {
    Store::create(path).await?.close().await;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false);
    let mut database = options.connect().await?;
    let count = i64::try_from(load.ledgers.len())?;
    let per_user = i64::try_from(PER_USER)?;
    let users = (1..=(count + per_user - 1) / per_user).map(|id| Person { id });
    insert(
        &mut database,
        "INSERT INTO users (id, email, created_at) SELECT value ->> 'id', 'user' || (value ->> 'id') || '@example.com', '2009-01-01T00:00:00Z' FROM json_each(?1)",
        users,
    )
    .await?;
    let portfolios = (1..=count).map(|id| Portfolio {
        id,
        user: (id - 1) / per_user + 1,
    });
    for statement in [
        "INSERT INTO accounts (id, user_id, name, currency, created_at) SELECT value ->> 'id', value ->> 'user', 'account ' || (value ->> 'id'), 'USD', '2009-01-01T00:00:00Z' FROM json_each(?1)",
        "INSERT INTO portfolios (id, user_id, name, base_currency, benchmark_asset_id, created_at) SELECT value ->> 'id', value ->> 'user', 'portfolio ' || (value ->> 'id'), 'USD', 1, '2009-01-01T00:00:00Z' FROM json_each(?1)",
        "INSERT INTO portfolio_accounts (portfolio_id, account_id) SELECT value ->> 'id', value ->> 'id' FROM json_each(?1)",
    ] {
        insert(&mut database, statement, portfolios.clone()).await?;
    }
    let assets = load.market.assets();
    insert(
        &mut database,
        "INSERT INTO assets (id, symbol, currency) SELECT value ->> 'id', value ->> 'symbol', 'USD' FROM json_each(?1)",
        assets.iter().map(|asset| Asset {
            id: asset.id,
            symbol: &asset.symbol,
        }),
    )
    .await?;
    write_prices(load, &mut database).await?;
    write_ledgers(load, &mut database).await?;
    database.close().await?;
    Ok(())
}

/// Takes the prices of a day out of the database, until [`bring`].
pub(crate) async fn hold_back(path: &Path, day: Date) -> anyhow::Result<()> {
    let mut database = existing(path).await?;
    let mut transaction = database.begin().await?;
    for statement in [
        "CREATE TABLE held_back AS SELECT * FROM prices WHERE date = ?1",
        "DELETE FROM prices WHERE date = ?1",
    ] {
        sqlx::query(statement)
            .bind(day.to_string())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    database.close().await?;
    Ok(())
}

/// Brings the prices that were held back: a new day.
pub(crate) async fn bring(path: &Path) -> anyhow::Result<()> {
    let mut database = existing(path).await?;
    let mut transaction = database.begin().await?;
    for statement in [
        "INSERT INTO prices SELECT * FROM held_back",
        "DROP TABLE held_back",
    ] {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    database.close().await?;
    Ok(())
}

async fn existing(path: &Path) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(path);
    Ok(options.connect().await?)
}

async fn write_prices(load: &Load, database: &mut SqliteConnection) -> anyhow::Result<()> {
    let prices = load.market.assets().iter().flat_map(|asset| {
        asset.closes.iter().map(|(date, close)| Price {
            asset: asset.id,
            date: date.to_string(),
            close: close.to_string(),
        })
    });
    insert(
        database,
        "INSERT INTO prices (asset_id, date, close, source, fetched_at) SELECT value ->> 'asset', value ->> 'date', value ->> 'close', 'bench', '2009-01-01T00:00:00Z' FROM json_each(?1)",
        prices,
    )
    .await
}

async fn write_ledgers(load: &Load, database: &mut SqliteConnection) -> anyhow::Result<()> {
    let rows = load
        .ledgers
        .iter()
        .flat_map(|ledger| ledger.iter())
        .map(|entry| Transaction {
            id: entry.id,
            account: entry.account.0,
            asset: entry.asset.map(|asset| load.market.asset(asset).id),
            kind: entry.kind.as_str(),
            date: entry.date.to_string(),
            quantity: entry.quantity.map(|value| value.to_string()),
            price: entry.price.map(|value| value.to_string()),
            amount: entry.amount.map(|value| value.to_string()),
            external: entry.external_id.as_deref(),
        });
    insert(
        database,
        "INSERT INTO transactions (id, account_id, asset_id, type, trade_date, quantity, price, amount, currency, source, external_id, created_at)
         SELECT value ->> 'id', value ->> 'account', value ->> 'asset', value ->> 'kind', value ->> 'date', value ->> 'quantity', value ->> 'price',
           value ->> 'amount', 'USD', 'bench', value ->> 'external', '2009-01-01T00:00:00Z' FROM json_each(?1)",
        rows,
    )
    .await
}

/// Runs a statement over rows, some thousands at a time.
async fn insert<T: Serialize>(
    database: &mut SqliteConnection,
    statement: &'static str,
    rows: impl Iterator<Item = T>,
) -> anyhow::Result<()> {
    let mut rows = rows.peekable();
    let mut transaction = database.begin().await?;
    while rows.peek().is_some() {
        let portion: Vec<T> = rows.by_ref().take(PORTION).collect();
        let json = serde_json::to_string(&portion)?;
        sqlx::query(statement)
            .bind(json)
            .execute(&mut *transaction)
            .await
            .context(statement)?;
    }
    transaction.commit().await?;
    Ok(())
}
