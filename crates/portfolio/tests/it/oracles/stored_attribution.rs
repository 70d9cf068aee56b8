//! Attribution through a database: a portfolio that buys an asset of each group on the first day, beside a mix of other assets,
//! which earn on the day after what the case says.

use std::fmt::Write;

use portfolio::analytics::view_with_plan;
use portfolio::decimal::Decimal;
use portfolio::store::NewAsset;
use portfolio::targets::{Dimension, Target, TargetPlan};
use serde_json::Value;

use super::run_stored;
use crate::world::{Server, World, on_both_servers};

const DAYS: [&str; 2] = ["2013-01-02", "2013-01-03"];
/// Everything costs so much on the first day, and so much a thousand times is there to spend.
const PRICE: i64 = 1_000;

on_both_servers!(attribution_oracles_through_the_store);

async fn attribution_oracles_through_the_store(server: Server) {
    let world = World::empty(server).await;
    let user = world.user("a@b.c").await;
    run_stored("attribution.json", server, async |id, input| {
        let groups = input["groups"].as_object().unwrap();
        let side = |place: usize| {
            let groups = groups.iter();
            let of = groups
                .map(|(name, of)| (name.as_str(), decimal(&of[place]), decimal(&of[place + 2])));
            of.collect::<Vec<_>>()
        };
        let portfolio = bought(&world, user, id, side(0)).await;
        let plan = mix(&world, id, side(1)).await;
        shown(&world, user, portfolio, &plan).await
    })
    .await;
}

/// Groups with their weights and returns.
type Groups<'n> = Vec<(&'n str, Decimal, Decimal)>;

/// A portfolio that holds an asset of each group.
async fn bought(world: &World, user: i64, id: &str, groups: Groups<'_>) -> i64 {
    let day = DAYS[0];
    let mut ledger = format!(
        "account,date,type,symbol,quantity,price,amount,currency\n{id},{day},deposit,,,,{},USD\n",
        PRICE * PRICE
    );
    for (group, weight, earned) in groups {
        let symbol = asset(world, &format!("{id} held {group}"), group, earned).await;
        if weight.is_positive() {
            let held = thousandfold(weight);
            writeln!(ledger, "{id},{day},buy,{symbol},{held},{PRICE},,USD").unwrap();
        }
    }
    world.portfolio(user, id, false, &ledger).await
}

/// A plan that follows an asset for each group.
async fn mix(world: &World, id: &str, groups: Groups<'_>) -> TargetPlan {
    let mut targets = Vec::new();
    for (group, weight, earned) in groups {
        targets.push(Target {
            name: group.to_owned(),
            weight,
            band: Decimal::ZERO,
            buy: Some(asset(world, &format!("{id} index {group}"), group, earned).await),
        });
    }
    TargetPlan {
        dimension: Dimension::Sector,
        minimum_trade: Decimal::ZERO,
        cash_kept: Decimal::ZERO,
        whole_shares: false,
        targets,
    }
}

async fn shown(world: &World, user: i64, portfolio: i64, plan: &TargetPlan) -> Value {
    let [from, to] = DAYS.map(|day| day.parse().unwrap());
    let view = view_with_plan(&world.store, user, Some(portfolio), Some(to), plan).await;
    let view = view.unwrap();
    let found = view.attribution(&view.portfolios[0], from);
    let found = found.unwrap().unwrap();
    assert!(found.rest.abs() < 1e-12, "{}", found.rest);
    serde_json::to_value(found.attribution).unwrap()
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

fn thousandfold(value: Decimal) -> Decimal {
    value.mul(Decimal::from_int(PRICE), 10).unwrap()
}

/// An asset of a group with its prices on both days; returns its symbol.
async fn asset(world: &World, name: &str, group: &str, earned: Decimal) -> String {
    let symbol = name.to_uppercase();
    let asset = NewAsset {
        sector: Some(group),
        ..NewAsset::share(&symbol, "USD".parse().unwrap())
    };
    let id = world.store.put_asset(&asset).await.unwrap();
    let [first, second] = DAYS;
    let after = Decimal::from_int(PRICE) + thousandfold(earned);
    world
        .prices(
            id,
            &format!("date,close\n{first},{PRICE}\n{second},{after}\n"),
        )
        .await;
    symbol
}
