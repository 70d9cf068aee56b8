//! Attribution through a database: a portfolio and its benchmark are two portfolios that buy an asset of each group on the
//! first day. Weights are what they hold that evening, returns what the assets' prices say of the day after.

use std::collections::BTreeMap;
use std::fmt::Write;

use portfolio::analytics::view;
use portfolio::attribution::Group;
use portfolio::decimal::Decimal;
use portfolio::figures::Closing;
use portfolio::store::NewAsset;
use serde_json::Value;

use super::{attribution, run_stored};
use crate::world::{Server, World, on_both_servers};

const DAYS: [&str; 2] = ["2013-01-02", "2013-01-03"];
/// Everything costs so much on the first day, and each side has so much of it to spend.
const PRICE: i64 = 1_000;

on_both_servers!(attribution_oracles_through_the_store);

async fn attribution_oracles_through_the_store(server: Server) {
    let world = World::empty(server).await;
    let user = world.user("a@b.c").await;
    run_stored("attribution.json", server, async |id, input| {
        let groups = input["groups"].as_object().unwrap();
        let mut sides = Vec::new();
        for (place, side) in ["portfolio", "benchmark"].into_iter().enumerate() {
            let pairs = groups.iter();
            let wanted = pairs.map(|(name, of)| (name.as_str(), &of[place], &of[place + 2]));
            let name = format!("{id} {side}");
            sides.push(Side::stored(&world, user, &name, wanted.collect()).await);
        }
        let group = |name: &String| Group {
            portfolio_weight: sides[0].weight(name),
            benchmark_weight: sides[1].weight(name),
            portfolio_return: sides[0].returns[name],
            benchmark_return: sides[1].returns[name],
        };
        let read = groups.keys().map(|name| (name.clone(), group(name)));
        attribution::shown(&read.collect())
    })
    .await;
}

/// What the database says of one of the two portfolios, by group.
struct Side {
    weights: BTreeMap<String, f64>,
    returns: BTreeMap<String, f64>,
}

impl Side {
    /// Stores groups with their weights and returns, and reads them again.
    async fn stored(
        world: &World,
        user: i64,
        name: &str,
        wanted: Vec<(&str, &Value, &Value)>,
    ) -> Side {
        let decimal = |value: &Value| -> Decimal { value.as_str().unwrap().parse().unwrap() };
        let day = DAYS[0];
        let mut ledger = format!(
            "account,date,type,symbol,quantity,price,amount,currency\n{name},{day},deposit,,,,{},USD\n",
            PRICE * PRICE
        );
        let mut assets = Vec::new();
        for (group, weight, earned) in wanted {
            let symbol = format!("{name} {group}").to_uppercase();
            let (held, earned) = (thousandfold(decimal(weight)), thousandfold(decimal(earned)));
            assets.push(asset(world, &symbol, group, Decimal::from_int(PRICE) + earned).await);
            if held.is_positive() {
                writeln!(ledger, "{name},{day},buy,{symbol},{held},{PRICE},,USD").unwrap();
            }
        }
        let portfolio = world.portfolio(user, name, false, &ledger).await;
        Side {
            weights: weights(world, user, portfolio).await,
            returns: returns(world, &assets).await,
        }
    }

    /// Of a group that is not held, none.
    fn weight(&self, group: &str) -> f64 {
        self.weights.get(group).copied().unwrap_or_default()
    }
}

fn thousandfold(value: Decimal) -> Decimal {
    value.mul(Decimal::from_int(PRICE), 10).unwrap()
}

/// An asset of a group and its prices on both days.
async fn asset(world: &World, symbol: &str, group: &str, after: Decimal) -> i64 {
    let asset = NewAsset {
        sector: Some(group),
        ..NewAsset::share(symbol, "USD".parse().unwrap())
    };
    let id = world.store.put_asset(&asset).await.unwrap();
    let [first, second] = DAYS;
    world
        .prices(
            id,
            &format!("date,close\n{first},{PRICE}\n{second},{after}\n"),
        )
        .await;
    id
}

async fn weights(world: &World, user: i64, portfolio: i64) -> BTreeMap<String, f64> {
    let day = DAYS[0].parse().unwrap();
    let found = view(&world.store, user, Some(portfolio), Some(day)).await;
    let found = found.unwrap();
    let walk = found.portfolios[0].walk(&found.market, Vec::new()).unwrap();
    let closing = Closing::of(&walk.unwrap()).unwrap();
    closing.allocation.unwrap().sector
}

async fn returns(world: &World, assets: &[i64]) -> BTreeMap<String, f64> {
    let market = world.store.market(assets).await.unwrap();
    let returns = market.assets().iter().map(|asset| {
        let levels: Vec<Decimal> = asset.closes.iter().map(|(_, close)| *close).collect();
        let [first, second] = levels[..] else {
            panic!("{} has {} prices", asset.symbol, levels.len())
        };
        let earned = (second - first).to_f64() / first.to_f64();
        (asset.sector.clone().unwrap(), earned)
    });
    returns.collect()
}
