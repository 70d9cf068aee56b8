//! What `targets show` and `targets propose` print.

use portfolio::analytics::{View, Viewed, view};
use portfolio::decimal::Decimal;
use portfolio::store::Store;
use portfolio::targets::{Aim, Proposal, Side, TargetPlan};
use reports::format::amount;
use serde::Serialize;
use service::Exit;

use super::{ProposeArgs, WhoseArgs};
use crate::context::Context;
use crate::error::Error;
use crate::output;

/// A portfolio with its plan.
#[derive(Debug, Serialize)]
struct Planned<'v> {
    portfolio_id: i64,
    portfolio: &'v str,
    currency: String,
    #[serde(flatten)]
    plan: &'v TargetPlan,
}

pub(super) async fn show(
    store: &Store,
    whose: &WhoseArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let view = view(store, whose.user, whose.portfolio, None).await?;
    let planned = view.portfolios.iter().filter_map(|viewed| {
        let row = viewed.row();
        Some(Planned {
            portfolio_id: row.id,
            portfolio: &row.name,
            currency: row.base_currency.to_string(),
            plan: view.targets.get(&row.id)?,
        })
    });
    let planned: Vec<Planned<'_>> = planned.collect();
    if context.json {
        output::json(&planned);
        return Ok(Exit::Ok);
    }
    let headers = ["portfolio", "by", "group", "target", "band", "buys"];
    let rows = planned.iter().flat_map(|one| {
        let targets = one.plan.targets.iter();
        targets.map(|target| {
            vec![
                one.portfolio.to_owned(),
                one.plan.dimension.as_str().to_owned(),
                target.name.clone(),
                percent(target.weight),
                percent(target.band),
                target.buy.clone().unwrap_or_default(),
            ]
        })
    });
    output::table(&headers, rows.collect(), NOTHING);
    for one in &planned {
        let TargetPlan {
            minimum_trade,
            cash_kept,
            whole_shares,
            ..
        } = one.plan;
        let shares = if *whole_shares {
            "whole shares"
        } else {
            "fractions too"
        };
        output::line(&format!(
            "{}: {cash_kept} {} of cash kept, trades from {minimum_trade} {}, {shares}",
            one.portfolio, one.currency, one.currency
        ));
    }
    Ok(Exit::Ok)
}

const NOTHING: &str = "no portfolio has targets: celeriac finance targets set";

/// A portfolio with its proposal.
#[derive(Debug, Serialize)]
struct Proposed {
    portfolio_id: i64,
    portfolio: String,
    #[serde(flatten)]
    proposal: Proposal,
}

pub(super) async fn propose(
    store: &Store,
    args: ProposeArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let whose = &args.whose;
    let view = view(store, whose.user, whose.portfolio, args.as_of).await?;
    let aim = args.deposit.map_or(Aim::Rebalance, Aim::Deposit);
    let (mut proposed, mut exit) = (Vec::new(), Exit::Ok);
    for viewed in &view.portfolios {
        match one(&view, viewed, aim) {
            Ok(found) => proposed.extend(found),
            Err(error) => {
                eprintln!("portfolio {}: {}: {error}", viewed.row().id, error.code());
                exit = Exit::Failure;
            }
        }
    }
    if context.json {
        output::json(&proposed);
    } else if proposed.is_empty() {
        output::line(NOTHING);
    } else {
        proposed.iter().for_each(explain);
    }
    Ok(exit)
}

fn one(
    view: &View,
    viewed: &Viewed,
    aim: Aim,
) -> Result<Option<Proposed>, portfolio::ledger::LedgerError> {
    let proposal = view.proposal(viewed, aim)?;
    Ok(proposal.map(|proposal| Proposed {
        portfolio_id: viewed.row().id,
        portfolio: viewed.row().name.clone(),
        proposal,
    }))
}

fn explain(proposed: &Proposed) {
    let Proposed {
        portfolio,
        proposal,
        ..
    } = proposed;
    let currency = proposal.currency;
    let money = |value| amount(value, currency);
    output::line(&format!(
        "{portfolio} on {}: {} to divide by {}, {} in cash of which {} kept",
        proposal.as_of,
        money(proposal.divided),
        proposal.dimension.as_str(),
        money(proposal.cash + proposal.deposit),
        money(proposal.cash_kept),
    ));
    groups(proposal);
    trades(proposal);
    for left in &proposal.left_out {
        let what = left.symbol.as_ref().unwrap_or(&left.group);
        let (amount, why) = (money(left.amount_base), left.reason.text());
        output::line(&format!("no trade for {amount} of {what}: {why}"));
    }
    output::line(&format!("cash afterwards: {}", money(proposal.cash_after)));
}

/// Where the value lies beside where it is meant to lie.
fn groups(proposal: &Proposal) {
    let money = |value| amount(value, proposal.currency);
    let groups = proposal.groups.iter().map(|group| {
        vec![
            group.name.clone(),
            money(group.value),
            percent(group.weight),
            percent(group.target),
            percent(group.drift),
            if group.out_of_band { "out" } else { "in" }.to_owned(),
            money(group.value_after),
        ]
    });
    let headers = [
        "group",
        "value",
        "share",
        "target",
        "drift",
        "band",
        "after trades",
    ];
    output::table(&headers, groups.collect(), "there is nothing to divide");
}

/// What to trade.
fn trades(proposal: &Proposal) {
    let money = |value| amount(value, proposal.currency);
    let trades = proposal.trades.iter().map(|trade| {
        let side = match trade.side {
            Side::Buy => "buy",
            Side::Sell => "sell",
        };
        let stale = trade
            .stale_days
            .map(|days| format!("price is {days} days old"));
        vec![
            side.to_owned(),
            trade.quantity.to_string(),
            trade.symbol.clone(),
            format!("{} {}", trade.price, trade.currency),
            money(trade.amount_base),
            stale.unwrap_or_default(),
        ]
    });
    let headers = ["trade", "quantity", "symbol", "price", "amount", "note"];
    output::table(&headers, trades.collect(), "nothing to trade");
}

/// A share in per cent, to two places.
fn percent(share: Decimal) -> String {
    crate::summary::percent(Some(share.to_f64()))
}
