//! Series and flows through a database: levels and listed returns are stored as an asset's prices, flows as deposits and
//! withdrawals, and what is compared comes from them as they are read again.

use std::collections::HashMap;

use portfolio::analytics::view;
use portfolio::carried::Carried;
use portfolio::decimal::Decimal;
use portfolio::ledger::Kind;
use portfolio::store::NewTransaction;
use serde_json::{Map, Value, json};

use super::market::text;
use super::metrics::Kept;
use super::stored_case::asset;
use super::{metrics, run_stored, xirr};
use crate::world::{Server, World, now, on_both_servers};

on_both_servers!(metrics_oracles_through_the_store);

async fn metrics_oracles_through_the_store(server: Server) {
    let world = World::empty(server).await;
    let mut known: HashMap<String, Carried<Decimal>> = HashMap::new();
    run_stored("metrics.json", server, async |_, input| {
        for spec in [&input["series"], &input["benchmark"]] {
            if !spec.is_null() && !known.contains_key(&key(spec)) {
                known.insert(key(spec), stored(&world, spec).await);
            }
        }
        let kept = Kept {
            levels: &|spec| known[&key(spec)].clone(),
            returns: &|spec| {
                known[&key(spec)]
                    .iter()
                    .map(|(_, price)| return_of(*price))
                    .collect()
            },
        };
        metrics::actual_of(input, &kept)
    })
    .await;
}

/// What a series is called: the column of a file, or all that a case lists.
fn key(spec: &Value) -> String {
    match text(spec, "file") {
        Some(file) => format!("{file} {}", spec["column"]),
        None => spec.to_string(),
    }
}

/// The series' prices, from the database.
async fn stored(world: &World, spec: &Value) -> Carried<Decimal> {
    let prices = match spec.get("returns") {
        None => spec.clone(),
        Some(_) => {
            let days = spec["dates"].as_array().unwrap().iter();
            let priced = days
                .zip(metrics::listed(spec))
                .map(|(day, earned)| (day.as_str().unwrap().to_owned(), json!(price_of(earned))));
            json!({ "prices": priced.collect::<Map<_, _>>() })
        }
    };
    let id = asset(&world.store, "LEVELS", &key(spec), &prices, &[]).await;
    let market = world.store.market(&[id]).await.unwrap();
    market.assets()[0].closes.clone()
}

/// A return of nothing as a price, in units of its last place; each unit is a return of 10^-19.
const NOTHING: i128 = 10_i128.pow(20);
/// Units of a price: it has ten places.
const WHOLE: i128 = 10_i128.pow(10);

/// A return as a price that the database keeps exactly: returns may be below -1, and have more places than a price.
fn price_of(earned: f64) -> String {
    let units: i128 = format!("{earned:.19}").replace('.', "").parse().unwrap();
    let price = NOTHING + units;
    format!("{}.{:010}", price / WHOLE, price % WHOLE)
}

fn return_of(price: Decimal) -> f64 {
    let text = price.to_string();
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    let price: i128 = format!("{whole}{places:0<10}").parse().unwrap();
    let units = price - NOTHING;
    format!("{units}e-19").parse().unwrap()
}

on_both_servers!(xirr_oracles_through_the_store);

async fn xirr_oracles_through_the_store(server: Server) {
    let world = World::empty(server).await;
    let user = world.user("a@b.c").await;
    run_stored("xirr.json", server, async |id, input| {
        let ledger = "account,date,type,currency\n";
        let portfolio = world.portfolio(user, id, false, ledger).await;
        let accounts = world.store.accounts(user).await.unwrap();
        let account = accounts.iter().find(|account| account.name == id).unwrap();
        let flows = input["flows"].as_array().unwrap();
        for flow in flows {
            let row = row(account.id, flow);
            world.store.add_transaction(&row, now()).await.unwrap();
        }
        let days = flows.iter().map(|flow| flow[0].as_str().unwrap());
        let last = days.max().unwrap_or("2020-01-01").parse().unwrap();
        let found = view(&world.store, user, Some(portfolio), Some(last)).await;
        let found = found.unwrap();
        let walk = found.portfolios[0].walk(&found.market, Vec::new()).unwrap();
        let flows = walk.iter().flat_map(|walk| walk.ledger.flows());
        let flows = flows.map(|flow| (flow.date, (flow.outflow - flow.inflow).to_f64()));
        xirr::shown(&flows.collect::<Vec<_>>())
    })
    .await;
}

/// What an investor pays goes in, what comes back goes out.
fn row(account_id: i64, flow: &Value) -> NewTransaction {
    let amount: Decimal = flow[1].as_str().unwrap().parse().unwrap();
    NewTransaction {
        account_id,
        asset_id: None,
        kind: if amount.is_positive() {
            Kind::Withdrawal
        } else {
            Kind::Deposit
        },
        trade_date: flow[0].as_str().unwrap().parse().unwrap(),
        settle_date: None,
        executed_at: None,
        quantity: None,
        price: None,
        amount: Some(amount.abs()),
        fee: Decimal::ZERO,
        tax: Decimal::ZERO,
        currency: "USD".parse().unwrap(),
        to_currency: None,
        to_amount: None,
        to_asset_id: None,
        ratio: None,
        cost_fraction: None,
        acquired_on: None,
        lot_picks: Vec::new(),
        source: "test".to_owned(),
        external_id: None,
        note: None,
    }
}
