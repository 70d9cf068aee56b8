//! A case's ledger as rows of a database: a portfolio with accounts and assets of its own, whose rows are stored one by one.
//!
//! Cases may share a database, so assets are told apart by their exchange, which is the case's id. A row of an unknown
//! type cannot be stored: its refusal stands for the error.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portfolio::Error;
use portfolio::ledger::{Kind, Pick};
use portfolio::market::Action;
use portfolio::store::{
    NewAccount, NewAsset, NewBars, NewPortfolio, NewTransaction, PriceRow, RateRow, Store,
};
use serde_json::{Value, json};

use super::market::{
    Names, account_name, account_names, actions, closes, column, repeated, rows, text,
};
use crate::fixtures;

/// When everything is stored.
fn now() -> Timestamp {
    "2013-03-02T00:00:00Z".parse().unwrap()
}

/// The rates of the currencies that a family's cases name.
pub(crate) async fn put_rates(store: &Store, file: &str) {
    let (family, table) = (fixtures::oracle(file), fixtures::data("fx/ecb_eur.csv"));
    let named = |code: &&str| family.contains(&format!("\"{code}\""));
    let codes = table.lines().next().unwrap().split(',').skip(1);
    for code in codes.filter(named) {
        let series = column("fx/ecb_eur.csv", code);
        let rows = series.iter().map(|(date, rate)| RateRow {
            currency: code.parse().unwrap(),
            date,
            rate: *rate,
        });
        let rows: Vec<RateRow> = rows.collect();
        store.put_rate_rows(&rows, "test").await.unwrap();
    }
}

/// Whose case it is, and what its portfolio is called.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'c> {
    pub(crate) store: &'c Store,
    pub(crate) user: i64,
    pub(crate) portfolio: &'c str,
}

/// A case as rows of the database.
pub(crate) struct StoredCase<'c> {
    store: &'c Store,
    id: &'c str,
    input: &'c Value,
    pub(crate) portfolio: i64,
    accounts: BTreeMap<String, i64>,
    assets: BTreeMap<String, i64>,
    /// Row ids by their place, from one.
    stored: BTreeMap<i64, i64>,
    pub(crate) names: Names,
}

impl<'c> StoredCase<'c> {
    /// Its assets with prices and actions, its accounts and its portfolio.
    pub(crate) async fn start(owner: Owner<'c>, id: &'c str, input: &'c Value) -> StoredCase<'c> {
        let Owner { store, user, .. } = owner;
        let assets = assets(store, id, input).await;
        let mut accounts = BTreeMap::new();
        for name in account_names(input) {
            let stored = account(store, user, &format!("{id} {name}"), input).await;
            accounts.insert(name, stored);
        }
        let benchmark = benchmark(store, id, input).await;
        let portfolio = portfolio(owner, input, benchmark).await;
        for account in accounts.values() {
            let linked = store.link_account(portfolio, *account).await;
            linked.unwrap();
        }
        let by_id = accounts.iter().map(|(name, id)| (*id, name.clone()));
        let names = Names {
            accounts: by_id.collect(),
            rows: BTreeMap::new(),
            left_out: Vec::new(),
        };
        StoredCase {
            store,
            id,
            input,
            portfolio,
            accounts,
            assets,
            stored: BTreeMap::new(),
            names,
        }
    }

    /// Stores its rows in their order; what is refused is the case's error.
    pub(crate) async fn rows(&mut self) -> Result<(), Value> {
        for (place, row) in (1..).zip(rows(self.input)) {
            let new = self.transaction(row);
            match self.store.add_transaction(&new, now()).await {
                Ok(Some(id)) => {
                    self.stored.insert(place, id);
                    self.names.rows.insert(id, place);
                }
                Ok(None) => {
                    let again = repeated(place, &new.external_id.unwrap());
                    self.names.left_out.push(again);
                }
                Err(Error::InvalidArgument {
                    field: "type",
                    value,
                    ..
                }) => {
                    return Err(
                        json!({ "status": "error", "code": "unknown_type", "type": value }),
                    );
                }
                Err(other) => panic!("{}: {other}", self.id),
            }
        }
        Ok(())
    }

    fn transaction(&self, row: &Value) -> NewTransaction {
        let asset = |key| text(row, key).map(|symbol| self.assets[symbol]);
        let number = |key| text(row, key).map(|number| number.parse().unwrap());
        let of_asset = |symbol| text(&self.input["assets"][symbol], "currency");
        let own = || text(row, "symbol").map(|symbol| of_asset(symbol).unwrap_or("USD"));
        let currency = text(row, "currency").or_else(own);
        NewTransaction {
            account_id: self.accounts[account_name(row)],
            asset_id: asset("symbol"),
            kind: Kind::parse(text(row, "type").unwrap()),
            trade_date: text(row, "date").unwrap().parse().unwrap(),
            settle_date: None,
            executed_at: None,
            quantity: number("quantity"),
            price: number("price"),
            amount: number("amount"),
            fee: number("fee").unwrap_or_default(),
            tax: number("tax").unwrap_or_default(),
            currency: currency.unwrap_or(base(self.input)).parse().unwrap(),
            to_currency: text(row, "to_currency").map(|code| code.parse().unwrap()),
            to_amount: number("to_amount"),
            to_asset_id: asset("to_symbol"),
            ratio: number("ratio"),
            cost_fraction: number("cost_fraction"),
            acquired_on: text(row, "acquired").map(|day| day.parse().unwrap()),
            lot_picks: self.picks(row),
            source: "test".to_owned(),
            external_id: text(row, "external_id").map(str::to_owned),
            note: None,
        }
    }

    /// Cases name lots by the places of the rows that opened them.
    fn picks(&self, row: &Value) -> Vec<Pick> {
        let picks: Vec<Pick> = row
            .get("lots")
            .map(|picks| serde_json::from_value(picks.clone()).unwrap())
            .unwrap_or_default();
        let stored = picks.into_iter().map(|pick| Pick {
            lot: self.stored[&pick.lot],
            ..pick
        });
        stored.collect()
    }
}

pub(crate) fn base(input: &Value) -> &str {
    text(input, "base").unwrap_or("USD")
}

async fn account(store: &Store, user_id: i64, name: &str, input: &Value) -> i64 {
    let account = NewAccount {
        user_id,
        name,
        currency: base(input).parse().unwrap(),
        allow_short: input["allow_short"] == true,
    };
    store.put_account(&account, now()).await.unwrap()
}

async fn portfolio(owner: Owner<'_>, input: &Value, benchmark_asset_id: Option<i64>) -> i64 {
    let method = text(input, "method").unwrap_or("fifo");
    // The one case with picks names no method: picks decide.
    let picks = rows(input).iter().any(|row| row.get("lots").is_some());
    let portfolio = NewPortfolio {
        user_id: owner.user,
        name: owner.portfolio,
        base_currency: base(input).parse().unwrap(),
        calendar: text(input, "calendar").unwrap_or("XNYS"),
        lot_method: if picks { "specific" } else { method },
        automatic_income: text(input, "income_mode") == Some("auto"),
        risk_free_rate: input["risk_free"]
            .as_f64()
            .map_or_else(Default::default, |rate| rate.to_string().parse().unwrap()),
        benchmark_asset_id,
    };
    let stored = owner.store.put_portfolio(&portfolio, now()).await;
    stored.unwrap()
}

async fn assets(store: &Store, id: &str, input: &Value) -> BTreeMap<String, i64> {
    let mut assets = BTreeMap::new();
    for (symbol, spec) in input["assets"].as_object().into_iter().flatten() {
        let asset = asset(store, symbol, id, spec, &actions(symbol, input)).await;
        assets.insert(symbol.clone(), asset);
    }
    assets
}

async fn benchmark(store: &Store, id: &str, input: &Value) -> Option<i64> {
    let spec = input.get("benchmark")?;
    Some(asset(store, "BENCHMARK", id, spec, &[]).await)
}

pub(crate) async fn asset(
    store: &Store,
    symbol: &str,
    exchange: &str,
    spec: &Value,
    actions: &[Action],
) -> i64 {
    let currency = text(spec, "currency").unwrap_or("USD").parse().unwrap();
    let asset = NewAsset {
        exchange,
        class: text(spec, "class").unwrap_or("equity"),
        sector: text(spec, "sector"),
        country: text(spec, "country"),
        ..NewAsset::share(symbol, currency)
    };
    let asset_id = store.put_asset(&asset).await.unwrap();
    let series = closes(spec);
    let prices = series.iter().map(|(date, close)| PriceRow {
        date,
        open: None,
        high: None,
        low: None,
        close: *close,
        volume: None,
    });
    let bars = NewBars {
        asset_id,
        prices: &prices.collect::<Vec<_>>(),
        adjusted: false,
        actions,
        source: "test",
    };
    store.put_bars(&bars, now()).await.unwrap();
    asset_id
}
